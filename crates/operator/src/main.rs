//! `firesteel-operator`: what the cluster needs to know about the custom resources.
//!
//! ```text
//!   types (firesteel-k8s) --crds--> crds/*.yaml       what kubectl apply installs
//!                         --docs--> docs/sparkjob.md  what a user reads
//! ```
//!
//! It must not link DataFusion, nor anything of the engine.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "firesteel-operator", version, about = "Custom resources of Firesteel on Kubernetes")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Command::Crds { out, check } => output::crds(out.as_deref(), *check),
        Command::Docs { out, check } => output::docs(out.as_deref(), *check),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::FAILURE
        }
    }
}
