//! [`KeyFilterExec`]: drops rows that can have no partner in a join. See [`crate::key_filters`].

use std::sync::Arc;

use arrow::compute::BatchCoalescer;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, apply_expression_roots};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties, Statistics};
use futures::{TryStreamExt, stream};

use super::{display_label, in_order, one_input};
use crate::key_filters::{KeyFilter, KeysId};
use crate::stages::StageNo;

/// After so many rows a task knows whether the filter is worth its work.
const ROWS_TRIED: usize = 64 << 10;

/// Passes rows on whose keys were gathered, and perhaps a few others; all of them while it does not know the keys.
#[derive(Debug)]
pub struct KeyFilterExec {
    input: Arc<dyn ExecutionPlan>,
    id: KeysId,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    /// Where the keys are gathered, once the plan is cut.
    stage: Option<StageNo>,
    filter: Option<Arc<KeyFilter>>,
}

impl KeyFilterExec {
    /// A filter of the input's rows by these of their values.
    pub fn new(input: Arc<dyn ExecutionPlan>, id: KeysId, exprs: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self { input, id, exprs, stage: None, filter: None }
    }

    /// The same, of keys that a stage gathers.
    pub fn with_stage(&self, stage: StageNo) -> Self {
        Self { stage: Some(stage), ..self.over(Arc::clone(&self.input)) }
    }

    /// The same, with what was gathered.
    pub fn with_keys(&self, filter: Arc<KeyFilter>) -> Self {
        Self { filter: Some(filter), ..self.over(Arc::clone(&self.input)) }
    }

    /// Whose rows it filters.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// Which keys.
    pub fn id(&self) -> KeysId {
        self.id
    }

    /// The values compared with them.
    pub fn exprs(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.exprs
    }

    /// Where they are gathered.
    pub fn stage(&self) -> Option<StageNo> {
        self.stage
    }

    /// What was gathered.
    pub fn filter(&self) -> Option<&Arc<KeyFilter>> {
        self.filter.as_ref()
    }

    fn label(&self) -> String {
        let exprs: Vec<_> = self.exprs.iter().map(ToString::to_string).collect();
        let known = self.filter.as_ref().map(|filter| format!(", {} of them", filter.keys())).unwrap_or_default();
        format!("KeyFilterExec: keys {} [{}]{known}", self.id.0, exprs.join(", "))
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, id: self.id, exprs: self.exprs.clone(), stage: self.stage, filter: self.filter.clone() }
    }
}

display_label!(KeyFilterExec);

impl ExecutionPlan for KeyFilterExec {
    fn name(&self) -> &'static str {
        "KeyFilterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    in_order!();

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.exprs, f)
    }

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batch_size = context.session_config().batch_size();
        let input = self.input.execute(partition, context)?;
        let Some(filter) = &self.filter else { return Ok(input) };
        let filtered = Filtered {
            input,
            filter: Arc::clone(filter),
            exprs: self.exprs.clone(),
            kept: BatchCoalescer::new(self.schema(), batch_size).with_biggest_coalesce_batch_size(Some(batch_size / 2)),
            rows_in: 0,
            rows_out: 0,
            ended: false,
        };
        let rows = stream::try_unfold(filtered, |mut filtered| async move {
            Ok(filtered.next().await?.map(|batch| (batch, filtered)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        input_stats: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let known = input_stats.first().map(|input| input.as_ref().clone().to_inexact());
        Ok(Arc::new(known.unwrap_or_else(|| Statistics::new_unknown(&self.schema()))))
    }
}

/// Rows on their way through the filter.
struct Filtered {
    input: SendableRecordBatchStream,
    filter: Arc<KeyFilter>,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    /// Few rows of each batch stay, and operators above work batch by batch.
    kept: BatchCoalescer,
    rows_in: usize,
    rows_out: usize,
    ended: bool,
}

impl Filtered {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.kept.next_completed_batch() {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            match self.input.try_next().await? {
                Some(batch) => self.add(batch)?,
                None => {
                    self.kept.finish_buffered_batch()?;
                    self.ended = true;
                }
            }
        }
    }

    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        if !self.is_worth_it() {
            return Ok(self.kept.push_batch(batch)?);
        }
        let mask = self.filter.mask(&self.exprs, &batch)?;
        self.rows_in += batch.num_rows();
        self.rows_out += mask.true_count();
        Ok(self.kept.push_batch_with_filter(batch, &mask)?)
    }

    /// A filter that lets most rows pass costs more than it spares.
    fn is_worth_it(&self) -> bool {
        self.rows_in < ROWS_TRIED || self.rows_out < self.rows_in / 4 * 3
    }
}
