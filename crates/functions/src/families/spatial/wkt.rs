//! Well-known text: `POINT(1 2)`, `SRID=4326;LINESTRING(0 0,1 1)`.

use std::fmt::Write;

use super::wkb::{Axes, Parts, Shape};

/// Writes a shape, with its SRID unless that is 0.
pub(super) fn write(shape: &Shape, srid: i32, out: &mut String) {
    if srid != 0 {
        let _ = write!(out, "SRID={srid};");
    }
    named(shape, out);
}

fn named(shape: &Shape, out: &mut String) {
    out.push_str(match shape.code {
        1 => "POINT",
        2 => "LINESTRING",
        3 => "POLYGON",
        4 => "MULTIPOINT",
        5 => "MULTILINESTRING",
        6 => "MULTIPOLYGON",
        _ => "GEOMETRYCOLLECTION",
    });
    out.push_str(match (shape.axes.z, shape.axes.m) {
        (false, false) => "",
        (true, false) => " Z ",
        (false, true) => " M ",
        (true, true) => " ZM ",
    });
    body(shape, out);
}

/// What stands in the parentheses, with them.
fn body(shape: &Shape, out: &mut String) {
    match &shape.parts {
        Parts::Points(points) if points.iter().all(|value| value.is_nan()) => empty(out),
        Parts::Points(line) => points(line, shape.axes, out),
        Parts::Rings(rings) => listed(rings, out, |ring, out| points(ring, shape.axes, out)),
        // The members of a collection are of any kind; others are of the kind that the name says.
        Parts::Members(members) if shape.code == 7 => listed(members, out, named),
        Parts::Members(members) => listed(members, out, body),
    }
}

fn listed<T>(parts: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    if parts.is_empty() {
        return empty(out);
    }
    for (index, part) in parts.iter().enumerate() {
        out.push(if index == 0 { '(' } else { ',' });
        write(part, out);
    }
    out.push(')');
}

fn points(line: &[f64], axes: Axes, out: &mut String) {
    let points: Vec<&[f64]> = line.chunks(axes.count()).collect();
    listed(&points, out, |point, out| {
        for (index, value) in point.iter().enumerate() {
            let _ = write!(out, "{}{value}", if index == 0 { "" } else { " " });
        }
    });
}

fn empty(out: &mut String) {
    if !out.ends_with(' ') && !out.ends_with('(') && !out.ends_with(',') {
        out.push(' ');
    }
    out.push_str("EMPTY");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(code: u32, z: bool, parts: Parts) -> Shape {
        Shape { code, axes: Axes { z, m: false }, parts }
    }

    fn check(shape: &Shape, srid: i32, expected: &str) {
        let mut text = String::new();
        write(shape, srid, &mut text);
        assert_eq!(text, expected);
    }

    #[test]
    fn shapes_are_written_as_text() {
        let point = || shape(1, false, Parts::Points(vec![1.0, 2.5]));
        check(&point(), 4326, "SRID=4326;POINT(1 2.5)");
        check(&shape(1, false, Parts::Points(vec![f64::NAN; 2])), 0, "POINT EMPTY");
        check(&shape(2, true, Parts::Points(vec![0.0, 0.0, 1.0, -1.0, 0.0, 2.0])), 0, "LINESTRING Z (0 0 1,-1 0 2)");
        let ring = vec![0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        check(&shape(3, false, Parts::Rings(vec![ring])), 0, "POLYGON((0 0,1 0,1 1,0 0))");
        check(&shape(4, false, Parts::Members(vec![point(), point()])), 0, "MULTIPOINT((1 2.5),(1 2.5))");
        check(&shape(7, false, Parts::Members(vec![point()])), 3857, "SRID=3857;GEOMETRYCOLLECTION(POINT(1 2.5))");
        check(&shape(7, false, Parts::Members(Vec::new())), 0, "GEOMETRYCOLLECTION EMPTY");
    }
}
