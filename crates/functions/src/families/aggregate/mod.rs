//! Aggregates: their tables, and the accumulators behind those that DataFusion does not compute as Spark does.

mod bits;
mod build;
mod collected;
mod distinct;
mod distinct_count;
mod grouped_rows;
mod joined;
mod moments;
mod one_group;
mod ordered;
mod pandas;
mod percentiles;
mod picks;
mod sets;
mod slots;
pub(crate) mod summaries;
mod sums;
mod table;
pub(crate) mod udaf;
mod variant_schema;

use super::sketch;

pub use udaf::{decode, encode};

pub(crate) use bits::TABLE as BITS_TABLE;
pub(crate) use build::{aggregate_sql, ours};
pub(crate) use ordered::TABLE as ORDERED_TABLE;
pub(crate) use pandas::TABLE as PANDAS_TABLE;
pub(crate) use summaries::{Summary, as_binary, summary_kinds};
pub(crate) use table::TABLE;
pub(crate) use variant_schema::TABLE as VARIANT_TABLE;

/// Our kinds of aggregates, by which plans find them on the other side of the wire.
static KINDS: &[&[udaf::Kind]] = &[
    moments::KINDS,
    sums::KINDS,
    collected::KINDS,
    picks::KINDS,
    distinct_count::KINDS,
    bits::KINDS,
    pandas::KINDS,
    variant_schema::KINDS,
    sketch::counts::KINDS,
    sketch::hll::KINDS,
    sketch::kll::KINDS,
    sketch::theta::KINDS,
    sketch::top_k::KINDS,
    sketch::tuple::KINDS,
];
