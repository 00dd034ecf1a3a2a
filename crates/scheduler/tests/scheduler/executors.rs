//! Executors that leave and come back, and where tasks like to run.

use firesteel_scheduler::{ExecutorLoss, SchedulerConfig};

use crate::scenario::{Scenario, job, prefer, stage};

fn plain(executors: u64, slots: u32) -> Scenario {
    Scenario::new(SchedulerConfig::default(), executors, slots)
}

#[test]
fn losing_an_executor_costs_its_running_tasks_only() {
    let mut run = plain(2, 2);
    run.submit(job(0, [stage(0, 4, &[])]));
    run.ok("0.0#0 on 1");
    assert_eq!(run.lose(1, ExecutorLoss::NodeLost), Vec::<String>::new());
    assert_eq!(run.ok("0.1#0 on 0"), ["commit 0.1#0", "launch 0.2#1 on 0"]);
    assert_eq!(run.lose(1, ExecutorLoss::NodeLost), Vec::<String>::new(), "told twice");
}

#[test]
fn a_result_from_a_lost_executor_still_wins_if_it_is_first() {
    let mut run = plain(2, 1);
    run.submit(job(0, [stage(0, 2, &[])]));
    run.lose(1, ExecutorLoss::ConnectionLost);
    assert_eq!(run.ok("0.1#0 on 0"), ["commit 0.1#0", "launch 0.0#1 on 0"]);
    let ended = ["commit 0.0#0", "kill 0.0#1 on 0: AnotherAttemptSucceeded", "complete 0", "job 0 Succeeded"];
    assert_eq!(run.ok("0.0#0 on 1"), ended);
    assert_eq!(run.ok("0.0#0 on 1"), Vec::<String>::new(), "told twice");
}

#[test]
fn a_late_result_is_discarded_and_a_repeated_one_ignored() {
    let mut run = plain(2, 1);
    run.submit(job(0, [stage(0, 2, &[])]));
    run.lose(1, ExecutorLoss::ConnectionLost);
    run.join(2, 1);
    assert_eq!(run.ok("0.0#1 on 2"), ["commit 0.0#1"]);
    assert_eq!(run.ok("0.0#0 on 1"), ["discard 0.0#0"]);
    assert_eq!(run.ok("0.0#1 on 2"), Vec::<String>::new());
}

#[test]
fn an_executor_back_from_a_partition_keeps_what_is_wanted() {
    let mut run = plain(2, 2);
    run.submit(job(0, [stage(0, 4, &[]), stage(1, 1, &[0])]));
    run.lose(1, ExecutorLoss::HeartbeatTimeout);
    run.ok("0.1#0 on 0");
    run.ok("0.3#0 on 0");
    run.ok("0.2#1 on 0");
    let back = run.rejoin(1, 2, &["0.0#0", "0.2#0"]);
    assert_eq!(back, ["kill 0.2#0 on 1: Stale"]);
    let ended = run.ok("0.0#0 on 1");
    assert_eq!(ended[..3], ["commit 0.0#0", "kill 0.0#1 on 0: AnotherAttemptSucceeded", "complete 0"]);
}

#[test]
fn what_a_reconnected_executor_does_not_name_is_lost() {
    let mut run = plain(1, 2);
    run.submit(job(0, [stage(0, 2, &[])]));
    assert_eq!(run.rejoin(0, 2, &["0.1#0"]), ["launch 0.0#1 on 0"]);
}

#[test]
fn a_silent_executor_is_lost_and_asked_to_register_when_heard() {
    let config = SchedulerConfig { heartbeat_timeout_ms: 1_000, ..SchedulerConfig::default() };
    let mut run = Scenario::new(config, 2, 1);
    run.submit(job(0, [stage(0, 2, &[])]));
    run.pass(800);
    run.beat(0);
    assert_eq!(run.wait(800), ["executor 1 timed out"]);
    assert_eq!(run.beat(1), ["executor 1 must register"]);
    assert_eq!(run.rejoin(1, 1, &["0.0#0"]), Vec::<String>::new());
}

#[test]
fn a_draining_executor_finishes_and_is_stopped_for_good() {
    let mut run = plain(2, 1);
    run.submit(job(0, [stage(0, 4, &[])]));
    assert_eq!(run.drain(1), Vec::<String>::new());
    assert_eq!(run.ok("0.0#0 on 1"), ["stop executor 1: Drained", "commit 0.0#0"]);
    assert_eq!(run.join(1, 1), ["stop executor 1: AlreadyStopped"]);
    assert_eq!(run.beat(1), ["stop executor 1: AlreadyStopped"]);
    assert_eq!(run.drain(0), Vec::<String>::new());
    assert_eq!(run.lose(0, ExecutorLoss::Decommissioned), Vec::<String>::new());
    assert_eq!(run.join(2, 1), ["launch 0.1#1 on 2"]);
}

#[test]
fn tasks_wait_a_while_for_their_executors() {
    let mut run = plain(2, 1);
    let mut cached = stage(0, 3, &[]);
    cached.preferences = vec![prefer(0, &[0]), prefer(1, &[0]), prefer(2, &[9])];
    let started = run.submit(job(0, [cached]));
    assert_eq!(started, ["start 0", "launch 0.2#0 on 1", "launch 0.0#0 on 0 preferred"]);
    assert_eq!(run.ok("0.2#0 on 1"), ["commit 0.2#0"]);
    assert_eq!(run.wait(2_900), Vec::<String>::new());
    assert_eq!(run.wait(100), ["launch 0.1#0 on 1 far"]);
}

#[test]
fn a_preference_for_an_executor_that_leaves_is_dropped() {
    let mut run = plain(2, 1);
    let mut cached = stage(0, 3, &[]);
    cached.preferences = (0..3).map(|partition| prefer(partition, &[0])).collect();
    assert_eq!(run.submit(job(0, [cached])), ["start 0", "launch 0.0#0 on 0 preferred"]);
    assert_eq!(run.lose(0, ExecutorLoss::Evicted), ["launch 0.0#1 on 1"]);
    assert_eq!(run.ok("0.0#1 on 1"), ["commit 0.0#1", "launch 0.1#0 on 1"]);
}

#[test]
fn without_executors_a_job_waits_for_the_grace_and_no_longer() {
    let config = SchedulerConfig { starvation_grace_ms: 10_000, ..SchedulerConfig::default() };
    let mut run = Scenario::new(config, 0, 1);
    run.submit(job(0, [stage(0, 2, &[])]));
    run.wait(0);
    run.wait(9_000);
    assert_eq!(run.join(0, 1), ["launch 0.0#0 on 0"]);
    run.lose(0, ExecutorLoss::NodeLost);
    run.wait(5_000);
    assert_eq!(run.wait(9_000), Vec::<String>::new());
    assert_eq!(run.wait(1_000), ["job 0 failed: there was no executor for 10000 ms"]);
}
