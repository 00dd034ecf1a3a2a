//! [`RuntimeConf`]: the settings of one session over those of the application.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use crate::conf::{self, ConfKey, ConfKind};
use crate::error::{Result, SparkError};
use crate::error_class;

/// Settings of a session: what the user set, what the application was started with, what the table says.
///
/// Guarantees: a value that does not fit its key's type is refused when it is set, so the typed readers only fall
/// back on the default for keys that the application itself was started with wrongly.
#[derive(Debug, Default)]
pub struct RuntimeConf {
    application: BTreeMap<String, String>,
    session: RwLock<BTreeMap<String, String>>,
}

impl RuntimeConf {
    /// Settings of a new session of an application that was started with these.
    pub fn new(application: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { application: application.into_iter().collect(), session: RwLock::default() }
    }

    /// A copy that goes its own way from here.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { application: self.application.clone(), session: RwLock::new(self.read(BTreeMap::clone)) }
    }

    /// The value, or the default in the table.
    pub fn get(&self, key: &str) -> Option<String> {
        self.explicit(key).or_else(|| conf::find(key)?.default.map(str::to_owned))
    }

    /// The value somebody gave it, by `set` or when the application started.
    pub fn explicit(&self, key: &str) -> Option<String> {
        self.read(|session| session.get(key).cloned()).or_else(|| self.application.get(key).cloned())
    }

    /// The value, or the default in the table.
    ///
    /// Errors: `SQL_CONF_NOT_FOUND` where there is neither.
    pub fn require(&self, key: &str) -> Result<String> {
        self.get(key).ok_or_else(|| not_found(key))
    }

    /// The value of a key of kind `Bool`; false where it has none.
    pub fn bool(&self, key: &ConfKey) -> bool {
        self.parsed(key, parse_bool).unwrap_or(false)
    }

    /// The value of a key of kind `Int`; 0 where it has none.
    pub fn int(&self, key: &ConfKey) -> i64 {
        self.parsed(key, |text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// The value of a key of kind `Bytes`; 0 where it has none.
    pub fn bytes(&self, key: &ConfKey) -> u64 {
        self.parsed(key, parse_bytes).unwrap_or(0)
    }

    /// The value of a key of kind `Time`, in milliseconds; 0 where it has none.
    pub fn time_ms(&self, key: &ConfKey) -> u64 {
        self.parsed(key, parse_time_ms).unwrap_or(0)
    }

    /// The value of a key of kind `Text`, or empty.
    pub fn text(&self, key: &ConfKey) -> String {
        self.get(key.name).unwrap_or_default()
    }

    /// Sets a value for this session.
    ///
    /// Errors: `CANNOT_MODIFY_STATIC_CONFIG`, and `INVALID_CONF_VALUE.TYPE_MISMATCH` for what does not fit the key.
    pub fn set(&self, key: &str, value: &str) -> Result<()> {
        refuse_static(key)?;
        if let Some(row) = conf::find(key) {
            check(row, value)?;
        }
        conf::warn_if_without_effect(key, value);
        self.write(|session| session.insert(key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Forgets the session's value, so that the application's or the table's shows again.
    ///
    /// Errors: `CANNOT_MODIFY_STATIC_CONFIG`.
    pub fn unset(&self, key: &str) -> Result<()> {
        refuse_static(key)?;
        self.write(|session| session.remove(key));
        Ok(())
    }

    /// Forgets all values of the session.
    pub fn reset(&self) {
        self.write(BTreeMap::clear);
    }

    /// Every value that somebody gave, in the order of the keys.
    pub fn all(&self) -> BTreeMap<String, String> {
        let mut all = self.application.clone();
        all.extend(self.read(BTreeMap::clone));
        all
    }

    /// Whether `set` would take the key: it is in the table and not static.
    pub fn is_modifiable(&self, key: &str) -> bool {
        conf::find(key).is_some_and(|row| !row.is_static)
    }

    fn parsed<T>(&self, key: &ConfKey, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.explicit(key.name).and_then(|text| parse(&text)).or_else(|| parse(key.default?))
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<String, String>) -> T) -> T {
        read(&self.session.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        write(&mut self.session.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The error for a key without value and default.
pub fn not_found(key: &str) -> SparkError {
    SparkError::new(&error_class::SQL_CONF_NOT_FOUND).param("sqlConf", quoted(key))
}

/// `true` or `false` in any case.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A size such as `64m`, `64MB`, `1024b` or `1024`, in bytes. `-1` counts as unlimited.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    if text.starts_with('-') {
        return text.trim_end_matches('b').parse::<i64>().ok().map(|_| u64::MAX);
    }
    let (number, unit) = split_unit(&text)?;
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        "p" | "pb" | "pib" => 50,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// A duration such as `2m`, `30s`, `100ms` or, in milliseconds, `100`.
pub fn parse_time_ms(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let (number, unit) = split_unit(&text)?;
    match unit {
        "us" => Some(number / 1000),
        "" | "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" | "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => None,
    }
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

fn refuse_static(key: &str) -> Result<()> {
    match conf::find(key) {
        Some(row) if row.is_static => {
            Err(SparkError::new(&error_class::CANNOT_MODIFY_STATIC_CONFIG).param("key", quoted(key)))
        }
        _ => Ok(()),
    }
}

fn check(row: &ConfKey, value: &str) -> Result<()> {
    let (fits, kind) = match row.kind {
        ConfKind::Bool => (parse_bool(value).is_some(), "boolean"),
        ConfKind::Int => (value.trim().parse::<i64>().is_ok(), "int"),
        ConfKind::Number => (value.trim().parse::<f64>().is_ok(), "double"),
        ConfKind::Bytes => (parse_bytes(value).is_some(), "bytes"),
        ConfKind::Time => (parse_time_ms(value).is_some(), "time"),
        ConfKind::Text => (true, "string"),
    };
    if fits {
        return Ok(());
    }
    Err(SparkError::new(&error_class::INVALID_CONF_VALUE_TYPE_MISMATCH)
        .param("confValue", value)
        .param("confName", row.name)
        .param("confType", kind))
}

fn quoted(key: &str) -> String {
    format!("\"{key}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn session_over_application_over_table() {
        let conf = RuntimeConf::new([("spark.sql.shuffle.partitions".to_owned(), "7".to_owned())]);
        assert_eq!(conf.int(&conf::SHUFFLE_PARTITIONS), 7);
        conf.set("spark.sql.shuffle.partitions", "9").unwrap();
        let fork = conf.fork();
        conf.unset("spark.sql.shuffle.partitions").unwrap();
        assert_eq!((conf.int(&conf::SHUFFLE_PARTITIONS), fork.int(&conf::SHUFFLE_PARTITIONS)), (7, 9));
        assert_eq!(conf.require("spark.sql.ansi.enabled").unwrap(), "true");
        assert_eq!(conf.require("spark.nothing").unwrap_err().class().name, "SQL_CONF_NOT_FOUND");
    }

    #[test]
    fn static_and_mistyped_values_are_refused() {
        let conf = RuntimeConf::default();
        let class = |result: Result<()>| result.unwrap_err().class().name;
        assert_eq!(class(conf.set("spark.sql.warehouse.dir", "x")), "CANNOT_MODIFY_STATIC_CONFIG");
        assert_eq!(class(conf.set("spark.sql.ansi.enabled", "maybe")), "INVALID_CONF_VALUE.TYPE_MISMATCH");
        assert_eq!(class(conf.set("spark.sql.shuffle.partitions", "many")), "INVALID_CONF_VALUE.TYPE_MISMATCH");
        assert!(conf.set("my.own.key", "anything").is_ok());
        assert!(conf.is_modifiable("spark.sql.ansi.enabled") && !conf.is_modifiable("my.own.key"));
    }

    #[test]
    fn sizes_and_durations() {
        let sizes = [("64m", 64 << 20), ("64MB", 64 << 20), ("123", 123), ("10485760b", 10 << 20), ("1g", 1 << 30)];
        for (text, bytes) in sizes {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for (text, ms) in [("2m", 120_000), ("30s", 30_000), ("100ms", 100), ("60min", 3_600_000)] {
            assert_eq!(parse_time_ms(text), Some(ms), "{text}");
        }
        assert_eq!((parse_bytes("x"), parse_time_ms("1y")), (None, None));
    }

    #[test]
    fn every_default_fits_its_kind_and_every_key_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for row in conf::ALL {
            assert!(seen.insert(row.name), "{} stands twice", row.name);
            if let Some(default) = row.default {
                assert!(check(row, default).is_ok(), "{}", row.name);
            }
        }
    }
}
