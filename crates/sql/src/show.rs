//! SHOW and DESCRIBE.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::{Describe, Show};
use firesteel_spec::{Command, Plan};

use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    pub(crate) fn show(&mut self) -> Result<Plan> {
        self.advance();
        let show = match self.eat_any(&[
            "SCHEMAS",
            "DATABASES",
            "NAMESPACES",
            "TABLES",
            "TABLE",
            "TBLPROPERTIES",
            "COLUMNS",
            "VIEWS",
            "PARTITIONS",
            "FUNCTIONS",
            "CREATE",
            "CURRENT",
            "CATALOGS",
            "COLLATIONS",
        ]) {
            Some("SCHEMAS" | "DATABASES" | "NAMESPACES") => {
                let catalog = self.in_schema()?;
                let pattern = self.like_pattern()?;
                Show::Schemas { pattern, catalog: (!catalog.is_empty()).then(|| catalog.join(".")) }
            }
            Some("TABLES") => Show::Tables { schema: self.in_schema()?, pattern: self.like_pattern()? },
            Some("TABLE") => self.show_table_extended()?,
            Some("TBLPROPERTIES") => {
                let table = self.qualified_name()?;
                let has_key = self.at_symbol("(");
                let key = if has_key { Some(self.in_parentheses(Self::property_key)?) } else { None };
                Show::TableProperties { table, key }
            }
            Some("COLUMNS") => self.show_columns()?,
            Some("VIEWS") => Show::Views { schema: self.in_schema()?, pattern: self.like_pattern()? },
            Some("PARTITIONS") => {
                Show::Partitions { table: self.qualified_name()?, partition: self.optional_partition()? }
            }
            Some("FUNCTIONS") => self.show_functions("ALL".to_owned())?,
            Some("CREATE") => {
                self.expect_word("TABLE")?;
                Show::CreateTable { table: self.qualified_name()?, as_serde: self.eat_words(&["AS", "SERDE"]) }
            }
            Some("CURRENT") => match self.eat_any(&["SCHEMA", "DATABASE", "NAMESPACE"]) {
                Some(_) => Show::CurrentSchema,
                None => return Err(self.syntax_error()),
            },
            Some("CATALOGS") => Show::Catalogs { pattern: self.like_pattern()? },
            Some("COLLATIONS") => Show::Collations { pattern: self.like_pattern()? },
            _ if self.peek_at(1).is_word("FUNCTIONS") || self.at_identifier_clause() => {
                let scope = self.identifier()?.to_uppercase();
                self.expect_word("FUNCTIONS")?;
                self.show_functions(scope)?
            }
            _ => {
                let others = ["GRANT", "ROLE", "ROLES", "PRINCIPALS", "INDEXES", "LOCKS", "TRANSACTIONS", "PROCEDURES"];
                if !self.at_any(&others) {
                    return Err(self.syntax_error());
                }
                return Ok(Plan::Command(Command::Unsupported(format!("SHOW {}", self.rest()))));
            }
        };
        Ok(Plan::Command(Command::Show(show)))
    }

    /// `IN a.b`, `FROM a.b`
    fn in_schema(&mut self) -> Result<Vec<String>> {
        if self.eat_any(&["IN", "FROM"]).is_some() { self.qualified_name() } else { Ok(Vec::new()) }
    }

    /// `[LIKE] '..'`
    fn like_pattern(&mut self) -> Result<Option<String>> {
        if self.eat_word("LIKE") || self.at_string() { self.string().map(Some) } else { Ok(None) }
    }

    fn show_table_extended(&mut self) -> Result<Show> {
        self.expect_word("EXTENDED")?;
        let schema = self.in_schema()?;
        self.expect_word("LIKE")?;
        let pattern = self.string()?;
        Ok(Show::TableExtended { schema, pattern, partition: self.optional_partition()? })
    }

    fn show_columns(&mut self) -> Result<Show> {
        let start = self.at;
        if self.eat_any(&["IN", "FROM"]).is_none() {
            return Err(self.syntax_error());
        }
        let mut table = self.qualified_name()?;
        let schema = self.in_schema()?;
        let conflicts = table.len() > 1
            && !schema.is_empty()
            && !table[..table.len() - 1].iter().rev().zip(schema.iter().rev()).all(|(a, b)| a.eq_ignore_ascii_case(b));
        if conflicts {
            return Err(self
                .error_since(&error_class::SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE, start)
                .param("namespaceA", Self::printed(&schema))
                .param("namespaceB", Self::printed(&table[..table.len() - 1])));
        }
        if table.len() == 1 {
            table = schema.into_iter().chain(table).collect();
        }
        Ok(Show::Columns { table })
    }

    fn show_functions(&mut self, scope: String) -> Result<Show> {
        let schema = self.in_schema()?;
        let has_like = self.eat_word("LIKE");
        let pattern = if self.at_string() {
            Some(self.string()?)
        } else if has_like || self.at_name() {
            Some(self.qualified_name()?.join("."))
        } else {
            None
        };
        Ok(Show::Functions { scope, pattern, schema })
    }

    pub(crate) fn describe(&mut self) -> Result<Plan> {
        self.advance();
        let describe = if self.at_word("FUNCTION") && !self.ends_name_at(1) {
            self.advance();
            let is_extended = self.at_word("EXTENDED") && !self.ends_name_at(1);
            if is_extended {
                self.advance();
            }
            Describe::Function { name: self.function_or_operator()?, is_extended }
        } else if self.at_any(&["SCHEMA", "DATABASE", "NAMESPACE"]) && !self.ends_name_at(1) {
            self.advance();
            let is_extended = self.eat_word("EXTENDED");
            Describe::Schema { name: self.qualified_name()?, is_extended }
        } else if self.at_word("PROCEDURE") && !self.ends_name_at(1) {
            return Ok(Plan::Command(Command::Unsupported(format!("DESCRIBE {}", self.rest()))));
        } else if self.at_word("QUERY") && self.is_query_at(1) {
            self.advance();
            Describe::Query(self.query()?)
        } else if !self.at_word("TABLE") && self.is_query_at(0) {
            Describe::Query(self.query()?)
        } else {
            self.describe_table()?
        };
        Ok(Plan::Command(Command::Describe(describe)))
    }

    fn ends_name_at(&self, ahead: usize) -> bool {
        let token = self.peek_at(ahead);
        matches!(token.kind, TokenKind::End) || token.is_symbol(".") || token.is_symbol(";")
    }

    fn describe_table(&mut self) -> Result<Describe> {
        if self.at_word("TABLE") && !self.ends_name_at(1) {
            self.advance();
        }
        let has_option = self.at_any(&["EXTENDED", "FORMATTED"]) && !self.ends_name_at(1);
        if has_option {
            self.advance();
        }
        let table = self.qualified_name()?;
        let partition = self.full_partition()?;
        let is_json = |p: &Self| p.at_words(&["AS", "JSON"]);
        let column = if self.at_name() && !is_json(self) { self.qualified_name()? } else { Vec::new() };
        let as_json = self.eat_words(&["AS", "JSON"]);
        if as_json && !has_option {
            return Err(SparkError::new(&error_class::DESCRIBE_JSON_NOT_EXTENDED).param("tableName", table.join(".")));
        }
        if as_json && !column.is_empty() {
            return Err(SparkError::new(&error_class::UNSUPPORTED_FEATURE_DESC_TABLE_COLUMN_JSON));
        }
        Ok(Describe::Table { table, is_extended: has_option, partition, column, as_json })
    }

    /// A function's name, a string, or an operator.
    fn function_or_operator(&mut self) -> Result<Vec<String>> {
        if self.at_string() {
            return self.string().map(|name| vec![name]);
        }
        if let TokenKind::Symbol(_) = self.peek().kind {
            let start = self.at;
            while matches!(self.peek().kind, TokenKind::Symbol(symbol) if symbol != ";") {
                self.advance();
            }
            return Ok(vec![self.text_from(start)]);
        }
        if self.at_end() {
            return Err(self.syntax_error());
        }
        self.qualified_name()
    }
}
