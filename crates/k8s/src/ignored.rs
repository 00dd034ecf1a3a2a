//! Fields that a resource may set but that have no effect yet. A job that sets one runs, and says so.

use crate::job::SparkJobSpec;
use crate::policy::{Metrics, Ui};
use crate::server::SparkConnectServerSpec;
use crate::storage::Storage;

/// Type of the condition that tells of them, and its reason.
pub const CONDITION: (&str, &str) = ("Ignored", "NotSupported");

/// The fields of a job that are set in vain.
pub fn of_job(spec: &SparkJobSpec) -> Vec<&'static str> {
    of_parts(&spec.storage, &spec.ui, &spec.metrics)
}

/// The fields of a server that are set in vain.
pub fn of_server(spec: &SparkConnectServerSpec) -> Vec<&'static str> {
    of_parts(&spec.storage, &spec.ui, &spec.metrics)
}

fn of_parts(storage: &Storage, ui: &Ui, metrics: &Metrics) -> Vec<&'static str> {
    let fields = [
        ("storage.eventLog", storage.event_log.is_some()),
        ("storage.logs", storage.logs.is_some()),
        ("ui.service", ui.service),
        ("ui.httpRoute", ui.http_route.is_some()),
        ("metrics.enabled", metrics.enabled),
    ];
    fields.into_iter().filter(|(_, is_set)| *is_set).map(|(field, _)| field).collect()
}

/// What a user reads about them; nothing if there are none.
pub fn sentence(fields: &[&str]) -> Option<String> {
    let have = if fields.len() == 1 { "has" } else { "have" };
    (!fields.is_empty()).then(|| format!("{} {have} no effect yet", fields.join(", ")))
}

#[cfg(test)]
mod tests {
    use crate::Manifest;

    use super::*;

    fn said(spec: &str) -> Option<String> {
        let head = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: sales}\nspec: ";
        let text = format!("{head}{{main: {{sql: {{text: x}}}}, {spec}}}");
        let job = Manifest::parse(&text, "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap();
        sentence(&of_job(&job.spec))
    }

    #[test]
    fn what_is_set_in_vain_is_named() {
        assert_eq!(said("args: [a]"), None);
        assert_eq!(said("ui: {service: true}").as_deref(), Some("ui.service has no effect yet"));
        let two = said("storage: {logs: {url: 's3://b/l'}}, metrics: {enabled: true}");
        assert_eq!(two.as_deref(), Some("storage.logs, metrics.enabled have no effect yet"));
    }
}
