//! A job's program on an engine of its own: what `run` and `driver` have in common.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use firesteel_k8s::SparkJob;
use firesteel_launcher::Tally;
use firesteel_sources::stores::StoreRegistry;
use uuid::Uuid;

use crate::arguments::Format;
use crate::child::{self, Deadline};
use crate::data::Data;
use crate::engine::{EngineConfig, Server, SqlSession};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::pods::Pods;
use crate::program::{self, Process, Program};
use crate::sql;
use crate::tail::LogTail;

/// What is to be run and how.
#[derive(Debug)]
pub(crate) struct Execution<'a> {
    pub(crate) job: &'a SparkJob,
    /// Arguments of the program, after those of the manifest.
    pub(crate) args: &'a [String],
    pub(crate) python: PathBuf,
    pub(crate) data: &'a Data,
    pub(crate) format: Format,
    pub(crate) deadline: Option<Deadline>,
    /// Where the end of the program's output is kept, if anybody asks for it later.
    pub(crate) tail: Option<&'a LogTail>,
    /// The executors that compute; without them this process does.
    pub(crate) pods: Option<&'a Pods>,
    /// Counts what is done, if anybody asks for it.
    pub(crate) tally: Option<Arc<Tally>>,
}

impl Execution<'_> {
    /// Runs the program to its end.
    ///
    /// Errors: the program's own exit code, a failed statement, `Interrupted`, `DeadlineExceeded`.
    pub(crate) async fn run(&self, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let name = self.job.metadata.name.as_deref().unwrap_or("job");
        let stores = StoreRegistry::new(self.data.connections.clone());
        let program = program::prepare(name, &self.job.spec, self.args, &self.python, &stores).await?;
        let config = self.engine_config(name);
        match program {
            Program::Process(process) => self.serve(config, &process, interrupts).await,
            Program::Statements(statements) => {
                let session = SqlSession::open(config).await?;
                if let Err(failure) = self.ready(interrupts).await {
                    return end(session.close(), interrupts, Err(failure)).await;
                }
                let work = sql::run(&session, &statements, self.format, interrupts);
                let result = match &self.deadline {
                    None => work.await,
                    Some(deadline) => match tokio::time::timeout(deadline.after, work).await {
                        Ok(result) => result,
                        Err(_) => Err(Failure::DeadlineExceeded(deadline.text.clone())),
                    },
                };
                end(session.close(), interrupts, result).await
            }
        }
    }

    async fn serve(&self, config: EngineConfig, process: &Process, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let token = Uuid::new_v4().simple().to_string();
        let config = EngineConfig { python_path: process.python_path.clone(), ..config };
        let server = Server::start(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), token.clone()).await?;
        let environment = Environment {
            port: server.address().port(),
            token: &token,
            python_path: &process.python_path,
            inherited_python_path: std::env::var_os("PYTHONPATH"),
            extra: self.data.variables(),
        };
        let variables = environment.variables();
        let result = match self.ready(interrupts).await {
            Ok(()) => child::run(process, variables, interrupts, self.deadline.as_ref(), self.tail).await,
            Err(failure) => Err(failure),
        };
        end(server.shutdown(), interrupts, result).await
    }

    fn engine_config(&self, name: &str) -> EngineConfig {
        let mut conf = self.job.spec.conf.0.clone();
        conf.entry("spark.app.name".to_owned()).or_insert_with(|| name.to_owned());
        let (connections, python) = (self.data.connections.clone(), self.python.clone());
        let listener = self.tally.clone().map(|tally| tally as _);
        let config = EngineConfig { connections, conf, python, listener, ..EngineConfig::default() };
        match self.pods {
            Some(pods) => pods.configure(config),
            None => config,
        }
    }

    async fn ready(&self, interrupts: &mut Interrupts) -> Result<(), Failure> {
        match self.pods {
            Some(pods) => pods.ready(interrupts).await,
            None => Ok(()),
        }
    }
}

/// Ends an engine. Whoever asks again meanwhile does not want to wait for what is left to be cleaned up.
async fn end(
    engine: impl Future<Output = ()>,
    interrupts: &mut Interrupts,
    result: Result<(), Failure>,
) -> Result<(), Failure> {
    tokio::select! {
        () = engine => result,
        interrupt = interrupts.next() => result.and(Err(Failure::Interrupted(interrupt))),
    }
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::Manifest;

    use super::*;

    #[test]
    fn the_application_is_named_after_the_job_unless_its_configuration_says_otherwise() {
        let data = Data { connections: Vec::new(), embedded: None };
        let named = |spec: &str| {
            let head = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: sales}\nspec: ";
            let job = Manifest::parse(&format!("{head}{spec}"), "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap();
            let execution = Execution {
                job: &job,
                args: &[],
                python: PathBuf::from("py"),
                data: &data,
                format: Format::Table,
                deadline: None,
                tail: None,
                pods: None,
                tally: None,
            };
            execution.engine_config("sales").conf["spark.app.name"].clone()
        };
        assert_eq!(named("{main: {sql: {text: x}}}"), "sales");
        assert_eq!(named("{main: {sql: {text: x}}, conf: {spark.app.name: y}}"), "y");
    }
}
