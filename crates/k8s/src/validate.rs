//! The rules of [`crate::rules`] and the constraints of the schema, evaluated in Rust.

use serde_json::Value;

use crate::conf::Conf;
use crate::crd;
use crate::field::{FieldError, FieldPath};
use crate::job::{SparkJob, SparkJobSpec};
use crate::pods::Executor;
use crate::rules::{self, Rule};
use crate::scheduled::ScheduledSparkJob;
use crate::schema;
use crate::server::SparkConnectServer;
use crate::storage::Storage;

/// Everything that is wrong with a job; empty when the Kubernetes API would accept it as a new one.
pub fn validate(job: &SparkJob) -> Vec<FieldError> {
    let mut errors = schema::check(&crd::JOB_SCHEMA, &as_json(job));
    errors.extend(broken_rules(job));
    errors
}

/// What is wrong with replacing `old` by `new`, beyond what is wrong with `new` itself.
pub fn validate_update(new: &SparkJob, old: &SparkJob) -> Vec<FieldError> {
    let path = FieldPath::default().key("spec");
    rules::SPEC_TRANSITIONS
        .iter()
        .filter(|rule| !(rule.holds)(&new.spec, &old.spec))
        .map(|rule| FieldError { path: path.clone(), message: rule.message.to_owned() })
        .collect()
}

/// Everything that is wrong with a schedule.
pub fn validate_scheduled(scheduled: &ScheduledSparkJob) -> Vec<FieldError> {
    let mut errors = schema::check(&crd::SCHEDULE_SCHEMA, &as_json(scheduled));
    errors.extend(broken_rules_of_schedule(scheduled));
    errors
}

/// Everything that is wrong with a server.
pub fn validate_connect_server(server: &SparkConnectServer) -> Vec<FieldError> {
    let mut errors = schema::check(&crd::SERVER_SCHEMA, &as_json(server));
    errors.extend(broken_rules_of_server(server));
    errors
}

pub(crate) fn broken_rules(job: &SparkJob) -> Vec<FieldError> {
    let mut walk = Walk::default();
    walk.name(rules::JOB_NAME, job.metadata.name.as_ref());
    walk.job(&job.spec, &FieldPath::default().key("spec"));
    walk.errors
}

pub(crate) fn broken_rules_of_schedule(scheduled: &ScheduledSparkJob) -> Vec<FieldError> {
    let mut walk = Walk::default();
    walk.name(rules::SCHEDULE_NAME, scheduled.metadata.name.as_ref());
    walk.job(&scheduled.spec.job_template.spec, &FieldPath::default().key("spec").key("jobTemplate").key("spec"));
    walk.errors
}

pub(crate) fn broken_rules_of_server(server: &SparkConnectServer) -> Vec<FieldError> {
    let mut walk = Walk::default();
    let spec = FieldPath::default().key("spec");
    walk.name(rules::JOB_NAME, server.metadata.name.as_ref());
    walk.conf(&server.spec.conf, &spec.key("conf"));
    walk.executor(&server.spec.executor, &spec.key("executor"));
    walk.storage(&server.spec.storage, &spec.key("storage"));
    walk.errors
}

/// A resource of ours is plain data, so that it always has a JSON form.
fn as_json<T: serde::Serialize>(resource: &T) -> Value {
    serde_json::to_value(resource).unwrap_or_default()
}

/// Visits the parts of a resource that have rules and notes which are broken.
#[derive(Default)]
struct Walk {
    errors: Vec<FieldError>,
}

impl Walk {
    fn apply<T>(&mut self, rules: &[Rule<T>], value: &T, path: &FieldPath) {
        let broken = rules.iter().filter(|rule| !(rule.holds)(value));
        self.errors.extend(broken.map(|rule| FieldError { path: path.clone(), message: rule.message.to_owned() }));
    }

    fn name(&mut self, rules: &[Rule<String>], name: Option<&String>) {
        if let Some(name) = name {
            self.apply(rules, name, &FieldPath::default().key("metadata").key("name"));
        }
    }

    fn job(&mut self, spec: &SparkJobSpec, path: &FieldPath) {
        let main = path.key("main");
        self.apply(rules::MAIN, &spec.main, &main);
        if let Some(python) = &spec.main.python {
            let at = main.key("python");
            self.apply(rules::PYTHON, python, &at);
            if let Some(file) = &python.file {
                self.apply(rules::FILE_URL, file, &at.key("file"));
            }
            for (index, file) in python.py_files.iter().enumerate() {
                self.apply(rules::FILE_URL, file, &at.key("pyFiles").index(index));
            }
        }
        if let Some(sql) = &spec.main.sql {
            let at = main.key("sql");
            self.apply(rules::SQL, sql, &at);
            if let Some(file) = &sql.file {
                self.apply(rules::FILE_URL, file, &at.key("file"));
            }
        }
        self.conf(&spec.conf, &path.key("conf"));
        self.executor(&spec.executor, &path.key("executor"));
        self.storage(&spec.storage, &path.key("storage"));
        self.apply(rules::BACKOFF, &spec.retry.backoff, &path.key("retry").key("backoff"));
    }

    fn conf(&mut self, conf: &Conf, path: &FieldPath) {
        for key in conf.0.keys() {
            let reserved = rules::RESERVED_KEYS.iter().filter(|keys| keys.holds(key)).map(|keys| keys.message);
            let prefix = (!key.starts_with(rules::KEY_PREFIX)).then_some(rules::KEY_PREFIX_MESSAGE);
            let broken = reserved.chain(prefix);
            self.errors.extend(broken.map(|message| FieldError { path: path.key(key), message: message.to_owned() }));
        }
    }

    fn executor(&mut self, executor: &Executor, path: &FieldPath) {
        self.apply(rules::EXECUTOR, executor, path);
        if let Some(elastic) = &executor.elastic {
            self.apply(rules::ELASTIC, elastic, &path.key("elastic"));
        }
    }

    fn storage(&mut self, storage: &Storage, path: &FieldPath) {
        for (index, connection) in storage.connections.iter().enumerate() {
            self.apply(rules::CONNECTION, connection, &path.key("connections").index(index));
        }
        let urls = [
            ("shuffle", storage.shuffle.as_ref().map(|shuffle| &shuffle.url)),
            ("eventLog", storage.event_log.as_ref().map(|location| &location.url)),
            ("logs", storage.logs.as_ref().map(|location| &location.url)),
        ];
        for (field, url) in urls {
            if let Some(url) = url {
                self.apply(rules::S3_URL, url, &path.key(field).key("url"));
            }
        }
    }
}
