//! VARIANT: Spark's binary format of values whose type is known only at run time.
//!
//! ```text
//!   metadata: the names of all fields, once        value: a header byte, then what it says
//!   write: JSON text or Spark's values --> Builder --> (value, metadata)
//!   read:  Value --> its kind, parts of it, JSON text, its schema, columns of Spark's types
//! ```

mod build;
mod extract;
mod read;
mod schema;
mod text;

pub(crate) use build::Builder;
pub(crate) use extract::column;
pub(crate) use read::{Kind, Value, variants};
pub(crate) use schema::{VariantType, merged};

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType as Arrow;
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use crate::errors::from_arrow;

/// A VARIANT column of `(value, metadata)` pairs.
pub(crate) fn array<V: AsRef<[u8]>>(values: impl Iterator<Item = Option<(V, V)>>) -> Result<ArrayRef> {
    let (mut value, mut metadata, mut valid) = (BinaryBuilder::new(), BinaryBuilder::new(), Vec::new());
    for pair in values {
        valid.push(pair.is_some());
        match pair {
            Some((v, m)) => {
                value.append_value(v);
                metadata.append_value(m);
            }
            None => {
                value.append_value([]);
                metadata.append_value([]);
            }
        }
    }
    let Arrow::Struct(fields) = to_arrow(&DataType::Variant) else {
        return Err(SparkError::internal("a VARIANT is no struct"));
    };
    let columns: Vec<ArrayRef> = vec![Arc::new(value.finish()), Arc::new(metadata.finish())];
    Ok(Arc::new(StructArray::try_new(fields, columns, Some(NullBuffer::from(valid))).map_err(from_arrow)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(json: &str) -> (Vec<u8>, Vec<u8>) {
        let mut builder = Builder::default();
        assert!(builder.json(json, false).unwrap(), "{json}");
        builder.finish()
    }

    #[test]
    fn json_comes_back() {
        let cases = [
            (
                r#"{"b":1,"a":[true,null,"x\n"]}"#,
                r#"{"a":[true,null,"x\n"],"b":1}"#,
                "OBJECT<a: ARRAY<VARIANT>, b: BIGINT>",
            ),
            ("0.80", "0.8", "DECIMAL(1,1)"),
            ("-128", "-128", "BIGINT"),
            ("12345678901234567890", "12345678901234567890", "DECIMAL(20,0)"),
            ("1e3", "1000.0", "DOUBLE"),
            ("[]", "[]", "ARRAY<VOID>"),
            ("\"\"", "\"\"", "STRING"),
            ("null", "null", "VOID"),
        ];
        for (json, shown, schema) in cases {
            let (value, metadata) = parsed(json);
            let variant = Value::new(&value, &metadata);
            let mut out = String::new();
            variant.write_json(&mut out, &crate::datetime::Zone::utc()).unwrap();
            assert_eq!(out, shown);
            assert_eq!(VariantType::of(variant).unwrap().sql(), schema, "{json}");
        }
        for wrong in ["{", "{\"a\":1}}", "", "nul"] {
            assert!(!Builder::default().json(wrong, false).unwrap(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_as_spark_has_them() {
        let (value, metadata) = parsed(r#"{"a":1}"#);
        assert_eq!(metadata, [1, 1, 0, 1, b'a']);
        assert_eq!(value, [2, 1, 0, 0, 2, 12, 1]);
    }

    #[test]
    fn broken_bytes_are_errors() {
        for (value, metadata) in [(&[][..], &[1, 0, 0][..]), (&[2, 1], &[1, 0, 0]), (&[20, 1], &[1, 0, 0])] {
            let mut out = String::new();
            let written = Value::new(value, metadata).write_json(&mut out, &crate::datetime::Zone::utc());
            assert_eq!(written.unwrap_err().class().name, "MALFORMED_VARIANT");
        }
    }
}
