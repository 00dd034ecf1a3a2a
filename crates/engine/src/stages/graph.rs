//! [`StageGraph`]: the stages of a job and what each waits for.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::physical_planning_context::{ScalarSubqueryResults, SubqueryIndex};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, displayable};

use crate::exec::{KeyFilterExec, PartitionsExec, ShuffleReadExec, ShuffleWriteExec};
use crate::partition::OutputScheme;

/// A stage's place in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageNo(pub usize);

/// A plan whose partitions are tasks, and how their rows are split for its consumers.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its place in the graph.
    pub no: StageNo,
    /// What a task runs, without the writing on top.
    pub plan: Arc<dyn ExecutionPlan>,
    /// How the rows are split.
    pub output: OutputScheme,
    /// Stages that must be complete before; always earlier in the graph.
    pub parents: Vec<StageNo>,
}

impl Stage {
    pub(super) fn new(
        no: StageNo,
        plan: Arc<dyn ExecutionPlan>,
        output: OutputScheme,
        subqueries: &[StageNo],
    ) -> Result<Self> {
        let mut parents = subqueries.to_vec();
        plan.apply(|node| {
            if let Some(read) = node.downcast_ref::<ShuffleReadExec>() {
                parents.push(read.stage());
            }
            parents.extend(node.downcast_ref::<KeyFilterExec>().and_then(KeyFilterExec::stage));
            Ok(TreeNodeRecursion::Continue)
        })?;
        parents.sort();
        parents.dedup();
        Ok(Self { no, plan, output, parents })
    }

    /// How many tasks it has.
    pub fn tasks(&self) -> usize {
        self.writer().properties().partitioning.partition_count()
    }

    /// The whole plan of its tasks.
    pub fn writer(&self) -> ShuffleWriteExec {
        ShuffleWriteExec::new(Arc::clone(&self.plan), self.output.clone())
    }

    /// Whether computing a task anew puts the same rows into the same partitions. Rows dealt out in turn do not when
    /// an operator below may give them in another order, as an aggregation that spills does.
    pub fn is_determinate(&self) -> bool {
        let mut may_reorder = false;
        let looked = self.plan.apply(|node| {
            may_reorder |= node.is::<AggregateExec>();
            Ok(TreeNodeRecursion::Continue)
        });
        !(matches!(self.output, OutputScheme::RoundRobin(_)) && (may_reorder || looked.is_err()))
    }
}

/// A scalar subquery: its value has to be set before the stages that depend on its stage run.
#[derive(Clone, Debug)]
pub struct SubqueryLink {
    /// The stage that gives the value.
    pub stage: StageNo,
    /// Its slot.
    pub index: SubqueryIndex,
    /// Where expressions look for the value.
    pub results: ScalarSubqueryResults,
}

/// The result is cut off after some rows, so tasks of the last stage run only as long as rows are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultLimit {
    /// Rows not wanted at the beginning.
    pub skip: usize,
    /// Rows wanted after those.
    pub fetch: usize,
}

/// The stages of a job; parents come before their consumers and the last one gives the result.
#[derive(Clone, Debug)]
pub struct StageGraph {
    /// By [`StageNo`].
    pub stages: Vec<Stage>,
    /// Scalar subqueries of all stages.
    pub subqueries: Vec<SubqueryLink>,
    /// What is wanted of the last stage's rows.
    pub limit: Option<ResultLimit>,
    /// Columns of the result.
    pub schema: SchemaRef,
}

impl StageGraph {
    /// The stage that gives the result.
    pub fn result(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// Only some partitions of the result, by the order of its tasks.
    ///
    /// Assumptions: nobody merges the result's partitions later, and it is not one task for the whole plan.
    pub fn choose(&mut self, partitions: Vec<usize>) {
        if let Some(result) = self.stages.last_mut() {
            result.plan = Arc::new(PartitionsExec::new(Arc::clone(&result.plan), partitions));
        }
    }

    /// The result keeps its number of partitions, whatever sizes turn up.
    pub fn fix_result(&mut self) -> Result<()> {
        let Some(result) = self.stages.last_mut() else { return Ok(()) };
        let fixed = |node: Arc<dyn ExecutionPlan>| {
            Ok(match node.downcast_ref::<ShuffleReadExec>() {
                Some(read) => Transformed::yes(Arc::new(read.clone().with_fixed(true)) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        };
        result.plan = Arc::clone(&result.plan).transform_up(fixed).data()?;
        Ok(())
    }

    /// Whether a partition of the result, computed anew, has the same rows as before.
    pub fn is_determinate(&self) -> bool {
        self.stages.iter().all(Stage::is_determinate)
    }

    /// All stages as text, for tests and `EXPLAIN`.
    pub fn display(&self) -> String {
        let mut text = String::new();
        for stage in &self.stages {
            let writer = stage.writer();
            // Writing to a string cannot fail.
            let _ =
                write!(text, "stage {}: {} tasks\n{}", stage.no.0, stage.tasks(), displayable(&writer).indent(false));
        }
        text
    }
}
