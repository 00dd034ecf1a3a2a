//! [`ExecutorLauncher`]: what starts and ends executors, here or elsewhere.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use firesteel_model::ids::ExecutorId;
use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{ExecutorLoss, Result};
use firesteel_rpc::ApplicationAuthority;
use firesteel_scheduler::{Event, SchedulerConfig};
use tokio::sync::mpsc;

use crate::dispatch::Command;

/// Starts and ends executors.
///
/// Guarantees: an executor that ends, whoever wanted it, is reported once as lost, with the reason as well as it is
/// known. When the launcher is dropped its executors end.
#[async_trait]
pub trait ExecutorLauncher: Send + Sync + fmt::Debug {
    /// Has an executor come into being, which then registers at the driver under this number.
    ///
    /// Errors: it cannot be started; nothing is left of it.
    async fn start(&self, executor: ExecutorId) -> Result<()>;

    /// Ends an executor, if it is there: because it was given up for lost, because it has left as somebody else told it
    /// to (`Decommissioned`), or because nobody needs it.
    async fn stop(&self, executor: ExecutorId, lost: Option<ExecutorLoss>);

    /// Hears that an executor has registered.
    fn registered(&self, _executor: ExecutorId) {}
}

/// Makes a launcher when it is known where the driver is.
pub trait LauncherFactory: Send + Sync + fmt::Debug {
    /// The launcher of one application.
    fn launcher(&self, context: LauncherContext) -> Result<Arc<dyn ExecutorLauncher>>;
}

/// What a launcher needs to know of the driver.
#[derive(Clone, Debug)]
pub struct LauncherContext {
    /// Where executors reach it.
    pub driver: SocketAddr,
    /// Tasks that each runs at once.
    pub slots: u32,
    /// Issues their credentials.
    pub authority: Arc<ApplicationAuthority>,
    /// Where losses are told.
    pub losses: LossReporter,
    /// The driver's scratch directory, which goes with it.
    pub directory: PathBuf,
}

/// Tells the dispatcher what happens to executors outside of it.
#[derive(Clone, Debug)]
pub struct LossReporter(mpsc::WeakSender<Command>);

impl LossReporter {
    pub(crate) fn new(commands: mpsc::WeakSender<Command>) -> Self {
        Self(commands)
    }

    /// Another number of executors is wanted from now on, as the settings say it.
    pub async fn resized(&self, conf: &RuntimeConf) {
        if let Some(commands) = self.0.upgrade() {
            let mut allocation = SchedulerConfig::from_conf(conf).allocation;
            if !allocation.dynamic {
                // Those that are too many now go as soon as they are idle.
                allocation.idle_timeout_ms = 0;
            }
            // A closed channel means that nobody needs executors any more.
            let _ = commands.send(Command::Happened(Event::Resized(allocation))).await;
        }
    }

    /// An executor is gone; whoever tells it first is believed.
    pub async fn lost(&self, executor: ExecutorId, reason: ExecutorLoss) {
        if let Some(commands) = self.0.upgrade() {
            // A closed channel means that nobody needs executors any more.
            let _ = commands.send(Command::Happened(Event::ExecutorLost { executor, reason })).await;
        }
    }
}
