//! Named scenarios of a job's life: launch, end, retries, stops, what follows the end.

use firesteel_k8s::status::Phase::{Failed, Queued, Retrying, Running, Starting, Stopping, Succeeded};
use firesteel_k8s::status::{ExecutorCounts, Progress, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::decide::sizing;
use super::driver::{Class, Driver, PodState};
use super::fixtures::Story;
use super::observed::{Action, Admission, Refusal, RefusalKind};

fn refused(kind: RefusalKind) -> Admission {
    Admission::Refused(Refusal { kind, message: "exceeded".to_owned() })
}

#[test]
fn a_job_runs_to_its_success() {
    let mut story = Story::with("").running();
    story.ends(Class::Success, None, 0);
    assert_eq!(story.phases, [Starting, Running, Succeeded]);
    assert_eq!(story.launches(), [1]);
    assert_eq!(story.condition("Complete"), "True");
    assert_eq!(story.job.status.as_ref().unwrap().log_tail.as_deref(), Some("last line"));
    for event in ["Accepted", "DriverLaunched", "DriverRunning", "Succeeded"] {
        assert_eq!(story.told(event), 1, "{event}");
    }
}

#[test]
fn the_status_is_written_before_the_driver_is_made() {
    let mut story = Story::with("");
    story.settle();
    let written = story.actions.iter().position(
        |action| matches!(action, Action::WriteStatus(status) if status.phase == Some(Starting) && status.attempt == Some(1)),
    );
    let launched = story.actions.iter().position(|action| *action == Action::Launch { attempt: 1 });
    assert!(written.unwrap() < launched.unwrap());
}

#[test]
fn nothing_is_done_for_another_manager() {
    let mut story = Story::with("managedBy: kueue.x-k8s.io/multikueue");
    assert!(story.look().is_empty());
}

#[test]
fn a_look_without_news_writes_nothing() {
    let mut story = Story::with("").running();
    assert!(!story.look().iter().any(|action| matches!(action, Action::WriteStatus(_))));
}

#[test]
fn a_launch_that_was_cut_off_is_done_again_under_the_same_attempt() {
    let mut story = Story::with("");
    story.settle();
    story.driver = Driver::Absent;
    story.job.status.as_mut().unwrap().driver.as_mut().unwrap().uid = None;
    let actions = story.look();
    // The status is written even unchanged: on an old copy of the job that fails, and nothing is made.
    assert!(matches!(actions[0], Action::WriteStatus(_)), "{actions:?}");
    assert_eq!(actions[1], Action::Launch { attempt: 1 });
    assert_eq!(story.attempt(), 1);
}

#[test]
fn a_restarted_operator_adopts_the_driver() {
    let mut story = Story::with("");
    story.settle();
    let launches = story.launches();
    story.job.status.as_mut().unwrap().driver.as_mut().unwrap().uid = None;
    story.pod(PodState::Running(Some(story.now)));
    story.settle();
    assert_eq!((story.phase(), story.launches()), (Running, launches));
    assert_eq!(story.job.status.as_ref().unwrap().driver.as_ref().unwrap().uid.as_deref(), Some("pod-1"));
}

#[test]
fn a_foreign_pod_of_the_drivers_name_is_a_conflict_until_the_time_is_up() {
    let mut story = Story::with("timeouts: {start: 1m}");
    story.look();
    story.driver = Driver::Foreign;
    story.settle();
    assert_eq!((story.phase(), story.reason(), story.told("NameConflict")), (Starting, Some(Reason::NameConflict), 1));
    story.later(61);
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::NameConflict)));
    assert!(!story.stops_gracefully(), "it is not ours to delete");
}

#[test]
fn a_foreign_pod_that_goes_away_lets_the_job_start() {
    let mut story = Story::with("");
    story.look();
    story.driver = Driver::Foreign;
    story.settle();
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Starting, None));
}

#[test]
fn quota_keeps_a_job_queued_and_charges_no_retry() {
    let mut story = Story::with("");
    story.admission = refused(RefusalKind::Quota);
    story.settle();
    assert_eq!((story.phase(), story.reason(), story.attempt()), (Queued, Some(Reason::QuotaExceeded), 0));
    for _ in 0..5 {
        story.later(121);
    }
    assert_eq!(story.told("Refused"), 1, "it is told once");
    assert_eq!(story.condition("Accepted"), "True");
    story.admission = Admission::Allowed;
    story.later(121);
    assert_eq!((story.phase(), story.reason(), story.attempt()), (Starting, None, 1));
    assert_eq!(story.job.status.as_ref().unwrap().failures, 0);
}

#[test]
fn waits_for_quota_grow() {
    let mut story = Story::with("");
    story.admission = refused(RefusalKind::Quota);
    story.settle();
    let wait = |story: &Story| {
        let retry = story.job.status.as_ref().unwrap().retry_time.clone().unwrap();
        retry.0.duration_since(story.now).as_secs()
    };
    assert_eq!(wait(&story), 5);
    story.later(100);
    assert_eq!(wait(&story), 50);
    story.later(1000);
    assert_eq!(wait(&story), 120);
}

#[test]
fn quota_that_is_used_up_between_trial_and_launch_charges_no_retry() {
    let mut story = Story::with("");
    story.look();
    story.look();
    story.driver = Driver::Absent;
    story.refuse(RefusalKind::Quota);
    assert_eq!((story.phase(), story.reason()), (Queued, Some(Reason::QuotaExceeded)));
    story.later(10);
    assert_eq!((story.phase(), story.attempt()), (Starting, 1));
    assert!(story.job.status.as_ref().unwrap().attempts.is_empty());
}

#[test]
fn a_policy_shows_in_accepted_and_can_be_mended() {
    let mut story = Story::with("");
    story.admission = refused(RefusalKind::Forbidden);
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Queued, Some(Reason::Refused)));
    assert_eq!(story.condition("Accepted"), "False");
    story.admission = Admission::Allowed;
    story.later(10);
    assert_eq!((story.phase(), story.condition("Accepted").as_str()), (Starting, "True"));
}

#[test]
fn a_pod_that_makes_no_sense_fails_the_job() {
    let mut story = Story::with("retry: {limit: 5}");
    story.admission = refused(RefusalKind::Invalid);
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::Refused)));
}

#[test]
fn a_bad_image_is_named_at_once_and_fails_when_the_time_is_up() {
    let mut story = Story::with("timeouts: {start: 2m}");
    story.settle();
    story.waits(Reason::ImagePullFailed);
    assert_eq!((story.phase(), story.reason()), (Starting, Some(Reason::ImagePullFailed)));
    assert_eq!(story.condition("Degraded"), "True");
    story.later(121);
    assert_eq!(story.phase(), Stopping);
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::ImagePullFailed)));
}

#[test]
fn an_obstacle_that_passes_is_forgotten() {
    let mut story = Story::with("");
    story.settle();
    story.waits(Reason::Unschedulable);
    assert_eq!(story.reason(), Some(Reason::Unschedulable));
    story.pod(PodState::Running(Some(story.now)));
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Running, None));
    assert_eq!(story.condition("Degraded"), "False");
}

#[test]
fn a_missing_secret_is_named() {
    let mut story = Story::with("");
    story.settle();
    story.waits(Reason::ConfigError);
    assert_eq!(story.reason(), Some(Reason::ConfigError));
}

#[test]
fn a_driver_that_does_not_start_for_no_reason_runs_out_of_time() {
    let mut story = Story::with("timeouts: {start: 1m}");
    story.settle();
    story.later(61);
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::DeadlineExceeded)));
}

#[test]
fn queued_time_does_not_count_towards_the_start() {
    let mut story = Story::with("timeouts: {start: 1m}");
    story.admission = refused(RefusalKind::Quota);
    story.settle();
    story.later(500);
    story.admission = Admission::Allowed;
    story.later(200);
    assert_eq!(story.phase(), Starting);
    story.later(30);
    assert_eq!(story.phase(), Starting);
}

#[test]
fn without_retries_a_failing_program_fails_the_job() {
    let mut story = Story::with("").running();
    story.fails(3);
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::AppError)));
    let status = story.job.status.as_ref().unwrap();
    assert_eq!(status.message.as_deref(), Some("ValueError: no"));
    assert_eq!((status.attempts[0].exit_code, status.attempts[0].counted), (Some(3), true));
    assert_eq!(story.condition("Failed"), "True");
}

#[test]
fn retries_return_to_queued_and_then_start_anew() {
    let mut story = Story::with("retry: {limit: 1}").running();
    story.fails(3);
    assert_eq!(story.phase(), Retrying);
    story.later(5);
    assert_eq!(story.phase(), Retrying, "the wait is 10 s");
    story.next_attempt(6);
    assert_eq!((story.phase(), story.attempt()), (Starting, 2));
    story.pod(PodState::Running(Some(story.now)));
    story.settle();
    story.fails(3);
    assert_eq!(story.phase(), Failed);
    assert_eq!(story.launches(), [1, 2]);
    assert_eq!(story.job.status.as_ref().unwrap().failures, 2);
}

#[test]
fn a_retry_goes_through_admission_again() {
    let mut story = Story::with("retry: {limit: 1}").running();
    story.fails(3);
    story.admission = refused(RefusalKind::Quota);
    story.next_attempt(11);
    assert_eq!((story.phase(), story.reason()), (Queued, Some(Reason::QuotaExceeded)));
    story.admission = Admission::Allowed;
    story.later(121);
    assert_eq!((story.phase(), story.attempt()), (Starting, 2));
}

#[test]
fn an_exit_code_can_end_it_whatever_the_limit() {
    let mut story = Story::with("retry: {limit: 9, rules: [{exitCodes: [42], action: Fail}]}").running();
    story.fails(42);
    assert_eq!(story.phase(), Failed);
}

#[test]
fn an_exit_code_can_ask_for_another_attempt_that_does_not_count() {
    let mut story = Story::with("retry: {limit: 0, rules: [{exitCodes: [75], action: Retry}]}").running();
    story.fails(75);
    assert_eq!(story.phase(), Retrying);
    let status = story.job.status.as_ref().unwrap();
    assert_eq!((status.failures, status.attempts[0].counted), (0, false));
}

#[test]
fn too_little_memory_is_the_jobs_own_fault() {
    let mut story = Story::with("").running();
    story.ends(Class::Application, Some(Reason::OomKilled), 137);
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::OomKilled)));
}

#[test]
fn an_eviction_is_retried_without_counting() {
    let mut story = Story::with("").running();
    story.ends(Class::Disruption, Some(Reason::DriverEvicted), 143);
    assert_eq!((story.phase(), story.reason()), (Retrying, Some(Reason::DriverEvicted)));
    let status = story.job.status.as_ref().unwrap();
    assert_eq!((status.failures, status.disruptions), (0, 1));
}

#[test]
fn disruptions_end_at_their_limit() {
    let mut story = Story::with("retry: {disruptionLimit: 0}").running();
    story.ends(Class::Disruption, Some(Reason::NodeLost), 143);
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::NodeLost)));
}

#[test]
fn a_driver_that_vanishes_is_a_disruption() {
    let mut story = Story::with("").running();
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Retrying, Some(Reason::DriverEvicted)));
    story.later(11);
    assert_eq!(story.launches(), [1, 2]);
}

#[test]
fn a_driver_on_a_silent_node_is_waited_for_and_then_forced_away() {
    let mut story = Story::with("").running();
    if let Driver::Pod(pod) = &mut story.driver {
        pod.gone_by = Some(story.now);
        pod.disruption = Some(Reason::NodeLost);
    }
    story.settle();
    assert_eq!(story.phase(), Running, "no second driver while the first may run");
    assert_eq!(story.launches(), [1]);
    story.later(59);
    assert_eq!(story.launches(), [1]);
    story.later(2);
    assert!(story.did(&Action::DeleteDriver { uid: "pod-1".to_owned(), at_once: true }));
    assert_eq!((story.phase(), story.reason()), (Retrying, Some(Reason::NodeLost)));
}

#[test]
fn a_driver_that_is_being_deleted_may_still_succeed() {
    let mut story = Story::with("").running();
    if let Driver::Pod(pod) = &mut story.driver {
        pod.gone_by = Some(story.now);
    }
    story.settle();
    story.ends(Class::Success, None, 0);
    assert_eq!(story.phase(), Succeeded);
}

#[test]
fn a_changed_number_of_executors_is_told_to_the_driver() {
    let mut story = Story::with("executor: {count: 2}").running();
    story.job.spec.executor.count = Some(5);
    story.settle();
    assert!(story.did(&Action::Resize { sizing: sizing(&story.job) }));
    assert_eq!((story.phase(), story.launches()), (Running, vec![1]));
}

#[test]
fn the_drivers_report_appears_in_the_status() {
    let mut story = Story::with("executor: {count: 2}").running();
    if let Driver::Pod(pod) = &mut story.driver {
        pod.report.progress = Some(Progress { summary: "3/9".to_owned(), ..Progress::default() });
        pod.report.executors = Some(ExecutorCounts { target: 2, running: 2, ..ExecutorCounts::default() });
    }
    story.settle();
    assert_eq!(story.job.status.as_ref().unwrap().progress.as_ref().unwrap().summary, "3/9");
    assert_eq!(story.condition("ExecutorsReady"), "True");
}

#[test]
fn pods_are_kept_after_a_failure_for_a_while() {
    let mut story = Story::with("cleanup: {podsAfter: 10m}").running();
    story.fails(1);
    story.later(599);
    assert!(!story.did(&Action::DeleteObjects));
    story.later(2);
    assert!(story.did(&Action::DeleteObjects));
}

#[test]
fn pods_go_at_once_after_success_unless_kept() {
    for (keep, deleted) in [("OnFailure", true), ("Never", true), ("Always", false)] {
        let mut story = Story::with(&format!("cleanup: {{keepPods: {keep}}}")).running();
        story.ends(Class::Success, None, 0);
        assert_eq!(story.did(&Action::DeleteObjects), deleted, "{keep}");
    }
}

#[test]
fn sidecars_do_not_outlive_the_driver() {
    let mut story = Story::with("cleanup: {keepPods: Always}").running();
    if let Driver::Pod(pod) = &mut story.driver {
        pod.lingers = true;
    }
    story.ends(Class::Success, None, 0);
    assert_eq!(story.phase(), Succeeded);
    assert!(story.stops_gracefully());
}

#[test]
fn ended_jobs_are_deleted_after_their_time_to_live() {
    let mut story = Story::with("cleanup: {ttl: 1h, ttlFailed: 2h}").running();
    story.ends(Class::Success, None, 0);
    story.later(3599);
    assert!(!story.did(&Action::DeleteJob));
    story.now += jiff::SignedDuration::from_secs(2);
    story.look();
    assert!(story.did(&Action::DeleteJob));
}

#[test]
fn failed_jobs_have_a_time_to_live_of_their_own() {
    let mut story = Story::with("cleanup: {ttl: 1s, ttlFailed: 2h}").running();
    story.fails(1);
    story.later(3600);
    assert!(!story.did(&Action::DeleteJob));
    story.now += jiff::SignedDuration::from_secs(3601);
    story.look();
    assert!(story.did(&Action::DeleteJob));
}

#[test]
fn suspending_an_ended_job_changes_nothing() {
    let mut story = Story::with("").running();
    story.ends(Class::Success, None, 0);
    story.job.spec.suspend = true;
    story.settle();
    assert_eq!(story.phase(), Succeeded);
}

#[test]
fn the_status_names_the_generation_that_it_is_about() {
    let mut story = Story::with("").running();
    story.job.metadata.generation = Some(7);
    story.settle();
    assert_eq!(story.job.status.as_ref().unwrap().observed_generation, Some(7));
}

#[test]
fn only_the_last_five_attempts_are_remembered() {
    let mut story = Story::with("retry: {limit: 20}").running();
    for _ in 0..7 {
        story.fails(1);
        story.next_attempt(601);
    }
    let attempts: Vec<u32> = story.job.status.as_ref().unwrap().attempts.iter().map(|report| report.attempt).collect();
    assert_eq!(attempts, [3, 4, 5, 6, 7]);
    assert_eq!(story.launches(), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn the_first_start_is_remembered_over_retries() {
    let mut story = Story::with("retry: {limit: 2}").running();
    let first = story.job.status.as_ref().unwrap().start_time.clone();
    story.fails(1);
    story.next_attempt(11);
    let status = story.job.status.as_ref().unwrap();
    assert_eq!(status.start_time, first);
    assert_eq!(status.attempt_start_time, Some(Time(story.now)));
}
