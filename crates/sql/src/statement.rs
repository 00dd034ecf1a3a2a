//! Which rule a statement's first words choose.

use firesteel_model::Result;
use firesteel_spec::command::ExplainMode;
use firesteel_spec::{Command, Plan};

use crate::parser::Parser;
use crate::table::TableHead;
use crate::view::ViewHead;

/// Hive's commands, which Spark refuses by name.
const REFUSED: &[&str] = &[
    "GRANT", "REVOKE", "EXPORT", "IMPORT", "LOCK", "UNLOCK", "START", "COMMIT", "ROLLBACK", "DFS", "LOAD", "CALL",
    "LIST",
];

impl Parser {
    /// Any statement, or a script.
    pub(crate) fn statement(&mut self) -> Result<Plan> {
        if self.at_block() {
            return self.script();
        }
        self.nested(Self::single_statement)
    }

    /// A statement that is no script.
    pub(crate) fn single_statement(&mut self) -> Result<Plan> {
        let start = self.at;
        self.statement = start;
        if self.at_word("WITH") {
            let ctes = self.ctes()?;
            if self.at_any(&["INSERT", "DELETE", "UPDATE", "MERGE"]) {
                return self.change(start, ctes);
            }
            let body = self.query_body()?;
            return Ok(Plan::Query(self.with_ctes(start, ctes, body)));
        }
        let words = [
            "INSERT", "DELETE", "UPDATE", "MERGE", "CREATE", "REPLACE", "DROP", "ALTER", "SHOW", "DESC", "DESCRIBE",
            "EXPLAIN",
        ];
        let Some(word) = words.into_iter().find(|word| self.at_word(word)) else {
            return match self.session_command()? {
                Some(command) => Ok(Plan::Command(command)),
                None => self.query().map(Plan::Query),
            };
        };
        match word {
            "INSERT" | "DELETE" | "UPDATE" | "MERGE" => self.change(start, None),
            "CREATE" => self.create(),
            "REPLACE" => {
                self.advance();
                self.expect_word("TABLE")?;
                self.create_table(TableHead { replace: true, must_exist: true, is_external: false })
            }
            "DROP" => self.drop_object().map(Plan::Command),
            "ALTER" => self.alter(),
            "SHOW" => self.show(),
            "DESC" | "DESCRIBE" => self.describe(),
            _ => self.explain(),
        }
    }

    /// Commands about the session; `None` where the word opens a query.
    fn session_command(&mut self) -> Result<Option<Command>> {
        let words = [
            "SET", "RESET", "USE", "CACHE", "UNCACHE", "CLEAR", "REFRESH", "ANALYZE", "COMMENT", "TRUNCATE", "MSCK",
            "REPAIR", "DECLARE", "EXECUTE", "ADD",
        ];
        let Some(word) = words.into_iter().find(|word| self.at_word(word)) else {
            if self.at_any(REFUSED) {
                return Ok(Some(Command::Unsupported(self.rest())));
            }
            return Ok(None);
        };
        let command = match word {
            "SET" => self.set()?,
            "RESET" => self.reset(),
            "USE" => self.use_schema()?,
            "CACHE" => self.cache()?,
            "UNCACHE" => {
                self.expect_words(&["UNCACHE", "TABLE"])?;
                let if_exists = self.if_exists();
                Command::UncacheTable { name: self.qualified_name()?, if_exists }
            }
            "CLEAR" => {
                self.expect_words(&["CLEAR", "CACHE"])?;
                Command::ClearCache
            }
            "REFRESH" => self.refresh()?,
            "ANALYZE" => self.analyze()?,
            "COMMENT" => self.comment_on()?,
            "TRUNCATE" => {
                self.expect_words(&["TRUNCATE", "TABLE"])?;
                Command::TruncateTable { name: self.qualified_name()?, partition: self.optional_partition()? }
            }
            "DECLARE" => self.declare_variable()?,
            "EXECUTE" => self.execute_immediate()?,
            "ADD" => self.add_resource()?,
            _ => self.repair()?,
        };
        Ok(Some(command))
    }

    fn repair(&mut self) -> Result<Command> {
        self.eat_word("MSCK");
        self.expect_words(&["REPAIR", "TABLE"])?;
        let name = self.qualified_name()?;
        let option = self.eat_any(&["ADD", "DROP", "SYNC"]);
        if option.is_some() {
            self.expect_word("PARTITIONS")?;
        }
        let (add, drop) = (option != Some("DROP"), matches!(option, Some("DROP" | "SYNC")));
        Ok(Command::RepairTable { name, add, drop })
    }

    fn explain(&mut self) -> Result<Plan> {
        self.advance();
        let mode = match self.eat_any(&["LOGICAL", "FORMATTED", "EXTENDED", "CODEGEN", "COST"]) {
            Some("FORMATTED") => ExplainMode::Formatted,
            Some("EXTENDED" | "LOGICAL") => ExplainMode::Extended,
            Some("CODEGEN") => ExplainMode::Codegen,
            Some("COST") => ExplainMode::Cost,
            _ => ExplainMode::Simple,
        };
        let plan = Box::new(self.nested(Self::single_statement)?);
        Ok(Plan::Command(Command::Explain { mode, plan }))
    }

    fn create(&mut self) -> Result<Plan> {
        let start = self.at;
        self.advance();
        let replace = self.eat_words(&["OR", "REPLACE"]);
        let is_global = self.eat_word("GLOBAL");
        let is_temporary = self.eat_any(&["TEMPORARY", "TEMP"]).is_some();
        if is_global && !is_temporary {
            return Err(self.syntax_error());
        }
        if self.eat_word("VIEW") {
            return self.create_view(ViewHead { replace, is_global, is_temporary });
        }
        if is_global {
            return Err(self.syntax_error());
        }
        if self.eat_word("FUNCTION") {
            return self.create_function(replace, is_temporary);
        }
        let is_external = self.eat_word("EXTERNAL");
        if self.eat_word("TABLE") {
            if is_temporary {
                self.rest();
                return Ok(Plan::Command(Command::Unsupported("CREATE TEMPORARY TABLE".to_owned())));
            }
            return self.create_table(TableHead { replace, must_exist: false, is_external });
        }
        if is_external || replace || is_temporary {
            return Err(self.syntax_error());
        }
        if self.eat_any(&["SCHEMA", "DATABASE", "NAMESPACE"]).is_some() {
            return self.create_schema(start).map(Plan::Command);
        }
        if self.at_any(&["INDEX", "ROLE", "MACRO", "STREAMING", "MATERIALIZED", "FLOW"]) {
            return Ok(Plan::Command(Command::Unsupported(format!("CREATE {}", self.rest()))));
        }
        Err(self.syntax_error())
    }

    fn create_schema(&mut self, start: usize) -> Result<Command> {
        let if_not_exists = self.if_not_exists();
        let name = self.qualified_name()?;
        let (mut comment, mut location, mut properties) = (None, None, None);
        loop {
            let (clause, is_twice) = if let Some(text) = self.optional_string("COMMENT")? {
                ("COMMENT", comment.replace(text).is_some())
            } else if let Some(path) = self.optional_string("LOCATION")? {
                ("LOCATION", location.replace(path).is_some())
            } else if self.eat_words(&["WITH", "DBPROPERTIES"]) || self.eat_words(&["WITH", "PROPERTIES"]) {
                ("WITH PROPERTIES", properties.replace(self.property_list()?).is_some())
            } else if self.eat_words(&["DEFAULT", "COLLATION"]) {
                let collation = vec![("collation".to_owned(), self.collation_name()?)];
                ("COLLATION", properties.replace(collation).is_some())
            } else {
                let properties = properties.unwrap_or_default();
                return Ok(Command::CreateSchema { name, if_not_exists, comment, location, properties });
            };
            if is_twice {
                return Err(self.duplicate_clause(clause, start));
            }
        }
    }

    fn drop_object(&mut self) -> Result<Command> {
        self.advance();
        if self.eat_any(&["SCHEMA", "DATABASE", "NAMESPACE"]).is_some() {
            let if_exists = self.if_exists();
            let name = self.qualified_name()?;
            let cascade = self.eat_any(&["RESTRICT", "CASCADE"]) == Some("CASCADE");
            return Ok(Command::DropSchema { name, if_exists, cascade });
        }
        let is_temporary = self.eat_any(&["TEMPORARY", "TEMP"]).is_some();
        if is_temporary && self.eat_any(&["VARIABLE", "VAR"]).is_some() {
            let if_exists = self.if_exists();
            return Ok(Command::DropVariable { name: self.qualified_name()?, if_exists });
        }
        if self.eat_word("FUNCTION") {
            let if_exists = self.if_exists();
            let name = self.qualified_name()?;
            self.check_temporary_function(&name, is_temporary)?;
            return Ok(Command::DropFunction { name, if_exists, is_temporary });
        }
        if is_temporary {
            return Err(self.syntax_error());
        }
        if self.eat_word("TABLE") {
            let if_exists = self.if_exists();
            let name = self.qualified_name()?;
            return Ok(Command::DropTable { name, if_exists, purge: self.eat_word("PURGE") });
        }
        if self.eat_word("VIEW") {
            let if_exists = self.if_exists();
            return Ok(Command::DropView { name: self.qualified_name()?, if_exists });
        }
        if self.at_any(&["INDEX", "ROLE"]) {
            return Ok(Command::Unsupported(format!("DROP {}", self.rest())));
        }
        Err(self.syntax_error())
    }
}
