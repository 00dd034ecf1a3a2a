//! Which type an argument is cast to where a parameter takes something else.

use firesteel_spec::DataType;

use super::{Accepts, same_type};
use crate::call::FunctionContext;

/// The type that a value is cast to for a parameter; `None` where Spark does not cast by itself.
pub fn implicit_type(ctx: &FunctionContext, from: &DataType, to: &Accepts) -> Option<DataType> {
    if to.accepts(from) {
        return Some(from.clone());
    }
    if let DataType::Char(_) | DataType::Varchar(_) = from {
        return implicit_type(ctx, &DataType::STRING, to);
    }
    if let Accepts::OneOf(choices) = to {
        let default = || choices.iter().find_map(|choice| implicit_type(ctx, from, choice));
        return if *from == DataType::Null { Some(to.default_type()) } else { default() };
    }
    if *from == DataType::Null {
        return Some(to.default_type());
    }
    if let Accepts::Only(_) = to {
        return None;
    }
    if let (DataType::Array(from, contains_null), Accepts::ArrayOf(to)) = (from, to) {
        return Some(DataType::Array(Box::new(implicit_type(ctx, from, to)?), *contains_null));
    }
    if ctx.ansi { ansi(from, to) } else { legacy(ctx, from, to) }
}

fn ansi(from: &DataType, to: &Accepts) -> Option<DataType> {
    match to {
        Accepts::Is(target) if from.is_string() && is_atomic(target) => Some(target.clone()),
        Accepts::Is(target) => can_store(from, target).then(|| target.clone()),
        Accepts::Numeric if from.is_string() => Some(DataType::Double),
        Accepts::Decimal if from.is_string() => Some(DataType::Decimal(38, 18)),
        Accepts::Decimal => Accepts::decimal_target(from),
        Accepts::Timestamp if from.is_string() || *from == DataType::Date => Some(DataType::Timestamp),
        Accepts::Time if from.is_string() => Some(DataType::Time(6)),
        Accepts::String if is_atomic(from) || *from == DataType::CalendarInterval => Some(DataType::STRING),
        _ => None,
    }
}

fn legacy(ctx: &FunctionContext, from: &DataType, to: &Accepts) -> Option<DataType> {
    match to {
        Accepts::Numeric if from.is_string() => Some(DataType::Double),
        Accepts::Decimal if from.is_string() => Some(DataType::Decimal(38, 18)),
        Accepts::Decimal => Accepts::decimal_target(from),
        Accepts::Timestamp if from.is_string() || *from == DataType::Date => Some(DataType::Timestamp),
        Accepts::Time if from.is_string() => Some(DataType::Time(6)),
        Accepts::String if is_atomic(from) => Some(DataType::STRING),
        Accepts::Is(target) => legacy_to(ctx, from, target),
        _ => None,
    }
}

fn legacy_to(ctx: &FunctionContext, from: &DataType, target: &DataType) -> Option<DataType> {
    let fits = match (from, target) {
        _ if from.is_numeric() && target.is_numeric() => true,
        _ if from.is_datetime() && target.is_datetime() => true,
        _ if from.is_string() => target.is_numeric() || target.is_datetime() || *target == DataType::Binary,
        (_, DataType::String(_)) => is_atomic(from),
        (DataType::Array(from, from_null), DataType::Array(to, to_null)) => {
            (*to_null || !from_null) && legacy_nested(ctx, from, to)
        }
        (DataType::Map(from_key, from_value, from_null), DataType::Map(to_key, to_value, to_null)) => {
            (*to_null || !from_null) && legacy_nested(ctx, from_key, to_key) && legacy_nested(ctx, from_value, to_value)
        }
        _ => false,
    };
    fits.then(|| target.clone())
}

fn legacy_nested(ctx: &FunctionContext, from: &DataType, to: &DataType) -> bool {
    implicit_type(ctx, from, &Accepts::Is(to.clone())).is_some_and(|found| same_type(&found, to))
}

/// Whether a value of type `from` may be stored into a column of type `to` (ANSI store assignment).
pub fn can_store(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        _ if same_type(from, to) => true,
        (DataType::Null, _) => true,
        _ if from.is_numeric() && to.is_numeric() => true,
        _ if from.is_datetime() && to.is_datetime() => true,
        (DataType::CalendarInterval, _) if to.is_string() => true,
        _ if to.is_string() => is_atomic(from),
        (DataType::YearMonthInterval(..), DataType::YearMonthInterval(..)) => true,
        (DataType::DayTimeInterval(..), DataType::DayTimeInterval(..)) => true,
        (DataType::Time(_), DataType::Time(_)) => true,
        (DataType::Geometry(_), DataType::Geometry(None)) | (DataType::Geography(_), DataType::Geography(None)) => true,
        (DataType::Array(from, from_null), DataType::Array(to, to_null)) => {
            (*to_null || !from_null) && can_store(from, to)
        }
        (DataType::Map(from_key, from_value, from_null), DataType::Map(to_key, to_value, to_null)) => {
            (*to_null || !from_null) && can_store(from_key, to_key) && can_store(from_value, to_value)
        }
        (DataType::Struct(from), DataType::Struct(to)) => {
            from.len() == to.len()
                && from
                    .iter()
                    .zip(to)
                    .all(|(f, t)| (t.nullable || !f.nullable) && can_store(&f.data_type, &t.data_type))
        }
        _ => false,
    }
}

/// Spark's atomic types: everything but NULL, calendar intervals, nested types, variants and user-defined types.
pub(crate) fn is_atomic(data_type: &DataType) -> bool {
    !matches!(
        data_type,
        DataType::Null
            | DataType::CalendarInterval
            | DataType::Array(..)
            | DataType::Map(..)
            | DataType::Struct(_)
            | DataType::Variant
            | DataType::Geometry(_)
            | DataType::Geography(_)
            | DataType::Udt(_)
    )
}
