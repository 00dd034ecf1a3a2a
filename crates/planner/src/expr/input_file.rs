//! `input_file_name()` and its like: what is known of the file that a row is from.
//!
//! ```text
//!   a table of files --> hidden column _metadata --> right above: its field
//!                                |
//!                                +-- select lists between: they pass it on, if the query asks for it
//! ```
//!
//! Whether it does is known when all is resolved, so such a query is resolved twice.

use firesteel_functions::call::Typed;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::FunctionCall;

use super::Resolver;
use super::call::wrong_count;
use crate::attribute::Attribute;

/// What a query does with the files that its rows are from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputFiles {
    /// It asks for one.
    pub(crate) wanted: bool,
    /// Select lists pass on what is known.
    pub(crate) kept: bool,
    /// What was known got lost in a union or a stored view.
    pub(crate) lost: bool,
    /// A command ran while it was resolved, so it must not be resolved again.
    pub(crate) ran_command: bool,
}

impl InputFiles {
    /// Whether another resolution, with files kept, may find more.
    pub(crate) fn wants_another(self) -> bool {
        self.wanted && !self.kept && !self.ran_command
    }
}

/// The field of `_metadata` that a function gives.
pub(super) fn metadata_field(function: &str) -> Option<&'static str> {
    match function {
        "input_file_name" => Some("file_path"),
        "input_file_block_start" => Some("file_block_start"),
        "input_file_block_length" => Some("file_block_length"),
        _ => None,
    }
}

impl Resolver<'_, '_> {
    /// A field of what is known of the row's file; what a row of no file has where there is none.
    ///
    /// Errors: `MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION` over a join.
    pub(super) fn input_file(&mut self, function: &str, field: &str, call: &FunctionCall) -> Result<Typed> {
        if !call.arguments.is_empty() {
            return Err(wrong_count(function, (0, 0), call.arguments.len()));
        }
        self.planner.input_files.wanted = true;
        let sql = format!("{function}()");
        let mut files: Vec<&Attribute> = self.input.iter().filter(|attribute| attribute.tells_file()).collect();
        files.dedup_by(|a, b| a.column == b.column);
        match files.as_slice() {
            [] if self.planner.input_files.lost => {
                Err(SparkError::unsupported(format!("{sql} over a union or a stored view of files; call it below")))
            }
            [] => self.planner.apply(function, Vec::new()),
            [one] => Ok(Typed { sql, ..self.fields(one.typed(), &[field.to_owned()])? }),
            _ => Err(SparkError::new(&error_class::MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION)
                .param("expr", format!("\"{sql}\""))),
        }
    }
}
