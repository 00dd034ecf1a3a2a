//! Arrays, structs and maps made from values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::DataType as Arrow;
use datafusion::logical_expr::Expr;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::to_arrow;
use firesteel_spec::{DataType, StructField};

use super::gather::{Gather, range, retyped};
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::families::rows::{any_nullable, definitions, fold_text, kernels};
use crate::registry::ANY;
use crate::udf;

definitions! {
    "array" (0, ANY), Scalar(array), "an array of the arguments";
    "struct" (0, ANY), Scalar(structure), "a struct of the arguments, under their own names";
    "named_struct" (0, ANY), Scalar(named_struct), "a struct of names and values in turn";
    "map" (0, ANY), Scalar(super::maps::map), "a map of keys and values in turn";
    "arrays_zip" (0, ANY), Scalar(arrays_zip), "an array of structs of the elements at the same position";
}

kernels! {
    "make_array" => make_array;
    "make_struct" => make_struct;
    "arrays_zip" => zip;
}

fn array(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("array", &arguments);
    let types: Vec<_> = arguments.iter().map(|argument| argument.data_type.sql()).collect();
    let Some(arguments) = coercion::unify(ctx, arguments)? else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("functionName", "`array`")
            .param(
                "dataType",
                format!("({})", types.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(" or ")),
            ));
    };
    let element = arguments.first().map_or(DataType::Null, |argument| argument.data_type.clone());
    let holds_nulls = any_nullable(&arguments);
    udf::call(ctx, "make_array", arguments, DataType::Array(Box::new(element), holds_nulls), false, sql)
}

fn make_array(a: &Args) -> Result<ArrayRef> {
    let Arrow::List(field) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("an array is made of another type"));
    };
    let columns = a.arrays.iter().map(|c| retyped(c.clone(), field.data_type())).collect::<Result<Vec<_>>>()?;
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    let values =
        if columns.is_empty() { new_empty_array(field.data_type()) } else { concat(&columns).map_err(from_arrow)? };
    let mut gather = Gather::default();
    (0..a.rows).for_each(|row| gather.row((0..a.len()).map(|column| Some(column * a.rows + row))));
    gather.finish(&a.context.result, &values)
}

/// The name of a column, an alias or a struct's field.
fn own_name(value: &Typed) -> Option<String> {
    match &value.expr {
        Expr::Alias(alias) => Some(alias.name.clone()),
        Expr::Column(_) => Some(value.sql.clone()),
        other => super::field_access::taken_name(other).map(str::to_owned),
    }
}

fn structure(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("struct", &arguments);
    let named = |(i, value): (usize, &Typed)| own_name(value).unwrap_or_else(|| format!("col{}", i + 1));
    let names = arguments.iter().enumerate().map(named).collect();
    struct_of(ctx, names, arguments, sql)
}

/// A struct of these values under these names.
pub(crate) fn struct_of(ctx: &FunctionContext, names: Vec<String>, values: Vec<Typed>, sql: String) -> Result<Typed> {
    let field = |(name, value): (String, &Typed)| StructField::new(name, value.data_type.clone(), value.nullable);
    let fields = names.into_iter().zip(&values).map(field).collect();
    let values = values.into_iter().map(|value| Typed { expr: value.expr.unalias(), ..value }).collect();
    udf::call(ctx, "make_struct", values, DataType::Struct(fields), false, sql)
}

fn named_struct(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("named_struct", &arguments);
    if !arguments.len().is_multiple_of(2) {
        return Err(SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
            .param("functionName", "`named_struct`")
            .param("expectedNum", "2n (n > 0)")
            .param("actualNum", arguments.len().to_string()));
    }
    let (mut names, mut values) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        names.push(fold_text(&name).ok_or_else(|| {
            SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
                .param("sqlExpr", coercion::quoted(&sql))
                .param("inputName", "`name`")
                .param("inputType", "\"STRING\"")
                .param("inputExpr", coercion::quoted(&name.sql))
        })?);
        values.push(value);
    }
    struct_of(ctx, names, values, sql)
}

/// A struct column of the result's type.
pub(crate) fn struct_array(result: &Arrow, columns: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef> {
    let Arrow::Struct(fields) = result else {
        return Err(SparkError::internal("a struct is made of another type"));
    };
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(rows, None)));
    }
    let columns = columns.into_iter().zip(fields).map(|(c, field)| retyped(c, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None).map_err(from_arrow)?))
}

fn make_struct(a: &Args) -> Result<ArrayRef> {
    struct_array(&to_arrow(&a.context.result), a.arrays.to_vec(), a.rows)
}

fn arrays_zip(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("arrays_zip", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "arrays_zip", arguments, &[coercion::Accepts::Array])?;
    let field = |(i, argument): (usize, &Typed)| {
        let element = match &argument.data_type {
            DataType::Array(element, _) => element.as_ref().clone(),
            _ => DataType::Null,
        };
        StructField::new(own_name(argument).unwrap_or_else(|| i.to_string()), element, true)
    };
    let row = DataType::Struct(arguments.iter().enumerate().map(field).collect());
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "arrays_zip", arguments, DataType::Array(Box::new(row), false), nullable, sql)
}

fn zip(a: &Args) -> Result<ArrayRef> {
    let lists = (0..a.len()).map(|i| a.list(i)).collect::<Result<Vec<_>>>()?;
    let nulls = a.nulls();
    let mut columns: Vec<Gather> = lists.iter().map(|_| Gather::default()).collect();
    let mut rows = Gather::default();
    let mut total = 0;
    for row in 0..a.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            rows.null();
            continue;
        }
        let ranges: Vec<_> = lists.iter().map(|list| range(list, row)).collect();
        let longest = ranges.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        for (column, range) in columns.iter_mut().zip(ranges) {
            column.row((0..longest).map(|i| (i < range.len()).then_some(range.start + i)));
        }
        rows.row((total..total + longest).map(Some));
        total += longest;
    }
    let Arrow::List(element) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("zipped arrays give another type"));
    };
    let columns = columns.iter().zip(&lists).map(|(column, list)| column.elements(list.values()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let structs = struct_array(element.data_type(), columns, total)?;
    rows.finish_with(&a.context.result, structs)
}
