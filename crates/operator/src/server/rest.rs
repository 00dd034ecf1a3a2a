//! When a server without sessions rests, and when it wakes: a pure function of its status, its report and the time.

use firesteel_k8s::SparkConnectServer;
use firesteel_k8s::build::names;
use firesteel_k8s::report::Report;
use firesteel_k8s::server::SparkConnectServerStatus;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Reason of the condition `Idle` of a server that rests.
pub(crate) const NO_SESSIONS: &str = "NoSessions";

/// How long a server stays awake for whoever woke it: clients wait up to a minute before they try again.
const CALLER_PATIENCE: SignedDuration = SignedDuration::from_secs(75);

/// Whether a server rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It does not, and nothing speaks for it.
    Awake,
    /// It will at this time, if nobody opens a session.
    At(Timestamp),
    /// It has no pod until somebody wants it.
    Resting,
}

/// Decides, and notes sessions and activity in the status.
pub(crate) fn rest(
    server: &SparkConnectServer,
    status: &mut SparkConnectServerStatus,
    report: &Report,
    now: Timestamp,
) -> Rest {
    let Some(timeout) = timeout(server).filter(|_| !server.spec.stop) else {
        status.sessions = report.sessions;
        return Rest::Awake;
    };
    let called = called(server);
    if let Some(since) = resting_since(status) {
        // To the second, as conditions are: a call within the second of falling asleep counts.
        if called.is_none_or(|called| called.as_second() < since.as_second()) {
            status.sessions = None;
            return Rest::Resting;
        }
        status.last_active_time = Some(Time(now));
    }
    let sessions = report.sessions;
    if status.last_active_time.is_none() || (sessions.is_some() && sessions != status.sessions) {
        status.last_active_time = Some(Time(now));
    }
    status.sessions = sessions;
    let last = status.last_active_time.as_ref().map_or(now, |time| time.0);
    let due = called.map_or(last + timeout, |called| (last + timeout).max(called + CALLER_PATIENCE));
    match sessions {
        Some(0) if now >= due => Rest::Resting,
        Some(0) => Rest::At(due),
        // One that does not say, because it is about to start, is not idle either.
        _ => Rest::Awake,
    }
}

fn timeout(server: &SparkConnectServer) -> Option<SignedDuration> {
    let span = server.spec.idle_timeout.as_ref()?.parse().ok()?;
    SignedDuration::try_from(span).ok()
}

/// When somebody last wanted a server that rested.
fn called(server: &SparkConnectServer) -> Option<Timestamp> {
    server.metadata.annotations.as_ref()?.get(names::AWAKE)?.parse().ok()
}

/// Since when the server rests, if it does.
pub(crate) fn resting_since(status: &SparkConnectServerStatus) -> Option<Timestamp> {
    let is_rest = |condition: &&Condition| {
        condition.type_ == "Idle" && condition.status == "True" && condition.reason == NO_SESSIONS
    };
    status.conditions.iter().find(is_rest).map(|condition| condition.last_transition_time.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::job::set_condition;

    use super::super::status::tests::server;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn said(sessions: u32) -> Report {
        Report { sessions: Some(sessions), ..Report::default() }
    }

    #[test]
    fn a_server_rests_once_it_had_no_session_for_long_enough() {
        let server = server("{idleTimeout: 60s}");
        let mut status = SparkConnectServerStatus::default();
        assert_eq!(rest(&server, &mut status, &Report::default(), at(0)), Rest::Awake);
        assert_eq!(rest(&server, &mut status, &said(0), at(10)), Rest::At(at(70)));
        assert_eq!(rest(&server, &mut status, &said(2), at(20)), Rest::Awake);
        assert_eq!(rest(&server, &mut status, &said(2), at(500)), Rest::Awake);
        assert_eq!(rest(&server, &mut status, &said(0), at(510)), Rest::At(at(570)));
        assert_eq!(rest(&server, &mut status, &said(0), at(569)), Rest::At(at(570)));
        assert_eq!(rest(&server, &mut status, &said(0), at(570)), Rest::Resting);
    }

    #[test]
    fn a_call_wakes_it() {
        let mut server = server("{idleTimeout: 60s}");
        let mut status = SparkConnectServerStatus::default();
        set_condition(&mut status.conditions, "Idle", true, NO_SESSIONS, "", at(100), None);
        let call = |second| Some(BTreeMap::from([(names::AWAKE.to_owned(), at(second).to_string())]));
        server.metadata.annotations = call(50);
        assert_eq!(rest(&server, &mut status, &said(0), at(900)), Rest::Resting);
        server.metadata.annotations = call(905);
        assert_eq!(rest(&server, &mut status, &Report::default(), at(905)), Rest::Awake);
        status.conditions.clear();
        assert_eq!(rest(&server, &mut status, &said(0), at(910)), Rest::At(at(980)));
        assert_eq!(rest(&server, &mut status, &said(1), at(930)), Rest::Awake);
        assert_eq!(rest(&server, &mut status, &said(0), at(940)), Rest::At(at(1000)));
    }

    #[test]
    fn without_a_timeout_or_while_it_is_stopped_it_does_not_rest() {
        let mut status = SparkConnectServerStatus::default();
        for spec in ["{}", "{idleTimeout: 1s, stop: true}"] {
            assert_eq!(rest(&server(spec), &mut status, &said(0), at(10_000)), Rest::Awake);
        }
    }
}
