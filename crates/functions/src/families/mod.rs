//! The functions by family; each family has a table of definitions and, where it needs them, a table of kernels.
//!
//! ```text
//!   rows  what a row of a table says, and how a call is built from it
//!   args  what a kernel sees
//! ```

mod aes;
pub mod aggregate;
mod args;
mod collection;
mod csv;
mod datetime;
mod generator;
pub mod hashing;
mod json;
pub mod lambda;
mod math;
mod misc;
pub mod random;
mod reflect;
mod refused;
mod rows;
mod sketch;
mod spatial;
mod text;
mod variant;
mod vector;
pub mod window;
mod window_walk;
mod xml;

pub(crate) use collection::field_access;
pub(crate) use collection::maps::map_array;
pub use collection::{extract, structs};
pub use datetime::windows::{SessionWindow, TimeWindow, time_window};
pub(crate) use json::read::structs as json_structs;
pub(crate) use json::value as json_value;
pub(crate) use json::value::write_text as write_json_text;
pub(crate) use refused::is_refused;
pub(crate) use rows::int_literal;
pub(crate) use spatial::{check_geographies, write_shape};
pub(crate) use variant::to_variants;
pub use variant::variant_of;

use crate::registry::Definition;
use crate::udf::Kernel;

/// The families' functions.
pub static TABLES: &[&[Definition]] = &[
    aes::TABLE,
    aggregate::TABLE,
    aggregate::BITS_TABLE,
    aggregate::ORDERED_TABLE,
    aggregate::PANDAS_TABLE,
    aggregate::VARIANT_TABLE,
    window::TABLE,
    window_walk::TABLE,
    hashing::TABLE,
    collection::arrays::TABLE,
    collection::build::TABLE,
    collection::extract::TABLE,
    collection::maps::TABLE,
    collection::membership::TABLE,
    collection::sequence::TABLE,
    csv::TABLE,
    datetime::arithmetic::TABLE,
    datetime::days::TABLE,
    datetime::fields::TABLE,
    datetime::make::TABLE,
    datetime::now::TABLE,
    datetime::stamp::TABLE,
    datetime::text::TABLE,
    datetime::time::TABLE,
    datetime::windows::TABLE,
    generator::TABLE,
    json::path::TABLE,
    json::convert::TABLE,
    lambda::TABLE,
    math::integers::TABLE,
    math::bitmaps::TABLE,
    math::plain::TABLE,
    math::rounding::TABLE,
    misc::TABLE,
    random::TABLE,
    reflect::TABLE,
    refused::TABLE,
    sketch::counts::TABLE,
    sketch::hll::TABLE,
    sketch::kll::TABLE,
    sketch::theta::TABLE,
    sketch::top_k::TABLE,
    sketch::tuple::TABLE,
    sketch::tuple_theta::TABLE,
    spatial::TABLE,
    text::encoding::TABLE,
    text::convert::TABLE,
    text::measure::TABLE,
    text::pad::TABLE,
    text::position::TABLE,
    text::printf::TABLE,
    text::regex::TABLE,
    text::shape::TABLE,
    text::trim::TABLE,
    variant::TABLE,
    vector::TABLE,
    xml::convert::TABLE,
    xml::path::TABLE,
];

pub use misc::too_many_rows;

/// The families' kernels.
pub static KERNELS: &[&[Kernel]] = &[
    aes::KERNELS,
    hashing::KERNELS,
    collection::arrays::KERNELS,
    collection::build::KERNELS,
    collection::extract::KERNELS,
    collection::maps::KERNELS,
    collection::membership::KERNELS,
    collection::sequence::KERNELS,
    collection::structs::KERNELS,
    csv::KERNELS,
    datetime::arithmetic::KERNELS,
    datetime::days::KERNELS,
    datetime::fields::KERNELS,
    datetime::make::KERNELS,
    datetime::now::KERNELS,
    datetime::stamp::KERNELS,
    datetime::text::KERNELS,
    datetime::time::KERNELS,
    datetime::windows::KERNELS,
    generator::KERNELS,
    json::path::KERNELS,
    json::convert::KERNELS,
    math::integers::KERNELS,
    math::bitmaps::KERNELS,
    math::plain::KERNELS,
    math::rounding::KERNELS,
    misc::KERNELS,
    random::KERNELS,
    reflect::KERNELS,
    sketch::hll::KERNELS,
    sketch::kll::KERNELS,
    sketch::theta::KERNELS,
    sketch::top_k::KERNELS,
    sketch::tuple::KERNELS,
    sketch::tuple_theta::KERNELS,
    spatial::KERNELS,
    text::encoding::KERNELS,
    text::convert::KERNELS,
    text::measure::KERNELS,
    text::pad::KERNELS,
    text::position::KERNELS,
    text::printf::KERNELS,
    text::regex::KERNELS,
    text::shape::KERNELS,
    text::trim::KERNELS,
    variant::KERNELS,
    vector::KERNELS,
    xml::convert::KERNELS,
    xml::path::KERNELS,
];
