//! Functions and variables written in SQL; EXECUTE IMMEDIATE.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_model::{ErrorContext, Result, SparkError, error_class};
use firesteel_spec::command::{CreateFunction, FunctionBody};
use firesteel_spec::expr::PythonUdf;
use firesteel_spec::types::quote_name;
use firesteel_spec::{Command, DataType, Expr, ExprNode, Literal, Plan, Relation, RelationNode};
use tokio_util::sync::CancellationToken;

use crate::planning;
use crate::query;
use crate::rows::{ReadyRows, literal_of};
use crate::session::DriverSession;

pub(super) async fn run(session: &DriverSession, command: &Command) -> Result<ReadyRows> {
    match command {
        Command::CreateFunction(create) => create_function(session, create)?,
        Command::RegisterPythonFunction { function, is_table_function } => {
            register_python(session, function, *is_table_function);
        }
        Command::RegisterPythonSource(source) => crate::python_source::register(session, source)?,
        Command::DropFunction { name, if_exists, .. } => {
            if !session.catalog().drop_function(name) && !if_exists {
                return Err(not_found(name));
            }
        }
        Command::DeclareVariable { names, data_type, default, replace } => {
            for name in names {
                declare(session, name, data_type.as_ref(), default.as_ref(), *replace).await?;
            }
        }
        Command::DropVariable { name, if_exists } => {
            let last = name.last().map(String::as_str).unwrap_or_default();
            if !session.catalog().drop_variable(last) && !if_exists {
                return Err(no_variable(name));
            }
        }
        Command::SetVariables { assignments, query } => set_variables(session, assignments, query.as_ref()).await?,
        _ => return Err(SparkError::internal("this command is not about functions")),
    }
    Ok(ReadyRows::default())
}

fn create_function(session: &DriverSession, create: &CreateFunction) -> Result<()> {
    if let FunctionBody::JvmClass(class) = &create.body {
        return Err(SparkError::unsupported(format!("functions in JVM classes ({class})")));
    }
    if session.catalog().function(&create.name).is_some() && !create.replace {
        if create.if_not_exists {
            return Ok(());
        }
        return Err(SparkError::new(&error_class::ROUTINE_ALREADY_EXISTS)
            .param("routineName", quote_name(&create.name))
            .param("newRoutineType", "routine")
            .param("existingRoutineType", "routine"));
    }
    session.catalog().create_function(create.clone());
    Ok(())
}

/// `spark.udf.register` and `spark.udtf.register`: what had the name before is replaced.
fn register_python(session: &DriverSession, function: &Arc<PythonUdf>, is_table_function: bool) {
    session.catalog().create_function(CreateFunction {
        name: vec![function.name.clone()],
        parameters: Vec::new(),
        returns: None,
        returns_table: is_table_function.then(Vec::new),
        body: FunctionBody::Python(Arc::clone(function)),
        replace: true,
        if_not_exists: false,
        is_temporary: true,
        comment: None,
    });
}

async fn declare(
    session: &DriverSession,
    name: &[String],
    data_type: Option<&DataType>,
    default: Option<&Expr>,
    replace: bool,
) -> Result<()> {
    let is_local = session.catalog().scopes() > 0;
    if !is_local && session.catalog().variable(name).is_some() && !replace {
        return Err(SparkError::new(&error_class::VARIABLE_ALREADY_EXISTS).param("variableName", quote_name(name)));
    }
    let null = Expr::literal(Literal::Null(DataType::Null));
    let value = default.unwrap_or(&null);
    let (value_type, literal) = match data_type {
        Some(data_type) => (data_type.clone(), evaluate(session, &cast(value, data_type)).await?.1),
        None => evaluate(session, value).await?,
    };
    let last = name.last().map(String::as_str).unwrap_or_default();
    if is_local {
        session.catalog().declare_local(last, value_type, literal);
    } else {
        session.catalog().set_variable(name, value_type, literal);
    }
    Ok(())
}

fn cast(value: &Expr, data_type: &DataType) -> Expr {
    let cast = ExprNode::Cast {
        child: value.clone(),
        target: firesteel_spec::expr::CastTarget::Type(data_type.clone()),
        mode: firesteel_spec::expr::CastMode::Session,
    };
    // Nobody wrote it: the whole statement is its place.
    Expr { span: planning::command_span(), ..Expr::new(cast) }
}

async fn set_variables(
    session: &DriverSession,
    assignments: &[(Vec<String>, Expr)],
    query: Option<&Relation>,
) -> Result<()> {
    let mut values = Vec::new();
    match query {
        Some(query) => {
            let row = first_row(session, query).await?;
            values.extend(row.into_iter().map(|(_, value)| Expr::literal(value)));
            values.resize(assignments.len(), Expr::literal(Literal::Null(DataType::Null)));
        }
        None => values.extend(assignments.iter().map(|(_, value)| value.clone())),
    }
    let mut evaluated = Vec::new();
    for ((name, _), value) in assignments.iter().zip(values) {
        let (data_type, _) = session.catalog().variable(name).ok_or_else(|| no_variable(name))?;
        let (_, literal) = evaluate(session, &cast(&value, &data_type)).await?;
        evaluated.push((name, data_type, literal));
    }
    for (name, data_type, literal) in evaluated {
        session.catalog().set_variable(name, data_type, literal);
    }
    Ok(())
}

/// The value of an expression without input.
pub(super) async fn evaluate(session: &DriverSession, expr: &Expr) -> Result<(DataType, Literal)> {
    let input = Relation::new(RelationNode::OneRow);
    let node = RelationNode::Project { input, items: vec![expr.clone().alias("value")] };
    let mut row = first_row(session, &Relation::new(node)).await?;
    row.pop().ok_or_else(|| SparkError::internal("an expression without a value"))
}

/// Rows as literals.
pub(super) fn literals(rows: &ReadyRows) -> Result<Vec<Vec<Literal>>> {
    let mut found = Vec::new();
    for batch in &rows.batches {
        for row in 0..batch.num_rows() {
            let mut values = Vec::new();
            for (field, column) in rows.fields.iter().zip(batch.columns()) {
                let value = ScalarValue::try_from_array(column, row);
                let value = value.map_err(firesteel_functions::errors::from_datafusion)?;
                values.push(literal_of(&value, &field.data_type));
            }
            found.push(values);
        }
    }
    Ok(found)
}

/// The first row of a query; empty where it has none.
async fn first_row(session: &DriverSession, query: &Relation) -> Result<Vec<(DataType, Literal)>> {
    let prepared = planning::prepared(session, query).await?;
    let rows = query::rows_of(session, prepared, session.cancellation()).await?;
    let types = rows.fields.iter().map(|field| field.data_type.clone());
    Ok(literals(&rows)?.into_iter().next().map(|row| types.zip(row).collect()).unwrap_or_default())
}

/// EXECUTE IMMEDIATE
pub(super) async fn execute_immediate(
    session: &DriverSession,
    text: &Expr,
    into: &[Vec<String>],
    using: &[Expr],
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    let (_, literal) = evaluate(session, text).await?;
    let Literal::String(text) = literal else {
        return Err(SparkError::new(&error_class::NOT_A_CONSTANT_STRING)
            .param("name", "EXECUTE IMMEDIATE")
            .param("expr", "\"NULL\""));
    };
    let (mut named, mut positional) = (Vec::new(), Vec::new());
    for value in using {
        match value.node.as_ref() {
            ExprNode::Alias { child, names, .. } if names.len() == 1 => named.push((names[0].clone(), child.clone())),
            _ => positional.push(value.clone()),
        }
    }
    let parsed = crate::environment::parse(session, &text, &named, &positional);
    if let Plan::Command(command) = parsed.map_err(|failure| within(failure, &text))? {
        let work = Box::pin(super::run(session, &command, cancellation));
        return planning::with_text(text, work).await;
    }
    let query = Relation::new(RelationNode::Sql { text, named, positional });
    if into.is_empty() {
        let prepared = planning::prepared(session, &query).await?;
        return query::rows_of(session, prepared, cancellation).await;
    }
    let targets: Vec<_> =
        into.iter().map(|name| (name.clone(), Expr::literal(Literal::Null(DataType::Null)))).collect();
    set_variables(session, &targets, Some(&query)).await?;
    Ok(ReadyRows::default())
}

/// A failure to read the text of EXECUTE IMMEDIATE, which is somewhere in it.
fn within(failure: SparkError, text: &str) -> SparkError {
    if !failure.contexts().is_empty() {
        return failure;
    }
    let last = u32::try_from(text.chars().count().saturating_sub(1)).unwrap_or(u32::MAX);
    let place = ErrorContext::of_sql(text, 0, last);
    failure.context(ErrorContext { object_type: "EXECUTE IMMEDIATE".to_owned(), ..place })
}

fn not_found(name: &[String]) -> SparkError {
    SparkError::new(&error_class::ROUTINE_NOT_FOUND).param("routineName", quote_name(name))
}

fn no_variable(name: &[String]) -> SparkError {
    SparkError::new(&error_class::VARIABLE_NOT_FOUND)
        .param("variableName", quote_name(name))
        .param("searchPath", "`system`.`session`")
}
