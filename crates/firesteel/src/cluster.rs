//! `firesteel submit`, `get`, `logs` and `kill`: jobs of the cluster that the user's kubeconfig names.

use std::io::{self, Write};

use firesteel_k8s::SparkJob;
use firesteel_submit::{Ended, Jobs, Program, Screen, SubmitError, details, draft, table};
use jiff::Timestamp;

use crate::arguments::{Get, Kill, Logs, Place, Submit};
use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// Submits a job and stays until it has ended, unless told not to.
pub(crate) async fn submit(arguments: Submit) -> Result<(), Failure> {
    let Submit { place, executors, image, overrides, detach, dry_run, words } = arguments;
    let drafted = draft(&Program { words, executors, image, overrides })?;
    for sentence in &drafted.left_out {
        tell(&format!("not carried over: {sentence}"));
    }
    let mut job = drafted.job;
    if dry_run {
        let text = serde_saphyr::to_string(&job).map_err(|error| Failure::Usage(error.to_string()))?;
        return print(&text);
    }
    let jobs = connect(&place, Some(&job)).await?;
    if place.namespace.is_some() {
        job.metadata.namespace = place.namespace;
    }
    let name = jobs.submit(&job).await?;
    if detach {
        return print(&format!("{name}\n"));
    }
    tell(&format!("sparkjob/{name}"));
    follow(&jobs, &name).await
}

/// Lists the namespace's jobs, or shows one.
pub(crate) async fn get(arguments: Get) -> Result<(), Failure> {
    let jobs = connect(&arguments.place, None).await?;
    let lines = match &arguments.name {
        Some(name) => details(&jobs.get(name).await?, Timestamp::now()),
        None => table(&jobs.list().await?, Timestamp::now()),
    };
    if lines.is_empty() {
        tell("there are no jobs in this namespace");
    }
    lines.iter().try_for_each(|line| print(&format!("{line}\n")))
}

/// Prints what a job's program has printed; with `follow`, until the job has ended.
pub(crate) async fn logs(arguments: Logs) -> Result<(), Failure> {
    let jobs = connect(&arguments.place, None).await?;
    if arguments.follow {
        follow(&jobs, &arguments.name).await
    } else {
        Ok(jobs.logs(&arguments.name, &mut Terminal).await?)
    }
}

/// Ends a job and takes it away.
pub(crate) async fn kill(arguments: Kill) -> Result<(), Failure> {
    let jobs = connect(&arguments.place, None).await?;
    jobs.kill(&arguments.name).await?;
    tell(&format!("{} is gone", arguments.name));
    Ok(())
}

/// The namespace is the flag's, else the job's own, else the context's.
async fn connect(place: &Place, job: Option<&SparkJob>) -> Result<Jobs, Failure> {
    let own = job.and_then(|job| job.metadata.namespace.as_deref());
    Ok(Jobs::connect(place.context.as_deref(), place.namespace.as_deref().or(own)).await?)
}

async fn follow(jobs: &Jobs, name: &str) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let mut terminal = Terminal;
    let ended = tokio::select! {
        ended = jobs.follow(name, &mut terminal) => ended?,
        interrupt = interrupts.next() => {
            tell(&format!("the job goes on: firesteel logs -f {name}, firesteel kill {name}"));
            return Err(Failure::Interrupted(interrupt));
        }
    };
    match ended {
        Ended { succeeded: true, .. } => Ok(()),
        // Its story has been told.
        Ended { exit_code, .. } => Err(Failure::Program(
            exit_code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1),
        )),
    }
}

/// The program's output on standard output, the job's story beside it.
struct Terminal;

impl Screen for Terminal {
    fn tell(&mut self, line: &str) -> io::Result<()> {
        tell(line);
        Ok(())
    }

    fn print(&mut self, line: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{line}")
    }
}

fn tell(line: &str) {
    // The job goes on if nobody reads it.
    let _ = writeln!(io::stderr(), "{line}");
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout().write_all(text.as_bytes()).map_err(Failure::io("cannot print"))
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Print(source) => Self::Io { action: "cannot print", source },
            error => Self::Cluster(error),
        }
    }
}
