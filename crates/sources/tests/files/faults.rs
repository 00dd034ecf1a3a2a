//! Stores that fail, and what is left afterwards.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use async_trait::async_trait;
use bytes::Bytes;
use firesteel_sources::{Format, WriteMode};
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::fixture::Fixture;

const OVERWRITE: WriteMode = WriteMode::Overwrite { dynamic: false };

/// A store in memory whose uploads fail after a number of them.
#[derive(Debug)]
struct Failing {
    inner: InMemory,
    puts_left: AtomicUsize,
    completions_left: AtomicUsize,
    aborted: AtomicUsize,
}

impl Failing {
    fn new(puts: usize, completions: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: InMemory::new(),
            puts_left: AtomicUsize::new(puts),
            completions_left: AtomicUsize::new(completions),
            aborted: AtomicUsize::new(0),
        })
    }

    fn use_up(&self, budget: &AtomicUsize) -> Result<()> {
        let left = budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| object_store::Error::Generic { store: "failing", source: "no space left".into() })
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failing")
    }
}

#[async_trait]
impl MultipartStore for Failing {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        self.inner.create_multipart(path).await
    }

    async fn put_part(&self, path: &Path, id: &MultipartId, index: usize, data: PutPayload) -> Result<PartId> {
        self.use_up(&self.puts_left)?;
        self.inner.put_part(path, id, index, data).await
    }

    async fn complete_multipart(&self, path: &Path, id: &MultipartId, parts: Vec<PartId>) -> Result<PutResult> {
        self.use_up(&self.completions_left)?;
        self.inner.complete_multipart(path, id, parts).await
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        self.aborted.fetch_add(1, Ordering::SeqCst);
        self.inner.abort_multipart(path, id).await
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn batch(ids: Vec<i32>) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int32Array::from(ids));
    RecordBatch::try_from_iter([("id", ids)]).unwrap()
}

#[tokio::test]
async fn a_failed_upload_leaves_nothing() {
    let store = Failing::new(1, usize::MAX);
    let fixture = Fixture::over(Arc::clone(&store) as _, Arc::clone(&store) as _);
    let request = fixture.request(Format::Csv, "out", OVERWRITE);
    let error = fixture.write(request, vec![vec![batch(vec![1])], vec![batch(vec![2])]]).await.unwrap_err();
    assert!(error.is_retryable());
    assert!(fixture.files("out").await.is_empty());
    assert!(store.aborted.load(Ordering::SeqCst) >= 1);
}

#[tokio::test]
async fn a_failed_commit_keeps_what_was_there() {
    let store = Failing::new(usize::MAX, 3);
    let fixture = Fixture::over(Arc::clone(&store) as _, Arc::clone(&store) as _);
    let two = |a, b| vec![vec![batch(vec![a])], vec![batch(vec![b])]];
    fixture.write(fixture.request(Format::Csv, "out", OVERWRITE), two(1, 2)).await.unwrap();
    let before = fixture.files("out").await;
    fixture.write(fixture.request(Format::Csv, "out", OVERWRITE), two(3, 4)).await.unwrap_err();
    assert_eq!(fixture.files("out").await, before);
    let table = fixture.table(Format::Csv, "out", &[], None).await.unwrap();
    assert_eq!(fixture.sorted(table, "_c0").await.unwrap(), "_c0\n1\n2");
}

#[tokio::test]
async fn nothing_shows_before_the_commit_and_losers_never_do() {
    for fixture in [Fixture::local(), Fixture::memory()] {
        let request = fixture.request(Format::Csv, "out", WriteMode::ErrorIfExists);
        let (job, commits) = fixture.upload(request, vec![vec![batch(vec![1])]]).await.unwrap().unwrap();
        let visible = fixture.files("out").await;
        assert!(visible.iter().all(|name| name.starts_with("_temporary/")), "{visible:?}");
        let (other, losers) = (job.spec().clone(), {
            let mut writer =
                firesteel_sources::TaskWriter::new(&fixture.stores, job.spec().clone(), &batch(vec![]).schema(), 0, 1)
                    .unwrap();
            writer.write(&batch(vec![7])).await.unwrap();
            writer.finish().await.unwrap()
        });
        assert_eq!(other.job_id, job.spec().job_id);
        let summary = job.commit(commits.into_iter().chain([losers]).collect()).await.unwrap();
        assert_eq!((summary.files, summary.rows), (1, 1));
        assert_eq!(fixture.files("out").await, ["_SUCCESS", "part-00000-ID-c000.csv"]);
        let table = fixture.table(Format::Csv, "out", &[], None).await.unwrap();
        assert_eq!(fixture.rows(table).await.unwrap(), "_c0\n1");
    }
}

#[tokio::test]
async fn an_abort_leaves_nothing() {
    let fixture = Fixture::local();
    let request = fixture.request(Format::Parquet, "out", OVERWRITE);
    let (job, commits) = fixture.upload(request, vec![vec![batch(vec![1])]]).await.unwrap().unwrap();
    job.abort(commits).await.unwrap();
    assert!(!std::path::Path::new(&fixture.path("out")).exists());
}
