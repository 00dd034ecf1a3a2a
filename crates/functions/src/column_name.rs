//! The names that calls give to columns inside a plan; a user sees others.
//!
//! The optimiser asks for the name of every level of nested calls, over and over, so a call of ours is named once, when
//! it is made: its own name and a digest of what it is called with.

use std::hash::{DefaultHasher, Hash, Hasher};

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;

use crate::udf::SparkUdf;

/// Beyond so many bytes a name ends in a digest of all of it.
const BYTES_MAX: usize = 256;

/// Tells a call from others: by the function, by what is part of it, and by its arguments.
pub(crate) fn digest(function: &impl Hash, arguments: &[Expr]) -> u64 {
    let mut state = DefaultHasher::new();
    function.hash(&mut state);
    arguments.iter().for_each(|argument| add(argument, &mut state));
    state.finish()
}

/// Adds an expression; calls that have a digest already are not looked into.
fn add(expr: &Expr, state: &mut DefaultHasher) {
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => match func.inner().downcast_ref::<SparkUdf>() {
            Some(ours) => ours.digest().hash(state),
            None => {
                func.hash(state);
                args.iter().for_each(|argument| add(argument, state));
            }
        },
        Expr::Cast(cast) => {
            cast.field.data_type().hash(state);
            add(&cast.expr, state);
        }
        Expr::Alias(alias) => add(&alias.expr, state),
        other => other.hash(state),
    }
}

/// What the arguments of a call are called, with commas between them.
pub(crate) fn of_arguments(arguments: &[Expr]) -> String {
    let names: Vec<_> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
    names.join(",")
}

/// The name itself or, if it is long, its beginning and a digest.
pub(crate) fn bounded(name: String) -> String {
    if name.len() <= BYTES_MAX {
        return name;
    }
    let mut digest = DefaultHasher::new();
    name.hash(&mut digest);
    let cut = name.floor_char_boundary(BYTES_MAX);
    format!("{}~{:016x}", name.get(..cut).unwrap_or_default(), digest.finish())
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn long_names_stay_apart() {
        assert_eq!(bounded("a".repeat(BYTES_MAX)), "a".repeat(BYTES_MAX));
        let (left, right) = (bounded("ä".repeat(300)), bounded("ä".repeat(301)));
        assert_ne!(left, right);
        assert_eq!(left.len(), right.len());
    }

    #[test]
    fn digests_tell_calls_apart() {
        assert_eq!(digest(&"f", &[col("a"), lit(1)]), digest(&"f", &[col("a"), lit(1)]));
        assert_ne!(digest(&"f", &[col("a"), lit(1)]), digest(&"f", &[col("a"), lit(2)]));
        assert_ne!(digest(&"f", &[col("a")]), digest(&"g", &[col("a")]));
        assert_ne!(digest(&"f", &[col("a")]), digest(&"f", &[col("b")]));
    }
}
