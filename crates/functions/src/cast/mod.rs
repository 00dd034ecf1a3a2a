//! CAST: which casts there are, and how an expression is cast.
//!
//! ```text
//!   cast(ctx, value, type, mode)
//!     lossless number to number --> DataFusion's own cast, which pruning and join keys see through
//!     everything else           --> kernel "cast"
//! ```

mod castable;
mod conversion;
mod functions;
mod nested;
mod store;
mod text;
mod to_datetime;
mod to_decimal;
mod to_float;
mod to_integer;
mod to_interval;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Cast, Expr};
use firesteel_model::Result;
use firesteel_spec::expr::CastMode;
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow, type_metadata};
use firesteel_spec::{DataType, Literal};

pub use castable::{can_cast, can_up_cast};
pub use conversion::KERNELS;
pub use conversion::{Mode, cast_array, invalid_text};
pub(crate) use functions::TABLE;
pub use store::{fill_up, store};
pub(crate) use text::writer;
pub use text::{TextStyle, write_array};
pub(crate) use to_decimal::wide_out_of_range;

use crate::call::{FunctionContext, Typed};
use crate::datetime::{Zone, parse_timestamp, special_date, special_timestamp, special_timestamp_ntz};
use crate::{literal, udf};

/// Casts as the user asked; the SQL text becomes `CAST(a AS INT)`.
///
/// Errors: `DATATYPE_MISMATCH.CAST_*` where there is no such cast.
pub fn cast(ctx: &FunctionContext, value: Typed, target: &DataType, mode: CastMode) -> Result<Typed> {
    if mode == CastMode::Store {
        return store(ctx, value, target);
    }
    // As in Spark, CHAR and VARCHAR exist in tables only.
    let target = &without_lengths(target);
    if mode == CastMode::Ansi
        && let Some(constant) = typed_literal(ctx, &value, target)?
    {
        return Ok(constant);
    }
    let ansi = mode != CastMode::Session || ctx.ansi;
    let word = if mode == CastMode::Try { "TRY_CAST" } else { "CAST" };
    // As in Spark, a cast to a type with parts leaves no trace in a column's name.
    let sql = match target {
        DataType::Array(..) | DataType::Map(..) | DataType::Struct(_) => value.sql.clone(),
        _ => format!("{word}({} AS {})", value.sql, target.sql()),
    };
    castable::check(&value.data_type, target, ansi, mode == CastMode::Try, &sql)?;
    if value.data_type == *target && matches!(value.expr, Expr::Literal(..)) && target.is_integral() {
        // Still a cast: next to a decimal, a constant has fewer digits than its type.
        let expr = Expr::Cast(Cast::new(Box::new(value.expr), to_arrow(target)));
        return Ok(Typed { expr, sql, ..value });
    }
    let ctx = FunctionContext { ansi, ..ctx.clone() };
    let cast = if mode == CastMode::Try {
        try_cast_unchecked(&ctx, value, target)
    } else {
        cast_unchecked(&ctx, value, target)
    };
    Ok(Typed { sql, ..cast? })
}

/// Casts in the session's mode without asking whether there is such a cast; the SQL text stays.
pub(crate) fn cast_unchecked(ctx: &FunctionContext, value: Typed, target: &DataType) -> Result<Typed> {
    convert(ctx, value, target, Vec::new())
}

fn try_cast_unchecked(ctx: &FunctionContext, value: Typed, target: &DataType) -> Result<Typed> {
    convert(ctx, value, target, vec!["try".to_owned()])
}

fn convert(ctx: &FunctionContext, value: Typed, target: &DataType, options: Vec<String>) -> Result<Typed> {
    if value.data_type == *target {
        return Ok(value);
    }
    if let (DataType::Char(_) | DataType::Varchar(_), DataType::String(None)) = (&value.data_type, target) {
        // The same text; pruning must go on seeing the column.
        return Ok(Typed { data_type: DataType::STRING, ..value });
    }
    if let Some(special) = special_moment(ctx, &value, target) {
        return Ok(special);
    }
    let arrow = to_arrow(target);
    if type_metadata(target).is_empty() {
        if let Expr::Literal(constant, _) = &value.expr
            && constant.is_null()
        {
            let expr = Expr::Literal(ScalarValue::try_from(&arrow).map_err(crate::errors::from_datafusion)?, None);
            return Ok(Typed { expr, data_type: target.clone(), nullable: true, sql: value.sql });
        }
        if castable::is_lossless(&value.data_type, target) {
            let expr = Expr::Cast(Cast::new(Box::new(value.expr), arrow));
            return Ok(Typed { expr, data_type: target.clone(), nullable: value.nullable, sql: value.sql });
        }
    }
    let nullable = value.nullable || !options.is_empty() || castable::may_give_null(&value.data_type, target, ctx.ansi);
    let sql = value.sql.clone();
    udf::call_with(ctx, "cast", vec![value], target.clone(), nullable, sql, options)
}

/// The type with STRING in place of CHAR and VARCHAR.
pub fn without_lengths(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Char(_) | DataType::Varchar(_) => DataType::STRING,
        DataType::Array(element, contains_null) => DataType::Array(Box::new(without_lengths(element)), *contains_null),
        DataType::Map(key, value, contains_null) => {
            DataType::Map(Box::new(without_lengths(key)), Box::new(without_lengths(value)), *contains_null)
        }
        DataType::Struct(fields) => {
            let field = |field: &firesteel_spec::StructField| firesteel_spec::StructField {
                data_type: without_lengths(&field.data_type),
                ..field.clone()
            };
            DataType::Struct(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// `'epoch'`, `'now'`, `'today'`, `'yesterday'` and `'tomorrow'` as constants of a query.
fn special_moment(ctx: &FunctionContext, value: &Typed, target: &DataType) -> Option<Typed> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &value.expr else { return None };
    let zone = Zone::find(&ctx.time_zone)?;
    let constant = match target {
        DataType::Date => ScalarValue::Date32(Some(special_date(text, ctx.now_us, &zone)?)),
        DataType::Timestamp => {
            let instant = special_timestamp(text, ctx.now_us, &zone)?;
            ScalarValue::TimestampMicrosecond(Some(instant), Some(INSTANT_ZONE.into()))
        }
        DataType::TimestampNtz => {
            ScalarValue::TimestampMicrosecond(Some(special_timestamp_ntz(text, ctx.now_us, &zone)?), None)
        }
        _ => return None,
    };
    let expr = Expr::Literal(constant, None);
    Some(Typed { expr, data_type: target.clone(), nullable: false, sql: value.sql.clone() })
}

/// `TIMESTAMP '..'`, whose zone is the session's, as the constant it is.
fn typed_literal(ctx: &FunctionContext, value: &Typed, target: &DataType) -> Result<Option<Typed>> {
    let (Expr::Literal(ScalarValue::Utf8(Some(text)), _), DataType::Timestamp) = (&value.expr, target) else {
        return Ok(None);
    };
    let Some(instant) = parse_timestamp(text, &Zone::parse(&ctx.time_zone)?, Some(ctx.now_us)) else {
        return Ok(None);
    };
    literal::typed(&Literal::Timestamp(instant), ctx).map(Some)
}
