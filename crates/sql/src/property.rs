//! Parts that definitions share: properties, partitions, columns.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::{ColumnDefinition, ColumnPosition};
use firesteel_spec::types::quote;
use firesteel_spec::{DataType, Expr, ExprNode, Literal};

use crate::parser::Parser;
use crate::token::TokenKind;

/// `(key = value)` pairs of a PARTITION clause.
pub(crate) type PartitionSpec = Vec<(String, Option<Expr>)>;

impl Parser {
    /// `('a' = 'b', c.d = 1, e)`
    pub(crate) fn property_list(&mut self) -> Result<Vec<(String, String)>> {
        self.in_parentheses(|p| p.list(Self::property))
    }

    fn property(&mut self) -> Result<(String, String)> {
        let key = self.property_key()?;
        let has_value = self.eat_symbol("=") || !(self.at_symbol(",") || self.at_symbol(")"));
        let value = if has_value { self.property_value()? } else { String::new() };
        Ok((key, value))
    }

    pub(crate) fn property_key(&mut self) -> Result<String> {
        if self.at_string()
            && let TokenKind::Text { value, .. } = &self.peek().kind
        {
            // One text: the next one is the value.
            let key = value.clone();
            self.advance();
            return Ok(key);
        }
        Ok(self.qualified_name()?.join("."))
    }

    fn property_value(&mut self) -> Result<String> {
        let start = self.at;
        let value = self.value_expression()?;
        Ok(match value.node.as_ref() {
            ExprNode::Literal(Literal::String(text)) => text.clone(),
            ExprNode::Literal(Literal::Boolean(value)) => value.to_string(),
            _ => crate::identifier::constant_text(&value).unwrap_or_else(|| self.text_from(start)),
        })
    }

    /// The keys of UNSET TBLPROPERTIES.
    pub(crate) fn property_keys(&mut self) -> Result<Vec<String>> {
        self.in_parentheses(|p| p.list(Self::property_key))
    }

    /// `PARTITION (a = 1, b)` if it is there.
    pub(crate) fn optional_partition(&mut self) -> Result<PartitionSpec> {
        if self.at_word("PARTITION") && self.peek_at(1).is_symbol("(") { self.partition() } else { Ok(Vec::new()) }
    }

    pub(crate) fn partition(&mut self) -> Result<PartitionSpec> {
        self.expect_word("PARTITION")?;
        let outer = std::mem::replace(&mut self.allows_default, true);
        let spec = self.in_parentheses(|p| p.list(Self::partition_value));
        self.allows_default = outer;
        spec
    }

    fn partition_value(&mut self) -> Result<(String, Option<Expr>)> {
        let name = self.identifier()?;
        let value = if self.eat_symbol("=") { Some(self.value_expression()?) } else { None };
        Ok((name, value))
    }

    /// A partition all of whose keys have values.
    pub(crate) fn full_partition(&mut self) -> Result<PartitionSpec> {
        let spec = self.optional_partition()?;
        match spec.iter().find(|(_, value)| value.is_none()) {
            Some((key, _)) => Err(self
                .error_on_statement(&error_class::INVALID_SQL_SYNTAX_EMPTY_PARTITION_VALUE)
                .param("partKey", quote(key))),
            None => Ok(spec),
        }
    }

    /// `a INT NOT NULL DEFAULT 1 COMMENT '..'`, after its name.
    pub(crate) fn column_definition(&mut self, name: String) -> Result<ColumnDefinition> {
        let data_type = self.data_type()?;
        self.column_options(name, data_type)
    }

    /// A column and its options.
    pub(crate) fn column(&mut self) -> Result<ColumnDefinition> {
        let name = self.name()?;
        self.eat_symbol(":");
        self.column_definition(name)
    }

    pub(crate) fn column_options(&mut self, name: String, data_type: DataType) -> Result<ColumnDefinition> {
        let mut column =
            ColumnDefinition { name, data_type, nullable: true, comment: None, default: None, generated: None };
        loop {
            let start = self.at;
            if self.not_null() {
                if !column.nullable {
                    return Err(self.duplicate_column_option(&column.name, "NOT NULL", start));
                }
                column.nullable = false;
            } else if let Some(comment) = self.optional_string("COMMENT")? {
                if column.comment.replace(comment).is_some() {
                    return Err(self.duplicate_column_option(&column.name, "COMMENT", start));
                }
            } else if self.eat_word("DEFAULT") {
                let default = self.expression_with_text()?;
                if column.default.replace(default).is_some() {
                    return Err(self.duplicate_column_option(&column.name, "DEFAULT", start));
                }
            } else if self.at_words(&["GENERATED", "ALWAYS"]) || self.at_words(&["GENERATED", "BY", "DEFAULT"]) {
                column.generated = Some(self.generated()?);
            } else {
                self.no_column_constraint()?;
                return Ok(column);
            }
        }
    }

    fn duplicate_column_option(&self, column: &str, option: &str, start: usize) -> SparkError {
        self.error_since(&error_class::CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE, start)
            .param("columnName", column)
            .param("optionName", option)
    }

    /// An expression and its text.
    pub(crate) fn expression_with_text(&mut self) -> Result<(Expr, String)> {
        let start = self.at;
        let expr = self.expression()?;
        Ok((expr, self.text_from(start)))
    }

    /// `GENERATED ALWAYS AS (..)`, or `AS IDENTITY (..)`.
    fn generated(&mut self) -> Result<String> {
        self.advance();
        if self.eat_word("BY") {
            self.expect_word("DEFAULT")?;
        } else {
            self.expect_word("ALWAYS")?;
        }
        self.expect_word("AS")?;
        let start = self.at;
        if !self.eat_word("IDENTITY") {
            return self.in_parentheses(Self::expression_with_text).map(|(_, text)| text);
        }
        if self.eat_symbol("(") {
            while !self.eat_symbol(")") {
                if self.at_end() {
                    return Err(self.syntax_error());
                }
                self.advance();
            }
        }
        Ok(self.text_from(start))
    }

    /// Refuses PRIMARY KEY, UNIQUE, CHECK and REFERENCES behind a column: nobody would keep them.
    fn no_column_constraint(&mut self) -> Result<()> {
        let start = self.at;
        if self.eat_word("CONSTRAINT") {
            self.name()?;
        }
        if !self.constraint_body(true)? {
            return if self.at == start { Ok(()) } else { Err(self.syntax_error()) };
        }
        Err(SparkError::unsupported("the constraint of a column"))
    }

    /// A constraint after its name.
    pub(crate) fn constraint_body(&mut self, is_inline: bool) -> Result<bool> {
        if self.eat_words(&["PRIMARY", "KEY"]) || self.eat_word("UNIQUE") {
            if !is_inline {
                self.in_parentheses(|p| p.list(Self::name))?;
            }
        } else if self.at_word("CHECK") && self.peek_at(1).is_symbol("(") {
            self.advance();
            self.in_parentheses(Self::expression)?;
        } else if self.at_words(&["FOREIGN", "KEY"]) || (is_inline && self.at_word("REFERENCES")) {
            if self.eat_words(&["FOREIGN", "KEY"]) {
                self.in_parentheses(|p| p.list(Self::name))?;
            }
            self.expect_word("REFERENCES")?;
            self.qualified_name()?;
            self.optional_names()?;
            while self.eat_words(&["ON", "DELETE"]) || self.eat_words(&["ON", "UPDATE"]) || self.eat_word("MATCH") {
                let known =
                    self.eat_words(&["NO", "ACTION"]) || self.eat_any(&["CASCADE", "RESTRICT", "FULL"]).is_some();
                if !known {
                    return Err(self.syntax_error());
                }
            }
        } else {
            return Ok(false);
        }
        loop {
            let known = self.eat_words(&["NOT", "ENFORCED"])
                || self.eat_any(&["ENFORCED", "RELY", "NORELY"]).is_some()
                || self.eat_words(&["NOT", "DEFERRABLE"])
                || self.eat_words(&["INITIALLY", "DEFERRED"]);
            if !known {
                return Ok(true);
            }
        }
    }

    /// FIRST or AFTER c.
    pub(crate) fn column_position(&mut self) -> Result<Option<ColumnPosition>> {
        if self.eat_word("FIRST") {
            return Ok(Some(ColumnPosition::First));
        }
        if self.eat_word("AFTER") { Ok(Some(ColumnPosition::After(self.name()?))) } else { Ok(None) }
    }

    /// Whether a name may start here.
    pub(crate) fn at_name(&self) -> bool {
        matches!(self.peek().kind, TokenKind::Word(_) | TokenKind::Quoted(_))
    }
}
