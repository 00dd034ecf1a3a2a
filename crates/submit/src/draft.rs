//! What is to be submitted, as a manifest.

use std::path::Path;

use firesteel_k8s::convert::{Converted, from_command};
use firesteel_k8s::{Manifest, Override, SparkJob};
use serde_json::{Value, json};

use crate::SubmitError;

/// Programs up to this size travel inside the manifest; the API server takes objects up to 1.5 MiB.
const PROGRAM_BYTES_MAX: u64 = 512 * 1024;

/// Characters of the suffix that lets one script be submitted again and again.
const SUFFIX: usize = 5;

/// Characters of a job's name before the suffix: names of pods are made from it.
const STEM_MAX: usize = 40;

/// What the command line says beside the program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// A manifest, or the words of `spark-submit`.
    pub words: Vec<String>,
    /// A fixed number of executors.
    pub executors: Option<u32>,
    /// The image of driver and executors.
    pub image: Option<String>,
    /// Fields that replace those of the manifest.
    pub overrides: Vec<Override>,
}

/// A job, and what could not be carried over.
#[derive(Debug)]
pub struct Draft {
    /// The job, valid.
    pub job: SparkJob,
    /// What of the command line has no counterpart, a sentence each.
    pub left_out: Vec<String>,
}

/// Reads what the words name: a manifest, a SQL file or a script of this machine, or a script in a bucket.
///
/// Errors: no such file, a flag that makes no sense, a manifest that is not valid.
pub fn draft(program: &Program) -> Result<Draft, SubmitError> {
    if let [file] = program.words.as_slice()
        && has_ending(file, &["yaml", "yml"])
    {
        let job = Manifest::parse(&read(file)?, file, &program.overrides()?)?.into_job(file)?;
        return Ok(Draft { job, left_out: Vec::new() });
    }
    let mut converted = converted(&program.words)?;
    rename(&mut converted.job, &suffix());
    let file = "the command line";
    let job = Manifest::parse(&converted.to_yaml()?, file, &program.overrides()?)?.into_job(file)?;
    Ok(Draft { job, left_out: converted.left_out })
}

impl Program {
    fn overrides(&self) -> Result<Vec<Override>, SubmitError> {
        let count = self.executors.map(|count| format!("executor.count={count}"));
        let image = self.image.as_ref().map(|image| format!("image={image}"));
        let parse = |text: String| text.parse::<Override>().map_err(|error| SubmitError::Flag(error.to_string()));
        let named = count.into_iter().chain(image).map(parse);
        self.overrides.iter().cloned().map(Ok).chain(named).collect()
    }
}

/// The words as spark-submit reads them; a file of this machine goes into the manifest.
fn converted(words: &[String]) -> Result<Converted, SubmitError> {
    if let [file] = words
        && has_ending(file, &["sql"])
    {
        let job = job_of(Path::new(file), &json!({"sql": {"text": read(file)?}}));
        return Ok(Converted { job, left_out: Vec::new(), to_add: Vec::new() });
    }
    let mut converted = from_command(words)?;
    // The first word that is a script of this machine is the program: what follows are its arguments.
    let script =
        words.iter().find(|word| has_ending(word, &["py"]) && !word.contains("://") && Path::new(word).is_file());
    if let (Some(script), Some(python)) = (script, converted.job.pointer_mut("/spec/main/python"))
        && let Some(python) = python.as_object_mut()
        && python.get("file").and_then(Value::as_str).is_some_and(|file| file.ends_with(&local_tail(script)))
    {
        python.remove("file");
        python.insert("text".to_owned(), json!(read(script)?));
        converted.left_out.retain(|sentence| !sentence.starts_with(&format!("{script} ")));
    }
    Ok(converted)
}

/// How the path of a script ends where it is taken for one of the image.
fn local_tail(script: &str) -> String {
    script.trim_start_matches('/').to_owned()
}

fn has_ending(file: &str, endings: &[&str]) -> bool {
    let ending = Path::new(file).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn read(file: &str) -> Result<String, SubmitError> {
    let failed = |source| SubmitError::Read { file: file.to_owned(), source };
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > PROGRAM_BYTES_MAX {
        let message =
            format!("it has {size} bytes; beyond {PROGRAM_BYTES_MAX} put it into a bucket and name it s3://...");
        return Err(failed(std::io::Error::other(message)));
    }
    std::fs::read_to_string(file).map_err(failed)
}

/// A job about which nothing is known but its program, named after the program's file.
pub fn job_of(file: &Path, main: &Value) -> Value {
    json!({
        "apiVersion": "firesteel.dev/v1alpha1",
        "kind": "SparkJob",
        "metadata": {"name": name_of(&file.file_stem().unwrap_or_default().to_string_lossy())},
        "spec": {"main": main},
    })
}

/// A name that Kubernetes takes, from a file's or an application's.
fn name_of(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(allowed).take(STEM_MAX).collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    if name.starts_with(|c: char| c.is_ascii_lowercase()) { name.to_owned() } else { format!("job-{name}") }
}

fn rename(job: &mut Value, suffix: &str) {
    if let Some(name) = job.pointer_mut("/metadata/name") {
        let stem = name_of(name.as_str().unwrap_or_default());
        *name = json!(format!("{}-{suffix}", stem.trim_end_matches('-')));
    }
}

fn suffix() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(SUFFIX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Program {
        Program { words: line.split(' ').map(str::to_owned).collect(), ..Program::default() }
    }

    #[test]
    fn scripts_of_this_machine_travel_in_the_manifest() {
        let folder = std::env::temp_dir().join(format!("firesteel-{}", suffix()));
        std::fs::create_dir(&folder).unwrap();
        let script = folder.join("My_Report.py");
        std::fs::write(&script, "print(1)\n").unwrap();
        let line = format!("--executor-memory 2g --conf spark.sql.ansi.enabled=false {} 2026 --x", script.display());
        let drafted = draft(&Program { executors: Some(3), ..words(&line) }).unwrap();
        let python = drafted.job.spec.main.python.unwrap();
        assert_eq!((python.text.as_deref(), python.file), (Some("print(1)\n"), None));
        assert_eq!(drafted.job.spec.args, ["2026", "--x"]);
        assert_eq!(drafted.job.spec.executor.count, Some(3));
        assert_eq!(drafted.left_out, Vec::<String>::new());
        let name = drafted.job.metadata.name.unwrap();
        assert!(name.starts_with("my-report-") && name.len() == "my-report-".len() + SUFFIX, "{name}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn scripts_in_buckets_stay_there() {
        let drafted = draft(&words("--name Sales --num-executors 2 s3a://code/job.py")).unwrap();
        assert_eq!(drafted.job.spec.main.python.unwrap().file.unwrap().0, "s3://code/job.py");
        assert!(drafted.job.metadata.name.unwrap().starts_with("sales-"));
    }

    #[test]
    fn what_makes_no_job_is_refused() {
        assert!(matches!(draft(&words("no-such.yaml")), Err(SubmitError::Read { .. })));
        assert!(matches!(draft(&words("app.jar")), Err(SubmitError::Convert(_))));
        let overrides = vec!["executor.count=many".parse().unwrap()];
        assert!(draft(&Program { overrides, ..words("s3://code/job.py") }).is_err());
    }

    #[test]
    fn names_are_those_of_kubernetes() {
        assert_eq!(name_of("My Report (v2)"), "my-report--v2");
        assert_eq!(name_of("42"), "job-42");
        assert!(name_of(&"x".repeat(200)).len() <= STEM_MAX);
    }
}
