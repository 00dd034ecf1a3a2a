//! Executors that are reached over the network; here each is a task of the test.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::ExprFunctionExt;
use datafusion::prelude::{DataFrame, SessionContext, col};
use firesteel_engine::codec::{NodeCodec, PlanCodec};
use firesteel_executor::{
    ClusterConfig, ExecutorLauncher, FleetConfig, LauncherContext, LauncherFactory, LocalCluster, ProcessConfig,
    ProcessParts, run_executor,
};
use firesteel_model::ids::ExecutorId;
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{ExecutorLoss, Result};
use firesteel_shuffle::{Compression, ObjectLocation, RequestPolicy};
use object_store::local::LocalFileSystem;
use tokio::task::AbortHandle;

use crate::nodes::{TripwireCodec, TripwireExec};
use crate::setup::{options, plain_session, result_rows, rows, session, settings, sorted};

const MEMORY: u64 = 256 << 20;
const KNOWN: &[u8] = b"what executors learn";

const QUERIES: usize = 4;

/// An aggregate, a join, a union of distinct rows, a window.
async fn query(context: &SessionContext, which: usize) -> DataFrame {
    let (t0, t1) = (context.table("t0").await.unwrap(), context.table("t1").await.unwrap());
    let query = match which {
        0 => t0.aggregate(vec![col("c0")], vec![sum(col("c1")), max(col("c2"))]),
        1 => {
            let right = t1.select(vec![col("c0").alias("d0"), col("c2").alias("d2")]).unwrap();
            t0.join(right, JoinType::Full, &["c0"], &["d0"], None)
        }
        2 => t0.union(t1).and_then(DataFrame::distinct),
        _ => {
            let number = row_number().partition_by(vec![col("c0")]);
            let number = number.order_by(vec![col("c1").sort(true, true), col("c2").sort(true, true)]).build().unwrap();
            t1.select(vec![col("c0"), number])
        }
    };
    query.unwrap()
}

#[derive(Clone, Debug)]
struct Tasks {
    location: ObjectLocation,
    codec: Arc<PlanCodec>,
    running: Arc<Mutex<HashMap<ExecutorId, AbortHandle>>>,
}

impl Tasks {
    /// Ends an executor as a crash would.
    fn kill_one(&self) {
        let running = self.running.lock().unwrap();
        if let Some(task) = running.iter().min_by_key(|(executor, _)| **executor).map(|(_, task)| task) {
            task.abort();
        }
    }
}

impl LauncherFactory for Tasks {
    fn launcher(&self, context: LauncherContext) -> Result<Arc<dyn ExecutorLauncher>> {
        Ok(Arc::new(Launcher { tasks: self.clone(), context }))
    }
}

#[derive(Debug)]
struct Launcher {
    tasks: Tasks,
    context: LauncherContext,
}

#[async_trait]
impl ExecutorLauncher for Launcher {
    async fn start(&self, executor: ExecutorId) -> Result<()> {
        let config = ProcessConfig {
            driver: self.context.driver.to_string(),
            executor,
            slots: 2,
            memory_bytes: MEMORY,
            credentials: self.context.authority.executor(&format!("executor-{executor}"))?,
            directory: None,
            drain: Duration::from_secs(5),
            reconnect: Duration::from_secs(5),
            ends_with_input: false,
        };
        let (location, codec) = (self.tasks.location.clone(), Arc::clone(&self.tasks.codec));
        let learn = move |mut cluster: ClusterConfig, known: &[u8]| {
            assert_eq!((known, cluster.memory_bytes), (KNOWN, Some(MEMORY)));
            cluster.shuffle = Some(location);
            Ok(ProcessParts { codec, cluster, extend: Arc::new(|config| config) })
        };
        let task = tokio::spawn(run_executor(config, learn));
        self.tasks.running.lock().unwrap().insert(executor, task.abort_handle());
        let (tasks, losses) = (self.tasks.clone(), self.context.losses.clone());
        tokio::spawn(async move {
            let reason = match task.await {
                Ok(Ok(())) => ExecutorLoss::Decommissioned,
                Ok(Err(_)) => ExecutorLoss::Exited(1),
                Err(_) => ExecutorLoss::Killed(9),
            };
            tasks.running.lock().unwrap().remove(&executor);
            losses.lost(executor, reason).await;
        });
        Ok(())
    }

    async fn stop(&self, executor: ExecutorId, _: Option<ExecutorLoss>) {
        let task = self.tasks.running.lock().unwrap().get(&executor).cloned();
        // It has been told; what does not listen is ended.
        tokio::time::sleep(Duration::from_secs(3)).await;
        if let Some(task) = task {
            task.abort();
        }
    }
}

fn fleet(folder: &Path, nodes: Vec<Arc<dyn NodeCodec>>) -> (Tasks, Arc<LocalCluster>) {
    let location = ObjectLocation {
        store: Arc::new(LocalFileSystem::new_with_prefix(folder).unwrap()),
        multipart: None,
        prefix: "shuffle".into(),
        namespace: "tests".to_owned(),
        application: "fleet".to_owned(),
        compression: Compression::Lz4,
        policy: RequestPolicy::default(),
    };
    let codec = Arc::new(PlanCodec::new(nodes));
    let tasks = Tasks { location: location.clone(), codec: Arc::clone(&codec), running: Arc::default() };
    let mut config = ClusterConfig::of_processes(2, 2, &RuntimeConf::new([]));
    config.shuffle = Some(location);
    config.fleet = Some(FleetConfig {
        slots: 2,
        pool_bytes: MEMORY,
        bind: std::net::Ipv4Addr::LOCALHOST.into(),
        codec,
        application: Bytes::from_static(KNOWN),
        heartbeat_interval: Duration::from_millis(200),
        reconnect_grace: Duration::from_secs(5),
        faults_max: None,
        launcher: Arc::new(tasks.clone()),
    });
    (tasks, LocalCluster::start(config).unwrap())
}

async fn check(cluster: &LocalCluster, seed: u64, which: usize) {
    let expected = query(&plain_session(seed), which).await.collect().await.unwrap();
    let settings = settings();
    let plan = query(&session(&settings, seed), which).await.create_physical_plan().await.unwrap();
    let given = cluster.run_to_completion(plan, options(&settings)).await.unwrap();
    assert_eq!(sorted(result_rows(&given)), sorted(rows(&expected)), "query {which}");
}

/// Without those that were never completed, which the store keeps under names with a `#`.
fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count = |path: &Path| match path.is_dir() {
        true => files_below(path),
        false => usize::from(!path.to_string_lossy().contains('#')),
    };
    entries.map(|entry| count(&entry.path())).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_executors_elsewhere_give_is_what_a_single_run_gives() {
    let folder = tempfile::tempdir().unwrap();
    let (tasks, cluster) = fleet(folder.path(), Vec::new());
    for which in 0..QUERIES {
        check(&cluster, which as u64, which).await;
    }
    cluster.shutdown().await;
    assert_eq!(files_below(folder.path()), 0);
    assert!(tasks.running.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn executors_that_crash_are_replaced_and_their_tasks_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let (tasks, cluster) = fleet(folder.path(), Vec::new());
    check(&cluster, 0, 0).await;
    let killer = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tasks.kill_one();
        }
    });
    for seed in 1..9 {
        check(&cluster, seed, seed as usize % QUERIES).await;
    }
    killer.abort();
    cluster.shutdown().await;
    assert_eq!(files_below(folder.path()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_panics_is_a_failed_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let codec = TripwireCodec::default();
    let trips = Arc::clone(&codec.trips);
    trips.store(3, Ordering::SeqCst);
    let (_tasks, cluster) = fleet(folder.path(), vec![Arc::new(codec)]);
    let settings = settings();
    let plan = TripwireExec::new(query(&session(&settings, 0), 2).await.create_physical_plan().await.unwrap());
    let expected = query(&plain_session(0), 2).await.collect().await.unwrap();
    let given = cluster.run_to_completion(plan, options(&settings));
    let given = tokio::time::timeout(Duration::from_secs(60), given).await.expect("it does not hang").unwrap();
    assert_eq!(sorted(result_rows(&given)), sorted(rows(&expected)));
    assert_eq!(trips.load(Ordering::SeqCst), 0, "launches panicked");
    cluster.shutdown().await;
}
