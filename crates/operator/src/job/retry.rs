//! Whether another attempt follows a failed one, and when.

use std::time::Duration;

use firesteel_k8s::policy::{Backoff, Retry, RetryAction};

use super::driver::{Class, Ending};

/// The counts so far, and those after an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) failures: u32,
    pub(crate) disruptions: u32,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) counts: Counts,
    /// Whether the attempt counts towards `retry.limit`.
    pub(crate) counted: bool,
    /// The wait before the next attempt; none: the job has failed.
    pub(crate) again_after: Option<Duration>,
}

/// Judges a failed attempt.
///
/// Guarantees: failures never exceed `limit` + 1, disruptions never `disruption_limit` + 1.
pub(crate) fn judge(retry: &Retry, counts: Counts, attempt: u32, ending: &Ending, ran_for: Duration) -> Verdict {
    let reset = retry.reset_after.as_ref().and_then(|span| span.parse().ok()).is_some_and(|after| ran_for >= after);
    let mut counts = if reset { Counts { failures: 0, ..counts } } else { counts };
    let wait = wait(&retry.backoff, if reset { 1 } else { attempt });
    if ending.class == Class::Disruption {
        counts.disruptions += 1;
        let again_after = (counts.disruptions <= retry.disruption_limit).then_some(wait);
        return Verdict { counts, counted: false, again_after };
    }
    match rule(retry, ending.exit_code) {
        Some(RetryAction::Fail) => Verdict { counts, counted: true, again_after: None },
        Some(RetryAction::Retry) => Verdict { counts, counted: false, again_after: Some(wait) },
        None => {
            counts.failures += 1;
            let again_after = (counts.failures <= retry.limit).then_some(wait);
            Verdict { counts, counted: true, again_after }
        }
    }
}

fn rule(retry: &Retry, exit_code: Option<i32>) -> Option<RetryAction> {
    let code = exit_code?;
    retry.rules.iter().find(|rule| rule.exit_codes.contains(&code)).map(|rule| rule.action)
}

/// The wait after an attempt: it doubles with each, up to the longest.
fn wait(backoff: &Backoff, attempt: u32) -> Duration {
    let initial = backoff.initial.parse().unwrap_or(Duration::from_secs(10));
    let longest = backoff.max.parse().unwrap_or(Duration::from_secs(600));
    let factor = 2_u32.saturating_pow(attempt.saturating_sub(1).min(20));
    initial.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::Reason;
    use firesteel_k8s::policy::RetryRule;

    use super::*;

    fn app(code: i32) -> Ending {
        Ending {
            class: Class::Application,
            reason: Some(Reason::AppError),
            exit_code: Some(code),
            message: None,
            log_tail: None,
        }
    }

    fn at(retry: &Retry, failures: u32, attempt: u32, ending: &Ending, ran_s: u64) -> Verdict {
        judge(retry, Counts { failures, disruptions: 0 }, attempt, ending, Duration::from_secs(ran_s))
    }

    #[test]
    fn failures_are_counted_up_to_the_limit_and_waits_double() {
        let retry = Retry { limit: 2, ..Retry::default() };
        assert_eq!(at(&retry, 0, 1, &app(1), 5).again_after, Some(Duration::from_secs(10)));
        assert_eq!(at(&retry, 1, 2, &app(1), 5).again_after, Some(Duration::from_secs(20)));
        assert_eq!(at(&retry, 2, 3, &app(1), 5).again_after, None);
        assert_eq!(
            at(&Retry { limit: 99, ..Retry::default() }, 30, 31, &app(1), 5).again_after.unwrap().as_secs(),
            600
        );
    }

    #[test]
    fn without_retries_the_first_failure_is_final() {
        let verdict = at(&Retry::default(), 0, 1, &app(1), 5);
        assert_eq!((verdict.again_after, verdict.counted), (None, true));
    }

    #[test]
    fn disruptions_have_a_limit_of_their_own() {
        let retry = Retry { disruption_limit: 1, ..Retry::default() };
        let first = judge(&retry, Counts::default(), 1, &Ending::vanished(None), Duration::ZERO);
        assert!(first.again_after.is_some() && !first.counted);
        assert_eq!(first.counts, Counts { failures: 0, disruptions: 1 });
        assert_eq!(judge(&retry, first.counts, 2, &Ending::vanished(None), Duration::ZERO).again_after, None);
    }

    #[test]
    fn a_long_run_sets_the_count_back() {
        let retry = Retry { limit: 1, reset_after: Some("1h".into()), ..Retry::default() };
        assert_eq!(at(&retry, 1, 2, &app(1), 3599).again_after, None);
        let verdict = at(&retry, 1, 2, &app(1), 3600);
        assert_eq!((verdict.counts.failures, verdict.again_after), (1, Some(Duration::from_secs(10))));
    }

    #[test]
    fn exit_codes_decide_first() {
        let rules = vec![
            RetryRule { exit_codes: vec![42], action: RetryAction::Fail },
            RetryRule { exit_codes: vec![75], action: RetryAction::Retry },
        ];
        let retry = Retry { limit: 3, rules, ..Retry::default() };
        assert_eq!(at(&retry, 0, 1, &app(42), 5).again_after, None);
        let again = at(&retry, 3, 9, &app(75), 5);
        assert!(again.again_after.is_some() && !again.counted);
        assert_eq!(again.counts.failures, 3);
    }
}
