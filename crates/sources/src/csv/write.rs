//! Arrow batches to CSV.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use firesteel_model::Result;

use super::options::Dialect;
use crate::error::bad_option;
use crate::options::Options;
use crate::settings::Settings;
use crate::text::print::Printer;

/// Prints rows as CSV.
pub(crate) struct CsvWriter {
    dialect: Dialect,
    printer: Printer,
    header: bool,
    quote_all: bool,
    escape_quotes: bool,
    line_end: String,
}

impl CsvWriter {
    /// Reads the options.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        let encoding = options.get_either("encoding", "charset").unwrap_or("UTF-8");
        if !encoding.eq_ignore_ascii_case("utf-8") {
            return Err(bad_option("encoding", encoding, "UTF-8 when writing"));
        }
        Ok(Self {
            dialect: Dialect::new(options, true)?,
            printer: Printer::new(options, settings)?,
            header: options.flag("header", false)?,
            quote_all: options.flag("quoteAll", false)?,
            escape_quotes: options.flag("escapeQuotes", true)?,
            line_end: options.get("lineSep").unwrap_or("\n").to_owned(),
        })
    }

    /// The first line, if there is to be one.
    pub(crate) fn header(&self, schema: &Schema) -> String {
        let mut out = String::new();
        if self.header {
            for (index, field) in schema.fields().iter().enumerate() {
                self.separate(index, &mut out);
                self.text(field.name(), &mut out);
            }
            out.push_str(&self.line_end);
        }
        out
    }

    /// The lines of a batch.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<String> {
        let mut out = String::with_capacity(batch.get_array_memory_size());
        for row in 0..batch.num_rows() {
            for (index, column) in batch.columns().iter().enumerate() {
                self.separate(index, &mut out);
                match self.printer.print(column, row)? {
                    Some(text) => self.text(&text, &mut out),
                    None if self.quote_all && self.dialect.null_value.is_empty() => out.push_str("\"\""),
                    None => out.push_str(&self.dialect.null_value),
                }
            }
            out.push_str(&self.line_end);
        }
        Ok(out)
    }

    fn separate(&self, index: usize, out: &mut String) {
        if index > 0 {
            out.push_str(&self.dialect.separator);
        }
    }

    fn text(&self, text: &str, out: &mut String) {
        if text.is_empty() {
            out.push_str(&self.dialect.empty_value);
            return;
        }
        let text = if self.dialect.trim_start { text.trim_start_matches(|c: char| c <= ' ') } else { text };
        let text = if self.dialect.trim_end { text.trim_end_matches(|c: char| c <= ' ') } else { text };
        let Some(quote) = self.dialect.quote.filter(|quote| self.quotes(text, *quote)) else {
            out.push_str(text);
            return;
        };
        out.push(quote);
        for c in text.chars() {
            if c == quote {
                out.extend(self.dialect.escape);
            } else if Some(c) == self.dialect.escape {
                out.extend(self.dialect.escape_of_escape);
            }
            out.push(c);
        }
        out.push(quote);
    }

    fn quotes(&self, text: &str, quote: char) -> bool {
        let starts_comment = self.dialect.comment.is_some_and(|comment| text.starts_with(comment));
        self.quote_all
            || starts_comment
            || text.contains(self.dialect.separator.as_str())
            || text.contains(['\n', '\r'])
            || (text.contains(quote) && (self.escape_quotes || text.starts_with(quote)))
    }
}
