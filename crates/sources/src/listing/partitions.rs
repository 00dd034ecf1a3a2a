//! Partition discovery: columns and values from directories called `column=value`.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::common::ScalarValue;
use firesteel_functions::datetime::Zone;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};
use object_store::ObjectMeta;
use object_store::path::Path;
use percent_encoding::percent_decode_str;

use super::partition_types::{infer, value};
use super::{ListedFile, NULL_PARTITION};
use crate::settings::Settings;
use crate::stores::Location;

/// What discovery found.
pub(super) struct Found {
    pub(super) fields: Vec<StructField>,
    pub(super) files: Vec<ListedFile>,
}

/// A directory's columns with raw values, and the directory that they start in.
struct Parsed {
    columns: Vec<(String, String)>,
    base: Path,
}

/// Columns and values of the directories that files lie in; no fields if the directories are not partitioned.
///
/// Errors: `CONFLICTING_DIRECTORY_STRUCTURES`, `CONFLICTING_PARTITION_COLUMN_NAMES`.
pub(super) fn discover(
    location: &Location,
    bases: &[Path],
    files: &[ObjectMeta],
    settings: &Settings,
    user_schema: Option<&[StructField]>,
) -> Result<Found> {
    let directories: BTreeSet<Path> = files.iter().map(|file| parent(&file.location)).collect();
    let parsed: BTreeMap<Path, Parsed> = directories
        .into_iter()
        .filter_map(|directory| parse(&directory, bases).map(|parsed| (directory, parsed)))
        .collect();
    check_bases(location, &parsed)?;
    let names = column_names(location, &parsed, settings)?;
    let types = column_types(&names, &parsed, settings, user_schema);
    let zone = Zone::parse(&settings.time_zone)?;
    let mut values: BTreeMap<&Path, Vec<ScalarValue>> = BTreeMap::new();
    for (directory, parsed) in &parsed {
        let row = parsed.columns.iter().zip(&types);
        let row = row.map(|((name, raw), data_type)| typed(name, raw, data_type, &zone));
        values.insert(directory, row.collect::<Result<_>>()?);
    }
    let files = files.iter().filter_map(|meta| {
        let partition_values = values.get(&parent(&meta.location))?.clone();
        Some(ListedFile { meta: meta.clone(), partition_values })
    });
    let files = files.collect();
    let fields = names.iter().zip(types).map(|(name, data_type)| StructField::new(name, data_type, true)).collect();
    Ok(Found { fields, files })
}

/// The directory of a file.
pub(super) fn parent(path: &Path) -> Path {
    let directory = path.as_ref().rsplit_once('/').map_or("", |(directory, _)| directory);
    Path::parse(directory).unwrap_or_default()
}

/// Reads a directory's name upwards until a base path; `None` without any column.
fn parse(directory: &Path, bases: &[Path]) -> Option<Parsed> {
    let mut columns = Vec::new();
    let mut current = directory.clone();
    while !bases.contains(&current) && !current.as_ref().is_empty() {
        let name = current.filename()?;
        if name.eq_ignore_ascii_case("_temporary") {
            return None;
        }
        match column(name) {
            Some(column) => columns.push(column),
            None if !columns.is_empty() => break,
            None => {}
        }
        current = parent(&current);
    }
    columns.reverse();
    (!columns.is_empty()).then_some(Parsed { columns, base: current })
}

fn column(directory: &str) -> Option<(String, String)> {
    let (name, raw) = directory.split_once('=')?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    if name.is_empty() || raw.is_empty() { None } else { Some((decode(name), decode(raw))) }
}

fn check_bases(location: &Location, parsed: &BTreeMap<Path, Parsed>) -> Result<()> {
    let bases: BTreeSet<&Path> = parsed.values().map(|parsed| &parsed.base).collect();
    if bases.len() < 2 {
        return Ok(());
    }
    let bases: Vec<String> = bases.into_iter().map(|base| location.at(base.clone()).show()).collect();
    Err(SparkError::new(&error_class::CONFLICTING_DIRECTORY_STRUCTURES).param("discoveredBasePaths", bases.join(", ")))
}

fn column_names(location: &Location, parsed: &BTreeMap<Path, Parsed>, settings: &Settings) -> Result<Vec<String>> {
    let fold = |name: &String| if settings.case_sensitive { name.clone() } else { name.to_lowercase() };
    let mut lists: BTreeMap<Vec<String>, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for (directory, parsed) in parsed {
        let names: Vec<String> = parsed.columns.iter().map(|(name, _)| name.clone()).collect();
        let key = names.iter().map(fold).collect();
        let entry = lists.entry(key).or_insert_with(|| (names, Vec::new()));
        entry.1.push(location.at(directory.clone()).show());
    }
    if lists.len() > 1 {
        let columns: Vec<_> = lists.values().map(|(names, _)| names.join(", ")).collect();
        let paths: Vec<_> = lists.values().flat_map(|(_, paths)| paths.clone()).collect();
        return Err(SparkError::new(&error_class::CONFLICTING_PARTITION_COLUMN_NAMES)
            .param("distinctPartColLists", columns.join("; "))
            .param("suspiciousPaths", paths.join(", ")));
    }
    Ok(lists.into_values().next().map(|(names, _)| names).unwrap_or_default())
}

fn column_types(
    names: &[String],
    parsed: &BTreeMap<Path, Parsed>,
    settings: &Settings,
    user_schema: Option<&[StructField]>,
) -> Vec<DataType> {
    let told = |name: &str| {
        let same = |field: &&StructField| {
            if settings.case_sensitive { field.name == name } else { field.name.eq_ignore_ascii_case(name) }
        };
        user_schema.and_then(|fields| fields.iter().find(same)).map(|field| field.data_type.clone())
    };
    names
        .iter()
        .enumerate()
        .map(|(index, name)| match told(name) {
            Some(data_type) => data_type,
            None if !settings.infer_partition_types => DataType::STRING,
            None => infer(parsed.values().map(|row| row.columns[index].1.as_str()), settings.timestamp_is_ntz),
        })
        .collect()
}

fn typed(name: &str, raw: &str, data_type: &DataType, zone: &Zone) -> Result<ScalarValue> {
    value(raw, data_type, zone).ok_or_else(|| {
        SparkError::new(&error_class::STORAGE_FAILED)
            .param("reason", format!("the partition value {name}={raw} is no {}", data_type.sql()))
    })
}

/// The directory name of a partition value; `None` and the empty text stand for NULL.
pub(crate) fn directory_name(column: &str, value: Option<&str>) -> String {
    let value = value.filter(|text| !text.is_empty()).unwrap_or(NULL_PARTITION);
    format!("{}={}", escape(column), escape(value))
}

/// Hive's escapes: `%` and two hexadecimal digits for control characters and those with a meaning in paths.
fn escape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if c < ' ' || "\"#%'*/:=?\\{[]^\u{7f}".contains(c) {
            result.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            result.push(c);
        }
    }
    result
}
