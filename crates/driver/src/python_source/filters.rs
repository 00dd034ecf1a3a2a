//! Filters as PySpark's data sources get them: Spark's names, values as VARIANT.

use arrow::datatypes::Schema;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use firesteel_functions::families::variant_of;
use firesteel_model::Result;
use firesteel_spec::{DataType, StructField};
use serde_json::{Value, json};

/// A filter that a source may take: one column against constants.
struct Filter<'e> {
    name: &'static str,
    column: &'e str,
    values: Vec<&'e ScalarValue>,
    /// Whether the constants are one list.
    is_list: bool,
    is_negated: bool,
}

/// The column that a filter is about, if sources take filters of its kind.
pub(super) fn column_of(filter: &Expr) -> Option<&str> {
    parsed(filter).map(|filter| filter.column)
}

/// The filters as a JSON list; nothing where there are none that sources take.
pub(super) fn as_json(filters: &[Expr], schema: &Schema, fields: &[StructField]) -> Result<Option<String>> {
    let (mut all, mut not_null) = (Vec::new(), Vec::new());
    for filter in filters.iter().filter_map(parsed) {
        let Some(field) = schema.index_of(filter.column).ok().and_then(|place| fields.get(place)) else { continue };
        let Some(shown) = filter.shown(field)? else { continue };
        // As Spark does: what compares a column says that it is not null.
        let is_comparison = !filter.values.is_empty() && filter.name != "EqualNullSafe";
        if is_comparison && field.nullable && !not_null.contains(&filter.column) {
            not_null.push(filter.column);
            all.push(json!({ "name": "IsNotNull", "columnPath": [field.name], "isNegated": false }));
        }
        all.push(shown);
    }
    Ok((!all.is_empty()).then(|| Value::Array(all).to_string()))
}

impl Filter<'_> {
    /// The filter as JSON, unless VARIANT has no such values.
    fn shown(&self, field: &StructField) -> Result<Option<Value>> {
        let mut shown = json!({ "name": self.name, "columnPath": [field.name], "isNegated": self.is_negated });
        if !self.values.is_empty() {
            let data_type = match self.is_list {
                true => DataType::Array(Box::new(field.data_type.clone()), true),
                false => field.data_type.clone(),
            };
            let Some((value, metadata)) = variant_of(&self.values, self.is_list, &data_type)? else { return Ok(None) };
            shown["value"] =
                json!({ "value": BASE64_STANDARD.encode(value), "metadata": BASE64_STANDARD.encode(metadata) });
        }
        Ok(Some(shown))
    }
}

fn parsed(filter: &Expr) -> Option<Filter<'_>> {
    let plain = |name, column, values| Filter { name, column, values, is_list: false, is_negated: false };
    match filter {
        Expr::Not(inner) => {
            let inner = parsed(inner)?;
            Some(Filter { is_negated: !inner.is_negated, ..inner })
        }
        Expr::IsNull(column) => Some(plain("IsNull", name_of(column)?, Vec::new())),
        Expr::IsNotNull(column) => Some(plain("IsNotNull", name_of(column)?, Vec::new())),
        Expr::InList(list) => {
            let values = list.list.iter().map(constant).collect::<Option<Vec<_>>>()?;
            let column = name_of(&list.expr)?;
            Some(Filter { name: "In", column, values, is_list: true, is_negated: list.negated })
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (column, value, op) = match (name_of(left), constant(right)) {
                (Some(column), Some(value)) => (column, value, *op),
                _ => (name_of(right)?, constant(left)?, op.swap()?),
            };
            let is_negated = op == Operator::NotEq;
            let name = match op {
                Operator::Eq | Operator::NotEq => "EqualTo",
                Operator::IsNotDistinctFrom => "EqualNullSafe",
                Operator::Gt => "GreaterThan",
                Operator::GtEq => "GreaterThanOrEqual",
                Operator::Lt => "LessThan",
                Operator::LtEq => "LessThanOrEqual",
                _ => return None,
            };
            Some(Filter { is_negated, ..plain(name, column, vec![value]) })
        }
        Expr::ScalarFunction(call) => {
            let name = match call.name() {
                "starts_with" | "startswith" => "StringStartsWith",
                "ends_with" | "endswith" => "StringEndsWith",
                "contains" => "StringContains",
                _ => return None,
            };
            let [column, value] = call.args.as_slice() else { return None };
            Some(plain(name, name_of(column)?, vec![constant(value)?]))
        }
        _ => None,
    }
}

fn name_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(&column.name),
        _ => None,
    }
}

/// A constant that is not null.
fn constant(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value),
        _ => None,
    }
}
