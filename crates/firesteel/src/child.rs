//! The user's program as a process that never outlives its job.

use std::ffi::OsString;
use std::future;
use std::io::{IsTerminal, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;
use crate::interrupt::{Interrupt, Interrupts};
use crate::program::Process;
use crate::tail::{LogTail, Stream};

/// How long a program may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How long output may still come once the program has ended; something that it left behind may hold the pipe.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// How long a job may run.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    pub(crate) after: Duration,
    /// As the manifest has it.
    pub(crate) text: String,
}

/// A process in a group of its own; the group is killed when this is dropped before its end.
#[derive(Debug)]
struct Group {
    leader: Option<Pid>,
}

/// Runs a program to its end. Its output goes where this command's output goes; `tail` keeps the end of it.
///
/// The first interrupt and the deadline ask it to end, and after a grace time end it; the second interrupt ends it.
///
/// Errors: its exit code, unless it is 0; `Interrupted`; `DeadlineExceeded`.
pub(crate) async fn run(
    process: &Process,
    variables: Vec<(OsString, OsString)>,
    interrupts: &mut Interrupts,
    deadline: Option<&Deadline>,
    tail: Option<&LogTail>,
) -> Result<(), Failure> {
    let mut copies = JoinSet::new();
    let child = spawn(process, variables, tail, &mut copies)?;
    let group = Group { leader: child.id().and_then(|id| Pid::from_raw(id.cast_signed())) };
    let result = wait(child, group, interrupts, deadline).await;
    if tokio::time::timeout(OUTPUT_GRACE, copies.join_all()).await.is_err() {
        tracing::debug!("something that the program left behind still holds its output");
    }
    result
}

fn spawn(
    process: &Process,
    variables: Vec<(OsString, OsString)>,
    tail: Option<&LogTail>,
    copies: &mut JoinSet<()>,
) -> Result<Child, Failure> {
    // Outside the terminal's foreground group, a program that reads from the terminal would be stopped.
    let input = if std::io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() };
    let mut command = Command::new(&process.program);
    command.args(&process.arguments).envs(variables).stdin(input).process_group(0);
    if let Some(tail) = tail {
        command.stdout(copied(tail, Stream::Output, std::io::stdout(), copies)?);
        command.stderr(copied(tail, Stream::Error, std::io::stderr(), copies)?);
    }
    command.spawn().map_err(|source| Failure::Start { program: process.program.clone(), source })
}

/// An output of the program that ends up in `to`, and its end in `tail`.
fn copied(
    tail: &LogTail,
    stream: Stream,
    to: impl Write + Send + 'static,
    copies: &mut JoinSet<()>,
) -> Result<Stdio, Failure> {
    let (reader, writer) = std::io::pipe().map_err(Failure::io("cannot make a pipe"))?;
    let tail = tail.clone();
    copies.spawn_blocking(move || tail.copy(reader, to, stream));
    Ok(writer.into())
}

async fn wait(
    mut child: Child,
    mut group: Group,
    interrupts: &mut Interrupts,
    deadline: Option<&Deadline>,
) -> Result<(), Failure> {
    let mut ending = None;
    let mut end_at = deadline.map(|deadline| Instant::now() + deadline.after);
    loop {
        let expired = async {
            match end_at {
                Some(instant) => sleep_until(instant).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => {
                let status = status.map_err(Failure::io("cannot wait for the program"))?;
                group.ended(ending.is_some());
                return outcome(status, ending);
            }
            interrupt = interrupts.next() => match ending {
                None => {
                    group.signal(match interrupt {
                        Interrupt::CtrlC => Signal::INT,
                        Interrupt::Terminate => Signal::TERM,
                    });
                    ending = Some(Failure::Interrupted(interrupt));
                    end_at = Some(Instant::now() + GRACE);
                }
                Some(_) => group.signal(Signal::KILL),
            },
            () = expired => match (&ending, deadline) {
                (None, Some(deadline)) => {
                    group.signal(Signal::TERM);
                    ending = Some(Failure::DeadlineExceeded(deadline.text.clone()));
                    end_at = Some(Instant::now() + GRACE);
                }
                _ => {
                    group.signal(Signal::KILL);
                    end_at = None;
                }
            },
        }
    }
}

fn outcome(status: ExitStatus, ending: Option<Failure>) -> Result<(), Failure> {
    if let Some(failure) = ending {
        return Err(failure);
    }
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::Program(u8::try_from(code).unwrap_or(u8::MAX))),
        (None, Some(signal)) => {
            tracing::error!(signal, "the program was ended by a signal");
            Err(Failure::Program(u8::try_from(128 + signal).unwrap_or(u8::MAX)))
        }
        (None, None) => Err(Failure::Program(u8::MAX)),
    }
}

impl Group {
    fn signal(&self, signal: Signal) {
        // A group that has ended is no mistake: it ended in this moment.
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, signal);
        }
    }

    /// The leader has ended. When it was told to, what it started and left behind goes too.
    fn ended(&mut self, was_told: bool) {
        if was_told {
            self.signal(Signal::KILL);
        }
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program;

    async fn shell(script: &str, deadline: Option<Deadline>) -> Result<(), Failure> {
        let process = program::process_for_tests("/bin/sh", &["-c", script]);
        let mut interrupts = Interrupts::listen().unwrap();
        run(&process, vec![("GREETING".into(), "hello".into())], &mut interrupts, deadline.as_ref(), None).await
    }

    #[tokio::test]
    async fn exit_codes_and_variables_pass_through() {
        assert!(shell("test \"$GREETING\" = hello", None).await.is_ok());
        assert!(matches!(shell("exit 42", None).await, Err(Failure::Program(42))));
        assert!(matches!(shell("kill -9 $$", None).await, Err(Failure::Program(137))));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let process = program::process_for_tests("/nowhere/program", &[]);
        let mut interrupts = Interrupts::listen().unwrap();
        let error = run(&process, Vec::new(), &mut interrupts, None, None).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot start /nowhere/program: "), "{error}");
    }

    #[tokio::test]
    async fn a_deadline_ends_the_whole_group() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!("sleep 60 & echo $! > {}; wait", pid_file.display());
        let deadline = Deadline { after: Duration::from_millis(300), text: "300ms".into() };
        let error = shell(&script, Some(deadline)).await.unwrap_err();
        assert!(matches!(error, Failure::DeadlineExceeded(_)), "{error}");
        let pid: i32 = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
        let is_gone = || {
            let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            status.is_empty() || status.contains(") Z ")
        };
        for _ in 0..50 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the grandchild {pid} still runs");
    }
}
