//! What driver and executors send each other as bytes: plans with their settings, lists of outputs, records, rows.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use datafusion::physical_plan::ExecutionPlan;
use firesteel_engine::codec::PlanCodec;
use firesteel_engine::error::spark_error;
use firesteel_engine::key_filters::{Keys, KeysId};
use firesteel_engine::partition::Sample;
use firesteel_engine::settings::ExecutionSettings;
use firesteel_engine::task::TaskOutput;
use firesteel_model::{Result, SparkError};
use firesteel_rpc::BlobHash;
use firesteel_shuffle::MapOutput;
use prost::Message;

/// Fast, and plans repeat themselves a lot.
const ZSTD_LEVEL: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct PlanBlob {
    /// As JSON.
    #[prost(bytes = "vec", tag = "1")]
    settings: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    plan: Vec<u8>,
    /// Hash of the parcel with the files that its functions need; empty if they need none.
    #[prost(bytes = "vec", tag = "3")]
    files: Vec<u8>,
}

/// A stage's plan, read as far as it takes to begin with it.
#[derive(Debug)]
pub(crate) struct ReadPlan {
    pub(crate) settings: ExecutionSettings,
    /// As the codec knows it.
    pub(crate) plan: Vec<u8>,
    pub(crate) files: Option<BlobHash>,
}

#[derive(Clone, PartialEq, Message)]
struct OutputRecord {
    /// As JSON.
    #[prost(bytes = "vec", tag = "1")]
    map: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    sample: Option<SampleRecord>,
    #[prost(message, repeated, tag = "3")]
    keys: Vec<KeysRecord>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    accumulators: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct SampleRecord {
    #[prost(bytes = "vec", tag = "1")]
    keys: Vec<u8>,
    #[prost(uint64, tag = "2")]
    rows: u64,
}

#[derive(Clone, PartialEq, Message)]
struct KeysRecord {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(fixed32, repeated, tag = "2")]
    hashes: Vec<u32>,
    #[prost(uint64, tag = "3")]
    most: u64,
    /// There were more than that, and none are told.
    #[prost(bool, tag = "4")]
    too_many: bool,
}

impl KeysRecord {
    fn new(id: KeysId, keys: &Keys) -> Self {
        let hashes = keys.hashes();
        let told = hashes.unwrap_or_default().to_vec();
        Self { id: id.0, hashes: told, most: keys.most() as u64, too_many: hashes.is_none() }
    }

    fn read(self) -> Result<(KeysId, Keys)> {
        let most = usize::try_from(self.most).map_err(|_| broken("a task's record")())?;
        Ok((KeysId(self.id), Keys::from_hashes((!self.too_many).then_some(self.hashes), most)))
    }
}

fn broken(what: &'static str) -> impl Fn() -> SparkError {
    move || SparkError::internal(format!("{what} came over the wire broken"))
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::encode_all(bytes, ZSTD_LEVEL)
        .map_err(|error| SparkError::internal("bytes cannot be compressed").source(error))
}

fn unpacked(bytes: &[u8], what: &'static str) -> Result<Vec<u8>> {
    zstd::decode_all(bytes).map_err(|error| broken(what)().source(error))
}

/// A stage's plan and the settings under which its tasks run.
pub(crate) fn plan_to_bytes(
    codec: &PlanCodec,
    settings: &ExecutionSettings,
    files: Option<BlobHash>,
    plan: &Arc<dyn ExecutionPlan>,
) -> Result<Vec<u8>> {
    let settings = serde_json::to_vec(settings).map_err(|error| SparkError::internal("settings").source(error))?;
    let files = files.map(|hash| hash.0.to_vec()).unwrap_or_default();
    packed(&PlanBlob { settings, plan: codec.encode(plan)?, files }.encode_to_vec())
}

/// The settings, and the plan as the codec knows it.
pub(crate) fn plan_from_bytes(bytes: &[u8]) -> Result<ReadPlan> {
    let broken = broken("a plan");
    let blob = PlanBlob::decode(unpacked(bytes, "a plan")?.as_slice()).map_err(|error| broken().source(error))?;
    let settings = serde_json::from_slice(&blob.settings).map_err(|error| broken().source(error))?;
    let files = match blob.files.as_slice() {
        [] => None,
        hash => Some(BlobHash(hash.try_into().map_err(|_| broken())?)),
    };
    Ok(ReadPlan { settings, plan: blob.plan, files })
}

/// The committed outputs of a stage.
pub(crate) fn outputs_to_bytes(outputs: &[MapOutput]) -> Result<Vec<u8>> {
    packed(&serde_json::to_vec(outputs).map_err(|error| SparkError::internal("outputs").source(error))?)
}

pub(crate) fn outputs_from_bytes(bytes: &[u8]) -> Result<Vec<MapOutput>> {
    serde_json::from_slice(&unpacked(bytes, "outputs")?).map_err(|error| broken("outputs")().source(error))
}

/// What a task leaves behind.
pub(crate) fn record_to_bytes(output: &TaskOutput) -> Result<Bytes> {
    let sample = |sample: &Sample| {
        Ok::<_, SparkError>(SampleRecord { keys: sample.keys_to_bytes().map_err(spark_error)?, rows: sample.rows })
    };
    let record = OutputRecord {
        map: map_to_bytes(&output.map)?.into(),
        sample: output.sample.as_ref().map(sample).transpose()?,
        keys: output.keys.iter().map(|(id, keys)| KeysRecord::new(*id, keys)).collect(),
        accumulators: output.accumulators.clone(),
    };
    Ok(record.encode_to_vec().into())
}

pub(crate) fn record_from_bytes(bytes: &[u8]) -> Result<TaskOutput> {
    let record = OutputRecord::decode(bytes).map_err(|error| broken("a task's record")().source(error))?;
    let sample = |sample: SampleRecord| Sample::from_bytes(&sample.keys, sample.rows).map_err(spark_error);
    Ok(TaskOutput {
        map: map_from_bytes(&record.map)?,
        sample: record.sample.map(sample).transpose()?,
        keys: record.keys.into_iter().map(KeysRecord::read).collect::<Result<_>>()?,
        accumulators: record.accumulators,
    })
}

/// The record of one output.
pub(crate) fn map_to_bytes(map: &MapOutput) -> Result<Bytes> {
    let bytes = serde_json::to_vec(map).map_err(|error| SparkError::internal("an output").source(error))?;
    Ok(bytes.into())
}

pub(crate) fn map_from_bytes(bytes: &[u8]) -> Result<MapOutput> {
    serde_json::from_slice(bytes).map_err(|error| broken("an output")().source(error))
}

/// Columns.
pub(crate) fn schema_to_bytes(schema: &Schema) -> Result<Bytes> {
    let written = StreamWriter::try_new(Vec::new(), schema).and_then(StreamWriter::into_inner);
    written.map(Bytes::from).map_err(|error| SparkError::internal("columns cannot be sent").source(error))
}

pub(crate) fn schema_from_bytes(bytes: &[u8]) -> Result<SchemaRef> {
    let reader = StreamReader::try_new(bytes, None).map_err(|error| broken("columns")().source(error))?;
    Ok(reader.schema())
}

/// Rows.
pub(crate) fn rows_to_bytes(batch: &RecordBatch) -> Result<Bytes> {
    let write = || -> Result<Vec<u8>, ArrowError> {
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options)?;
        writer.write(batch)?;
        writer.into_inner()
    };
    write().map(Bytes::from).map_err(|error| SparkError::internal("rows cannot be sent").source(error))
}

pub(crate) fn rows_from_bytes(bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    let read = || -> Result<Vec<RecordBatch>, ArrowError> { StreamReader::try_new(bytes, None)?.collect() };
    read().map_err(|error| broken("rows")().source(error))
}
