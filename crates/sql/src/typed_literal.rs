//! `DATE '..'`, `TIMESTAMP '..'`, `TIME '..'`, `X'..'`.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::{CastMode, CastTarget};
use firesteel_spec::{DataType, Expr, ExprNode, Literal};

use crate::datetime_text::{self, Zone};
use crate::parser::Parser;

impl Parser {
    /// A type's name and the string after it.
    pub(crate) fn typed_literal(&mut self, word: &str) -> Result<Expr> {
        let start = self.at;
        self.advance();
        let text = self.string()?;
        let has_no_zone =
            || datetime_text::timestamp(&text).is_none_or(|timestamp| matches!(timestamp.zone, Zone::Session));
        let is_ntz = word == "TIMESTAMP" && self.options.timestamp_is_ntz && has_no_zone();
        let literal = match if is_ntz { "TIMESTAMP_NTZ" } else { word } {
            "DATE" => match special_moment(&text) {
                Some(moment) => return Ok(self.special_date(moment, start)),
                None => datetime_text::date(&text).map(Literal::Date),
            },
            "TIMESTAMP" | "TIMESTAMP_LTZ" => return self.timestamp(word, &text, start),
            "TIMESTAMP_NTZ" => match special_moment(&text) {
                Some(moment) => {
                    let date = self.special_date(moment, start);
                    return Ok(self.cast_since(start, date, DataType::TimestampNtz));
                }
                None => datetime_text::timestamp(&text)
                    .and_then(|timestamp| timestamp.wall_clock())
                    .map(Literal::TimestampNtz),
            },
            "TIME" => datetime_text::time(&text).map(|nanoseconds| Literal::Time(nanoseconds, 6)),
            "X" => hexadecimal(&text).map(Literal::Binary),
            _ => return Err(self.unsupported_typed_literal(word, start)),
        };
        match literal {
            Some(literal) => Ok(self.literal_since(start, literal)),
            None => Err(self.invalid_typed_literal(word, &text, start)),
        }
    }

    pub(crate) fn invalid_typed_literal(&self, word: &str, text: &str, start: usize) -> SparkError {
        self.error_since(&error_class::INVALID_TYPED_LITERAL, start)
            .param("valueType", format!("\"{word}\""))
            .param("value", format!("'{text}'"))
    }

    /// A moment whose zone is the session's is cast when that is known.
    fn timestamp(&self, word: &str, text: &str, start: usize) -> Result<Expr> {
        if let Some(moment) = special_moment(text) {
            let now = match moment {
                Moment::Now => return Ok(self.call_since(start, "current_timestamp", Vec::new())),
                Moment::Epoch => return Ok(self.literal_since(start, Literal::Timestamp(0))),
                Moment::Day(_) => self.special_date(moment, start),
            };
            return Ok(self.cast_since(start, now, DataType::Timestamp));
        }
        let Some(timestamp) = datetime_text::timestamp(text) else {
            return Err(self.invalid_typed_literal(word, text, start));
        };
        if let (Zone::Offset(seconds), Some(wall_clock)) = (&timestamp.zone, timestamp.wall_clock()) {
            let literal = Literal::Timestamp(wall_clock - i64::from(*seconds) * 1_000_000);
            return Ok(self.literal_since(start, literal));
        }
        let text = self.literal_since(start, Literal::String(text.to_owned()));
        Ok(self.cast_since(start, text, DataType::Timestamp))
    }

    fn cast_since(&self, start: usize, child: Expr, target: DataType) -> Expr {
        let node = ExprNode::Cast { child, target: CastTarget::Type(target), mode: CastMode::Ansi };
        Expr::at(node, self.span_from(start))
    }

    fn special_date(&self, moment: Moment, start: usize) -> Expr {
        let today = self.call_since(start, "current_date", Vec::new());
        match moment {
            Moment::Epoch => self.literal_since(start, Literal::Date(0)),
            Moment::Now | Moment::Day(0) => today,
            Moment::Day(days) => self.call_since(start, "date_add", vec![today, Expr::literal(Literal::Integer(days))]),
        }
    }
}

/// Moments that Spark knows by name.
#[derive(Clone, Copy)]
enum Moment {
    Epoch,
    Now,
    /// Midnight, so many days from today.
    Day(i32),
}

fn special_moment(text: &str) -> Option<Moment> {
    // A zone may follow: days begin in it, but the difference is left to the session's.
    let word = text.split_whitespace().next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "epoch" => Some(Moment::Epoch),
        "now" => Some(Moment::Now),
        "today" => Some(Moment::Day(0)),
        "yesterday" => Some(Moment::Day(-1)),
        "tomorrow" => Some(Moment::Day(1)),
        _ => None,
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let odd = digits.len() % 2;
    let mut bytes: Vec<u8> = digits[..odd].to_vec();
    bytes.extend(digits[odd..].chunks(2).map(|pair| pair[0] * 16 + pair[1]));
    Some(bytes)
}
