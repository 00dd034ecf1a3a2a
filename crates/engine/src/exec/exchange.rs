//! [`ExchangeExec`]: where the user asked for other partitions. Cutting a plan into stages removes it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ExecutionPlanProperties, apply_expression_roots};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};

use super::{display_label, one_input};

/// How rows find their new partition.
#[derive(Clone, Debug)]
pub enum ExchangeKind {
    /// In turn.
    RoundRobin,
    /// By Spark's hash of these expressions.
    Hash(Vec<Arc<dyn PhysicalExpr>>),
    /// By ranges of these keys, found by sampling.
    Range(LexOrdering),
    /// The expression is the partition's number.
    ById(Arc<dyn PhysicalExpr>),
}

impl fmt::Display for ExchangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundRobin => write!(f, "round_robin"),
            Self::Hash(exprs) => {
                let exprs: Vec<_> = exprs.iter().map(ToString::to_string).collect();
                write!(f, "hash([{}])", exprs.join(", "))
            }
            Self::Range(ordering) => write!(f, "range([{ordering}])"),
            Self::ById(expr) => write!(f, "by_id({expr})"),
        }
    }
}

/// `repartition`, `repartitionByRange` and `repartitionById`. Plain data.
#[derive(Debug)]
pub struct ExchangeExec {
    input: Arc<dyn ExecutionPlan>,
    kind: ExchangeKind,
    partitions: usize,
    fixed: bool,
    properties: Arc<PlanProperties>,
}

impl ExchangeExec {
    /// `fixed` partitions are never merged while the job runs: the user named their number.
    pub fn new(input: Arc<dyn ExecutionPlan>, kind: ExchangeKind, partitions: usize, fixed: bool) -> Self {
        let partitions = partitions.max(1);
        let partitioning = match &kind {
            ExchangeKind::Hash(exprs) => Partitioning::Hash(exprs.clone(), partitions),
            _ => Partitioning::UnknownPartitioning(partitions),
        };
        let equivalences = EquivalenceProperties::new(input.schema());
        let properties =
            PlanProperties::new(equivalences, partitioning, input.pipeline_behavior(), input.boundedness());
        Self { input, kind, partitions, fixed, properties: Arc::new(properties) }
    }

    /// Whose rows move.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// How they find their partition.
    pub fn kind(&self) -> &ExchangeKind {
        &self.kind
    }

    /// How many partitions there are afterwards.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Whether their number must stay.
    pub fn is_fixed(&self) -> bool {
        self.fixed
    }

    fn label(&self) -> String {
        format!("ExchangeExec: {}, partitions={}", self.kind, self.partitions)
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.kind.clone(), self.partitions, self.fixed)
    }
}

display_label!(ExchangeExec);

impl ExecutionPlan for ExchangeExec {
    fn name(&self) -> &'static str {
        "ExchangeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        match &self.kind {
            ExchangeKind::RoundRobin => Ok(TreeNodeRecursion::Continue),
            ExchangeKind::Hash(exprs) => apply_expression_roots(exprs, f),
            ExchangeKind::ById(expr) => apply_expression_roots([expr], f),
            ExchangeKind::Range(ordering) => apply_expression_roots(ordering.iter().map(|sort| &sort.expr), f),
        }
    }

    one_input!();

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        internal_err!("an exchange ran in a plan that was not cut into stages")
    }

    fn child_stats_requests(&self, _partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(None)]
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match (args.partition(), input_stats) {
            (None, [input]) => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }
}
