//! Jobs, stages, pools, cancellation and replanning.

use firesteel_model::ids::JobId;
use firesteel_scheduler::{CancelScope, Event, PoolOrder, PoolSpec, SchedulerConfig};

use crate::scenario::{Scenario, job, stage};

fn plain(executors: u64, slots: u32) -> Scenario {
    Scenario::new(SchedulerConfig::default(), executors, slots)
}

#[test]
fn consumers_start_when_parents_are_complete() {
    let mut run = plain(2, 1);
    let started = run.submit(job(0, [stage(0, 2, &[]), stage(1, 1, &[]), stage(2, 1, &[0, 1])]));
    assert_eq!(started, ["start 0", "start 1", "launch 0.0#0 on 1", "launch 0.1#0 on 0"]);
    assert_eq!(run.ok("0.0#0 on 1"), ["commit 0.0#0", "launch 1.0#0 on 1"]);
    assert_eq!(run.ok("0.1#0 on 0"), ["commit 0.1#0", "complete 0"]);
    assert_eq!(run.ok("1.0#0 on 1"), ["commit 1.0#0", "complete 1", "start 2", "launch 2.0#0 on 1"]);
    assert_eq!(run.ok("2.0#0 on 1"), ["commit 2.0#0", "complete 2", "job 0 Succeeded"]);
    assert!(run.scheduler.is_idle());
}

#[test]
fn stages_without_tasks_complete_at_once() {
    let mut run = plain(1, 1);
    let all = run.submit(job(0, [stage(0, 0, &[]), stage(1, 0, &[0, 0])]));
    assert_eq!(all, ["start 0", "complete 0", "start 1", "complete 1", "job 0 Succeeded"]);
    assert_eq!(run.submit(job(1, [])), ["job 1 Succeeded"]);
}

#[test]
fn graphs_that_make_no_sense_fail_the_job() {
    let mut run = plain(1, 1);
    let cases = [
        (job(0, [stage(0, 1, &[9])]), "job 0 failed: stage 0 reads stage 9, which is not there"),
        (job(1, [stage(0, 1, &[1]), stage(1, 1, &[0])]), "job 1 failed: stage 0 waits for itself"),
        (job(2, [stage(0, 1, &[]), stage(0, 1, &[])]), "job 2 failed: stage 0 is there twice"),
    ];
    for (spec, answer) in cases {
        assert_eq!(run.submit(spec), [answer]);
    }
    run.submit(job(3, [stage(7, 1, &[])]));
    assert_eq!(run.submit(job(4, [stage(7, 1, &[])])), ["job 4 failed: stage 7 is there twice"]);
    assert_eq!(run.submit(job(3, [stage(8, 1, &[])])), Vec::<String>::new(), "job 3 is running already");
}

#[test]
fn fifo_serves_the_older_job_first() {
    let mut run = plain(1, 1);
    run.submit(job(0, [stage(0, 2, &[])]));
    run.submit(job(1, [stage(1, 1, &[])]));
    assert_eq!(run.ok("0.0#0 on 0"), ["commit 0.0#0", "launch 0.1#0 on 0"]);
    assert_eq!(run.ok("0.1#0 on 0"), ["commit 0.1#0", "complete 0", "job 0 Succeeded", "launch 1.0#0 on 0"]);
}

#[test]
fn fair_pools_share_by_weight_and_minimum() {
    let mut run = Scenario::new(SchedulerConfig { order: PoolOrder::Fair, ..SchedulerConfig::default() }, 0, 1);
    for (name, weight, min_share) in [("heavy", 3, 0), ("light", 1, 0), ("sure", 1, 2)] {
        let order = PoolOrder::Fair;
        run.apply(Event::PoolDefined(PoolSpec { name: name.to_owned(), order, weight, min_share }));
    }
    for (id, pool) in ["heavy", "light", "sure"].iter().enumerate() {
        let mut spec = job(id as u64, [stage(id as u64, 100, &[])]);
        spec.pool = (*pool).to_owned();
        run.submit(spec);
    }
    run.join(0, 10);
    let running = |id| run.scheduler.progress(firesteel_model::ids::StageId(id)).unwrap().running;
    assert_eq!((running(0), running(1), running(2)), (6, 2, 2));
}

#[test]
fn cancelling_by_job_tag_group_or_all() {
    let cases = [
        (CancelScope::Job(JobId(1)), vec![1]),
        (CancelScope::Tag("etl".to_owned()), vec![0, 1]),
        (CancelScope::Group("nightly".to_owned()), vec![2]),
        (CancelScope::All, vec![0, 1, 2]),
    ];
    for (scope, ended) in cases {
        let mut run = plain(3, 1);
        for id in 0..3 {
            let mut spec = job(id, [stage(id, 1, &[])]);
            spec.tags = if id < 2 { vec!["etl".to_owned()] } else { Vec::new() };
            spec.group = (id == 2).then(|| "nightly".to_owned());
            run.submit(spec);
        }
        let expected: Vec<String> = (ended.iter())
            .flat_map(|id| {
                let executor = 2 - id;
                [format!("kill {id}.0#0 on {executor}: JobEnded"), format!("job {id} Cancelled")]
            })
            .collect();
        assert_eq!(run.cancel(scope), expected);
    }
}

#[test]
fn the_slot_of_a_killed_attempt_stays_taken_until_its_executor_reports() {
    let mut run = plain(1, 1);
    run.submit(job(0, [stage(0, 1, &[])]));
    run.submit(job(1, [stage(1, 1, &[])]));
    run.cancel(CancelScope::Job(JobId(0)));
    assert_eq!(run.wait(1_000), Vec::<String>::new());
    assert_eq!(run.ok("0.0#0 on 0"), ["launch 1.0#0 on 0"]);
}

fn adaptive_run() -> Scenario {
    let mut run = plain(1, 1);
    let mut spec = job(0, [stage(0, 1, &[]), stage(1, 200, &[0]), stage(2, 1, &[1])]);
    spec.adaptive = true;
    assert_eq!(run.submit(spec), ["start 0", "launch 0.0#0 on 0"]);
    assert_eq!(run.ok("0.0#0 on 0"), ["commit 0.0#0", "complete 0, replan?"]);
    run
}

#[test]
fn an_adaptive_job_waits_for_the_driver() {
    let mut run = adaptive_run();
    assert_eq!(run.wait(60_000), Vec::<String>::new());
    assert_eq!(run.replan(0, 0, &[], vec![]), ["start 1", "launch 1.0#0 on 0"]);
    assert_eq!(run.replan(0, 0, &[1], vec![]), Vec::<String>::new(), "the second answer is ignored");
}

#[test]
fn replanning_replaces_stages_that_have_not_started() {
    let mut run = adaptive_run();
    assert_eq!(run.replan(0, 0, &[1], vec![stage(1, 1, &[0])]), ["start 1", "launch 1.0#0 on 0"]);
    assert_eq!(run.ok("1.0#0 on 0"), ["commit 1.0#0", "complete 1, replan?"]);
    assert_eq!(run.replan(0, 1, &[2], vec![stage(3, 0, &[1])]), ["start 3", "complete 3, replan?"]);
    assert_eq!(run.replan(0, 3, &[], vec![]), ["job 0 Succeeded"]);
}

#[test]
fn replanning_may_not_reuse_the_id_of_a_started_stage_or_orphan_a_consumer() {
    let mut run = adaptive_run();
    let answer = run.replan(0, 0, &[0], vec![stage(0, 1, &[])]);
    assert_eq!(answer, ["job 0 failed: stage 0 is there twice"]);
    let mut run = adaptive_run();
    assert_eq!(run.replan(0, 0, &[1], vec![]), ["job 0 failed: stage 2 reads stage 1, which is not there"]);
}

#[test]
fn replanning_kills_a_stage_that_is_not_wanted_any_more() {
    let mut run = plain(2, 1);
    let mut spec = job(0, [stage(0, 1, &[]), stage(1, 1, &[]), stage(2, 1, &[0, 1])]);
    spec.adaptive = true;
    run.submit(spec);
    run.ok("0.0#0 on 1");
    let answer = run.replan(0, 0, &[1, 2], vec![stage(3, 1, &[0])]);
    assert_eq!(answer, ["kill 1.0#0 on 0: StageRemoved", "start 3", "launch 3.0#0 on 1"]);
}
