//! Errors about the text.

use firesteel_model::{ErrorClass, ErrorContext, SparkError, error_class};
use firesteel_spec::Span;

use crate::lexer::line_and_column;
use crate::parser::Parser;
use crate::token::{Token, TokenKind};

impl Parser {
    /// A syntax error at the current token; the one furthest into the text is what the user sees.
    pub(crate) fn syntax_error(&self) -> SparkError {
        self.syntax_error_at(self.at)
    }

    pub(crate) fn syntax_error_at(&self, at: usize) -> SparkError {
        self.furthest.set(self.furthest.get().max(at));
        self.syntax_error_with(at, String::new())
    }

    /// A syntax error that says what to remove or add; it stands, whatever else was tried.
    pub(crate) fn syntax_error_with(&self, at: usize, hint: String) -> SparkError {
        let token = &self.tokens[at];
        let error = match token.kind {
            TokenKind::End => "end of input".to_owned(),
            _ => format!("'{}'", self.text(token.start, token.stop)),
        };
        let (line, column) = line_and_column(&self.chars, token.start as usize);
        SparkError::new(&error_class::PARSE_SYNTAX_ERROR)
            .param("error", error)
            .param("hint", hint)
            .position(line, column)
    }

    /// Replaces a syntax error by the one that got furthest.
    pub(crate) fn furthest_error(&self, error: SparkError) -> SparkError {
        let is_plain = error.class() == &error_class::PARSE_SYNTAX_ERROR
            && error.params().iter().any(|(name, hint)| name == "hint" && hint.is_empty());
        if is_plain { self.syntax_error_at(self.furthest.get()) } else { error }
    }

    /// An error about a fragment of the text.
    pub(crate) fn error_on(&self, class: &'static ErrorClass, span: Span) -> SparkError {
        SparkError::new(class).context(self.context(span))
    }

    /// The fragment of the text that a span names.
    pub(crate) fn context(&self, span: Span) -> ErrorContext {
        let text: String = self.chars.iter().collect();
        ErrorContext::of_sql(&text, span.start, span.stop)
    }

    /// An error of `INVALID_SQL_SYNTAX` and such about everything since a token.
    pub(crate) fn error_since(&self, class: &'static ErrorClass, start: usize) -> SparkError {
        self.error_on(class, self.span_from(start))
    }

    /// An error about the whole statement, read so far or not.
    pub(crate) fn error_on_statement(&self, class: &'static ErrorClass) -> SparkError {
        let rest = &self.tokens[self.at..];
        let ends = |token: &Token| token.kind == TokenKind::End || token.is_symbol(";");
        let length = rest.iter().position(ends).unwrap_or(0);
        let last = (self.at + length).saturating_sub(1).max(self.statement);
        let span = Span { start: self.tokens[self.statement].start, stop: self.tokens[last].stop };
        self.error_on(class, span)
    }

    /// A clause that may stand once stands twice.
    pub(crate) fn duplicate_clause(&self, name: &str, start: usize) -> SparkError {
        self.error_since(&error_class::DUPLICATE_CLAUSES, start).param("clauseName", name)
    }
}
