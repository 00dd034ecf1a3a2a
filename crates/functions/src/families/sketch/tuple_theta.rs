//! Tuple and Theta sketches together: the keys of a Theta sketch get the number that changes nothing.

use arrow::array::ArrayRef;
use datasketches::theta::CompactThetaSketch;
use datasketches::tuple::TupleANotB;
use firesteel_model::Result;
use firesteel_spec::DataType;

use super::theta;
use super::tuple::{Compact, impossible, intersected, made, read, union_of_two, united};
use super::tuple_number::{Mode, Number};
use crate::families::args::Args;
use crate::families::rows::{definitions, kernels};

definitions! {
    "tuple_union_theta_double" (2, 4), Scalar(|c, a| union_of_two(c, "tuple_union_theta_double", a)), "the Tuple sketch of what a Tuple or a Theta sketch saw";
    "tuple_union_theta_integer" (2, 4), Scalar(|c, a| union_of_two(c, "tuple_union_theta_integer", a)), "the Tuple sketch of what a Tuple or a Theta sketch saw";
    "tuple_intersection_theta_double" (2, 3), Scalar(|c, a| made(c, "tuple_intersection_theta_double", a, 2, DataType::Binary)), "the Tuple sketch of what a Tuple and a Theta sketch saw";
    "tuple_intersection_theta_integer" (2, 3), Scalar(|c, a| made(c, "tuple_intersection_theta_integer", a, 2, DataType::Binary)), "the Tuple sketch of what a Tuple and a Theta sketch saw";
    "tuple_difference_theta_double" (2, 2), Scalar(|c, a| made(c, "tuple_difference_theta_double", a, 0, DataType::Binary)), "the Tuple sketch of what a Tuple sketch saw and a Theta sketch did not";
    "tuple_difference_theta_integer" (2, 2), Scalar(|c, a| made(c, "tuple_difference_theta_integer", a, 0, DataType::Binary)), "the Tuple sketch of what a Tuple sketch saw and a Theta sketch did not";
}

kernels! {
    "tuple_union_theta_double" => |a| pairs::<f64>(a, |x, y| united(a.context, &[x, y]));
    "tuple_union_theta_integer" => |a| pairs::<i32>(a, |x, y| united(a.context, &[x, y]));
    "tuple_intersection_theta_double" => |a| pairs::<f64>(a, |x, y| intersected(Mode::of(a.context)?, &[x, y]));
    "tuple_intersection_theta_integer" => |a| pairs::<i32>(a, |x, y| intersected(Mode::of(a.context)?, &[x, y]));
    "tuple_difference_theta_double" => |a| pairs::<f64>(a, |x, y| TupleANotB::default().compute(x, y, true).map_err(impossible));
    "tuple_difference_theta_integer" => |a| pairs::<i32>(a, |x, y| TupleANotB::default().compute(x, y, true).map_err(impossible));
}

fn pairs<N: Number>(a: &Args, combine: impl Fn(&Compact<N>, &Compact<N>) -> Result<Compact<N>>) -> Result<ArrayRef> {
    let (left, right, name) = (a.binary(0)?, a.binary(1)?, a.option(0)?);
    let mode = Mode::of(a.context)?;
    a.try_binaries(|r| {
        let keyed = read(name, left.value(r))?;
        let other = read(name, &with_numbers::<N>(&theta::read(name, right.value(r))?, mode))?;
        Ok(Some(combine(&keyed, &other)?.serialize()))
    })
}

/// The Theta sketch in the format of Tuple sketches.
fn with_numbers<N: Number>(sketch: &CompactThetaSketch, mode: Mode) -> Vec<u8> {
    const EMPTY: [u8; 8] = [1, 3, 9, 1, 0, 0x1e, 0, 0];
    const READ_ONLY_COMPACT_ORDERED: u8 = 0x1a;
    const READ_ONLY_COMPACT: u8 = 0x0a;
    if sketch.is_empty() {
        return EMPTY.to_vec();
    }
    let estimates = sketch.is_estimation_mode();
    let flags = if sketch.is_ordered() { READ_ONLY_COMPACT_ORDERED } else { READ_ONLY_COMPACT };
    let mut out = vec![if estimates { 3 } else { 2 }, 3, 9, 1, 0, flags];
    out.extend(sketch.seed_hash().to_le_bytes());
    out.extend((sketch.num_retained() as u32).to_le_bytes());
    out.extend([0; 4]);
    if estimates {
        out.extend(sketch.theta64().to_le_bytes());
    }
    for entry in sketch.iter() {
        out.extend(entry.hash().to_le_bytes());
        out.extend(N::neutral(mode).bytes());
    }
    out
}
