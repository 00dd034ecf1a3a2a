//! Constant calls evaluated, against values known from Spark.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use firesteel_model::Result;
use firesteel_spec::expr::CastMode;
use firesteel_spec::types::{DayTimeField, YearMonthField};
use firesteel_spec::{DataType, Literal};

use firesteel_functions::call::{FunctionContext, Typed};
use firesteel_functions::cast::cast;
use firesteel_functions::errors::from_datafusion;
use firesteel_functions::format::display;
use firesteel_functions::literal::typed;
use firesteel_functions::registry::{Build, lookup};

fn context(ansi: bool) -> FunctionContext {
    FunctionContext {
        ansi,
        time_zone: "UTC".into(),
        now_us: 0,
        user: "user".into(),
        catalog: "spark_catalog".into(),
        schema: "default".into(),
        timestamp_is_ntz: false,
        keeps_last_key: false,
        allows_precision_loss: true,
        origin: firesteel_functions::origin::Origin::default(),
    }
}

/// The value as `show` prints it.
fn evaluate(value: &Typed) -> Result<String> {
    let physical = create_physical_expr(
        &value.expr,
        &DFSchema::empty(),
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    );
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let result = physical.and_then(|physical| physical.evaluate(&batch)).map_err(from_datafusion)?;
    let array = result.to_array(1).map_err(from_datafusion)?;
    assert_eq!(array.data_type(), &firesteel_spec::types_arrow::to_arrow(&value.data_type), "{}", value.sql);
    Ok(display(&array, &value.data_type, "UTC")?.value(0).to_owned())
}

fn call(ctx: &FunctionContext, name: &str, arguments: &[Literal]) -> Result<Typed> {
    let arguments = arguments.iter().map(|argument| typed(argument, ctx)).collect::<Result<Vec<_>>>()?;
    match lookup(name).unwrap().build {
        Build::Scalar(build) => build(ctx, arguments),
        _ => unreachable!(),
    }
}

/// The value, or the error's class.
fn outcome(value: Result<Typed>) -> String {
    match value.and_then(|value| evaluate(&value)) {
        Ok(text) => text,
        Err(error) => error.class().name.to_owned(),
    }
}

fn int(value: i32) -> Literal {
    Literal::Integer(value)
}

fn text(value: &str) -> Literal {
    Literal::String(value.to_owned())
}

fn dec(value: i128, precision: u8, scale: i8) -> Literal {
    Literal::Decimal(value, precision, scale)
}

fn null() -> Literal {
    Literal::Null(DataType::Null)
}

#[test]
fn arithmetic() {
    let max = Literal::Long(i64::MAX);
    for (name, arguments, ansi, expected) in [
        ("+", vec![int(1), int(2)], true, "3"),
        ("+", vec![int(i32::MAX), int(1)], true, "ARITHMETIC_OVERFLOW"),
        ("+", vec![int(i32::MAX), int(1)], false, "-2147483648"),
        ("try_add", vec![int(i32::MAX), int(1)], true, "NULL"),
        ("+", vec![text("1"), int(1)], true, "2"),
        ("+", vec![text("1"), int(1)], false, "2.0"),
        ("*", vec![max.clone(), Literal::Long(2)], true, "ARITHMETIC_OVERFLOW"),
        ("/", vec![int(1), int(2)], true, "0.5"),
        ("/", vec![int(1), int(0)], true, "DIVIDE_BY_ZERO"),
        ("/", vec![int(1), int(0)], false, "NULL"),
        ("%", vec![int(-7), int(3)], true, "-1"),
        ("%", vec![int(7), int(0)], true, "REMAINDER_BY_ZERO"),
        ("pmod", vec![int(-7), int(3)], true, "2"),
        ("div", vec![int(7), int(2)], true, "3"),
        ("div", vec![Literal::Long(i64::MIN), Literal::Long(-1)], true, "ARITHMETIC_OVERFLOW"),
        ("div", vec![Literal::Long(i64::MIN), Literal::Long(-1)], false, "-9223372036854775808"),
        ("+", vec![null(), int(1)], true, "NULL"),
        ("+", vec![dec(12, 2, 1), dec(345, 3, 2)], true, "4.65"),
        ("*", vec![dec(12, 2, 1), dec(345, 3, 2)], true, "4.140"),
        ("/", vec![dec(10, 2, 1), dec(3, 1, 0)], true, "0.333333"),
        ("/", vec![dec(10, 2, 1), int(0)], true, "DIVIDE_BY_ZERO"),
        ("%", vec![dec(75, 2, 1), dec(2, 1, 0)], true, "1.5"),
        ("negative", vec![int(5)], true, "-5"),
        ("abs", vec![dec(-15, 2, 1)], true, "1.5"),
        ("abs", vec![int(i32::MIN)], true, "ARITHMETIC_OVERFLOW"),
        ("<<", vec![int(1), int(33)], true, "2"),
        (">>>", vec![int(-1), int(31)], true, "1"),
        ("&", vec![int(6), Literal::Long(3)], true, "2"),
        ("~", vec![int(5)], true, "-6"),
    ] {
        assert_eq!(outcome(call(&context(ansi), name, &arguments)), expected, "{name} {arguments:?} {ansi}");
    }
}

#[test]
fn dates_and_intervals() {
    let day = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day);
    let hour = DataType::DayTimeInterval(DayTimeField::Hour, DayTimeField::Hour);
    let month = DataType::YearMonthInterval(YearMonthField::Month, YearMonthField::Month);
    let two_days = Literal::DayTimeInterval(172_800_000_000, day);
    let an_hour = Literal::DayTimeInterval(3_600_000_000, hour);
    let a_month = Literal::YearMonthInterval(1, month);
    for (name, arguments, expected) in [
        ("+", vec![Literal::Date(0), int(1)], "1970-01-02"),
        ("-", vec![Literal::Date(0), int(1)], "1969-12-31"),
        ("-", vec![Literal::Date(3), Literal::Date(1)], "INTERVAL '2' DAY"),
        ("+", vec![Literal::Date(30), a_month.clone()], "1970-02-28"),
        ("+", vec![Literal::Date(0), two_days.clone()], "1970-01-03"),
        ("+", vec![Literal::Date(0), an_hour.clone()], "1970-01-01 01:00:00"),
        ("-", vec![Literal::Timestamp(0), an_hour.clone()], "1969-12-31 23:00:00"),
        ("*", vec![a_month.clone(), int(14)], "INTERVAL '1-2' YEAR TO MONTH"),
        ("/", vec![two_days.clone(), int(0)], "INTERVAL_DIVIDED_BY_ZERO"),
        ("/", vec![two_days.clone(), dec(5, 1, 1)], "INTERVAL '4 00:00:00' DAY TO SECOND"),
        ("+", vec![two_days.clone(), an_hour.clone()], "INTERVAL '2 01' DAY TO HOUR"),
        ("+", vec![two_days, a_month], "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
        ("-", vec![Literal::Date(0), Literal::Null(DataType::Null)], "NULL"),
        ("+", vec![Literal::Time(0, 6), an_hour.clone()], "01:00:00"),
        ("-", vec![Literal::Time(0, 6), an_hour], "DATETIME_OVERFLOW"),
    ] {
        assert_eq!(outcome(call(&context(true), name, &arguments)), expected, "{name} {arguments:?}");
    }
}

#[test]
fn comparisons_and_conditions() {
    let nan = Literal::Double(f64::NAN);
    for (name, arguments, expected) in [
        ("=", vec![Literal::Double(0.0), Literal::Double(-0.0)], "true"),
        ("=", vec![nan.clone(), nan.clone()], "true"),
        (">", vec![nan.clone(), Literal::Double(f64::INFINITY)], "true"),
        ("=", vec![text("1"), int(1)], "true"),
        ("=", vec![dec(10, 2, 1), int(1)], "true"),
        ("<=>", vec![null(), null()], "true"),
        ("!=", vec![int(1), null()], "NULL"),
        ("in", vec![int(1), text("1"), text("2")], "true"),
        ("in", vec![int(3), int(1), null()], "NULL"),
        ("between", vec![int(2), int(1), int(3)], "true"),
        ("and", vec![Literal::Boolean(false), null()], "false"),
        ("or", vec![Literal::Boolean(true), null()], "true"),
        ("and", vec![int(1), Literal::Boolean(true)], "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"),
        ("like", vec![text("a_c"), text("a\\_c")], "true"),
        ("like", vec![text("abc"), text("a#_c"), text("#")], "false"),
        ("ilike", vec![text("ABC"), text("a%")], "true"),
        ("coalesce", vec![null(), int(1)], "1"),
        ("if", vec![Literal::Boolean(false), int(1), dec(15, 2, 1)], "1.5"),
        ("when", vec![Literal::Boolean(false), int(1)], "NULL"),
        ("nullif", vec![int(1), int(1)], "NULL"),
        ("nanvl", vec![nan.clone(), Literal::Double(1.0)], "1.0"),
        ("greatest", vec![int(1), null(), Literal::Long(3)], "3"),
        ("least", vec![nan, Literal::Double(1.0)], "1.0"),
        ("||", vec![text("a"), int(1)], "a1"),
        ("isnull", vec![null()], "true"),
    ] {
        assert_eq!(outcome(call(&context(true), name, &arguments)), expected, "{name} {arguments:?}");
    }
}

#[test]
fn names() {
    for (name, arguments, expected) in [
        ("+", vec![int(1), text("a")], "(1 + a)"),
        ("-", vec![int(1)], "(- 1)"),
        ("!=", vec![int(1), int(2)], "(NOT (1 = 2))"),
        ("in", vec![int(1), int(2), int(3)], "(1 IN (2, 3))"),
        ("like", vec![text("a"), text("b"), text("#")], "a LIKE b ESCAPE '#'"),
        ("when", vec![Literal::Boolean(true), int(1), int(2)], "CASE WHEN true THEN 1 ELSE 2 END"),
        ("if", vec![Literal::Boolean(true), int(1), int(2)], "(IF(true, 1, 2))"),
        ("isnotnull", vec![int(1)], "(1 IS NOT NULL)"),
        ("+", vec![Literal::Date(0), int(1)], "date_add(DATE '1970-01-01', 1)"),
    ] {
        let built = call(&context(false), name, &arguments).unwrap();
        assert_eq!(built.sql, expected);
    }
}

fn cast_outcome(value: &Literal, target: &DataType, mode: CastMode, ansi: bool) -> String {
    let ctx = context(ansi);
    outcome(typed(value, &ctx).and_then(|value| cast(&ctx, value, target, mode)))
}

#[test]
fn casts() {
    use DataType as T;
    let list = Literal::Array(vec![int(1), Literal::Null(T::Integer)], T::Integer);
    for (value, target, ansi, hive) in [
        (text(" 12 "), T::Integer, "12", "12"),
        (text("1.5"), T::Integer, "CAST_INVALID_INPUT", "1"),
        (text("x"), T::Integer, "CAST_INVALID_INPUT", "NULL"),
        (text("1e3"), T::Double, "1000.0", "1000.0"),
        (text("yes"), T::Boolean, "true", "true"),
        (text("2020-1-2"), T::Date, "2020-01-02", "2020-01-02"),
        (text("2020-13-02"), T::Date, "CAST_INVALID_INPUT", "NULL"),
        (text("2020-01-02 03:04:05.6+01:00"), T::Timestamp, "2020-01-02 02:04:05.6", "2020-01-02 02:04:05.6"),
        (text("12.345"), T::Decimal(4, 2), "12.35", "12.35"),
        (text("123.45"), T::Decimal(4, 2), "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "NULL"),
        (int(300), T::Byte, "CAST_OVERFLOW", "44"),
        (Literal::Double(3.99), T::Integer, "3", "3"),
        (Literal::Double(1e20), T::Long, "CAST_OVERFLOW", "9223372036854775807"),
        (Literal::Double(f64::NAN), T::Integer, "CAST_OVERFLOW", "0"),
        (Literal::Double(1e-5), T::STRING, "1.0E-5", "1.0E-5"),
        (dec(1, 10, 8), T::STRING, "0.00000001", "1E-8"),
        (int(1), T::Timestamp, "1970-01-01 00:00:01", "1970-01-01 00:00:01"),
        (Literal::Timestamp(-1), T::Long, "-1", "-1"),
        (int(1), T::Binary, "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "[00 00 00 01]"),
        (Literal::Date(0), T::Integer, "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "NULL"),
        (list.clone(), T::STRING, "[1, null]", "[1, null]"),
        (list, T::array(T::STRING), "[1, NULL]", "[1, NULL]"),
        (
            int(3),
            T::YearMonthInterval(YearMonthField::Year, YearMonthField::Year),
            "INTERVAL '3' YEAR",
            "INTERVAL '3' YEAR",
        ),
    ] {
        assert_eq!(cast_outcome(&value, &target, CastMode::Session, true), ansi, "{value:?} {target:?} ansi");
        assert_eq!(cast_outcome(&value, &target, CastMode::Session, false), hive, "{value:?} {target:?}");
        let tried = cast_outcome(&value, &target, CastMode::Try, true);
        let is_value = !ansi.contains('_');
        assert!(tried == "NULL" || is_value || tried.starts_with("DATATYPE_MISMATCH"), "{value:?} {target:?} {tried}");
    }
}

#[test]
fn the_wire_keeps_functions() {
    let ctx = context(true);
    let built = cast(&ctx, typed(&text("1"), &ctx).unwrap(), &DataType::Decimal(9, 3), CastMode::Try).unwrap();
    let datafusion::logical_expr::Expr::ScalarFunction(call) = built.expr else { unreachable!() };
    let (name, bytes) = firesteel_functions::udf::encode(&call.func).unwrap();
    assert_eq!(firesteel_functions::udf::decode(&name, &bytes).unwrap(), *call.func);
}

#[test]
fn every_function_has_one_row() {
    let all = firesteel_functions::registry::all();
    assert!(all.iter().all(|definition| definition.name == definition.name.to_lowercase()));
    assert!(firesteel_functions::registry::suggest("coalesc").contains(&"coalesce"));
}
