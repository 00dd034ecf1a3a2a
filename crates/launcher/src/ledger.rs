//! The books on executors' pods: what is wanted, what is there, and what follows. It knows no clock and no API.

use std::collections::{BTreeMap, VecDeque};

use firesteel_k8s::build::names;
use firesteel_k8s::pod_status::Obstacle;
use firesteel_k8s::report::{FAILURES_MAX, Report, Waiting};
use firesteel_k8s::status::{ExecutorCounts, ExecutorFailure, Reason};
use firesteel_model::ExecutorLoss;
use firesteel_model::ids::ExecutorId;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::cluster::Refusal;
use crate::observed::{self, Ending, PodState};

/// Pods that are being asked for at the same time.
const ASKED_MAX: usize = 16;

/// How long nothing is asked for after a refusal, at first and at most.
const BACKOFF: SignedDuration = SignedDuration::from_secs(1);
const BACKOFF_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The driver wants an executor.
    Wanted(ExecutorId),
    /// The driver does not want an executor any more, because it is lost or because there are enough.
    Unwanted(ExecutorId, Option<ExecutorLoss>),
    /// An executor has registered at the driver.
    Registered(ExecutorId),
    /// The Secret is there.
    Published,
    /// The Secret was refused.
    NotPublished(Refusal),
    /// A pod was made.
    Created(ExecutorId),
    /// A pod was refused.
    Refused(ExecutorId, Refusal),
    /// A pod could not be deleted.
    NotDeleted(ExecutorId),
    /// A pod is there.
    Seen(ExecutorId, PodState),
    /// A pod is not there any more.
    Gone(ExecutorId, Ending),
    /// All pods are about to be listed.
    ListBegun,
    /// All pods that are there have been seen.
    Listed,
    /// Time has passed.
    Tick,
}

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make the Secret.
    Publish,
    /// Make a pod.
    Create(ExecutorId),
    /// Delete a pod.
    Delete(ExecutorId),
    /// Tell the driver that an executor is gone.
    Lost(ExecutorId, ExecutorLoss),
}

#[derive(Debug)]
struct Member {
    stage: Stage,
    has_registered: bool,
    is_wanted: bool,
    /// Whether it left because somebody other than the driver told it to. Why, its pod shows when it is over.
    has_left: bool,
    /// Whether its loss is written down.
    is_recorded: bool,
    is_being_deleted: bool,
    /// Whether the list in progress has shown it; true outside of one.
    is_listed: bool,
    /// Since when there is a pod.
    since: Timestamp,
}

#[derive(Debug)]
enum Stage {
    /// It waits to be asked for.
    Queued,
    /// It is asked for.
    Asked,
    /// There is a pod.
    There(PodState),
}

/// How far the Secret is that every pod needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secret {
    Missing,
    Asked,
    There,
}

/// The books of one driver.
///
/// Guarantees: an executor that was wanted is told lost once; nothing is asked for while the cluster refuses; of pods
/// that failed the last few stay, for their logs.
#[derive(Debug)]
pub(crate) struct Ledger {
    job: String,
    attempt: u32,
    /// How long a pod may take to start.
    start_limit: SignedDuration,
    secret: Secret,
    queue: VecDeque<ExecutorId>,
    members: BTreeMap<ExecutorId, Member>,
    /// Pods that have ended and stay.
    kept: VecDeque<ExecutorId>,
    failures: VecDeque<ExecutorFailure>,
    failed: u32,
    lost: u32,
    /// Refusals in a row; the last of them, and when to ask again.
    refusals: u32,
    refusal: Option<Refusal>,
    not_before: Timestamp,
}

impl Ledger {
    pub(crate) fn new(job: &str, attempt: u32, start_limit: SignedDuration) -> Self {
        Self {
            job: job.to_owned(),
            attempt,
            start_limit,
            secret: Secret::Missing,
            queue: VecDeque::new(),
            members: BTreeMap::new(),
            kept: VecDeque::new(),
            failures: VecDeque::new(),
            failed: 0,
            lost: 0,
            refusals: 0,
            refusal: None,
            not_before: Timestamp::UNIX_EPOCH,
        }
    }

    /// Takes an event in and says what follows from it.
    pub(crate) fn apply(&mut self, now: Timestamp, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Wanted(id) => self.wanted(id, now),
            Event::Unwanted(id, lost) => self.unwanted(id, lost, now, &mut actions),
            Event::Registered(id) => {
                if let Some(member) = self.members.get_mut(&id) {
                    member.has_registered = true;
                }
            }
            Event::Published => {
                self.secret = Secret::There;
                self.accepted();
            }
            Event::NotPublished(refusal) => {
                self.secret = Secret::Missing;
                self.refused(refusal, now);
            }
            Event::Created(id) => self.created(id, now, &mut actions),
            Event::Refused(id, refusal) => self.pod_refused(id, refusal, now, &mut actions),
            Event::NotDeleted(id) => {
                if let Some(member) = self.members.get_mut(&id) {
                    member.is_being_deleted = false;
                }
            }
            Event::Seen(id, state) => self.seen(id, state, now, &mut actions),
            Event::Gone(id, ending) => {
                self.kept.retain(|kept| *kept != id);
                self.ended(id, ending, now, &mut actions);
            }
            Event::ListBegun => {
                for member in self.members.values_mut() {
                    member.is_listed = !matches!(member.stage, Stage::There(_));
                }
            }
            Event::Listed => self.listed(now, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
        }
        self.ask(now, &mut actions);
        actions
    }

    fn wanted(&mut self, id: ExecutorId, now: Timestamp) {
        let member = Member {
            stage: Stage::Queued,
            has_registered: false,
            is_wanted: true,
            has_left: false,
            is_recorded: false,
            is_being_deleted: false,
            is_listed: true,
            since: now,
        };
        self.members.insert(id, member);
        self.queue.push_back(id);
    }

    fn unwanted(&mut self, id: ExecutorId, lost: Option<ExecutorLoss>, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let was_wanted = std::mem::replace(&mut member.is_wanted, false);
        member.has_left |= was_wanted && lost == Some(ExecutorLoss::Decommissioned);
        let is_node_silent = matches!(member.stage, Stage::There(PodState::Running { node_answers: false }));
        match member.stage {
            Stage::Queued => {
                self.queue.retain(|queued| *queued != id);
                self.members.remove(&id);
                actions.push(Action::Lost(id, ExecutorLoss::Stopped));
            }
            // It is deleted as soon as it is there.
            Stage::Asked => {}
            Stage::There(_) => Self::delete(id, member, actions),
        }
        if let Some(loss) = lost.filter(|loss| was_wanted && *loss != ExecutorLoss::Decommissioned) {
            let loss = if is_node_silent { ExecutorLoss::NodeLost } else { loss };
            self.record(id, Ending { loss, exit_code: None }, now);
        }
    }

    fn delete(id: ExecutorId, member: &mut Member, actions: &mut Vec<Action>) {
        if !std::mem::replace(&mut member.is_being_deleted, true) {
            actions.push(Action::Delete(id));
        }
    }

    fn created(&mut self, id: ExecutorId, now: Timestamp, actions: &mut Vec<Action>) {
        self.accepted();
        // The watch may have been faster.
        let Some(member) = self.members.get_mut(&id).filter(|member| matches!(member.stage, Stage::Asked)) else {
            return;
        };
        member.stage = Stage::There(PodState::Pending(None));
        member.since = now;
        if !member.is_wanted {
            Self::delete(id, member, actions);
        }
    }

    fn accepted(&mut self) {
        self.refusals = 0;
        self.refusal = None;
        self.not_before = Timestamp::UNIX_EPOCH;
    }

    /// Several may be refused at once; they count as one.
    fn refused(&mut self, refusal: Refusal, now: Timestamp) {
        if now >= self.not_before {
            let wait = BACKOFF.saturating_mul(1 << self.refusals.min(6)).min(BACKOFF_MAX);
            self.not_before = now + refusal.after.map_or(wait, |after| after.max(wait).min(BACKOFF_MAX));
            self.refusals += 1;
        }
        self.refusal = Some(refusal);
    }

    fn pod_refused(&mut self, id: ExecutorId, refusal: Refusal, now: Timestamp, actions: &mut Vec<Action>) {
        let may_ask_again = refusal.may_ask_again;
        self.refused(refusal, now);
        let Some(member) = self.members.get_mut(&id).filter(|member| matches!(member.stage, Stage::Asked)) else {
            return;
        };
        if !member.is_wanted {
            self.members.remove(&id);
            actions.push(Action::Lost(id, ExecutorLoss::Stopped));
        } else if may_ask_again {
            member.stage = Stage::Queued;
            self.queue.push_front(id);
        } else {
            self.members.remove(&id);
            self.record(id, Ending { loss: ExecutorLoss::NotStarted, exit_code: None }, now);
            actions.push(Action::Lost(id, ExecutorLoss::NotStarted));
        }
    }

    fn seen(&mut self, id: ExecutorId, state: PodState, now: Timestamp, actions: &mut Vec<Action>) {
        // What is no member has ended, or is a pod that was given up.
        let Some(member) = self.members.get_mut(&id) else { return };
        member.is_listed = true;
        if let PodState::Ended(ending) = state {
            let is_kept = member.is_wanted && ending.loss != ExecutorLoss::Decommissioned;
            let is_being_deleted = member.is_being_deleted;
            self.ended(id, ending, now, actions);
            if is_kept {
                self.kept.push_back(id);
                let surplus = self.kept.len().saturating_sub(FAILURES_MAX);
                actions.extend(self.kept.drain(..surplus).map(Action::Delete));
            } else if !is_being_deleted {
                actions.push(Action::Delete(id));
            }
            return;
        }
        if matches!(member.stage, Stage::Asked) {
            member.since = now;
        }
        // Somebody else told it to end. It may be there for longer than the job, which ends what it computes.
        let told = match state {
            PodState::Leaving(loss) if member.is_wanted => Some(Ending { loss, exit_code: None }),
            _ => None,
        };
        member.stage = Stage::There(state);
        if !member.is_wanted {
            Self::delete(id, member, actions);
        }
        if let Some(ending) = told {
            self.record(id, ending, now);
        }
    }

    fn ended(&mut self, id: ExecutorId, ending: Ending, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(member) = self.members.get(&id) else { return };
        let is_wanted = member.is_wanted;
        if is_wanted || member.has_left {
            self.record(id, ending, now);
        }
        self.members.remove(&id);
        self.queue.retain(|queued| *queued != id);
        actions.push(Action::Lost(id, if is_wanted { ending.loss } else { ExecutorLoss::Stopped }));
    }

    /// Writes a loss down that the user should know of, once.
    fn record(&mut self, id: ExecutorId, ending: Ending, now: Timestamp) {
        let Ending { loss, exit_code } = ending;
        let is_recorded =
            self.members.get_mut(&id).is_some_and(|member| std::mem::replace(&mut member.is_recorded, true));
        match loss {
            ExecutorLoss::Stopped => return,
            _ if is_recorded => return,
            loss if loss.is_application_fault() => self.failed += 1,
            _ => self.lost += 1,
        }
        self.failures.push_back(ExecutorFailure {
            pod_name: names::executor(&self.job, self.attempt, id.0),
            reason: observed::word(loss).to_owned(),
            exit_code,
            time: Some(Time(now)),
        });
        if self.failures.len() > FAILURES_MAX {
            self.failures.pop_front();
        }
    }

    fn listed(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let missing: Vec<ExecutorId> =
            self.members.iter().filter(|(_, member)| !member.is_listed).map(|(id, _)| *id).collect();
        for id in missing {
            self.ended(id, Ending { loss: ExecutorLoss::PodDeleted, exit_code: None }, now, actions);
        }
    }

    fn tick(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let mut late = Vec::new();
        for (id, member) in &mut self.members {
            let Stage::There(state) = &member.stage else { continue };
            if !member.is_wanted {
                Self::delete(*id, member, actions);
            } else if let PodState::Pending(obstacle) = state
                && now.duration_since(member.since) >= self.start_limit
            {
                late.push((*id, not_started(obstacle.as_ref())));
            }
        }
        for (id, loss) in late {
            self.ended(id, Ending { loss, exit_code: None }, now, actions);
            actions.push(Action::Delete(id));
        }
    }

    /// Asks for what waits, as far as the cluster takes it.
    fn ask(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.queue.is_empty() || now < self.not_before {
            return;
        }
        match self.secret {
            Secret::Missing => {
                self.secret = Secret::Asked;
                actions.push(Action::Publish);
                return;
            }
            Secret::Asked => return,
            Secret::There => {}
        }
        // After a refusal one goes first to see.
        let most = if self.refusals > 0 { 1 } else { ASKED_MAX };
        let asked = self.members.values().filter(|member| matches!(member.stage, Stage::Asked)).count();
        for _ in asked..most {
            let Some(id) = self.queue.pop_front() else { return };
            if let Some(member) = self.members.get_mut(&id) {
                member.stage = Stage::Asked;
                actions.push(Action::Create(id));
            }
        }
    }

    /// What there is to say about the executors.
    pub(crate) fn report(&self) -> Report {
        let counts = self.counts();
        Report {
            waiting: self.waiting(&counts),
            executors: Some(counts),
            executor_failures: self.failures.iter().cloned().collect(),
            ..Report::default()
        }
    }

    fn counts(&self) -> ExecutorCounts {
        let mut counts = ExecutorCounts { failed: self.failed, lost: self.lost, ..ExecutorCounts::default() };
        for member in self.members.values() {
            let is_leaving = matches!(member.stage, Stage::There(PodState::Leaving(_)));
            counts.target += u32::from(member.is_wanted);
            counts.decommissioning += u32::from(is_leaving || !member.is_wanted);
            counts.pending += u32::from(member.is_wanted && !member.has_registered);
            counts.running += u32::from(member.is_wanted && member.has_registered && !is_leaving);
        }
        counts.summary = format!("{}/{}", counts.running, counts.target);
        counts
    }

    fn waiting(&self, counts: &ExecutorCounts) -> Option<Waiting> {
        let obstacle = || {
            let mut wanted = self.members.values().filter(|member| member.is_wanted);
            wanted.find_map(|member| match &member.stage {
                Stage::There(PodState::Pending(Some(obstacle))) => Some((obstacle.reason, obstacle.message.as_str())),
                _ => None,
            })
        };
        let refusal = self.refusal.as_ref().and_then(|refusal| Some((refusal.reason?, refusal.message.as_str())));
        let (reason, message) = refusal.or_else(obstacle).filter(|_| counts.pending > 0)?;
        let message = format!("{} of {} executors wait: {message}", counts.pending, counts.target);
        Some(Waiting { reason, message })
    }
}

fn not_started(obstacle: Option<&Obstacle>) -> ExecutorLoss {
    match obstacle.map(|obstacle| obstacle.reason) {
        Some(Reason::ImagePullFailed) => ExecutorLoss::ImagePullFailed,
        Some(Reason::Unschedulable) => ExecutorLoss::Unschedulable,
        _ => ExecutorLoss::NotStarted,
    }
}
