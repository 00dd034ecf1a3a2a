//! Writing files so that nothing shows before the driver commits, and nothing stays after it aborts.
//!
//! ```text
//!   WriteJob::prepare ---> WriteExec (one task per partition) ---> TaskCommit ---> WriteJob::commit or abort
//!                            TaskWriter: rows -> encoder -> upload
//!                              S3: multipart uploads that nobody has completed
//!                              local: files under _temporary/<job>
//! ```

mod cluster;
mod encode;
mod exec;
mod job;
mod local;
mod publish;
mod spec;
mod task;
mod upload;

pub use exec::{WriteExec, commits_in};
pub use job::{WriteJob, WriteSummary};
pub use local::remove_empty_directories;
pub use spec::{CommittedFile, TaskCommit, Upload, WriteJobSpec, WriteMode, WriteRequest};
pub use task::TaskWriter;
