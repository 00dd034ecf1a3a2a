//! Tables of the catalog whose rows a source reads and writes.

use firesteel_catalog::TableMetadata;
use firesteel_model::Result;
use firesteel_spec::relation::DataSource;

use super::{PythonTable, named, open};
use crate::session::DriverSession;

/// Whether a format's name stands for a source.
pub(crate) fn is_source_of(session: &DriverSession, format: &str) -> bool {
    named(session, format).is_some()
}

/// Opens a stored table with its columns, its options and its location as the path; `None` where its format is no
/// source of the session.
///
/// Errors: as of [`open`].
pub(crate) async fn open_table(session: &DriverSession, table: &TableMetadata) -> Result<Option<PythonTable>> {
    let Some(source) = named(session, &table.format) else { return Ok(None) };
    let read = DataSource {
        format: Some(table.format.clone()),
        paths: vec![table.location.clone()],
        options: table.options.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        ..DataSource::default()
    };
    let columns = table.columns()?;
    open(session, source, &read, Some(&columns)).await.map(Some)
}
