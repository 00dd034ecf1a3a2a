//! Filters that a join's selective side gives the scans of the other: what they spare, and that they change nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::common::{JoinType, Result};
use datafusion::datasource::MemTable;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::physical_plan::displayable;
use datafusion::prelude::{DataFrame, SessionContext, col, lit};
use firesteel_engine::settings::{ExecutionSettings, KeyFilterSettings};
use firesteel_executor::{ProgressEvent, ProgressSink};

use crate::setup::{cluster, options, result_rows, session, settings, sorted};

/// Rows of the larger table; the smaller has a tenth as many, every tenth key of it.
const ROWS: i64 = 10_000;

/// A query of `large` and of the few rows of `small`, whose columns begin with `s_`.
type Query = fn(DataFrame, DataFrame) -> Result<DataFrame>;

fn joined(left: DataFrame, right: DataFrame, kind: JoinType) -> Result<DataFrame> {
    left.join(right, kind, &["s_key"], &["key"], None)
}

fn totals(rows: DataFrame) -> Result<DataFrame> {
    rows.aggregate(Vec::new(), vec![count(lit(1)), sum(col("value"))])
}

/// Joins that drop most rows of `large`.
const FILTERED: &[Query] = &[
    |large, small| totals(joined(small, large, JoinType::Inner)?),
    |large, small| totals(joined(small, large, JoinType::Left)?),
    |large, small| totals(large.join(small, JoinType::LeftSemi, &["key"], &["s_key"], None)?),
    |large, small| {
        let counted = large.aggregate(vec![col("key")], vec![sum(col("value")).alias("value")])?;
        totals(joined(small, counted, JoinType::Inner)?)
    },
    |large, small| {
        let moved = large.clone().select(vec![(col("key") + lit(1_i64)).alias("key"), col("value")])?;
        totals(joined(small, large.union(moved)?, JoinType::Inner)?)
    },
    |large, small| {
        let again = large.clone().select(vec![col("key").alias("again"), col("value").alias("more")])?;
        let both = large.join(again, JoinType::Inner, &["key"], &["again"], None)?;
        totals(joined(small, both, JoinType::Inner)?)
    },
];

/// Joins that keep its rows, or for whose rows a filter would change something.
const UNFILTERED: &[Query] = &[
    |large, small| totals(joined(small, large, JoinType::Right)?),
    |large, small| totals(joined(small, large, JoinType::Full)?),
    |large, small| totals(large.join(small, JoinType::LeftAnti, &["key"], &["s_key"], None)?),
    |large, small| {
        totals(joined(small, large.sort(vec![col("value").sort(true, true)])?.limit(0, Some(50))?, JoinType::Inner)?)
    },
];

async fn frame(settings: &ExecutionSettings, query: Query) -> DataFrame {
    let context = session(settings, 1);
    for (name, rows, step) in [("small", ROWS / 10, 10), ("large", ROWS, 1)] {
        register(&context, name, rows, step);
    }
    let small = context.table("small").await.unwrap().filter(col("value").lt(lit(100_i64))).unwrap();
    let small = small.select(vec![col("key").alias("s_key"), col("value").alias("s_value")]).unwrap();
    query(context.table("large").await.unwrap(), small).unwrap()
}

fn register(context: &SessionContext, name: &str, rows: i64, step: i64) {
    let partition = |part: i64| {
        let numbers: Vec<i64> = (0..rows).filter(|row| row % 3 == part).collect();
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers.iter().map(|row| row * step)));
        let values: ArrayRef = Arc::new(Int64Array::from(numbers));
        vec![RecordBatch::try_from_iter([("key", keys), ("value", values)]).unwrap()]
    };
    let partitions: Vec<_> = (0..3).map(partition).collect();
    let schema = partitions[0][0].schema();
    context.register_table(name, Arc::new(MemTable::try_new(schema, partitions).unwrap())).unwrap();
}

fn with_keys(keys_max: usize) -> ExecutionSettings {
    let key_filters = Some(KeyFilterSettings { keys_max, scan_bytes_min: 0 });
    ExecutionSettings { broadcast_bytes_max: 0, key_filters, ..settings() }
}

fn without_filters() -> ExecutionSettings {
    ExecutionSettings { key_filters: None, ..with_keys(0) }
}

/// Rows that the tasks of each stage gave.
#[derive(Debug, Default)]
struct Rows(Mutex<BTreeMap<u64, u64>>);

impl ProgressSink for Rows {
    fn on_event(&self, event: ProgressEvent) {
        if let ProgressEvent::TaskFinished { attempt, metrics, .. } = event {
            *self.0.lock().unwrap().entry(attempt.task.stage.0).or_default() += metrics.rows;
        }
    }
}

/// The plan, the result, and how many rows went from stage to stage.
async fn run(settings: &ExecutionSettings, query: Query) -> (String, Vec<String>, u64) {
    let plan = frame(settings, query).await.create_physical_plan().await.unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    let rows = Arc::new(Rows::default());
    let mut options = options(settings);
    options.progress = Some(Arc::clone(&rows) as Arc<dyn ProgressSink>);
    let found = cluster(2).run_to_completion(plan, options).await.unwrap();
    let moved = rows.0.lock().unwrap().values().sum();
    (shown, sorted(result_rows(&found)), moved)
}

#[tokio::test]
async fn rows_without_a_partner_stay_where_they_are() {
    for query in FILTERED {
        let (shown, expected, all) = run(&without_filters(), *query).await;
        assert!(!shown.contains("KeyFilterExec"), "{shown}");
        let (shown, found, moved) = run(&with_keys(200), *query).await;
        assert!(shown.contains("KeyFilterExec"), "{shown}");
        assert_eq!(found, expected, "{shown}");
        assert!(moved * 4 < all, "{moved} of {all} rows moved\n{shown}");
    }
}

/// A filter after a grouping, whose groups only the driver's side of the exchange knows to be few.
#[tokio::test]
async fn few_groups_filter_what_they_are_joined_with() {
    let query: Query = |large, _| {
        let groups = large.clone().aggregate(vec![col("key").alias("s_key")], vec![sum(col("value")).alias("n")])?;
        let few = groups.filter(col("n").lt(lit(100_i64)))?.select(vec![col("s_key")])?;
        totals(large.join(few, JoinType::LeftSemi, &["key"], &["s_key"], None)?)
    };
    let (_, expected, all) = run(&without_filters(), query).await;
    let (shown, found, moved) = run(&with_keys(200), query).await;
    assert!(shown.contains("KeyFilterExec"), "{shown}");
    assert_eq!(found, expected, "{shown}");
    assert!(moved * 10 < all * 6, "{moved} of {all} rows moved\n{shown}");
}

#[tokio::test]
async fn too_many_keys_filter_nothing() {
    for query in FILTERED {
        let (_, expected, all) = run(&without_filters(), *query).await;
        let (shown, found, moved) = run(&with_keys(99), *query).await;
        assert!(shown.contains("KeyFilterExec"), "{shown}");
        assert_eq!((found, moved), (expected, all), "{shown}");
    }
}

#[tokio::test]
async fn sides_that_keep_their_rows_are_not_filtered() {
    for query in UNFILTERED {
        let (_, expected, _) = run(&without_filters(), *query).await;
        let (shown, found, _) = run(&with_keys(1_000_000), *query).await;
        let at_the_end = |line: &str| line.contains("KeyFilterExec") && line.contains("[key@");
        assert!(!shown.lines().any(at_the_end) || shown.contains("fetch=50"), "{shown}");
        assert_eq!(found, expected, "{shown}");
    }
}
