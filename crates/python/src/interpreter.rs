//! What a Python executable is: its version and that of the PySpark in it.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use firesteel_model::Result;

use crate::environment::inherited;
use crate::error::{failed, unusable};
use crate::worker::WorkerKey;

/// The versions of PySpark whose worker protocol we speak.
const PROTOCOL: &str = "4.2";

/// Asks for versions without importing what is asked about, which would take a second.
const QUESTION: &str = "
import sys, importlib.metadata as metadata
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ''
print('%d.%d' % sys.version_info[:2])
print(version('pyspark-client') or version('pyspark') or version('pyspark-connect'))
print(version('pyarrow'))
print(version('pandas'))
";

/// A Python that can run workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    /// `3.11`
    pub(crate) version: String,
}

impl Interpreter {
    /// Asks the executable. Blocks.
    ///
    /// Errors: it cannot be run, or it lacks a PySpark of our protocol, or pyarrow.
    pub(crate) fn examine(key: &WorkerKey) -> Result<Self> {
        let shown = key.executable.display();
        let output = Command::new(&key.executable)
            .args(["-c", QUESTION])
            .env_clear()
            .envs(inherited())
            .envs(&key.variables)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                unusable(format!(
                    "{shown} cannot be run: {error}; name the Python of your job with --python, PYSPARK_PYTHON or \
                     spark.pyspark.python"
                ))
                .source(error)
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines();
        let (Some(version), Some(pyspark), Some(pyarrow)) = (lines.next(), lines.next(), lines.next()) else {
            if output.status.signal().is_some() {
                return Err(failed(format!("{shown} was killed while it was asked what it is")));
            }
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(unusable(format!("{shown} is no usable Python: {}", said.trim_end())));
        };
        if !pyspark.starts_with(PROTOCOL) {
            let found = if pyspark.is_empty() { "has no PySpark".to_owned() } else { format!("has PySpark {pyspark}") };
            return Err(unusable(format!(
                "{shown} {found}; functions need pyspark-client {PROTOCOL}: name the Python of your job with --python, \
                 PYSPARK_PYTHON or spark.pyspark.python"
            )));
        }
        if pyarrow.is_empty() {
            return Err(unusable(format!("{shown} has no pyarrow, through which functions get their rows")));
        }
        Ok(Self { version: version.to_owned() })
    }

    /// A function pickled by one minor version of Python cannot be loaded by another.
    pub(crate) fn accepts(&self, client: &str, key: &WorkerKey) -> Result<()> {
        if client.is_empty() || client == self.version {
            return Ok(());
        }
        Err(unusable(format!(
            "the function comes from Python {client}, but {} is Python {}; both must be the same minor version: name \
             another with --python, PYSPARK_PYTHON or spark.pyspark.python",
            key.executable.display(),
            self.version
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;
    use crate::worker::WorkerRole;

    #[test]
    fn what_is_missing_is_said() {
        let key = WorkerKey {
            executable: PathBuf::from("/no/such/python"),
            variables: BTreeMap::new(),
            role: WorkerRole::Functions,
        };
        let message = Interpreter::examine(&key).unwrap_err().to_string();
        assert!(message.contains("--python"), "{message}");
        let python = Interpreter { version: "3.11".to_owned() };
        assert!(python.accepts("3.11", &key).is_ok());
        let message = python.accepts("3.9", &key).unwrap_err().to_string();
        assert!(message.contains("Python 3.9") && message.contains("Python 3.11"), "{message}");
    }
}
