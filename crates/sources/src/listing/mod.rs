//! Which files a read means: globs, hidden files, filters, partition directories.
//!
//! ```text
//!   paths --glob--> roots --list--> files --partitions--> files with partition values, and their columns
//! ```

mod glob;
mod partition_types;
mod partitions;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_functions::datetime::{Zone, parse_timestamp};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::StructField;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::error::{bad_option, from_store};
use crate::options::Options;
use crate::settings::Settings;
use crate::stores::{Location, StoreRegistry};

pub(crate) use partitions::directory_name;

use glob::matches_glob;

/// The value that stands for NULL in a partition directory's name.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A file and the values of its partition columns.
#[derive(Clone, Debug)]
pub struct ListedFile {
    /// Path, size and time.
    pub meta: ObjectMeta,
    /// One value per partition column.
    pub partition_values: Vec<ScalarValue>,
}

/// The files of a read.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The store that all of them lie in.
    pub location: Location,
    /// In the order of their names.
    pub files: Vec<ListedFile>,
    /// Columns that come from directory names.
    pub partition_fields: Vec<StructField>,
}

/// A root that a user named: a file, or a directory with the files under it.
struct Root {
    location: Location,
    is_file: bool,
    files: Vec<ObjectMeta>,
}

/// Lists what `paths` mean.
///
/// Errors: `PATH_NOT_FOUND`; the conflicts of partition discovery; several buckets in one read are not supported.
pub async fn list(
    stores: &Arc<StoreRegistry>,
    paths: &[String],
    options: &Options,
    settings: &Settings,
    user_schema: Option<&[StructField]>,
) -> Result<Listing> {
    let mut roots = Vec::new();
    for path in paths {
        for location in glob::expand(stores, path).await? {
            roots.push(open_root(location, path).await?);
        }
    }
    let Some(location) = roots.first().map(|root| root.location.clone()) else {
        return Err(SparkError::new(&error_class::PATH_NOT_FOUND).param("path", paths.join(", ")));
    };
    if roots.iter().any(|root| root.location.url != location.url) {
        return Err(SparkError::unsupported("reading from several buckets at once"));
    }
    let filter = Filter::new(options, settings)?;
    for root in &mut roots {
        let (is_file, base) = (root.is_file, root.location.path.clone());
        root.files.retain(|file| (is_file || !is_hidden(&base, file)) && filter.accepts(file));
    }
    if options.flag("recursiveFileLookup", false)? {
        return Ok(distinct(flat(location, roots.into_iter().flat_map(|root| root.files).collect())));
    }
    let bases = base_paths(stores, &roots, options)?;
    let all: Vec<ObjectMeta> = roots.iter().flat_map(|root| root.files.iter().cloned()).collect();
    let found = partitions::discover(&location, &bases, &all, settings, user_schema)?;
    if !found.fields.is_empty() {
        return Ok(distinct(Listing { location, files: sorted(found.files), partition_fields: found.fields }));
    }
    // As in Spark, a path that is named twice is read twice; below partitions and in depth it is not.
    Ok(flat(location, roots.into_iter().flat_map(direct_children).collect()))
}

fn flat(location: Location, files: Vec<ObjectMeta>) -> Listing {
    let files = files.into_iter().map(|meta| ListedFile { meta, partition_values: Vec::new() }).collect();
    Listing { location, files: sorted(files), partition_fields: Vec::new() }
}

fn sorted(mut files: Vec<ListedFile>) -> Vec<ListedFile> {
    files.sort_by(|a, b| a.meta.location.cmp(&b.meta.location));
    files
}

fn distinct(mut listing: Listing) -> Listing {
    listing.files.dedup_by(|a, b| a.meta.location == b.meta.location);
    listing
}

async fn open_root(location: Location, path: &str) -> Result<Root> {
    let shown = location.show();
    if !location.path.as_ref().is_empty() && !path.ends_with('/') {
        match location.store.head(&location.path).await {
            Ok(meta) => return Ok(Root { location, is_file: true, files: vec![meta] }),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(from_store(error, &shown)),
        }
    }
    let prefix = Some(&location.path).filter(|path| !path.as_ref().is_empty());
    let files: Vec<_> = location.store.list(prefix).try_collect().await.map_err(|error| from_store(error, &shown))?;
    if files.is_empty() && !is_local_directory(&location) {
        return Err(SparkError::new(&error_class::PATH_NOT_FOUND).param("path", shown));
    }
    Ok(Root { location, is_file: false, files })
}

/// Object stores have no empty directories, local file systems do.
fn is_local_directory(location: &Location) -> bool {
    location.url.as_str() == "file:///" && std::path::Path::new(&format!("/{}", location.path)).is_dir()
}

fn direct_children(root: Root) -> Vec<ObjectMeta> {
    if root.is_file {
        return root.files;
    }
    let base = root.location.path;
    root.files.into_iter().filter(|file| depth_below(&base, file) == Some(1)).collect()
}

fn depth_below(base: &object_store::path::Path, file: &ObjectMeta) -> Option<usize> {
    Some(file.location.prefix_match(base)?.count())
}

/// Names that start with `_` or `.` are hidden, unless they are partition directories.
fn is_hidden(base: &object_store::path::Path, file: &ObjectMeta) -> bool {
    let Some(mut parts) = file.location.prefix_match(base) else { return false };
    parts.any(|part| {
        let name = part.as_ref();
        (name.starts_with('_') && !name.contains('=')) || name.starts_with('.') || name.ends_with("._COPYING_")
    })
}

/// Where partition directories start: `basePath`, or the roots themselves.
fn base_paths(stores: &Arc<StoreRegistry>, roots: &[Root], options: &Options) -> Result<Vec<object_store::path::Path>> {
    if let Some(base) = options.get("basePath") {
        return Ok(vec![stores.resolve(base)?.path]);
    }
    Ok(roots
        .iter()
        .map(|root| {
            let path = root.location.path.clone();
            if root.is_file { partitions::parent(&path) } else { path }
        })
        .collect())
}

/// The options that leave files out.
struct Filter<'a> {
    name: Option<&'a str>,
    modified_before_us: Option<i64>,
    modified_after_us: Option<i64>,
}

impl<'a> Filter<'a> {
    fn new(options: &'a Options, settings: &Settings) -> Result<Self> {
        let zone = options.get("timeZone").unwrap_or(&settings.time_zone);
        let zone = Zone::parse(zone)?;
        let instant = |name: &str| {
            let read =
                |text: &str| parse_timestamp(text, &zone, None).ok_or_else(|| bad_option(name, text, "timestamp"));
            options.get(name).map(read).transpose()
        };
        Ok(Self {
            name: options.get("pathGlobFilter"),
            modified_before_us: instant("modifiedBefore")?,
            modified_after_us: instant("modifiedAfter")?,
        })
    }

    fn accepts(&self, file: &ObjectMeta) -> bool {
        let modified = file.last_modified.timestamp_micros();
        self.name.is_none_or(|glob| matches_glob(glob, file.location.filename().unwrap_or_default()))
            && self.modified_before_us.is_none_or(|limit| modified < limit)
            && self.modified_after_us.is_none_or(|limit| modified > limit)
    }
}
