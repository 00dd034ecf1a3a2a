//! Named scenarios of what a driver tells about its executors.

use firesteel_k8s::report::Waiting;
use firesteel_k8s::status::{ExecutorCounts, Phase, Reason};

use super::driver::{Class, Driver};
use super::fixtures::Story;

fn told(story: &mut Story, waiting: Option<Reason>) {
    let Driver::Pod(pod) = &mut story.driver else { panic!("no driver") };
    let summary = "1/2".to_owned();
    pod.report.executors =
        Some(ExecutorCounts { summary, target: 2, running: 1, lost: 3, ..ExecutorCounts::default() });
    pod.report.waiting = waiting.map(|reason| Waiting { reason, message: "1 of 2 executors wait: no room".to_owned() });
    story.settle();
}

#[test]
fn a_running_job_says_why_executors_are_not_there() {
    let mut story = Story::with("").running();
    told(&mut story, Some(Reason::QuotaExceeded));
    told(&mut story, Some(Reason::QuotaExceeded));
    assert_eq!((story.phase(), story.reason()), (Phase::Running, Some(Reason::QuotaExceeded)));
    assert_eq!((story.condition("Degraded"), story.told("ExecutorsWait")), ("True".to_owned(), 1));
    told(&mut story, Some(Reason::Unschedulable));
    assert_eq!(story.told("ExecutorsWait"), 2);
    told(&mut story, None);
    assert_eq!((story.reason(), story.condition("Degraded")), (None, "False".to_owned()));
}

#[test]
fn no_executor_outlives_its_driver_in_the_status() {
    let mut story = Story::with("").running();
    told(&mut story, None);
    story.ends(Class::Success, None, 0);
    let counts = story.job.status.as_ref().unwrap().executors.clone().unwrap();
    assert_eq!(counts, ExecutorCounts { lost: 3, ..ExecutorCounts::default() });
}

#[test]
fn executors_without_a_place_for_their_shuffle_are_told_about() {
    for (fields, times) in [
        ("executor: {count: 2}", 1),
        ("executor: {elastic: {max: 2}}", 1),
        ("executor: {count: 0}", 0),
        ("executor: {count: 2}, storage: {shuffle: {url: 's3://b/x'}}", 0),
        ("driver: {cpu: 2}", 0),
    ] {
        let mut story = Story::with(fields);
        story.settle();
        assert_eq!(story.told("NoShuffle"), times, "{fields}");
    }
}
