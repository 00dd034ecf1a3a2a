//! A job's life without a cluster: decisions are taken at their word, and tests say what the cluster does.

use firesteel_k8s::pod_status::Obstacle;
use firesteel_k8s::report::Report;
use firesteel_k8s::status::{Phase, Reason};
use firesteel_k8s::{Reason as Why, SparkJob};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::fixtures;

use super::decide::{FINALIZER, decide, decide_refused, wants_admission};
use super::driver::{Class, Driver, DriverPod, Ending, PodState};
use super::observed::{Action, Admission, Cleanup, Observed, Refusal, RefusalKind};

/// A job and what a test lets the cluster show of it.
pub(crate) struct Story {
    pub(crate) job: SparkJob,
    pub(crate) driver: Driver,
    pub(crate) admission: Admission,
    pub(crate) cleanup: Cleanup,
    pub(crate) now: Timestamp,
    /// Everything that was decided, in order.
    pub(crate) actions: Vec<Action>,
    /// Every phase that was written, in order.
    pub(crate) phases: Vec<Phase>,
}

impl Story {
    pub(crate) fn of(spec: &str) -> Self {
        Self {
            job: fixtures::job(spec),
            driver: Driver::Absent,
            admission: Admission::Allowed,
            cleanup: Cleanup::Absent,
            now: Timestamp::from_second(fixtures::CREATED + 1).unwrap(),
            actions: Vec::new(),
            phases: Vec::new(),
        }
    }

    /// A job of SQL with these further fields of its spec.
    pub(crate) fn with(fields: &str) -> Self {
        Self::of(&format!("{{main: {{sql: {{text: SELECT 1}}}}, {fields}}}"))
    }

    /// One look, and what follows from it.
    pub(crate) fn look(&mut self) -> Vec<Action> {
        let admission = wants_admission(&self.job, self.now).then(|| self.admission.clone());
        let observed = Observed { job: &self.job, driver: self.driver.clone(), admission, cleanup: self.cleanup };
        let actions = decide(&observed, self.now);
        self.follow(&actions);
        actions
    }

    /// Looks until nothing changes any more.
    pub(crate) fn settle(&mut self) -> Vec<Action> {
        for _ in 0..10 {
            let actions = self.look();
            let changes =
                |action: &Action| !matches!(action, Action::Wait(_) | Action::DeleteDriver { at_once: false, .. });
            if !actions.iter().any(changes) {
                return actions;
            }
        }
        panic!("it does not settle: {:?}", self.actions);
    }

    fn follow(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::WriteStatus(status) => {
                    self.phases.extend(status.phase.filter(|phase| self.phases.last() != Some(phase)));
                    self.job.status = Some((**status).clone());
                }
                Action::Launch { .. } if self.driver == Driver::Absent => self.pod(PodState::Pending(None)),
                Action::DeleteDriver { at_once: true, .. } => self.driver = Driver::Absent,
                Action::DeleteDriver { at_once: false, .. } => {
                    if let Driver::Pod(pod) = &mut self.driver {
                        pod.gone_by = Some(self.now + SignedDuration::from_secs(30));
                    }
                }
                Action::Resize { sizing } => {
                    if let Driver::Pod(pod) = &mut self.driver {
                        pod.sizing = Some(sizing.clone());
                    }
                }
                Action::DeleteObjects => self.driver = Driver::Absent,
                Action::AddFinalizer => self.job.metadata.finalizers = Some(vec![FINALIZER.to_owned()]),
                Action::RemoveFinalizer => self.job.metadata.finalizers = None,
                Action::StartCleanup => self.cleanup = Cleanup::Running,
                Action::Launch { .. } | Action::DeleteJob | Action::Tell(_) | Action::Wait(_) => {}
            }
        }
        self.actions.extend(actions.iter().cloned());
    }

    /// The cluster refuses the pod although it had allowed it.
    pub(crate) fn refuse(&mut self, kind: RefusalKind) {
        let refusal = Refusal { kind, message: "no".to_owned() };
        let actions = decide_refused(&self.job, &refusal, self.now);
        self.follow(&actions);
    }

    /// The driver's pod is in this state.
    pub(crate) fn pod(&mut self, state: PodState) {
        let before = match &self.driver {
            Driver::Pod(pod) => Some((**pod).clone()),
            _ => None,
        };
        let attempt = self.job.status.as_ref().and_then(|status| status.attempt).unwrap_or(0);
        let fresh = DriverPod {
            uid: format!("pod-{attempt}"),
            node: Some("node-1".to_owned()),
            gone_by: None,
            state: PodState::Pending(None),
            disruption: None,
            lingers: false,
            report: Report::default(),
            sizing: Some(super::decide::sizing(&self.job)),
        };
        self.driver = Driver::Pod(Box::new(DriverPod { state, ..before.unwrap_or(fresh) }));
    }

    /// A job whose driver has been running since now.
    pub(crate) fn running(mut self) -> Self {
        self.settle();
        self.pod(PodState::Running(Some(self.now)));
        self.settle();
        assert_eq!(self.phase(), Phase::Running);
        self
    }

    pub(crate) fn ends(&mut self, class: Class, reason: Option<Reason>, exit_code: i32) {
        let message = (class != Class::Success).then(|| "ValueError: no".to_owned());
        let log_tail = Some("last line".to_owned());
        self.pod(PodState::Ended(Ending { class, reason, exit_code: Some(exit_code), message, log_tail }));
        self.settle();
    }

    pub(crate) fn fails(&mut self, exit_code: i32) {
        self.ends(Class::Application, Some(Why::AppError), exit_code);
    }

    pub(crate) fn waits(&mut self, reason: Reason) {
        self.pod(PodState::Pending(Some(Obstacle { reason, message: "why".to_owned() })));
        self.settle();
    }

    /// The pod of the attempt before is somebody else's business: the next attempt has a pod of its own.
    pub(crate) fn next_attempt(&mut self, after_s: i64) {
        self.driver = Driver::Absent;
        self.later(after_s);
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.settle();
    }

    pub(crate) fn is_deleted(&mut self) {
        self.job.metadata.deletion_timestamp = Some(Time(self.now));
        self.settle();
    }

    pub(crate) fn phase(&self) -> Phase {
        self.job.status.as_ref().and_then(|status| status.phase).unwrap()
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        self.job.status.as_ref().and_then(|status| status.reason)
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.job.status.as_ref().and_then(|status| status.attempt).unwrap_or(0)
    }

    pub(crate) fn launches(&self) -> Vec<u32> {
        let launch = |action: &Action| match action {
            Action::Launch { attempt } => Some(*attempt),
            _ => None,
        };
        self.actions.iter().filter_map(launch).collect()
    }

    pub(crate) fn did(&self, action: &Action) -> bool {
        self.actions.contains(action)
    }

    pub(crate) fn told(&self, reason: &str) -> usize {
        self.actions.iter().filter(|action| matches!(action, Action::Tell(note) if note.reason == reason)).count()
    }

    pub(crate) fn condition(&self, kind: &str) -> String {
        let conditions = &self.job.status.as_ref().unwrap().conditions;
        conditions.iter().find(|condition| condition.type_ == kind).unwrap().status.clone()
    }

    pub(crate) fn stops_gracefully(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::DeleteDriver { at_once: false, .. }))
    }
}
