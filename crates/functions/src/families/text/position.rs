//! Where in a text something is, and the parts of it; positions count characters from 1.

use arrow::array::{ArrayRef, AsArray};
use firesteel_model::Result;
use firesteel_spec::DataType;

use crate::families::args::Args;
use crate::families::rows::Default::Int;
use crate::families::rows::Output::{Is, Same};
use crate::families::rows::functions;

functions! {
    "substring" (TEXT_OR_BINARY, INT; INT = Int(i32::MAX)) => Same(0), substring, "a part of the text, from a position that counts from the end where negative";
    "substr" (TEXT_OR_BINARY, INT; INT = Int(i32::MAX)) => Same(0), substring, "a part of the text, from a position that counts from the end where negative";
    "left" (TEXT_OR_BINARY, INT) => Same(0), left, "the first characters";
    "right" (TEXT, INT) => Is(DataType::STRING), right, "the last characters";
    "instr" (TEXT, TEXT) => Is(DataType::Integer), |a| found(a, 1, 0), "position of the second text in the first, or 0";
    "locate" (TEXT, TEXT; INT = Int(1)) => Is(DataType::Integer), |a| found(a, 0, 1), "position of the first text in the second, from a position on, or 0";
    "position" (TEXT, TEXT; INT = Int(1)) => Is(DataType::Integer), |a| found(a, 0, 1), "position of the first text in the second, from a position on, or 0";
    "charindex" (TEXT, TEXT; INT = Int(1)) => Is(DataType::Integer), |a| found(a, 0, 1), "position of the first text in the second, from a position on, or 0";
    "startswith" (TEXT_OR_BINARY, TEXT_OR_BINARY) => Is(DataType::Boolean), |a| compare(a, |x, y| x.starts_with(y)), "whether the first begins with the second";
    "endswith" (TEXT_OR_BINARY, TEXT_OR_BINARY) => Is(DataType::Boolean), |a| compare(a, |x, y| x.ends_with(y)), "whether the first ends with the second";
    "contains" (TEXT_OR_BINARY, TEXT_OR_BINARY) => Is(DataType::Boolean), |a| compare(a, holds), "whether the first holds the second";
    "substring_index" (TEXT, TEXT, INT) => Is(DataType::STRING), substring_index, "what stands before so many delimiters, or after them, counted from the end";
    "split_part" (TEXT, TEXT, INT) => Is(DataType::STRING), split_part, "the part of that number, counted from the end where negative";
    "overlay" (TEXT, TEXT, INT; INT = Int(-1)) => Is(DataType::STRING), overlay, "the text with another laid over a part of it";
    "find_in_set" (TEXT, TEXT) => Is(DataType::Integer), find_in_set, "position of the text in a list with commas, or 0";
}

/// Where character number `count` (from 0) begins; `None` beyond the end.
pub(crate) fn byte_of(text: &str, count: usize) -> Option<usize> {
    if text.is_ascii() {
        return (count <= text.len()).then_some(count);
    }
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(count)
}

/// Start and end, in characters, of what `substring` takes.
fn bounds(length: usize, position: i32, count: i32) -> (usize, usize) {
    let length = length as i64;
    let start = match position {
        0 => 0,
        p if p > 0 => i64::from(p) - 1,
        p => length + i64::from(p),
    };
    let end = start.saturating_add(i64::from(count)).clamp(0, length);
    (start.clamp(0, length).min(end) as usize, end as usize)
}

/// Spark's `substring`.
pub(crate) fn part(text: &str, position: i32, count: i32) -> &str {
    if count <= 0 {
        return "";
    }
    if text.is_ascii() {
        let (start, end) = bounds(text.len(), position, count);
        return &text[start..end];
    }
    let (start, end) = bounds(text.chars().count(), position, count);
    let (from, to) = (byte_of(text, start).unwrap_or(0), byte_of(text, end).unwrap_or(text.len()));
    &text[from..to]
}

fn substring(a: &Args) -> Result<ArrayRef> {
    let (position, count) = (a.int(1)?, a.int(2)?);
    if let Some(bytes) = a.array(0)?.as_binary_opt::<i32>() {
        return a.try_binaries(|r| {
            let bytes = bytes.value(r);
            let (start, end) = bounds(bytes.len(), position.value(r), count.value(r).max(0));
            Ok(Some(bytes[start..end.max(start)].to_vec()))
        });
    }
    let text = a.text(0)?;
    a.slices(|r| part(text.value(r), position.value(r), count.value(r)))
}

fn left(a: &Args) -> Result<ArrayRef> {
    let count = a.int(1)?;
    if let Some(bytes) = a.array(0)?.as_binary_opt::<i32>() {
        return a.try_binaries(|r| {
            let bytes = bytes.value(r);
            Ok(Some(bytes[..(count.value(r).max(0) as usize).min(bytes.len())].to_vec()))
        });
    }
    let text = a.text(0)?;
    a.slices(|r| part(text.value(r), 1, count.value(r)))
}

fn right(a: &Args) -> Result<ArrayRef> {
    let (text, count) = (a.text(0)?, a.int(1)?);
    a.slices(|r| match count.value(r) {
        count if count <= 0 => "",
        count => part(text.value(r), -count, i32::MAX),
    })
}

/// Position of argument `needle` in argument `hay`, from the position in a third argument on.
fn found(a: &Args, needle: usize, hay: usize) -> Result<ArrayRef> {
    let (needle, hay) = (a.text(needle)?, a.text(hay)?);
    let from = if a.len() > 2 { Some(a.int(2)?) } else { None };
    a.ints(|r| {
        let (hay, needle) = (hay.value(r), needle.value(r));
        let from = from.map_or(1, |from| from.value(r));
        if from <= 0 {
            return 0;
        }
        let Some(start) = byte_of(hay, from as usize - 1) else { return 0 };
        match hay[start..].find(needle) {
            Some(at) => hay[..start + at].chars().count() as i32 + 1,
            None => 0,
        }
    })
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

fn compare(a: &Args, holds: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let (left, right) = (a.array(0)?, a.array(1)?);
    let bytes = |array: &'_ ArrayRef| arrow::compute::cast(array, &arrow::datatypes::DataType::Binary);
    let left = bytes(left).map_err(crate::errors::from_arrow)?;
    let right = bytes(right).map_err(crate::errors::from_arrow)?;
    let (left, right) = (left.as_binary::<i32>(), right.as_binary::<i32>());
    a.booleans(|r| holds(left.value(r), right.value(r)))
}

fn substring_index(a: &Args) -> Result<ArrayRef> {
    let (text, delimiter, count) = (a.text(0)?, a.text(1)?, a.int(2)?);
    a.slices(|r| {
        let (text, delimiter, count) = (text.value(r), delimiter.value(r), count.value(r));
        if delimiter.is_empty() || count == 0 {
            return "";
        }
        let nth = count.unsigned_abs() as usize - 1;
        if count > 0 {
            text.match_indices(delimiter).nth(nth).map_or(text, |(at, _)| &text[..at])
        } else {
            text.rmatch_indices(delimiter).nth(nth).map_or(text, |(at, _)| &text[at + delimiter.len()..])
        }
    })
}

fn split_part(a: &Args) -> Result<ArrayRef> {
    let (text, delimiter, number) = (a.text(0)?, a.text(1)?, a.int(2)?);
    a.try_texts(|r| {
        let (text, delimiter, number) = (text.value(r), delimiter.value(r), number.value(r));
        let parts: Vec<&str> = if delimiter.is_empty() { vec![text] } else { text.split(delimiter).collect() };
        let index = match number {
            0 => return Err(firesteel_model::SparkError::new(&firesteel_model::error_class::INVALID_INDEX_OF_ZERO)),
            n if n > 0 => n as usize - 1,
            n => match parts.len().checked_sub(n.unsigned_abs() as usize) {
                Some(index) => index,
                None => return Ok(Some(String::new())),
            },
        };
        Ok(Some(parts.get(index).copied().unwrap_or("").to_owned()))
    })
}

fn overlay(a: &Args) -> Result<ArrayRef> {
    let (text, with, position, count) = (a.text(0)?, a.text(1)?, a.int(2)?, a.int(3)?);
    a.texts(|r| {
        let (text, with, position) = (text.value(r), with.value(r), position.value(r));
        let count = match count.value(r) {
            count if count >= 0 => count,
            _ => with.chars().count() as i32,
        };
        let before = part(text, 1, position - 1);
        format!("{before}{with}{}", part(text, position.saturating_add(count), i32::MAX))
    })
}

fn find_in_set(a: &Args) -> Result<ArrayRef> {
    let (text, set) = (a.text(0)?, a.text(1)?);
    a.ints(|r| {
        let text = text.value(r);
        if text.contains(',') {
            return 0;
        }
        set.value(r).split(',').position(|part| part == text).map_or(0, |at| at as i32 + 1)
    })
}
