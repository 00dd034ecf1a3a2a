//! Map outputs as objects: in S3, in local files, in memory, wherever there is an `ObjectStore`.
//!
//! ```text
//!   rows -> buffers: blocks by partition -> runs on disk when memory is short -> upload: one PUT, or parts
//!   {prefix}/{h}/v1/{namespace}/{application}/{stage}/{map}-{attempt}-{nonce} = partition 0, 1, .. | index
//!   outputs -> fetch: ranges, joined or split -> request: throttle, time-out, retries, hedging -> checked blocks -> rows
//! ```

mod buffers;
mod counts;
mod fetch;
mod index;
mod key;
mod limits;
mod memory;
mod reader;
mod request;
mod store;
mod throttle;
mod upload;
mod writer;

pub use counts::RequestCounts;
pub use request::RequestPolicy;
pub use store::{ObjectLocation, ObjectShuffleStore};
