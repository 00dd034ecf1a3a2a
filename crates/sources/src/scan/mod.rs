//! Files as a DataFusion table.
//!
//! ```text
//!   read(request) --> FileTable --scan(projection, filters)--> DataSourceExec over packed splits
//! ```

mod portable;
mod prune;
mod request;
mod source;
mod split;
mod table;

pub use portable::{from_portable, to_portable};
pub use request::{ReadRequest, read};
pub use source::{FormatSource, SourceSpec};
pub use table::FileTable;
