//! Dates moved by days.

use arrow::array::ArrayRef;
use arrow::datatypes::Date32Type;
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::clock::overflow;
use crate::call::{FunctionContext, Typed};
use crate::coercion;
use crate::families::args::Args;
use crate::families::rows::{DATE, any_nullable, definitions, kernels};
use crate::operators::DAYS;
use crate::udf;

definitions! {
    "date_add" (2, 2), Scalar(|c, a| moved(c, "date_add", a)), "the date so many days later";
    "dateadd" (2, 2), Scalar(|c, a| moved(c, "date_add", a)), "the date so many days later";
    "date_sub" (2, 2), Scalar(|c, a| moved(c, "date_sub", a)), "the date so many days before";
}

kernels! {
    "date_add" => |a| add_days(a, 1);
    "date_sub" => |a| add_days(a, -1);
}

/// Text counts days here, unlike other types that would have to be cast.
fn moved(ctx: &FunctionContext, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql(name, &arguments);
    let days = arguments.remove(1);
    let mut arguments = coercion::coerce_arguments(ctx, name, arguments, &[DATE])?;
    let days = if days.data_type.is_string() { days } else { coercion::coerce_argument(ctx, days, &DAYS, &sql, 1)? };
    arguments.push(coercion::convert(ctx, days, &DataType::Integer)?);
    let nullable = any_nullable(&arguments);
    udf::call(ctx, name, arguments, DataType::Date, nullable, sql)
}

fn add_days(a: &Args, sign: i64) -> Result<ArrayRef> {
    let (days, by) = (a.date(0)?, a.int(1)?);
    a.try_values::<Date32Type>(|r| {
        let moved = i64::from(days.value(r)) + sign * i64::from(by.value(r));
        i32::try_from(moved).map(Some).map_err(|_| overflow("a date so far away"))
    })
}
