//! Text to tokens.

use firesteel_model::{Result, SparkError, error_class};

use crate::text_literal;
use crate::token::{SYMBOLS, Token, TokenKind};

/// Splits the text into tokens, ending with [`TokenKind::End`]; comments and white space are dropped.
///
/// Errors: `UNCLOSED_BRACKETED_COMMENT`. A string without an end is an [`TokenKind::Unknown`] token.
pub(crate) fn tokenize(chars: &[char], double_quoted_identifiers: bool) -> Result<Vec<Token>> {
    let mut lexer = Lexer { chars, at: 0, in_hint: false, double_quoted_identifiers };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let start = lexer.at;
        let kind = lexer.token();
        let is_end = kind == TokenKind::End;
        let stop = if is_end { start } else { lexer.at - 1 };
        tokens.push(Token { kind, start: start as u32, stop: stop as u32 });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
    in_hint: bool,
    double_quoted_identifiers: bool,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    fn skip_blank(&mut self) -> Result<()> {
        loop {
            match self.peek(0) {
                Some(c) if c.is_whitespace() || c == '\u{feff}' => self.at += 1,
                Some('-') if self.peek(1) == Some('-') => self.skip_line(),
                Some('/') if self.peek(1) == Some('*') && !self.at_hint() => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn at_hint(&self) -> bool {
        self.peek(2) == Some('+')
    }

    fn skip_line(&mut self) {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == '\n' {
                return;
            }
            if c == '\\' && self.peek(0) == Some('\n') {
                self.at += 1;
            }
        }
    }

    fn skip_comment(&mut self) -> Result<()> {
        let start = self.at;
        let mut depth = 0;
        loop {
            if self.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else if self.at >= self.chars.len() {
                let (line, column) = line_and_column(self.chars, start);
                return Err(SparkError::new(&error_class::UNCLOSED_BRACKETED_COMMENT).position(line, column));
            } else {
                self.at += 1;
            }
        }
    }

    fn token(&mut self) -> TokenKind {
        let Some(c) = self.peek(0) else { return TokenKind::End };
        if matches!(c, 'r' | 'R') && matches!(self.peek(1), Some('\'' | '"')) {
            return self.raw_text();
        }
        let opens_number = c.is_ascii_digit() || (c == '.' && self.peek(1).is_some_and(|d| d.is_ascii_digit()));
        if opens_number && let Some(end) = self.number_end() {
            return TokenKind::Number(self.take(end));
        }
        if is_word_char(c) {
            let length = self.chars[self.at..].iter().take_while(|c| is_word_char(**c)).count();
            return TokenKind::Word(self.take(self.at + length));
        }
        match c {
            '\'' => self.text('\''),
            '"' => self.text('"'),
            '`' => self.quoted(),
            '$' if self.peek(1) == Some('$') => self.dollar(),
            '*' if self.in_hint && self.peek(1) == Some('/') => {
                self.in_hint = false;
                self.at += 2;
                TokenKind::Symbol("*/")
            }
            _ => self.symbol(),
        }
    }

    fn take(&mut self, end: usize) -> String {
        let text = self.chars[self.at..end].iter().collect();
        self.at = end;
        text
    }

    fn symbol(&mut self) -> TokenKind {
        let Some(symbol) = SYMBOLS.iter().find(|symbol| self.starts_with(symbol)) else {
            self.at += 1;
            return TokenKind::Unknown;
        };
        self.at += symbol.len();
        self.in_hint |= *symbol == "/*+";
        TokenKind::Symbol(symbol)
    }

    /// Where the number that starts here ends, unless it is the start of a name such as `1st`.
    fn number_end(&self) -> Option<usize> {
        let digits = |from: usize| from + self.chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        let mut end = digits(self.at);
        let mut is_integer = true;
        if self.chars.get(end) == Some(&'.') {
            let fraction = digits(end + 1);
            let follows = self.chars.get(fraction).copied();
            let joins_name = follows.is_some_and(is_word_char) && !self.number_tail(fraction).is_some_and(|_| true);
            if fraction > end + 1 || !joins_name {
                is_integer = false;
                end = fraction;
            }
        }
        match self.number_tail(end) {
            Some(end) => Some(end),
            // `1.5x` is no number; the digits before the dot are.
            None if !is_integer && self.chars[self.at] != '.' => self.number_tail(digits(self.at)),
            None => None,
        }
    }

    /// Skips exponent and suffix; `None` where a name would go on.
    fn number_tail(&self, from: usize) -> Option<usize> {
        let at = |i: usize| self.chars.get(i).map(char::to_ascii_uppercase);
        let mut end = from;
        if at(end) == Some('E') {
            let sign = usize::from(matches!(at(end + 1), Some('+' | '-')));
            let digits = self.chars[(end + 1 + sign).min(self.chars.len())..].iter();
            let count = digits.take_while(|c| c.is_ascii_digit()).count();
            if count > 0 {
                end += 1 + sign + count;
            }
        }
        end += match (at(end), at(end + 1)) {
            (Some('B'), Some('D')) => 2,
            (Some('L' | 'S' | 'Y' | 'F' | 'D'), _) => 1,
            _ => 0,
        };
        let goes_on = self.chars.get(end).copied().is_some_and(is_word_char);
        (!goes_on).then_some(end)
    }

    fn raw_text(&mut self) -> TokenKind {
        let quote = self.chars[self.at + 1];
        let body = self.at + 2;
        match self.chars[body..].iter().position(|c| *c == quote) {
            Some(length) => {
                let value = self.chars[body..body + length].iter().collect();
                self.at = body + length + 1;
                TokenKind::Text { value, is_double: false }
            }
            None => self.unknown(),
        }
    }

    fn text(&mut self, quote: char) -> TokenKind {
        let body = self.at + 1;
        let mut end = body;
        loop {
            match self.chars.get(end) {
                None => return self.unknown(),
                Some('\\') => end += 2,
                Some(c) if *c == quote && self.chars.get(end + 1) == Some(&quote) => end += 2,
                Some(c) if *c == quote => break,
                Some(_) => end += 1,
            }
        }
        let raw = &self.chars[body..end];
        self.at = end + 1;
        if quote == '"' && self.double_quoted_identifiers {
            return TokenKind::Quoted(raw.iter().collect::<String>().replace("\"\"", "\""));
        }
        TokenKind::Text { value: text_literal::unescape(raw, quote), is_double: quote == '"' }
    }

    fn quoted(&mut self) -> TokenKind {
        let mut name = String::new();
        let mut end = self.at + 1;
        loop {
            match (self.chars.get(end), self.chars.get(end + 1)) {
                (None, _) => return self.unknown(),
                (Some('`'), Some('`')) => {
                    name.push('`');
                    end += 2;
                }
                (Some('`'), _) => break,
                (Some(c), _) => {
                    name.push(*c);
                    end += 1;
                }
            }
        }
        self.at = end + 1;
        TokenKind::Quoted(name)
    }

    /// `$$..$$`, or `$tag$..$tag$` with an empty tag only.
    fn dollar(&mut self) -> TokenKind {
        let body = self.at + 2;
        let closing = (body..self.chars.len()).find(|i| self.chars[*i..].starts_with(&['$', '$']));
        match closing {
            Some(end) => {
                let value = self.chars[body..end].iter().collect();
                self.at = end + 2;
                TokenKind::Dollar(value)
            }
            None => self.unknown(),
        }
    }

    fn unknown(&mut self) -> TokenKind {
        self.at += 1;
        TokenKind::Unknown
    }
}

fn is_word_char(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphabetic())
}

/// Line from 1 and column from 0 of a character.
pub(crate) fn line_and_column(chars: &[char], at: usize) -> (u32, u32) {
    let before = &chars[..at.min(chars.len())];
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count();
    (line as u32, column as u32)
}
