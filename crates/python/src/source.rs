//! [`SourceClass`]: data sources that the user wrote: opened, read, written.
//!
//! ```text
//!   SourceClass --open--> OpenedSource --plan_read--> SourceRead: a function, and a partition for each call of it
//!        |
//!        +--plan_write--> SourceWrite: a function for each partition, whose messages `finish_write` commits
//! ```
//!
//! All of it runs in planning workers, except the functions, which run where rows are.

use std::collections::BTreeMap;

use firesteel_model::Result;

use crate::function::PythonSession;
use crate::pool::WorkerPool;
use crate::question::{Question, Step};
use crate::wire::NULL;

/// What the function of a read takes: one column, in which a partition lies pickled.
pub const READ_INPUT: &str = "partition";
/// What the function of a write gives: one column, in which its message lies pickled.
pub const WRITE_OUTPUT: &str = "message";

/// A data source as the client pickled it.
#[derive(Clone, Copy, Debug)]
pub struct SourceClass<'a> {
    /// The name that it is registered under.
    pub name: &'a str,
    /// The class, pickled.
    pub command: &'a [u8],
    /// Python's version in the client.
    pub python_version: &'a str,
}

/// An instance with its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSource {
    /// The instance.
    pub pickled: Vec<u8>,
    /// Its rows.
    pub schema: SourceSchema,
}

/// The columns of a source as it says them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSchema {
    /// `a INT, b STRING`
    Ddl(String),
    /// A struct type.
    Json(String),
}

/// A read about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRead {
    /// The function and what it returns, for `mapInArrow`.
    pub command: Vec<u8>,
    /// What it is called with, each in a task.
    pub partitions: Vec<Vec<u8>>,
}

/// A write about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceWrite {
    /// The function and what it returns, for `mapInArrow`.
    pub command: Vec<u8>,
    /// The writer, which commits.
    pub writer: Vec<u8>,
}

/// How a source is read.
#[derive(Clone, Copy, Debug)]
pub enum Pushdown<'a> {
    /// The setting for it is off: a reader that wants filters is refused.
    Off,
    /// There is nothing to push.
    Nothing,
    /// Filters as JSON, Spark's way.
    Filters(&'a str),
}

impl SourceClass<'_> {
    /// Makes an instance.
    ///
    /// Errors: `PYTHON_DATA_SOURCE_ERROR` where its code raises; the worker crashed or hangs.
    pub async fn open(
        &self,
        pool: &WorkerPool,
        session: &PythonSession,
        options: &BTreeMap<String, String>,
        user_schema_json: Option<&str>,
    ) -> Result<OpenedSource> {
        let mut question = Question::of("pyspark.sql.worker.create_data_source", session, self.python_version);
        let frame = &mut question.frame;
        frame.bytes(self.command);
        frame.text(self.name);
        frame.bool(user_schema_json.is_some());
        if let Some(schema) = user_schema_json {
            frame.text(schema);
        }
        frame.map(options);
        let mut answer = question.ask(pool, Step::Source { action: "create", part: "instance" }).await?;
        let pickled = answer.bytes().await?;
        let is_ddl = answer.int().await? == 1;
        let text = answer.text().await?;
        answer.end().await?;
        let schema = if is_ddl { SourceSchema::Ddl(text) } else { SourceSchema::Json(text) };
        Ok(OpenedSource { pickled, schema })
    }

    /// Asks an instance for its partitions and for the function that reads one.
    pub async fn plan_read(
        &self,
        pool: &WorkerPool,
        session: &PythonSession,
        instance: &[u8],
        schema_json: &str,
        pushdown: Pushdown<'_>,
    ) -> Result<SourceRead> {
        let module = match pushdown {
            Pushdown::Filters(_) => "pyspark.sql.worker.data_source_pushdown_filters",
            Pushdown::Off | Pushdown::Nothing => "pyspark.sql.worker.plan_data_source_read",
        };
        let mut question = Question::of(module, session, self.python_version);
        let frame = &mut question.frame;
        frame.bytes(instance);
        match pushdown {
            Pushdown::Filters(filters) => {
                frame.text(schema_json);
                frame.text(filters);
                frame.int(session.batch_rows_as_int());
            }
            Pushdown::Off | Pushdown::Nothing => {
                frame.text(&one_binary(READ_INPUT));
                frame.text(schema_json);
                frame.int(session.batch_rows_as_int());
                frame.bool(matches!(pushdown, Pushdown::Nothing));
                let is_streaming = false;
                frame.bool(is_streaming);
            }
        }
        frame.bool(session.has_binary_as_bytes());
        let mut answer = question.ask(pool, Step::Source { action: "initialize", part: "reader" }).await?;
        let command = answer.bytes().await?;
        answer.step = Step::Source { action: "generate", part: "read partitions" };
        let mut partitions = Vec::new();
        for _ in 0..answer.count().await? {
            partitions.push(answer.bytes().await?);
        }
        if matches!(pushdown, Pushdown::Filters(_)) {
            // Which filters the reader takes care of; all of them are applied to its rows all the same.
            for _ in 0..answer.count().await? {
                answer.int().await?;
            }
        }
        answer.end().await?;
        Ok(SourceRead { command, partitions })
    }

    /// Makes an instance and asks it for a writer, and for the function that writes a partition.
    pub async fn plan_write(
        &self,
        pool: &WorkerPool,
        session: &PythonSession,
        schema_json: &str,
        options: &BTreeMap<String, String>,
        overwrites: bool,
    ) -> Result<SourceWrite> {
        let mut question = Question::of("pyspark.sql.worker.write_into_data_source", session, self.python_version);
        let frame = &mut question.frame;
        frame.bytes(self.command);
        frame.text(self.name);
        frame.text(schema_json);
        frame.text(&one_binary(WRITE_OUTPUT));
        frame.map(options);
        frame.bool(overwrites);
        let is_streaming = false;
        frame.bool(is_streaming);
        frame.bool(session.has_binary_as_bytes());
        let mut answer = question.ask(pool, Step::Source { action: "initialize", part: "writer" }).await?;
        let (command, writer) = (answer.bytes().await?, answer.bytes().await?);
        answer.end().await?;
        Ok(SourceWrite { command, writer })
    }

    /// Tells a writer that all is written, with the message of each partition, or that it failed, with those there are.
    pub async fn finish_write(
        &self,
        pool: &WorkerPool,
        session: &PythonSession,
        writer: &[u8],
        messages: &[Option<Vec<u8>>],
        aborts: bool,
    ) -> Result<()> {
        let mut question = Question::of("pyspark.sql.worker.commit_data_source_write", session, self.python_version);
        let frame = &mut question.frame;
        frame.bytes(writer);
        frame.count(messages.len());
        for message in messages {
            match message {
                Some(message) => frame.bytes(message),
                None => frame.int(NULL),
            }
        }
        frame.bool(aborts);
        let mut answer = question.ask(pool, Step::Source { action: "commit or abort", part: "write" }).await?;
        answer.int().await?;
        answer.end().await
    }
}

/// A struct type of one column of bytes.
fn one_binary(name: &str) -> String {
    format!(r#"{{"type":"struct","fields":[{{"name":"{name}","type":"binary","nullable":true,"metadata":{{}}}}]}}"#)
}
