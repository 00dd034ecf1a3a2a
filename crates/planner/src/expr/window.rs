//! `f(..) OVER (..)`.

use datafusion::logical_expr::expr::{NullTreatment, Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr as DfExpr, WindowFrame, WindowFunctionDefinition};
use firesteel_functions::call::Typed;
use firesteel_functions::families::window::lookup_over;
use firesteel_functions::registry::{self, Build};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::command::FunctionBody;
use firesteel_spec::expr::{CastMode, FunctionCall, PythonUdf, SortKey, WindowSpec};
use firesteel_spec::{DataType, Expr, ExprNode};

use super::call::{builtin_name, check_arity};
use super::frame::Frame;
use super::python::called_with;
use super::{Extracted, Resolver};
use crate::planner::Planner;

/// A window function before OVER.
struct Windowed {
    function: WindowFunctionDefinition,
    arguments: Vec<DfExpr>,
    filter: Option<DfExpr>,
    is_distinct: bool,
    ignore_nulls: bool,
    data_type: DataType,
    nullable: bool,
    sql: String,
    fixed_frame: Option<String>,
    needs_order: bool,
    finish: Option<fn(&firesteel_functions::call::FunctionContext, Typed) -> Result<Typed>>,
}

/// An OVER clause, resolved.
struct Over {
    partition_by: Vec<DfExpr>,
    order_by: Vec<Sort>,
    frame: WindowFrame,
    sql: String,
}

impl Resolver<'_, '_> {
    /// Resolves a window call and sets it aside.
    pub(super) fn window(&mut self, function: &Expr, window: &WindowSpec) -> Result<Typed> {
        if self.aside.windows.is_none() {
            return Err(SparkError::unsupported("a window function outside a select list or ORDER BY"));
        }
        let window = self.planner.refined_window(window)?;
        let windowed = match function.node.as_ref() {
            ExprNode::Function(call) => {
                self.check_whole_window(call, &window)?;
                self.windowed(call)?
            }
            ExprNode::PythonUdf(python) => self.windowed_python(python)?,
            _ => {
                let refused = SparkError::new(&error_class::UNSUPPORTED_EXPR_FOR_WINDOW);
                return Err(refused.param("sqlExpr", "\"expression\""));
            }
        };
        let over = self.over(&window, &windowed)?;
        let sql = format!("{} OVER ({})", windowed.sql, over.sql);
        let expr = DfExpr::from(WindowFunction {
            fun: windowed.function,
            params: WindowFunctionParams {
                args: windowed.arguments,
                partition_by: over.partition_by,
                order_by: over.order_by,
                window_frame: over.frame,
                filter: windowed.filter.map(Box::new),
                null_treatment: windowed.ignore_nulls.then_some(NullTreatment::IgnoreNulls),
                distinct: windowed.is_distinct,
            },
        });
        let attribute = self.planner.attribute_of(&sql, windowed.data_type, windowed.nullable);
        let known = self.aside.windows.get_or_insert_with(Vec::new);
        let attribute = match known.iter().find(|k| k.expr == expr && k.attribute.data_type == attribute.data_type) {
            Some(same) => same.attribute.clone(),
            None => {
                known.push(Extracted { expr, attribute: attribute.clone() });
                attribute
            }
        };
        let mut typed = attribute.typed();
        typed.sql = sql;
        match windowed.finish {
            Some(finish) => finish(&self.planner.context, typed),
            None => Ok(typed),
        }
    }

    fn windowed_python(&mut self, function: &PythonUdf) -> Result<Windowed> {
        let call = self.python_aggregate_call(function)?;
        Ok(Windowed {
            function: WindowFunctionDefinition::AggregateUDF(call.function),
            arguments: call.arguments,
            filter: None,
            is_distinct: false,
            ignore_nulls: false,
            data_type: call.data_type,
            nullable: call.nullable,
            sql: call.sql,
            fixed_frame: None,
            needs_order: false,
            finish: None,
        })
    }

    fn windowed(&mut self, call: &FunctionCall) -> Result<Windowed> {
        if let Some(function) = self.planner.env.sql_function(&call.name)
            && let FunctionBody::Python(python) = &function.body
        {
            return self.windowed_python(&called_with(python, &call.arguments));
        }
        let definition =
            builtin_name(&call.name).and_then(|name| lookup_over(&name).or_else(|| registry::lookup(&name)));
        let definition = definition.ok_or_else(|| self.planner.unknown_function(&call.name))?;
        match definition.build {
            Build::Window(build) => {
                let arguments = self.arguments(&call.arguments)?;
                check_arity(definition, arguments.len())?;
                let modifiers = self.modifiers(call)?;
                let built = build(&self.planner.context, arguments, &modifiers)?;
                Ok(Windowed {
                    function: built.function,
                    arguments: built.arguments,
                    filter: None,
                    is_distinct: false,
                    ignore_nulls: built.ignore_nulls,
                    data_type: built.data_type,
                    nullable: built.nullable,
                    sql: built.sql,
                    fixed_frame: built.fixed_frame,
                    needs_order: built.needs_order,
                    finish: None,
                })
            }
            Build::Aggregate(_) => {
                if call.is_distinct {
                    return Err(SparkError::new(&error_class::DISTINCT_WINDOW_FUNCTION_UNSUPPORTED)
                        .param("windowExpr", format!("\"{}\"", definition.name)));
                }
                let (built, filter) = self.aggregate_call(definition, call)?;
                Ok(Windowed {
                    function: WindowFunctionDefinition::AggregateUDF(built.function),
                    arguments: built.arguments,
                    filter: filter.map(|f| f.expr),
                    is_distinct: built.is_distinct,
                    ignore_nulls: false,
                    data_type: built.data_type,
                    nullable: built.nullable,
                    sql: built.sql,
                    fixed_frame: None,
                    needs_order: false,
                    finish: built.finish,
                })
            }
            _ => Err(SparkError::new(&error_class::UNSUPPORTED_EXPR_FOR_WINDOW)
                .param("sqlExpr", format!("\"{}\"", definition.name))),
        }
    }

    fn over(&mut self, window: &WindowSpec, function: &Windowed) -> Result<Over> {
        let partition = self.values(&window.partition_by)?;
        let (mut order_by, order_sql, keys) = self.sort_keys(&window.order_by)?;
        if function.needs_order && order_by.is_empty() {
            return Err(SparkError::new(&error_class::WINDOW_FUNCTION_NEEDS_ORDER)
                .param("funcName", format!("`{}`", function.sql)));
        }
        let frame = match (&function.fixed_frame, &window.frame) {
            (Some(printed), _) => Frame::up_to_current(printed),
            (None, Some(frame)) => self.frame(frame, &keys)?,
            (None, None) => Frame::default_of(!keys.is_empty()),
        };
        if let ([key], [order], true) = (keys.as_slice(), order_by.as_mut_slice(), frame.needs_wall_clock(&keys)) {
            order.expr = self.cast(key.clone(), &DataType::TimestampNtz, CastMode::Ansi)?.expr;
        }
        let mut clauses = Vec::new();
        if !partition.is_empty() {
            let list: Vec<_> = partition.iter().map(|p| p.sql.clone()).collect();
            clauses.push(format!("PARTITION BY {}", list.join(", ")));
        }
        if !order_sql.is_empty() {
            clauses.push(format!("ORDER BY {}", order_sql.join(", ")));
        }
        clauses.push(frame.sql.clone());
        let sql = clauses.join(" ");
        let partition_by = partition.into_iter().map(|p| p.expr).collect();
        Ok(Over { partition_by, order_by, frame: frame.over(&keys, &order_sql, &sql)?, sql })
    }

    /// Sort keys in DataFusion's terms, as text, and with their types.
    pub(crate) fn sort_keys(&mut self, keys: &[SortKey]) -> Result<(Vec<Sort>, Vec<String>, Vec<Typed>)> {
        let (mut sorts, mut texts, mut typed_keys) = (Vec::new(), Vec::new(), Vec::new());
        for key in keys {
            let typed = self.value(&key.child)?;
            if matches!(typed.data_type, DataType::Map(..) | DataType::Variant | DataType::CalendarInterval) {
                return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_INVALID_ORDERING_TYPE)
                    .param("functionName", "`sortorder`")
                    .param("sqlExpr", format!("\"{}\"", typed.sql))
                    .param("dataType", format!("\"{}\"", typed.data_type.sql())));
            }
            sorts.push(Sort::new(typed.expr.clone(), key.ascending, key.nulls_first));
            let direction = if key.ascending { "ASC" } else { "DESC" };
            let nulls = if key.nulls_first { "FIRST" } else { "LAST" };
            texts.push(format!("{} {direction} NULLS {nulls}", typed.sql));
            typed_keys.push(typed);
        }
        Ok((sorts, texts, typed_keys))
    }
}

impl Planner<'_> {
    /// A window of the WINDOW clause.
    pub(crate) fn named_window(&self, name: &str) -> Result<WindowSpec> {
        let names = self.names;
        let found = self.windows.iter().rev().find(|(known, _)| names.same(known, name));
        found.map(|(_, spec)| spec.clone()).ok_or_else(|| {
            SparkError::new(&error_class::MISSING_WINDOW_SPECIFICATION)
                .param("windowName", name)
                .param("docroot", "https://spark.apache.org/docs/latest")
        })
    }

    fn refined_window(&self, window: &WindowSpec) -> Result<WindowSpec> {
        let Some(base) = &window.base else { return Ok(window.clone()) };
        let base = self.named_window(base)?;
        let or = |own: &Vec<Expr>, base: Vec<Expr>| if own.is_empty() { base } else { own.clone() };
        Ok(WindowSpec {
            base: None,
            partition_by: or(&window.partition_by, base.partition_by),
            order_by: if window.order_by.is_empty() { base.order_by } else { window.order_by.clone() },
            frame: window.frame.clone().or(base.frame),
        })
    }
}
