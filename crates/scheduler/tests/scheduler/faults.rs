//! Failures, lost outputs, speculation and exclusion.

use firesteel_model::SparkError;
use firesteel_scheduler::{
    AllocationConfig, ExclusionConfig, ExecutorLoss, SchedulerConfig, SpeculationConfig, TaskFailure,
};

use crate::scenario::{Scenario, job, stage};

fn plain(executors: u64, slots: u32) -> Scenario {
    Scenario::new(SchedulerConfig::default(), executors, slots)
}

#[test]
fn a_task_is_tried_four_times_and_elsewhere() {
    let mut run = plain(2, 1);
    run.submit(job(0, [stage(0, 1, &[])]));
    assert_eq!(run.err("0.0#0 on 1"), ["launch 0.0#1 on 0"]);
    assert_eq!(run.err("0.0#1 on 0"), ["launch 0.0#2 on 1"]);
    assert_eq!(run.err("0.0#2 on 1"), ["launch 0.0#3 on 1"]);
    let ended = run.err("0.0#3 on 1");
    assert!(ended[0].starts_with("job 0 failed: task 0.0#3 failed, 4 failures in all"), "{ended:?}");
}

#[test]
fn a_retry_waits_for_another_executor_if_there_is_one() {
    let mut run = plain(2, 1);
    run.submit(job(0, [stage(0, 2, &[])]));
    assert_eq!(run.err("0.0#0 on 1"), Vec::<String>::new());
    assert_eq!(run.ok("0.1#0 on 0"), ["commit 0.1#0", "launch 0.0#1 on 0"]);
}

#[test]
fn an_error_that_no_retry_can_avoid_fails_the_job_at_once() {
    let mut run = plain(1, 2);
    run.submit(job(0, [stage(0, 2, &[])]));
    let ended = run.fail("0.0#0 on 0", TaskFailure::Error(SparkError::internal("broken")));
    assert_eq!(ended[0], "kill 0.1#0 on 0: JobEnded");
    assert!(ended[1].starts_with("job 0 failed: task 0.0#0 failed, 1 failures in all"), "{ended:?}");
}

#[test]
fn faults_of_the_surroundings_do_not_count_but_are_bounded() {
    let mut run = Scenario::new(SchedulerConfig { task_losses_max: 9, ..SchedulerConfig::default() }, 1, 1);
    run.submit(job(0, [stage(0, 1, &[])]));
    for attempt in 0..9 {
        let failure = if attempt % 2 == 0 { TaskFailure::Killed } else { TaskFailure::Refused };
        let again = run.fail(&format!("0.0#{attempt} on 0"), failure);
        assert_eq!(again, [format!("launch 0.0#{} on 0", attempt + 1)]);
    }
    assert_eq!(run.fail("0.0#9 on 0", TaskFailure::Killed), ["job 0 failed: task 0.0#9 was lost 10 times"]);
}

#[test]
fn a_lost_map_output_runs_that_map_task_again_and_then_the_consumer() {
    let mut run = plain(2, 1);
    run.submit(job(0, [stage(0, 2, &[]), stage(1, 2, &[0])]));
    run.ok("0.0#0 on 1");
    run.ok("0.1#0 on 0");
    assert_eq!(run.fetch_failed("1.0#0 on 1", "0.1#0"), ["invalidate 0.1#0", "launch 0.1#1 on 1"]);
    assert_eq!(run.fetch_failed("1.1#0 on 0", "0.1#0"), Vec::<String>::new(), "already known");
    assert_eq!(run.ok("0.1#1 on 1"), ["commit 0.1#1", "complete 0", "launch 1.0#1 on 1", "launch 1.1#1 on 0"]);
    run.ok("1.0#1 on 1");
    assert_eq!(run.ok("1.1#1 on 0"), ["commit 1.1#1", "complete 1", "job 0 Succeeded"]);
}

#[test]
fn an_output_that_vanishes_again_and_again_fails_the_job() {
    let mut run = plain(1, 1);
    run.submit(job(0, [stage(0, 1, &[]), stage(1, 1, &[0])]));
    run.ok("0.0#0 on 0");
    for lost in 0..4 {
        run.fetch_failed(&format!("1.0#{lost} on 0"), &format!("0.0#{lost}"));
        run.ok(&format!("0.0#{} on 0", lost + 1));
    }
    let ended = run.fetch_failed("1.0#4 on 0", "0.0#4");
    assert_eq!(ended, ["invalidate 0.0#4", "job 0 failed: the output of task 0.0 was lost 5 times"]);
}

#[test]
fn an_indeterminate_output_restarts_consumers_or_fails_the_job() {
    let shuffled = || {
        let mut run = plain(2, 1);
        let mut first = stage(0, 1, &[]);
        first.determinate = false;
        run.submit(job(0, [first, stage(1, 2, &[0])]));
        run.ok("0.0#0 on 1");
        run
    };
    let answer = shuffled().fetch_failed("1.0#0 on 1", "0.0#0");
    assert_eq!(answer, ["invalidate 0.0#0", "kill 1.1#0 on 0: InputChanged", "launch 0.0#1 on 1"]);
    let mut run = shuffled();
    run.lose(1, ExecutorLoss::ConnectionLost);
    run.fetch_failed("1.1#0 on 0", "0.0#0");
    assert_eq!(run.ok("1.0#0 on 1"), ["discard 1.0#0"], "it read the rows that were lost");
    let mut run = shuffled();
    run.ok("1.0#0 on 1");
    let ended = run.fetch_failed("1.1#0 on 0", "0.0#0");
    assert!(ended[1].contains("could give other rows"), "{ended:?}");
}

fn speculating() -> Scenario {
    let speculation = Some(SpeculationConfig { quantile: 0.75, multiplier: 2.0, runtime_min_ms: 100 });
    let mut run = Scenario::new(SchedulerConfig { speculation, ..SchedulerConfig::default() }, 4, 1);
    run.submit(job(0, [stage(0, 4, &[]), stage(1, 1, &[0])]));
    run.pass(1_000);
    run.ok("0.0#0 on 3");
    run.ok("0.1#0 on 2");
    assert_eq!(run.wait(2_000), Vec::<String>::new(), "not enough of the stage is done");
    run.ok("0.2#0 on 1");
    run
}

#[test]
fn a_slow_attempt_is_copied_once_and_the_first_to_finish_wins() {
    let mut run = speculating();
    assert_eq!(run.wait(1_000), ["launch 0.3#1 on 3 as copy"]);
    assert_eq!(run.wait(9_000), Vec::<String>::new());
    let won = run.ok("0.3#1 on 3");
    assert_eq!(won[..3], ["commit 0.3#1", "kill 0.3#0 on 0: AnotherAttemptSucceeded", "complete 0"]);
    assert_eq!(won[3..], ["start 1", "launch 1.0#0 on 3"]);
}

#[test]
fn a_failed_copy_does_not_disturb_the_original() {
    let mut run = speculating();
    run.wait(1_000);
    assert_eq!(run.err("0.3#1 on 3"), Vec::<String>::new());
    assert_eq!(run.ok("0.3#0 on 0")[..2], ["commit 0.3#0", "complete 0"]);
}

#[test]
fn the_loser_of_a_live_job_is_discarded() {
    let mut run = speculating();
    run.wait(1_000);
    let won = run.ok("0.3#1 on 3");
    assert_eq!(won[..2], ["commit 0.3#1", "kill 0.3#0 on 0: AnotherAttemptSucceeded"]);
    assert_eq!(run.ok("0.3#0 on 0"), ["discard 0.3#0"]);
}

fn excluding(dynamic: bool) -> Scenario {
    let exclusion = Some(ExclusionConfig { stage_failures_max: 2, application_failures_max: 2, timeout_ms: 10_000 });
    let allocation = AllocationConfig { dynamic, ..AllocationConfig::default() };
    let grace = 5_000;
    let config = SchedulerConfig { exclusion, allocation, starvation_grace_ms: grace, ..SchedulerConfig::default() };
    Scenario::new(config, 2, 1)
}

#[test]
fn an_executor_that_keeps_failing_is_excluded_until_time_is_over() {
    let mut run = excluding(false);
    run.submit(job(0, [stage(0, 3, &[])]));
    assert_eq!(run.err("0.0#0 on 1"), ["launch 0.2#0 on 1"]);
    assert_eq!(run.err("0.2#0 on 1"), ["exclude executor 1 from stage 0"]);
    run.ok("0.1#0 on 0");
    run.ok("0.0#1 on 0");
    let ended = ["commit 0.2#1", "exclude executor 1", "complete 0", "job 0 Succeeded"];
    assert_eq!(run.ok("0.2#1 on 0"), ended);
    run.submit(job(1, [stage(1, 2, &[])]));
    assert_eq!(run.wait(9_000), Vec::<String>::new());
    assert_eq!(run.wait(1_000), ["include executor 1", "launch 1.1#0 on 1"]);
}

#[test]
fn a_stage_excluded_everywhere_gets_a_replacement_or_fails() {
    for dynamic in [true, false] {
        let mut run = excluding(dynamic);
        run.submit(job(0, [stage(0, 3, &[])]));
        run.err("0.0#0 on 1");
        run.err("0.2#0 on 1");
        run.err("0.1#0 on 0");
        let excluded = run.err("0.0#1 on 0");
        assert_eq!(excluded[0], "exclude executor 0 from stage 0");
        let waiting = run.wait(100);
        let ended = run.wait(5_000);
        if dynamic {
            assert_eq!(waiting, ["want 5 executors"]);
        }
        assert_eq!(ended[0], "job 0 failed: every executor was excluded from stage 0 for 5000 ms");
    }
}

#[test]
fn out_of_memory_counts_and_eviction_does_not() {
    let mut run = plain(0, 1);
    run.submit(job(0, [stage(0, 1, &[])]));
    for (id, reason) in [(0, ExecutorLoss::Evicted), (1, ExecutorLoss::NodeLost), (2, ExecutorLoss::Decommissioned)] {
        assert_eq!(run.join(id, 1), [format!("launch 0.0#{id} on {id}")]);
        assert_eq!(run.lose(id, reason), Vec::<String>::new());
    }
    for id in 3..6 {
        run.join(id, 1);
        assert_eq!(run.lose(id, ExecutorLoss::OutOfMemory), Vec::<String>::new());
    }
    run.join(6, 1);
    let ended = "job 0 failed: the executor of task 0.0#6 died, 4 failures in all: exited with status 139";
    assert_eq!(run.lose(6, ExecutorLoss::Exited(139)), [ended]);
}
