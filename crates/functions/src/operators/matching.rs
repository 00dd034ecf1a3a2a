//! LIKE, ILIKE, IN, BETWEEN and `||`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::concat;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::utils::disjunction;
use datafusion::logical_expr::{Expr, Like, Operator, lit};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::comparison::{compare, normalized};
use super::logic::and;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, call_sql, coerce_argument, common_type, convert, quoted, type_sql};
use crate::errors::from_arrow;
use crate::registry::{ANY, Build, Definition};
use crate::udf::{self, Kernel, KernelContext};

/// The operators of this file.
pub(super) static TABLE: &[Definition] = &[
    row("like", (2, 3), |ctx, args| like(ctx, args, false), "matches a pattern of % and _"),
    row("ilike", (2, 3), |ctx, args| like(ctx, args, true), "matches a pattern of % and _ in any case"),
    row("in", (1, ANY), membership, "is one of the values"),
    row("between", (3, 3), between, "lies between two values or is one of them"),
    row("||", (2, ANY), concatenation, "texts, bytes or arrays one after the other"),
    row("concat", (0, ANY), concatenation, "texts, bytes or arrays one after the other"),
];

const fn row(
    name: &'static str,
    arity: (usize, usize),
    build: fn(&FunctionContext, Vec<Typed>) -> Result<Typed>,
    doc: &'static str,
) -> Definition {
    Definition { name, arity, build: Build::Scalar(build), doc }
}

/// The kernels of this file.
pub(super) static KERNELS: &[Kernel] = &[Kernel::arrays("concat", concatenate)];

fn like(ctx: &FunctionContext, arguments: Vec<Typed>, ignores_case: bool) -> Result<Typed> {
    let mut arguments = arguments.into_iter();
    let (Some(value), Some(pattern)) = (arguments.next(), arguments.next()) else {
        return Err(SparkError::internal("LIKE takes two operands"));
    };
    let escape = match arguments.next().map(|escape| escape.expr) {
        None => '\\',
        Some(Expr::Literal(ScalarValue::Utf8(Some(text)), _)) if text.chars().count() == 1 => {
            text.chars().next().unwrap_or('\\')
        }
        Some(_) => return Err(SparkError::unsupported("an ESCAPE of LIKE that is not one constant character")),
    };
    let suffix = if escape == '\\' { String::new() } else { format!(" ESCAPE '{escape}'") };
    let sql = if ignores_case {
        format!("ilike({}, {})", value.sql, pattern.sql)
    } else {
        format!("{} LIKE {}{suffix}", value.sql, pattern.sql)
    };
    let value = coerce_argument(ctx, value, &Accepts::String, &sql, 0)?;
    let pattern = coerce_argument(ctx, pattern, &Accepts::String, &sql, 1)?;
    let nullable = value.nullable || pattern.nullable;
    let pattern = match pattern.expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), metadata) => {
            Expr::Literal(ScalarValue::Utf8(Some(with_backslash(&text, escape)?)), metadata)
        }
        other if escape == '\\' => other,
        _ => return Err(SparkError::unsupported("LIKE with ESCAPE and a pattern that is not constant")),
    };
    let like = Like::new(false, Box::new(value.expr), Box::new(pattern), None, ignores_case);
    Ok(Typed { expr: Expr::Like(like), data_type: DataType::Boolean, nullable, sql })
}

/// The pattern with `\` as its escape character; an escape must stand before `%`, `_` or itself.
fn with_backslash(pattern: &str, escape: char) -> Result<String> {
    let wrong = |class| SparkError::new(class).param("format", format!("'{pattern}'"));
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == escape {
            match chars.next() {
                Some(next) if next == '%' || next == '_' || next == escape => {
                    if next != escape || escape == '\\' {
                        text.push('\\');
                    }
                    text.push(next);
                }
                Some(next) => {
                    let error = wrong(&error_class::INVALID_FORMAT_ESC_IN_THE_MIDDLE);
                    return Err(error.param("char", quoted(&next.to_string())));
                }
                None => return Err(wrong(&error_class::INVALID_FORMAT_ESC_AT_THE_END)),
            }
        } else {
            if c == '\\' {
                text.push('\\');
            }
            text.push(c);
        }
    }
    Ok(text)
}

fn membership(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let types: Vec<_> = arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let mut texts = arguments.iter().map(|argument| argument.sql.clone());
    let sql = format!("({} IN ({}))", texts.next().unwrap_or_default(), texts.collect::<Vec<_>>().join(", "));
    let Some(common) = common_type(ctx, &types) else {
        let names: Vec<_> = types.iter().map(type_sql).collect();
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
            .param("sqlExpr", quoted(&sql))
            .param("functionName", "`in`")
            .param("dataType", format!("[{}]", names.join(", "))));
    };
    let nullable = arguments.iter().any(|argument| argument.nullable);
    let mut values = arguments
        .into_iter()
        .map(|argument| Ok(normalized(ctx, convert(ctx, argument, &common)?)?.expr))
        .collect::<Result<Vec<_>>>()?;
    let value = values.remove(0);
    Ok(Typed { expr: any_of(value, values), data_type: DataType::Boolean, nullable, sql })
}

/// DataFusion takes an item for a constant if it has a single value over no rows, as a CASE over columns has; items
/// that might mislead it so are compared one by one.
fn any_of(value: Expr, items: Vec<Expr>) -> Expr {
    let (listed, compared): (Vec<_>, Vec<_>) =
        if value.is_volatile() { (items, Vec::new()) } else { items.into_iter().partition(is_plain) };
    let mut tests: Vec<_> = compared.into_iter().map(|item| value.clone().eq(item)).collect();
    if !listed.is_empty() || tests.is_empty() {
        tests.push(Expr::InList(InList::new(Box::new(value), listed, false)));
    }
    disjunction(tests).unwrap_or_else(|| lit(false))
}

/// Whether an item is a column, or the same for every row.
fn is_plain(item: &Expr) -> bool {
    let differs = |part: &Expr| {
        Ok(part.is_volatile_node()
            || matches!(
                part,
                Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) | Expr::Exists(_)
            ))
    };
    matches!(item, Expr::Column(_)) || !item.exists(differs).unwrap_or(true)
}

fn between(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("between", &arguments);
    let [value, low, high] =
        <[Typed; 3]>::try_from(arguments).map_err(|_| SparkError::internal("BETWEEN takes three operands"))?;
    let above = compare(ctx, value.clone(), low, Operator::GtEq)?;
    let below = compare(ctx, value, high, Operator::LtEq)?;
    Ok(Typed { sql, ..and(ctx, above, below)? })
}

/// Arrays of one type, or bytes, or anything else as text.
fn concatenation(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = call_sql("concat", &arguments);
    let types: Vec<_> = arguments.iter().map(|argument| argument.data_type.clone()).collect();
    let is_array = |t: &DataType| matches!(t, DataType::Array(..));
    let result = if types.iter().any(is_array) {
        common_type(ctx, &types).filter(is_array)
    } else if !types.is_empty() && types.iter().all(|t| *t == DataType::Binary) {
        Some(DataType::Binary)
    } else {
        let texts =
            types.iter().all(|t| Accepts::String.accepts(t) || crate::coercion::can_store(t, &DataType::STRING));
        texts.then_some(DataType::STRING)
    };
    let Some(result) = result else {
        let names: Vec<_> = types.iter().map(type_sql).collect();
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
            .param("sqlExpr", quoted(&sql))
            .param("functionName", "`concat`")
            .param("dataType", format!("({})", names.join(" or "))));
    };
    let nullable = arguments.iter().any(|argument| argument.nullable);
    let arguments =
        arguments.into_iter().map(|argument| convert(ctx, argument, &result)).collect::<Result<Vec<_>>>()?;
    udf::call(ctx, "concat", arguments, result, nullable, sql)
}

fn concatenate(context: &KernelContext, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let nulls = arrays.iter().fold(None, |nulls, array| NullBuffer::union(nulls.as_ref(), array.nulls()));
    let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    match &context.result {
        DataType::Array(..) => lists(context, arrays, rows, nulls),
        DataType::Binary => {
            let columns: Vec<_> = arrays.iter().map(|array| array.as_binary::<i32>()).collect();
            let mut builder = BinaryBuilder::new();
            let mut bytes = Vec::new();
            for row in 0..rows {
                if is_null(row) {
                    builder.append_null();
                    continue;
                }
                bytes.clear();
                columns.iter().for_each(|column| bytes.extend_from_slice(column.value(row)));
                builder.append_value(&bytes);
            }
            Ok(Arc::new(builder.finish()))
        }
        _ => {
            let columns: Vec<_> = arrays.iter().map(|array| array.as_string::<i32>()).collect();
            let mut builder = StringBuilder::new();
            let mut text = String::new();
            for row in 0..rows {
                if is_null(row) {
                    builder.append_null();
                    continue;
                }
                text.clear();
                columns.iter().for_each(|column| text.push_str(column.value(row)));
                builder.append_value(&text);
            }
            Ok(Arc::new(builder.finish()))
        }
    }
}

fn lists(context: &KernelContext, arrays: &[ArrayRef], rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let arrow::datatypes::DataType::List(field) = to_arrow(&context.result) else {
        return Err(SparkError::internal("arrays give an array"));
    };
    let lists: Vec<_> = arrays.iter().map(|array| array.as_list::<i32>()).collect();
    let mut pieces: Vec<ArrayRef> = Vec::new();
    let mut lengths = Vec::with_capacity(rows);
    for row in 0..rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lengths.push(0);
            continue;
        }
        let row_pieces: Vec<_> = lists.iter().map(|list| list.value(row)).collect();
        lengths.push(row_pieces.iter().map(|piece| piece.len()).sum::<usize>());
        pieces.extend(row_pieces);
    }
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    let values = if pieces.is_empty() {
        arrow::array::new_empty_array(field.data_type())
    } else {
        concat(&pieces).map_err(from_arrow)?
    };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(arrow::array::ListArray::try_new(field, offsets, values, nulls).map_err(from_arrow)?))
}
