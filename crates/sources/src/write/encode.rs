//! Batches to the bytes of a file, format by format.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{Writer, WriterBuilder};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::from_arrow_fields;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression as ParquetCompression, GzipLevel, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::spec::WriteJobSpec;
use crate::csv::CsvWriter;
use crate::error::bad_option;
use crate::formats::Format;
use crate::formats::parquet::SPARK_SCHEMA_KEY;
use crate::json::JsonWriter;
use crate::orc::{Codec, OrcWriter};
use crate::text::compression::{Compression, Compressor};
use crate::text::print::Printer;

const ROW_GROUP_BYTES: usize = 128 << 20;

/// Writes one file into memory, from where its bytes are taken as they come.
pub(super) trait Encoder: Send {
    /// Adds rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// The bytes since the last call.
    fn take(&mut self) -> Vec<u8>;
    /// Bytes held back, as row groups are.
    fn held_bytes(&self) -> usize;
    /// Ends the file and gives the last bytes.
    fn finish(self: Box<Self>) -> Result<Vec<u8>>;
}

/// An encoder of the job's format for rows of a schema.
pub(super) fn encoder(spec: &WriteJobSpec, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
    match spec.format {
        Format::Parquet => parquet(spec, schema),
        Format::Orc => orc(spec, schema),
        Format::Avro => avro(spec, schema),
        Format::Csv | Format::Json | Format::Text => Ok(Box::new(TextEncoder::new(spec, schema)?)),
        Format::BinaryFile => Err(SparkError::unsupported("writing binary files")),
    }
}

/// What stands at the end of file names: `.snappy.parquet`.
pub(super) fn extension(spec: &WriteJobSpec) -> Result<String> {
    let codec = spec.options.get_either("compression", "codec").map(str::to_ascii_lowercase);
    let codec = codec.as_deref();
    Ok(match spec.format {
        Format::Parquet => match codec.unwrap_or("snappy") {
            "none" | "uncompressed" => ".parquet".to_owned(),
            "gzip" => ".gz.parquet".to_owned(),
            "lz4_raw" | "lz4raw" => ".lz4raw.parquet".to_owned(),
            other => format!(".{other}.parquet"),
        },
        Format::Orc => match codec.unwrap_or("zstd") {
            "none" | "uncompressed" => ".orc".to_owned(),
            other => format!(".{other}.orc"),
        },
        Format::Avro => ".avro".to_owned(),
        Format::Text => format!(".txt{}", Compression::of_option(codec)?.extension()),
        Format::Csv | Format::Json | Format::BinaryFile => {
            format!(".{}{}", spec.format.name(), Compression::of_option(codec)?.extension())
        }
    })
}

/// Memory that a writer fills and the task empties.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(spec: &WriteJobSpec, error: impl std::error::Error + Send + Sync + 'static) -> SparkError {
    let path = format!("{}{}", spec.url, spec.path);
    SparkError::new(&error_class::TASK_WRITE_FAILED).param("path", path).source(error)
}

fn parquet(spec: &WriteJobSpec, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
    let fields = from_arrow_fields(schema.fields()).ok_or_else(|| SparkError::internal("a type without Spark name"))?;
    let told = firesteel_spec::DataType::Struct(fields).to_json().to_string();
    let codec = spec.options.get_either("compression", "codec").unwrap_or("snappy").to_ascii_lowercase();
    let compression = match codec.as_str() {
        "none" | "uncompressed" => ParquetCompression::UNCOMPRESSED,
        "snappy" => ParquetCompression::SNAPPY,
        "gzip" => ParquetCompression::GZIP(GzipLevel::default()),
        "zstd" => ParquetCompression::ZSTD(ZstdLevel::default()),
        "lz4" | "lz4_raw" | "lz4raw" => ParquetCompression::LZ4_RAW,
        other => return Err(bad_option("compression", other, "codec of Parquet")),
    };
    let block = spec.options.integer("parquet.block.size")?.and_then(|size| usize::try_from(size).ok());
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_bytes(Some(block.unwrap_or(ROW_GROUP_BYTES)))
        .set_created_by(format!("firesteel version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(vec![KeyValue::new(SPARK_SCHEMA_KEY.to_owned(), told)]))
        .build();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_schema_root("spark_schema".to_owned())
        .with_skip_arrow_metadata(true);
    let buffer = SharedBuffer::default();
    let writer = ArrowWriter::try_new_with_options(buffer.clone(), Arc::clone(schema), options);
    Ok(Box::new(ParquetEncoder { writer: writer.map_err(|error| failed(spec, error))?, buffer, spec: spec.clone() }))
}

struct ParquetEncoder {
    writer: ArrowWriter<SharedBuffer>,
    buffer: SharedBuffer,
    spec: WriteJobSpec,
}

impl Encoder for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed(&self.spec, error))
    }

    fn take(&mut self) -> Vec<u8> {
        self.buffer.take()
    }

    fn held_bytes(&self) -> usize {
        self.writer.in_progress_size()
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        self.writer.close().map_err(|error| failed(&self.spec, error))?;
        Ok(self.buffer.take())
    }
}

fn orc(spec: &WriteJobSpec, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
    let codec = spec.options.get_either("compression", "codec").unwrap_or("zstd").to_ascii_lowercase();
    let codec = match codec.as_str() {
        "none" | "uncompressed" => Codec::None,
        "snappy" => Codec::Snappy,
        "zlib" => Codec::Zlib,
        "zstd" => Codec::Zstd,
        "lz4" => Codec::Lz4,
        other => return Err(bad_option("compression", other, "codec of ORC")),
    };
    Ok(Box::new(OrcEncoder { writer: OrcWriter::new(schema, codec)?, spec: spec.clone() }))
}

struct OrcEncoder {
    writer: OrcWriter,
    spec: WriteJobSpec,
}

impl Encoder for OrcEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed(&self.spec, error))
    }

    fn take(&mut self) -> Vec<u8> {
        self.writer.take()
    }

    fn held_bytes(&self) -> usize {
        self.writer.held_bytes()
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        let Self { writer, spec } = *self;
        writer.finish().map_err(|error| failed(&spec, error))
    }
}

fn avro(spec: &WriteJobSpec, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
    let codec = spec.options.get_either("compression", "codec").unwrap_or("snappy").to_ascii_lowercase();
    let compression = match codec.as_str() {
        "uncompressed" | "none" => None,
        "snappy" => Some(CompressionCodec::Snappy),
        "deflate" => Some(CompressionCodec::Deflate),
        "zstandard" | "zstd" => Some(CompressionCodec::ZStandard),
        other => return Err(bad_option("compression", other, "codec of Avro")),
    };
    let buffer = SharedBuffer::default();
    let builder = WriterBuilder::new(schema.as_ref().clone()).with_compression(compression);
    let writer = builder.build::<_, AvroOcfFormat>(buffer.clone()).map_err(|error| failed(spec, error))?;
    Ok(Box::new(AvroEncoder { writer, buffer, spec: spec.clone() }))
}

struct AvroEncoder {
    writer: Writer<SharedBuffer, AvroOcfFormat>,
    buffer: SharedBuffer,
    spec: WriteJobSpec,
}

impl Encoder for AvroEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed(&self.spec, error))
    }

    fn take(&mut self) -> Vec<u8> {
        self.buffer.take()
    }

    fn held_bytes(&self) -> usize {
        0
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>> {
        self.writer.finish().map_err(|error| failed(&self.spec, error))?;
        Ok(self.buffer.take())
    }
}

enum Lines {
    Csv(CsvWriter),
    Json(JsonWriter),
    Text(Printer, String),
}

struct TextEncoder {
    lines: Lines,
    compressor: Compressor,
    spec: WriteJobSpec,
}

impl TextEncoder {
    fn new(spec: &WriteJobSpec, schema: &SchemaRef) -> Result<Self> {
        let (options, settings) = (&spec.options, &spec.settings);
        let compression = Compression::of_option(options.get_either("compression", "codec"))?;
        let mut compressor = Compressor::new(compression).map_err(|error| failed(spec, error))?;
        let lines = match spec.format {
            Format::Csv => {
                let writer = CsvWriter::new(options, settings)?;
                compressor.write(writer.header(schema).as_bytes()).map_err(|error| failed(spec, error))?;
                Lines::Csv(writer)
            }
            Format::Json => Lines::Json(JsonWriter::new(options, settings)?),
            _ => {
                let line_end = options.get("lineSep").unwrap_or("\n").to_owned();
                Lines::Text(Printer::new(options, settings)?, line_end)
            }
        };
        Ok(Self { lines, compressor, spec: spec.clone() })
    }
}

impl Encoder for TextEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let text = match &self.lines {
            Lines::Csv(writer) => writer.rows(batch)?,
            Lines::Json(writer) => writer.rows(batch)?,
            Lines::Text(printer, line_end) => {
                let mut text = String::new();
                for row in 0..batch.num_rows() {
                    text.push_str(&printer.print(batch.column(0), row)?.unwrap_or_default());
                    text.push_str(line_end);
                }
                text
            }
        };
        self.compressor.write(text.as_bytes()).map_err(|error| failed(&self.spec, error))
    }

    fn take(&mut self) -> Vec<u8> {
        self.compressor.take()
    }

    fn held_bytes(&self) -> usize {
        0
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>> {
        let Self { compressor, spec, .. } = *self;
        compressor.finish().map_err(|error| failed(&spec, error))
    }
}
