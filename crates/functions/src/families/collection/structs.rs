//! Structs with a field more, another or less.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::logical_expr::Expr as DfExpr;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::to_arrow;
use firesteel_spec::{DataType, StructField};

use super::extract::{field_of, find_field};
use super::field_access;
use super::gather::retyped;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, quoted, unexpected_type};
use crate::errors::from_arrow;
use crate::families::args::Args;
use crate::udf::{self, Kernel};

/// The kernels of this file.
pub(crate) static KERNELS: &[Kernel] =
    &[Kernel::arrays("update_struct", |context, arrays, rows| update(&Args { context, arrays, rows }))];

/// Field `index` of a struct-typed expression; null where the struct is.
pub fn field_at(expr: DfExpr, index: usize) -> Result<DfExpr> {
    Ok(field_access::field(expr, index, None))
}

/// The struct with a field replaced, or added at the end; `field_path` may lead into structs within it.
///
/// Errors: `FIELD_NOT_FOUND` where the path leads nowhere, `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE` for no struct.
pub fn with_field(ctx: &FunctionContext, child: Typed, field_path: &str, value: Typed) -> Result<Typed> {
    let sql = format!("update_fields({}, WithField({}))", child.sql, value.sql);
    let path = parts(field_path)?;
    Ok(Typed { sql, ..put(ctx, child, &path, value)? })
}

/// The struct without a field; a field that is not there is no error.
///
/// Errors: `DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS`, and those of [`with_field`].
pub fn drop_field(ctx: &FunctionContext, child: Typed, field_path: &str) -> Result<Typed> {
    let sql = format!("update_fields({}, dropfield())", child.sql);
    let path = parts(field_path)?;
    Ok(Typed { sql, ..remove(ctx, child, &path)? })
}

/// `a.b` and `` `a.b`.c `` as their parts.
fn parts(path: &str) -> Result<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    let mut rest = path.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, parts.last_mut()) {
            ('`', Some(part)) if is_quoted && rest.peek() == Some(&'`') => part.extend(rest.next()),
            ('`', _) => is_quoted = !is_quoted,
            ('.', _) if !is_quoted => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    if is_quoted || parts.iter().any(String::is_empty) {
        return Err(SparkError::new(&error_class::INVALID_IDENTIFIER).param("ident", path));
    }
    Ok(parts)
}

fn fields_of(child: &Typed) -> Result<Vec<StructField>> {
    match &child.data_type {
        DataType::Struct(fields) => Ok(fields.clone()),
        _ => Err(unexpected_type(child, &Accepts::Struct, &format!("update_fields({})", child.sql), 0)),
    }
}

fn places_of(fields: &[StructField], name: &str) -> Vec<usize> {
    let wanted = name.to_lowercase();
    (0..fields.len()).filter(|index| fields[*index].name.to_lowercase() == wanted).collect()
}

fn put(ctx: &FunctionContext, child: Typed, path: &[String], value: Typed) -> Result<Typed> {
    let mut fields = fields_of(&child)?;
    let [name, rest @ ..] = path else { return Ok(value) };
    let value = if rest.is_empty() {
        value
    } else {
        put(ctx, field_of(&child, find_field(&fields, name)?, name)?, rest, value)?
    };
    let mut sources: Vec<_> = (0..fields.len()).map(|index| index.to_string()).collect();
    // A field that is replaced takes the new spelling of its name.
    let field = StructField::new(name.clone(), value.data_type.clone(), value.nullable);
    let places = places_of(&fields, name);
    if places.is_empty() {
        fields.push(field);
        sources.push("+".to_owned());
    } else {
        for place in places {
            fields[place] = field.clone();
            sources[place] = "+".to_owned();
        }
    }
    changed(ctx, child, vec![value], fields, sources)
}

fn remove(ctx: &FunctionContext, child: Typed, path: &[String]) -> Result<Typed> {
    let fields = fields_of(&child)?;
    match path {
        [] => Ok(child),
        [name] => {
            let dropped = places_of(&fields, name);
            if dropped.len() == fields.len() {
                return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_CANNOT_DROP_ALL_FIELDS)
                    .param("sqlExpr", quoted(&format!("update_fields({}, dropfield())", child.sql))));
            }
            let kept = (0..fields.len()).filter(|index| !dropped.contains(index));
            let (sources, fields) = kept.map(|index| (index.to_string(), fields[index].clone())).unzip();
            changed(ctx, child, Vec::new(), fields, sources)
        }
        [name, rest @ ..] => {
            let inner = field_of(&child, find_field(&fields, name)?, name)?;
            let inner = remove(ctx, inner, rest)?;
            put(ctx, child, std::slice::from_ref(name), inner)
        }
    }
}

fn changed(
    ctx: &FunctionContext,
    child: Typed,
    values: Vec<Typed>,
    fields: Vec<StructField>,
    sources: Vec<String>,
) -> Result<Typed> {
    let (nullable, sql) = (child.nullable, child.sql.clone());
    let arguments = std::iter::once(child).chain(values).collect();
    udf::call_with(ctx, "update_struct", arguments, DataType::Struct(fields), nullable, sql, sources)
}

/// Each option is a place in the old struct, or `+` for the new value.
fn update(a: &Args) -> Result<ArrayRef> {
    let parent = a.structs(0)?;
    let columns = a.context.options.iter().map(|source| match source.parse::<usize>() {
        Ok(index) => {
            let column = parent.columns().get(index).cloned();
            column.ok_or_else(|| SparkError::internal(format!("a struct has no field {index}")))
        }
        Err(_) => a.array(1).cloned(),
    });
    let Arrow::Struct(fields) = to_arrow(&a.context.result) else {
        return Err(SparkError::internal("a changed struct is none"));
    };
    let columns = columns.zip(&fields).map(|(column, field)| retyped(column?, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let changed = StructArray::try_new_with_length(fields, columns, parent.nulls().cloned(), a.rows);
    Ok(Arc::new(changed.map_err(from_arrow)?))
}
