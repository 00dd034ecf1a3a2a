//! [`RecursionExec`]: WITH RECURSIVE that ends, one way or the other.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::Distribution;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::{ExecutionPlan, InputDistributionRequirements, PlanProperties, ReplaceChildrenOptions};
use firesteel_functions::errors::to_datafusion;
use firesteel_model::error_class::{RECURSION_LEVEL_LIMIT_EXCEEDED, RECURSION_ROW_LIMIT_EXCEEDED};
use firesteel_model::{ErrorClass, SparkError};
use futures::{Stream, StreamExt};

use super::{display_label, no_expressions, one_input};

/// How far a recursion may go; none is without end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd)]
pub struct RecursionLimits {
    /// Steps after the anchor.
    pub levels: Option<u64>,
    /// Rows in all.
    pub rows: Option<u64>,
}

/// DataFusion's recursive query with limits. Its inputs are the anchor and the step.
///
/// Errors: `RECURSION_LEVEL_LIMIT_EXCEEDED`, `RECURSION_ROW_LIMIT_EXCEEDED`.
#[derive(Debug)]
pub struct RecursionExec {
    query: RecursiveQueryExec,
    limits: RecursionLimits,
}

impl RecursionExec {
    /// The query within limits.
    pub fn new(query: &RecursiveQueryExec, limits: RecursionLimits) -> Self {
        Self { query: query.clone(), limits }
    }

    /// The query itself.
    pub fn query(&self) -> &RecursiveQueryExec {
        &self.query
    }

    /// How far it may go.
    pub fn limits(&self) -> RecursionLimits {
        self.limits
    }

    fn with_terms(&self, anchor: Arc<dyn ExecutionPlan>, step: Arc<dyn ExecutionPlan>) -> Result<RecursiveQueryExec> {
        let name = self.query.name().to_owned();
        RecursiveQueryExec::try_new(name, self.schema(), anchor, step, self.query.is_distinct())
    }

    fn with_children(&self, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([anchor, step]) = <[_; 2]>::try_from(children) else {
            return internal_err!("a recursion needs an anchor and a step");
        };
        Ok(Arc::new(Self { query: self.with_terms(anchor, step)?, limits: self.limits }))
    }

    fn label(&self) -> String {
        let RecursionLimits { levels, rows } = self.limits;
        let shown = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        format!("RecursionExec: name={}, levels={}, rows={}", self.query.name(), shown(levels), shown(rows))
    }
}

display_label!(RecursionExec);

impl ExecutionPlan for RecursionExec {
    fn name(&self) -> &'static str {
        "RecursionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.query.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.query.children()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false, false]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        self.input_distribution_requirements().into_per_child()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.query.input_distribution_requirements()
    }

    no_expressions!();

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_children(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_children(children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let step = LevelExec {
            input: Arc::clone(self.query.recursive_term()),
            begun: Arc::default(),
            levels: self.limits.levels.unwrap_or(u64::MAX),
        };
        let query = self.with_terms(Arc::clone(self.query.static_term()), Arc::new(step))?;
        let rows = query.execute(partition, context)?;
        Ok(Box::pin(CountedRows { rows, left: self.limits.rows.unwrap_or(u64::MAX), limit: self.limits.rows }))
    }
}

fn exceeded(class: &'static ErrorClass, name: &str, limit: u64) -> DataFusionError {
    to_datafusion(SparkError::new(class).param(name, limit.to_string()))
}

/// Passes its input on and refuses to begin once too often. Lives while a [`RecursionExec`] runs.
#[derive(Debug)]
struct LevelExec {
    input: Arc<dyn ExecutionPlan>,
    /// Counts across the copies that are made for each level.
    begun: Arc<AtomicU64>,
    levels: u64,
}

impl LevelExec {
    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, begun: Arc::clone(&self.begun), levels: self.levels }
    }

    fn label(&self) -> String {
        "LevelExec".to_owned()
    }
}

display_label!(LevelExec);

impl ExecutionPlan for LevelExec {
    fn name(&self) -> &'static str {
        "LevelExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if self.begun.fetch_add(1, Ordering::Relaxed) >= self.levels {
            return Err(exceeded(&RECURSION_LEVEL_LIMIT_EXCEEDED, "levelLimit", self.levels));
        }
        self.input.execute(partition, context)
    }
}

/// Rows up to a number of them.
struct CountedRows {
    rows: SendableRecordBatchStream,
    left: u64,
    limit: Option<u64>,
}

impl Stream for CountedRows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(batch) = ready!(self.rows.poll_next_unpin(cx)).transpose()? else { return Poll::Ready(None) };
        match self.left.checked_sub(batch.num_rows() as u64) {
            Some(left) => self.left = left,
            None => {
                let limit = self.limit.unwrap_or(u64::MAX);
                return Poll::Ready(Some(Err(exceeded(&RECURSION_ROW_LIMIT_EXCEEDED, "rowLimit", limit))));
            }
        }
        Poll::Ready(Some(Ok(batch)))
    }
}

impl RecordBatchStream for CountedRows {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}
