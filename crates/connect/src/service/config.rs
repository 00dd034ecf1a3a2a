//! Config.

use firesteel_model::runtime_conf::RuntimeConf;
use firesteel_model::{Result, SparkError, conf, error_class};
use spark_connect_proto as proto;
use spark_connect_proto::KeyValue;
use spark_connect_proto::config_request::operation::OpType;

use crate::decode::{invalid, missing};
use crate::session::SessionHolder;

/// Reads or changes settings.
pub(crate) fn answer(session: &SessionHolder, request: proto::ConfigRequest) -> Result<proto::ConfigResponse> {
    let operation = request.operation.and_then(|operation| operation.op_type);
    let mut response = proto::ConfigResponse {
        session_id: session.key.session_id.clone(),
        server_side_session_id: session.server_side_id.clone(),
        ..Default::default()
    };
    let settings = session.session.conf();
    match operation.ok_or_else(|| missing("the kind of a configuration call"))? {
        OpType::Set(set) => response.warnings = set_all(settings, set)?,
        OpType::Get(get) => {
            for key in get.keys {
                let value = settings.require(&key)?;
                response.pairs.push(KeyValue { key, value: Some(value) });
            }
        }
        OpType::GetWithDefault(get) => {
            for KeyValue { key, value: default } in get.pairs {
                let value = settings.explicit(&key).or(default);
                response.pairs.push(KeyValue { key, value });
            }
        }
        OpType::GetOption(get) => {
            for key in get.keys {
                let value = settings.get(&key);
                response.pairs.push(KeyValue { key, value });
            }
        }
        OpType::GetAll(get) => {
            let prefix = get.prefix.unwrap_or_default();
            let own = settings.all().into_iter().filter_map(|(key, value)| {
                Some(KeyValue { key: key.strip_prefix(&prefix)?.to_owned(), value: Some(value) })
            });
            response.pairs.extend(own);
        }
        OpType::Unset(unset) => {
            for key in unset.keys {
                settings.unset(&key)?;
                response.pairs.push(KeyValue { key, value: None });
            }
        }
        OpType::IsModifiable(is_modifiable) => {
            for key in is_modifiable.keys {
                let value = settings.is_modifiable(&key).to_string();
                response.pairs.push(KeyValue { key, value: Some(value) });
            }
        }
    }
    Ok(response)
}

/// Sets each pair; when silent, what is refused becomes a warning.
fn set_all(settings: &RuntimeConf, set: proto::config_request::Set) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for KeyValue { key, value } in set.pairs {
        let value = value.ok_or_else(|| invalid(format!("the value of {key} is missing")))?;
        match check_zone(&key, &value).and_then(|()| settings.set(&key, &value)) {
            Ok(()) => {}
            Err(error) if set.silent.unwrap_or(false) => warnings.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(warnings)
}

/// A time zone must be one: a region, or an offset such as `+02:00`, `GMT+2`, `UTC`, `Z`.
fn check_zone(key: &str, value: &str) -> Result<()> {
    if key != conf::SESSION_TIME_ZONE.name || is_zone(value) {
        return Ok(());
    }
    Err(SparkError::new(&error_class::INVALID_CONF_VALUE_TIME_ZONE)
        .param("confValue", value)
        .param("confName", format!("\"{key}\"")))
}

fn is_zone(text: &str) -> bool {
    let offset = ["UTC", "GMT", "UT", "Z"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let is_offset = offset.is_empty()
        || offset.strip_prefix(['+', '-']).is_some_and(|digits| {
            let digits = digits.replace(':', "");
            (1..=6).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
        });
    is_offset && !text.is_empty() || text.parse::<chrono_tz::Tz>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_zone;

    #[test]
    fn zones_are_regions_and_offsets() {
        for zone in ["UTC", "Europe/Berlin", "+02:00", "-8", "GMT+2", "Z", "America/Los_Angeles", "+18:00"] {
            assert!(is_zone(zone), "{zone}");
        }
        for text in ["", "Mars/Olympus", "+", "12", "UTC+x"] {
            assert!(!is_zone(text), "{text}");
        }
    }
}
