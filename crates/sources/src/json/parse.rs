//! A JSON parser that can let pass what Spark's options allow. Numbers and nested values keep their text.

use std::borrow::Cow;

use super::options::Leniency;

/// Deeper documents are malformed rather than a danger to the stack.
const DEPTH_MAX: usize = 200;

/// A value and its text.
#[derive(Debug, PartialEq)]
pub(crate) struct Node<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) text: &'a str,
}

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    /// A whole number.
    Integer,
    /// A number with a fraction or an exponent, or one of NaN and the infinities.
    Real,
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Parses one document; what follows it is not looked at, as in Spark. `None` if it is malformed or empty.
pub(crate) fn parse<'a>(text: &'a str, leniency: &Leniency) -> Option<Node<'a>> {
    Parser { text, at: 0, leniency }.node(0)
}

struct Parser<'a, 'l> {
    text: &'a str,
    at: usize,
    leniency: &'l Leniency,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) -> Option<()> {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            if !self.leniency.comments || self.peek() != Some(b'/') {
                return Some(());
            }
            let rest = &self.text[self.at..];
            self.at += match rest.as_bytes().get(1)? {
                b'/' => rest.find('\n').unwrap_or(rest.len()),
                b'*' => rest[2..].find("*/")? + 4,
                _ => return None,
            };
        }
    }

    fn node(&mut self, depth: usize) -> Option<Node<'a>> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_blanks()?;
        let start = self.at;
        let value = match self.peek()? {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => Value::Text(self.string(b'"')?),
            b'\'' if self.leniency.single_quotes => Value::Text(self.string(b'\'')?),
            b'-' | b'+' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        };
        Some(Node { value, text: &self.text[start..self.at] })
    }

    fn object(&mut self, depth: usize) -> Option<Value<'a>> {
        self.at += 1;
        let mut fields = Vec::new();
        self.skip_blanks()?;
        if self.eat(b'}') {
            return Some(Value::Object(fields));
        }
        loop {
            self.skip_blanks()?;
            let name = self.name()?;
            self.skip_blanks()?;
            if !self.eat(b':') {
                return None;
            }
            fields.push((name, self.node(depth + 1)?));
            self.skip_blanks()?;
            if self.eat(b'}') {
                return Some(Value::Object(fields));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn name(&mut self) -> Option<Cow<'a, str>> {
        match self.peek()? {
            b'"' => self.string(b'"'),
            b'\'' if self.leniency.single_quotes => self.string(b'\''),
            _ if self.leniency.unquoted_names => {
                let rest = &self.text[self.at..];
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_$-@".contains(c)))?;
                self.at += end;
                (end > 0).then(|| Cow::Borrowed(&rest[..end]))
            }
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks()?;
        if self.eat(b']') {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.node(depth + 1)?);
            self.skip_blanks()?;
            if self.eat(b']') {
                return Some(Value::Array(items));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn string(&mut self, quote: u8) -> Option<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek()? {
                byte if byte == quote => {
                    self.at += 1;
                    return Some(Cow::Borrowed(&self.text[start..self.at - 1]));
                }
                b'\\' => return self.escaped(start, quote).map(Cow::Owned),
                0..=0x1f if !self.leniency.control_characters => return None,
                _ => self.at += 1,
            }
        }
    }

    fn escaped(&mut self, start: usize, quote: u8) -> Option<String> {
        let mut result = self.text[start..self.at].to_owned();
        loop {
            let c = self.text[self.at..].chars().next()?;
            self.at += c.len_utf8();
            match c {
                '\\' => result.push(self.escape()?),
                c if c == char::from(quote) => return Some(result),
                c if c < ' ' && !self.leniency.control_characters => return None,
                c => result.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.unit()?;
                if !(0xd800..0xdc00).contains(&unit) {
                    return Some(char::from_u32(unit).unwrap_or('\u{fffd}'));
                }
                if !self.text[self.at..].starts_with("\\u") {
                    return Some('\u{fffd}');
                }
                self.at += 2;
                let low = self.unit()?;
                let code = 0x10000 + ((unit - 0xd800) << 10) + low.wrapping_sub(0xdc00);
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            '\'' if self.leniency.single_quotes => c,
            other if self.leniency.any_escape => other,
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn digits(&mut self) -> usize {
        let count = self.text.as_bytes()[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let signed = self.eat(b'-') || (self.leniency.non_numeric && self.eat(b'+'));
        if signed && matches!(self.peek(), Some(b'I')) {
            return self.word();
        }
        let start = self.at;
        let whole = self.digits();
        let has_leading_zero = whole > 1 && self.text.as_bytes()[start] == b'0';
        if whole == 0 || (has_leading_zero && !self.leniency.leading_zeros) {
            return None;
        }
        let mut value = Value::Integer;
        if self.eat(b'.') {
            value = Value::Real;
            self.digits();
        }
        if self.eat(b'e') || self.eat(b'E') {
            value = Value::Real;
            let _ = self.eat(b'-') || self.eat(b'+');
            if self.digits() == 0 {
                return None;
            }
        }
        let ends = !self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        ends.then_some(value)
    }

    fn word(&mut self) -> Option<Value<'a>> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        self.at += end;
        match &rest[..end] {
            "null" => Some(Value::Null),
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            "NaN" | "Infinity" | "INF" if self.leniency.non_numeric => Some(Value::Real),
            _ => None,
        }
    }
}
