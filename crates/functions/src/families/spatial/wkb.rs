//! Well-known binary: a shape's bytes read, checked and written.
//!
//! ```text
//!   byte order (1) | code (4) | point: x y [z] [m]
//!                             | line:  count, points       polygon: count, rings, each a count and points
//!                             | several shapes: count, shapes with byte order and code of their own
//!   code = 1 to 7, and 1000 more with z, 2000 with m, 3000 with both
//! ```

use firesteel_model::{Result, SparkError, error_class};

/// Collections within collections deeper than this are refused: reading them takes the stack.
const DEPTH_MAX: usize = 64;
const POINT: u32 = 1;
const LINE: u32 = 2;
const POLYGON: u32 = 3;
const COLLECTION: u32 = 7;

/// A shape.
#[derive(Debug, PartialEq)]
pub(super) struct Shape {
    /// 1 to 7: point, line, polygon, several of each, and a collection.
    pub(super) code: u32,
    pub(super) axes: Axes,
    pub(super) parts: Parts,
}

/// Which coordinates points have beside x and y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axes {
    pub(super) z: bool,
    pub(super) m: bool,
}

/// What a shape is made of; points are coordinates one after the other.
#[derive(Debug, PartialEq)]
pub(super) enum Parts {
    /// Of a point or a line.
    Points(Vec<f64>),
    /// Of a polygon.
    Rings(Vec<Vec<f64>>),
    /// Of several shapes.
    Members(Vec<Shape>),
}

impl Axes {
    /// How many coordinates a point has.
    pub(super) fn count(self) -> usize {
        2 + usize::from(self.z) + usize::from(self.m)
    }
}

/// Reads a shape; on a globe x is a longitude and y a latitude.
///
/// Errors: `WKB_PARSE_ERROR`.
pub(super) fn read(bytes: &[u8], on_globe: bool) -> Result<Shape> {
    let mut reader = Reader { bytes, at: 0, is_little: true, on_globe };
    match bytes.len() {
        0 => Err(broken("WKB data is empty or null", 0)),
        1..=4 => Err(broken(END, 0)),
        _ => reader.shape(None, 0),
    }
}

impl Shape {
    /// Its bytes, the least significant byte of each number first or last.
    pub(super) fn write(&self, is_little: bool, out: &mut Vec<u8>) {
        let mut writer = Writer { is_little, out };
        writer.shape(self);
    }
}

const END: &str = "Unexpected end of WKB buffer";

fn broken(what: impl Into<String>, at: usize) -> SparkError {
    SparkError::new(&error_class::WKB_PARSE_ERROR).param("parseError", what).param("pos", at.to_string())
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    is_little: bool,
    on_globe: bool,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let taken = *taken.ok_or_else(|| broken(END, self.at))?;
        self.at += N;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        let bytes = self.take()?;
        Ok(if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn coordinate(&mut self) -> Result<f64> {
        let bytes = self.take()?;
        Ok(if self.is_little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    /// A shape, with the axes of the one that it is in.
    fn shape(&mut self, around: Option<Axes>, depth: usize) -> Result<Shape> {
        let outside = self.is_little;
        let [order] = self.take()?;
        self.is_little = match order {
            0 => false,
            1 => true,
            other => return Err(broken(format!("Invalid byte order {other}"), self.at - 1)),
        };
        let start = self.at;
        let told = self.number()?;
        let (code, more) = (told % 1000, told / 1000);
        let axes = Axes { z: more == 1 || more == 3, m: more == 2 || more == 3 };
        let is_known = (POINT..=COLLECTION).contains(&code) && more <= 3 && depth <= DEPTH_MAX;
        if !is_known || around.is_some_and(|around| around != axes) {
            return Err(broken(format!("Invalid or unsupported type {}", told.cast_signed()), start));
        }
        let parts = match code {
            POINT => {
                let mut point = Vec::with_capacity(axes.count());
                self.point(axes, true, &mut point)?;
                Parts::Points(point)
            }
            LINE => Parts::Points(self.line(axes)?),
            POLYGON => {
                let count = self.number()?;
                Parts::Rings((0..count).map(|_| self.ring(axes)).collect::<Result<_>>()?)
            }
            several => {
                let count = self.number()?;
                Parts::Members((0..count).map(|_| self.member(several, axes, depth)).collect::<Result<_>>()?)
            }
        };
        self.is_little = outside;
        Ok(Shape { code, axes, parts })
    }

    fn member(&mut self, around: u32, axes: Axes, depth: usize) -> Result<Shape> {
        let member = self.shape(Some(axes), depth + 1)?;
        let expected = match around {
            4 => (POINT, "Expected Point in MultiPoint"),
            5 => (LINE, "Expected LineString in MultiLineString"),
            6 => (POLYGON, "Expected Polygon in MultiPolygon"),
            _ => return Ok(member),
        };
        if member.code == expected.0 { Ok(member) } else { Err(broken(expected.1, self.at)) }
    }

    fn line(&mut self, axes: Axes) -> Result<Vec<f64>> {
        let start = self.at;
        let points = self.points(axes)?;
        if points.len() == axes.count() { Err(broken("Too few points in linestring", start)) } else { Ok(points) }
    }

    /// A line that ends where it begins.
    fn ring(&mut self, axes: Axes) -> Result<Vec<f64>> {
        let start = self.at;
        let points = self.points(axes)?;
        let each = axes.count();
        if points.len() < 4 * each {
            return Err(broken("Too few points in ring", start));
        }
        if points[..each] != points[points.len() - each..] {
            return Err(broken("Ring is not closed", start));
        }
        Ok(points)
    }

    fn points(&mut self, axes: Axes) -> Result<Vec<f64>> {
        let count = self.number()?;
        let mut points = Vec::new();
        for _ in 0..count {
            self.point(axes, false, &mut points)?;
        }
        Ok(points)
    }

    fn point(&mut self, axes: Axes, may_be_empty: bool, out: &mut Vec<f64>) -> Result<()> {
        for axis in 0..axes.count() {
            let start = self.at;
            let value = self.coordinate()?;
            let bound = match axis {
                0 if self.on_globe => 180.0,
                1 if self.on_globe => 90.0,
                _ => f64::MAX,
            };
            // An empty point is written as one of NaNs.
            let is_sound = value.abs() <= bound || (may_be_empty && value.is_nan());
            if !is_sound {
                return Err(broken("Invalid coordinate value found", start));
            }
            out.push(value);
        }
        Ok(())
    }
}

struct Writer<'o> {
    is_little: bool,
    out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    fn number(&mut self, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.out.extend(if self.is_little { number.to_le_bytes() } else { number.to_be_bytes() });
    }

    fn points(&mut self, points: &[f64]) {
        for value in points {
            self.out.extend(if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() });
        }
    }

    fn shape(&mut self, shape: &Shape) {
        self.out.push(u8::from(self.is_little));
        let more = usize::from(shape.axes.z) + 2 * usize::from(shape.axes.m);
        self.number(shape.code as usize + 1000 * more);
        let each = shape.axes.count();
        match &shape.parts {
            Parts::Points(points) => {
                if shape.code != POINT {
                    self.number(points.len() / each);
                }
                self.points(points);
            }
            Parts::Rings(rings) => {
                self.number(rings.len());
                for ring in rings {
                    self.number(ring.len() / each);
                    self.points(ring);
                }
            }
            Parts::Members(members) => {
                self.number(members.len());
                members.iter().for_each(|member| self.shape(member));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn failure(hex: &str, on_globe: bool) -> (String, String) {
        let failure = read(&bytes(hex), on_globe).unwrap_err();
        (failure.params()[0].1.clone(), failure.params()[1].1.clone())
    }

    #[test]
    fn shapes_go_there_and_back_in_both_orders() {
        let point = "0101000000000000000000F03F0000000000000040";
        let collection = format!("010700000001000000{point}");
        for hex in [point, &collection, "010300000000000000"] {
            let read_once = read(&bytes(hex), true).unwrap();
            let (mut little, mut big) = (Vec::new(), Vec::new());
            read_once.write(true, &mut little);
            read_once.write(false, &mut big);
            assert_eq!(little, bytes(hex));
            assert_ne!(big, little);
            assert_eq!(read(&big, true).unwrap(), read_once);
        }
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let end = |at: &str| (END.to_owned(), at.to_owned());
        assert_eq!(failure("6F", false), end("0"));
        assert_eq!(failure("0101000000000000000000F03F", false), end("13"));
        assert_eq!(failure("0102000000FFFFFFFF", false), end("9"));
        assert_eq!(failure("010900000000000000", false), ("Invalid or unsupported type 9".to_owned(), "1".to_owned()));
        let far = "010100000000000000000069400000000000005940";
        assert_eq!(failure(far, true), ("Invalid coordinate value found".to_owned(), "5".to_owned()));
        assert!(read(&bytes(far), false).is_ok());
        assert_eq!(failure(&"010700000001000000".repeat(80), false).1, (65 * 9 + 1).to_string());
    }
}
