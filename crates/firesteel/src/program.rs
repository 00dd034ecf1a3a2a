//! From a manifest's `main` to something that can be started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use firesteel_k8s::job::{PythonMain, SparkJobSpec, SqlMain};
use firesteel_k8s::storage::FileUrl;
use firesteel_model::{SparkError, error_class};
use firesteel_sources::stores::StoreRegistry;
use object_store::ObjectStoreExt;
use tempfile::TempDir;

use crate::failure::Failure;

/// What a job runs.
#[derive(Debug)]
pub(crate) enum Program {
    /// A process that speaks Spark Connect.
    Process(Process),
    /// Statements, one after the other.
    Statements(Vec<String>),
}

/// A process to be started.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// Modules for Python: folders, `.zip` and `.whl` files.
    pub(crate) python_path: Vec<PathBuf>,
    /// Holds script and modules until the process has ended.
    _files: TempDir,
}

/// Fetches what the job's program consists of. `args` follow those of the manifest.
///
/// Errors: a file of the program is not there.
pub(crate) async fn prepare(
    name: &str,
    spec: &SparkJobSpec,
    args: &[String],
    python: &Path,
    stores: &StoreRegistry,
) -> Result<Program, Failure> {
    let args = spec.args.iter().chain(args).map(OsString::from);
    if let Some(main) = &spec.main.sql {
        let text = sql_text(main, stores).await?;
        return Ok(Program::Statements(firesteel_sql::split_statements(&text)?));
    }
    let files = TempDir::with_prefix("firesteel-").map_err(Failure::io("cannot make a temporary folder"))?;
    if let Some(main) = &spec.main.python {
        let script = script(main, name, files.path(), stores).await?;
        let python_path = modules(&main.py_files, files.path(), stores).await?;
        let arguments = std::iter::once(script.into_os_string()).chain(args).collect();
        let program = python.to_owned();
        return Ok(Program::Process(Process { program, arguments, python_path, _files: files }));
    }
    let command = spec.main.native.as_ref().map(|native| native.command.as_slice()).unwrap_or_default();
    let (program, first) = command.split_first().ok_or_else(|| Failure::Usage("the job has no program".to_owned()))?;
    let arguments = first.iter().map(OsString::from).chain(args).collect();
    Ok(Program::Process(Process { program: PathBuf::from(program), arguments, python_path: Vec::new(), _files: files }))
}

async fn sql_text(main: &SqlMain, stores: &StoreRegistry) -> Result<String, Failure> {
    match (&main.text, &main.file) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(file)) => {
            let bytes = fetch(file, stores).await?;
            String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{} is no text in UTF-8", file.0)))
        }
        (None, None) => Ok(String::new()),
    }
}

/// The script as a file, named after the job or after where it came from, as tracebacks show it. One of this machine runs
/// where it lies, with the modules beside it.
async fn script(main: &PythonMain, job: &str, folder: &Path, stores: &StoreRegistry) -> Result<PathBuf, Failure> {
    if let Some(file) = &main.file {
        if let Some(path) = file.0.strip_prefix("local://").map(PathBuf::from) {
            let missing = || SparkError::new(&error_class::PATH_NOT_FOUND).param("path", &file.0);
            return if path.is_file() { Ok(path) } else { Err(missing().into()) };
        }
        let path = folder.join(file_name(file));
        return save(&path, &fetch(file, stores).await?).map(|()| path);
    }
    let path = folder.join(format!("{job}.py"));
    save(&path, main.text.as_deref().unwrap_or_default().as_bytes()).map(|()| path)
}

/// Entries for `PYTHONPATH`: an archive is one itself, plain modules share a folder.
async fn modules(files: &[FileUrl], folder: &Path, stores: &StoreRegistry) -> Result<Vec<PathBuf>, Failure> {
    let folder = folder.join("modules");
    if files.is_empty() {
        return Ok(Vec::new());
    }
    std::fs::create_dir(&folder).map_err(Failure::io("cannot make a temporary folder"))?;
    let mut paths = vec![folder.clone()];
    for file in files {
        let path = folder.join(file_name(file));
        save(&path, &fetch(file, stores).await?)?;
        if path.extension().is_none_or(|extension| extension != "py") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn file_name(file: &FileUrl) -> &str {
    file.0.trim_end_matches('/').rsplit('/').next().unwrap_or(&file.0)
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(Failure::io("cannot write the program to a temporary folder"))
}

async fn fetch(file: &FileUrl, stores: &StoreRegistry) -> Result<Vec<u8>, Failure> {
    let location = stores.resolve(&file.0)?;
    let failed = |error: object_store::Error| match error {
        object_store::Error::NotFound { .. } => {
            SparkError::new(&error_class::PATH_NOT_FOUND).param("path", &file.0).source(error)
        }
        error => SparkError::new(&error_class::FAILED_READ_FILE_NO_HINT).param("path", &file.0).source(error),
    };
    let found = location.store.get(&location.path).await.map_err(failed)?;
    Ok(found.bytes().await.map_err(failed)?.to_vec())
}

/// A process without files of its own.
#[cfg(test)]
pub(crate) fn process_for_tests(program: &str, arguments: &[&str]) -> Process {
    Process {
        program: PathBuf::from(program),
        arguments: arguments.iter().map(OsString::from).collect(),
        python_path: Vec::new(),
        _files: tempfile::tempdir().unwrap_or_else(|error| panic!("{error}")),
    }
}

#[cfg(test)]
mod tests {
    use firesteel_k8s::job::{Main, NativeMain};

    use super::*;

    async fn prepared(main: Main, args: &[&str]) -> Result<Program, Failure> {
        let spec: SparkJobSpec = SparkJobSpec { args: vec!["first".to_owned()], ..spec(main) };
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        prepare("sales", &spec, &args, Path::new("py"), &StoreRegistry::new(Vec::new())).await
    }

    fn spec(main: Main) -> SparkJobSpec {
        let text =
            "apiVersion: firesteel.dev/v1alpha1\nkind: SparkJob\nmetadata: {name: x}\nspec: {main: {sql: {text: x}}}";
        let job = firesteel_k8s::Manifest::parse(text, "x", &[]).unwrap().into_job("x").unwrap();
        SparkJobSpec { main, ..job.spec }
    }

    async fn process(main: Main) -> Process {
        match prepared(main, &["second"]).await.unwrap() {
            Program::Process(process) => process,
            Program::Statements(_) => panic!("no process"),
        }
    }

    #[tokio::test]
    async fn an_inline_script_becomes_a_file_named_after_the_job() {
        let python = PythonMain { text: Some("print(1)".into()), ..PythonMain::default() };
        let process = process(Main { python: Some(python), ..Main::default() }).await;
        assert_eq!(process.program, Path::new("py"));
        let script = PathBuf::from(&process.arguments[0]);
        assert!(script.ends_with("sales.py"));
        assert_eq!(std::fs::read_to_string(&script).unwrap(), "print(1)");
        assert_eq!(process.arguments[1..], ["first", "second"]);
        drop(process);
        assert!(!script.exists());
    }

    #[tokio::test]
    async fn scripts_and_modules_are_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            std::fs::write(folder.path().join(name), name).unwrap();
            FileUrl(format!("local://{}/{name}", folder.path().display()))
        };
        let py_files = vec![file("a.py"), file("b.zip")];
        let python = PythonMain { file: Some(file("job.py")), py_files, ..PythonMain::default() };
        let process = process(Main { python: Some(python), ..Main::default() }).await;
        assert_eq!(std::fs::read_to_string(&process.arguments[0]).unwrap(), "job.py");
        assert!(process.python_path[0].join("a.py").is_file());
        assert!(process.python_path[1].ends_with("modules/b.zip"));
    }

    #[tokio::test]
    async fn a_missing_script_is_named() {
        let file = Some(FileUrl::from("local:///nowhere/job.py"));
        let python = PythonMain { file, ..PythonMain::default() };
        let error = prepared(Main { python: Some(python), ..Main::default() }, &[]).await.unwrap_err();
        assert!(matches!(&error, Failure::Spark(error) if error.class().name == "PATH_NOT_FOUND"), "{error}");
    }

    #[tokio::test]
    async fn other_programs() {
        let sql = SqlMain { text: Some("SELECT 1; SELECT ';'".into()), file: None };
        let program = prepared(Main { sql: Some(sql), ..Main::default() }, &[]).await.unwrap();
        assert!(matches!(program, Program::Statements(statements) if statements == ["SELECT 1", "SELECT ';'"]));

        let native = NativeMain { command: vec!["/bin/job".into(), "-x".into()] };
        let process = process(Main { native: Some(native), ..Main::default() }).await;
        assert_eq!(process.program, Path::new("/bin/job"));
        assert_eq!(process.arguments, ["-x", "first", "second"]);
    }
}
