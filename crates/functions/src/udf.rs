//! The one scalar UDF that all our kernels share.
//!
//! ```text
//!   call(ctx, "kernel", arguments, result) --> Expr::ScalarFunction(SparkUdf { kernel, context })
//!   encode(udf) = (name, context as JSON)        decode(name, bytes) = the same udf elsewhere
//! ```

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use firesteel_model::{ErrorContext, Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::{arrow_field, to_arrow, type_metadata};
use serde_json::{Value, json};

use crate::call::{FunctionContext, Typed};
use crate::errors::to_datafusion;
use crate::origin::Origin;
use crate::{column_name, families, operators};

/// A vectorised function under the name by which it travels.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// Unique among all kernels.
    pub name: &'static str,
    /// What it does.
    pub run: Run,
    /// When equal inputs give equal outputs.
    pub volatility: Volatility,
    /// Whether it raises errors about values in ANSI mode, so that AND and OR must not run it on rows that they skip.
    pub raises: bool,
}

/// How a kernel is run. The result's Arrow type must be `to_arrow(&context.result)`.
#[derive(Clone, Copy)]
pub enum Run {
    /// Arguments as arrays of `rows` values (constants repeated); when all are constant, `rows` is 1.
    Arrays(fn(&KernelContext, &[ArrayRef], usize) -> Result<ArrayRef>),
    /// Arguments as they come: constants stay scalars.
    Values(fn(&KernelContext, &[ColumnarValue], usize) -> Result<ColumnarValue>),
}

impl Kernel {
    /// An immutable kernel over arrays.
    pub const fn arrays(name: &'static str, run: fn(&KernelContext, &[ArrayRef], usize) -> Result<ArrayRef>) -> Self {
        Self { name, run: Run::Arrays(run), volatility: Volatility::Immutable, raises: false }
    }

    /// An immutable kernel over arrays and constants.
    pub const fn values(
        name: &'static str,
        run: fn(&KernelContext, &[ColumnarValue], usize) -> Result<ColumnarValue>,
    ) -> Self {
        Self { name, run: Run::Values(run), volatility: Volatility::Immutable, raises: false }
    }

    /// The same kernel, said to raise errors about values in ANSI mode.
    #[must_use]
    pub const fn raising(mut self) -> Self {
        self.raises = true;
        self
    }

    /// The same kernel, evaluated anew for every row and never folded.
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.volatility = Volatility::Volatile;
        self
    }
}

/// Everything a kernel depends on beside its arguments; travels with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KernelContext {
    /// Whether errors are raised (ANSI mode, and not a `try_` variant).
    pub ansi: bool,
    /// The session's time zone.
    pub time_zone: Arc<str>,
    /// Whether a key given twice to a map keeps its last value, or is an error.
    pub keeps_last_key: bool,
    /// Spark types of the arguments.
    pub arguments: Vec<DataType>,
    /// Spark type of the result.
    pub result: DataType,
    /// Whether the result may be null.
    pub nullable: bool,
    /// The kernel's own constants, in its own order.
    pub options: Vec<String>,
    /// Where it is called.
    pub origin: Origin,
}

/// A kernel with its context: one object per use.
#[derive(Clone)]
pub struct SparkUdf {
    kernel: &'static Kernel,
    context: KernelContext,
    signature: Signature,
    /// Of the call that it was made for: the columns of a plan are named by it, whatever becomes of the arguments.
    digest: u64,
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Kernel>> = LazyLock::new(|| {
    operators::KERNELS
        .iter()
        .chain([&crate::cast::KERNELS])
        .chain(families::KERNELS)
        .flat_map(|table| table.iter())
        .map(|k| (k.name, k))
        .collect()
});

/// The kernel of that name.
pub fn kernel_by_name(name: &str) -> Option<&'static Kernel> {
    BY_NAME.get(name).copied()
}

/// A call of the kernel `name`; arguments must be coerced already.
pub fn call(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    result: DataType,
    nullable: bool,
    sql: String,
) -> Result<Typed> {
    call_with(ctx, name, arguments, result, nullable, sql, Vec::new())
}

/// A call of the kernel `name` with constants of its own.
pub fn call_with(
    ctx: &FunctionContext,
    name: &str,
    arguments: Vec<Typed>,
    result: DataType,
    nullable: bool,
    sql: String,
    options: Vec<String>,
) -> Result<Typed> {
    let context = KernelContext {
        ansi: ctx.ansi,
        time_zone: ctx.time_zone.clone(),
        keeps_last_key: ctx.keeps_last_key,
        arguments: arguments.iter().map(|argument| argument.data_type.clone()).collect(),
        result: result.clone(),
        nullable,
        options,
        origin: ctx.origin.clone(),
    };
    let arguments: Vec<Expr> = arguments.into_iter().map(|argument| argument.expr).collect();
    let udf = SparkUdf::new(name, context, &arguments)?;
    let expr = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(udf)), arguments));
    Ok(Typed { expr, data_type: result, nullable, sql })
}

/// Name and context of a function of ours, for the wire; `None` for DataFusion's.
pub fn encode(udf: &ScalarUDF) -> Option<(String, Vec<u8>)> {
    if let Some(bytes) = families::field_access::encode(udf) {
        return Some((families::field_access::NAME.to_owned(), bytes));
    }
    let udf = udf.inner().downcast_ref::<SparkUdf>()?;
    Some((udf.kernel.name.to_owned(), udf.context.to_bytes()))
}

/// The function that [`encode`] gave.
pub fn decode(name: &str, bytes: &[u8]) -> Result<ScalarUDF> {
    if name == families::field_access::NAME {
        return families::field_access::decode(bytes);
    }
    let context = KernelContext::from_bytes(name, bytes)?;
    Ok(ScalarUDF::new_from_impl(SparkUdf::new(name, context, &[])?))
}

/// The arguments as arrays of `rows` values.
pub fn to_arrays(values: &[ColumnarValue], rows: usize) -> Result<Vec<ArrayRef>> {
    values.iter().map(|value| value.to_array(rows).map_err(crate::errors::from_datafusion)).collect()
}

impl KernelContext {
    /// The same with another result, for kernels that call kernels.
    #[must_use]
    pub fn with_types(&self, arguments: Vec<DataType>, result: DataType) -> Self {
        Self { arguments, result, ..self.clone() }
    }

    /// For the wire.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// The context that [`Self::to_bytes`] gave, of the function `name`.
    pub(crate) fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| SparkError::internal(format!("context of {name} is not JSON")).source(error))?;
        Self::from_json(&value).ok_or_else(|| SparkError::internal(format!("context of {name} lacks a field")))
    }

    fn to_json(&self) -> Value {
        json!({
            "ansi": self.ansi,
            "zone": self.time_zone.as_ref(),
            "keeps_last_key": self.keeps_last_key,
            "arguments": self.arguments.iter().map(DataType::to_json).collect::<Vec<_>>(),
            "result": self.result.to_json(),
            "nullable": self.nullable,
            "options": self.options,
            "origin": self.origin.context(),
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let arguments = value.get("arguments")?.as_array()?;
        let options = value.get("options")?.as_array()?;
        Some(Self {
            ansi: value.get("ansi")?.as_bool()?,
            time_zone: value.get("zone")?.as_str()?.into(),
            keeps_last_key: value.get("keeps_last_key")?.as_bool()?,
            arguments: arguments.iter().map(|v| DataType::from_json(v).ok()).collect::<Option<_>>()?,
            result: DataType::from_json(value.get("result")?).ok()?,
            nullable: value.get("nullable")?.as_bool()?,
            options: options.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            origin: serde_json::from_value::<Option<ErrorContext>>(value.get("origin")?.clone()).ok()?.into(),
        })
    }
}

impl SparkUdf {
    fn new(name: &str, context: KernelContext, arguments: &[Expr]) -> Result<Self> {
        let kernel = kernel_by_name(name).ok_or_else(|| SparkError::internal(format!("no kernel is called {name}")))?;
        let signature = match context.arguments.len() {
            0 => Signature::nullary(kernel.volatility),
            count => Signature::any(count, kernel.volatility),
        };
        let digest = column_name::digest(&(kernel.name, &context), arguments);
        Ok(Self { kernel, context, signature, digest })
    }

    /// Its kernel.
    pub fn kernel(&self) -> &'static Kernel {
        self.kernel
    }

    /// Its context.
    pub fn context(&self) -> &KernelContext {
        &self.context
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    fn field(&self) -> Field {
        arrow_field(self.kernel.name, &self.context.result, self.context.nullable)
            .with_metadata(type_metadata(&self.context.result))
    }

    fn describe(&self, arguments: &str) -> String {
        let mode = if self.context.ansi { "" } else { "?" };
        let mut text = format!("{}{mode}({arguments}):{}", self.kernel.name, self.context.result.simple_string());
        if !self.context.options.is_empty() {
            text.push_str(&format!("{:?}", self.context.options));
        }
        text
    }

    fn invoke(&self, values: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
        match self.kernel.run {
            Run::Values(run) => run(&self.context, values, rows),
            Run::Arrays(run) => {
                let is_constant = self.kernel.volatility == Volatility::Immutable
                    && values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
                let rows = if is_constant { 1 } else { rows };
                let array = run(&self.context, &to_arrays(values, rows)?, rows)?;
                if is_constant {
                    return constant_of(&array).map(ColumnarValue::Scalar);
                }
                Ok(ColumnarValue::Array(array))
            }
        }
    }
}

/// The first value of an array. DataFusion's own way forgets what the field of a list's elements tells of their type.
fn constant_of(array: &ArrayRef) -> Result<ScalarValue> {
    match array.as_list_opt::<i32>() {
        Some(list) => Ok(ScalarValue::List(Arc::new(list.slice(0, 1)))),
        None => ScalarValue::try_from_array(array, 0).map_err(crate::errors::from_datafusion),
    }
}

impl fmt::Debug for SparkUdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparkUdf").field("kernel", &self.kernel.name).field("context", &self.context).finish()
    }
}

impl PartialEq for SparkUdf {
    fn eq(&self, other: &Self) -> bool {
        self.kernel.name == other.kernel.name && self.context == other.context
    }
}

impl Eq for SparkUdf {}

impl Hash for SparkUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.name.hash(state);
        self.context.hash(state);
    }
}

impl ScalarUDFImpl for SparkUdf {
    fn name(&self) -> &str {
        self.kernel.name
    }

    fn display_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        let arguments: Vec<_> = args.iter().map(ToString::to_string).collect();
        Ok(self.describe(&arguments.join(",")))
    }

    /// Two uses of a kernel that differ in type, options or arguments must not share a column name.
    fn schema_name(&self, _args: &[Expr]) -> DataFusionResult<String> {
        Ok(format!("{}~{:016x}", self.kernel.name, self.digest))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[Arrow]) -> DataFusionResult<Arrow> {
        Ok(to_arrow(&self.context.result))
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(self.field()))
    }

    /// Any value of its type: without one, rows sorted by a comparison with a call would not count as sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DataFusionResult<Interval> {
        Interval::make_unbounded(&to_arrow(&self.context.result))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let located = |error| to_datafusion(self.context.origin.locate(error));
        self.invoke(&args.args, args.number_rows).map_err(located)
    }
}
