//! [`PodLauncher`]: what a driver starts its executors with.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use firesteel_executor::{ExecutorLauncher, LauncherContext, LauncherFactory, variables};
use firesteel_k8s::SparkJob;
use firesteel_k8s::build::executor::{CREDENTIALS_FOLDER, ExecutorPods, SettingsError};
use firesteel_k8s::duration::SpanError;
use firesteel_k8s::report::Report;
use firesteel_model::ids::ExecutorId;
use firesteel_model::{ExecutorLoss, Result, SparkError};
use jiff::SignedDuration;
use kube::Client;
use tokio::sync::{mpsc, watch};
use tracing::warn;

use crate::cluster::Cluster;
use crate::identity::PodIdentity;
use crate::ledger::{Event, Ledger};
use crate::sizing::Sizing;
use crate::work::Work;

/// Wishes that may wait.
const COMMANDS_MAX: usize = 16_384;

/// What executors log, as what a driver logs.
const LOG: &str = "FIRESTEEL_LOG";

/// Executors that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// This process does not run in a driver's pod.
    #[error("{0} is not set or makes no sense; the operator sets it in a driver's pod")]
    Environment(&'static str),
    /// The API cannot be found.
    #[error("the Kubernetes API cannot be found: {0}")]
    Client(#[source] Box<kube::Error>),
    /// An amount in the job cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A duration in the job cannot be read.
    #[error(transparent)]
    Span(#[from] SpanError),
}

/// Starts executors as pods that belong to the pod of this process.
pub struct PodLauncher {
    client: Client,
    pods: ExecutorPods,
    sizing: Sizing,
    start_limit: SignedDuration,
    reports: Arc<watch::Sender<Report>>,
}

impl PodLauncher {
    /// Finds the API as a pod does. The job is as the operator gave it to the driver.
    ///
    /// Errors: there is no API, or the job makes no sense.
    pub async fn connect(job: SparkJob, identity: &PodIdentity) -> std::result::Result<Self, LaunchError> {
        let client = Client::try_default().await.map_err(|error| LaunchError::Client(Box::new(error)))?;
        let start_limit = job.spec.timeouts.executors.parse()?;
        Ok(Self {
            client,
            sizing: Sizing::new(job.spec.conf.0.clone(), job.spec.executor.clone())?,
            start_limit: SignedDuration::try_from(start_limit).unwrap_or(SignedDuration::MAX),
            pods: ExecutorPods {
                job,
                attempt: identity.attempt,
                driver_name: identity.name.clone(),
                driver_uid: identity.uid.clone(),
                image_pull_policy: identity.image_pull_policy.clone(),
                env: Vec::new(),
                is_server: identity.is_server,
            },
            reports: Arc::default(),
        })
    }

    /// What there is to say about executors, as it changes.
    pub fn reports(&self) -> watch::Receiver<Report> {
        self.reports.subscribe()
    }

    fn environment(context: &LauncherContext) -> Vec<(String, String)> {
        let mut env = vec![
            (variables::DRIVER.to_owned(), context.driver.to_string()),
            (variables::CORES.to_owned(), context.slots.to_string()),
            (variables::CREDENTIALS.to_owned(), CREDENTIALS_FOLDER.to_owned()),
        ];
        env.extend(variables::allocator(context.slots, None));
        env.extend(std::env::var(LOG).ok().map(|filter| (LOG.to_owned(), filter)));
        env
    }
}

impl fmt::Debug for PodLauncher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodLauncher").field("driver", &self.pods.driver_name).finish_non_exhaustive()
    }
}

impl LauncherFactory for PodLauncher {
    fn launcher(&self, context: LauncherContext) -> Result<Arc<dyn ExecutorLauncher>> {
        // One for all: who has the Secret may do what every executor may.
        let credentials = context.authority.executor("executor")?;
        let pods = ExecutorPods { env: Self::environment(&context), ..self.pods.clone() };
        let job = pods.job.metadata.name.clone().unwrap_or_default();
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let work = Work::new(
            Cluster::new(&self.client, pods.namespace()),
            Ledger::new(&job, pods.attempt, self.start_limit),
            pods.credentials(credentials.files()),
            pods,
            self.sizing.clone(),
            context.losses,
            Arc::clone(&self.reports),
        );
        tokio::spawn(work.run(inbox));
        Ok(Arc::new(Pods { commands }))
    }
}

/// The executors of one driver.
#[derive(Debug)]
struct Pods {
    commands: mpsc::Sender<Event>,
}

#[async_trait]
impl ExecutorLauncher for Pods {
    async fn start(&self, executor: ExecutorId) -> Result<()> {
        let stopped = |_| SparkError::internal("nobody asks for executors any more");
        self.commands.send(Event::Wanted(executor)).await.map_err(stopped)
    }

    async fn stop(&self, executor: ExecutorId, lost: Option<ExecutorLoss>) {
        // Without anybody who deletes pods they go with the driver's.
        let _ = self.commands.send(Event::Unwanted(executor, lost)).await;
    }

    fn registered(&self, executor: ExecutorId) {
        if self.commands.try_send(Event::Registered(executor)).is_err() {
            warn!(%executor, "one executor too few is going to be reported");
        }
    }
}
