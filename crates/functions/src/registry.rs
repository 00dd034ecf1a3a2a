//! The table of functions, put together from the families' tables.

use std::collections::HashMap;
use std::sync::LazyLock;

use firesteel_model::Result;

use crate::call::{AggregateCall, Argument, CallModifiers, FunctionContext, GeneratorCall, Typed, WindowCall};
use crate::{families, operators};

/// A function: its name, what it takes and how a call of it is built.
#[derive(Clone, Copy)]
pub struct Definition {
    /// Name in lower case.
    pub name: &'static str,
    /// Fewest and most arguments; checked before `build`, which may still refuse (WRONG_NUM_ARGS).
    pub arity: (usize, usize),
    /// How a call is built.
    pub build: Build,
    /// What it does, one line, in our words.
    pub doc: &'static str,
}

/// Any number of arguments.
pub const ANY: usize = usize::MAX;

/// How a call is built: arguments are coerced, checked and turned into an expression.
///
/// Errors: DATATYPE_MISMATCH.* for wrong types, WRONG_NUM_ARGS.* for wrong counts.
#[derive(Clone, Copy)]
pub enum Build {
    /// Row by row; operators and casts too.
    Scalar(fn(&FunctionContext, Vec<Typed>) -> Result<Typed>),
    /// Row by row, with lambdas.
    HigherOrder(for<'a> fn(&FunctionContext, Vec<Argument<'a>>) -> Result<Typed>),
    /// Over a group.
    Aggregate(fn(&FunctionContext, Vec<Typed>, &CallModifiers) -> Result<AggregateCall>),
    /// Over a window only.
    Window(fn(&FunctionContext, Vec<Typed>, &CallModifiers) -> Result<WindowCall>),
    /// One row to many.
    Generator(fn(&FunctionContext, Vec<Typed>) -> Result<GeneratorCall>),
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Definition>> =
    LazyLock::new(|| tables().map(|definition| (definition.name, definition)).collect());

/// The function of that name, in any case.
pub fn lookup(name: &str) -> Option<&'static Definition> {
    BY_NAME.get(name).or_else(|| BY_NAME.get(name.to_lowercase().as_str())).copied()
}

/// Every function, by name.
pub fn all() -> Vec<&'static Definition> {
    let mut all: Vec<_> = BY_NAME.values().copied().collect();
    all.sort_by_key(|definition| definition.name);
    all
}

/// Whether the function does what it says; the others are known by name and refused.
pub fn is_supported(definition: &Definition) -> bool {
    !families::is_refused(definition.name)
}

/// Names that look most like `name`, the nearest first; at most five.
pub fn suggest(name: &str) -> Vec<&'static str> {
    let name = name.to_lowercase();
    let mut near: Vec<_> =
        BY_NAME.keys().map(|known| (edit_distance(&name, known), *known)).filter(|(d, _)| *d <= 3).collect();
    near.sort_unstable();
    near.into_iter().take(5).map(|(_, known)| known).collect()
}

fn tables() -> impl Iterator<Item = &'static Definition> {
    operators::TABLES.iter().chain(families::TABLES).flat_map(|table| table.iter())
}

/// Levenshtein's distance, one row at a time.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
