//! SET and RESET.

use firesteel_model::{Result, SparkError, conf, error_class};
use firesteel_spec::{Expr, ExprNode, Literal};

use crate::rows::{Column, ReadyRows};
use crate::session::DriverSession;

/// SET: all settings, one, or a new value.
pub(super) fn set(session: &DriverSession, key: Option<&str>, value: Option<&str>) -> Result<ReadyRows> {
    let settings = session.settings();
    let pairs = match (key, value) {
        (None, _) => settings.all().into_iter().collect(),
        (Some(key), None) => {
            let shown = settings.get(key).unwrap_or_else(|| "<undefined>".to_owned());
            vec![(key.to_owned(), shown)]
        }
        (Some(key), Some(value)) => {
            settings.set(key, value)?;
            vec![(key.to_owned(), value.to_owned())]
        }
    };
    let (keys, values) = pairs.into_iter().unzip();
    ReadyRows::of(vec![Column::Text("key", keys), Column::Text("value", values)])
}

/// SET TIME ZONE
pub(super) async fn set_time_zone(session: &DriverSession, zone: &Expr) -> Result<ReadyRows> {
    let zone = match zone.node.as_ref() {
        ExprNode::Literal(Literal::String(zone)) => zone.clone(),
        ExprNode::Literal(Literal::DayTimeInterval(micros, _)) => offset(*micros)?,
        ExprNode::Attribute { parts, .. } if parts.len() == 1 && parts[0].eq_ignore_ascii_case("local") => {
            conf::SESSION_TIME_ZONE.default.unwrap_or("UTC").to_owned()
        }
        _ => return Err(SparkError::unsupported("SET TIME ZONE with this value")),
    };
    set(session, Some(conf::SESSION_TIME_ZONE.name), Some(&zone))
}

/// `+02:00` of an interval within eighteen hours.
fn offset(micros: i64) -> Result<String> {
    let seconds = micros / 1_000_000;
    let is_whole = micros % 60_000_000 == 0;
    if seconds.abs() > 18 * 3600 || !is_whole {
        return Err(SparkError::new(&error_class::INVALID_INTERVAL_FORMAT_TIMEZONE).param("input", micros.to_string()));
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    Ok(format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60))
}

/// RESET: one setting, or all of the session.
pub(super) fn reset(session: &DriverSession, key: Option<&str>) -> Result<ReadyRows> {
    match key {
        Some(key) => session.settings().unset(key)?,
        None => session.settings().reset(),
    }
    Ok(ReadyRows::default())
}
