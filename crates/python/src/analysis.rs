//! [`analyze_table_function`]: what a table function's `analyze` method says of a call.

use firesteel_model::Result;

use crate::function::{PythonCommand, PythonSession};
use crate::pickle::PythonValue;
use crate::pool::WorkerPool;
use crate::question::{Question, Step};

/// An argument as `analyze` sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyzeArgument {
    /// The parameter's name, where it is given by name.
    pub name: Option<String>,
    /// Spark's type as JSON.
    pub type_json: String,
    /// Its value, where it is known before any row.
    pub constant: Option<PythonValue>,
    /// Whether it is a table.
    pub is_table: bool,
}

/// What `analyze` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The rows that the call gives: Spark's struct type as JSON.
    pub schema_json: String,
    /// The answer itself, pickled: the function's instances get it.
    pub pickled: Vec<u8>,
    /// Whether one instance is to see all rows of the table.
    pub is_single: bool,
    /// SQL expressions by which the table is to be partitioned.
    pub partition_by: Vec<String>,
    /// How the rows of a partition are to be sorted.
    pub order_by: Vec<AnalyzedOrder>,
    /// What of the table's rows the function wants; empty is all.
    pub select: Vec<AnalyzedColumn>,
}

/// A key that rows are to be sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzedOrder {
    /// SQL.
    pub expression: String,
    /// Unless descending.
    pub ascending: bool,
    /// Where nulls go, if not where they go by themselves.
    pub nulls_first: Option<bool>,
}

/// A column that the function wants of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzedColumn {
    /// SQL.
    pub expression: String,
    /// Its name, if it gets one.
    pub alias: String,
}

/// Calls `analyze`.
///
/// Errors: `TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON` with the traceback; the worker crashed or hangs.
pub async fn analyze_table_function(
    pool: &WorkerPool,
    session: &PythonSession,
    command: &PythonCommand,
    arguments: &[AnalyzeArgument],
) -> Result<Analysis> {
    let mut question = Question::of("pyspark.sql.worker.analyze_udtf", session, &command.python_version);
    let frame = &mut question.frame;
    frame.text(&command.name);
    frame.bytes(&command.command);
    frame.count(arguments.len());
    for argument in arguments {
        frame.text(&argument.type_json);
        frame.bool(argument.constant.is_some());
        if let Some(constant) = &argument.constant {
            frame.bytes(&constant.pickled());
        }
        frame.bool(argument.is_table);
        frame.bool(argument.name.is_some());
        if let Some(name) = &argument.name {
            frame.text(name);
        }
    }
    let mut answer = question.ask(pool, Step::Analyze).await?;
    let mut analysis =
        Analysis { schema_json: answer.text().await?, pickled: answer.bytes().await?, ..Analysis::default() };
    analysis.is_single = answer.int().await? != 0;
    for _ in 0..answer.count().await? {
        analysis.partition_by.push(answer.text().await?);
    }
    for _ in 0..answer.count().await? {
        let (expression, ascending) = (answer.text().await?, answer.int().await? != 0);
        let nulls_first = match answer.int().await? {
            0 => None,
            place => Some(place == 1),
        };
        analysis.order_by.push(AnalyzedOrder { expression, ascending, nulls_first });
    }
    for _ in 0..answer.count().await? {
        let (expression, alias) = (answer.text().await?, answer.text().await?);
        analysis.select.push(AnalyzedColumn { expression, alias });
    }
    answer.end().await?;
    Ok(analysis)
}
