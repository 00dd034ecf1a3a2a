//! Arrow batches to JSON lines.

use arrow::array::{Array, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Fields, Float32Type, Float64Type};
use firesteel_model::Result;

use crate::options::Options;
use crate::settings::Settings;
use crate::text::print::Printer;

/// Prints rows as JSON objects.
pub(crate) struct JsonWriter {
    printer: Printer,
    ignore_nulls: bool,
    line_end: String,
}

impl JsonWriter {
    /// Reads the options.
    pub(crate) fn new(options: &Options, settings: &Settings) -> Result<Self> {
        Ok(Self {
            printer: Printer::new(options, settings)?,
            ignore_nulls: options.flag("ignoreNullFields", true)?,
            line_end: options.get("lineSep").unwrap_or("\n").to_owned(),
        })
    }

    /// The lines of a batch.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<String> {
        let mut out = String::with_capacity(batch.get_array_memory_size() * 2);
        let rows = StructArray::from(batch.clone());
        for row in 0..rows.len() {
            self.object(rows.fields(), rows.columns(), row, &mut out)?;
            out.push_str(&self.line_end);
        }
        Ok(out)
    }

    fn object(&self, fields: &Fields, columns: &[arrow::array::ArrayRef], row: usize, out: &mut String) -> Result<()> {
        out.push('{');
        let mut is_first = true;
        for (field, column) in fields.iter().zip(columns) {
            if self.ignore_nulls && (column.is_null(row) || *column.data_type() == DataType::Null) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.push(',');
            }
            string(field.name(), out);
            out.push(':');
            self.value(column, row, out)?;
        }
        out.push('}');
        Ok(())
    }

    fn value(&self, array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
        if array.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::Struct(fields) => {
                self.object(fields, array.as_struct().columns(), row, out)?;
            }
            DataType::List(_) => {
                let items = array.as_list::<i32>().value(row);
                out.push('[');
                for index in 0..items.len() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.value(&items, index, out)?;
                }
                out.push(']');
            }
            DataType::Map(..) => self.map(&array.as_map().value(row), out)?,
            DataType::Binary => string(&base64(array.as_binary::<i32>().value(row)), out),
            DataType::Float32 => number(
                array.as_primitive::<Float32Type>().value(row).is_finite(),
                || self.printer.print(array, row),
                out,
            )?,
            DataType::Float64 => number(
                array.as_primitive::<Float64Type>().value(row).is_finite(),
                || self.printer.print(array, row),
                out,
            )?,
            other => {
                let text = self.printer.print(array, row)?.unwrap_or_default();
                if other.is_numeric() || *other == DataType::Boolean {
                    out.push_str(&text);
                } else {
                    string(&text, out);
                }
            }
        }
        Ok(())
    }

    fn map(&self, entries: &StructArray, out: &mut String) -> Result<()> {
        out.push('{');
        for index in 0..entries.len() {
            if index > 0 {
                out.push(',');
            }
            string(&self.printer.print(entries.column(0), index)?.unwrap_or_default(), out);
            out.push(':');
            self.value(entries.column(1), index, out)?;
        }
        out.push('}');
        Ok(())
    }
}

/// NaN and the infinities have no number in JSON, so they are strings.
fn number(is_finite: bool, print: impl FnOnce() -> Result<Option<String>>, out: &mut String) -> Result<()> {
    let text = print()?.unwrap_or_default();
    if is_finite {
        out.push_str(&text)
    } else {
        string(&text, out)
    }
    Ok(())
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = (bits >> (18 - 6 * index)) & 63;
            text.push(if index <= chunk.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    text
}
