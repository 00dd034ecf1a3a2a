//! Jobs of a cluster for people at a terminal: submitted, followed, listed, ended.
//!
//! ```text
//!   words of spark-submit, script, SQL text, manifest --draft--> SparkJob --Jobs--> the API server
//!                       status, once a second --story--> lines for people      <--+
//!                       log of the driver's pod --log--> what the program prints  <-+
//! ```
//!
//! It must not know the operator's logic or the engine: it uses what any user of the cluster may use.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod draft;
mod error;
mod follow;
mod jobs;
mod log;
mod story;
mod table;

pub use draft::{Draft, Program, draft, job_of};
pub use error::SubmitError;
pub use follow::{Ended, Screen};
pub use jobs::Jobs;
pub use table::{details, table};
