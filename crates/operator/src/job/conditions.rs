//! Conditions of a job's status. They follow from phase, reason and counts, so that they never disagree with them.

use firesteel_k8s::ignored;
use firesteel_k8s::status::{Phase, Reason, SparkJobStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Sets all conditions. One that does not change keeps its time.
pub(crate) fn derive(status: &mut SparkJobStatus, now: Timestamp, generation: Option<i64>) {
    let Some(phase) = status.phase else { return };
    let has_driver = matches!(phase, Phase::Starting | Phase::Running);
    let is_over = matches!(phase, Phase::Succeeded | Phase::Failed);
    let executors =
        status.executors.as_ref().is_some_and(|counts| counts.target > 0 && counts.running >= counts.target);
    let refused = status.reason == Some(Reason::Refused) && !has_driver;
    let values = [
        ("Accepted", !refused),
        ("Admitted", has_driver || phase == Phase::Succeeded),
        ("DriverReady", phase == Phase::Running),
        ("ExecutorsReady", phase == Phase::Running && executors),
        ("Degraded", status.reason.is_some() && !is_over),
        ("Suspended", phase == Phase::Suspended),
        ("Complete", phase == Phase::Succeeded),
        ("Failed", phase == Phase::Failed),
    ];
    let reason = status.reason.map_or_else(|| format!("{phase:?}"), |reason| reason.to_string());
    let message = status.message.clone().unwrap_or_default();
    for (kind, holds) in values {
        set(&mut status.conditions, kind, holds, &reason, &message, now, generation);
    }
}

/// Tells of fields that are set in vain; no condition where there never were any.
pub(crate) fn tell_ignored(conditions: &mut Vec<Condition>, fields: &[&str], now: Timestamp, generation: Option<i64>) {
    let (kind, reason) = ignored::CONDITION;
    let sentence = ignored::sentence(fields);
    if sentence.is_some() || conditions.iter().any(|condition| condition.type_ == kind) {
        let message = sentence.as_deref().unwrap_or_default();
        set(conditions, kind, sentence.is_some(), reason, message, now, generation);
    }
}

/// Sets one condition. Its reason and sentence tell why it came to hold or ceased to, so that they change with it
/// only, or while it is the kind that tells about trouble.
pub(crate) fn set(
    conditions: &mut Vec<Condition>,
    kind: &str,
    holds: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
    generation: Option<i64>,
) {
    let value = if holds { "True" } else { "False" };
    let condition = Condition {
        type_: kind.to_owned(),
        status: value.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: Time(now),
        observed_generation: generation,
    };
    match conditions.iter_mut().find(|condition| condition.type_ == kind) {
        None => conditions.push(condition),
        Some(before) if before.status != value => *before = condition,
        Some(before) if kind == "Degraded" || kind == ignored::CONDITION.0 => {
            let last_transition_time = before.last_transition_time.clone();
            *before = Condition { last_transition_time, ..condition };
        }
        Some(before) => before.observed_generation = generation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(status: &'a SparkJobStatus, kind: &str) -> &'a Condition {
        status.conditions.iter().find(|condition| condition.type_ == kind).unwrap()
    }

    #[test]
    fn fields_that_are_set_in_vain_are_told_of() {
        let mut conditions = Vec::new();
        tell_ignored(&mut conditions, &[], Timestamp::UNIX_EPOCH, None);
        assert!(conditions.is_empty());
        tell_ignored(&mut conditions, &["ui.service"], Timestamp::UNIX_EPOCH, None);
        assert_eq!((conditions[0].status.as_str(), conditions[0].type_.as_str()), ("True", "Ignored"));
        assert_eq!(conditions[0].message, "ui.service has no effect yet");
        tell_ignored(&mut conditions, &[], Timestamp::UNIX_EPOCH, None);
        assert_eq!(conditions[0].status, "False");
    }

    #[test]
    fn conditions_follow_the_phase_and_keep_their_time() {
        let mut status = SparkJobStatus { phase: Some(Phase::Queued), ..SparkJobStatus::default() };
        let early = Timestamp::from_second(10).unwrap();
        derive(&mut status, early, Some(1));
        assert_eq!(value(&status, "Complete").status, "False");
        status.phase = Some(Phase::Succeeded);
        derive(&mut status, Timestamp::from_second(20).unwrap(), Some(2));
        assert_eq!(value(&status, "Complete").status, "True");
        assert_eq!(value(&status, "Complete").last_transition_time.0.as_second(), 20);
        assert_eq!(value(&status, "Failed").last_transition_time.0.as_second(), 10);
        assert_eq!(value(&status, "Failed").observed_generation, Some(2));
        assert_eq!(status.conditions.len(), 8);
    }
}
