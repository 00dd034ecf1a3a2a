//! The cursor over the tokens, on which every family of statements builds.

use std::cell::Cell;
use std::collections::HashSet;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{Expr, Span};

use crate::lexer::tokenize;
use crate::token::{Token, TokenKind};

/// How deep expressions and queries may nest; more than this the planner could not walk either.
const DEPTH_MAX: u32 = 1000;
/// A rule that calls itself finds at least so much stack, or gets more.
const STACK_LEFT_MIN_BYTES: usize = 128 * 1024;
/// How much more.
const STACK_GROWTH_BYTES: usize = 1024 * 1024;

/// What the text is read with.
#[derive(Clone, Debug, Default)]
pub struct ParserOptions {
    /// `"a"` is an identifier, as `spark.sql.ansi.doubleQuotedIdentifiers` says.
    pub double_quoted_identifiers: bool,
    /// `TIMESTAMP` means TIMESTAMP_NTZ, as `spark.sql.timestampType` says.
    pub timestamp_is_ntz: bool,
    /// A column in back-quotes is a pattern of names, as `spark.sql.parser.quotedRegexColumnNames` says.
    pub quoted_regex_column_names: bool,
    /// WITH SCHEMA is refused for views, as `spark.sql.legacy.viewSchemaBindingMode` = false says.
    pub refuses_view_schema_modes: bool,
    /// Interval literals are of months, days and microseconds together, as `spark.sql.legacy.interval.enabled` says.
    pub legacy_intervals: bool,
    /// `IDENTIFIER(..)` stands for whole names of relations, columns and functions only, as
    /// `spark.sql.legacy.identifierClause` says.
    pub legacy_identifier_clause: bool,
    /// Values that take the place of `:name`.
    pub named: Vec<(String, Expr)>,
    /// Values that take the place of `?`, in order.
    pub positional: Vec<Expr>,
}

/// Reads one text.
pub(crate) struct Parser {
    pub(crate) chars: Vec<char>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) at: usize,
    pub(crate) options: ParserOptions,
    /// The last token at which something failed.
    pub(crate) furthest: Cell<usize>,
    /// Parameters of the lambdas around the current place.
    pub(crate) lambda_parameters: Vec<String>,
    /// How many `?` came before.
    pub(crate) markers: u32,
    /// Whether a bare `DEFAULT` means a column's default.
    pub(crate) allows_default: bool,
    /// Where the current statement begins.
    pub(crate) statement: usize,
    /// Where a query was looked for in vain; without it, nested parentheses are tried again and again.
    pub(crate) no_query: HashSet<usize>,
    depth: u32,
}

impl Parser {
    pub(crate) fn new(text: &str, options: ParserOptions) -> Result<Self> {
        let chars: Vec<char> = text.chars().collect();
        let tokens = tokenize(&chars, options.double_quoted_identifiers)?;
        Ok(Self {
            chars,
            tokens,
            at: 0,
            options,
            furthest: Cell::new(0),
            lambda_parameters: Vec::new(),
            markers: 0,
            allows_default: false,
            statement: 0,
            no_query: HashSet::new(),
            depth: 0,
        })
    }

    /// Runs a rule over the whole text; what is left over is a syntax error.
    pub(crate) fn whole<T>(mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let result = rule(&mut self).and_then(|value| {
            while self.eat_symbol(";") {}
            if self.at_end() { Ok(value) } else { Err(self.left_over()) }
        });
        result.map_err(|error| self.furthest_error(error))
    }

    /// What stands after the end; a single token could just go.
    fn left_over(&self) -> SparkError {
        let is_single = self.peek_at(1).kind == TokenKind::End && self.furthest.get() <= self.at;
        match self.peek().kind {
            TokenKind::Word(_) | TokenKind::Number(_) if is_single => {
                let hint = format!(": extra input '{}'", self.text(self.peek().start, self.peek().stop));
                self.syntax_error_with(self.at, hint)
            }
            _ => self.syntax_error(),
        }
    }

    pub(crate) fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub(crate) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    pub(crate) fn at_end(&self) -> bool {
        self.peek().kind == TokenKind::End
    }

    pub(crate) fn at_word(&self, word: &str) -> bool {
        self.peek().is_word(word)
    }

    /// Whether the next tokens are these keywords.
    pub(crate) fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.peek_at(ahead).is_word(word))
    }

    /// Whether the next token is one of these keywords.
    pub(crate) fn at_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    pub(crate) fn at_symbol(&self, symbol: &str) -> bool {
        self.peek().is_symbol(symbol)
    }

    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let is_next = self.at_word(word);
        if is_next {
            self.advance();
        } else {
            self.furthest.set(self.furthest.get().max(self.at));
        }
        is_next
    }

    /// Takes all of these keywords or none.
    pub(crate) fn eat_words(&mut self, words: &[&str]) -> bool {
        let is_next = self.at_words(words);
        if is_next {
            self.at += words.len();
        } else {
            self.furthest.set(self.furthest.get().max(self.at));
        }
        is_next
    }

    /// Takes one of these keywords and says which.
    pub(crate) fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.eat_word(word))
    }

    pub(crate) fn eat_symbol(&mut self, symbol: &str) -> bool {
        let is_next = self.at_symbol(symbol);
        if is_next {
            self.advance();
        }
        is_next
    }

    pub(crate) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.syntax_error()) }
    }

    pub(crate) fn expect_words(&mut self, words: &[&str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// `( rule )`
    pub(crate) fn in_parentheses<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect_symbol("(")?;
        let value = rule(self)?;
        self.expect_symbol(")")?;
        Ok(value)
    }

    /// `rule, rule, ..`
    pub(crate) fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![rule(self)?];
        while self.eat_symbol(",") {
            items.push(rule(self)?);
        }
        Ok(items)
    }

    /// Tries a rule; where its syntax does not fit, the cursor is back where it was.
    ///
    /// Errors: those of text that fits but makes no sense.
    pub(crate) fn attempt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        let (at, markers, depth) = (self.at, self.markers, self.depth);
        match rule(self) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.class() == &error_class::PARSE_SYNTAX_ERROR => {
                (self.at, self.markers, self.depth) = (at, markers, depth);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Guards a rule that calls itself.
    pub(crate) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH_MAX {
            let context = self.text(0, self.peek().stop.min(200));
            return Err(SparkError::new(&error_class::FAILED_TO_PARSE_TOO_COMPLEX).param("context", context));
        }
        self.depth += 1;
        let value = stacker::maybe_grow(STACK_LEFT_MIN_BYTES, STACK_GROWTH_BYTES, || rule(self));
        self.depth -= 1;
        value
    }

    /// The span from a token to the last one taken.
    pub(crate) fn span_from(&self, start: usize) -> Span {
        let last = self.at.saturating_sub(1).max(start);
        Span { start: self.tokens[start].start, stop: self.tokens[last].stop }
    }

    /// The text from a token to the last one taken.
    pub(crate) fn text_from(&self, start: usize) -> String {
        let span = self.span_from(start);
        self.text(span.start, span.stop)
    }

    pub(crate) fn text(&self, start: u32, stop: u32) -> String {
        let stop = (stop as usize + 1).min(self.chars.len());
        self.chars.get(start as usize..stop).unwrap_or_default().iter().collect()
    }

    /// Takes everything up to the end of the statement and returns its text.
    pub(crate) fn rest(&mut self) -> String {
        let start = self.at;
        while !self.at_end() && !self.at_symbol(";") {
            self.advance();
        }
        if self.at == start { String::new() } else { self.text_from(start) }
    }
}
