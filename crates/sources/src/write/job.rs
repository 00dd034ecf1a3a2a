//! What the driver does: check, commit, abort.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::StructField;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::local;
use super::publish::{delete, discard, parse, publish};
use super::spec::{CommittedFile, TaskCommit, WriteJobSpec, WriteMode, WriteRequest};
use super::task::log_failure;
use crate::error::{from_store, to_storage};
use crate::formats::{Format, same_name};
use crate::settings::Settings;
use crate::stores::{Location, StoreRegistry};

const REQUESTS_AT_ONCE: usize = 16;

/// A write from the driver's side.
///
/// Guarantees: until `commit` nothing there changes. `commit` publishes each task once; while files change there is no
/// `_SUCCESS`; when publishing fails the new files go again and the old ones stay.
#[derive(Debug)]
pub struct WriteJob {
    spec: Arc<WriteJobSpec>,
    root: Location,
    existed: bool,
    turn: Arc<Mutex<()>>,
}

/// What a write changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteSummary {
    /// Files written.
    pub files: u64,
    /// Rows written.
    pub rows: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Partition directories written, below the job's.
    pub directories: Vec<String>,
}

impl WriteJob {
    /// Checks a request against what is there. `None` means that there is nothing to do.
    ///
    /// Errors: `PATH_ALREADY_EXISTS`, `UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE`, wrong options.
    pub async fn prepare(
        stores: &StoreRegistry,
        request: WriteRequest,
        fields: &[StructField],
    ) -> Result<Option<Self>> {
        let root = stores.resolve(&request.path)?;
        let case_sensitive = request.settings.case_sensitive;
        let is_data = |field: &&StructField| {
            !request.partition_by.iter().any(|name| same_name(name, &field.name, case_sensitive))
        };
        let data: Vec<StructField> = fields.iter().filter(is_data).cloned().collect();
        request.format.check(&data)?;
        let existed = exists(&root).await?;
        match request.mode {
            WriteMode::Ignore if existed => return Ok(None),
            WriteMode::ErrorIfExists if existed => {
                return Err(SparkError::new(&error_class::PATH_ALREADY_EXISTS).param("outputPath", root.show()));
            }
            _ => {}
        }
        let settings = &request.settings;
        let max = request.options.integer("maxRecordsPerFile")?.and_then(|max| u64::try_from(max).ok());
        let max_records_per_file = Some(max.unwrap_or(settings.max_records_per_file)).filter(|max| *max > 0);
        let mut options = request.options;
        if let (None, Some(codec)) =
            (options.get_either("compression", "codec"), session_codec(request.format, settings))
        {
            options.set("compression", codec);
        }
        let spec = WriteJobSpec {
            job_id: Uuid::new_v4().to_string(),
            format: request.format,
            options,
            settings: request.settings,
            url: root.url.as_str().to_owned(),
            path: root.path.to_string(),
            mode: request.mode,
            partition_by: request.partition_by,
            bucket_column: request.bucket_column,
            max_records_per_file,
        };
        super::encode::extension(&spec)?;
        let turn = stores.commit_turn(&root);
        Ok(Some(Self { spec: Arc::new(spec), root, existed, turn }))
    }

    /// What tasks need.
    pub fn spec(&self) -> &Arc<WriteJobSpec> {
        &self.spec
    }

    /// Publishes what the tasks wrote, the first commit of each task, and removes what it replaces.
    pub async fn commit(&self, commits: Vec<TaskCommit>) -> Result<WriteSummary> {
        let _turn = self.turn.lock().await;
        let mut seen = HashSet::new();
        let (winners, losers): (Vec<_>, Vec<_>) = commits.into_iter().partition(|task| seen.insert(task.partition));
        self.discard_all(losers.iter().flat_map(|task| &task.files)).await;
        let files: Vec<CommittedFile> = winners.into_iter().flat_map(|task| task.files).collect();
        let directories: BTreeSet<String> = files.iter().map(|file| file.directory.clone()).collect();
        let old = self.replaced(&directories).await?;
        let marker = self.marker()?;
        let had_marker = self.root.store.head(&marker).await.is_ok();
        delete(&self.root, &marker).await?;
        if let Err(error) = self.publish_all(&files).await {
            if had_marker {
                log_failure(self.mark().await);
            }
            return Err(error);
        }
        let deletions = futures::stream::iter(old).map(Ok);
        deletions
            .try_for_each_concurrent(REQUESTS_AT_ONCE, |path| async move { delete(&self.root, &path).await })
            .await?;
        self.clean_up(false).await?;
        let marks = self.spec.options.flag("mapreduce.fileoutputcommitter.marksuccessfuljobs", true)?;
        let mark = async { if marks { self.mark().await } else { Ok(()) } };
        let (marked, ()) = futures::join!(mark, self.abort_strays());
        marked?;
        Ok(WriteSummary {
            files: files.len() as u64,
            rows: files.iter().map(|file| file.rows).sum(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            directories: directories.into_iter().filter(|name| !name.is_empty()).collect(),
        })
    }

    /// Removes what the tasks wrote; what was there before is as it was.
    pub async fn abort(&self, commits: Vec<TaskCommit>) -> Result<()> {
        self.discard_all(commits.iter().flat_map(|task| &task.files)).await;
        self.abort_strays().await;
        self.clean_up(!self.existed).await
    }

    /// Ends uploads of which no commit tells, such as those of executors that were lost.
    async fn abort_strays(&self) {
        let (Some(uploads), Some(store)) = (&self.root.uploads, &self.root.multipart) else { return };
        let strays = uploads.below(&self.root.path, &self.spec.job_id).await;
        let strays = strays.inspect_err(|error| tracing::warn!(%error, "uploads of lost attempts may be left"));
        for (path, id) in strays.unwrap_or_default() {
            let aborted = store.abort_multipart(&path, &id).await;
            log_failure(aborted.map_err(|error| self.failed(error)));
        }
    }

    async fn discard_all<'a>(&self, files: impl Iterator<Item = &'a CommittedFile>) {
        for file in files {
            log_failure(discard(&self.root, file).await);
        }
    }

    /// Publishes all files, or none.
    async fn publish_all(&self, files: &[CommittedFile]) -> Result<()> {
        let results: Vec<Result<()>> = futures::stream::iter(files.to_vec())
            .map(|file| async move { publish(&self.root, &file).await })
            .buffered(REQUESTS_AT_ONCE)
            .collect()
            .await;
        let Some(error) = results.iter().find_map(|result| result.as_ref().err()).cloned() else { return Ok(()) };
        for (file, result) in files.iter().zip(&results) {
            log_failure(match result {
                Ok(()) => delete(&self.root, &parse(&file.path)?).await,
                Err(_) => discard(&self.root, file).await,
            });
        }
        self.abort_strays().await;
        log_failure(self.clean_up(!self.existed).await);
        Err(error)
    }

    /// The files that an overwrite replaces.
    async fn replaced(&self, directories: &BTreeSet<String>) -> Result<Vec<Path>> {
        let below: Vec<Path> = match self.spec.mode {
            WriteMode::Overwrite { dynamic: true } if !self.spec.partition_by.is_empty() => {
                let path = |directory: &String| parse(&[self.root.path.as_ref(), directory].join("/"));
                directories.iter().map(path).collect::<Result<_>>()?
            }
            WriteMode::Overwrite { .. } => vec![self.root.path.clone()],
            _ => return Ok(Vec::new()),
        };
        let staging = self.staging()?;
        let mut old = Vec::new();
        for prefix in below {
            let listed: Vec<_> = self.root.store.list(Some(&prefix)).try_collect().await.map_err(|e| self.failed(e))?;
            old.extend(listed.into_iter().map(|file| file.location).filter(|path| !path.prefix_matches(&staging)));
        }
        if self.root.store.head(&self.root.path).await.is_ok() {
            old.push(self.root.path.clone());
        }
        Ok(old)
    }

    fn staging(&self) -> Result<Path> {
        parse(&format!("{}/_temporary/{}", self.spec.path, self.spec.job_id))
    }

    fn marker(&self) -> Result<Path> {
        parse(&format!("{}/_SUCCESS", self.spec.path))
    }

    async fn mark(&self) -> Result<()> {
        let put = self.root.store.put(&self.marker()?, PutPayload::new()).await;
        put.map(|_| ()).map_err(|error| self.failed(error))
    }

    /// Removes the staging directory, and directories that are empty now.
    async fn clean_up(&self, with_root: bool) -> Result<()> {
        let Some(root) = local::directory(&self.root) else { return Ok(()) };
        let staging = root.join("_temporary");
        local::remove_all(&staging.join(&self.spec.job_id))
            .await
            .map_err(|error| to_storage(error, &self.root.show()))?;
        if root.is_dir() {
            if matches!(self.spec.mode, WriteMode::Overwrite { .. }) || with_root {
                local::remove_empty(root, with_root).await;
            } else if staging.is_dir() {
                local::remove_empty(staging, true).await;
            }
        }
        Ok(())
    }

    fn failed(&self, error: object_store::Error) -> SparkError {
        from_store(error, &self.root.show())
    }
}

/// The session's compression of a format.
fn session_codec(format: Format, settings: &Settings) -> Option<&str> {
    match format {
        Format::Parquet => Some(&settings.parquet_compression),
        Format::Orc => Some(&settings.orc_compression),
        Format::Avro => Some(&settings.avro_compression),
        _ => None,
    }
}

/// Whether there is a file, an object below, or a local directory.
async fn exists(root: &Location) -> Result<bool> {
    if let Some(directory) = local::directory(root) {
        return Ok(directory.exists());
    }
    if let Some(first) = root.store.list(Some(&root.path)).next().await {
        first.map_err(|error| from_store(error, &root.show()))?;
        return Ok(true);
    }
    match root.store.head(&root.path).await {
        Ok(_) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(from_store(error, &root.show())),
    }
}
