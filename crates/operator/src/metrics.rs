//! Counters, in the text form that Prometheus reads.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use firesteel_k8s::Phase;

const PHASES: [Phase; 8] = [
    Phase::Suspended,
    Phase::Queued,
    Phase::Starting,
    Phase::Running,
    Phase::Retrying,
    Phase::Stopping,
    Phase::Succeeded,
    Phase::Failed,
];

/// What the operator counts since its start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    reconciled: AtomicU64,
    failed: AtomicU64,
    launched: AtomicU64,
    scheduled: AtomicU64,
    written: [AtomicU64; PHASES.len()],
    is_leader: AtomicBool,
}

impl Metrics {
    /// A resource was looked at.
    pub(crate) fn reconciled(&self, well: bool) {
        let counter = if well { &self.reconciled } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A driver's pod was made.
    pub(crate) fn launched(&self) {
        self.launched.fetch_add(1, Ordering::Relaxed);
    }

    /// A schedule has made a job.
    pub(crate) fn scheduled(&self) {
        self.scheduled.fetch_add(1, Ordering::Relaxed);
    }

    /// A job's status was written.
    pub(crate) fn phase(&self, phase: Option<Phase>) {
        if let Some(index) = PHASES.iter().position(|known| Some(*known) == phase) {
            self.written[index].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_leader(&self, is_leader: bool) {
        self.is_leader.store(is_leader, Ordering::Relaxed);
    }

    pub(crate) fn is_leader(&self) -> bool {
        self.is_leader.load(Ordering::Relaxed)
    }

    /// All counters.
    pub(crate) fn text(&self) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let one = |value| vec![(String::new(), value)];
        family(
            "firesteel_operator_reconciles_total",
            "counter",
            "Looks at resources.",
            &[
                ("{result=\"ok\"}".to_owned(), read(&self.reconciled)),
                ("{result=\"error\"}".to_owned(), read(&self.failed)),
            ],
        );
        let phases = PHASES.iter().zip(&self.written);
        let phases: Vec<_> = phases.map(|(phase, count)| (format!("{{phase=\"{phase:?}\"}}"), read(count))).collect();
        let help = "Status writes by the phase that was written.";
        family("firesteel_operator_status_writes_total", "counter", help, &phases);
        let help = "Driver pods that were made.";
        family("firesteel_operator_launches_total", "counter", help, &one(read(&self.launched)));
        let help = "Jobs that schedules have made.";
        family("firesteel_operator_scheduled_jobs_total", "counter", help, &one(read(&self.scheduled)));
        let help = "Whether this operator is the one that works.";
        family("firesteel_operator_leader", "gauge", help, &one(u64::from(self.is_leader())));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.phase(Some(Phase::Running));
        metrics.reconciled(false);
        let text = metrics.text();
        assert!(text.contains("firesteel_operator_status_writes_total{phase=\"Running\"} 1\n"), "{text}");
        assert!(text.contains("firesteel_operator_reconciles_total{result=\"error\"} 1\n"), "{text}");
        assert!(text.contains("# TYPE firesteel_operator_leader gauge\nfiresteel_operator_leader 0\n"), "{text}");
    }
}
