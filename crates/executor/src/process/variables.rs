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

/// What the C library's allocator is told for so many tasks, and for so much memory where that is known.
///
/// Left alone, it keeps what each of many threads has freed for that thread, and blocks of up to 32 MiB for itself:
/// memory that no pool can give to anybody else.
pub fn allocator(slots: u32, memory_bytes: Option<u64>) -> Vec<(String, String)> {
    let mut variables = vec![("MALLOC_ARENA_MAX".to_owned(), slots.max(2).to_string())];
    if let Some(bytes) = memory_bytes {
        let returned = (bytes / 1024).clamp(128 << 10, 32 << 20).to_string();
        variables.push(("MALLOC_MMAP_THRESHOLD_".to_owned(), returned.clone()));
        variables.push(("MALLOC_TRIM_THRESHOLD_".to_owned(), returned));
    }
    // What the user says stands.
    variables.retain(|(name, _)| std::env::var_os(name).is_none());
    variables
}
