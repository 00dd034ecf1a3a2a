//! Names: identifiers, qualified names, `IDENTIFIER(..)`, strings and integers that stand as such.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{Expr, ExprNode, Literal};

use crate::parser::{Parser, ParserOptions};
use crate::token::TokenKind;

/// Words that join relations or combine queries, and so cannot name a table's alias.
const STRICT: &[&str] = &[
    "ANTI",
    "CROSS",
    "EXCEPT",
    "FULL",
    "INNER",
    "INTERSECT",
    "JOIN",
    "LATERAL",
    "LEFT",
    "NATURAL",
    "ON",
    "RIGHT",
    "SEMI",
    "MINUS",
    "UNION",
    "USING",
];

/// Words that open a clause: without AS they are no alias.
const CLAUSES: &[&str] = &[
    "AS",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LIMIT",
    "OFFSET",
    "WINDOW",
    "QUALIFY",
    "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE",
    "INTO",
    "WHEN",
    "THEN",
    "SET",
    "VALUES",
    "SELECT",
    "INSERT",
    "DO",
    "APPROX",
    "EXACT",
    "WATERMARK",
    "REPLACE",
    "MATCH_RECOGNIZE",
    "FOR",
];

impl Parser {
    /// An identifier; nearly every keyword is one.
    pub(crate) fn identifier(&mut self) -> Result<String> {
        let is_known = self.is_text_at(2) || self.peek_at(2).is_symbol(":") || self.peek_at(2).is_symbol("?");
        if self.at_identifier_clause() && is_known && !self.options.legacy_identifier_clause {
            return self.single_part();
        }
        let name = match &self.peek().kind {
            TokenKind::Word(name) | TokenKind::Quoted(name) => name.clone(),
            _ => return Err(self.syntax_error()),
        };
        self.advance();
        Ok(name)
    }

    fn is_text_at(&self, ahead: usize) -> bool {
        matches!(self.peek_at(ahead).kind, TokenKind::Text { .. })
    }

    /// `IDENTIFIER('..')` where one part is wanted.
    fn single_part(&mut self) -> Result<String> {
        let start = self.at;
        let mut parts = self.identifier_clause()?;
        if parts.len() > 1 {
            return Err(self
                .error_since(&error_class::IDENTIFIER_TOO_MANY_NAME_PARTS, start)
                .param("identifier", firesteel_spec::types::quote_name(&parts))
                .param("limit", "1"));
        }
        Ok(parts.remove(0))
    }

    /// An identifier where no expression can stand: `a-b` is told to want back-quotes.
    pub(crate) fn name(&mut self) -> Result<String> {
        let start = self.at;
        let is_plain = matches!(self.peek().kind, TokenKind::Word(_));
        let name = self.identifier()?;
        let joins = |p: &Self| {
            p.at_symbol("-")
                && matches!(p.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_))
                && p.peek().start == p.tokens[p.at - 1].stop + 1
                && p.peek_at(1).start == p.peek().stop + 1
        };
        if is_plain && joins(self) {
            while joins(self) {
                self.at += 2;
            }
            let (line, column) = crate::lexer::line_and_column(&self.chars, self.tokens[start].start as usize);
            return Err(SparkError::new(&error_class::INVALID_IDENTIFIER)
                .param("ident", self.text_from(start))
                .position(line, column));
        }
        Ok(name)
    }

    /// `a.b.c`, or `IDENTIFIER('a.b.c')`.
    pub(crate) fn qualified_name(&mut self) -> Result<Vec<String>> {
        let mut parts = if self.at_identifier_clause() { self.identifier_clause()? } else { vec![self.name()?] };
        while self.at_symbol(".") {
            self.advance();
            if self.at_identifier_clause() && !self.options.legacy_identifier_clause {
                parts.extend(self.identifier_clause()?);
            } else {
                parts.push(self.name()?);
            }
        }
        Ok(parts)
    }

    pub(crate) fn at_identifier_clause(&self) -> bool {
        self.at_word("IDENTIFIER") && self.peek_at(1).is_symbol("(")
    }

    /// `IDENTIFIER(e)` whose text is known at once.
    fn identifier_clause(&mut self) -> Result<Vec<String>> {
        let start = self.at;
        let argument = self.identifier_argument()?;
        let Some(text) = constant_text(&argument) else {
            return Err(SparkError::unsupported("IDENTIFIER over anything but constant text in this place")
                .context(self.context(self.span_from(start))));
        };
        parse_parts(&text)
    }

    /// The expression inside `IDENTIFIER(..)`.
    pub(crate) fn identifier_argument(&mut self) -> Result<Expr> {
        self.advance();
        self.in_parentheses(Self::expression)
    }

    /// An alias without AS in a SELECT list.
    pub(crate) fn at_implicit_alias(&self) -> bool {
        match &self.peek().kind {
            TokenKind::Quoted(_) => true,
            TokenKind::Word(_) if self.at_words(&["GROUPING", "SETS"]) => false,
            TokenKind::Word(word) => !is_among(word, STRICT) && !is_among(word, CLAUSES),
            _ => false,
        }
    }

    /// The alias of a relation; after AS even a clause's word may stand.
    pub(crate) fn at_table_alias(&self) -> bool {
        self.at_implicit_alias()
    }

    /// Whether the current word joins or combines relations.
    pub(crate) fn at_strict_word(&self) -> bool {
        matches!(&self.peek().kind, TokenKind::Word(word) if is_among(word, STRICT))
    }

    /// `(a, b)` if it is there.
    pub(crate) fn optional_names(&mut self) -> Result<Vec<String>> {
        if self.at_symbol("(") { self.in_parentheses(|p| p.list(Self::name)) } else { Ok(Vec::new()) }
    }

    /// A string, made of adjacent ones, or of `:name` and `?` where their values are known.
    pub(crate) fn string(&mut self) -> Result<String> {
        if self.at_symbol(":") || self.at_symbol("?") {
            let start = self.at;
            let marker = self.parameter_marker()?;
            return constant_text(&marker).ok_or_else(|| self.syntax_error_at(start));
        }
        if !self.at_string() {
            return Err(self.syntax_error());
        }
        Ok(self.adjacent_strings())
    }

    pub(crate) fn at_string(&self) -> bool {
        self.is_text_at(0)
    }

    /// The strings that stand side by side, as one.
    pub(crate) fn adjacent_strings(&mut self) -> String {
        let mut text = String::new();
        loop {
            if let TokenKind::Text { value, .. } = &self.peek().kind {
                text.push_str(value);
                self.advance();
            } else if let Some(value) = self.text_of_marker() {
                text.push_str(&value);
            } else {
                return text;
            }
        }
    }

    /// The text that is given for the parameter marker here, which is then read.
    pub(crate) fn text_of_marker(&mut self) -> Option<String> {
        if !self.at_symbol(":") && !self.at_symbol("?") {
            return None;
        }
        let (start, markers) = (self.at, self.markers);
        let text = self.parameter_marker().ok().as_ref().and_then(constant_text);
        if text.is_none() {
            (self.at, self.markers) = (start, markers);
        }
        text
    }

    pub(crate) fn optional_string(&mut self, word: &str) -> Result<Option<String>> {
        if self.eat_word(word) { self.string().map(Some) } else { Ok(None) }
    }

    /// A whole number.
    pub(crate) fn integer<T: std::str::FromStr>(&mut self) -> Result<T> {
        let value = match &self.peek().kind {
            TokenKind::Number(text) => text.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.syntax_error())?;
        self.advance();
        Ok(value)
    }

    /// `IF EXISTS`
    pub(crate) fn if_exists(&mut self) -> bool {
        self.eat_words(&["IF", "EXISTS"])
    }

    /// `IF NOT EXISTS`
    pub(crate) fn if_not_exists(&mut self) -> bool {
        if self.at_word("IF") && self.peek_at(1).is_symbol("!") && self.peek_at(2).is_word("EXISTS") {
            self.at += 3;
            return true;
        }
        self.eat_words(&["IF", "NOT", "EXISTS"])
    }
}

/// The text that an expression of strings stands for.
pub(crate) fn constant_text(expr: &Expr) -> Option<String> {
    match expr.node.as_ref() {
        ExprNode::Literal(Literal::String(text)) => Some(text.clone()),
        ExprNode::Function(call) if call.name == ["concat"] => {
            call.arguments.iter().map(constant_text).collect::<Option<Vec<_>>>().map(|texts| texts.concat())
        }
        _ => None,
    }
}

/// A qualified name in a text of its own.
pub(crate) fn parse_parts(text: &str) -> Result<Vec<String>> {
    if text.trim().is_empty() {
        return Err(SparkError::new(&error_class::PARSE_EMPTY_STATEMENT));
    }
    Parser::new(text, ParserOptions::default())?.whole(Parser::qualified_name)
}

fn is_among(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other))
}
