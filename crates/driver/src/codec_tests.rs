//! Every kind of plan that we make: written, read, compared, and both run.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::ScalarValue;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, displayable};
use firesteel_engine::codec::PlanCodec;
use firesteel_engine::key_filters::{KeyFilter, Keys, KeysId};
use firesteel_engine::partition::Sample;
use firesteel_engine::settings::ExecutionSettings;
use firesteel_engine::stages::{CompletedStages, StageNo, cut};
use firesteel_engine::task::{TaskEnvironment, TaskOutput};
use firesteel_engine::{in_task, session_config};
use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
use firesteel_shuffle::{FixedBudget, LocalStore, MapOutput, ShuffleStore};
use firesteel_spec::{Relation, RelationNode};
use futures::{FutureExt, StreamExt, TryStreamExt};

use crate::application::{Application, EngineConfig};
use crate::command;
use crate::planning::{self, Prepared};
use crate::session::DriverSession;

/// Tables that the statements read.
const SETUP: &[&str] = &[
    "CREATE TABLE people USING parquet AS SELECT id, concat('p', id % 7) AS name, CAST(id % 5 AS INT) AS age, \
     CASE WHEN id % 4 = 0 THEN NULL ELSE CAST(id AS DECIMAL(10,2)) END AS pay, DATE '2024-01-01' + CAST(id AS INT) AS day \
     FROM range(0, 100, 1, 3)",
    "CREATE TABLE teams USING csv OPTIONS (header 'true') AS SELECT id AS team, concat('t', id) AS label FROM range(5)",
    "CREATE TABLE events USING json PARTITIONED BY (kind) AS SELECT id, array(id, id + 1) AS list, \
     named_struct('a', id, 'b', CAST(id AS STRING)) AS item, CASE WHEN id % 2 = 0 THEN 'even' ELSE 'odd' END AS kind \
     FROM range(20)",
];

/// The filter on labels says which ages are worth counting.
const KEY_FILTERED: &str = "SELECT t.label, a.n FROM teams t JOIN (SELECT age, name, count(*) AS n FROM people GROUP BY age, name) a \
     ON t.team = a.age WHERE t.label = 't1'";

/// One for each node, join type, frame, function family and exchange.
const STATEMENTS: &[&str] = &[
    "SELECT * FROM people",
    "SELECT id, pay FROM people WHERE age > 2 AND pay IS NOT NULL",
    "SELECT id FROM people WHERE day BETWEEN DATE '2024-01-05' AND DATE '2024-02-01'",
    "SELECT * FROM people ORDER BY pay DESC NULLS LAST, id",
    "SELECT * FROM people ORDER BY id LIMIT 7 OFFSET 3",
    "SELECT * FROM people LIMIT 5",
    "SELECT DISTINCT name FROM people",
    "SELECT name, count(*), sum(pay), avg(age), min(day), max(pay) FROM people GROUP BY name",
    "SELECT count(*), sum(id), collect_list(age) FROM people WHERE id < 5",
    "SELECT count(*) FROM people WHERE false",
    "SELECT age, count(DISTINCT name), count(DISTINCT id), sum(pay) FILTER (WHERE id > 50) FROM people GROUP BY age",
    "SELECT name, age, count(*) FROM people GROUP BY ROLLUP (name, age)",
    "SELECT name, age, grouping_id(), count(*) FROM people GROUP BY CUBE (name, age)",
    "SELECT name, age, sum(id) FROM people GROUP BY GROUPING SETS ((name), (age), ())",
    "SELECT name, sum(id) AS s FROM people GROUP BY name HAVING s > 100",
    "SELECT p.id, t.label FROM people p JOIN teams t ON p.age = t.team",
    "SELECT p.id, t.label FROM people p LEFT JOIN teams t ON p.id = t.team AND t.label <> 't2'",
    "SELECT p.id, t.label FROM people p RIGHT JOIN teams t ON p.id = t.team + 98",
    "SELECT p.id, t.label FROM people p FULL JOIN teams t ON p.id = t.team + 98",
    "SELECT id FROM people WHERE age IN (SELECT CAST(team AS INT) FROM teams WHERE label > 't1')",
    "SELECT id FROM people WHERE age NOT IN (SELECT CAST(team AS INT) FROM teams WHERE label > 't1')",
    "SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM teams t WHERE t.team = p.id)",
    "SELECT id FROM people p WHERE NOT EXISTS (SELECT 1 FROM teams t WHERE t.team = p.age)",
    KEY_FILTERED,
    "SELECT p.id, t.team FROM people p JOIN teams t ON p.pay < t.team",
    "SELECT p.id, t.team FROM people p LEFT JOIN teams t ON p.pay < t.team",
    "SELECT p.id, t.team FROM people p CROSS JOIN teams t WHERE p.id < 3",
    "SELECT a.id FROM people a JOIN people b ON a.pay <=> b.pay WHERE a.id < 9 AND b.id < 9",
    "SELECT id, (SELECT max(team) FROM teams) AS best FROM people WHERE id < 3",
    "SELECT id FROM people WHERE id > (SELECT avg(id) FROM people)",
    "SELECT age, count(*) + (SELECT max(team) FROM teams) FROM people WHERE id > (SELECT avg(id) FROM people) GROUP BY age",
    "SELECT age, count(*) FROM people WHERE id > (SELECT max(team) FROM teams WHERE team < (SELECT avg(id) FROM events)) GROUP BY age",
    "SELECT id FROM people WHERE id < 3 UNION ALL SELECT CAST(team AS BIGINT) FROM teams",
    "SELECT age FROM people UNION SELECT CAST(team AS INT) FROM teams",
    "SELECT age FROM people EXCEPT SELECT 3",
    "SELECT age FROM people INTERSECT SELECT CAST(team AS INT) FROM teams",
    "SELECT id, row_number() OVER (PARTITION BY age ORDER BY id) AS n FROM people",
    "SELECT id, rank() OVER (ORDER BY age), dense_rank() OVER (ORDER BY age), ntile(4) OVER (ORDER BY id) FROM people",
    "SELECT id, sum(pay) OVER (PARTITION BY name ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM people",
    "SELECT id, max(age) OVER (PARTITION BY name ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM people",
    "SELECT id, avg(age) OVER (ORDER BY id RANGE BETWEEN 3 PRECEDING AND 1 FOLLOWING) FROM people",
    "SELECT id, lag(pay, 2) OVER (ORDER BY id), lead(pay) OVER (ORDER BY id) FROM people",
    "SELECT id, lag(pay) IGNORE NULLS OVER (ORDER BY id), first_value(pay) IGNORE NULLS OVER (ORDER BY id) FROM people",
    "SELECT id, nth_value(pay, 2) OVER (ORDER BY id), last_value(pay) IGNORE NULLS OVER (ORDER BY id) FROM people",
    "SELECT id, percent_rank() OVER (ORDER BY age), cume_dist() OVER (ORDER BY age) FROM people",
    "SELECT id, explode(list) AS one FROM events",
    "SELECT id, posexplode_outer(list) FROM events",
    "SELECT kind, item.a, item.b, list[0] FROM events WHERE kind = 'even'",
    "SELECT kind, count(*) FROM events GROUP BY kind",
    "SELECT transform(list, x -> x + id), filter(list, x -> x % 2 = 0), aggregate(list, 0L, (a, x) -> a + x) FROM events",
    "SELECT exists(list, x -> x > 10), forall(list, x -> x >= 0), array_sort(list, (a, b) -> CAST(b - a AS INT)) FROM events",
    "SELECT map_filter(map(id, kind), (k, v) -> k > 3), zip_with(list, list, (a, b) -> a * b) FROM events",
    "SELECT cast(name AS STRING) || '!', upper(name), substring(name, 1, 1), length(name) FROM people WHERE name LIKE 'p%'",
    "SELECT try_divide(id, age), id / nullif(age, 0), id % 3, -id, abs(-id), round(pay, 1) FROM people",
    "SELECT CASE WHEN age = 1 THEN 'one' WHEN age IN (2, 3) THEN 'few' ELSE 'many' END, coalesce(pay, 0), if(age > 2, 1, 0) FROM people",
    "SELECT date_format(day, 'yyyy-MM'), year(day), date_add(day, 3), datediff(day, DATE '2024-01-01') FROM people",
    "SELECT hash(name, id), xxhash64(name), md5(name), sha2(name, 256), crc32(name) FROM people",
    "SELECT to_json(item), from_json(to_json(item), 'a BIGINT, b STRING'), get_json_object(to_json(item), '$.b') FROM events",
    "SELECT name, percentile(age, 0.5), stddev(age), corr(age, id), collect_set(age), max_by(id, age) FROM people GROUP BY name",
    "SELECT name, first(id), last(id), approx_count_distinct(id), bool_and(age > 0), any_value(name) FROM people GROUP BY name",
    "SELECT listagg(name, ',') WITHIN GROUP (ORDER BY id) FROM people WHERE id < 4",
    "SELECT /*+ REPARTITION(4) */ id FROM people",
    "SELECT /*+ REPARTITION(3, age) */ id, age FROM people",
    "SELECT /*+ REPARTITION_BY_RANGE(3, id) */ id FROM people",
    "SELECT /*+ COALESCE(2) */ id FROM people",
    "SELECT id FROM people SORT BY pay",
    "SELECT id, age FROM people DISTRIBUTE BY age SORT BY id DESC",
    "SELECT * FROM VALUES (1, 'a', CAST(NULL AS INT)), (2, 'b', 3) AS t(x, y, z)",
    "SELECT 1 AS one, 'x' AS two, array(1, 2) AS three, map('k', 1) AS four, INTERVAL '2' DAY AS five",
    "SELECT id, spark_partition_id(), monotonically_increasing_id() FROM people",
    "SELECT id, rand(42) AS r FROM range(0, 10, 1, 2)",
    "SELECT distributed_sequence_id() AS place, id FROM range(0, 10, 1, 3)",
    "SELECT id, ewm(CAST(id AS DOUBLE), 0.5D, true) OVER (ORDER BY id), null_index(age) OVER (ORDER BY id) FROM people",
    "SELECT pandas_mode(age, true), collect_top_k(id, 2, false) FROM people",
    "SELECT id FROM people ORDER BY monotonically_increasing_id() DESC",
    "SELECT id FROM range(5, -5, -2, 3) WHERE id <> 1",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
    "SELECT * FROM (SELECT name, age, id FROM people) PIVOT (sum(id) FOR age IN (1, 2, 3))",
    "SELECT stack(2, id, age, age, id) FROM people WHERE id < 3",
    "SELECT name, x.total FROM (SELECT name, struct(sum(id) AS total) AS x FROM people GROUP BY name) ORDER BY x.total, name",
    "SELECT date_trunc('HOUR', timestamp_seconds(id * 60)) AS t, count(*) FROM people GROUP BY 1",
];

struct Fixture {
    session: DriverSession,
    codec: PlanCodec,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let conf = BTreeMap::from([
            ("spark.master".to_owned(), "local[2]".to_owned()),
            ("spark.sql.warehouse.dir".to_owned(), folder.path().display().to_string()),
            ("spark.sql.shuffle.partitions".to_owned(), "4".to_owned()),
            ("spark.sql.files.maxPartitionBytes".to_owned(), "1k".to_owned()),
            ("spark.sql.files.openCostInBytes".to_owned(), "0".to_owned()),
            ("spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold".to_owned(), "0".to_owned()),
        ]);
        let application = Application::start(EngineConfig { conf, ..EngineConfig::default() }).unwrap();
        let session = DriverSession::new(application, "", None);
        for statement in SETUP {
            let plan = firesteel_sql::parse_statement(statement).unwrap();
            let firesteel_spec::Plan::Command(command) = plan else { panic!("{statement} is no command") };
            let never = tokio_util::sync::CancellationToken::new();
            command::run(&session, &command, &never).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        let codec = PlanCodec::new(firesteel_sources::node_codecs());
        Self { session, codec, _folder: folder }
    }

    async fn prepared(&self, text: &str) -> Prepared {
        let node = RelationNode::Sql { text: text.to_owned(), named: Vec::new(), positional: Vec::new() };
        let prepared = planning::prepared(&self.session, &Relation::new(node)).await;
        prepared.unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn runtime(&self) -> Arc<RuntimeEnv> {
        self.session.application().cluster.runtime_env()
    }

    fn travelled(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        settings: &ExecutionSettings,
        text: &str,
    ) -> Arc<dyn ExecutionPlan> {
        let bytes = self.codec.encode(plan).unwrap_or_else(|error| panic!("{text}: {error}"));
        let again = self.codec.decode(&bytes, session_config(settings), self.runtime());
        let again = again.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(self.codec.encode(&again).unwrap(), bytes, "{text}: written again");
        again
    }
}

/// Runs the stages of a plan one after the other, each plan as it is or after a journey.
struct Run<'f> {
    fixture: &'f Fixture,
    settings: ExecutionSettings,
    store: Arc<dyn ShuffleStore>,
    outputs: HashMap<StageNo, Arc<Vec<MapOutput>>>,
    samples: HashMap<StageNo, Vec<Sample>>,
    keys: HashMap<(StageNo, KeysId), Keys>,
    travels: bool,
}

impl CompletedStages for Run<'_> {
    fn outputs(&self, stage: StageNo) -> Arc<Vec<MapOutput>> {
        self.outputs.get(&stage).cloned().unwrap_or_default()
    }

    fn samples(&self, stage: StageNo) -> Vec<Sample> {
        self.samples.get(&stage).cloned().unwrap_or_default()
    }

    fn keys(&self, stage: StageNo, id: KeysId) -> Option<Arc<KeyFilter>> {
        self.keys.get(&(stage, id))?.filter().map(Arc::new)
    }
}

impl Run<'_> {
    async fn rows(mut self, text: &str, plan: Arc<dyn ExecutionPlan>) -> Vec<String> {
        let graph = cut(plan, &self.settings).unwrap_or_else(|error| panic!("{text}: {error}"));
        for stage in &graph.stages {
            let stage = stage.adapt(&self, &self.settings.adaptive).unwrap();
            let plan: Arc<dyn ExecutionPlan> = Arc::new(stage.writer());
            let plan = if self.travels { self.compared(text, &plan) } else { plan };
            let mut done = Vec::new();
            for partition in 0..plan.output_partitioning().partition_count() {
                done.push(self.task(text, stage.no, &plan, partition).await);
            }
            self.samples.insert(stage.no, done.iter().filter_map(|output| output.sample.clone()).collect());
            for (id, keys) in done.iter().flat_map(|output| &output.keys) {
                self.keys.entry((stage.no, *id)).or_insert_with(|| Keys::new(keys.most())).merge(keys);
            }
            self.outputs.insert(stage.no, Arc::new(done.into_iter().map(|output| output.map).collect()));
            for link in graph.subqueries.iter().filter(|link| link.stage == stage.no) {
                let rows = self.batches(stage.no, &stage.plan.schema()).await;
                let first = rows.iter().find(|batch| batch.num_rows() > 0);
                let value = first.map(|batch| ScalarValue::try_from_array(batch.column(0), 0).unwrap());
                let null = || ScalarValue::try_from(stage.plan.schema().field(0).data_type()).unwrap();
                link.results.set(link.index, value.unwrap_or_else(null)).unwrap();
            }
        }
        let last = graph.stages.last().unwrap();
        let limit = graph.limit.map_or((0, usize::MAX), |limit| (limit.skip, limit.fetch));
        let rows = self.batches(last.no, &last.plan.schema()).await.iter().flat_map(lines).collect::<Vec<_>>();
        rows.into_iter().skip(limit.0).take(limit.1).collect()
    }

    fn compared(&self, text: &str, plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let again = self.fixture.travelled(plan, &self.settings, text);
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(true).to_string();
        // A subquery travels as its value.
        if !shown(plan).contains("scalar_subquery") {
            assert_eq!(shown(&again), shown(plan), "{text}");
        }
        for (sent, came) in nodes(plan).iter().zip(nodes(&again)) {
            assert_eq!(came.schema(), sent.schema(), "{text}: {}", sent.name());
            assert_eq!(came.output_partitioning().to_string(), sent.output_partitioning().to_string(), "{text}");
            let order = |plan: &Arc<dyn ExecutionPlan>| plan.output_ordering().map(ToString::to_string);
            assert_eq!(order(&came), order(sent), "{text}: {}", sent.name());
        }
        again
    }

    async fn task(&self, text: &str, no: StageNo, plan: &Arc<dyn ExecutionPlan>, partition: usize) -> TaskOutput {
        let task = TaskId { stage: StageId(no.0 as u64), partition: Partition(partition as u32) };
        let attempt = TaskAttempt { task, attempt: Attempt(0) };
        let never = tokio_util::sync::CancellationToken::new();
        let environment = Arc::new(TaskEnvironment::new(attempt, Arc::clone(&self.store), self.outputs.clone(), never));
        let config = session_config(&self.settings).with_extension(Arc::clone(&environment));
        let config = config.with_extension(Arc::new(attempt));
        let empty = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        let runtime = self.fixture.runtime();
        let context = TaskContext::new(None, String::new(), config, empty.0, empty.1, empty.2, empty.3, runtime);
        let plan = in_task(Arc::clone(plan)).unwrap();
        let rows = plan.execute(partition, Arc::new(context)).unwrap();
        let rows: Result<Vec<_>, _> = rows.try_collect().await;
        rows.unwrap_or_else(|error| panic!("{text}: {error}"));
        environment.take_output().unwrap()
    }

    async fn batches(&self, stage: StageNo, schema: &SchemaRef) -> Vec<RecordBatch> {
        let mut batches = Vec::new();
        let mut rows = self.store.read(schema, self.outputs(stage).to_vec());
        while let Some(batch) = rows.next().await {
            batches.push(batch.unwrap());
        }
        batches
    }
}

fn nodes(plan: &Arc<dyn ExecutionPlan>) -> Vec<Arc<dyn ExecutionPlan>> {
    let mut all = vec![Arc::clone(plan)];
    all.extend(plan.children().into_iter().flat_map(nodes));
    all
}

fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
    let line = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}

async fn check(fixture: &Fixture, text: &str, small_query_bytes: usize) {
    let run = async |travels| {
        let Prepared { physical, settings, .. } = fixture.prepared(text).await;
        let settings = ExecutionSettings { small_query_bytes, ..settings };
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::new(folder.path(), Arc::new(FixedBudget::new(u64::MAX))));
        let (outputs, samples, keys) = (HashMap::new(), HashMap::new(), HashMap::new());
        Run { fixture, settings, store, outputs, samples, keys, travels }.rows(text, physical).await
    };
    let (mut sent, mut plain) = (run(true).await, run(false).await);
    if !text.contains("ORDER BY") {
        // Nothing says in which order rows without a partner come out of a join.
        sent.sort_unstable();
        plain.sort_unstable();
    }
    assert_eq!(sent, plain, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_travel() {
    let fixture = Fixture::new().await;
    let mut failed = Vec::new();
    for statement in STATEMENTS {
        for small_query_bytes in [0, 4 << 20] {
            let checked = std::panic::AssertUnwindSafe(check(&fixture, statement, small_query_bytes)).catch_unwind();
            if checked.await.is_err() {
                failed.push(statement);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filtered_scan_is_among_them() {
    let Prepared { physical, .. } = Fixture::new().await.prepared(KEY_FILTERED).await;
    let shown = displayable(physical.as_ref()).indent(false).to_string();
    assert!(shown.contains("KeyFilterExec") && shown.contains("GatherKeysExec"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checked_arithmetic_stays_checked() {
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr::expressions::{BinaryExpr, Column};
    use datafusion::physical_plan::filter::FilterExec;
    let fixture = Fixture::new().await;
    let Prepared { physical, settings, .. } = fixture.prepared("SELECT id FROM range(3)").await;
    let column = || Arc::new(Column::new(physical.schema().field(0).name(), 0));
    let sum = BinaryExpr::new(column(), Operator::Plus, column()).with_fail_on_overflow(true);
    let predicate = BinaryExpr::new(Arc::new(sum), Operator::Eq, column());
    let plan: Arc<dyn ExecutionPlan> = Arc::new(FilterExec::try_new(Arc::new(predicate.clone()), physical).unwrap());
    let again = fixture.travelled(&plan, &settings, "checked arithmetic");
    let again = again.downcast_ref::<FilterExec>().unwrap().predicate().downcast_ref::<BinaryExpr>().unwrap();
    assert_eq!(*again, predicate);
}
