//! Checks a value against a structural schema: unknown fields, types, bounds.
//!
//! It knows the parts of JSON Schema that [`crate::crd`] produces, and no others.

use std::collections::HashSet;

use regex::Regex;
use serde_json::{Map, Value};

use crate::field::{FieldError, FieldPath};

/// Fields that every resource has beside those of its schema.
const ROOT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Everything in `resource` that `schema` refuses.
pub(crate) fn check(schema: &Value, resource: &Value) -> Vec<FieldError> {
    let mut check = Check { errors: Vec::new() };
    check.value(schema, resource, &FieldPath::default());
    check.errors
}

struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    fn fail(&mut self, path: &FieldPath, message: String) {
        self.errors.push(FieldError { path: path.clone(), message });
    }

    fn value(&mut self, schema: &Value, value: &Value, path: &FieldPath) {
        if let Some(expected) = mismatch(schema, value) {
            self.fail(path, format!("expected {expected}, not {}", shown(value)));
            return;
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, path),
            Value::Array(items) => self.list(schema, items, path),
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, path: &FieldPath) {
        if let Some(most) = schema["maxProperties"].as_u64().filter(|most| fields.len() as u64 > *most) {
            self.fail(path, format!("has {} entries; at most {most} are allowed", fields.len()));
        }
        if let Some(inner) = schema.get("additionalProperties") {
            for (key, value) in fields {
                self.value(inner, value, &path.key(key));
            }
            return;
        }
        let Some(known) = schema["properties"].as_object() else { return };
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(required) {
                self.fail(path, format!("the field {required} is missing"));
            }
        }
        let is_root = path.0.is_empty();
        for (key, value) in fields {
            match known.get(key) {
                Some(inner) => self.value(inner, value, &path.key(key)),
                None if is_root && ROOT_FIELDS.contains(&key.as_str()) => {}
                None => self.fail(&path.key(key), unknown(key, known.keys().map(String::as_str))),
            }
        }
    }

    fn list(&mut self, schema: &Value, items: &[Value], path: &FieldPath) {
        self.bounds(path, items.len() as u64, &schema["minItems"], &schema["maxItems"], "items");
        for (index, item) in items.iter().enumerate() {
            self.value(&schema["items"], item, &path.index(index));
        }
        let mut seen = HashSet::new();
        for key in schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            for (index, item) in items.iter().enumerate() {
                if let Some(text) = item[key].as_str().filter(|text| !seen.insert((key, *text))) {
                    self.fail(&path.index(index).key(key), format!("\"{text}\" is there twice"));
                }
            }
        }
    }

    fn text(&mut self, schema: &Value, text: &str, path: &FieldPath) {
        if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(&Value::from(text))) {
            let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
            self.fail(path, format!("\"{text}\" is not one of {}", allowed.join(", ")));
        }
        self.bounds(path, text.chars().count() as u64, &schema["minLength"], &schema["maxLength"], "characters");
        if let Some(pattern) = schema["pattern"].as_str() {
            match Regex::new(pattern) {
                Ok(regex) if regex.is_match(text) => {}
                _ => self.fail(path, pattern_message(text, pattern)),
            }
        }
    }

    fn number(&mut self, schema: &Value, number: &serde_json::Number, path: &FieldPath) {
        let value = number.as_f64().unwrap_or_default();
        if schema["minimum"].as_f64().is_some_and(|least| value < least) {
            self.fail(path, format!("{number} is too small; the least is {}", schema["minimum"]));
        }
        if schema["maximum"].as_f64().is_some_and(|most| value > most) {
            self.fail(path, format!("{number} is too large; the most is {}", schema["maximum"]));
        }
    }

    fn bounds(&mut self, path: &FieldPath, size: u64, least: &Value, most: &Value, what: &str) {
        if least.as_u64().is_some_and(|least| size < least) {
            self.fail(path, format!("has {size} {what}; at least {least} are needed"));
        }
        if most.as_u64().is_some_and(|most| size > most) {
            self.fail(path, format!("has {size} {what}; at most {most} are allowed"));
        }
    }
}

/// What the schema wants, if the value is of another type.
fn mismatch(schema: &Value, value: &Value) -> Option<&'static str> {
    let whole = value.is_i64() || value.is_u64();
    if schema["x-kubernetes-int-or-string"] == true {
        return (!value.is_string() && !whole).then_some("text or a whole number");
    }
    let (fits, expected) = match schema["type"].as_str()? {
        "object" => (value.is_object(), "a mapping"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "text"),
        "boolean" => (value.is_boolean(), "true or false"),
        "integer" => (whole, "a whole number"),
        _ => (value.is_number(), "a number"),
    };
    (!fits).then_some(expected)
}

/// A value as a user would recognise it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("{value} (in quotation marks it would be text)"),
        Value::Number(number) => format!("{number} (in quotation marks it would be text)"),
        Value::String(text) => format!("the text \"{text}\""),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// What is said about a field that is not known, with the nearest one that is.
pub(crate) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let lower = name.to_lowercase();
    let score = |candidate: &str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    match known.clone().min_by_key(|candidate| score(candidate)) {
        Some(nearest) if score(nearest) <= 1 + nearest.len() / 4 => {
            format!("there is no field {name}; did you mean {nearest}?")
        }
        _ => {
            let known: Vec<&str> = known.collect();
            format!("there is no field {name}; there are {}", known.join(", "))
        }
    }
}

fn pattern_message(text: &str, pattern: &str) -> String {
    let example = match pattern {
        crate::duration::PATTERN => "no duration; write for example 30s, 10m or 6h",
        crate::quantity::MEMORY_PATTERN => "no amount of memory; write for example 512Mi or 16Gi",
        crate::quantity::CPU_PATTERN => "no amount of processor time; write for example 4, \"0.5\" or 500m",
        _ => return format!("\"{text}\" does not match {pattern}"),
    };
    format!("\"{text}\" is {example}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(schema: Value, value: Value, expected: &[&str]) {
        let errors: Vec<String> = check(&schema, &value).iter().map(ToString::to_string).collect();
        assert_eq!(errors, expected);
    }

    #[test]
    fn types() {
        let schema = json!({"type": "object", "properties": {
            "n": {"type": "integer"}, "t": {"type": "string"}, "b": {"type": "boolean"}, "l": {"type": "array", "items": {"type": "string"}},
            "e": {"x-kubernetes-int-or-string": true},
        }});
        refused(schema.clone(), json!({"n": 1, "t": "a", "b": true, "l": ["x"], "e": 4}), &[]);
        refused(schema.clone(), json!({"e": "4"}), &[]);
        refused(schema.clone(), json!({"n": "4"}), &["n: expected a whole number, not the text \"4\""]);
        refused(schema.clone(), json!({"t": 4}), &["t: expected text, not 4 (in quotation marks it would be text)"]);
        refused(schema.clone(), json!({"b": "yes"}), &["b: expected true or false, not the text \"yes\""]);
        refused(
            schema.clone(),
            json!({"l": [1]}),
            &["l[0]: expected text, not 1 (in quotation marks it would be text)"],
        );
        refused(
            schema.clone(),
            json!({"e": 0.5}),
            &["e: expected text or a whole number, not 0.5 (in quotation marks it would be text)"],
        );
        refused(schema, json!({"t": null}), &["t: expected text, not nothing"]);
    }

    #[test]
    fn unknown_and_missing_fields() {
        let schema = json!({"type": "object", "required": ["main"], "properties": {"main": {"type": "object", "properties": {
            "python": {"type": "string"}, "sql": {"type": "string"},
        }}, "executor": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
        refused(
            schema.clone(),
            json!({"exectuor": {}, "kind": "SparkJob"}),
            &[": the field main is missing", "exectuor: there is no field exectuor; did you mean executor?"],
        );
        refused(
            schema.clone(),
            json!({"main": {"scala": ""}}),
            &["main.scala: there is no field scala; there are python, sql"],
        );
        refused(schema, json!({"main": {}, "executor": {"anything": 1}}), &[]);
    }

    #[test]
    fn bounds_patterns_and_choices() {
        let schema = json!({"type": "object", "properties": {
            "n": {"type": "integer", "minimum": 1, "maximum": 5},
            "t": {"type": "string", "minLength": 1, "maxLength": 3},
            "e": {"type": "string", "enum": ["A", "B"]},
            "p": {"type": "string", "pattern": crate::quantity::MEMORY_PATTERN},
            "m": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
            "l": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "object"},
                  "x-kubernetes-list-map-keys": ["name"]},
        }});
        refused(schema.clone(), json!({"n": 0}), &["n: 0 is too small; the least is 1"]);
        refused(schema.clone(), json!({"n": 6}), &["n: 6 is too large; the most is 5"]);
        refused(schema.clone(), json!({"t": ""}), &["t: has 0 characters; at least 1 are needed"]);
        refused(schema.clone(), json!({"t": "abcd"}), &["t: has 4 characters; at most 3 are allowed"]);
        refused(schema.clone(), json!({"e": "C"}), &["e: \"C\" is not one of A, B"]);
        refused(
            schema.clone(),
            json!({"p": "2g"}),
            &["p: \"2g\" is no amount of memory; write for example 512Mi or 16Gi"],
        );
        refused(schema.clone(), json!({"m": {"a": "", "b": ""}}), &["m: has 2 entries; at most 1 are allowed"]);
        refused(schema.clone(), json!({"l": []}), &["l: has 0 items; at least 1 are needed"]);
        refused(schema, json!({"l": [{"name": "a"}, {"name": "a"}]}), &["l[1].name: \"a\" is there twice"]);
    }
}
