//! Named scenarios of schedules.

use std::time::Duration;

use firesteel_k8s::status::{Phase, SparkJobStatus};
use firesteel_k8s::{Manifest, Resource, ScheduledSparkJob, SparkJob};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::decide::{Action, decide};

fn at(text: &str) -> Timestamp {
    format!("2026-03-01T{text}Z").parse().unwrap()
}

fn schedule(fields: &str) -> ScheduledSparkJob {
    let text = format!(
        "apiVersion: firesteel.dev/v1alpha1\nkind: ScheduledSparkJob\nmetadata: {{name: nightly, namespace: default}}\n\
         spec: {{schedule: '0 * * * *', jobTemplate: {{spec: {{main: {{sql: {{text: SELECT 1}}}}}}}}, {fields}}}"
    );
    let mut resources = Manifest::parse(&text, "x.yaml", &[]).unwrap().resources;
    let Some(Resource::ScheduledSparkJob(mut schedule)) = resources.pop() else { panic!("no schedule") };
    schedule.metadata.uid = Some("s".to_owned());
    schedule.metadata.creation_timestamp = Some(Time(at("09:30:00")));
    *schedule
}

fn job(name: &str, phase: Phase, end: Option<&str>) -> SparkJob {
    let mut job = crate::fixtures::job("{main: {sql: {text: x}}}");
    job.metadata.name = Some(name.to_owned());
    job.metadata.uid = Some(format!("u-{name}"));
    let completion_time = end.map(|end| Time(at(end)));
    job.status = Some(SparkJobStatus { phase: Some(phase), completion_time, ..SparkJobStatus::default() });
    job
}

fn created(actions: &[Action]) -> Vec<String> {
    let name = |action: &Action| match action {
        Action::CreateJob(job) => job.metadata.name.clone(),
        _ => None,
    };
    actions.iter().filter_map(name).collect()
}

fn deleted(actions: &[Action]) -> Vec<&str> {
    fn name(action: &Action) -> Option<&str> {
        match action {
            Action::DeleteJob { name, .. } => Some(name),
            _ => None,
        }
    }
    actions.iter().filter_map(name).collect()
}

fn told(actions: &[Action], reason: &str) -> bool {
    actions.iter().any(|action| matches!(action, Action::Tell(note) if note.reason == reason))
}

fn after(schedule: &ScheduledSparkJob, actions: &[Action]) -> ScheduledSparkJob {
    let status = actions.iter().find_map(|action| match action {
        Action::WriteStatus(status) => Some((**status).clone()),
        _ => None,
    });
    ScheduledSparkJob { status: status.or(schedule.status.clone()), ..schedule.clone() }
}

#[test]
fn a_job_is_made_once_at_its_time() {
    let schedule = schedule("");
    let early = decide(&schedule, &[], at("09:59:59"));
    assert!(created(&early).is_empty());
    assert!(early.contains(&Action::Wait(Duration::from_millis(1050))), "{early:?}");
    let schedule = after(&schedule, &early);
    let due = decide(&schedule, &[], at("10:00:01"));
    assert_eq!(created(&due), [format!("nightly-{}", at("10:00:00").as_second() / 60)]);
    let again = decide(&after(&schedule, &due), &[], at("10:00:02"));
    assert!(created(&again).is_empty());
}

#[test]
fn a_made_job_is_owned_labelled_and_like_the_template() {
    let schedule = schedule("");
    let due = decide(&schedule, &[], at("10:00:01"));
    let Some(Action::CreateJob(job)) = due.iter().find(|action| matches!(action, Action::CreateJob(_))) else {
        panic!("no job")
    };
    assert_eq!(job.metadata.owner_references.as_ref().unwrap()[0].uid, "s");
    assert_eq!(job.metadata.labels.as_ref().unwrap()["firesteel.dev/schedule"], "nightly");
    assert_eq!(job.spec, schedule.spec.job_template.spec);
}

#[test]
fn after_an_outage_only_the_latest_time_counts() {
    let due = decide(&schedule(""), &[], at("15:10:00"));
    assert_eq!(created(&due), [format!("nightly-{}", at("15:00:00").as_second() / 60)]);
}

#[test]
fn a_time_past_the_deadline_is_missed() {
    let schedule = schedule("startingDeadlineSeconds: 60");
    let late = decide(&schedule, &[], at("10:01:01"));
    assert!(created(&late).is_empty() && told(&late, "Missed"));
    assert!(!told(&decide(&after(&schedule, &late), &[], at("10:02:00")), "Missed"), "it is told once");
}

#[test]
fn concurrency_policies() {
    let active = [job("nightly-1", Phase::Running, None)];
    for (policy, makes, deletes) in [("Allow", true, false), ("Forbid", false, false), ("Replace", true, true)] {
        let schedule = schedule(&format!("concurrencyPolicy: {policy}"));
        let actions = decide(&schedule, &active, at("10:00:01"));
        assert_eq!(!created(&actions).is_empty(), makes, "{policy}");
        assert_eq!(deleted(&actions) == ["nightly-1"], deletes, "{policy}");
    }
}

#[test]
fn forbid_skips_rather_than_postpones() {
    let schedule = schedule("concurrencyPolicy: Forbid");
    let skipped = decide(&schedule, &[job("nightly-1", Phase::Running, None)], at("10:00:01"));
    assert!(told(&skipped, "Skipped"));
    let later =
        decide(&after(&schedule, &skipped), &[job("nightly-1", Phase::Succeeded, Some("10:05:00"))], at("10:06:00"));
    assert!(created(&later).is_empty());
}

#[test]
fn suspension_makes_no_jobs_and_shows() {
    let schedule = schedule("suspend: true");
    let actions = decide(&schedule, &[], at("10:00:01"));
    assert!(created(&actions).is_empty());
    let status = after(&schedule, &actions).status.unwrap();
    assert_eq!(status.next_schedule_time, None);
    assert!(status.conditions.iter().any(|condition| condition.type_ == "Suspended" && condition.status == "True"));
}

#[test]
fn histories_keep_the_newest() {
    let jobs = [
        job("a", Phase::Succeeded, Some("05:00:00")),
        job("b", Phase::Succeeded, Some("06:00:00")),
        job("c", Phase::Failed, Some("07:00:00")),
        job("d", Phase::Failed, Some("08:00:00")),
        job("e", Phase::Running, None),
    ];
    let schedule = schedule("successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0");
    let actions = decide(&schedule, &jobs, at("09:40:00"));
    assert_eq!(deleted(&actions), ["a", "c", "d"]);
    let status = after(&schedule, &actions).status.unwrap();
    assert_eq!(status.active, ["e"]);
    assert_eq!(status.last_successful_time, Some(Time(at("06:00:00"))));
}

#[test]
fn an_unknown_time_zone_is_told_and_shown() {
    let schedule = schedule("timeZone: Mars/Olympus");
    let actions = decide(&schedule, &[], at("10:00:01"));
    assert!(created(&actions).is_empty() && told(&actions, "InvalidSchedule"));
    let status = after(&schedule, &actions).status.unwrap();
    assert!(status.conditions.iter().any(|condition| condition.type_ == "Accepted" && condition.status == "False"));
}
