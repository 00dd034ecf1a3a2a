//! `firesteel driver`: what a driver's pod runs: a job, or a standing server.
//!
//! The manifest and the credentials are files that the operator has put into the pod; the API is asked for executors.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use firesteel_k8s::{Manifest, ManifestError, Resource, SparkConnectServer};
use firesteel_launcher::{LaunchError, LogSource, PodIdentity, PodReporter, Reporting, SessionCount, Sources, Tally};

use crate::arguments::{Driver, Format};
use crate::data::Data;
use crate::engine::{EngineConfig, Server};
use crate::environment::{own_python, python};
use crate::execute::Execution;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::last_words;
use crate::pods::Pods;
use crate::tail::LogTail;

/// Runs the command.
///
/// Errors: the program's own exit code; anything wrong with the manifest or the credentials.
pub(crate) async fn driver(arguments: Driver) -> Result<(), Failure> {
    match (&arguments.job, &arguments.server) {
        (Some(job), _) => {
            let tail = LogTail::default();
            let result = run_job(job, &arguments, &tail).await;
            last_words::write(&arguments.last_words, &result, &tail);
            result
        }
        (None, Some(server)) => serve(server, &arguments).await,
        (None, None) => Err(Failure::Usage("give either --job or --server".to_owned())),
    }
}

async fn run_job(file: &Path, arguments: &Driver, tail: &LogTail) -> Result<(), Failure> {
    let job = Manifest::read(file, &[])?.into_job(&file.display().to_string())?;
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let data = Data::of_pod(&job.spec.storage.connections, &arguments.storage)?;
    let pods = Pods::of_job(&job).await?;
    let tally = Arc::new(Tally::default());
    let log = tail.clone();
    let log: Option<LogSource> = Some(Arc::new(move || log.text()));
    let executors = pods.as_ref().map(Pods::reports);
    let sources = Sources { executors, tally: Arc::clone(&tally), log, sessions: None };
    let reporting = report(PodIdentity::read(variable).ok(), sources).await?;
    let execution = Execution {
        job: &job,
        args: &[],
        python: python(arguments.python.as_deref(), std::env::var_os("VIRTUAL_ENV")),
        data: &data,
        format: Format::Table,
        // The operator keeps the time, because the time that a job has may change while it runs.
        deadline: None,
        tail: Some(tail),
        pods: pods.as_ref(),
        tally: Some(tally),
    };
    let result = execution.run(&mut interrupts).await;
    if let Some(reporting) = reporting {
        reporting.finish().await;
    }
    result
}

/// Tells the operator how things are from now on; nobody outside of a pod.
async fn report(identity: Option<PodIdentity>, sources: Sources) -> Result<Option<Reporting>, LaunchError> {
    let Some(identity) = identity else { return Ok(None) };
    Ok(Some(PodReporter::connect(&identity, sources).await?.start()))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Serves until SIGTERM.
async fn serve(file: &Path, arguments: &Driver) -> Result<(), Failure> {
    let server = read_server(file)?;
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let data = Data::of_pod(&server.spec.storage.connections, &arguments.storage)?;
    let token = match &arguments.token_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(Failure::io("cannot read the file of --token-file"))?;
            text.trim().to_owned()
        }
        None => String::new(),
    };
    if token.is_empty() {
        return Err(Failure::Usage("a server needs a token: give --token-file a file that holds one".to_owned()));
    }
    let mut conf = server.spec.conf.0.clone();
    conf.entry("spark.app.name".to_owned()).or_insert_with(|| server.metadata.name.clone().unwrap_or_default());
    let tally = Arc::new(Tally::default());
    let listener = Some(Arc::clone(&tally) as _);
    let connections = data.connections;
    let config = EngineConfig { connections, conf, python: own_python(), listener, ..EngineConfig::default() };
    let pods = Pods::of_server(&server).await?;
    let config = match &pods {
        Some(pods) => pods.configure(config),
        None => config,
    };
    let bind = SocketAddr::from((Ipv4Addr::UNSPECIFIED, arguments.port));
    let server = Server::start(config, bind, token).await?;
    let sessions: Option<SessionCount> = Some(Arc::new(server.session_count()));
    let sources = Sources { executors: pods.as_ref().map(Pods::reports), tally, log: None, sessions };
    let reporting = report(PodIdentity::of_server(variable, 0).ok(), sources).await?;
    tracing::info!(address = %server.address(), "serving");
    interrupts.next().await;
    let ended = tokio::select! {
        () = server.shutdown() => Ok(()),
        interrupt = interrupts.next() => Err(Failure::Interrupted(interrupt)),
    };
    if let Some(reporting) = reporting {
        reporting.finish().await;
    }
    ended
}

fn read_server(file: &Path) -> Result<SparkConnectServer, Failure> {
    let mut resources = Manifest::read(file, &[])?.resources;
    match (resources.pop(), resources.is_empty()) {
        (Some(Resource::SparkConnectServer(server)), true) => Ok(*server),
        _ => {
            let found = "something else than one SparkConnectServer".to_owned();
            Err(ManifestError::NotOneJob { file: file.display().to_string(), found }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(folder: &Path) -> Driver {
        Driver {
            job: None,
            server: None,
            token_file: None,
            port: 0,
            storage: folder.to_owned(),
            python: None,
            last_words: folder.join("last-words"),
        }
    }

    #[tokio::test]
    async fn a_failed_job_leaves_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let job = folder.path().join("job.json");
        let text = r#"{"apiVersion": "firesteel.dev/v1alpha1", "kind": "SparkJob", "metadata": {"name": "x", "uid": "u"},
            "spec": {"main": {"native": {"command": ["/bin/sh", "-c", "echo out; echo why >&2; exit 7"]}}}}"#;
        std::fs::write(&job, text).unwrap();
        let arguments = Driver { job: Some(job), ..arguments(folder.path()) };
        let file = arguments.last_words.clone();
        assert!(matches!(driver(arguments).await, Err(Failure::Program(7))));
        let words: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!((&words["exitCode"], &words["message"]), (&7.into(), &"why".into()));
    }

    #[tokio::test]
    async fn a_server_without_a_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let server = folder.path().join("server.json");
        let text = r#"{"apiVersion": "firesteel.dev/v1alpha1", "kind": "SparkConnectServer", "metadata": {"name": "x"}, "spec": {}}"#;
        std::fs::write(&server, text).unwrap();
        let arguments = Driver { server: Some(server), ..arguments(folder.path()) };
        assert!(matches!(driver(arguments).await, Err(Failure::Usage(_))));
    }
}
