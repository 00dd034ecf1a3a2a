//! [`TaskScopeExec`]: a node that knows its task while it runs, and stops when the task is to stop.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::{ExecutionPlan, PlanProperties};
use firesteel_functions::errors::to_datafusion;
use firesteel_functions::task::{self, PartitionScope};
use futures::{Stream, StreamExt};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{display_label, no_expressions, one_input};
use crate::task::TaskEnvironment;

/// Runs its input in the scope of the partition. Made by [`crate::in_task`] just before a plan runs.
///
/// Guarantees: functions of the task in its input's expressions find their partition and their state; before every
/// batch it looks whether the task is cancelled, and every batch costs budget, so that the task gives way to others.
#[derive(Debug)]
pub struct TaskScopeExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl TaskScopeExec {
    /// The input in the scope of the task.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = input.properties().as_ref().clone().with_scheduling_type(SchedulingType::Cooperative);
        Self { input, properties: Arc::new(properties) }
    }

    fn label(&self) -> String {
        "TaskScopeExec".to_owned()
    }

    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(input)
    }
}

display_label!(TaskScopeExec);

impl ExecutionPlan for TaskScopeExec {
    fn name(&self) -> &'static str {
        "TaskScopeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    no_expressions!();

    one_input!();

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let cancel = TaskEnvironment::of(&context)?.cancel.clone();
        let scope = PartitionScope::new(partition);
        let rows = scope.enter(|| self.input.execute(partition, context))?;
        let cancelled = Box::pin(cancel.clone().cancelled_owned());
        Ok(make_cooperative(Box::pin(ScopedRows { scope, cancel, cancelled, rows })))
    }
}

/// Polls the rows of a node in the scope of its partition.
struct ScopedRows {
    scope: PartitionScope,
    /// Counts only where nobody else decides: a side that all tasks share may have been begun by one that is gone.
    cancel: CancellationToken,
    /// Wakes rows that wait for something else.
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    rows: SendableRecordBatchStream,
}

impl Stream for ScopedRows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { scope, cancel, cancelled, rows } = &mut *self;
        let mut poll = || {
            if let Err(cancelled) = task::check() {
                return Poll::Ready(Some(Err(to_datafusion(cancelled))));
            }
            let polled = rows.poll_next_unpin(cx);
            if polled.is_pending()
                && cancelled.as_mut().poll(cx).is_ready()
                && let Err(cancelled) = task::check()
            {
                return Poll::Ready(Some(Err(to_datafusion(cancelled))));
            }
            polled
        };
        scope.enter(|| if task::is_cancellable() { poll() } else { task::cancellable(cancel, &mut poll) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl RecordBatchStream for ScopedRows {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}
