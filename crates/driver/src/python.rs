//! What the Python functions of a session share: which Python, which modules, which settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use firesteel_connect::ArtifactKind;
use firesteel_executor::Parcel;
use firesteel_model::conf::{self, ConfKey};
use firesteel_model::{Result, SparkError};
use firesteel_python::{PythonSession, WorkerKey, WorkerRole, unpack_archive};

use crate::session::DriverSession;

/// Settings that workers read.
const RUNNER_KEYS: &[&ConfKey] = &[
    &conf::SESSION_TIME_ZONE,
    &conf::ARROW_USE_LARGE_VAR_TYPES,
    &conf::ARROW_MAX_RECORDS_PER_BATCH,
    &conf::PANDAS_CONVERT_TO_ARROW_ARRAY_SAFELY,
    &conf::PANDAS_GROUPED_MAP_BY_NAME,
    &conf::PYSPARK_BINARY_AS_BYTES,
    &conf::PYSPARK_UDF_PROFILER,
    &conf::PYTHON_UDF_ARROW_CONCURRENCY_LEVEL,
    &conf::PYTHON_UDF_INT_TO_DECIMAL,
    &conf::PYTHON_UDF_PANDAS_CONVERSION,
    &conf::PYTHON_UDF_PREFER_INT_EXTENSION,
    &conf::PYTHON_UDTF_PANDAS_CONVERSION,
];

/// What the session's functions share, as of now.
pub(crate) fn session(session: &DriverSession) -> Result<PythonSession> {
    let settings = session.settings();
    let of_key = |key: &&ConfKey| Some((key.name.to_owned(), settings.get(key.name)?));
    let executable = executable(session);
    let (files, mut includes) = files(session);
    unpack(session, &executable, &files)?;
    includes.extend(session.application().python_path.iter().cloned());
    let number = |key: &ConfKey| usize::try_from(settings.int(key)).unwrap_or(0);
    Ok(PythonSession {
        worker: WorkerKey { executable, variables: variables(session)?, role: WorkerRole::Functions },
        conf: RUNNER_KEYS.iter().filter_map(of_key).collect(),
        files,
        includes,
        batch_rows: number(&conf::ARROW_MAX_RECORDS_PER_BATCH),
        batch_bytes: usize::try_from(settings.bytes(&conf::ARROW_MAX_BYTES_PER_BATCH)).unwrap_or(usize::MAX),
        idle_timeout_s: u64::try_from(settings.int(&conf::PYSPARK_UDF_IDLE_TIMEOUT_SECONDS)).unwrap_or(0),
    })
}

fn executable(session: &DriverSession) -> PathBuf {
    let named = [&conf::PYSPARK_SESSION_PYTHON, &conf::PYSPARK_PYTHON].map(|key| session.settings().text(key));
    let named = named.into_iter().find(|name| !name.is_empty()).map(PathBuf::from);
    named.unwrap_or_else(|| session.application().python.clone())
}

/// The files that functions of the session need, packed for executors that do not see this machine's.
pub(crate) fn parcel(session: &DriverSession) -> Result<Option<Arc<Parcel>>> {
    let application = session.application();
    let Some(packer) = &application.packer else { return Ok(None) };
    let mut places = application.python_path.clone();
    if session.artifacts().is_some() {
        let (folder, includes) = files(session);
        places.push(folder);
        places.extend(includes);
    }
    packer.pack(&places)
}

/// Where the session's files lie, and what functions can import besides.
fn files(session: &DriverSession) -> (PathBuf, Vec<PathBuf>) {
    let Some(artifacts) = session.artifacts() else { return (PathBuf::from("."), Vec::new()) };
    let modules = artifacts.files(ArtifactKind::PyFile);
    let mut includes = Vec::new();
    for (_, path) in modules {
        let is_archive = path.extension().is_some_and(|kind| kind == "zip" || kind == "egg" || kind == "jar");
        let entry = if is_archive { path } else { path.parent().map(PathBuf::from).unwrap_or_default() };
        if !includes.contains(&entry) {
            includes.push(entry);
        }
    }
    (artifacts.root().join("files"), includes)
}

/// Unpacks the session's archives among its files, each under its alias or else its name; once.
fn unpack(session: &DriverSession, python: &Path, files: &Path) -> Result<()> {
    let archives = session.artifacts().map(|artifacts| artifacts.files(ArtifactKind::Archive)).unwrap_or_default();
    for (name, path) in archives {
        let (name, alias) = name.split_once('#').unwrap_or((&name, &name));
        let is_plain = |part| matches!(part, Component::Normal(_));
        if alias.is_empty() || !Path::new(alias).components().all(is_plain) {
            return Err(SparkError::unsupported(format!("the alias {alias} of an archive: it must be a name")));
        }
        let directory = files.join(alias);
        if !directory.exists() {
            let broken = |error| SparkError::internal("no directory for archives").source(error);
            std::fs::create_dir_all(files).map_err(broken)?;
            unpack_archive(python, name, &path, &directory)?;
        }
    }
    Ok(())
}

/// Variables of the session's workers; sessions with the same share workers.
fn variables(session: &DriverSession) -> Result<BTreeMap<String, String>> {
    let settings = session.settings();
    let of_user = |(key, value): (String, String)| Some((key.strip_prefix(conf::EXECUTOR_ENV)?.to_owned(), value));
    let mut variables: BTreeMap<String, String> = settings.all().into_iter().filter_map(of_user).collect();
    if settings.bool(&conf::PYSPARK_UDF_SIMPLIFIED_TRACEBACK) {
        variables.insert("SPARK_SIMPLIFIED_TRACEBACK".to_owned(), "1".to_owned());
    }
    if settings.bool(&conf::PYSPARK_UDF_HIDE_TRACEBACK) {
        variables.insert("SPARK_HIDE_TRACEBACK".to_owned(), "1".to_owned());
    }
    let memory = settings.bytes(&conf::PYSPARK_EXECUTOR_MEMORY);
    if memory > 0 {
        let slots = session.application().cluster.slots_per_executor() as u64;
        let megabytes = (memory >> 20) / slots.max(1);
        variables.insert("PYSPARK_EXECUTOR_MEMORY_MB".to_owned(), megabytes.max(1).to_string());
    }
    let memory = settings.bytes(&conf::PYTHON_PLANNER_MEMORY) >> 20;
    if memory > 0 {
        variables.insert("PYSPARK_PLANNER_MEMORY_MB".to_owned(), memory.to_string());
    }
    // Modules stay loaded in a worker: sessions that bring their own get workers of their own.
    let brings = |kind| session.artifacts().is_some_and(|artifacts| !artifacts.files(kind).is_empty());
    if [ArtifactKind::PyFile, ArtifactKind::Archive, ArtifactKind::File].into_iter().any(brings)
        && let Some(artifacts) = session.artifacts()
    {
        variables.insert("SPARK_JOB_ARTIFACT_UUID".to_owned(), artifacts.root().display().to_string());
    }
    let inherited = std::env::var_os("PYTHONPATH");
    let of_user = variables.get("PYTHONPATH").map(OsString::from);
    let paths: Vec<PathBuf> = of_user.iter().chain(&inherited).flat_map(std::env::split_paths).collect();
    let joined = std::env::join_paths(paths).map_err(|error| SparkError::internal("PYTHONPATH").source(error))?;
    if let (false, Ok(path)) = (joined.is_empty(), joined.into_string()) {
        variables.insert("PYTHONPATH".to_owned(), path);
    }
    Ok(variables)
}
