//! More data than memory, and many tasks.

use std::sync::Arc;
use std::time::Instant;

use datafusion::common::{JoinType, NullEquality};
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use firesteel_executor::{ClusterConfig, LocalCluster, ProgressEvent, ProgressSink};
use std::sync::Mutex;

use crate::nodes::NumbersExec;
use crate::setup::{cluster, options, settings};

const MEMORY: u64 = 48 << 20;

fn column(name: &str, index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(name, index))
}

#[derive(Debug, Default)]
struct Spilled(Mutex<u64>);

impl ProgressSink for Spilled {
    fn on_event(&self, event: ProgressEvent) {
        if let ProgressEvent::TaskFinished { metrics, .. } = event {
            *self.0.lock().unwrap() += metrics.spilled_bytes;
        }
    }
}

/// Runs with little memory; gives the number of rows and of bytes spilled.
async fn run_tight(plan: Arc<dyn ExecutionPlan>, ordered_by: Option<usize>) -> (usize, u64) {
    let mut config = ClusterConfig::new(2);
    config.memory_bytes = Some(MEMORY);
    let cluster = LocalCluster::start(config).unwrap();
    let spilled = Arc::new(Spilled::default());
    let mut tight = options(&settings());
    tight.settings.batch_size = 4096;
    tight.progress = Some(Arc::clone(&spilled) as Arc<dyn ProgressSink>);
    let mut stream = cluster.submit(plan, tight).await.unwrap();
    let (mut rows, mut last) = (0, i64::MIN);
    while let Some(next) = stream.next().await {
        let batch = next.unwrap().batch;
        rows += batch.num_rows();
        if let Some(index) = ordered_by {
            let keys = arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(batch.column(index));
            for key in keys.values() {
                assert!(*key >= last);
                last = *key;
            }
        }
    }
    let spilled = *spilled.0.lock().unwrap();
    (rows, spilled)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sort_larger_than_memory_completes_in_order() {
    let ordering = LexOrdering::new([PhysicalSortExpr::new_default(column("scrambled", 1))]).unwrap();
    let input = NumbersExec::new(4, 1_000_000);
    let sort = Arc::new(SortExec::new(ordering.clone(), input).with_preserve_partitioning(true));
    let (rows, spilled) = run_tight(Arc::new(SortPreservingMergeExec::new(ordering, sort)), Some(1)).await;
    assert_eq!(rows, 4_000_000);
    assert!(spilled > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_aggregation_larger_than_memory_completes() {
    let input: Arc<dyn ExecutionPlan> = NumbersExec::new(4, 750_000);
    let schema = input.schema();
    let group = |name, index| PhysicalGroupBy::new_single(vec![(column(name, index), name.to_owned())]);
    let count = AggregateExprBuilder::new(datafusion::functions_aggregate::count::count_udaf(), vec![column("n", 0)]);
    let count = Arc::new(count.schema(Arc::clone(&schema)).alias("count").build().unwrap());
    let partial = AggregateExec::try_new(
        AggregateMode::Partial,
        group("scrambled", 1),
        vec![Arc::clone(&count)],
        vec![None],
        input,
        Arc::clone(&schema),
    );
    let key = column("scrambled", 0);
    let exchange = RepartitionExec::try_new(Arc::new(partial.unwrap()), Partitioning::Hash(vec![key], 5));
    let last = AggregateExec::try_new(
        AggregateMode::FinalPartitioned,
        group("scrambled", 0),
        vec![count],
        vec![None],
        Arc::new(exchange.unwrap()),
        schema,
    );
    let (rows, spilled) = run_tight(Arc::new(last.unwrap()), None).await;
    assert_eq!(rows, 3_000_000);
    assert!(spilled > 0);
}

/// The numbers joined with themselves by a scrambled key.
fn self_join(join_type: JoinType) -> Arc<dyn ExecutionPlan> {
    let side = || -> Arc<dyn ExecutionPlan> {
        let by_key = Partitioning::Hash(vec![column("scrambled", 1)], 5);
        Arc::new(RepartitionExec::try_new(NumbersExec::new(4, 750_000), by_key).unwrap())
    };
    let on = vec![(column("scrambled", 1), column("scrambled", 1))];
    let mode = PartitionMode::Partitioned;
    let nulls = NullEquality::NullEqualsNothing;
    Arc::new(HashJoinExec::try_new(side(), side(), on, None, &join_type, None, mode, nulls, false).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_join_larger_than_memory_completes() {
    for join_type in [JoinType::Inner, JoinType::Full, JoinType::LeftSemi] {
        let (rows, spilled) = run_tight(self_join(join_type), None).await;
        assert_eq!(rows, 3_000_000, "{join_type}");
        assert!(spilled > 0, "{join_type}");
    }
}

#[tokio::test]
async fn many_small_tasks_are_quick() {
    let cluster = cluster(2);
    let started = Instant::now();
    let results = cluster.run_to_completion(NumbersExec::new(5000, 1), options(&settings())).await.unwrap();
    assert_eq!(results.len(), 5000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
