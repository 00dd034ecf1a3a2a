//! Aggregates: their tables, and the accumulators behind those that DataFusion does not compute as Spark does.

mod build;
mod collected;
mod distinct;
mod distinct_count;
mod grouped_rows;
mod joined;
mod moments;
mod one_group;
mod ordered;
mod percentiles;
mod picks;
mod sets;
mod slots;
mod sums;
mod table;
#[cfg(test)]
mod tests;
mod udaf;

pub use udaf::{decode, encode};

pub(crate) use ordered::TABLE as ORDERED_TABLE;
pub(crate) use table::TABLE;

/// Our kinds of aggregates, by which plans find them on the other side of the wire.
static KINDS: &[&[udaf::Kind]] = &[moments::KINDS, sums::KINDS, collected::KINDS, picks::KINDS, distinct_count::KINDS];
