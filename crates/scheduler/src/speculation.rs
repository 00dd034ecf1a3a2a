//! Copies of slow attempts.

use std::collections::VecDeque;

use firesteel_model::ids::StageId;

use crate::config::SpeculationConfig;
use crate::stages::{Stage, Status};
use crate::state::Scheduler;

/// Each doubling of a run time is cut into this many steps, so a median is at most an eighth too small.
const STEPS: u64 = 8;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// How fast the tasks of one stage are.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Run times of successful attempts, counted by size.
    histogram: Vec<u32>,
    finished: u32,
    /// First attempts in the order of their launch, until they are found slow or have ended.
    launches: VecDeque<(u64, u32, u32)>,
}

impl Pace {
    pub(crate) fn launched(&mut self, now_ms: u64, partition: u32, attempt: u32) {
        self.launches.push_back((now_ms, partition, attempt));
    }

    pub(crate) fn finished(&mut self, runtime_ms: u64) {
        let bucket = bucket_of(runtime_ms);
        if self.histogram.len() <= bucket {
            self.histogram.resize(bucket + 1, 0);
        }
        self.histogram[bucket] += 1;
        self.finished += 1;
    }

    /// Half of the successful attempts took at least this long, within the histogram's precision.
    fn median_ms(&self) -> u64 {
        let mut left = self.finished / 2;
        for (bucket, &count) in self.histogram.iter().enumerate() {
            if left < count {
                return floor_of(bucket);
            }
            left -= count;
        }
        0
    }
}

/// Run times below [`STEPS`] have a bucket each; above, the position is the exponent and the next few bits.
fn bucket_of(runtime_ms: u64) -> usize {
    if runtime_ms < STEPS {
        return runtime_ms as usize;
    }
    let exponent = u64::BITS - 1 - runtime_ms.leading_zeros() - STEP_BITS;
    (u64::from(exponent) * STEPS + (runtime_ms >> exponent)) as usize
}

fn floor_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let exponent = bucket / STEPS - 1;
    (STEPS + bucket % STEPS) << exponent
}

impl Scheduler {
    /// Queues copies of attempts that take much longer than the median of their stage. Each attempt is judged once.
    pub(crate) fn find_slow_attempts(&mut self) {
        let Some(config) = self.config.speculation else { return };
        let active = self.stages.iter_mut().filter(|(_, stage)| stage.status == Status::Active);
        let now_ms = self.now_ms;
        let changed: Vec<StageId> =
            active.filter_map(|(id, stage)| find_in_stage(stage, config, now_ms).then_some(*id)).collect();
        for stage in changed {
            self.sync_ready(stage);
        }
    }
}

fn find_in_stage(stage: &mut Stage, config: SpeculationConfig, now_ms: u64) -> bool {
    let committed = stage.task_count - stage.uncommitted;
    let enough = (f64::from(stage.task_count) * config.quantile).floor().max(1.0);
    let Some(pace) = &mut stage.pace else { return false };
    if f64::from(committed) < enough || pace.finished == 0 {
        return false;
    }
    let slow_ms = ((pace.median_ms() as f64 * config.multiplier) as u64).max(config.runtime_min_ms);
    let before = stage.slow.len();
    while let Some(&(since_ms, partition, attempt)) = pace.launches.front() {
        let live = stage.running.contains_key(&(partition, attempt));
        if live && now_ms.saturating_sub(since_ms) <= slow_ms {
            break;
        }
        pace.launches.pop_front();
        let copies = stage.running.range((partition, 0)..=(partition, u32::MAX)).count();
        if live && copies == 1 {
            stage.slow.insert(partition, attempt);
        }
    }
    stage.slow.len() > before
}

#[cfg(test)]
mod tests {
    use super::{Pace, bucket_of, floor_of};

    #[test]
    fn buckets_are_ordered_and_precise() {
        let mut last = 0;
        for runtime_ms in 0..100_000 {
            let bucket = bucket_of(runtime_ms);
            assert!(bucket == last || bucket == last + 1);
            assert!(floor_of(bucket) <= runtime_ms && runtime_ms <= floor_of(bucket) + floor_of(bucket) / 8);
            last = bucket;
        }
        assert!(bucket_of(u64::MAX) < 512);
    }

    #[test]
    fn median_of_run_times() {
        let mut pace = Pace::default();
        for runtime_ms in [4_000, 100, 1_024, 90, 1_100] {
            pace.finished(runtime_ms);
        }
        assert_eq!(pace.median_ms(), 1_024);
    }
}
