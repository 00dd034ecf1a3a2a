//! Operators: Spark's type rules, then DataFusion's own expressions where they mean the same, else our kernels.
//!
//! ```text
//!   comparisons, AND, OR, NOT, IN, LIKE --> DataFusion's own (pruning, pushdown and join keys see them)
//!   + - * / % div, shifts, RLIKE        --> kernels, with the ANSI mode inside
//! ```

mod arithmetic;
mod bits;
mod choice;
mod comparison;
mod conditional;
mod decimal_kernels;
mod interval_kernels;
mod logic;
mod matching;
mod number_kernels;
mod operand;
mod temporal;
mod temporal_kernels;

pub use arithmetic::{binary_type_error, decimal_result};
pub use comparison::{compare, equal_null, normalized};
pub use conditional::{case, coalesce};
pub use logic::{and, is_not_null, is_null, not, or};
pub(crate) use temporal::DAYS;

use crate::registry::Definition;
use crate::udf::Kernel;

/// The operators.
pub static TABLES: &[&[Definition]] = &[
    arithmetic::TABLE,
    bits::TABLE,
    comparison::TABLE,
    conditional::TABLE,
    crate::cast::TABLE,
    logic::TABLE,
    matching::TABLE,
];

/// Their kernels.
pub static KERNELS: &[&[Kernel]] = &[
    bits::KERNELS,
    choice::KERNELS,
    comparison::KERNELS,
    matching::KERNELS,
    number_kernels::KERNELS,
    temporal_kernels::KERNELS,
    interval_kernels::KERNELS,
];
