//! JSON documents to Arrow batches.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use firesteel_model::Result;

use super::options::JsonOptions;
use super::parse::{Node, Value, parse};
use super::values::{append, member};
use crate::text::chunks::{Chunk, records};
use crate::text::column::Column;
use crate::text::rows::{RowReader, RowSink, Rows};

/// Turns chunks of a JSON file into batches of the columns asked for.
pub(crate) struct JsonReader {
    options: JsonOptions,
    /// The name of each column asked for; `None` for the corrupt record column.
    names: Vec<Option<String>>,
    rows: Rows,
}

impl JsonReader {
    /// A reader of the columns `projection` of `schema`.
    pub(crate) fn new(
        options: JsonOptions,
        schema: &SchemaRef,
        projection: &[usize],
        batch_size: usize,
    ) -> Result<Self> {
        let name = |&index: &usize| {
            let name = schema.field(index).name();
            (*name != options.corrupt_column).then(|| name.clone())
        };
        Ok(Self {
            names: projection.iter().map(name).collect(),
            rows: Rows::new(schema, projection, batch_size)?,
            options,
        })
    }

    fn document(&mut self, text: &str, sink: &mut RowSink) -> Result<()> {
        let leniency = self.options.leniency;
        match parse(text, &leniency) {
            Some(Node { value: Value::Array(items), .. }) => {
                items.iter().try_for_each(|item| self.object(item, text, sink))
            }
            Some(node) => self.object(&node, text, sink),
            None => self.malformed(text, sink),
        }
    }

    fn object(&mut self, node: &Node<'_>, text: &str, sink: &mut RowSink) -> Result<()> {
        let Value::Object(members) = &node.value else {
            return if node.value == Value::Null { Ok(()) } else { self.malformed(text, sink) };
        };
        let Self { options, names, rows } = self;
        let mut fits = true;
        for (name, column) in names.iter().zip(rows.columns_mut()) {
            let Some(name) = name else { continue };
            match member(members, name) {
                Some(node) => fits &= append(column, node, &options.rules),
                None => column.append_null(),
            }
        }
        self.end_row(fits, text, sink)
    }

    fn malformed(&mut self, text: &str, sink: &mut RowSink) -> Result<()> {
        let named = self.names.iter().zip(self.rows.columns_mut()).filter(|(name, _)| name.is_some());
        named.for_each(|(_, column)| column.append_null());
        self.end_row(false, text, sink)
    }

    fn end_row(&mut self, fits: bool, text: &str, sink: &mut RowSink) -> Result<()> {
        let keep = fits || self.options.mode.on_malformed(text)?;
        let corrupt = self.names.iter().zip(self.rows.columns_mut()).filter(|(name, _)| name.is_none());
        for (_, column) in corrupt {
            match column {
                Column::Text(builder) if !fits => builder.append_value(text),
                other => other.append_null(),
            }
        }
        self.rows.end_row(keep, sink)
    }
}

impl RowReader for JsonReader {
    fn read(&mut self, chunk: &Chunk) -> Result<Vec<RecordBatch>> {
        let framing = self.options.layout.framing.clone();
        let mut sink = RowSink::default();
        for document in records(&chunk.text, &framing) {
            if !document.trim().is_empty() {
                self.document(document, &mut sink)?;
            }
        }
        Ok(sink.into_batches())
    }

    fn finish(&mut self) -> Result<Option<RecordBatch>> {
        self.rows.finish()
    }
}
