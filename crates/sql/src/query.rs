//! Queries: WITH, set operations, ORDER BY to OFFSET.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::expr::{SortKey, WindowSpec};
use firesteel_spec::relation::{Cte, OrderByAll, RepartitionKind, SetKind};
use firesteel_spec::types::quote;
use firesteel_spec::{Expr, Relation, RelationNode};

use crate::parser::Parser;
use crate::token::TokenKind;

/// WITH and what it names.
pub(crate) struct Ctes {
    pub(crate) ctes: Vec<Cte>,
    pub(crate) is_recursive: bool,
}

impl Parser {
    /// A query with everything around it.
    pub(crate) fn query(&mut self) -> Result<Relation> {
        self.nested(|p| {
            let start = p.at;
            let ctes = p.ctes()?;
            let body = p.query_body()?;
            Ok(p.with_ctes(start, ctes, body))
        })
    }

    pub(crate) fn with_ctes(&self, start: usize, ctes: Option<Ctes>, input: Relation) -> Relation {
        match ctes {
            Some(Ctes { ctes, is_recursive }) => {
                self.relation_since(start, RelationNode::With { input, ctes, is_recursive })
            }
            None => input,
        }
    }

    /// A query without WITH.
    pub(crate) fn query_body(&mut self) -> Result<Relation> {
        let start = self.at;
        let term = self.set_operations(start)?;
        let mut query = self.result_clauses(start, term)?;
        if !self.at_pipe() {
            return Ok(query);
        }
        while self.at_pipe() {
            query = self.pipe(start, query)?;
        }
        self.result_clauses(start, query)
    }

    pub(crate) fn relation_since(&self, start: usize, node: RelationNode) -> Relation {
        Relation::at(node, self.span_from(start))
    }

    /// WITH [RECURSIVE] a AS (..), ..
    pub(crate) fn ctes(&mut self) -> Result<Option<Ctes>> {
        let start = self.at;
        if !self.eat_word("WITH") {
            return Ok(None);
        }
        let is_recursive =
            self.at_word("RECURSIVE") && !self.peek_at(1).is_word("AS") && !self.peek_at(1).is_symbol("(");
        if is_recursive {
            self.advance();
        }
        let ctes = self.list(Self::cte)?;
        if !is_recursive && ctes.iter().any(|cte| cte.max_recursion.is_some()) {
            return Err(self
                .error_since(&error_class::LEGACY_ERROR_TEMP_0035, start)
                .param("message", "MAX RECURSION LEVEL without RECURSIVE"));
        }
        let mut seen: Vec<String> = Vec::new();
        let mut twice: Vec<String> = Vec::new();
        for cte in &ctes {
            let name = cte.name.to_lowercase();
            if seen.contains(&name) && !twice.contains(&quote(&cte.name)) {
                twice.push(quote(&cte.name));
            }
            seen.push(name);
        }
        if !twice.is_empty() {
            return Err(self
                .error_on_statement(&error_class::DUPLICATED_CTE_NAMES)
                .param("duplicateNames", twice.join(", ")));
        }
        Ok(Some(Ctes { ctes, is_recursive }))
    }

    fn cte(&mut self) -> Result<Cte> {
        let name = self.name()?;
        let is_list = self.at_symbol("(") && !self.is_query_at(1);
        let columns = if is_list { self.optional_names()? } else { Vec::new() };
        let max_recursion = if self.eat_words(&["MAX", "RECURSION", "LEVEL"]) { Some(self.integer()?) } else { None };
        self.eat_word("AS");
        let query = self.in_parentheses(Self::query)?;
        Ok(Cte { name, columns, query, max_recursion })
    }

    fn set_operations(&mut self, start: usize) -> Result<Relation> {
        let mut left = self.intersections(start)?;
        loop {
            let kind = match () {
                () if self.eat_word("UNION") => SetKind::Union,
                () if self.eat_word("EXCEPT") || self.eat_word("MINUS") => SetKind::Except,
                () => return Ok(left),
            };
            let is_all = self.set_quantifier();
            let right = self.intersections(self.at)?;
            left = self.set_operation(start, left, right, kind, is_all);
        }
    }

    fn intersections(&mut self, start: usize) -> Result<Relation> {
        let mut left = self.query_primary()?;
        while self.eat_word("INTERSECT") {
            let is_all = self.set_quantifier();
            let right = self.query_primary()?;
            left = self.set_operation(start, left, right, SetKind::Intersect, is_all);
        }
        Ok(left)
    }

    pub(crate) fn set_quantifier(&mut self) -> bool {
        let is_all = self.eat_word("ALL");
        if !is_all {
            self.eat_word("DISTINCT");
        }
        is_all
    }

    pub(crate) fn set_operation(
        &self,
        start: usize,
        left: Relation,
        right: Relation,
        kind: SetKind,
        is_all: bool,
    ) -> Relation {
        let node = RelationNode::SetOperation { left, right, kind, is_all, by_name: false, allow_missing: false };
        self.relation_since(start, node)
    }

    /// What set operations combine.
    pub(crate) fn query_primary(&mut self) -> Result<Relation> {
        let start = self.at;
        if self.at_word("SELECT") {
            return self.select(None);
        }
        if self.at_word("FROM") {
            return self.leading_from();
        }
        if self.at_word("TABLE") && !self.peek_at(1).is_symbol("(") {
            self.advance();
            return self.table_reference(start);
        }
        if self.at_word("VALUES") {
            return self.inline_table();
        }
        if self.at_any(&["MAP", "REDUCE"]) {
            return Err(SparkError::unsupported("script transformation (TRANSFORM, MAP, REDUCE)"));
        }
        if self.eat_symbol("(") {
            let query = self.nested(Self::query)?;
            self.expect_symbol(")")?;
            return Ok(query);
        }
        Err(self.syntax_error())
    }

    /// After an opening parenthesis: the query in it and its end, or nothing where no query stands there.
    pub(crate) fn query_in_parentheses(&mut self) -> Result<Option<Relation>> {
        let start = self.at;
        if !self.is_query_at(0) || self.no_query.contains(&start) {
            return Ok(None);
        }
        let query = self.attempt(|p| {
            let query = p.query()?;
            p.expect_symbol(")")?;
            Ok(query)
        })?;
        if query.is_none() {
            self.no_query.insert(start);
        }
        Ok(query)
    }

    /// Whether a query may start there, parentheses aside.
    pub(crate) fn is_query_at(&self, mut ahead: usize) -> bool {
        while self.peek_at(ahead).is_symbol("(") {
            ahead += 1;
        }
        let (token, next) = (self.peek_at(ahead), self.peek_at(ahead + 1));
        let continues =
            matches!(
                next.kind,
                TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Number(_) | TokenKind::Text { .. }
            ) || matches!(next.kind, TokenKind::Symbol("(" | "?" | ":" | "-" | "*" | "+" | "/*+" | "~" | "!"));
        let runs_script = (token.is_word("MAP") || token.is_word("REDUCE")) && matches!(next.kind, TokenKind::Word(_));
        if runs_script {
            return true;
        }
        let opens = ["SELECT", "WITH", "VALUES", "FROM", "TABLE"];
        continues && opens.iter().any(|word| token.is_word(word)) && !next.is_word("AS")
    }

    /// ORDER BY, SORT BY, CLUSTER BY, DISTRIBUTE BY, WINDOW, LIMIT, OFFSET.
    pub(crate) fn result_clauses(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let mut query = self.ordering(start, input)?;
        if let Some(windows) = self.window_clause()? {
            query = self.relation_since(start, RelationNode::WithWindows { input: query, windows });
        }
        let limit = if self.eat_word("LIMIT") {
            let is_all = self.at_word("ALL") && !self.peek_at(1).is_symbol(".");
            if is_all {
                self.advance();
                None
            } else {
                Some(self.expression()?)
            }
        } else {
            None
        };
        if self.eat_word("OFFSET") {
            let count = self.expression()?;
            query = self.relation_since(start, RelationNode::Offset { input: query, count });
        }
        Ok(match limit {
            Some(count) => self.relation_since(start, RelationNode::Limit { input: query, count }),
            None => query,
        })
    }

    fn ordering(&mut self, start: usize, input: Relation) -> Result<Relation> {
        let clauses_start = self.at;
        let order = if self.eat_words(&["ORDER", "BY"]) { Some(self.ordering_keys()?) } else { None };
        let cluster = if self.eat_words(&["CLUSTER", "BY"]) { self.expressions()? } else { Vec::new() };
        let distribute = if self.eat_words(&["DISTRIBUTE", "BY"]) { self.expressions()? } else { Vec::new() };
        let sort = if self.eat_words(&["SORT", "BY"]) { Some(self.ordering_keys()?) } else { None };
        let sort_by = |p: &Self, input, keys: Vec<SortKey>, all, is_global| {
            p.relation_since(start, RelationNode::Sort { input, keys, is_global, all })
        };
        let repartition = |p: &Self, input, by: Vec<Expr>| {
            p.relation_since(
                start,
                RelationNode::Repartition { input, count: None, by, kind: RepartitionKind::Shuffle },
            )
        };
        Ok(match (order, sort, cluster.is_empty(), distribute.is_empty()) {
            (None, None, true, true) => input,
            (Some((keys, all)), None, true, true) => sort_by(self, input, keys, all, true),
            (None, Some((keys, all)), true, true) => sort_by(self, input, keys, all, false),
            (None, Some((keys, all)), true, false) => {
                let input = repartition(self, input, distribute);
                sort_by(self, input, keys, all, false)
            }
            (None, None, true, false) => repartition(self, input, distribute),
            (None, None, false, true) => {
                let keys = cluster.iter().map(|key| SortKey::new(key.clone(), true)).collect();
                let input = repartition(self, input, cluster);
                sort_by(self, input, keys, None, false)
            }
            _ => {
                let class = &error_class::UNSUPPORTED_FEATURE_COMBINATION_QUERY_RESULT_CLAUSES;
                return Err(self.error_since(class, clauses_start));
            }
        })
    }

    /// Sort keys, or ALL.
    fn ordering_keys(&mut self) -> Result<(Vec<SortKey>, Option<OrderByAll>)> {
        let follows = self.peek_at(1);
        let ends = match &follows.kind {
            TokenKind::End | TokenKind::Symbol(")" | ";" | "|>") => true,
            TokenKind::Word(_) => {
                let words = ["ASC", "DESC", "NULLS", "LIMIT", "OFFSET", "WINDOW", "END"];
                words.iter().any(|word| follows.is_word(word))
            }
            _ => false,
        };
        if !self.at_word("ALL") || !ends {
            return Ok((self.sort_keys()?, None));
        }
        self.advance();
        let (ascending, nulls_first) = self.sort_order()?;
        Ok((Vec::new(), Some(OrderByAll { ascending, nulls_first })))
    }

    /// WINDOW w AS (..), ..
    pub(crate) fn window_clause(&mut self) -> Result<Option<Vec<(String, WindowSpec)>>> {
        let start = self.at;
        let is_clause = self.at_word("WINDOW")
            && matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_))
            && (self.peek_at(2).is_word("AS") || self.peek_at(1).is_word("IDENTIFIER"));
        if !is_clause {
            return Ok(None);
        }
        self.advance();
        let mut windows: Vec<(String, WindowSpec)> = Vec::new();
        for (name, window) in self.list(Self::named_window)? {
            if windows.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                return Err(self
                    .error_since(&error_class::INVALID_SQL_SYNTAX_REPETITIVE_WINDOW_DEFINITION, start)
                    .param("windowName", quote(&name)));
            }
            windows.push((name, window));
        }
        Ok(Some(windows))
    }

    fn named_window(&mut self) -> Result<(String, WindowSpec)> {
        let name = self.name()?;
        self.expect_word("AS")?;
        let (base, mut window) = self.window()?;
        if base.is_some() {
            window.base = base;
        }
        Ok((name, window))
    }
}
