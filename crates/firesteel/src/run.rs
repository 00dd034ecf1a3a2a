//! `firesteel run`: a job's manifest on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use firesteel_k8s::{Manifest, SparkJob};
use firesteel_sources::stores::StoreRegistry;
use uuid::Uuid;

use crate::arguments::Run;
use crate::child::{self, Deadline};
use crate::data::Data;
use crate::engine::{EngineConfig, Server, SqlSession};
use crate::environment::{Environment, python};
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::program::{self, Process, Program};
use crate::sql;

/// Runs the command.
///
/// Flow: manifest -> data -> program -> engine -> the program's end.
///
/// Errors: the program's own exit code, a failed statement, anything wrong with the manifest.
pub(crate) async fn run(arguments: Run) -> Result<(), Failure> {
    let file = arguments.manifest.display().to_string();
    let job = Manifest::read(&arguments.manifest, &arguments.overrides)?.into_job(&file)?;
    if job.spec.suspend {
        return Err(Failure::Usage(format!("{file}: the job is suspended; run it with --set suspend=false")));
    }
    let interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let data = Data::of_job(&job.spec.storage.connections, arguments.data.as_deref()).await?;
    sql::tell(&data);
    let result = execute(&arguments, &job, &data, interrupts).await;
    data.shutdown().await;
    result
}

async fn execute(arguments: &Run, job: &SparkJob, data: &Data, mut interrupts: Interrupts) -> Result<(), Failure> {
    let name = job.metadata.name.as_deref().unwrap_or("job");
    let python = python(arguments.python.as_deref(), std::env::var_os("VIRTUAL_ENV"));
    let stores = StoreRegistry::new(data.connections.clone());
    let program = program::prepare(name, &job.spec, &arguments.args, &python, &stores).await?;
    let config = engine_config(job, name, data, python);
    let deadline = deadline(job)?;
    match program {
        Program::Process(process) => serve(config, &process, data, &mut interrupts, deadline.as_ref()).await,
        Program::Statements(statements) => {
            let session = SqlSession::open(config).await?;
            let work = sql::run(&session, &statements, arguments.format, &mut interrupts);
            let result = match &deadline {
                None => work.await,
                Some(deadline) => match tokio::time::timeout(deadline.after, work).await {
                    Ok(result) => result,
                    Err(_) => Err(Failure::DeadlineExceeded(deadline.text.clone())),
                },
            };
            session.close().await;
            result
        }
    }
}

async fn serve(
    config: EngineConfig,
    process: &Process,
    data: &Data,
    interrupts: &mut Interrupts,
    deadline: Option<&Deadline>,
) -> Result<(), Failure> {
    let token = Uuid::new_v4().simple().to_string();
    let config = EngineConfig { python_path: process.python_path.clone(), ..config };
    let server = Server::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Some(token.clone())).await?;
    let environment = Environment {
        port: server.address().port(),
        token: &token,
        python_path: &process.python_path,
        inherited_python_path: std::env::var_os("PYTHONPATH"),
        extra: data.variables(),
    };
    let result = child::run(process, environment.variables(), interrupts, deadline).await;
    server.shutdown().await;
    result
}

fn engine_config(job: &SparkJob, name: &str, data: &Data, python: PathBuf) -> EngineConfig {
    let mut conf = job.spec.conf.0.clone();
    conf.entry("spark.app.name".to_owned()).or_insert_with(|| name.to_owned());
    EngineConfig { connections: data.connections.clone(), conf, python, python_path: Vec::new() }
}

fn deadline(job: &SparkJob) -> Result<Option<Deadline>, Failure> {
    let deadline = job.spec.timeouts.run.as_ref().map(|span| {
        let after = span.parse().map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Deadline { after, text: span.to_string() })
    });
    deadline.transpose()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn job(spec: &str) -> SparkJob {
        let text =
            format!("apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {{name: sales}}\nspec: {spec}");
        Manifest::parse(&text, "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap()
    }

    #[tokio::test]
    async fn the_application_is_named_after_the_job_unless_its_configuration_says_otherwise() {
        let data = Data { connections: Vec::new(), embedded: None };
        let named =
            |spec| engine_config(&job(spec), "sales", &data, PathBuf::from("py")).conf["spark.app.name"].clone();
        assert_eq!(named("{main: {sql: {text: x}}}"), "sales");
        assert_eq!(named("{main: {sql: {text: x}}, conf: {spark.app.name: y}}"), "y");
    }

    #[test]
    fn the_deadline_is_the_manifests() {
        assert!(deadline(&job("{main: {sql: {text: x}}}")).unwrap().is_none());
        let deadline = deadline(&job("{main: {sql: {text: x}}, timeouts: {run: 90s}}")).unwrap().unwrap();
        assert_eq!(deadline.after.as_secs(), 90);
    }

    #[tokio::test]
    async fn a_suspended_job_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("job.yaml");
        let text = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: x}\nspec: {suspend: true, main: {sql: {text: x}}}";
        std::fs::write(&file, text).unwrap();
        let arguments = Run {
            manifest: file,
            overrides: Vec::new(),
            python: None,
            data: Some(folder.path().join("data")),
            format: crate::arguments::Format::Table,
            args: Vec::new(),
        };
        let failure = run(arguments).await.unwrap_err();
        assert!(matches!(failure, Failure::Usage(_)), "{failure}");
        assert!(!Path::new(&folder.path().join("data")).exists());
    }
}
