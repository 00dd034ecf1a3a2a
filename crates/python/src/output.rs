//! [`Output`]: what a worker answers.

use std::collections::VecDeque;
use std::time::Duration;

use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use arrow::record_batch::RecordBatch;
use firesteel_model::{Result, SparkError};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::unix::OwnedReadHalf;

use crate::error::{arrow, crashed, exception, failed};
use crate::input::Sent;
use crate::wire::{ARROW_STREAM, END_OF_DATA, END_OF_STREAM, EXCEPTION, TIMING};
use crate::worker::Hold;

/// A traceback longer than this is cut.
const TRACEBACK_BYTES_MAX: usize = 1 << 20;
/// A batch larger than this is taken for nonsense.
const MESSAGE_BYTES_MAX: i64 = 1 << 36;

/// The way back from a worker.
///
/// Flow: `next` until it gives nothing, then `end`. Dropped before, the worker is killed.
#[derive(Debug)]
pub struct Output {
    socket: BufReader<OwnedReadHalf>,
    hold: Hold,
    decoder: Option<StreamDecoder>,
    decoded: VecDeque<RecordBatch>,
    idle_timeout: Option<Duration>,
    accumulators: Vec<Vec<u8>>,
    is_reusable: bool,
}

/// What a request left behind.
#[derive(Debug, Default)]
pub struct Ended {
    /// Accumulators' updates, each a pickled pair of id and value.
    pub accumulators: Vec<Vec<u8>>,
}

impl Output {
    pub(crate) fn new(read: OwnedReadHalf, hold: Hold, idle_timeout_s: u64) -> Self {
        let idle_timeout = (idle_timeout_s > 0).then(|| Duration::from_secs(idle_timeout_s));
        let socket = BufReader::with_capacity(64 << 10, read);
        Self {
            socket,
            hold,
            decoder: None,
            decoded: VecDeque::new(),
            idle_timeout,
            accumulators: Vec::new(),
            is_reusable: false,
        }
    }

    /// The next batch, or nothing when all have come.
    ///
    /// Errors: `PYTHON_EXCEPTION` with the function's traceback; the worker crashed or hangs.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self.idle_timeout {
            None => self.advance().await,
            Some(limit) => tokio::time::timeout(limit, self.advance()).await.unwrap_or_else(|_| {
                Err(failed(format!("a Python worker gave nothing for {} s and was stopped", limit.as_secs())))
            }),
        }
    }

    /// Whether the function took all its rows, so that the worker is fit for more.
    pub fn took_everything(&self) -> bool {
        self.is_reusable
    }

    /// Gives the worker back, if it is fit for more. `sent` is `None` where not all rows were taken.
    pub fn end(self, sent: Option<Sent>) -> Ended {
        let Self { socket, hold, accumulators, is_reusable, .. } = self;
        let nothing_left = socket.buffer().is_empty();
        if let (Some(sent), true, true) = (sent, is_reusable, nothing_left)
            && let Ok(stream) = socket.into_inner().reunite(sent.0)
        {
            hold.give_back(stream);
        }
        Ended { accumulators }
    }

    async fn advance(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.decoded.pop_front() {
                return Ok(Some(batch));
            }
            if self.decoder.is_some() {
                self.message().await?;
                continue;
            }
            match self.int().await? {
                ARROW_STREAM => self.decoder = Some(StreamDecoder::new()),
                EXCEPTION => return Err(self.exception().await?),
                TIMING => {
                    // Four moments and two amounts that PySpark spilled.
                    for _ in 0..6 {
                        self.long().await?;
                    }
                }
                END_OF_DATA => {
                    let count = self.int().await?;
                    for _ in 0..count {
                        let update = self.bytes(usize::MAX).await?;
                        self.accumulators.push(update);
                    }
                    self.is_reusable = self.int().await? == END_OF_STREAM;
                    return Ok(None);
                }
                other => {
                    return Err(SparkError::internal(format!("a Python worker said {other}, which means nothing")));
                }
            }
        }
    }

    /// Reads one message of the Arrow stream; most are batches. At its end the decoder goes.
    async fn message(&mut self) -> Result<()> {
        const CONTINUATION: u32 = u32::MAX;
        let mut head = [0u8; 8];
        self.exact(&mut head).await?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if word(0) != CONTINUATION {
            return Err(SparkError::internal("a Python worker sent no Arrow message"));
        }
        let metadata_bytes = word(4) as usize;
        if metadata_bytes == 0 {
            self.decode(head.to_vec())?;
            self.decoder = None;
            return Ok(());
        }
        let mut bytes = vec![0; 8 + metadata_bytes];
        bytes[..8].copy_from_slice(&head);
        self.exact(&mut bytes[8..]).await?;
        let broken = |error| SparkError::internal(format!("a Python worker sent a broken Arrow message: {error}"));
        let body_bytes = ::arrow::ipc::root_as_message(&bytes[8..]).map_err(broken)?.bodyLength();
        if !(0..=MESSAGE_BYTES_MAX).contains(&body_bytes) {
            return Err(SparkError::internal("a Python worker sent an Arrow message of senseless size"));
        }
        let mut body = vec![0; usize::try_from(body_bytes).unwrap_or_default()];
        self.exact(&mut body).await?;
        self.decode(bytes)?;
        self.decode(body)
    }

    /// A batch without rows may have no body: the decoder gives it when it sees what follows.
    fn decode(&mut self, bytes: Vec<u8>) -> Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut bytes = Buffer::from_vec(bytes);
        while !bytes.is_empty() {
            self.decoded.extend(decoder.decode(&mut bytes).map_err(arrow)?);
        }
        Ok(())
    }

    async fn exception(&mut self) -> Result<SparkError> {
        let traceback = self.bytes(TRACEBACK_BYTES_MAX).await?;
        Ok(exception(&String::from_utf8_lossy(&traceback)))
    }

    async fn bytes(&mut self, max: usize) -> Result<Vec<u8>> {
        let length = usize::try_from(self.int().await?).unwrap_or(0);
        let mut bytes = vec![0; length.min(max)];
        self.exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn int(&mut self) -> Result<i32> {
        let mut bytes = [0; 4];
        self.exact(&mut bytes).await?;
        Ok(i32::from_be_bytes(bytes))
    }

    async fn long(&mut self) -> Result<i64> {
        let mut bytes = [0; 8];
        self.exact(&mut bytes).await?;
        Ok(i64::from_be_bytes(bytes))
    }

    async fn exact(&mut self, bytes: &mut [u8]) -> Result<()> {
        let pid = self.hold.pid;
        self.socket.read_exact(bytes).await.map(drop).map_err(|error| crashed(pid).source(error))
    }
}
