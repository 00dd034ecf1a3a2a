//! `firesteel sql`: statements given, a file, or a shell.

mod complete;
mod rows;
mod shell;
mod table;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read as _, Write};
use std::path::Path;

use crate::arguments::{Format, Sql};
use crate::data::Data;
use crate::engine::{EngineConfig, SqlSession};
use crate::environment::own_python;
use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// Runs the command.
///
/// Errors: the first statement that fails; in the shell none does.
pub(crate) async fn sql(arguments: Sql) -> Result<(), Failure> {
    let text = match (&arguments.text, &arguments.file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(file)) => Some(read(file)?),
        (None, None) if !std::io::stdin().is_terminal() => Some(read(Path::new("-"))?),
        (None, None) => None,
    };
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let data = Data::of_session(&arguments.session).await?;
    let conf: BTreeMap<String, String> = arguments.session.conf();
    let config =
        EngineConfig { connections: data.connections.clone(), conf, python: own_python(), ..EngineConfig::default() };
    let session = SqlSession::open(config).await?;
    let result = match text {
        Some(text) => {
            let statements = firesteel_sql::split_statements(&text)?;
            run(&session, &statements, arguments.format, &mut interrupts).await
        }
        None => {
            tell(&data);
            shell::run(&session, arguments.format, &mut interrupts).await
        }
    };
    session.close().await;
    data.shutdown().await;
    result
}

/// Runs statements one after the other and prints their rows.
///
/// Errors: the first that fails; `Interrupted`.
pub(crate) async fn run(
    session: &SqlSession,
    statements: &[String],
    format: Format,
    interrupts: &mut Interrupts,
) -> Result<(), Failure> {
    for statement in statements {
        let work = async {
            let rows = session.execute(statement).await?;
            rows::print(rows, format, &mut std::io::stdout()).await
        };
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => result.map(|_| ())?,
            interrupt = interrupts.next() => {
                session.cancel();
                // The statement ends by itself now; the second interrupt does not wait for that.
                tokio::select! {
                    _ = &mut work => {}
                    _ = interrupts.next() => {}
                }
                return Err(Failure::Interrupted(interrupt));
            }
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(Failure::io("cannot read standard input"))?;
    Ok(text)
}

/// Says where the data folder is, apart from what a command prints.
pub(crate) fn tell(data: &Data) {
    if let Some(notice) = data.notice() {
        // Nobody reads it if standard error is closed.
        let _ = writeln!(std::io::stderr(), "{notice}");
    }
}
