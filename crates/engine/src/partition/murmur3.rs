//! Murmur3 as Spark hashes rows: `pmod(hash(columns), n)` decides to which partition a row goes.
//!
//! Columns are folded from left to right, each value seeded with the hash so far; a null leaves it as it is.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal128Type, DurationMicrosecondType, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalUnit, IntervalYearMonthType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, i256,
};
use datafusion::common::{Result, not_impl_err};

/// Seed of the first column.
pub const SEED: u32 = 42;

/// Most digits that Spark keeps in a long.
const LONG_DIGITS_MAX: u8 = 18;

/// Hashes of rows: one for each, starting from [`SEED`].
pub fn hash_columns(columns: &[ArrayRef], rows: usize) -> Result<Vec<u32>> {
    let mut hashes = vec![SEED; rows];
    for column in columns {
        fold(column, &mut hashes)?;
    }
    Ok(hashes)
}

/// The partition of a hash.
pub fn partition_of(hash: u32, partitions: usize) -> usize {
    let modulus = i32::try_from(partitions.max(1)).unwrap_or(i32::MAX);
    hash.cast_signed().rem_euclid(modulus) as usize
}

fn fold(column: &ArrayRef, hashes: &mut [u32]) -> Result<()> {
    match column.data_type() {
        DataType::Null => {}
        DataType::Boolean => {
            let values = column.as_boolean();
            each(column, hashes, |row, seed| hash_int(i32::from(values.value(row)), seed));
        }
        DataType::Int8 => primitive::<Int8Type>(column, hashes, |value, seed| hash_int(value.into(), seed)),
        DataType::Int16 => primitive::<Int16Type>(column, hashes, |value, seed| hash_int(value.into(), seed)),
        DataType::Int32 => primitive::<Int32Type>(column, hashes, hash_int),
        DataType::Date32 => primitive::<Date32Type>(column, hashes, hash_int),
        DataType::Interval(IntervalUnit::YearMonth) => {
            primitive::<IntervalYearMonthType>(column, hashes, hash_int);
        }
        DataType::Int64 => primitive::<Int64Type>(column, hashes, hash_long),
        DataType::Date64 => primitive::<Date64Type>(column, hashes, hash_long),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(column, hashes, hash_long);
        }
        DataType::Duration(TimeUnit::Microsecond) => primitive::<DurationMicrosecondType>(column, hashes, hash_long),
        DataType::Time64(TimeUnit::Microsecond) => primitive::<Time64MicrosecondType>(column, hashes, hash_long),
        DataType::Float32 => primitive::<Float32Type>(column, hashes, |value, seed| hash_int(float_bits(value), seed)),
        DataType::Float64 => {
            primitive::<Float64Type>(column, hashes, |value, seed| hash_long(double_bits(value), seed));
        }
        DataType::Decimal128(precision, _) => decimal(column, *precision, hashes),
        DataType::Interval(unit) => interval(column, *unit, hashes),
        DataType::Utf8 => {
            let values = column.as_string::<i32>();
            each(column, hashes, |row, seed| hash_bytes(values.value(row).as_bytes(), seed));
        }
        DataType::Binary => {
            let values = column.as_binary::<i32>();
            each(column, hashes, |row, seed| hash_bytes(values.value(row), seed));
        }
        DataType::Struct(_) => {
            // A null struct leaves the hash as it is, whatever its fields hold.
            let before = column.is_nullable().then(|| hashes.to_vec());
            for field in column.as_struct().columns() {
                fold(field, hashes)?;
            }
            restore_nulls(column, before, hashes);
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>();
            each_nested(column, hashes, |row| values.value(row))?;
        }
        DataType::Map(..) => {
            let values = column.as_map();
            each_nested(column, hashes, |row| -> ArrayRef { std::sync::Arc::new(values.value(row)) })?;
        }
        other => fold(&cast(column, &plain_type(other)?)?, hashes)?,
    }
    Ok(())
}

/// The type of the same values that has a hash above.
fn plain_type(data_type: &DataType) -> Result<DataType> {
    Ok(match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        DataType::RunEndEncoded(_, value) => value.data_type().clone(),
        DataType::LargeList(field) | DataType::FixedSizeList(field, _) => DataType::List(field.clone()),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        other => return not_impl_err!("a partitioning by values of type {other}"),
    })
}

fn each(column: &ArrayRef, hashes: &mut [u32], hash: impl Fn(usize, u32) -> u32) {
    for (row, seed) in hashes.iter_mut().enumerate() {
        if column.is_valid(row) {
            *seed = hash(row, *seed);
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, hashes: &mut [u32], hash: impl Fn(T::Native, u32) -> u32) {
    let array = column.as_primitive::<T>();
    if array.null_count() == 0 {
        for (seed, value) in hashes.iter_mut().zip(array.values()) {
            *seed = hash(*value, *seed);
        }
        return;
    }
    each(column, hashes, |row, seed| hash(array.value(row), seed));
}

/// Arrays and maps: every element is seeded with the one before.
fn each_nested(column: &ArrayRef, hashes: &mut [u32], elements: impl Fn(usize) -> ArrayRef) -> Result<()> {
    for (row, seed) in hashes.iter_mut().enumerate() {
        if column.is_null(row) {
            continue;
        }
        let elements = elements(row);
        for index in 0..elements.len() {
            let mut one = [*seed];
            fold(&elements.slice(index, 1), &mut one)?;
            *seed = one[0];
        }
    }
    Ok(())
}

fn restore_nulls(column: &ArrayRef, before: Option<Vec<u32>>, hashes: &mut [u32]) {
    let Some(before) = before else { return };
    for (row, (hash, before)) in hashes.iter_mut().zip(before).enumerate() {
        if column.is_null(row) {
            *hash = before;
        }
    }
}

fn decimal(column: &ArrayRef, precision: u8, hashes: &mut [u32]) {
    let values = column.as_primitive::<Decimal128Type>();
    each(column, hashes, |row, seed| {
        let value = values.value(row);
        match i64::try_from(value) {
            Ok(small) if precision <= LONG_DIGITS_MAX => hash_long(small, seed),
            _ => hash_bytes(shortest(&i256::from_i128(value).to_be_bytes()), seed),
        }
    });
}

fn interval(column: &ArrayRef, unit: IntervalUnit, hashes: &mut [u32]) {
    if unit == IntervalUnit::MonthDayNano {
        primitive::<IntervalMonthDayNanoType>(column, hashes, |value, seed| {
            hash_int(value.months, hash_int(value.days, hash_long(value.nanoseconds / 1000, seed)))
        });
    } else {
        primitive::<IntervalDayTimeType>(column, hashes, |value, seed| {
            hash_int(value.days, hash_long(i64::from(value.milliseconds) * 1000, seed))
        });
    }
}

/// The fewest big-endian bytes that still carry the sign, as `BigInteger.toByteArray` gives them.
fn shortest(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let sign_kept = tail.first().is_some_and(|next| next & 0x80 == first & 0x80);
        if !(sign_kept && (*first == 0 || *first == 0xff)) {
            break;
        }
        rest = tail;
    }
    rest
}

fn float_bits(value: f32) -> i32 {
    let bits = if value.is_nan() {
        0x7fc0_0000
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    };
    bits.cast_signed()
}

fn double_bits(value: f64) -> i64 {
    let bits = if value.is_nan() {
        0x7ff8_0000_0000_0000
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    };
    bits.cast_signed()
}

fn mix(hash: u32, word: u32) -> u32 {
    let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    (hash ^ word).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(hash: u32, length: u32) -> u32 {
    let hash = hash ^ length;
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn hash_int(value: i32, seed: u32) -> u32 {
    finish(mix(seed, value.cast_unsigned()), 4)
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a long are its words")]
fn hash_long(value: i64, seed: u32) -> u32 {
    let value = value.cast_unsigned();
    finish(mix(mix(seed, value as u32), (value >> 32) as u32), 8)
}

/// Whole words first; then, unlike the original, each byte left over as a word of its own.
#[expect(clippy::cast_possible_truncation, reason = "the length counts modulo 2^32")]
fn hash_bytes(bytes: &[u8], seed: u32) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let hash = words.iter().fold(seed, |hash, word| mix(hash, u32::from_le_bytes(*word)));
    let hash = rest.iter().fold(hash, |hash, byte| mix(hash, i32::from(byte.cast_signed()).cast_unsigned()));
    finish(hash, bytes.len() as u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int32Array, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(columns: &[ArrayRef], expected: &[i32]) {
        let hashes = hash_columns(columns, expected.len()).unwrap();
        assert_eq!(hashes.into_iter().map(u32::cast_signed).collect::<Vec<_>>(), expected);
    }

    /// Values of Spark's own `hash` function.
    #[test]
    fn agrees_with_spark() {
        check(&[Arc::new(Int32Array::from(vec![Some(1), Some(0), None]))], &[-559_580_957, 933_211_791, 42]);
        check(&[Arc::new(Int64Array::from(vec![1, 0]))], &[-1_712_319_331, -1_670_924_195]);
        check(&[Arc::new(StringArray::from(vec!["", "abc"]))], &[142_593_372, 1_322_437_556]);
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0]));
        check(&[zeros], &[-1_670_924_195, -1_670_924_195]);
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(123)])]);
        let row: [ArrayRef; 3] =
            [Arc::new(StringArray::from(vec!["Spark"])), Arc::new(list), Arc::new(Int32Array::from(vec![2]))];
        check(&row, &[-1_321_691_492]);
    }

    #[test]
    fn partitions_are_never_negative() {
        assert_eq!(partition_of((-559_580_957_i32).cast_unsigned(), 200), 43);
        assert_eq!(partition_of(7, 1), 0);
    }
}
