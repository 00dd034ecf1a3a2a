//! From what users write (`s3a://bucket/key`, `file:/x`, `x`) to a store and a path in it.

mod location;
mod registry;
mod s3;
mod turns;

pub use location::Location;
pub(crate) use location::shown;
pub use registry::StoreRegistry;
pub use s3::S3Connection;
