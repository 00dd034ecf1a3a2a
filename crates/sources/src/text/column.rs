//! Columns built from text, one value after another.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
    Int8Builder, Int16Builder, Int32Builder, Int64Builder, NullBufferBuilder, NullBuilder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::array::{ListArray, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit};
use firesteel_model::{Result, SparkError};

use super::decimal::Digits;
use super::numbers::parse_double;
use super::parse::ValueRules;
use crate::error::from_arrow;

/// A column under construction.
pub(crate) enum Column {
    Null(NullBuilder),
    Boolean(BooleanBuilder),
    Byte(Int8Builder),
    Short(Int16Builder),
    Integer(Int32Builder),
    Long(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder, bool),
    List { field: FieldRef, items: Box<Column>, lengths: Vec<usize>, nulls: NullBufferBuilder },
    Struct { fields: Fields, columns: Vec<Column>, nulls: NullBufferBuilder },
    Map { entries: FieldRef, keys: Box<Column>, values: Box<Column>, lengths: Vec<usize>, nulls: NullBufferBuilder },
}

impl Column {
    /// An empty column of an Arrow type.
    ///
    /// Errors: `UNSUPPORTED_FEATURE` for a type that text formats do not read.
    pub(crate) fn new(data_type: &DataType, capacity: usize) -> Result<Self> {
        Ok(match data_type {
            DataType::Null => Self::Null(NullBuilder::new()),
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(capacity)),
            DataType::Int8 => Self::Byte(Int8Builder::with_capacity(capacity)),
            DataType::Int16 => Self::Short(Int16Builder::with_capacity(capacity)),
            DataType::Int32 => Self::Integer(Int32Builder::with_capacity(capacity)),
            DataType::Int64 => Self::Long(Int64Builder::with_capacity(capacity)),
            DataType::Float32 => Self::Float(Float32Builder::with_capacity(capacity)),
            DataType::Float64 => Self::Double(Float64Builder::with_capacity(capacity)),
            DataType::Decimal128(precision, scale) => {
                let builder = Decimal128Builder::with_capacity(capacity).with_data_type(data_type.clone());
                Self::Decimal(builder, *precision, *scale)
            }
            DataType::Utf8 => Self::Text(StringBuilder::with_capacity(capacity, capacity * 8)),
            DataType::Binary => Self::Binary(BinaryBuilder::with_capacity(capacity, capacity * 8)),
            DataType::Date32 => Self::Date(Date32Builder::with_capacity(capacity)),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let builder = TimestampMicrosecondBuilder::with_capacity(capacity).with_data_type(data_type.clone());
                Self::Timestamp(builder, zone.is_some())
            }
            DataType::List(field) => Self::List {
                field: Arc::clone(field),
                items: Box::new(Self::new(field.data_type(), capacity)?),
                lengths: Vec::new(),
                nulls: NullBufferBuilder::new(capacity),
            },
            DataType::Struct(fields) => Self::Struct {
                fields: fields.clone(),
                columns: fields.iter().map(|f| Self::new(f.data_type(), capacity)).collect::<Result<_>>()?,
                nulls: NullBufferBuilder::new(capacity),
            },
            DataType::Map(entries, _) => Self::map(entries, capacity)?,
            other => return Err(SparkError::unsupported(format!("reading {other} from text"))),
        })
    }

    fn map(entries: &FieldRef, capacity: usize) -> Result<Self> {
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(SparkError::internal("a map without entries"));
        };
        Ok(Self::Map {
            entries: Arc::clone(entries),
            keys: Box::new(Self::new(fields[0].data_type(), capacity)?),
            values: Box::new(Self::new(fields[1].data_type(), capacity)?),
            lengths: Vec::new(),
            nulls: NullBufferBuilder::new(capacity),
        })
    }

    /// Adds a NULL.
    pub(crate) fn append_null(&mut self) {
        match self {
            Self::Null(builder) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
            Self::Byte(builder) => builder.append_null(),
            Self::Short(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Long(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Double(builder) => builder.append_null(),
            Self::Decimal(builder, ..) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Binary(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Timestamp(builder, _) => builder.append_null(),
            Self::List { lengths, nulls, .. } | Self::Map { lengths, nulls, .. } => {
                lengths.push(0);
                nulls.append_null();
            }
            Self::Struct { columns, nulls, .. } => {
                columns.iter_mut().for_each(Self::append_null);
                nulls.append_null();
            }
        }
    }

    /// Adds the value that text means; NULL and `false` if it means none.
    pub(crate) fn append_text(&mut self, text: &str, rules: &ValueRules) -> bool {
        let added = match self {
            Self::Null(_) | Self::List { .. } | Self::Struct { .. } | Self::Map { .. } => None,
            Self::Text(builder) => {
                builder.append_value(text);
                Some(())
            }
            Self::Binary(builder) => {
                builder.append_value(text);
                Some(())
            }
            Self::Boolean(builder) => boolean(text).map(|value| builder.append_value(value)),
            Self::Byte(builder) => text.parse().ok().map(|value| builder.append_value(value)),
            Self::Short(builder) => text.parse().ok().map(|value| builder.append_value(value)),
            Self::Integer(builder) => text.parse().ok().map(|value| builder.append_value(value)),
            Self::Long(builder) => text.parse().ok().map(|value| builder.append_value(value)),
            Self::Float(builder) => double(text, rules).map(|value| builder.append_value(value as f32)),
            Self::Double(builder) => double(text, rules).map(|value| builder.append_value(value)),
            Self::Decimal(builder, precision, scale) => {
                let value = Digits::parse(text).and_then(|digits| digits.rescale(*precision, *scale));
                value.map(|value| builder.append_value(value))
            }
            Self::Date(builder) => rules.date(text).map(|value| builder.append_value(value)),
            Self::Timestamp(builder, true) => rules.timestamp(text).map(|value| builder.append_value(value)),
            Self::Timestamp(builder, false) => rules.timestamp_ntz(text).map(|value| builder.append_value(value)),
        };
        if added.is_none() {
            self.append_null();
        }
        added.is_some()
    }

    /// The column so far; it is empty afterwards.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef> {
        Ok(match self {
            Self::Null(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Byte(builder) => Arc::new(builder.finish()),
            Self::Short(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder, ..) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Binary(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder, _) => Arc::new(builder.finish()),
            Self::List { field, items, lengths, nulls } => {
                let offsets = OffsetBuffer::from_lengths(std::mem::take(lengths));
                let array = ListArray::try_new(Arc::clone(field), offsets, items.finish()?, nulls.finish());
                Arc::new(array.map_err(from_arrow)?)
            }
            Self::Struct { fields, columns, nulls } => {
                let length = nulls.len();
                let nulls = nulls.finish();
                let arrays = columns.iter_mut().map(Self::finish).collect::<Result<Vec<_>>>()?;
                let array = StructArray::try_new_with_length(fields.clone(), arrays, nulls, length);
                Arc::new(array.map_err(from_arrow)?)
            }
            Self::Map { entries, keys, values, lengths, nulls } => {
                let offsets = OffsetBuffer::from_lengths(std::mem::take(lengths));
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(SparkError::internal("a map without entries"));
                };
                let rows = StructArray::try_new(fields.clone(), vec![keys.finish()?, values.finish()?], None);
                let rows = rows.map_err(from_arrow)?;
                let array = MapArray::try_new(Arc::clone(entries), offsets, rows, nulls.finish(), false);
                Arc::new(array.map_err(from_arrow)?)
            }
        })
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn double(text: &str, rules: &ValueRules) -> Option<f64> {
    match text {
        _ if text == rules.nan => Some(f64::NAN),
        _ if text == rules.positive_inf => Some(f64::INFINITY),
        _ if text == rules.negative_inf => Some(f64::NEG_INFINITY),
        _ => parse_double(text),
    }
}
