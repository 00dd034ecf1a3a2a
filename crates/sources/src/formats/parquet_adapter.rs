//! Columns of a Parquet file to columns of the table: names in any case, types that Spark widens, nothing else.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use firesteel_model::{Result, SparkError, error_class};

use super::fields::{same_name, value_added_later};
use crate::error::to_datafusion;

/// Makes DataFusion's adapter see a file's columns under the table's names.
#[derive(Debug)]
pub(crate) struct ParquetAdapter {
    case_sensitive: bool,
}

/// One object each, so that a factory can be told from others by being the same.
static EXACT_NAMES: LazyLock<Arc<dyn PhysicalExprAdapterFactory>> =
    LazyLock::new(|| Arc::new(ParquetAdapter { case_sensitive: true }));
static ANY_CASE: LazyLock<Arc<dyn PhysicalExprAdapterFactory>> =
    LazyLock::new(|| Arc::new(ParquetAdapter { case_sensitive: false }));

impl ParquetAdapter {
    /// The factory for scans.
    pub(crate) fn factory(case_sensitive: bool) -> Arc<dyn PhysicalExprAdapterFactory> {
        Arc::clone(if case_sensitive { &EXACT_NAMES } else { &ANY_CASE })
    }

    /// Whether a factory that [`Self::factory`] gave minds the case of names; `None` for any other.
    pub(crate) fn case_sensitivity(factory: &Arc<dyn PhysicalExprAdapterFactory>) -> Option<bool> {
        [true, false].into_iter().find(|case_sensitive| Arc::ptr_eq(factory, &Self::factory(*case_sensitive)))
    }
}

impl PhysicalExprAdapterFactory for ParquetAdapter {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> DataFusionResult<Arc<dyn PhysicalExprAdapter>> {
        let fields = physical.fields().iter().map(|field| {
            let same = |other: &&Arc<Field>| same_name(other.name(), field.name(), self.case_sensitive);
            let exact = logical.fields().iter().find(|other| other.name() == field.name());
            match exact.or_else(|| logical.fields().iter().find(same)) {
                None => Ok(Arc::clone(field)),
                Some(wanted) => seen_as(field, wanted),
            }
        });
        let fields = fields.collect::<Result<Vec<_>>>().map_err(to_datafusion)?;
        let mut added_later = Vec::new();
        for field in logical.fields().iter().filter(|field| !fields.iter().any(|seen| seen.name() == field.name())) {
            if let Some(value) = value_added_later(field)? {
                added_later.push((field.name().clone(), value));
            }
        }
        let seen = Schema::new_with_metadata(fields, physical.metadata().clone());
        let adapter = DefaultPhysicalExprAdapterFactory.create(logical, Arc::new(seen))?;
        Ok(Arc::new(Renaming { adapter, physical, added_later }))
    }
}

/// Gives columns the names they have in the file, by which the reader finds them.
#[derive(Debug)]
struct Renaming {
    adapter: Arc<dyn PhysicalExprAdapter>,
    physical: SchemaRef,
    /// Columns that the file lacks and that are not null there.
    added_later: Vec<(String, ScalarValue)>,
}

impl PhysicalExprAdapter for Renaming {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
        let filled = expr.transform(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            match self.added_later.iter().find(|(name, _)| name == column.name()) {
                Some((_, value)) => {
                    let value: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(value.clone()));
                    Ok(Transformed::yes(value))
                }
                None => Ok(Transformed::no(expr)),
            }
        });
        let rewritten = self.adapter.rewrite(filled?.data)?;
        let renamed = rewritten.transform(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            match self.physical.fields().get(column.index()) {
                Some(field) if field.name() != column.name() => {
                    let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), column.index()));
                    Ok(Transformed::yes(column))
                }
                _ => Ok(Transformed::no(expr)),
            }
        });
        Ok(renamed?.data)
    }
}

/// The file's field under the wanted name; the wanted field itself where no conversion is needed.
fn seen_as(field: &Field, wanted: &Arc<Field>) -> Result<Arc<Field>> {
    if field.data_type() == wanted.data_type() {
        return Ok(Arc::clone(wanted));
    }
    if !converts(field.data_type(), wanted.data_type()) {
        return Err(SparkError::new(&error_class::FAILED_READ_FILE_PARQUET_COLUMN_DATA_TYPE_MISMATCH)
            .param("path", "(parquet)")
            .param("column", format!("[{}]", wanted.name()))
            .param("expectedType", wanted.data_type().to_string())
            .param("actualType", field.data_type().to_string()));
    }
    Ok(Arc::new(Field::new(wanted.name(), field.data_type().clone(), field.is_nullable())))
}

fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) | DataType::Map(..))
}

/// Whether Spark reads a Parquet column of one type as another.
fn converts(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Date32, Decimal128, Dictionary, FixedSizeBinary, Float16, Float32, Float64, Int8, Int16, Int32, Int64, Null,
        Timestamp, UInt8, UInt16, UInt32, UInt64,
    };
    let is_text = |t: &DataType| matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_bytes = |t: &DataType| {
        matches!(t, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | FixedSizeBinary(_))
    };
    match (from, to) {
        (Dictionary(_, value), to) => converts(value, to),
        (Null, _) => true,
        (a, b) if is_text(a) || is_bytes(a) => is_text(b) || is_bytes(b),
        (a, b) if is_nested(a) => is_nested(b) && std::mem::discriminant(a) == std::mem::discriminant(b),
        (Int8 | Int16 | Int32 | UInt8 | UInt16, Int8 | Int16 | Int32 | Int64 | Float64 | Decimal128(..)) => true,
        (Int64, Int64 | Decimal128(..)) | (UInt32, Int64) | (UInt64, Decimal128(..)) => true,
        (Float16 | Float32, Float32 | Float64) | (Float64, Float64) => true,
        (Decimal128(p1, s1), Decimal128(p2, s2)) => {
            s2 >= s1 && i16::from(*p2) - i16::from(*s2) >= i16::from(*p1) - i16::from(*s1)
        }
        (DataType::Decimal32(..) | DataType::Decimal64(..), Decimal128(..)) => true,
        (Timestamp(..), Timestamp(..)) | (DataType::Time32(_) | DataType::Time64(_), DataType::Time64(_)) => true,
        (Date32, Timestamp(_, None)) => true,
        (Int32, DataType::Interval(_)) | (Int64, DataType::Duration(_)) => true,
        (a, b) => a == b,
    }
}
