//! The type that several values share.

use firesteel_spec::{DataType, StructField};

use super::decimals::{decimal_for, wider_decimal};
use super::implicit::is_atomic;
use crate::call::FunctionContext;

type Find<'a> = &'a dyn Fn(&DataType, &DataType) -> Option<DataType>;

/// The type that all values are cast to where they must agree (CASE, COALESCE, IN, UNION); `None` when there is none.
pub fn common_type(ctx: &FunctionContext, types: &[DataType]) -> Option<DataType> {
    fold(types, &|a, b| widest(ctx, a, b))
}

/// The same, but strings do not take over other types (GREATEST and LEAST without ANSI).
pub fn common_type_without_strings(ctx: &FunctionContext, types: &[DataType]) -> Option<DataType> {
    if ctx.ansi {
        return common_type(ctx, types);
    }
    fold(types, &|a, b| wider(ctx, a, b))
}

/// Strings go first: whether they meet a number or a date first must not matter.
fn fold(types: &[DataType], find: Find) -> Option<DataType> {
    let holds_string = |t: &&DataType| match t {
        DataType::Array(element, _) => element.is_string(),
        other => other.is_string(),
    };
    let (strings, others): (Vec<_>, Vec<_>) = types.iter().partition(holds_string);
    let mut all = strings.into_iter().chain(others);
    let first = all.next().cloned().unwrap_or(DataType::Null);
    all.try_fold(first, |found, next| find(&found, next))
}

/// The type that two values share.
pub fn widest(ctx: &FunctionContext, a: &DataType, b: &DataType) -> Option<DataType> {
    tightest_type(ctx, a, b)
        .or_else(|| decimal_type(a, b))
        .or_else(|| if ctx.ansi { ansi_string(a, b) } else { legacy_string(a, b) })
        .or_else(|| nested(a, b, &|a, b| widest(ctx, a, b)))
}

fn wider(ctx: &FunctionContext, a: &DataType, b: &DataType) -> Option<DataType> {
    tightest_type(ctx, a, b).or_else(|| decimal_type(a, b)).or_else(|| nested(a, b, &|a, b| wider(ctx, a, b)))
}

/// The type that two operands of a comparison are cast to.
pub fn comparison_type(ctx: &FunctionContext, a: &DataType, b: &DataType) -> Option<DataType> {
    if ctx.ansi {
        return widest(ctx, a, b);
    }
    let (string, other) = match (a.is_string(), b.is_string()) {
        (true, false) => (true, b),
        (false, true) => (true, a),
        _ => (false, a),
    };
    if !string {
        return widest(ctx, a, b);
    }
    match other {
        DataType::Null => Some(DataType::STRING),
        DataType::Decimal(..) => Some(DataType::Double),
        DataType::Binary => Some(DataType::Binary),
        DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) => None,
        other if is_atomic(other) => Some(other.clone()),
        _ => None,
    }
}

/// The type that holds the values of both without loss or text.
pub fn tightest_type(ctx: &FunctionContext, a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        _ if a.is_string() && b.is_string() => string_type(a, b),
        (DataType::Decimal(..), _) | (_, DataType::Decimal(..)) => exact_decimal(a, b),
        _ if a.is_numeric() && b.is_numeric() => numeric(ctx, a, b),
        _ if a.is_datetime() && b.is_datetime() => Some(datetime(a, b)),
        (DataType::Time(a), DataType::Time(b)) => Some(DataType::Time(*a.max(b))),
        (DataType::Geometry(_), DataType::Geometry(_)) => Some(DataType::Geometry(None)),
        (DataType::Geography(_), DataType::Geography(_)) => Some(DataType::Geography(None)),
        (DataType::YearMonthInterval(a, b), DataType::YearMonthInterval(c, d)) => {
            Some(DataType::YearMonthInterval(*a.min(c), *b.max(d)))
        }
        (DataType::DayTimeInterval(a, b), DataType::DayTimeInterval(c, d)) => {
            Some(DataType::DayTimeInterval(*a.min(c), *b.max(d)))
        }
        _ => nested(a, b, &|a, b| tightest_type(ctx, a, b)),
    }
}

fn string_type(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (DataType::String(Some(_)), DataType::String(Some(_))) => None,
        (DataType::String(Some(name)), _) | (_, DataType::String(Some(name))) => {
            Some(DataType::String(Some(name.clone())))
        }
        _ => Some(DataType::STRING),
    }
}

/// A decimal that is wider than the other operand already is the answer.
fn exact_decimal(a: &DataType, b: &DataType) -> Option<DataType> {
    let holds = |wide: &DataType, narrow: &DataType| match (wide, decimal_for(narrow)) {
        (DataType::Decimal(precision, scale), Some((p, s))) if !is_float(narrow) => {
            i32::from(*precision) - i32::from(*scale) >= i32::from(p) - i32::from(s) && *scale >= s
        }
        _ => false,
    };
    if holds(a, b) {
        Some(a.clone())
    } else if holds(b, a) {
        Some(b.clone())
    } else {
        None
    }
}

fn decimal_type(a: &DataType, b: &DataType) -> Option<DataType> {
    if !matches!(a, DataType::Decimal(..)) && !matches!(b, DataType::Decimal(..)) {
        return None;
    }
    let (left, right) = (decimal_for(a)?, decimal_for(b)?);
    if is_float(a) || is_float(b) {
        return Some(DataType::Double);
    }
    let (precision, scale) = wider_decimal(left, right);
    Some(DataType::Decimal(precision, scale))
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float | DataType::Double)
}

fn numeric(ctx: &FunctionContext, a: &DataType, b: &DataType) -> Option<DataType> {
    const ORDER: [DataType; 6] =
        [DataType::Byte, DataType::Short, DataType::Integer, DataType::Long, DataType::Float, DataType::Double];
    let wider = ORDER.iter().rev().find(|t| *t == a || *t == b)?;
    // An integer next to a FLOAT would lose digits.
    Some(if ctx.ansi && *wider == DataType::Float { DataType::Double } else { wider.clone() })
}

fn datetime(a: &DataType, b: &DataType) -> DataType {
    let has = |t: DataType| *a == t || *b == t;
    if has(DataType::Timestamp) { DataType::Timestamp } else { DataType::TimestampNtz }
}

fn ansi_string(a: &DataType, b: &DataType) -> Option<DataType> {
    let other = match (a.is_string(), b.is_string()) {
        (true, false) => b,
        (false, true) => a,
        _ => return None,
    };
    match other {
        t if t.is_integral() => Some(DataType::Long),
        t if t.is_numeric() => Some(DataType::Double),
        DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) => None,
        t if is_atomic(t) => Some(t.clone()),
        _ => None,
    }
}

fn legacy_string(a: &DataType, b: &DataType) -> Option<DataType> {
    let other = match (a.is_string(), b.is_string()) {
        (true, false) => b,
        (false, true) => a,
        _ => return None,
    };
    (is_atomic(other) && !matches!(other, DataType::Binary | DataType::Boolean)).then_some(DataType::STRING)
}

fn nested(a: &DataType, b: &DataType, find: Find) -> Option<DataType> {
    match (a, b) {
        (DataType::Array(x, x_null), DataType::Array(y, y_null)) => {
            let element = find(x, y)?;
            let contains_null = *x_null || *y_null || loses(x, &element) || loses(y, &element);
            Some(DataType::Array(Box::new(element), contains_null))
        }
        (DataType::Map(xk, xv, x_null), DataType::Map(yk, yv, y_null)) => {
            let (key, value) = (find(xk, yk)?, find(xv, yv)?);
            let contains_null = *x_null || *y_null || loses(xv, &value) || loses(yv, &value);
            (!loses(xk, &key) && !loses(yk, &key)).then(|| DataType::Map(Box::new(key), Box::new(value), contains_null))
        }
        (DataType::Struct(xs), DataType::Struct(ys)) if same_names(xs, ys) => {
            xs.iter().zip(ys).map(|(x, y)| field(x, y, find)).collect::<Option<_>>().map(DataType::Struct)
        }
        _ => None,
    }
}

fn field(x: &StructField, y: &StructField, find: Find) -> Option<StructField> {
    let data_type = find(&x.data_type, &y.data_type)?;
    let nullable = x.nullable || y.nullable || loses(&x.data_type, &data_type) || loses(&y.data_type, &data_type);
    Some(StructField::new(x.name.clone(), data_type, nullable))
}

fn same_names(xs: &[StructField], ys: &[StructField]) -> bool {
    xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| x.name.eq_ignore_ascii_case(&y.name))
}

/// Whether a cast from one type to the other may give NULL for a value that is none.
fn loses(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Null, _) => *to != DataType::Null,
        _ if same_type(from, to) || to.is_string() => false,
        _ if from.is_string() => *to != DataType::Binary,
        (_, DataType::Decimal(..)) => exact_decimal(from, to).as_ref() != Some(to),
        _ => false,
    }
}

/// Whether two types are the same but for what may be null in them.
pub fn same_type(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::Array(a, _), DataType::Array(b, _)) => same_type(a, b),
        (DataType::Map(ak, av, _), DataType::Map(bk, bv, _)) => same_type(ak, bk) && same_type(av, bv),
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.name.eq_ignore_ascii_case(&b.name) && same_type(&a.data_type, &b.data_type))
        }
        _ => a == b,
    }
}
