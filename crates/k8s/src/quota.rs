//! Whether a namespace's quota has no room for a pod.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// Whether the pod asks for more than the quota has left of anything. Scopes are not looked at: a quota that does not
/// apply is taken for one that does, and the job waits instead of telling about a policy.
pub fn is_exceeded_by(quota: &ResourceQuota, pod: &Pod) -> bool {
    let Some(status) = &quota.status else { return false };
    let used = status.used.as_ref();
    status.hard.iter().flatten().any(|(resource, hard)| {
        let used = used.and_then(|used| used.get(resource)).and_then(amount).unwrap_or(0.0);
        let left = amount(hard).map(|hard| hard - used);
        left.is_some_and(|left| asked(pod, resource) > left)
    })
}

/// How much of a resource, by its name in a quota, the pod asks for.
fn asked(pod: &Pod, resource: &str) -> f64 {
    if matches!(resource, "pods" | "count/pods") {
        return 1.0;
    }
    let (limits, resource) = match resource.split_once('.') {
        Some(("limits", resource)) => (true, resource),
        Some(("requests", resource)) => (false, resource),
        _ => (false, resource),
    };
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let of_container = |container: &k8s_openapi::api::core::v1::Container| {
        let resources = container.resources.as_ref()?;
        let amounts: &BTreeMap<String, Quantity> =
            if limits { resources.limits.as_ref()? } else { resources.requests.as_ref()? };
        amounts.get(resource).and_then(amount)
    };
    containers.filter_map(of_container).sum()
}

/// A quantity in its base unit; nothing if it cannot be read.
fn amount(quantity: &Quantity) -> Option<f64> {
    const UNITS: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
    ];
    let text = quantity.0.as_str();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((text, 1.0));
    number.parse::<f64>().ok().map(|number| number * unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Pod {
        let resources = json!({ "requests": { "cpu": "500m", "memory": "2Gi" }, "limits": { "memory": "2Gi" } });
        let spec = json!({ "containers": [{ "name": "spark", "resources": resources }] });
        serde_json::from_value(json!({ "spec": spec })).unwrap()
    }

    fn quota(hard: serde_json::Value, used: serde_json::Value) -> ResourceQuota {
        serde_json::from_value(json!({ "status": { "hard": hard, "used": used } })).unwrap()
    }

    #[test]
    fn what_is_left_is_compared_with_what_is_asked_for() {
        for (hard, used, exceeded) in [
            (json!({ "pods": "1" }), json!({ "pods": "1" }), true),
            (json!({ "pods": "2" }), json!({ "pods": "1" }), false),
            (json!({ "requests.cpu": "1" }), json!({ "requests.cpu": "600m" }), true),
            (json!({ "requests.cpu": "1" }), json!({ "requests.cpu": "500m" }), false),
            (json!({ "limits.memory": "3Gi" }), json!({ "limits.memory": "2048Mi" }), true),
            (json!({ "services": "0" }), json!({}), false),
        ] {
            assert_eq!(is_exceeded_by(&quota(hard.clone(), used), &pod()), exceeded, "{hard}");
        }
    }
}
