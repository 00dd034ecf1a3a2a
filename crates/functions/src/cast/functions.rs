//! Casts under the names of their types: `int(x)`, `date(x)`, `string(x)`.

use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::expr::CastMode;

use super::cast;
use crate::call::{FunctionContext, Typed};
use crate::registry::{Build, Definition};

macro_rules! casts {
    ($($name:literal => $target:expr;)*) => {
        /// The casts of this file.
        pub(crate) static TABLE: &[Definition] = &[$(
            Definition {
                name: $name,
                arity: (1, 1),
                build: Build::Scalar(|ctx, arguments| to(ctx, arguments, $target)),
                doc: concat!("the value as ", $name),
            }
        ),*];
    };
}

casts! {
    "boolean" => DataType::Boolean;
    "tinyint" => DataType::Byte;
    "smallint" => DataType::Short;
    "int" => DataType::Integer;
    "bigint" => DataType::Long;
    "float" => DataType::Float;
    "double" => DataType::Double;
    "decimal" => DataType::Decimal(10, 0);
    "date" => DataType::Date;
    "timestamp" => DataType::Timestamp;
    "time" => DataType::Time(6);
    "binary" => DataType::Binary;
    "string" => DataType::STRING;
}

fn to(ctx: &FunctionContext, arguments: Vec<Typed>, target: DataType) -> Result<Typed> {
    let Some(value) = arguments.into_iter().next() else { return Err(SparkError::internal("a cast of nothing")) };
    let target = if target == DataType::Timestamp && ctx.timestamp_is_ntz { DataType::TimestampNtz } else { target };
    // Spark names the column after the argument.
    let sql = value.sql.clone();
    Ok(Typed { sql, ..cast(ctx, value, &target, CastMode::Session)? })
}
