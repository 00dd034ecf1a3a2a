//! Writing ORC files: decimals and nested types are what the library that reads them cannot write.
//!
//! ```text
//!   OrcWriter::write(batch) --> Column tree --stripe full--> streams: runs + compression --> bytes of the stripe
//!   OrcWriter::finish()     --> footer: stripes and types (schema), postscript
//! ```

mod column;
mod compress;
mod runs;
mod schema;
mod wire;
mod writer;

pub(crate) use compress::Codec;
pub(crate) use schema::{fields, types_of_tail};
pub(crate) use wire::Type;
pub(crate) use writer::OrcWriter;
