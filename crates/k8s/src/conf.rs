//! Spark configuration in a manifest, and the keys that stay with the engine.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::rules;

/// `spark.*` keys and their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Conf(pub BTreeMap<String, String>);

impl Conf {
    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Conf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "text or a whole number")]
        enum Written {
            Number(i64),
            Text(String),
        }
        let written = BTreeMap::<String, Written>::deserialize(deserializer)?;
        let text = |value| match value {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        Ok(Self(written.into_iter().map(|(key, value)| (key, text(value))).collect()))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Conf {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }
}

impl JsonSchema for Conf {
    fn schema_name() -> Cow<'static, str> {
        "Conf".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "maxProperties": 256,
            "additionalProperties": { "x-kubernetes-int-or-string": true, "maxLength": 4096 },
            "x-kubernetes-validations": rules::cel_of_conf(),
        })
    }
}
