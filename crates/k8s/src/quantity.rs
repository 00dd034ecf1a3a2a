//! Amounts of processor and memory, in the notation of Kubernetes.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// What the Kubernetes API accepts as a [`Cpu`] in text form.
pub(crate) const CPU_PATTERN: &str =
    r"^([1-9][0-9]{0,6}m|[1-9][0-9]{0,3}(\.[0-9]{1,3})?|0\.([1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))$";

/// What the Kubernetes API accepts as a [`Memory`].
pub(crate) const MEMORY_PATTERN: &str = r"^[1-9][0-9]{0,6}(\.[0-9]{1,3})?(Mi|Gi|Ti|M|G|T)$";

/// Processor time: `4` or `"2.5"` cores, or `500m` for half a core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cpu(pub String);

/// Bytes of memory: `512Mi`, `16Gi`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(pub String);

/// Text that is no amount.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No amount of processor time.
    #[error("\"{0}\" is no amount of processor time; write for example 4, \"0.5\" or 500m")]
    Cpu(String),
    /// No amount of memory.
    #[error("\"{0}\" is no amount of memory; write for example 512Mi or 16Gi")]
    Memory(String),
}

impl Cpu {
    /// Thousandths of a core.
    ///
    /// Errors: the text is no amount, which the schema and [`crate::validate`] refuse beforehand.
    pub fn millis(&self) -> Result<u64, QuantityError> {
        let fail = || QuantityError::Cpu(self.0.clone());
        let millis = match self.0.strip_suffix('m') {
            Some(number) => number.parse().ok(),
            None => thousandths(&self.0),
        };
        millis.filter(|millis| *millis > 0).ok_or_else(fail)
    }

    /// Whole cores, at least one: the number of tasks that run side by side.
    pub fn cores(&self) -> Result<u64, QuantityError> {
        Ok((self.millis()? / 1000).max(1))
    }
}

impl Memory {
    /// Bytes.
    ///
    /// Errors: the text is no amount, which the schema and [`crate::validate`] refuse beforehand.
    pub fn bytes(&self) -> Result<u64, QuantityError> {
        const UNITS: [(&str, u64); 6] = [
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("Ti", 1 << 40),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
            ("T", 1_000_000_000_000),
        ];
        let fail = || QuantityError::Memory(self.0.clone());
        let (number, unit) =
            UNITS.into_iter().find_map(|(name, unit)| Some((self.0.strip_suffix(name)?, unit))).ok_or_else(fail)?;
        let thousandths = u128::from(thousandths(number).filter(|number| *number > 0).ok_or_else(fail)?);
        u64::try_from(thousandths * u128::from(unit) / 1000).map_err(|_| fail())
    }
}

/// A decimal number of at most three decimals, times 1,000.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let scale = 10_u64.pow(3 - u32::try_from(fraction.len()).ok()?);
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(fraction.parse::<u64>().ok()? * scale)
}

impl<'de> Deserialize<'de> for Cpu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number of cores or text such as 500m")]
        enum Written {
            Whole(u32),
            Text(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Whole(cores) => Self(cores.to_string()),
            Written::Text(text) => Self(text),
        })
    }
}

impl From<&str> for Cpu {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&str> for Memory {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Cpu {
    fn schema_name() -> Cow<'static, str> {
        "Cpu".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": CPU_PATTERN,
            "maxLength": 16,
            "minimum": 1,
        })
    }
}

impl JsonSchema for Memory {
    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": MEMORY_PATTERN, "maxLength": 24 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_processor_time() {
        for (text, millis) in [("4", 4000), ("500m", 500), ("0.5", 500), ("2.25", 2250), ("0.001", 1), ("1500m", 1500)]
        {
            assert_eq!(Cpu::from(text).millis(), Ok(millis), "{text}");
        }
        assert_eq!(Cpu::from("500m").cores(), Ok(1));
        assert_eq!(Cpu::from("3900m").cores(), Ok(3));
    }

    #[test]
    fn amounts_of_memory() {
        for (text, bytes) in [("512Mi", 512 << 20), ("16Gi", 16 << 30), ("1.5Gi", 3 << 29), ("2G", 2_000_000_000)] {
            assert_eq!(Memory::from(text).bytes(), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn code_and_schema_refuse_the_same_text() {
        let cpu = regex::Regex::new(CPU_PATTERN).unwrap();
        for text in ["", "0", "0.0", "0m", "four", "1.0000", "-1", "1 ", "m", ".5"] {
            assert!(Cpu::from(text).millis().is_err(), "{text}");
            assert!(!cpu.is_match(text), "{text}");
        }
        let memory = regex::Regex::new(MEMORY_PATTERN).unwrap();
        for text in ["", "2", "2g", "2gb", "0Gi", "Gi", "2 Gi", "-2Gi", "2Ki"] {
            assert!(Memory::from(text).bytes().is_err(), "{text}");
            assert!(!memory.is_match(text), "{text}");
        }
    }

    #[test]
    fn a_bare_number_of_cores_is_read_as_text() {
        assert_eq!(serde_json::from_str::<Cpu>("4").unwrap(), Cpu::from("4"));
        assert!(serde_json::from_str::<Cpu>("0.5").is_err());
    }
}
