//! FROM: tables, subqueries, table functions, joins.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::FunctionCall;
use firesteel_spec::relation::{Join, JoinCondition, JoinKind, TimeTravel};
use firesteel_spec::{Expr, ExprNode, Literal, Relation, RelationNode};

use crate::identifier::{constant_text, parse_parts};
use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    /// FROM with all its relations, lateral views and pivots.
    pub(crate) fn read_from(&mut self) -> Result<Relation> {
        self.expect_word("FROM")?;
        let start = self.at;
        let mut left = self.relation(None)?;
        while self.eat_symbol(",") {
            left = self.relation(Some((start, left)))?;
        }
        left = self.lateral_views(start, left)?;
        self.pivots(start, left)
    }

    /// A relation and what it is joined with; after a comma it joins the relations before it.
    fn relation(&mut self, before: Option<(usize, Relation)>) -> Result<Relation> {
        let start = self.at;
        let is_lateral = self.at_word("LATERAL") && !self.peek_at(1).is_word("VIEW");
        if is_lateral {
            self.advance();
        }
        let mut relation = self.relation_primary()?;
        if before.is_none() || !is_lateral {
            relation = self.joins(start, relation)?;
        }
        let Some((first, left)) = before else { return Ok(relation) };
        let (kind, condition) = (JoinKind::Inner, JoinCondition::None);
        let join = Join { left, right: relation, kind, condition, is_lateral };
        let joined = self.relation_since(first, RelationNode::Join(Box::new(join)));
        if is_lateral { self.joins(first, joined) } else { Ok(joined) }
    }

    /// JOIN, PIVOT and UNPIVOT behind a relation.
    fn joins(&mut self, start: usize, mut left: Relation) -> Result<Relation> {
        loop {
            if self.at_pivot() {
                left = self.pivots(start, left)?;
            } else if let Some((kind, is_natural)) = self.join_kind()? {
                left = self.join(start, left, kind, is_natural)?;
            } else {
                return Ok(left);
            }
        }
    }

    /// Takes everything up to JOIN.
    pub(crate) fn join_kind(&mut self) -> Result<Option<(JoinKind, bool)>> {
        let start = self.at;
        let is_natural = self.eat_word("NATURAL");
        let kind = match () {
            () if self.eat_word("INNER") => JoinKind::Inner,
            () if self.eat_word("CROSS") => JoinKind::Cross,
            () if self.eat_words(&["LEFT", "SEMI"]) || self.eat_word("SEMI") => JoinKind::LeftSemi,
            () if self.eat_words(&["LEFT", "ANTI"]) || self.eat_word("ANTI") => JoinKind::LeftAnti,
            () if self.eat_word("LEFT") => JoinKind::Left,
            () if self.eat_word("RIGHT") => JoinKind::Right,
            () if self.eat_word("FULL") => JoinKind::Full,
            () => JoinKind::Inner,
        };
        if matches!(kind, JoinKind::Left | JoinKind::Right | JoinKind::Full) {
            self.eat_word("OUTER");
        }
        if self.eat_word("JOIN") {
            return Ok(Some((kind, is_natural)));
        }
        if self.at == start { Ok(None) } else { Err(self.syntax_error()) }
    }

    /// The right side of a join and its condition.
    pub(crate) fn join(&mut self, start: usize, left: Relation, kind: JoinKind, is_natural: bool) -> Result<Relation> {
        let right_start = self.at;
        let is_lateral = self.eat_word("LATERAL");
        let right = self.relation_primary()?;
        if self.at_any(&["APPROX", "EXACT"]) && self.peek_at(1).is_word("NEAREST") {
            return Err(SparkError::unsupported("NEAREST BY joins"));
        }
        let condition = if is_natural {
            if is_lateral {
                return Err(self
                    .error_since(&error_class::INCOMPATIBLE_JOIN_TYPES, right_start)
                    .param("joinType1", "LATERAL")
                    .param("joinType2", "NATURAL"));
            }
            JoinCondition::Natural
        } else if self.eat_word("ON") {
            JoinCondition::On(self.expression()?)
        } else if self.eat_word("USING") {
            if is_lateral {
                return Err(self.error_since(&error_class::UNSUPPORTED_FEATURE_LATERAL_JOIN_USING, right_start));
            }
            JoinCondition::Using(self.in_parentheses(|p| p.list(Self::name))?)
        } else {
            JoinCondition::None
        };
        let join = Join { left, right, kind, condition, is_lateral };
        Ok(self.relation_since(start, RelationNode::Join(Box::new(join))))
    }

    fn relation_primary(&mut self) -> Result<Relation> {
        let start = self.at;
        if self.at_symbol("(") {
            return self.parenthesised_relation();
        }
        if self.at_word("VALUES") && !self.peek_at(1).is_word("AS") && !self.peek_at(1).is_symbol(".") {
            return self.inline_table();
        }
        if self.at_word("STREAM") && self.peek_at(1).is_symbol("(") {
            return Err(SparkError::unsupported("STREAM in SQL text"));
        }
        if let Some(call) = self.table_function()? {
            let function = self.relation_since(start, RelationNode::TableFunction(call));
            return self.aliased(start, function);
        }
        let table = self.table_reference(start)?;
        let table = self.sample(start, table)?;
        self.aliased(start, table)
    }

    /// `(SELECT ..)` or `(a JOIN b)`.
    fn parenthesised_relation(&mut self) -> Result<Relation> {
        let start = self.at;
        self.advance();
        let inner = match self.query_in_parentheses()? {
            Some(query) => query,
            None => self.nested(|p| {
                let relation = p.relation(None)?;
                p.expect_symbol(")")?;
                Ok(relation)
            })?,
        };
        let inner = self.sample(start, inner)?;
        self.aliased(start, inner)
    }

    /// `[AS] t (a, b)`
    fn aliased(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let has_as = self.eat_word("AS");
        if !has_as && !self.at_table_alias() {
            return Ok(input);
        }
        if has_as && self.at_strict_word() {
            return Err(self.syntax_error());
        }
        if has_as && self.at_symbol("(") {
            let names = self.optional_names()?;
            return Ok(self.relation_since(start, RelationNode::ToDf { input, names }));
        }
        let name = self.name()?;
        let columns = self.optional_names()?;
        Ok(self.relation_since(start, RelationNode::Alias { input, name: vec![name], columns }))
    }

    /// A table by name, with options and a moment.
    pub(crate) fn table_reference(&mut self, start: usize) -> Result<Relation> {
        let name = match self.table_name()? {
            Ok(name) => name,
            Err(name) => {
                return Ok(self.relation_since(start, RelationNode::IdentifierTable { name }));
            }
        };
        let span_end = self.span_from(start);
        let options = if self.at_word("WITH") && self.peek_at(1).is_symbol("(") {
            self.advance();
            self.property_list()?
        } else {
            Vec::new()
        };
        let time_travel = self.time_travel()?;
        let node = RelationNode::Table { name, options, is_streaming: false, time_travel };
        Ok(Relation::at(node, span_end))
    }

    /// A qualified name, or the expression of an IDENTIFIER that is not constant.
    fn table_name(&mut self) -> Result<Result<Vec<String>, Expr>> {
        if !self.at_identifier_clause() {
            return Ok(Ok(self.qualified_name()?));
        }
        let name = self.identifier_argument()?;
        let Some(text) = constant_text(&name) else { return Ok(Err(name)) };
        let mut parts = parse_parts(&text)?;
        while self.eat_symbol(".") {
            parts.push(self.name()?);
        }
        Ok(Ok(parts))
    }

    fn time_travel(&mut self) -> Result<Option<TimeTravel>> {
        let at = usize::from(self.at_word("FOR"));
        let is_moment = |word: &str| {
            self.peek_at(at).is_word(word) && self.peek_at(at + 1).is_word("AS") && self.peek_at(at + 2).is_word("OF")
        };
        let is_version = is_moment("VERSION") || is_moment("SYSTEM_VERSION");
        if !is_version && !is_moment("TIMESTAMP") && !is_moment("SYSTEM_TIME") {
            return Ok(None);
        }
        self.at += at + 3;
        if !is_version {
            return Ok(Some(TimeTravel::Timestamp(self.value_expression()?)));
        }
        let version = if self.at_string() { self.string()? } else { self.integer::<i64>()?.to_string() };
        Ok(Some(TimeTravel::Version(version)))
    }

    /// `f(..)` in FROM.
    fn table_function(&mut self) -> Result<Option<FunctionCall>> {
        let mut ahead = 0;
        while matches!(self.peek_at(ahead).kind, TokenKind::Word(_) | TokenKind::Quoted(_))
            && self.peek_at(ahead + 1).is_symbol(".")
        {
            ahead += 2;
        }
        let is_name = matches!(self.peek_at(ahead).kind, TokenKind::Word(_) | TokenKind::Quoted(_));
        if !is_name || !self.peek_at(ahead + 1).is_symbol("(") {
            return Ok(None);
        }
        if self.at_identifier_clause() {
            return self.identifier_table_function();
        }
        let start = self.at;
        let name = self.qualified_name()?;
        if !self.at_symbol("(") {
            // `s.IDENTIFIER('t')` is a table.
            self.at = start;
            return Ok(None);
        }
        self.advance();
        let arguments = if self.at_symbol(")") { Vec::new() } else { self.list(Self::argument)? };
        self.expect_symbol(")")?;
        Ok(Some(FunctionCall::named(name, arguments)))
    }

    /// `IDENTIFIER('f')(..)`
    fn identifier_table_function(&mut self) -> Result<Option<FunctionCall>> {
        let start = self.at;
        let name = self.identifier_argument()?;
        let (Some(text), true) = (constant_text(&name), self.at_symbol("(")) else {
            self.at = start;
            return Ok(None);
        };
        self.advance();
        let arguments = if self.at_symbol(")") { Vec::new() } else { self.list(Self::argument)? };
        self.expect_symbol(")")?;
        Ok(Some(FunctionCall::named(parse_parts(&text)?, arguments)))
    }

    /// `TABLE(t) PARTITION BY .. ORDER BY ..` as an argument.
    pub(crate) fn table_argument(&mut self) -> Result<Option<Expr>> {
        let start = self.at;
        let names_table = matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_));
        if !self.at_word("TABLE") || !(names_table || self.peek_at(1).is_symbol("(")) {
            return Ok(None);
        }
        self.advance();
        let query = if self.eat_symbol("(") {
            match self.query_in_parentheses()? {
                Some(query) => query,
                None => {
                    let table = self.table_reference(self.at)?;
                    self.expect_symbol(")")?;
                    table
                }
            }
        } else {
            self.table_reference(self.at)?
        };
        let single_partition = self.eat_words(&["WITH", "SINGLE", "PARTITION"]);
        let mut partition_by = Vec::new();
        if self.eat_words(&["PARTITION", "BY"]) || self.eat_words(&["DISTRIBUTE", "BY"]) {
            partition_by = self.one_or_list(Self::expression)?;
        }
        let mut order_by = Vec::new();
        if self.eat_words(&["ORDER", "BY"]) || self.eat_words(&["SORT", "BY"]) {
            order_by = if self.at_symbol("(") { self.in_parentheses(Self::sort_keys)? } else { self.sort_keys()? };
        }
        let node = ExprNode::TableArgument { query: Box::new(query), partition_by, order_by, single_partition };
        Ok(Some(Expr::at(node, self.span_from(start))))
    }

    fn one_or_list(&mut self, rule: fn(&mut Self) -> Result<Expr>) -> Result<Vec<Expr>> {
        if self.at_symbol("(") { self.in_parentheses(|p| p.list(rule)) } else { Ok(vec![rule(self)?]) }
    }

    /// `VALUES (1, 2), (3, 4) AS t(a, b)`
    pub(crate) fn inline_table(&mut self) -> Result<Relation> {
        let start = self.at;
        self.expect_word("VALUES")?;
        let rows: Vec<Vec<Expr>> = self.expressions()?.into_iter().map(row).collect();
        let widths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let values = self.relation_since(start, RelationNode::Values(rows));
        let aliased = self.aliased(start, values)?;
        let expected = match aliased.node.as_ref() {
            RelationNode::Alias { columns, .. } if !columns.is_empty() && widths.iter().all(|w| *w == widths[0]) => {
                columns.len()
            }
            _ => widths[0],
        };
        match widths.iter().position(|width| *width != expected) {
            None => Ok(aliased),
            Some(place) => Err(self
                .error_since(&error_class::INVALID_INLINE_TABLE_NUM_COLUMNS_MISMATCH, start)
                .param("expectedNumCols", expected.to_string())
                .param("actualNumCols", widths[place].to_string())
                .param("rowIndex", place.to_string())),
        }
    }

    /// An integer literal's value, as hints and samples want it.
    pub(crate) fn literal_number(expr: &Expr) -> Option<f64> {
        match expr.node.as_ref() {
            ExprNode::Literal(Literal::Integer(n)) => Some(f64::from(*n)),
            ExprNode::Literal(Literal::Long(n)) => Some(*n as f64),
            ExprNode::Literal(Literal::Double(n)) => Some(*n),
            ExprNode::Literal(Literal::Decimal(n, _, scale)) => Some(*n as f64 / 10f64.powi(i32::from(*scale))),
            _ => None,
        }
    }
}

/// The columns of a row of VALUES.
fn row(value: Expr) -> Vec<Expr> {
    match *value.node {
        ExprNode::Function(call) if call.name == ["struct"] => call.arguments,
        node => vec![Expr { span: value.span, ..Expr::new(node) }],
    }
}
