//! Which casts there are.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use crate::coercion::{decimal_for, integral_digits, quoted, type_sql};

/// `DATATYPE_MISMATCH.CAST_*` where there is no such cast.
pub(super) fn check(from: &DataType, to: &DataType, ansi: bool, is_try: bool, sql: &str) -> Result<()> {
    if can_cast(from, to, ansi) {
        return Ok(());
    }
    let functions = match (from, to) {
        (DataType::Timestamp, _) if to.is_numeric() => "`UNIX_SECONDS`/`UNIX_MILLIS`/`UNIX_MICROS`",
        (_, DataType::Date) if from.is_numeric() => "`DATE_FROM_UNIX_DATE`",
        (DataType::Date, _) if to.is_numeric() => "`UNIX_DATE`",
        _ => "",
    };
    let error = if ansi && !functions.is_empty() {
        SparkError::new(&error_class::DATATYPE_MISMATCH_CAST_WITH_FUNC_SUGGESTION).param("functionNames", functions)
    } else if ansi && !is_try && can_cast(from, to, false) {
        SparkError::new(&error_class::DATATYPE_MISMATCH_CAST_WITH_CONF_SUGGESTION)
            .param("config", "\"spark.sql.ansi.enabled\"")
            .param("configVal", "'false'")
    } else {
        SparkError::new(&error_class::DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION)
    };
    Err(error.param("sqlExpr", quoted(sql)).param("srcType", type_sql(from)).param("targetType", type_sql(to)))
}

/// Whether every value of one type has its like in the other.
pub fn can_up_cast(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        _ if from == to => true,
        (T::Null, _) | (T::Date, T::Timestamp | T::TimestampNtz) => true,
        (T::Timestamp, T::TimestampNtz) | (T::TimestampNtz, T::Timestamp) => true,
        (T::Array(f, f_null), T::Array(t, t_null)) => can_up_cast(f, t) && (!f_null || *t_null),
        (T::Map(fk, fv, f_null), T::Map(tk, tv, t_null)) => {
            can_up_cast(fk, tk) && can_up_cast(fv, tv) && (!f_null || *t_null)
        }
        (T::Struct(f), T::Struct(t)) => {
            let fits = |(f, t): (&StructField, &StructField)| {
                can_up_cast(&f.data_type, &t.data_type) && (!f.nullable || t.nullable)
            };
            f.len() == t.len() && f.iter().zip(t).all(fits)
        }
        (T::Array(..) | T::Map(..) | T::Struct(_), _) => false,
        (T::Geometry(_), T::Geometry(None)) | (T::Geography(_), T::Geography(None)) => true,
        (T::Geometry(_) | T::Geography(_), _) => false,
        (_, T::String(_)) => !matches!(from, T::Variant | T::Udt(_)),
        _ => match (digits(from), digits(to)) {
            (Some((f_whole, f_scale)), Some((t_whole, t_scale))) => match to {
                T::Float | T::Double if !matches!(from, T::Decimal(..)) => from != &T::Double,
                _ => f_whole <= t_whole && f_scale <= t_scale,
            },
            _ => false,
        },
    }
}

/// Digits before and after the point that a number's type holds.
fn digits(data_type: &DataType) -> Option<(i32, i32)> {
    match data_type {
        DataType::Byte => Some((3, 0)),
        DataType::Short => Some((5, 0)),
        DataType::Integer => Some((10, 0)),
        DataType::Long => Some((20, 0)),
        DataType::Float => Some((7, 7)),
        DataType::Double => Some((15, 15)),
        DataType::Decimal(precision, scale) => Some((i32::from(*precision) - i32::from(*scale), i32::from(*scale))),
        _ => None,
    }
}

/// Whether a value of one type can be cast to the other.
pub fn can_cast(from: &DataType, to: &DataType, ansi: bool) -> bool {
    use DataType as T;
    let legacy = !ansi;
    if from == to {
        return true;
    }
    match (from, to) {
        (T::Null, _) => true,
        (T::Udt(udt), _) => can_cast(&udt.sql_type, to, ansi),
        (_, T::Udt(_)) => false,
        (T::Geometry(_) | T::Geography(_), _) | (_, T::Geometry(_) | T::Geography(_)) => shape_can_become(from, to),
        (T::Variant, _) => variant_can_become(to),
        (_, T::Variant) => can_become_variant(from),
        _ if to.is_string() => true,
        (_, T::Binary) => from.is_string() || (legacy && from.is_integral()),
        (_, T::Boolean) => from.is_string() || from.is_numeric() || (legacy && matches!(from, T::Date | T::Timestamp)),
        (_, T::Timestamp) => {
            from.is_string() || from.is_datetime() || from.is_numeric() || (legacy && *from == T::Boolean)
        }
        (_, T::TimestampNtz | T::Date) => from.is_string() || from.is_datetime(),
        (_, T::Time(_)) => from.is_string() || matches!(from, T::Time(_) | T::TimestampNtz | T::Timestamp),
        (_, T::CalendarInterval) => from.is_string(),
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) | (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        (_, T::YearMonthInterval(..) | T::DayTimeInterval(..)) => {
            from.is_string() || from.is_integral() || matches!(from, T::Decimal(..))
        }
        (T::YearMonthInterval(..) | T::DayTimeInterval(..), _) => to.is_integral() || matches!(to, T::Decimal(..)),
        (T::Array(f, f_null), T::Array(t, t_null)) => can_cast(f, t, ansi) && fits_null(f, *f_null, t, *t_null),
        (T::Map(fk, fv, f_null), T::Map(tk, tv, t_null)) => {
            can_cast(fk, tk, ansi)
                && !forces_null(fk, tk)
                && can_cast(fv, tv, ansi)
                && fits_null(fv, *f_null, tv, *t_null)
        }
        (T::Struct(f), T::Struct(t)) => {
            f.len() == t.len()
                && f.iter().zip(t).all(|(f, t)| {
                    can_cast(&f.data_type, &t.data_type, ansi)
                        && fits_null(&f.data_type, f.nullable, &t.data_type, t.nullable)
                })
        }
        _ if to.is_numeric() => number(from, legacy),
        _ => false,
    }
}

fn number(from: &DataType, legacy: bool) -> bool {
    from.is_string()
        || from.is_numeric()
        || matches!(from, DataType::Boolean | DataType::Timestamp | DataType::Time(_))
        || (legacy && *from == DataType::Date)
}

/// Shapes keep their system of coordinates; only ANY takes all of them.
fn shape_can_become(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        (T::Geography(Some(from)), T::Geometry(Some(to))) | (T::Geometry(Some(from)), T::Geography(Some(to))) => {
            from == to
        }
        _ => can_up_cast(from, to),
    }
}

fn variant_can_become(to: &DataType) -> bool {
    match to {
        DataType::Array(element, _) => variant_can_become(element),
        DataType::Map(key, value, _) => key.is_string() && variant_can_become(value),
        DataType::Struct(fields) => fields.iter().all(|field| variant_can_become(&field.data_type)),
        DataType::CalendarInterval | DataType::Char(_) | DataType::Varchar(_) | DataType::Udt(_) => false,
        DataType::Geometry(_) | DataType::Geography(_) => false,
        _ => true,
    }
}

fn can_become_variant(from: &DataType) -> bool {
    match from {
        DataType::Array(element, _) => can_become_variant(element),
        DataType::Map(key, value, _) => key.is_string() && can_become_variant(value),
        DataType::Struct(fields) => fields.iter().all(|field| can_become_variant(&field.data_type)),
        DataType::CalendarInterval | DataType::Udt(_) | DataType::Geometry(_) | DataType::Geography(_) => false,
        _ => true,
    }
}

fn fits_null(from: &DataType, from_null: bool, to: &DataType, to_null: bool) -> bool {
    to_null || !(from_null || forces_null(from, to))
}

/// Whether the cast may give NULL for a value that is none, whatever the mode.
fn forces_null(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    match (from, to) {
        // The type of an empty array's or map's items, which are none.
        (T::Null, _) => false,
        _ if from == to || to.is_string() => false,
        (_, T::Binary) => false,
        _ if from.is_string() => true,
        (T::Float | T::Double, T::Timestamp) => true,
        (T::Timestamp, T::Byte | T::Short | T::Integer) => true,
        (T::Date, _) if to.is_numeric() || *to == T::Boolean => true,
        (_, T::CalendarInterval) => true,
        (_, T::Decimal(..)) if from.is_numeric() => !is_lossless(from, to),
        (T::Decimal(..), _) if to.is_integral() => true,
        _ => false,
    }
}

/// Whether the cast of a value that is not null may give NULL in this mode.
pub(super) fn may_give_null(from: &DataType, to: &DataType, ansi: bool) -> bool {
    if *from == DataType::Null {
        return true;
    }
    // NaN is no DECIMAL, and texts are not always calendar intervals; neither is an error in Spark.
    let always = matches!(
        (from, to),
        (DataType::Variant, _)
            | (_, DataType::CalendarInterval)
            | (DataType::Float | DataType::Double, DataType::Decimal(..))
    );
    always || (!ansi && forces_null(from, to))
}

/// Whether every value of a number's type is a value of the other's, so that no mode matters.
pub(super) fn is_lossless(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let rank = |t: &T| match t {
        T::Byte => 1,
        T::Short => 2,
        T::Integer => 3,
        T::Long => 4,
        T::Float => 5,
        T::Double => 6,
        _ => 0,
    };
    if let T::Decimal(precision, scale) = to {
        let Some((p, s)) = decimal_for(from) else { return false };
        let digits = if *from == T::Long { 19 } else { integral_digits(p, s) };
        return rank(from) < 5 && integral_digits(*precision, *scale) >= digits && *scale >= s;
    }
    rank(from) > 0 && rank(to) > rank(from)
}
