//! Values of Spark's documentation: times, vectors, VARIANT, CSV, and what is 0 or NULL.

use firesteel_spec::{DataType, Literal};

use crate::collections::{call, double, int, literal, null, shown, text, try_call};
use firesteel_functions::call::Typed;

fn time(value: &str) -> Typed {
    literal(Literal::Time(firesteel_functions::datetime::parse_time(value).unwrap(), 6))
}

fn floats(values: &[f32]) -> Typed {
    call("array", values.iter().map(|value| literal(Literal::Float(*value))).collect())
}

fn json(value: &str) -> Typed {
    call("parse_json", vec![text(value)])
}

fn check(cases: Vec<(&str, Vec<Typed>, &str)>) {
    for (name, arguments, expected) in cases {
        let found = match try_call(true, name, arguments) {
            Ok(value) => shown(value).split(" | ").next().unwrap_or_default().to_owned(),
            Err(error) => error.class().name.to_owned(),
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn times() {
    check(vec![
        ("make_time", vec![int(6), int(30), double(45.887)], "06:30:45.887"),
        ("make_time", vec![null(), int(30), int(0)], "null"),
        ("to_time", vec![text("00:12:00")], "00:12:00"),
        ("to_time", vec![text("12.10.05"), text("HH.mm.ss")], "12:10:05"),
        ("try_to_time", vec![text("foo"), text("HH:mm:ss")], "null"),
        ("try_to_time", vec![text("foo")], "null"),
        ("time_diff", vec![text("HOUR"), time("20:30:29"), time("21:30:28")], "0"),
        ("time_diff", vec![text("HOUR"), time("20:30:29"), time("12:00:00")], "-8"),
        ("time_trunc", vec![text("MILLISECOND"), time("09:32:05.123456")], "09:32:05.123"),
        ("time_from_seconds", vec![literal(Literal::Decimal(525, 4, 1))], "00:00:52.5"),
        ("time_to_seconds", vec![time("14:30:00.5")], "52200.500000"),
        ("time_to_micros", vec![time("00:00:01")], "1000000"),
    ]);
}

#[test]
fn vectors() {
    check(vec![
        ("vector_inner_product", vec![floats(&[1.0, 2.0, 3.0]), floats(&[4.0, 5.0, 6.0])], "32.0"),
        ("vector_l2_distance", vec![floats(&[1.0, 2.0, 3.0]), floats(&[4.0, 5.0, 6.0])], "5.196152"),
        ("vector_norm", vec![floats(&[3.0, 4.0])], "5.0"),
        ("vector_normalize", vec![floats(&[3.0, 4.0])], "[0.6, 0.8]"),
        ("vector_norm", vec![call("array", vec![double(1.0)])], "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
    ]);
}

#[test]
fn variants() {
    let part = |json_text: &str, path: &str, data_type: &str| vec![json(json_text), text(path), text(data_type)];
    check(vec![
        ("variant_get", part(r#"{"a": 1}"#, "$.a", "int"), "1"),
        ("variant_get", part(r#"{"a": 1}"#, "$.b", "int"), "null"),
        ("variant_get", part(r#"[1, "2"]"#, "$[1]", "string"), "2"),
        ("variant_get", part(r#"{"a": [1, 2]}"#, "$['a']", "array<bigint>"), "[1, 2]"),
        ("variant_get", part(r#"{"a": {"b": 1.5, "c": null}}"#, "$.a", "struct<b double, c int>"), "{1.5, null}"),
        ("try_variant_get", part(r#"[1, "hello"]"#, "$[1]", "int"), "null"),
        ("try_variant_get", part("1", "$x", "int"), "INVALID_VARIANT_GET_PATH"),
        ("schema_of_variant", vec![json(r#"[{"b":true,"a":0}]"#)], "ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>"),
        ("is_variant_null", vec![json("null")], "true"),
        ("is_variant_null", vec![json("13")], "false"),
        ("try_parse_json", vec![text(r#"{"a":1,"#)], "null"),
        ("try_parse_json", vec![text(r#"{"a":1, "b":0.80}"#)], r#"{"a":1,"b":0.8}"#),
    ]);
    let of_array = call("to_variant_object", vec![call("array", vec![int(1), null()])]);
    assert_eq!(shown(of_array).split(" | ").next(), Some("[1,null]"));
}

#[test]
fn lines_of_csv() {
    check(vec![
        ("from_csv", vec![text("1, 0.8"), text("a INT, b DOUBLE")], "{1, 0.8}"),
        ("from_csv", vec![text(r#""a ""b""","#), text("a STRING, b STRING")], r#"{a "b", null}"#),
        ("from_csv", vec![text("x"), text("a INT, _corrupt_record STRING")], "{null, x}"),
        ("schema_of_csv", vec![text("1,abc")], "STRUCT<_c0: INT, _c1: STRING>"),
    ]);
}

#[test]
fn zeros_and_nulls() {
    check(vec![
        ("zeroifnull", vec![null()], "0"),
        ("nullifzero", vec![int(0)], "null"),
        ("nullifzero", vec![int(2)], "2"),
        ("collation", vec![text("a")], "SYSTEM.BUILTIN.UTF8_BINARY"),
        ("uniform", vec![text("a"), int(1), int(0)], "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
    ]);
    let random = call("uniform", vec![int(10), int(20), int(0)]);
    assert_eq!(random.data_type, DataType::Integer);
}
