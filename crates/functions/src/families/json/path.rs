//! Parts of JSON texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::Int32Type;
use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::value::Json;
use crate::families::args::Args;
use crate::families::collection::build::struct_array;
use crate::families::collection::gather::Gather;
use crate::families::rows::Output::{Maybe, Of};
use crate::families::rows::functions;

functions! {
    "get_json_object" (TEXT, TEXT) => Maybe(DataType::STRING), get, "the part of a JSON text at a path";
    "json_array_length" (TEXT) => Maybe(DataType::Integer), array_length, "how many elements a JSON array has";
    "json_object_keys" (TEXT) => Of(|_, _| Ok((DataType::array(DataType::STRING), true))), keys, "the names of a JSON object's fields";
}

enum Step {
    Field(String),
    Index(usize),
    AllFields,
    AllElements,
}

fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            if name.is_empty() {
                return None;
            }
            steps.push(if name == "*" { Step::AllFields } else { Step::Field(name.to_owned()) });
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            if let Some(quoted) = after.strip_prefix('\'') {
                let end = quoted.find("']")?;
                steps.push(Step::Field(quoted[..end].to_owned()));
                rest = &quoted[end + 2..];
            } else {
                let end = after.find(']')?;
                steps.push(match after[..end].trim() {
                    "*" => Step::AllElements,
                    index => Step::Index(index.parse().ok()?),
                });
                rest = &after[end + 1..];
            }
        }
    }
    Some(steps)
}

fn follow<'a>(value: &'a Json, steps: &[Step], found: &mut Vec<&'a Json>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    match (step, value) {
        (Step::Field(name), Json::Object(_)) => {
            if let Some(field) = value.field(name) {
                follow(field, rest, found);
            }
        }
        // A field of an array is that field of each of its elements.
        (Step::Field(_), Json::Array(elements)) => elements.iter().for_each(|element| follow(element, steps, found)),
        (Step::Index(index), Json::Array(elements)) => {
            if let Some(element) = elements.get(*index) {
                follow(element, rest, found);
            }
        }
        (Step::AllElements, Json::Array(elements)) => elements.iter().for_each(|element| follow(element, rest, found)),
        (Step::AllFields, Json::Object(fields)) => fields.iter().for_each(|(_, field)| follow(field, rest, found)),
        _ => {}
    }
}

fn get(a: &Args) -> Result<ArrayRef> {
    let (text, path) = (a.text(0)?, a.text(1)?);
    let mut known: Option<(&str, Option<Vec<Step>>)> = None;
    a.try_texts(|r| {
        let path = path.value(r);
        if known.as_ref().is_none_or(|(last, _)| *last != path) {
            known = Some((path, parse_path(path)));
        }
        let steps = known.as_ref().and_then(|(_, steps)| steps.as_ref());
        Ok(steps.and_then(|steps| part(text.value(r), steps)))
    })
}

fn part(text: &str, steps: &[Step]) -> Option<String> {
    let value = Json::parse(text)?;
    let mut found = Vec::new();
    follow(&value, steps, &mut found);
    let is_one = steps.iter().all(|step| matches!(step, Step::Field(_) | Step::Index(_)));
    match (found.as_slice(), is_one) {
        ([], _) => None,
        ([one], true) => one.shown(),
        ([Json::Null], false) => None,
        (found, _) => {
            let mut out = String::new();
            match found {
                [one] => one.write(&mut out),
                many => Json::Array(many.iter().map(|value| (*value).clone()).collect()).write(&mut out),
            }
            Some(out)
        }
    }
}

fn array_length(a: &Args) -> Result<ArrayRef> {
    let text = a.text(0)?;
    a.try_values::<Int32Type>(|r| match Json::parse(text.value(r)) {
        Some(Json::Array(elements)) => Ok(Some(elements.len() as i32)),
        _ => Ok(None),
    })
}

fn keys(a: &Args) -> Result<ArrayRef> {
    let text = a.text(0)?;
    let (mut names, mut rows, mut total) = (StringBuilder::new(), Gather::default(), 0);
    for row in 0..a.rows {
        let value = if text.is_null(row) { None } else { Json::parse(text.value(row)) };
        let Some(Json::Object(fields)) = value else {
            rows.null();
            continue;
        };
        fields.iter().for_each(|(name, _)| names.append_value(name));
        rows.row((total..total + fields.len()).map(Some));
        total += fields.len();
    }
    rows.finish_with(&a.context.result, Arc::new(names.finish()))
}

/// `json_tuple`: one row of the fields named by the other arguments.
pub(crate) fn tuples(a: &Args) -> Result<ArrayRef> {
    let text = a.text(0)?;
    let mut columns: Vec<StringBuilder> = (1..a.len()).map(|_| StringBuilder::new()).collect();
    let mut rows = Gather::default();
    for row in 0..a.rows {
        let value = if text.is_null(row) { None } else { Json::parse(text.value(row)) };
        for (i, column) in columns.iter_mut().enumerate() {
            let name = a.text(i + 1)?;
            let field = value.as_ref().filter(|_| name.is_valid(row)).and_then(|value| value.field(name.value(row)));
            column.append_option(field.and_then(Json::shown));
        }
        rows.row([Some(row)]);
    }
    let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
    let arrow::datatypes::DataType::List(field) = to_arrow(&a.context.result) else {
        return Err(firesteel_model::SparkError::internal("json_tuple gives no array"));
    };
    rows.finish_with(&a.context.result, struct_array(field.data_type(), columns, a.rows)?)
}
