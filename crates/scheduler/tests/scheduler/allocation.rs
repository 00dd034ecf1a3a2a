//! How many executors are asked for.

use firesteel_model::ids::ExecutorId;
use firesteel_scheduler::{AllocationConfig, Event, ExecutorLoss, SchedulerConfig};

use crate::scenario::{Scenario, job, stage};

fn dynamic() -> Scenario {
    let allocation = AllocationConfig {
        dynamic: true,
        min: 1,
        initial: 2,
        max: 5,
        slots_per_executor: 2,
        idle_timeout_ms: 10_000,
        cached_idle_timeout_ms: None,
    };
    Scenario::new(SchedulerConfig { allocation, heartbeat_timeout_ms: 0, ..SchedulerConfig::default() }, 0, 2)
}

#[test]
fn the_backlog_decides_between_minimum_and_maximum() {
    let mut run = dynamic();
    assert_eq!(run.wait(0), ["want 2 executors"]);
    assert_eq!(run.submit(job(0, [stage(0, 6, &[])])), ["start 0", "want 3 executors"]);
    assert_eq!(run.submit(job(1, [stage(1, 100, &[])])), ["start 1", "want 5 executors"]);
    assert_eq!(run.cancel(firesteel_scheduler::CancelScope::All).last().unwrap(), "want 1 executors");
}

#[test]
fn idle_executors_are_stopped_down_to_the_minimum_unless_they_hold_blocks() {
    let mut run = dynamic();
    run.submit(job(0, [stage(0, 8, &[])]));
    for id in 0..4 {
        run.join(id, 2);
    }
    run.apply(Event::ExecutorHoldsBlocks { executor: ExecutorId(0), holds_blocks: true });
    run.cancel(firesteel_scheduler::CancelScope::All);
    for partition in 0..8 {
        run.ok(&format!("0.{partition}#0 on {}", partition / 2));
    }
    assert_eq!(run.wait(9_000), Vec::<String>::new());
    let stopped: Vec<String> = (1..4).map(|id| format!("stop executor {id}: Idle")).collect();
    let answer = run.wait(1_000);
    assert_eq!(answer[..3], stopped);
    assert_eq!(answer[3], "want 1 executors");
}

#[test]
fn a_fixed_number_is_kept_up() {
    let mut run = Scenario::new(SchedulerConfig::default(), 0, 1);
    run.show_requests = true;
    assert_eq!(run.submit(job(0, [stage(0, 9, &[])])), ["start 0", "want 2 executors"]);
    assert_eq!(run.join(0, 1), ["launch 0.0#0 on 0"]);
    assert_eq!(run.join(1, 1), ["launch 0.1#0 on 1"]);
    assert_eq!(run.drain(1), ["want 3 executors"]);
    assert_eq!(run.lose(1, ExecutorLoss::Decommissioned), ["want 2 executors"]);
}

#[test]
fn another_number_is_asked_for_at_once_and_fewer_let_idle_ones_go() {
    let mut run = Scenario::new(SchedulerConfig::default(), 2, 1);
    run.show_requests = true;
    let resized =
        |initial| Event::Resized(AllocationConfig { initial, idle_timeout_ms: 0, ..AllocationConfig::default() });
    assert_eq!(run.apply(resized(3)), ["want 3 executors"]);
    run.join(2, 1);
    assert_eq!(run.submit(job(0, [stage(0, 1, &[])])), ["start 0", "launch 0.0#0 on 2"]);
    assert_eq!(run.apply(resized(1)), Vec::<String>::new(), "what runs is not taken away");
    assert_eq!(run.wait(0), ["stop executor 0: Idle", "stop executor 1: Idle", "want 1 executors"]);
}
