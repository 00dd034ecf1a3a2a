//! Calls, and functions that the client pickled.

use std::sync::Arc;

use firesteel_model::{Result, SparkError};
use firesteel_spec::expr::{ExprNode, FunctionCall, PythonSource, PythonUdf};
use spark_connect_proto as proto;
use spark_connect_proto::common_inline_user_defined_data_source::DataSource;
use spark_connect_proto::common_inline_user_defined_function::Function;
use spark_connect_proto::common_inline_user_defined_table_function::Function as TableFunction;

use super::data_type::cast_target;
use super::expression::expressions;
use super::{missing, name};

/// A call by name; `when` becomes a CASE.
pub(crate) fn unresolved(call: proto::expression::UnresolvedFunction) -> Result<ExprNode> {
    let mut arguments = expressions(call.arguments)?;
    if call.function_name == "when" && !call.is_user_defined_function && arguments.len() >= 2 {
        let otherwise = if arguments.len() % 2 == 1 { arguments.pop() } else { None };
        let mut branches = Vec::with_capacity(arguments.len() / 2);
        let mut rest = arguments.into_iter();
        while let (Some(condition), Some(value)) = (rest.next(), rest.next()) {
            branches.push((condition, value));
        }
        return Ok(ExprNode::Case { operand: None, branches, otherwise });
    }
    let parts =
        if call.is_user_defined_function { name::parts(&call.function_name)? } else { vec![call.function_name] };
    Ok(ExprNode::Function(FunctionCall {
        is_distinct: call.is_distinct,
        is_internal: !call.is_user_defined_function,
        ..FunctionCall::named(parts, arguments)
    }))
}

/// A function sent inline.
pub(crate) fn python_udf(message: proto::CommonInlineUserDefinedFunction) -> Result<Arc<PythonUdf>> {
    let python = match message.function.ok_or_else(|| missing("the body of a user-defined function"))? {
        Function::PythonUdf(python) => python,
        Function::ScalarScalaUdf(_) => return Err(SparkError::unsupported("Scala functions")),
        Function::JavaUdf(java) => {
            return Err(SparkError::unsupported(format!("the Java function {}", java.class_name)));
        }
    };
    let output_type = python.output_type.ok_or_else(|| missing("the output type of a Python function"))?;
    Ok(Arc::new(PythonUdf {
        name: message.function_name,
        arguments: expressions(message.arguments)?,
        deterministic: message.deterministic,
        eval_type: python.eval_type,
        output_type: Some(cast_target(output_type)?),
        command: python.command.into(),
        python_version: python.python_ver,
        is_distinct: message.is_distinct,
    }))
}

/// A function over rows, sent inline.
pub(crate) fn required_udf(
    message: Option<proto::CommonInlineUserDefinedFunction>,
    what: &str,
) -> Result<Arc<PythonUdf>> {
    python_udf(message.ok_or_else(|| missing(what))?)
}

/// A table function sent inline; without a type where its `analyze` method is to be asked for it.
pub(crate) fn python_table_function(message: proto::CommonInlineUserDefinedTableFunction) -> Result<Arc<PythonUdf>> {
    let TableFunction::PythonUdtf(python) =
        message.function.ok_or_else(|| missing("the body of a user-defined table function"))?;
    let output_type = python.return_type.map(cast_target).transpose()?;
    Ok(Arc::new(PythonUdf {
        name: message.function_name,
        arguments: expressions(message.arguments)?,
        deterministic: message.deterministic,
        eval_type: python.eval_type,
        output_type,
        command: python.command.into(),
        python_version: python.python_ver,
        is_distinct: false,
    }))
}

/// A data source sent inline.
pub(crate) fn python_source(message: proto::CommonInlineUserDefinedDataSource) -> Result<Arc<PythonSource>> {
    let DataSource::PythonDataSource(python) =
        message.data_source.ok_or_else(|| missing("the body of a user-defined data source"))?;
    Ok(Arc::new(PythonSource { name: message.name, command: python.command.into(), python_version: python.python_ver }))
}
