//! Everything that touches the user's files.
//!
//! ```text
//!   read(request) --listing--> files --formats--> schema ==> FileTable --scan--> DataSourceExec
//!                                 \____________ stores: s3://, file:/, x ____________/
//!   codec: scans and writes as bytes, for executors elsewhere
//!   child plan --> WriteExec --> TaskWriter --> TaskCommit --> WriteJob::commit
//! ```
//!
//! It must not know sessions, SQL, the catalog or how tasks are placed.

mod codec;
mod csv;
mod error;
pub mod formats;
mod json;
pub mod listing;
pub mod options;
mod orc;
pub mod scan;
pub mod settings;
pub mod stores;
mod text;
pub mod write;

pub use codec::node_codecs;
pub use error::from_store;
pub use formats::Format;
pub use listing::{ListedFile, Listing};
pub use options::Options;
pub use scan::{FileTable, ReadRequest, metadata_field, read};
pub use settings::Settings;
pub use stores::{ClientPolicy, Location, S3Connection, StoreRegistry};
pub use write::{TaskCommit, TaskWriter, WriteExec, WriteJob, WriteJobSpec, WriteMode, WriteRequest};
