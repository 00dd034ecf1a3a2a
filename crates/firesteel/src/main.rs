//! `firesteel`: Spark jobs on this machine, from the command line.
//!
//! ```text
//!   run      manifest or program -> data -> program --SPARK_REMOTE--> engine
//!   connect                      engine <--Spark Connect-- the user's own client
//!   sql      statements -------> engine --> rows
//!   executor what a driver starts: runs tasks
//!   submit   jobs of a cluster, with get, logs and kill
//!   driver   run or connect, as a pod of a cluster does it; clean and s3 go with it
//! ```
//!
//! Only `engine` knows the driver; everything else is about arguments, processes, signals and output. It must not
//! know how anything is planned or run.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod arguments;
mod child;
mod clean;
mod cluster;
mod connect;
mod convert;
mod data;
mod driver;
mod engine;
mod environment;
mod execute;
mod failure;
mod interrupt;
mod job_file;
mod last_words;
mod pods;
mod program;
mod run;
mod s3;
mod sql;
mod submit_flags;
mod tail;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::submit_flags::own_first;

/// Warnings, and what Python functions print.
const LOG_DEFAULT: &str = "warn,python=info";

fn main() -> ExitCode {
    let line: Result<Vec<String>, _> = std::env::args_os().map(OsString::into_string).collect();
    // Words that are no text are refused where they stand.
    let arguments = line.map_or_else(|_| Arguments::parse(), |line| Arguments::parse_from(own_first(line)));
    let command = arguments.command;
    let filter = EnvFilter::try_from_env("FIRESTEEL_LOG").unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    log.with_ansi(std::io::stderr().is_terminal()).init();
    match perform(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_known() {
                // Nobody is left to tell if standard error is closed.
                let _ = writeln!(std::io::stderr(), "firesteel: {failure}");
            }
            failure.exit_code()
        }
    }
}

fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Version => {
            let text = concat!("firesteel ", env!("CARGO_PKG_VERSION"), " (Spark 4.2)\n");
            std::io::stdout().write_all(text.as_bytes()).map_err(Failure::io("cannot print"))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "firesteel", &mut script);
            std::io::stdout().write_all(&script).map_err(Failure::io("cannot print"))
        }
        Command::Run(arguments) => block_on(run::run(arguments)),
        Command::Connect(arguments) => block_on(connect::connect(arguments)),
        Command::Sql(arguments) => block_on(sql::sql(arguments)),
        Command::Submit(arguments) => block_on(cluster::submit(arguments)),
        Command::Get(arguments) => block_on(cluster::get(arguments)),
        Command::Logs(arguments) => block_on(cluster::logs(arguments)),
        Command::Kill(arguments) => block_on(cluster::kill(arguments)),
        Command::Convert(arguments) => convert::convert(&arguments),
        Command::Executor => block_on(async { Ok(engine::run_executor().await?) }),
        Command::Driver(arguments) => block_on(driver::driver(arguments)),
        Command::Clean(arguments) => block_on(clean::clean(arguments)),
        Command::S3(arguments) => block_on(s3::s3(arguments)),
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("cannot start threads"))?;
    let result = runtime.block_on(work);
    // What still runs was given its time; a blocked thread must not hold the exit up.
    runtime.shutdown_background();
    result
}
