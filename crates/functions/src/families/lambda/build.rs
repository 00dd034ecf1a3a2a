//! Calls of functions with lambdas: values coerced, lambdas resolved once their parameters' types are known.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, StructField};

use super::capture::{Scope, close};
use super::udf::{Body, function};
use crate::call::{Argument, FunctionContext, LambdaBody, Typed};
use crate::coercion::{self, Accepts};
use crate::families::collection::arrays::sort_ascending;
use crate::families::collection::maps::check_key_type;
use crate::families::rows::definitions;
use crate::udf::KernelContext;

definitions! {
    "transform" (2, 2), HigherOrder(|c, a| over_array(c, "transform", a)), "the lambda's value for every element";
    "filter" (2, 2), HigherOrder(|c, a| over_array(c, "filter", a)), "the elements for which the lambda holds";
    "exists" (2, 2), HigherOrder(|c, a| over_array(c, "exists", a)), "whether the lambda holds for any element";
    "forall" (2, 2), HigherOrder(|c, a| over_array(c, "forall", a)), "whether the lambda holds for all elements";
    "aggregate" (3, 4), HigherOrder(|c, a| aggregate(c, "aggregate", a)), "a value that the lambda carries from element to element";
    "reduce" (3, 4), HigherOrder(|c, a| aggregate(c, "reduce", a)), "a value that the lambda carries from element to element";
    "zip_with" (3, 3), HigherOrder(zip_with), "the lambda's value for the elements at the same position";
    "array_sort" (1, 2), HigherOrder(array_sort), "the elements in order, or in the lambda's order";
    "map_filter" (2, 2), HigherOrder(|c, a| over_map(c, "map_filter", a)), "the entries for which the lambda holds";
    "transform_keys" (2, 2), HigherOrder(|c, a| over_map(c, "transform_keys", a)), "the lambda's value instead of every key";
    "transform_values" (2, 2), HigherOrder(|c, a| over_map(c, "transform_values", a)), "the lambda's value instead of every value";
    "map_zip_with" (3, 3), HigherOrder(map_zip_with), "the lambda's value for the values of the same key";
}

/// The lambdas of a call, and what they take from outside.
#[derive(Default)]
struct Lambdas {
    bodies: Vec<Body>,
    sql: Vec<String>,
    captured: Vec<Expr>,
}

/// What is known of a lambda's value.
struct Value {
    data_type: DataType,
    nullable: bool,
    sql: String,
}

impl Lambdas {
    /// Resolves a lambda that takes exactly these parameters.
    ///
    /// Errors: `INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH`.
    fn resolve(&mut self, lambda: &mut dyn LambdaBody, parameters: &[(DataType, bool)]) -> Result<Value> {
        if lambda.arity() != parameters.len() && !lambda.is_constant() {
            return Err(SparkError::new(&error_class::INVALID_LAMBDA_FUNCTION_CALL_NUM_ARGS_MISMATCH)
                .param("expectedNumArgs", lambda.arity().to_string())
                .param("actualNumArgs", parameters.len().to_string()));
        }
        let scope = Scope::enter();
        let names = scope.names(parameters.len());
        let body = lambda.resolve(&names, parameters)?;
        drop(scope);
        let expr = close(body.expr, &names, &mut self.captured)?;
        let field = |(name, (data_type, nullable)): (String, &(DataType, bool))| {
            StructField::new(name, data_type.clone(), *nullable)
        };
        let user_names = match lambda.is_constant() {
            true => vec!["namedlambdavariable()".to_owned(); parameters.len()],
            false => lambda.user_names(),
        };
        let sql = format!("lambdafunction({}, {})", body.sql, user_names.join(", "));
        self.bodies.push(Body { expr, parameters: names.into_iter().zip(parameters).map(field).collect() });
        self.sql.push(sql.clone());
        Ok(Value { data_type: body.data_type, nullable: body.nullable, sql })
    }

    fn call(
        self,
        ctx: &FunctionContext,
        kind: &str,
        name: &str,
        values: Vec<Typed>,
        (data_type, nullable): (DataType, bool),
    ) -> Result<Typed> {
        let parts: Vec<_> =
            values.iter().map(|value| value.sql.as_str()).chain(self.sql.iter().map(String::as_str)).collect();
        let sql = format!("{name}({})", parts.join(", "));
        let context = KernelContext {
            ansi: ctx.ansi,
            time_zone: ctx.time_zone.clone(),
            keeps_last_key: ctx.keeps_last_key,
            arguments: values.iter().map(|value| value.data_type.clone()).collect(),
            result: data_type.clone(),
            nullable,
            options: Vec::new(),
            origin: ctx.origin.clone(),
        };
        let arguments = values.into_iter().map(|value| value.expr).chain(self.captured).collect();
        let function = Arc::new(function(kind, context, self.bodies)?);
        Ok(Typed { expr: Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments)), data_type, nullable, sql })
    }
}

/// The lambdas of a call, not resolved yet.
type Unresolved<'a> = Vec<Box<dyn LambdaBody + 'a>>;

/// Values, then lambdas: as many as asked for.
fn split<'a, const V: usize>(name: &str, arguments: Vec<Argument<'a>>) -> Result<([Typed; V], Unresolved<'a>)> {
    let (mut values, mut lambdas) = (Vec::new(), Vec::new());
    let count = arguments.len();
    for (index, argument) in arguments.into_iter().enumerate() {
        match argument {
            Argument::Value(value) if index < V => values.push(value),
            Argument::Lambda(lambda) if index >= V => lambdas.push(lambda),
            Argument::Value(value) => {
                return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE)
                    .param("sqlExpr", coercion::quoted(name))
                    .param("paramIndex", coercion::ordinal(index))
                    .param("requiredType", "\"LAMBDA\"")
                    .param("inputSql", coercion::quoted(&value.sql))
                    .param("inputType", coercion::type_sql(&value.data_type)));
            }
            Argument::Lambda(_) => {
                return Err(SparkError::new(&error_class::INVALID_LAMBDA_FUNCTION_CALL_NUM_ARGS_MISMATCH)
                    .param("expectedNumArgs", V.to_string())
                    .param("actualNumArgs", index.to_string()));
            }
        }
    }
    let values = <[Typed; V]>::try_from(values)
        .map_err(|_| SparkError::internal(format!("{name} was given {count} arguments")))?;
    Ok((values, lambdas))
}

/// The one lambda of a call.
fn only<'a>(name: &str, lambdas: Vec<Box<dyn LambdaBody + 'a>>) -> Result<Box<dyn LambdaBody + 'a>> {
    let mut lambdas = lambdas.into_iter();
    lambdas.next().ok_or_else(|| SparkError::internal(format!("{name} was given no lambda")))
}

fn array_argument(ctx: &FunctionContext, name: &str, value: Typed, index: usize) -> Result<(Typed, DataType, bool)> {
    let value = coercion::coerce_argument(ctx, value, &Accepts::Array, name, index)?;
    match value.data_type.clone() {
        DataType::Array(element, holds_nulls) => Ok((value, *element, holds_nulls)),
        _ => Err(coercion::unexpected_type(&value, &Accepts::Array, name, index)),
    }
}

fn map_argument(
    ctx: &FunctionContext,
    name: &str,
    value: Typed,
    index: usize,
) -> Result<(Typed, DataType, DataType, bool)> {
    let value = coercion::coerce_argument(ctx, value, &Accepts::Map, name, index)?;
    match value.data_type.clone() {
        DataType::Map(key, item, holds_nulls) => Ok((value, *key, *item, holds_nulls)),
        _ => Err(coercion::unexpected_type(&value, &Accepts::Map, name, index)),
    }
}

/// `call` is how Spark prints the call.
fn must_be(expected: &DataType, call: &str, value: &Value, index: usize) -> Result<()> {
    if coercion::same_type(&value.data_type, expected) {
        return Ok(());
    }
    Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE)
        .param("sqlExpr", coercion::quoted(call))
        .param("paramIndex", coercion::ordinal(index))
        .param("requiredType", coercion::type_sql(expected))
        .param("inputSql", coercion::quoted(&value.sql))
        .param("inputType", coercion::type_sql(&value.data_type)))
}

/// A NULL counts as a BOOLEAN.
fn must_be_boolean(name: &str, over: &Typed, value: &Value) -> Result<()> {
    if value.data_type == DataType::Null {
        return Ok(());
    }
    must_be(&DataType::Boolean, &format!("{name}({}, {})", over.sql, value.sql), value, 1)
}

fn over_array(ctx: &FunctionContext, name: &str, arguments: Vec<Argument<'_>>) -> Result<Typed> {
    let ([value], lambdas) = split(name, arguments)?;
    let mut lambda = only(name, lambdas)?;
    let (array, element, holds_nulls) = array_argument(ctx, name, value, 0)?;
    let takes_position = matches!(name, "transform" | "filter") && lambda.arity() == 2;
    let offered = [(element, holds_nulls), (DataType::Integer, false)];
    let mut resolved = Lambdas::default();
    let value = resolved.resolve(lambda.as_mut(), &offered[..1 + usize::from(takes_position)])?;
    let result = match name {
        "transform" => (DataType::Array(Box::new(value.data_type.clone()), value.nullable), array.nullable),
        "filter" => (array.data_type.clone(), array.nullable),
        _ => (DataType::Boolean, array.nullable || value.nullable),
    };
    if name != "transform" {
        must_be_boolean(name, &array, &value)?;
    }
    resolved.call(ctx, name, name, vec![array], result)
}

fn aggregate(ctx: &FunctionContext, name: &str, arguments: Vec<Argument<'_>>) -> Result<Typed> {
    let ([value, start], lambdas) = split(name, arguments)?;
    let mut lambdas = lambdas.into_iter();
    let mut merge = only(name, lambdas.by_ref().take(1).collect())?;
    let (array, element, holds_nulls) = array_argument(ctx, name, value, 0)?;
    let carried = (start.data_type.clone(), true);
    let mut resolved = Lambdas::default();
    let merged = resolved.resolve(merge.as_mut(), &[carried.clone(), (element, holds_nulls)])?;
    let mut result = (carried.0.clone(), array.nullable || start.nullable || merged.nullable);
    if let Some(mut finish) = lambdas.next() {
        let finished = resolved.resolve(finish.as_mut(), std::slice::from_ref(&carried))?;
        result = (finished.data_type, true);
    } else {
        resolved.sql.push("lambdafunction(namedlambdavariable(), namedlambdavariable())".to_owned());
    }
    let call = format!("{name}({}, {}, {})", array.sql, start.sql, resolved.sql.join(", "));
    must_be(&carried.0, &call, &merged, 2)?;
    resolved.call(ctx, "aggregate", name, vec![array, start], result)
}

fn zip_with(ctx: &FunctionContext, arguments: Vec<Argument<'_>>) -> Result<Typed> {
    let ([left, right], lambdas) = split("zip_with", arguments)?;
    let mut lambda = only("zip_with", lambdas)?;
    let (left, x, _) = array_argument(ctx, "zip_with", left, 0)?;
    let (right, y, _) = array_argument(ctx, "zip_with", right, 1)?;
    let mut resolved = Lambdas::default();
    let value = resolved.resolve(lambda.as_mut(), &[(x, true), (y, true)])?;
    let nullable = left.nullable || right.nullable;
    let result = (DataType::Array(Box::new(value.data_type), value.nullable), nullable);
    resolved.call(ctx, "zip_with", "zip_with", vec![left, right], result)
}

fn array_sort(ctx: &FunctionContext, arguments: Vec<Argument<'_>>) -> Result<Typed> {
    let ([value], lambdas) = split("array_sort", arguments)?;
    let Some(mut lambda) = lambdas.into_iter().next() else {
        return sort_ascending(ctx, value);
    };
    let (array, element, holds_nulls) = array_argument(ctx, "array_sort", value, 0)?;
    let mut resolved = Lambdas::default();
    let value = resolved.resolve(lambda.as_mut(), &[(element.clone(), holds_nulls), (element, holds_nulls)])?;
    if value.data_type != DataType::Integer {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_RETURN_TYPE)
            .param("sqlExpr", coercion::quoted(&format!("array_sort({}, {})", array.sql, value.sql)))
            .param("functionName", "`lambdafunction`")
            .param("expectedType", "\"INT\"")
            .param("actualType", coercion::type_sql(&value.data_type)));
    }
    let result = (array.data_type.clone(), array.nullable);
    resolved.call(ctx, "array_sort", "array_sort", vec![array], result)
}

fn over_map(ctx: &FunctionContext, name: &str, arguments: Vec<Argument<'_>>) -> Result<Typed> {
    let ([value], lambdas) = split(name, arguments)?;
    let mut lambda = only(name, lambdas)?;
    let (map, key, item, holds_nulls) = map_argument(ctx, name, value, 0)?;
    let mut resolved = Lambdas::default();
    let value = resolved.resolve(lambda.as_mut(), &[(key.clone(), false), (item.clone(), holds_nulls)])?;
    let result = match name {
        "map_filter" => {
            must_be_boolean(name, &map, &value)?;
            map.data_type.clone()
        }
        "transform_keys" => {
            check_key_type(&value.data_type, &format!("{name}({}, {})", map.sql, value.sql))?;
            DataType::Map(Box::new(value.data_type), Box::new(item), holds_nulls)
        }
        _ => DataType::Map(Box::new(key), Box::new(value.data_type), value.nullable),
    };
    let nullable = map.nullable;
    resolved.call(ctx, name, name, vec![map], (result, nullable))
}

fn map_zip_with(ctx: &FunctionContext, arguments: Vec<Argument<'_>>) -> Result<Typed> {
    const NAME: &str = "map_zip_with";
    let ([left, right], lambdas) = split(NAME, arguments)?;
    let mut lambda = only(NAME, lambdas)?;
    let (left, left_key, x, x_null) = map_argument(ctx, NAME, left, 0)?;
    let (right, right_key, y, y_null) = map_argument(ctx, NAME, right, 1)?;
    let mut resolved = Lambdas::default();
    // A text is no key beside keys of another type.
    let keys = [left_key.clone(), right_key.clone()];
    let common = if left_key.is_string() == right_key.is_string() { coercion::common_type(ctx, &keys) } else { None };
    let Some(key) = common else {
        let shown = resolved.resolve(lambda.as_mut(), &[(left_key.clone(), false), (x, true), (y, true)])?.sql;
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_MAP_ZIP_WITH_DIFF_TYPES)
            .param("sqlExpr", coercion::quoted(&format!("{NAME}({}, {}, {shown})", left.sql, right.sql)))
            .param("functionName", format!("`{NAME}`"))
            .param("leftType", coercion::type_sql(&left_key))
            .param("rightType", coercion::type_sql(&right_key)));
    };
    let with_key =
        |item: &DataType, holds_nulls| DataType::Map(Box::new(key.clone()), Box::new(item.clone()), holds_nulls);
    let left = coercion::convert(ctx, left, &with_key(&x, x_null))?;
    let right = coercion::convert(ctx, right, &with_key(&y, y_null))?;
    let value = resolved.resolve(lambda.as_mut(), &[(key.clone(), false), (x, true), (y, true)])?;
    let result = DataType::Map(Box::new(key), Box::new(value.data_type), value.nullable);
    let nullable = left.nullable || right.nullable;
    resolved.call(ctx, NAME, NAME, vec![left, right], (result, nullable))
}
