//! The columns of a stripe as they fill up.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::filter;
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow::error::ArrowError;

use super::runs;
use super::wire::StreamKind;

/// Seconds from 1970 to 2015, from where ORC counts.
const EPOCH_SECONDS: i64 = 1_420_070_400;

/// A column: which of its rows are not null, and those.
pub(super) struct Column {
    present: Vec<bool>,
    has_nulls: bool,
    values: Values,
}

enum Values {
    Flags(Vec<bool>),
    Bytes(Vec<u8>),
    Numbers(Vec<i64>),
    /// Numbers of one width, one after the other.
    Raw(Vec<u8>),
    Texts {
        bytes: Vec<u8>,
        lengths: Vec<i64>,
    },
    Decimals {
        digits: Vec<u8>,
        scales: Vec<i64>,
        scale: i8,
    },
    Moments {
        seconds: Vec<i64>,
        nanos: Vec<i64>,
    },
    /// A list, or a map: keys and values.
    Lists {
        lengths: Vec<i64>,
        parts: Vec<Column>,
    },
    Struct(Vec<Column>),
}

/// Bytes of a column before they are compressed.
pub(super) struct ColumnStream {
    pub(super) column: usize,
    pub(super) kind: StreamKind,
    pub(super) bytes: Vec<u8>,
}

impl Column {
    /// An empty column; the schema was checked to hold nothing else.
    pub(super) fn new(data_type: &Arrow) -> Self {
        let values = match data_type {
            Arrow::Boolean => Values::Flags(Vec::new()),
            Arrow::Int8 => Values::Bytes(Vec::new()),
            Arrow::Float32 | Arrow::Float64 => Values::Raw(Vec::new()),
            Arrow::Utf8 | Arrow::Binary => Values::Texts { bytes: Vec::new(), lengths: Vec::new() },
            Arrow::Decimal128(_, scale) => Values::Decimals { digits: Vec::new(), scales: Vec::new(), scale: *scale },
            Arrow::Timestamp(..) => Values::Moments { seconds: Vec::new(), nanos: Vec::new() },
            Arrow::List(element) => Values::Lists { lengths: Vec::new(), parts: vec![Self::new(element.data_type())] },
            Arrow::Map(entries, _) => {
                let parts = match entries.data_type() {
                    Arrow::Struct(entry) => entry.iter().map(|part| Self::new(part.data_type())).collect(),
                    _ => Vec::new(),
                };
                Values::Lists { lengths: Vec::new(), parts }
            }
            Arrow::Struct(fields) => Values::Struct(fields.iter().map(|field| Self::new(field.data_type())).collect()),
            _ => Values::Numbers(Vec::new()),
        };
        Self { present: Vec::new(), has_nulls: false, values }
    }

    /// The column of a stripe's rows, which are not null.
    pub(super) fn root(columns: Vec<Self>) -> Self {
        Self { present: Vec::new(), has_nulls: false, values: Values::Struct(columns) }
    }

    /// The columns of the root.
    pub(super) fn parts_mut(&mut self) -> &mut [Self] {
        match &mut self.values {
            Values::Struct(parts) | Values::Lists { parts, .. } => parts,
            _ => &mut [],
        }
    }

    /// Adds the rows of an array.
    pub(super) fn add(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        self.has_nulls |= nulls.is_some();
        match &nulls {
            Some(nulls) => self.present.extend(nulls.iter()),
            None => self.present.resize(self.present.len() + array.len(), true),
        }
        let valid = (0..array.len()).filter(|row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row)));
        match &mut self.values {
            Values::Flags(flags) => flags.extend(valid.map(|row| array.as_boolean().value(row))),
            Values::Bytes(bytes) => {
                bytes.extend(valid.map(|row| array.as_primitive::<Int8Type>().value(row).cast_unsigned()));
            }
            Values::Numbers(numbers) => add_numbers(numbers, array, valid),
            Values::Raw(bytes) => add_raw(bytes, array, valid),
            Values::Texts { bytes, lengths } => {
                for row in valid {
                    let value = match array.data_type() {
                        Arrow::Binary => array.as_binary::<i32>().value(row),
                        _ => array.as_string::<i32>().value(row).as_bytes(),
                    };
                    bytes.extend_from_slice(value);
                    lengths.push(value.len() as i64);
                }
            }
            Values::Decimals { digits, scales, scale } => {
                for row in valid {
                    runs::varint(runs::zigzag(array.as_primitive::<Decimal128Type>().value(row)), digits);
                    scales.push(i64::from(*scale));
                }
            }
            Values::Moments { seconds, nanos } => {
                for row in valid {
                    let (second, nano) = moment(array.as_primitive::<TimestampMicrosecondType>().value(row))?;
                    seconds.push(second);
                    nanos.push(nano);
                }
            }
            Values::Lists { lengths, parts } => add_lists(lengths, parts, array, nulls.as_ref())?,
            Values::Struct(parts) => {
                let mask = nulls.map(|nulls| BooleanArray::new(nulls.into_inner(), None));
                for (part, column) in parts.iter_mut().zip(array.as_struct().columns()) {
                    match &mask {
                        Some(mask) => part.add(&filter(column, mask)?)?,
                        None => part.add(column)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Bytes held, about.
    pub(super) fn held_bytes(&self) -> usize {
        let own = match &self.values {
            Values::Flags(flags) => flags.len(),
            Values::Bytes(bytes) | Values::Raw(bytes) => bytes.len(),
            Values::Numbers(numbers) => numbers.len() * 8,
            Values::Texts { bytes, lengths } => bytes.len() + lengths.len() * 8,
            Values::Decimals { digits, scales, .. } => digits.len() + scales.len() * 8,
            Values::Moments { seconds, .. } => seconds.len() * 16,
            Values::Lists { lengths, parts } => lengths.len() * 8 + parts.iter().map(Self::held_bytes).sum::<usize>(),
            Values::Struct(parts) => parts.iter().map(Self::held_bytes).sum(),
        };
        own + self.present.len()
    }

    /// Empties the column and those inside it into streams, numbering columns from `next`.
    pub(super) fn take(&mut self, next: &mut usize, streams: &mut Vec<ColumnStream>) {
        let column = *next;
        *next += 1;
        let present = std::mem::take(&mut self.present);
        let mut push = |kind: StreamKind, bytes: Vec<u8>| streams.push(ColumnStream { column, kind, bytes });
        if std::mem::take(&mut self.has_nulls) {
            push(StreamKind::Present, runs::of_flags(&present));
        }
        match &mut self.values {
            Values::Flags(flags) => push(StreamKind::Data, runs::of_flags(&std::mem::take(flags))),
            Values::Bytes(bytes) => push(StreamKind::Data, runs::of_bytes(&std::mem::take(bytes))),
            Values::Numbers(numbers) => push(StreamKind::Data, runs::of_signed(&std::mem::take(numbers))),
            Values::Raw(bytes) => push(StreamKind::Data, std::mem::take(bytes)),
            Values::Texts { bytes, lengths } => {
                push(StreamKind::Data, std::mem::take(bytes));
                push(StreamKind::Length, runs::of_unsigned(&std::mem::take(lengths)));
            }
            Values::Decimals { digits, scales, .. } => {
                push(StreamKind::Data, std::mem::take(digits));
                push(StreamKind::Secondary, runs::of_signed(&std::mem::take(scales)));
            }
            Values::Moments { seconds, nanos } => {
                push(StreamKind::Data, runs::of_signed(&std::mem::take(seconds)));
                push(StreamKind::Secondary, runs::of_unsigned(&std::mem::take(nanos)));
            }
            Values::Lists { lengths, parts } => {
                push(StreamKind::Length, runs::of_unsigned(&std::mem::take(lengths)));
                parts.iter_mut().for_each(|part| part.take(next, streams));
            }
            Values::Struct(parts) => parts.iter_mut().for_each(|part| part.take(next, streams)),
        }
    }
}

fn add_numbers(numbers: &mut Vec<i64>, array: &ArrayRef, valid: impl Iterator<Item = usize>) {
    match array.data_type() {
        Arrow::Int16 => numbers.extend(valid.map(|row| i64::from(array.as_primitive::<Int16Type>().value(row)))),
        Arrow::Int32 => numbers.extend(valid.map(|row| i64::from(array.as_primitive::<Int32Type>().value(row)))),
        Arrow::Date32 => numbers.extend(valid.map(|row| i64::from(array.as_primitive::<Date32Type>().value(row)))),
        _ => numbers.extend(valid.map(|row| array.as_primitive::<Int64Type>().value(row))),
    }
}

fn add_raw(bytes: &mut Vec<u8>, array: &ArrayRef, valid: impl Iterator<Item = usize>) {
    match array.data_type() {
        Arrow::Float32 => {
            valid
                .for_each(|row| bytes.extend_from_slice(&array.as_primitive::<Float32Type>().value(row).to_le_bytes()));
        }
        _ => {
            valid
                .for_each(|row| bytes.extend_from_slice(&array.as_primitive::<Float64Type>().value(row).to_le_bytes()));
        }
    }
}

/// The lists that are not null, and what is in them.
fn add_lists(
    lengths: &mut Vec<i64>,
    parts: &mut [Column],
    array: &ArrayRef,
    nulls: Option<&NullBuffer>,
) -> Result<(), ArrowError> {
    let (offsets, elements): (&OffsetBuffer<i32>, Vec<ArrayRef>) = match array.data_type() {
        Arrow::Map(..) => (array.as_map().offsets(), array.as_map().entries().columns().to_vec()),
        _ => (array.as_list::<i32>().offsets(), vec![array.as_list::<i32>().values().clone()]),
    };
    let count = elements.first().map_or(0, |elements| elements.len());
    let mut used = BooleanBufferBuilder::new(count);
    for (row, pair) in offsets.windows(2).enumerate() {
        let (start, end) = (pair[0] as usize, pair[1] as usize);
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            used.append_n(start - used.len(), false);
            used.append_n(end - start, true);
            lengths.push((end - start) as i64);
        }
    }
    used.append_n(count - used.len(), false);
    let used = BooleanArray::new(used.finish(), None);
    for (part, elements) in parts.iter_mut().zip(elements) {
        let elements = if count == 0 { new_empty_array(elements.data_type()) } else { filter(&elements, &used)? };
        part.add(&elements)?;
    }
    Ok(())
}

/// Seconds since 2015 and ORC's form of the nanoseconds, of microseconds since 1970.
fn moment(micros: i64) -> Result<(i64, i64), ArrowError> {
    let (mut seconds, nanos) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000) * 1_000);
    // Readers take seconds before 1970 as rounded towards it; the last of them can then not have a fraction.
    if seconds == -1 && nanos > 999_999 {
        return Err(ArrowError::InvalidArgumentError(format!("ORC cannot hold the moment {micros} us before 1970")));
    }
    if seconds < 0 && nanos > 999_999 {
        seconds += 1;
    }
    Ok((seconds - EPOCH_SECONDS, without_zeros(nanos)))
}

/// Trailing zeros of nanoseconds, beyond one, are counted in the lowest three bits.
fn without_zeros(nanos: i64) -> i64 {
    if nanos == 0 || nanos % 100 != 0 {
        return nanos << 3;
    }
    let (mut digits, mut zeros) = (nanos / 100, 1);
    while digits % 10 == 0 && zeros < 7 {
        digits /= 10;
        zeros += 1;
    }
    digits << 3 | zeros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_those_of_the_specification() {
        assert_eq!(without_zeros(1_000), 0x0a);
        assert_eq!(without_zeros(100_000), 0x0c);
        assert_eq!(without_zeros(0), 0);
        assert_eq!(without_zeros(123_000), 123 << 3 | 2);
    }

    #[test]
    fn moments_before_1970_round_towards_it() {
        let seconds = |micros| moment(micros).ok().map(|(seconds, _)| seconds + EPOCH_SECONDS);
        assert_eq!(seconds(-1_500_000), Some(-1));
        assert_eq!(seconds(-2_000_000), Some(-2));
        assert_eq!(seconds(-500_000), None);
    }
}
