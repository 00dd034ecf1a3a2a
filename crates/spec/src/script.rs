//! SQL scripts as written.

use crate::expr::Expr;
use crate::relation::Relation;

/// BEGIN .. END
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Label.
    pub label: Option<String>,
    /// Statements, declarations and handlers in order.
    pub statements: Vec<Statement>,
}

/// A statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// A query or command, with its text.
    Plan(Box<crate::Plan>, String),
    /// BEGIN .. END
    Block(Block),
    /// DECLARE c CONDITION FOR SQLSTATE '..'
    Condition { name: String, sql_state: Option<String> },
    /// DECLARE EXIT HANDLER FOR ..
    Handler { is_exit: bool, conditions: Vec<String>, body: Box<Statement> },
    /// IF .. ELSEIF .. ELSE
    If { branches: Vec<(Expr, Vec<Statement>)>, otherwise: Vec<Statement> },
    /// CASE, simple where there is an operand.
    Case { operand: Option<Expr>, branches: Vec<(Expr, Vec<Statement>)>, otherwise: Option<Vec<Statement>> },
    /// WHILE .. DO
    While { label: Option<String>, condition: Expr, body: Vec<Statement> },
    /// REPEAT .. UNTIL
    Repeat { label: Option<String>, body: Vec<Statement>, until: Expr },
    /// LOOP
    Loop { label: Option<String>, body: Vec<Statement> },
    /// FOR v AS query DO
    For { label: Option<String>, variable: Option<String>, query: Relation, body: Vec<Statement> },
    /// LEAVE
    Leave(String),
    /// ITERATE
    Iterate(String),
    /// SIGNAL, RESIGNAL
    Signal { condition: Option<String>, sql_state: Option<String>, message: Option<Expr> },
}
