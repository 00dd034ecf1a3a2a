//! Reads the rows of map outputs back: pieces ahead of the consumer, blocks checked one by one.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::{Bytes, BytesMut};
use firesteel_model::ids::TaskAttempt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::fetch::Span;
use super::request::{Failure, Requests};
use crate::block::{BlockDecoder, FRAME_BYTES, Frame, chained};
use crate::{PartitionSize, Result, ShuffleError};

/// Pieces asked for ahead of the consumer.
const PIECES_AHEAD: usize = 32;

/// The rows of some spans, in order.
pub(crate) struct ObjectReader {
    requests: Arc<Requests>,
    decoder: BlockDecoder,
    /// Bytes that all readers of this executor may have asked for ahead of their consumers.
    ahead: Arc<Semaphore>,
    waiting: VecDeque<(Arc<Span>, Range<u64>)>,
    asked: VecDeque<Piece>,
    current: Option<Current>,
    decoded: VecDeque<RecordBatch>,
}

struct Piece {
    span: Arc<Span>,
    from: u64,
    bytes: AbortOnDropHandle<Result<Bytes, Failure>>,
    _ahead: Option<OwnedSemaphorePermit>,
}

/// The span being decoded.
struct Current {
    span: Arc<Span>,
    segments: VecDeque<PartitionSize>,
    /// Checksum of the blocks of the first segment so far.
    crc: u32,
    /// Bytes that are here, from this place in the object.
    held: Bytes,
    at: u64,
    /// These bytes were asked for again already.
    repeated: bool,
}

enum Step {
    Rows(Vec<RecordBatch>),
    NeedsMore,
    Damaged(String),
}

impl ObjectReader {
    /// Asks for longer ranges in pieces of so many bytes.
    pub(crate) fn new(
        requests: Arc<Requests>,
        decoder: BlockDecoder,
        ahead: Arc<Semaphore>,
        spans: Vec<Span>,
        piece_bytes: u64,
    ) -> Self {
        let pieces = |span: Span| {
            let span = Arc::new(span);
            span.pieces(piece_bytes).into_iter().map(move |piece| (Arc::clone(&span), piece)).collect::<Vec<_>>()
        };
        let waiting = spans.into_iter().flat_map(pieces).collect();
        Self { requests, decoder, ahead, waiting, asked: VecDeque::new(), current: None, decoded: VecDeque::new() }
    }

    /// The next rows; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.decoded.pop_front() {
                return Ok(Some(batch));
            }
            self.ask();
            let Some(current) = &mut self.current else {
                if !self.next_piece().await? {
                    return Ok(None);
                }
                continue;
            };
            match current.step(&self.decoder) {
                Step::Rows(batches) => self.decoded.extend(batches),
                Step::NeedsMore if current.segments.is_empty() => self.current = None,
                Step::NeedsMore => {
                    let attempt = current.span.attempt;
                    if !self.next_piece().await? {
                        return Err(fetch_failed(attempt, "the object ends too early".to_owned()));
                    }
                }
                Step::Damaged(reason) => current.repeat(&self.requests, reason).await?,
            }
        }
    }

    /// Asks for as many pieces as may be on their way; for one in any case.
    fn ask(&mut self) {
        while self.asked.len() < PIECES_AHEAD {
            let Some((_, range)) = self.waiting.front() else { return };
            let bytes = u32::try_from(range.end - range.start).unwrap_or(u32::MAX);
            let ahead = Arc::clone(&self.ahead).try_acquire_many_owned(bytes).ok();
            if ahead.is_none() && !self.asked.is_empty() {
                return;
            }
            let Some((span, range)) = self.waiting.pop_front() else { return };
            let (requests, of, from) = (Arc::clone(&self.requests), Arc::clone(&span), range.start);
            let get = async move { requests.get(&of.path, of.version.as_ref(), range).await };
            let bytes = AbortOnDropHandle::new(self.requests.io.spawn(get));
            self.asked.push_back(Piece { span, from, bytes, _ahead: ahead });
        }
    }

    /// Gives the decoder the next piece; false if there is none.
    async fn next_piece(&mut self) -> Result<bool> {
        let Some(piece) = self.asked.pop_front() else { return Ok(false) };
        let attempt = piece.span.attempt;
        let bytes = match piece.bytes.await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(failure)) => return Err(read_failed(attempt, failure)),
            Err(stopped) => {
                let source = std::io::Error::other(stopped);
                return Err(ShuffleError::Store { action: "read a map output", source });
            }
        };
        match &mut self.current {
            Some(current) if Arc::ptr_eq(&current.span, &piece.span) => current.add(piece.from, bytes),
            current => *current = Some(Current::new(piece.span, piece.from, bytes)),
        }
        Ok(true)
    }
}

impl Current {
    fn new(span: Arc<Span>, at: u64, held: Bytes) -> Self {
        let segments = span.segments.iter().copied().collect();
        Self { span, segments, crc: 0, held, at, repeated: false }
    }

    fn add(&mut self, from: u64, bytes: Bytes) {
        self.repeated = false;
        if self.held.is_empty() {
            (self.at, self.held) = (from, bytes);
            return;
        }
        let mut joined = BytesMut::with_capacity(self.held.len() + bytes.len());
        joined.extend_from_slice(&self.held);
        joined.extend_from_slice(&bytes);
        self.held = joined.freeze();
    }

    fn skip(&mut self, bytes: u64) {
        let here = bytes.min(self.held.len() as u64);
        self.at += here;
        self.held = self.held.split_off(usize::try_from(here).unwrap_or(usize::MAX).min(self.held.len()));
    }

    fn step(&mut self, decoder: &BlockDecoder) -> Step {
        loop {
            let Some(segment) = self.segments.front().copied() else { return Step::NeedsMore };
            if self.at < segment.offset {
                self.skip(segment.offset - self.at);
            }
            let left = (segment.offset + segment.length).saturating_sub(self.at);
            if left == 0 {
                if self.crc != segment.crc {
                    return Step::Damaged("blocks are missing".to_owned());
                }
                self.crc = 0;
                self.segments.pop_front();
                continue;
            }
            if self.at < segment.offset {
                return Step::NeedsMore;
            }
            return self.block(decoder, left);
        }
    }

    /// Decodes the block that begins what is held.
    fn block(&mut self, decoder: &BlockDecoder, left: u64) -> Step {
        let frame = match Frame::read(&self.held) {
            Ok(frame) => frame,
            Err(reason) => return Step::Damaged(reason),
        };
        let wanted = frame.map_or(FRAME_BYTES, |frame| frame.length);
        if wanted as u64 > left {
            return Step::Damaged("a block goes beyond its partition".to_owned());
        }
        let Some(frame) = frame.filter(|frame| frame.length <= self.held.len()) else { return Step::NeedsMore };
        match decoder.decode(frame, &self.held) {
            Ok(batches) => {
                self.crc = chained(self.crc, frame.crc);
                self.repeated = false;
                self.skip(frame.length as u64);
                Step::Rows(batches)
            }
            Err(reason) => Step::Damaged(reason),
        }
    }

    /// Asks once more for bytes that were damaged, maybe only on their way.
    async fn repeat(&mut self, requests: &Requests, reason: String) -> Result<()> {
        let attempt = self.span.attempt;
        if self.repeated || self.held.is_empty() {
            return Err(fetch_failed(attempt, reason));
        }
        self.repeated = true;
        let range = self.at..self.at + self.held.len() as u64;
        let bytes = requests.get(&self.span.path, self.span.version.as_ref(), range).await;
        self.held = bytes.map_err(|failure| read_failed(attempt, failure))?;
        Ok(())
    }
}

fn read_failed(attempt: TaskAttempt, failure: Failure) -> ShuffleError {
    match failure.gone {
        true => fetch_failed(attempt, failure.source.to_string()),
        false => ShuffleError::Store { action: "read a map output", source: failure.source },
    }
}

fn fetch_failed(attempt: TaskAttempt, reason: String) -> ShuffleError {
    ShuffleError::FetchFailed { attempt, reason }
}
