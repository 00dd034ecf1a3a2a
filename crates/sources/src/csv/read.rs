//! CSV records to Arrow batches.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use firesteel_model::Result;

use super::options::CsvOptions;
use super::parse::{Fields, Records};
use crate::text::chunks::{Chunk, Framing, records};
use crate::text::column::Column;
use crate::text::mode::malformed;
use crate::text::rows::{RowReader, RowSink, Rows};

/// Turns chunks of a CSV file into batches of the columns asked for.
pub(crate) struct CsvReader {
    options: CsvOptions,
    /// The position in the file of each column asked for; `None` for the corrupt record column.
    positions: Vec<Option<usize>>,
    file_columns: Vec<String>,
    /// Whether all columns are read, so that records of another length count as malformed.
    checks_length: bool,
    fields: Fields,
    rows: Rows,
}

impl CsvReader {
    /// A reader of the columns `projection` of a file with the columns of `schema`.
    pub(crate) fn new(
        options: CsvOptions,
        schema: &SchemaRef,
        projection: &[usize],
        batch_size: usize,
    ) -> Result<Self> {
        let is_corrupt = |index: usize| *schema.field(index).name() == options.corrupt_column;
        let in_file: Vec<usize> = (0..schema.fields().len()).filter(|&index| !is_corrupt(index)).collect();
        let reads_corrupt = projection.iter().any(|&index| is_corrupt(index));
        let positions = projection.iter().map(|index| in_file.iter().position(|column| column == index)).collect();
        Ok(Self {
            checks_length: reads_corrupt || projection.iter().filter(|&&i| !is_corrupt(i)).count() == in_file.len(),
            positions,
            file_columns: in_file.iter().map(|&index| schema.field(index).name().clone()).collect(),
            fields: Fields::default(),
            rows: Rows::new(schema, projection, batch_size)?,
            options,
        })
    }

    fn header(&self, fields: &Fields) -> Result<()> {
        if self.options.enforce_schema {
            return Ok(());
        }
        let names: Vec<&str> = (0..fields.len()).map(|i| fields.get(i, &self.options.dialect).unwrap_or("")).collect();
        let same = names.len() == self.file_columns.len()
            && names.iter().zip(&self.file_columns).all(|(name, column)| name.eq_ignore_ascii_case(column));
        if same { Ok(()) } else { Err(malformed(&names.join(&self.options.dialect.separator))) }
    }

    fn record(&mut self, record: &str, sink: &mut RowSink) -> Result<()> {
        let Self { options, positions, fields, rows, .. } = self;
        let mut is_bad = fields.is_malformed || (self.checks_length && fields.len() != self.file_columns.len());
        for (position, column) in positions.iter().zip(rows.columns_mut()) {
            let Some(position) = position else { continue };
            match fields.get(*position, &options.dialect) {
                Some(text) => is_bad |= !column.append_text(text, &options.rules),
                None => column.append_null(),
            }
        }
        let keep = !is_bad || options.mode.on_malformed(record)?;
        let corrupt = positions.iter().zip(rows.columns_mut()).filter(|(position, _)| position.is_none());
        for (_, column) in corrupt {
            match column {
                Column::Text(builder) if is_bad => builder.append_value(record),
                other => other.append_null(),
            }
        }
        rows.end_row(keep, sink)
    }
}

impl RowReader for CsvReader {
    fn read(&mut self, chunk: &Chunk) -> Result<Vec<RecordBatch>> {
        let framing = self.options.layout.framing.clone();
        let dialect = self.options.dialect.clone();
        let mut skip_header = self.options.header && chunk.is_file_start;
        let mut sink = RowSink::default();
        for line in records(&chunk.text, &framing) {
            let mut parser = Records::new(&dialect, line, framing == Framing::Whole);
            while let Some(record) = parser.next(&mut self.fields) {
                if std::mem::take(&mut skip_header) {
                    self.header(&self.fields)?;
                    continue;
                }
                self.record(record, &mut sink)?;
            }
        }
        Ok(sink.into_batches())
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>> {
        self.rows.finish()
    }
}
