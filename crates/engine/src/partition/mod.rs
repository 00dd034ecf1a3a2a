//! To which partition a row goes.

pub mod murmur3;
mod range;
mod router;
mod scatter;
mod scheme;
mod spread;

pub use range::{RangeBounds, Sample, Sampler};
pub(crate) use router::Router;
pub(crate) use scatter::Scatter;
pub use scheme::OutputScheme;
