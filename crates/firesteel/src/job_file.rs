//! The file that `firesteel run` gets: a job's manifest, or a program that needs none.

use std::path::Path;

use firesteel_k8s::{Manifest, ManifestError, Override, SparkJob};
use serde_json::json;

use crate::failure::Failure;

/// The job of a manifest, or one whose program is a script or a file of SQL and about which nothing else is said.
///
/// Errors: no such file, anything wrong with a manifest.
pub(crate) fn job(file: &Path, overrides: &[Override]) -> Result<SparkJob, Failure> {
    let shown = file.display().to_string();
    let unread = |source| ManifestError::Read { path: file.to_owned(), source };
    let main = match file.extension().and_then(|ending| ending.to_str()) {
        Some("py") => {
            let script = file.canonicalize().map_err(unread)?;
            json!({"python": {"file": format!("local://{}", script.display())}})
        }
        Some("sql") => json!({"sql": {"text": std::fs::read_to_string(file).map_err(unread)?}}),
        _ => return Ok(Manifest::read(file, overrides)?.into_job(&shown)?),
    };
    let job = firesteel_submit::job_of(file, &main);
    Ok(Manifest::parse(&job.to_string(), &shown, overrides)?.into_job(&shown)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_a_job_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("My Report.py");
        std::fs::write(&file, "print(1)").unwrap();
        let replaced = "conf.spark.sql.shuffle.partitions=3".parse().unwrap();
        let job = job(&file, &[replaced]).unwrap();
        assert_eq!(job.metadata.name.as_deref(), Some("my-report"));
        assert_eq!(job.spec.conf.0["spark.sql.shuffle.partitions"], "3");
        let path = file.canonicalize().unwrap();
        assert_eq!(job.spec.main.python.unwrap().file.unwrap().0, format!("local://{}", path.display()));
    }

    #[test]
    fn so_is_a_file_of_sql() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("daily.sql");
        std::fs::write(&file, "SELECT 1;\nSELECT '2: x'").unwrap();
        let job = job(&file, &[]).unwrap();
        assert_eq!(job.spec.main.sql.unwrap().text.as_deref(), Some("SELECT 1;\nSELECT '2: x'"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        for name in ["/nowhere/x.py", "/nowhere/x.sql", "/nowhere/x.yaml"] {
            let failure = job(Path::new(name), &[]).unwrap_err().to_string();
            assert!(failure.contains(name), "{failure}");
        }
    }
}
