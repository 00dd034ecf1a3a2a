//! [`ProcessLauncher`]: executors as processes on this machine.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use firesteel_model::ids::ExecutorId;
use firesteel_model::{ExecutorLoss, Result, SparkError};
use tokio::process::{Child, ChildStdin, Command};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::launcher::{ExecutorLauncher, LauncherContext, LauncherFactory};
use crate::process::variables;

/// How long a process that was told to end may take.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Starts `firesteel executor` on this machine.
#[derive(Clone, Debug)]
pub struct ProcessLauncher {
    /// The program.
    pub program: PathBuf,
    /// Memory of each, bytes.
    pub memory_bytes: u64,
}

impl LauncherFactory for ProcessLauncher {
    fn launcher(&self, context: LauncherContext) -> Result<Arc<dyn ExecutorLauncher>> {
        Ok(Arc::new(Processes { settings: self.clone(), context, stops: Mutex::default() }))
    }
}

#[derive(Debug)]
struct Processes {
    settings: ProcessLauncher,
    context: LauncherContext,
    /// Ends those that run.
    stops: Mutex<HashMap<ExecutorId, CancellationToken>>,
}

impl Processes {
    /// Where its credentials and spills are.
    fn directory(&self, executor: ExecutorId) -> PathBuf {
        self.context.directory.join(format!("executor-{executor}"))
    }

    fn spawn(&self, executor: ExecutorId) -> Result<Child> {
        let failed = |error: std::io::Error| SparkError::internal("an executor cannot be started").source(error);
        let directory = self.directory(executor);
        let credentials = directory.join("credentials");
        let mut private = std::fs::DirBuilder::new();
        private.mode(0o700);
        private.create(&directory).and_then(|()| private.create(&credentials)).map_err(failed)?;
        self.context.authority.executor(&format!("executor-{executor}"))?.write(&credentials)?;
        let text = |path: &Path| path.as_os_str().to_owned();
        Command::new(&self.settings.program)
            .arg("executor")
            // What clients show a driver is not an executor's to know.
            .env_remove("FIRESTEEL_TOKEN")
            .env_remove("SPARK_CONNECT_AUTHENTICATE_TOKEN")
            .env(variables::DRIVER, self.context.driver.to_string())
            .env(variables::EXECUTOR_ID, executor.to_string())
            .env(variables::CORES, self.context.slots.to_string())
            .env(variables::MEMORY, self.settings.memory_bytes.to_string())
            .envs(variables::allocator(self.context.slots, Some(self.settings.memory_bytes)))
            .env(variables::CREDENTIALS, text(&credentials))
            .env(variables::DIRECTORY, text(&directory))
            .env(variables::ENDS_WITH_INPUT, "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // An interrupt of the terminal is the driver's to hear.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)
    }
}

#[async_trait]
impl ExecutorLauncher for Processes {
    async fn start(&self, executor: ExecutorId) -> Result<()> {
        let mut child = self.spawn(executor)?;
        let stop = CancellationToken::new();
        self.stops.lock().unwrap_or_else(PoisonError::into_inner).insert(executor, stop.clone());
        let (losses, directory) = (self.context.losses.clone(), self.directory(executor));
        tokio::spawn(async move {
            let kills_before = memory_kills();
            // Waiting for a process would close its input.
            let input = child.stdin.take();
            let (status, wanted) = tokio::select! {
                status = child.wait() => (status, false),
                () = stop.cancelled() => (end(&mut child, input).await, true),
            };
            let reason = match status {
                _ if wanted => ExecutorLoss::Stopped,
                Ok(status) => loss(status, memory_kills() > kills_before),
                Err(_) => ExecutorLoss::NodeLost,
            };
            debug!(%executor, %reason, "the process of an executor ended");
            // What cannot be removed now goes with the driver's own directory. A task of its own: nothing that goes wrong
            // in it may keep the loss from being told.
            let _ = tokio::spawn(tokio::fs::remove_dir_all(directory)).await;
            losses.lost(executor, reason).await;
        });
        Ok(())
    }

    async fn stop(&self, executor: ExecutorId, _: Option<ExecutorLoss>) {
        if let Some(stop) = self.stops.lock().unwrap_or_else(PoisonError::into_inner).remove(&executor) {
            stop.cancel();
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for stop in self.stops.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            stop.cancel();
        }
    }
}

/// Closing its input tells a process that nobody wants it; one that does not listen is killed.
async fn end(child: &mut Child, input: Option<ChildStdin>) -> std::io::Result<ExitStatus> {
    drop(input);
    if let Ok(status) = tokio::time::timeout(STOP_GRACE, child.wait()).await {
        return status;
    }
    child.kill().await?;
    child.wait().await
}

/// A process that broke by itself may have been broken by its tasks; one that somebody else killed was not.
fn loss(status: ExitStatus, out_of_memory: bool) -> ExecutorLoss {
    const SIGINT: i32 = 2;
    const SIGKILL: i32 = 9;
    const SIGTERM: i32 = 15;
    match (status.code(), status.signal()) {
        (Some(code), _) => ExecutorLoss::of_exit(code),
        (None, Some(SIGKILL)) if out_of_memory => ExecutorLoss::OutOfMemory,
        (None, Some(signal @ (SIGINT | SIGKILL | SIGTERM))) => ExecutorLoss::Killed(signal),
        (None, Some(signal)) => ExecutorLoss::Exited(128 + signal),
        (None, None) => ExecutorLoss::NodeLost,
    }
}

/// Processes of this container that the kernel has killed for want of memory.
fn memory_kills() -> u64 {
    let events = std::fs::read_to_string("/sys/fs/cgroup/memory.events").unwrap_or_default();
    let kills = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    kills.and_then(|kills| kills.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_follow_the_way_a_process_ended() {
        assert_eq!(loss(ExitStatus::from_raw(0), false), ExecutorLoss::Decommissioned);
        assert_eq!(loss(ExitStatus::from_raw(3 << 8), false), ExecutorLoss::Exited(3));
        assert_eq!(loss(ExitStatus::from_raw(52 << 8), false), ExecutorLoss::OutOfMemory);
        assert_eq!(loss(ExitStatus::from_raw(9), false), ExecutorLoss::Killed(9));
        assert_eq!(loss(ExitStatus::from_raw(9), true), ExecutorLoss::OutOfMemory);
        assert_eq!(loss(ExitStatus::from_raw(11), false), ExecutorLoss::Exited(139));
    }
}
