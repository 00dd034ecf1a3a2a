//! Functions of Spark that are known and not supported: they answer by name.

use firesteel_model::SparkError;

use super::rows::definitions;
use crate::registry::ANY;

macro_rules! refused {
    ($($name:literal $why:literal;)*) => {
        definitions! {
            $($name (0, ANY), Scalar(|_, _| Err(SparkError::unsupported(concat!($name, "(): ", $why)))), $why;)*
        }
    };
}

refused! {
    "from_avro" "Avro inside a column";
    "to_avro" "Avro inside a column";
    "schema_of_avro" "Avro inside a column";
    "from_protobuf" "Protobuf inside a column";
    "to_protobuf" "Protobuf inside a column";
}

/// Whether the function is known and not supported.
pub(crate) fn is_refused(name: &str) -> bool {
    TABLE.iter().any(|definition| definition.name == name)
}
