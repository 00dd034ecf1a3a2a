//! `window(..)` and `session_window(..)`: rows are put into windows of time before they are selected or grouped.
//!
//! ```text
//!   call --Resolver::time_window--> TimeWindow set aside, its column in the call's place
//!   input --in_time_windows--> one row per window that it is in, with that column
//! ```

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::logical_plan::Projection;
use datafusion::logical_expr::{
    Expr as DfExpr, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};
use firesteel_functions::call::{CallModifiers, GeneratorKind, Typed};
use firesteel_functions::families::{SessionWindow, time_window};
use firesteel_functions::registry::{self, Build};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::expr::FunctionCall;

use super::filter_plan;
use super::select::window_plan;
use crate::attribute::Attribute;
use crate::expr::{Extracted, ExtractedGenerator, Resolver};
use crate::planner::{Planner, child, df};
use crate::resolved::Resolved;

/// The windows of time of one select list or GROUP BY: one at most, as in Spark.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimeWindows(Option<TimeWindow>);

#[derive(Clone, Debug)]
struct TimeWindow {
    kind: Kind,
    /// A row's window, or windows, over the input.
    value: Typed,
    /// The column that holds it.
    attribute: Attribute,
    /// Whether the input has that column.
    is_applied: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Each row is in one, if it has a time.
    Tumbling { time: Typed },
    /// A row may be in several.
    Sliding,
    /// Those of a group that meet become one.
    Session(SessionWindow),
}

impl Resolver<'_, '_> {
    /// Sets a window of time aside and gives its column.
    pub(crate) fn time_window(&mut self, name: &str, call: &FunctionCall) -> Result<Typed> {
        let arguments = self.arguments(&call.arguments)?;
        if let Some(definition) = registry::lookup(name) {
            crate::expr::check_arity(definition, arguments.len())?;
        }
        let context = &self.planner.context;
        let (kind, value, data_type) = if name == "session_window" {
            let session = SessionWindow::new(context, arguments)?;
            let value = session.clone().value(context)?;
            let data_type = value.data_type.clone();
            (Kind::Session(session), value, data_type)
        } else {
            let window = time_window(context, arguments)?;
            let data_type = window_type(&window.value.data_type);
            let kind = if window.is_sliding { Kind::Sliding } else { Kind::Tumbling { time: window.time } };
            (kind, window.value, data_type)
        };
        let known = self.aside.time_windows.get_or_insert_default();
        let attribute = match &known.0 {
            Some(same) if same.value.expr == value.expr => same.attribute.clone(),
            Some(_) => return Err(SparkError::new(&error_class::MULTIPLE_TIME_WINDOWS)),
            None => {
                let attribute = Attribute { is_hidden: true, ..self.planner.attribute_of(name, data_type, true) };
                known.0 = Some(TimeWindow { kind, value, attribute: attribute.clone(), is_applied: false });
                attribute
            }
        };
        Ok(attribute.typed())
    }
}

/// The type of one window, which may be in a list of structs around it.
fn window_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Array(entry, _) => match entry.as_ref() {
            DataType::Struct(fields) if fields.len() == 1 => fields[0].data_type.clone(),
            other => other.clone(),
        },
        other => other.clone(),
    }
}

impl Planner<'_> {
    /// Gives the input the column of the windows of time that were set aside, and each of its rows once per window.
    pub(crate) fn in_time_windows(&mut self, input: Resolved, windows: &mut TimeWindows) -> Result<Resolved> {
        self.applied(input, windows, None)
    }

    /// The same before rows are grouped by `keys`, by which sessions are told apart.
    pub(crate) fn in_time_windows_by(
        &mut self,
        input: Resolved,
        windows: &mut TimeWindows,
        keys: &[(DfExpr, Attribute)],
    ) -> Result<Resolved> {
        let keys: Vec<DfExpr> = keys.iter().map(|(key, _)| key.clone()).collect();
        self.applied(input, windows, Some(&keys))
    }

    fn applied(&mut self, input: Resolved, windows: &mut TimeWindows, keys: Option<&[DfExpr]>) -> Result<Resolved> {
        let Some(window) = windows.0.as_mut().filter(|window| !window.is_applied) else { return Ok(input) };
        window.is_applied = true;
        let attribute = window.attribute.clone();
        let mut output = input.output.clone();
        let plan = match window.kind.clone() {
            Kind::Tumbling { time } => {
                let plan = filter_plan(input.plan, time.expr.is_not_null())?;
                with_columns(plan, &output, vec![window.value.expr.clone().alias(attribute.column.clone())])?
            }
            Kind::Sliding => {
                let rows = window.value.expr.clone();
                let columns = vec![attribute.clone()];
                let sql = attribute.name.clone();
                let generated = ExtractedGenerator { rows, kind: GeneratorKind::Inner, columns, sql };
                self.unnest(input.plan, &input.output, &generated)?
            }
            Kind::Session(session) => {
                let plan = filter_plan(input.plan, session.end.expr.clone().gt(session.start.expr.clone()))?;
                match keys {
                    None => {
                        with_columns(plan, &output, vec![window.value.expr.clone().alias(attribute.column.clone())])?
                    }
                    Some(keys) => {
                        let keys = keys.iter().filter(|key| **key != attribute.expr()).cloned().collect();
                        self.merged_sessions(plan, &output, &attribute, session, keys)?
                    }
                }
            }
        };
        output.push(attribute);
        Ok(Resolved::new(plan, output))
    }

    /// Sessions of equal keys that meet or overlap become one, from the first row's time to the last row's end.
    fn merged_sessions(
        &mut self,
        plan: LogicalPlan,
        columns: &[Attribute],
        attribute: &Attribute,
        session: SessionWindow,
        keys: Vec<DfExpr>,
    ) -> Result<LogicalPlan> {
        let (start, end) = (self.attribute("start", &session.start), self.attribute("end", &session.end));
        let added = vec![session.start.expr.alias(start.column.clone()), session.end.expr.alias(end.column.clone())];
        let plan = with_columns(plan, columns, added)?;
        let order = || vec![Sort::new(start.expr(), true, true)];
        let before = rows_before(WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))));
        let latest = self.over("max", end.typed(), keys.clone(), order(), before)?;
        let latest_end = latest.attribute.expr();
        let plan = window_plan(plan, vec![latest])?;
        let begins = latest_end.clone().is_null().or(start.expr().gt(latest_end));
        let begins = df(datafusion::logical_expr::when(begins, datafusion::logical_expr::lit(1i32)).end())?;
        let begins = Typed { expr: begins, data_type: DataType::Integer, nullable: true, sql: "begins".to_owned() };
        // Rows of one moment are counted together: the two windows may see them in different orders.
        let up_to_peers = WindowFrame::new_bounds(
            WindowFrameUnits::Range,
            WindowFrameBound::Preceding(ScalarValue::Null),
            WindowFrameBound::CurrentRow,
        );
        let number = self.over("count", begins, keys.clone(), order(), up_to_peers)?;
        let mut keys = keys;
        keys.push(number.attribute.expr());
        let plan = window_plan(plan, vec![number])?;
        let all = || rows_before(WindowFrameBound::Following(ScalarValue::UInt64(None)));
        let first = self.over("min", start.typed(), keys.clone(), Vec::new(), all())?;
        let last = self.over("max", end.typed(), keys, Vec::new(), all())?;
        let merged = SessionWindow { start: first.attribute.typed(), end: last.attribute.typed() };
        let merged = merged.value(&self.context)?;
        let plan = window_plan(plan, vec![first, last])?;
        with_columns(plan, columns, vec![merged.expr.alias(attribute.column.clone())])
    }

    /// A built-in aggregate over a window.
    fn over(
        &mut self,
        name: &str,
        argument: Typed,
        partition_by: Vec<DfExpr>,
        order_by: Vec<Sort>,
        window_frame: WindowFrame,
    ) -> Result<Extracted> {
        let Some(Build::Aggregate(build)) = registry::lookup(name).map(|d| d.build) else {
            return Err(SparkError::internal(format!("the aggregate {name} is not in the table")));
        };
        let call = build(&self.context, vec![argument], &CallModifiers::default())?;
        let attribute = self.attribute_of(name, call.data_type, call.nullable);
        let expr = DfExpr::from(WindowFunction {
            fun: WindowFunctionDefinition::AggregateUDF(call.function),
            params: WindowFunctionParams {
                args: call.arguments,
                partition_by,
                order_by,
                window_frame,
                filter: None,
                null_treatment: None,
                distinct: false,
            },
        });
        Ok(Extracted { expr, attribute })
    }
}

/// The rows of a partition up to a bound.
fn rows_before(upper: WindowFrameBound) -> WindowFrame {
    WindowFrame::new_bounds(WindowFrameUnits::Rows, WindowFrameBound::Preceding(ScalarValue::UInt64(None)), upper)
}

/// These columns of a plan and some more.
fn with_columns(plan: LogicalPlan, columns: &[Attribute], added: Vec<DfExpr>) -> Result<LogicalPlan> {
    let mut exprs: Vec<DfExpr> = Vec::with_capacity(columns.len() + added.len());
    for column in columns {
        if !exprs.contains(&column.expr()) {
            exprs.push(column.expr());
        }
    }
    exprs.extend(added);
    Ok(LogicalPlan::Projection(df(Projection::try_new(exprs, child(plan)))?))
}
