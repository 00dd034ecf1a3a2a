//! Changes to a stage once the real sizes of its inputs are known.
//!
//! Small neighbouring partitions are read by one task, far too large ones of a join by several. Inputs that are joined or interleaved keep equal numbers of
//! partitions, so they are merged together; a number of partitions that the user asked for stays.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::ExecutionPlanProperties;
use datafusion::physical_plan::union::UnionExec;
use firesteel_shuffle::MapOutput;

use super::graph::{Stage, StageNo};
use super::{fit, skew};
use crate::exec::{CoalesceExec, ReadMode, ShuffleReadExec};
use crate::key_filters::{KeyFilter, KeysId, filled};
use crate::partition::{OutputScheme, RangeBounds, Sample};
use crate::settings::AdaptiveSettings;

/// What became of the stages that a stage reads.
pub trait CompletedStages {
    /// Committed outputs, in the order of the tasks.
    fn outputs(&self, stage: StageNo) -> Arc<Vec<MapOutput>>;

    /// Keys drawn by the tasks of a sampled stage.
    fn samples(&self, stage: StageNo) -> Vec<Sample>;

    /// What lets the keys pass that the tasks of a stage gathered; nothing where there were too many.
    fn keys(&self, stage: StageNo, id: KeysId) -> Option<Arc<KeyFilter>>;
}

impl Stage {
    /// The stage as it should run now that all its parents are complete.
    pub fn adapt(&self, completed: &dyn CompletedStages, settings: &AdaptiveSettings) -> Result<Self> {
        let mut adapted = self.clone();
        adapted.plan = filled(&follow_maps(&adapted.plan, completed)?, completed)?;
        if let OutputScheme::Range(ordering, partitions, None) = &self.output {
            let samples: Vec<_> = self.parents.iter().flat_map(|parent| completed.samples(*parent)).collect();
            let bounds = RangeBounds::from_samples(ordering, &samples, *partitions)?;
            adapted.output = OutputScheme::Range(ordering.clone(), *partitions, Some(Arc::new(bounds)));
        }
        // A whole plan's partitions are part of its output scheme.
        if settings.coalesce && !matches!(self.output, OutputScheme::Whole(_)) {
            adapted.plan = coalesce(&adapted.plan, completed, settings)?;
        }
        if !matches!(self.output, OutputScheme::Whole(_)) {
            adapted.plan = skew::split(&adapted.plan, completed, settings)?;
        }
        if let Some(bytes) = settings.hash_join_bytes_max {
            adapted.plan = fit::joins(&adapted.plan, completed, bytes)?;
        }
        Ok(adapted)
    }
}

/// A leaf that reads map by map has as many partitions as there were maps in the end.
fn follow_maps(plan: &Arc<dyn ExecutionPlan>, completed: &dyn CompletedStages) -> Result<Arc<dyn ExecutionPlan>> {
    let rewrite = |node: Arc<dyn ExecutionPlan>| {
        let Some(read) = node.downcast_ref::<ShuffleReadExec>() else { return Ok(Transformed::no(node)) };
        let ReadMode::Maps(planned) = read.mode() else { return Ok(Transformed::no(node)) };
        let maps = completed.outputs(read.stage()).len();
        if maps == *planned {
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::yes(Arc::new(read.with_mode(ReadMode::Maps(maps))) as Arc<dyn ExecutionPlan>))
    };
    Arc::clone(plan).transform_up(rewrite).data()
}

fn coalesce(
    plan: &Arc<dyn ExecutionPlan>,
    completed: &dyn CompletedStages,
    settings: &AdaptiveSettings,
) -> Result<Arc<dyn ExecutionPlan>> {
    let mut groups = Groups::default();
    groups.visit(plan);
    let mut merged: HashMap<StageNo, Vec<Range<usize>>> = HashMap::new();
    for group in groups.0.into_iter().filter(|group| !group.pinned) {
        let Some(sizes) = group_sizes(&group.leaves, completed) else { continue };
        let ranges = ranges(&sizes, settings);
        if ranges.len() < sizes.len() {
            merged.extend(group.leaves.iter().map(|(stage, _)| (*stage, ranges.clone())));
        }
    }
    if merged.is_empty() {
        return Ok(Arc::clone(plan));
    }
    let rewrite = |node: Arc<dyn ExecutionPlan>| {
        let read = node.downcast_ref::<ShuffleReadExec>();
        let change = read.and_then(|read| Some(read.with_mode(ReadMode::Ranges(merged.get(&read.stage())?.clone()))));
        Ok(match change {
            Some(read) => Transformed::yes(Arc::new(read) as Arc<dyn ExecutionPlan>),
            None => Transformed::no(node),
        })
    };
    Arc::clone(plan).transform_up(rewrite).data()
}

/// Leaves whose numbers of partitions must stay equal.
#[derive(Debug, Default)]
struct Group {
    leaves: Vec<(StageNo, usize)>,
    /// Groups of which this one is the concatenation.
    parts: Vec<usize>,
    pinned: bool,
}

#[derive(Default)]
struct Groups(Vec<Group>);

impl Groups {
    /// The group that decides how many partitions a node has; none if it has one, whatever happens below.
    fn visit(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
        let below: Vec<usize> = plan.children().into_iter().filter_map(|child| self.visit(child)).collect();
        if plan.children().is_empty() {
            return self.leaf(plan);
        }
        let several = plan.output_partitioning().partition_count() > 1;
        let changes_count = plan.is::<UnionExec>() || plan.is::<CoalesceExec>();
        if changes_count {
            self.0.push(Group { parts: below, ..Group::default() });
            return several.then(|| self.0.len() - 1);
        }
        let joined = below.into_iter().reduce(|left, right| self.join(left, right));
        joined.filter(|_| several)
    }

    fn leaf(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
        let count = plan.output_partitioning().partition_count();
        if count <= 1 {
            return None;
        }
        let read = plan.downcast_ref::<ShuffleReadExec>().filter(|read| !read.is_fixed());
        let group = match read.map(|read| (read.stage(), read.mode())) {
            Some((stage, ReadMode::Ranges(_))) => Group { leaves: vec![(stage, count)], ..Group::default() },
            _ => Group { pinned: true, ..Group::default() },
        };
        self.0.push(group);
        Some(self.0.len() - 1)
    }

    fn join(&mut self, left: usize, right: usize) -> usize {
        let is_plain = |group: Option<&Group>| group.is_some_and(|group| !group.pinned && group.parts.is_empty());
        if !is_plain(self.0.get(left)) || !is_plain(self.0.get(right)) {
            self.pin(left);
            self.pin(right);
            return left;
        }
        let moved = self.0.get_mut(right).map(|group| std::mem::take(&mut group.leaves)).unwrap_or_default();
        if let Some(group) = self.0.get_mut(left) {
            group.leaves.extend(moved);
        }
        left
    }

    fn pin(&mut self, index: usize) {
        let Some(group) = self.0.get_mut(index) else { return };
        group.pinned = true;
        for part in group.parts.clone() {
            self.pin(part);
        }
    }
}

/// Bytes of every partition over all leaves of a group.
fn group_sizes(leaves: &[(StageNo, usize)], completed: &dyn CompletedStages) -> Option<Vec<u64>> {
    let (_, count) = leaves.first()?;
    let mut sizes = vec![0; *count];
    for (stage, partitions) in leaves {
        if partitions != count {
            return None;
        }
        for output in completed.outputs(*stage).iter() {
            for (size, partition) in sizes.iter_mut().zip(&output.partitions) {
                *size += partition.bytes;
            }
        }
    }
    Some(sizes)
}

/// Neighbours are merged until they reach the target size, which is smaller the more tasks could run at once.
fn ranges(sizes: &[u64], settings: &AdaptiveSettings) -> Vec<Range<usize>> {
    let share = sizes.iter().sum::<u64>().div_ceil(settings.min_partitions.max(1) as u64);
    let most = settings.advisory_partition_bytes.min(settings.hash_join_bytes_max.unwrap_or(u64::MAX));
    let target = share.max(settings.min_partition_bytes).min(most).max(1);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut current = 0;
    for (index, size) in sizes.iter().enumerate() {
        match ranges.last_mut() {
            Some(range) if current + size <= target => {
                range.end = index + 1;
                current += size;
            }
            _ => {
                ranges.push(index..index + 1);
                current = *size;
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(min_partitions: usize) -> AdaptiveSettings {
        AdaptiveSettings {
            advisory_partition_bytes: 100,
            min_partition_bytes: 10,
            min_partitions,
            ..AdaptiveSettings::default()
        }
    }

    fn lengths(sizes: &[u64], min_partitions: usize) -> Vec<usize> {
        ranges(sizes, &settings(min_partitions)).iter().map(ExactSizeIterator::len).collect()
    }

    #[test]
    fn neighbours_are_merged_up_to_the_target() {
        assert_eq!(lengths(&[0; 200], 8), [200]);
        assert_eq!(lengths(&[1; 20], 2), [10, 10]);
        assert_eq!(lengths(&[60, 60, 30, 10, 200, 0, 5], 1), [1, 3, 1, 2]);
        assert_eq!(lengths(&[1; 20], 100), [10, 10]);
        assert_eq!(lengths(&[], 1), [0; 0]);
    }
}
