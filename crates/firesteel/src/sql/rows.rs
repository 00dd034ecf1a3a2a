//! Rows, printed as they come.

use std::io::{self, Write};

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use firesteel_model::SparkError;
use futures::StreamExt;

use super::table::Table;
use crate::arguments::Format;
use crate::engine::{Rows, text_columns};
use crate::failure::Failure;

/// Prints all rows; the answer is how many. A statement without columns prints nothing.
///
/// Errors: the query's, as soon as it fails; what came before has been printed.
pub(super) async fn print(mut rows: Rows, format: Format, out: &mut (dyn Write + Send)) -> Result<u64, Failure> {
    let mut printer = Printer::new(format, &rows.schema);
    let mut count = 0;
    if !rows.schema.fields().is_empty() {
        printer.begin(&rows.schema, out).map_err(printing)?;
    }
    while let Some(batch) = rows.batches.next().await {
        let batch = batch?;
        count += batch.num_rows() as u64;
        printer.batch(&batch, &rows.time_zone, out)?;
    }
    printer.end(out).and_then(|()| out.flush()).map_err(printing)?;
    Ok(count)
}

fn printing(source: io::Error) -> Failure {
    Failure::Io { action: "cannot print the rows", source }
}

enum Printer {
    Table(Table),
    Csv,
    Json,
}

impl Printer {
    fn new(format: Format, schema: &Schema) -> Self {
        match format {
            Format::Table => Self::Table(Table::new(schema)),
            Format::Csv => Self::Csv,
            Format::Json => Self::Json,
        }
    }

    fn begin(&mut self, schema: &Schema, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv => {
                let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
                csv_line(&names, out)
            }
            Self::Table(_) | Self::Json => Ok(()),
        }
    }

    fn batch(&mut self, batch: &RecordBatch, zone: &str, out: &mut dyn Write) -> Result<(), Failure> {
        match self {
            Self::Table(table) => table.rows(cells(batch, "NULL", zone)?, out).map_err(printing),
            Self::Csv => cells(batch, "", zone)?.iter().try_for_each(|row| csv_line(row, out)).map_err(printing),
            Self::Json => {
                let mut text = Vec::new();
                LineDelimitedWriter::new(&mut text).write(batch).map_err(unprintable)?;
                out.write_all(&text).map_err(printing)
            }
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Table(table) => table.end(out),
            Self::Csv | Self::Json => Ok(()),
        }
    }
}

/// A batch as text, row by row.
fn cells(batch: &RecordBatch, null: &str, time_zone: &str) -> Result<Vec<Vec<String>>, Failure> {
    let columns = text_columns(batch, time_zone)?;
    let cell = |(column, text): (&ArrayRef, &StringArray), row| {
        if column.is_null(row) { null.to_owned() } else { text.value(row).to_owned() }
    };
    let row = |index| batch.columns().iter().zip(&columns).map(|column| cell(column, index)).collect();
    Ok((0..batch.num_rows()).map(row).collect())
}

fn unprintable(error: ArrowError) -> Failure {
    SparkError::internal("a row cannot be printed").source(error).into()
}

/// One line of RFC 4180: what holds a comma, a quotation mark or a line's end stands in quotation marks.
fn csv_line(cells: &[String], out: &mut dyn Write) -> io::Result<()> {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    });
    writeln!(out, "{}", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, TimestampMicrosecondArray};
    use futures::stream;

    use super::*;

    fn batch() -> RecordBatch {
        let columns: [(&str, ArrayRef); 4] = [
            ("n", Arc::new(Int64Array::from(vec![Some(1), None]))),
            ("text", Arc::new(StringArray::from(vec!["a,\"b\"", "ü"]))),
            ("x", Arc::new(Float64Array::from(vec![1.5, -2.0]))),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000]))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    }

    async fn printed(format: Format) -> (String, u64) {
        let rows = Rows {
            schema: batch().schema(),
            batches: Box::pin(stream::iter([Ok(batch())])),
            time_zone: "UTC".to_owned(),
        };
        let mut out = Vec::new();
        let count = print(rows, format, &mut out).await.unwrap();
        (String::from_utf8(out).unwrap(), count)
    }

    #[tokio::test]
    async fn formats() {
        let table = "\
+----+-----+----+---------------------+
|   n|text |   x|at                   |
+----+-----+----+---------------------+
|   1|a,\"b\"| 1.5|1970-01-01 00:00:00  |
|NULL|ü    |-2.0|1970-01-01 00:00:01.5|
+----+-----+----+---------------------+
";
        let (text, count) = printed(Format::Table).await;
        assert_eq!((text.as_str(), count), (table, 2));
        assert_eq!(
            printed(Format::Csv).await.0,
            "n,text,x,at\n1,\"a,\"\"b\"\"\",1.5,1970-01-01 00:00:00\n,ü,-2.0,1970-01-01 00:00:01.5\n"
        );
        let json = printed(Format::Json).await.0;
        assert!(json.starts_with("{\"n\":1,\"text\":\"a,\\\"b\\\"\",\"x\":1.5,"), "{json}");
        assert_eq!(json.lines().count(), 2);
    }

    #[tokio::test]
    async fn an_error_ends_the_rows_and_a_statement_without_columns_prints_nothing() {
        let batches = stream::iter([Ok(batch()), Err(SparkError::internal("x"))]);
        let rows = Rows { schema: batch().schema(), batches: Box::pin(batches), time_zone: "UTC".to_owned() };
        assert!(matches!(print(rows, Format::Csv, &mut Vec::new()).await, Err(Failure::Spark(_))));

        let rows =
            Rows { schema: Arc::new(Schema::empty()), batches: Box::pin(stream::empty()), time_zone: "UTC".to_owned() };
        let mut out = Vec::new();
        assert_eq!(print(rows, Format::Table, &mut out).await.unwrap(), 0);
        assert!(out.is_empty());
    }
}
