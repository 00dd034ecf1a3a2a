//! Tokens: what they are and where they stand.

/// A token; `start` and `stop` are characters of the text from 0, `stop` inclusive.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: u32,
    pub(crate) stop: u32,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A keyword or an identifier without quotes: Spark tells them apart by place alone.
    Word(String),
    /// An identifier in back-quotes, unquoted.
    Quoted(String),
    /// A string, unescaped; `is_double` where its quotes are double.
    Text { value: String, is_double: bool },
    /// `$$..$$`
    Dollar(String),
    /// A number with its suffix.
    Number(String),
    /// An operator or bracket.
    Symbol(&'static str),
    /// A character that starts no token.
    Unknown,
    /// The end of the text.
    End,
}

impl Token {
    /// Whether it is this keyword, in any case.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// Whether it is this symbol.
    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(&self.kind, TokenKind::Symbol(text) if *text == symbol)
    }
}

/// Longest first, so that the first match is the right one. `>` stands alone: types nest and end with `>>`.
pub(crate) const SYMBOLS: &[&str] = &[
    "<=>", "/*+", "<>", "!=", "!<", "!>", "<=", ">=", "==", "=>", "->", "||", "|>", "::", "<<", "(", ")", ",", ".",
    ";", "[", "]", "<", ">", "=", "+", "-", "*", "/", "%", "~", "&", "|", "^", ":", "?", "!",
];
