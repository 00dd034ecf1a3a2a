//! Aggregates planned by DataFusion in two phases over several partitions, with and without groups.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use datafusion::common::Column;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use firesteel_model::Result;
use firesteel_spec::expr::CastMode;
use firesteel_spec::types_arrow::to_arrow_field;
use firesteel_spec::{DataType, Literal, StructField};

use crate::collections::{context, double, int, literal, text};
use firesteel_functions::call::{AggregateCall, CallModifiers, Typed};
use firesteel_functions::errors::from_datafusion;
use firesteel_functions::registry::{Build, lookup};

fn fields() -> Vec<StructField> {
    vec![
        StructField::new("g", DataType::STRING, true),
        StructField::new("i", DataType::Integer, true),
        StructField::new("d", DataType::Double, true),
        StructField::new("n", DataType::Decimal(10, 2), true),
    ]
}

fn batch(g: Vec<Option<&str>>, i: Vec<Option<i32>>, d: Vec<Option<f64>>) -> RecordBatch {
    let types: Vec<_> = fields().iter().map(to_arrow_field).collect();
    let i: ArrayRef = Arc::new(Int32Array::from(i));
    let n = arrow::compute::cast(&i, types[3].data_type()).unwrap();
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(g)), i, Arc::new(Float64Array::from(d)), n];
    RecordBatch::try_new(Arc::new(Schema::new(types)), columns).unwrap()
}

fn column(name: &str) -> Typed {
    let field = fields().into_iter().find(|field| field.name == name).unwrap();
    let expr = Expr::Column(Column::new_unqualified(name));
    Typed { expr, data_type: field.data_type, nullable: true, sql: name.to_owned() }
}

fn session() -> SessionContext {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(3).with_batch_size(2));
    let first = batch(
        vec![Some("a"), Some("b"), Some("a")],
        vec![Some(1), Some(5), Some(3)],
        vec![Some(1.0), None, Some(f64::NAN)],
    );
    let second =
        batch(vec![Some("b"), Some("a"), Some("c")], vec![Some(2), Some(3), None], vec![Some(2.0), Some(4.0), None]);
    let table = MemTable::try_new(first.schema(), vec![vec![first], vec![second]]).unwrap();
    ctx.register_table("t", Arc::new(table)).unwrap();
    ctx
}

fn build(name: &str, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<AggregateCall> {
    let Build::Aggregate(build) = lookup(name).unwrap().build else { panic!("{name}") };
    build(&context(true), arguments, modifiers)
}

async fn evaluate(call: AggregateCall, grouped: bool) -> Result<String> {
    let ctx = session();
    let aggregate = Expr::AggregateFunction(AggregateFunction::new_udf(
        call.function,
        call.arguments,
        call.is_distinct,
        None,
        Vec::new(),
        None,
    ));
    let table = ctx.table("t").await.unwrap().into_unoptimized_plan();
    let group = if grouped { vec![datafusion::prelude::col("g")] } else { Vec::new() };
    let plan = LogicalPlanBuilder::from(table).aggregate(group, vec![aggregate.alias("v")]);
    let value = Typed {
        expr: Expr::Column(Column::new_unqualified("v")),
        data_type: call.data_type,
        nullable: call.nullable,
        sql: "v".to_owned(),
    };
    let value = match call.finish {
        Some(finish) => finish(&context(true), value)?,
        None => value,
    };
    // The order of what is collected is nobody's promise.
    let value = match value.data_type {
        // Nor is the last digit of a sum.
        DataType::Double => crate::collections::call("round", vec![value, int(9)]),
        DataType::Array(..) => crate::collections::call("sort_array", vec![value]),
        _ => value,
    };
    let shown = firesteel_functions::cast::cast(&context(true), value, &DataType::STRING, CastMode::Session)?;
    let mut columns = vec![shown.expr.alias("shown")];
    if grouped {
        columns.insert(0, datafusion::prelude::col("g"));
    }
    let mut plan = plan.and_then(|plan| plan.project(columns)).map_err(from_datafusion)?;
    if grouped {
        plan = plan.sort(vec![datafusion::prelude::col("g").sort(true, true)]).map_err(from_datafusion)?;
    }
    let plan = plan.build().map_err(from_datafusion)?;
    let batches = ctx.execute_logical_plan(plan).await.map_err(from_datafusion)?.collect().await;
    let mut texts = Vec::new();
    for batch in batches.map_err(from_datafusion)? {
        let column = batch.column(batch.num_columns() - 1).as_string::<i32>();
        texts.extend(column.iter().map(|text| text.unwrap_or("null").to_owned()));
    }
    Ok(texts.join(" | "))
}

async fn check(name: &str, arguments: Vec<Typed>, modifiers: CallModifiers, all: &str, groups: &str) {
    for (grouped, expected) in [(false, all), (true, groups)] {
        let call = build(name, arguments.clone(), &modifiers).unwrap();
        let sql = call.sql.clone();
        let found = match evaluate(call, grouped).await {
            Ok(found) => found,
            Err(error) => error.class().name.to_owned() + ": " + &error.to_string(),
        };
        assert_eq!(found, expected, "{sql}, grouped: {grouped}");
    }
}

fn plain() -> CallModifiers {
    CallModifiers::default()
}

fn distinct() -> CallModifiers {
    CallModifiers { is_distinct: true, ..CallModifiers::default() }
}

#[tokio::test]
async fn sums() {
    check("count", vec![int(1)], plain(), "6", "3 | 2 | 1").await;
    check("count", vec![column("i")], distinct(), "4", "2 | 2 | 0").await;
    check("count", vec![column("i"), column("d")], plain(), "4", "3 | 1 | 0").await;
    check("count", vec![column("g"), column("i")], distinct(), "4", "2 | 2 | 0").await;
    check("sum", vec![column("i")], plain(), "14", "7 | 7 | null").await;
    check("sum", vec![column("n")], plain(), "14.00", "7.00 | 7.00 | null").await;
    check("sum", vec![column("i")], distinct(), "11", "4 | 7 | null").await;
    check("avg", vec![column("i")], plain(), "2.8", "2.333333333 | 3.5 | null").await;
    check("avg", vec![column("n")], plain(), "2.800000", "2.333333 | 3.500000 | null").await;
    check("min", vec![column("d")], plain(), "1.0", "1.0 | 2.0 | null").await;
    check("max", vec![column("d")], plain(), "NaN", "NaN | 2.0 | null").await;
    check("max", vec![column("g")], plain(), "c", "a | b | c").await;
}

#[tokio::test]
async fn moments() {
    check("stddev_pop", vec![column("i")], plain(), "1.326649916", "0.942809042 | 1.5 | null").await;
    check("var_samp", vec![column("i")], plain(), "2.2", "1.333333333 | 4.5 | null").await;
    check("covar_pop", vec![column("i"), column("i")], plain(), "1.76", "0.888888889 | 2.25 | null").await;
    check("corr", vec![column("i"), column("i")], plain(), "1.0", "1.0 | 1.0 | null").await;
}

#[tokio::test]
async fn rows_kept() {
    check("collect_list", vec![column("i")], distinct(), "[1, 2, 3, 5]", "[1, 3] | [2, 5] | []").await;
    check("percentile", vec![column("i"), double(0.5)], plain(), "3.0", "3.0 | 3.5 | null").await;
    check("median", vec![column("i")], plain(), "3.0", "3.0 | 3.5 | null").await;
    check("percentile_approx", vec![column("i"), double(0.5)], plain(), "3", "3 | 2 | null").await;
    check("mode", vec![column("i")], plain(), "3", "3 | 2 | null").await;
    check("max_by", vec![column("g"), column("i")], plain(), "b", "a | b | null").await;
    check("approx_count_distinct", vec![column("i")], plain(), "4", "2 | 2 | 0").await;
    let ordered = CallModifiers { order_by: vec![(column("i"), false, false)], ..CallModifiers::default() };
    check("listagg", vec![column("g"), text("-")], ordered, "b-a-a-b-a-c", "a-a-a | b-b | c").await;
    check(
        "bool_or",
        vec![crate::collections::call("isnull", vec![column("d")])],
        plain(),
        "true",
        "false | true | true",
    )
    .await;
    check("bit_or", vec![column("i")], plain(), "7", "3 | 7 | null").await;
    check("count_if", vec![crate::collections::call("isnull", vec![column("d")])], plain(), "2", "0 | 1 | 1").await;
}

#[tokio::test]
async fn overflow() {
    let big = literal(Literal::Long(i64::MAX));
    let call = build("sum", vec![big.clone()], &plain()).unwrap();
    assert_eq!(evaluate(call, false).await.unwrap_err().class().name, "ARITHMETIC_OVERFLOW");
    check("try_sum", vec![big], plain(), "null", &format!("null | null | {}", i64::MAX)).await;
}

#[test]
fn aggregates_travel() {
    let call = build("percentile", vec![column("i"), double(0.5)], &plain()).unwrap();
    let (name, bytes) = firesteel_functions::families::aggregate::encode(&call.function).unwrap();
    assert_eq!(firesteel_functions::families::aggregate::decode(&name, &bytes).unwrap(), call.function);
    assert_eq!(call.sql, "percentile(i, 0.5, 1)");
    assert_eq!(build("count", vec![column("i")], &distinct()).unwrap().sql, "count(DISTINCT i)");
}
