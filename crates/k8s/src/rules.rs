//! The one table of rules: CEL text for the Kubernetes API beside a function for [`crate::validate`].
//!
//! A rule belongs to a type and holds wherever that type is used. A test evaluates both forms on the same resources.

use serde_json::{Value, json};

use crate::job::{Main, PythonMain, SparkJobSpec, SqlMain};
use crate::pods::{Elastic, Executor, Sizing};
use crate::policy::Backoff;
use crate::storage::{Connection, FileUrl, S3Url};

/// Something that must hold for every value of a type.
pub struct Rule<T: 'static> {
    /// The rule as the Kubernetes API evaluates it; `self` is the value.
    pub cel: &'static str,
    /// What a user reads when it does not hold.
    pub message: &'static str,
    /// The rule in Rust.
    pub holds: fn(&T) -> bool,
}

/// Something that must hold between a value and the one it replaces.
pub struct Transition<T: 'static> {
    /// The rule as the Kubernetes API evaluates it; `self` is the new value, `oldSelf` the old one.
    pub cel: &'static str,
    /// What a user reads when it does not hold.
    pub message: &'static str,
    /// The rule in Rust: new value, old value.
    pub holds: fn(&T, &T) -> bool,
}

/// Configuration keys that a user cannot set, and why.
pub struct ReservedKeys {
    /// Whole keys.
    pub exact: &'static [&'static str],
    /// Beginnings of keys.
    pub prefixes: &'static [&'static str],
    /// Beginnings of keys that are let through although one of `prefixes` fits.
    pub allowed: &'static [&'static str],
    /// What a user reads.
    pub message: &'static str,
}

/// Pods are named after the job.
pub const JOB_NAME: &[Rule<String>] = &[Rule {
    cel: "self.metadata.name.size() <= 50",
    message: "the name must have at most 50 characters",
    holds: |name| name.len() <= 50,
}];

/// Jobs are named after the schedule, with a dash and the minute behind it.
pub const SCHEDULE_NAME: &[Rule<String>] = &[Rule {
    cel: "self.metadata.name.size() <= 40",
    message: "the name must have at most 40 characters, because jobs are named after it",
    holds: |name| name.len() <= 40,
}];

/// Of the program.
pub const MAIN: &[Rule<Main>] = &[Rule {
    cel: "[has(self.python), has(self.sql), has(self.native)].filter(x, x).size() == 1",
    message: "set exactly one of python, sql and native",
    holds: |main| {
        [main.python.is_some(), main.sql.is_some(), main.native.is_some()].into_iter().filter(|set| *set).count() == 1
    },
}];

const FILE_XOR_TEXT: &str = "has(self.file) != has(self.text)";
const FILE_XOR_TEXT_MESSAGE: &str = "set either file or text";

/// Of a Python program.
pub const PYTHON: &[Rule<PythonMain>] = &[Rule {
    cel: FILE_XOR_TEXT,
    message: FILE_XOR_TEXT_MESSAGE,
    holds: |python| python.file.is_some() != python.text.is_some(),
}];

/// Of a SQL program.
pub const SQL: &[Rule<SqlMain>] = &[Rule {
    cel: FILE_XOR_TEXT,
    message: FILE_XOR_TEXT_MESSAGE,
    holds: |sql| sql.file.is_some() != sql.text.is_some(),
}];

/// Of a place in object storage.
pub const S3_URL: &[Rule<S3Url>] = &[Rule {
    cel: "self.startsWith('s3://') && self.size() > 5",
    message: "must be a URL such as s3://bucket/prefix",
    holds: |url| url.0.starts_with("s3://") && url.0.len() > 5,
}];

/// Of a file.
pub const FILE_URL: &[Rule<FileUrl>] = &[Rule {
    cel: "(self.startsWith('s3://') && self.size() > 5) || (self.startsWith('local:///') && self.size() > 9)",
    message: "must be s3://bucket/key, or local:///path for a file inside the image",
    holds: |url| (url.0.starts_with("s3://") && url.0.len() > 5) || (url.0.starts_with("local:///") && url.0.len() > 9),
}];

/// Of a connection to an object store.
pub const CONNECTION: &[Rule<Connection>] = &[Rule {
    cel: "!has(self.endpoint) || self.endpoint.startsWith('http://') || self.endpoint.startsWith('https://')",
    message: "endpoint must begin with http:// or https://",
    holds: |connection| {
        let begins = |endpoint: &String| endpoint.starts_with("http://") || endpoint.starts_with("https://");
        connection.endpoint.as_ref().is_none_or(begins)
    },
}];

/// Of the executors.
pub const EXECUTOR: &[Rule<Executor>] = &[
    Rule {
        cel: "!(has(self.count) && has(self.elastic))",
        message: "set count or elastic, not both",
        holds: |executor| executor.count.is_none() || executor.elastic.is_none(),
    },
    Rule {
        cel: "!has(self.minToStart) || (has(self.elastic) ? self.minToStart <= self.elastic.max : \
              self.minToStart <= (has(self.count) ? self.count : 1))",
        message: "minToStart must not exceed the number of executors",
        holds: |executor| {
            let most = match executor.sizing() {
                Sizing::Fixed(count) => count,
                Sizing::Elastic(elastic) => elastic.max,
            };
            executor.min_to_start.is_none_or(|wanted| wanted <= most)
        },
    },
];

/// Of a number of executors that follows the work.
pub const ELASTIC: &[Rule<Elastic>] = &[
    Rule {
        cel: "self.min <= self.max",
        message: "min must not exceed max",
        holds: |elastic| elastic.min <= elastic.max,
    },
    Rule {
        cel: "!has(self.initial) || (self.min <= self.initial && self.initial <= self.max)",
        message: "initial must lie between min and max",
        holds: |elastic| elastic.initial.is_none_or(|initial| elastic.min <= initial && initial <= elastic.max),
    },
];

/// Of a wait between attempts. Text that is no duration is the schema's business.
pub const BACKOFF: &[Rule<Backoff>] = &[Rule {
    // The API holds the rule against the default `{}` before it fills that in.
    cel: "!has(self.initial) || !has(self.max) || duration(self.initial) <= duration(self.max)",
    message: "initial must not exceed max",
    holds: |backoff| match (backoff.initial.parse(), backoff.max.parse()) {
        (Ok(initial), Ok(max)) => initial <= max,
        _ => true,
    },
}];

macro_rules! unchanged {
    ($field:literal) => {
        concat!("self.", $field, " == oldSelf.", $field)
    };
}

macro_rules! unchanged_if_set {
    ($holder:literal, $field:literal) => {
        concat!(
            "has(self",
            $holder,
            ".",
            $field,
            ") == has(oldSelf",
            $holder,
            ".",
            $field,
            ") && ",
            "(!has(self",
            $holder,
            ".",
            $field,
            ") || self",
            $holder,
            ".",
            $field,
            " == oldSelf",
            $holder,
            ".",
            $field,
            ")"
        )
    };
}

/// Of a job that is edited.
pub const SPEC_TRANSITIONS: &[Transition<SparkJobSpec>] = &[
    Transition {
        cel: unchanged_if_set!("", "managedBy"),
        message: "managedBy cannot change",
        holds: |new, old| new.managed_by == old.managed_by,
    },
    Transition {
        cel: concat!(
            "self.suspend || oldSelf.suspend || (",
            unchanged!("main"),
            " && ",
            unchanged!("driver"),
            " && ",
            unchanged!("storage"),
            " && ",
            unchanged!("scheduling"),
            " && ",
            unchanged!("retry"),
            " && ",
            unchanged!("ui"),
            " && ",
            unchanged!("metrics"),
            " && ",
            unchanged!("driverPDB"),
            " && ",
            unchanged!("executor.cpu"),
            " && ",
            unchanged!("executor.memory"),
            " && ",
            unchanged!("timeouts.start"),
            " && ",
            unchanged!("timeouts.executors"),
            " && ",
            unchanged_if_set!("", "image"),
            " && ",
            unchanged_if_set!("", "args"),
            " && ",
            unchanged_if_set!("", "conf"),
            " && ",
            unchanged_if_set!("", "serviceAccountName"),
            " && ",
            unchanged_if_set!(".executor", "minToStart"),
            " && ",
            unchanged_if_set!(".executor", "maxFailures"),
            ")"
        ),
        message: "while the job is not suspended, only suspend, executor.count, executor.elastic, timeouts.run and cleanup can change",
        holds: |new, old| new.suspend || old.suspend || pinned(new) == pinned(old),
    },
];

/// The spec with everything that may change at any time blotted out. Pod templates are among that, because CEL does
/// not see into them; the operator takes them from the attempt's beginning.
fn pinned(spec: &SparkJobSpec) -> SparkJobSpec {
    let mut spec = spec.clone();
    spec.suspend = false;
    spec.managed_by = None;
    spec.executor.count = None;
    spec.executor.elastic = None;
    spec.executor.pod_template = crate::pods::PodTemplate::default();
    spec.driver.pod_template = crate::pods::PodTemplate::default();
    spec.timeouts.run = None;
    spec.cleanup = crate::policy::Cleanup::default();
    spec
}

/// Keys that a user cannot set.
pub const RESERVED_KEYS: &[ReservedKeys] = &[
    ReservedKeys {
        exact: &[
            "spark.app.id",
            "spark.blockManager.port",
            "spark.driver.bindAddress",
            "spark.driver.blockManager.port",
            "spark.driver.host",
            "spark.driver.port",
            "spark.executor.id",
            "spark.master",
            "spark.remote",
        ],
        prefixes: &["spark.connect.grpc.binding.", "spark.kubernetes.", "spark.submit."],
        allowed: &[],
        message: "the engine sets spark.master, spark.remote, spark.submit.*, spark.kubernetes.* and the addresses of driver and executors by itself",
    },
    ReservedKeys {
        exact: &["spark.driver.cores", "spark.executor.cores", "spark.executor.instances"],
        prefixes: &["spark.driver.memory", "spark.dynamicAllocation.", "spark.executor.memory"],
        allowed: &[],
        message: "set cores, memory and the number of executors in spec.driver and spec.executor",
    },
    ReservedKeys {
        exact: &["spark.eventLog.dir", "spark.eventLog.enabled", "spark.firesteel.shuffle.url"],
        prefixes: &["spark.hadoop.fs.s3"],
        // How long requests may take and how often they are tried.
        allowed: &["spark.hadoop.fs.s3a.connection.", "spark.hadoop.fs.s3a.attempts."],
        message: "set object stores, their credentials, the shuffle's place and the event log in spec.storage",
    },
];

/// What every configuration key begins with.
pub const KEY_PREFIX: &str = "spark.";

/// What a user reads about another key.
pub const KEY_PREFIX_MESSAGE: &str = "every key must begin with spark.";

impl ReservedKeys {
    /// Whether `key` is one of them.
    pub fn holds(&self, key: &str) -> bool {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| key.starts_with(prefix));
        self.exact.contains(&key) || (begins(self.prefixes) && !begins(self.allowed))
    }

    fn cel(&self) -> String {
        let exact: Vec<String> = self.exact.iter().map(|key| format!("'{key}'")).collect();
        let allowed: String = self.allowed.iter().map(|prefix| format!(" || key.startsWith('{prefix}')")).collect();
        let prefixes = self.prefixes.iter().map(|prefix| match allowed.as_str() {
            "" => format!(" && !key.startsWith('{prefix}')"),
            allowed => format!(" && (!key.startsWith('{prefix}'){allowed})"),
        });
        format!("self.all(key, !(key in [{}]){})", exact.join(", "), prefixes.collect::<String>())
    }
}

/// Rules in the form of `x-kubernetes-validations`.
pub(crate) fn cel<T>(rules: &[Rule<T>]) -> Value {
    rules.iter().map(|rule| entry(rule.cel, rule.message)).collect()
}

pub(crate) fn cel_of_spec() -> Value {
    SPEC_TRANSITIONS.iter().map(|rule| entry(rule.cel, rule.message)).collect()
}

pub(crate) fn cel_of_conf() -> Value {
    let prefix = entry(&format!("self.all(key, key.startsWith('{KEY_PREFIX}'))"), KEY_PREFIX_MESSAGE);
    RESERVED_KEYS.iter().map(|keys| entry(&keys.cel(), keys.message)).chain([prefix]).collect()
}

fn entry(cel: &str, message: &str) -> Value {
    json!({ "rule": cel, "message": message })
}
