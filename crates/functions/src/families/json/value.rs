//! JSON as it is written: fields in their order, numbers in their digits.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::CharIndices;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    /// The digits.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Values within values.
const DEPTH_MAX: usize = 500;

impl Json {
    /// Parses a whole text; single quotes are as good as double ones.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { text, chars: text.char_indices().peekable() };
        let value = parser.value(0)?;
        parser.skip_blanks();
        parser.chars.next().is_none().then_some(value)
    }

    /// The last field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The value as JSON.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_text(out, text),
            Self::Array(elements) => {
                out.push('[');
                for (i, element) in elements.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The value as a function shows it: a text without quotes.
    pub(crate) fn shown(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            other => {
                let mut out = String::new();
                other.write(&mut out);
                Some(out)
            }
        }
    }
}

/// A text as JSON.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => _ = write!(out, "\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    fn next(&mut self) -> Option<char> {
        self.chars.next().map(|(_, c)| c)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.chars.next();
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_blanks();
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' | '\'' => self.text().map(Json::Text),
            't' => self.word("true", Json::Boolean(true)),
            'f' => self.word("false", Json::Boolean(false)),
            'n' => self.word("null", Json::Null),
            '-' | '0'..='9' => self.number(),
            'N' => self.word("NaN", Json::Number("NaN".to_owned())),
            'I' => self.word("Infinity", Json::Number("Infinity".to_owned())),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        word.chars().all(|c| self.next() == Some(c)).then_some(value)
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.chars.peek()?.0;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
            self.chars.next();
        }
        let end = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        let digits = &self.text[start..end];
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        if matches!(unsigned, "Infinity" | "INF") {
            return Some(Json::Number(digits.to_owned()));
        }
        let has_leading_zero =
            unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.as_bytes()[1].is_ascii_digit();
        let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit())
            && !has_leading_zero
            && !unsigned.ends_with('.')
            && digits.parse::<f64>().is_ok();
        is_number.then(|| Json::Number(digits.to_owned()))
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.next()?;
        let mut out = String::new();
        loop {
            match self.next()? {
                c if c == quote => return Some(out),
                '\\' => out.push(self.escape()?),
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let unit = self.unit()?;
                if !(0xd800..0xdc00).contains(&unit) {
                    return char::from_u32(unit).or(Some('\u{fffd}'));
                }
                if self.next()? != '\\' || self.next()? != 'u' {
                    return None;
                }
                let low = self.unit()?.checked_sub(0xdc00)?;
                char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + low)?
            }
            c @ ('"' | '\\' | '/' | '\'') => c,
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit * 16 + self.next()?.to_digit(16)?))
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.next();
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.peek()? == ']' {
            self.next();
            return Some(Json::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_blanks();
            match self.next()? {
                ',' => {}
                ']' => return Some(Json::Array(elements)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.next();
        let mut fields = Vec::new();
        self.skip_blanks();
        if self.peek()? == '}' {
            self.next();
            return Some(Json::Object(fields));
        }
        loop {
            self.skip_blanks();
            if !matches!(self.peek()?, '"' | '\'') {
                return None;
            }
            let name = self.text()?;
            self.skip_blanks();
            if self.next()? != ':' {
                return None;
            }
            fields.push((name, self.value(depth + 1)?));
            self.skip_blanks();
            match self.next()? {
                ',' => {}
                '}' => return Some(Json::Object(fields)),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_written() {
        for text in [r#"{"b":1.50,"a":[null,true,"x\"y"]}"#, "[]", "{}", r#""A""#, "-1e5"] {
            let mut out = String::new();
            Json::parse(text).unwrap().write(&mut out);
            assert_eq!(out, text);
        }
        for text in ["{", "[1,]", "01", "{a:1}", "1 2", ""] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }
}
