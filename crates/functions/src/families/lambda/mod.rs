//! Functions that take lambdas.
//!
//! ```text
//!   transform(xs, x -> x + a)  --build-->  LambdaUdf { kind, bodies: [lambda_0_0 + captured_0] } (xs, a)
//!   build     arguments coerced, bodies resolved; what a body takes from outside becomes an argument
//!   udf       the scalar UDF that all kinds share; bodies are planned when it first runs
//!   wire      such a function as bytes and back
//!   elements  elements of all rows in one batch, the arguments from outside repeated beside them
//!   arrays, maps, fold, sort   what each kind does
//! ```
//!
//! DataFusion's own lambdas are not used: their variables are places in the schema that they were planned for, and go
//! astray when the optimizer moves the call over another one.

mod arrays;
mod build;
mod capture;
mod elements;
mod fold;
mod maps;
mod sort;
mod udf;
mod wire;

pub(crate) use build::TABLE;
pub(crate) use udf::raises;
pub use wire::{NAME, decode, encode};
