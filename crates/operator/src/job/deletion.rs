//! What is to be done about a job that is being deleted while its finaliser holds it.

use std::time::Duration;

use firesteel_k8s::status::Phase;
use jiff::{SignedDuration, Timestamp};

use super::decide::has_finalizer;
use super::draft::Draft;
use super::driver::{Driver, PodState};
use super::observed::{Action, Cleanup, Observed};

/// How long a deleted job may wait for its shuffle files to be deleted.
pub(crate) const CLEANUP_LIMIT: SignedDuration = SignedDuration::from_secs(300);

/// Decides: first the driver goes, then the shuffle files, then the job; after [`CLEANUP_LIMIT`] the job goes anyway.
pub(crate) fn decide(observed: &Observed<'_>, now: Timestamp) -> Vec<Action> {
    let job = observed.job;
    if !has_finalizer(job) {
        return Vec::new();
    }
    let mut draft = Draft::new(job, now);
    let asked = job.metadata.deletion_timestamp.as_ref().map_or(now, |time| time.0);
    let is_abandoned = draft.is_due(asked + CLEANUP_LIMIT);
    if is_abandoned {
        draft.warn("CleanupAbandoned", "shuffle files could not be deleted in time and may remain");
        draft.act(Action::RemoveFinalizer);
        return draft.finish();
    }
    if let Driver::Pod(pod) = &observed.driver
        && !matches!(pod.state, PodState::Ended(_))
    {
        if draft.status.phase != Some(Phase::Stopping) {
            draft.tell("Stopping", "the job is being deleted");
            draft.enter(Phase::Stopping, None);
        }
        draft.keep_deleting(pod);
        return draft.finish();
    }
    // A driver that ended well has deleted its files, and without a driver there are none.
    let is_clean = draft.status.phase == Some(Phase::Succeeded) || draft.status.attempt.is_none();
    match observed.cleanup {
        _ if is_clean => draft.act(Action::RemoveFinalizer),
        Cleanup::Done => draft.act(Action::RemoveFinalizer),
        Cleanup::Absent => {
            draft.act(Action::StartCleanup);
            draft.wait(Duration::from_secs(5));
        }
        Cleanup::Running | Cleanup::Failed => draft.wait(Duration::from_secs(5)),
    }
    draft.finish()
}
