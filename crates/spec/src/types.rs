//! Spark's data types, with the names they print under.

use serde_json::{Map, Value, json};

use crate::spatial;

/// The hidden column of tables of files: what is known of the file that a row is from.
pub const FILE_METADATA: &str = "_metadata";
/// Metadata of a STRING column that its table declares as CHAR or VARCHAR: that type.
pub const DECLARED_TYPE: &str = "__CHAR_VARCHAR_TYPE_STRING";
/// Metadata of a column: its default, as SQL.
pub const CURRENT_DEFAULT: &str = "CURRENT_DEFAULT";
/// Metadata of a column: the default it was added with, as SQL.
pub const EXISTS_DEFAULT: &str = "EXISTS_DEFAULT";
/// Metadata of a column: the value of that default, as text; files written before have it.
pub const EXISTING_VALUE: &str = "firesteel.existingValue";

/// A Spark SQL data type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// The type of a bare NULL.
    Null,
    /// BOOLEAN
    Boolean,
    /// TINYINT
    Byte,
    /// SMALLINT
    Short,
    /// INT
    Integer,
    /// BIGINT
    Long,
    /// FLOAT
    Float,
    /// DOUBLE
    Double,
    /// DECIMAL(precision, scale)
    Decimal(u8, i8),
    /// STRING, with the collation's name where it is not UTF8_BINARY
    String(Option<String>),
    /// CHAR(n)
    Char(u32),
    /// VARCHAR(n)
    Varchar(u32),
    /// BINARY
    Binary,
    /// DATE
    Date,
    /// TIME(precision)
    Time(u8),
    /// TIMESTAMP: an instant, shown in the session's time zone
    Timestamp,
    /// TIMESTAMP_NTZ: a wall clock without zone
    TimestampNtz,
    /// INTERVAL YEAR TO MONTH
    YearMonthInterval(YearMonthField, YearMonthField),
    /// INTERVAL DAY TO SECOND
    DayTimeInterval(DayTimeField, DayTimeField),
    /// INTERVAL: months, days and microseconds
    CalendarInterval,
    /// ARRAY<element>
    Array(Box<DataType>, bool),
    /// MAP<key, value>, and whether values may be null
    Map(Box<DataType>, Box<DataType>, bool),
    /// STRUCT<fields>
    Struct(Vec<StructField>),
    /// VARIANT
    Variant,
    /// GEOMETRY(srid): shapes in a plane; `None` is ANY, where each value has an SRID of its own
    Geometry(Option<i32>),
    /// GEOGRAPHY(srid): shapes on a globe; `None` as for GEOMETRY
    Geography(Option<i32>),
    /// A user-defined type: Python class and the type that stores it
    Udt(Box<UserDefinedType>),
}

/// What Spark keeps of a user-defined type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserDefinedType {
    /// JVM class, if any.
    pub jvm_class: Option<String>,
    /// Python class, if any.
    pub python_class: Option<String>,
    /// The pickled Python class, if any.
    pub serialized_python_class: Option<String>,
    /// The type that stores it.
    pub sql_type: DataType,
}

/// The fields of a year-month interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum YearMonthField {
    /// YEAR
    Year = 0,
    /// MONTH
    Month = 1,
}

/// The fields of a day-time interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayTimeField {
    /// DAY
    Day = 0,
    /// HOUR
    Hour = 1,
    /// MINUTE
    Minute = 2,
    /// SECOND
    Second = 3,
}

/// A column of a struct or of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructField {
    /// As the user wrote it.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// JSON text of Spark's column metadata; `None` when empty.
    pub metadata: Option<String>,
}

impl StructField {
    /// A field without metadata.
    pub fn new(name: impl Into<String>, data_type: DataType, nullable: bool) -> Self {
        Self { name: name.into(), data_type, nullable, metadata: None }
    }

    /// The comment in its metadata.
    pub fn comment(&self) -> Option<String> {
        self.text("comment")
    }

    /// A text in its metadata.
    pub fn text(&self, key: &str) -> Option<String> {
        let metadata: Value = serde_json::from_str(self.metadata.as_deref()?).ok()?;
        Some(metadata.get(key)?.as_str()?.to_owned())
    }

    /// The same field with a text in its metadata, or without it.
    #[must_use]
    pub fn with_text(self, key: &str, text: Option<&str>) -> Self {
        let known = self.metadata.as_deref().and_then(|metadata| serde_json::from_str(metadata).ok());
        let mut metadata: Map<String, Value> = known.unwrap_or_default();
        match text {
            Some(text) => metadata.insert(key.to_owned(), text.into()),
            None => metadata.remove(key),
        };
        Self { metadata: (!metadata.is_empty()).then(|| Value::Object(metadata).to_string()), ..self }
    }

    /// The CHAR or VARCHAR that its table declares a STRING column as.
    pub fn declared_type(&self) -> Option<DataType> {
        let declared = DataType::parse_json(&Value::String(self.text(DECLARED_TYPE)?).to_string()).ok()?;
        matches!(declared, DataType::Char(_) | DataType::Varchar(_)).then_some(declared)
    }
}

impl DataType {
    /// STRING with the default collation.
    pub const STRING: Self = Self::String(None);

    /// An array whose elements may be null.
    pub fn array(element: Self) -> Self {
        Self::Array(Box::new(element), true)
    }

    /// A map whose values may be null.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key), Box::new(value), true)
    }

    /// BYTE to DECIMAL.
    pub fn is_numeric(&self) -> bool {
        self.is_integral() || matches!(self, Self::Float | Self::Double | Self::Decimal(..))
    }

    /// BYTE to LONG.
    pub fn is_integral(&self) -> bool {
        matches!(self, Self::Byte | Self::Short | Self::Integer | Self::Long)
    }

    /// STRING, CHAR or VARCHAR.
    pub fn is_string(&self) -> bool {
        matches!(self, Self::String(_) | Self::Char(_) | Self::Varchar(_))
    }

    /// DATE or a timestamp.
    pub fn is_datetime(&self) -> bool {
        matches!(self, Self::Date | Self::Timestamp | Self::TimestampNtz)
    }

    /// What `simpleString` gives: `int`, `array<string>`, `struct<a:int>`.
    pub fn simple_string(&self) -> String {
        match self {
            Self::Array(element, _) => format!("array<{}>", element.simple_string()),
            Self::Map(key, value, _) => format!("map<{},{}>", key.simple_string(), value.simple_string()),
            Self::Struct(fields) => {
                let fields: Vec<_> =
                    fields.iter().map(|f| format!("{}:{}", f.name, f.data_type.simple_string())).collect();
                format!("struct<{}>", fields.join(","))
            }
            Self::Udt(udt) => udt.sql_type.simple_string(),
            Self::Integer => "int".to_owned(),
            Self::Long => "bigint".to_owned(),
            Self::Short => "smallint".to_owned(),
            Self::Byte => "tinyint".to_owned(),
            Self::Null => "void".to_owned(),
            other => other.sql().to_lowercase(),
        }
    }

    /// What messages and DDL call it: `INT`, `ARRAY<STRING>`, `STRUCT<a: INT NOT NULL>`.
    pub fn sql(&self) -> String {
        match self {
            Self::Null => "VOID".to_owned(),
            Self::Boolean => "BOOLEAN".to_owned(),
            Self::Byte => "TINYINT".to_owned(),
            Self::Short => "SMALLINT".to_owned(),
            Self::Integer => "INT".to_owned(),
            Self::Long => "BIGINT".to_owned(),
            Self::Float => "FLOAT".to_owned(),
            Self::Double => "DOUBLE".to_owned(),
            Self::Decimal(precision, scale) => format!("DECIMAL({precision},{scale})"),
            Self::String(None) => "STRING".to_owned(),
            Self::String(Some(collation)) => format!("STRING COLLATE {collation}"),
            Self::Char(length) => format!("CHAR({length})"),
            Self::Varchar(length) => format!("VARCHAR({length})"),
            Self::Binary => "BINARY".to_owned(),
            Self::Date => "DATE".to_owned(),
            Self::Time(precision) => format!("TIME({precision})"),
            Self::Timestamp => "TIMESTAMP".to_owned(),
            Self::TimestampNtz => "TIMESTAMP_NTZ".to_owned(),
            Self::YearMonthInterval(start, end) => interval_name(&["YEAR", "MONTH"], *start as usize, *end as usize),
            Self::DayTimeInterval(start, end) => {
                interval_name(&["DAY", "HOUR", "MINUTE", "SECOND"], *start as usize, *end as usize)
            }
            Self::CalendarInterval => "INTERVAL".to_owned(),
            Self::Array(element, _) => format!("ARRAY<{}>", element.sql()),
            Self::Map(key, value, _) => format!("MAP<{}, {}>", key.sql(), value.sql()),
            Self::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(field_sql).collect();
                format!("STRUCT<{}>", fields.join(", "))
            }
            Self::Variant => "VARIANT".to_owned(),
            Self::Geometry(srid) => format!("GEOMETRY({})", spatial::argument(*srid)),
            Self::Geography(srid) => format!("GEOGRAPHY({})", spatial::argument(*srid)),
            Self::Udt(udt) => udt.sql_type.sql(),
        }
    }

    /// Spark's JSON form of the type.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Array(element, contains_null) => {
                json!({"type": "array", "elementType": element.to_json(), "containsNull": contains_null})
            }
            Self::Map(key, value, contains_null) => json!({
                "type": "map", "keyType": key.to_json(), "valueType": value.to_json(),
                "valueContainsNull": contains_null
            }),
            Self::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(field_json).collect();
                json!({"type": "struct", "fields": fields})
            }
            Self::Udt(udt) => json!({
                "type": "udt", "class": udt.jvm_class, "pyClass": udt.python_class,
                "serializedClass": udt.serialized_python_class, "sqlType": udt.sql_type.to_json()
            }),
            other => Value::String(other.json_name()),
        }
    }

    fn json_name(&self) -> String {
        match self {
            Self::Byte => "byte".to_owned(),
            Self::Short => "short".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Long => "long".to_owned(),
            Self::Geometry(srid) => spatial::geometry_json(*srid),
            Self::Geography(srid) => spatial::geography_json(*srid),
            other => other.simple_string(),
        }
    }

    /// The tree that `printSchema` prints.
    pub fn tree_string(fields: &[StructField], max_level: Option<usize>) -> String {
        let mut text = String::from("root\n");
        for field in fields {
            field_tree(&mut text, field, 1, max_level.unwrap_or(usize::MAX));
        }
        text
    }
}

fn interval_name(names: &[&str], start: usize, end: usize) -> String {
    if start == end {
        format!("INTERVAL {}", names[start])
    } else {
        format!("INTERVAL {} TO {}", names[start], names[end])
    }
}

fn field_sql(field: &StructField) -> String {
    let not_null = if field.nullable { "" } else { " NOT NULL" };
    let comment = field.comment().map(|text| format!(" COMMENT '{text}'")).unwrap_or_default();
    format!("{}: {}{not_null}{comment}", quote_if_needed(&field.name), field.data_type.sql())
}

fn field_json(field: &StructField) -> Value {
    let metadata = field
        .metadata
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| Value::Object(Map::new()));
    json!({"name": field.name, "type": field.data_type.to_json(), "nullable": field.nullable, "metadata": metadata})
}

fn field_tree(text: &mut String, field: &StructField, level: usize, max_level: usize) {
    let attribute = format!("(nullable = {})", field.nullable);
    type_tree(text, &field.name, &field.data_type, &attribute, level, max_level);
}

fn type_tree(text: &mut String, name: &str, data_type: &DataType, attribute: &str, level: usize, max_level: usize) {
    if level > max_level {
        return;
    }
    let indent = " |   ".repeat(level - 1);
    text.push_str(&format!("{indent} |-- {name}: {} {attribute}\n", tree_name(data_type)));
    match data_type {
        DataType::Array(element, contains_null) => {
            let attribute = format!("(containsNull = {contains_null})");
            type_tree(text, "element", element, &attribute, level + 1, max_level);
        }
        DataType::Map(key, value, contains_null) => {
            type_tree(text, "key", key, "", level + 1, max_level);
            let attribute = format!("(valueContainsNull = {contains_null})");
            type_tree(text, "value", value, &attribute, level + 1, max_level);
        }
        DataType::Struct(fields) => fields.iter().for_each(|f| field_tree(text, f, level + 1, max_level)),
        _ => {}
    }
}

fn tree_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Array(..) => "array".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::Geometry(_) | DataType::Geography(_) => data_type.simple_string(),
        other => other.json_name(),
    }
}

/// The name in back-quotes, unless it is a plain identifier.
pub fn quote_if_needed(name: &str) -> String {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.chars().all(|c| c.is_ascii_digit());
    if plain { name.to_owned() } else { quote(name) }
}

/// The dotted name, each part in back-quotes: what error parameters hold.
pub fn quote_name(parts: &[String]) -> String {
    parts.iter().map(|part| quote(part)).collect::<Vec<_>>().join(".")
}

/// The name in back-quotes.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
