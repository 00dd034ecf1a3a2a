//! How a row of a family's table becomes a function: coercion, result type and the text of the call.
//!
//! ```text
//!   "lpad" (TEXT, INT; TEXT = Text(" "))  => is(STRING),  pad::left,  "what it does";
//!   name   arguments; those with defaults    result        kernel
//! ```
//!
//! A row with `; ..ANY` takes any number of further arguments.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::physical_expr::create_physical_expr;
use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::types::{DayTimeField, YearMonthField};

use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::registry::ANY as UNBOUNDED;
use crate::udf;

pub(crate) const TEXT: Accepts = Accepts::String;
pub(crate) const BINARY: Accepts = Accepts::Is(DataType::Binary);
pub(crate) const TEXT_OR_BINARY: Accepts = Accepts::OneOf(&[Accepts::String, Accepts::Is(DataType::Binary)]);
/// STRING, or ARRAY of STRING.
pub(crate) const TEXTS: Accepts = Accepts::OneOf(&[Accepts::String, Accepts::ArrayOf(&Accepts::String)]);
pub(crate) const BOOLEAN: Accepts = Accepts::Is(DataType::Boolean);
pub(crate) const INT: Accepts = Accepts::Is(DataType::Integer);
pub(crate) const LONG: Accepts = Accepts::Is(DataType::Long);
pub(crate) const DOUBLE: Accepts = Accepts::Is(DataType::Double);
/// A DOUBLE or an interval.
pub(crate) const MEASURE: Accepts =
    Accepts::OneOf(&[Accepts::Is(DataType::Double), Accepts::YearMonthInterval, Accepts::DayTimeInterval]);
pub(crate) const NUMBER: Accepts = Accepts::Numeric;
pub(crate) const INTEGRAL: Accepts = Accepts::Integral;
/// A whole number or BOOLEAN.
pub(crate) const BITS: Accepts = Accepts::Only(&[Accepts::Integral, Accepts::Is(DataType::Boolean)]);
/// Seconds with microseconds.
pub(crate) const SECONDS: Accepts = Accepts::Is(DataType::Decimal(18, 6));
pub(crate) const DATE: Accepts = Accepts::Is(DataType::Date);
pub(crate) const INSTANT: Accepts = Accepts::Is(DataType::Timestamp);
pub(crate) const NTZ: Accepts = Accepts::Is(DataType::TimestampNtz);
pub(crate) const TIMESTAMP: Accepts = Accepts::Timestamp;
/// Either timestamp, or TIME.
pub(crate) const INSTANT_OR_TIME: Accepts = Accepts::OneOf(&[Accepts::Timestamp, Accepts::Time]);
/// DATE or either timestamp.
pub(crate) const DAY_OR_TIMESTAMP: Accepts = Accepts::OneOf(&[Accepts::Is(DataType::Date), Accepts::Timestamp]);
pub(crate) const ANY: Accepts = Accepts::Any;
pub(crate) const LIST: Accepts = Accepts::Array;
pub(crate) const MAP: Accepts = Accepts::Map;

pub(crate) const YEAR_MONTH: DataType = DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month);
pub(crate) const DAY_TIME: DataType = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);

/// What stands for an argument that is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Default {
    /// A string.
    Text(&'static str),
    /// An INT.
    Int(i32),
    /// No seconds, as DECIMAL(18, 6).
    NoSeconds,
    /// A BOOLEAN.
    Boolean(bool),
    /// NULL.
    Null,
    /// Nothing: the kernel sees fewer arguments.
    Absent,
}

/// Type and nullability of a result, from the coerced arguments.
pub(crate) type ResultOf = fn(&FunctionContext, &[Typed]) -> Result<(DataType, bool)>;

/// What a row gives.
pub(crate) enum Output {
    /// This type, null where an argument is.
    Is(DataType),
    /// This type, maybe null though no argument is.
    Maybe(DataType),
    /// This type, never null.
    Never(DataType),
    /// The type of argument `i`, null where an argument is.
    Same(usize),
    /// An ARRAY of this type that may hold nulls or not, null where an argument is.
    ListOf(DataType, bool),
    /// Type and nullability computed from the coerced arguments.
    Of(ResultOf),
}

/// A row of a table, as the `functions!` macro writes it down.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) required: &'static [Accepts],
    pub(crate) optional: &'static [(Accepts, Default)],
    pub(crate) rest: &'static [Accepts],
    pub(crate) output: Output,
}

/// Declares `TABLE` and `KERNELS` of a family. A kernel is `fn(&Args) -> Result<ArrayRef>`.
macro_rules! functions {
    ($(
        $name:literal ($($input:ident),* $(; $($optional:ident = $default:expr),+)? $(; ..$rest:ident)?)
        => $output:expr, $run:expr, $doc:literal;
    )*) => {
        /// The functions of this family.
        pub(crate) static TABLE: &[crate::registry::Definition] = &[$(
            crate::registry::Definition {
                name: $name,
                arity: crate::families::rows::arity(
                    <[&str]>::len(&[$(stringify!($input)),*]),
                    <[&str]>::len(&[$($(stringify!($optional)),+)?]),
                    <[&str]>::len(&[$(stringify!($rest))?]),
                ),
                build: crate::registry::Build::Scalar(|ctx, arguments| {
                    static ROW: crate::families::rows::Row = crate::families::rows::Row {
                        name: $name,
                        required: &[$(crate::families::rows::$input),*],
                        optional: &[$($((crate::families::rows::$optional, $default)),+)?],
                        rest: &[$(crate::families::rows::$rest)?],
                        output: $output,
                    };
                    ROW.call(ctx, arguments)
                }),
                doc: $doc,
            },
        )*];
        /// The kernels of this family.
        pub(crate) static KERNELS: &[crate::udf::Kernel] = &[$(
            crate::udf::Kernel::arrays($name, |context, arrays, rows| {
                let run: fn(&crate::families::args::Args<'_>) -> firesteel_model::Result<arrow::array::ArrayRef> = $run;
                run(&crate::families::args::Args { context, arrays, rows })
            }),
        )*];
    };
}
pub(crate) use functions;

/// Declares a table of functions that are built by hand, and another of kernels they call.
macro_rules! definitions {
    ($($name:literal $arity:expr, $kind:ident($build:expr), $doc:literal;)*) => {
        /// The functions of this family.
        pub(crate) static TABLE: &[crate::registry::Definition] = &[$(
            crate::registry::Definition {
                name: $name,
                arity: $arity,
                build: crate::registry::Build::$kind($build),
                doc: $doc,
            },
        )*];
    };
}
pub(crate) use definitions;

/// Declares `KERNELS`: names, `raising` where values may raise errors, and `fn(&Args) -> Result<ArrayRef>`.
macro_rules! kernels {
    ($($name:literal $($mark:ident)? => $run:expr;)*) => {
        /// The kernels of this family.
        pub(crate) static KERNELS: &[crate::udf::Kernel] = &[$(
            crate::udf::Kernel::arrays($name, |context, arrays, rows| {
                let run: fn(&crate::families::args::Args<'_>) -> firesteel_model::Result<arrow::array::ArrayRef> = $run;
                run(&crate::families::args::Args { context, arrays, rows })
            })$(.$mark())?,
        )*];
    };
}
pub(crate) use kernels;

/// Fewest and most arguments of a row.
pub(crate) const fn arity(required: usize, optional: usize, rest: usize) -> (usize, usize) {
    (required, if rest > 0 { UNBOUNDED } else { required + optional })
}

impl Row {
    /// A call of the row's kernel with coerced arguments.
    pub(crate) fn call(&self, ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
        for (_, default) in self.optional.iter().skip(arguments.len().saturating_sub(self.required.len())) {
            match default {
                Default::Absent => break,
                Default::Null => arguments.push(literal(ScalarValue::Null, DataType::Null, "NULL")),
                Default::Text(text) => arguments.push(text_literal(text)),
                Default::Int(value) => arguments.push(int_literal(*value)),
                Default::NoSeconds => {
                    let zero = ScalarValue::Decimal128(Some(0), 18, 6);
                    arguments.push(literal(zero, DataType::Decimal(18, 6), "0.000000"));
                }
                Default::Boolean(value) => {
                    arguments.push(literal(ScalarValue::Boolean(Some(*value)), DataType::Boolean, &value.to_string()))
                }
            }
        }
        let sql = coercion::call_sql(&shown_name(self.name), &arguments);
        let parameters: Vec<Accepts> = self
            .required
            .iter()
            .chain(self.optional.iter().map(|(accepts, _)| accepts))
            .chain(self.rest)
            .cloned()
            .collect();
        let arguments = coercion::coerce_arguments(ctx, self.name, arguments, &parameters)?;
        let (data_type, nullable) = self.output(ctx, &arguments)?;
        udf::call(ctx, self.name, arguments, data_type, nullable, sql)
    }

    fn output(&self, ctx: &FunctionContext, arguments: &[Typed]) -> Result<(DataType, bool)> {
        let nullable = any_nullable(arguments);
        Ok(match &self.output {
            Output::Is(data_type) => (data_type.clone(), nullable),
            Output::Maybe(data_type) => (data_type.clone(), true),
            Output::Never(data_type) => (data_type.clone(), false),
            Output::Same(i) => (arguments.get(*i).map_or(DataType::Null, |a| a.data_type.clone()), nullable),
            Output::ListOf(element, holds_nulls) => {
                (DataType::Array(Box::new(element.clone()), *holds_nulls), nullable)
            }
            Output::Of(of) => of(ctx, arguments)?,
        })
    }
}

/// Spark prints these in capitals.
const IN_CAPITALS: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "csc",
    "degrees",
    "e",
    "exp",
    "expm1",
    "floor",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "pi",
    "power",
    "radians",
    "regexp",
    "regexp_like",
    "rlike",
    "sec",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
];

/// The function's name in the text of a call.
pub(crate) fn shown_name(name: &str) -> String {
    if name == "dateadd" {
        return "date_add".to_owned();
    }
    if IN_CAPITALS.contains(&name) { name.to_uppercase() } else { name.to_owned() }
}

/// Whether any of them may be null.
pub(crate) fn any_nullable(arguments: &[Typed]) -> bool {
    arguments.iter().any(|argument| argument.nullable)
}

/// A constant.
pub(crate) fn literal(value: ScalarValue, data_type: DataType, sql: &str) -> Typed {
    let nullable = value.is_null();
    Typed { expr: Expr::Literal(value, None), data_type, nullable, sql: sql.to_owned() }
}

/// A STRING constant.
pub(crate) fn text_literal(text: &str) -> Typed {
    literal(ScalarValue::Utf8(Some(text.to_owned())), DataType::STRING, text)
}

/// An INT constant.
pub(crate) fn int_literal(value: i32) -> Typed {
    literal(ScalarValue::Int32(Some(value)), DataType::Integer, &value.to_string())
}

/// The value of a constant argument, looking through aliases.
pub(crate) fn constant(argument: &Typed) -> Option<&ScalarValue> {
    match &argument.expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Alias(alias) => match alias.expr.as_ref() {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// The value of an argument that needs no row: literals, casts of them, calls over them.
pub(crate) fn fold(argument: &Typed) -> Option<ScalarValue> {
    if let Some(value) = constant(argument) {
        return Some(value.clone());
    }
    if argument.expr.any_column_refs() || argument.expr.is_volatile() {
        return None;
    }
    let schema = DFSchema::empty();
    let properties = ExecutionProps::new();
    let physical =
        create_physical_expr(&argument.expr, &schema, &properties, &PhysicalPlanningContext::default()).ok()?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).ok()?;
    match physical.evaluate(&batch).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0).ok(),
    }
}

/// The text of a constant STRING argument.
pub(crate) fn fold_text(argument: &Typed) -> Option<String> {
    match fold(argument)? {
        ScalarValue::Utf8(text) => text,
        ScalarValue::Binary(bytes) => bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    }
}

/// The numbers of a constant argument: a number or an array of numbers.
pub(crate) fn fold_doubles(argument: &Typed) -> Option<Vec<f64>> {
    let array = fold(argument)?.to_array().ok()?;
    let array = array.as_list_opt::<i32>().map_or_else(|| array.clone(), |list| list.value(0));
    let doubles = arrow::compute::cast(&array, &arrow::datatypes::DataType::Float64).ok()?;
    Some(doubles.as_primitive_opt::<arrow::datatypes::Float64Type>()?.iter().flatten().collect())
}

/// Whether an argument is the constant TRUE.
pub(crate) fn is_true(argument: &Typed) -> bool {
    matches!(fold(argument), Some(ScalarValue::Boolean(Some(true))))
}
