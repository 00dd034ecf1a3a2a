//! Text files: a row per line, or per file.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use firesteel_model::Result;
use firesteel_spec::{DataType, StructField};

use crate::options::Options;
use crate::text::chunks::{Chunk, Framing, Layout, records};
use crate::text::column::Column;
use crate::text::rows::{RowReader, RowSink, Rows};

/// The one column.
pub(crate) fn fields() -> Vec<StructField> {
    vec![StructField::new("value", DataType::STRING, true)]
}

/// How the options frame records.
pub(crate) fn layout(options: &Options) -> Result<Layout> {
    let framing = match options.get("lineSep") {
        _ if options.flag("wholetext", false)? => Framing::Whole,
        Some("\n" | "\r\n" | "\r") | None => Framing::Lines,
        Some(separator) => Framing::Separated(separator.to_owned()),
    };
    Layout::new(framing, options.get_either("encoding", "charset"))
}

/// Turns chunks into rows of one string.
pub(crate) struct TextReader {
    framing: Framing,
    rows: Rows,
}

impl TextReader {
    /// A reader of the columns asked for, of which there is at most one.
    pub(crate) fn new(framing: Framing, schema: &SchemaRef, projection: &[usize], batch_size: usize) -> Result<Self> {
        Ok(Self { framing, rows: Rows::new(schema, projection, batch_size)? })
    }
}

impl RowReader for TextReader {
    fn read(&mut self, chunk: &Chunk) -> Result<Vec<RecordBatch>> {
        let mut sink = RowSink::default();
        for record in records(&chunk.text, &self.framing) {
            for column in self.rows.columns_mut() {
                match column {
                    Column::Text(builder) => builder.append_value(record),
                    other => other.append_null(),
                }
            }
            self.rows.end_row(true, &mut sink)?;
        }
        Ok(sink.into_batches())
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>> {
        self.rows.finish()
    }
}
