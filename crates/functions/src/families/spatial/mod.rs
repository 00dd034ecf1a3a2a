//! GEOMETRY and GEOGRAPHY: shapes as well-known binary beside the number of their system of coordinates (SRID).

mod wkb;
mod wkt;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Int32Builder, NullBufferBuilder, StructArray};
use arrow::datatypes::{DataType as Arrow, Int32Type};
use datafusion::common::ScalarValue;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::types_arrow::to_arrow;
use firesteel_spec::{DataType, spatial};

use super::args::Args;
use super::rows::{BINARY, INT, TEXT, any_nullable, definitions, fold, int_literal, kernels, text_literal};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{self, Accepts};
use crate::errors::from_arrow;
use crate::udf;

definitions! {
    "st_asbinary" (1, 2), Scalar(as_binary), "a shape as well-known binary, its lowest bytes first (NDR) or last (XDR)";
    "st_geogfromwkb" (1, 1), Scalar(geography), "the GEOGRAPHY that well-known binary stands for";
    "st_geomfromwkb" (1, 2), Scalar(geometry), "the GEOMETRY that well-known binary stands for, in a system of coordinates";
    "st_setsrid" (2, 2), Scalar(set_srid), "the shape said to be in another system of coordinates";
    "st_srid" (1, 1), Scalar(srid), "the number of a shape's system of coordinates";
}

kernels! {
    "st_asbinary" raising => written;
    "st_geogfromwkb" raising => |a| read(a, |_| Ok(spatial::GEOGRAPHY_SRID));
    "st_geomfromwkb" raising => |a| {
        let srids = a.int(1)?;
        read(a, |row| known(srids.value(row), spatial::is_geometry_srid))
    };
    "st_setsrid" raising => moved;
    "st_srid" => |a| {
        let srids = Shapes::of(a.structs(0)?);
        a.ints(|row| srids.srid(row))
    };
}

const SHAPE: Accepts = Accepts::OneOf(&[Accepts::Geometry, Accepts::Geography]);

fn as_binary(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(text_literal("NDR"));
    }
    let sql = coercion::call_sql("st_asbinary", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "st_asbinary", arguments, &[SHAPE, TEXT])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "st_asbinary", arguments, DataType::Binary, nullable, sql)
}

fn geography(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("st_geogfromwkb", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "st_geogfromwkb", arguments, &[BINARY])?;
    let nullable = any_nullable(&arguments);
    let result = DataType::Geography(Some(spatial::GEOGRAPHY_SRID));
    udf::call(ctx, "st_geogfromwkb", arguments, result, nullable, sql)
}

fn geometry(ctx: &FunctionContext, mut arguments: Vec<Typed>) -> Result<Typed> {
    if arguments.len() == 1 {
        arguments.push(int_literal(spatial::GEOMETRY_SRID));
    }
    let sql = coercion::call_sql("st_geomfromwkb", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "st_geomfromwkb", arguments, &[BINARY, INT])?;
    let result = DataType::Geometry(constant_srid(&arguments[1], spatial::is_geometry_srid)?);
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "st_geomfromwkb", arguments, result, nullable, sql)
}

fn set_srid(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("st_setsrid", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "st_setsrid", arguments, &[SHAPE, INT])?;
    let result = match &arguments[0].data_type {
        DataType::Geography(_) => DataType::Geography(constant_srid(&arguments[1], spatial::is_geography_srid)?),
        _ => DataType::Geometry(constant_srid(&arguments[1], spatial::is_geometry_srid)?),
    };
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "st_setsrid", arguments, result, nullable, sql)
}

fn srid(ctx: &FunctionContext, arguments: Vec<Typed>) -> Result<Typed> {
    let sql = coercion::call_sql("st_srid", &arguments);
    let arguments = coercion::coerce_arguments(ctx, "st_srid", arguments, &[SHAPE])?;
    let nullable = any_nullable(&arguments);
    udf::call(ctx, "st_srid", arguments, DataType::Integer, nullable, sql)
}

/// The SRID that a constant gives all values; `None` where each row has its own.
fn constant_srid(argument: &Typed, is_known: fn(i32) -> bool) -> Result<Option<i32>> {
    match fold(argument) {
        Some(ScalarValue::Int32(Some(srid))) => known(srid, is_known).map(Some),
        _ => Ok(None),
    }
}

fn known(srid: i32, is_known: fn(i32) -> bool) -> Result<i32> {
    if is_known(srid) {
        return Ok(srid);
    }
    Err(SparkError::new(&error_class::ST_INVALID_SRID_VALUE).param("srid", srid.to_string()))
}

/// A column of shapes.
struct Shapes<'a> {
    column: &'a StructArray,
}

impl<'a> Shapes<'a> {
    fn of(column: &'a StructArray) -> Self {
        Self { column }
    }

    fn srid(&self, row: usize) -> i32 {
        self.column.column(0).as_primitive::<Int32Type>().value(row)
    }

    fn wkb(&self, row: usize) -> &'a [u8] {
        self.column.column(1).as_binary::<i32>().value(row)
    }
}

/// Rows of SRIDs and well-known binary as a column.
fn column(rows: usize, mut shape: impl FnMut(usize) -> Result<Option<(i32, Vec<u8>)>>) -> Result<ArrayRef> {
    let (mut srids, mut bytes) = (Int32Builder::with_capacity(rows), BinaryBuilder::new());
    let mut nulls = NullBufferBuilder::new(rows);
    for row in 0..rows {
        let found = shape(row)?;
        nulls.append(found.is_some());
        let (srid, wkb) = found.unwrap_or_default();
        srids.append_value(srid);
        bytes.append_value(wkb);
    }
    let Arrow::Struct(fields) = to_arrow(&DataType::Geometry(None)) else {
        return Err(SparkError::internal("a shape is no struct"));
    };
    let columns: Vec<ArrayRef> = vec![Arc::new(srids.finish()), Arc::new(bytes.finish())];
    Ok(Arc::new(StructArray::try_new(fields, columns, nulls.finish()).map_err(from_arrow)?))
}

/// The shapes that bytes stand for, always written in the same order of bytes.
fn read(a: &Args, srid: impl Fn(usize) -> Result<i32>) -> Result<ArrayRef> {
    let (bytes, nulls) = (a.binary(0)?, a.nulls());
    let on_globe = matches!(a.context.result, DataType::Geography(_));
    column(a.rows, |row| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let mut wkb = Vec::new();
        wkb::read(bytes.value(row), on_globe)?.write(true, &mut wkb);
        Ok(Some((srid(row)?, wkb)))
    })
}

fn written(a: &Args) -> Result<ArrayRef> {
    let (shapes, orders) = (Shapes::of(a.structs(0)?), a.text(1)?);
    a.try_binaries(|row| {
        let is_little = match orders.value(row) {
            order if order.eq_ignore_ascii_case("NDR") => true,
            order if order.eq_ignore_ascii_case("XDR") => false,
            other => {
                return Err(SparkError::new(&error_class::ST_INVALID_ENDIANNESS_VALUE).param("endianness", other));
            }
        };
        let mut wkb = Vec::new();
        wkb::read(shapes.wkb(row), false)?.write(is_little, &mut wkb);
        Ok(Some(wkb))
    })
}

fn moved(a: &Args) -> Result<ArrayRef> {
    let (shapes, srids, nulls) = (Shapes::of(a.structs(0)?), a.int(1)?, a.nulls());
    let is_known = match a.context.result {
        DataType::Geography(_) => spatial::is_geography_srid,
        _ => spatial::is_geometry_srid,
    };
    column(a.rows, |row| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        Ok(Some((known(srids.value(row), is_known)?, shapes.wkb(row).to_vec())))
    })
}

/// Fails where a shape does not lie on a globe.
///
/// Errors: `WKB_PARSE_ERROR`.
pub(crate) fn check_geographies(array: &ArrayRef) -> Result<()> {
    let shapes = Shapes::of(array.as_struct());
    (0..array.len()).filter(|row| array.is_valid(*row)).try_for_each(|row| wkb::read(shapes.wkb(row), true).map(drop))
}

/// Writes the shape of a row as text, `SRID=4326;POINT(1 2)`; what is broken is written as nothing.
pub(crate) fn write_shape(out: &mut String, array: &ArrayRef, row: usize) {
    let shapes = Shapes::of(array.as_struct());
    if let Ok(shape) = wkb::read(shapes.wkb(row), false) {
        wkt::write(&shape, shapes.srid(row), out);
    }
}
