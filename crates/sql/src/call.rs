//! Calls: arguments, FILTER, WITHIN GROUP, OVER, and the functions with a syntax of their own.

use firesteel_model::{Result, error_class};
use firesteel_spec::expr::{FrameBound, FunctionCall, SortKey, WindowFrame, WindowSpec};
use firesteel_spec::{Expr, ExprNode, Literal};

use crate::parser::Parser;
use crate::token::TokenKind;

const DATETIME_UNITS: &[&str] =
    &["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"];

impl Parser {
    /// A call, from its opening parenthesis on.
    pub(crate) fn function_call(&mut self, start: usize, name: Vec<String>) -> Result<Expr> {
        let mut call = FunctionCall::named(name, Vec::new());
        self.expect_symbol("(")?;
        call.is_distinct = self.eat_quantifier();
        if !self.at_symbol(")") {
            call.arguments = self.list(Self::argument)?;
        }
        call.ignore_nulls = self.nulls_option();
        self.expect_symbol(")")?;
        self.call_clauses(start, call)
    }

    /// DISTINCT is true, ALL false; a column may be called either.
    fn eat_quantifier(&mut self) -> bool {
        let names_column = matches!(self.peek_at(1).kind, TokenKind::Symbol(")" | "," | "." | "="));
        if names_column {
            return false;
        }
        let is_distinct = self.eat_word("DISTINCT");
        if !is_distinct {
            self.eat_word("ALL");
        }
        is_distinct
    }

    fn call_clauses(&mut self, start: usize, mut call: FunctionCall) -> Result<Expr> {
        if self.eat_words(&["WITHIN", "GROUP"]) {
            call.order_by = self.in_parentheses(|p| {
                p.expect_words(&["ORDER", "BY"])?;
                p.sort_keys()
            })?;
        }
        if self.at_word("FILTER") && self.peek_at(1).is_symbol("(") {
            self.advance();
            call.filter = Some(self.in_parentheses(|p| {
                p.expect_word("WHERE")?;
                p.expression()
            })?);
        }
        call.ignore_nulls = self.nulls_option().or(call.ignore_nulls);
        let function = Expr::at(ExprNode::Function(call), self.span_from(start));
        self.over(start, function)
    }

    fn nulls_option(&mut self) -> Option<bool> {
        if self.eat_words(&["IGNORE", "NULLS"]) {
            return Some(true);
        }
        self.eat_words(&["RESPECT", "NULLS"]).then_some(false)
    }

    fn over(&mut self, start: usize, function: Expr) -> Result<Expr> {
        let names_window = matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_));
        if !self.at_word("OVER") || !(names_window || self.peek_at(1).is_symbol("(")) {
            return Ok(function);
        }
        self.advance();
        let node = match self.window()? {
            (Some(name), _) => ExprNode::NamedWindow { function, name },
            (None, window) => ExprNode::Window { function, window },
        };
        Ok(Expr::at(node, self.span_from(start)))
    }

    /// `w`, `(w)` or `(PARTITION BY ..)`.
    pub(crate) fn window(&mut self) -> Result<(Option<String>, WindowSpec)> {
        if !self.at_symbol("(") {
            return Ok((Some(self.name()?), WindowSpec::default()));
        }
        if matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_)) && self.peek_at(2).is_symbol(")") {
            return Ok((Some(self.in_parentheses(Self::name)?), WindowSpec::default()));
        }
        let spec = self.in_parentheses(|p| {
            let mut spec = WindowSpec::default();
            if p.eat_words(&["CLUSTER", "BY"]) {
                spec.partition_by = p.expressions()?;
                spec.order_by = spec.partition_by.iter().map(|e| SortKey::new(e.clone(), true)).collect();
            } else {
                if p.eat_words(&["PARTITION", "BY"]) || p.eat_words(&["DISTRIBUTE", "BY"]) {
                    spec.partition_by = p.expressions()?;
                }
                if p.eat_words(&["ORDER", "BY"]) || p.eat_words(&["SORT", "BY"]) {
                    spec.order_by = p.sort_keys()?;
                }
            }
            spec.frame = p.window_frame()?;
            Ok(spec)
        })?;
        Ok((None, spec))
    }

    fn window_frame(&mut self) -> Result<Option<WindowFrame>> {
        let Some(unit) = self.eat_any(&["ROWS", "RANGE"]) else { return Ok(None) };
        let (lower, upper) = if self.eat_word("BETWEEN") {
            let lower = self.frame_bound()?;
            self.expect_word("AND")?;
            (lower, self.frame_bound()?)
        } else {
            (self.frame_bound()?, FrameBound::CurrentRow)
        };
        Ok(Some(WindowFrame { is_rows: unit == "ROWS", lower, upper }))
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.eat_words(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        if self.eat_words(&["UNBOUNDED", "PRECEDING"]) || self.eat_words(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::Unbounded);
        }
        let start = self.at;
        let offset = self.expression()?;
        if self.at_any(&["FOLLOWING", "PRECEDING"]) && !is_constant(&offset) {
            return Err(self
                .error_since(&error_class::LEGACY_ERROR_TEMP_0064, start)
                .param("msg", "the bound of a window frame must be a constant"));
        }
        if self.eat_word("FOLLOWING") {
            return Ok(FrameBound::Offset(offset));
        }
        self.expect_word("PRECEDING")?;
        Ok(FrameBound::Offset(match offset.node.as_ref() {
            ExprNode::Literal(Literal::Integer(n)) if *n != i32::MIN => {
                Expr { span: offset.span, ..Expr::new(ExprNode::Literal(Literal::Integer(-n))) }
            }
            _ => self.call_since(start, "negative", vec![offset]),
        }))
    }

    pub(crate) fn sort_keys(&mut self) -> Result<Vec<SortKey>> {
        self.list(|p| {
            let child = p.expression()?;
            let (ascending, nulls_first) = p.sort_order()?;
            Ok(SortKey { child, ascending, nulls_first })
        })
    }

    /// `DESC NULLS LAST`
    pub(crate) fn sort_order(&mut self) -> Result<(bool, bool)> {
        let ascending = self.eat_any(&["ASC", "DESC"]) != Some("DESC");
        if !self.eat_word("NULLS") {
            return Ok((ascending, ascending));
        }
        match self.eat_any(&["FIRST", "LAST"]) {
            Some(order) => Ok((ascending, order == "FIRST")),
            None => Err(self.syntax_error()),
        }
    }

    /// An argument of a call: `name => value`, a table, or an expression.
    pub(crate) fn argument(&mut self) -> Result<Expr> {
        let start = self.at;
        let is_named = matches!(self.peek().kind, TokenKind::Word(_) | TokenKind::Quoted(_));
        if is_named && self.peek_at(1).is_symbol("=>") {
            let name = self.identifier()?;
            self.advance();
            let value = self.table_argument()?.map_or_else(|| self.expression(), Ok)?;
            return Ok(Expr::at(ExprNode::NamedArgument { name, value }, self.span_from(start)));
        }
        self.table_argument()?.map_or_else(|| self.expression(), Ok)
    }

    /// The functions whose arguments are not just a list; `None` where they are.
    pub(crate) fn special_call(&mut self, word: &str) -> Result<Option<Expr>> {
        match word {
            "STRUCT" => self.struct_call().map(Some),
            "EXTRACT" => self.extract(),
            "SUBSTR" | "SUBSTRING" => self.substring(),
            "TRIM" => self.trim(),
            "OVERLAY" => self.overlay(),
            "POSITION" => self.position(),
            "TIMESTAMPADD" | "DATEADD" | "DATE_ADD" => self.unit_call(word, "timestampadd"),
            "TIMESTAMPDIFF" | "DATEDIFF" | "DATE_DIFF" | "TIMEDIFF" => self.unit_call(word, "timestampdiff"),
            _ => Ok(None),
        }
    }

    fn struct_call(&mut self) -> Result<Expr> {
        let start = self.at;
        self.at += 2;
        let arguments = if self.at_symbol(")") { Vec::new() } else { self.list(Self::named_expression)? };
        self.expect_symbol(")")?;
        let call = FunctionCall::named(vec!["struct".to_owned()], arguments);
        Ok(Expr::at(ExprNode::Function(call), self.span_from(start)))
    }

    /// Tries a form of a call after its name and parenthesis; goes back where it is another.
    fn form(&mut self, rule: impl FnOnce(&mut Self) -> Result<(&'static str, Vec<Expr>)>) -> Result<Option<Expr>> {
        let start = self.at;
        self.attempt(|p| {
            p.at += 2;
            let (function, arguments) = rule(p)?;
            p.expect_symbol(")")?;
            Ok(p.call_since(start, function, arguments))
        })
    }

    fn extract(&mut self) -> Result<Option<Expr>> {
        self.form(|p| {
            let field = if p.at_string() { p.string()? } else { p.identifier()? };
            p.expect_word("FROM")?;
            Ok(("extract", vec![Expr::literal(Literal::String(field)), p.value_expression()?]))
        })
    }

    fn substring(&mut self) -> Result<Option<Expr>> {
        self.form(|p| {
            let mut arguments = vec![p.value_expression()?];
            p.expect_word("FROM")?;
            arguments.push(p.value_expression()?);
            if p.eat_word("FOR") || p.eat_symbol(",") {
                arguments.push(p.value_expression()?);
            }
            Ok(("substring", arguments))
        })
    }

    fn trim(&mut self) -> Result<Option<Expr>> {
        self.form(|p| {
            let side = p.eat_any(&["BOTH", "LEADING", "TRAILING"]);
            let mut arguments = if p.at_word("FROM") { Vec::new() } else { vec![p.value_expression()?] };
            p.expect_word("FROM")?;
            arguments.push(p.value_expression()?);
            let function = match side {
                Some("LEADING") => "ltrim",
                Some("TRAILING") => "rtrim",
                _ => "trim",
            };
            Ok((function, arguments))
        })
    }

    fn overlay(&mut self) -> Result<Option<Expr>> {
        self.form(|p| {
            let mut arguments = vec![p.value_expression()?];
            p.expect_word("PLACING")?;
            arguments.push(p.value_expression()?);
            p.expect_word("FROM")?;
            arguments.push(p.value_expression()?);
            if p.eat_word("FOR") {
                arguments.push(p.value_expression()?);
            }
            Ok(("overlay", arguments))
        })
    }

    fn position(&mut self) -> Result<Option<Expr>> {
        self.form(|p| {
            let part = p.value_expression()?;
            p.expect_word("IN")?;
            Ok(("locate", vec![part, p.value_expression()?]))
        })
    }

    /// `DATEADD(DAY, 1, d)`; without a unit these are plain functions.
    fn unit_call(&mut self, word: &str, function: &'static str) -> Result<Option<Expr>> {
        let start = self.at;
        if !self.peek_at(3).is_symbol(",") {
            return Ok(None);
        }
        let unit = match &self.peek_at(2).kind {
            TokenKind::Word(unit) => DATETIME_UNITS.iter().find(|known| unit.eq_ignore_ascii_case(known)),
            TokenKind::Text { value, .. } => {
                let value = value.clone();
                let is_call = self.attempt(|p| {
                    p.at += 4;
                    p.value_expression()?;
                    p.expect_symbol(",")?;
                    p.value_expression()?;
                    p.expect_symbol(")")
                })?;
                if is_call.is_none() {
                    return Ok(None);
                }
                return Err(self
                    .error_since(&error_class::INVALID_PARAMETER_VALUE_DATETIME_UNIT, start)
                    .param("parameter", "`unit`")
                    .param("functionName", format!("`{}`", word.to_lowercase()))
                    .param("invalidValue", format!("'{value}'")));
            }
            _ => None,
        };
        let Some(unit) = unit else { return Ok(None) };
        self.form(|p| {
            p.at += 2;
            let amount = p.value_expression()?;
            p.expect_symbol(",")?;
            let moment = p.value_expression()?;
            Ok((function, vec![Expr::literal(Literal::String((*unit).to_owned())), amount, moment]))
        })
    }
}

/// Whether an expression is made of literals and operators.
fn is_constant(expr: &Expr) -> bool {
    match expr.node.as_ref() {
        ExprNode::Literal(_) | ExprNode::Parameter(_) => true,
        ExprNode::Cast { child, .. } => is_constant(child),
        ExprNode::Function(call) => {
            call.is_internal && !call.arguments.is_empty() && call.arguments.iter().all(is_constant)
        }
        _ => false,
    }
}
