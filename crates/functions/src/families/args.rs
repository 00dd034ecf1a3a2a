//! What a kernel sees: typed arrays, and builders that leave a null wherever an argument is null.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BinaryBuilder, BooleanArray, BooleanBuilder, ListArray,
    MapArray, PrimitiveArray, PrimitiveBuilder, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use firesteel_model::{Result, SparkError};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::{INSTANT_ZONE, to_arrow};

use crate::udf::KernelContext;

/// The arguments of a kernel.
pub(crate) struct Args<'a> {
    /// ANSI mode, time zone, types and the kernel's own constants.
    pub(crate) context: &'a KernelContext,
    /// One array per argument.
    pub(crate) arrays: &'a [ArrayRef],
    /// Length of each.
    pub(crate) rows: usize,
}

impl<'a> Args<'a> {
    /// How many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.arrays.len()
    }

    /// Argument `i`, whatever its type.
    pub(crate) fn array(&self, i: usize) -> Result<&'a ArrayRef> {
        self.arrays.get(i).ok_or_else(|| SparkError::internal(format!("a kernel lacks argument {i}")))
    }

    fn typed<T>(&self, i: usize, cast: fn(&'a dyn Array) -> Option<&'a T>) -> Result<&'a T> {
        let array = self.array(i)?;
        cast(array.as_ref()).ok_or_else(|| {
            SparkError::internal(format!("argument {i} of a kernel is {}, another type is expected", array.data_type()))
        })
    }

    /// A STRING argument.
    pub(crate) fn text(&self, i: usize) -> Result<&'a StringArray> {
        self.typed(i, |a| a.as_string_opt())
    }

    /// A BINARY argument.
    pub(crate) fn binary(&self, i: usize) -> Result<&'a BinaryArray> {
        self.typed(i, |a| a.as_binary_opt())
    }

    /// A BOOLEAN argument.
    pub(crate) fn boolean(&self, i: usize) -> Result<&'a BooleanArray> {
        self.typed(i, |a| a.as_boolean_opt())
    }

    /// An argument of a primitive Arrow type.
    pub(crate) fn primitive<T: ArrowPrimitiveType>(&self, i: usize) -> Result<&'a PrimitiveArray<T>> {
        self.typed(i, |a| a.as_primitive_opt::<T>())
    }

    /// An INT argument.
    pub(crate) fn int(&self, i: usize) -> Result<&'a PrimitiveArray<Int32Type>> {
        self.primitive(i)
    }

    /// A BIGINT argument.
    pub(crate) fn long(&self, i: usize) -> Result<&'a PrimitiveArray<Int64Type>> {
        self.primitive(i)
    }

    /// A DOUBLE argument.
    pub(crate) fn double(&self, i: usize) -> Result<&'a PrimitiveArray<Float64Type>> {
        self.primitive(i)
    }

    /// A DECIMAL argument.
    pub(crate) fn decimal(&self, i: usize) -> Result<&'a PrimitiveArray<Decimal128Type>> {
        self.primitive(i)
    }

    /// A DATE argument.
    pub(crate) fn date(&self, i: usize) -> Result<&'a PrimitiveArray<Date32Type>> {
        self.primitive(i)
    }

    /// A TIMESTAMP or TIMESTAMP_NTZ argument.
    pub(crate) fn timestamp(&self, i: usize) -> Result<&'a PrimitiveArray<TimestampMicrosecondType>> {
        self.primitive(i)
    }

    /// An ARRAY argument.
    pub(crate) fn list(&self, i: usize) -> Result<&'a ListArray> {
        self.typed(i, |a| a.as_list_opt::<i32>())
    }

    /// A MAP argument.
    pub(crate) fn map(&self, i: usize) -> Result<&'a MapArray> {
        self.typed(i, |a| a.as_map_opt())
    }

    /// A STRUCT argument.
    pub(crate) fn structs(&self, i: usize) -> Result<&'a StructArray> {
        self.typed(i, |a| a.as_struct_opt())
    }

    /// The kernel's own constant `i`.
    pub(crate) fn option(&self, i: usize) -> Result<&'a str> {
        let option = self.context.options.get(i);
        option.map(String::as_str).ok_or_else(|| SparkError::internal(format!("a kernel lacks option {i}")))
    }

    /// Spark type of argument `i`.
    pub(crate) fn data_type(&self, i: usize) -> Result<&'a DataType> {
        self.context.arguments.get(i).ok_or_else(|| SparkError::internal(format!("a kernel lacks type {i}")))
    }

    /// The rows in which no argument is null.
    pub(crate) fn nulls(&self) -> Option<NullBuffer> {
        self.arrays.iter().fold(None, |nulls, array| NullBuffer::union(nulls.as_ref(), array.logical_nulls().as_ref()))
    }

    /// Calls `f` for every row without nulls; `None` for the others.
    fn each<T>(&self, mut f: impl FnMut(usize) -> Result<Option<T>>, mut push: impl FnMut(Option<T>)) -> Result<()> {
        let nulls = self.nulls();
        for row in 0..self.rows {
            let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            push(if valid { f(row)? } else { None });
        }
        Ok(())
    }

    /// A STRING result that may fail or be null.
    pub(crate) fn try_texts(&self, f: impl FnMut(usize) -> Result<Option<String>>) -> Result<ArrayRef> {
        let mut out = StringBuilder::with_capacity(self.rows, self.rows * 8);
        self.each(f, |value| out.append_option(value))?;
        Ok(Arc::new(out.finish()))
    }

    /// A STRING result.
    pub(crate) fn texts(&self, mut f: impl FnMut(usize) -> String) -> Result<ArrayRef> {
        self.try_texts(|row| Ok(Some(f(row))))
    }

    /// A STRING result that is a part of something that lives longer than the call.
    pub(crate) fn slices<'s>(&self, mut f: impl FnMut(usize) -> &'s str) -> Result<ArrayRef> {
        let mut out = StringBuilder::with_capacity(self.rows, self.rows * 8);
        self.each(|row| Ok(Some(f(row))), |value| out.append_option(value))?;
        Ok(Arc::new(out.finish()))
    }

    /// A BINARY result that may fail or be null.
    pub(crate) fn try_binaries(&self, f: impl FnMut(usize) -> Result<Option<Vec<u8>>>) -> Result<ArrayRef> {
        let mut out = BinaryBuilder::with_capacity(self.rows, self.rows * 8);
        self.each(f, |value| out.append_option(value))?;
        Ok(Arc::new(out.finish()))
    }

    /// A BOOLEAN result that may fail or be null.
    pub(crate) fn try_booleans(&self, f: impl FnMut(usize) -> Result<Option<bool>>) -> Result<ArrayRef> {
        let mut out = BooleanBuilder::with_capacity(self.rows);
        self.each(f, |value| out.append_option(value))?;
        Ok(Arc::new(out.finish()))
    }

    /// A BOOLEAN result.
    pub(crate) fn booleans(&self, mut f: impl FnMut(usize) -> bool) -> Result<ArrayRef> {
        self.try_booleans(|row| Ok(Some(f(row))))
    }

    /// A result of a primitive Arrow type that may fail or be null.
    pub(crate) fn try_values<T: ArrowPrimitiveType>(
        &self,
        f: impl FnMut(usize) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        let mut out = PrimitiveBuilder::<T>::with_capacity(self.rows);
        self.each(f, |value| out.append_option(value))?;
        Ok(Arc::new(out.finish()))
    }

    /// A result of a primitive Arrow type.
    pub(crate) fn values<T: ArrowPrimitiveType>(&self, mut f: impl FnMut(usize) -> T::Native) -> Result<ArrayRef> {
        self.try_values::<T>(|row| Ok(Some(f(row))))
    }

    /// An INT result.
    pub(crate) fn ints(&self, f: impl FnMut(usize) -> i32) -> Result<ArrayRef> {
        self.values::<Int32Type>(f)
    }

    /// A BIGINT result.
    pub(crate) fn longs(&self, f: impl FnMut(usize) -> i64) -> Result<ArrayRef> {
        self.values::<Int64Type>(f)
    }

    /// A DOUBLE result.
    pub(crate) fn doubles(&self, f: impl FnMut(usize) -> f64) -> Result<ArrayRef> {
        self.values::<Float64Type>(f)
    }

    /// A TIMESTAMP or TIMESTAMP_NTZ result, as the result type says.
    pub(crate) fn try_timestamps(&self, f: impl FnMut(usize) -> Result<Option<i64>>) -> Result<ArrayRef> {
        let mut out = PrimitiveBuilder::<TimestampMicrosecondType>::with_capacity(self.rows);
        self.each(f, |value| out.append_option(value))?;
        let array = out.finish();
        Ok(match self.context.result {
            DataType::TimestampNtz => Arc::new(array),
            _ => Arc::new(array.with_timezone(INSTANT_ZONE)),
        })
    }

    /// A DECIMAL result with the precision and scale of the result type.
    pub(crate) fn try_decimals(&self, f: impl FnMut(usize) -> Result<Option<i128>>) -> Result<ArrayRef> {
        let mut out =
            PrimitiveBuilder::<Decimal128Type>::with_capacity(self.rows).with_data_type(to_arrow(&self.context.result));
        self.each(f, |value| out.append_option(value))?;
        Ok(Arc::new(out.finish()))
    }
}
