//! Cancelled jobs stop working, wherever in their plan they are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, col, lit};
use datafusion::prelude::SessionContext;
use firesteel_engine::exec::RangeTable;
use firesteel_executor::JobOptions;
use tokio_util::sync::CancellationToken;

use crate::nodes::NumbersExec;
use crate::setup::{cluster, options, session, settings};

/// How long a slot may stay taken; a build without optimisation on a busy machine counts too.
const PATIENCE: Duration = Duration::from_secs(5);

async fn numbers(context: &SessionContext, name: &str, rows: i64) -> LogicalPlanBuilder {
    let table = context.read_table(Arc::new(RangeTable::new(0, rows, 1, 2))).unwrap();
    let columns = vec![col("id"), (col("id") % lit(2_i64)).alias("key")];
    LogicalPlanBuilder::from(table.into_unoptimized_plan()).project(columns).unwrap().alias(name).unwrap()
}

/// A million numbers on each side.
async fn pair(context: &SessionContext) -> (LogicalPlanBuilder, LogicalPlanBuilder) {
    (numbers(context, "a", 1_000_000).await, numbers(context, "b", 1_000_000).await)
}

async fn stops(context: SessionContext, plan: LogicalPlanBuilder, result: Expr) {
    let plan = plan.aggregate(Vec::<Expr>::new(), vec![result]).unwrap().build().unwrap();
    let plan = context.state().create_physical_plan(&plan).await.unwrap();
    let cluster = cluster(2);
    let cancel = CancellationToken::new();
    let work = cluster.submit(plan, JobOptions { cancel: Some(cancel.clone()), ..options(&settings()) }).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let started = Instant::now();
    cancel.cancel();
    assert_eq!(work.collect().await.unwrap_err().class().name, "OPERATION_CANCELED");
    let after = cluster.run_to_completion(NumbersExec::new(8, 10), options(&settings())).await.unwrap();
    assert_eq!(after.len(), 8);
    assert!(started.elapsed() < PATIENCE, "it took {:?} to stop", started.elapsed());
}

#[tokio::test]
async fn an_aggregate_that_gives_nothing_until_its_end() {
    let context = session(&settings(), 0);
    let plan = numbers(&context, "a", i64::MAX).await;
    stops(context, plan, sum(col("a.key"))).await;
}

#[tokio::test]
async fn a_filter_that_lets_nothing_through() {
    let context = session(&settings(), 0);
    let plan = numbers(&context, "a", i64::MAX).await.filter(col("a.key").gt(lit(2_i64))).unwrap();
    stops(context, plan, sum(col("a.id"))).await;
}

#[tokio::test]
async fn a_product_of_two_inputs() {
    let context = session(&settings(), 0);
    let (left, right) = pair(&context).await;
    let plan = left.cross_join(right.build().unwrap()).unwrap();
    stops(context, plan, sum(col("a.id") - col("b.id"))).await;
}

#[tokio::test]
async fn a_join_by_comparison_that_finds_nothing() {
    let context = session(&settings(), 0);
    let (left, right) = pair(&context).await;
    let never = (col("a.id") + col("b.id")).lt(lit(0_i64));
    let plan = left.join_on(right.build().unwrap(), JoinType::Inner, [never]).unwrap();
    stops(context, plan, count(lit(1))).await;
}

#[tokio::test]
async fn a_join_of_equal_keys_whose_filter_finds_nothing() {
    let context = session(&settings(), 0);
    let (left, right) = pair(&context).await;
    let never = (col("a.id") + col("b.id")).lt(lit(0_i64));
    let equal = col("a.key").eq(col("b.key"));
    let plan = left.join_on(right.build().unwrap(), JoinType::Inner, [equal, never]).unwrap();
    stops(context, plan, count(lit(1))).await;
}
