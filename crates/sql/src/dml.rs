//! INSERT, DELETE, UPDATE, MERGE.

use firesteel_model::{Result, SparkError};
use firesteel_spec::command::{Insert, Merge, MergeAction, MergeClause};
use firesteel_spec::{Command, Expr, Plan, Relation, RelationNode};

use crate::parser::Parser;
use crate::query::Ctes;

/// A name and what it becomes.
type Assignments = Vec<(Vec<String>, Expr)>;

impl Parser {
    /// A change of data, behind WITH perhaps.
    pub(crate) fn change(&mut self, start: usize, ctes: Option<Ctes>) -> Result<Plan> {
        let outer = std::mem::replace(&mut self.allows_default, true);
        let command = match self.eat_any(&["INSERT", "DELETE", "UPDATE", "MERGE"]) {
            Some("INSERT") => self.insert(start, ctes),
            Some(name) if ctes.is_some() => Err(SparkError::unsupported(format!("WITH before {name}"))),
            Some("DELETE") => self.delete(),
            Some("UPDATE") => self.update(),
            Some("MERGE") => self.merge(),
            _ => Err(self.syntax_error()),
        };
        self.allows_default = outer;
        command.map(Plan::Command)
    }

    fn insert(&mut self, start: usize, ctes: Option<Ctes>) -> Result<Command> {
        if self.eat_words(&["WITH", "SCHEMA", "EVOLUTION"]) {
            return Err(SparkError::unsupported("INSERT WITH SCHEMA EVOLUTION"));
        }
        let overwrite = self.eat_word("OVERWRITE");
        if !overwrite {
            self.expect_word("INTO")?;
        }
        let mut insert = Insert {
            table: Vec::new(),
            directory: None,
            columns: Vec::new(),
            partition: Vec::new(),
            query: Relation::new(RelationNode::OneRow),
            overwrite,
            replace_where: None,
            if_partition_not_exists: false,
            by_name: false,
            options: Vec::new(),
        };
        let is_directory = overwrite && (self.at_word("DIRECTORY") || self.at_words(&["LOCAL", "DIRECTORY"]));
        if is_directory {
            self.insert_directory(&mut insert)?;
        } else {
            self.insert_table(&mut insert)?;
        }
        let query = self.query()?;
        insert.query = self.with_ctes(start, ctes, query);
        Ok(Command::Insert(insert))
    }

    fn insert_table(&mut self, insert: &mut Insert) -> Result<()> {
        if self.at_word("TABLE") && !self.peek_at(1).is_symbol(".") {
            self.advance();
        }
        insert.table = self.qualified_name()?;
        if self.at_word("WITH") && self.peek_at(1).is_symbol("(") {
            self.advance();
            insert.options = self.property_list()?;
        }
        insert.partition = self.optional_partition()?;
        insert.if_partition_not_exists = self.if_not_exists();
        if self.eat_words(&["REPLACE", "WHERE"]) {
            insert.replace_where = Some(self.expression()?);
        } else if self.at_words(&["REPLACE", "ON"]) || self.at_words(&["REPLACE", "USING"]) {
            return Err(SparkError::unsupported("INSERT .. REPLACE ON and USING"));
        } else if self.eat_words(&["BY", "NAME"]) {
            insert.by_name = true;
        } else if self.at_symbol("(") && !self.is_query_at(0) {
            insert.columns = self.optional_names()?;
        }
        Ok(())
    }

    fn insert_directory(&mut self, insert: &mut Insert) -> Result<()> {
        self.eat_word("LOCAL");
        self.expect_word("DIRECTORY")?;
        let path = if self.at_string() { Some(self.string()?) } else { None };
        let format = if self.eat_word("USING") { Some(self.qualified_name()?.join(".")) } else { None };
        if self.at_words(&["ROW", "FORMAT"]) || self.at_word("STORED") {
            return Err(SparkError::unsupported("ROW FORMAT and STORED AS of INSERT OVERWRITE DIRECTORY"));
        }
        if self.eat_word("OPTIONS") {
            insert.options = self.property_list()?;
        }
        let option = || insert.options.iter().find(|(key, _)| key.eq_ignore_ascii_case("path"));
        let path = path.or_else(|| option().map(|(_, path)| path.clone())).ok_or_else(|| self.syntax_error())?;
        insert.directory = Some((path, format));
        Ok(())
    }

    fn delete(&mut self) -> Result<Command> {
        self.expect_word("FROM")?;
        let table = self.qualified_name()?;
        let alias = self.target_alias(&[])?;
        let condition = self.where_condition()?;
        Ok(Command::Delete { table, alias, condition })
    }

    fn where_condition(&mut self) -> Result<Option<Expr>> {
        if self.eat_word("WHERE") { self.expression().map(Some) } else { Ok(None) }
    }

    fn update(&mut self) -> Result<Command> {
        let table = self.qualified_name()?;
        let alias = self.target_alias(&["SET"])?;
        self.expect_word("SET")?;
        let assignments = self.assignments()?;
        let condition = self.where_condition()?;
        Ok(Command::Update { table, alias, assignments, condition })
    }

    fn target_alias(&mut self, reserved: &[&str]) -> Result<Option<String>> {
        let has_as = self.eat_word("AS");
        if !has_as && (!self.at_table_alias() || self.at_any(reserved)) {
            return Ok(None);
        }
        self.name().map(Some)
    }

    /// `a = 1, b.c = DEFAULT`
    pub(crate) fn assignments(&mut self) -> Result<Assignments> {
        self.list(|p| {
            let name = p.qualified_name()?;
            p.expect_symbol("=")?;
            Ok((name, p.expression()?))
        })
    }

    fn merge(&mut self) -> Result<Command> {
        let schema_evolution = self.eat_words(&["WITH", "SCHEMA", "EVOLUTION"]);
        self.expect_word("INTO")?;
        let table = self.qualified_name()?;
        let alias = self.target_alias(&[])?;
        self.expect_word("USING")?;
        let source = self.merge_source()?;
        self.expect_word("ON")?;
        let condition = self.expression()?;
        let (matched, not_matched, not_matched_by_source) = (Vec::new(), Vec::new(), Vec::new());
        let mut merge =
            Merge { table, alias, source, condition, matched, not_matched, not_matched_by_source, schema_evolution };
        while self.eat_word("WHEN") {
            self.merge_clause(&mut merge)?;
        }
        Ok(Command::Merge(Box::new(merge)))
    }

    fn merge_source(&mut self) -> Result<Relation> {
        let start = self.at;
        let source = if self.eat_symbol("(") {
            self.query_in_parentheses()?.ok_or_else(|| self.syntax_error())?
        } else {
            self.table_reference(start)?
        };
        match self.target_alias(&[])? {
            None => Ok(source),
            Some(name) => {
                let node = RelationNode::Alias { input: source, name: vec![name], columns: Vec::new() };
                Ok(self.relation_since(start, node))
            }
        }
    }

    fn merge_clause(&mut self, merge: &mut Merge) -> Result<()> {
        let is_matched = !(self.eat_word("NOT") || self.eat_symbol("!"));
        self.expect_word("MATCHED")?;
        let by_source = !is_matched && self.eat_words(&["BY", "SOURCE"]);
        if !is_matched && !by_source {
            self.eat_words(&["BY", "TARGET"]);
        }
        let condition = if self.eat_word("AND") { Some(self.expression()?) } else { None };
        self.expect_word("THEN")?;
        let action = if is_matched || by_source { self.merge_change()? } else { self.merge_insert()? };
        let clause = MergeClause { condition, action };
        match (is_matched, by_source) {
            (true, _) => merge.matched.push(clause),
            (false, true) => merge.not_matched_by_source.push(clause),
            (false, false) => merge.not_matched.push(clause),
        }
        Ok(())
    }

    fn merge_change(&mut self) -> Result<MergeAction> {
        if self.eat_word("DELETE") {
            return Ok(MergeAction::Delete);
        }
        self.expect_words(&["UPDATE", "SET"])?;
        if self.eat_symbol("*") {
            return Ok(MergeAction::Update(Vec::new()));
        }
        self.assignments().map(MergeAction::Update)
    }

    fn merge_insert(&mut self) -> Result<MergeAction> {
        self.expect_word("INSERT")?;
        if self.eat_symbol("*") {
            return Ok(MergeAction::Insert(Vec::new()));
        }
        let columns = self.in_parentheses(|p| p.list(Self::qualified_name))?;
        self.expect_word("VALUES")?;
        let values = self.in_parentheses(Self::expressions)?;
        if columns.len() != values.len() {
            return Err(self.syntax_error());
        }
        Ok(MergeAction::Insert(columns.into_iter().zip(values).collect()))
    }
}
