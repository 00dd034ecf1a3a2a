//! The scalar UDF that all our functions with lambdas share.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType as Arrow, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use firesteel_model::{Result, SparkError};
use firesteel_spec::StructField;
use firesteel_spec::types_arrow::{arrow_field, to_arrow};

use super::capture::captured_name;
use super::{arrays, fold, maps, sort};
use crate::column_name;
use crate::errors::{from_datafusion, to_datafusion};
use crate::udf::KernelContext;

/// What a function does with its arguments.
type Run = fn(&Call<'_>) -> Result<ArrayRef>;

/// The kinds.
const KINDS: &[(&str, Run)] = &[
    ("transform", arrays::transform),
    ("filter", arrays::filter),
    ("exists", |call| arrays::any(call, true)),
    ("forall", |call| arrays::any(call, false)),
    ("zip_with", arrays::zip_with),
    ("aggregate", fold::aggregate),
    ("array_sort", sort::array_sort),
    ("map_filter", maps::filter),
    ("transform_keys", |call| maps::transform(call, true)),
    ("transform_values", |call| maps::transform(call, false)),
    ("map_zip_with", maps::zip_with),
];

/// The body of a lambda: an expression over columns named as the parameters, and over `captured_0`, `captured_1`, ..
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Body {
    pub(super) expr: Expr,
    pub(super) parameters: Vec<StructField>,
}

/// A body ready to run.
pub(super) struct Lambda {
    /// The parameters, then what comes from outside.
    pub(super) schema: SchemaRef,
    pub(super) body: Arc<dyn PhysicalExpr>,
    /// How many columns of the schema are parameters.
    pub(super) parameters: usize,
}

/// A call while it runs.
pub(super) struct Call<'a> {
    /// ANSI mode, types and options.
    pub(super) context: &'a KernelContext,
    /// The values, as arrays of `rows` values.
    pub(super) values: &'a [ArrayRef],
    /// What the bodies take from outside, as arrays of `rows` values.
    pub(super) captured: &'a [ArrayRef],
    /// The bodies.
    pub(super) lambdas: &'a [Lambda],
    /// Length of the values.
    pub(super) rows: usize,
}

/// Bodies, planned for arguments of these types.
type Planned = (Vec<Arrow>, Arc<Vec<Lambda>>);

/// A kind with its bodies: one object per use.
///
/// Its arguments are the values that `context.arguments` lists, then what the bodies take from outside.
#[derive(Clone)]
pub(super) struct LambdaUdf {
    pub(super) kind: &'static str,
    run: Run,
    pub(super) context: KernelContext,
    pub(super) bodies: Vec<Body>,
    signature: Signature,
    /// The bodies planned for the types of the last call's captured arguments.
    planned: Arc<Mutex<Option<Planned>>>,
}

/// A function of that kind.
pub(super) fn function(kind: &str, context: KernelContext, bodies: Vec<Body>) -> Result<ScalarUDF> {
    let known = KINDS.iter().find(|(known, _)| *known == kind);
    let (kind, run) =
        known.ok_or_else(|| SparkError::internal(format!("no function with lambdas is called {kind}")))?;
    let is_volatile = bodies.iter().any(|body| body.expr.is_volatile());
    let volatility = if is_volatile { Volatility::Volatile } else { Volatility::Immutable };
    let signature = Signature::variadic_any(volatility);
    Ok(ScalarUDF::new_from_impl(LambdaUdf { kind, run: *run, context, bodies, signature, planned: Arc::default() }))
}

/// Whether it is a function with lambdas, whose bodies may raise errors about values.
pub(crate) fn raises(udf: &ScalarUDF) -> bool {
    udf.inner().downcast_ref::<LambdaUdf>().is_some_and(|udf| udf.context.ansi)
}

impl LambdaUdf {
    fn lambdas(&self, captured: &[ArrayRef]) -> Result<Arc<Vec<Lambda>>> {
        let types: Vec<_> = captured.iter().map(|array| array.data_type().clone()).collect();
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, lambdas)) = planned.as_ref()
            && *known == types
        {
            return Ok(lambdas.clone());
        }
        let lambdas = self.bodies.iter().map(|body| plan(body, &types)).collect::<Result<Vec<_>>>()?;
        let lambdas = Arc::new(lambdas);
        *planned = Some((types, lambdas.clone()));
        Ok(lambdas)
    }

    fn invoke(&self, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = self.signature.volatility == Volatility::Immutable
            && args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let arrays = crate::udf::to_arrays(&args.args, rows)?;
        let count = self.context.arguments.len();
        if arrays.len() < count {
            return Err(SparkError::internal(format!("{} lacks an argument", self.kind)));
        }
        let (values, captured) = arrays.split_at(count);
        let lambdas = self.lambdas(captured)?;
        let call = Call { context: &self.context, values, captured, lambdas: &lambdas, rows };
        let array = (self.run)(&call)?;
        if is_constant {
            return ScalarValue::try_from_array(&array, 0).map(ColumnarValue::Scalar).map_err(from_datafusion);
        }
        Ok(ColumnarValue::Array(array))
    }

    /// Two uses that differ in a body must not share a column name.
    fn describe(&self, arguments: &str) -> String {
        let bodies: Vec<_> = self.bodies.iter().map(|body| body.expr.to_string()).collect();
        format!("{}({arguments}):{}[{}]", self.kind, self.context.result.simple_string(), bodies.join("; "))
    }
}

/// Plans a body for captured arguments of these types. Any column may be null: that is only a loss of speed.
fn plan(body: &Body, captured: &[Arrow]) -> Result<Lambda> {
    let parameter = |field: &StructField| arrow_field(&field.name, &field.data_type, true);
    let outer = captured.iter().enumerate().map(|(i, data_type)| Field::new(captured_name(i), data_type.clone(), true));
    let fields: Vec<Field> = body.parameters.iter().map(parameter).chain(outer).collect();
    let schema = Arc::new(Schema::new(fields));
    let df_schema = DFSchema::try_from(schema.as_ref().clone()).map_err(from_datafusion)?;
    let physical =
        create_physical_expr(&body.expr, &df_schema, &ExecutionProps::new(), &PhysicalPlanningContext::default());
    Ok(Lambda { schema, body: physical.map_err(from_datafusion)?, parameters: body.parameters.len() })
}

impl fmt::Debug for LambdaUdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaUdf").field("kind", &self.kind).field("bodies", &self.bodies).finish_non_exhaustive()
    }
}

impl PartialEq for LambdaUdf {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.context == other.context && self.bodies == other.bodies
    }
}

impl Eq for LambdaUdf {}

impl Hash for LambdaUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.context.hash(state);
        self.bodies.hash(state);
    }
}

impl ScalarUDFImpl for LambdaUdf {
    fn name(&self) -> &str {
        super::NAME
    }

    fn display_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        let arguments: Vec<_> = args.iter().map(ToString::to_string).collect();
        Ok(self.describe(&arguments.join(",")))
    }

    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        Ok(column_name::bounded(self.describe(&column_name::of_arguments(args))))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(to_arrow(&self.context.result))
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(arrow_field(self.kind, &self.context.result, self.context.nullable)))
    }

    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DataFusionResult<Interval> {
        Interval::make_unbounded(&to_arrow(&self.context.result))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        self.invoke(&args).map_err(to_datafusion)
    }
}
