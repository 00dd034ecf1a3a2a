//! Expressions: operators by precedence.
//!
//! ```text
//!   OR < AND < NOT < predicates (IN, LIKE, BETWEEN, IS) < = <> < .. < | < ^ < & < shifts < + - || < * / % DIV < unary
//! ```

use firesteel_model::{Result, error_class};
use firesteel_spec::{Expr, ExprNode, Literal};

use crate::parser::Parser;
use crate::token::TokenKind;

/// An infix operator: how tightly it binds, the function it stands for, how many tokens it is.
struct Operator {
    level: u8,
    function: &'static str,
    tokens: usize,
}

const OPERATORS: &[(&str, u8, &str)] = &[
    ("=", 1, "=="),
    ("==", 1, "=="),
    ("<=>", 1, "<=>"),
    ("<>", 1, "!="),
    ("!=", 1, "!="),
    ("<", 1, "<"),
    ("<=", 1, "<="),
    ("!>", 1, "<="),
    (">", 1, ">"),
    (">=", 1, ">="),
    ("!<", 1, ">="),
    ("|", 2, "|"),
    ("^", 3, "^"),
    ("&", 4, "&"),
    ("<<", 5, "<<"),
    ("+", 6, "+"),
    ("-", 6, "-"),
    ("||", 6, "concat"),
    ("*", 7, "*"),
    ("/", 7, "/"),
    ("%", 7, "%"),
];

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;

impl Parser {
    /// Any expression.
    pub(crate) fn expression(&mut self) -> Result<Expr> {
        self.nested(|p| p.boolean(0))
    }

    pub(crate) fn expressions(&mut self) -> Result<Vec<Expr>> {
        self.list(Self::expression)
    }

    /// An expression with or without an alias.
    pub(crate) fn named_expression(&mut self) -> Result<Expr> {
        let start = self.at;
        let child = self.column_pattern(start)?;
        let names = if self.eat_word("AS") {
            if self.at_symbol("(") { self.in_parentheses(|p| p.list(Self::name))? } else { vec![self.name()?] }
        } else if self.at_implicit_alias() {
            vec![self.name()?]
        } else if self.at_symbol("(") {
            self.in_parentheses(|p| p.list(Self::name))?
        } else {
            return Ok(child);
        };
        let node = ExprNode::Alias { child, names, metadata: None };
        Ok(Expr::at(node, self.span_from(start)))
    }

    /// An expression; a column whose last part is quoted may be a pattern of names.
    fn column_pattern(&mut self, start: usize) -> Result<Expr> {
        let expr = self.expression()?;
        let is_quoted = matches!(self.tokens[self.at - 1].kind, TokenKind::Quoted(_));
        match expr.node.as_ref() {
            ExprNode::Attribute { parts, .. } if is_quoted && self.options.quoted_regex_column_names => {
                let Some((pattern, target)) = parts.split_last() else { return Ok(expr) };
                let node = ExprNode::Regex { pattern: pattern.clone(), target: target.to_vec(), plan_id: None };
                Ok(Expr::at(node, self.span_from(start)))
            }
            _ => Ok(expr),
        }
    }

    pub(crate) fn named_expressions(&mut self) -> Result<Vec<Expr>> {
        self.list(Self::named_expression)
    }

    fn boolean(&mut self, above: u8) -> Result<Expr> {
        let start = self.at;
        let mut left = if self.at_not_operator() {
            self.advance();
            let operand = self.nested(|p| p.boolean(NOT))?;
            self.call_since(start, "not", vec![operand])
        } else {
            let value = self.value_expression()?;
            self.predicate(value)?
        };
        loop {
            let (level, function) = match () {
                () if self.at_word("OR") => (OR, "or"),
                () if self.at_word("AND") => (AND, "and"),
                () => return Ok(left),
            };
            if level <= above {
                return Ok(left);
            }
            self.advance();
            let right = self.boolean(level)?;
            left = self.call_since(start, function, vec![left, right]);
        }
    }

    fn at_not_operator(&self) -> bool {
        self.at_symbol("!") || (self.at_word("NOT") && !self.ends_expression_at(1))
    }

    /// Whether nothing that could be an operand stands there.
    fn ends_expression_at(&self, ahead: usize) -> bool {
        match &self.peek_at(ahead).kind {
            TokenKind::End => true,
            TokenKind::Symbol(symbol) => matches!(*symbol, ")" | "," | ";" | "." | "=" | "]"),
            _ => false,
        }
    }

    /// An expression without AND, OR, NOT and predicates.
    pub(crate) fn value_expression(&mut self) -> Result<Expr> {
        self.nested(|p| p.binary(0))
    }

    fn binary(&mut self, above: u8) -> Result<Expr> {
        let start = self.at;
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|operator| operator.level > above) {
            self.at += operator.tokens;
            let right = self.binary(operator.level)?;
            left = self.call_since(start, operator.function, vec![left, right]);
        }
        Ok(left)
    }

    fn operator(&self) -> Option<Operator> {
        let token = self.peek();
        let next_joins = |ahead: usize| {
            self.peek_at(ahead).is_symbol(">") && self.peek_at(ahead).start == self.peek_at(ahead - 1).stop + 1
        };
        match &token.kind {
            TokenKind::Symbol(">") if next_joins(1) && next_joins(2) => {
                Some(Operator { level: 5, function: ">>>", tokens: 3 })
            }
            TokenKind::Symbol(">") if next_joins(1) => Some(Operator { level: 5, function: ">>", tokens: 2 }),
            TokenKind::Symbol("|") if self.at_pipe_bar() => None,
            TokenKind::Symbol(symbol) => OPERATORS
                .iter()
                .find(|(text, ..)| text == symbol)
                .map(|(_, level, function)| Operator { level: *level, function, tokens: 1 }),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("DIV") && !self.ends_expression_at(1) => {
                Some(Operator { level: 7, function: "div", tokens: 1 })
            }
            _ => None,
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        let start = self.at;
        if self.at_symbol("-") && matches!(self.peek_at(1).kind, TokenKind::Number(_)) {
            let number = self.number()?;
            return self.postfix(number, start);
        }
        for (symbol, function) in [("-", "-"), ("+", "positive"), ("~", "~")] {
            if self.eat_symbol(symbol) {
                let operand = self.nested(Self::unary)?;
                return Ok(self.call_since(start, function, vec![operand]));
            }
        }
        let primary = self.primary()?;
        self.postfix(primary, start)
    }

    /// What follows a value: `[0]`, `.field`, `::type`, `:path`, COLLATE.
    fn postfix(&mut self, mut value: Expr, start: usize) -> Result<Expr> {
        loop {
            let node = if self.eat_symbol("[") {
                let key = self.value_expression()?;
                self.expect_symbol("]")?;
                ExprNode::Extract { child: value, key }
            } else if self.at_symbol(".") {
                self.advance();
                let key_at = self.at;
                let name = self.identifier()?;
                let key = Expr::at(ExprNode::Literal(Literal::String(name)), self.span_from(key_at));
                ExprNode::Extract { child: value, key }
            } else if self.eat_symbol("::") {
                return self.colon_cast(value, start);
            } else if self.at_word("COLLATE")
                && matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_))
            {
                self.advance();
                let name = self.qualified_name()?.join(".");
                value = self.call_since(start, "collate", vec![value, Expr::literal(Literal::String(name))]);
                continue;
            } else if self.at_symbol(":") && self.is_path_at(1) {
                let (path, name) = self.variant_path()?;
                let found = self.call_since(start, "variant_get", vec![value, Expr::literal(Literal::String(path))]);
                let Some(name) = name else {
                    value = found;
                    continue;
                };
                ExprNode::Alias { child: found, names: vec![name], metadata: None }
            } else {
                return Ok(value);
            };
            value = Expr::at(node, self.span_from(start));
        }
    }

    fn colon_cast(&mut self, child: Expr, start: usize) -> Result<Expr> {
        let target = firesteel_spec::expr::CastTarget::Type(self.data_type()?);
        let node = ExprNode::Cast { child, target, mode: firesteel_spec::expr::CastMode::Session };
        let value = Expr::at(node, self.span_from(start));
        self.postfix(value, start)
    }

    fn is_path_at(&self, ahead: usize) -> bool {
        matches!(self.peek_at(ahead).kind, TokenKind::Word(_) | TokenKind::Quoted(_))
            || self.peek_at(ahead).is_symbol("[")
    }

    /// `:a.b[0]` as a JSON path, and the last field in it, after which the value is called.
    fn variant_path(&mut self) -> Result<(String, Option<String>)> {
        self.advance();
        let (mut path, mut name) = (String::from("$"), None);
        // As in Spark, a dot between backquotes parts two fields.
        let field = |path: &mut String, identifier: String| {
            path.push_str(&format!(".{identifier}"));
            identifier.rsplit('.').next().map(str::to_owned)
        };
        if !self.at_symbol("[") {
            name = field(&mut path, self.identifier()?);
        }
        loop {
            if self.eat_symbol("[") {
                match self.peek().kind.clone() {
                    TokenKind::Text { .. } => {
                        let key = self.string()?;
                        path.push_str(&format!("['{key}']"));
                        name = Some(key);
                    }
                    _ => path.push_str(&format!("[{}]", self.integer::<u32>()?)),
                }
                self.expect_symbol("]")?;
            } else if self.at_symbol(".") && self.is_path_at(1) {
                self.advance();
                name = field(&mut path, self.identifier()?);
            } else {
                return Ok((path, name));
            }
        }
    }

    /// What may follow a value; as in Spark, an error in it points at the operator and what comes after it.
    fn predicate(&mut self, value: Expr) -> Result<Expr> {
        if self.at_word("IS") {
            return self.is_predicate(value, self.at);
        }
        let negations = usize::from(self.at_word("NOT") || self.at_symbol("!"));
        let kinds = ["BETWEEN", "IN", "RLIKE", "REGEXP", "LIKE", "ILIKE"];
        let Some(kind) = kinds.into_iter().find(|kind| self.peek_at(negations).is_word(kind)) else {
            self.furthest.set(self.furthest.get().max(self.at));
            return Ok(value);
        };
        let operator = self.at;
        self.at += negations + 1;
        let positive = match kind {
            "BETWEEN" => {
                let lower = self.value_expression()?;
                self.expect_word("AND")?;
                let upper = self.value_expression()?;
                self.call_since(operator, "between", vec![value, lower, upper])
            }
            "IN" => self.in_predicate(value, operator)?,
            "LIKE" | "ILIKE" => return self.like(value, operator, kind, negations > 0),
            _ => {
                let pattern = self.value_expression()?;
                self.call_since(operator, "rlike", vec![value, pattern])
            }
        };
        Ok(self.negated(positive, operator, negations > 0))
    }

    fn negated(&self, positive: Expr, start: usize, is_negated: bool) -> Expr {
        if is_negated { self.call_since(start, "not", vec![positive]) } else { positive }
    }

    fn is_predicate(&mut self, value: Expr, start: usize) -> Result<Expr> {
        self.advance();
        let is_negated = self.eat_word("NOT") || self.eat_symbol("!");
        if self.eat_word("NULL") || self.eat_word("UNKNOWN") {
            let function = if is_negated { "isnotnull" } else { "isnull" };
            return Ok(self.call_since(start, function, vec![value]));
        }
        let other = if self.eat_words(&["DISTINCT", "FROM"]) {
            let other = self.value_expression()?;
            let equal = self.call_since(start, "<=>", vec![value, other]);
            return Ok(self.negated(equal, start, !is_negated));
        } else if self.eat_word("TRUE") {
            Expr::literal(Literal::Boolean(true))
        } else if self.eat_word("FALSE") {
            Expr::literal(Literal::Boolean(false))
        } else {
            return Err(self.syntax_error());
        };
        let equal = self.call_since(start, "<=>", vec![value, other]);
        Ok(self.negated(equal, start, is_negated))
    }

    fn in_predicate(&mut self, value: Expr, start: usize) -> Result<Expr> {
        self.expect_symbol("(")?;
        if self.eat_symbol(")") {
            return Err(self.error_since(&error_class::INVALID_SQL_SYNTAX_EMPTY_IN_PREDICATE, start));
        }
        if let Some(query) = self.query_in_parentheses()? {
            let values = match *value.node {
                ExprNode::Function(call) if call.name == ["struct"] => call.arguments,
                _ => vec![value],
            };
            let node = ExprNode::InSubquery { values, query: Box::new(query) };
            return Ok(Expr::at(node, self.span_from(start)));
        }
        let mut arguments = vec![value];
        arguments.extend(self.expressions()?);
        self.expect_symbol(")")?;
        Ok(self.call_since(start, "in", arguments))
    }

    fn like(&mut self, value: Expr, start: usize, kind: &str, is_negated: bool) -> Result<Expr> {
        let function = if kind == "LIKE" { "like" } else { "ilike" };
        let quantifier = ["ANY", "SOME", "ALL"].into_iter().find(|word| self.at_word(word));
        if let Some(quantifier) = quantifier.filter(|_| self.peek_at(1).is_symbol("(")) {
            self.at += 2;
            if self.at_symbol(")") {
                self.advance();
                return Err(self
                    .error_since(&error_class::LEGACY_ERROR_TEMP_0064, start)
                    .param("msg", "a pattern must stand between ( and )"));
            }
            let patterns = self.expressions()?;
            self.expect_symbol(")")?;
            let combine = if quantifier == "ALL" { "and" } else { "or" };
            let tests = patterns.into_iter().map(|pattern| {
                let test = self.call_since(start, function, vec![value.clone(), pattern]);
                self.negated(test, start, is_negated)
            });
            let all = tests.reduce(|left, right| self.call_since(start, combine, vec![left, right]));
            return all.ok_or_else(|| self.syntax_error());
        }
        let mut arguments = vec![value, self.value_expression()?];
        if self.eat_word("ESCAPE") {
            let at = self.at;
            let escape = self.string()?;
            if escape.chars().count() != 1 {
                return Err(self
                    .error_since(&error_class::INVALID_ESCAPE_CHAR, at)
                    .param("sqlExpr", format!("'{escape}'")));
            }
            arguments.push(Expr::literal(Literal::String(escape)));
        }
        let test = self.call_since(start, function, arguments);
        Ok(self.negated(test, start, is_negated))
    }

    /// A call of a built-in function that spans from a token to here.
    pub(crate) fn call_since(&self, start: usize, function: &str, arguments: Vec<Expr>) -> Expr {
        let mut call = Expr::call(function, arguments);
        call.span = Some(self.span_from(start));
        call
    }
}
