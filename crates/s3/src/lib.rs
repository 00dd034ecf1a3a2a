//! An S3 server over a folder, for running jobs on a laptop.
//!
//! ```text
//!   firesteel-data/                 the data folder
//!     sales-data/                   a bucket
//!       orders.csv                  an object: a plain file, put there by a user or by PUT
//!     .firesteel/                   files on their way in; never visible through the server
//!
//!   HTTP --s3s--> service: objects, listing, uploads --> store: stage, commit, find
//! ```
//!
//! Guarantees: an object is visible only when it is complete and its checksums are right; it appears, is replaced
//! and disappears at once; conditional writes hold between processes that share the folder. Its ETag changes whenever
//! the file does, by whatever hand.
//!
//! Assumptions: the folder lies in one local file system. A key cannot be at once an object and the beginning of
//! another (`a` and `a/b`), because a file is no folder.
//!
//! It must not know Spark, jobs or DataFusion.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod attributes;
mod condition;
mod key;
mod list;
mod receive;
mod server;
mod service;
mod staging;
mod store;
mod upload;

pub use server::{EmbeddedS3, EmbeddedS3Error, Keys};
