//! SELECT: list, WHERE, GROUP BY, HAVING, QUALIFY.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::relation::{AggregateStyle, Grouping, GroupingElement, GroupingSet, SetKind};
use firesteel_spec::{Expr, Relation, RelationNode};

use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    /// SELECT up to the end of HAVING; `from` is a FROM that came first.
    pub(crate) fn select(&mut self, from: Option<Relation>) -> Result<Relation> {
        let start = self.at;
        self.expect_word("SELECT")?;
        self.reject_transform()?;
        let hints = self.hints()?;
        let is_distinct = self.select_quantifier();
        let items = self.named_expressions()?;
        let has_from = from.is_some();
        let input = match from {
            Some(from) => self.lateral_views(start, from)?,
            None if self.at_word("FROM") => self.read_from()?,
            None => self.lateral_views(start, Relation::new(RelationNode::OneRow))?,
        };
        let mut query = self.filtered(start, input)?;
        query = self.projected(start, query, items)?;
        if self.eat_word("HAVING") {
            let condition = self.expression()?;
            query = self.relation_since(start, RelationNode::Having { input: query, condition });
        }
        if self.eat_word("QUALIFY") {
            let condition = self.expression()?;
            query = self.relation_since(start, RelationNode::Qualify { input: query, condition });
        }
        if let Some(windows) = self.window_clause()? {
            query = self.relation_since(start, RelationNode::WithWindows { input: query, windows });
        }
        if is_distinct {
            query = self.distinct(start, query);
        }
        for (name, parameters) in hints.into_iter().rev() {
            query = self.relation_since(start, RelationNode::Hint { input: query, name, parameters });
        }
        if has_from { self.result_clauses(start, query) } else { Ok(query) }
    }

    /// The SELECT list over its input, grouped where GROUP BY follows.
    pub(crate) fn projected(&mut self, start: usize, input: Relation, items: Vec<Expr>) -> Result<Relation> {
        let node = match self.group_by()? {
            Some(grouping) => RelationNode::Aggregate { input, grouping, items, style: AggregateStyle::ItemsOnly },
            None => RelationNode::Project { input, items },
        };
        Ok(self.relation_since(start, node))
    }

    pub(crate) fn distinct(&self, start: usize, input: Relation) -> Relation {
        let node = RelationNode::Deduplicate { input, columns: Vec::new(), within_watermark: false };
        self.relation_since(start, node)
    }

    /// DISTINCT is true; a column may be called so.
    pub(crate) fn select_quantifier(&mut self) -> bool {
        if matches!(self.peek_at(1).kind, TokenKind::Symbol("," | "." | ")" | ";") | TokenKind::End) {
            return false;
        }
        let is_distinct = self.eat_word("DISTINCT");
        if !is_distinct {
            self.eat_word("ALL");
        }
        is_distinct
    }

    /// `SELECT TRANSFORM(..) USING 'script'` runs a script, which is not supported; the function of that name is.
    fn reject_transform(&self) -> Result<()> {
        if !self.at_word("TRANSFORM") || !self.peek_at(1).is_symbol("(") {
            return Ok(());
        }
        let mut depth = 0;
        let mut ahead = 1;
        loop {
            let token = self.peek_at(ahead);
            match token.kind {
                TokenKind::End => return Ok(()),
                TokenKind::Symbol("(") => depth += 1,
                TokenKind::Symbol(")") => depth -= 1,
                _ => {}
            }
            ahead += 1;
            if depth == 0 {
                break;
            }
        }
        let follows = self.peek_at(ahead);
        if !["USING", "ROW", "RECORDWRITER"].iter().any(|word| follows.is_word(word)) {
            return Ok(());
        }
        if ["DISTINCT", "ALL"].iter().any(|word| self.peek_at(2).is_word(word)) {
            return Err(self.error_on_statement(&error_class::UNSUPPORTED_FEATURE_TRANSFORM_DISTINCT_ALL));
        }
        Err(SparkError::unsupported("script transformation (TRANSFORM, MAP, REDUCE)"))
    }

    /// `/*+ BROADCAST(t), COALESCE(3) */`
    pub(crate) fn hints(&mut self) -> Result<Vec<(String, Vec<Expr>)>> {
        let mut hints = Vec::new();
        while self.eat_symbol("/*+") {
            loop {
                let name = self.identifier()?;
                let parameters = if self.at_symbol("(") && !self.peek_at(1).is_symbol(")") {
                    self.in_parentheses(|p| p.list(Self::value_expression))?
                } else {
                    if self.eat_symbol("(") {
                        self.expect_symbol(")")?;
                    }
                    Vec::new()
                };
                hints.push((name, parameters));
                self.eat_symbol(",");
                if self.eat_symbol("*/") {
                    break;
                }
            }
        }
        Ok(hints)
    }

    pub(crate) fn filtered(&mut self, start: usize, input: Relation) -> Result<Relation> {
        if !self.eat_word("WHERE") {
            return Ok(input);
        }
        let condition = self.expression()?;
        Ok(self.relation_since(start, RelationNode::Filter { input, condition }))
    }

    /// `FROM t SELECT ..`: several SELECTs are united.
    pub(crate) fn leading_from(&mut self) -> Result<Relation> {
        let start = self.at;
        let from = self.read_from()?;
        if self.at_word("INSERT") {
            return Err(SparkError::unsupported("FROM .. INSERT with several targets"));
        }
        if !self.at_word("SELECT") {
            return if self.at_any(&["MAP", "REDUCE"]) {
                Err(SparkError::unsupported("script transformation (TRANSFORM, MAP, REDUCE)"))
            } else {
                Ok(from)
            };
        }
        let mut query = self.select(Some(from.clone()))?;
        while self.at_word("SELECT") {
            let right = self.select(Some(from.clone()))?;
            query = self.set_operation(start, query, right, SetKind::Union, true);
        }
        Ok(query)
    }

    fn group_by(&mut self) -> Result<Option<Grouping>> {
        if !self.eat_words(&["GROUP", "BY"]) {
            return Ok(None);
        }
        let follows_all = &self.peek_at(1).kind;
        let is_all = self.at_word("ALL")
            && !matches!(follows_all, TokenKind::Symbol(symbol) if !matches!(*symbol, ")" | ";" | "|>"));
        if is_all {
            self.advance();
            return Ok(Some(Grouping::All));
        }
        let elements = self.list(Self::grouping_element)?;
        let plain = || {
            elements.iter().map(|element| match element {
                GroupingElement::Expression(expr) => Some(vec![expr.clone()]),
                _ => None,
            })
        };
        if self.at_word("WITH") && (self.peek_at(1).is_word("ROLLUP") || self.peek_at(1).is_word("CUBE")) {
            let sets = plain().collect::<Option<Vec<_>>>().ok_or_else(|| self.syntax_error())?;
            let is_cube = self.peek_at(1).is_word("CUBE");
            self.at += 2;
            let element = if is_cube { GroupingElement::Cube(sets) } else { GroupingElement::Rollup(sets) };
            return Ok(Some(Grouping::Elements(vec![element])));
        }
        if self.eat_words(&["GROUPING", "SETS"]) {
            let keys = plain().flatten().flatten().collect();
            let sets = self.in_parentheses(|p| p.list(|p| Ok(GroupingSet::Set(p.grouping_set()?))))?;
            return Ok(Some(Grouping::Elements(vec![GroupingElement::Keys(keys), GroupingElement::Sets(sets)])));
        }
        let expressions: Option<Vec<_>> = plain().map(|set| set.and_then(|mut set| set.pop())).collect();
        Ok(Some(expressions.map_or(Grouping::Elements(elements), Grouping::Expressions)))
    }

    fn grouping_element(&mut self) -> Result<GroupingElement> {
        match self.grouping_analytics()? {
            Some(element) => Ok(element),
            None => self.expression().map(GroupingElement::Expression),
        }
    }

    /// ROLLUP (..), CUBE (..), GROUPING SETS (..)
    fn grouping_analytics(&mut self) -> Result<Option<GroupingElement>> {
        let opens = self.peek_at(1).is_symbol("(");
        if opens && self.at_any(&["ROLLUP", "CUBE"]) {
            let start = if self.tokens[self.at.saturating_sub(1)].is_word("BY") { self.at - 2 } else { self.at };
            let is_cube = self.at_word("CUBE");
            self.advance();
            let sets = self.in_parentheses(|p| p.list(Self::grouping_set))?;
            if sets.iter().any(Vec::is_empty) {
                return Err(self
                    .error_since(&error_class::LEGACY_ERROR_TEMP_0051, start)
                    .param("element", if is_cube { "CUBE" } else { "ROLLUP" }));
            }
            return Ok(Some(if is_cube { GroupingElement::Cube(sets) } else { GroupingElement::Rollup(sets) }));
        }
        if self.at_words(&["GROUPING", "SETS"]) && self.peek_at(2).is_symbol("(") {
            self.at += 2;
            let sets = self.in_parentheses(|p| {
                p.list(|p| match p.grouping_analytics()? {
                    Some(element) => Ok(GroupingSet::Nested(element)),
                    None => Ok(GroupingSet::Set(p.grouping_set()?)),
                })
            })?;
            return Ok(Some(GroupingElement::Sets(sets)));
        }
        Ok(None)
    }

    /// `(a, b)`, `()` or `a`.
    fn grouping_set(&mut self) -> Result<Vec<Expr>> {
        if self.at_symbol("(") {
            let set = self.attempt(|p| {
                let set = p.in_parentheses(|p| if p.at_symbol(")") { Ok(Vec::new()) } else { p.expressions() })?;
                if p.at_symbol(",") || p.at_symbol(")") { Ok(set) } else { Err(p.syntax_error()) }
            })?;
            if let Some(set) = set {
                return Ok(set);
            }
        }
        Ok(vec![self.expression()?])
    }
}
