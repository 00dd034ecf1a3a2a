//! The environment variables that tell an executor's process what it is. Secrets are in files.

/// The driver's `host:port`.
pub const DRIVER: &str = "FIRESTEEL_DRIVER";
/// The number under which it registers.
pub const EXECUTOR_ID: &str = "FIRESTEEL_EXECUTOR_ID";
/// Tasks that it runs at once.
pub const CORES: &str = "FIRESTEEL_EXECUTOR_CORES";
/// Its memory in bytes; without it what the container may take.
pub const MEMORY: &str = "FIRESTEEL_EXECUTOR_MEMORY";
/// The directory with certificates and token.
pub const CREDENTIALS: &str = "FIRESTEEL_EXECUTOR_CREDENTIALS";
/// Where spills go; without it the system's temporary directory.
pub const DIRECTORY: &str = "FIRESTEEL_EXECUTOR_DIRECTORY";
/// Seconds that running tasks have when it is told to leave.
pub const DRAIN_SECONDS: &str = "FIRESTEEL_EXECUTOR_DRAIN_SECONDS";
/// Whether it ends when its standard input does, as under a driver on the same machine.
pub const ENDS_WITH_INPUT: &str = "FIRESTEEL_EXECUTOR_ENDS_WITH_INPUT";
