//! CREATE VIEW and temporary views.

use firesteel_model::{Result, error_class};
use firesteel_spec::command::{CreateView, ViewSchemaMode};
use firesteel_spec::types::{quote, quote_if_needed, quote_name};
use firesteel_spec::{Command, Plan};

use crate::parser::Parser;

/// How CREATE VIEW began.
#[derive(Clone, Copy)]
pub(crate) struct ViewHead {
    pub(crate) replace: bool,
    pub(crate) is_global: bool,
    pub(crate) is_temporary: bool,
}

/// What stands between a view's columns and its query.
#[derive(Default)]
struct ViewClauses {
    comment: Option<String>,
    properties: Vec<(String, String)>,
    schema_mode: Option<ViewSchemaMode>,
}

impl Parser {
    /// After CREATE [OR REPLACE] [[GLOBAL] TEMPORARY] VIEW.
    pub(crate) fn create_view(&mut self, head: ViewHead) -> Result<Plan> {
        let start = self.at;
        let ViewHead { replace, is_global, is_temporary } = head;
        let if_not_exists = self.if_not_exists();
        let mut name = self.qualified_name()?;
        if is_temporary && self.is_using_view() {
            let schema = if self.at_symbol("(") { Some(self.in_parentheses(Self::table_schema)?) } else { None };
            self.expect_word("USING")?;
            let format = self.qualified_name()?.join(".");
            let options = if self.eat_word("OPTIONS") { self.property_list()? } else { Vec::new() };
            let command = Command::CreateTempViewUsing { name, is_global, replace, schema, format, options };
            return Ok(Plan::Command(command));
        }
        let columns =
            if self.at_symbol("(") { self.in_parentheses(|p| p.list(Self::view_column))? } else { Vec::new() };
        let ViewClauses { comment, properties, schema_mode } = self.view_clauses(start)?;
        self.expect_word("AS")?;
        let query_start = self.at;
        let query = self.query()?;
        if !is_temporary {
            return Ok(Plan::Command(Command::CreateView(CreateView {
                name,
                columns,
                query,
                text: self.text_from(query_start),
                if_not_exists,
                replace,
                comment,
                properties,
                is_alter: false,
                schema_mode,
            })));
        }
        if name.len() > 1 {
            let last = name.pop().unwrap_or_default();
            return Err(self
                .error_on_statement(&error_class::INVALID_TEMP_OBJ_QUALIFIER)
                .param("objectType", "VIEW")
                .param("objectName", quote(&last))
                .param("qualifier", quote_name(&name)));
        }
        let name = name.pop().unwrap_or_default();
        Ok(Plan::Command(Command::CreateTempView { name, is_global, replace, query, columns }))
    }

    /// Whether USING follows the name, behind columns perhaps.
    fn is_using_view(&self) -> bool {
        if self.at_word("USING") {
            return true;
        }
        let mut depth = 0;
        for ahead in 0.. {
            let token = self.peek_at(ahead);
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                depth -= 1;
            } else if depth == 0 || token.kind == crate::token::TokenKind::End {
                return ahead > 0 && token.is_word("USING");
            }
        }
        false
    }

    fn view_column(&mut self) -> Result<(String, Option<String>)> {
        let name = self.name()?;
        Ok((name, self.optional_string("COMMENT")?))
    }

    fn view_clauses(&mut self, start: usize) -> Result<ViewClauses> {
        let mut clauses = ViewClauses::default();
        let mut seen: Vec<&str> = Vec::new();
        loop {
            let clause = if let Some(text) = self.optional_string("COMMENT")? {
                clauses.comment = Some(text);
                "COMMENT"
            } else if self.at_words(&["WITH", "SCHEMA"]) {
                clauses.schema_mode = Some(self.schema_binding()?);
                "WITH SCHEMA"
            } else if self.eat_words(&["PARTITIONED", "ON"]) {
                self.optional_names()?;
                "PARTITIONED ON"
            } else if self.eat_word("TBLPROPERTIES") {
                clauses.properties.extend(self.property_list()?);
                "TBLPROPERTIES"
            } else if self.eat_words(&["DEFAULT", "COLLATION"]) {
                clauses.properties.push(("collation".to_owned(), self.collation_name()?));
                "COLLATION"
            } else if self.eat_words(&["WITH", "METRICS"]) {
                return Err(firesteel_model::SparkError::unsupported("metric views"));
            } else {
                return Ok(clauses);
            };
            if seen.contains(&clause) {
                return Err(self.duplicate_clause(clause, start));
            }
            seen.push(clause);
        }
    }

    /// `WITH SCHEMA EVOLUTION` and its like say what to do when columns change below.
    pub(crate) fn schema_binding(&mut self) -> Result<ViewSchemaMode> {
        let start = self.at;
        self.expect_words(&["WITH", "SCHEMA"])?;
        let mode = if self.eat_words(&["TYPE", "EVOLUTION"]) {
            ViewSchemaMode::TypeEvolution
        } else if self.eat_word("BINDING") {
            ViewSchemaMode::Binding
        } else if self.eat_word("COMPENSATION") {
            ViewSchemaMode::Compensation
        } else if self.eat_word("EVOLUTION") {
            ViewSchemaMode::Evolution
        } else {
            return Err(self.syntax_error());
        };
        if self.options.refuses_view_schema_modes {
            return Err(self
                .error_since(&error_class::FEATURE_NOT_ENABLED, start)
                .param("featureName", "VIEW ... WITH SCHEMA ...")
                .param("configKey", "spark.sql.legacy.viewSchemaBindingMode")
                .param("configValue", "true"));
        }
        Ok(mode)
    }

    /// A qualified name as messages print it.
    pub(crate) fn printed(parts: &[String]) -> String {
        parts.iter().map(|part| quote_if_needed(part)).collect::<Vec<_>>().join(".")
    }
}
