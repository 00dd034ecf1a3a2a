//! The options of a reader or writer: keys in any case, unknown ones ignored as in Spark.

use std::collections::BTreeMap;
use std::fmt;

use firesteel_model::Result;
use serde::{Deserialize, Serialize};

use crate::error::bad_option;

/// Options by lower-cased key.
///
/// Guarantees: `Debug` shows keys only, since values can be secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The value of an option, or of another name for it.
    pub fn get_either(&self, name: &str, alias: &str) -> Option<&str> {
        self.get(name).or_else(|| self.get(alias))
    }

    /// Sets an option.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_ascii_lowercase(), value.into());
    }

    /// `true` or `false` in any case.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(bad_option(name, text, "boolean")),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Result<Option<i64>> {
        self.get(name).map(|text| text.trim().parse().map_err(|_| bad_option(name, text, "integer"))).transpose()
    }

    /// A number between 0 and 1.
    pub fn ratio(&self, name: &str) -> Result<f64> {
        let Some(text) = self.get(name) else { return Ok(1.0) };
        let ratio: f64 = text.trim().parse().map_err(|_| bad_option(name, text, "ratio"))?;
        if ratio > 0.0 && ratio <= 1.0 { Ok(ratio) } else { Err(bad_option(name, text, "ratio")) }
    }

    /// A single character; `None` for the empty text and for the NUL character, which switch the feature off.
    pub fn character(&self, name: &str, default: Option<char>) -> Result<Option<char>> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let text = unescape(text);
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) | (Some('\0'), None) => Ok(None),
            (Some(only), None) => Ok(Some(only)),
            _ => Err(bad_option(name, &text, "character")),
        }
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut options = Self::default();
        for (key, value) in pairs {
            options.set(key.as_ref(), value);
        }
        options
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Resolves the escapes that Spark knows in separators: `\t`, `\n`, `\u0001`, `\\` ...
pub(crate) fn unescape(text: &str) -> String {
    if text.chars().count() < 2 || !text.contains('\\') {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => result.push('\t'),
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('b') => result.push('\u{8}'),
            Some('f') => result.push('\u{c}'),
            Some('u') => {
                let code: String = chars.by_ref().take(4).collect();
                match u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) {
                    Some(decoded) => result.push(decoded),
                    None => result.push_str(&format!("\\u{code}")),
                }
            }
            Some(other) => result.push(other),
            None => result.push('\\'),
        }
    }
    result
}
