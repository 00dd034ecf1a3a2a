//! What can go wrong between a terminal and a cluster.

use firesteel_k8s::ManifestError;
use firesteel_k8s::convert::ConvertError;

/// Why a command about jobs of a cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Which cluster is meant is not known.
    #[error("no cluster to talk to: {0}")]
    NoCluster(String),
    /// The cluster does not know what a SparkJob is.
    #[error("this cluster has no SparkJob: install Firesteel there first (helm install firesteel charts/firesteel)")]
    NotInstalled,
    /// The name is taken.
    #[error("there is a job {0} already: end it with `firesteel kill {0}`, or give this one another name")]
    Exists(String),
    /// No job of this name.
    #[error("there is no job {name} in the namespace {namespace}")]
    NotFound {
        /// The job.
        name: String,
        /// Where it was looked for.
        namespace: String,
    },
    /// There is no log to show.
    #[error("the job {0} has no driver's pod to read a log from")]
    NoPod(String),
    /// The API server said no.
    #[error("the cluster refused: {0}")]
    Refused(String),
    /// The API server did not answer.
    #[error("the cluster did not answer within {0} s")]
    TimedOut(u64),
    /// The connection to the API server failed.
    #[error("the cluster cannot be reached: {0}")]
    Unreachable(#[source] Box<kube::Error>),
    /// The command line makes no job.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The manifest makes no job.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A flag's value makes no sense.
    #[error("{0}")]
    Flag(String),
    /// The program cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Output could not be printed.
    #[error("cannot print: {0}")]
    Print(#[source] std::io::Error),
}

impl SubmitError {
    /// Whether the user can mend it in the command or the manifest.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Convert(_)
                | Self::Manifest(_)
                | Self::Flag(_)
                | Self::Read { .. }
                | Self::NoCluster(_)
                | Self::Exists(_)
        )
    }
}
