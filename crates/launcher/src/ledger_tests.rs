//! Stories of executors' pods without a cluster.

use firesteel_k8s::pod_status::Obstacle;
use firesteel_k8s::report::Report;
use firesteel_k8s::status::Reason;
use firesteel_model::ExecutorLoss;
use firesteel_model::ids::ExecutorId;
use jiff::{SignedDuration, Timestamp};

use crate::cluster::Refusal;
use crate::ledger::{Action, Event, Ledger};
use crate::observed::{Ending, PodState};

struct Story {
    ledger: Ledger,
    now: Timestamp,
}

const RUNNING: PodState = PodState::Running { node_answers: true };

fn id(id: u64) -> ExecutorId {
    ExecutorId(id)
}

fn ending(loss: ExecutorLoss, exit_code: Option<i32>) -> Ending {
    Ending { loss, exit_code }
}

fn quota() -> Refusal {
    let message = "exceeded quota".to_owned();
    Refusal { reason: Some(Reason::QuotaExceeded), message, may_ask_again: true, after: None }
}

impl Story {
    /// A driver whose Secret is there and who wants so many executors, which are being asked for.
    fn wanting(count: u64) -> Self {
        let ledger = Ledger::new("sales", 2, SignedDuration::from_secs(600));
        let mut story = Self { ledger, now: Timestamp::from_second(1000).unwrap() };
        for number in 1..=count {
            story.tell(Event::Wanted(id(number)));
        }
        story.tell(Event::Published);
        story
    }

    /// The same, and all have registered.
    fn running(count: u64) -> Self {
        let mut story = Self::wanting(count);
        for number in 1..=count {
            story.tell(Event::Created(id(number)));
            story.tell(Event::Seen(id(number), RUNNING));
            story.tell(Event::Registered(id(number)));
        }
        story
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.ledger.apply(self.now, event)
    }

    fn later(&mut self, seconds: i64) -> Vec<Action> {
        self.now += SignedDuration::from_secs(seconds);
        self.tell(Event::Tick)
    }

    fn report(&self) -> Report {
        self.ledger.report()
    }

    fn summary(&self) -> String {
        self.report().executors.unwrap().summary
    }

    fn failures(&self) -> Vec<(String, String, Option<i32>)> {
        let failures = self.report().executor_failures.into_iter();
        failures.map(|failure| (failure.pod_name, failure.reason, failure.exit_code)).collect()
    }
}

#[test]
fn the_secret_is_there_before_the_first_pod() {
    let mut ledger = Ledger::new("sales", 1, SignedDuration::from_secs(600));
    let now = Timestamp::from_second(1000).unwrap();
    assert_eq!(ledger.apply(now, Event::Tick), [], "nothing is made for a driver that wants no executors");
    assert_eq!(ledger.apply(now, Event::Wanted(id(1))), [Action::Publish]);
    assert_eq!(ledger.apply(now, Event::Wanted(id(2))), []);
    assert_eq!(ledger.apply(now, Event::Published), [Action::Create(id(1)), Action::Create(id(2))]);
}

#[test]
fn a_secret_that_is_refused_is_asked_for_again() {
    let mut ledger = Ledger::new("sales", 1, SignedDuration::from_secs(600));
    let now = Timestamp::from_second(1000).unwrap();
    ledger.apply(now, Event::Wanted(id(1)));
    assert_eq!(ledger.apply(now, Event::NotPublished(quota())), []);
    assert_eq!(ledger.apply(now + SignedDuration::from_secs(1), Event::Tick), [Action::Publish]);
}

#[test]
fn only_some_are_asked_for_at_once() {
    let mut story = Story::wanting(40);
    let asked = story.tell(Event::Created(id(1)));
    assert_eq!(asked, [Action::Create(id(17))]);
}

#[test]
fn counts_follow_the_pods() {
    let mut story = Story::wanting(2);
    assert_eq!(story.summary(), "0/2");
    story.tell(Event::Created(id(1)));
    story.tell(Event::Seen(id(1), RUNNING));
    assert_eq!(story.summary(), "0/2", "it has not registered");
    story.tell(Event::Registered(id(1)));
    let counts = story.report().executors.unwrap();
    assert_eq!((counts.running, counts.pending, counts.target), (1, 1, 2));
}

#[test]
fn a_refusing_quota_is_waited_for_and_told() {
    let mut story = Story::wanting(3);
    story.tell(Event::Created(id(1)));
    assert_eq!(story.tell(Event::Refused(id(2), quota())), []);
    assert_eq!(story.tell(Event::Refused(id(3), quota())), [], "refusals at once count as one");
    let waiting = story.report().waiting.unwrap();
    assert_eq!(
        (waiting.reason, waiting.message.as_str()),
        (Reason::QuotaExceeded, "3 of 3 executors wait: exceeded quota")
    );
    assert_eq!(story.later(1), [Action::Create(id(3))], "one goes first to see");
    story.tell(Event::Refused(id(3), quota()));
    assert_eq!(story.later(1), [], "the wait has doubled");
    assert_eq!(story.later(1), [Action::Create(id(3))]);
    assert_eq!(story.tell(Event::Created(id(3))), [Action::Create(id(2))]);
    assert_eq!(story.report().waiting, None);
    assert_eq!(story.failures(), []);
}

#[test]
fn the_wait_has_an_end_and_the_api_may_lengthen_it() {
    let mut story = Story::wanting(1);
    for _ in 0..20 {
        story.tell(Event::Refused(id(1), quota()));
        assert_eq!(story.later(60), [Action::Create(id(1))]);
    }
    let mut story = Story::wanting(1);
    let after = Some(SignedDuration::from_secs(5));
    let throttled = Refusal { reason: None, message: "slow down".to_owned(), may_ask_again: true, after };
    story.tell(Event::Refused(id(1), throttled));
    assert_eq!(story.later(4), []);
    assert_eq!(story.later(1), [Action::Create(id(1))]);
}

#[test]
fn a_pod_that_makes_no_sense_is_given_up() {
    let mut story = Story::wanting(1);
    let refusal = Refusal { may_ask_again: false, reason: Some(Reason::Refused), ..quota() };
    assert_eq!(story.tell(Event::Refused(id(1), refusal)), [Action::Lost(id(1), ExecutorLoss::NotStarted)]);
    assert_eq!(story.failures(), [("sales-2-exec-1".to_owned(), "NotStarted".to_owned(), None)]);
}

#[test]
fn an_executor_out_of_memory_is_told_counted_and_kept_for_its_log() {
    let mut story = Story::running(2);
    let told = story.tell(Event::Seen(id(1), PodState::Ended(ending(ExecutorLoss::OutOfMemory, Some(137)))));
    assert_eq!(told, [Action::Lost(id(1), ExecutorLoss::OutOfMemory)]);
    assert_eq!(story.failures(), [("sales-2-exec-1".to_owned(), "OOMKilled".to_owned(), Some(137))]);
    assert_eq!(story.report().executors.unwrap().failed, 1);
    assert_eq!(story.tell(Event::Unwanted(id(1), Some(ExecutorLoss::OutOfMemory))), [], "it is over");
    assert_eq!(story.summary(), "1/1");
}

#[test]
fn only_the_last_failed_pods_are_kept() {
    let mut story = Story::running(12);
    let mut deleted = Vec::new();
    for number in 1..=12 {
        let actions = story.tell(Event::Seen(id(number), PodState::Ended(ending(ExecutorLoss::Exited(1), Some(1)))));
        deleted.extend(actions.into_iter().filter(|action| matches!(action, Action::Delete(_))));
    }
    assert_eq!(deleted, [Action::Delete(id(1)), Action::Delete(id(2))]);
    assert_eq!(story.failures().len(), 10);
}

#[test]
fn a_deleted_pod_is_lost_and_no_fault() {
    let mut story = Story::running(1);
    let told = story.tell(Event::Gone(id(1), ending(ExecutorLoss::PodDeleted, None)));
    assert_eq!(told, [Action::Lost(id(1), ExecutorLoss::PodDeleted)]);
    let counts = story.report().executors.unwrap();
    assert_eq!((counts.failed, counts.lost), (0, 1));
}

#[test]
fn one_that_nobody_needs_is_deleted_and_told_once() {
    let mut story = Story::running(1);
    assert_eq!(story.tell(Event::Unwanted(id(1), None)), [Action::Delete(id(1))]);
    assert_eq!(story.tell(Event::Seen(id(1), PodState::Leaving(ExecutorLoss::PodDeleted))), []);
    let over = PodState::Ended(ending(ExecutorLoss::Decommissioned, Some(0)));
    assert_eq!(story.tell(Event::Seen(id(1), over)), [Action::Lost(id(1), ExecutorLoss::Stopped)]);
    assert_eq!(story.tell(Event::Gone(id(1), ending(ExecutorLoss::Decommissioned, Some(0)))), []);
    assert_eq!((story.failures(), story.summary()), (Vec::new(), "0/0".to_owned()));
}

#[test]
fn one_that_left_as_somebody_told_it_is_lost_for_the_reason_that_its_pod_shows() {
    let mut story = Story::running(3);
    for number in [1, 2] {
        story.tell(Event::Unwanted(id(number), Some(ExecutorLoss::Decommissioned)));
    }
    assert_eq!(story.failures(), [], "why is not known yet");
    let told = story.tell(Event::Gone(id(1), ending(ExecutorLoss::PodDeleted, None)));
    assert_eq!(told, [Action::Lost(id(1), ExecutorLoss::Stopped)], "the driver knows that it has left");
    story.tell(Event::Seen(id(2), PodState::Ended(ending(ExecutorLoss::Evicted, Some(0)))));
    // Its pod is over before the driver has heard that it leaves.
    story.tell(Event::Seen(id(3), PodState::Ended(ending(ExecutorLoss::PodDeleted, Some(0)))));
    story.tell(Event::Unwanted(id(3), Some(ExecutorLoss::Decommissioned)));
    let reasons: Vec<String> = story.failures().into_iter().map(|(_, reason, _)| reason).collect();
    assert_eq!(reasons, ["PodDeleted", "Evicted", "PodDeleted"]);
    let counts = story.report().executors.unwrap();
    assert_eq!((counts.failed, counts.lost, counts.target), (0, 3, 0));
}

#[test]
fn one_that_is_told_to_leave_is_lost_at_once_and_counts_once() {
    let mut story = Story::running(2);
    story.tell(Event::Seen(id(1), PodState::Leaving(ExecutorLoss::Evicted)));
    let lost = vec![("Evicted".to_owned(), 1)];
    let known = |story: &Story| -> Vec<(String, u32)> {
        let count = story.report().executors.unwrap().lost;
        story.failures().into_iter().map(|(_, reason, _)| (reason, count)).collect()
    };
    assert_eq!(known(&story), lost, "the job may be done before its last task and pod are");
    assert_eq!(story.report().executors.unwrap().decommissioning, 1);
    story.tell(Event::Seen(id(1), PodState::Leaving(ExecutorLoss::Evicted)));
    story.tell(Event::Unwanted(id(1), Some(ExecutorLoss::Decommissioned)));
    story.tell(Event::Seen(id(1), PodState::Ended(ending(ExecutorLoss::Evicted, Some(0)))));
    assert_eq!(known(&story), lost);
}

#[test]
fn one_that_is_not_needed_before_it_is_there_is_deleted_then() {
    let mut story = Story::wanting(17);
    assert_eq!(story.tell(Event::Unwanted(id(17), None)), [Action::Lost(id(17), ExecutorLoss::Stopped)], "it waited");
    assert_eq!(story.tell(Event::Unwanted(id(1), None)), [], "it is being asked for");
    assert_eq!(story.tell(Event::Created(id(1))), [Action::Delete(id(1))]);
    assert_eq!(story.tell(Event::Unwanted(id(2), None)), []);
    assert_eq!(story.tell(Event::Refused(id(2), quota())), [Action::Lost(id(2), ExecutorLoss::Stopped)]);
}

#[test]
fn a_deletion_that_failed_is_tried_again() {
    let mut story = Story::running(1);
    story.tell(Event::Unwanted(id(1), None));
    assert_eq!(story.later(1), []);
    story.tell(Event::NotDeleted(id(1)));
    assert_eq!(story.later(1), [Action::Delete(id(1))]);
}

#[test]
fn a_broken_connection_to_a_silent_node_is_a_lost_node() {
    let mut story = Story::running(2);
    story.tell(Event::Seen(id(1), PodState::Running { node_answers: false }));
    story.tell(Event::Unwanted(id(1), Some(ExecutorLoss::ConnectionLost)));
    story.tell(Event::Unwanted(id(2), Some(ExecutorLoss::ConnectionLost)));
    let reasons: Vec<String> = story.failures().into_iter().map(|(_, reason, _)| reason).collect();
    assert_eq!(reasons, ["NodeLost", "ConnectionLost"]);
}

#[test]
fn one_that_does_not_start_in_time_is_given_up_with_the_reason() {
    let mut story = Story::wanting(2);
    for number in [1, 2] {
        story.tell(Event::Created(id(number)));
    }
    let message = "0/2 nodes".to_owned();
    let obstacle = Obstacle { reason: Reason::Unschedulable, message };
    story.tell(Event::Seen(id(1), PodState::Pending(Some(obstacle))));
    story.tell(Event::Seen(id(2), RUNNING));
    assert_eq!(story.report().waiting.unwrap().reason, Reason::Unschedulable);
    assert_eq!(story.later(599), []);
    assert_eq!(story.later(1), [Action::Lost(id(1), ExecutorLoss::Unschedulable), Action::Delete(id(1))]);
    assert_eq!(story.report().executors.unwrap().lost, 1);
}

#[test]
fn pods_that_a_new_list_does_not_show_are_gone() {
    let mut story = Story::running(2);
    story.tell(Event::ListBegun);
    story.tell(Event::Wanted(id(3)));
    story.tell(Event::Created(id(3)));
    story.tell(Event::Seen(id(2), RUNNING));
    assert_eq!(
        story.tell(Event::Listed),
        [Action::Lost(id(1), ExecutorLoss::PodDeleted)],
        "3 is younger than the list"
    );
}
