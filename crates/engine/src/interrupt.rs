//! [`InterruptibleExpr`]: an expression that is evaluated in loops which hand nothing out for long.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::joins::utils::JoinFilter;
use firesteel_functions::errors::to_datafusion;
use firesteel_functions::task;

/// The same value as the expression inside; fails once the task is cancelled.
///
/// A join whose filter lets no row through reads millions of pairs between two rows that it gives, and no stream above
/// or below it is asked meanwhile.
#[derive(Debug, Eq)]
pub(crate) struct InterruptibleExpr {
    inner: Arc<dyn PhysicalExpr>,
}

impl PartialEq for InterruptibleExpr {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Hash for InterruptibleExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl InterruptibleExpr {
    /// The filter of a join, made interruptible.
    pub(crate) fn filter(filter: &JoinFilter) -> JoinFilter {
        let inner = Arc::clone(filter.expression());
        JoinFilter::new(Arc::new(Self { inner }), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    }
}

impl fmt::Display for InterruptibleExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for InterruptibleExpr {
    fn data_type(&self, input_schema: &Schema) -> Result<DataType> {
        self.inner.data_type(input_schema)
    }

    fn nullable(&self, input_schema: &Schema) -> Result<bool> {
        self.inner.nullable(input_schema)
    }

    fn return_field(&self, input_schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(input_schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        task::check().map_err(to_datafusion)?;
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match children.pop() {
            Some(inner) => Ok(Arc::new(Self { inner })),
            None => internal_err!("an interruptible expression needs something to evaluate"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
