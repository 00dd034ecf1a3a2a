//! `from_csv` and `schema_of_csv`: one line of CSV as a struct.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::buffer::NullBuffer;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use super::args::Args;
use super::json::convert::{constant_text, option, options_of, struct_schema_of};
use super::json::read::{Formats, formatted, structs};
use super::rows::{TEXT, definitions, kernels, text_literal};
use crate::call::{FunctionContext, Typed};
use crate::cast::{Mode, cast_array};
use crate::coercion;
use crate::datetime::{Pattern, Zone};
use crate::udf;

definitions! {
    "from_csv" (2, 3), Scalar(from_csv), "the struct that a line of CSV stands for";
    "schema_of_csv" (1, 2), Scalar(schema_of_csv), "the type of a line of CSV";
}

kernels! {
    "from_csv" => read;
}

/// Name of the field that takes malformed lines, unless the options say otherwise.
const CORRUPT: &str = "_corrupt_record";

/// How cells are told apart, and what some of them mean.
struct Dialect {
    separator: String,
    quote: Option<char>,
    escape: Option<char>,
    null: String,
    empty: String,
    trims_start: bool,
    trims_end: bool,
}

fn dialect(options: &[String]) -> Dialect {
    let find = |name: &str| options.iter().find_map(|o| o.split_once('=').filter(|(key, _)| *key == name));
    let text = |name: &str, default: &str| find(name).map_or(default.to_owned(), |(_, value)| value.to_owned());
    let flag = |name: &str| find(name).is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
    let separator = find("sep").or_else(|| find("delimiter")).map_or(",", |(_, value)| value);
    Dialect {
        separator: if separator == "\\t" { "\t".to_owned() } else { separator.to_owned() },
        quote: text("quote", "\"").chars().next(),
        escape: text("escape", "\\").chars().next(),
        null: text("nullvalue", ""),
        empty: text("emptyvalue", ""),
        trims_start: flag("ignoreleadingwhitespace"),
        trims_end: flag("ignoretrailingwhitespace"),
    }
}

impl Dialect {
    /// The cells of a line; `None` for those that are null.
    fn split(&self, line: &str) -> Vec<Option<String>> {
        let mut cells = Vec::new();
        let mut rest = line;
        loop {
            let (cell, after) = self.cell(rest);
            cells.push(cell);
            match after {
                Some(after) => rest = after,
                None => return cells,
            }
        }
    }

    fn cell<'a>(&self, text: &'a str) -> (Option<String>, Option<&'a str>) {
        let start = if self.trims_start { text.trim_start_matches([' ', '\t']) } else { text };
        if let Some(quote) = self.quote
            && let Some(inside) = start.strip_prefix(quote)
        {
            let (content, rest) = self.quoted(inside, quote);
            let content = if content.is_empty() { self.empty.clone() } else { content };
            let rest = rest.trim_start_matches([' ', '\t']);
            return (Some(content), rest.strip_prefix(self.separator.as_str()));
        }
        let (cell, after) = match start.split_once(self.separator.as_str()) {
            Some((cell, after)) => (cell, Some(after)),
            None => (start, None),
        };
        let cell = if self.trims_end { cell.trim_end_matches([' ', '\t']) } else { cell };
        ((cell != self.null).then(|| cell.to_owned()), after)
    }

    /// What stands in quotes, and what follows them.
    fn quoted<'a>(&self, text: &'a str, quote: char) -> (String, &'a str) {
        let mut content = String::new();
        let mut characters = text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, c)| *c);
            if self.escape == Some(c) && next.is_some_and(|next| next == quote || next == c) {
                content.extend(next);
                characters.next();
            } else if c == quote && next == Some(quote) {
                content.push(quote);
                characters.next();
            } else if c == quote {
                return (content, &text[at + c.len_utf8()..]);
            } else {
                content.push(c);
            }
        }
        (content, "")
    }
}

fn from_csv(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = format!("from_csv({})", arguments[0].sql);
    let options = options_of(&sql, arguments.get(2))?;
    let result = struct_schema_of(&arguments[1])?;
    let DataType::Struct(fields) = &result else { return Err(SparkError::internal("a struct is none")) };
    if let Some(nested) = fields.iter().find(|field| {
        matches!(field.data_type, DataType::Array(..) | DataType::Map(..) | DataType::Struct(_) | DataType::Variant)
    }) {
        return Err(SparkError::unsupported(format!("from_csv with a field of type {}", nested.data_type.sql())));
    }
    let mode = options.iter().find_map(|o| o.strip_prefix("mode=")).unwrap_or("permissive").to_lowercase();
    if !matches!(mode.as_str(), "permissive" | "failfast") {
        return Err(SparkError::new(&error_class::PARSE_MODE_UNSUPPORTED)
            .param("funcName", "`from_csv`")
            .param("mode", mode.to_uppercase()));
    }
    arguments.truncate(1);
    let arguments = coercion::coerce_arguments(ctx, "from_csv", arguments, &[TEXT])?;
    udf::call_with(ctx, "from_csv", arguments, result, true, sql, options)
}

pub(crate) fn formats(a: &Args) -> Result<Formats> {
    let pattern = |name: &str| option(a, name).map(Pattern::for_parsing).transpose();
    let zone = option(a, "timezone").unwrap_or(a.context.time_zone.as_ref());
    Ok(Formats { zone: Zone::parse(zone)?, date: pattern("dateformat")?, timestamp: pattern("timestampformat")? })
}

fn read(a: &Args) -> Result<ArrayRef> {
    let DataType::Struct(fields) = &a.context.result else { return Err(SparkError::internal("a struct is none")) };
    let (lines, dialect, formats) = (a.text(0)?, dialect(&a.context.options), formats(a)?);
    let corrupt = option(a, "columnnameofcorruptrecord").unwrap_or(CORRUPT);
    let expected = fields.iter().filter(|field| field.name != corrupt).count();
    let is_there = |row: usize| lines.is_valid(row) && !lines.value(row).trim().is_empty();
    let cells: Vec<_> =
        (0..a.rows).map(|row| if is_there(row) { dialect.split(lines.value(row)) } else { Vec::new() }).collect();
    let mut bad: Vec<bool> =
        (0..a.rows).map(|row| lines.is_valid(row) && (cells[row].len() != expected || !is_there(row))).collect();
    let mut columns = Vec::with_capacity(fields.len());
    let mut at = 0;
    for field in fields {
        if field.name == corrupt {
            columns.push(None);
            continue;
        }
        let given: Vec<Option<&str>> = cells.iter().map(|row| row.get(at).and_then(Option::as_deref)).collect();
        let column = convert(&given, &field.data_type, &formats)?;
        (0..a.rows).for_each(|row| bad[row] |= given[row].is_some() && column.is_null(row));
        columns.push(Some(column));
        at += 1;
    }
    let fails = option(a, "mode").is_some_and(|mode| mode.eq_ignore_ascii_case("failfast"));
    if let Some(row) = (0..a.rows).find(|row| fails && bad[*row]) {
        return Err(SparkError::new(&error_class::MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION)
            .param("badRecord", lines.value(row))
            .param("failFastMode", "FAILFAST"));
    }
    let corrupted =
        || -> ArrayRef { Arc::new((0..a.rows).map(|row| bad[row].then(|| lines.value(row))).collect::<StringArray>()) };
    let columns = columns.into_iter().map(|column| column.unwrap_or_else(corrupted)).collect();
    structs(&a.context.result, columns, NullBuffer::from_iter((0..a.rows).map(|row| lines.is_valid(row))))
}

/// Cells as values of a type; what does not fit is null.
fn convert(cells: &[Option<&str>], data_type: &DataType, formats: &Formats) -> Result<ArrayRef> {
    let text = |cell: &str| -> Option<String> {
        match data_type {
            DataType::Boolean => {
                (cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false")).then(|| cell.to_owned())
            }
            t if t.is_integral() => (!cell.contains(char::is_whitespace)).then(|| cell.to_owned()),
            DataType::Date | DataType::Timestamp | DataType::TimestampNtz => formatted(cell, data_type, formats),
            _ => Some(cell.to_owned()),
        }
    };
    let texts: ArrayRef = Arc::new(cells.iter().map(|cell| cell.and_then(text)).collect::<StringArray>());
    cast_array(&texts, &DataType::STRING, data_type, Mode::Try, formats.zone.id())
}

fn schema_of_csv(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("schema_of_csv", &arguments[..1]);
    let line = constant_text(&sql, "csv", &arguments[0])?;
    let options = options_of(&sql, arguments.get(1))?;
    let zone = Zone::parse(&ctx.time_zone)?;
    let cells = dialect(&options).split(&line);
    let field =
        |(i, cell): (usize, &Option<String>)| StructField::new(format!("_c{i}"), infer(cell.as_deref(), &zone), true);
    let schema = DataType::Struct(cells.iter().enumerate().map(field).collect());
    Ok(Typed { sql, ..text_literal(&schema.sql()) })
}

/// The narrowest type that holds a cell.
fn infer(cell: Option<&str>, zone: &Zone) -> DataType {
    let Some(cell) = cell else { return DataType::STRING };
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if cell.parse::<i32>().is_ok() {
        DataType::Integer
    } else if cell.parse::<i64>().is_ok() {
        DataType::Long
    } else if is_whole && digits.len() <= 38 {
        DataType::Decimal(digits.len() as u8, 0)
    } else if matches!(cell, "NaN" | "Inf" | "-Inf")
        || (digits.contains(|c: char| c.is_ascii_digit()) && cell.trim().parse::<f64>().is_ok())
    {
        DataType::Double
    } else if cell.len() == 10 && crate::datetime::parse_date(cell).is_some() {
        DataType::Date
    } else if cell.len() > 10 && crate::datetime::parse_timestamp(cell, zone, None).is_some() {
        DataType::Timestamp
    } else if cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false") {
        DataType::Boolean
    } else {
        DataType::STRING
    }
}
