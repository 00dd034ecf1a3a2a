//! One configuration key after the other: to the field that stands for it, to `conf`, or left out.

use serde_json::json;

use crate::rules::{KEY_PREFIX, RESERVED_KEYS};

use super::{Draft, memory_mib, memory_text, store_url};

impl Draft {
    /// Takes a key over.
    pub(super) fn set_conf(&mut self, key: &str, value: &str) {
        if self.set_pod_field(key, value) || self.set_storage(key, value) {
            return;
        }
        if key.contains("access.key") || key.contains("secret.key") || key.contains("session.token") {
            self.leave_out(format!("{key}: put credentials into a Secret and name it in storage.connections"));
        } else if !key.starts_with(KEY_PREFIX) || RESERVED_KEYS.iter().any(|keys| keys.holds(key)) {
            self.leave_out(format!("{key}={value}"));
        } else {
            self.set(&["conf", key], json!(value));
        }
    }

    fn set_pod_field(&mut self, key: &str, value: &str) -> bool {
        match key {
            "spark.app.name" => self.name = Some(value.to_owned()),
            "spark.kubernetes.namespace" => self.namespace = Some(value.to_owned()),
            "spark.kubernetes.container.image"
            | "spark.kubernetes.driver.container.image"
            | "spark.kubernetes.executor.container.image" => self.set_image(value),
            "spark.kubernetes.authenticate.driver.serviceAccountName" => {
                self.set(&["serviceAccountName"], json!(value))
            }
            "spark.kubernetes.scheduler.name" => self.set(&["scheduling", "schedulerName"], json!(value)),
            "spark.yarn.queue" => self.set(&["scheduling", "queue"], json!(value)),
            "spark.driver.memory" => self.set_memory("driver", value),
            "spark.executor.memory" => self.set_memory("executor", value),
            "spark.driver.memoryOverhead" => self.add_memory("driver", value),
            "spark.executor.memoryOverhead" => self.add_memory("executor", value),
            "spark.driver.cores" => self.set(&["driver", "cpu"], json!(value)),
            "spark.executor.cores" => self.set(&["executor", "cpu"], json!(value)),
            "spark.executor.instances" => return self.set_number(key, &["executor", "count"], value),
            "spark.dynamicAllocation.enabled" => self.set(&["executor", "elastic", "enabled"], json!(value == "true")),
            "spark.dynamicAllocation.minExecutors" => {
                return self.set_number(key, &["executor", "elastic", "min"], value);
            }
            "spark.dynamicAllocation.maxExecutors" => {
                return self.set_number(key, &["executor", "elastic", "max"], value);
            }
            "spark.dynamicAllocation.initialExecutors" => {
                return self.set_number(key, &["executor", "elastic", "initial"], value);
            }
            "spark.dynamicAllocation.executorIdleTimeout" => self.set(&["executor", "elastic", "idle"], json!(value)),
            _ => return false,
        }
        true
    }

    fn set_storage(&mut self, key: &str, value: &str) -> bool {
        match key {
            "spark.eventLog.enabled" => {}
            "spark.eventLog.dir" if store_url(value).starts_with("s3://") => {
                self.set(&["storage", "eventLog", "url"], json!(store_url(value)));
            }
            "spark.hadoop.fs.s3a.endpoint" => {
                let is_url = value.starts_with("http://") || value.starts_with("https://");
                let endpoint = if is_url { value.to_owned() } else { format!("https://{value}") };
                self.set_connection("endpoint", json!(endpoint));
            }
            "spark.hadoop.fs.s3a.endpoint.region" => self.set_connection("region", json!(value)),
            "spark.hadoop.fs.s3a.path.style.access" => self.set_connection("pathStyle", json!(value == "true")),
            _ => return false,
        }
        true
    }

    fn set_connection(&mut self, field: &str, value: serde_json::Value) {
        let mut connections =
            self.get(&["storage", "connections"]).cloned().unwrap_or_else(|| json!([{ "name": "s3" }]));
        connections[0][field] = value;
        self.set(&["storage", "connections"], connections);
    }

    fn set_number(&mut self, key: &str, path: &[&str], value: &str) -> bool {
        match value.trim().parse::<u32>() {
            Ok(number) => self.set(path, json!(number)),
            Err(_) => self.leave_out(format!("{key}={value}")),
        }
        true
    }

    pub(super) fn set_memory(&mut self, pod: &str, value: &str) {
        match memory_mib(value) {
            Some(mib) => self.set(&[pod, "memory"], json!(memory_text(mib))),
            None => self.leave_out(format!("{pod} memory {value}")),
        }
    }

    /// A pod's memory holds everything, so that an overhead is added to it.
    pub(super) fn add_memory(&mut self, pod: &str, value: &str) {
        let before = self.get(&[pod, "memory"]).and_then(|text| memory_mib(text.as_str()?)).unwrap_or(1024);
        match memory_mib(value) {
            Some(mib) => self.set(&[pod, "memory"], json!(memory_text(before + mib))),
            None => self.leave_out(format!("{pod} memory overhead {value}")),
        }
    }
}
