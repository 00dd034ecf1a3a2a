//! From what users write (`s3a://bucket/key`, `file:/x`, `x`) to a store and a path in it.

mod location;
mod policy;
mod registry;
mod s3;
mod steady;
mod turns;
mod uploads;

pub use location::Location;
pub(crate) use location::shown;
pub use policy::ClientPolicy;
pub use registry::StoreRegistry;
pub use s3::S3Connection;
