//! `--set spec.executor.count=4`: values laid over a manifest before it is read.

use std::str::FromStr;

use serde_json::Value;

use super::tree::{self, Content, Entry, Node, Origin};
use crate::field::{FieldPath, FieldPathError, Segment};

/// One value and the field it goes to.
///
/// `executor.count` is short for `spec.executor.count`. After `conf` everything is one key, so that
/// `conf.spark.sql.ansi.enabled=false` needs no quotation marks. A value is read as YAML: `4`, `true`, `[a, b]`; `null`
/// takes the field away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// As given.
    text: String,
    path: FieldPath,
    value: String,
}

/// An override that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OverrideError {
    /// There is no equals sign in it.
    #[error("--set {0}: write it as field=value, for example executor.count=4")]
    NoValue(String),
    /// The part before the equals sign is no path.
    #[error("--set {text}: {source}")]
    Path {
        /// As given.
        text: String,
        /// What is wrong.
        source: FieldPathError,
    },
    /// The part after the equals sign is no YAML.
    #[error("--set {text}: {message}")]
    Value {
        /// As given.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// The way to the field leads through something that holds no fields.
    #[error("--set {text}: {path} is no {expected}")]
    Blocked {
        /// As given.
        text: String,
        /// Where the way ends.
        path: FieldPath,
        /// What would be needed there.
        expected: &'static str,
    },
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let (field, value) = text.split_once('=').ok_or_else(|| OverrideError::NoValue(text.to_owned()))?;
        let field = field.trim();
        let parse = |part: &str| {
            part.parse::<FieldPath>().map_err(|source| OverrideError::Path { text: text.to_owned(), source })
        };
        let spec = FieldPath::default().key("spec");
        let conf_key = field.strip_prefix("spec.conf.").or_else(|| field.strip_prefix("conf."));
        let path = match conf_key {
            Some(key) if !key.is_empty() => spec.key("conf").key(key.trim_matches('"')),
            _ => {
                let path = parse(field)?;
                let whole = matches!(&path.0[0], Segment::Key(first) if first == "spec" || first == "metadata");
                if whole { path } else { spec.join(&path) }
            }
        };
        Ok(Self { text: text.to_owned(), path, value: value.to_owned() })
    }
}

impl Override {
    /// Puts the value into a document, making the mappings that lead to it.
    pub(crate) fn apply(&self, document: &mut Node) -> Result<(), OverrideError> {
        if self.value == "null" {
            remove(document, &self.path.0);
            return Ok(());
        }
        let value = self.node()?;
        let mut node = document;
        for (depth, segment) in self.path.0.iter().enumerate() {
            let blocked = |expected| OverrideError::Blocked {
                text: self.text.clone(),
                path: FieldPath(self.path.0[..depth].to_vec()),
                expected,
            };
            if node.is_null() {
                node.content = Content::Map(Vec::new());
            }
            node = match (segment, &mut node.content) {
                (Segment::Key(name), Content::Map(entries)) => entry(entries, name, &self.origin()),
                (Segment::Index(index), Content::List(items)) => {
                    items.get_mut(*index).ok_or_else(|| blocked("list of that length"))?
                }
                (Segment::Key(_), _) => return Err(blocked("mapping")),
                (Segment::Index(_), _) => return Err(blocked("list")),
            };
        }
        *node = value;
        Ok(())
    }

    fn origin(&self) -> Origin {
        Origin::Override(self.text.clone())
    }

    fn node(&self) -> Result<Node, OverrideError> {
        let is_conf = matches!(&self.path.0[..], [_, Segment::Key(field), _] if field == "conf");
        let text = || Content::Scalar(Value::String(self.value.clone()));
        let content = if is_conf {
            text()
        } else {
            let mut documents = tree::documents(&self.value)
                .map_err(|error| OverrideError::Value { text: self.text.clone(), message: error.message })?;
            match documents.pop() {
                Some(node) => node.content,
                None => text(),
            }
        };
        let mut node = Node { origin: self.origin(), content };
        stamp(&mut node, &self.origin());
        Ok(node)
    }
}

fn remove(node: &mut Node, path: &[Segment]) {
    let (Content::Map(entries), [Segment::Key(name), rest @ ..]) = (&mut node.content, path) else { return };
    if rest.is_empty() {
        entries.retain(|entry| entry.key != *name);
    } else if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *name) {
        remove(&mut entry.value, rest);
    }
}

/// The value of a field, which is made if it is not there.
fn entry<'a>(entries: &'a mut Vec<Entry>, name: &str, origin: &Origin) -> &'a mut Node {
    let place = entries.iter().position(|entry| entry.key == name).unwrap_or_else(|| {
        let value = Node { origin: origin.clone(), content: Content::Scalar(Value::Null) };
        entries.push(Entry { key: name.to_owned(), origin: origin.clone(), value });
        entries.len() - 1
    });
    entries[place].origin = origin.clone();
    &mut entries[place].value
}

/// Marks a value and everything in it as coming from the override.
fn stamp(node: &mut Node, origin: &Origin) {
    node.origin = origin.clone();
    match &mut node.content {
        Content::Scalar(_) => {}
        Content::List(items) => items.iter_mut().for_each(|item| stamp(item, origin)),
        Content::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.origin = origin.clone();
            stamp(&mut entry.value, origin);
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(document: &str, overrides: &[&str]) -> Result<Value, OverrideError> {
        let mut node = tree::documents(document).unwrap().remove(0);
        for text in overrides {
            text.parse::<Override>()?.apply(&mut node)?;
        }
        Ok(node.to_json())
    }

    #[test]
    fn values_replace_and_make_fields() {
        let document = "spec: {executor: {count: 1}, args: [a, b]}";
        for (text, expected) in [
            ("spec.executor.count=4", json!({"executor": {"count": 4}, "args": ["a", "b"]})),
            ("executor.count=4", json!({"executor": {"count": 4}, "args": ["a", "b"]})),
            ("executor.memory=2Gi", json!({"executor": {"count": 1, "memory": "2Gi"}, "args": ["a", "b"]})),
            ("args[1]=c", json!({"executor": {"count": 1}, "args": ["a", "c"]})),
            ("args=[x]", json!({"executor": {"count": 1}, "args": ["x"]})),
            ("image=", json!({"executor": {"count": 1}, "args": ["a", "b"], "image": ""})),
            ("executor.elastic={max: 3}", json!({"executor": {"count": 1, "elastic": {"max": 3}}, "args": ["a", "b"]})),
            ("executor.count=null", json!({"executor": {}, "args": ["a", "b"]})),
            ("image=a=b", json!({"executor": {"count": 1}, "args": ["a", "b"], "image": "a=b"})),
        ] {
            assert_eq!(applied(document, &[text]).unwrap()["spec"], expected, "{text}");
        }
    }

    #[test]
    fn configuration_keys_need_no_quotation_marks_and_their_values_are_text() {
        for text in ["conf.spark.a.b=8", "spec.conf.spark.a.b=8", "spec.conf.\"spark.a.b\"=8"] {
            assert_eq!(applied("kind: x", &[text]).unwrap()["spec"], json!({"conf": {"spark.a.b": "8"}}), "{text}");
        }
    }

    #[test]
    fn metadata_can_be_set_too() {
        assert_eq!(applied("kind: x", &["metadata.name=y"]).unwrap()["metadata"], json!({"name": "y"}));
    }

    #[test]
    fn overrides_that_fit_nothing_are_refused() {
        for (text, message) in [
            ("executor.count", "--set executor.count: write it as field=value, for example executor.count=4"),
            ("executor..count=1", "--set executor..count=1: an empty name between dots"),
            ("args.x=1", "--set args.x=1: spec.args is no mapping"),
            ("args[5]=1", "--set args[5]=1: spec.args is no list of that length"),
            ("main[0]=1", "--set main[0]=1: spec.main is no list"),
        ] {
            assert_eq!(applied("spec: {args: [], main: {}}", &[text]).unwrap_err().to_string(), message, "{text}");
        }
        assert!(applied("spec: {}", &["args=[1"]).unwrap_err().to_string().starts_with("--set args=[1: "));
    }
}
