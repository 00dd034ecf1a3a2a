//! Commands: what the engine runs, and what is answered here.

use firesteel_model::{Result, SparkError};
use firesteel_spec::command::Command;
use firesteel_spec::relation::Relation;
use spark_connect_proto as proto;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::expression::Literal;
use spark_connect_proto::expression::literal::{Array, LiteralType};
use spark_connect_proto::ml_command::Command as MlCommandType;
use spark_connect_proto::ml_command_result::ResultType;

use super::catalog::level_name;
use super::relation::relation;
use super::{function, merge, missing, write};
use crate::request::Request;

/// A plan to be executed.
pub(crate) enum Execution {
    /// By the engine.
    Run(Request),
    /// Not at all: this is the answer.
    Reply(ResponseType),
}

/// A command.
pub(crate) fn command(message: proto::Command) -> Result<Execution> {
    let kind = message.command_type.ok_or_else(|| missing("the kind of a command"))?;
    let command = match kind {
        CommandType::SqlCommand(sql) => return Ok(Execution::Run(Request::Sql(sql_input(sql)?))),
        CommandType::GetResourcesCommand(_) => {
            return Ok(Execution::Reply(ResponseType::GetResourcesCommandResult(Default::default())));
        }
        CommandType::MlCommand(ml) => return machine_learning(ml),
        CommandType::RegisterFunction(udf) => {
            Command::RegisterPythonFunction { function: function::python_udf(udf)?, is_table_function: false }
        }
        CommandType::RegisterTableFunction(udtf) => Command::RegisterPythonFunction {
            function: function::python_table_function(udtf)?,
            is_table_function: true,
        },
        CommandType::RegisterDataSource(source) => Command::RegisterPythonSource(function::python_source(source)?),
        CommandType::WriteOperation(operation) => write::write(operation)?,
        CommandType::WriteOperationV2(operation) => write::write_to(operation)?,
        CommandType::MergeIntoTableCommand(message) => merge::merge(message)?,
        CommandType::CreateDataframeView(view) => Command::CreateTempView {
            name: view.name,
            is_global: view.is_global,
            replace: view.replace,
            query: relation(view.input.ok_or_else(|| missing("the input of a view"))?)?,
            columns: Vec::new(),
        },
        CommandType::CheckpointCommand(checkpoint) => Command::Checkpoint {
            input: relation(checkpoint.relation.ok_or_else(|| missing("the relation of a checkpoint"))?)?,
            is_local: checkpoint.local,
            is_eager: checkpoint.eager,
            level: checkpoint.storage_level.map(|level| level_name(&level)),
        },
        CommandType::RemoveCachedRemoteRelationCommand(remove) => Command::RemoveCachedRemoteRelation {
            id: remove.relation.ok_or_else(|| missing("the relation to remove"))?.relation_id,
        },
        other => return Err(SparkError::unsupported(unsupported_name(other))),
    };
    Ok(Execution::Run(Request::Command(command)))
}

fn unsupported_name(kind: CommandType) -> String {
    match kind {
        CommandType::WriteStreamOperationStart(_) => "streaming queries (writeStream)".to_owned(),
        CommandType::StreamingQueryCommand(_) => "streaming queries (StreamingQuery)".to_owned(),
        CommandType::StreamingQueryManagerCommand(_) => "streaming queries (spark.streams)".to_owned(),
        CommandType::StreamingQueryListenerBusCommand(_) => "streaming query listeners".to_owned(),
        CommandType::CreateResourceProfileCommand(_) => "resource profiles".to_owned(),
        CommandType::ExecuteExternalCommand(external) => format!("the external command runner {}", external.runner),
        CommandType::PipelineCommand(_) => "declarative pipelines".to_owned(),
        CommandType::Extension(any) => format!("the command {}", any.type_url),
        _ => "this command".to_owned(),
    }
}

// Clients before 4.0 send the text and its arguments in the command itself.
#[allow(deprecated)]
fn sql_input(sql: proto::SqlCommand) -> Result<Relation> {
    match sql.input {
        Some(input) => relation(input),
        None => Ok(Relation::new(super::source::sql(proto::Sql {
            query: sql.sql,
            args: sql.args,
            pos_args: sql.pos_args,
            named_arguments: sql.named_arguments,
            pos_arguments: sql.pos_arguments,
        })?)),
    }
}

/// At its exit every client asks to clean the models cached for it: there are none.
fn machine_learning(ml: proto::MlCommand) -> Result<Execution> {
    let param = match ml.command {
        Some(MlCommandType::CleanCache(_)) => LiteralType::Boolean(true),
        Some(MlCommandType::GetCacheInfo(_)) => LiteralType::Array(Array::default()),
        _ => return Err(SparkError::unsupported("machine learning")),
    };
    let literal = Literal { literal_type: Some(param), data_type: None };
    let result = proto::MlCommandResult { result_type: Some(ResultType::Param(literal)) };
    Ok(Execution::Reply(ResponseType::MlCommandResult(result)))
}
