//! Names and what they stand for: schemas, tables and views that last, and what belongs to one session.
//!
//! ```text
//!   SessionCatalog  temporary views, functions, variables, current schema        one per session
//!        |
//!   Catalog         schemas, tables, views, global temporary views              one per application
//!        |
//!   MetadataStore   a JSON object per schema and table beside the warehouse      what lasts
//! ```
//!
//! It must not know DataFusion or how a table's files are read.

mod metadata;
mod session;
mod shared;
mod store;

pub use metadata::{BucketSpec, SchemaMetadata, TableKind, TableMetadata, ViewMetadata};
pub use session::{Relation, SessionCatalog, TemporaryView, ViewSource};
pub use shared::{Catalog, DEFAULT_SCHEMA, GLOBAL_TEMP_SCHEMA, SESSION_CATALOG, TableName};
pub use store::MetadataStore;
