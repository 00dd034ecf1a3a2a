//! Numbers and contents of partitions that the user asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, col};
use firesteel_engine::logical::{CoalesceNode, RepartitionKind, RepartitionNode};
use firesteel_engine::partition::murmur3;
use firesteel_engine::settings::{AdaptiveSettings, ExecutionSettings};
use firesteel_executor::{PartitionResult, ProgressEvent, ProgressSink};
use std::sync::Mutex;

use crate::nodes::{HookExec, NumbersExec};
use crate::setup::{cluster, options, result_rows, session, settings};

/// Rows through a node over `t0`, and the number of tasks of the last stage.
async fn run(
    settings: &ExecutionSettings,
    node: impl Fn(Arc<LogicalPlan>) -> LogicalPlan,
) -> (Vec<PartitionResult>, usize) {
    let context = session(settings, 11);
    let input = context.table("t0").await.unwrap().union(context.table("t1").await.unwrap()).unwrap();
    let (state, plan) = input.into_parts();
    let plan = DataFrame::new(state, node(Arc::new(plan))).create_physical_plan().await.unwrap();
    let sink = Arc::new(LastStage::default());
    let mut options = options(settings);
    options.progress = Some(Arc::clone(&sink) as Arc<dyn ProgressSink>);
    let results = cluster(2).run_to_completion(plan, options).await.unwrap();
    let tasks = *sink.0.lock().unwrap();
    (results, tasks)
}

#[derive(Debug, Default)]
struct LastStage(Mutex<usize>);

impl ProgressSink for LastStage {
    fn on_event(&self, event: ProgressEvent) {
        if let ProgressEvent::StageStarted { tasks, .. } = event {
            *self.0.lock().unwrap() = tasks;
        }
    }
}

fn repartition(kind: RepartitionKind, count: Option<usize>) -> impl Fn(Arc<LogicalPlan>) -> LogicalPlan {
    move |input| RepartitionNode { input, kind: kind.clone(), count }.into_plan()
}

fn adaptive() -> ExecutionSettings {
    ExecutionSettings { adaptive: AdaptiveSettings::default(), ..settings() }
}

#[tokio::test]
async fn a_named_number_stays_and_others_are_merged() {
    let hash = || RepartitionKind::Hash(vec![col("c0")]);
    assert_eq!(run(&adaptive(), repartition(RepartitionKind::RoundRobin, Some(7))).await.1, 7);
    assert_eq!(run(&adaptive(), repartition(hash(), Some(7))).await.1, 7);
    assert_eq!(run(&adaptive(), repartition(hash(), None)).await.1, 1);
    assert_eq!(run(&settings(), repartition(hash(), None)).await.1, 5);
}

#[tokio::test]
async fn round_robin_deals_out_evenly() {
    let (results, _) = run(&settings(), repartition(RepartitionKind::RoundRobin, Some(4))).await;
    let sizes: Vec<usize> =
        results.iter().map(|result| result.batches.iter().map(|batch| batch.num_rows()).sum()).collect();
    assert_eq!(sizes.len(), 4);
    assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 8, "{sizes:?}");
}

#[tokio::test]
async fn hash_partitions_are_where_spark_puts_them() {
    let (results, _) = run(&settings(), repartition(RepartitionKind::Hash(vec![col("c0")]), Some(6))).await;
    for PartitionResult { partition, batches } in results {
        for batch in batches {
            let hashes = murmur3::hash_columns(&batch.columns()[..1], batch.num_rows()).unwrap();
            assert!(hashes.into_iter().all(|hash| murmur3::partition_of(hash, 6) == partition));
        }
    }
}

#[tokio::test]
async fn ids_name_the_partition() {
    let (results, _) = run(&settings(), repartition(RepartitionKind::ById(col("c0")), Some(5))).await;
    for PartitionResult { partition, batches } in results {
        for batch in batches {
            let ids = batch.column(0).as_primitive::<Int64Type>();
            assert!(ids.iter().all(|id| id.unwrap_or(0) as usize % 5 == partition));
        }
    }
}

#[tokio::test]
async fn ranges_follow_each_other() {
    let kind = RepartitionKind::Range(vec![col("c1").sort(true, true)]);
    let (results, tasks) = run(&settings(), repartition(kind, Some(4))).await;
    assert_eq!(tasks, 4);
    let mut last = i64::MIN;
    for result in &results {
        let keys = result.batches.iter().flat_map(|batch| batch.column(1).as_primitive::<Int64Type>().iter());
        let keys: Vec<i64> = keys.map(|key| key.unwrap_or(i64::MIN)).collect();
        assert!(*keys.iter().min().unwrap() >= last);
        last = *keys.iter().max().unwrap();
    }
    assert!(results.len() >= 3, "{} ranges", results.len());
}

#[tokio::test]
async fn coalesce_reads_neighbours_in_order() {
    let everything = run(&settings(), repartition(RepartitionKind::RoundRobin, Some(7))).await.0;
    let (results, tasks) = run(&settings(), |input| {
        let dealt = repartition(RepartitionKind::RoundRobin, Some(7))(input);
        CoalesceNode { input: Arc::new(dealt), count: 3 }.into_plan()
    })
    .await;
    assert_eq!(tasks, 3);
    assert_eq!(result_rows(&results), result_rows(&everything));
}

#[tokio::test]
async fn taking_a_few_rows_runs_a_few_tasks() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&ran);
    let numbers = HookExec::new(NumbersExec::new(100, 10), move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let cluster = cluster(2);
    for (rows, tasks) in [(5, 1), (10, 1), (25, 4), (1000, 100), (5000, 100), (0, 1)] {
        ran.store(0, Ordering::SeqCst);
        let results = cluster.take(numbers.clone(), rows, options(&settings())).await.unwrap();
        let found = result_rows(&results);
        assert_eq!(found.len(), rows.min(1000));
        assert!(found.iter().enumerate().all(|(n, row)| row.starts_with(&format!("{n}|"))));
        assert!(ran.load(Ordering::SeqCst) <= tasks, "{rows} rows took {ran:?} tasks");
    }
}
