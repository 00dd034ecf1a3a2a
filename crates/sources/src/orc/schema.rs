//! Columns as ORC's types and back.

use arrow::datatypes::{DataType as Arrow, Field, SchemaRef, TimeUnit};
use firesteel_model::{Result, SparkError};
use firesteel_spec::{DataType, StructField};
use prost::Message;

use super::wire::{Attribute, Footer, Kind, PostScript, Type};

/// Attribute of a type: what Spark calls it, where the type alone does not tell.
const SPARK_TYPE: &str = "spark.sql.catalyst.type";
const WITHOUT_ZONE: &str = "timestamp_ntz";

/// The types of a file of these columns: the root first, each before those inside it.
///
/// Errors: a type that ORC files do not hold.
pub(super) fn types_of(schema: &SchemaRef) -> Result<Vec<Type>> {
    let mut types = vec![Type::default()];
    let subtypes = schema.fields().iter().map(|field| add(field, &mut types)).collect::<Result<Vec<_>>>()?;
    let field_names = schema.fields().iter().map(|field| field.name().clone()).collect();
    types[0] = Type { subtypes, field_names, ..plain(Kind::Struct) };
    Ok(types)
}

fn plain(kind: Kind) -> Type {
    Type { kind: Some(kind.into()), ..Type::default() }
}

/// Adds the type of a column and gives its number.
fn add(field: &Field, types: &mut Vec<Type>) -> Result<u32> {
    let id = types.len();
    types.push(Type::default());
    let own = match field.data_type() {
        Arrow::Boolean => plain(Kind::Boolean),
        Arrow::Int8 => plain(Kind::Byte),
        Arrow::Int16 => plain(Kind::Short),
        Arrow::Int32 => plain(Kind::Int),
        Arrow::Int64 => plain(Kind::Long),
        Arrow::Float32 => plain(Kind::Float),
        Arrow::Float64 => plain(Kind::Double),
        Arrow::Utf8 => plain(Kind::String),
        Arrow::Binary => plain(Kind::Binary),
        Arrow::Date32 => plain(Kind::Date),
        Arrow::Decimal128(precision, scale) => {
            let scale = u32::try_from(*scale).map_err(|_| unsupported(field))?;
            Type { precision: Some(u32::from(*precision)), scale: Some(scale), ..plain(Kind::Decimal) }
        }
        Arrow::Timestamp(TimeUnit::Microsecond, Some(_)) => plain(Kind::TimestampInstant),
        Arrow::Timestamp(TimeUnit::Microsecond, None) => {
            let attribute = Attribute { key: SPARK_TYPE.to_owned(), value: WITHOUT_ZONE.to_owned() };
            Type { attributes: vec![attribute], ..plain(Kind::Timestamp) }
        }
        Arrow::List(element) => Type { subtypes: vec![add(element, types)?], ..plain(Kind::List) },
        Arrow::Map(entries, _) => match entries.data_type() {
            Arrow::Struct(entry) => {
                let subtypes = entry.iter().map(|part| add(part, types)).collect::<Result<_>>()?;
                Type { subtypes, ..plain(Kind::Map) }
            }
            _ => return Err(unsupported(field)),
        },
        Arrow::Struct(fields) => {
            let subtypes = fields.iter().map(|part| add(part, types)).collect::<Result<_>>()?;
            let field_names = fields.iter().map(|part| part.name().clone()).collect();
            Type { subtypes, field_names, ..plain(Kind::Struct) }
        }
        _ => return Err(unsupported(field)),
    };
    types[id] = own;
    u32::try_from(id).map_err(|_| unsupported(field))
}

fn unsupported(field: &Field) -> SparkError {
    SparkError::unsupported(format!("writing {} to ORC files", field.data_type()))
}

/// The types in the tail of a file: its last bytes, from the footer on. `None` if they are more, or broken; `plain`
/// makes bytes of the footer what they were before compression.
pub(crate) fn types_of_tail(tail: &[u8], plain: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<Type>> {
    let (length, rest) = tail.split_last()?;
    let (rest, postscript) = rest.split_at_checked(rest.len().checked_sub(usize::from(*length))?)?;
    let postscript = PostScript::decode(postscript).ok()?;
    let start = rest.len().checked_sub(usize::try_from(postscript.footer_length).ok()?)?;
    Footer::decode(plain(&rest[start..])?.as_slice()).ok().map(|footer| footer.types)
}

/// The columns of a file of these types, as Spark sees them; `None` where Spark has no type for one.
pub(crate) fn fields(types: &[Type]) -> Option<Vec<StructField>> {
    match spark_type(types, 0)? {
        DataType::Struct(fields) => Some(fields),
        other => Some(vec![StructField::new("value", other, true)]),
    }
}

fn spark_type(types: &[Type], id: u32) -> Option<DataType> {
    let own = types.get(usize::try_from(id).ok()?)?;
    // Parts come after the whole, so this ends.
    let part =
        |index: usize| own.subtypes.get(index).filter(|part| **part > id).and_then(|part| spark_type(types, *part));
    Some(match Kind::try_from(own.kind?).ok()? {
        Kind::Boolean => DataType::Boolean,
        Kind::Byte => DataType::Byte,
        Kind::Short => DataType::Short,
        Kind::Int => DataType::Integer,
        Kind::Long => DataType::Long,
        Kind::Float => DataType::Float,
        Kind::Double => DataType::Double,
        Kind::String | Kind::Varchar | Kind::Char => DataType::STRING,
        Kind::Binary => DataType::Binary,
        Kind::Date => DataType::Date,
        Kind::Decimal => {
            DataType::Decimal(u8::try_from(own.precision?).ok()?, i8::try_from(own.scale.unwrap_or(0)).ok()?)
        }
        // Spark keeps instants in ORC's plain timestamps, unless it says otherwise.
        Kind::Timestamp if own.attributes.iter().any(|a| a.key == SPARK_TYPE && a.value == WITHOUT_ZONE) => {
            DataType::TimestampNtz
        }
        Kind::Timestamp | Kind::TimestampInstant => DataType::Timestamp,
        Kind::List => DataType::array(part(0)?),
        Kind::Map => DataType::map(part(0)?, part(1)?),
        Kind::Struct => {
            let field = |(index, name): (usize, &String)| Some(StructField::new(name, part(index)?, true));
            DataType::Struct(own.field_names.iter().enumerate().map(field).collect::<Option<_>>()?)
        }
        Kind::Union => return None,
    })
}
