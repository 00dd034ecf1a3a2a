//! A table of cells, and its three layouts.

use arrow::array::RecordBatch;
use firesteel_model::Result;
use firesteel_spec::StructField;

use super::{ShowOptions, display};

/// Narrowest column.
const WIDTH_MIN: usize = 3;

/// Header and cells, escaped and cut.
pub(super) struct Table {
    header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    rows_max: usize,
    has_more: bool,
}

impl Table {
    pub(super) fn new(batches: &[RecordBatch], fields: &[StructField], options: &ShowOptions) -> Result<Self> {
        let header = fields.iter().map(|field| escape(&field.name)).collect();
        let mut rows: Vec<Vec<String>> = Vec::new();
        let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
        for batch in batches {
            let left = options.rows - rows.len();
            let batch = batch.slice(0, batch.num_rows().min(left));
            let columns = batch
                .columns()
                .iter()
                .zip(fields)
                .map(|(column, field)| display(column, &field.data_type, &options.time_zone))
                .collect::<Result<Vec<_>>>()?;
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| cut(escape(column.value(row)), options.truncate)).collect());
            }
        }
        Ok(Self { header, rows, rows_max: options.rows, has_more: total > options.rows })
    }

    pub(super) fn footer(&self) -> String {
        if !self.has_more {
            return String::new();
        }
        let noun = if self.rows_max == 1 { "row" } else { "rows" };
        format!("only showing top {} {noun}\n", self.rows_max)
    }

    pub(super) fn grid(&self, aligns_right: bool) -> String {
        let mut widths = vec![WIDTH_MIN; self.header.len()];
        for row in std::iter::once(&self.header).chain(&self.rows) {
            for (width_max, cell) in widths.iter_mut().zip(row) {
                *width_max = (*width_max).max(width(cell));
            }
        }
        let mut line = String::from("+");
        for width in &widths {
            line.push_str(&"-".repeat(*width));
            line.push('+');
        }
        if widths.is_empty() {
            line.push('+');
        }
        line.push('\n');
        let mut text = line.clone();
        push_row(&mut text, &self.header, &widths, aligns_right);
        text.push_str(&line);
        self.rows.iter().for_each(|row| push_row(&mut text, row, &widths, aligns_right));
        text.push_str(&line);
        text
    }

    pub(super) fn records(&self) -> String {
        let widest = |cells: &mut dyn Iterator<Item = &String>| cells.map(|cell| width(cell)).max().unwrap_or(0);
        let name_width = WIDTH_MIN.max(widest(&mut self.header.iter()));
        let value_width = WIDTH_MIN.max(widest(&mut self.rows.iter().flatten()));
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let title = format!("-RECORD {index}");
            text.push_str(&title);
            let whole = name_width + value_width + 5;
            text.push_str(&"-".repeat(whole.saturating_sub(title.len())));
            text.push('\n');
            for (name, cell) in self.header.iter().zip(row) {
                let name_pad = " ".repeat(name_width - width(name));
                let value_pad = " ".repeat(value_width - width(cell));
                text.push_str(&format!(" {name}{name_pad} | {cell}{value_pad} \n"));
            }
        }
        text
    }

    pub(super) fn html(&self) -> String {
        let mut text = String::from("<table border='1'>\n");
        for (row, tag) in std::iter::once((&self.header, "th")).chain(self.rows.iter().map(|row| (row, "td"))) {
            text.push_str(&format!("<tr><{tag}>"));
            let cells: Vec<_> = row.iter().map(|cell| escape_html(cell)).collect();
            text.push_str(&cells.join(&format!("</{tag}><{tag}>")));
            text.push_str(&format!("</{tag}></tr>\n"));
        }
        text.push_str("</table>\n");
        text
    }
}

fn push_row(text: &mut String, row: &[String], widths: &[usize], aligns_right: bool) {
    text.push('|');
    for (cell, column) in row.iter().zip(widths) {
        let pad = " ".repeat(column - width(cell));
        if aligns_right {
            text.push_str(&pad);
            text.push_str(cell);
        } else {
            text.push_str(cell);
            text.push_str(&pad);
        }
        text.push('|');
    }
    if row.is_empty() {
        text.push('|');
    }
    text.push('\n');
}

/// Characters that would break a line become what they look like in source code.
fn escape(text: &str) -> String {
    if !text.contains(['\n', '\r', '\t', '\u{c}', '\u{8}', '\u{b}', '\u{7}']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{7}' => out.push_str("\\a"),
            other => out.push(other),
        }
    }
    out
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// At most `limit` characters, counted as Java counts them; the last three become dots where there is room.
fn cut(text: String, limit: usize) -> String {
    if limit == 0 || text.encode_utf16().count() <= limit {
        return text;
    }
    let (kept, dots) = if limit < 4 { (limit, "") } else { (limit - 3, "...") };
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        used += c.len_utf16();
        if used > kept {
            break;
        }
        out.push(c);
    }
    out.push_str(dots);
    out
}

/// Columns on a terminal: East Asian characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { c.len_utf16() }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(
        c,
        '\u{1100}'..='\u{115F}'
            | '\u{2E80}'..='\u{A4CF}'
            | '\u{AC00}'..='\u{D7A3}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{FE10}'..='\u{FE19}'
            | '\u{FE30}'..='\u{FE6F}'
            | '\u{FF00}'..='\u{FF60}'
            | '\u{FFE0}'..='\u{FFE6}'
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int32Array, StringArray};
    use firesteel_spec::DataType;

    use super::super::{html_string, show_string};
    use super::*;

    fn table() -> (Vec<RecordBatch>, Vec<StructField>) {
        let ids: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a\nb"), None]));
        let batch = RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("name", names, true)]).unwrap();
        let fields =
            vec![StructField::new("id", DataType::Integer, false), StructField::new("name", DataType::STRING, true)];
        (vec![batch], fields)
    }

    fn options(rows: usize, truncate: usize, vertical: bool) -> ShowOptions {
        ShowOptions { rows, truncate, vertical, time_zone: "UTC".to_owned() }
    }

    #[test]
    fn layouts() {
        let (batches, fields) = table();
        let show = |options: &ShowOptions| show_string(&batches, &fields, options).unwrap();
        assert_eq!(
            show(&options(20, 20, false)),
            "+---+----+\n| id|name|\n+---+----+\n|  1|a\\nb|\n|  2|NULL|\n+---+----+\n"
        );
        assert_eq!(
            show(&options(1, 0, false)),
            "+---+----+\n|id |name|\n+---+----+\n|1  |a\\nb|\n+---+----+\nonly showing top 1 row\n"
        );
        assert_eq!(
            show(&options(1, 20, true)),
            "-RECORD 0----\n id   | 1    \n name | a\\nb \nonly showing top 1 row\n"
        );
        assert_eq!(
            html_string(&batches, &fields, &options(20, 20, false)).unwrap(),
            "<table border='1'>\n<tr><th>id</th><th>name</th></tr>\n<tr><td>1</td><td>a\\nb</td></tr>\n\
             <tr><td>2</td><td>NULL</td></tr>\n</table>\n"
        );
    }

    #[test]
    fn cuts_and_widths() {
        assert_eq!(cut("abcdefghij".to_owned(), 8), "abcde...");
        assert_eq!(cut("abcdef".to_owned(), 3), "abc");
        assert_eq!(width("数据"), 4);
    }
}
