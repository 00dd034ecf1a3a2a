//! `+ - * / % div` and their kin: which types they take and give.

use datafusion::logical_expr::Expr;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::temporal;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{
    Accepts, bounded, coerce_argument, convert, decimal_for, is_atomic, quoted, tightest_type, type_sql,
};
use crate::registry::{Build, Definition};
use crate::udf;

/// The operators of this file.
pub(super) static TABLE: &[Definition] = &[
    row("+", 1, |ctx, args| binary_or_unary(ctx, args, &ADD), "sum"),
    row("-", 1, |ctx, args| binary_or_unary(ctx, args, &SUBTRACT), "difference"),
    row("*", 2, |ctx, args| binary(ctx, args, &MULTIPLY, None), "product"),
    row("/", 2, |ctx, args| binary(ctx, args, &DIVIDE, None), "quotient, never cut to a whole number"),
    row("%", 2, |ctx, args| binary(ctx, args, &REMAINDER, None), "remainder, with the sign of the dividend"),
    row("mod", 2, |ctx, args| binary(ctx, args, &REMAINDER, Some("mod")), "remainder, with the sign of the dividend"),
    row("div", 2, |ctx, args| binary(ctx, args, &INTEGRAL_DIVIDE, None), "quotient cut to a whole number"),
    row("pmod", 2, |ctx, args| binary(ctx, args, &PMOD, Some("pmod")), "remainder that is not negative"),
    row("try_add", 2, |ctx, args| tolerant(ctx, args, &ADD, "try_add"), "sum, or NULL on overflow"),
    row(
        "try_subtract",
        2,
        |ctx, args| tolerant(ctx, args, &SUBTRACT, "try_subtract"),
        "difference, or NULL on overflow",
    ),
    row("try_multiply", 2, |ctx, args| tolerant(ctx, args, &MULTIPLY, "try_multiply"), "product, or NULL on overflow"),
    row("try_divide", 2, |ctx, args| tolerant(ctx, args, &DIVIDE, "try_divide"), "quotient, or NULL of zero"),
    row("try_mod", 2, |ctx, args| tolerant(ctx, args, &REMAINDER, "try_mod"), "remainder, or NULL of zero"),
    row("negative", 1, |ctx, args| unary(ctx, args, "negate", |sql| format!("negative({sql})")), "the number negated"),
    row("positive", 1, |ctx, args| unary(ctx, args, "", |sql| format!("(+ {sql})")), "the number itself"),
    row("abs", 1, |ctx, args| unary(ctx, args, "abs", |sql| format!("abs({sql})")), "the number without sign"),
];

const fn row(
    name: &'static str,
    least: usize,
    build: fn(&FunctionContext, Vec<Typed>) -> Result<Typed>,
    doc: &'static str,
) -> Definition {
    // A sign is an operator of one operand.
    let most = if least == 1 && name.len() == 1 { 2 } else { least };
    Definition { name, arity: (least, most), build: Build::Scalar(build), doc }
}

/// A binary operator.
#[derive(Debug)]
pub(super) struct Operator {
    pub kernel: &'static str,
    pub symbol: &'static str,
    pub accepts: Accepts,
}

const NUMBER_OR_INTERVAL: Accepts = Accepts::OneOf(&[
    Accepts::Numeric,
    Accepts::DayTimeInterval,
    Accepts::YearMonthInterval,
    Accepts::Is(DataType::CalendarInterval),
]);
pub(super) static ADD: Operator = Operator { kernel: "add", symbol: "+", accepts: NUMBER_OR_INTERVAL };
pub(super) static SUBTRACT: Operator = Operator { kernel: "subtract", symbol: "-", accepts: NUMBER_OR_INTERVAL };
static MULTIPLY: Operator = Operator { kernel: "multiply", symbol: "*", accepts: Accepts::Numeric };
static DIVIDE: Operator = Operator {
    kernel: "divide",
    symbol: "/",
    accepts: Accepts::OneOf(&[Accepts::Is(DataType::Double), Accepts::Decimal]),
};
static INTEGRAL_DIVIDE: Operator = Operator {
    kernel: "integral_divide",
    symbol: "div",
    accepts: Accepts::OneOf(&[
        Accepts::Is(DataType::Long),
        Accepts::Decimal,
        Accepts::YearMonthInterval,
        Accepts::DayTimeInterval,
    ]),
};
static REMAINDER: Operator = Operator { kernel: "remainder", symbol: "%", accepts: Accepts::Numeric };
static PMOD: Operator = Operator { kernel: "pmod", symbol: "pmod", accepts: Accepts::Numeric };

fn tolerant(ctx: &FunctionContext, arguments: Vec<Typed>, operator: &Operator, name: &str) -> Result<Typed> {
    apply(ctx, arguments, operator, Some(name), true)
}

fn binary(ctx: &FunctionContext, arguments: Vec<Typed>, operator: &Operator, name: Option<&str>) -> Result<Typed> {
    apply(ctx, arguments, operator, name, false)
}

fn binary_or_unary(ctx: &FunctionContext, arguments: Vec<Typed>, operator: &Operator) -> Result<Typed> {
    if arguments.len() == 2 {
        return binary(ctx, arguments, operator, None);
    }
    match operator.symbol {
        "-" => unary(ctx, arguments, "negate", |sql| format!("(- {sql})")),
        _ => unary(ctx, arguments, "", |sql| format!("(+ {sql})")),
    }
}

fn apply(
    ctx: &FunctionContext,
    arguments: Vec<Typed>,
    operator: &Operator,
    name: Option<&str>,
    is_try: bool,
) -> Result<Typed> {
    let [left, right] = <[Typed; 2]>::try_from(arguments).map_err(|_| SparkError::internal("an operator of two"))?;
    let sql = match name {
        Some(name) => format!("{name}({}, {})", left.sql, right.sql),
        None => format!("({} {} {})", left.sql, operator.symbol, right.sql),
    };
    if let Some(typed) = temporal::apply(ctx, &left, &right, operator, is_try, &sql)? {
        return Ok(if is_try { Typed { sql, ..typed } } else { typed });
    }
    let (left, right) = operands(ctx, left, right, operator, &sql)?;
    let result = result_type(ctx, &left.data_type, &right.data_type, operator);
    let may_fail = is_try || (!ctx.ansi && can_be_null(&result, operator));
    call(ctx, operator.kernel, vec![left, right], result, may_fail, is_try, sql)
}

/// Whether the operator gives NULL for values without ANSI.
fn can_be_null(result: &DataType, operator: &Operator) -> bool {
    matches!(result, DataType::Decimal(..)) || matches!(operator.symbol, "/" | "%" | "div" | "pmod")
}

/// A call of an arithmetic kernel; errors become NULL when `is_try`.
pub(super) fn call(
    ctx: &FunctionContext,
    kernel: &str,
    arguments: Vec<Typed>,
    result: DataType,
    may_fail: bool,
    is_try: bool,
    sql: String,
) -> Result<Typed> {
    let nullable = may_fail || arguments.iter().any(|argument| argument.nullable);
    let options = if is_try { vec!["try".to_owned()] } else { Vec::new() };
    let ctx = FunctionContext { ansi: ctx.ansi && !is_try, ..ctx.clone() };
    udf::call_with(&ctx, kernel, arguments, result, nullable, sql, options)
}

/// Casts both operands as the operator wants them: decimals keep their own scales.
fn operands(
    ctx: &FunctionContext,
    left: Typed,
    right: Typed,
    operator: &Operator,
    sql: &str,
) -> Result<(Typed, Typed)> {
    let (left, right) = promote_strings(ctx, left, right)?;
    let (left, right) = widen(ctx, left, right)?;
    if !coercion_agrees(&left.data_type, &right.data_type) {
        return Err(binary_type_error(&left, &right, &operator.accepts, sql));
    }
    let both_decimal = matches!(left.data_type, DataType::Decimal(..));
    let target = match operator.kernel {
        _ if both_decimal || !left.data_type.is_numeric() => None,
        "divide" => Some(DataType::Double),
        "integral_divide" if left.data_type.is_integral() => Some(DataType::Long),
        "integral_divide" => None,
        _ => None,
    };
    let (left, right) = match target {
        Some(target) => (convert(ctx, left, &target)?, convert(ctx, right, &target)?),
        None => (left, right),
    };
    if !operator.accepts.accepts(&left.data_type) {
        return Err(binary_type_error(&left, &right, &operator.accepts, sql));
    }
    Ok((left, right))
}

fn coercion_agrees(left: &DataType, right: &DataType) -> bool {
    left == right || matches!((left, right), (DataType::Decimal(..), DataType::Decimal(..)))
}

/// `BINARY_OP_DIFF_TYPES` or, of operands of one type, `BINARY_OP_WRONG_TYPE`.
pub fn binary_type_error(left: &Typed, right: &Typed, accepts: &Accepts, sql: &str) -> SparkError {
    if left.data_type != right.data_type {
        return SparkError::new(&error_class::DATATYPE_MISMATCH_BINARY_OP_DIFF_TYPES)
            .param("sqlExpr", quoted(sql))
            .param("left", type_sql(&left.data_type))
            .param("right", type_sql(&right.data_type));
    }
    SparkError::new(&error_class::DATATYPE_MISMATCH_BINARY_OP_WRONG_TYPE)
        .param("sqlExpr", quoted(sql))
        .param("inputType", accepts.sql())
        .param("actualDataType", type_sql(&left.data_type))
}

/// Text next to a value is read as such a value under ANSI and as a number otherwise; NULL takes the other's type.
fn promote_strings(ctx: &FunctionContext, left: Typed, right: Typed) -> Result<(Typed, Typed)> {
    let is_interval = |t: &DataType| {
        matches!(t, DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) | DataType::CalendarInterval)
    };
    let target = |own: &DataType, other: &DataType| match (own, other) {
        (DataType::Null, DataType::Null) => Some(DataType::Double),
        (DataType::Null, other) if other.is_numeric() || other.is_string() => Some(other.clone()),
        (own, other) if !own.is_string() || is_interval(other) => None,
        _ if !ctx.ansi => Some(DataType::Double),
        (_, other) if other.is_string() || *other == DataType::Null => None,
        (_, other) if other.is_integral() => Some(DataType::Long),
        (_, other) if other.is_numeric() => Some(DataType::Double),
        (_, other) => is_atomic(other).then(|| other.clone()),
    };
    let to_left = target(&left.data_type, &right.data_type);
    let to_right = target(&right.data_type, &left.data_type);
    let cast = |value: Typed, to: Option<DataType>| match to {
        Some(to) => convert(ctx, value, &to),
        None => Ok(value),
    };
    Ok((cast(left, to_left)?, cast(right, to_right)?))
}

fn widen(ctx: &FunctionContext, left: Typed, right: Typed) -> Result<(Typed, Typed)> {
    let is_decimal = |value: &Typed| matches!(value.data_type, DataType::Decimal(..));
    if !left.data_type.is_numeric() || !right.data_type.is_numeric() {
        return Ok((left, right));
    }
    if !is_decimal(&left) && !is_decimal(&right) {
        let Some(common) = tightest_type(ctx, &left.data_type, &right.data_type) else { return Ok((left, right)) };
        return Ok((convert(ctx, left, &common)?, convert(ctx, right, &common)?));
    }
    let has_float = |value: &Typed| matches!(value.data_type, DataType::Float | DataType::Double);
    if has_float(&left) || has_float(&right) {
        return Ok((convert(ctx, left, &DataType::Double)?, convert(ctx, right, &DataType::Double)?));
    }
    Ok((as_decimal(ctx, left)?, as_decimal(ctx, right)?))
}

/// An integer next to a decimal: constants take just the digits they have.
fn as_decimal(ctx: &FunctionContext, value: Typed) -> Result<Typed> {
    let Some((precision, scale)) = decimal_for(&value.data_type) else { return Ok(value) };
    let precision = match &value.expr {
        Expr::Literal(constant, _) if value.data_type.is_integral() && !constant.is_null() => {
            let digits = constant.to_string().trim_start_matches('-').len();
            u8::try_from(digits).unwrap_or(precision)
        }
        _ => precision,
    };
    convert(ctx, value, &DataType::Decimal(precision, scale))
}

fn result_type(ctx: &FunctionContext, left: &DataType, right: &DataType, operator: &Operator) -> DataType {
    match (left, right) {
        (DataType::Decimal(p1, s1), DataType::Decimal(p2, s2)) => {
            if operator.symbol == "div" {
                return DataType::Long;
            }
            let (precision, scale) = decimal_result_in(ctx, operator.symbol, (*p1, *s1), (*p2, *s2));
            DataType::Decimal(precision, scale)
        }
        _ if operator.symbol == "div" => DataType::Long,
        _ => left.clone(),
    }
}

/// Precision and scale of `+ - * / %` of decimals; `pmod` is as `%`.
pub fn decimal_result(symbol: &str, left: (u8, i8), right: (u8, i8)) -> (u8, i8) {
    let (p1, s1, p2, s2) = (i32::from(left.0), i32::from(left.1), i32::from(right.0), i32::from(right.1));
    match symbol {
        "*" => adjusted(p1 + p2 + 1, s1 + s2),
        "/" => {
            let scale = 6.max(s1 + p2 + 1);
            adjusted(p1 - s1 + s2 + scale, scale)
        }
        "%" | "pmod" => adjusted((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
        _ => adjusted((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
    }
}

/// The same under `spark.sql.decimalOperations.allowPrecisionLoss`: without it, digits in front are lost instead.
fn decimal_result_in(ctx: &FunctionContext, symbol: &str, left: (u8, i8), right: (u8, i8)) -> (u8, i8) {
    if ctx.allows_precision_loss {
        return decimal_result(symbol, left, right);
    }
    let (p1, s1, p2, s2) = (i32::from(left.0), i32::from(left.1), i32::from(right.0), i32::from(right.1));
    let scale = s1.max(s2);
    match symbol {
        "*" => bounded(p1 + p2 + 1, s1 + s2),
        "/" => {
            let (mut integral, mut fraction) = ((p1 - s1 + s2).min(38), 6.max(s1 + p2 + 1).min(38));
            let excess = integral + fraction - 38;
            if excess > 0 {
                fraction -= excess / 2 + 1;
                integral = 38 - fraction;
            }
            bounded(integral + fraction, fraction)
        }
        "%" | "pmod" => bounded((p1 - s1).min(p2 - s2) + scale, scale),
        _ => bounded((p1 - s1).max(p2 - s2) + scale + 1, scale),
    }
}

/// What does not fit 38 digits loses digits of the fraction, but keeps six of them.
fn adjusted(precision: i32, scale: i32) -> (u8, i8) {
    if precision <= 38 || scale < 0 {
        return bounded(precision, scale);
    }
    bounded(38, (38 - (precision - scale)).max(scale.min(6)))
}

fn unary(ctx: &FunctionContext, arguments: Vec<Typed>, kernel: &str, sql: fn(&str) -> String) -> Result<Typed> {
    let Some(value) = arguments.into_iter().next() else { return Err(SparkError::internal("an operator of one")) };
    let sql = sql(&value.sql);
    let accepts = if kernel == "abs" {
        Accepts::OneOf(&[Accepts::Numeric, Accepts::DayTimeInterval, Accepts::YearMonthInterval])
    } else {
        NUMBER_OR_INTERVAL
    };
    let value = coerce_argument(ctx, value, &accepts, &sql, 0)?;
    if kernel.is_empty() {
        return Ok(Typed { sql, ..value });
    }
    if let (Expr::Literal(constant, metadata), "negate") = (&value.expr, kernel)
        && let Ok(negated) = constant.arithmetic_negate()
        && !matches!(value.data_type, DataType::CalendarInterval)
    {
        // A negative constant stays a constant.
        return Ok(Typed { expr: Expr::Literal(negated, metadata.clone()), sql, ..value });
    }
    let result = value.data_type.clone();
    call(ctx, kernel, vec![value], result, false, false, sql)
}

#[cfg(test)]
mod tests {
    use super::decimal_result;

    #[test]
    fn decimals() {
        for (symbol, left, right, expected) in [
            ("+", (10, 2), (5, 3), (12, 3)),
            ("*", (10, 2), (5, 3), (16, 5)),
            ("*", (38, 10), (38, 10), (38, 6)),
            ("/", (10, 2), (5, 3), (19, 8)),
            ("/", (38, 10), (38, 10), (38, 6)),
            ("%", (10, 2), (5, 3), (5, 3)),
            ("+", (38, 10), (38, 10), (38, 9)),
        ] {
            assert_eq!(decimal_result(symbol, left, right), expected, "{symbol} {left:?} {right:?}");
        }
    }
}
