//! `|>` operators.

use firesteel_model::{Result, error_class};
use firesteel_spec::relation::{AggregateStyle, Grouping, SetKind};
use firesteel_spec::{Expr, ExprNode, Relation, RelationNode};

use crate::parser::Parser;
use crate::token::TokenKind;

const OPERATORS: &[&str] = &[
    "SELECT",
    "EXTEND",
    "SET",
    "DROP",
    "AS",
    "WHERE",
    "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE",
    "AGGREGATE",
    "UNION",
    "EXCEPT",
    "MINUS",
    "INTERSECT",
    "ORDER",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "INNER",
    "CROSS",
    "LEFT",
    "RIGHT",
    "FULL",
    "SEMI",
    "ANTI",
    "NATURAL",
];

impl Parser {
    pub(crate) fn at_pipe(&self) -> bool {
        self.at_symbol("|>") || (self.at_symbol("|") && self.at_pipe_bar())
    }

    /// Whether a single `|` opens an operator rather than joins bits.
    pub(crate) fn at_pipe_bar(&self) -> bool {
        let operator = self.peek_at(1);
        let continues = match &self.peek_at(2).kind {
            TokenKind::Symbol(symbol) => matches!(*symbol, "(" | "*" | "-" | "/*+"),
            TokenKind::End | TokenKind::Unknown => false,
            _ => true,
        };
        continues && OPERATORS.iter().any(|word| operator.is_word(word))
    }

    /// One `|>` and what follows it.
    pub(crate) fn pipe(&mut self, start: usize, input: Relation) -> Result<Relation> {
        self.advance();
        let operator = self.at;
        if self.eat_word("SELECT") {
            return self.pipe_select(start, input);
        }
        if self.eat_word("EXTEND") {
            let mut items = vec![Expr::star()];
            items.extend(self.named_expressions()?);
            return Ok(self.relation_since(start, RelationNode::Project { input, items }));
        }
        if self.eat_word("SET") {
            return self.pipe_set(start, input);
        }
        if self.eat_word("DROP") {
            let except = self.list(Self::qualified_name)?;
            let star = ExprNode::Star { target: Vec::new(), plan_id: None, except, replace: Vec::new() };
            let items = vec![Expr::at(star, self.span_from(operator))];
            return Ok(self.relation_since(start, RelationNode::Project { input, items }));
        }
        if self.eat_word("AS") {
            let name = vec![self.name()?];
            return Ok(self.relation_since(start, RelationNode::Alias { input, name, columns: Vec::new() }));
        }
        if self.at_word("WHERE") {
            let filtered = self.filtered(start, input)?;
            if self.at_word("WINDOW") {
                let class = &error_class::NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE_WINDOW_CLAUSE;
                return Err(self.error_on_statement(class));
            }
            return Ok(filtered);
        }
        if self.at_pivot() {
            return self.pivots(start, input);
        }
        if self.at_word("TABLESAMPLE") {
            return self.sample(start, input);
        }
        if self.eat_word("AGGREGATE") {
            return self.pipe_aggregate(start, input);
        }
        let set = [("UNION", SetKind::Union), ("EXCEPT", SetKind::Except), ("MINUS", SetKind::Except)];
        for (word, kind) in set.into_iter().chain([("INTERSECT", SetKind::Intersect)]) {
            if self.eat_word(word) {
                let is_all = self.set_quantifier();
                let right = self.query_primary()?;
                return Ok(self.set_operation(start, input, right, kind, is_all));
            }
        }
        if let Some((kind, is_natural)) = self.join_kind()? {
            return self.join(start, input, kind, is_natural);
        }
        self.pipe_result_clauses(start, input)
    }

    fn pipe_select(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let hints = self.hints()?;
        let is_distinct = self.select_quantifier();
        let items = self.named_expressions()?;
        let mut query = self.projected(start, input, items)?;
        while let Some(windows) = self.window_clause()? {
            query = self.relation_since(start, RelationNode::WithWindows { input: query, windows });
        }
        if is_distinct {
            query = self.distinct(start, query);
        }
        for (name, parameters) in hints.into_iter().rev() {
            query = self.relation_since(start, RelationNode::Hint { input: query, name, parameters });
        }
        Ok(query)
    }

    fn pipe_set(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let operator = self.at;
        let replace = self.list(|p| {
            let at = p.at;
            let mut name = p.qualified_name()?;
            if name.len() > 1 {
                return Err(p
                    .error_since(&error_class::LEGACY_ERROR_TEMP_0035, at)
                    .param("message", "|> SET of a name with several parts"));
            }
            p.expect_symbol("=")?;
            Ok((name.remove(0), p.expression()?))
        })?;
        let star = ExprNode::Star { target: Vec::new(), plan_id: None, except: Vec::new(), replace };
        let mut query = self.relation_since(
            start,
            RelationNode::Project { input, items: vec![Expr::at(star, self.span_from(operator))] },
        );
        if let Some(windows) = self.window_clause()? {
            query = self.relation_since(start, RelationNode::WithWindows { input: query, windows });
        }
        Ok(query)
    }

    fn pipe_aggregate(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let at = self.at;
        let is_grouping = self.at_words(&["GROUP", "BY"]) && self.peek_at(2).kind != TokenKind::End;
        let has_items = !is_grouping && !self.at_pipe() && !self.ends_statement();
        let items = if has_items { self.named_expressions()? } else { Vec::new() };
        let grouping = if self.eat_words(&["GROUP", "BY"]) { self.pipe_grouping()? } else { Vec::new() };
        if items.is_empty() && grouping.is_empty() {
            return Err(self
                .error_since(&error_class::LEGACY_ERROR_TEMP_0035, at - 1)
                .param("message", "AGGREGATE without aggregates and without grouping"));
        }
        let node = RelationNode::Aggregate {
            input,
            grouping: Grouping::Expressions(grouping),
            items,
            style: AggregateStyle::GroupingFirstByPlace,
        };
        Ok(self.relation_since(start, node))
    }

    fn ends_statement(&self) -> bool {
        self.at_end() || self.at_symbol(")") || self.at_symbol(";")
    }

    fn pipe_grouping(&mut self) -> Result<Vec<Expr>> {
        let refuse = |p: &Self, case: &str| {
            Err(p
                .error_on_statement(&error_class::UNSUPPORTED_FEATURE_PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE)
                .param("case", case))
        };
        let opens = self.peek_at(1).is_symbol("(");
        if self.at_words(&["GROUPING", "SETS"]) {
            return refuse(self, "GROUPING SETS");
        }
        for word in ["ROLLUP", "CUBE"] {
            if self.at_word(word) && opens {
                return refuse(self, &format!("GROUP BY {word}"));
            }
        }
        if self.at_word("ALL") {
            return refuse(self, "GROUP BY ALL");
        }
        let grouping = self.named_expressions()?;
        if self.at_words(&["GROUPING", "SETS"]) {
            return refuse(self, "GROUPING SETS");
        }
        for word in ["ROLLUP", "CUBE"] {
            if self.at_words(&["WITH", word]) {
                return refuse(self, &format!("GROUP BY ... WITH {word}"));
            }
        }
        Ok(grouping)
    }

    fn pipe_result_clauses(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let at = self.at;
        let has_order = self.at_any(&["ORDER", "SORT", "CLUSTER", "DISTRIBUTE"]);
        let query = self.result_clauses(start, input)?;
        if self.at == at {
            return Err(self.syntax_error());
        }
        let is_limited = matches!(*query.node, RelationNode::Limit { .. } | RelationNode::Offset { .. });
        if has_order && is_limited {
            return Err(self
                .error_since(&error_class::MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS, at)
                .param("clause1", "ORDER BY")
                .param("clause2", "LIMIT"));
        }
        Ok(query)
    }
}
