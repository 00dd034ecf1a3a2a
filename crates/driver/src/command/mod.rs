//! Commands: what does something rather than compute something.
//!
//! ```text
//!   run(command) --+-- view     temporary and stored views, SQL functions, variables
//!                  +-- schema   CREATE, DROP, USE, ALTER SCHEMA
//!                  +-- table    CREATE, DROP, ALTER, TRUNCATE TABLE
//!                  +-- write    df.write, INSERT, CREATE TABLE AS SELECT
//!                  +-- show     SHOW
//!                  +-- describe DESCRIBE
//!                  +-- settings SET, RESET
//!                  +-- script   BEGIN .. END
//!                  +-- cache    CACHE, UNCACHE, REFRESH TABLE
//!                  +-- listing  spark.catalog
//! ```

mod alter;
mod assign;
mod cache;
mod defaults;
mod describe;
mod details;
mod functions;
mod listing;
mod schema;
mod script;
mod settings;
mod show;
mod table;
mod view;
mod write;

use firesteel_model::{Result, SparkError};
use firesteel_spec::{Command, Plan, Relation, RelationNode};
use tokio_util::sync::CancellationToken;

pub(crate) use cache::DEFAULT_LEVEL;
pub(crate) use listing::catalog_call;
pub(crate) use view::{keep_view_columns, mode as view_mode};

use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// Runs a command to its end and gives its rows.
pub(crate) async fn run(
    session: &DriverSession,
    command: &Command,
    cancellation: &CancellationToken,
) -> Result<ReadyRows> {
    match command {
        Command::Write(write) => write::write(session, write, cancellation).await,
        Command::WriteTo(write) => write::write_to(session, write, cancellation).await,
        Command::Insert(insert) => write::insert(session, insert, cancellation).await,
        Command::CreateTable(create) => table::create(session, create, cancellation).await,
        Command::CreateTableLike { name, source, if_not_exists, format, location, properties } => {
            let like =
                table::Like { name, source, format: format.as_deref(), location: location.as_deref(), properties };
            table::create_like(session, &like, *if_not_exists).await
        }
        Command::DropTable { name, if_exists, .. } => table::drop(session, name, *if_exists, false).await,
        Command::DropView { name, if_exists } => table::drop(session, name, *if_exists, true).await,
        Command::TruncateTable { name, partition } => table::truncate(session, name, partition).await,
        Command::AlterTable { name, is_view, change } => alter::alter(session, name, *is_view, change).await,
        Command::CreateTempView { .. } | Command::CreateView(_) | Command::CreateTempViewUsing { .. } => {
            view::create(session, command).await
        }
        Command::CreateSchema { .. }
        | Command::DropSchema { .. }
        | Command::UseSchema { .. }
        | Command::AlterSchema { .. } => schema::run(session, command).await,
        Command::UseCatalog { name } => schema::use_catalog(name),
        Command::CommentOn { name, is_schema, comment } => {
            alter::comment(session, name, *is_schema, comment.as_deref()).await
        }
        Command::Show(show) => show::show(session, show).await,
        Command::Describe(describe) => describe::describe(session, describe).await,
        Command::Explain { mode, plan } => explain(session, *mode, plan).await,
        Command::Set { key, value, .. } => settings::set(session, key.as_deref(), value.as_deref()),
        Command::SetTimeZone(zone) => settings::set_time_zone(session, zone).await,
        Command::Reset { key } => settings::reset(session, key.as_deref()),
        Command::CreateFunction(_)
        | Command::RegisterPythonFunction { .. }
        | Command::RegisterPythonSource(_)
        | Command::DropFunction { .. }
        | Command::DeclareVariable { .. }
        | Command::DropVariable { .. }
        | Command::SetVariables { .. } => functions::run(session, command).await,
        Command::ExecuteImmediate { text, into, using } => {
            functions::execute_immediate(session, text, into, using, cancellation).await
        }
        Command::Script(block) => Box::pin(script::run(session, block, cancellation)).await,
        other => caching_and_the_rest(session, other).await,
    }
}

/// Commands about caches, and those that we refuse by name.
async fn caching_and_the_rest(session: &DriverSession, command: &Command) -> Result<ReadyRows> {
    match command {
        Command::RemoveCachedRemoteRelation { id } => session.drop_checkpoint(id),
        Command::ClearCache | Command::Refresh { .. } | Command::UncacheTable { .. } | Command::CacheTable { .. } => {
            return cache::run(session, command).await;
        }
        Command::RepairTable { name, .. } => {
            session.catalog().relation(name).await?;
        }
        other => return Err(SparkError::unsupported(name_of(other))),
    }
    Ok(ReadyRows::default())
}

/// The command's name for a message.
fn name_of(command: &Command) -> String {
    match command {
        Command::Unsupported(name) => name.clone(),
        Command::Delete { .. } => "DELETE on tables of files".to_owned(),
        Command::Update { .. } => "UPDATE on tables of files".to_owned(),
        Command::Merge(_) => "MERGE INTO on tables of files".to_owned(),
        Command::Analyze { .. } => "ANALYZE TABLE".to_owned(),
        Command::AddResource { kind, .. } => format!("ADD {kind}"),
        other => {
            let text = format!("{other:?}");
            text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
        }
    }
}

async fn explain(
    session: &DriverSession,
    mode: firesteel_spec::command::ExplainMode,
    plan: &Plan,
) -> Result<ReadyRows> {
    let text = match plan {
        // As in Spark, the answer tells what is wrong; the statement itself does not fail.
        Plan::Query(relation) => match crate::explain::explain(session, relation, mode).await {
            Ok(text) => text,
            Err(failure) => format!("Error occurred during query planning: \n{failure}"),
        },
        Plan::Command(command) => format!("== Physical Plan ==\nExecute {}\n", name_of(command)),
    };
    ReadyRows::text("plan", text)
}

/// The command in an SQL text, if it holds one.
pub(crate) fn sql_command(session: &DriverSession, relation: &Relation) -> Result<Option<(String, Command)>> {
    let parsed = match relation.node.as_ref() {
        RelationNode::Sql { text, named, positional } => {
            (text, crate::environment::parse(session, text, named, positional)?)
        }
        RelationNode::WithRelations { input, .. } => return sql_command(session, input),
        _ => return Ok(None),
    };
    match parsed {
        (_, Plan::Query(_)) => Ok(None),
        (text, Plan::Command(command)) => Ok(Some((text.clone(), command))),
    }
}
