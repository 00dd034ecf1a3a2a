//! [`Input`]: rows on their way to a worker.

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use firesteel_model::{Result, SparkError};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;

use crate::error::{arrow, failed};
use crate::wire::{END_OF_STREAM, Frame};

/// Small groups are sent together.
const FLUSH_BYTES: usize = 128 << 10;

/// The way to a worker.
///
/// Flow: a plain stream is `batch` as often as there are batches, then `finish`. Groups are `group` for each, or
/// `groups` for some, then `finish_groups`. What comes back is the half of the socket that the output needs in the end.
pub struct Input {
    socket: OwnedWriteHalf,
    stream: Option<StreamWriter<Vec<u8>>>,
    pending: Frame,
}

/// The half of the socket, once all was sent.
#[derive(Debug)]
pub struct Sent(pub(crate) OwnedWriteHalf);

impl Input {
    pub(crate) fn new(socket: OwnedWriteHalf) -> Self {
        Self { socket, stream: None, pending: Frame::default() }
    }

    /// Sends a batch of the plain stream.
    pub async fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(arrow)?),
        };
        stream.write(batch).map_err(arrow)?;
        let bytes = std::mem::take(stream.get_mut());
        self.send(&bytes).await
    }

    /// Ends the plain stream; the schema is for a stream without batches.
    pub async fn finish(mut self, schema: &SchemaRef) -> Result<Sent> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => StreamWriter::try_new(Vec::new(), schema).map_err(arrow)?,
        };
        stream.finish().map_err(arrow)?;
        let bytes = std::mem::take(stream.get_mut());
        self.pending.0.extend_from_slice(&bytes);
        self.end().await
    }

    /// Sends a group: its frames, each a stream of batches of a schema.
    pub async fn group(&mut self, frames: &[(SchemaRef, Vec<RecordBatch>)]) -> Result<()> {
        self.pending.count(frames.len());
        for (schema, batches) in frames {
            self.write_stream(schema, batches)?;
        }
        if self.pending.0.len() >= FLUSH_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Sends groups that travel together: the rows of each, and a stream of all their rows.
    pub async fn groups(&mut self, lengths: &[usize], schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
        self.pending.count(lengths.len());
        lengths.iter().for_each(|rows| self.pending.count(*rows));
        self.write_stream(schema, batches)?;
        self.flush().await
    }

    fn write_stream(&mut self, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
        let buffer = std::mem::take(&mut self.pending.0);
        let mut stream = StreamWriter::try_new(buffer, schema).map_err(arrow)?;
        for batch in batches {
            stream.write(batch).map_err(arrow)?;
        }
        self.pending.0 = stream.into_inner().map_err(arrow)?;
        Ok(())
    }

    /// Ends the groups.
    pub async fn finish_groups(mut self) -> Result<Sent> {
        self.pending.int(0);
        self.end().await
    }

    async fn end(mut self) -> Result<Sent> {
        self.pending.int(END_OF_STREAM);
        self.flush().await?;
        Ok(Sent(self.socket))
    }

    async fn flush(&mut self) -> Result<()> {
        let bytes = std::mem::take(&mut self.pending.0);
        self.send(&bytes).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let gone = |error: std::io::Error| -> SparkError { failed("a Python worker took no more rows").source(error) };
        self.socket.write_all(bytes).await.map_err(gone)
    }
}
