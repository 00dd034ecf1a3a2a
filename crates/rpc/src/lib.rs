//! The wire between driver and executors: gRPC over mutual TLS, executors call.
//!
//! ```text
//!   executor                                  driver
//!   Link::open --Hello-->    Serve stream     DriverServer -> DriverHandler
//!        <--Welcome, orders (launches, kills, stop)--
//!        --reports (ends of tasks, heartbeat, load)-->       acknowledged by number
//!   Link::fetch(hash)        Fetch            plans and lists of inputs, once per executor
//!   Link::put_result(rows)   PutResult        rows of the last stage, as fast as the driver takes them
//! ```
//!
//! An application has a certificate authority of its own; both sides show a certificate of it, and every call carries
//! the application's token. Every call has a time-out. The messages of `wire` are the definition of the protocol; their
//! numbers may be added to and never used again.
//!
//! It must not know plans, the scheduler, the shuffle or Arrow: those are bytes here.

mod client;
mod convert;
mod credentials;
mod error;
mod message;
mod server;
mod wire;

pub use client::{Link, LinkEvent, ResultSender, Session};
pub use credentials::{ApplicationAuthority, Credentials, DRIVER_NAME};
pub use error::RpcError;
pub use message::{
    AttemptReport, BlobHash, Hello, InputRef, Launch, Load, Metrics, Order, Outcome, Report, ResultHeader, Stop,
    Welcome,
};
pub use server::{DriverHandler, DriverServer, Orders, ResultReceiver, Undelivered};
