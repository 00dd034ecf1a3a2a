//! The `analyze` method of a Python table function: what it is told of a call, what it wants of the call's table.

use arrow::array::Array;
use datafusion::common::ScalarValue;
use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_python::{Analysis, AnalyzeArgument, AnalyzedColumn, AnalyzedOrder, PythonCommand, PythonValue};
use firesteel_spec::expr::SortKey;
use firesteel_spec::{DataType, ExprNode, StructField};

use super::python_table::{Given, Selected, TableArgument};
use crate::attribute::Attribute;
use crate::planner::Planner;
use crate::resolved::Resolved;

impl Planner<'_> {
    /// Asks the `analyze` method about a call: the rows it gives, and what else it says.
    pub(super) fn analyzed_call(
        &self,
        command: &PythonCommand,
        given: &[Given],
        rows: &Resolved,
    ) -> Result<(Vec<StructField>, Analysis)> {
        let argument = |given: &Given| match &given.value {
            Some(value) => AnalyzeArgument {
                name: given.name.clone(),
                type_json: value.data_type.to_json().to_string(),
                constant: self.known_value(value),
                is_table: false,
            },
            None => AnalyzeArgument {
                name: given.name.clone(),
                type_json: row_type(&rows.output).to_json().to_string(),
                constant: None,
                is_table: true,
            },
        };
        let arguments: Vec<AnalyzeArgument> = given.iter().map(argument).collect();
        let analysis = self.env.analyze_python(command, &arguments)?;
        match DataType::parse_json(&analysis.schema_json)? {
            DataType::Struct(fields) => Ok((fields, analysis)),
            _ => Err(SparkError::internal("an analyze method gave no struct")),
        }
    }

    /// The value of an argument that no row decides.
    fn known_value(&self, value: &Typed) -> Option<PythonValue> {
        if value.expr.any_column_refs() || value.expr.is_volatile() {
            return None;
        }
        python_value(&self.constant(value).ok()?)
    }
}

/// Adds what `analyze` wants to the call's TABLE argument.
///
/// Errors: the call says where rows go and so does `analyze`; what it wants makes no sense.
pub(super) fn require(name: &str, analysis: &Analysis, table: &mut TableArgument) -> Result<()> {
    let invalid = |reason: &str| {
        SparkError::new(&error_class::TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INVALID)
            .param("functionName", name)
            .param("reason", reason)
    };
    let wants_partitions = analysis.is_single || !analysis.partition_by.is_empty();
    if analysis.is_single && !analysis.partition_by.is_empty() {
        return Err(invalid("'withSinglePartition' stands beside a 'partitionBy' that is not empty"));
    }
    if !wants_partitions && !analysis.order_by.is_empty() {
        return Err(invalid("'orderBy' needs 'withSinglePartition' or a 'partitionBy' that is not empty"));
    }
    if wants_partitions && (table.is_single || !table.partition_by.is_empty()) {
        return Err(SparkError::new(&error_class::TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL)
            .param("functionName", name)
            .param("requestedMetadata", "specifies its own required partitioning of the input table")
            .param("invalidFunctionCallProperty", "has a PARTITION BY or WITH SINGLE PARTITION clause"));
    }
    table.is_single |= analysis.is_single;
    for text in &analysis.partition_by {
        table.partition_by.push(firesteel_sql::parse_expression(text)?);
    }
    for key in &analysis.order_by {
        table.order_by.push(sort_key(key)?);
    }
    table.select = analysis.select.iter().map(selected).collect::<Result<_>>()?;
    Ok(())
}

fn sort_key(key: &AnalyzedOrder) -> Result<SortKey> {
    let child = firesteel_sql::parse_expression(&key.expression)?;
    if let ExprNode::Alias { names, .. } = child.node.as_ref() {
        let class = &error_class::UDTF_INVALID_ALIAS_IN_REQUESTED_ORDERING_STRING_FROM_ANALYZE_METHOD;
        return Err(SparkError::new(class).param("aliasName", names.join(".")));
    }
    let nulls_first = key.nulls_first.unwrap_or(key.ascending);
    Ok(SortKey { child, ascending: key.ascending, nulls_first })
}

fn selected(column: &AnalyzedColumn) -> Result<Selected> {
    let value = firesteel_sql::parse_expression(&column.expression)?;
    let (value, name) = match (value.node.as_ref(), column.alias.is_empty()) {
        (_, false) => (value, column.alias.clone()),
        (ExprNode::Alias { child, names, .. }, true) if names.len() == 1 => (child.clone(), names[0].clone()),
        (ExprNode::Attribute { parts, .. }, true) => {
            let name = parts.last().cloned().unwrap_or_default();
            (value, name)
        }
        (_, true) => {
            let class = &error_class::UDTF_INVALID_REQUESTED_SELECTED_EXPRESSION_FROM_ANALYZE_METHOD_REQUIRES_ALIAS;
            return Err(SparkError::new(class).param("expression", column.expression.clone()));
        }
    };
    Ok(Selected { value, name })
}

fn row_type(output: &[Attribute]) -> DataType {
    DataType::Struct(output.iter().map(Attribute::field).collect())
}

/// A constant as PySpark wants it; nothing where it has no such form.
fn python_value(value: &ScalarValue) -> Option<PythonValue> {
    if value.is_null() {
        return Some(PythonValue::None);
    }
    Some(match value {
        ScalarValue::Boolean(Some(value)) => PythonValue::Bool(*value),
        ScalarValue::Int8(Some(value)) => PythonValue::Int(i64::from(*value)),
        ScalarValue::Int16(Some(value)) => PythonValue::Int(i64::from(*value)),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => PythonValue::Int(i64::from(*value)),
        ScalarValue::Int64(Some(value))
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::DurationMicrosecond(Some(value)) => PythonValue::Int(*value),
        ScalarValue::Float32(Some(value)) => PythonValue::Float(f64::from(*value)),
        ScalarValue::Float64(Some(value)) => PythonValue::Float(*value),
        ScalarValue::Utf8(Some(value)) => PythonValue::Text(value.clone()),
        ScalarValue::Binary(Some(value)) => PythonValue::Bytes(value.clone()),
        ScalarValue::Decimal128(Some(digits), _, scale) => {
            PythonValue::Decimal(format!("{digits}E{}", -i32::from(*scale)))
        }
        ScalarValue::List(list) => PythonValue::List(elements(&list.value(0))?),
        ScalarValue::Struct(row) => {
            let fields = row.columns().iter().map(|column| element(column, 0));
            PythonValue::Tuple(fields.collect::<Option<_>>()?)
        }
        ScalarValue::Map(map) => {
            let entries = map.value(0);
            let (keys, values) = (elements(entries.column(0))?, elements(entries.column(1))?);
            PythonValue::Dict(keys.into_iter().zip(values).collect())
        }
        _ => return None,
    })
}

fn elements(values: &dyn Array) -> Option<Vec<PythonValue>> {
    (0..values.len()).map(|row| element(values, row)).collect()
}

fn element(values: &dyn Array, row: usize) -> Option<PythonValue> {
    python_value(&ScalarValue::try_from_array(values, row).ok()?)
}
