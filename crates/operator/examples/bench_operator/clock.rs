//! When each job was applied, had its driver's pod, and ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use firesteel_k8s::{Phase, SparkJob};
use futures::TryStreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};

use crate::{Failure, report};

/// Times of all jobs, by name.
#[derive(Default)]
pub(crate) struct Clock {
    jobs: Mutex<HashMap<String, Times>>,
}

#[derive(Clone, Copy, Default)]
struct Times {
    applied: Option<Instant>,
    launched: Option<Instant>,
    finished: Option<Instant>,
    has_failed: bool,
}

impl Clock {
    fn note(&self, job: &str, change: impl FnOnce(&mut Times)) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        change(jobs.entry(job.to_owned()).or_default());
    }

    pub(crate) fn applied(&self, job: &str, at: Instant) {
        self.note(job, |times| times.applied = Some(at));
    }

    pub(crate) fn launched(&self, job: &str) {
        self.note(job, |times| {
            times.launched.get_or_insert_with(Instant::now);
        });
    }

    fn finished(&self, job: &str, has_failed: bool) {
        self.note(job, |times| {
            times.finished.get_or_insert_with(Instant::now);
            times.has_failed = has_failed;
        });
    }

    fn all(&self) -> Vec<Times> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }

    /// Waits until so many jobs have ended well.
    pub(crate) async fn wait_finished(&self, count: usize, limit: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let all = self.all();
            if all.iter().any(|times| times.has_failed) {
                return Err("a job has failed".into());
            }
            let finished = all.iter().filter(|times| times.finished.is_some()).count();
            if finished >= count {
                return Ok(());
            }
            if begun.elapsed() > limit {
                return Err(format!("{finished} of {count} jobs have ended").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Prints how long things took.
    pub(crate) fn report(&self) {
        let all = self.all();
        let between = |from: fn(&Times) -> Option<Instant>, to: fn(&Times) -> Option<Instant>| {
            let spans = all.iter().filter_map(|times| Some(to(times)?.duration_since(from(times)?)));
            let mut spans: Vec<Duration> = spans.collect();
            spans.sort_unstable();
            spans
        };
        let launch = between(|times| times.applied, |times| times.launched);
        let whole = between(|times| times.applied, |times| times.finished);
        for (name, spans) in [("apply_to_driver_pod", launch), ("apply_to_succeeded", whole)] {
            for (percentile, share) in [("p50", 0.50), ("p95", 0.95), ("max", 1.0)] {
                let index = (spans.len().saturating_sub(1) as f64 * share) as usize;
                let span = spans.get(index).copied().unwrap_or_default();
                report(&format!("{name}_{percentile}"), span.as_secs_f64() * 1000.0, "ms");
            }
        }
    }
}

/// Notes the end of each job, for ever.
pub(crate) async fn watch_jobs(client: Client, namespace: String, clock: Arc<Clock>) -> Result<(), watcher::Error> {
    let jobs = Api::<SparkJob>::namespaced(client, &namespace);
    let watch = watcher(jobs, watcher::Config::default()).default_backoff().applied_objects();
    watch
        .try_for_each(|job| {
            match job.status.as_ref().and_then(|status| status.phase) {
                Some(Phase::Succeeded) => clock.finished(&job.name_any(), false),
                Some(Phase::Failed) => clock.finished(&job.name_any(), true),
                _ => {}
            }
            std::future::ready(Ok(()))
        })
        .await
}
