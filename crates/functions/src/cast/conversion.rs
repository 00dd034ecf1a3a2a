//! One cast of one array: mode, zone, and what a value that does not fit raises.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, PrimitiveArray, StringArray,
};
use arrow::compute::cast as arrow_cast;
use firesteel_model::{ExceptionKind, Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::{nested, text, to_datetime, to_decimal, to_float, to_integer, to_interval};
use crate::coercion::type_sql;
use crate::datetime::{Zone, trim};
use crate::errors::from_arrow;
use crate::literal;
use crate::udf::{Kernel, KernelContext};
use crate::variant;

/// The cast kernel.
pub static KERNELS: &[Kernel] = &[
    Kernel::arrays("cast", run).raising(),
    Kernel::arrays("store_text", super::store::store_text).raising(),
    Kernel::arrays("fill_up_text", super::store::fill_up_text),
];

/// What happens to a value that cannot be cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// An error.
    Ansi,
    /// NULL, by the rules of ANSI.
    Try,
    /// NULL or a wrapped value, by Hive's rules.
    Legacy,
}

/// A cast.
pub(super) struct Conversion {
    pub mode: Mode,
    pub zone: Zone,
}

fn run(context: &KernelContext, arguments: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    let mode = match (context.options.first(), context.ansi) {
        (Some(_), _) => Mode::Try,
        (None, true) => Mode::Ansi,
        (None, false) => Mode::Legacy,
    };
    cast_array(&arguments[0], &context.arguments[0], &context.result, mode, &context.time_zone)
}

/// Casts an array from one Spark type to another.
///
/// Errors: `CAST_INVALID_INPUT`, `CAST_OVERFLOW`, `NUMERIC_VALUE_OUT_OF_RANGE` in ANSI mode.
pub fn cast_array(array: &ArrayRef, from: &DataType, to: &DataType, mode: Mode, zone: &str) -> Result<ArrayRef> {
    Conversion { mode, zone: Zone::parse(zone)? }.convert(array, from, to)
}

impl Conversion {
    pub(super) fn convert(&self, array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
        use DataType as T;
        if from == to {
            return Ok(array.clone());
        }
        match (from, to) {
            (T::Null, _) => Ok(arrow::array::new_null_array(&to_arrow(to), array.len())),
            (T::Udt(udt), _) => self.convert(array, &udt.sql_type, to),
            (T::Variant, _) => variant::column(&variant::variants(array), to, self.mode != Mode::Try, &self.zone),
            (_, T::Variant) => crate::families::to_variants(array, from),
            (_, T::String(_) | T::Char(_) | T::Varchar(_)) => text::from_array(self, array, from),
            (_, T::Binary) => binary(array, from),
            (_, T::Boolean) => boolean(self, array, from),
            (_, T::Byte | T::Short | T::Integer | T::Long) => to_integer::convert(self, array, from, to),
            (_, T::Float | T::Double) => to_float::convert(self, array, from, to),
            (_, T::Decimal(precision, scale)) => to_decimal::convert(self, array, from, *precision, *scale),
            (_, T::Date) => to_datetime::date(self, array, from),
            (_, T::Timestamp) => to_datetime::timestamp(self, array, from),
            (_, T::TimestampNtz) => to_datetime::timestamp_ntz(self, array, from),
            (_, T::Time(precision)) => to_datetime::time(self, array, from, *precision),
            (_, T::YearMonthInterval(..) | T::DayTimeInterval(..) | T::CalendarInterval) => {
                to_interval::convert(self, array, from, to)
            }
            (_, T::Array(..) | T::Map(..) | T::Struct(_)) => nested::convert(self, array, from, to),
            (_, T::Geometry(_) | T::Geography(_)) => shapes(array, from, to),
            (_, T::Null | T::Udt(_)) => Err(unknown(from, to)),
        }
    }

    /// The same, with errors in every mode but TRY: intervals are strict even without ANSI.
    pub(super) fn strict(&self) -> Self {
        let mode = if self.mode == Mode::Try { Mode::Try } else { Mode::Ansi };
        Self { mode, zone: self.zone.clone() }
    }

    /// What a value that does not fit becomes: an error, or NULL.
    pub(super) fn refuse<T>(&self, error: impl FnOnce() -> SparkError) -> Result<Option<T>> {
        if self.mode == Mode::Ansi { Err(error()) } else { Ok(None) }
    }

    /// Converts every value; those without a result raise `error(row)` in ANSI mode and are NULL otherwise.
    pub(super) fn each<I, O>(
        &self,
        array: &PrimitiveArray<I>,
        convert: impl Fn(I::Native) -> Option<O::Native>,
        error: impl Fn(usize) -> SparkError,
    ) -> Result<ArrayRef>
    where
        I: ArrowPrimitiveType,
        O: ArrowPrimitiveType,
    {
        let converted: PrimitiveArray<O> = array.unary_opt(convert);
        self.check_nulls(array, &converted, error)?;
        Ok(Arc::new(converted))
    }

    /// Parses every text; those without a result raise `CAST_INVALID_INPUT` in ANSI mode and are NULL otherwise.
    pub(super) fn each_text<O: ArrowPrimitiveType>(
        &self,
        array: &ArrayRef,
        to: &DataType,
        parse: impl Fn(&str) -> Option<O::Native>,
    ) -> Result<ArrayRef> {
        let texts = array.as_string::<i32>();
        let parsed: PrimitiveArray<O> = texts.iter().map(|text| text.and_then(&parse)).collect();
        self.check_nulls(texts, &parsed, |row| invalid_text(texts.value(row), to))?;
        Ok(Arc::new(parsed))
    }

    pub(super) fn check_nulls(
        &self,
        before: &dyn Array,
        after: &dyn Array,
        error: impl Fn(usize) -> SparkError,
    ) -> Result<()> {
        if self.mode != Mode::Ansi || before.null_count() == after.null_count() {
            return Ok(());
        }
        match (0..before.len()).find(|row| after.is_null(*row) && !before.is_null(*row)) {
            Some(row) => Err(error(row)),
            None => Ok(()),
        }
    }

    /// `CAST_OVERFLOW` about a row.
    pub(super) fn overflow(&self, array: &ArrayRef, row: usize, from: &DataType, to: &DataType) -> SparkError {
        SparkError::new(&error_class::CAST_OVERFLOW)
            .param("value", literal::message_text(&literal::at(array, row, from), self.zone.id()))
            .param("sourceType", type_sql(from))
            .param("targetType", type_sql(to))
            .param("ansiConfig", "\"spark.sql.ansi.enabled\"")
    }
}

/// `CAST_INVALID_INPUT` about a text.
pub fn invalid_text(text: &str, to: &DataType) -> SparkError {
    let kind = match to {
        DataType::Boolean => ExceptionKind::Runtime,
        DataType::Date | DataType::Timestamp | DataType::TimestampNtz | DataType::Time(_) => ExceptionKind::DateTime,
        _ => ExceptionKind::NumberFormat,
    };
    invalid_value(&literal::quoted(text), &DataType::STRING, to).kind(kind)
}

/// `CAST_INVALID_INPUT` about a value as SQL text.
pub(super) fn invalid_value(value: &str, from: &DataType, to: &DataType) -> SparkError {
    SparkError::new(&error_class::CAST_INVALID_INPUT)
        .param("expression", value)
        .param("sourceType", type_sql(from))
        .param("targetType", type_sql(to))
        .param("ansiConfig", "\"spark.sql.ansi.enabled\"")
}

/// A cast that should have been refused when it was built.
pub(super) fn unknown(from: &DataType, to: &DataType) -> SparkError {
    SparkError::internal(format!("no cast from {} to {}", from.sql(), to.sql()))
}

/// Arrow's own cast, where it does what Spark does.
pub(super) fn by_arrow(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    arrow_cast(array, &to_arrow(to)).map_err(from_arrow)
}

fn binary(array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    use arrow::datatypes as types;
    fn big_endian<T: ArrowPrimitiveType, const N: usize>(
        array: &ArrayRef,
        bytes: fn(T::Native) -> [u8; N],
    ) -> ArrayRef {
        Arc::new(array.as_primitive::<T>().iter().map(|value| value.map(bytes)).collect::<BinaryArray>())
    }
    Ok(match from {
        DataType::Byte => big_endian::<types::Int8Type, 1>(array, i8::to_be_bytes),
        DataType::Short => big_endian::<types::Int16Type, 2>(array, i16::to_be_bytes),
        DataType::Integer => big_endian::<types::Int32Type, 4>(array, i32::to_be_bytes),
        DataType::Long => big_endian::<types::Int64Type, 8>(array, i64::to_be_bytes),
        from if from.is_string() => by_arrow(array, &DataType::Binary)?,
        from => return Err(unknown(from, &DataType::Binary)),
    })
}

/// The same shapes; on a globe, coordinates have bounds.
fn shapes(array: &ArrayRef, from: &DataType, to: &DataType) -> Result<ArrayRef> {
    if let (DataType::Geometry(_), DataType::Geography(_)) = (from, to) {
        crate::families::check_geographies(array)?;
    }
    Ok(array.clone())
}

fn boolean(conversion: &Conversion, array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    use arrow::datatypes as types;
    fn not_zero<T: ArrowPrimitiveType>(array: &ArrayRef) -> BooleanArray {
        BooleanArray::from_unary(array.as_primitive::<T>(), |value| value != T::Native::default())
    }
    let converted = match from {
        DataType::Byte => not_zero::<types::Int8Type>(array),
        DataType::Short => not_zero::<types::Int16Type>(array),
        DataType::Integer => not_zero::<types::Int32Type>(array),
        DataType::Long => not_zero::<types::Int64Type>(array),
        // NaN is not zero.
        DataType::Float => BooleanArray::from_unary(array.as_primitive::<types::Float32Type>(), |value| value != 0.0),
        DataType::Double => BooleanArray::from_unary(array.as_primitive::<types::Float64Type>(), |value| value != 0.0),
        DataType::Decimal(..) => not_zero::<types::Decimal128Type>(array),
        DataType::Timestamp => not_zero::<types::TimestampMicrosecondType>(array),
        DataType::Date => BooleanArray::new_null(array.len()),
        from if from.is_string() => {
            let texts: &StringArray = array.as_string();
            let parsed: BooleanArray = texts.iter().map(|text| text.and_then(parse_boolean)).collect();
            conversion.check_nulls(texts, &parsed, |row| invalid_text(texts.value(row), &DataType::Boolean))?;
            parsed
        }
        from => return Err(unknown(from, &DataType::Boolean)),
    };
    Ok(Arc::new(converted))
}

fn parse_boolean(text: &str) -> Option<bool> {
    let text = trim(text);
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["t", "true", "y", "yes", "1"]) {
        Some(true)
    } else if is(&["f", "false", "n", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}
