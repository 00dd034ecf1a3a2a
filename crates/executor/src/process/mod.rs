//! An executor as a process of its own.
//!
//! ```text
//!   environment, files --> ProcessConfig --Hello--> driver --Welcome: what the application's executors need
//!   orders: Launch --Plans (once by hash)--> LocalExecutor --> AttemptEnd --reports, acknowledged--> driver
//!           rows of the last stage --DriverResults--> driver
//! ```
//!
//! Told to leave (SIGTERM), it says so, gets no more tasks, and ends when those that run are done or their time is over.
//! A connection that breaks is opened again for a while; what runs goes on, what ended is told again. A panic anywhere
//! in a launch is a failed attempt; one that fails for want of memory or threads ends the process.

mod config;
mod conversation;
mod exhaustion;
mod plans;
mod results;
pub mod variables;

use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use firesteel_engine::codec::PlanCodec;
use firesteel_model::{Result, SparkError};
use firesteel_rpc::{Hello, Link, Session, Welcome};
use futures::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::attempt::panicked;
use crate::config::ClusterConfig;
use crate::local::LocalExecutor;
use conversation::{Conversation, Over};

pub use config::ProcessConfig;
pub use exhaustion::end_when_exhausted;
pub use plans::Extend;

/// Between two tries to reach the driver.
const RETRY: Duration = Duration::from_millis(500);

/// What a process learns from the application.
pub struct ProcessParts {
    /// Reads plans.
    pub codec: Arc<PlanCodec>,
    /// The executor, with the stores of files and of the shuffle.
    pub cluster: ClusterConfig,
    /// Adds what tasks find in their configuration.
    pub extend: Extend,
}

/// Runs an executor until the driver ends it, it has left, or the driver is gone for too long.
///
/// `learn` hears what the driver says of the application. It gets the executor with all the memory of the process, and
/// leaves what operators, shuffle and cache divide.
///
/// Errors: the driver refused it or is gone; what the application says makes no sense.
pub async fn run_executor(
    config: ProcessConfig,
    learn: impl FnOnce(ClusterConfig, &[u8]) -> Result<ProcessParts>,
) -> Result<()> {
    let link = Link::new(&config.driver, &config.credentials)?;
    let hello = Hello {
        executor: config.executor,
        slots: u32::try_from(config.slots).unwrap_or(u32::MAX),
        memory_bytes: config.memory_bytes,
        address: std::env::var("HOSTNAME").unwrap_or_default(),
        running: Vec::new(),
        draining: false,
    };
    let leave = leave_signal(config.ends_with_input)?;
    let Some((welcome, session)) = open(&link, &hello, config.reconnect, &leave).await? else { return Ok(()) };
    let mut cluster = ClusterConfig::new(config.slots);
    cluster.memory_bytes = Some(config.memory_bytes);
    cluster.directory.clone_from(&config.directory);
    cluster.keeps_shuffle = true;
    let parts = learn(cluster, &welcome.application)?;
    let executor = LocalExecutor::start(&parts.cluster)?;
    info!(executor = %config.executor, driver = config.driver, "executor runs");
    let mut conversation = Conversation::new(link.clone(), hello, executor, parts, welcome.heartbeat_interval);
    let talk = AssertUnwindSafe(converse(&mut conversation, &link, session, &config, &leave)).catch_unwind().await;
    talk.unwrap_or_else(|panic| Err(panicked("the talk with the driver", &*panic)))
}

async fn converse(
    conversation: &mut Conversation,
    link: &Link,
    mut session: Session,
    config: &ProcessConfig,
    leave: &Leave,
) -> Result<()> {
    loop {
        match conversation.hold(&mut session, leave, config.drain).await {
            Over::Stopped(stop) => {
                info!(?stop, "told to end");
                break;
            }
            Over::Left => {
                info!("left");
                break;
            }
            Over::Broken(error) => warn!(%error, "the connection to the driver broke"),
            Over::AskedToRegister => {}
        }
        let patience = conversation.time_left().map_or(config.reconnect, |left| left.min(config.reconnect));
        session = match open(link, &conversation.hello(), patience, leave).await? {
            Some((_, session)) => session,
            None => break,
        };
    }
    conversation.wind_up().await;
    Ok(())
}

/// Says Hello until the driver answers; none if the process is to end at once.
async fn open(link: &Link, hello: &Hello, patience: Duration, leave: &Leave) -> Result<Option<(Welcome, Session)>> {
    let until = Instant::now() + patience;
    loop {
        let opened = tokio::select! {
            biased;
            () = leave.now.cancelled() => return Ok(None),
            opened = link.open(hello) => opened,
        };
        match opened {
            Ok(opened) => return Ok(Some(opened)),
            Err(error) if error.is_retryable() && Instant::now() < until => {
                // It is looked for anew, and the end of this process is heard again.
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// How the process is told to leave: in peace, or at once.
struct Leave {
    gently: CancellationToken,
    now: CancellationToken,
}

fn leave_signal(ends_with_input: bool) -> Result<Leave> {
    let leave = Leave { gently: CancellationToken::new(), now: CancellationToken::new() };
    let failed = |error| SparkError::internal("cannot listen for signals").source(error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let gently = leave.gently.clone();
    tokio::spawn(async move {
        terminate.recv().await;
        gently.cancel();
    });
    if ends_with_input {
        let now = leave.now.clone();
        // Nothing is ever written to it; it ends when the driver does.
        std::thread::spawn(move || {
            let mut nothing = [0; 64];
            while std::io::stdin().read(&mut nothing).is_ok_and(|read| read > 0) {}
            now.cancel();
        });
    }
    Ok(leave)
}
