//! [`Daemon`]: PySpark's process that forks workers.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use firesteel_model::{Result, SparkError};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::environment::inherited;
use crate::error::{failed, unusable};
use crate::interpreter::Interpreter;
use crate::worker::{WorkerKey, WorkerRole};

/// How long PySpark may take to be imported; a cold disk on a busy machine is slow.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a daemon that has closed its output may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest path that a socket may have.
const PATH_BYTES_MAX: i32 = 4096;

/// Runs a program of ours as a module of PySpark's: its lines are left out of the tracebacks that users see, as PySpark's are.
const RUN: &str = "
import sys, pyspark
exec(compile(sys.argv.pop(1), pyspark.__path__[0] + '/<worker>', 'exec'))
";
/// Workers that call functions.
const FUNCTIONS: &str = include_str!("../workers/functions.py");
/// Workers that answer questions about plans.
const PLANNING: &str = include_str!("../workers/planning.py");

/// A process that forks a worker for every connection to its socket.
///
/// Guarantees: daemon and workers are a process group of their own, which ends when this is dropped; if this process is
/// killed they see their input closed and end too.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) interpreter: Interpreter,
    pub(crate) socket: PathBuf,
    child: Mutex<Child>,
    stdin: Mutex<ChildStdin>,
    group: Option<Pid>,
}

impl Daemon {
    /// Starts one. Blocks for as long as importing PySpark takes.
    pub(crate) fn start(key: &WorkerKey, sockets: &Path) -> Result<Self> {
        let mut child = command(key, sockets)
            .spawn()
            .map_err(|error| unusable(format!("{} cannot be run: {error}", key.executable.display())).source(error))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(SparkError::internal("a daemon without pipes"));
        };
        log_lines("python-stderr", stderr)?;
        let (path, named) = mpsc::sync_channel(1);
        spawn("python-stdout", move || {
            let mut stdout = BufReader::new(stdout);
            // Nobody waits any more if the daemon was too slow.
            let _ = path.send(read_path(&mut stdout));
            pass_on(stdout);
        })?;
        // The daemon imports while we look at what it is.
        let interpreter = Interpreter::examine(key);
        let daemon = |interpreter| Self {
            interpreter,
            socket: PathBuf::new(),
            child: Mutex::new(child),
            stdin: Mutex::new(stdin),
            group,
        };
        let mut daemon = daemon(interpreter?);
        let too_slow = |_| failed(format!("the Python daemon did not start within {} s", START_TIMEOUT.as_secs()));
        let named = named.recv_timeout(START_TIMEOUT).map_err(too_slow)?;
        daemon.socket = named.map_err(|error| {
            let reason = "the Python daemon ended before it was ready; its last words are in the log";
            // One that somebody killed says nothing about the next one.
            if daemon.was_killed() { failed(reason).source(error) } else { unusable(reason).source(error) }
        })?;
        Ok(daemon)
    }

    /// Whether it ends by a signal, now that it has closed its output.
    fn was_killed(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + END_TIMEOUT;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return status.signal().is_some(),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => return false,
            }
        }
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }

    /// Ends one of its workers at once.
    pub(crate) fn kill(&self, pid: i32) {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        // A daemon that does not listen is gone, and its workers with it.
        let _ = stdin.write_all(&pid.to_be_bytes()).and_then(|()| stdin.flush());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

fn command(key: &WorkerKey, sockets: &Path) -> Command {
    let mut command = Command::new(&key.executable);
    let program = match key.role {
        WorkerRole::Functions => FUNCTIONS,
        WorkerRole::Planning => PLANNING,
    };
    command
        .args(["-c", RUN, program])
        .env_clear()
        // Keys are placed by their hash: workers everywhere must agree on it, as Spark has them do.
        .env("PYTHONHASHSEED", "0")
        .envs(inherited())
        .env("PYTHONUNBUFFERED", "YES")
        .env("SPARK_REUSE_WORKER", "1")
        .env("SPARK_BUFFER_SIZE", "65536")
        .env("SPARK_AUTH_SOCKET_TIMEOUT", "15")
        .env("PYTHON_UNIX_DOMAIN_ENABLED", "true")
        .env("PYTHON_WORKER_FACTORY_SOCK_DIR", sockets)
        .envs(&key.variables)
        .current_dir(sockets)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

/// The first thing a daemon prints.
fn read_path(stdout: &mut impl Read) -> std::io::Result<PathBuf> {
    let mut length = [0; 4];
    stdout.read_exact(&mut length)?;
    let length = i32::from_be_bytes(length);
    if !(1..=PATH_BYTES_MAX).contains(&length) {
        return Err(std::io::Error::other("the daemon printed something else than its socket"));
    }
    let mut path = vec![0; length.unsigned_abs() as usize];
    stdout.read_exact(&mut path)?;
    String::from_utf8(path).map(PathBuf::from).map_err(std::io::Error::other)
}

fn log_lines(name: &'static str, pipe: impl Read + Send + 'static) -> Result<()> {
    spawn(name, move || pass_on(BufReader::new(pipe)))
}

/// What functions print goes to the log.
fn pass_on(pipe: impl BufRead) {
    let mut pipe = pipe;
    let mut line = Vec::new();
    loop {
        line.clear();
        match pipe.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => tracing::info!(target: "python", "{}", String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(|error| SparkError::internal("no thread for a daemon's output").source(error))
}
