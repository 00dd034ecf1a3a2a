//! INTERVAL literals.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, Expr, ExprNode, Literal};

use crate::data_type::interval_range;
use crate::interval_text::{self, Amount};
use crate::parser::Parser;
use crate::token::TokenKind;

const FIELDS: &[&str] = &["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];

const DAY_MICROS: i64 = 86_400_000_000;

/// `value unit`, or `value unit TO unit`.
enum Piece {
    Units(Amount),
    Range { text: String, first: String, last: String },
}

impl Parser {
    /// An interval; `None` where INTERVAL is a plain name.
    pub(crate) fn interval(&mut self) -> Result<Option<Expr>> {
        let start = self.at;
        if !self.at_interval_value(1) {
            return Ok(None);
        }
        self.advance();
        let mut pieces = Vec::new();
        while let Some(piece) = self.interval_piece()? {
            pieces.push(piece);
        }
        if pieces.is_empty() {
            if !self.at_string() {
                self.at = start;
                return Ok(None);
            }
            let text = self.string()?;
            let Some(amount) = interval_text::units(&text) else {
                return Err(self.invalid_typed_literal("INTERVAL", &text, start));
            };
            return self.interval_literal(amount, start).map(Some);
        }
        let is_range = |piece: &Piece| matches!(piece, Piece::Range { .. });
        if pieces.len() > 1 && pieces.iter().any(is_range) {
            return Err(self.error_since(&error_class::LEGACY_ERROR_TEMP_0024, start));
        }
        let mut total = Amount::default();
        for piece in pieces {
            match piece {
                Piece::Units(amount) => {
                    total = total.plus(&amount).ok_or_else(|| self.interval_overflow(start))?;
                }
                Piece::Range { text, first, last } => return self.ranged(&text, &first, &last, start).map(Some),
            }
        }
        self.interval_literal(total, start).map(Some)
    }

    fn at_interval_value(&self, ahead: usize) -> bool {
        match self.peek_at(ahead).kind {
            TokenKind::Text { .. } | TokenKind::Number(_) => true,
            TokenKind::Symbol("+" | "-") => {
                matches!(self.peek_at(ahead + 1).kind, TokenKind::Text { .. } | TokenKind::Number(_))
            }
            TokenKind::Symbol(":" | "?") => true,
            _ => false,
        }
    }

    fn interval_piece(&mut self) -> Result<Option<Piece>> {
        let start = self.at;
        if !self.at_interval_value(0) {
            return Ok(None);
        }
        let is_negative = self.at_symbol("-");
        if is_negative || self.at_symbol("+") {
            self.advance();
        }
        let (mut text, is_string) = match self.peek().kind.clone() {
            TokenKind::Text { value, .. } => {
                self.advance();
                (value, true)
            }
            TokenKind::Number(text) => {
                self.advance();
                (text, false)
            }
            _ => match interval_parameter(&self.parameter_marker()?) {
                Some(value) => value,
                None => return Err(SparkError::unsupported("a parameter without a value in an interval")),
            },
        };
        let unit = match &self.peek().kind {
            TokenKind::Word(word) => interval_text::unit(word),
            _ => None,
        };
        if let Some(name) = self.eat_any(&["NANOSECOND", "NANOSECONDS"]) {
            return Err(self
                .error_since(&error_class::INVALID_INTERVAL_FORMAT_INVALID_UNIT, start)
                .param("input", format!(" {text} {}", name.to_lowercase()))
                .param("unit", name.to_lowercase()));
        }
        let (Some(unit), TokenKind::Word(word)) = (unit, self.peek().kind.clone()) else {
            self.at = start;
            return Ok(None);
        };
        self.advance();
        if is_negative {
            text = text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned);
        }
        if self.at_word("TO") && FIELDS.iter().any(|field| self.peek_at(1).is_word(field)) {
            self.advance();
            let last = self.identifier()?.to_uppercase();
            if !is_string {
                return Err(self.error_since(&error_class::LEGACY_ERROR_TEMP_0027, start));
            }
            return Ok(Some(Piece::Range { text, first: word.to_uppercase(), last }));
        }
        let Some(amount) = interval_text::amount(text.trim(), unit) else {
            if text.trim().trim_start_matches(['+', '-']).parse::<f64>().is_ok() {
                return Err(self.invalid_interval(&format!("{text} {}", word.to_lowercase()), start));
            }
            return Err(self.error_since(&error_class::LEGACY_ERROR_TEMP_0026, start).param("value", text));
        };
        Ok(Some(Piece::Units(amount)))
    }

    fn invalid_interval(&self, input: &str, start: usize) -> SparkError {
        self.error_since(&error_class::INVALID_INTERVAL_FORMAT_ARITHMETIC_EXCEPTION, start).param("input", input)
    }

    fn interval_overflow(&self, start: usize) -> SparkError {
        self.error_since(&error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITHOUT_SUGGESTION, start)
    }

    /// A year-month or day-time literal of the fields that were named.
    fn interval_literal(&self, amount: Amount, start: usize) -> Result<Expr> {
        let fields = |kind: bool| {
            let is_year_month = |field: &usize| *field < 2;
            (0..FIELDS.len()).filter(|field| amount.fields[*field]).filter(move |field| is_year_month(field) == kind)
        };
        if self.options.legacy_intervals {
            let literal = Literal::CalendarInterval(amount.months, amount.days, amount.microseconds);
            return Ok(self.literal_since(start, literal));
        }
        let range = |kind: bool| {
            let (first, last) = (fields(kind).next()?, fields(kind).next_back()?);
            interval_range(FIELDS[first], FIELDS[last])
        };
        let literal = match (range(true), range(false)) {
            (Some(_), Some(_)) => {
                return Err(self
                    .error_since(&error_class::LEGACY_ERROR_TEMP_0029, start)
                    .param("literal", self.text_from(start)));
            }
            (Some(data_type), None) => Literal::YearMonthInterval(amount.months, data_type),
            (None, Some(data_type)) => Literal::DayTimeInterval(
                amount.total_microseconds().ok_or_else(|| self.interval_overflow(start))?,
                data_type,
            ),
            (None, None) => Literal::CalendarInterval(0, 0, 0),
        };
        Ok(self.literal_since(start, literal))
    }

    /// `INTERVAL '1 2:3' DAY TO MINUTE`
    fn ranged(&self, text: &str, first: &str, last: &str, start: usize) -> Result<Expr> {
        let data_type = match interval_range(first, last) {
            Some(data_type) if first != last => data_type,
            _ => {
                return Err(self
                    .error_since(&error_class::INVALID_INTERVAL_FORMAT_UNSUPPORTED_FROM_TO_EXPRESSION, start + 1)
                    .param("input", text)
                    .param("from", first.to_lowercase())
                    .param("to", last.to_lowercase()));
            }
        };
        let literal = if let DataType::YearMonthInterval(..) = data_type {
            interval_text::year_month(text).map(|months| Literal::YearMonthInterval(months, data_type))
        } else {
            interval_text::day_time(text, first, last).map(|micros| Literal::DayTimeInterval(micros, data_type))
        };
        let error = match literal {
            Ok(literal) if self.options.legacy_intervals => return Ok(self.literal_since(start, calendar(literal))),
            Ok(literal) => return Ok(self.literal_since(start, literal)),
            Err(error) => error,
        };
        let is_year_month = first == "YEAR";
        let kind = if is_year_month { "year-month" } else { "day-time" };
        let (lower, upper) = (format!("{first} TO {last}").to_lowercase(), format!("{first} TO {last}"));
        let format = interval_text::format(first, last);
        Err(match error {
            interval_text::RangeError::Format => self
                .error_since(
                    if is_year_month {
                        &error_class::INVALID_INTERVAL_FORMAT_UNMATCHED_FORMAT_STRING
                    } else {
                        &error_class::INVALID_INTERVAL_FORMAT_UNMATCHED_FORMAT_STRING_WITH_NOTICE
                    },
                    start + 1,
                )
                .param("input", text)
                .param("intervalStr", kind)
                .param("supportedFormat", format!("`{format}`, `INTERVAL [+|-]'{format}' {upper}`"))
                .param("typeName", format!("interval {lower}")),
            interval_text::RangeError::Overflow if is_year_month => self
                .error_since(&error_class::INVALID_INTERVAL_FORMAT_INTERVAL_PARSING, start + 1)
                .param("input", text)
                .param("interval", kind),
            interval_text::RangeError::Overflow => self
                .error_since(&error_class::LEGACY_ERROR_TEMP_0063, start)
                .param("msg", format!("a field of '{text}' is out of range")),
        })
    }
}

/// The same interval in months, days and what is left.
fn calendar(interval: Literal) -> Literal {
    match interval {
        Literal::YearMonthInterval(months, _) => Literal::CalendarInterval(months, 0, 0),
        Literal::DayTimeInterval(micros, _) => {
            let days = i32::try_from(micros / DAY_MICROS).unwrap_or(i32::MAX);
            Literal::CalendarInterval(0, days, micros % DAY_MICROS)
        }
        other => other,
    }
}

/// The value of a parameter inside an interval, and whether it is a string.
fn interval_parameter(value: &Expr) -> Option<(String, bool)> {
    match value.node.as_ref() {
        ExprNode::Literal(Literal::String(text)) => Some((text.clone(), true)),
        ExprNode::Literal(Literal::Integer(number)) => Some((number.to_string(), false)),
        ExprNode::Literal(Literal::Long(number)) => Some((number.to_string(), false)),
        _ => None,
    }
}
