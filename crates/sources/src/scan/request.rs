//! From what a user asks to read to a table.

use std::collections::HashSet;
use std::sync::Arc;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use super::source::SourceSpec;
use super::table::FileTable;
use crate::formats::{Format, all_nullable, same_name};
use crate::listing::{Listing, list};
use crate::options::Options;
use crate::settings::Settings;
use crate::stores::StoreRegistry;
use crate::text::blocks::Source;

/// What to read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The format.
    pub format: Format,
    /// Files, directories and globs.
    pub paths: Vec<String>,
    /// Spark's options of the format and of listing.
    pub options: Options,
    /// Columns as the user gave them; inferred if `None`.
    pub user_schema: Option<Vec<StructField>>,
    /// The session's settings.
    pub settings: Settings,
}

/// Lists the files, finds their schema and gives them as a table.
///
/// Errors: `PATH_NOT_FOUND`, `UNABLE_TO_INFER_SCHEMA`, `COLUMN_ALREADY_EXISTS`, wrong options, unreadable files.
pub async fn read(stores: &Arc<StoreRegistry>, request: ReadRequest) -> Result<FileTable> {
    let ReadRequest { format, paths, options, user_schema, settings } = request;
    let listing = list(stores, &paths, &options, &settings, user_schema.as_deref()).await?;
    let inferred = match &user_schema {
        Some(fields) => fields.clone(),
        None => infer(format, &listing, &options, &settings).await?,
    };
    check_names(&inferred, settings.case_sensitive)?;
    if user_schema.is_some() {
        format.check(&inferred)?;
    }
    let spec = Arc::new(SourceSpec { format, options, settings });
    FileTable::new(spec, listing, all_nullable(&without_lengths(inferred)))
}

async fn infer(format: Format, listing: &Listing, options: &Options, settings: &Settings) -> Result<Vec<StructField>> {
    let sources: Vec<Source> = listing
        .files
        .iter()
        .filter(|file| file.meta.size > 0 || format == Format::BinaryFile)
        .map(|file| Source {
            store: Arc::clone(&listing.location.store),
            path: file.meta.location.clone(),
            size: file.meta.size,
            shown: listing.location.at(file.meta.location.clone()).show(),
        })
        .collect();
    let fields = match format {
        Format::Text | Format::BinaryFile => format.infer(&sources, options, settings).await?,
        _ if sources.is_empty() => None,
        _ => format.infer(&sources, options, settings).await?,
    };
    fields.ok_or_else(|| SparkError::new(&error_class::UNABLE_TO_INFER_SCHEMA).param("format", format.title()))
}

/// CHAR and VARCHAR are strings when read.
fn without_lengths(fields: Vec<StructField>) -> Vec<StructField> {
    let plain = |field: StructField| match field.data_type {
        DataType::Char(_) | DataType::Varchar(_) => StructField { data_type: DataType::STRING, ..field },
        _ => field,
    };
    fields.into_iter().map(plain).collect()
}

fn check_names(fields: &[StructField], case_sensitive: bool) -> Result<()> {
    let mut seen = HashSet::new();
    for field in fields {
        let key = if case_sensitive { field.name.clone() } else { field.name.to_lowercase() };
        if !seen.insert(key) {
            let name = firesteel_spec::types::quote(&field.name.to_lowercase());
            return Err(SparkError::new(&error_class::COLUMN_ALREADY_EXISTS).param("columnName", name));
        }
    }
    for field in fields {
        if let DataType::Struct(inner) = &field.data_type {
            check_names(inner, case_sensitive)?;
        }
    }
    Ok(())
}

/// Where a column of a name stands.
pub(super) fn position(fields: &[StructField], name: &str, case_sensitive: bool) -> Option<usize> {
    fields.iter().position(|field| same_name(&field.name, name, case_sensitive))
}
