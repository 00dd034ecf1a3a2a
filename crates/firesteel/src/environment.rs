//! The environment of the user's program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

/// What a program needs to reach the engine and its own modules.
#[derive(Debug)]
pub(crate) struct Environment<'a> {
    /// Port of the Spark Connect server on this machine.
    pub(crate) port: u16,
    /// Token that the server wants.
    pub(crate) token: &'a str,
    /// Modules for the script, in front of what `PYTHONPATH` holds already.
    pub(crate) python_path: &'a [PathBuf],
    /// `PYTHONPATH` of this process.
    pub(crate) inherited_python_path: Option<OsString>,
    /// Further variables.
    pub(crate) extra: Vec<(String, String)>,
}

impl Environment<'_> {
    /// The variables, to be set beside those that the program inherits.
    ///
    /// The address says `localhost`, because PySpark sends a token over a plain connection only there. The token has
    /// a variable of its own, so that it appears in no list of processes and no address that a script prints.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        let mut variables = vec![
            ("SPARK_REMOTE".into(), format!("sc://localhost:{}", self.port).into()),
            ("SPARK_CONNECT_AUTHENTICATE_TOKEN".into(), self.token.into()),
            ("SPARK_CONNECT_MODE_ENABLED".into(), "1".into()),
            // What the script prints appears when it prints it.
            ("PYTHONUNBUFFERED".into(), "1".into()),
        ];
        if let Some(path) = self.joined_python_path() {
            variables.push(("PYTHONPATH".into(), path));
        }
        variables.extend(self.extra.iter().map(|(name, value)| (name.into(), value.into())));
        variables
    }

    /// Entries that cannot be joined (they hold a colon) are left out, as Python could not find them either.
    fn joined_python_path(&self) -> Option<OsString> {
        let inherited = self.inherited_python_path.iter().flat_map(std::env::split_paths);
        let paths: Vec<PathBuf> = self.python_path.iter().cloned().chain(inherited).collect();
        let joinable = paths.iter().filter(|path| std::env::join_paths([path]).is_ok());
        let joined = std::env::join_paths(joinable).ok()?;
        (!joined.is_empty()).then_some(joined)
    }
}

/// The Python that runs a script: the one given, the active virtual environment's, or `python3`.
pub(crate) fn python(given: Option<&Path>, virtual_environment: Option<OsString>) -> PathBuf {
    let of_environment = || {
        let program = PathBuf::from(virtual_environment?).join("bin/python");
        program.is_file().then_some(program)
    };
    given.map(Path::to_owned).or_else(of_environment).unwrap_or_else(|| PathBuf::from("python3"))
}

/// Whether PySpark's client is missing where this Python looks for modules.
pub(crate) async fn lacks_pyspark(python: &Path) -> bool {
    const LOOK: &str = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pyspark') is None)";
    const LIMIT: Duration = Duration::from_secs(10);
    let look = Command::new(python).args(["-c", LOOK]).kill_on_drop(true).status();
    matches!(tokio::time::timeout(LIMIT, look).await, Ok(Ok(status)) if status.code() == Some(1))
}

/// The Python for functions of clients that this process does not start.
pub(crate) fn own_python() -> PathBuf {
    let given = std::env::var_os("PYSPARK_PYTHON").map(PathBuf::from);
    python(given.as_deref(), std::env::var_os("VIRTUAL_ENV"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn variables(environment: &Environment<'_>) -> HashMap<String, String> {
        let text = |value: OsString| value.into_string().unwrap();
        environment.variables().into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn a_program_finds_the_engine_its_modules_and_the_data() {
        let modules = [PathBuf::from("/tmp/a.zip"), PathBuf::from("/tmp/modules")];
        let variables = variables(&Environment {
            port: 4242,
            token: "secret",
            python_path: &modules,
            inherited_python_path: Some("/home/x:/home/y".into()),
            extra: vec![("AWS_REGION".into(), "us-east-1".into())],
        });
        for (name, value) in [
            ("SPARK_REMOTE", "sc://localhost:4242"),
            ("SPARK_CONNECT_AUTHENTICATE_TOKEN", "secret"),
            ("SPARK_CONNECT_MODE_ENABLED", "1"),
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONPATH", "/tmp/a.zip:/tmp/modules:/home/x:/home/y"),
            ("AWS_REGION", "us-east-1"),
        ] {
            assert_eq!(variables[name], value, "{name}");
        }
        assert!(!variables["SPARK_REMOTE"].contains("secret"));
    }

    #[test]
    fn an_empty_path_is_not_set_and_a_broken_entry_is_left_out() {
        let mut environment =
            Environment { port: 1, token: "t", python_path: &[], inherited_python_path: None, extra: Vec::new() };
        assert!(!variables(&environment).contains_key("PYTHONPATH"));
        let modules = [PathBuf::from("/tmp/a:b"), PathBuf::from("/tmp/c")];
        environment.python_path = &modules;
        assert_eq!(variables(&environment)["PYTHONPATH"], "/tmp/c");
    }

    #[test]
    fn python_is_the_one_given_or_the_virtual_environments() {
        let environment = tempfile::tempdir().unwrap();
        let program = environment.path().join("bin/python");
        assert_eq!(python(Some(Path::new("py")), None), Path::new("py"));
        assert_eq!(python(None, None), Path::new("python3"));
        assert_eq!(python(None, Some(environment.path().into())), Path::new("python3"));
        std::fs::create_dir(environment.path().join("bin")).unwrap();
        std::fs::write(&program, "").unwrap();
        assert_eq!(python(None, Some(environment.path().into())), program);
    }
}
