//! Precision and scale of decimals.

use firesteel_spec::DataType;

/// Most digits of a decimal.
pub(crate) const MAX_PRECISION: u8 = 38;

/// The decimal that holds every value of a number's type (FLOAT and DOUBLE: nearly).
pub fn decimal_for(data_type: &DataType) -> Option<(u8, i8)> {
    Some(match data_type {
        DataType::Byte => (3, 0),
        DataType::Short => (5, 0),
        DataType::Integer => (10, 0),
        DataType::Long => (20, 0),
        DataType::Float => (14, 7),
        DataType::Double => (30, 15),
        DataType::Decimal(precision, scale) => (*precision, *scale),
        _ => return None,
    })
}

/// Digits before the point.
pub fn integral_digits(precision: u8, scale: i8) -> i32 {
    i32::from(precision) - i32::from(scale)
}

/// The smallest decimal that holds both, integral digits first.
pub fn wider_decimal(a: (u8, i8), b: (u8, i8)) -> (u8, i8) {
    let scale = a.1.max(b.1);
    let range = integral_digits(a.0, a.1).max(integral_digits(b.0, b.1));
    bounded_keeping_integral_digits(range + i32::from(scale), i32::from(scale))
}

/// Precision and scale cut to 38 each.
pub fn bounded(precision: i32, scale: i32) -> (u8, i8) {
    (clamp(precision), clamp(scale) as i8)
}

/// Precision cut to 38 at the expense of the fraction.
pub fn bounded_keeping_integral_digits(precision: i32, scale: i32) -> (u8, i8) {
    let excess = precision - i32::from(MAX_PRECISION);
    if excess <= 0 { bounded(precision, scale) } else { (MAX_PRECISION, clamp(scale - excess) as i8) }
}

fn clamp(digits: i32) -> u8 {
    digits.clamp(0, i32::from(MAX_PRECISION)) as u8
}
