//! Bitmaps of numbers: 32,768 bits in a bucket.

use arrow::array::ArrayRef;
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::families::args::Args;
use crate::families::rows::Output::Is;
use crate::families::rows::functions;

functions! {
    "bitmap_bit_position" (LONG) => Is(DataType::Long), bit_position, "the number's place in its bucket";
    "bitmap_bucket_number" (LONG) => Is(DataType::Long), bucket, "the number's bucket";
    "bitmap_count" (BINARY) => Is(DataType::Long), count, "how many bits are set";
}

const BITS: i64 = 32_768;

fn bit_position(a: &Args) -> Result<ArrayRef> {
    let n = a.long(0)?;
    a.longs(|r| match n.value(r) {
        n if n > 0 => (n - 1) % BITS,
        n => n.wrapping_neg() % BITS,
    })
}

fn bucket(a: &Args) -> Result<ArrayRef> {
    let n = a.long(0)?;
    a.longs(|r| match n.value(r) {
        n if n > 0 => 1 + (n - 1) / BITS,
        n => n / BITS,
    })
}

fn count(a: &Args) -> Result<ArrayRef> {
    let bytes = a.binary(0)?;
    a.longs(|r| bytes.value(r).iter().map(|byte| i64::from(byte.count_ones())).sum())
}
