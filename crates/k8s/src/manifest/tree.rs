//! YAML as a tree whose nodes know where they come from.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use crate::field::{FieldPath, Segment};

/// Nodes in one file at most, aliases counted as what they stand for.
const NODES_MAX: usize = 200_000;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of the file, from 1.
    Line(usize),
    /// An override, as given.
    Override(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A null, a boolean, a number or text.
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) origin: Origin,
    pub(crate) value: Node,
}

/// A file that is no YAML, or uses a part of YAML that manifests do without.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// The documents of a file; empty ones are left out.
pub(crate) fn documents(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| SyntaxError { line: error.marker().line(), message: error.info() })?;
        builder.event(event, &span)?;
    }
    builder.documents.retain(|node| !node.is_null());
    Ok(builder.documents)
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    /// Collections that are open, the outermost first.
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next, in a mapping.
    key: Option<(String, Origin)>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), SyntaxError> {
        let line = span.start.line();
        let origin = Origin::Line(line);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let value = if is_text { Value::String(text.into_owned()) } else { scalar(&text) };
                self.add(Node { origin, content: Content::Scalar(value) }, anchor, line)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Node { origin, content: Content::List(Vec::new()) }, anchor)
            }
            Event::MappingStart(_, anchor, _) => self.open(Node { origin, content: Content::Map(Vec::new()) }, anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.add(open.node, open.anchor, line),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let message = || "an alias inside the value it stands for".to_owned();
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| SyntaxError { line, message: message() })?;
                self.nodes += node.size();
                self.add(node, 0, line)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize, line: usize) -> Result<(), SyntaxError> {
        let fail = |message: String| Err(SyntaxError { line, message });
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return fail(format!("more than {NODES_MAX} values in one file"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.node.content {
            Content::List(items) => items.push(node),
            Content::Scalar(_) => {}
            Content::Map(entries) => match open.key.take() {
                Some((key, origin)) => entries.push(Entry { key, origin, value: node }),
                None => {
                    let Some(key) = node.key() else { return fail("a key must be text".to_owned()) };
                    if key == "<<" {
                        return fail("merge keys (<<) are not supported; write the fields out".to_owned());
                    }
                    if entries.iter().any(|entry| entry.key == key) {
                        return fail(format!("the key {key} is there twice"));
                    }
                    open.key = Some((key, node.origin));
                }
            },
        }
        Ok(())
    }
}

/// A plain scalar as YAML 1.2's core schema reads it.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let looks_numeric = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    if !looks_numeric {
        return Value::String(text.to_owned());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Value::from(number);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(number) = text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok()) {
            return Value::from(number);
        }
    }
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number = text.parse::<f64>().ok().filter(|_| is_decimal).and_then(Number::from_f64);
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null))
    }

    /// This node as the key of a mapping.
    fn key(&self) -> Option<String> {
        match &self.content {
            Content::Scalar(Value::String(text)) => Some(text.clone()),
            Content::Scalar(Value::Null) => None,
            Content::Scalar(value) => Some(value.to_string()),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        match &self.content {
            Content::Scalar(_) => 1,
            Content::List(items) => items.iter().map(Self::size).sum(),
            Content::Map(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(entries) => {
                let fields = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// Where `path` was written, or as much of it as there is.
    pub(crate) fn origin_of(&self, path: &FieldPath) -> &Origin {
        let mut node = self;
        let mut origin = &self.origin;
        for segment in &path.0 {
            let next = match (&node.content, segment) {
                (Content::Map(entries), Segment::Key(name)) => {
                    entries.iter().find(|entry| entry.key == *name).map(|entry| (&entry.value, &entry.origin))
                }
                (Content::List(items), Segment::Index(index)) => items.get(*index).map(|item| (item, &item.origin)),
                _ => None,
            };
            let Some((value, written)) = next else { break };
            (node, origin) = (value, written);
        }
        origin
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json_of(text: &str) -> Vec<Value> {
        documents(text).unwrap().iter().map(Node::to_json).collect()
    }

    #[test]
    fn scalars_are_read_as_yaml_1_2_reads_them() {
        for (text, value) in [
            ("4", json!(4)),
            ("-1", json!(-1)),
            ("0x10", json!(16)),
            ("0.5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("true", json!(true)),
            ("yes", json!("yes")),
            ("'4'", json!("4")),
            ("!!str 4", json!("4")),
            ("2Gi", json!("2Gi")),
            ("10m", json!("10m")),
            ("1.2.3", json!("1.2.3")),
            ("s3://a/b", json!("s3://a/b")),
        ] {
            assert_eq!(json_of(&format!("a: {text}"))[0]["a"], value, "{text}");
        }
    }

    #[test]
    fn documents_lists_mappings_blocks_and_aliases() {
        assert_eq!(json_of("a: 1\n---\n---\nb: [1, {c: 2}]\n# end\n"), [json!({"a": 1}), json!({"b": [1, {"c": 2}]})]);
        assert_eq!(json_of("t: |\n  one\n  two\n"), [json!({"t": "one\ntwo\n"})]);
        assert_eq!(json_of("a: &x {b: 1}\nc: *x\n"), [json!({"a": {"b": 1}, "c": {"b": 1}})]);
    }

    #[test]
    fn every_value_knows_its_line() {
        let node = &documents("a:\n  b:\n    - 1\n    - 2\n").unwrap()[0];
        for (path, line) in [("a", 1), ("a.b", 2), ("a.b[1]", 4), ("a.nothing", 1)] {
            assert_eq!(*node.origin_of(&path.parse().unwrap()), Origin::Line(line), "{path}");
        }
    }

    #[test]
    fn mistakes_are_reported_with_their_line() {
        for (text, line, part) in [
            ("a: 1\na: 2\n", 2, "twice"),
            ("a:\n  <<: {b: 1}\n", 2, "merge keys"),
            ("a: 1\n? [x]\n: 2\n", 2, "key must be text"),
            ("a: [1\nb: 2\n", 2, ""),
        ] {
            let error = documents(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {}", error.message);
            assert!(error.message.contains(part), "{text}: {}", error.message);
        }
    }

    #[test]
    fn aliases_cannot_blow_up_a_file() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(documents(&text).unwrap_err().message.contains("more than"));
    }
}
