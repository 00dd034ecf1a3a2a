//! Executors as pods, for a job whose driver runs in one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::build::executor::{faults_max, settings, shuffle_folder, wants_executors};
use firesteel_k8s::report::Report;
use firesteel_k8s::storage::ShuffleCleanup;
use firesteel_k8s::{SparkConnectServer, SparkJob};
use firesteel_launcher::{LaunchError, PodIdentity, PodLauncher};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::engine::{EngineConfig, ExecutorLaunch};
use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// A job's executors.
#[derive(Debug)]
pub(crate) struct Pods {
    launcher: Arc<PodLauncher>,
    bind: IpAddr,
    /// What the engine must be told of them.
    conf: BTreeMap<String, String>,
    reports: watch::Receiver<Report>,
    /// Executors that must be there before the program starts.
    min_to_start: u32,
    patience: Duration,
    faults_max: u32,
    leaves_shuffle: bool,
}

impl Pods {
    /// The executors that a job wants; nothing if its driver computes by itself.
    ///
    /// Errors: this process is not a driver's pod, or the job makes no sense.
    pub(crate) async fn of_job(job: &SparkJob) -> Result<Option<Self>, LaunchError> {
        Self::of(job, PodIdentity::read).await
    }

    /// The same for a standing server.
    pub(crate) async fn of_server(server: &SparkConnectServer) -> Result<Option<Self>, LaunchError> {
        // A server that starts again in its pod must not take over the pods of the one before.
        let incarnation = u32::try_from(Timestamp::now().as_second()).unwrap_or_default();
        Self::of(&server.as_job(), |variable| PodIdentity::of_server(variable, incarnation)).await
    }

    async fn of(
        job: &SparkJob,
        identity: impl FnOnce(fn(&str) -> Option<String>) -> Result<PodIdentity, LaunchError>,
    ) -> Result<Option<Self>, LaunchError> {
        if !wants_executors(job) {
            tracing::info!("there are no executors: this process computes");
            return Ok(None);
        }
        let variable: fn(&str) -> Option<String> = |name| std::env::var(name).ok();
        let identity = identity(variable)?;
        let launcher = PodLauncher::connect(job.clone(), &identity).await?;
        let shuffle = job.spec.storage.shuffle.as_ref();
        Ok(Some(Self {
            reports: launcher.reports(),
            launcher: Arc::new(launcher),
            bind: identity.ip,
            conf: conf(job, &identity, variable)?,
            min_to_start: job.spec.executor.min_to_start.unwrap_or(1),
            patience: job.spec.timeouts.executors.parse()?,
            faults_max: faults_max(&job.spec.executor),
            leaves_shuffle: shuffle.is_some_and(|shuffle| shuffle.cleanup == ShuffleCleanup::Keep),
        }))
    }

    /// The engine's configuration, with tasks in these executors.
    pub(crate) fn configure(&self, mut config: EngineConfig) -> EngineConfig {
        config.conf.extend(self.conf.clone());
        config.leaves_shuffle = self.leaves_shuffle;
        config.launch = Some(ExecutorLaunch {
            launcher: Arc::clone(&self.launcher) as _,
            bind: self.bind,
            patience: self.patience,
            faults_max: Some(self.faults_max),
        });
        config
    }

    /// What there is to say about them, as it changes.
    pub(crate) fn reports(&self) -> watch::Receiver<Report> {
        self.reports.clone()
    }

    /// Waits until as many executors are there as the program needs to start.
    ///
    /// Errors: `Executors` when they do not come in time; `Interrupted`.
    pub(crate) async fn ready(&self, interrupts: &mut Interrupts) -> Result<(), Failure> {
        // Tasks wait for the first executor by themselves.
        if self.min_to_start <= 1 {
            return Ok(());
        }
        let mut reports = self.reports.clone();
        let wanted = self.min_to_start;
        let running = |report: &Report| report.executors.as_ref().map_or(0, |counts| counts.running);
        let there = reports.wait_for(|report| running(report) >= wanted);
        tokio::select! {
            there = tokio::time::timeout(self.patience, there) => match there {
                Ok(Ok(_)) => Ok(()),
                _ => Err(Failure::Executors { wanted, there: running(&self.reports.borrow()) }),
            },
            interrupt = interrupts.next() => Err(Failure::Interrupted(interrupt)),
        }
    }
}

/// What follows from the job and its pod, in Spark's settings.
fn conf(
    job: &SparkJob,
    identity: &PodIdentity,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, LaunchError> {
    let host = variable("KUBERNETES_SERVICE_HOST").ok_or(LaunchError::Environment("KUBERNETES_SERVICE_HOST"))?;
    let port = variable("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
    let name = job.metadata.name.as_deref().unwrap_or("job");
    let mut conf = settings(&job.spec.executor)?;
    conf.insert("spark.master".to_owned(), format!("k8s://https://{host}:{port}"));
    conf.insert("spark.kubernetes.namespace".to_owned(), identity.namespace.clone());
    conf.insert("spark.app.id".to_owned(), format!("{name}-{}", identity.attempt));
    conf.extend(shuffle_folder(job).map(|folder| ("spark.firesteel.shuffle.url".to_owned(), folder)));
    Ok(conf)
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::Manifest;

    use super::*;

    fn job(spec: &str) -> SparkJob {
        let head = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: sales}\nspec: ";
        let mut job = Manifest::parse(&format!("{head}{spec}"), "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap();
        job.metadata.uid = Some("u-1".to_owned());
        job
    }

    #[test]
    fn the_shuffle_lies_in_the_jobs_own_folder() {
        let job = job("{main: {sql: {text: x}}, executor: {count: 2, cpu: 4}, storage: {shuffle: {url: 's3://b/x'}}}");
        let variable = |name: &str| match name {
            "POD_IP" => Some("10.0.0.7".to_owned()),
            "FIRESTEEL_ATTEMPT" => Some("3".to_owned()),
            "KUBERNETES_SERVICE_HOST" => Some("10.0.0.1".to_owned()),
            "KUBERNETES_SERVICE_PORT" | "FIRESTEEL_IMAGE_PULL_POLICY" => None,
            other => Some(other.to_owned()),
        };
        let conf = conf(&job, &PodIdentity::read(variable).unwrap(), variable).unwrap();
        for (key, value) in [
            ("spark.master", "k8s://https://10.0.0.1:443"),
            ("spark.app.id", "sales-3"),
            ("spark.executor.instances", "2"),
            ("spark.executor.cores", "4"),
            ("spark.firesteel.shuffle.url", "s3://b/x/u-1/"),
        ] {
            assert_eq!(conf[key], value, "{key}");
        }
    }

    #[tokio::test]
    async fn a_job_without_a_place_for_its_shuffle_has_no_executors() {
        assert!(Pods::of_job(&job("{main: {sql: {text: x}}, executor: {count: 2}}")).await.unwrap().is_none());
    }
}
