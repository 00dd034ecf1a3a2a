//! What a shuffle costs: requests and bytes against their arithmetic, and time against moving the same bytes plainly.
//!
//! `make bench-shuffle` runs it over memory, local files and an S3 server in this process; over another S3 too if
//! `FIRESTEEL_TEST_S3_ENDPOINT` and `FIRESTEEL_TEST_S3_BUCKET` name one. Arguments: maps, reducers, MiB of a map.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use firesteel_model::ids::{Attempt, Partition, StageId, TaskAttempt, TaskId};
use firesteel_s3::EmbeddedS3;
use firesteel_shuffle::{
    Compression, FixedBudget, MapOutput, ObjectLocation, ObjectShuffleStore, RequestPolicy, ShuffleStore,
};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::runtime::Handle;

/// Tasks at once, in the shuffle and in the plain copy.
const TASKS: usize = 4;

const ROWS: usize = 8192;

struct Load {
    maps: u32,
    reducers: usize,
    batches: usize,
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let mut next = |default: usize| numbers.next().unwrap_or(default);
    let (maps, reducers, mebibytes) = (next(32), next(32), next(32));
    // A batch is about 200 KiB.
    let load = Load { maps: u32::try_from(maps).unwrap(), reducers, batches: mebibytes * 5 };
    println!("{maps} maps x {reducers} reducers, about {mebibytes} MiB a map, {TASKS} tasks at once");

    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(InMemory::new());
    measure("memory", memory.clone(), Some(memory), &load, folder.path()).await;
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    measure("files", Arc::new(LocalFileSystem::new_with_prefix(files).unwrap()), None, &load, folder.path()).await;
    let data = folder.path().join("s3");
    std::fs::create_dir(&data).unwrap();
    let server = EmbeddedS3::start(&data, 0).await.unwrap();
    server.create_bucket("bench").unwrap();
    let builder = AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_access_key_id(server.access_key())
        .with_secret_access_key(server.secret_key());
    let embedded = client(builder, "bench");
    measure("embedded S3", embedded.clone(), Some(embedded), &load, folder.path()).await;
    if let Ok(endpoint) = std::env::var("FIRESTEEL_TEST_S3_ENDPOINT") {
        let bucket = std::env::var("FIRESTEEL_TEST_S3_BUCKET").unwrap();
        let other = client(AmazonS3Builder::from_env().with_endpoint(endpoint), &bucket);
        measure("environment's S3", other.clone(), Some(other), &load, folder.path()).await;
    }
}

fn client(builder: AmazonS3Builder, bucket: &str) -> Arc<AmazonS3> {
    let unretried = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let builder = builder.with_client_options(ClientOptions::new().with_allow_http(true)).with_retry(unretried);
    Arc::new(builder.with_bucket_name(bucket).with_region("us-east-1").build().unwrap())
}

async fn measure(
    name: &str,
    store: Arc<dyn ObjectStore>,
    multipart: Option<Arc<dyn MultipartStore>>,
    load: &Load,
    spills: &std::path::Path,
) {
    let location = ObjectLocation {
        store: Arc::clone(&store),
        multipart,
        prefix: Path::from("bench"),
        namespace: "bench".to_owned(),
        application: "bench".to_owned(),
        compression: Compression::Zstd,
        policy: RequestPolicy::default(),
    };
    let budget = Arc::new(FixedBudget::new(u64::MAX));
    let shuffle = Arc::new(ObjectShuffleStore::new(location, spills, budget, TASKS, u64::MAX, Handle::current()));
    let batch = batch();

    let started = Instant::now();
    let write = |map| tokio::spawn(write(shuffle.clone(), map, load.reducers, load.batches, batch.clone()));
    let outputs = stream::iter((0..load.maps).map(write)).buffered(TASKS).map(Result::unwrap).collect::<Vec<_>>().await;
    let wrote = started.elapsed();
    let written = shuffle.counts();
    let outputs: Arc<Vec<MapOutput>> = Arc::new(outputs);

    let started = Instant::now();
    let read = |reducer| tokio::spawn(read(shuffle.clone(), outputs.clone(), reducer, batch.schema()));
    let rows = stream::iter((0..load.reducers).map(read)).buffered(TASKS).map(Result::unwrap).collect::<Vec<_>>().await;
    let read_in = started.elapsed();
    assert_eq!(rows.iter().sum::<u64>(), outputs.iter().map(MapOutput::rows).sum::<u64>());
    let read = shuffle.counts().since(&written);

    let (plain_write, plain_read) = plain(&store, &outputs).await;
    shuffle.remove_application().await;

    let maps = u64::from(load.maps);
    let objects: u64 = outputs.iter().flat_map(|output| &output.partitions).map(|partition| partition.length).sum();
    let data: u64 = outputs.iter().map(MapOutput::bytes).sum();
    let parts = written.parts + written.multiparts;
    let index = (written.bytes_written - objects) as f64 * 100.0 / objects as f64;
    println!("\n{name}: {} MiB of rows, {} MiB in objects", data >> 20, objects >> 20);
    println!("  writes: {} PUT, {parts} for parts; arithmetic: {maps} objects", written.puts);
    println!("  reads: {} GET; arithmetic: {} = maps x reducers", read.gets, maps * load.reducers as u64);
    println!("  bytes: {} written, {} read; index {index:.3} %", written.bytes_written, read.bytes_read);
    report("write", data, objects, wrote, plain_write);
    report("read", data, objects, read_in, plain_read);
}

fn report(what: &str, data: u64, objects: u64, took: Duration, plain: Duration) {
    let rate = |bytes: u64, took: Duration| bytes as f64 / took.as_secs_f64() / f64::from(1 << 20);
    println!(
        "  {what}: {:.0} MiB/s of rows, {:.0} MiB/s of objects; plainly {:.0} MiB/s; ratio {:.2}",
        rate(data, took),
        rate(objects, took),
        rate(objects, plain),
        plain.as_secs_f64() / took.as_secs_f64()
    );
}

/// Keys, amounts and short texts, as a shuffle sees them.
fn batch() -> RecordBatch {
    let mut random = StdRng::seed_from_u64(1);
    let keys = Int64Array::from_iter_values((0..ROWS).map(|_| random.random_range(0..1 << 40)));
    let amounts = Int64Array::from_iter_values((0..ROWS).map(|_| random.random_range(0..100_000)));
    let texts = StringArray::from_iter_values((0..ROWS).map(|n| format!("text {}", n % 997)));
    let columns: [(&str, ArrayRef); 3] =
        [("key", Arc::new(keys)), ("amount", Arc::new(amounts)), ("text", Arc::new(texts))];
    RecordBatch::try_from_iter(columns).unwrap()
}

async fn write(
    store: Arc<ObjectShuffleStore>,
    map: u32,
    reducers: usize,
    batches: usize,
    batch: RecordBatch,
) -> MapOutput {
    let task = TaskId { stage: StageId(0), partition: Partition(map) };
    let mut writer = store.writer(TaskAttempt { task, attempt: Attempt(0) }, batch.schema(), reducers).unwrap();
    for round in 0..batches {
        writer.write(round % reducers, batch.clone()).await.unwrap();
    }
    writer.finish().await.unwrap()
}

async fn read(store: Arc<ObjectShuffleStore>, outputs: Arc<Vec<MapOutput>>, reducer: usize, schema: SchemaRef) -> u64 {
    let slices = outputs.iter().map(|output| output.slice(reducer..reducer + 1).unwrap()).collect();
    store.read(&schema, slices).try_fold(0, async |rows, batch| Ok(rows + batch.num_rows() as u64)).await.unwrap()
}

/// The same objects and the same ranges without a shuffle around them.
async fn plain(store: &Arc<dyn ObjectStore>, outputs: &[MapOutput]) -> (Duration, Duration) {
    let started = Instant::now();
    let puts = outputs.iter().enumerate().map(|(n, output)| {
        let store = Arc::clone(store);
        let length: u64 = output.partitions.iter().map(|partition| partition.length).sum();
        let bytes = vec![7_u8; usize::try_from(length).unwrap()];
        tokio::spawn(async move { store.put(&Path::from(format!("plain/{n}")), bytes.into()).await.unwrap() })
    });
    stream::iter(puts).buffered(TASKS).for_each(async |done| drop(done.unwrap())).await;
    let wrote = started.elapsed();

    let started = Instant::now();
    let ranges = (0..outputs[0].partitions.len()).flat_map(|reducer| {
        outputs.iter().enumerate().map(move |(n, output)| {
            let place = output.partitions[reducer];
            (n, place.offset..place.offset + place.length)
        })
    });
    let gets = ranges.map(|(n, range)| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.get_range(&Path::from(format!("plain/{n}")), range).await.unwrap().len() })
    });
    // As many at once as the shuffle's readers have on their way.
    let lengths = stream::iter(gets).buffered(TASKS * 8).map(Result::unwrap).collect::<Vec<_>>().await;
    let read = started.elapsed();
    assert_eq!(lengths.len(), outputs.len() * outputs[0].partitions.len());
    for n in 0..outputs.len() {
        store.delete(&Path::from(format!("plain/{n}"))).await.unwrap();
    }
    (wrote, read)
}
