//! `reflect` and its like. There is no JVM here: of Java's static methods a few pure ones are at hand, written anew.
//!
//! ```text
//!   reflect(class, method, arguments) --> METHODS: by class, method and types of the arguments --> kernel "reflect"
//! ```

use std::fmt::Write;

use arrow::array::ArrayRef;
use arrow::datatypes as types;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;

use super::args::Args;
use super::rows::{definitions, fold_text, kernels};
use super::text::url_decode;
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::number::{write_double, write_float};
use crate::registry::{self, ANY, Build};
use crate::udf;

definitions! {
    "reflect" (0, ANY), Scalar(|c, a| reflect(c, "reflect", a)), "what a static method of Java gives, as text: of a few, without a JVM";
    "java_method" (0, ANY), Scalar(|c, a| reflect(c, "java_method", a)), "what a static method of Java gives, as text: of a few, without a JVM";
    "try_reflect" (0, ANY), Scalar(|c, a| reflect(c, "try_reflect", a)), "the same, null where the method fails";
}

kernels! {
    "reflect" raising => call;
}

/// A static method: its class, its name, the types it takes, what it does with a row.
struct Method {
    class: &'static str,
    name: &'static str,
    takes: &'static [Takes],
    run: fn(&Args, usize) -> Result<Option<String>>,
}

/// What a parameter of a method takes.
#[derive(Clone, Copy)]
enum Takes {
    /// A text.
    Text,
    /// A number of 32 bits.
    Int,
    /// A number, the same type as the others.
    Number,
    /// Anything.
    Any,
}

use Takes::{Any, Int, Number, Text};

/// Methods that need nothing but their arguments. `UUID.randomUUID` is beside them: it is `uuid()`.
static METHODS: &[Method] = &[
    Method { class: "java.util.UUID", name: "fromString", takes: &[Text], run: |a, r| uuid(a.text(2)?.value(r)) },
    Method { class: "java.lang.String", name: "valueOf", takes: &[Any], run: |a, r| shown(a, 2, r).map(Some) },
    Method { class: "java.lang.Math", name: "max", takes: &[Number, Number], run: |a, r| chosen(a, r, true) },
    Method { class: "java.lang.Math", name: "min", takes: &[Number, Number], run: |a, r| chosen(a, r, false) },
    Method { class: "java.lang.Integer", name: "valueOf", takes: &[Text], run: |a, r| integer(a, r, 10) },
    Method { class: "java.lang.Integer", name: "valueOf", takes: &[Text, Int], run: integer_of_radix },
    Method { class: "java.lang.Integer", name: "parseInt", takes: &[Text], run: |a, r| integer(a, r, 10) },
    Method { class: "java.lang.Integer", name: "parseInt", takes: &[Text, Int], run: integer_of_radix },
    Method {
        class: "java.net.URLDecoder",
        name: "decode",
        takes: &[Text],
        run: |a, r| Ok(url_decode(a.text(2)?.value(r))),
    },
];

const ARGUMENT: Accepts = Accepts::Only(&[
    Accepts::Is(DataType::Boolean),
    Accepts::Is(DataType::Byte),
    Accepts::Is(DataType::Short),
    Accepts::Is(DataType::Integer),
    Accepts::Is(DataType::Long),
    Accepts::Is(DataType::Float),
    Accepts::Is(DataType::Double),
    Accepts::String,
]);

fn reflect(ctx: &FunctionContext, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
    // As in Spark, errors know `try_reflect` as what it is built of.
    let told = if name == "try_reflect" { "reflect" } else { name };
    if arguments.len() < 2 {
        return Err(SparkError::new(&error_class::WRONG_NUM_ARGS_WITHOUT_SUGGESTION)
            .param("functionName", format!("`{told}`"))
            .param("expectedNum", "> 1")
            .param("actualNum", arguments.len().to_string())
            .param("docroot", "https://spark.apache.org/docs/latest"));
    }
    let sql = coercion::call_sql(name, &arguments);
    let shown = coercion::call_sql(told, &arguments);
    let constant = |index: usize, input: &str| {
        fold_text(&arguments[index]).ok_or_else(|| {
            SparkError::new(&error_class::DATATYPE_MISMATCH_NON_FOLDABLE_INPUT)
                .param("sqlExpr", coercion::quoted(&shown))
                .param("inputName", format!("`{input}`"))
                .param("inputType", "\"STRING\"")
                .param("inputExpr", coercion::quoted(&arguments[index].sql))
        })
    };
    let (class, method) = (constant(0, "class")?, constant(1, "method")?);
    for (index, argument) in arguments.iter().enumerate().skip(2) {
        if !ARGUMENT.accepts(&argument.data_type) {
            return Err(coercion::unexpected_type(argument, &ARGUMENT, &shown, index));
        }
    }
    if !METHODS.iter().any(|known| known.class == class) && class != "java.lang.Object" {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_CLASS_TYPE)
            .param("sqlExpr", coercion::quoted(&shown))
            .param("className", class));
    }
    let given: Vec<_> = arguments[2..].iter().map(|argument| argument.data_type.clone()).collect();
    if (class.as_str(), method.as_str(), given.len()) == ("java.util.UUID", "randomUUID", 0) {
        return random_uuid(ctx, sql);
    }
    let Some(found) =
        METHODS.iter().position(|known| known.class == class && known.name == method && known.fits(&given))
    else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_UNEXPECTED_STATIC_METHOD)
            .param("sqlExpr", coercion::quoted(&shown))
            .param("className", class)
            .param("methodName", method));
    };
    let mut options = vec![found.to_string()];
    options.extend((name == "try_reflect").then(|| "try".to_owned()));
    udf::call_with(ctx, "reflect", arguments, DataType::STRING, true, sql, options)
}

fn random_uuid(ctx: &FunctionContext, sql: String) -> Result<Typed> {
    match registry::lookup("uuid").map(|definition| definition.build) {
        Some(Build::Scalar(build)) => Ok(Typed { sql, nullable: true, ..build(ctx, Vec::new())? }),
        _ => Err(SparkError::internal("the function uuid is not in the table")),
    }
}

impl Method {
    fn fits(&self, given: &[DataType]) -> bool {
        let is_number = |of: &DataType| {
            matches!(of, DataType::Integer | DataType::Long | DataType::Float | DataType::Double) && *of == given[0]
        };
        let fits = |(takes, of): (&Takes, &DataType)| match takes {
            Text => of.is_string(),
            Int => *of == DataType::Integer,
            Number => is_number(of),
            Any => true,
        };
        self.takes.len() == given.len() && self.takes.iter().zip(given).all(fits)
    }
}

/// Calls the method whose number the kernel was given; NULL for NULL.
fn call(a: &Args) -> Result<ArrayRef> {
    let place: Option<usize> = a.option(0)?.parse().ok();
    let method = place.and_then(|place| METHODS.get(place));
    let method = method.ok_or_else(|| SparkError::internal("reflect was given no method"))?;
    let is_try = a.context.options.len() > 1;
    a.try_texts(|row| match (method.run)(a, row)? {
        None if !is_try => Err(SparkError::new(&error_class::USER_RAISED_EXCEPTION)
            .param("errorMessage", format!("{}.{} does not take its argument", method.class, method.name))),
        value => Ok(value),
    })
}

/// What `String.valueOf` gives.
fn shown(a: &Args, argument: usize, row: usize) -> Result<String> {
    let mut out = String::new();
    match a.data_type(argument)? {
        DataType::Boolean => _ = write!(out, "{}", a.boolean(argument)?.value(row)),
        DataType::Byte => _ = write!(out, "{}", a.primitive::<types::Int8Type>(argument)?.value(row)),
        DataType::Short => _ = write!(out, "{}", a.primitive::<types::Int16Type>(argument)?.value(row)),
        DataType::Integer => _ = write!(out, "{}", a.int(argument)?.value(row)),
        DataType::Long => _ = write!(out, "{}", a.long(argument)?.value(row)),
        DataType::Float => write_float(&mut out, a.primitive::<types::Float32Type>(argument)?.value(row)),
        DataType::Double => write_double(&mut out, a.double(argument)?.value(row)),
        _ => out.push_str(a.text(argument)?.value(row)),
    }
    Ok(out)
}

/// The greater or the lesser of two numbers of one type; NaN wherever there is one, and -0.0 below 0.0.
fn chosen(a: &Args, row: usize, greater: bool) -> Result<Option<String>> {
    let order = match a.data_type(2)? {
        DataType::Integer => a.int(2)?.value(row).cmp(&a.int(3)?.value(row)),
        DataType::Long => a.long(2)?.value(row).cmp(&a.long(3)?.value(row)),
        DataType::Float => {
            let (left, right) = (a.primitive::<types::Float32Type>(2)?, a.primitive::<types::Float32Type>(3)?);
            left.value(row).total_cmp(&right.value(row))
        }
        _ => a.double(2)?.value(row).total_cmp(&a.double(3)?.value(row)),
    };
    let (left, right) = (shown(a, 2, row)?, shown(a, 3, row)?);
    if left == "NaN" || right == "NaN" {
        return Ok(Some("NaN".to_owned()));
    }
    Ok(Some(if order.is_gt() == greater { left } else { right }))
}

fn integer_of_radix(a: &Args, row: usize) -> Result<Option<String>> {
    integer(a, row, a.int(3)?.value(row))
}

fn integer(a: &Args, row: usize, radix: i32) -> Result<Option<String>> {
    let radix = u32::try_from(radix).ok().filter(|radix| (2..=36).contains(radix));
    let number = radix.and_then(|radix| i32::from_str_radix(a.text(2).ok()?.value(row), radix).ok());
    Ok(number.map(|number| number.to_string()))
}

/// Five numbers of hexadecimal digits, of which each has at most so many, filled up with zeros.
fn uuid(text: &str) -> Result<Option<String>> {
    const WIDTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    let is_part = |(part, width): (&&str, &usize)| {
        (1..=*width).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if parts.len() != WIDTHS.len() || !parts.iter().zip(&WIDTHS).all(is_part) {
        return Ok(None);
    }
    let parts: Vec<_> = parts.iter().zip(WIDTHS).map(|(part, width)| format!("{part:0>width$}")).collect();
    Ok(Some(parts.join("-").to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_filled_up_and_checked() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(uuid(text).unwrap().as_deref(), expected);
        check("A5CF6C42-c85-418f-af6c-3e4e5b1328f2", Some("a5cf6c42-0c85-418f-af6c-3e4e5b1328f2"));
        check("b", None);
        check("a-b-c-d-x", None);
    }
}
