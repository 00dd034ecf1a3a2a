//! What is to be done about a job: a pure function of what was observed and the time.
//!
//! ```text
//!             +------------- Suspended <--------+
//!             v                                 |
//!   (new) -> Queued -> Starting -> Running -> Stopping -> Failed
//!             ^          |           |
//!             +-Retrying-+-----------+--> Succeeded | Failed
//! ```
//!
//! Exactly one driver: the status says which attempt is on, written only if nobody wrote in between, before the
//! attempt's pod is made under a name that holds the attempt's number.

use std::time::Duration;

use firesteel_k8s::SparkJob;
use firesteel_k8s::pod_status::Obstacle;
use firesteel_k8s::policy::KeepPods;
use firesteel_k8s::status::{Phase, Reason};
use firesteel_k8s::storage::ShuffleCleanup;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::deletion;
use super::draft::Draft;
use super::driver::{Driver, DriverPod, Ending, PodState};
use super::observed::{Action, Admission, Observed, Refusal, RefusalKind};

/// Keeps a deleted job until its shuffle files are deleted.
pub(crate) const FINALIZER: &str = "firesteel.dev/shuffle";

/// The controller that `managedBy` means when it names this operator.
pub(crate) const MANAGER: &str = "firesteel.dev/operator";

/// Waits between looks at something that no watch tells about.
const POLL: Duration = Duration::from_secs(5);
const POLL_MAX: Duration = Duration::from_secs(60);
/// Waits between trials of a pod that the cluster refuses.
const REFUSED_WAIT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

/// Decides.
pub(crate) fn decide(observed: &Observed<'_>, now: Timestamp) -> Vec<Action> {
    let job = observed.job;
    if !is_ours(job) {
        return Vec::new();
    }
    if job.metadata.deletion_timestamp.is_some() {
        return deletion::decide(observed, now);
    }
    let phase = job.status.as_ref().and_then(|status| status.phase);
    let is_over = matches!(phase, Some(Phase::Succeeded | Phase::Failed));
    if !is_over && wants_finalizer(job) && !has_finalizer(job) {
        return vec![Action::AddFinalizer];
    }
    let mut draft = Draft::new(job, now);
    match phase {
        None => accept(&mut draft, observed),
        Some(Phase::Suspended) => {
            if !job.spec.suspend {
                queue(&mut draft, "Resumed", "the job is not suspended any more");
            }
        }
        Some(Phase::Queued | Phase::Retrying) => queued(&mut draft, observed),
        Some(Phase::Starting | Phase::Running) => active(&mut draft, &observed.driver),
        Some(Phase::Stopping) => stopping(&mut draft, &observed.driver),
        Some(Phase::Succeeded | Phase::Failed) => over(&mut draft, &observed.driver),
    }
    draft.finish()
}

/// Decides after the cluster has refused the driver's pod of an attempt that has begun.
pub(crate) fn decide_refused(job: &SparkJob, refusal: &Refusal, now: Timestamp) -> Vec<Action> {
    let mut draft = Draft::new(job, now);
    if draft.status.attempts.is_empty() {
        draft.never_started();
    }
    refused(&mut draft, refusal);
    draft.finish()
}

/// Whether the next decision depends on what the cluster says to the driver's pod.
pub(crate) fn wants_admission(job: &SparkJob, now: Timestamp) -> bool {
    let phase = job.status.as_ref().and_then(|status| status.phase);
    let is_waiting = matches!(phase, None | Some(Phase::Queued | Phase::Retrying));
    let retry_time = job.status.as_ref().and_then(|status| status.retry_time.as_ref());
    let is_due = retry_time.is_none_or(|time| time.0 <= now);
    let is_held = wants_finalizer(job) && !has_finalizer(job);
    is_waiting && is_due && !is_held && is_ours(job) && !job.spec.suspend && job.metadata.deletion_timestamp.is_none()
}

fn is_ours(job: &SparkJob) -> bool {
    job.spec.managed_by.as_deref().is_none_or(|manager| manager.is_empty() || manager == MANAGER)
}

pub(crate) fn wants_finalizer(job: &SparkJob) -> bool {
    job.spec.storage.shuffle.as_ref().is_some_and(|shuffle| shuffle.cleanup == ShuffleCleanup::OnFinish)
}

pub(crate) fn has_finalizer(job: &SparkJob) -> bool {
    job.metadata.finalizers.iter().flatten().any(|name| name == FINALIZER)
}

/// A job that nothing holds back starts at once, without having been written down as queued.
fn accept(draft: &mut Draft<'_>, observed: &Observed<'_>) {
    if draft.spec().suspend {
        draft.tell("Suspended", "the job waits until suspend is false");
        draft.enter(Phase::Suspended, None);
    } else {
        queue(draft, "Accepted", "the job is accepted");
        queued(draft, observed);
    }
}

fn queue(draft: &mut Draft<'_>, event: &'static str, message: &str) {
    draft.tell(event, message);
    draft.enter(Phase::Queued, None);
    draft.status.retry_time = None;
}

fn queued(draft: &mut Draft<'_>, observed: &Observed<'_>) {
    if draft.spec().suspend {
        draft.tell("Suspended", "the job waits until suspend is false");
        draft.status.retry_time = None;
        draft.enter(Phase::Suspended, None);
        return;
    }
    let retry_time = draft.status.retry_time.clone();
    if retry_time.is_some_and(|time| !draft.is_due(time.0)) {
        return;
    }
    match &observed.admission {
        None => draft.wait(Duration::ZERO),
        Some(Admission::Allowed) => draft.launch(),
        Some(Admission::Refused(refusal)) => refused(draft, refusal),
    }
}

fn refused(draft: &mut Draft<'_>, refusal: &Refusal) {
    let reason = match refusal.kind {
        RefusalKind::Quota => Reason::QuotaExceeded,
        RefusalKind::Forbidden => Reason::Refused,
        RefusalKind::Invalid => {
            draft.complete(Phase::Failed, Some((Reason::Refused, refusal.message.clone())));
            return;
        }
    };
    let is_news = draft.status.reason != Some(reason);
    if is_news {
        draft.warn("Refused", refusal.message.clone());
    }
    // The wait grows with the time that the job has been refused, which is as long as it has been degraded.
    let since = draft.status.conditions.iter().find(|condition| condition.type_ == "Degraded");
    let since = since.filter(|condition| condition.status == "True" && !is_news);
    let refused_for =
        since.map_or(SignedDuration::ZERO, |since| draft.now.duration_since(since.last_transition_time.0));
    let wait = (refused_for.unsigned_abs() / 2).clamp(REFUSED_WAIT.0, REFUSED_WAIT.1);
    draft.enter(Phase::Queued, Some((reason, refusal.message.clone())));
    draft.status.retry_time = Some(Time(draft.now + SignedDuration::try_from(wait).unwrap_or_default()));
    draft.wait(wait + Duration::from_millis(50));
}

fn active(draft: &mut Draft<'_>, driver: &Driver) {
    let attempt = draft.status.attempt.unwrap_or(1);
    match driver {
        Driver::Absent => match draft.status.driver.as_ref().and_then(|driver| driver.uid.as_ref()) {
            Some(_) if draft.spec().suspend => stopped(draft),
            Some(_) => draft.attempt_ended(&Ending::vanished(draft.status.reason)),
            None if draft.spec().suspend => stopped(draft),
            None => draft.launch_again(attempt),
        },
        Driver::Foreign => name_conflict(draft),
        Driver::Pod(pod) => {
            draft.adopt(pod);
            match &pod.state {
                PodState::Ended(ending) => ended(draft, pod, ending),
                _ if draft.spec().suspend => draft.stop(pod, None),
                PodState::Pending(obstacle) => pending(draft, pod, obstacle.as_ref()),
                PodState::Running(since) => running(draft, pod, *since),
            }
        }
    }
}

fn ended(draft: &mut Draft<'_>, pod: &DriverPod, ending: &Ending) {
    draft.attempt_ended(ending);
    if pod.lingers && pod.gone_by.is_none() {
        draft.act(Action::DeleteDriver { uid: pod.uid.clone(), at_once: false });
    }
}

fn name_conflict(draft: &mut Draft<'_>) {
    if draft.spec().suspend {
        stopped(draft);
        return;
    }
    let name = draft.status.driver.as_ref().map(|driver| driver.pod_name.clone()).unwrap_or_default();
    let message = format!("the pod {name} is there already and belongs to somebody else");
    if is_start_overdue(draft) {
        draft.record(Some(Reason::NameConflict), None, true);
        draft.complete(Phase::Failed, Some((Reason::NameConflict, message)));
        return;
    }
    if draft.status.reason != Some(Reason::NameConflict) {
        draft.warn("NameConflict", message.clone());
    }
    draft.enter(Phase::Starting, Some((Reason::NameConflict, message)));
    draft.wait(POLL);
}

/// Whether `timeouts.start` has passed; if not, looks again then.
fn is_start_overdue(draft: &mut Draft<'_>) -> bool {
    let limit = draft.spec().timeouts.start.parse().unwrap_or(Duration::from_secs(600));
    let begun = draft.status.attempt_start_time.as_ref().map_or(draft.now, |time| time.0);
    draft.is_due(begun + SignedDuration::try_from(limit).unwrap_or_default())
}

fn pending(draft: &mut Draft<'_>, pod: &DriverPod, obstacle: Option<&Obstacle>) {
    if pod.gone_by.is_some() {
        draft.insist(pod);
        return;
    }
    let why = obstacle.map(|obstacle| (obstacle.reason, obstacle.message.clone()));
    if is_start_overdue(draft) {
        let limit = &draft.spec().timeouts.start;
        let late = || (Reason::DeadlineExceeded, format!("the driver did not start within timeouts.start, {limit}"));
        draft.stop(pod, Some(why.unwrap_or_else(late)));
        return;
    }
    if why.is_none() {
        // What is in the way may show in events alone, which are not watched; the longer it takes, the rarer.
        let begun = draft.status.attempt_start_time.as_ref().map_or(draft.now, |time| time.0);
        let waited = draft.now.duration_since(begun).unsigned_abs();
        draft.wait((waited / 2).clamp(POLL, POLL_MAX));
    }
    if let Some((reason, message)) = &why
        && draft.status.reason != Some(*reason)
    {
        draft.warn("DriverWaits", format!("{reason}: {message}"));
    }
    draft.enter(Phase::Starting, why);
}

fn running(draft: &mut Draft<'_>, pod: &DriverPod, since: Option<Timestamp>) {
    if draft.status.phase != Some(Phase::Running) {
        let node = pod.node.as_deref().unwrap_or("a node");
        draft.tell("DriverRunning", format!("the driver runs on {node}"));
        draft.enter(Phase::Running, None);
    }
    let since = since.unwrap_or(draft.now);
    if let Some(driver) = &mut draft.status.driver {
        driver.start_time.get_or_insert(Time(since));
    }
    if pod.gone_by.is_some() {
        let why = pod.disruption.map(|reason| (reason, "the cluster takes the driver's pod away".to_owned()));
        draft.enter(Phase::Running, why);
        draft.insist(pod);
        return;
    }
    executors(draft, pod);
    let spec = draft.spec();
    if let Some(run) = &spec.timeouts.run {
        let limit = run.parse().ok().and_then(|limit| SignedDuration::try_from(limit).ok());
        if limit.is_some_and(|limit| draft.is_due(since + limit)) {
            draft.stop(
                pod,
                Some((Reason::DeadlineExceeded, format!("the attempt ran longer than timeouts.run, {run}"))),
            );
            return;
        }
    }
    let wanted = sizing(draft.job);
    if pod.sizing.as_ref() != Some(&wanted) {
        draft.tell("Resized", format!("executors asked for: {wanted}"));
        draft.act(Action::Resize { sizing: wanted });
    }
}

/// Takes over why executors are not there, if they are not.
fn executors(draft: &mut Draft<'_>, pod: &DriverPod) {
    let why = pod.report.waiting.as_ref().map(|waiting| (waiting.reason, waiting.message.clone()));
    if let Some((reason, message)) = &why
        && draft.status.reason != Some(*reason)
    {
        draft.warn("ExecutorsWait", format!("{reason}: {message}"));
    }
    draft.enter(Phase::Running, why);
}

/// The executors that a job asks for, as its driver reads them.
pub(crate) fn sizing(job: &SparkJob) -> String {
    let executor = &job.spec.executor;
    match &executor.elastic {
        Some(elastic) => serde_json::json!({ "elastic": elastic }).to_string(),
        None => serde_json::json!({ "count": executor.count.unwrap_or(1) }).to_string(),
    }
}

fn stopping(draft: &mut Draft<'_>, driver: &Driver) {
    match driver {
        Driver::Absent | Driver::Foreign => stopped(draft),
        Driver::Pod(pod) => match &pod.state {
            // It was faster than the wish to stop it.
            PodState::Ended(ending) if ending.class == super::driver::Class::Success => ended(draft, pod, ending),
            PodState::Ended(ending) => {
                draft.status.log_tail = ending.log_tail.clone().or(draft.status.log_tail.take());
                stopped(draft);
            }
            _ => draft.keep_deleting(pod),
        },
    }
}

/// The driver that was to be stopped is gone.
fn stopped(draft: &mut Draft<'_>) {
    let why = draft.status.reason.filter(|_| draft.status.phase == Some(Phase::Stopping));
    draft.record(why, None, why.is_some());
    let message = draft.status.message.clone().unwrap_or_default();
    match why {
        Some(reason) => draft.complete(Phase::Failed, Some((reason, message))),
        None if draft.spec().suspend => {
            draft.tell("Suspended", "the driver is stopped");
            draft.enter(Phase::Suspended, None);
        }
        None => queue(draft, "Resumed", "the job is not suspended any more"),
    }
}

fn over(draft: &mut Draft<'_>, driver: &Driver) {
    let Some(end) = draft.status.completion_time.as_ref().map(|time| time.0) else { return };
    let cleanup = &draft.spec().cleanup;
    let has_failed = draft.status.phase == Some(Phase::Failed);
    let after = |span: &firesteel_k8s::duration::Span| {
        span.parse().ok().and_then(|span| SignedDuration::try_from(span).ok()).map(|span| end + span)
    };
    let ttl = if has_failed { &cleanup.ttl_failed } else { &cleanup.ttl };
    if let Some(time) = ttl.as_ref().and_then(after)
        && draft.is_due(time)
    {
        draft.act(Action::DeleteJob);
        return;
    }
    if let Driver::Pod(_) = driver {
        let is_kept = match cleanup.keep_pods {
            KeepPods::Always => true,
            KeepPods::OnFailure => has_failed,
            KeepPods::Never => false,
        };
        let until = if is_kept { after(&cleanup.pods_after) } else { Some(end) };
        if until.is_some_and(|time| draft.is_due(time)) {
            draft.act(Action::DeleteObjects);
        }
    }
}
