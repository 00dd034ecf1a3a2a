//! Data sources that the user wrote in Python.
//!
//! ```text
//!   register: the name in the session's catalog
//!   read:     class --open--> instance and schema --Table::scan, with filters--> PythonScanExec, a partition a task
//!   write:    class --plan--> function over each partition's rows --messages--> commit or abort
//!   table:    the catalog keeps name, columns and options; each use opens the source anew, and its path is the location
//! ```
//!
//! The source's own code decides on plans in planning workers beside the driver and moves rows in the tasks' workers.

mod filters;
mod read;
mod table;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_python::{EvalType, PythonCommand, SourceClass};
use firesteel_sources::Format;
use firesteel_spec::expr::PythonSource;
use firesteel_spec::{DataType, StructField};

pub(crate) use read::{PythonTable, open};
pub(crate) use table::{is_source_of, open_table};
pub(crate) use write::{Rows, write, write_rows};

use crate::session::DriverSession;

/// `spark.dataSource.register`: what had the name before goes, unless it is one of ours.
pub(crate) fn register(session: &DriverSession, source: &Arc<PythonSource>) -> Result<()> {
    if Format::parse(&source.name).is_ok() {
        return Err(SparkError::new(&error_class::DATA_SOURCE_ALREADY_EXISTS).param("provider", source.name.clone()));
    }
    session.catalog().register_source(Arc::clone(source));
    Ok(())
}

/// The source that a format's name stands for.
pub(crate) fn named(session: &DriverSession, format: &str) -> Option<Arc<PythonSource>> {
    session.catalog().source(format)
}

fn class(source: &PythonSource) -> SourceClass<'_> {
    SourceClass { name: &source.name, command: &source.command, python_version: &source.python_version }
}

/// Options as the source gets them: paths are among them.
fn options(options: &[(String, String)], paths: &[String]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = options.iter().cloned().collect();
    match paths {
        [] => {}
        [one] => {
            all.insert("path".to_owned(), one.clone());
        }
        many => {
            all.insert("paths".to_owned(), serde_json::json!(many).to_string());
        }
    }
    all
}

fn schema_json(fields: &[StructField]) -> String {
    DataType::Struct(fields.to_vec()).to_json().to_string()
}

/// A function of a source's as tasks call it.
fn command(name: &str, source: &PythonSource, command: Vec<u8>) -> Arc<PythonCommand> {
    Arc::new(PythonCommand {
        name: format!("{name} {}", source.name),
        eval_type: EvalType::MAP_ARROW_ITER,
        command,
        python_version: source.python_version.clone(),
    })
}
