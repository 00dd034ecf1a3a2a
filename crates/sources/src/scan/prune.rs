//! Files that a filter on partition columns leaves out.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{FieldRef, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Expr;

use crate::listing::ListedFile;

/// Whether an expression needs nothing but partition columns, and always gives the same.
pub(super) fn is_partition_only(expr: &Expr, partition_fields: &[FieldRef]) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty()
        && !expr.is_volatile()
        && columns.iter().all(|column| partition_fields.iter().any(|field| *field.name() == column.name))
}

/// The files for which all filters are true.
pub(super) fn prune<'a>(
    session: &dyn Session,
    files: &'a [ListedFile],
    partition_fields: &[FieldRef],
    filters: &[Expr],
) -> DataFusionResult<Vec<&'a ListedFile>> {
    let filters: Vec<_> = filters.iter().filter(|filter| is_partition_only(filter, partition_fields)).collect();
    if filters.is_empty() || files.is_empty() {
        return Ok(files.iter().collect());
    }
    let columns = (0..partition_fields.len())
        .map(|index| ScalarValue::iter_to_array(files.iter().map(|file| file.partition_values[index].clone())));
    let columns: Vec<ArrayRef> = columns.collect::<DataFusionResult<_>>()?;
    let schema = Arc::new(Schema::new(partition_fields.to_vec()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let schema = DFSchema::try_from(schema)?;
    let mut keep = vec![true; files.len()];
    for filter in filters {
        let predicate = session.create_physical_expr(filter.clone(), &schema)?;
        let verdict = predicate.evaluate(&batch)?.into_array(files.len())?;
        for (keep, verdict) in keep.iter_mut().zip(verdict.as_boolean()) {
            *keep &= verdict.unwrap_or(false);
        }
    }
    Ok(files.iter().zip(keep).filter_map(|(file, keep)| keep.then_some(file)).collect())
}
