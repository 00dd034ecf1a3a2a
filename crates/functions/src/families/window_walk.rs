//! Window functions of pandas on Spark that walk once over a partition's rows: `ewm` and `null_index`.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, Int32Array};
use arrow::datatypes::{DataType as Arrow, Field, FieldRef, Float64Type};
use datafusion::common::internal_err;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl, lit};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;

use super::rows::{BOOLEAN, DOUBLE, definitions, fold_doubles, is_true};
use super::window::window;
use crate::call::{CallModifiers, FunctionContext, Typed, WindowCall};
use crate::coercion;

definitions! {
    "ewm" (3, 3), Window(ewm), "the mean of the rows so far, of which older ones weigh less and less";
    "null_index" (1, 1), Window(null_index), "how many nulls end with the row";
}

/// A walk over the rows of a partition.
#[derive(Clone, Copy)]
struct Walk {
    /// As it travels.
    name: &'static str,
    result: fn() -> Arrow,
    run: fn(&[ArrayRef], usize) -> DataFusionResult<ArrayRef>,
}

static WALKS: [Walk; 2] = [
    Walk { name: "spark_ewm", result: || Arrow::Float64, run: weighted_means },
    Walk { name: "spark_null_index", result: || Arrow::Int32, run: lengths_of_gaps },
];

/// The walk of that name, with the prefix of our window functions.
pub(super) fn walk(name: &str) -> Option<Arc<WindowUDF>> {
    let walk = WALKS.iter().find(|walk| walk.name == name)?;
    let signature = Signature::variadic_any(Volatility::Immutable);
    Some(Arc::new(WindowUDF::new_from_impl(WalkFunction { walk, signature })))
}

fn of_rows(name: &str, arguments: Vec<Typed>, data_type: DataType, sql: String) -> Result<WindowCall> {
    let function = walk(name).ok_or_else(|| SparkError::internal(format!("no window function is called {name}")))?;
    Ok(window(function, arguments.into_iter().map(|argument| argument.expr).collect(), data_type, sql))
}

/// `ewm(value, alpha, ignores nulls)`: without the last, older rows lose weight with every null too.
fn ewm(ctx: &FunctionContext, arguments: Vec<Typed>, _: &CallModifiers) -> Result<WindowCall> {
    let sql = coercion::call_sql("ewm", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "ewm", arguments, &[DOUBLE, DOUBLE, BOOLEAN])?;
    let [value, alpha, ignores] =
        <[Typed; 3]>::try_from(arguments).map_err(|_| SparkError::internal("ewm takes three arguments"))?;
    let Some(factor) = fold_doubles(&alpha).and_then(|alphas| alphas.first().copied()) else {
        return Err(SparkError::unsupported("ewm with a weight that is not constant"));
    };
    let ignores = is_true(&ignores);
    let call = of_rows("spark_ewm", vec![value], DataType::Double, sql)?;
    let arguments = call.arguments.into_iter().chain([lit(factor), lit(ignores)]).collect();
    Ok(WindowCall { arguments, ..call })
}

fn null_index(_: &FunctionContext, arguments: Vec<Typed>, _: &CallModifiers) -> Result<WindowCall> {
    let sql = coercion::call_sql("null_index", &arguments);
    let call = of_rows("spark_null_index", arguments, DataType::Integer, sql)?;
    Ok(WindowCall { nullable: false, ..call })
}

/// Each row gives `sum(value * (1 - alpha)^age) / sum((1 - alpha)^age)` over the rows up to it that are not null.
fn weighted_means(values: &[ArrayRef], rows: usize) -> DataFusionResult<ArrayRef> {
    let [values, alpha, ignores] = values else { return internal_err!("ewm takes three columns") };
    let values = values.as_primitive::<Float64Type>();
    let mut means = Float64Builder::with_capacity(rows);
    let (mut weighted, mut weights) = (0.0, 0.0);
    for row in 0..rows {
        let fading = 1.0 - alpha.as_primitive::<Float64Type>().value(row);
        if values.is_valid(row) {
            weighted = weighted * fading + values.value(row);
            weights = weights * fading + 1.0;
        } else if !ignores.as_boolean().value(row) {
            weighted *= fading;
            weights *= fading;
        }
        means.append_option((weights > 0.0).then(|| weighted / weights));
    }
    Ok(Arc::new(means.finish()))
}

fn lengths_of_gaps(values: &[ArrayRef], rows: usize) -> DataFusionResult<ArrayRef> {
    let [values] = values else { return internal_err!("null_index takes one column") };
    let nulls = values.logical_nulls();
    let mut length = 0;
    let lengths = (0..rows).map(|row| {
        length = if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) { length + 1 } else { 0 };
        length
    });
    Ok(Arc::new(Int32Array::from_iter_values(lengths)))
}

#[derive(Clone)]
struct WalkFunction {
    walk: &'static Walk,
    signature: Signature,
}

impl fmt::Debug for WalkFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.walk.name)
    }
}

impl PartialEq for WalkFunction {
    fn eq(&self, other: &Self) -> bool {
        self.walk.name == other.walk.name
    }
}

impl Eq for WalkFunction {}

impl std::hash::Hash for WalkFunction {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.walk.name.hash(state);
    }
}

impl WindowUDFImpl for WalkFunction {
    fn name(&self) -> &str {
        self.walk.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _args: PartitionEvaluatorArgs) -> DataFusionResult<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(WalkEvaluator(self.walk)))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), (self.walk.result)(), true)))
    }
}

struct WalkEvaluator(&'static Walk);

impl fmt::Debug for WalkEvaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartitionEvaluator for WalkEvaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> DataFusionResult<ArrayRef> {
        (self.0.run)(values, num_rows)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Float64Array};

    use super::*;

    fn means(ignores: bool) -> Vec<Option<f64>> {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(1.0), None, Some(4.0)]));
        let alpha: ArrayRef = Arc::new(Float64Array::from(vec![0.5; 4]));
        let ignores: ArrayRef = Arc::new(BooleanArray::from(vec![ignores; 4]));
        let means = weighted_means(&[values, alpha, ignores], 4).unwrap();
        means.as_primitive::<Float64Type>().iter().collect()
    }

    #[test]
    fn older_rows_weigh_less() {
        assert_eq!(means(true), vec![None, Some(1.0), Some(1.0), Some(3.0)]);
        assert_eq!(means(false), vec![None, Some(1.0), Some(1.0), Some(3.4)]);
    }

    #[test]
    fn gaps_are_measured() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![None, None, Some(1.0), None]));
        let lengths = lengths_of_gaps(&[values], 4).unwrap();
        assert_eq!(lengths.as_ref(), &Int32Array::from(vec![1, 2, 0, 1]) as &dyn Array);
    }
}
