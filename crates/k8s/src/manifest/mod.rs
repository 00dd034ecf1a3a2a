//! Reads manifests from YAML files, with the place of every mistake.
//!
//! ```text
//!   text --tree--> nodes with lines --overrides--> nodes --schema, types, rules--> resources | problems
//! ```

mod overrides;
mod read;
mod tree;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::field::FieldPath;
use crate::job::SparkJob;
use crate::scheduled::ScheduledSparkJob;
use crate::server::SparkConnectServer;

pub use overrides::{Override, OverrideError};
pub use tree::Origin;

/// The resources of a file, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The resources.
    pub resources: Vec<Resource>,
}

/// A document of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// A job.
    SparkJob(Box<SparkJob>),
    /// A schedule of jobs.
    ScheduledSparkJob(Box<ScheduledSparkJob>),
    /// A standing server.
    SparkConnectServer(Box<SparkConnectServer>),
    /// A resource of another API, which is not looked into.
    Other {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// An override fits nothing in the file.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// Resources that break the rules.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
    /// The file holds no job, or several.
    #[error("{file} holds {found}; exactly one SparkJob is needed")]
    NotOneJob {
        /// The file.
        file: String,
        /// What it holds.
        found: String,
    },
}

/// A mistake in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line or the override that it comes from.
    pub origin: Origin,
    /// The field.
    pub path: FieldPath,
    /// What is wrong.
    pub message: String,
}

/// `sales.yaml:12: spec.executor.memory: "2g" is no amount of memory`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Line(line) => write!(f, "{}:{line}: ", self.file)?,
            Origin::Override(text) => write!(f, "--set {text}: ")?,
        }
        if !self.path.0.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Manifest {
    /// Reads a file and lays `overrides` over its jobs.
    ///
    /// Errors: everything that the Kubernetes API would refuse, each with its line.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Self, ManifestError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ManifestError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string(), overrides)
    }

    /// As [`Manifest::read`], with the text at hand; `file` is the name used in errors.
    pub fn parse(text: &str, file: &str, overrides: &[Override]) -> Result<Self, ManifestError> {
        read::manifest(text, file, overrides)
    }

    /// The one job of the file.
    ///
    /// Errors: there is none, or there are several.
    pub fn into_job(self, file: &str) -> Result<SparkJob, ManifestError> {
        let mut jobs = Vec::new();
        let mut others = Vec::new();
        for resource in self.resources {
            match resource {
                Resource::SparkJob(job) => jobs.push(*job),
                Resource::ScheduledSparkJob(_) => others.push("a ScheduledSparkJob".to_owned()),
                Resource::SparkConnectServer(_) => others.push("a SparkConnectServer".to_owned()),
                Resource::Other { kind, .. } => others.push(format!("a {kind}")),
            }
        }
        let found = match jobs.len() {
            1 => return Ok(jobs.remove(0)),
            0 if others.is_empty() => "no resource".to_owned(),
            0 => others.join(", "),
            count => format!("{count} SparkJobs"),
        };
        Err(ManifestError::NotOneJob { file: file.to_owned(), found })
    }
}
