//! Attempts that fail, panic, hang or lose their input.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::repartition::RepartitionExec;
use firesteel_executor::{ClusterConfig, JobOptions, LocalCluster};
use firesteel_model::SparkError;
use firesteel_model::error_class::DIVIDE_BY_ZERO;
use firesteel_scheduler::CancelScope;
use tokio_util::sync::CancellationToken;

use crate::nodes::{HookExec, NumbersExec};
use crate::setup::{options, result_rows, settings, sorted};

fn external(error: SparkError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn by_number(input: Arc<dyn ExecutionPlan>, partitions: usize) -> Arc<dyn ExecutionPlan> {
    let key: Arc<dyn PhysicalExpr> = Arc::new(Column::new("n", 0));
    Arc::new(RepartitionExec::try_new(input, Partitioning::Hash(vec![key], partitions)).unwrap())
}

fn on_disk() -> Arc<LocalCluster> {
    let mut config = ClusterConfig::new(2);
    config.shuffle_memory_bytes = Some(0);
    LocalCluster::start(config).unwrap()
}

fn expected(rows: i64) -> Vec<String> {
    sorted((0..rows).map(|n| format!("{n}|{}", crate::nodes::scramble(n))).collect())
}

/// A hook that fails the first so many runs of partition 1.
fn failing(
    times: usize,
    failure: impl Fn() -> Result<()> + Send + Sync + 'static,
) -> (Arc<AtomicUsize>, impl Fn(usize) -> Result<()>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    (runs, move |partition| {
        if partition == 1 && counted.fetch_add(1, Ordering::SeqCst) < times {
            return failure();
        }
        Ok(())
    })
}

async fn run(plan: Arc<dyn ExecutionPlan>) -> firesteel_model::Result<Vec<String>> {
    Ok(sorted(result_rows(&on_disk().run_to_completion(plan, options(&settings())).await?)))
}

#[tokio::test]
async fn failures_that_may_pass_are_tried_again() {
    let (runs, hook) = failing(3, || Err(external(SparkError::internal("bad luck").retryable())));
    let plan = by_number(HookExec::new(NumbersExec::new(3, 50), hook), 4);
    assert_eq!(run(plan).await.unwrap(), expected(150));
    assert_eq!(runs.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn failures_that_will_not_pass_end_the_job_with_their_class() {
    let (runs, hook) = failing(9, || Err(external(SparkError::new(&DIVIDE_BY_ZERO).param("config", "c"))));
    let plan = by_number(HookExec::new(NumbersExec::new(3, 50), hook), 4);
    assert_eq!(run(plan).await.unwrap_err().class(), &DIVIDE_BY_ZERO);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let (runs, hook) = failing(9, || Err(external(SparkError::internal("bad luck").retryable())));
    let plan = HookExec::new(by_number(NumbersExec::new(3, 50), 4), hook);
    assert!(run(plan).await.is_err());
    assert_eq!(runs.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_panic_fails_one_attempt() {
    let (_, hook) = failing(1, || panic!("a panic on purpose"));
    let plan = by_number(HookExec::new(NumbersExec::new(3, 50), hook), 4);
    assert_eq!(run(plan).await.unwrap(), expected(150));
}

#[tokio::test]
async fn a_damaged_output_costs_one_map_task() {
    let cluster = on_disk();
    let maps: Arc<Mutex<HashMap<usize, usize>>> = Arc::default();
    let counted = Arc::clone(&maps);
    let input = HookExec::new(NumbersExec::new(3, 5000), move |partition| {
        *counted.lock().unwrap().entry(partition).or_default() += 1;
        Ok(())
    });
    let damaged = AtomicUsize::new(0);
    let shuffle = cluster.directory().join("shuffle");
    let plan = HookExec::new(by_number(input, 4), move |_| {
        if damaged.fetch_add(1, Ordering::SeqCst) == 0 {
            let second = |path: &std::path::PathBuf| path.to_string_lossy().contains("-00000001-");
            let mut files = std::fs::read_dir(&shuffle).unwrap().map(|entry| entry.unwrap().path());
            let file = files.find(second).unwrap();
            let mut bytes = std::fs::read(&file).unwrap();
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            std::fs::write(&file, bytes).unwrap();
        }
        Ok(())
    });
    let found = cluster.run_to_completion(plan, options(&settings())).await.unwrap();
    assert_eq!(sorted(result_rows(&found)), expected(15_000));
    let maps = maps.lock().unwrap();
    assert_eq!((maps[&0], maps[&1], maps[&2]), (1, 2, 1));
}

/// A plan whose tasks wait until nobody wants them any more.
fn endless() -> Arc<dyn ExecutionPlan> {
    HookExec::new(NumbersExec::new(64, 10), |_| {
        std::thread::sleep(Duration::from_millis(20));
        Ok(())
    })
}

#[tokio::test]
async fn jobs_end_when_they_are_cancelled() {
    let cluster = on_disk();
    let cancel = CancellationToken::new();
    let by_token = JobOptions { cancel: Some(cancel.clone()), ..options(&settings()) };
    let by_group = JobOptions { group: Some("mine".to_owned()), ..options(&settings()) };
    let by_tag = JobOptions { tags: vec!["tagged".to_owned()], ..options(&settings()) };
    let first = cluster.submit(endless(), by_token).await.unwrap();
    let second = cluster.submit(endless(), by_group).await.unwrap();
    let third = cluster.submit(endless(), by_tag).await.unwrap();
    cancel.cancel();
    cluster.cancel(CancelScope::Group("mine".to_owned())).await.unwrap();
    cluster.cancel(CancelScope::Tag("tagged".to_owned())).await.unwrap();
    for stream in [first, second, third] {
        assert_eq!(stream.collect().await.unwrap_err().class().name, "OPERATION_CANCELED");
    }
    let plan = by_number(NumbersExec::new(3, 50), 4);
    assert_eq!(cluster.run_to_completion(plan, options(&settings())).await.unwrap().len(), 4);
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let cluster = on_disk();
    let files = |cluster: &LocalCluster| std::fs::read_dir(cluster.directory().join("shuffle")).unwrap().count();
    let plan = || by_number(by_number(NumbersExec::new(3, 500), 4), 5);
    assert_eq!(cluster.run_to_completion(plan(), options(&settings())).await.unwrap().len(), 5);
    drop(cluster.submit(plan(), options(&settings())).await.unwrap());
    let mut unread = cluster.submit(plan(), options(&settings())).await.unwrap();
    unread.next().await.unwrap().unwrap();
    drop(unread);
    for _ in 0..100 {
        if files(&cluster) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} shuffle files are left", files(&cluster));
}
