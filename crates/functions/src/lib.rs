//! Spark's functions: types in, DataFusion expressions out.
//!
//! ```text
//!   planner --lookup(name)--> Definition --build(context, arguments)--> Typed / AggregateCall / WindowCall
//!                                             |
//!                              coercion: Spark's implicit casts, then our own kernels or DataFusion's
//! ```
//!
//! A function is declared once, as a row of a table in its family's module. Everything a kernel depends on (ANSI mode,
//! time zone) is inside the function object and travels with it. It must not know sessions, plans or files.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod call;
pub mod cast;
pub mod coercion;
mod column_name;
pub mod datetime;
pub mod errors;
pub mod families;
pub mod format;
pub mod interval;
pub mod literal;
pub mod number;
pub mod operators;
pub mod origin;
pub mod registry;
pub mod task;
pub mod udf;
mod variant;
