//! Functions of values, called as the planner calls them; what Spark shows for each.

use std::collections::HashMap;

use firesteel_spec::{DataType, Literal};

use crate::collections::{call, double, int, literal, null, shown, text, try_call};
use firesteel_functions::call::Typed;
use firesteel_functions::registry::Definition;

fn long(value: i64) -> Typed {
    literal(Literal::Long(value))
}

fn decimal(value: i128, precision: u8, scale: i8) -> Typed {
    literal(Literal::Decimal(value, precision, scale))
}

fn binary(value: &[u8]) -> Typed {
    literal(Literal::Binary(value.to_vec()))
}

fn date(value: &str) -> Typed {
    literal(Literal::Date(firesteel_functions::datetime::parse_date(value).unwrap()))
}

fn timestamp(value: &str) -> Typed {
    literal(Literal::Timestamp(
        firesteel_functions::datetime::parse_timestamp(value, &firesteel_functions::datetime::Zone::utc(), None)
            .unwrap(),
    ))
}

fn boolean(value: bool) -> Typed {
    literal(Literal::Boolean(value))
}

/// Every call over constants gives this text.
fn check(cases: Vec<(&str, Vec<Typed>, &str)>) {
    for (name, arguments, expected) in cases {
        let value = match try_call(true, name, arguments) {
            Ok(value) => value,
            Err(error) => {
                assert_eq!(error.class().name, expected, "{name}: {error}");
                continue;
            }
        };
        let sql = value.sql.clone();
        let text = shown(value);
        let first = text.split(" | ").next().unwrap_or_default();
        assert_eq!(first, expected, "{sql}");
    }
}

#[test]
fn names_are_there_once() {
    let mut seen: HashMap<&str, &Definition> = HashMap::new();
    let tables = firesteel_functions::operators::TABLES
        .iter()
        .chain(firesteel_functions::families::TABLES)
        .flat_map(|table| table.iter());
    let twice: Vec<_> =
        tables.filter_map(|definition| seen.insert(definition.name, definition)).map(|d| d.name).collect();
    assert_eq!(twice, Vec::<&str>::new());
    let mut kernels = HashMap::new();
    let all = firesteel_functions::operators::KERNELS
        .iter()
        .chain([&firesteel_functions::cast::KERNELS])
        .chain(firesteel_functions::families::KERNELS);
    let twice: Vec<_> = all
        .flat_map(|table| table.iter())
        .filter_map(|kernel| kernels.insert(kernel.name, ()).map(|()| kernel.name))
        .collect();
    assert_eq!(twice, Vec::<&str>::new());
}

#[test]
fn texts() {
    check(vec![
        ("upper", vec![text("aß")], "ASS"),
        ("initcap", vec![text("sPark sql")], "Spark Sql"),
        ("trim", vec![text("  a ")], "a"),
        ("ltrim", vec![text("x"), text("xxa")], "a"),
        ("length", vec![text("äö ")], "3"),
        ("octet_length", vec![text("ä")], "2"),
        ("substring", vec![text("Spark SQL"), int(5)], "k SQL"),
        ("substring", vec![text("Spark SQL"), int(-3)], "SQL"),
        ("substring", vec![text("Spark"), int(0), int(2)], "Sp"),
        ("substring", vec![text("Spark"), int(-8), int(5)], "Sp"),
        ("left", vec![text("Spark"), int(2)], "Sp"),
        ("right", vec![text("Spark"), int(2)], "rk"),
        ("lpad", vec![text("hi"), int(5), text("??")], "???hi"),
        ("rpad", vec![text("hi"), int(1)], "h"),
        ("concat_ws", vec![text("-"), text("a"), null(), call("array", vec![text("b"), text("c")])], "a-b-c"),
        ("replace", vec![text("ABCabc"), text("abc"), text("DEF")], "ABCDEF"),
        ("translate", vec![text("AaBbCc"), text("abc"), text("12")], "A1B2C"),
        ("instr", vec![text("SparkSQL"), text("SQL")], "6"),
        ("locate", vec![text("b"), text("abcb"), int(3)], "4"),
        ("repeat", vec![text("ab"), int(2)], "abab"),
        ("ascii", vec![text("222")], "50"),
        ("chr", vec![long(65)], "A"),
        ("base64", vec![binary(b"Spark SQL")], "U3BhcmsgU1FM"),
        ("unbase64", vec![text("U3BhcmsgU1FM")], "Spark SQL"),
        ("hex", vec![long(17)], "11"),
        ("hex", vec![text("Spark SQL")], "537061726B2053514C"),
        ("unhex", vec![text("537061726B")], "Spark"),
        (
            "format_string",
            vec![text("Hello %d %s %05.2f|%-4s!"), int(100), text("days"), double(1.5), text("x")],
            "Hello 100 days 01.50|x   !",
        ),
        ("format_number", vec![double(12_332.123456), int(4)], "12,332.1235"),
        ("format_number", vec![int(-1234), int(2)], "-1,234.00"),
        ("levenshtein", vec![text("kitten"), text("sitting")], "3"),
        ("soundex", vec![text("Miller")], "M460"),
        ("overlay", vec![text("Spark SQL"), text("_"), int(6)], "Spark_SQL"),
        ("substring_index", vec![text("www.apache.org"), text("."), int(2)], "www.apache"),
        ("substring_index", vec![text("www.apache.org"), text("."), int(-1)], "org"),
        ("split_part", vec![text("11.12.13"), text("."), int(-1)], "13"),
        ("find_in_set", vec![text("ab"), text("abc,b,ab,c,def")], "3"),
        ("startswith", vec![text("Spark"), text("Sp")], "true"),
        ("contains", vec![text("Spark"), text("ar")], "true"),
        ("mask", vec![text("abcd-EFGH-1234")], "xxxx-XXXX-nnnn"),
        ("elt", vec![int(2), text("a"), text("b")], "b"),
        ("elt", vec![int(3), text("a"), text("b")], "INVALID_ARRAY_INDEX"),
        ("luhn_check", vec![text("8112189876")], "true"),
        ("url_encode", vec![text("https://spark.apache.org?a=ä b")], "https%3A%2F%2Fspark.apache.org%3Fa%3D%C3%A4+b"),
        ("url_decode", vec![text("a%20b+c")], "a b c"),
        ("decode", vec![binary(b"abc"), text("UTF-8")], "abc"),
        ("decode", vec![int(2), int(1), text("a"), int(2), text("b"), text("c")], "b"),
        ("to_binary", vec![text("abc"), text("utf-8")], "abc"),
        ("to_char", vec![int(12_454), text("99,999")], "12,454"),
        ("to_number", vec![text("$78.12"), text("$99.99")], "78.12"),
        ("to_number", vec![text("x"), text("99")], "INVALID_FORMAT.MISMATCH_INPUT"),
        (
            "parse_url",
            vec![text("http://u:p@spark.apache.org:8080/path?query=1&x=2#r"), text("HOST")],
            "spark.apache.org",
        ),
        ("parse_url", vec![text("http://spark.apache.org/path?query=1&x=2"), text("QUERY"), text("x")], "2"),
    ]);
}

#[test]
fn patterns() {
    check(vec![
        ("regexp_replace", vec![text("100-200"), text("(\\d+)"), text("num")], "num-num"),
        ("regexp_replace", vec![text("a1b2"), text("([a-z])(\\d)"), text("$2$1")], "1a2b"),
        ("regexp_extract", vec![text("100-200"), text("(\\d+)-(\\d+)"), int(2)], "200"),
        ("regexp_extract", vec![text("foo"), text("(\\d+)"), int(1)], ""),
        ("regexp_extract", vec![text("foo"), text("(o)"), int(3)], "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX"),
        ("regexp_extract_all", vec![text("100-200, 300-400"), text("(\\d+)-(\\d+)"), int(1)], "[100, 300]"),
        ("regexp_like", vec![text("abc"), text("^a(?=b)")], "true"),
        ("regexp_count", vec![text("Steven Jones and Stephen Smith"), text("Ste(v|ph)en")], "2"),
        ("regexp_substr", vec![text("Steven"), text("v.*")], "ven"),
        ("regexp_instr", vec![text("äbc"), text("b")], "2"),
        ("regexp_like", vec![text("abc"), text("(")], "INVALID_PARAMETER_VALUE.PATTERN"),
        ("split", vec![text("oneAtwoBthreeC"), text("[ABC]")], "[one, two, three, ]"),
        ("split", vec![text("oneAtwoBthreeC"), text("[ABC]"), int(2)], "[one, twoBthreeC]"),
        ("split", vec![text("abc"), text("")], "[a, b, c]"),
    ]);
}

#[test]
fn digests() {
    check(vec![
        ("md5", vec![text("Spark")], "8cde774d6f7333752ed72cacddb05126"),
        ("sha1", vec![text("Spark")], "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"),
        ("sha2", vec![text("Spark"), int(256)], "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"),
        ("crc32", vec![text("Spark")], "1557323817"),
        ("hash", vec![text("Spark"), call("array", vec![int(123)]), int(2)], "-1321691492"),
        ("xxhash64", vec![text("Spark"), call("array", vec![int(123)]), int(2)], "5602566077635097486"),
        ("hash", vec![null()], "42"),
        ("hash", vec![int(1)], "-559580957"),
        ("hash", vec![long(1)], "-1712319331"),
    ]);
}

#[test]
fn numbers() {
    check(vec![
        ("round", vec![double(2.5), int(0)], "3.0"),
        ("round", vec![decimal(25, 2, 1)], "3"),
        ("round", vec![decimal(-25, 2, 1)], "-3"),
        ("bround", vec![double(2.5)], "2.0"),
        ("bround", vec![decimal(25, 2, 1)], "2"),
        ("round", vec![int(1250), int(-2)], "1300"),
        ("round", vec![double(1.005), int(2)], "1.01"),
        ("ceil", vec![decimal(-1, 2, 1)], "0"),
        ("ceil", vec![double(3.1)], "4"),
        ("floor", vec![double(-0.1)], "-1"),
        ("floor", vec![decimal(31411, 5, 4), int(-3)], "0"),
        ("pow", vec![int(2), int(3)], "8.0"),
        ("ln", vec![int(0)], "null"),
        ("log", vec![int(10), int(100)], "2.0"),
        ("conv", vec![text("100"), int(2), int(10)], "4"),
        ("conv", vec![text("-10"), int(16), int(-10)], "-16"),
        ("conv", vec![text("-15"), int(10), int(16)], "FFFFFFFFFFFFFFF1"),
        ("bin", vec![long(13)], "1101"),
        ("factorial", vec![int(5)], "120"),
        ("factorial", vec![int(21)], "null"),
        ("width_bucket", vec![double(5.3), double(0.2), double(10.6), long(5)], "3"),
        ("bit_count", vec![int(-1)], "64"),
        ("bit_get", vec![long(11), int(2)], "0"),
        ("sign", vec![int(40)], "1.0"),
        ("cbrt", vec![double(27.0)], "3.0"),
        ("rint", vec![double(12.3456)], "12.0"),
    ]);
}

#[test]
fn dates() {
    check(vec![
        ("year", vec![date("2016-07-30")], "2016"),
        ("quarter", vec![date("2016-08-31")], "3"),
        ("dayofweek", vec![date("2009-07-30")], "5"),
        ("weekday", vec![date("2009-07-30")], "3"),
        ("dayofyear", vec![date("2016-04-09")], "100"),
        ("weekofyear", vec![date("2008-02-20")], "8"),
        ("hour", vec![timestamp("2009-07-30 12:58:59")], "12"),
        ("extract", vec![text("SECONDS"), timestamp("2019-10-01 00:00:01.000001")], "1.000001"),
        ("date_part", vec![text("week"), date("2019-08-12")], "33"),
        ("extract", vec![text("nothing"), date("2019-08-12")], "INVALID_EXTRACT_FIELD"),
        ("date_add", vec![date("2016-07-30"), int(1)], "2016-07-31"),
        ("date_sub", vec![date("2016-07-30"), int(1)], "2016-07-29"),
        ("datediff", vec![date("2009-07-31"), date("2009-07-30")], "1"),
        ("add_months", vec![date("2016-08-31"), int(1)], "2016-09-30"),
        ("months_between", vec![timestamp("1997-02-28 10:30:00"), timestamp("1996-10-30")], "3.94959677"),
        ("last_day", vec![date("2009-01-12")], "2009-01-31"),
        ("next_day", vec![date("2015-01-14"), text("TU")], "2015-01-20"),
        ("next_day", vec![date("2015-01-14"), text("xx")], "ILLEGAL_DAY_OF_WEEK"),
        ("trunc", vec![date("2019-08-04"), text("week")], "2019-07-29"),
        ("trunc", vec![date("2019-08-04"), text("quarter")], "2019-07-01"),
        ("date_trunc", vec![text("HOUR"), timestamp("2015-03-05 09:32:05.359")], "2015-03-05 09:00:00"),
        ("to_date", vec![text("2016-12-31"), text("yyyy-MM-dd")], "2016-12-31"),
        ("to_date", vec![text("2016/12/31"), text("yyyy-MM-dd")], "CANNOT_PARSE_TIMESTAMP"),
        ("to_timestamp", vec![text("2016-12-31 00:12:00")], "2016-12-31 00:12:00"),
        ("try_to_timestamp", vec![text("foo"), text("yyyy-MM-dd")], "null"),
        ("date_format", vec![timestamp("2016-04-08 13:10:15"), text("y/M/d HH")], "2016/4/8 13"),
        ("unix_timestamp", vec![text("2016-04-08"), text("yyyy-MM-dd")], "1460073600"),
        ("from_unixtime", vec![long(0), text("yyyy-MM-dd HH:mm:ss")], "1970-01-01 00:00:00"),
        ("make_date", vec![int(2013), int(7), int(15)], "2013-07-15"),
        ("make_date", vec![int(2013), int(13), int(15)], "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION"),
        (
            "make_timestamp",
            vec![int(2014), int(12), int(28), int(6), int(30), decimal(45_887, 5, 3)],
            "2014-12-28 06:30:45.887",
        ),
        (
            "make_dt_interval",
            vec![int(1), int(12), int(30), decimal(1_001_001, 8, 6)],
            "INTERVAL '1 12:30:01.001001' DAY TO SECOND",
        ),
        ("make_ym_interval", vec![int(1), int(2)], "INTERVAL '1-2' YEAR TO MONTH"),
        ("from_utc_timestamp", vec![timestamp("2016-08-31"), text("Asia/Seoul")], "2016-08-31 09:00:00"),
        ("to_utc_timestamp", vec![timestamp("2016-08-31"), text("Asia/Seoul")], "2016-08-30 15:00:00"),
        ("timestampadd", vec![text("MONTH"), int(1), timestamp("2022-01-31")], "2022-02-28 00:00:00"),
        ("timestampdiff", vec![text("MONTH"), timestamp("2021-02-28 12:00:00"), timestamp("2021-03-28 11:59:59")], "0"),
        ("unix_seconds", vec![timestamp("1970-01-01 00:00:01")], "1"),
        ("timestamp_seconds", vec![decimal(1_230_219_000_123, 13, 3)], "2008-12-25 15:30:00.123"),
        (
            "window",
            vec![timestamp("2021-01-01 00:17:00"), text("15 minutes")],
            "{2021-01-01 00:15:00, 2021-01-01 00:30:00}",
        ),
        ("monthname", vec![date("2008-02-20")], "Feb"),
        ("dayname", vec![date("2008-02-20")], "Wed"),
    ]);
}

#[test]
fn json() {
    let path = |json: &str, path: &str| ("get_json_object", vec![text(json), text(path)]);
    let found = |(name, arguments): (&'static str, Vec<Typed>), expected: &'static str| (name, arguments, expected);
    let schema = |json: &str, schema: &str| ("from_json", vec![text(json), text(schema)]);
    check(vec![
        found(path(r#"{"a":"b"}"#, "$.a"), "b"),
        found(path(r#"{"a":{"b":[1,2.50]}}"#, "$.a"), r#"{"b":[1,2.50]}"#),
        found(path(r#"[{"a":1},{"a":2}]"#, "$[*].a"), "[1,2]"),
        found(path(r#"{"a":[1,2]}"#, "$['a'][1]"), "2"),
        found(path(r#"{"a":"#, "$.a"), "null"),
        found(schema(r#"{"a":1, "b":0.8}"#, "a INT, b DOUBLE"), "{1, 0.8}"),
        found(schema(r#"{"a":"x"}"#, "a INT, b STRING"), "{null, null}"),
        found(schema("{bad", "a INT"), "{null}"),
        found(schema(r#"[{"a":1},{"a":null}]"#, "ARRAY<STRUCT<a: INT>>"), "[{1}, {null}]"),
        found(schema(r#"{"k":[1]}"#, "MAP<STRING, ARRAY<INT>>"), "{k -> [1]}"),
        (
            "to_json",
            vec![call("named_struct", vec![text("a"), int(1), text("b"), null(), text("c"), text("x\"")])],
            r#"{"a":1,"c":"x\""}"#,
        ),
        (
            "to_json",
            vec![call("named_struct", vec![text("t"), timestamp("2015-08-26 01:02:03")])],
            r#"{"t":"2015-08-26T01:02:03.000Z"}"#,
        ),
        ("to_csv", vec![call("named_struct", vec![text("a"), int(1), text("b"), text("x,y")])], "1,\"x,y\""),
        ("schema_of_json", vec![text(r#"[{"col":01}]"#)], "INVALID_SCHEMA.PARSE_ERROR"),
        ("schema_of_json", vec![text(r#"{"c1":0, "c2":[1.5]}"#)], "STRUCT<c1: BIGINT, c2: ARRAY<DOUBLE>>"),
        ("json_array_length", vec![text("[1,2,[3]]")], "3"),
        ("json_object_keys", vec![text(r#"{"f1":1,"f2":{}}"#)], "[f1, f2]"),
    ]);
}

#[test]
fn session() {
    check(vec![
        ("typeof", vec![call("array", vec![int(1)])], "array<int>"),
        ("current_schema", vec![], "s"),
        ("raise_error", vec![text("no")], "USER_RAISED_EXCEPTION"),
        ("assert_true", vec![boolean(false)], "USER_RAISED_EXCEPTION"),
        ("assert_true", vec![boolean(true)], "null"),
        ("current_date", vec![], "1970-01-01"),
    ]);
}

#[test]
fn calls_print_as_in_spark() {
    for (value, expected) in [
        (call("substring", vec![text("a"), int(1)]), "substring(a, 1, 2147483647)"),
        (call("lpad", vec![text("a"), int(1)]), "lpad(a, 1,  )"),
        (call("sqrt", vec![int(4)]), "SQRT(4)"),
        (call("round", vec![double(1.5)]), "round(1.5, 0)"),
        (call("split", vec![text("a"), text("b")]), "split(a, b, -1)"),
        (call("extract", vec![text("YEAR"), date("2016-07-30")]), "extract(YEAR FROM DATE '2016-07-30')"),
    ] {
        assert_eq!(value.sql, expected);
    }
}

#[test]
fn task_functions_are_known_as_such() {
    use datafusion::logical_expr::Expr;
    let id = call("monotonically_increasing_id", vec![]);
    assert_eq!(id.data_type, DataType::Long);
    let Expr::ScalarFunction(function) = id.expr else { panic!("no function") };
    assert!(firesteel_functions::families::random::depends_on_task(&function.func));
    let (name, bytes) = firesteel_functions::udf::encode(&function.func).unwrap();
    assert!(firesteel_functions::families::random::depends_on_task(
        &firesteel_functions::udf::decode(&name, &bytes).unwrap()
    ));
}
