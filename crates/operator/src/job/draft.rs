//! A decision in the making: the status to be, and the actions that go with it.

use std::time::Duration;

use firesteel_k8s::report::LOG_TAIL_LEN;
use firesteel_k8s::status::{AttemptReport, ExecutorCounts, Phase, Reason, SparkJobStatus};
use firesteel_k8s::{SparkJob, SparkJobSpec, ignored};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions;
use super::driver::{Class, DriverPod, Ending};
use super::observed::{Action, Note};
use super::retry::{self, Counts};

/// Attempts that the status remembers.
const ATTEMPTS_MAX: usize = 5;

/// How long after its time a pod counts as one whose node does not answer any more.
const NODE_SILENT: SignedDuration = SignedDuration::from_secs(60);

/// A decision in the making.
pub(crate) struct Draft<'a> {
    pub(crate) job: &'a SparkJob,
    pub(crate) now: Timestamp,
    pub(crate) status: SparkJobStatus,
    actions: Vec<Action>,
    notes: Vec<Note>,
    wait: Option<Duration>,
    must_write: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(job: &'a SparkJob, now: Timestamp) -> Self {
        let status = job.status.clone().unwrap_or_default();
        Self { job, now, status, actions: Vec::new(), notes: Vec::new(), wait: None, must_write: false }
    }

    pub(crate) fn spec(&self) -> &'a SparkJobSpec {
        &self.job.spec
    }

    /// The status first, because everything else depends on its being written; then actions, events, the wait.
    pub(crate) fn finish(mut self) -> Vec<Action> {
        self.status.observed_generation = self.job.metadata.generation;
        conditions::derive(&mut self.status, self.now, self.job.metadata.generation);
        let ignored = ignored::of_job(&self.job.spec);
        conditions::tell_ignored(&mut self.status.conditions, &ignored, self.now, self.job.metadata.generation);
        let mut actions = Vec::new();
        if self.must_write || self.job.status.as_ref() != Some(&self.status) {
            actions.push(Action::WriteStatus(Box::new(self.status)));
        }
        actions.append(&mut self.actions);
        actions.extend(self.notes.into_iter().map(Action::Tell));
        actions.extend(self.wait.map(Action::Wait));
        actions
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Actions that follow need proof that the job was read as it is now: the status is written even unchanged.
    pub(crate) fn require_fresh(&mut self) {
        self.must_write = true;
    }

    pub(crate) fn tell(&mut self, reason: &'static str, message: impl Into<String>) {
        self.notes.push(Note { is_warning: false, reason, message: message.into() });
    }

    pub(crate) fn warn(&mut self, reason: &'static str, message: impl Into<String>) {
        self.notes.push(Note { is_warning: true, reason, message: message.into() });
    }

    /// Looks again after this long, or earlier if something else asks for that.
    pub(crate) fn wait(&mut self, after: Duration) {
        self.wait = Some(self.wait.map_or(after, |before| before.min(after)));
    }

    /// Whether `time` has come; if not, looks again then.
    pub(crate) fn is_due(&mut self, time: Timestamp) -> bool {
        let left = time.duration_since(self.now);
        if left <= SignedDuration::ZERO {
            return true;
        }
        // A little later rather than a little earlier: an early look would find nothing to do.
        self.wait(left.unsigned_abs() + Duration::from_millis(50));
        false
    }

    /// Sets the phase; the reason and its sentence go with it.
    pub(crate) fn enter(&mut self, phase: Phase, why: Option<(Reason, String)>) {
        self.status.phase = Some(phase);
        let (reason, message) = why.unzip();
        self.status.reason = reason;
        self.status.message = message;
    }

    /// Whether the current attempt has ended.
    fn has_attempt_ended(&self) -> bool {
        let last = self.status.attempts.last().map(|report| report.attempt);
        self.status.attempt.is_some() && last == self.status.attempt
    }

    /// Begins an attempt. One that was begun before but never got a pod keeps its number.
    pub(crate) fn launch(&mut self) {
        let attempt = match self.status.attempt {
            None => 1,
            Some(attempt) if self.has_attempt_ended() => attempt + 1,
            Some(attempt) => attempt,
        };
        let name = firesteel_k8s::build::names::driver(self.job.metadata.name.as_deref().unwrap_or_default(), attempt);
        self.enter(Phase::Starting, None);
        let status = &mut self.status;
        status.attempt = Some(attempt);
        status.attempt_start_time = Some(Time(self.now));
        status.start_time.get_or_insert(Time(self.now));
        status.retry_time = None;
        status.log_tail = None;
        status.progress = None;
        status.executors = None;
        status.executor_failures = Vec::new();
        status.driver = Some(firesteel_k8s::status::DriverReport { pod_name: name.clone(), ..Default::default() });
        self.tell("DriverLaunched", format!("attempt {attempt}: created the driver's pod {name}"));
        let spec = self.spec();
        let names_executors = spec.executor.elastic.is_some() || spec.executor.count.is_some_and(|count| count > 0);
        if names_executors && spec.storage.shuffle.is_none() {
            self.warn("NoShuffle", "storage.shuffle is not set, so that there are no executors: the driver computes");
        }
        if let Some(sentence) = ignored::sentence(&ignored::of_job(spec)) {
            self.warn("Ignored", sentence);
        }
        self.launch_again(attempt);
    }

    /// Takes the first attempt back: there is no pod of it.
    pub(crate) fn never_started(&mut self) {
        let status = &mut self.status;
        (status.attempt, status.driver) = (None, None);
        (status.start_time, status.attempt_start_time) = (None, None);
    }

    /// Makes the driver's pod of an attempt that has begun.
    pub(crate) fn launch_again(&mut self, attempt: u32) {
        self.require_fresh();
        self.act(Action::Launch { attempt });
    }

    /// Takes over what the driver's pod shows.
    pub(crate) fn adopt(&mut self, pod: &DriverPod) {
        if let Some(driver) = &mut self.status.driver {
            driver.uid = Some(pod.uid.clone());
            driver.node_name = pod.node.clone();
        }
        let report = &pod.report;
        self.status.progress = report.progress.clone().or(self.status.progress.take());
        self.status.executors = report.executors.clone().or(self.status.executors.take());
        // The pod is the user's own: it may say more than a status should hold.
        let log_tail = report.log_tail.as_deref().map(|text| {
            let start = text.ceil_char_boundary(text.len().saturating_sub(LOG_TAIL_LEN));
            text[start..].to_owned()
        });
        self.status.log_tail = log_tail.or(self.status.log_tail.take());
        if !report.executor_failures.is_empty() {
            let failures = &report.executor_failures;
            self.status.executor_failures = failures[failures.len().saturating_sub(10)..].to_vec();
        }
    }

    /// Stops the driver; without a reason because the job is suspended, else the job fails with it.
    pub(crate) fn stop(&mut self, pod: &DriverPod, why: Option<(Reason, String)>) {
        match &why {
            Some((reason, message)) => self.warn("Stopping", format!("{reason}: {message}")),
            None => self.tell("Stopping", "the job is suspended"),
        }
        self.enter(Phase::Stopping, why);
        self.keep_deleting(pod);
    }

    /// Asks for the driver's deletion, and insists once its node has not answered for long.
    pub(crate) fn keep_deleting(&mut self, pod: &DriverPod) {
        match pod.gone_by {
            None => {
                self.act(Action::DeleteDriver { uid: pod.uid.clone(), at_once: false });
                self.wait(Duration::from_secs(5));
            }
            Some(_) => self.insist(pod),
        }
    }

    /// Deletes a pod at once that should be gone but whose node does not confirm it.
    pub(crate) fn insist(&mut self, pod: &DriverPod) {
        let Some(gone_by) = pod.gone_by else { return };
        if self.is_due(gone_by + NODE_SILENT) {
            self.act(Action::DeleteDriver { uid: pod.uid.clone(), at_once: true });
            self.wait(Duration::from_secs(5));
        }
    }

    /// Writes the attempt down as ended. Its executors end with their driver, whether it could say so or not.
    pub(crate) fn record(&mut self, reason: Option<Reason>, exit_code: Option<i32>, counted: bool) {
        let Some(attempt) = self.status.attempt else { return };
        if let Some(counts) = &mut self.status.executors {
            let ExecutorCounts { failed, lost, .. } = *counts;
            *counts = ExecutorCounts { failed, lost, ..ExecutorCounts::default() };
        }
        let report = AttemptReport {
            attempt,
            reason,
            exit_code,
            counted,
            start_time: self.status.attempt_start_time.clone(),
            completion_time: Some(Time(self.now)),
        };
        self.status.attempts.push(report);
        let surplus = self.status.attempts.len().saturating_sub(ATTEMPTS_MAX);
        self.status.attempts.drain(..surplus);
    }

    /// The job ends.
    pub(crate) fn complete(&mut self, phase: Phase, why: Option<(Reason, String)>) {
        match (&why, phase) {
            (Some((reason, message)), _) => self.warn("Failed", format!("{reason}: {message}")),
            (None, _) => self.tell("Succeeded", "the program ended well"),
        }
        self.enter(phase, why);
        self.status.completion_time = Some(Time(self.now));
        self.status.retry_time = None;
    }

    /// The attempt has ended by itself or by the cluster's doing: the job succeeds, fails or tries again.
    pub(crate) fn attempt_ended(&mut self, ending: &Ending) {
        self.status.log_tail = ending.log_tail.clone().or(self.status.log_tail.take());
        if ending.class == Class::Success {
            self.record(None, ending.exit_code, false);
            self.complete(Phase::Succeeded, None);
            return;
        }
        let counts = Counts { failures: self.status.failures, disruptions: self.status.disruptions };
        let attempt = self.status.attempt.unwrap_or(1);
        let verdict = retry::judge(&self.spec().retry, counts, attempt, ending, self.ran_for());
        self.status.failures = verdict.counts.failures;
        self.status.disruptions = verdict.counts.disruptions;
        self.record(ending.reason, ending.exit_code, verdict.counted);
        let why = ending.reason.map(|reason| (reason, ending.message.clone().unwrap_or_default()));
        match verdict.again_after {
            None => self.complete(Phase::Failed, why),
            Some(wait) => {
                let reason = ending.reason.map(|reason| reason.to_string()).unwrap_or_default();
                let message = ending.message.as_deref().unwrap_or_default();
                self.warn(
                    "Retrying",
                    format!("attempt {attempt} ended: {reason}: {message}; next in {}s", wait.as_secs()),
                );
                self.enter(Phase::Retrying, why);
                let next = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(600));
                self.status.retry_time = Some(Time(self.now + next));
                self.wait(wait + Duration::from_millis(50));
            }
        }
    }

    fn ran_for(&self) -> Duration {
        let started = self.status.driver.as_ref().and_then(|driver| driver.start_time.as_ref());
        started.map_or(Duration::ZERO, |time| self.now.duration_since(time.0).unsigned_abs())
    }
}
