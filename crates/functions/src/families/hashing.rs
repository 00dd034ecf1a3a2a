//! Spark's row hashes: murmur3 (`hash`) and xxHash64, seeded with 42.
//!
//! A row is hashed value by value, each with the hash so far as its seed; nulls leave it as it is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::datatypes::{
    DataType as Arrow, Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time64NanosecondType, TimestampMicrosecondType,
};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::args::Args;
use super::rows::Output::Never;
use super::rows::functions;

functions! {
    "hash" (; ..ANY) => Never(DataType::Integer), murmur3_rows, "murmur3 of the arguments";
    "xxhash64" (; ..ANY) => Never(DataType::Long), xxhash64_rows, "xxHash64 of the arguments";
}

/// The seed of `hash` and `xxhash64`.
pub const SEED: i64 = 42;

/// A hash function over Spark's values.
#[derive(Clone, Copy)]
struct Hash {
    int: fn(i32, u64) -> u64,
    long: fn(i64, u64) -> u64,
    bytes: fn(&[u8], u64) -> u64,
}

const MURMUR3: Hash = Hash {
    int: |value, seed| u64::from(murmur3_int(value, seed as u32)),
    long: |value, seed| u64::from(murmur3_long(value, seed as u32)),
    bytes: |value, seed| u64::from(murmur3(value, seed as u32)),
};

const XXHASH64: Hash = Hash { int: xxhash64_int, long: xxhash64_long, bytes: xxhash64 };

fn murmur3_rows(a: &Args) -> Result<ArrayRef> {
    Ok(Arc::new(Int32Array::from(murmur3_columns(a.arrays, a.rows)?)))
}

fn xxhash64_rows(a: &Args) -> Result<ArrayRef> {
    let hashes = hash_columns(XXHASH64, a.arrays, a.rows)?;
    Ok(Arc::new(Int64Array::from_iter_values(hashes.into_iter().map(|hash| hash as i64))))
}

/// `hash(..)` of every row: what buckets and hash partitions are made from.
pub fn murmur3_columns(columns: &[ArrayRef], rows: usize) -> Result<Vec<i32>> {
    Ok(hash_columns(MURMUR3, columns, rows)?.into_iter().map(|hash| hash as u32 as i32).collect())
}

fn hash_columns(hash: Hash, columns: &[ArrayRef], rows: usize) -> Result<Vec<u64>> {
    let mut hashes = vec![SEED as u64; rows];
    for column in columns {
        hash_column(hash, column, &mut hashes, &|row| Some(row))?;
    }
    Ok(hashes)
}

/// Updates `hashes[i]` with the value in row `at(i)`; `None` leaves it.
fn hash_column(hash: Hash, column: &ArrayRef, hashes: &mut [u64], at: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
    macro_rules! each {
        ($array:expr, $update:expr) => {{
            let array = $array;
            for (i, seed) in hashes.iter_mut().enumerate() {
                if let Some(row) = at(i).filter(|row| array.is_valid(*row)) {
                    *seed = $update(array.value(row), *seed);
                }
            }
        }};
    }
    match column.data_type() {
        Arrow::Null => {}
        Arrow::Boolean => each!(column.as_boolean(), |v, s| (hash.int)(i32::from(v), s)),
        Arrow::Int8 => each!(column.as_primitive::<Int8Type>(), |v, s| (hash.int)(i32::from(v), s)),
        Arrow::Int16 => each!(column.as_primitive::<Int16Type>(), |v, s| (hash.int)(i32::from(v), s)),
        Arrow::Int32 => each!(column.as_primitive::<Int32Type>(), |v, s| (hash.int)(v, s)),
        Arrow::Date32 => each!(column.as_primitive::<Date32Type>(), |v, s| (hash.int)(v, s)),
        Arrow::Int64 => each!(column.as_primitive::<Int64Type>(), |v, s| (hash.long)(v, s)),
        Arrow::Timestamp(..) => each!(column.as_primitive::<TimestampMicrosecondType>(), |v, s| (hash.long)(v, s)),
        Arrow::Time64(_) => each!(column.as_primitive::<Time64NanosecondType>(), |v, s| (hash.long)(v, s)),
        Arrow::Duration(_) => each!(column.as_primitive::<DurationMicrosecondType>(), |v, s| (hash.long)(v, s)),
        Arrow::Interval(IntervalUnit::YearMonth) => {
            each!(column.as_primitive::<IntervalYearMonthType>(), |v, s| (hash.int)(v, s));
        }
        Arrow::Interval(_) => {
            let micros = |ns: i64| ns / 1000;
            each!(column.as_primitive::<IntervalMonthDayNanoType>(), |v: arrow::datatypes::IntervalMonthDayNano, s| {
                (hash.int)(v.months, (hash.int)(v.days, (hash.long)(micros(v.nanoseconds), s)))
            });
        }
        Arrow::Float32 => each!(column.as_primitive::<Float32Type>(), |v, s| (hash.int)(float_bits(v), s)),
        Arrow::Float64 => each!(column.as_primitive::<Float64Type>(), |v, s| (hash.long)(double_bits(v), s)),
        Arrow::Decimal128(precision, _) if *precision <= 18 => {
            each!(column.as_primitive::<Decimal128Type>(), |v: i128, s| (hash.long)(v as i64, s));
        }
        Arrow::Decimal128(..) => {
            each!(column.as_primitive::<Decimal128Type>(), |v: i128, s| (hash.bytes)(
                minimal_bytes(&v.to_be_bytes()),
                s
            ));
        }
        Arrow::Utf8 => each!(column.as_string::<i32>(), |v: &str, s| (hash.bytes)(v.as_bytes(), s)),
        Arrow::Binary => each!(column.as_binary::<i32>(), |v: &[u8], s| (hash.bytes)(v, s)),
        _ => hash_nested(hash, column, hashes, at)?,
    }
    Ok(())
}

fn hash_nested(hash: Hash, column: &ArrayRef, hashes: &mut [u64], at: &dyn Fn(usize) -> Option<usize>) -> Result<()> {
    let valid = |i: usize| at(i).filter(|row| column.is_valid(*row));
    match column.data_type() {
        Arrow::Struct(_) => {
            for field in column.as_struct().columns() {
                hash_column(hash, field, hashes, &valid)?;
            }
        }
        Arrow::List(_) => {
            let list = column.as_list::<i32>();
            hash_elements(hash, &[list.values()], list.offsets(), hashes, &valid)?;
        }
        Arrow::Map(..) => {
            let map = column.as_map();
            hash_elements(hash, &[map.keys(), map.values()], map.offsets(), hashes, &valid)?;
        }
        other => return Err(SparkError::unsupported(format!("hash of {other}"))),
    }
    Ok(())
}

fn hash_elements(
    hash: Hash,
    columns: &[&ArrayRef],
    offsets: &[i32],
    hashes: &mut [u64],
    at: &dyn Fn(usize) -> Option<usize>,
) -> Result<()> {
    for (i, seed) in hashes.iter_mut().enumerate() {
        let Some(row) = at(i) else { continue };
        for element in offsets[row] as usize..offsets[row + 1] as usize {
            for column in columns {
                hash_column(hash, column, std::slice::from_mut(seed), &|_| Some(element))?;
            }
        }
    }
    Ok(())
}

/// Java's `floatToIntBits`, with the zeros made one.
fn float_bits(value: f32) -> i32 {
    let value = if value == 0.0 { 0.0 } else { value };
    if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() as i32 }
}

fn double_bits(value: f64) -> i64 {
    let value = if value == 0.0 { 0.0 } else { value };
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() as i64 }
}

/// The fewest bytes that hold the number in two's complement.
pub(crate) fn minimal_bytes(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [first, second, ..] = bytes {
        let extends = (*first == 0 && *second < 0x80) || (*first == 0xff && *second >= 0x80);
        if !extends {
            break;
        }
        bytes = &bytes[1..];
    }
    bytes
}

fn mix_k1(k1: u32) -> u32 {
    k1.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn mix_h1(h1: u32, k1: u32) -> u32 {
    (h1 ^ k1).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(h1: u32, length: u32) -> u32 {
    let h = h1 ^ length;
    let h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    let h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

fn murmur3_int(value: i32, seed: u32) -> u32 {
    finish(mix_h1(seed, mix_k1(value as u32)), 4)
}

fn murmur3_long(value: i64, seed: u32) -> u32 {
    let h1 = mix_h1(seed, mix_k1(value as u32));
    finish(mix_h1(h1, mix_k1((value >> 32) as u32)), 8)
}

/// Spark's variant: bytes after the last whole word are mixed one by one, as signed numbers.
pub(crate) fn murmur3(bytes: &[u8], seed: u32) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let h1 = words.iter().fold(seed, |h1, word| mix_h1(h1, mix_k1(u32::from_le_bytes(*word))));
    let h1 = rest.iter().fold(h1, |h1, byte| mix_h1(h1, mix_k1(*byte as i8 as i32 as u32)));
    finish(h1, bytes.len() as u32)
}

const P1: u64 = 0x9E37_79B1_85EB_CA87;
const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const P3: u64 = 0x1656_67B1_9E37_79F9;
const P4: u64 = 0x85EB_CA77_C2B2_AE63;
const P5: u64 = 0x27D4_EB2F_1656_67C5;

fn avalanche(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(P2);
    let hash = (hash ^ (hash >> 29)).wrapping_mul(P3);
    hash ^ (hash >> 32)
}

fn round(accumulator: u64, input: u64) -> u64 {
    accumulator.wrapping_add(input.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
}

fn add_word(hash: u64, word: u64) -> u64 {
    (hash ^ round(0, word)).rotate_left(27).wrapping_mul(P1).wrapping_add(P4)
}

fn add_half_word(hash: u64, word: u32) -> u64 {
    (hash ^ u64::from(word).wrapping_mul(P1)).rotate_left(23).wrapping_mul(P2).wrapping_add(P3)
}

fn xxhash64_int(value: i32, seed: u64) -> u64 {
    avalanche(add_half_word(seed.wrapping_add(P5).wrapping_add(4), value as u32))
}

fn xxhash64_long(value: i64, seed: u64) -> u64 {
    avalanche(add_word(seed.wrapping_add(P5).wrapping_add(8), value as u64))
}

/// xxHash64 of bytes.
pub(crate) fn xxhash64(bytes: &[u8], seed: u64) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut hash = seed.wrapping_add(P5);
    if !blocks.is_empty() {
        let mut lanes = [seed.wrapping_add(P1).wrapping_add(P2), seed.wrapping_add(P2), seed, seed.wrapping_sub(P1)];
        for block in blocks {
            for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
                *lane = round(*lane, u64::from_le_bytes(*word));
            }
        }
        hash = lanes[0]
            .rotate_left(1)
            .wrapping_add(lanes[1].rotate_left(7))
            .wrapping_add(lanes[2].rotate_left(12))
            .wrapping_add(lanes[3].rotate_left(18));
        hash = lanes.iter().fold(hash, |hash, lane| (hash ^ round(0, *lane)).wrapping_mul(P1).wrapping_add(P4));
    }
    hash = hash.wrapping_add(bytes.len() as u64);
    let (words, rest) = rest.as_chunks::<8>();
    hash = words.iter().fold(hash, |hash, word| add_word(hash, u64::from_le_bytes(*word)));
    let (halves, rest) = rest.as_chunks::<4>();
    hash = halves.iter().fold(hash, |hash, word| add_half_word(hash, u32::from_le_bytes(*word)));
    hash = rest
        .iter()
        .fold(hash, |hash, byte| (hash ^ u64::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1));
    avalanche(hash)
}
