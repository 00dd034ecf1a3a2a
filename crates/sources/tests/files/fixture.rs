//! A directory or a store in memory, and short ways to read and write in it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect_partitioned};
use datafusion::prelude::{DataFrame, Expr, SessionConfig, SessionContext, col, ident};
use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
use firesteel_model::{Result, SparkError};
use firesteel_sources::write::commits_in;
use firesteel_sources::{
    FileTable, Format, Options, ReadRequest, Settings, StoreRegistry, TaskCommit, WriteExec, WriteJob, WriteMode,
    WriteRequest, read,
};
use firesteel_spec::StructField;
use firesteel_spec::types_arrow::from_arrow_fields;
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::TempDir;
use url::Url;

pub(crate) struct Fixture {
    pub(crate) stores: Arc<StoreRegistry>,
    pub(crate) root: String,
    pub(crate) settings: Settings,
    pub(crate) memory: Option<Arc<InMemory>>,
    _directory: Option<TempDir>,
}

impl Fixture {
    pub(crate) fn local() -> Self {
        let directory = TempDir::new().unwrap();
        let root = directory.path().to_str().unwrap().to_owned();
        let stores = StoreRegistry::new(Vec::new());
        Self { stores, root, settings: Settings::default(), memory: None, _directory: Some(directory) }
    }

    pub(crate) fn memory() -> Self {
        let memory = Arc::new(InMemory::new());
        let mut fixture = Self::over(Arc::clone(&memory) as _, Arc::clone(&memory) as _);
        fixture.memory = Some(memory);
        fixture
    }

    /// A bucket served by given stores.
    pub(crate) fn over(store: Arc<dyn ObjectStore>, multipart: Arc<dyn MultipartStore>) -> Self {
        let stores = StoreRegistry::new(Vec::new());
        stores.register(&Url::parse("s3://bucket").unwrap(), store, Some(multipart));
        let root = "s3a://bucket/data".to_owned();
        Self { stores, root, settings: Settings::default(), memory: None, _directory: None }
    }

    pub(crate) fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.root)
    }

    pub(crate) async fn put(&self, below: &str, content: impl Into<Vec<u8>>) {
        let location = self.stores.resolve(&self.path(below)).unwrap();
        location.store.put(&location.path, content.into().into()).await.unwrap();
    }

    /// All files, without job ids in their names.
    pub(crate) async fn files(&self, below: &str) -> Vec<String> {
        use futures::TryStreamExt;
        let location = self.stores.resolve(&self.path(below)).unwrap();
        let listed: Vec<_> = location.store.list(Some(&location.path)).try_collect().await.unwrap();
        let relative = |path: Path| {
            let parts: Vec<_> = path.prefix_match(&location.path).unwrap().map(|p| p.as_ref().to_owned()).collect();
            without_job_id(&parts.join("/"))
        };
        let mut files: Vec<String> = listed.into_iter().map(|meta| relative(meta.location)).collect();
        files.sort();
        files
    }

    pub(crate) fn context(&self) -> SessionContext {
        let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::clone(&self.stores) as _);
        let task = TaskId { stage: StageId(0), partition: Partition(0) };
        let config = SessionConfig::new()
            .with_target_partitions(4)
            .with_extension(Arc::clone(&self.stores))
            .with_extension(Arc::new(TaskAttempt { task, attempt: Attempt(0) }));
        let config = config.set_bool("datafusion.optimizer.repartition_file_scans", false);
        SessionContext::new_with_config_rt(config, Arc::new(runtime.build().unwrap()))
    }

    pub(crate) async fn table(
        &self,
        format: Format,
        below: &str,
        options: &[(&str, &str)],
        schema: Option<Vec<StructField>>,
    ) -> Result<FileTable> {
        let request = ReadRequest {
            format,
            paths: vec![self.path(below)],
            options: options.iter().copied().collect(),
            user_schema: schema,
            settings: self.settings.clone(),
        };
        read(&self.stores, request).await
    }

    /// The rows of a query over a table, as DataFusion prints them, or our error.
    pub(crate) async fn query(
        &self,
        table: FileTable,
        query: impl FnOnce(DataFrame) -> datafusion::error::Result<DataFrame>,
    ) -> Result<String> {
        // Without the hidden column.
        let columns: Vec<Expr> = table.fields().iter().map(|field| ident(&field.name)).collect();
        let frame = self.context().read_table(Arc::new(table)).and_then(|frame| frame.select(columns)).unwrap();
        let batches = query(frame).map_err(ours)?.collect().await.map_err(ours)?;
        Ok(table_text(&batches))
    }

    /// The rows in the order of a column.
    pub(crate) async fn sorted(&self, table: FileTable, column: &str) -> Result<String> {
        self.query(table, |frame| frame.sort_by(vec![col(column)])).await
    }

    pub(crate) async fn rows(&self, table: FileTable) -> Result<String> {
        self.query(table, Ok).await
    }

    /// Writes batches, one partition each, and commits.
    pub(crate) async fn write(&self, request: WriteRequest, partitions: Vec<Vec<RecordBatch>>) -> Result<()> {
        let Some((job, commits)) = self.upload(request, partitions).await? else { return Ok(()) };
        job.commit(commits).await.map(|_| ())
    }

    /// Writes batches without committing.
    pub(crate) async fn upload(
        &self,
        request: WriteRequest,
        partitions: Vec<Vec<RecordBatch>>,
    ) -> Result<Option<(WriteJob, Vec<TaskCommit>)>> {
        let schema = partitions[0][0].schema();
        let fields = from_arrow_fields(schema.fields()).unwrap();
        let Some(job) = WriteJob::prepare(&self.stores, request, &fields).await? else { return Ok(None) };
        let context = self.context();
        let count = partitions.len();
        let child = MemTable::try_new(schema, partitions).unwrap();
        let child = datafusion::catalog::TableProvider::scan(&child, &context.state(), None, &[], None).await.unwrap();
        assert_eq!(child.output_partitioning().partition_count(), count);
        let plan: Arc<dyn ExecutionPlan> = Arc::new(WriteExec::new(child, Arc::clone(job.spec())));
        let results = collect_partitioned(plan, context.task_ctx()).await;
        match results {
            Ok(results) => {
                let commits = results.iter().flatten().flat_map(|batch| commits_in(batch).unwrap()).collect();
                Ok(Some((job, commits)))
            }
            Err(error) => {
                job.abort(Vec::new()).await?;
                Err(ours(error))
            }
        }
    }

    pub(crate) fn request(&self, format: Format, below: &str, mode: WriteMode) -> WriteRequest {
        WriteRequest {
            format,
            path: self.path(below),
            options: Options::default(),
            mode,
            partition_by: Vec::new(),
            bucket_column: None,
            settings: self.settings.clone(),
        }
    }
}

pub(crate) fn table_text(batches: &[RecordBatch]) -> String {
    let text = pretty_format_batches(batches).unwrap().to_string();
    let lines = text.lines().filter(|line| line.starts_with('|'));
    let trim = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|");
    lines.map(trim).collect::<Vec<_>>().join("\n")
}

/// Our error inside DataFusion's.
pub(crate) fn ours(error: datafusion::error::DataFusionError) -> SparkError {
    let mut current: &dyn std::error::Error = &error;
    loop {
        if let Some(found) = current.downcast_ref::<SparkError>() {
            return found.clone();
        }
        if let Some(datafusion::error::DataFusionError::External(inner)) = current.downcast_ref()
            && let Some(found) = inner.downcast_ref::<SparkError>()
        {
            return found.clone();
        }
        match current.source() {
            Some(source) => current = source,
            None => return SparkError::internal(error.to_string()),
        }
    }
}

pub(crate) fn schema_text(fields: &[StructField]) -> String {
    let text = |field: &StructField| format!("{} {}", field.name, field.data_type.simple_string());
    fields.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// A UUID has dashes at fixed places.
fn without_job_id(name: &str) -> String {
    let is_id = |text: &str| {
        text.bytes().zip(0..).all(|(byte, at)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    match (0..name.len().saturating_sub(35)).find(|&at| name.get(at..at + 36).is_some_and(is_id)) {
        Some(at) => format!("{}ID{}", &name[..at], &name[at + 36..]),
        None => name.to_owned(),
    }
}
