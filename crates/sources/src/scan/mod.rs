//! Files as a DataFusion table.
//!
//! ```text
//!   read(request) --> FileTable --scan(projection, filters)--> DataSourceExec over packed splits
//!                         +-- hidden: _metadata
//! ```

mod metadata;
mod parquet;
mod plain_strings;
mod prune;
mod request;
mod source;
mod split;
mod table;

pub use metadata::field as metadata_field;
pub use parquet::ParquetFiles;
pub use request::{ReadRequest, read};
pub use source::{FormatSource, SourceSpec};
pub use table::FileTable;
