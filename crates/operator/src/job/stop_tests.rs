//! Named scenarios of stopping: suspension, resumption, deadlines.

use firesteel_k8s::status::Phase::{Failed, Running, Starting, Stopping, Succeeded, Suspended};
use firesteel_k8s::status::Reason;

use super::driver::{Class, Driver};
use super::fixtures::Story;

#[test]
fn a_suspended_job_waits_and_resumes() {
    let mut story = Story::with("suspend: true");
    story.settle();
    assert_eq!((story.phase(), story.condition("Suspended").as_str()), (Suspended, "True"));
    story.job.spec.suspend = false;
    story.settle();
    assert_eq!((story.phase(), story.condition("Suspended").as_str()), (Starting, "False"));
}

#[test]
fn suspending_stops_the_driver_gracefully_and_resuming_starts_from_the_beginning() {
    let mut story = Story::with("").running();
    story.job.spec.suspend = true;
    story.settle();
    assert_eq!(story.phase(), Stopping);
    assert!(story.stops_gracefully());
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!(story.phase(), Suspended);
    story.job.spec.suspend = false;
    story.settle();
    assert_eq!((story.phase(), story.attempt(), story.launches()), (Starting, 2, vec![1, 2]));
    let status = story.job.status.as_ref().unwrap();
    assert_eq!((status.failures, status.attempts[0].counted), (0, false));
}

#[test]
fn a_job_resumed_while_it_stops_starts_again_only_when_the_driver_is_gone() {
    let mut story = Story::with("").running();
    story.job.spec.suspend = true;
    story.settle();
    story.job.spec.suspend = false;
    story.settle();
    assert_eq!((story.phase(), story.launches()), (Stopping, vec![1]));
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!((story.phase(), story.launches()), (Starting, vec![1, 2]));
}

#[test]
fn suspending_while_queued_or_retrying_makes_no_driver() {
    let mut story = Story::with("retry: {limit: 3}").running();
    story.fails(1);
    story.job.spec.suspend = true;
    story.settle();
    assert_eq!((story.phase(), story.launches()), (Suspended, vec![1]));
}

#[test]
fn a_program_that_ends_well_before_it_is_stopped_has_succeeded() {
    let mut story = Story::with("").running();
    story.job.spec.suspend = true;
    story.settle();
    story.ends(Class::Success, None, 0);
    assert_eq!(story.phase(), Succeeded);
}

#[test]
fn a_run_past_its_time_is_stopped_and_fails_without_a_retry() {
    let mut story = Story::with("timeouts: {run: 1h}, retry: {limit: 5}").running();
    story.later(3599);
    assert_eq!(story.phase(), Running);
    story.later(2);
    assert_eq!((story.phase(), story.reason()), (Stopping, Some(Reason::DeadlineExceeded)));
    story.driver = Driver::Absent;
    story.settle();
    assert_eq!((story.phase(), story.reason()), (Failed, Some(Reason::DeadlineExceeded)));
}

#[test]
fn a_deadline_can_be_set_while_the_job_runs() {
    let mut story = Story::with("").running();
    story.later(500);
    story.job.spec.timeouts.run = Some("5m".into());
    story.settle();
    assert_eq!(story.phase(), Stopping);
}
