//! BEGIN .. END and the statements that only scripts have.

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::{Block, Statement};
use firesteel_spec::types::quote_if_needed;
use firesteel_spec::{Command, Expr, Plan};

use crate::parser::Parser;
use crate::token::TokenKind;

impl Parser {
    /// Whether a block starts here, behind a label perhaps.
    pub(crate) fn at_block(&self) -> bool {
        let after_label = if self.at_label() { 2 } else { 0 };
        self.peek_at(after_label).is_word("BEGIN") && !self.peek_at(after_label + 1).is_word("TRANSACTION")
    }

    fn at_label(&self) -> bool {
        matches!(self.peek().kind, TokenKind::Word(_) | TokenKind::Quoted(_))
            && self.peek_at(1).is_symbol(":")
            && matches!(self.peek_at(2).kind, TokenKind::Word(_))
    }

    pub(crate) fn script(&mut self) -> Result<Plan> {
        let block = self.block()?;
        Ok(Plan::Command(Command::Script(Box::new(block))))
    }

    fn block(&mut self) -> Result<Block> {
        let label = self.label()?;
        self.block_after(label)
    }

    fn block_after(&mut self, label: Option<String>) -> Result<Block> {
        self.expect_word("BEGIN")?;
        self.eat_words(&["NOT", "ATOMIC"]);
        let statements = self.statements(&["END"])?;
        self.expect_word("END")?;
        self.end_label(&label)?;
        Ok(Block { label, statements })
    }

    fn label(&mut self) -> Result<Option<String>> {
        if !self.at_label() {
            return Ok(None);
        }
        let label = self.identifier()?;
        self.advance();
        Ok(Some(label))
    }

    /// The label behind END, which must be the one before BEGIN.
    fn end_label(&mut self, label: &Option<String>) -> Result<()> {
        if !self.at_name() {
            return Ok(());
        }
        let start = self.at;
        let end = self.identifier()?;
        match label {
            Some(label) if label.eq_ignore_ascii_case(&end) => Ok(()),
            Some(label) => Err(self
                .error_since(&error_class::LABELS_MISMATCH, start)
                .param("beginLabel", quote_if_needed(label))
                .param("endLabel", quote_if_needed(&end))),
            None => Err(self
                .error_since(&error_class::END_LABEL_WITHOUT_BEGIN_LABEL, start)
                .param("endLabel", quote_if_needed(&end))),
        }
    }

    /// Statements with a semicolon each, up to one of these words.
    fn statements(&mut self, ends: &[&str]) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        while !self.at_any(ends) {
            if self.at_end() {
                return Err(self.syntax_error());
            }
            statements.push(self.nested(Self::script_statement)?);
            self.expect_symbol(";")?;
        }
        Ok(statements)
    }

    fn script_statement(&mut self) -> Result<Statement> {
        let label = self.label()?;
        if self.at_word("BEGIN") {
            return Ok(Statement::Block(self.block_after(label)?));
        }
        let is_loop = self.at_any(&["WHILE", "REPEAT", "LOOP", "FOR"]);
        if is_loop {
            return self.loop_statement(label);
        }
        if label.is_some() {
            return Err(self.syntax_error());
        }
        let next = self.peek_at(1);
        match () {
            () if self.at_word("DECLARE") && (next.is_word("EXIT") || next.is_word("CONTINUE")) => self.handler(),
            () if self.at_word("DECLARE") && self.peek_at(2).is_word("CONDITION") => self.condition(),
            () if self.at_word("IF") => self.if_statement(),
            () if self.at_word("CASE") => self.case_statement(),
            () if self.eat_word("LEAVE") => self.identifier().map(Statement::Leave),
            () if self.eat_word("ITERATE") => self.identifier().map(Statement::Iterate),
            () if self.at_word("SIGNAL") || self.at_word("RESIGNAL") => self.signal(),
            () => self.plain_statement(),
        }
    }

    /// A query or command; SET sets variables here.
    fn plain_statement(&mut self) -> Result<Statement> {
        let start = self.at;
        let is_assignment = self.at_word("SET")
            && !self.peek_at(1).is_word("TIME")
            && !self.peek_at(1).is_word("CATALOG")
            && !self.peek_at(1).is_word("VAR")
            && !self.peek_at(1).is_word("VARIABLE");
        let assigned = if is_assignment {
            self.attempt(|p| {
                p.advance();
                let command = p.set_variables(start)?;
                if p.at_symbol(";") { Ok(Plan::Command(command)) } else { Err(p.syntax_error()) }
            })?
        } else {
            None
        };
        let plan = match assigned {
            Some(plan) => plan,
            None => self.single_statement()?,
        };
        Ok(Statement::Plan(Box::new(plan), self.text_from(start)))
    }

    fn loop_statement(&mut self, label: Option<String>) -> Result<Statement> {
        match self.eat_any(&["WHILE", "REPEAT", "LOOP", "FOR"]) {
            Some("WHILE") => {
                let condition = self.expression()?;
                let body = self.loop_body("DO", "WHILE", &label)?;
                Ok(Statement::While { label, condition, body })
            }
            Some("REPEAT") => {
                let body = self.statements(&["UNTIL"])?;
                self.expect_word("UNTIL")?;
                let until = self.expression()?;
                self.expect_words(&["END", "REPEAT"])?;
                self.end_label(&label)?;
                Ok(Statement::Repeat { label, body, until })
            }
            Some("LOOP") => {
                let body = self.statements(&["END"])?;
                self.expect_words(&["END", "LOOP"])?;
                self.end_label(&label)?;
                Ok(Statement::Loop { label, body })
            }
            _ => {
                let has_variable = self.peek_at(1).is_word("AS");
                let variable = if has_variable { Some(self.identifier()?) } else { None };
                if has_variable {
                    self.advance();
                }
                let query = self.query()?;
                let body = self.loop_body("DO", "FOR", &label)?;
                Ok(Statement::For { label, variable, query, body })
            }
        }
    }

    fn loop_body(&mut self, opening: &str, closing: &str, label: &Option<String>) -> Result<Vec<Statement>> {
        self.expect_word(opening)?;
        let body = self.statements(&["END"])?;
        self.expect_words(&["END", closing])?;
        self.end_label(label)?;
        Ok(body)
    }

    fn if_statement(&mut self) -> Result<Statement> {
        self.advance();
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let condition = self.expression()?;
            self.expect_word("THEN")?;
            branches.push((condition, self.statements(&["ELSEIF", "ELSE", "END"])?));
            if self.eat_word("ELSEIF") {
                continue;
            }
            if self.eat_word("ELSE") {
                otherwise = self.statements(&["END"])?;
            }
            self.expect_words(&["END", "IF"])?;
            return Ok(Statement::If { branches, otherwise });
        }
    }

    fn case_statement(&mut self) -> Result<Statement> {
        self.advance();
        let operand = if self.at_word("WHEN") { None } else { Some(self.expression()?) };
        let mut branches: Vec<(Expr, Vec<Statement>)> = Vec::new();
        while self.eat_word("WHEN") {
            let condition = self.expression()?;
            self.expect_word("THEN")?;
            branches.push((condition, self.statements(&["WHEN", "ELSE", "END"])?));
        }
        let otherwise = if self.eat_word("ELSE") { Some(self.statements(&["END"])?) } else { None };
        self.expect_words(&["END", "CASE"])?;
        if branches.is_empty() {
            return Err(self.syntax_error());
        }
        Ok(Statement::Case { operand, branches, otherwise })
    }

    fn condition(&mut self) -> Result<Statement> {
        self.advance();
        let name = self.identifier()?;
        self.expect_word("CONDITION")?;
        let sql_state = if self.eat_word("FOR") { Some(self.sql_state()?) } else { None };
        Ok(Statement::Condition { name, sql_state })
    }

    /// SQLSTATE [VALUE] '..'
    fn sql_state(&mut self) -> Result<String> {
        let start = self.at;
        self.expect_word("SQLSTATE")?;
        self.eat_word("VALUE");
        let state = self.string()?;
        let is_state = state.len() == 5 && state.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if is_state {
            return Ok(state);
        }
        Err(self.error_since(&error_class::INVALID_SQLSTATE, start).param("sqlState", state))
    }

    fn handler(&mut self) -> Result<Statement> {
        self.advance();
        let is_exit = self.eat_word("EXIT");
        if !is_exit {
            self.expect_word("CONTINUE")?;
        }
        self.expect_words(&["HANDLER", "FOR"])?;
        let conditions = self.list(|p| {
            if p.at_word("SQLSTATE") && !p.peek_at(1).is_symbol(",") {
                p.sql_state()
            } else if p.eat_words(&["NOT", "FOUND"]) {
                Ok("NOT FOUND".to_owned())
            } else {
                Ok(p.qualified_name()?.join("."))
            }
        })?;
        let body = self.nested(Self::script_statement)?;
        Ok(Statement::Handler { is_exit, conditions, body: Box::new(body) })
    }

    fn signal(&mut self) -> Result<Statement> {
        self.advance();
        let mut condition = None;
        let mut sql_state = None;
        if self.at_word("SQLSTATE") {
            sql_state = Some(self.sql_state()?);
        } else if self.at_name() && !self.at_word("SET") {
            condition = Some(self.qualified_name()?.join("."));
        }
        let message = if self.eat_words(&["SET", "MESSAGE_TEXT"]) {
            self.expect_symbol("=")?;
            Some(self.expression()?)
        } else if self.at_word("SET") || self.at_symbol("(") {
            return Err(SparkError::unsupported("SIGNAL with message arguments"));
        } else {
            None
        };
        Ok(Statement::Signal { condition, sql_state, message })
    }
}
