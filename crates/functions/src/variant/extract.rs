//! Values as columns of Spark's types.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    ListArray, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::interleave;
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow};

use super::read::{Kind, Value};
use crate::cast::{Mode, can_cast, cast_array};
use crate::coercion::type_sql;
use crate::datetime::Zone;
use crate::errors::from_arrow;
use crate::families::json_structs as structs;
use crate::families::map_array;
use crate::number::write_decimal;

/// The values as a column of the type, and null for what is no such value unless that is to `fail`.
///
/// Errors: `INVALID_VARIANT_CAST`, `MALFORMED_VARIANT`.
pub(crate) fn column(values: &[Option<Value<'_>>], target: &DataType, fails: bool, zone: &Zone) -> Result<ArrayRef> {
    Extraction { fails, zone }.column(values, target)
}

struct Extraction<'z> {
    fails: bool,
    zone: &'z Zone,
}

impl Extraction<'_> {
    fn column(&self, values: &[Option<Value<'_>>], target: &DataType) -> Result<ArrayRef> {
        match target {
            DataType::Variant => super::array(
                values.iter().map(|v| v.map(Value::pair).transpose()).collect::<Result<Vec<_>>>()?.into_iter(),
            ),
            DataType::Array(element, _) => self.lists(values, target, element),
            DataType::Struct(fields) => {
                let mut objects = Vec::with_capacity(values.len());
                for value in values {
                    objects.push(match value.map(Value::kind).transpose()? {
                        Some(Kind::Object(members)) => Some(members),
                        other => self.refuse(other, *value, target)?,
                    });
                }
                let mut columns = Vec::with_capacity(fields.len());
                for field in fields {
                    let found = objects.iter().map(|object| match object {
                        Some(members) => members.get(&field.name),
                        None => Ok(None),
                    });
                    columns.push(self.column(&found.collect::<Result<Vec<_>>>()?, &field.data_type)?);
                }
                structs(target, columns, NullBuffer::from_iter(objects.iter().map(Option::is_some)))
            }
            DataType::Map(key, item, _) if key.is_string() => self.maps(values, target, item),
            _ => self.leaves(values, target),
        }
    }

    /// Null for what does not fit, or an error.
    fn refuse<T>(&self, kind: Option<Kind<'_>>, value: Option<Value<'_>>, target: &DataType) -> Result<Option<T>> {
        match (kind, value) {
            (None | Some(Kind::Null), _) | (_, None) => Ok(None),
            (Some(_), Some(value)) => self.invalid(value, target).map(|()| None),
        }
    }

    fn invalid(&self, value: Value<'_>, target: &DataType) -> Result<()> {
        if !self.fails {
            return Ok(());
        }
        let mut shown = String::new();
        value.write_json(&mut shown, self.zone)?;
        Err(SparkError::new(&error_class::INVALID_VARIANT_CAST)
            .param("value", shown)
            .param("dataType", type_sql(target)))
    }

    fn lists(&self, values: &[Option<Value<'_>>], target: &DataType, element: &DataType) -> Result<ArrayRef> {
        let (mut elements, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
        for value in values {
            let found = match value.map(Value::kind).transpose()? {
                Some(Kind::Array(found)) => Some(found),
                other => self.refuse(other, *value, target)?,
            };
            valid.push(found.is_some());
            lengths.push(found.map_or(0, |found| found.len()));
            if let Some(found) = found {
                for i in 0..found.len() {
                    elements.push(Some(found.at(i)?));
                }
            }
        }
        let Arrow::List(field) = to_arrow(target) else { return Err(SparkError::internal("an array is none")) };
        let elements = self.column(&elements, element)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(field, offsets, elements, Some(valid.into())).map_err(from_arrow)?))
    }

    fn maps(&self, values: &[Option<Value<'_>>], target: &DataType, item: &DataType) -> Result<ArrayRef> {
        let (mut keys, mut items, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for value in values {
            let found = match value.map(Value::kind).transpose()? {
                Some(Kind::Object(found)) => Some(found),
                other => self.refuse(other, *value, target)?,
            };
            valid.push(found.is_some());
            lengths.push(found.map_or(0, |found| found.len()));
            if let Some(found) = found {
                for i in 0..found.len() {
                    let (name, value) = found.at(i)?;
                    keys.push(Some(name));
                    items.push(Some(value));
                }
            }
        }
        let keys: ArrayRef = Arc::new(StringArray::from(keys));
        let items = self.column(&items, item)?;
        map_array(target, OffsetBuffer::from_lengths(lengths), keys, items, Some(valid.into()))
    }

    /// Each kind of value is cast as a column of its own; then the columns are put together.
    fn leaves(&self, values: &[Option<Value<'_>>], target: &DataType) -> Result<ArrayRef> {
        let mut sources = Sources::default();
        let mut places = Vec::with_capacity(values.len());
        for value in values {
            places.push(match value {
                Some(value) if !value.is_null() => sources.place(*value, target, self.zone)?,
                _ => None,
            });
        }
        let mut columns = vec![new_null_array(&to_arrow(target), 1)];
        let mut first = vec![None; sources.columns.len()];
        for (i, (data_type, cells)) in sources.columns.into_iter().enumerate() {
            let array = cells.array(&data_type)?;
            if can_cast(&data_type, target, true) {
                first[i] = Some(columns.len());
                columns.push(cast_array(&array, &data_type, target, Mode::Try, self.zone.id())?);
            }
        }
        let mut picks = Vec::with_capacity(values.len());
        for (place, value) in places.iter().zip(values) {
            let pick = place.and_then(|(source, at)| Some((first[source]?, at)));
            let pick = pick.filter(|(source, at)| columns[*source].is_valid(*at));
            if let (None, Some(value)) = (pick, value)
                && !value.is_null()
            {
                self.invalid(*value, target)?;
            }
            picks.push(pick.unwrap_or((0, 0)));
        }
        let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
        interleave(&columns, &picks).map_err(from_arrow)
    }
}

/// Values of one kind.
enum Cells {
    Booleans(Vec<bool>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Decimals(Vec<i128>),
    Days(Vec<i32>),
    Micros(Vec<i64>),
    Texts(Vec<String>),
    Bytes(Vec<Vec<u8>>),
}

#[derive(Default)]
struct Sources {
    columns: Vec<(DataType, Cells)>,
}

impl Sources {
    /// The column and the row in it that hold the value; `None` for a nested value that is not to be text.
    fn place(&mut self, value: Value<'_>, target: &DataType, zone: &Zone) -> Result<Option<(usize, usize)>> {
        let text = |write: &dyn Fn(&mut String) -> Result<()>| -> Result<(DataType, Cells)> {
            let mut out = String::new();
            write(&mut out)?;
            Ok((DataType::STRING, Cells::Texts(vec![out])))
        };
        let (data_type, cell) = match value.kind()? {
            Kind::Null => return Ok(None),
            Kind::Boolean(value) => (DataType::Boolean, Cells::Booleans(vec![value])),
            Kind::Long(value) => (DataType::Long, Cells::Longs(vec![value])),
            Kind::Float(value) => (DataType::Float, Cells::Floats(vec![value])),
            Kind::Double(value) => (DataType::Double, Cells::Doubles(vec![value])),
            Kind::Decimal(digits, scale) if target.is_string() => text(&|out| {
                write_decimal(out, digits, scale as i8, true);
                Ok(())
            })?,
            Kind::Decimal(digits, scale) => (DataType::Decimal(38, scale as i8), Cells::Decimals(vec![digits])),
            Kind::Date(days) => (DataType::Date, Cells::Days(vec![days])),
            Kind::Timestamp(micros) => (DataType::Timestamp, Cells::Micros(vec![micros])),
            Kind::TimestampNtz(micros) => (DataType::TimestampNtz, Cells::Micros(vec![micros])),
            Kind::String(found) => (DataType::STRING, Cells::Texts(vec![found.to_owned()])),
            Kind::Binary(bytes) => (DataType::Binary, Cells::Bytes(vec![bytes.to_vec()])),
            Kind::Uuid(_) => text(&|out| {
                value.write_json(out, zone)?;
                out.retain(|c| c != '"');
                Ok(())
            })?,
            Kind::Object(_) | Kind::Array(_) if target.is_string() => text(&|out| value.write_json(out, zone))?,
            Kind::Object(_) | Kind::Array(_) => return Ok(None),
        };
        let source = match self.columns.iter().position(|(known, _)| *known == data_type) {
            Some(source) => source,
            None => {
                self.columns.push((data_type, cell));
                return Ok(Some((self.columns.len() - 1, 0)));
            }
        };
        Ok(Some((source, self.columns[source].1.push(cell))))
    }
}

impl Cells {
    /// Adds values of the same kind; gives the place of the first.
    fn push(&mut self, other: Self) -> usize {
        macro_rules! extend {
            ($($kind:ident),*) => {
                match (self, other) {
                    $((Self::$kind(mine), Self::$kind(theirs)) => {
                        let at = mine.len();
                        mine.extend(theirs);
                        at
                    })*
                    _ => 0,
                }
            };
        }
        extend!(Booleans, Longs, Floats, Doubles, Decimals, Days, Micros, Texts, Bytes)
    }

    fn array(self, data_type: &DataType) -> Result<ArrayRef> {
        Ok(match self {
            Self::Booleans(values) => Arc::new(BooleanArray::from(values)),
            Self::Longs(values) => Arc::new(Int64Array::from(values)),
            Self::Floats(values) => Arc::new(Float32Array::from(values)),
            Self::Doubles(values) => Arc::new(Float64Array::from(values)),
            Self::Decimals(values) => Arc::new(Decimal128Array::from(values).with_data_type(to_arrow(data_type))),
            Self::Days(values) => Arc::new(Date32Array::from(values)),
            Self::Micros(values) if *data_type == DataType::Timestamp => {
                Arc::new(TimestampMicrosecondArray::from(values).with_timezone(INSTANT_ZONE))
            }
            Self::Micros(values) => Arc::new(TimestampMicrosecondArray::from(values)),
            Self::Texts(values) => Arc::new(StringArray::from(values)),
            Self::Bytes(values) => Arc::new(BinaryArray::from_iter_values(values)),
        })
    }
}
