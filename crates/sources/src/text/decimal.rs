//! Decimals in text.

/// A decimal number as its digits and how many of them stand after the point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Digits {
    pub(crate) unscaled: i128,
    pub(crate) scale: i32,
}

impl Digits {
    /// Reads `[+-]12.34[e5]` with up to 38 digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let mut digits = whole.bytes().chain(fraction.bytes());
        if whole.len() + fraction.len() == 0 || !digits.all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes());
        let unscaled = digits
            .map(|b| i128::from(b - b'0'))
            .try_fold(0_i128, |sum, digit| sum.checked_mul(10)?.checked_add(digit))?;
        let unscaled = if mantissa.starts_with('-') { -unscaled } else { unscaled };
        Some(Self { unscaled, scale: i32::try_from(fraction.len()).ok()?.checked_sub(exponent)? })
    }

    /// Number of digits, at least one.
    pub(crate) fn precision(self) -> u8 {
        self.unscaled.unsigned_abs().checked_ilog10().map_or(1, |log| log as u8 + 1)
    }

    /// The unscaled value at another scale, rounded half up; `None` if it has more than `precision` digits.
    pub(crate) fn rescale(self, precision: u8, scale: i8) -> Option<i128> {
        let shift = i32::from(scale) - self.scale;
        let value = if shift >= 0 {
            let factor = if self.unscaled == 0 { Some(1) } else { 10_i128.checked_pow(shift.unsigned_abs()) };
            self.unscaled.checked_mul(factor?)?
        } else {
            match 10_i128.checked_pow(shift.unsigned_abs()) {
                None => 0,
                Some(divisor) => {
                    let (quotient, rest) = (self.unscaled / divisor, self.unscaled % divisor);
                    let up = rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2);
                    quotient + if up { self.unscaled.signum() } else { 0 }
                }
            }
        };
        (value.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(value)
    }
}
