//! `firesteel run`: a job on this machine.

use firesteel_k8s::{SparkJob, ignored};

use crate::arguments::Run;
use crate::child::Deadline;
use crate::data::Data;
use crate::environment::{lacks_pyspark, python};
use crate::execute::Execution;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::{job_file, sql};

/// Runs the command.
///
/// Flow: manifest or program -> data -> program -> engine -> the program's end.
///
/// Errors: the program's own exit code, a failed statement, anything wrong with the manifest.
pub(crate) async fn run(arguments: Run) -> Result<(), Failure> {
    let mut job = job_file::job(&arguments.file, &arguments.overrides)?;
    if let Some(master) = &arguments.master {
        job.spec.conf.0.insert("spark.master".to_owned(), master.clone());
    }
    if job.spec.suspend {
        let file = arguments.file.display();
        return Err(Failure::Usage(format!("{file}: the job is suspended; run it with --set suspend=false")));
    }
    let mut interrupts = Interrupts::listen().map_err(Failure::io("cannot listen for signals"))?;
    let data = Data::of_job(&job.spec.storage.connections, arguments.data.as_deref()).await?;
    sql::tell(&data);
    if let Some(sentence) = ignored::sentence(&ignored::of_job(&job.spec)) {
        tracing::warn!("{sentence}");
    }
    // A folder on this machine stands in for the store of the shuffle too.
    if let (None, Some(shuffle)) = (&data.embedded, &job.spec.storage.shuffle)
        && arguments.master.as_deref().is_some_and(|master| master.starts_with("local-cluster"))
    {
        job.spec.conf.0.insert("spark.firesteel.shuffle.url".to_owned(), shuffle.url.0.clone());
    }
    let python = python(arguments.python.as_deref(), std::env::var_os("VIRTUAL_ENV"));
    let execution = Execution {
        job: &job,
        args: &arguments.args,
        python: python.clone(),
        data: &data,
        format: arguments.format,
        deadline: deadline(&job)?,
        tail: None,
        pods: None,
        tally: None,
    };
    let result = execution.run(&mut interrupts).await;
    data.shutdown().await;
    if job.spec.main.python.is_some() && matches!(result, Err(Failure::Program(_))) && lacks_pyspark(&python).await {
        tracing::warn!("{} has no PySpark: activate the environment that has it, or give --python", python.display());
    }
    result
}

fn deadline(job: &SparkJob) -> Result<Option<Deadline>, Failure> {
    let deadline = job.spec.timeouts.run.as_ref().map(|span| {
        let after = span.parse().map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Deadline { after, text: span.to_string() })
    });
    deadline.transpose()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use firesteel_k8s::Manifest;

    use super::*;

    fn job(spec: &str) -> SparkJob {
        let text =
            format!("apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {{name: sales}}\nspec: {spec}");
        Manifest::parse(&text, "job.yaml", &[]).unwrap().into_job("job.yaml").unwrap()
    }

    #[test]
    fn the_deadline_is_the_manifests() {
        assert!(deadline(&job("{main: {sql: {text: x}}}")).unwrap().is_none());
        let deadline = deadline(&job("{main: {sql: {text: x}}, timeouts: {run: 90s}}")).unwrap().unwrap();
        assert_eq!(deadline.after.as_secs(), 90);
    }

    #[tokio::test]
    async fn a_suspended_job_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("job.yaml");
        let text = "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: x}\nspec: {suspend: true, main: {sql: {text: x}}}";
        std::fs::write(&file, text).unwrap();
        let arguments = Run {
            file,
            overrides: Vec::new(),
            python: None,
            master: None,
            data: Some(folder.path().join("data")),
            format: crate::arguments::Format::Table,
            args: Vec::new(),
        };
        let failure = run(arguments).await.unwrap_err();
        assert!(matches!(failure, Failure::Usage(_)), "{failure}");
        assert!(!Path::new(&folder.path().join("data")).exists());
    }
}
