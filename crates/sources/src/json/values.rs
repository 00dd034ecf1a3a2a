//! JSON values into columns.

use std::borrow::Cow;

use super::parse::{Node, Value};
use crate::text::column::Column;
use crate::text::decimal::Digits;
use crate::text::parse::ValueRules;

/// Adds a value to a column; NULL and `false` where it does not fit.
pub(super) fn append(column: &mut Column, node: &Node<'_>, rules: &ValueRules) -> bool {
    if node.value == Value::Null {
        column.append_null();
        return true;
    }
    match column {
        Column::List { items, lengths, nulls, .. } => {
            let Value::Array(nodes) = &node.value else { return wrong(column) };
            lengths.push(nodes.len());
            nulls.append_non_null();
            all(nodes, |node| append(items, node, rules))
        }
        Column::Struct { fields, columns, nulls } => {
            let Value::Object(members) = &node.value else { return wrong(column) };
            nulls.append_non_null();
            let mut fits = true;
            for (field, column) in fields.iter().zip(columns) {
                match member(members, field.name()) {
                    Some(node) => fits &= append(column, node, rules),
                    None => column.append_null(),
                }
            }
            fits
        }
        Column::Map { keys, values, lengths, nulls, .. } => {
            let Value::Object(members) = &node.value else { return wrong(column) };
            lengths.push(members.len());
            nulls.append_non_null();
            all(members, |(name, node)| {
                let fits = keys.append_text(name, rules);
                append(values, node, rules) && fits
            })
        }
        _ => scalar(column, node, rules),
    }
}

/// The last member of a name, as later ones win.
pub(super) fn member<'n, 'a>(members: &'n [(Cow<'a, str>, Node<'a>)], name: &str) -> Option<&'n Node<'a>> {
    members.iter().rev().find(|(member, _)| member == name).map(|(_, node)| node)
}

/// Visits everything, even after one that does not fit.
fn all<T>(items: &[T], mut visit: impl FnMut(&T) -> bool) -> bool {
    let mut fits = true;
    for item in items {
        fits &= visit(item);
    }
    fits
}

fn wrong(column: &mut Column) -> bool {
    column.append_null();
    false
}

fn scalar(column: &mut Column, node: &Node<'_>, rules: &ValueRules) -> bool {
    let number = matches!(node.value, Value::Integer | Value::Real);
    let text = match &node.value {
        Value::Text(text) => Some(text.as_ref()),
        _ => None,
    };
    let added = match column {
        Column::Text(builder) => {
            builder.append_value(text.unwrap_or(node.text));
            return true;
        }
        Column::Boolean(builder) => match node.value {
            Value::Boolean(value) => Some(value).map(|value| builder.append_value(value)),
            _ => None,
        },
        Column::Byte(_) | Column::Short(_) | Column::Integer(_) | Column::Long(_) => {
            return if node.value == Value::Integer { column.append_text(node.text, rules) } else { wrong(column) };
        }
        Column::Float(builder) => real(node, number, text).map(|value| builder.append_value(value as f32)),
        Column::Double(builder) => real(node, number, text).map(|value| builder.append_value(value)),
        Column::Decimal(builder, precision, scale) => {
            let digits = Digits::parse(text.unwrap_or(node.text)).filter(|_| number || text.is_some());
            let value = digits.and_then(|digits| digits.rescale(*precision, *scale));
            value.map(|value| builder.append_value(value))
        }
        Column::Date(builder) => text.and_then(|text| rules.date(text)).map(|value| builder.append_value(value)),
        Column::Timestamp(builder, is_instant) => match (text, &node.value) {
            (Some(text), _) => return column.append_text(text, rules),
            (None, Value::Integer) if *is_instant => {
                let seconds = node.text.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000_000));
                seconds.map(|value| builder.append_value(value))
            }
            _ => None,
        },
        Column::Binary(builder) => text.and_then(base64).map(|bytes| builder.append_value(bytes)),
        _ => None,
    };
    added.is_some() || wrong(column)
}

fn real(node: &Node<'_>, is_number: bool, text: Option<&str>) -> Option<f64> {
    match text.unwrap_or(node.text) {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" | "INF" | "+INF" => Some(f64::INFINITY),
        "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
        digits if is_number => digits.parse().ok(),
        _ => None,
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'\r' | b'\n' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}
