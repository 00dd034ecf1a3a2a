//! A file: stripes, then the footer that tells where they are.

use std::io;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType as Arrow, SchemaRef};
use arrow::error::ArrowError;
use firesteel_model::Result;
use prost::Message;

use super::column::Column;
use super::compress::{BLOCK_BYTES, Codec};
use super::schema::types_of;
use super::wire::{ColumnEncoding, Footer, PostScript, Stream, StripeFooter, StripeInformation, Type};

const MAGIC: &str = "ORC";
const STRIPE_BYTES: usize = 64 << 20;
const BATCH_ROWS: usize = 8192;
/// Which program wrote the file: none of those that have a number.
const WRITER: u32 = u32::MAX;

/// Writes one file into memory, from where its bytes are taken as they come.
pub(crate) struct OrcWriter {
    codec: Codec,
    types: Vec<Type>,
    root: Column,
    rows_in_stripe: u64,
    stripes: Vec<StripeInformation>,
    has_moments: bool,
    written: u64,
    out: Vec<u8>,
}

impl OrcWriter {
    /// A file of these columns.
    ///
    /// Errors: a type that ORC files do not hold.
    pub(crate) fn new(schema: &SchemaRef, codec: Codec) -> Result<Self> {
        let columns = schema.fields().iter().map(|field| Column::new(field.data_type())).collect();
        Ok(Self {
            codec,
            types: types_of(schema)?,
            root: Column::root(columns),
            rows_in_stripe: 0,
            stripes: Vec::new(),
            has_moments: schema.flattened_fields().iter().any(|f| matches!(f.data_type(), Arrow::Timestamp(..))),
            written: MAGIC.len() as u64,
            out: MAGIC.as_bytes().to_vec(),
        })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> std::result::Result<(), ArrowError> {
        for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            let part = batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start));
            for (column, array) in self.root.parts_mut().iter_mut().zip(part.columns()) {
                column.add(array)?;
            }
            self.rows_in_stripe += part.num_rows() as u64;
            if self.root.held_bytes() >= STRIPE_BYTES {
                self.end_stripe().map_err(ArrowError::from)?;
            }
        }
        Ok(())
    }

    /// The bytes since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Bytes of the stripe that is not written yet, about.
    pub(crate) fn held_bytes(&self) -> usize {
        self.root.held_bytes()
    }

    /// Ends the file and gives the last bytes.
    pub(crate) fn finish(mut self) -> io::Result<Vec<u8>> {
        if self.rows_in_stripe > 0 {
            self.end_stripe()?;
        }
        let footer = Footer {
            header_length: Some(MAGIC.len() as u64),
            content_length: Some(self.written),
            number_of_rows: Some(self.stripes.iter().filter_map(|stripe| stripe.number_of_rows).sum()),
            stripes: self.stripes,
            types: self.types,
            writer: Some(WRITER),
        };
        let footer = self.codec.compress(footer.encode_to_vec())?;
        let postscript = PostScript {
            footer_length: footer.len() as u64,
            compression: Some(self.codec.number()),
            compression_block_size: (self.codec != Codec::None).then_some(BLOCK_BYTES as u64),
            version: vec![0, 12],
            metadata_length: Some(0),
            writer_version: Some(WRITER),
            magic: MAGIC.to_owned(),
        };
        let postscript = postscript.encode_to_vec();
        self.out.extend(footer);
        self.out.extend_from_slice(&postscript);
        self.out.push(postscript.len() as u8);
        Ok(self.out)
    }

    fn end_stripe(&mut self) -> io::Result<()> {
        let (mut columns, mut streams) = (0, Vec::new());
        self.root.take(&mut columns, &mut streams);
        let start = self.out.len();
        let mut listed = Vec::with_capacity(streams.len());
        for stream in streams {
            let bytes = self.codec.compress(stream.bytes)?;
            listed.push(Stream {
                kind: Some(stream.kind.into()),
                column: Some(stream.column as u32),
                length: Some(bytes.len() as u64),
            });
            self.out.extend(bytes);
        }
        let data_length = (self.out.len() - start) as u64;
        let footer = StripeFooter {
            streams: listed,
            columns: vec![ColumnEncoding { kind: Some(0) }; columns],
            writer_timezone: self.has_moments.then(|| "UTC".to_owned()),
        };
        let footer = self.codec.compress(footer.encode_to_vec())?;
        self.stripes.push(StripeInformation {
            offset: Some(self.written),
            index_length: Some(0),
            data_length: Some(data_length),
            footer_length: Some(footer.len() as u64),
            number_of_rows: Some(std::mem::take(&mut self.rows_in_stripe)),
        });
        self.written += data_length + footer.len() as u64;
        self.out.extend(footer);
        Ok(())
    }
}
