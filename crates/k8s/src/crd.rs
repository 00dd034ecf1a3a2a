//! The CustomResourceDefinitions, made from the types.
//!
//! Flow: derived schema -> plain text in descriptions, no formats or nulls that the API does not know, defaults that
//! the API fills in by itself -> rules about names at the root.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::job::SparkJob;
use crate::rules;
use crate::scheduled::ScheduledSparkJob;
use crate::server::SparkConnectServer;

/// A definition as JSON, ready to be installed.
pub struct Definition {
    /// Name for a file: the plural, such as `sparkjobs`.
    pub plural: String,
    /// The definition itself.
    pub json: Value,
}

/// A definition that could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// The types' schema has another form than expected.
    #[error("the schema of {kind} cannot be made: {source}")]
    Schema {
        /// Which kind.
        kind: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The definition cannot be written as YAML.
    #[error("the definition cannot be written as YAML: {0}")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

/// All definitions, in the order in which they are documented.
pub fn definitions() -> Result<Vec<Definition>, CrdError> {
    Ok(vec![
        definition("SparkJob", SparkJob::crd(), rules::JOB_NAME)?,
        definition("ScheduledSparkJob", ScheduledSparkJob::crd(), rules::SCHEDULE_NAME)?,
        definition("SparkConnectServer", SparkConnectServer::crd(), rules::JOB_NAME)?,
    ])
}

impl Definition {
    /// The definition as YAML, for `kubectl apply`.
    pub fn to_yaml(&self) -> Result<String, CrdError> {
        Ok(serde_saphyr::to_string(&self.json)?)
    }

    /// Kind of the resource, such as `SparkJob`.
    pub fn kind(&self) -> &str {
        self.json["spec"]["names"]["kind"].as_str().unwrap_or_default()
    }

    /// The schema of the resource.
    pub fn schema(&self) -> &Value {
        &self.json["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    }
}

fn definition(
    kind: &'static str,
    crd: CustomResourceDefinition,
    name_rules: &[rules::Rule<String>],
) -> Result<Definition, CrdError> {
    let mut json = serde_json::to_value(&crd).map_err(|source| CrdError::Schema { kind, source })?;
    let root = &mut json["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    make_structural(root);
    if let Some(root) = root.as_object_mut() {
        root.insert("x-kubernetes-validations".to_owned(), rules::cel(name_rules));
    }
    Ok(Definition { plural: crd.spec.names.plural, json })
}

/// Brings a schema and all inside it into the form that the API takes.
fn make_structural(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    unwrap_nullable(object);
    object.remove("nullable");
    object.remove("title");
    let known = ["int32", "int64", "float", "double", "date-time"];
    if object.get("format").and_then(Value::as_str).is_some_and(|format| !known.contains(&format)) {
        object.remove("format");
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = unwrapped(text);
    }
    if let Some(default) = object.get("default") {
        match reduced_default(default, object.contains_key("properties")) {
            Some(default) => object.insert("default".to_owned(), default),
            None => object.remove("default"),
        };
    }
    for bound in ["minimum", "maximum"] {
        if let Some(whole) = object.get(bound).and_then(Value::as_f64).filter(|number| number.fract() == 0.0) {
            object.insert(bound.to_owned(), json!(whole as i64));
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    for part in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(part) {
            make_structural(inner);
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(make_structural);
    }
}

/// `anyOf: [X, null]` is how an optional field of some types comes out; the API wants X alone.
fn unwrap_nullable(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get("anyOf") else { return };
    let is_null = |choice: &Value| choice["enum"] == json!([null]) || choice["type"] == json!("null");
    let mut others = choices.iter().filter(|choice| !is_null(choice)).cloned();
    if let (Some(Value::Object(only)), None) = (others.next(), others.next()) {
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// The API fills an absent object field by field, so that `{}` is default enough; maps and lists need none.
fn reduced_default(default: &Value, has_fields: bool) -> Option<Value> {
    match default {
        Value::Object(_) => has_fields.then(|| json!({})),
        Value::Array(_) | Value::Null => None,
        scalar => Some(scalar.clone()),
    }
}

/// Lines of one paragraph joined; paragraphs stay apart.
fn unwrapped(text: &str) -> String {
    let paragraphs: Vec<String> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}

/// The schema of `SparkJob`.
pub(crate) static JOB_SCHEMA: LazyLock<Value> = LazyLock::new(|| schema(&SparkJob::crd()));

/// The schema of `ScheduledSparkJob`.
pub(crate) static SCHEDULE_SCHEMA: LazyLock<Value> = LazyLock::new(|| schema(&ScheduledSparkJob::crd()));

/// The schema of `SparkConnectServer`.
pub(crate) static SERVER_SCHEMA: LazyLock<Value> = LazyLock::new(|| schema(&SparkConnectServer::crd()));

fn schema(crd: &CustomResourceDefinition) -> Value {
    let json = serde_json::to_value(crd).unwrap_or_default();
    let mut schema = json["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    make_structural(&mut schema);
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `visit` with every schema inside `schema`, itself included, and its place.
    fn each(schema: &Value, place: &str, visit: &mut dyn FnMut(&str, &Map<String, Value>)) {
        let object = schema.as_object().unwrap_or_else(|| panic!("{place} is no object: {schema}"));
        visit(place, object);
        for part in ["items", "additionalProperties"] {
            if let Some(inner) = object.get(part) {
                each(inner, &format!("{place}[]"), visit);
            }
        }
        for (name, inner) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            each(inner, &format!("{place}.{name}"), visit);
        }
    }

    #[test]
    fn every_definition_is_small_and_structural() {
        for definition in definitions().unwrap() {
            let yaml = definition.to_yaml().unwrap();
            assert!(yaml.len() < 100_000, "{}: {} bytes", definition.plural, yaml.len());
            each(definition.schema(), definition.kind(), &mut |place, schema| {
                for forbidden in ["$ref", "anyOf", "oneOf", "allOf", "nullable", "definitions", "const"] {
                    assert!(!schema.contains_key(forbidden), "{place} has {forbidden}");
                }
                let typed = schema.contains_key("type") || schema.contains_key("x-kubernetes-int-or-string");
                assert!(typed, "{place} has no type");
                let both = schema.contains_key("properties") && schema.contains_key("additionalProperties");
                assert!(!both, "{place} has properties and additionalProperties");
            });
        }
    }

    #[test]
    fn every_field_is_described() {
        for definition in definitions().unwrap() {
            each(definition.schema(), definition.kind(), &mut |place, schema| {
                let is_field = !place.ends_with("[]");
                assert!(!is_field || schema.contains_key("description"), "{place} has no description");
            });
        }
    }

    #[test]
    fn every_rule_tells_what_is_wrong() {
        for definition in definitions().unwrap() {
            each(definition.schema(), definition.kind(), &mut |place, schema| {
                for rule in schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
                    let message = rule["message"].as_str().unwrap_or_default();
                    assert!(message.len() > 10 && !message.contains("self."), "{place}: {rule}");
                }
            });
        }
    }

    #[test]
    fn lists_and_texts_in_specs_are_bounded_so_that_rules_stay_cheap() {
        for definition in definitions().unwrap() {
            each(&definition.schema()["properties"]["spec"], "spec", &mut |place, schema| {
                let bound = match schema.get("type").and_then(Value::as_str) {
                    Some("array") => "maxItems",
                    Some("string") if !schema.contains_key("enum") => "maxLength",
                    Some("object") if schema.contains_key("additionalProperties") => "maxProperties",
                    _ => return,
                };
                let value_of_map = place.ends_with("s[]");
                assert!(schema.contains_key(bound) || value_of_map, "{place} has no {bound}");
            });
        }
    }

    #[test]
    fn yaml_reads_back_as_the_definition() {
        for definition in definitions().unwrap() {
            let back: Value = serde_saphyr::from_str(&definition.to_yaml().unwrap()).unwrap();
            assert_eq!(back, definition.json);
        }
    }
}
