//! Number literals.

use firesteel_model::{Result, error_class};
use firesteel_spec::{Expr, ExprNode, Literal};

use crate::data_type::too_precise;
use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    /// `1`, `-1.5`, `2L`, `1e3`: the sign belongs to the number.
    pub(crate) fn number(&mut self) -> Result<Expr> {
        let start = self.at;
        let sign = if self.eat_symbol("-") { "-" } else { "" };
        let TokenKind::Number(text) = &self.peek().kind else { return Err(self.syntax_error()) };
        let text = format!("{sign}{}", text.to_ascii_uppercase());
        self.advance();
        let literal = self.number_literal(&text, start).map_err(|error| match error.contexts() {
            [] => error.context(self.context(self.span_from(start))),
            _ => error,
        })?;
        Ok(Expr::at(ExprNode::Literal(literal), self.span_from(start)))
    }

    fn number_literal(&self, text: &str, start: usize) -> Result<Literal> {
        if let Some(digits) = text.strip_suffix("BD") {
            return decimal(digits);
        }
        let digits = text.trim_end_matches(['L', 'S', 'Y', 'F', 'D']);
        let bounded = |name: &str, min: &str, max: &str| {
            self.error_since(&error_class::INVALID_NUMERIC_LITERAL_RANGE, start)
                .param("rawStrippedQualifier", digits)
                .param("typeName", name)
                .param("minValue", min)
                .param("maxValue", max)
        };
        match text.chars().last() {
            Some('L') => digits
                .parse()
                .map(Literal::Long)
                .map_err(|_| bounded("bigint", "-9223372036854775808", "9223372036854775807")),
            Some('S') => digits.parse().map(Literal::Short).map_err(|_| bounded("smallint", "-32768", "32767")),
            Some('Y') => digits.parse().map(Literal::Byte).map_err(|_| bounded("tinyint", "-128", "127")),
            Some('F') => match digits.parse::<f32>() {
                Ok(value) if value.is_finite() => Ok(Literal::Float(value)),
                _ => Err(bounded("float", "-3.4028234663852886E+38", "3.4028234663852886E+38")),
            },
            Some('D') => {
                double(digits).ok_or_else(|| bounded("double", "-1.7976931348623157E+308", "1.7976931348623157E+308"))
            }
            _ if digits.contains('E') => {
                double(digits).ok_or_else(|| bounded("double", "-1.7976931348623157E+308", "1.7976931348623157E+308"))
            }
            _ if digits.contains('.') => decimal(digits),
            _ => integer(digits),
        }
    }
}

fn double(digits: &str) -> Option<Literal> {
    digits.parse::<f64>().ok().filter(|value| value.is_finite()).map(Literal::Double)
}

/// INT, or BIGINT where that is too small, or DECIMAL.
fn integer(digits: &str) -> Result<Literal> {
    if let Ok(value) = digits.parse() {
        return Ok(Literal::Integer(value));
    }
    match digits.parse() {
        Ok(value) => Ok(Literal::Long(value)),
        Err(_) => decimal(digits),
    }
}

/// A decimal with the digits that are written, leading zeros aside.
fn decimal(text: &str) -> Result<Literal> {
    let (mantissa, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_negative = whole.starts_with('-');
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let mut digits = digits.trim_start_matches('0').to_owned();
    let mut scale = fraction.len() as i64 - exponent.parse::<i64>().unwrap_or(i64::from(i32::MAX));
    if scale < 0 {
        if !digits.is_empty() {
            digits.push_str(&"0".repeat(scale.unsigned_abs().min(100) as usize));
        }
        scale = 0;
    }
    let precision = digits.len().max(scale as usize).max(1);
    if precision > 38 {
        return Err(too_precise(precision));
    }
    let value: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| too_precise(precision))? };
    Ok(Literal::Decimal(if is_negative { -value } else { value }, precision as u8, scale as i8))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use firesteel_spec::Literal;

    use super::{decimal, integer};

    #[test]
    fn decimals_keep_their_digits() {
        let cases = [
            ("1.5", Literal::Decimal(15, 2, 1)),
            ("0.05", Literal::Decimal(5, 2, 2)),
            ("-0.0", Literal::Decimal(0, 1, 1)),
            ("123E-2", Literal::Decimal(123, 3, 2)),
            ("1E3", Literal::Decimal(1000, 4, 0)),
            (".5", Literal::Decimal(5, 1, 1)),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal(text).unwrap(), expected, "{text}");
        }
        assert!(decimal("1.20E-38").is_err());
    }

    #[test]
    fn integers_widen() {
        assert_eq!(integer("2147483647").unwrap(), Literal::Integer(i32::MAX));
        assert_eq!(integer("-2147483649").unwrap(), Literal::Long(-2147483649));
        assert_eq!(integer("9223372036854775808").unwrap(), Literal::Decimal(9223372036854775808, 19, 0));
    }
}
