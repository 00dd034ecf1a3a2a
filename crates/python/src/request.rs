//! [`Request`]: what a worker is told before its data.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::eval_type::EvalType;
use crate::function::{PythonCommand, PythonSession};
use crate::wire::Frame;

/// The setting that tells a worker which arguments are tables.
const TABLE_ARGUMENTS: &str = "table_arg_offsets";

/// The task that asks, as `TaskContext` shows it to the function.
#[derive(Clone, Debug, Default)]
pub struct TaskInfo {
    /// The stage.
    pub stage: u64,
    /// The partition of the data.
    pub partition: usize,
    /// Which try it is, from 0.
    pub attempt: u32,
    /// A number of the attempt, unique in the application.
    pub attempt_id: u64,
    /// Job group, description and the like.
    pub local_properties: BTreeMap<String, String>,
}

/// An argument: a column of the data, by place, and its name where the function takes it by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Serialize, Deserialize)]
pub struct Argument {
    /// The column.
    pub offset: usize,
    /// The parameter's name.
    pub name: Option<String>,
}

/// A function and those that take its result, innermost first.
#[derive(Clone, Debug)]
pub struct Udf<'a> {
    /// What the innermost takes; for groups, the places of keys and values.
    pub arguments: Vec<Argument>,
    /// The functions.
    pub chain: Vec<&'a PythonCommand>,
}

/// How a table function is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableFunction {
    /// What it takes.
    pub arguments: Vec<Argument>,
    /// Which arguments are tables, by place.
    pub tables: Vec<usize>,
    /// Places of the TABLE argument's columns that tell where a partition ends; the function does not see them.
    pub partition_columns: Vec<usize>,
    /// What its `analyze` method gave, pickled.
    pub analyzed: Option<Vec<u8>>,
    /// The rows it gives: Spark's struct type as JSON.
    pub returns_json: String,
}

/// What a worker is told before its data.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) head: Frame,
    pub(crate) python_version: String,
    pub(crate) idle_timeout_s: u64,
}

impl Request {
    /// A request to call these functions.
    pub fn of_udfs(
        session: &PythonSession,
        task: &TaskInfo,
        eval_type: EvalType,
        conf: &BTreeMap<String, String>,
        eval_conf: &BTreeMap<String, String>,
        udfs: &[Udf<'_>],
    ) -> Self {
        let version = udfs.iter().flat_map(|udf| &udf.chain).map(|command| command.python_version.as_str()).next();
        let mut request = Self::begin(session, task, version.unwrap_or_default(), eval_type, conf, eval_conf);
        let frame = &mut request.head;
        frame.count(udfs.len());
        for udf in udfs {
            frame.arguments(&udf.arguments);
            frame.count(udf.chain.len());
            for command in &udf.chain {
                frame.bytes(&command.command);
            }
            frame.long(udf.profile_id());
        }
        request
    }

    /// A request to call a table function.
    pub fn of_table_function(
        session: &PythonSession,
        task: &TaskInfo,
        command: &PythonCommand,
        eval_conf: &BTreeMap<String, String>,
        call: &TableFunction,
    ) -> Self {
        let (version, eval_type) = (&command.python_version, command.eval_type);
        let mut eval_conf = eval_conf.clone();
        if eval_type == EvalType::ARROW_TABLE_OF_BATCHES {
            let tables: Vec<String> = call.tables.iter().map(usize::to_string).collect();
            eval_conf.insert(TABLE_ARGUMENTS.to_owned(), tables.join(","));
        }
        let mut request = Self::begin(session, task, version, eval_type, &BTreeMap::new(), &eval_conf);
        let frame = &mut request.head;
        frame.arguments(&call.arguments);
        frame.count(call.partition_columns.len());
        for place in &call.partition_columns {
            frame.count(*place);
        }
        frame.bool(call.analyzed.is_some());
        if let Some(analyzed) = &call.analyzed {
            frame.bytes(analyzed);
        }
        frame.bytes(&command.command);
        frame.text(&call.returns_json);
        frame.text(&command.name);
        request
    }

    fn begin(
        session: &PythonSession,
        task: &TaskInfo,
        python_version: &str,
        eval_type: EvalType,
        conf: &BTreeMap<String, String>,
        eval_conf: &BTreeMap<String, String>,
    ) -> Self {
        let mut frame = Frame::default();
        frame.int(i32::try_from(task.partition).unwrap_or(i32::MAX));
        frame.text(python_version);
        frame.text(&task.json());
        frame.surroundings(session);
        frame.int(eval_type.0);
        let mut runner = session.conf.clone();
        runner.extend(conf.iter().map(|(key, value)| (key.clone(), value.clone())));
        frame.map(&runner);
        frame.map(eval_conf);
        Self { head: frame, python_version: python_version.to_owned(), idle_timeout_s: session.idle_timeout_s }
    }
}

impl Udf<'_> {
    /// Under which number the profiler keeps it: the same in every query.
    fn profile_id(&self) -> i64 {
        let mut hasher = DefaultHasher::new();
        self.chain.iter().for_each(|command| command.command.hash(&mut hasher));
        i64::from(hasher.finish() as u32)
    }
}

impl Frame {
    /// Where modules and files lie.
    pub(crate) fn surroundings(&mut self, session: &PythonSession) {
        self.path(&session.files);
        self.count(session.includes.len());
        for include in &session.includes {
            self.path(include);
        }
        // No broadcasts, and no server that decrypts them.
        self.bool(false);
        self.int(0);
    }

    pub(crate) fn arguments(&mut self, arguments: &[Argument]) {
        self.count(arguments.len());
        for argument in arguments {
            self.count(argument.offset);
            self.bool(argument.name.is_some());
            if let Some(name) = &argument.name {
                self.text(name);
            }
        }
    }
}

impl Argument {
    /// A column taken by its place among the arguments.
    pub fn positional(offset: usize) -> Self {
        Self { offset, name: None }
    }
}

impl TaskInfo {
    fn json(&self) -> String {
        serde_json::json!({
            "isBarrier": false,
            "stageId": self.stage,
            "partitionId": self.partition,
            "attemptNumber": self.attempt,
            "taskAttemptId": self.attempt_id,
            "cpus": 1,
            "resources": {},
            "localProperties": self.local_properties,
        })
        .to_string()
    }
}
