//! What executors say, as commands for the dispatcher.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firesteel_model::ids::ExecutorId;
use firesteel_model::{ExecutorLoss, SparkError};
use firesteel_rpc::{
    AttemptReport, BlobHash, DriverHandler, Hello, Metrics, Orders, Outcome, Report, ResultHeader, ResultReceiver,
    RpcError, Welcome,
};
use firesteel_scheduler::{Event, ExecutorInfo, TaskFailure};
use firesteel_shuffle::ShuffleStore;
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::blobs::BlobStore;
use super::launcher::LossReporter;
use super::registry::Registry;
use crate::attempt::{AttemptEnd, TaskMetrics};
use crate::dispatch::Command;
use crate::wire;

pub(super) struct Handler {
    pub(super) registry: Arc<Registry>,
    pub(super) blobs: Arc<BlobStore>,
    /// Where results wait to be read; the driver's own.
    pub(super) results: Arc<dyn ShuffleStore>,
    pub(super) commands: mpsc::WeakSender<Command>,
    pub(super) losses: LossReporter,
    pub(super) welcome: Welcome,
    pub(super) reconnect_grace: Duration,
}

impl Handler {
    async fn tell(&self, command: Command) {
        if let Some(commands) = self.commands.upgrade() {
            // A closed channel means that nobody schedules any more.
            let _ = commands.send(command).await;
        }
    }
}

#[async_trait]
impl DriverHandler for Handler {
    async fn registered(&self, hello: Hello, orders: Orders) -> Result<Welcome, RpcError> {
        let Hello { executor, slots, memory_bytes, address, running, draining } = hello;
        if !self.registry.connect(executor, orders, &running) {
            return Err(RpcError::Refused(format!("executor {executor} is not expected")));
        }
        info!(%executor, slots, memory_bytes, address, running = running.len(), "executor registered");
        let info = ExecutorInfo { id: executor, slots, running };
        self.tell(Command::Happened(Event::ExecutorRegistered(info))).await;
        if draining {
            self.tell(Command::Happened(Event::ExecutorDraining(executor))).await;
        }
        Ok(self.welcome.clone())
    }

    async fn reported(&self, executor: ExecutorId, report: Report) {
        let Report { ended, load, draining } = report;
        self.registry.note(executor, load);
        debug!(%executor, ended = ended.len(), ?load, draining, "report");
        for AttemptReport { attempt, outcome, metrics } in ended {
            let result = match outcome {
                Outcome::Succeeded(record) => wire::record_from_bytes(&record).map_err(TaskFailure::Error),
                Outcome::Failed(error) => Err(TaskFailure::Error(error)),
                Outcome::FetchFailed(input) => {
                    Err(TaskFailure::FetchFailed { input: input.task, attempt: input.attempt })
                }
                Outcome::Killed => Err(TaskFailure::Killed),
                Outcome::Refused => Err(TaskFailure::Refused),
            };
            let Metrics { rows, bytes, scanned_bytes, spilled_bytes, duration } = metrics;
            let metrics = TaskMetrics { rows, bytes, scanned_bytes, spilled_bytes, duration };
            let end = Box::new(AttemptEnd { result, metrics });
            self.tell(Command::AttemptEnded(executor, attempt, end)).await;
        }
        self.tell(Command::Happened(Event::ExecutorHeartbeat(executor))).await;
        if draining {
            self.tell(Command::Happened(Event::ExecutorDraining(executor))).await;
        }
    }

    async fn disconnected(&self, executor: ExecutorId, connection: u64) {
        if !self.registry.disconnect(executor, connection) {
            return;
        }
        let (registry, losses, grace) = (Arc::clone(&self.registry), self.losses.clone(), self.reconnect_grace);
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            if registry.is_away(executor) {
                losses.lost(executor, ExecutorLoss::ConnectionLost).await;
            }
        });
    }

    fn blob(&self, hash: BlobHash) -> Option<Bytes> {
        self.blobs.get(hash)
    }

    async fn result(&self, header: ResultHeader, mut rows: ResultReceiver) -> Result<Bytes, SparkError> {
        let ResultHeader { executor, attempt, partitions, schema } = header;
        if !self.registry.runs(attempt, executor) {
            return Err(SparkError::internal(format!("nobody wants the result of {attempt}")));
        }
        let schema = wire::schema_from_bytes(&schema)?;
        let mut writer = self.results.writer(attempt, schema, partitions as usize)?;
        while let Some((partition, bytes)) = rows.next().await? {
            for batch in wire::rows_from_bytes(&bytes)? {
                writer.write(partition as usize, batch).await?;
            }
        }
        wire::map_to_bytes(&writer.finish().await?)
    }
}
