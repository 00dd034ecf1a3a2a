//! Arguments given by name to built-in functions: which functions take them, and in what order they want them.

use std::borrow::Cow;

use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::{DataType, Expr, ExprNode, Literal};

use super::call::wrong_count;
use crate::attribute::{NameMatch, edit_distance};

/// What a parameter is where no argument is given.
enum Absent {
    Refused,
    Text(&'static str),
    Int(i32),
    Null,
}

use Absent::{Int, Null, Refused, Text};

type Parameter = (&'static str, Absent);

const MASK: &[Parameter] = &[
    ("str", Refused),
    ("upperChar", Text("X")),
    ("lowerChar", Text("x")),
    ("digitChar", Text("n")),
    ("otherChar", Null),
];
const COUNT_MIN: &[Parameter] =
    &[("column", Refused), ("epsilon", Refused), ("confidence", Refused), ("seed", Refused)];
const COLLECTION: &[Parameter] = &[("collection", Refused)];
const INPUT: &[Parameter] = &[("input", Refused)];
const TUPLE_OF: &[Parameter] =
    &[("key", Refused), ("summary", Refused), ("lgNomEntries", Int(12)), ("mode", Text("sum"))];
const TUPLE_UNION_OF: &[Parameter] = &[("child", Refused), ("lgNomEntries", Int(12)), ("mode", Text("sum"))];
const TUPLE_UNION: &[Parameter] =
    &[("first", Refused), ("second", Refused), ("lgNomEntries", Int(12)), ("mode", Text("sum"))];

/// The parameters of a function whose arguments may be named.
fn parameters(function: &str) -> Option<&'static [Parameter]> {
    Some(match function {
        "mask" => MASK,
        "count_min_sketch" => COUNT_MIN,
        "explode" | "explode_outer" | "posexplode" | "posexplode_outer" => COLLECTION,
        "inline" | "inline_outer" | "variant_explode" | "variant_explode_outer" => INPUT,
        "tuple_sketch_agg_double" | "tuple_sketch_agg_integer" => TUPLE_OF,
        "tuple_union_agg_double" | "tuple_union_agg_integer" => TUPLE_UNION_OF,
        "tuple_union_double" | "tuple_union_integer" => TUPLE_UNION,
        "tuple_union_theta_double" | "tuple_union_theta_integer" => TUPLE_UNION,
        _ => return None,
    })
}

fn name_of(argument: &Expr) -> Option<&str> {
    match argument.node.as_ref() {
        ExprNode::NamedArgument { name, .. } => Some(name),
        _ => None,
    }
}

fn by_name(mut error: SparkError, function: &str, parameter: &str) -> SparkError {
    error = error.param("routineName", format!("`{function}`"));
    error.param("parameterName", format!("`{parameter}`"))
}

/// The arguments in the order of the function's parameters.
///
/// Errors: `NAMED_PARAMETERS_NOT_SUPPORTED`, `UNEXPECTED_POSITIONAL_ARGUMENT`, `UNRECOGNIZED_PARAMETER_NAME`,
/// `DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT`, `REQUIRED_PARAMETER_NOT_FOUND`.
pub(super) fn in_order<'a>(names: NameMatch, function: &str, arguments: &'a [Expr]) -> Result<Cow<'a, [Expr]>> {
    let Some(first_named) = arguments.iter().position(|argument| name_of(argument).is_some()) else {
        return Ok(Cow::Borrowed(arguments));
    };
    let Some(parameters) = parameters(function) else {
        return Err(SparkError::new(&error_class::NAMED_PARAMETERS_NOT_SUPPORTED)
            .param("functionName", format!("`{function}`")));
    };
    let (positional, named) = arguments.split_at(first_named);
    if positional.len() > parameters.len() {
        return Err(wrong_count(function, (parameters.len(), parameters.len()), arguments.len()));
    }
    check_names(names, function, parameters, positional.len(), named)?;
    let mut ordered = positional.to_vec();
    for (index, (parameter, absent)) in parameters.iter().enumerate().skip(positional.len()) {
        let given = named.iter().find_map(|argument| match argument.node.as_ref() {
            ExprNode::NamedArgument { name, value } if names.same(name, parameter) => Some(value.clone()),
            _ => None,
        });
        let literal = |literal| Expr::new(ExprNode::Literal(literal));
        ordered.push(match (given, absent) {
            (Some(value), _) => value,
            (None, Text(text)) => literal(Literal::String((*text).to_owned())),
            (None, Int(number)) => literal(Literal::Integer(*number)),
            (None, Null) => literal(Literal::Null(DataType::Null)),
            (None, Refused) => {
                let error = SparkError::new(&error_class::REQUIRED_PARAMETER_NOT_FOUND);
                return Err(by_name(error, function, parameter).param("index", index.to_string()));
            }
        });
    }
    Ok(Cow::Owned(ordered))
}

/// Whether each name is a parameter's, given once and behind all arguments without a name.
fn check_names(
    names: NameMatch,
    function: &str,
    parameters: &[Parameter],
    positional: usize,
    named: &[Expr],
) -> Result<()> {
    let mut before: Vec<&str> = Vec::new();
    for argument in named {
        let Some(name) = name_of(argument) else {
            let error = SparkError::new(&error_class::UNEXPECTED_POSITIONAL_ARGUMENT);
            return Err(by_name(error, function, before.last().copied().unwrap_or_default()));
        };
        let place = parameters.iter().position(|(parameter, _)| names.same(parameter, name));
        let Some(place) = place else {
            let mut nearest: Vec<_> = parameters.iter().map(|(parameter, _)| *parameter).collect();
            nearest.sort_by_key(|parameter| edit_distance(&name.to_lowercase(), &parameter.to_lowercase()));
            let proposal: Vec<_> = nearest.iter().take(3).map(|parameter| format!("`{parameter}`")).collect();
            return Err(SparkError::new(&error_class::UNRECOGNIZED_PARAMETER_NAME)
                .param("routineName", format!("`{function}`"))
                .param("argumentName", format!("`{name}`"))
                .param("proposal", proposal.join(" ")));
        };
        if place < positional {
            let error = SparkError::new(&error_class::DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT_BOTH_POSITIONAL_AND_NAMED);
            return Err(by_name(error, function, name));
        }
        if before.iter().any(|earlier| names.same(earlier, name)) {
            let error = &error_class::DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT_DOUBLE_NAMED_ARGUMENT_REFERENCE;
            return Err(by_name(SparkError::new(error), function, name));
        }
        before.push(name);
    }
    Ok(())
}
