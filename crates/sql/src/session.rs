//! SET, RESET, USE, CACHE, REFRESH, ANALYZE and other commands about the session and the catalog.

use firesteel_model::{Result, error_class};
use firesteel_spec::command::AnalyzeColumns;
use firesteel_spec::{Command, Expr, ExprNode, Literal};

use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    pub(crate) fn set(&mut self) -> Result<Command> {
        let start = self.at;
        self.advance();
        if self.at_words(&["TIME", "ZONE"]) {
            self.at += 2;
            return self.set_time_zone(start);
        }
        if self.at_word("CATALOG") && !self.peek_at(1).is_symbol("=") && !self.peek_at(1).is_symbol(".") {
            self.advance();
            let name = if self.at_string() { self.string()? } else { self.name()? };
            return Ok(Command::UseCatalog { name });
        }
        if self.at_any(&["VARIABLE", "VAR"]) && (self.names_follow() || self.peek_at(1).is_symbol("(")) {
            self.advance();
            return self.set_variables(start);
        }
        if self.at_word("ROLE") && self.names_follow() {
            return Ok(Command::Unsupported(format!("SET {}", self.rest())));
        }
        if self.at_word("COLLATION") && self.names_follow() {
            return Ok(Command::Unsupported(format!("SET {}", self.rest())));
        }
        if self.at_word("PATH") && self.peek_at(1).is_symbol("=") {
            return Ok(Command::Unsupported(format!("SET {}", self.rest())));
        }
        self.set_configuration(start)
    }

    fn names_follow(&self) -> bool {
        matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_))
    }

    /// `a = 1, b = 2` or `(a, b) = (SELECT ..)`.
    pub(crate) fn set_variables(&mut self, start: usize) -> Result<Command> {
        let outer = std::mem::replace(&mut self.allows_default, true);
        let command = self.variable_assignments(start);
        self.allows_default = outer;
        command
    }

    fn variable_assignments(&mut self, start: usize) -> Result<Command> {
        if !self.eat_symbol("(") {
            return Ok(Command::SetVariables { assignments: self.assignments()?, query: None });
        }
        if self.at_symbol(")") {
            self.rest();
            return Err(self.error_since(&error_class::INVALID_SET_SYNTAX, start));
        }
        let names = self.list(Self::qualified_name)?;
        self.expect_symbol(")")?;
        self.expect_symbol("=")?;
        let query = self.in_parentheses(Self::query)?;
        let target = |name: Vec<String>| (name, Expr::new(ExprNode::Default));
        let assignments = names.into_iter().map(target).collect();
        Ok(Command::SetVariables { assignments, query: Some(query) })
    }

    fn set_time_zone(&mut self, start: usize) -> Result<Command> {
        let ends = |p: &Self| p.at_end() || p.at_symbol(";");
        let zone = self.at;
        if self.eat_word("LOCAL") && ends(self) {
            return Ok(Command::SetTimeZone(Expr::literal(Literal::String("LOCAL".to_owned()))));
        }
        self.at = zone;
        if self.at_string() {
            let zone = self.string()?;
            if ends(self) {
                return Ok(Command::SetTimeZone(Expr::literal(Literal::String(zone))));
            }
        } else if let Some(interval) = self.interval()?
            && ends(self)
        {
            self.check_zone_interval(&interval)?;
            return Ok(Command::SetTimeZone(interval));
        }
        self.rest();
        Err(self.error_since(&error_class::LEGACY_ERROR_TEMP_0045, start))
    }

    fn check_zone_interval(&self, interval: &Expr) -> Result<()> {
        let hours_18 = 18 * 3_600_000_000;
        let fits = match interval.node.as_ref() {
            ExprNode::Literal(Literal::DayTimeInterval(micros, _)) => {
                micros.abs() <= hours_18 && micros % 1_000_000 == 0
            }
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let hours = match interval.node.as_ref() {
            ExprNode::Literal(Literal::DayTimeInterval(micros, _)) => micros / 3_600_000_000,
            _ => 0,
        };
        Err(self
            .error_on_statement(&error_class::INVALID_INTERVAL_FORMAT_TIMEZONE_INTERVAL_OUT_OF_RANGE)
            .param("input", hours.to_string()))
    }

    /// `key = value`, taken as written: values need no quotes.
    fn set_configuration(&mut self, start: usize) -> Result<Command> {
        let next = self.peek_at(1);
        let ends_key = next.is_symbol("=") || next.is_symbol(";") || next.kind == TokenKind::End;
        if let (TokenKind::Quoted(key), true) = (self.peek().kind.clone(), ends_key) {
            self.advance();
            let value = if self.eat_symbol("=") { Some(self.configuration_value()) } else { None };
            return Ok(Command::Set { key: Some(key), value, with_docs: false });
        }
        let text = self.raw_rest();
        if text.is_empty() {
            return Ok(Command::Set { key: None, value: None, with_docs: false });
        }
        if text == "-v" {
            return Ok(Command::Set { key: None, value: None, with_docs: true });
        }
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.trim())),
            None => (text.as_str(), None),
        };
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_.:\\".contains(c));
        if !is_key {
            return Err(self.error_since(&error_class::INVALID_SET_SYNTAX, start));
        }
        let value = value.map(|value| value.strip_prefix('`').and_then(|v| v.strip_suffix('`')).unwrap_or(value));
        Ok(Command::Set { key: Some(key.to_owned()), value: value.map(str::to_owned), with_docs: false })
    }

    fn configuration_value(&mut self) -> String {
        let text = self.raw_rest();
        match text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            Some(value) => value.replace("``", "`"),
            None => text,
        }
    }

    /// The text up to the end of the statement, comments and all.
    fn raw_rest(&mut self) -> String {
        let from = self.peek().start;
        let is_empty = self.at_end();
        self.rest();
        if is_empty {
            return String::new();
        }
        let until = if self.at_end() { self.chars.len() as u32 } else { self.peek().start };
        self.chars[from as usize..until as usize].iter().collect::<String>().trim().to_owned()
    }

    pub(crate) fn reset(&mut self) -> Command {
        self.advance();
        let text = self.raw_rest();
        let unquoted = text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(&text);
        Command::Reset { key: (!unquoted.is_empty()).then(|| unquoted.to_owned()) }
    }

    pub(crate) fn use_schema(&mut self) -> Result<Command> {
        self.advance();
        let has_more = matches!(self.peek_at(1).kind, TokenKind::Word(_) | TokenKind::Quoted(_));
        if self.at_word("CATALOG") && has_more {
            self.advance();
            return Ok(Command::UseCatalog { name: self.name()? });
        }
        if self.at_any(&["SCHEMA", "DATABASE", "NAMESPACE"]) && has_more {
            self.advance();
        }
        Ok(Command::UseSchema { name: self.qualified_name()? })
    }

    pub(crate) fn cache(&mut self) -> Result<Command> {
        self.advance();
        let is_lazy = self.eat_word("LAZY");
        self.expect_word("TABLE")?;
        let name = self.qualified_name()?;
        let options = if self.eat_word("OPTIONS") { self.property_list()? } else { Vec::new() };
        let query = if self.eat_word("AS") || self.is_query_at(0) { Some(self.query()?) } else { None };
        Ok(Command::CacheTable { name, query, is_lazy, options })
    }

    pub(crate) fn refresh(&mut self) -> Result<Command> {
        self.advance();
        if self.eat_word("TABLE") {
            return Ok(Command::Refresh { target: self.qualified_name()?, is_path: false });
        }
        if self.eat_word("FUNCTION") {
            let name = self.qualified_name()?;
            return Ok(Command::Unsupported(format!("REFRESH FUNCTION {}", Self::printed(&name))));
        }
        let path = if self.at_string() { self.string()? } else { self.raw_rest() };
        Ok(Command::Refresh { target: vec![path], is_path: true })
    }

    pub(crate) fn analyze(&mut self) -> Result<Command> {
        self.advance();
        if self.eat_word("TABLES") {
            return Ok(Command::Unsupported(format!("ANALYZE TABLES {}", self.rest()).trim().to_owned()));
        }
        self.expect_word("TABLE")?;
        let table = self.qualified_name()?;
        let partition = self.optional_partition()?;
        self.expect_words(&["COMPUTE", "STATISTICS"])?;
        let mut no_scan = false;
        let columns = if self.eat_words(&["FOR", "ALL", "COLUMNS"]) {
            AnalyzeColumns::All
        } else if self.eat_words(&["FOR", "COLUMNS"]) {
            AnalyzeColumns::Named(self.list(Self::name)?)
        } else {
            no_scan = self.eat_word("NOSCAN");
            AnalyzeColumns::None
        };
        Ok(Command::Analyze { table, partition, columns, no_scan })
    }

    pub(crate) fn comment_on(&mut self) -> Result<Command> {
        self.expect_words(&["COMMENT", "ON"])?;
        let is_schema = self.eat_any(&["SCHEMA", "DATABASE", "NAMESPACE"]).is_some();
        if !is_schema {
            self.expect_word("TABLE")?;
        }
        let name = self.qualified_name()?;
        self.expect_word("IS")?;
        let comment = if self.eat_word("NULL") { None } else { Some(self.string()?) };
        Ok(Command::CommentOn { name, is_schema, comment })
    }

    /// EXECUTE IMMEDIATE text INTO a USING 1 AS b
    pub(crate) fn execute_immediate(&mut self) -> Result<Command> {
        self.expect_words(&["EXECUTE", "IMMEDIATE"])?;
        let text = self.expression()?;
        let into = if self.eat_word("INTO") { self.list(Self::qualified_name)? } else { Vec::new() };
        let mut using = Vec::new();
        let start = self.at;
        if self.eat_word("USING") {
            let listed = self.attempt(|p| {
                let list = p.in_parentheses(Self::named_expressions)?;
                let ends = p.at_end() || p.at_symbol(";") || p.at_word("INTO");
                if ends { Ok(list) } else { Err(p.syntax_error()) }
            })?;
            using = match listed {
                Some(list) => list,
                None => self.named_expressions()?,
            };
        }
        let mut seen: Vec<&str> = Vec::new();
        for expr in &using {
            if let ExprNode::Alias { names, .. } = expr.node.as_ref() {
                let name = names[0].as_str();
                if seen.contains(&name) {
                    return Err(self
                        .error_since(&error_class::EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES, start)
                        .param("aliases", firesteel_spec::types::quote(name)));
                }
                seen.push(name);
            }
        }
        Ok(Command::ExecuteImmediate { text, into, using })
    }

    /// ADD JAR and its like; paths need no quotes.
    pub(crate) fn add_resource(&mut self) -> Result<Command> {
        self.advance();
        let kind = self.identifier()?.to_uppercase();
        let mut paths = Vec::new();
        while self.at_string() {
            if let TokenKind::Text { value, .. } = self.peek().kind.clone() {
                paths.push(value);
            }
            self.advance();
        }
        if paths.is_empty() {
            paths = self.raw_rest().split_whitespace().map(str::to_owned).collect();
        }
        Ok(Command::AddResource { kind, paths })
    }
}
