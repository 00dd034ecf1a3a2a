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
    "input_file_name" "the file that a row is from";
    "input_file_block_start" "the file that a row is from";
    "input_file_block_length" "the file that a row is from";
    "java_method" "methods of Java classes, without a JVM";
    "reflect" "methods of Java classes, without a JVM";
    "try_reflect" "methods of Java classes, without a JVM";
    "st_asbinary" "the types GEOMETRY and GEOGRAPHY";
    "st_geogfromwkb" "the types GEOMETRY and GEOGRAPHY";
    "st_geomfromwkb" "the types GEOMETRY and GEOGRAPHY";
    "st_setsrid" "the types GEOMETRY and GEOGRAPHY";
    "st_srid" "the types GEOMETRY and GEOGRAPHY";
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
