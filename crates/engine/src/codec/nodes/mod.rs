//! An entry for each kind of node: ours one file each, DataFusion's by what they do.

mod aggregate;
mod cached;
mod coalesce;
mod frames;
mod joins;
mod key_filters;
mod memory;
mod number;
mod ordered;
mod partitions;
mod python;
mod range;
mod recursive;
mod rows;
mod shuffle_read;
mod shuffle_write;
mod sorts;
mod subqueries;
mod unions;
mod unnest;
mod unordered;
mod windows;

use std::sync::Arc;

use super::NodeCodec;
use super::entry::Of;

pub(super) use subqueries::{Computed, ComputedAbove, Place};

/// All of them.
pub(super) fn all() -> Vec<Arc<dyn NodeCodec>> {
    vec![
        Of::<cached::Cached>::codec(),
        Of::<coalesce::Coalesce>::codec(),
        Of::<key_filters::GatherKeys>::codec(),
        Of::<key_filters::KeyFilters>::codec(),
        Of::<number::Number>::codec(),
        Of::<number::Settled>::codec(),
        Of::<ordered::Ordered>::codec(),
        Of::<partitions::Partitions>::codec(),
        Of::<range::Range>::codec(),
        Of::<shuffle_read::ShuffleRead>::codec(),
        Of::<shuffle_write::ShuffleWrite>::codec(),
        Of::<unordered::Unordered>::codec(),
        Of::<aggregate::Aggregate>::codec(),
        Of::<joins::HashJoin>::codec(),
        Of::<joins::SortMergeJoin>::codec(),
        Of::<joins::NestedLoopJoin>::codec(),
        Of::<joins::CrossJoin>::codec(),
        Arc::new(memory::Memory),
        Of::<memory::Empty>::codec(),
        Of::<memory::PlaceholderRow>::codec(),
        Of::<recursive::Recursion>::codec(),
        Of::<recursive::WorkTable>::codec(),
        Of::<rows::Projection>::codec(),
        Of::<rows::Filter>::codec(),
        Of::<rows::GlobalLimit>::codec(),
        Of::<rows::LocalLimit>::codec(),
        Of::<rows::Cooperative>::codec(),
        Of::<sorts::Sort>::codec(),
        Of::<subqueries::Subqueries>::codec(),
        Of::<sorts::SortPreservingMerge>::codec(),
        Of::<unions::Union>::codec(),
        Of::<unions::Interleave>::codec(),
        Of::<unions::CoalescePartitions>::codec(),
        Of::<unions::Repartition>::codec(),
        Of::<unnest::Unnest>::codec(),
        Of::<windows::Window>::codec(),
        Of::<windows::BoundedWindow>::codec(),
        Of::<python::Evaluate>::codec(),
        Of::<python::MapPartitions>::codec(),
        Of::<python::Group>::codec(),
        Of::<python::CoGroup>::codec(),
        Of::<python::Table>::codec(),
        Of::<python::Scan>::codec(),
    ]
}
