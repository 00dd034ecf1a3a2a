//! Expressions that operators join: constants, names, calls, subqueries.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::{CastMode, CastTarget, FunctionCall, ParameterMarker};
use firesteel_spec::{DataType, Expr, ExprNode, Literal};

use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    pub(crate) fn primary(&mut self) -> Result<Expr> {
        let start = self.at;
        match &self.peek().kind {
            TokenKind::Number(_) => self.number(),
            TokenKind::Text { .. } => {
                let text = self.adjacent_strings();
                Ok(self.literal_since(start, Literal::String(text)))
            }
            TokenKind::Symbol("(") => self.parenthesised(),
            TokenKind::Symbol("*") => {
                self.advance();
                self.star(start, Vec::new())
            }
            TokenKind::Symbol("?" | ":") => {
                let value = self.parameter_marker()?;
                match value.node.as_ref() {
                    // A text and those beside it are one.
                    ExprNode::Literal(Literal::String(text)) if self.at_string() => {
                        let text = format!("{text}{}", self.adjacent_strings());
                        Ok(self.literal_since(start, Literal::String(text)))
                    }
                    ExprNode::Literal(Literal::String(text)) => {
                        let text = text.clone();
                        match self.text_of_marker() {
                            Some(next) => {
                                let text = format!("{text}{next}{}", self.adjacent_strings());
                                Ok(self.literal_since(start, Literal::String(text)))
                            }
                            None => Ok(value),
                        }
                    }
                    _ => Ok(value),
                }
            }
            TokenKind::Quoted(_) => self.path(),
            TokenKind::Word(word) => {
                let word = word.to_ascii_uppercase();
                match self.keyword_expression(&word)? {
                    Some(expr) => Ok(expr),
                    None => self.path(),
                }
            }
            _ => Err(self.syntax_error()),
        }
    }

    pub(crate) fn literal_since(&self, start: usize, literal: Literal) -> Expr {
        Expr::at(ExprNode::Literal(literal), self.span_from(start))
    }

    /// Expressions that a keyword opens; `None` where the word is a name.
    fn keyword_expression(&mut self, word: &str) -> Result<Option<Expr>> {
        let start = self.at;
        let opens = self.peek_at(1).is_symbol("(");
        let before_text = matches!(self.peek_at(1).kind, TokenKind::Text { .. });
        if self.peek_at(1).is_symbol(".") || self.peek_at(1).is_symbol("->") {
            return Ok(None);
        }
        Ok(Some(match word {
            "NULL" | "TRUE" | "FALSE" if !opens => {
                self.advance();
                let literal = match word {
                    "NULL" => Literal::Null(DataType::Null),
                    _ => Literal::Boolean(word == "TRUE"),
                };
                self.literal_since(start, literal)
            }
            "CASE" => return self.case(),
            "CAST" | "TRY_CAST" if opens => self.cast(word == "TRY_CAST")?,
            "EXISTS" if opens => match self.exists()? {
                Some(expr) => expr,
                None => return Ok(None),
            },
            "INTERVAL" => match self.interval()? {
                Some(expr) => expr,
                None => return Ok(None),
            },
            "DEFAULT" if self.allows_default && !opens => {
                self.advance();
                Expr::at(ExprNode::Default, self.span_from(start))
            }
            "IDENTIFIER" if opens => self.identifier_expression()?,
            _ if before_text => self.typed_literal(word)?,
            _ if opens => match self.special_call(word)? {
                Some(expr) => expr,
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// `a`, `a.b.c`, `a.*`, `f(..)`, `x -> ..`
    fn path(&mut self) -> Result<Expr> {
        let start = self.at;
        let mut parts = vec![self.identifier()?];
        if self.at_symbol("->") {
            self.advance();
            return self.lambda(start, parts);
        }
        while self.at_symbol(".") {
            let follows = self.peek_at(1);
            if follows.is_symbol("*") {
                self.at += 2;
                return self.star(start, parts);
            }
            // `x.1` or the dot before an operator: the field rule reports it.
            if !matches!(follows.kind, TokenKind::Word(_) | TokenKind::Quoted(_)) {
                break;
            }
            self.advance();
            if self.at_identifier_clause() && !self.options.legacy_identifier_clause {
                parts.extend(self.qualified_name()?);
            } else {
                parts.push(self.identifier()?);
            }
        }
        if self.at_symbol("(") {
            return self.function_call(start, parts);
        }
        Ok(self.column_reference(start, parts))
    }

    fn column_reference(&self, start: usize, mut parts: Vec<String>) -> Expr {
        let span = self.span_from(start);
        let variable = self.lambda_parameters.iter().rev().find(|name| name.eq_ignore_ascii_case(&parts[0]));
        let Some(variable) = variable.cloned() else {
            return Expr::at(ExprNode::Attribute { parts, plan_id: None, is_metadata: false }, span);
        };
        let fields = parts.split_off(1);
        let root = Expr::at(ExprNode::LambdaVariable(variable), span);
        fields.into_iter().fold(root, |child, field| {
            let key = Expr::literal(Literal::String(field));
            Expr::at(ExprNode::Extract { child, key }, span)
        })
    }

    /// `*` with EXCEPT, after the star.
    fn star(&mut self, start: usize, target: Vec<String>) -> Result<Expr> {
        let mut except = Vec::new();
        if self.at_word("EXCEPT") && self.peek_at(1).is_symbol("(") && !self.is_query_at(2) {
            self.advance();
            except = self.in_parentheses(|p| p.list(Self::qualified_name))?;
        }
        let node = ExprNode::Star { target, plan_id: None, except, replace: Vec::new() };
        Ok(Expr::at(node, self.span_from(start)))
    }

    fn lambda(&mut self, start: usize, parameters: Vec<String>) -> Result<Expr> {
        let outer = self.lambda_parameters.len();
        self.lambda_parameters.extend(parameters.iter().cloned());
        let body = self.expression();
        self.lambda_parameters.truncate(outer);
        let node = ExprNode::Lambda { parameters, body: body? };
        Ok(Expr::at(node, self.span_from(start)))
    }

    /// `(e)`, `(a, b)`, `(SELECT ..)`, `(x, y) -> ..`
    fn parenthesised(&mut self) -> Result<Expr> {
        let start = self.at;
        if self.is_lambda_head() {
            self.advance();
            let parameters = self.list(Self::identifier)?;
            self.at += 2;
            return self.lambda(start, parameters);
        }
        self.advance();
        if let Some(query) = self.query_in_parentheses()? {
            return Ok(Expr::at(ExprNode::ScalarSubquery(Box::new(query)), self.span_from(start)));
        }
        let mut items = self.named_expressions()?;
        self.expect_symbol(")")?;
        if items.len() > 1 {
            return Ok(self.call_since(start, "struct", items));
        }
        let mut item = items.remove(0);
        if matches!(*item.node, ExprNode::Alias { .. }) {
            return Err(self.syntax_error_at(self.at - 1));
        }
        item.span = Some(self.span_from(start));
        Ok(item)
    }

    /// `(a, b) ->`
    fn is_lambda_head(&self) -> bool {
        let mut ahead = 1;
        loop {
            if !matches!(self.peek_at(ahead).kind, TokenKind::Word(_) | TokenKind::Quoted(_)) {
                return false;
            }
            let next = self.peek_at(ahead + 1);
            if next.is_symbol(")") {
                return self.peek_at(ahead + 2).is_symbol("->");
            }
            if !next.is_symbol(",") {
                return false;
            }
            ahead += 2;
        }
    }

    fn exists(&mut self) -> Result<Option<Expr>> {
        let start = self.at;
        self.at += 2;
        match self.query_in_parentheses()? {
            Some(query) => Ok(Some(Expr::at(ExprNode::Exists(Box::new(query)), self.span_from(start)))),
            None => {
                self.at = start;
                Ok(None)
            }
        }
    }

    fn case(&mut self) -> Result<Option<Expr>> {
        let start = self.at;
        if !self.peek_at(1).is_word("WHEN") && matches!(self.peek_at(1).kind, TokenKind::Symbol(")" | "," | "=")) {
            return self.path().map(Some);
        }
        self.advance();
        let operand = if self.at_word("WHEN") { None } else { Some(self.expression()?) };
        let mut branches = Vec::new();
        while self.eat_word("WHEN") {
            let condition = self.expression()?;
            self.expect_word("THEN")?;
            branches.push((condition, self.expression()?));
        }
        if branches.is_empty() {
            return Err(self.syntax_error());
        }
        let otherwise = if self.eat_word("ELSE") { Some(self.expression()?) } else { None };
        self.expect_word("END")?;
        Ok(Some(Expr::at(ExprNode::Case { operand, branches, otherwise }, self.span_from(start))))
    }

    fn cast(&mut self, is_try: bool) -> Result<Expr> {
        let start = self.at;
        self.at += 2;
        let child = self.expression()?;
        self.expect_word("AS")?;
        let target = CastTarget::Type(self.data_type()?);
        self.expect_symbol(")")?;
        let mode = if is_try { CastMode::Try } else { CastMode::Session };
        Ok(Expr::at(ExprNode::Cast { child, target, mode }, self.span_from(start)))
    }

    /// `IDENTIFIER(e)`, or a call of it.
    fn identifier_expression(&mut self) -> Result<Expr> {
        let start = self.at;
        let name = self.identifier_argument()?;
        if let Some(text) = crate::identifier::constant_text(&name) {
            let mut parts = crate::identifier::parse_parts(&text)?;
            while self.at_symbol(".") && !self.peek_at(1).is_symbol("*") {
                self.advance();
                parts.extend(self.qualified_name()?);
            }
            if self.at_symbol(".") {
                self.at += 2;
                return self.star(start, parts);
            }
            if self.at_symbol("(") {
                return self.function_call(start, parts);
            }
            return Ok(self.column_reference(start, parts));
        }
        let arguments = if self.at_symbol("(") {
            let call = self.function_call(start, vec!["identifier".to_owned()])?;
            match *call.node {
                ExprNode::Function(FunctionCall { arguments, is_distinct: false, filter: None, .. }) => Some(arguments),
                _ => return Err(SparkError::unsupported("clauses after a call of IDENTIFIER(..)(..)")),
            }
        } else {
            None
        };
        Ok(Expr::at(ExprNode::Identifier { name, arguments }, self.span_from(start)))
    }

    /// `?` or `:name`, or the value given for it.
    pub(crate) fn parameter_marker(&mut self) -> Result<Expr> {
        let start = self.at;
        if self.eat_symbol("?") {
            let index = self.markers;
            self.markers += 1;
            if let Some(value) = self.options.positional.get(index as usize) {
                return Ok(value.clone());
            }
            let node = ExprNode::Parameter(ParameterMarker::Positional(index));
            return Ok(Expr::at(node, self.span_from(start)));
        }
        self.expect_symbol(":")?;
        let name = self.identifier()?;
        if let Some((_, value)) = self.options.named.iter().find(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        Ok(Expr::at(ExprNode::Parameter(ParameterMarker::Named(name)), self.span_from(start)))
    }

    /// A type's name before a string that is no type of Spark's.
    pub(crate) fn unsupported_typed_literal(&self, word: &str, start: usize) -> SparkError {
        self.error_since(&error_class::UNSUPPORTED_TYPED_LITERAL, start)
            .param("unsupportedType", format!("\"{word}\""))
            .param(
                "supportedTypes",
                "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\", \"TIME\"",
            )
    }
}
