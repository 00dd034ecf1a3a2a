//! The messages. They stop at this crate.

use bytes::Bytes;
use prost::{Message, Oneof};

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Attempt {
    #[prost(uint64, tag = "1")]
    pub(crate) stage: u64,
    #[prost(uint32, tag = "2")]
    pub(crate) partition: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) attempt: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FromExecutor {
    #[prost(oneof = "ExecutorMessage", tags = "1, 2")]
    pub(crate) message: Option<ExecutorMessage>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum ExecutorMessage {
    /// The first.
    #[prost(message, tag = "1")]
    Hello(Hello),
    #[prost(message, tag = "2")]
    Report(Report),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Hello {
    #[prost(uint64, tag = "1")]
    pub(crate) executor: u64,
    #[prost(uint32, tag = "2")]
    pub(crate) slots: u32,
    #[prost(uint64, tag = "3")]
    pub(crate) memory_bytes: u64,
    #[prost(string, tag = "4")]
    pub(crate) address: String,
    #[prost(message, repeated, tag = "5")]
    pub(crate) running: Vec<Attempt>,
    /// The program's version; both sides must be of the same.
    #[prost(string, tag = "6")]
    pub(crate) version: String,
    /// Whether it has been told to leave.
    #[prost(bool, tag = "7")]
    pub(crate) draining: bool,
}

/// Several at once; without any it is a heartbeat.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Report {
    /// Counts up; the driver acknowledges it.
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) ended: Vec<AttemptEnd>,
    #[prost(message, optional, tag = "3")]
    pub(crate) load: Option<Load>,
    #[prost(bool, tag = "4")]
    pub(crate) draining: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Load {
    #[prost(uint32, tag = "1")]
    pub(crate) running: u32,
    #[prost(uint64, tag = "2")]
    pub(crate) pool_bytes: u64,
    #[prost(uint64, tag = "3")]
    pub(crate) resident_bytes: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttemptEnd {
    #[prost(message, optional, tag = "1")]
    pub(crate) attempt: Option<Attempt>,
    #[prost(oneof = "End", tags = "2, 3, 4, 5, 6")]
    pub(crate) end: Option<End>,
    #[prost(message, optional, tag = "7")]
    pub(crate) metrics: Option<Metrics>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum End {
    /// The record of its output.
    #[prost(bytes = "bytes", tag = "2")]
    Output(Bytes),
    /// The error.
    #[prost(bytes = "bytes", tag = "3")]
    Error(Bytes),
    /// The map output that is lost.
    #[prost(message, tag = "4")]
    FetchFailed(Attempt),
    #[prost(bool, tag = "5")]
    Killed(bool),
    #[prost(bool, tag = "6")]
    Refused(bool),
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Metrics {
    #[prost(uint64, tag = "1")]
    pub(crate) rows: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) bytes: u64,
    #[prost(uint64, tag = "3")]
    pub(crate) scanned_bytes: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) spilled_bytes: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) duration_us: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FromDriver {
    /// The answer to Hello.
    #[prost(message, optional, tag = "1")]
    pub(crate) welcome: Option<Welcome>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) launches: Vec<Launch>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) kills: Vec<Attempt>,
    #[prost(enumeration = "StopKind", optional, tag = "4")]
    pub(crate) stop: Option<i32>,
    /// The highest report that was taken.
    #[prost(uint64, tag = "5")]
    pub(crate) acknowledged: u64,
    /// Say Hello again.
    #[prost(bool, tag = "6")]
    pub(crate) register_again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum StopKind {
    Unspecified = 0,
    Idle = 1,
    Drained = 2,
    ApplicationEnded = 3,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Welcome {
    #[prost(uint64, tag = "1")]
    pub(crate) heartbeat_interval_ms: u64,
    /// What the application's executors need to know: stores and so on.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) application: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Launch {
    #[prost(message, optional, tag = "1")]
    pub(crate) attempt: Option<Attempt>,
    /// The plan's partition.
    #[prost(uint32, tag = "2")]
    pub(crate) partition: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) plan: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) inputs: Vec<Input>,
    /// Rows go to the driver, not to the shuffle store.
    #[prost(bool, tag = "5")]
    pub(crate) to_driver: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Input {
    #[prost(uint32, tag = "1")]
    pub(crate) stage: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) outputs: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FetchRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) hash: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Chunk {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) bytes: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResultPart {
    #[prost(oneof = "ResultMessage", tags = "1, 2")]
    pub(crate) message: Option<ResultMessage>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum ResultMessage {
    /// The first.
    #[prost(message, tag = "1")]
    Header(ResultHeader),
    #[prost(message, tag = "2")]
    Rows(ResultRows),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResultHeader {
    #[prost(uint64, tag = "1")]
    pub(crate) executor: u64,
    #[prost(message, optional, tag = "2")]
    pub(crate) attempt: Option<Attempt>,
    #[prost(uint32, tag = "3")]
    pub(crate) partitions: u32,
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) schema: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResultRows {
    #[prost(uint32, tag = "1")]
    pub(crate) partition: u32,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) rows: Bytes,
    /// Nothing follows: a stream that ends without it was cut off.
    #[prost(bool, tag = "3")]
    pub(crate) last: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ResultStored {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) output: Bytes,
}

/// The generated service.
pub(crate) mod service {
    #![allow(clippy::all, clippy::unwrap_used, unreachable_pub, clippy::wildcard_imports)]
    include!(concat!(env!("OUT_DIR"), "/firesteel.executor.v1.Driver.rs"));
}
