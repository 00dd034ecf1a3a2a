//! The formats: names, schemas, and opening those that are not lines of text.

pub(crate) mod adapt;
pub(crate) mod avro;
pub(crate) mod binary;
mod fields;
pub(crate) mod orc;
pub(crate) mod parquet;
pub(crate) mod parquet_adapter;
pub(crate) mod plain_text;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};
use serde::{Deserialize, Serialize};

use crate::csv::CsvOptions;
use crate::json::JsonOptions;
use crate::options::Options;
use crate::settings::Settings;
use crate::text::blocks::Source;

pub(crate) use fields::{all_nullable, same_name};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// A JSON object per line, or JSON documents.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// Apache Avro object containers.
    Avro,
    /// A row per line, or per file.
    Text,
    /// A row per file, with its content.
    BinaryFile,
}

impl Format {
    /// A format by the name or class that Spark knows it by, in any case.
    ///
    /// Errors: `DATA_SOURCE_NOT_FOUND`.
    pub fn parse(name: &str) -> Result<Self> {
        let lower = name.to_ascii_lowercase();
        let short = lower.rsplit('.').find(|part| !matches!(*part, "defaultsource" | "csvfileformat")).unwrap_or("");
        let short = short.strip_suffix("fileformat").unwrap_or(short);
        match short {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "parquet" => Ok(Self::Parquet),
            "orc" => Ok(Self::Orc),
            "avro" => Ok(Self::Avro),
            "text" => Ok(Self::Text),
            "binaryfile" | "binary" => Ok(Self::BinaryFile),
            _ => Err(SparkError::new(&error_class::DATA_SOURCE_NOT_FOUND).param("provider", name)),
        }
    }

    /// Spark's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Orc => "orc",
            Self::Avro => "avro",
            Self::Text => "text",
            Self::BinaryFile => "binaryFile",
        }
    }

    /// The name in messages.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
            Self::Orc => "ORC",
            Self::Avro => "Avro",
            Self::Text => "Text",
            Self::BinaryFile => "binaryFile",
        }
    }

    /// Whether a file can be read in pieces.
    pub(crate) fn is_splittable(self, file_name: &str, options: &Options, settings: &Settings) -> Result<bool> {
        Ok(match self {
            Self::Parquet | Self::Orc => true,
            Self::Avro | Self::BinaryFile => false,
            Self::Csv => CsvOptions::new(options, settings)?.layout.is_splittable(file_name),
            Self::Json => JsonOptions::new(options, settings)?.layout.is_splittable(file_name),
            Self::Text => plain_text::layout(options)?.is_splittable(file_name),
        })
    }

    /// Whether a column of the type can be written, and read, in the format.
    ///
    /// Errors: `UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE`.
    pub(crate) fn check(self, fields: &[StructField]) -> Result<()> {
        match fields.iter().find(|field| !self.holds(&field.data_type)) {
            None => Ok(()),
            Some(field) => Err(SparkError::new(&error_class::UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE)
                .param("format", self.title())
                .param("columnName", firesteel_spec::types::quote(&field.name))
                .param("columnType", format!("\"{}\"", field.data_type.sql()))),
        }
    }

    fn holds(self, data_type: &DataType) -> bool {
        match data_type {
            DataType::Array(element, _) => self.nests() && self.holds(element),
            DataType::Map(key, value, _) => self.nests() && self.holds(key) && self.holds(value),
            DataType::Struct(fields) => self.nests() && fields.iter().all(|field| self.holds(&field.data_type)),
            DataType::Udt(udt) => self.holds(&udt.sql_type),
            DataType::String(_) | DataType::Char(_) | DataType::Varchar(_) => true,
            DataType::CalendarInterval | DataType::Variant | DataType::Geometry(_) | DataType::Geography(_) => false,
            DataType::Null => matches!(self, Self::Json | Self::Csv),
            DataType::DayTimeInterval(..) | DataType::Time(_) => self == Self::Parquet,
            DataType::YearMonthInterval(..) => false,
            _ => self != Self::Text,
        }
    }

    fn nests(self) -> bool {
        !matches!(self, Self::Csv | Self::Text)
    }

    /// The columns of files, as Spark infers them; `None` if the files do not tell.
    pub(crate) async fn infer(
        self,
        sources: &[Source],
        options: &Options,
        settings: &Settings,
    ) -> Result<Option<Vec<StructField>>> {
        match self {
            Self::Csv => crate::csv::infer(sources, &CsvOptions::new(options, settings)?, settings).await,
            Self::Json => crate::json::infer(sources, &JsonOptions::new(options, settings)?).await,
            Self::Parquet => parquet::infer(sources, options, settings).await,
            Self::Orc => {
                let ignores_corrupt = options.flag("ignoreCorruptFiles", settings.ignore_corrupt_files)?;
                orc::infer(sources, options, ignores_corrupt).await
            }
            Self::Avro => avro::infer(sources, options).await,
            Self::Text => Ok(Some(plain_text::fields())),
            Self::BinaryFile => Ok(Some(binary::fields())),
        }
    }
}
