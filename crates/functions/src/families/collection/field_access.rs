//! One field of a struct by its place: the only function whose type follows from its argument.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as Arrow, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use firesteel_model::{Result, SparkError};

use crate::column_name;
use crate::errors::{from_arrow, from_datafusion, to_datafusion};

/// Name under which it travels.
pub(crate) const NAME: &str = "struct_field";

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FieldAt {
    index: usize,
    /// The field's name where it is known, for the names of structs that are made of it.
    name: Option<String>,
    signature: Signature,
}

/// Field `index` of a struct; null where the struct is.
pub(crate) fn field(expr: Expr, index: usize, name: Option<String>) -> Expr {
    let udf = ScalarUDF::new_from_impl(FieldAt::new(index, name));
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(udf), vec![expr]))
}

/// The name of the field that the expression takes from a struct.
pub(crate) fn taken_name(expr: &Expr) -> Option<&str> {
    let Expr::ScalarFunction(function) = expr else { return None };
    function.func.inner().downcast_ref::<FieldAt>()?.name.as_deref()
}

/// For the wire; `None` for other functions.
pub(crate) fn encode(udf: &ScalarUDF) -> Option<Vec<u8>> {
    let udf = udf.inner().downcast_ref::<FieldAt>()?;
    Some(format!("{} {}", udf.index, udf.name.as_deref().unwrap_or_default()).into_bytes())
}

/// The function that [`encode`] gave.
pub(crate) fn decode(bytes: &[u8]) -> Result<ScalarUDF> {
    let text = String::from_utf8_lossy(bytes);
    let (index, name) = text.split_once(' ').unwrap_or((&text, ""));
    let index = index.parse::<usize>().map_err(|error| SparkError::internal("a field has no index").source(error))?;
    Ok(ScalarUDF::new_from_impl(FieldAt::new(index, (!name.is_empty()).then(|| name.to_owned()))))
}

/// The array, null also where `nulls` says so.
pub(crate) fn masked(array: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    let (Some(outer), false) = (nulls, *array.data_type() == Arrow::Null) else { return Ok(array.clone()) };
    if outer.null_count() == 0 {
        return Ok(array.clone());
    }
    let nulls = NullBuffer::union(Some(outer), array.nulls());
    Ok(make_array(array.to_data().into_builder().nulls(nulls).build().map_err(from_arrow)?))
}

impl FieldAt {
    fn new(index: usize, name: Option<String>) -> Self {
        Self { index, name, signature: Signature::any(1, Volatility::Immutable) }
    }

    fn take(&self, value: &ColumnarValue) -> Result<ColumnarValue> {
        let array = match value {
            ColumnarValue::Array(array) => array.clone(),
            ColumnarValue::Scalar(scalar) => scalar.to_array().map_err(from_datafusion)?,
        };
        if *array.data_type() == Arrow::Null {
            return Ok(value.clone());
        }
        let missing = || SparkError::internal(format!("{} has no field {}", array.data_type(), self.index));
        let parent = array.as_struct_opt().ok_or_else(missing)?;
        let column = parent.columns().get(self.index).ok_or_else(missing)?;
        let column = masked(column, parent.nulls())?;
        match value {
            ColumnarValue::Array(_) => Ok(ColumnarValue::Array(column)),
            ColumnarValue::Scalar(_) => {
                ScalarValue::try_from_array(&column, 0).map(ColumnarValue::Scalar).map_err(from_datafusion)
            }
        }
    }
}

impl ScalarUDFImpl for FieldAt {
    fn name(&self) -> &str {
        NAME
    }

    fn schema_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        Ok(column_name::bounded(format!("{NAME}({})[{}]", column_name::of_arguments(args), self.index)))
    }

    fn display_name(&self, args: &[Expr]) -> DataFusionResult<String> {
        let of: Vec<_> = args.iter().map(ToString::to_string).collect();
        Ok(format!("{NAME}({})[{}]", of.join(","), self.index))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[Arrow]) -> DataFusionResult<Arrow> {
        match arg_types {
            [Arrow::Null] => Ok(Arrow::Null),
            [Arrow::Struct(fields)] if self.index < fields.len() => Ok(fields[self.index].data_type().clone()),
            _ => Err(to_datafusion(SparkError::internal(format!("no field {} in {arg_types:?}", self.index)))),
        }
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> DataFusionResult<Interval> {
        let types: Vec<_> = inputs.iter().map(|input| input.data_type()).collect();
        Interval::make_unbounded(&self.return_type(&types)?)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DataFusionResult<FieldRef> {
        let types: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let data_type = self.return_type(&types)?;
        let (Some(parent), Some(Arrow::Struct(fields))) = (args.arg_fields.first(), types.first()) else {
            return Ok(Arc::new(Field::new(NAME, data_type, true)));
        };
        let field = fields[self.index].as_ref().clone();
        let nullable = field.is_nullable() || parent.is_nullable();
        Ok(Arc::new(field.with_name(NAME).with_nullable(nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        match args.args.first() {
            Some(value) => self.take(value).map_err(to_datafusion),
            None => Err(to_datafusion(SparkError::internal("a field of nothing"))),
        }
    }
}
