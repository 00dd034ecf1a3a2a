//! Why a command ended other than well, and the exit code that says so.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use firesteel_k8s::ManifestError;
use firesteel_launcher::LaunchError;
use firesteel_model::SparkError;
use firesteel_s3::EmbeddedS3Error;
use firesteel_submit::SubmitError;

use crate::interrupt::Interrupt;

/// Why a command ended other than well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The command makes no sense as it was given.
    #[error("{0}")]
    Usage(String),
    /// The engine, or a statement, failed.
    #[error(transparent)]
    Spark(#[from] SparkError),
    /// The data folder cannot be served.
    #[error(transparent)]
    Data(#[from] EmbeddedS3Error),
    /// The program cannot be started.
    #[error("cannot start {}: {source}", program.display())]
    Start { program: PathBuf, source: io::Error },
    /// A cluster said no, or nothing.
    #[error(transparent)]
    Cluster(SubmitError),
    /// A file or stream failed.
    #[error("{action}: {source}")]
    Io { action: &'static str, source: io::Error },
    /// The program ended with this code and has said why by itself.
    #[error("the program ended with exit code {0}")]
    Program(u8),
    /// The job took longer than its manifest allows.
    #[error("the job was stopped after timeouts.run, {0}")]
    DeadlineExceeded(String),
    /// Executors cannot be asked for.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Executors did not come.
    #[error("{there} of {wanted} executors came within timeouts.executors; executor.minToStart asks for all of them")]
    Executors { wanted: u32, there: u32 },
    /// The user or the system ended the command.
    #[error("interrupted")]
    Interrupted(Interrupt),
}

impl Failure {
    /// For an error of a file or stream: what was being done.
    pub(crate) fn io(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// 2 for what the user can mend in the command or the manifest, 1 for a failed job, 128 and the signal's number
    /// for an interrupt; a program's own code as it is.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Manifest(_) | Self::Usage(_) => 2,
            Self::Cluster(error) if error.is_usage() => 2,
            Self::Program(code) => *code,
            Self::Interrupted(interrupt) => interrupt.exit_code(),
            Self::Cluster(_)
            | Self::Spark(_)
            | Self::Data(_)
            | Self::Start { .. }
            | Self::Io { .. }
            | Self::DeadlineExceeded(_)
            | Self::Launch(_)
            | Self::Executors { .. } => 1,
        }
    }

    /// Whether the user already knows, so that there is nothing left to print.
    pub(crate) fn is_known(&self) -> bool {
        match self {
            Self::Program(_) | Self::Interrupted(_) => true,
            // The reader of a pipe has gone, as in `firesteel sql | head`.
            Self::Io { source, .. } => source.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes() {
        let spark = SparkError::internal("x");
        for (failure, code) in [
            (Failure::Usage("x".into()), 2),
            (Failure::Program(42), 42),
            (Failure::Spark(spark), 1),
            (Failure::DeadlineExceeded("1h".into()), 1),
            (Failure::Interrupted(Interrupt::CtrlC), 130),
            (Failure::Interrupted(Interrupt::Terminate), 143),
        ] {
            assert_eq!(failure.code(), code, "{failure}");
        }
    }
}
