//! Calls built as the planner builds them, run over a small batch and shown as Spark shows values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Int32Type, Schema};
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use firesteel_model::Result;
use firesteel_spec::expr::CastMode;
use firesteel_spec::types::{DayTimeField, YearMonthField};
use firesteel_spec::types_arrow::to_arrow_field;
use firesteel_spec::{DataType, Literal, StructField};

use firesteel_functions::call::{FunctionContext, Typed};
use firesteel_functions::errors::from_datafusion;
use firesteel_functions::families::{extract, structs};
use firesteel_functions::registry::{Build, lookup};

pub(crate) fn context(ansi: bool) -> FunctionContext {
    FunctionContext {
        ansi,
        time_zone: "UTC".into(),
        now_us: 0,
        user: "u".into(),
        catalog: "c".into(),
        schema: "s".into(),
        timestamp_is_ntz: false,
        keeps_last_key: false,
        allows_precision_loss: true,
        origin: firesteel_functions::origin::Origin::default(),
    }
}

fn fields() -> Vec<StructField> {
    let inner = vec![StructField::new("f", DataType::Integer, true), StructField::new("G", DataType::STRING, true)];
    vec![
        StructField::new("xs", DataType::array(DataType::Integer), true),
        StructField::new("b", DataType::Integer, true),
        StructField::new("t", DataType::STRING, true),
        StructField::new("s", DataType::Struct(inner), true),
    ]
}

/// Four rows; under the null struct of the last one there are values.
pub(crate) fn batch() -> RecordBatch {
    let lists = [Some(vec![Some(3), Some(1), Some(2)]), Some(vec![]), None, Some(vec![Some(4), None])];
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let types: Vec<_> = fields().iter().map(to_arrow_field).collect();
    let xs = arrow::compute::cast(&lists, types[0].data_type()).unwrap();
    let f: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    let g: ArrayRef = Arc::new(StringArray::from(vec!["p", "q", "r", "s"]));
    let arrow::datatypes::DataType::Struct(inner) = types[3].data_type().clone() else { panic!("no struct") };
    let s = StructArray::new(inner, vec![f, g], Some(NullBuffer::from(vec![true, true, true, false])));
    let b = Int32Array::from(vec![Some(10), Some(20), Some(30), None]);
    let t = StringArray::from(vec![Some("ab"), Some(""), None, Some("äö")]);
    let columns: Vec<ArrayRef> = vec![xs, Arc::new(b), Arc::new(t), Arc::new(s)];
    RecordBatch::try_new(Arc::new(Schema::new(types)), columns).unwrap()
}

pub(crate) fn column(name: &str) -> Typed {
    let field = fields().into_iter().find(|field| field.name == name).unwrap();
    let expr = Expr::Column(Column::new_unqualified(name));
    Typed { expr, data_type: field.data_type, nullable: field.nullable, sql: name.to_owned() }
}

pub(crate) fn literal(literal: Literal) -> Typed {
    firesteel_functions::literal::typed(&literal, &context(true)).unwrap()
}

pub(crate) fn int(value: i32) -> Typed {
    literal(Literal::Integer(value))
}

pub(crate) fn double(value: f64) -> Typed {
    literal(Literal::Double(value))
}

pub(crate) fn text(value: &str) -> Typed {
    literal(Literal::String(value.to_owned()))
}

pub(crate) fn null() -> Typed {
    literal(Literal::Null(DataType::Null))
}

/// A call of a scalar function.
pub(crate) fn try_call(ansi: bool, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    let Build::Scalar(build) = lookup(name).unwrap_or_else(|| panic!("no {name}")).build else { panic!("{name}") };
    build(&context(ansi), arguments)
}

pub(crate) fn call(name: &str, arguments: Vec<Typed>) -> Typed {
    try_call(true, name, arguments).unwrap()
}

fn ints(values: &[Option<i32>]) -> Typed {
    call("array", values.iter().map(|value| value.map_or_else(null, int)).collect())
}

/// The values in the four rows of [`batch`].
pub(crate) fn run(expr: &Expr) -> Result<ArrayRef> {
    let batch = batch();
    let schema = DFSchema::try_from(batch.schema().as_ref().clone()).map_err(from_datafusion)?;
    let physical = create_physical_expr(expr, &schema, &ExecutionProps::new(), &PhysicalPlanningContext::default());
    let value = physical.map_err(from_datafusion)?.evaluate(&batch).map_err(from_datafusion)?;
    value.into_array(batch.num_rows()).map_err(from_datafusion)
}

/// The same as text, rows separated by bars.
pub(crate) fn shown(value: Typed) -> String {
    let value = firesteel_functions::cast::cast(&context(true), value, &DataType::STRING, CastMode::Session).unwrap();
    match run(&value.expr) {
        Ok(array) => {
            let texts = array.as_string::<i32>();
            texts.iter().map(|text| text.unwrap_or("null")).collect::<Vec<_>>().join(" | ")
        }
        Err(error) => error.class().name.to_owned(),
    }
}

/// What the first row shows.
fn first(value: Typed) -> String {
    let shown = shown(value);
    shown.split(" | ").next().unwrap_or_default().to_owned()
}

#[test]
fn extraction() {
    let get = |child, key| extract::build(&context(true), child, key).unwrap();
    let field = get(column("s"), text("F"));
    assert_eq!((field.sql.as_str(), field.nullable), ("s.F", true));
    assert_eq!(shown(field), "1 | 2 | 3 | null");
    assert_eq!(shown(get(column("s"), text("g"))), "p | q | r | null");
    let field = structs::field_at(column("s").expr, 1).unwrap();
    assert_eq!(run(&field).unwrap().null_count(), 1);
    let several = call("array", vec![column("s"), column("s")]);
    let of_each = get(several, text("f"));
    assert_eq!(of_each.sql, "array(s, s).f");
    assert_eq!(shown(of_each), "[1, 1] | [2, 2] | [3, 3] | [null, null]");
    assert_eq!(shown(get(column("xs"), int(0))), "INVALID_ARRAY_INDEX");
    let lenient = extract::build(&context(false), column("xs"), int(0)).unwrap();
    assert_eq!((lenient.sql.clone(), shown(lenient)), ("xs[0]".to_owned(), "3 | null | null | 4".to_owned()));
    let map = call("map", vec![text("k"), column("b"), text("l"), int(1)]);
    assert_eq!(shown(get(map.clone(), text("k"))), "10 | 20 | 30 | null");
    assert_eq!(shown(get(map, text("x"))), "null | null | null | null");
    let failure = |child, key| extract::build(&context(true), child, key).unwrap_err().class().name;
    assert_eq!(failure(column("s"), text("h")), "FIELD_NOT_FOUND");
    assert_eq!(failure(column("s"), column("t")), "INVALID_EXTRACT_FIELD_TYPE");
    assert_eq!(failure(column("b"), text("h")), "INVALID_EXTRACT_BASE_FIELD_TYPE");
    let twice = call("named_struct", vec![text("x"), int(1), text("X"), int(2)]);
    assert_eq!(failure(twice, text("x")), "AMBIGUOUS_REFERENCE_TO_FIELDS");
}

#[test]
fn structs_changed() {
    let ctx = context(true);
    let put = |path, value| structs::with_field(&ctx, column("s"), path, value).unwrap();
    assert_eq!(shown(put("f", text("x"))), "{x, p} | {x, q} | {x, r} | null");
    assert_eq!(shown(put("new", column("b"))), "{1, p, 10} | {2, q, 20} | {3, r, 30} | null");
    assert_eq!(shown(structs::drop_field(&ctx, column("s"), "g").unwrap()), "{1} | {2} | {3} | null");
    let outer = call("named_struct", vec![text("in"), column("s")]);
    let deep = structs::with_field(&ctx, outer.clone(), "in.f", int(9)).unwrap();
    assert_eq!(shown(deep), "{{9, p}} | {{9, q}} | {{9, r}} | {null}");
    assert_eq!(shown(structs::drop_field(&ctx, outer.clone(), "in.f").unwrap()), "{{p}} | {{q}} | {{r}} | {null}");
    let all = structs::drop_field(&ctx, outer, "in").unwrap_err();
    assert_eq!(all.class().name, "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS");
    let own = call("struct", vec![column("b"), extract::build(&ctx, column("s"), text("f")).unwrap(), int(7)]);
    let DataType::Struct(fields) = &own.data_type else { panic!("no struct") };
    assert_eq!(fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["b", "f", "col3"]);
}

#[test]
fn one_value() {
    let a = || ints(&[Some(3), None, Some(1), Some(3)]);
    let n = || call("array", vec![ints(&[Some(1)]), ints(&[Some(2), Some(3)])]);
    let m = || call("map", vec![text("a"), int(1), text("b"), int(2)]);
    let sequence = |from, to| call("sequence", vec![int(from), int(to)]);
    for (value, expected) in [
        (call("size", vec![m()]), "2"),
        (call("array_size", vec![a()]), "4"),
        (call("array_repeat", vec![int(1), int(2)]), "[1, 1]"),
        (call("element_at", vec![a(), int(-4)]), "3"),
        (call("element_at", vec![a(), int(0)]), "INVALID_INDEX_OF_ZERO"),
        (call("element_at", vec![a(), int(5)]), "INVALID_ARRAY_INDEX_IN_ELEMENT_AT"),
        (call("try_element_at", vec![a(), int(5)]), "null"),
        (call("element_at", vec![m(), text("b")]), "2"),
        (call("get", vec![a(), int(9)]), "null"),
        (call("array_contains", vec![a(), int(1)]), "true"),
        (call("array_contains", vec![a(), int(2)]), "null"),
        (call("array_position", vec![a(), int(1)]), "3"),
        (call("array_remove", vec![a(), int(3)]), "[null, 1]"),
        (call("array_distinct", vec![a()]), "[3, null, 1]"),
        (call("array_union", vec![a(), ints(&[Some(5), None])]), "[3, null, 1, 5]"),
        (call("array_intersect", vec![a(), ints(&[Some(3), None])]), "[3, null]"),
        (call("array_except", vec![a(), ints(&[Some(3)])]), "[null, 1]"),
        (call("array_join", vec![a(), text("-"), text("n")]), "3-n-1-3"),
        (call("array_join", vec![a(), text("-")]), "3-1-3"),
        (call("array_min", vec![a()]), "1"),
        (call("array_max", vec![a()]), "3"),
        (call("array_append", vec![a(), null()]), "[3, null, 1, 3, null]"),
        (call("array_prepend", vec![a(), int(0)]), "[0, 3, null, 1, 3]"),
        (call("array_insert", vec![ints(&[Some(1)]), int(3), int(9)]), "[1, null, 9]"),
        (call("array_insert", vec![ints(&[Some(1)]), int(-1), int(9)]), "[1, 9]"),
        (call("array_insert", vec![ints(&[Some(1)]), int(-3), int(9)]), "[9, null, 1]"),
        (call("array_compact", vec![a()]), "[3, 1, 3]"),
        (call("arrays_overlap", vec![a(), ints(&[Some(1)])]), "true"),
        (call("arrays_overlap", vec![a(), ints(&[Some(2)])]), "null"),
        (call("sort_array", vec![a()]), "[null, 1, 3, 3]"),
        (call("slice", vec![sequence(1, 5), int(-2), int(2)]), "[4, 5]"),
        (sequence(3, 1), "[3, 2, 1]"),
        (call("flatten", vec![n()]), "[1, 2, 3]"),
        (call("reverse", vec![sequence(1, 3)]), "[3, 2, 1]"),
        (call("map_keys", vec![m()]), "[a, b]"),
        (call("map_values", vec![m()]), "[1, 2]"),
        (call("map_entries", vec![m()]), "[{a, 1}, {b, 2}]"),
        (call("map_from_entries", vec![call("map_entries", vec![m()])]), "{a -> 1, b -> 2}"),
        (call("map_concat", vec![m(), m()]), "DUPLICATED_MAP_KEY"),
        (call("map_contains_key", vec![m(), text("c")]), "false"),
        (call("map_from_arrays", vec![ints(&[Some(1)]), ints(&[None])]), "{1 -> null}"),
        (call("map", vec![null(), int(1)]), "NULL_MAP_KEY"),
        (call("str_to_map", vec![text("a:1,b")]), "{a -> 1, b -> null}"),
        (call("arrays_zip", vec![ints(&[Some(1), Some(2)]), ints(&[Some(3)])]), "[{1, 3}, {2, null}]"),
    ] {
        let sql = value.sql.clone();
        assert_eq!(first(value), expected, "{sql}");
    }
}

#[test]
fn sequences_of_times() {
    let date = |text| literal(Literal::Date(firesteel_functions::datetime::parse_date(text).unwrap()));
    let months = DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month);
    let day_time = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);
    let month = || literal(Literal::YearMonthInterval(1, months.clone()));
    let micros = |micros: i64| literal(Literal::DayTimeInterval(micros, day_time.clone()));
    let day = micros(86_400_000_000);
    let hour = micros(3_600_000_000);
    for (arguments, expected) in [
        (vec![date("2024-01-31"), date("2024-03-31"), month()], "[2024-01-31, 2024-02-29, 2024-03-31]"),
        (vec![date("2024-01-02"), date("2024-01-01")], "[2024-01-02, 2024-01-01]"),
        (vec![date("2024-01-02"), date("2024-01-01"), day], "_LEGACY_ERROR_TEMP_ILLEGAL_SEQUENCE"),
        (
            vec![literal(Literal::Timestamp(0)), literal(Literal::Timestamp(7_200_000_000)), hour],
            "[1970-01-01 00:00:00, 1970-01-01 01:00:00, 1970-01-01 02:00:00]",
        ),
    ] {
        let value = call("sequence", arguments);
        let sql = value.sql.clone();
        assert_eq!(first(value), expected, "{sql}");
    }
}

#[test]
fn rows() {
    for (value, expected) in [
        (call("reverse", vec![column("t")]), "ba |  | null | öä"),
        (call("sort_array", vec![column("xs")]), "[1, 2, 3] | [] | null | [null, 4]"),
        (call("size", vec![column("xs")]), "3 | 0 | null | 2"),
        (try_call(false, "size", vec![column("xs")]).unwrap(), "3 | 0 | -1 | 2"),
        (call("array_contains", vec![column("xs"), int(4)]), "false | false | null | true"),
        (call("array_append", vec![column("xs"), column("b")]), "[3, 1, 2, 10] | [20] | null | [4, null, null]"),
        (call("array_max", vec![column("xs")]), "3 | null | null | 4"),
        (call("array_position", vec![column("xs"), column("b")]), "0 | 0 | null | null"),
    ] {
        let sql = value.sql.clone();
        assert_eq!(shown(value), expected, "{sql}");
    }
}

#[test]
fn generators() {
    let generate = |name: &str, arguments: Vec<Typed>| {
        let Build::Generator(build) = lookup(name).unwrap().build else { panic!("{name}") };
        let call = build(&context(true), arguments).unwrap();
        let names: Vec<_> = call.columns.iter().map(|column| column.name.clone()).collect();
        let data_type = DataType::Array(Box::new(DataType::Struct(call.columns)), true);
        let rows = Typed { expr: call.rows, data_type, nullable: true, sql: call.sql };
        (names.join(","), shown(rows))
    };
    for (name, arguments, columns, expected) in [
        ("explode", vec![column("xs")], "col", "[{3}, {1}, {2}] | [] | null | [{4}, {null}]"),
        ("posexplode", vec![column("xs")], "pos,col", "[{0, 3}, {1, 1}, {2, 2}] | [] | null | [{0, 4}, {1, null}]"),
        ("inline", vec![call("array", vec![column("s")])], "f,G", "[{1, p}] | [{2, q}] | [{3, r}] | [{null, null}]"),
        (
            "stack",
            vec![int(2), int(1), column("b"), int(3)],
            "col0,col1",
            "[{1, 10}, {3, null}] | [{1, 20}, {3, null}] | [{1, 30}, {3, null}] | [{1, null}, {3, null}]",
        ),
    ] {
        assert_eq!(generate(name, arguments), (columns.to_owned(), expected.to_owned()), "{name}");
    }
    let map = call("map", vec![text("k"), int(1)]);
    assert_eq!(generate("explode", vec![map]).0, "key,value");
}

#[test]
fn fields_travel() {
    let field = structs::field_at(column("s").expr, 1).unwrap();
    let Expr::ScalarFunction(function) = &field else { panic!("no function") };
    let (name, bytes) = firesteel_functions::udf::encode(&function.func).unwrap();
    assert_eq!(firesteel_functions::udf::decode(&name, &bytes).unwrap(), *function.func);
}
