//! How fast the scheduler is and how much it needs a task: `make bench-scheduler`.
//!
//! Prints one line per measurement, `name value unit`. Goals: 20,000 launches a second, 100,000 tasks dispatched in
//! under 5 s, at most 2 KB a task, 10,000 executors at a heartbeat every 10 s.
#![allow(clippy::print_stdout)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use firesteel_model::ids::{ExecutorId, JobId, StageId, TaskAttempt};
use firesteel_scheduler::{
    Action, Event, ExecutorInfo, JobSpec, PoolOrder, Scheduler, SchedulerConfig, SpeculationConfig, StageSpec,
    TaskOutcome,
};

const TASKS: u32 = 100_000;
const EXECUTORS: u64 = 10_000;

fn main() {
    churn("churn_fifo", PoolOrder::Fifo, 1);
    churn("churn_fair_100_jobs", PoolOrder::Fair, 100);
    dispatch();
    heartbeats();
}

fn scheduler(order: PoolOrder, executors: u64, slots: u32) -> Scheduler {
    let speculation = Some(SpeculationConfig::default());
    let mut scheduler = Scheduler::new(SchedulerConfig { order, speculation, ..SchedulerConfig::default() });
    for id in 0..executors {
        let info = ExecutorInfo { id: ExecutorId(id), slots, running: Vec::new() };
        scheduler.apply(0, Event::ExecutorRegistered(info));
    }
    scheduler
}

fn report(name: &str, value: f64, unit: &str) {
    println!("{name} {value:.0} {unit}");
}

/// A full cluster: every finished task frees the slot for the next.
fn churn(name: &str, order: PoolOrder, jobs: u64) {
    let mut scheduler = scheduler(order, 1_000, 4);
    let memory = resident_bytes();
    let mut running: VecDeque<(ExecutorId, TaskAttempt)> = VecDeque::new();
    let (mut launches, mut events, start) = (0u64, 0u64, Instant::now());
    for id in 0..jobs {
        let tasks = TASKS / jobs as u32;
        let spec = JobSpec::new(JobId(id), vec![StageSpec::new(StageId(id), tasks, Vec::new())]);
        launches += take_launches(scheduler.apply(0, Event::JobSubmitted(spec)), &mut running);
    }
    if let (Some(before), Some(after)) = (memory, resident_bytes()) {
        report(&format!("{name}_memory_per_task"), after.saturating_sub(before) as f64 / f64::from(TASKS), "bytes");
    }
    while let Some((executor, attempt)) = running.pop_front() {
        events += 1;
        let outcome = TaskOutcome::Succeeded;
        let now_ms = events / 20;
        let actions = scheduler.apply(now_ms, Event::TaskFinished { executor, attempt, outcome });
        launches += take_launches(actions, &mut running);
        if events.is_multiple_of(2_000) {
            launches += take_launches(scheduler.apply(now_ms, Event::Tick), &mut running);
        }
    }
    report(&format!("{name}_launches"), launches as f64 / start.elapsed().as_secs_f64(), "per_second");
}

/// One stage over 10,000 executors with a slot for every task.
fn dispatch() {
    let mut scheduler = scheduler(PoolOrder::Fifo, EXECUTORS, TASKS / EXECUTORS as u32);
    let memory = resident_bytes();
    let start = Instant::now();
    let spec = JobSpec::new(JobId(0), vec![StageSpec::new(StageId(0), TASKS, Vec::new())]);
    let mut running = VecDeque::new();
    let launches = take_launches(scheduler.apply(0, Event::JobSubmitted(spec)), &mut running);
    report("dispatch_100k_tasks", millis(start.elapsed()), "ms");
    report("dispatch_launches", launches as f64, "tasks");
    if let (Some(before), Some(after)) = (memory, resident_bytes()) {
        let own = running.capacity() * size_of::<(ExecutorId, TaskAttempt)>();
        let bytes = after.saturating_sub(before).saturating_sub(own);
        report("dispatch_memory_per_running_task", bytes as f64 / f64::from(TASKS), "bytes");
    }
}

/// What one second of heartbeats and ticks costs with 10,000 executors.
fn heartbeats() {
    let mut scheduler = scheduler(PoolOrder::Fifo, EXECUTORS, 4);
    let start = Instant::now();
    for id in 0..EXECUTORS / 10 {
        scheduler.apply(id, Event::ExecutorHeartbeat(ExecutorId(id)));
    }
    for tick in 0..10 {
        scheduler.apply(tick * 100, Event::Tick);
    }
    report("heartbeats_10k_executors", start.elapsed().as_secs_f64() * 1e6, "us_per_second");
}

fn take_launches(actions: Vec<Action>, running: &mut VecDeque<(ExecutorId, TaskAttempt)>) -> u64 {
    let before = running.len();
    running.extend(actions.into_iter().filter_map(|action| match action {
        Action::LaunchTask { executor, attempt, .. } => Some((executor, attempt)),
        _ => None,
    }));
    (running.len() - before) as u64
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Resident memory, where the system tells.
fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib * 1024)
}
