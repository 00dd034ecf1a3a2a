//! What an executor's process is told by its environment.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use firesteel_model::ids::ExecutorId;
use firesteel_model::{Result, SparkError};
use firesteel_rpc::Credentials;

use super::variables;
use crate::memory;

/// Shorter than Kubernetes waits by default.
const DRAIN: Duration = Duration::from_secs(25);

/// How long it looks for a driver that is gone before it ends.
const RECONNECT: Duration = Duration::from_secs(60);

/// What an executor's process is told before it knows the driver.
#[derive(Clone, Debug)]
pub struct ProcessConfig {
    /// The driver's `host:port`.
    pub driver: String,
    /// The number under which it registers.
    pub executor: ExecutorId,
    /// Tasks that it runs at once.
    pub slots: usize,
    /// Its memory; a part of it is handed out to tasks.
    pub memory_bytes: u64,
    /// Certificates and token.
    pub credentials: Credentials,
    /// Where spills go; without it the system's temporary directory.
    pub directory: Option<PathBuf>,
    /// How long running tasks have when it is told to leave.
    pub drain: Duration,
    /// How long it looks for a driver that is gone before it ends.
    pub reconnect: Duration,
    /// Whether it ends when its standard input does.
    pub ends_with_input: bool,
}

impl ProcessConfig {
    /// Reads the environment.
    ///
    /// Errors: a variable is missing or makes no sense; credentials cannot be read.
    pub fn from_environment() -> Result<Self> {
        let directory = required(variables::CREDENTIALS)?;
        Ok(Self {
            driver: required(variables::DRIVER)?,
            executor: ExecutorId(parsed(variables::EXECUTOR_ID)?.ok_or_else(|| missing(variables::EXECUTOR_ID))?),
            slots: parsed(variables::CORES)?
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            memory_bytes: parsed(variables::MEMORY)?.unwrap_or_else(memory::limit_bytes),
            credentials: Credentials::read(&PathBuf::from(directory))?,
            directory: std::env::var_os(variables::DIRECTORY).map(PathBuf::from),
            drain: parsed(variables::DRAIN_SECONDS)?.map_or(DRAIN, Duration::from_secs),
            reconnect: RECONNECT,
            ends_with_input: parsed(variables::ENDS_WITH_INPUT)?.unwrap_or(false),
        })
    }
}

fn required(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| missing(name))
}

fn parsed<T: FromStr>(name: &str) -> Result<Option<T>> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    let value = text.trim().parse().map_err(|_| SparkError::internal(format!("{name} makes no sense: {text}")))?;
    Ok(Some(value))
}

fn missing(name: &str) -> SparkError {
    SparkError::internal(format!("{name} is not set; a driver sets it for its executors"))
}
