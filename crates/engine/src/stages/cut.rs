//! Replaces every exchange of a plan by the end of one stage and the beginning of another.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{Result, not_impl_err, plan_err};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ExecutionPlanProperties, replace_children_if_necessary};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, limit::GlobalLimitExec, limit::LocalLimitExec};

use super::graph::{Stage, StageGraph, StageNo, SubqueryLink};
use super::{joins, limits, small, sorts};
use crate::exec::{
    ExchangeExec, ExchangeKind, GatherKeysExec, KeyFilterExec, NumberExec, ReadMode, RecursionExec, ShuffleReadExec,
};
use crate::key_filters::{KeysId, gathered_in, waits_for};
use crate::partition::OutputScheme;
use crate::settings::ExecutionSettings;

/// Keys drawn for each partition of a range exchange; more give more even ranges.
const SAMPLES_PER_PARTITION: usize = 100;

/// Cuts a physical plan into stages.
///
/// Guarantees: the union over the tasks of every stage is what a single run of its plan would give, in the same order
/// where the plan has one; parents come before consumers.
/// Assumptions: the plan was made under [`crate::session_config`].
pub fn cut(plan: Arc<dyn ExecutionPlan>, settings: &ExecutionSettings) -> Result<StageGraph> {
    let schema = plan.schema();
    if let Some(whole) = small::whole_plan(&plan, settings)? {
        let partitions = whole.output_partitioning().partition_count();
        let stage = Stage::new(StageNo(0), whole, OutputScheme::Whole(partitions), &[])?;
        return Ok(StageGraph { stages: vec![stage], subqueries: Vec::new(), limit: None, schema });
    }
    let mut cutter = Cutter {
        settings,
        stages: Vec::new(),
        subqueries: Vec::new(),
        subquery_stages: Vec::new(),
        gathered: HashMap::new(),
    };
    let (plan, limit) = limits::peel(&plan);
    let plan = sorts::by_ranges(plan, settings)?;
    let plan = cutter.cut(plan)?;
    let (plan, limit) = limits::settle(plan, limit);
    cutter.close(plan, OutputScheme::Single)?;
    let Cutter { stages, subqueries, .. } = cutter;
    Ok(StageGraph { stages, subqueries, limit, schema })
}

pub(super) struct Cutter<'a> {
    pub(super) settings: &'a ExecutionSettings,
    stages: Vec<Stage>,
    subqueries: Vec<SubqueryLink>,
    /// Every stage closed from now on waits for these; later stages than needed do too, which only costs time.
    subquery_stages: Vec<StageNo>,
    /// Where keys are gathered.
    gathered: HashMap<KeysId, StageNo>,
}

/// What the consumer's side of an exchange looks like.
pub(super) struct ReadSide {
    pub(super) equivalences: EquivalenceProperties,
    pub(super) partitioning: Partitioning,
    pub(super) merge: Option<LexOrdering>,
    pub(super) fixed: bool,
}

impl ReadSide {
    fn plain(plan: &dyn ExecutionPlan, partitioning: Partitioning) -> Self {
        let equivalences = plan.equivalence_properties().clone();
        Self { equivalences, partitioning, merge: None, fixed: false }
    }
}

impl Cutter<'_> {
    fn cut(&mut self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        if plan.is::<RecursionExec>() {
            // Its parts talk to each other through memory, round by round.
            return Ok(plan);
        }
        if let Some(node) = plan.downcast_ref::<ScalarSubqueryExec>() {
            return self.cut_subqueries(node);
        }
        let children = self.cut_children(joins::uncollected(&plan))?;
        let plan = joins::with_children(plan, children, self)?;
        self.replace(plan)
    }

    /// In their order, unless the first of two waits for keys of the second.
    fn cut_children(&mut self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let swaps = match children.as_slice() {
            [first, second] => waits_for(first, &gathered_in(second)?)?,
            _ => false,
        };
        if swaps {
            children.reverse();
        }
        let mut children = children.into_iter().map(|child| self.cut(child)).collect::<Result<Vec<_>>>()?;
        if swaps {
            children.reverse();
        }
        Ok(children)
    }

    fn replace(&mut self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(node) = plan.downcast_ref::<RepartitionExec>() {
            self.replace_repartition(node)
        } else if let Some(node) = plan.downcast_ref::<CoalescePartitionsExec>() {
            self.single(Arc::clone(node.input()), None, node.fetch())
        } else if let Some(node) = plan.downcast_ref::<SortPreservingMergeExec>() {
            self.single(Arc::clone(node.input()), Some(node.expr().clone()), node.fetch())
        } else if let Some(node) = plan.downcast_ref::<ExchangeExec>() {
            self.replace_exchange(node)
        } else if let Some(node) = plan.downcast_ref::<NumberExec>() {
            self.numbered(node)
        } else if let Some(node) = plan.downcast_ref::<KeyFilterExec>() {
            let Some(stage) = self.gathered.get(&node.id()) else { return Ok(Arc::clone(node.input())) };
            Ok(Arc::new(node.with_stage(*stage)))
        } else {
            Ok(plan)
        }
    }

    fn replace_repartition(&mut self, node: &RepartitionExec) -> Result<Arc<dyn ExecutionPlan>> {
        let partitioning = node.partitioning().clone();
        let scheme = match &partitioning {
            Partitioning::Hash(exprs, count) => OutputScheme::Hash(exprs.clone(), *count),
            Partitioning::RoundRobinBatch(count) => OutputScheme::RoundRobin(*count),
            other => return not_impl_err!("an exchange by {other}"),
        };
        let mut side = ReadSide::plain(node, partitioning);
        // An order that is kept holds within each partition of each map output, so reading several means merging.
        side.merge = node.properties().output_ordering().cloned();
        self.exchange(Arc::clone(node.input()), scheme, side)
    }

    fn replace_exchange(&mut self, node: &ExchangeExec) -> Result<Arc<dyn ExecutionPlan>> {
        let (input, count) = (Arc::clone(node.input()), node.partitions());
        let mut side = ReadSide::plain(node, node.properties().partitioning.clone());
        side.fixed = node.is_fixed();
        match node.kind() {
            ExchangeKind::RoundRobin => self.exchange(input, OutputScheme::RoundRobin(count), side),
            ExchangeKind::Hash(exprs) => self.exchange(input, OutputScheme::Hash(exprs.clone(), count), side),
            ExchangeKind::ById(expr) => self.exchange(input, OutputScheme::ById(Arc::clone(expr), count), side),
            ExchangeKind::Range(ordering) => self.range(input, ordering, count, side),
        }
    }

    /// Two stages: one runs the input and draws keys, one deals its rows out by the bounds made of them.
    fn range(
        &mut self,
        input: Arc<dyn ExecutionPlan>,
        ordering: &LexOrdering,
        count: usize,
        side: ReadSide,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let maps = input.output_partitioning().partition_count().max(1);
        let samples = (SAMPLES_PER_PARTITION * count).div_ceil(maps);
        let equivalences = EquivalenceProperties::new(input.schema());
        let sampled = self.close(input, OutputScheme::Sampled(ordering.clone(), samples))?;
        let read = ShuffleReadExec::new(sampled, equivalences, Partitioning::UnknownPartitioning(1));
        let read = Arc::new(read.with_mode(ReadMode::Maps(maps)));
        self.exchange(read, OutputScheme::Range(ordering.clone(), count, None), side)
    }

    /// Two stages, where there are several partitions: one writes their rows, which counts them, one numbers them.
    fn numbered(&mut self, node: &NumberExec) -> Result<Arc<dyn ExecutionPlan>> {
        let input = Arc::clone(node.input());
        let maps = input.output_partitioning().partition_count();
        if maps <= 1 {
            return Ok(Arc::new(node.over(input)));
        }
        let equivalences = input.equivalence_properties().clone();
        let counted = self.close(input, OutputScheme::Single)?;
        let read = ShuffleReadExec::new(counted, equivalences, Partitioning::UnknownPartitioning(1));
        let read = Arc::new(read.with_mode(ReadMode::Maps(maps)));
        Ok(Arc::new(node.over(read).with_counted(Some(counted))))
    }

    fn cut_subqueries(&mut self, node: &ScalarSubqueryExec) -> Result<Arc<dyn ExecutionPlan>> {
        for link in node.subqueries() {
            let plan = self.cut(Arc::clone(&link.plan))?;
            let stage = self.close(plan, OutputScheme::Single)?;
            self.subquery_stages.push(stage);
            self.subqueries.push(SubqueryLink { stage, index: link.index, results: node.results().clone() });
        }
        self.cut(Arc::clone(node.input()))
    }

    /// All rows in one partition, merged if they are sorted, no more than `fetch` of them.
    pub(super) fn single(
        &mut self,
        input: Arc<dyn ExecutionPlan>,
        merge: Option<LexOrdering>,
        fetch: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let limited = |plan: Arc<dyn ExecutionPlan>| -> Arc<dyn ExecutionPlan> {
            match fetch {
                Some(fetch) => Arc::new(GlobalLimitExec::new(plan, 0, Some(fetch))),
                None => plan,
            }
        };
        if input.output_partitioning().partition_count() == 1 && !input.is::<GatherKeysExec>() {
            return Ok(limited(input));
        }
        let mut equivalences = input.equivalence_properties().clone();
        equivalences.clear_per_partition_constants();
        if merge.is_none() {
            equivalences.clear_orderings();
        }
        let input: Arc<dyn ExecutionPlan> = match fetch {
            Some(fetch) => Arc::new(LocalLimitExec::new(input, fetch)),
            None => input,
        };
        let partitioning = Partitioning::UnknownPartitioning(1);
        let side = ReadSide { equivalences, partitioning, merge, fixed: true };
        Ok(limited(self.exchange(input, OutputScheme::Single, side)?))
    }

    pub(super) fn exchange(
        &mut self,
        input: Arc<dyn ExecutionPlan>,
        scheme: OutputScheme,
        side: ReadSide,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let ReadSide { equivalences, partitioning, merge, fixed } = side;
        if partitioning.partition_count() != scheme.partitions() {
            return plan_err!("an exchange by {scheme} is read as {partitioning}");
        }
        let stage = self.close(input, scheme)?;
        let read = ShuffleReadExec::new(stage, equivalences, partitioning).with_fixed(fixed);
        Ok(Arc::new(match merge {
            Some(ordering) => read.with_merge(ordering),
            None => read,
        }))
    }

    fn close(&mut self, plan: Arc<dyn ExecutionPlan>, output: OutputScheme) -> Result<StageNo> {
        let no = StageNo(self.stages.len());
        self.gathered.extend(gathered_in(&plan)?.into_iter().map(|id| (id, no)));
        self.stages.push(Stage::new(no, plan, output, &self.subquery_stages)?);
        Ok(no)
    }
}

/// The node over other children; properties are computed anew.
pub(super) fn rebuild(
    plan: Arc<dyn ExecutionPlan>,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    replace_children_if_necessary(plan, children)
}
