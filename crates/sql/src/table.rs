//! CREATE TABLE, REPLACE TABLE, CREATE TABLE LIKE.

use firesteel_model::{Result, SparkError};
use firesteel_spec::command::CreateTable;
use firesteel_spec::{Command, Plan};

use crate::parser::Parser;

/// How CREATE TABLE began.
#[derive(Clone, Copy, Default)]
pub(crate) struct TableHead {
    pub(crate) replace: bool,
    pub(crate) must_exist: bool,
    pub(crate) is_external: bool,
}

impl Parser {
    /// After CREATE [OR REPLACE] [EXTERNAL] TABLE.
    pub(crate) fn create_table(&mut self, head: TableHead) -> Result<Plan> {
        let if_not_exists = self.if_not_exists();
        let name = self.qualified_name()?;
        if self.eat_word("LIKE") {
            return self.create_table_like(name, if_not_exists);
        }
        let mut table = CreateTable {
            name,
            columns: Vec::new(),
            format: None,
            partition_by: Vec::new(),
            partition_columns: Vec::new(),
            bucket_by: None,
            cluster_by: Vec::new(),
            location: None,
            options: Vec::new(),
            properties: Vec::new(),
            comment: None,
            if_not_exists,
            replace: head.replace,
            must_exist: head.must_exist,
            is_external: head.is_external,
            query: None,
            constraints: Vec::new(),
        };
        if self.at_symbol("(") && !self.is_query_at(0) {
            self.advance();
            self.table_elements(&mut table)?;
        }
        if self.eat_word("USING") {
            table.format = Some(self.qualified_name()?.join("."));
        }
        self.table_clauses(&mut table)?;
        if self.eat_word("AS") || self.is_query_at(0) {
            table.query = Some(self.query()?);
        }
        Ok(Plan::Command(Command::CreateTable(table)))
    }

    /// Columns and constraints, up to the closing parenthesis.
    fn table_elements(&mut self, table: &mut CreateTable) -> Result<()> {
        if self.eat_symbol(")") {
            return Ok(());
        }
        loop {
            let start = self.at;
            let is_named = self.at_word("CONSTRAINT") && !self.peek_at(2).is_symbol(",");
            if is_named {
                self.advance();
                if !["PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| self.at_word(word)) {
                    self.name()?;
                }
            }
            let opens_constraint = is_named
                || self.at_words(&["PRIMARY", "KEY"])
                || self.at_words(&["FOREIGN", "KEY"])
                || (self.at_any(&["UNIQUE", "CHECK"]) && self.peek_at(1).is_symbol("("));
            if opens_constraint && self.constraint_body(false)? {
                table.constraints.push(self.text_from(start));
            } else if is_named {
                return Err(self.syntax_error());
            } else {
                table.columns.push(self.column()?);
            }
            if !self.eat_symbol(",") {
                return self.expect_symbol(")");
            }
        }
    }

    fn table_clauses(&mut self, table: &mut CreateTable) -> Result<()> {
        let mut seen: Vec<&'static str> = Vec::new();
        loop {
            let start = self.at;
            let clause = self.table_clause(table)?;
            let Some(clause) = clause else { return Ok(()) };
            if seen.contains(&clause) {
                return Err(self.duplicate_clause(clause, start));
            }
            seen.push(clause);
        }
    }

    /// One clause, by its name in messages.
    fn table_clause(&mut self, table: &mut CreateTable) -> Result<Option<&'static str>> {
        Ok(Some(if self.at_word("OPTIONS") && self.peek_at(1).is_symbol("(") {
            self.advance();
            table.options = self.property_list()?;
            "OPTIONS"
        } else if self.eat_words(&["PARTITIONED", "BY"]) {
            self.partitioning(table)?;
            "PARTITIONED BY"
        } else if self.eat_words(&["CLUSTER", "BY"]) {
            table.cluster_by =
                if self.eat_word("NONE") { Vec::new() } else { self.in_parentheses(|p| p.list(Self::qualified_name))? };
            "CLUSTER BY"
        } else if self.eat_words(&["CLUSTERED", "BY"]) {
            table.bucket_by = Some(self.buckets()?);
            "CLUSTERED BY"
        } else if let Some(location) = self.optional_string("LOCATION")? {
            table.location = Some(location);
            "LOCATION"
        } else if let Some(comment) = self.comment_clause()? {
            table.comment = Some(comment);
            "COMMENT"
        } else if self.eat_word("TBLPROPERTIES") {
            table.properties = self.property_list()?;
            "TBLPROPERTIES"
        } else if self.eat_words(&["STORED", "AS"]) {
            self.stored_as(table)?;
            "STORED AS/BY"
        } else if self.at_words(&["ROW", "FORMAT"]) {
            return Err(SparkError::unsupported("ROW FORMAT of Hive tables"));
        } else if self.at_words(&["SKEWED", "BY"]) || self.at_words(&["STORED", "BY"]) {
            return Err(SparkError::unsupported("SKEWED BY and STORED BY of Hive tables"));
        } else if self.eat_words(&["DEFAULT", "COLLATION"]) {
            let name = self.collation_name()?;
            table.properties.push(("collation".to_owned(), name));
            "COLLATION"
        } else {
            return Ok(None);
        }))
    }

    fn comment_clause(&mut self) -> Result<Option<String>> {
        self.optional_string("COMMENT")
    }

    /// Columns, transforms, or columns with types of their own.
    fn partitioning(&mut self, table: &mut CreateTable) -> Result<()> {
        self.expect_symbol("(")?;
        loop {
            let follows = self.peek_at(1);
            let is_plain = ["(", ".", ",", ")"].iter().any(|symbol| follows.is_symbol(symbol));
            if is_plain {
                table.partition_by.push(self.value_expression()?);
            } else {
                let column = self.column()?;
                table.partition_columns.push(column);
            }
            if !self.eat_symbol(",") {
                return self.expect_symbol(")");
            }
        }
    }

    fn buckets(&mut self) -> Result<(i32, Vec<String>, Vec<String>)> {
        let columns = self.in_parentheses(|p| p.list(Self::name))?;
        let sorted = if self.eat_words(&["SORTED", "BY"]) {
            self.in_parentheses(|p| {
                p.list(|p| {
                    let name = p.name()?;
                    if p.eat_any(&["ASC", "DESC"]) == Some("DESC") {
                        return Err(SparkError::unsupported("buckets sorted in descending order"));
                    }
                    Ok(name)
                })
            })?
        } else {
            Vec::new()
        };
        self.expect_word("INTO")?;
        let count = self.integer()?;
        self.expect_word("BUCKETS")?;
        Ok((count, columns, sorted))
    }

    /// `STORED AS PARQUET`: the format of the same name.
    fn stored_as(&mut self, table: &mut CreateTable) -> Result<()> {
        if self.at_word("INPUTFORMAT") {
            return Err(SparkError::unsupported("INPUTFORMAT and OUTPUTFORMAT of Hive tables"));
        }
        let name = self.identifier()?.to_lowercase();
        table.format = Some(if name == "textfile" { "text".to_owned() } else { name });
        Ok(())
    }

    fn create_table_like(&mut self, name: Vec<String>, if_not_exists: bool) -> Result<Plan> {
        let source = self.qualified_name()?;
        let (mut format, mut location, mut properties) = (None, None, Vec::new());
        loop {
            if self.eat_word("USING") {
                format = Some(self.qualified_name()?.join("."));
            } else if let Some(path) = self.optional_string("LOCATION")? {
                location = Some(path);
            } else if self.eat_word("TBLPROPERTIES") {
                properties = self.property_list()?;
            } else if self.eat_words(&["STORED", "AS"]) {
                format = Some(self.identifier()?.to_lowercase());
            } else if self.at_words(&["ROW", "FORMAT"]) {
                return Err(SparkError::unsupported("ROW FORMAT of Hive tables"));
            } else {
                break;
            }
        }
        let command = Command::CreateTableLike { name, source, if_not_exists, format, location, properties };
        Ok(Plan::Command(command))
    }
}
