//! Jobs as people read them.

use firesteel_k8s::{SparkJob, SparkJobStatus};
use jiff::Timestamp;

const HEADER: [&str; 7] = ["NAME", "PHASE", "REASON", "EXECUTORS", "TASKS", "ATTEMPT", "AGE"];

/// One line a job, with a header; nothing for none.
pub fn table(jobs: &[SparkJob], now: Timestamp) -> Vec<String> {
    if jobs.is_empty() {
        return Vec::new();
    }
    let header = HEADER.map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(header).chain(jobs.iter().map(|job| row(job, now))).collect();
    let widths: Vec<usize> =
        (0..HEADER.len()).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("   ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// One job at length.
pub fn details(job: &SparkJob, now: Timestamp) -> Vec<String> {
    let mut lines = table(std::slice::from_ref(job), now);
    let Some(status) = &job.status else { return lines };
    let mut add = |name: &str, value: Option<&String>| {
        lines.extend(value.map(|value| format!("{name:10} {}", value.trim().replace('\n', "\n           "))));
    };
    add("message", status.message.as_ref());
    add("driver", status.driver.as_ref().map(|driver| &driver.pod_name));
    add("node", status.driver.as_ref().and_then(|driver| driver.node_name.as_ref()));
    for failure in &status.executor_failures {
        add("lost", Some(&format!("{} {}", failure.pod_name, failure.reason)));
    }
    for attempt in &status.attempts {
        let reason = attempt.reason.as_ref().map_or_else(|| "ended".to_owned(), ToString::to_string);
        let code = attempt.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
        add("attempt", Some(&format!("{} {reason}{code}", attempt.attempt)));
    }
    lines
}

fn row(job: &SparkJob, now: Timestamp) -> [String; 7] {
    let empty = SparkJobStatus::default();
    let status = job.status.as_ref().unwrap_or(&empty);
    let created = job.metadata.creation_timestamp.as_ref().map(|time| time.0);
    [
        job.metadata.name.clone().unwrap_or_default(),
        status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default(),
        status.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
        status.executors.as_ref().map(|counts| counts.summary.clone()).unwrap_or_default(),
        status.progress.as_ref().map(|progress| progress.summary.clone()).unwrap_or_default(),
        status.attempt.map(|attempt| attempt.to_string()).unwrap_or_default(),
        created.map(|created| age(now.as_second() - created.as_second())).unwrap_or_default(),
    ]
}

/// As kubectl has it: the two largest units at most.
fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m{}s", seconds / 60, seconds % 60),
        7_200..172_800 => format!("{}h{}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::{Manifest, Phase};

    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let text = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: sales}\nspec: {main: {sql: {text: SELECT 1}}}";
        let mut job = Manifest::parse(text, "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap();
        job.status =
            Some(SparkJobStatus { phase: Some(Phase::Succeeded), attempt: Some(1), ..SparkJobStatus::default() });
        let lines = table(&[job], Timestamp::UNIX_EPOCH);
        assert_eq!(lines[0], "NAME    PHASE       REASON   EXECUTORS   TASKS   ATTEMPT   AGE");
        assert_eq!(lines[1], "sales   Succeeded                                1");
        assert!(table(&[], Timestamp::UNIX_EPOCH).is_empty());
    }

    #[test]
    fn ages() {
        assert_eq!([age(5), age(150), age(7_300), age(200_000)], ["5s", "2m30s", "2h1m", "2d7h"]);
    }
}
