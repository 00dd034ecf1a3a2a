//! [`GatherKeysExec`]: tells the driver which keys rows have. See [`crate::key_filters`].

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, apply_expression_roots};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use futures::{TryStreamExt, stream};

use super::{display_label, in_order, one_input, same_statistics};
use crate::key_filters::{Keys, KeysId};
use crate::task::TaskEnvironment;

/// No more than one key for so many bytes of the executor's memory: no pool hears of the keys, nor of the filter.
const MEMORY_PER_KEY: usize = 64;

/// Passes its input on; at its end the task has the keys that it saw.
#[derive(Debug)]
pub struct GatherKeysExec {
    input: Arc<dyn ExecutionPlan>,
    id: KeysId,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    most: usize,
}

impl GatherKeysExec {
    /// Gathers at most so many keys.
    pub fn new(input: Arc<dyn ExecutionPlan>, id: KeysId, keys: Vec<Arc<dyn PhysicalExpr>>, most: usize) -> Self {
        Self { input, id, keys, most }
    }

    /// Whose rows it looks at.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What filters call them.
    pub fn id(&self) -> KeysId {
        self.id
    }

    /// The keys of a row.
    pub fn keys(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.keys
    }

    /// How many it gathers at most.
    pub fn most(&self) -> usize {
        self.most
    }

    fn label(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(ToString::to_string).collect();
        format!("GatherKeysExec: keys {} [{}]", self.id.0, keys.join(", "))
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input, self.id, self.keys.clone(), self.most)
    }
}

display_label!(GatherKeysExec);

impl ExecutionPlan for GatherKeysExec {
    fn name(&self) -> &'static str {
        "GatherKeysExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    in_order!();

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.keys, f)
    }

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let environment = TaskEnvironment::of(&context)?;
        let most = match context.memory_pool().memory_limit() {
            MemoryLimit::Finite(bytes) => self.most.min(bytes / MEMORY_PER_KEY),
            MemoryLimit::Infinite | MemoryLimit::Unknown => self.most,
        };
        let rows = self.input.execute(partition, context)?;
        let (id, exprs) = (self.id, self.keys.clone());
        let seen = Keys::new(most);
        let rows = stream::try_unfold((rows, seen, exprs, environment), move |state| async move {
            let (mut rows, mut seen, exprs, environment) = state;
            if let Some(batch) = rows.try_next().await? {
                seen.observe(&exprs, &batch)?;
                return Ok(Some((batch, (rows, seen, exprs, environment))));
            }
            seen.settle();
            environment.add_keys(id, seen);
            Ok(None)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    same_statistics!();
}
