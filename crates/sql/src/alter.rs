//! ALTER TABLE, ALTER VIEW, ALTER SCHEMA.

use firesteel_model::{Result, error_class};
use firesteel_spec::command::{AlterTable, ColumnChange, CreateView};
use firesteel_spec::{Command, Plan};

use crate::parser::Parser;
use crate::property::PartitionSpec;

impl Parser {
    pub(crate) fn alter(&mut self) -> Result<Plan> {
        self.advance();
        if self.eat_any(&["SCHEMA", "DATABASE", "NAMESPACE"]).is_some() {
            return self.alter_schema();
        }
        let is_view = self.eat_word("VIEW");
        if !is_view && !self.eat_word("TABLE") {
            return Err(self.syntax_error());
        }
        let start = self.at;
        let name = self.qualified_name()?;
        let binds =
            self.at_words(&["WITH", "SCHEMA"]) && !self.peek_at(2).is_word("AS") && !self.peek_at(2).is_symbol("(");
        if is_view && !binds && (self.at_word("AS") || self.is_query_at(0)) {
            return self.alter_view_query(name);
        }
        if is_view && binds {
            let change = AlterTable::SchemaMode(self.schema_binding()?);
            return Ok(Plan::Command(Command::AlterTable { name, is_view, change }));
        }
        if self.eat_words(&["RECOVER", "PARTITIONS"]) {
            return Ok(Plan::Command(Command::RepairTable { name, add: true, drop: false }));
        }
        let change = self.table_change(start)?;
        Ok(Plan::Command(Command::AlterTable { name, is_view, change }))
    }

    fn alter_view_query(&mut self, name: Vec<String>) -> Result<Plan> {
        self.eat_word("AS");
        let start = self.at;
        let query = self.query()?;
        Ok(Plan::Command(Command::CreateView(CreateView {
            name,
            columns: Vec::new(),
            query,
            text: self.text_from(start),
            if_not_exists: false,
            replace: true,
            comment: None,
            properties: Vec::new(),
            is_alter: true,
            schema_mode: None,
        })))
    }

    fn alter_schema(&mut self) -> Result<Plan> {
        let name = self.qualified_name()?;
        let (mut properties, mut unset, mut location) = (Vec::new(), Vec::new(), None);
        if self.eat_word("UNSET") {
            self.properties_word()?;
            self.if_exists();
            unset = self.property_keys()?;
        } else if self.eat_words(&["DEFAULT", "COLLATION"]) {
            properties = vec![("collation".to_owned(), self.collation_name()?)];
        } else {
            self.expect_word("SET")?;
            match self.optional_string("LOCATION")? {
                Some(path) => location = Some(path),
                None => {
                    self.properties_word()?;
                    properties = self.property_list()?;
                }
            }
        }
        Ok(Plan::Command(Command::AlterSchema { name, properties, unset, location }))
    }

    fn properties_word(&mut self) -> Result<()> {
        match self.eat_any(&["DBPROPERTIES", "PROPERTIES"]) {
            Some(_) => Ok(()),
            None => Err(self.syntax_error()),
        }
    }

    fn table_change(&mut self, start: usize) -> Result<AlterTable> {
        let partition = self.optional_partition()?;
        match self.eat_any(&["RENAME", "ADD", "DROP", "SET", "UNSET", "ALTER", "CHANGE", "REPLACE", "CLUSTER"]) {
            Some("RENAME") => self.rename(partition),
            Some("ADD") => self.add(start),
            Some("DROP") => self.drop_from_table(),
            Some("SET") => self.set_on_table(partition),
            Some("UNSET") => {
                self.expect_word("TBLPROPERTIES")?;
                let if_exists = self.if_exists();
                Ok(AlterTable::UnsetProperties { keys: self.property_keys()?, if_exists })
            }
            Some("ALTER") => self.alter_column(start, false),
            Some("CHANGE") => self.alter_column(start, true),
            Some("REPLACE") => {
                self.expect_word("COLUMNS")?;
                let columns = self.in_parentheses(|p| p.list(Self::column))?;
                Ok(AlterTable::ReplaceColumns(columns))
            }
            Some("CLUSTER") => {
                self.rest();
                Ok(AlterTable::Unsupported("ALTER TABLE .. CLUSTER BY".to_owned()))
            }
            _ => Err(self.syntax_error()),
        }
    }

    fn rename(&mut self, from: PartitionSpec) -> Result<AlterTable> {
        if self.eat_word("COLUMN") {
            let column = self.qualified_name()?;
            self.expect_word("TO")?;
            return Ok(AlterTable::RenameColumn(column, self.name()?));
        }
        self.expect_word("TO")?;
        if from.is_empty() {
            return self.qualified_name().map(AlterTable::Rename);
        }
        Ok(AlterTable::RenamePartition { from, to: self.partition()? })
    }

    fn add(&mut self, start: usize) -> Result<AlterTable> {
        if self.eat_any(&["COLUMNS", "COLUMN"]).is_some() {
            let if_not_exists = self.if_not_exists();
            let columns = if self.at_symbol("(") {
                self.in_parentheses(|p| p.list(Self::added_column))?
            } else {
                self.list(Self::added_column)?
            };
            return Ok(if if_not_exists {
                AlterTable::Unsupported("ADD COLUMN IF NOT EXISTS".to_owned())
            } else {
                AlterTable::AddColumns(columns)
            });
        }
        if self.at_any(&["CONSTRAINT", "PRIMARY", "FOREIGN", "UNIQUE", "CHECK"]) {
            if self.eat_word("CONSTRAINT") {
                self.name()?;
            }
            return if self.constraint_body(false)? {
                Ok(AlterTable::Unsupported("ALTER TABLE .. ADD CONSTRAINT".to_owned()))
            } else {
                Err(self.syntax_error())
            };
        }
        let if_not_exists = self.if_not_exists();
        let mut partitions = Vec::new();
        while self.at_word("PARTITION") {
            let partition = self.partition()?;
            partitions.push((partition, self.optional_string("LOCATION")?));
            self.eat_symbol(",");
        }
        if partitions.is_empty() {
            return Err(self.syntax_error());
        }
        for (partition, _) in &partitions {
            if let Some((key, _)) = partition.iter().find(|(_, value)| value.is_none()) {
                return Err(self
                    .error_since(&error_class::INVALID_SQL_SYNTAX_EMPTY_PARTITION_VALUE, start)
                    .param("partKey", firesteel_spec::types::quote(key)));
            }
        }
        Ok(AlterTable::AddPartitions { partitions, if_not_exists })
    }

    fn added_column(
        &mut self,
    ) -> Result<(firesteel_spec::command::ColumnDefinition, Vec<String>, Option<firesteel_spec::command::ColumnPosition>)>
    {
        let mut path = self.qualified_name()?;
        let name = path.pop().unwrap_or_default();
        let mut column = self.column_definition(name)?;
        let position = self.column_position()?;
        if column.comment.is_none() {
            column.comment = self.optional_string("COMMENT")?;
        }
        Ok((column, path, position))
    }

    fn drop_from_table(&mut self) -> Result<AlterTable> {
        if self.eat_any(&["COLUMNS", "COLUMN"]).is_some() {
            let if_exists = self.if_exists();
            let columns = if self.at_symbol("(") {
                self.in_parentheses(|p| p.list(Self::qualified_name))?
            } else {
                self.list(Self::qualified_name)?
            };
            return Ok(AlterTable::DropColumns { columns, if_exists });
        }
        if self.eat_word("CONSTRAINT") {
            self.if_exists();
            self.name()?;
            self.eat_any(&["RESTRICT", "CASCADE"]);
            return Ok(AlterTable::Unsupported("ALTER TABLE .. DROP CONSTRAINT".to_owned()));
        }
        let if_exists = self.if_exists();
        let partitions = self.list(Self::partition)?;
        let purge = self.eat_word("PURGE");
        Ok(AlterTable::DropPartitions { partitions, if_exists, purge })
    }

    fn set_on_table(&mut self, partition: PartitionSpec) -> Result<AlterTable> {
        if self.eat_word("TBLPROPERTIES") {
            return self.property_list().map(AlterTable::SetProperties);
        }
        if let Some(location) = self.optional_string("LOCATION")? {
            return Ok(AlterTable::SetLocation { partition, location });
        }
        if self.at_any(&["SERDE", "SERDEPROPERTIES"]) {
            self.rest();
            return Ok(AlterTable::Unsupported("ALTER TABLE .. SET SERDE".to_owned()));
        }
        Err(self.syntax_error())
    }

    /// `ALTER COLUMN c ..`, and Hive's `CHANGE c c INT`.
    fn alter_column(&mut self, start: usize, is_change: bool) -> Result<AlterTable> {
        let named_column = self.at_word("COLUMN") && !self.peek_at(1).is_word("TYPE");
        if named_column {
            self.advance();
        }
        let column = self.qualified_name()?;
        let change = match self.column_change()? {
            Some(change) => change,
            None if is_change && self.at_name() => return self.hive_change(column),
            None if self.ends_change() => {
                return Err(self
                    .error_since(&error_class::LEGACY_ERROR_TEMP_0035, start.saturating_sub(2))
                    .param("message", "ALTER COLUMN needs a TYPE, a SET or DROP, a COMMENT, FIRST or AFTER"));
            }
            None => return Err(self.syntax_error()),
        };
        if self.at_symbol(",") {
            while self.eat_symbol(",") {
                self.qualified_name()?;
                self.column_change()?.ok_or_else(|| self.syntax_error())?;
            }
            return Ok(AlterTable::Unsupported("ALTER COLUMN of several columns".to_owned()));
        }
        Ok(AlterTable::AlterColumn { column, change })
    }

    fn ends_change(&self) -> bool {
        self.at_end() || self.at_symbol(";")
    }

    fn column_change(&mut self) -> Result<Option<ColumnChange>> {
        Ok(Some(if self.eat_word("TYPE") {
            ColumnChange::Type(self.data_type()?)
        } else if let Some(comment) = self.optional_string("COMMENT")? {
            ColumnChange::Comment(comment)
        } else if let Some(position) = self.column_position()? {
            ColumnChange::Position(position)
        } else if self.eat_words(&["SET", "NOT", "NULL"]) {
            ColumnChange::Nullable(false)
        } else if self.eat_words(&["DROP", "NOT", "NULL"]) {
            ColumnChange::Nullable(true)
        } else if self.eat_words(&["SET", "DEFAULT"]) {
            ColumnChange::Default(Some(self.expression_with_text()?))
        } else if self.eat_words(&["DROP", "DEFAULT"]) {
            ColumnChange::Default(None)
        } else {
            return Ok(None);
        }))
    }

    /// `CHANGE a b INT COMMENT '..' AFTER c`: only comment, type and place can change.
    fn hive_change(&mut self, column: Vec<String>) -> Result<AlterTable> {
        let definition = self.column()?;
        let position = self.column_position()?;
        let is_rename = column.last().is_some_and(|name| !name.eq_ignore_ascii_case(&definition.name));
        if is_rename {
            return Ok(AlterTable::Unsupported("ALTER TABLE .. CHANGE of a column's name".to_owned()));
        }
        let change = match (definition.comment, position) {
            (Some(comment), None) => ColumnChange::Comment(comment),
            (None, Some(position)) => ColumnChange::Position(position),
            (None, None) => ColumnChange::Type(definition.data_type),
            _ => return Ok(AlterTable::Unsupported("ALTER TABLE .. CHANGE of several things".to_owned())),
        };
        Ok(AlterTable::AlterColumn { column, change })
    }
}
