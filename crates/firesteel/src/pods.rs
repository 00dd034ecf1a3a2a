//! Executors as pods, for a job whose driver runs in one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use firesteel_k8s::SparkJob;
use firesteel_k8s::build::executor::{faults_max, settings, shuffle_folder, wants_executors};
use firesteel_k8s::status::ExecutorCounts;
use firesteel_launcher::{LaunchError, PodIdentity, PodLauncher};
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
    counts: watch::Receiver<ExecutorCounts>,
    /// Executors that must be there before the program starts.
    min_to_start: u32,
    patience: Duration,
    faults_max: u32,
}

impl Pods {
    /// The executors that a job wants; nothing if its driver computes by itself.
    ///
    /// Errors: this process is not a driver's pod, or the job makes no sense.
    pub(crate) async fn of_job(job: &SparkJob) -> Result<Option<Self>, LaunchError> {
        if !wants_executors(job) {
            tracing::info!("the job has no executors: this process computes");
            return Ok(None);
        }
        let variable = |name: &str| std::env::var(name).ok();
        let identity = PodIdentity::read(variable)?;
        let launcher = PodLauncher::connect(job.clone(), &identity).await?;
        Ok(Some(Self {
            counts: launcher.counts(),
            launcher: Arc::new(launcher),
            bind: identity.ip,
            conf: conf(job, &identity, variable)?,
            min_to_start: job.spec.executor.min_to_start.unwrap_or(1),
            patience: job.spec.timeouts.executors.parse()?,
            faults_max: faults_max(&job.spec.executor),
        }))
    }

    /// The engine's configuration, with tasks in these executors.
    pub(crate) fn configure(&self, mut config: EngineConfig) -> EngineConfig {
        config.conf.extend(self.conf.clone());
        config.launch = Some(ExecutorLaunch {
            launcher: Arc::clone(&self.launcher) as _,
            bind: self.bind,
            patience: self.patience,
            faults_max: Some(self.faults_max),
        });
        config
    }

    /// Waits until as many executors are there as the program needs to start.
    ///
    /// Errors: `Executors` when they do not come in time; `Interrupted`.
    pub(crate) async fn ready(&self, interrupts: &mut Interrupts) -> Result<(), Failure> {
        // Tasks wait for the first executor by themselves.
        if self.min_to_start <= 1 {
            return Ok(());
        }
        let mut counts = self.counts.clone();
        let wanted = self.min_to_start;
        let there = counts.wait_for(|counts| counts.running >= wanted);
        tokio::select! {
            there = tokio::time::timeout(self.patience, there) => match there {
                Ok(Ok(_)) => Ok(()),
                _ => Err(Failure::Executors { wanted, there: self.counts.borrow().running }),
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
