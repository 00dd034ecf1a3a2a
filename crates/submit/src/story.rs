//! What a job's status tells, as lines for people: each thing once.

use firesteel_k8s::{Phase, SparkJobStatus};

/// What was told already.
#[derive(Debug, Default)]
pub(crate) struct Story {
    state: String,
    message: Option<String>,
    counts: String,
    failures: usize,
}

impl Story {
    /// The lines that this status adds.
    pub(crate) fn tell(&mut self, status: &SparkJobStatus) -> Vec<String> {
        let mut lines = Vec::new();
        let state = state(status);
        if state != self.state {
            lines.push(state.clone());
            self.state = state;
        }
        let message = status.message.as_ref().filter(|message| !message.trim().is_empty());
        if message != self.message.as_ref() {
            lines.extend(message.map(|message| format!("  {}", message.trim().replace('\n', "\n  "))));
            self.message = message.cloned();
        }
        // Failures are the last ten only; one that is new stands at the end.
        let failures = &status.executor_failures;
        for failure in failures.iter().skip(self.failures.min(failures.len())) {
            let code = failure.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
            lines.push(format!("executor {}: {}{code}", failure.pod_name, failure.reason));
        }
        self.failures = failures.len();
        let counts = counts(status);
        if !counts.is_empty() && counts != self.counts && status.phase == Some(Phase::Running) {
            lines.push(counts.clone());
        }
        self.counts = counts;
        lines
    }
}

/// Whether nothing follows.
pub(crate) fn has_ended(status: &SparkJobStatus) -> bool {
    matches!(status.phase, Some(Phase::Succeeded | Phase::Failed))
}

fn state(status: &SparkJobStatus) -> String {
    let phase = status.phase.map_or_else(|| "Submitted".to_owned(), |phase| format!("{phase:?}"));
    let reason = status.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let attempt = status.attempt.filter(|attempt| *attempt > 1).map(|attempt| format!(", attempt {attempt}"));
    format!("{phase}{reason}{}", attempt.unwrap_or_default())
}

fn counts(status: &SparkJobStatus) -> String {
    let executors = status.executors.as_ref().filter(|counts| !counts.summary.is_empty());
    let executors = executors.map(|counts| format!("executors {}", counts.summary));
    let progress = status.progress.as_ref().filter(|progress| !progress.summary.is_empty());
    let progress = progress.map(|progress| format!("tasks {}", progress.summary));
    executors.into_iter().chain(progress).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::Reason;
    use firesteel_k8s::status::{ExecutorCounts, ExecutorFailure, Progress};

    use super::*;

    #[test]
    fn everything_is_told_once() {
        let mut story = Story::default();
        let mut status = SparkJobStatus::default();
        assert_eq!(story.tell(&status), ["Submitted"]);
        assert!(story.tell(&status).is_empty());
        status.phase = Some(Phase::Queued);
        status.reason = Some(Reason::QuotaExceeded);
        status.message = Some("no room\nfor cpu".to_owned());
        assert_eq!(story.tell(&status), ["Queued (QuotaExceeded)", "  no room\n  for cpu"]);
        status = SparkJobStatus { phase: Some(Phase::Running), attempt: Some(2), ..SparkJobStatus::default() };
        status.executors = Some(ExecutorCounts { summary: "1/2".to_owned(), ..ExecutorCounts::default() });
        status.progress = Some(Progress { summary: "3/8".to_owned(), ..Progress::default() });
        assert_eq!(story.tell(&status), ["Running, attempt 2", "executors 1/2, tasks 3/8"]);
        let lost = ExecutorFailure {
            pod_name: "e-1".to_owned(),
            reason: "OOMKilled".to_owned(),
            exit_code: Some(137),
            time: None,
        };
        status.executor_failures.push(lost);
        assert_eq!(story.tell(&status), ["executor e-1: OOMKilled, exit code 137"]);
        assert!(story.tell(&status).is_empty());
        assert!(!has_ended(&status));
        status.phase = Some(Phase::Succeeded);
        assert_eq!(story.tell(&status), ["Succeeded, attempt 2"]);
        assert!(has_ended(&status));
    }
}
