//! Functions that only make sense over a window.
//!
//! ```text
//!   rank() --> Numbered { inner: DataFusion's rank }   positions as INT instead of UInt64
//!   lag(v) --> DataFusion's lag
//! ```

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::functions_window::cume_dist::cume_dist_udwf;
use datafusion::functions_window::lead_lag::{lag_udwf, lead_udwf};
use datafusion::functions_window::nth_value::{first_value_udwf, last_value_udwf, nth_value_udwf};
use datafusion::functions_window::ntile::ntile_udwf;
use datafusion::functions_window::rank::{dense_rank_udwf, percent_rank_udwf, rank_udwf};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{
    Expr, PartitionEvaluator, Signature, WindowFunctionDefinition, WindowUDF, WindowUDFImpl, lit,
};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::rows::{definitions, fold, is_true};
use crate::call::{CallModifiers, FunctionContext, Typed, WindowCall};
use crate::coercion::{self, Accepts};
use crate::registry::Definition;

definitions! {
    "row_number" (0, 0), Window(|_, a, _| Ok(ranking("row_number()", numbered("row_number")?, DataType::Integer, a))), "position of the row in its partition";
    "rank" (0, ANY), Window(|_, a, _| Ok(ranking("RANK()", numbered("rank")?, DataType::Integer, a))), "position of the row, the same for equals, with gaps after them";
    "dense_rank" (0, ANY), Window(|_, a, _| Ok(ranking("DENSE_RANK()", numbered("dense_rank")?, DataType::Integer, a))), "position of the row, the same for equals, without gaps";
    "percent_rank" (0, ANY), Window(|_, a, _| Ok(ranking("PERCENT_RANK()", percent_rank_udwf(), DataType::Double, a))), "rank as a part of the partition, from 0 to 1";
    "cume_dist" (0, 0), Window(|_, a, _| {
        let call = ranking("cume_dist()", cume_dist_udwf(), DataType::Double, a);
        Ok(WindowCall { fixed_frame: Some(UP_TO_PEERS.to_owned()), ..call })
    }), "part of the partition's rows that come no later";
    "ntile" (0, 1), Window(ntile), "which of so many equal parts of the partition the row is in";
    "lag" (1, 3), Window(|c, a, m| shift(c, "lag", lag_udwf(), a, m)), "the value some rows before";
    "lead" (1, 3), Window(|c, a, m| shift(c, "lead", lead_udwf(), a, m)), "the value some rows after";
    "nth_value" (2, 3), Window(nth_value), "the value of the n-th row of the frame";
}

/// Aggregates that are computed otherwise when OVER follows; the planner asks here first.
static OVER: &[Definition] = &[
    Definition {
        name: "first",
        arity: (1, 2),
        build: crate::registry::Build::Window(|_, a, m| end("first", first_value_udwf(), a, m)),
        doc: "the value of the frame's first row",
    },
    Definition {
        name: "first_value",
        arity: (1, 2),
        build: crate::registry::Build::Window(|_, a, m| end("first_value", first_value_udwf(), a, m)),
        doc: "the value of the frame's first row",
    },
    Definition {
        name: "any_value",
        arity: (1, 2),
        build: crate::registry::Build::Window(|_, a, m| end("any_value", first_value_udwf(), a, m)),
        doc: "the value of some row of the frame",
    },
    Definition {
        name: "last",
        arity: (1, 2),
        build: crate::registry::Build::Window(|_, a, m| end("last", last_value_udwf(), a, m)),
        doc: "the value of the frame's last row",
    },
    Definition {
        name: "last_value",
        arity: (1, 2),
        build: crate::registry::Build::Window(|_, a, m| end("last_value", last_value_udwf(), a, m)),
        doc: "the value of the frame's last row",
    },
];

/// The window form of an aggregate that has one of its own (`first`, `last` ..); `name` in lower case.
pub fn lookup_over(name: &str) -> Option<&'static Definition> {
    OVER.iter().find(|definition| definition.name == name)
}

const ANY: usize = crate::registry::ANY;

const UP_TO_CURRENT: &str = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
const UP_TO_PEERS: &str = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";

/// A call that sees the rows up to the current one.
pub(super) fn window(function: Arc<WindowUDF>, arguments: Vec<Expr>, data_type: DataType, sql: String) -> WindowCall {
    WindowCall {
        function: WindowFunctionDefinition::WindowUDF(function),
        arguments,
        ignore_nulls: false,
        data_type,
        nullable: true,
        sql,
        fixed_frame: Some(UP_TO_CURRENT.to_owned()),
        needs_order: true,
    }
}

fn ranking(sql: &str, function: Arc<WindowUDF>, data_type: DataType, _: Vec<Typed>) -> WindowCall {
    WindowCall { nullable: false, ..window(function, Vec::new(), data_type, sql.to_owned()) }
}

fn ntile(ctx: &FunctionContext, mut arguments: Vec<Typed>, _: &CallModifiers) -> Result<WindowCall> {
    if arguments.is_empty() {
        arguments.push(super::rows::int_literal(1));
    }
    let sql = coercion::call_sql("ntile", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "ntile", arguments, &[Accepts::Is(DataType::Integer)])?;
    let buckets = constant_int(&sql, "n", &arguments[0])?;
    if buckets <= 0 {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("exprName", "buckets")
            .param("valueRange", "[1, 2147483647]")
            .param("currentValue", buckets.to_string()));
    }
    let call = window(numbered("ntile")?, vec![lit(buckets)], DataType::Integer, sql);
    Ok(WindowCall { nullable: false, ..call })
}

fn shift(
    ctx: &FunctionContext,
    name: &str,
    function: Arc<WindowUDF>,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<WindowCall> {
    if arguments.len() == 1 {
        arguments.push(super::rows::int_literal(1));
    }
    if arguments.len() == 2 {
        arguments.push(super::rows::literal(ScalarValue::Null, DataType::Null, "NULL"));
    }
    let sql = coercion::call_sql(name, &arguments);
    let offset = constant_int(&sql, "offset", &arguments[1])?;
    let mut arguments = arguments.into_iter();
    let (Some(value), _, Some(default)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err(SparkError::internal("a shift lacks arguments"));
    };
    let sides = coercion::unify(ctx, vec![value.clone(), default])?;
    let Some([value, default]) = sides.and_then(|sides| <[Typed; 2]>::try_from(sides).ok()) else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_DATA_DIFF_TYPES)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("functionName", format!("`{name}`"))
            .param("dataType", coercion::type_sql(&value.data_type)));
    };
    let default =
        fold(&default).ok_or_else(|| SparkError::unsupported(format!("a default of {name} that is not constant")))?;
    let arguments = vec![value.expr, lit(offset), Expr::Literal(default, None)];
    let call = window(function, arguments, value.data_type, sql);
    let at = if name == "lag" { -offset } else { offset };
    let fixed_frame = Some(format!("ROWS BETWEEN {at} FOLLOWING AND {at} FOLLOWING"));
    Ok(WindowCall { ignore_nulls: modifiers.ignore_nulls == Some(true), fixed_frame, ..call })
}

fn nth_value(_: &FunctionContext, arguments: Vec<Typed>, modifiers: &CallModifiers) -> Result<WindowCall> {
    let told = arguments.get(2).is_some_and(is_true);
    let sql = coercion::call_sql("nth_value", &arguments[..2]);
    let position = constant_int(&sql, "offset", &arguments[1])?;
    if position <= 0 {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE)
            .param("sqlExpr", coercion::quoted(&sql))
            .param("exprName", "offset")
            .param("valueRange", "(0, 9223372036854775807]")
            .param("currentValue", position.to_string()));
    }
    let data_type = arguments[0].data_type.clone();
    let call = window(nth_value_udwf(), vec![arguments[0].expr.clone(), lit(position)], data_type, sql);
    Ok(framed(call, told || modifiers.ignore_nulls == Some(true)))
}

fn end(
    name: &str,
    function: Arc<WindowUDF>,
    mut arguments: Vec<Typed>,
    modifiers: &CallModifiers,
) -> Result<WindowCall> {
    let flag = if arguments.len() > 1 { arguments.pop() } else { None };
    let told = flag.is_some_and(|flag| is_true(&flag));
    let sql = coercion::call_sql(name, &arguments);
    let data_type = arguments[0].data_type.clone();
    let call = window(function, arguments.into_iter().map(|a| a.expr).collect(), data_type, sql);
    Ok(framed(call, told || modifiers.ignore_nulls == Some(true)))
}

fn framed(call: WindowCall, ignore_nulls: bool) -> WindowCall {
    WindowCall { ignore_nulls, fixed_frame: None, needs_order: false, ..call }
}

fn constant_int(call: &str, name: &str, argument: &Typed) -> Result<i64> {
    let value = fold(argument).and_then(|value| value.cast_to(&Arrow::Int64).ok());
    match value {
        Some(ScalarValue::Int64(Some(value))) => Ok(value),
        _ => Err(SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
            .param("sqlExpr", coercion::quoted(call))
            .param("inputName", format!("`{name}`"))
            .param("inputType", coercion::type_sql(&DataType::Integer))
            .param("inputExpr", coercion::quoted(&argument.sql))),
    }
}

/// A ranking function of DataFusion's that gives INT.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Numbered {
    name: &'static str,
    inner: Arc<WindowUDF>,
}

/// Our window function of that name, as it travels.
///
/// Errors: `INTERNAL_ERROR` for another name.
pub fn decode_window(name: &str) -> Result<Arc<WindowUDF>> {
    match super::window_walk::walk(name) {
        Some(walk) => Ok(walk),
        None => numbered(name.strip_prefix(PREFIX).unwrap_or(name)),
    }
}

/// Tells our window functions from DataFusion's.
const PREFIX: &str = "spark_";

fn numbered(name: &str) -> Result<Arc<WindowUDF>> {
    let (name, inner) = match name {
        "row_number" => ("spark_row_number", row_number_udwf()),
        "rank" => ("spark_rank", rank_udwf()),
        "dense_rank" => ("spark_dense_rank", dense_rank_udwf()),
        "ntile" => ("spark_ntile", ntile_udwf()),
        other => return Err(SparkError::internal(format!("no window function of ours is called {other}"))),
    };
    Ok(Arc::new(WindowUDF::new_from_impl(Numbered { name, inner })))
}

impl fmt::Debug for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl WindowUDFImpl for Numbered {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> DataFusionResult<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(NumberedEvaluator(self.inner.partition_evaluator_factory(args)?)))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), Arrow::Int32, false)))
    }
}

#[derive(Debug)]
struct NumberedEvaluator(Box<dyn PartitionEvaluator>);

impl PartitionEvaluator for NumberedEvaluator {
    fn memoize(&mut self, state: &mut WindowAggState) -> DataFusionResult<()> {
        self.0.memoize(state)
    }

    fn get_range(&self, idx: usize, n_rows: usize) -> DataFusionResult<Range<usize>> {
        self.0.get_range(idx, n_rows)
    }

    fn is_causal(&self) -> bool {
        self.0.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> DataFusionResult<ArrayRef> {
        Ok(cast(&self.0.evaluate_all(values, num_rows)?, &Arrow::Int32)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> DataFusionResult<ScalarValue> {
        self.0.evaluate(values, range)?.cast_to(&Arrow::Int32)
    }

    fn evaluate_all_with_rank(&self, num_rows: usize, ranks: &[Range<usize>]) -> DataFusionResult<ArrayRef> {
        Ok(cast(&self.0.evaluate_all_with_rank(num_rows, ranks)?, &Arrow::Int32)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.0.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.0.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.0.include_rank()
    }
}
