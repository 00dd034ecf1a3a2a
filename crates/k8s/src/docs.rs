//! The reference page of the resources, made from the types.

use std::fmt::Write as _;

use serde_json::Value;

use crate::crd::{CrdError, Definition, definitions};
use crate::rules;

const HEAD: &str = "\
# SparkJob and its siblings

Every field of the resources in `firesteel.dev/v1alpha1`. `kubectl explain sparkjob.spec.executor` shows the same text.
This page is made from the types by `firesteel-operator docs`; change it there.

A field without a default is optional unless it is marked *required*. Durations are written `30s`, `10m`, `1h30m`;
memory `512Mi`, `16Gi`; processor time `4` or `500m`.
";

/// The page, in Markdown.
pub fn page() -> Result<String, CrdError> {
    let mut page = HEAD.to_owned();
    for definition in definitions()? {
        kind(&mut page, &definition);
    }
    reserved_keys(&mut page);
    Ok(page)
}

fn kind(page: &mut String, definition: &Definition) {
    let schema = definition.schema();
    let names = &definition.json["spec"]["names"];
    let short: Vec<&str> = names["shortNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    line(page, format_args!("\n## {} (`kubectl get {}`)\n", definition.kind(), short.join(", ")));
    line(page, format_args!("{}\n", text(schema)));
    rule_lines(page, schema);
    for (section, title) in [("spec", "spec"), ("status", "status (written by the operator)")] {
        let part = &schema["properties"][section];
        line(page, format_args!("### {title}\n"));
        line(page, format_args!("{}\n", text(part)));
        rule_lines(page, part);
        line(page, format_args!("| field | type | default | meaning |\n|---|---|---|---|"));
        fields(page, part, section, definition.kind());
        line(page, format_args!(""));
    }
}

fn fields(page: &mut String, schema: &Value, path: &str, kind: &str) {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{path}.{name}");
        let is_job = at == "spec.jobTemplate.spec";
        let default = match field.get("default") {
            _ if required.contains(&name.as_str()) => "*required*".to_owned(),
            Some(Value::Object(_)) | None => String::new(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
        };
        let meaning = text(field).replace("\n\n", " ").replace('|', "\\|");
        // The refused keys have a section of their own.
        let rules: Vec<&str> = messages(field).filter(|_| name != "conf").collect();
        let meaning = if rules.is_empty() { meaning } else { format!("{meaning} *Rule: {}.*", rules.join("; ")) };
        line(page, format_args!("| `{at}` | {} | {default} | {meaning} |", type_name(field)));
        if is_job && kind == "ScheduledSparkJob" {
            continue;
        }
        fields(page, field, &at, kind);
        if field["items"]["properties"].is_object() {
            fields(page, &field["items"], &format!("{at}[]"), kind);
        }
    }
}

fn type_name(field: &Value) -> String {
    if let Some(choices) = field["enum"].as_array() {
        let choices: Vec<String> = choices.iter().filter_map(Value::as_str).map(|text| format!("`{text}`")).collect();
        return choices.join(", ");
    }
    let pattern = field["pattern"].as_str();
    match field["type"].as_str() {
        _ if pattern == Some(crate::quantity::CPU_PATTERN) => "processor time".to_owned(),
        _ if pattern == Some(crate::quantity::MEMORY_PATTERN) => "memory".to_owned(),
        _ if pattern == Some(crate::duration::PATTERN) => "duration".to_owned(),
        Some("string") if field["format"] == "date-time" => "time".to_owned(),
        Some("string") => "text".to_owned(),
        Some("integer") => "number".to_owned(),
        Some("boolean") => "true, false".to_owned(),
        Some("array") => format!("list of {}", plural(&type_name(&field["items"]))),
        Some("object") if field.get("additionalProperties").is_some() => "mapping of text".to_owned(),
        Some("object") if field.get("properties").is_none() => "any fields".to_owned(),
        _ => "fields".to_owned(),
    }
}

fn plural(name: &str) -> String {
    match name {
        "number" => "numbers".to_owned(),
        "text" => "texts".to_owned(),
        other => other.to_owned(),
    }
}

fn text(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

fn messages(schema: &Value) -> impl Iterator<Item = &str> {
    schema["x-kubernetes-validations"].as_array().into_iter().flatten().filter_map(|rule| rule["message"].as_str())
}

fn rule_lines(page: &mut String, schema: &Value) {
    let rules: Vec<String> = messages(schema).map(|message| format!("- Rule: {message}.")).collect();
    if !rules.is_empty() {
        line(page, format_args!("{}\n", rules.join("\n")));
    }
}

fn reserved_keys(page: &mut String) {
    line(page, format_args!("\n## Configuration keys that are refused\n"));
    line(page, format_args!("Every key begins with `{}`.\n", rules::KEY_PREFIX));
    line(page, format_args!("| keys | because |\n|---|---|"));
    for keys in rules::RESERVED_KEYS {
        let exact = keys.exact.iter().map(|key| format!("`{key}`"));
        let prefixes = keys.prefixes.iter().map(|prefix| format!("`{prefix}*`"));
        let names: Vec<String> = exact.chain(prefixes).collect();
        let allowed: Vec<String> = keys.allowed.iter().map(|prefix| format!("`{prefix}*`")).collect();
        let but = if allowed.is_empty() { String::new() } else { format!(", but not {}", allowed.join(", ")) };
        line(page, format_args!("| {}{but} | {}. |", names.join(", "), keys.message));
    }
}

/// Writing to a string cannot fail.
fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_names_every_kind_and_some_fields() {
        let page = super::page().unwrap();
        for part in [
            "## SparkJob (`kubectl get sj`)",
            "## ScheduledSparkJob",
            "## SparkConnectServer",
            "| `spec.main` | fields | *required* |",
            "| `spec.executor.cpu` | processor time | `1` |",
            "| `spec.storage.connections[].endpoint` | text |",
            "*Rule: set count or elastic, not both; minToStart",
            "`spark.kubernetes.*`",
        ] {
            assert!(page.contains(part), "{part} is missing from\n{page}");
        }
    }
}
