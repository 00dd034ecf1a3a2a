//! Rows in columns, with borders.

use std::io::{self, Write};

use arrow::datatypes::Schema;
use unicode_width::UnicodeWidthStr;

/// Rows that are looked at before the columns get their widths; later rows that are wider stick out.
const ROWS_MEASURED: usize = 1000;

/// A table that is printed as its rows come.
pub(super) struct Table {
    names: Vec<String>,
    /// Numbers stand on the right.
    is_number: Vec<bool>,
    /// Rows not printed yet, while the widths are open.
    pending: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl Table {
    pub(super) fn new(schema: &Schema) -> Self {
        Self {
            names: schema.fields().iter().map(|field| one_line(field.name().clone())).collect(),
            is_number: schema.fields().iter().map(|field| field.data_type().is_numeric()).collect(),
            pending: Vec::new(),
            widths: None,
        }
    }

    pub(super) fn rows(&mut self, rows: Vec<Vec<String>>, out: &mut dyn Write) -> io::Result<()> {
        let rows = rows.into_iter().map(|row| row.into_iter().map(one_line).collect());
        self.pending.extend(rows);
        if self.widths.is_some() || self.pending.len() >= ROWS_MEASURED { self.flush(out) } else { Ok(()) }
    }

    pub(super) fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        self.flush(out)?;
        self.border(out)
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.widths.is_none() {
            self.widths = Some(self.measure());
            self.border(out)?;
            self.line(&self.names, out)?;
            self.border(out)?;
        }
        for row in std::mem::take(&mut self.pending) {
            self.line(&row, out)?;
        }
        Ok(())
    }

    fn measure(&self) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = self.pending.iter().filter_map(|row| row.get(column));
            cells.chain(self.names.get(column)).map(|cell| cell.width()).max().unwrap_or_default()
        };
        (0..self.names.len()).map(widest).collect()
    }

    fn border(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.widths.iter().flatten().map(|width| "-".repeat(*width));
        writeln!(out, "+{}+", columns.collect::<Vec<_>>().join("+"))
    }

    fn line(&self, cells: &[String], out: &mut dyn Write) -> io::Result<()> {
        let widths = self.widths.iter().flatten();
        let padded = cells.iter().zip(widths).zip(&self.is_number).map(|((cell, width), is_number)| {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            if *is_number { format!("{space}{cell}") } else { format!("{cell}{space}") }
        });
        writeln!(out, "|{}|", padded.collect::<Vec<_>>().join("|"))
    }
}

/// A cell takes one line.
fn one_line(cell: String) -> String {
    if cell.contains(['\n', '\r', '\t']) {
        return cell.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    }
    cell
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("name", DataType::Utf8, true)])
    }

    #[test]
    fn an_empty_result_still_shows_its_columns() {
        let mut out = Vec::new();
        Table::new(&schema()).end(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "+-+----+\n|n|name|\n+-+----+\n+-+----+\n");
    }

    #[test]
    fn wide_characters_and_line_ends_keep_the_columns_straight() {
        let mut out = Vec::new();
        let mut table = Table::new(&schema());
        table.rows(vec![vec!["1".into(), "日本".into()], vec!["22".into(), "a\nb".into()]], &mut out).unwrap();
        table.end(&mut out).unwrap();
        let expected = "+--+----+\n| n|name|\n+--+----+\n| 1|日本|\n|22|a\\nb|\n+--+----+\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn many_rows_are_printed_before_the_last_has_come() {
        let mut out = Vec::new();
        let mut table = Table::new(&schema());
        let row = || vec!["1".to_owned(), "x".to_owned()];
        table.rows((0..ROWS_MEASURED).map(|_| row()).collect(), &mut out).unwrap();
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), ROWS_MEASURED + 3);
        table.rows(vec![vec!["1".into(), "far too wide".into()]], &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with("|1|far too wide|\n"));
    }
}
