//! SQL scripts: BEGIN .. END, run statement by statement.
//!
//! Variables and the current row of a FOR loop live in the session's catalog, a scope for each block. An error looks
//! for a handler from the innermost block outwards; while a handler runs, the handlers of its own block and of those
//! inside are not asked.

use std::collections::HashMap;

use firesteel_model::{Result, SparkError};
use firesteel_spec::command::{Block, Statement};
use firesteel_spec::{Expr, Literal, Plan, Relation};
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::functions;
use crate::planning;
use crate::query;
use crate::rows::ReadyRows;
use crate::session::DriverSession;

/// SQLSTATE of a condition that is declared without one.
const UNNAMED_STATE: &str = "45000";

/// Runs a script; its rows are those of its last query.
pub(super) async fn run(session: &DriverSession, block: &Block, cancellation: &CancellationToken) -> Result<ReadyRows> {
    let mut script = Script { session, cancellation, rows: ReadyRows::default(), frames: Vec::new() };
    let depth = session.catalog().scopes();
    let result = script.block(block).await;
    session.catalog().leave_scopes(depth);
    result.map(|_| script.rows)
}

/// Where the script goes on.
enum Flow {
    /// The next statement.
    Next,
    /// Behind the block or loop of this label.
    Leave(String),
    /// The next round of the loop of this label.
    Iterate(String),
    /// Behind the block at this place among those that run.
    ExitBlock(usize),
}

/// A block that runs: what it declares.
#[derive(Default)]
struct Frame<'s> {
    handlers: Vec<Handler<'s>>,
    /// SQLSTATE by the condition's name.
    conditions: HashMap<String, String>,
}

#[derive(Clone, Copy)]
struct Handler<'s> {
    is_exit: bool,
    conditions: &'s [String],
    body: &'s Statement,
}

struct Script<'s> {
    session: &'s DriverSession,
    cancellation: &'s CancellationToken,
    rows: ReadyRows,
    frames: Vec<Frame<'s>>,
}

impl<'s> Script<'s> {
    fn block<'a>(&'a mut self, block: &'s Block) -> BoxFuture<'a, Result<Flow>> {
        Box::pin(async move {
            let place = self.frames.len();
            let scopes = self.session.catalog().scopes();
            self.frames.push(Frame::default());
            self.session.catalog().enter_scope(block.label.as_deref());
            let flow = self.statements(&block.statements).await;
            self.frames.truncate(place);
            self.session.catalog().leave_scopes(scopes);
            Ok(match flow? {
                Flow::ExitBlock(exited) if exited == place => Flow::Next,
                Flow::Leave(label) if is_label(block.label.as_ref(), &label) => Flow::Next,
                other => other,
            })
        })
    }

    async fn statements(&mut self, statements: &'s [Statement]) -> Result<Flow> {
        for statement in statements {
            if self.cancellation.is_cancelled() {
                return Err(SparkError::new(&firesteel_model::error_class::OPERATION_CANCELED));
            }
            match self.statement(statement).await? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn statement<'a>(&'a mut self, statement: &'s Statement) -> BoxFuture<'a, Result<Flow>> {
        Box::pin(async move {
            match statement {
                Statement::Plan(plan, _) => match self.plan(plan).await {
                    Ok(()) => Ok(Flow::Next),
                    Err(failure) => self.handled(failure).await,
                },
                Statement::Block(block) => self.block(block).await,
                Statement::Condition { name, sql_state } => {
                    let state = sql_state.clone().unwrap_or_else(|| UNNAMED_STATE.to_owned());
                    if let Some(frame) = self.frames.last_mut() {
                        frame.conditions.insert(name.to_lowercase(), state);
                    }
                    Ok(Flow::Next)
                }
                Statement::Handler { is_exit, conditions, body } => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.handlers.push(Handler { is_exit: *is_exit, conditions, body });
                    }
                    Ok(Flow::Next)
                }
                Statement::If { branches, otherwise } => self.branches(None, branches, Some(otherwise)).await,
                Statement::Case { operand, branches, otherwise } => {
                    self.branches(operand.as_ref(), branches, otherwise.as_deref()).await
                }
                Statement::While { label, condition, body } => {
                    self.rounds(label.as_ref(), Some(condition), body, None).await
                }
                Statement::Repeat { label, body, until } => self.rounds(label.as_ref(), None, body, Some(until)).await,
                Statement::Loop { label, body } => self.rounds(label.as_ref(), None, body, None).await,
                Statement::For { label, variable, query, body } => {
                    self.each_row(label.as_ref(), variable.as_deref(), query, body).await
                }
                Statement::Leave(label) => Ok(Flow::Leave(label.clone())),
                Statement::Iterate(label) => Ok(Flow::Iterate(label.clone())),
                Statement::Signal { .. } => Err(SparkError::unsupported("SIGNAL and RESIGNAL")),
            }
        })
    }

    async fn plan(&mut self, plan: &Plan) -> Result<()> {
        let rows = match plan {
            Plan::Command(command) => Box::pin(super::run(self.session, command, self.cancellation)).await?,
            Plan::Query(relation) => self.query(relation).await?,
        };
        if !rows.fields.is_empty() {
            self.rows = rows;
        }
        Ok(())
    }

    async fn query(&self, relation: &Relation) -> Result<ReadyRows> {
        let prepared = planning::prepared(self.session, relation).await?;
        query::rows_of(self.session, prepared, self.cancellation).await
    }

    /// IF and CASE.
    async fn branches(
        &mut self,
        operand: Option<&Expr>,
        branches: &'s [(Expr, Vec<Statement>)],
        otherwise: Option<&'s [Statement]>,
    ) -> Result<Flow> {
        for (condition, body) in branches {
            let holds = match operand {
                Some(operand) => self.holds(&Expr::call("==", vec![operand.clone(), condition.clone()])).await,
                None => self.holds(condition).await,
            };
            match holds {
                Ok(true) => return self.statements(body).await,
                Ok(false) => {}
                Err(failure) => return self.handled(failure).await,
            }
        }
        self.statements(otherwise.unwrap_or_default()).await
    }

    /// WHILE, REPEAT and LOOP.
    async fn rounds(
        &mut self,
        label: Option<&String>,
        condition: Option<&'s Expr>,
        body: &'s [Statement],
        until: Option<&'s Expr>,
    ) -> Result<Flow> {
        loop {
            if let Some(condition) = condition {
                match self.holds(condition).await {
                    Ok(true) => {}
                    Ok(false) => return Ok(Flow::Next),
                    Err(failure) => return self.handled(failure).await,
                }
            }
            match self.statements(body).await? {
                Flow::Next => {}
                Flow::Iterate(to) if is_label(label, &to) => {}
                Flow::Leave(of) if is_label(label, &of) => return Ok(Flow::Next),
                other => return Ok(other),
            }
            if let Some(until) = until {
                match self.holds(until).await {
                    Ok(false) => {}
                    Ok(true) => return Ok(Flow::Next),
                    Err(failure) => return self.handled(failure).await,
                }
            }
        }
    }

    /// FOR: a scope with the row's columns for each round.
    async fn each_row(
        &mut self,
        label: Option<&String>,
        variable: Option<&str>,
        query: &Relation,
        body: &'s [Statement],
    ) -> Result<Flow> {
        let rows = match self.query(query).await {
            Ok(rows) => rows,
            Err(failure) => return self.handled(failure).await,
        };
        for row in functions::literals(&rows)? {
            let scopes = self.session.catalog().scopes();
            self.session.catalog().enter_scope(variable);
            for (field, value) in rows.fields.iter().zip(row) {
                self.session.catalog().declare_local(&field.name, field.data_type.clone(), value);
            }
            let flow = self.statements(body).await;
            self.session.catalog().leave_scopes(scopes);
            match flow? {
                Flow::Next => {}
                Flow::Iterate(to) if is_label(label, &to) => {}
                Flow::Leave(of) if is_label(label, &of) => return Ok(Flow::Next),
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    async fn holds(&self, condition: &Expr) -> Result<bool> {
        let (_, value) = functions::evaluate(self.session, condition).await?;
        Ok(value == Literal::Boolean(true))
    }

    /// Runs the handler that an error finds; without one the error stands.
    async fn handled(&mut self, failure: SparkError) -> Result<Flow> {
        let Some((place, handler)) = self.handler_of(&failure) else { return Err(failure) };
        let hidden = self.frames.split_off(place);
        let flow = self.statement(handler.body).await;
        self.frames.truncate(place);
        self.frames.extend(hidden);
        match flow? {
            Flow::Next if handler.is_exit => Ok(Flow::ExitBlock(place)),
            other => Ok(other),
        }
    }

    fn handler_of(&self, failure: &SparkError) -> Option<(usize, Handler<'s>)> {
        self.frames.iter().enumerate().rev().find_map(|(place, frame)| {
            let ranked = frame.handlers.iter().filter_map(|handler| {
                let best = handler.conditions.iter().filter_map(|name| self.rank(name, failure)).min();
                best.map(|rank| (rank, *handler))
            });
            ranked.min_by_key(|(rank, _)| *rank).map(|(_, handler)| (place, handler))
        })
    }

    /// How exactly a condition means an error: by its class, its SQLSTATE, or any error; `None` if it does not.
    fn rank(&self, condition: &str, failure: &SparkError) -> Option<u8> {
        let class = failure.class();
        let is_not_found = class.sql_state.starts_with("02");
        if condition.eq_ignore_ascii_case("SQLEXCEPTION") {
            return (!is_not_found).then_some(2);
        }
        if condition.eq_ignore_ascii_case("NOT FOUND") {
            return is_not_found.then_some(2);
        }
        let declared = self.frames.iter().rev().find_map(|frame| frame.conditions.get(&condition.to_lowercase()));
        if class.name.eq_ignore_ascii_case(condition) || declared.is_some_and(|state| state == class.sql_state) {
            return Some(0);
        }
        (class.sql_state == condition).then_some(1)
    }
}

fn is_label(label: Option<&String>, wanted: &str) -> bool {
    label.is_some_and(|label| label.eq_ignore_ascii_case(wanted))
}
