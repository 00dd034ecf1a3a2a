//! Sessions, tables and comparisons that the tests share.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext};
use firesteel_engine::logical::PartitioningPlanner;
use firesteel_engine::settings::{AdaptiveSettings, ExecutionSettings, KeyFilterSettings};
use firesteel_engine::{physical_rules, session_config};
use firesteel_executor::{ClusterConfig, JobOptions, LocalCluster, PartitionResult};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Small batches, few partitions, nothing run whole.
pub(crate) fn settings() -> ExecutionSettings {
    ExecutionSettings {
        shuffle_partitions: 5,
        batch_size: 16,
        small_query_bytes: 0,
        key_filters: Some(KeyFilterSettings { scan_bytes_min: 0, ..KeyFilterSettings::default() }),
        adaptive: AdaptiveSettings { coalesce: false, ..AdaptiveSettings::default() },
        ..ExecutionSettings::default()
    }
}

pub(crate) fn cluster(slots: usize) -> Arc<LocalCluster> {
    let mut config = ClusterConfig::new(slots);
    config.memory_bytes = Some(256 << 20);
    LocalCluster::start(config).unwrap()
}

pub(crate) fn options(settings: &ExecutionSettings) -> JobOptions {
    JobOptions { settings: settings.clone(), ..JobOptions::default() }
}

#[derive(Debug)]
struct Planner;

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(PartitioningPlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}

/// A session under our configuration, with the tables `t0`, `t1` and `t2`.
pub(crate) fn session(settings: &ExecutionSettings, seed: u64) -> SessionContext {
    with_tables(builder(session_config(settings)).with_physical_optimizer_rules(physical_rules(settings)), seed)
}

/// A session of plain DataFusion with the same tables.
pub(crate) fn plain_session(seed: u64) -> SessionContext {
    with_tables(builder(SessionConfig::new().with_target_partitions(2)), seed)
}

fn builder(config: SessionConfig) -> SessionStateBuilder {
    SessionStateBuilder::new_with_default_features().with_config(config).with_query_planner(Arc::new(Planner))
}

fn with_tables(builder: SessionStateBuilder, seed: u64) -> SessionContext {
    let context = SessionContext::new_with_state(builder.build());
    let mut random = StdRng::seed_from_u64(seed);
    for name in ["t0", "t1", "t2"] {
        let partitions = (0..random.random_range(1..5)).map(|_| partition(&mut random)).collect();
        let table = MemTable::try_new(schema(), partitions).unwrap();
        context.register_table(name, Arc::new(table)).unwrap();
    }
    context
}

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("c0", DataType::Int64, true),
        Field::new("c1", DataType::Int64, true),
        Field::new("c2", DataType::Utf8, true),
    ]))
}

fn partition(random: &mut StdRng) -> Vec<RecordBatch> {
    (0..random.random_range(0..4)).map(|_| batch(random)).collect()
}

fn batch(random: &mut StdRng) -> RecordBatch {
    let rows = random.random_range(0..40);
    let mut number = |limit: i64| random.random_bool(0.9).then(|| random.random_range(0..limit));
    let keys = Int64Array::from_iter((0..rows).map(|_| number(12)));
    let values = Int64Array::from_iter((0..rows).map(|_| number(1000)));
    let texts = StringArray::from_iter((0..rows).map(|_| number(30).map(|n| format!("text {n}"))));
    RecordBatch::try_new(schema(), vec![Arc::new(keys), Arc::new(values), Arc::new(texts)]).unwrap()
}

/// Every row as text, in order.
pub(crate) fn rows<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Vec<String> {
    let format = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &format).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

pub(crate) fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

pub(crate) fn result_rows(results: &[PartitionResult]) -> Vec<String> {
    rows(results.iter().flat_map(|result| &result.batches))
}
