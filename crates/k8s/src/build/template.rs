//! A user's pod template laid over a pod, list entries matched as Kubernetes itself matches them.

use serde_json::{Map, Value};

/// `base` with `over` laid over it. Objects are merged, entries of lists by their key, anything else is replaced.
pub fn lay_over(base: Value, over: &Map<String, Value>) -> Value {
    merged(base, &Value::Object(over.clone()), "")
}

fn merged(base: Value, over: &Value, field: &str) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let below = base.remove(key).unwrap_or(Value::Null);
                base.insert(key.clone(), merged(below, value, key));
            }
            Value::Object(base)
        }
        (Value::Array(base), Value::Array(over)) => Value::Array(entries(base, over, field)),
        (_, over) => over.clone(),
    }
}

/// The field that tells entries of a list apart; nothing where a list is one value.
fn key_of(field: &str) -> Option<&'static str> {
    match field {
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "ports" => Some("containerPort"),
        "hostAliases" => Some("ip"),
        _ => None,
    }
}

fn entries(mut base: Vec<Value>, over: &[Value], field: &str) -> Vec<Value> {
    let Some(key) = key_of(field) else {
        // Tolerations add up; a list of plain values or of entries without a key is replaced.
        if field == "tolerations" {
            base.extend(over.iter().cloned());
            return base;
        }
        return over.to_vec();
    };
    for entry in over {
        match base.iter_mut().find(|below| below.get(key).is_some() && below.get(key) == entry.get(key)) {
            Some(below) => *below = merged(below.take(), entry, ""),
            None => base.push(entry.clone()),
        }
    }
    base
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_are_matched_by_their_key() {
        let base = json!({ "spec": {
            "volumes": [{ "name": "scratch", "emptyDir": {} }],
            "tolerations": [{ "key": "a" }],
            "containers": [{ "name": "spark", "image": "x", "volumeMounts": [{ "mountPath": "/tmp", "name": "scratch" }] }],
        }});
        let over = json!({ "spec": {
            "volumes": [{ "name": "scratch", "emptyDir": { "sizeLimit": "1Gi" } }, { "name": "mine" }],
            "tolerations": [{ "key": "b" }],
            "containers": [{ "name": "spark", "volumeMounts": [{ "mountPath": "/mine", "name": "mine" }] }],
        }});
        let laid = lay_over(base, over.as_object().unwrap());
        assert_eq!(laid["spec"]["volumes"].as_array().unwrap().len(), 2);
        assert_eq!(laid["spec"]["volumes"][0]["emptyDir"]["sizeLimit"], "1Gi");
        assert_eq!(laid["spec"]["tolerations"].as_array().unwrap().len(), 2);
        assert_eq!(laid["spec"]["containers"][0]["image"], "x");
        assert_eq!(laid["spec"]["containers"][0]["volumeMounts"].as_array().unwrap().len(), 2);
    }
}
