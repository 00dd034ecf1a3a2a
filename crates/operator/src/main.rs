//! `firesteel-operator`: looks after the custom resources, and tells the cluster what they are.
//!
//! ```text
//!   run    watch --> job, schedule, server: observe --> decide (pure) --> apply --> the cluster
//!          leader (a Lease), health (metrics), events
//!   crds   types (firesteel-k8s) --> crds/*.yaml       what kubectl apply installs
//!   docs                         --> docs/sparkjob.md  what a user reads
//! ```
//!
//! It must not link DataFusion, nor anything of the engine.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod access;
mod cluster;
mod context;
mod events;
#[cfg(test)]
mod fake_api_tests;
#[cfg(test)]
mod fixtures;
mod health;
mod job;
mod leader;
mod metrics;
mod output;
mod run;
mod schedule;
mod server;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::settings::Settings;

#[derive(Parser)]
#[command(name = "firesteel-operator", version, about = "Runs Spark jobs on Kubernetes")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look after SparkJobs, ScheduledSparkJobs and SparkConnectServers until SIGTERM.
    Run(Box<Settings>),
    /// Print the CustomResourceDefinitions, or write them to a folder, one file each.
    Crds {
        /// Folder that gets one file per definition.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Write nothing; fail if the folder's files are not up to date.
        #[arg(long, requires = "out")]
        check: bool,
    },
    /// Print the page that explains every field, or write it to a file.
    Docs {
        /// File that gets the page.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Write nothing; fail if the file is not up to date.
        #[arg(long, requires = "out")]
        check: bool,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(settings) => run(*settings),
        Command::Crds { out, check } => output::crds(out.as_deref(), check).map_err(|error| error.to_string()),
        Command::Docs { out, check } => output::docs(out.as_deref(), check).map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings) -> Result<(), String> {
    let filter = EnvFilter::try_from_env("FIRESTEEL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start threads: {error}"))?;
    runtime.block_on(run::run(settings)).map_err(|error| error.to_string())
}
