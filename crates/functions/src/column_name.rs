//! The names that calls give to columns inside a plan; a user sees others.

use std::hash::{DefaultHasher, Hash, Hasher};

use datafusion::logical_expr::Expr;

/// Beyond so many bytes a name ends in a digest of all of it.
const BYTES_MAX: usize = 256;

/// What the arguments of a call are called, with commas between them.
pub(crate) fn of_arguments(arguments: &[Expr]) -> String {
    let names: Vec<_> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
    names.join(",")
}

/// The name itself or, if it is long, its beginning and a digest: the optimiser names every level of nested calls anew,
/// which would cost the cube of their depth.
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
    use super::*;

    #[test]
    fn long_names_stay_apart() {
        assert_eq!(bounded("a".repeat(BYTES_MAX)), "a".repeat(BYTES_MAX));
        let (left, right) = (bounded("ä".repeat(300)), bounded("ä".repeat(301)));
        assert_ne!(left, right);
        assert_eq!(left.len(), right.len());
    }
}
