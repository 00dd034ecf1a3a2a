//! What is to be done about a schedule: a pure function of the schedule, its jobs and the time.

use std::time::Duration;

use firesteel_k8s::build::names;
use firesteel_k8s::scheduled::{ConcurrencyPolicy, ScheduledSparkJobStatus};
use firesteel_k8s::status::Phase;
use firesteel_k8s::{ScheduledSparkJob, SparkJob};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use crate::job::observed::Note;
use crate::job::set_condition;

use super::times::Times;

/// Something to be done. Each can be done again without harm.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    CreateJob(Box<SparkJob>),
    DeleteJob { name: String, uid: String },
    WriteStatus(Box<ScheduledSparkJobStatus>),
    Tell(Note),
    Wait(Duration),
}

/// Decides. `jobs` are those that the schedule has made.
pub(crate) fn decide(schedule: &ScheduledSparkJob, jobs: &[SparkJob], now: Timestamp) -> Vec<Action> {
    if schedule.metadata.deletion_timestamp.is_some() {
        return Vec::new();
    }
    let mut status = schedule.status.clone().unwrap_or_default();
    status.observed_generation = schedule.metadata.generation;
    let mut actions = Vec::new();
    let times = Times::parse(&schedule.spec.schedule, schedule.spec.time_zone.as_deref());
    let problem = times.as_ref().err().map(ToString::to_string);
    set_conditions(schedule, &mut status, problem.as_deref(), now);
    report(&mut status, jobs);
    if let Ok(times) = &times {
        status.next_schedule_time = times.next(now).filter(|_| !schedule.spec.suspend).map(Time);
        if !schedule.spec.suspend {
            make_due(schedule, jobs, times, now, &mut status, &mut actions);
        }
    }
    actions.extend(surplus(jobs, Phase::Succeeded, schedule.spec.successful_jobs_history_limit));
    actions.extend(surplus(jobs, Phase::Failed, schedule.spec.failed_jobs_history_limit));
    if let Some(next) = &status.next_schedule_time {
        actions.push(Action::Wait(next.0.duration_since(now).unsigned_abs() + Duration::from_millis(50)));
    }
    if schedule.status.as_ref() != Some(&status) {
        if let Some(problem) = problem {
            actions.push(tell(true, "InvalidSchedule", problem));
        }
        // Last: a job that could not be made is tried again.
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    actions
}

fn make_due(
    schedule: &ScheduledSparkJob,
    jobs: &[SparkJob],
    times: &Times,
    now: Timestamp,
    status: &mut ScheduledSparkJobStatus,
    actions: &mut Vec<Action>,
) {
    let created = schedule.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let from = status.last_schedule_time.as_ref().map_or(created, |time| time.0);
    let Some(due) = times.due(from, now) else { return };
    status.last_schedule_time = Some(Time(due));
    let deadline = schedule.spec.starting_deadline_seconds.map(SignedDuration::from_secs);
    if deadline.is_some_and(|deadline| now.duration_since(due) > deadline) {
        actions.push(tell(
            true,
            "Missed",
            format!("the job of {due} could not be made within startingDeadlineSeconds"),
        ));
        return;
    }
    let job = child(schedule, due);
    let is_other = |other: &&SparkJob| other.metadata.name != job.metadata.name;
    let active: Vec<&SparkJob> = jobs.iter().filter(|job| is_active(job)).filter(is_other).collect();
    match schedule.spec.concurrency_policy {
        ConcurrencyPolicy::Forbid if !active.is_empty() => {
            actions.push(tell(false, "Skipped", format!("the job of {due} is skipped: the one before still runs")));
            return;
        }
        ConcurrencyPolicy::Replace => {
            for job in active {
                let name = job.metadata.name.clone().unwrap_or_default();
                actions.push(tell(false, "Replaced", format!("the job {name} is replaced by that of {due}")));
                actions.push(Action::DeleteJob { name, uid: job.metadata.uid.clone().unwrap_or_default() });
            }
        }
        ConcurrencyPolicy::Allow | ConcurrencyPolicy::Forbid => {}
    }
    let name = job.metadata.name.clone().unwrap_or_default();
    status.active.push(name.clone());
    status.active.sort();
    status.active.dedup();
    actions.push(Action::CreateJob(Box::new(job)));
    actions.push(tell(false, "JobCreated", format!("made the job {name}")));
}

/// The job of one time.
fn child(schedule: &ScheduledSparkJob, due: Timestamp) -> SparkJob {
    let name = schedule.metadata.name.as_deref().unwrap_or_default();
    let uid = schedule.metadata.uid.as_deref().unwrap_or_default();
    let template = &schedule.spec.job_template;
    let mut job = SparkJob::new(&format!("{name}-{}", due.as_second() / 60), template.spec.clone());
    job.metadata.namespace = schedule.metadata.namespace.clone();
    let mut labels = template.metadata.labels.clone();
    labels.insert(names::SCHEDULE.to_owned(), name.to_owned());
    // A job is watched by whoever watches its schedule.
    for (key, value) in schedule.metadata.labels.iter().flatten() {
        labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    job.metadata.labels = Some(labels);
    job.metadata.annotations = Some(template.metadata.annotations.clone());
    let owners: Value = names::owned_by("firesteel.dev/v1alpha1", "ScheduledSparkJob", name, uid);
    job.metadata.owner_references = serde_json::from_value(json!(owners)).ok();
    job
}

fn is_active(job: &SparkJob) -> bool {
    let is_over = matches!(phase(job), Some(Phase::Succeeded | Phase::Failed));
    !is_over && job.metadata.deletion_timestamp.is_none()
}

fn phase(job: &SparkJob) -> Option<Phase> {
    job.status.as_ref().and_then(|status| status.phase)
}

fn completion(job: &SparkJob) -> Option<Timestamp> {
    Some(job.status.as_ref()?.completion_time.as_ref()?.0)
}

/// Deletes the oldest ended jobs beyond the limit.
fn surplus(jobs: &[SparkJob], ended: Phase, limit: u32) -> Vec<Action> {
    let is_there = |job: &&SparkJob| phase(job) == Some(ended) && job.metadata.deletion_timestamp.is_none();
    let mut ended: Vec<&SparkJob> = jobs.iter().filter(is_there).collect();
    ended.sort_by_key(|job| (completion(job), job.metadata.name.clone()));
    let surplus = ended.len().saturating_sub(limit as usize);
    let delete = |job: &&SparkJob| Action::DeleteJob {
        name: job.metadata.name.clone().unwrap_or_default(),
        uid: job.metadata.uid.clone().unwrap_or_default(),
    };
    ended[..surplus].iter().map(delete).collect()
}

fn report(status: &mut ScheduledSparkJobStatus, jobs: &[SparkJob]) {
    let mut active: Vec<String> =
        jobs.iter().filter(|job| is_active(job)).filter_map(|job| job.metadata.name.clone()).collect();
    active.sort();
    status.active = active;
    let succeeded = jobs.iter().filter(|job| phase(job) == Some(Phase::Succeeded)).filter_map(completion).max();
    let before = status.last_successful_time.as_ref().map(|time| time.0);
    status.last_successful_time = succeeded.max(before).map(Time);
}

fn set_conditions(
    schedule: &ScheduledSparkJob,
    status: &mut ScheduledSparkJobStatus,
    problem: Option<&str>,
    now: Timestamp,
) {
    let generation = schedule.metadata.generation;
    let (accepted, message) = (problem.is_none(), problem.unwrap_or_default());
    let reason = if accepted { "Accepted" } else { "InvalidSchedule" };
    set_condition(&mut status.conditions, "Accepted", accepted, reason, message, now, generation);
    let suspend = schedule.spec.suspend;
    let reason = if suspend { "Suspended" } else { "Active" };
    set_condition(&mut status.conditions, "Suspended", suspend, reason, "", now, generation);
}

fn tell(is_warning: bool, reason: &'static str, message: String) -> Action {
    Action::Tell(Note { is_warning, reason, message })
}
