//! CREATE FUNCTION and variables.

use firesteel_model::{Result, error_class};
use firesteel_spec::command::{ColumnDefinition, CreateFunction, FunctionBody};
use firesteel_spec::types::{quote, quote_name};
use firesteel_spec::{Command, Plan};

use crate::parser::Parser;

impl Parser {
    /// After CREATE [OR REPLACE] [TEMPORARY] FUNCTION.
    pub(crate) fn create_function(&mut self, replace: bool, is_temporary: bool) -> Result<Plan> {
        let if_not_exists = self.if_not_exists();
        if if_not_exists && is_temporary {
            let class = &error_class::INVALID_SQL_SYNTAX_CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS;
            return Err(self.error_on_statement(class));
        }
        if if_not_exists && replace {
            let class = &error_class::INVALID_SQL_SYNTAX_CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE;
            return Err(self.error_on_statement(class));
        }
        let name = self.qualified_name()?;
        self.check_temporary_function(&name, is_temporary)?;
        let mut function = CreateFunction {
            name,
            parameters: Vec::new(),
            returns: None,
            returns_table: None,
            body: FunctionBody::JvmClass(String::new()),
            replace,
            if_not_exists,
            is_temporary,
            comment: None,
        };
        if self.eat_word("AS") {
            function.body = FunctionBody::JvmClass(self.string()?);
            if self.eat_word("USING") {
                self.list(|p| {
                    p.identifier()?;
                    p.string()
                })?;
            }
            return Ok(Plan::Command(Command::CreateFunction(Box::new(function))));
        }
        function.parameters = self.parameters()?;
        self.returns(&mut function)?;
        self.characteristics(&mut function)?;
        function.body = self.function_body()?;
        Ok(Plan::Command(Command::CreateFunction(Box::new(function))))
    }

    /// A temporary function lies in no schema.
    pub(crate) fn check_temporary_function(&self, name: &[String], is_temporary: bool) -> Result<()> {
        match name {
            [qualifier @ .., last] if is_temporary && !qualifier.is_empty() => Err(self
                .error_on_statement(&error_class::INVALID_TEMP_OBJ_QUALIFIER)
                .param("objectType", "FUNCTION")
                .param("objectName", quote(last))
                .param("qualifier", quote_name(qualifier))),
            _ => Ok(()),
        }
    }

    fn parameters(&mut self) -> Result<Vec<ColumnDefinition>> {
        self.expect_symbol("(")?;
        let parameters = if self.at_symbol(")") { Vec::new() } else { self.list(Self::parameter)? };
        self.expect_symbol(")")?;
        Ok(parameters)
    }

    fn parameter(&mut self) -> Result<ColumnDefinition> {
        let name = self.name()?;
        let data_type = self.data_type()?;
        if self.at_any(&["UNIQUE", "PRIMARY", "CHECK", "REFERENCES", "CONSTRAINT"]) {
            let class = &error_class::INVALID_SQL_SYNTAX_CREATE_FUNC_WITH_COLUMN_CONSTRAINTS;
            return Err(self.error_on_statement(class));
        }
        if self.at_word("GENERATED") {
            let class = &error_class::INVALID_SQL_SYNTAX_CREATE_FUNC_WITH_GENERATED_COLUMNS;
            return Err(self.error_on_statement(class));
        }
        self.column_options(name, data_type)
    }

    fn returns(&mut self, function: &mut CreateFunction) -> Result<()> {
        if !self.eat_word("RETURNS") {
            return Ok(());
        }
        if self.eat_word("TABLE") {
            let columns = if self.at_symbol("(") { self.in_parentheses(|p| p.list(Self::column))? } else { Vec::new() };
            function.returns_table = Some(columns);
        } else {
            function.returns = Some(self.data_type()?);
        }
        Ok(())
    }

    /// LANGUAGE, DETERMINISTIC, COMMENT and their like, in any order.
    fn characteristics(&mut self, function: &mut CreateFunction) -> Result<()> {
        let mut seen: Vec<&str> = Vec::new();
        loop {
            let start = self.at;
            let clause = if self.eat_word("LANGUAGE") {
                let language = self.identifier()?;
                if !language.eq_ignore_ascii_case("SQL") {
                    return Err(firesteel_model::SparkError::unsupported(format!(
                        "functions written in {language} in SQL text"
                    )));
                }
                "LANGUAGE"
            } else if self.eat_word("DETERMINISTIC") || self.eat_words(&["NOT", "DETERMINISTIC"]) {
                "DETERMINISTIC"
            } else if let Some(comment) = self.optional_string("COMMENT")? {
                function.comment = Some(comment);
                "COMMENT"
            } else if self.eat_words(&["CONTAINS", "SQL"])
                || self.eat_words(&["READS", "SQL", "DATA"])
                || self.eat_words(&["NO", "SQL"])
            {
                "SQL DATA ACCESS"
            } else if self.eat_words(&["SQL", "SECURITY", "DEFINER"]) || self.eat_words(&["SQL", "SECURITY", "INVOKER"])
            {
                "SQL SECURITY"
            } else {
                return Ok(());
            };
            if seen.contains(&clause) {
                return Err(self.duplicate_clause(clause, start));
            }
            seen.push(clause);
        }
    }

    fn function_body(&mut self) -> Result<FunctionBody> {
        self.expect_word("RETURN")?;
        let start = self.at;
        let is_query = self.is_query_at(0) && !self.at_symbol("(");
        if is_query {
            let query = self.query()?;
            return Ok(FunctionBody::Query(query, self.text_from(start)));
        }
        let (expr, text) = self.expression_with_text()?;
        Ok(FunctionBody::Expression(expr, text))
    }

    /// DECLARE [OR REPLACE] [VARIABLE] a, b INT DEFAULT 1
    pub(crate) fn declare_variable(&mut self) -> Result<Command> {
        self.expect_word("DECLARE")?;
        let replace = self.eat_words(&["OR", "REPLACE"]);
        let has_word = self.at_any(&["VARIABLE", "VAR"]) && !self.peek_at(1).is_symbol(";") && !self.ends_declare_at(1);
        if has_word {
            self.advance();
        }
        let names = self.list(Self::qualified_name)?;
        let has_default = |p: &Self| p.at_word("DEFAULT") || p.at_symbol("=");
        let ends = self.at_end() || self.at_symbol(";");
        let data_type = if ends || has_default(self) { None } else { Some(self.data_type()?) };
        let default = if has_default(self) {
            self.advance();
            Some(self.expression()?)
        } else {
            None
        };
        if data_type.is_none() && default.is_none() {
            let class = &error_class::INVALID_SQL_SYNTAX_VARIABLE_TYPE_OR_DEFAULT_REQUIRED;
            return Err(self.error_on_statement(class));
        }
        Ok(Command::DeclareVariable { names, data_type, default, replace })
    }

    fn ends_declare_at(&self, ahead: usize) -> bool {
        let token = self.peek_at(ahead);
        token.kind == crate::token::TokenKind::End || token.is_symbol("=") || token.is_word("DEFAULT")
    }
}
