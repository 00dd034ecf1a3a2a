//! What a decision is made from, and what it may ask for.

use std::time::Duration;

use firesteel_k8s::SparkJob;
use firesteel_k8s::status::SparkJobStatus;

use super::driver::Driver;

/// The job and what the cluster shows of it.
#[derive(Clone, Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) job: &'a SparkJob,
    pub(crate) driver: Driver,
    /// What the cluster would say to the driver's pod; asked for only when it is about to be made.
    pub(crate) admission: Option<Admission>,
    /// The pod that deletes shuffle files; looked for only when the job is being deleted.
    pub(crate) cleanup: Cleanup,
}

/// The answer to a trial creation of the driver's pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Allowed,
    Refused(Refusal),
}

/// Why the cluster does not take the driver's pod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) kind: RefusalKind,
    pub(crate) message: String,
}

/// What a refusal means for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// The namespace's quota is used up; it may be free later.
    Quota,
    /// A policy or missing permissions; somebody may mend them.
    Forbidden,
    /// The pod itself makes no sense, and will not later.
    Invalid,
}

/// How far the deletion of shuffle files is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cleanup {
    Absent,
    Running,
    Done,
    Failed,
}

/// Something to be done. Each can be done again without harm.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    AddFinalizer,
    RemoveFinalizer,
    /// Writes the status if nobody has changed the job since it was read; what follows depends on that.
    WriteStatus(Box<SparkJobStatus>),
    /// Makes the driver's pod of this attempt and what it needs.
    Launch {
        attempt: u32,
    },
    /// Deletes the driver's pod, if it is still this one; at once, or with the time it needs to end well.
    DeleteDriver {
        uid: String,
        at_once: bool,
    },
    /// Tells the driver about the executors that are asked for now.
    Resize {
        sizing: String,
    },
    /// Deletes pods and other objects of all attempts.
    DeleteObjects,
    /// Starts the pod that deletes shuffle files.
    StartCleanup,
    DeleteJob,
    Tell(Note),
    /// Looks again after this long, if nothing happens before.
    Wait(Duration),
}

/// An event for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) is_warning: bool,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}
