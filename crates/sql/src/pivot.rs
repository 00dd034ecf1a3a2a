//! LATERAL VIEW, PIVOT, UNPIVOT, TABLESAMPLE.

use firesteel_model::{Result, error_class};
use firesteel_spec::expr::FunctionCall;
use firesteel_spec::relation::{AggregateStyle, Unpivot};
use firesteel_spec::{Expr, ExprNode, Relation, RelationNode};

use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    pub(crate) fn lateral_views(&mut self, start: usize, mut input: Relation) -> Result<Relation> {
        while self.eat_words(&["LATERAL", "VIEW"]) {
            let is_outer = self.at_word("OUTER") && !self.peek_at(1).is_symbol("(");
            if is_outer {
                self.advance();
            }
            let name = self.qualified_name()?;
            self.expect_symbol("(")?;
            let arguments = if self.at_symbol(")") { Vec::new() } else { self.expressions()? };
            self.expect_symbol(")")?;
            let table = if self.at_word("AS") { Vec::new() } else { vec![self.identifier()?] };
            let names_follow = self.eat_word("AS") || self.at_implicit_alias();
            let columns = if names_follow { self.list(Self::identifier)? } else { Vec::new() };
            let generator = FunctionCall::named(name, arguments);
            input =
                self.relation_since(start, RelationNode::LateralView { input, generator, is_outer, table, columns });
        }
        Ok(input)
    }

    pub(crate) fn at_pivot(&self) -> bool {
        let follows = self.peek_at(1);
        (self.at_word("PIVOT") && follows.is_symbol("("))
            || (self.at_word("UNPIVOT")
                && (follows.is_symbol("(") || follows.is_word("INCLUDE") || follows.is_word("EXCLUDE")))
    }

    /// PIVOT or UNPIVOT, once.
    pub(crate) fn pivots(&mut self, start: usize, mut input: Relation) -> Result<Relation> {
        let mut seen: Option<bool> = None;
        while self.at_pivot() {
            let is_pivot = self.at_word("PIVOT");
            if seen.is_some_and(|other| other != is_pivot) {
                return Err(self.error_on_statement(&error_class::NOT_ALLOWED_IN_FROM_UNPIVOT_WITH_PIVOT));
            }
            seen = Some(is_pivot);
            self.advance();
            input = if is_pivot { self.pivot(start, input)? } else { self.unpivot(start, input)? };
        }
        Ok(input)
    }

    fn pivot(&mut self, start: usize, input: Relation) -> Result<Relation> {
        self.expect_symbol("(")?;
        let aggregates = self.named_expressions()?;
        self.expect_word("FOR")?;
        let column = self.pivot_column()?;
        self.expect_word("IN")?;
        let values = self.in_parentheses(Self::named_expressions)?;
        self.expect_symbol(")")?;
        let style = AggregateStyle::ItemsOnly;
        let node = RelationNode::Pivot { input, grouping: Vec::new(), column, values, aggregates, style };
        let pivoted = self.relation_since(start, node);
        self.pivot_alias(start, pivoted)
    }

    fn pivot_column(&mut self) -> Result<Expr> {
        let start = self.at;
        if !self.at_symbol("(") {
            let name = self.qualified_name()?;
            return Ok(self.attribute(start, name));
        }
        let columns = self.in_parentheses(|p| {
            p.list(|p| {
                let start = p.at;
                let name = p.qualified_name()?;
                Ok(p.attribute(start, name))
            })
        })?;
        Ok(self.call_since(start, "struct", columns))
    }

    pub(crate) fn attribute(&self, start: usize, parts: Vec<String>) -> Expr {
        let node = ExprNode::Attribute { parts, plan_id: None, is_metadata: false };
        Expr::at(node, self.span_from(start))
    }

    fn unpivot(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let include_nulls = self.eat_words(&["INCLUDE", "NULLS"]);
        if !include_nulls {
            self.eat_words(&["EXCLUDE", "NULLS"]);
        }
        self.expect_symbol("(")?;
        let is_multi = self.at_symbol("(");
        let value_names =
            if is_multi { self.in_parentheses(|p| p.list(Self::identifier))? } else { vec![self.identifier()?] };
        self.expect_word("FOR")?;
        let variable_name = self.identifier()?;
        self.expect_word("IN")?;
        let values = self.in_parentheses(|p| p.list(|p| p.unpivot_columns(is_multi)))?;
        self.expect_symbol(")")?;
        let values = Some(values);
        let unpivot = Unpivot { input, ids: None, values, variable_name, value_names, include_nulls };
        let unpivoted = self.relation_since(start, RelationNode::Unpivot(Box::new(unpivot)));
        self.pivot_alias(start, unpivoted)
    }

    /// An alias without columns.
    fn pivot_alias(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let has_as = self.eat_word("AS");
        if !has_as && !self.at_table_alias() {
            return Ok(input);
        }
        let name = vec![self.name()?];
        Ok(self.relation_since(start, RelationNode::Alias { input, name, columns: Vec::new() }))
    }

    fn unpivot_columns(&mut self, is_multi: bool) -> Result<(Vec<Expr>, Option<String>)> {
        let column = |p: &mut Self| {
            let start = p.at;
            let name = p.qualified_name()?;
            Ok(p.attribute(start, name))
        };
        let columns = if is_multi { self.in_parentheses(|p| p.list(column))? } else { vec![column(self)?] };
        let has_alias = self.eat_word("AS") || self.at_implicit_alias();
        let alias = if has_alias { Some(self.name()?) } else { None };
        Ok((columns, alias))
    }

    /// TABLESAMPLE (..) REPEATABLE (..)
    pub(crate) fn sample(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let at = self.at;
        if !self.at_word("TABLESAMPLE") || !self.peek_at(1).is_symbol("(") {
            return Ok(input);
        }
        self.at += 2;
        if self.eat_symbol(")") {
            return Err(self.error_since(&error_class::LEGACY_ERROR_TEMP_0014, at));
        }
        let fraction = if self.at_word("BUCKET") && matches!(self.peek_at(1).kind, TokenKind::Number(_)) {
            self.bucket_fraction()?
        } else {
            let amount = self.expression()?;
            if self.eat_word("ROWS") {
                self.expect_symbol(")")?;
                self.seed()?;
                return Ok(self.relation_since(start, RelationNode::SampleRows { input, count: amount }));
            }
            if !self.eat_word("PERCENT") {
                return Err(self.byte_sample(&amount, at));
            }
            Self::literal_number(&amount).ok_or_else(|| self.syntax_error())? / 100.0
        };
        self.expect_symbol(")")?;
        let seed = self.seed()?;
        if !(-1e-6..=1.0 + 1e-6).contains(&fraction) {
            return Err(self
                .error_since(&error_class::LEGACY_ERROR_TEMP_0064, at)
                .param("msg", format!("the sampling fraction {fraction:?} lies outside 0 to 1")));
        }
        let (lower, upper, with_replacement) = (0.0, fraction, false);
        Ok(self.relation_since(start, RelationNode::Sample { input, lower, upper, with_replacement, seed }))
    }

    fn bucket_fraction(&mut self) -> Result<f64> {
        self.advance();
        let bucket: f64 = self.integer()?;
        self.expect_words(&["OUT", "OF"])?;
        let buckets: f64 = self.integer()?;
        if self.eat_word("ON") {
            return Err(firesteel_model::SparkError::unsupported("TABLESAMPLE (BUCKET x OUT OF y ON column)"));
        }
        Ok(bucket / buckets)
    }

    fn byte_sample(&self, amount: &Expr, at: usize) -> firesteel_model::SparkError {
        match amount.node.as_ref() {
            ExprNode::Attribute { .. } => {
                self.error_since(&error_class::LEGACY_ERROR_TEMP_0015, at).param("msg", "byteLengthLiteral")
            }
            _ => {
                let text = amount.span.map(|span| self.text(span.start, span.stop)).unwrap_or_default();
                self.error_since(&error_class::LEGACY_ERROR_TEMP_0016, at).param("bytesStr", text)
            }
        }
    }

    fn seed(&mut self) -> Result<Option<i64>> {
        if !self.eat_word("REPEATABLE") {
            return Ok(None);
        }
        self.in_parentheses(Self::integer).map(Some)
    }
}
