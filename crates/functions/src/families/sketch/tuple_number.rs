//! The numbers that Tuple sketches keep beside keys, and how several become one.

use std::marker::PhantomData;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int32Type};
use datasketches::codec::{SketchBytes, SketchSlice};
use datasketches::tuple::{SummaryCombinePolicy, SummaryPolicy, SummaryUpdatePolicy, TupleSummaryValue};
use firesteel_model::{Result, SparkError, error_class};

use crate::udf::KernelContext;

/// How the numbers of one key become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    Sum,
    Min,
    Max,
    One,
}

impl Mode {
    pub(super) fn parse(function: &str, text: &str) -> Result<Self> {
        Ok(match text.to_lowercase().as_str() {
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "alwaysone" => Self::One,
            _ => {
                return Err(SparkError::new(&error_class::TUPLE_INVALID_SKETCH_MODE)
                    .param("function", format!("`{function}`"))
                    .param("mode", text)
                    .param("validModes", "alwaysone, max, min, sum"));
            }
        })
    }

    /// The mode among a kernel's options.
    pub(super) fn of(context: &KernelContext) -> Result<Self> {
        Self::parse("tuple_sketch", context.options.get(1).map_or("sum", String::as_str))
    }

    pub(super) fn combined<N: Number>(self, x: N, y: N) -> N {
        match self {
            Self::Sum => N::plus(x, y),
            Self::Min => {
                if y < x {
                    y
                } else {
                    x
                }
            }
            Self::Max => {
                if y > x {
                    y
                } else {
                    x
                }
            }
            Self::One => N::ONE,
        }
    }

    pub(super) fn combined_longs(self, x: i64, y: i64) -> i64 {
        match self {
            Self::Sum => x.wrapping_add(y),
            Self::Min => x.min(y),
            Self::Max => x.max(y),
            Self::One => 1,
        }
    }
}

/// The number of a key.
pub(super) trait Number: TupleSummaryValue + Copy + PartialOrd + Send + Sync + 'static {
    const ONE: Self;
    fn plus(x: Self, y: Self) -> Self;
    fn at(column: &ArrayRef, row: usize) -> Self;
    /// What changes nothing under the mode.
    fn neutral(mode: Mode) -> Self;
    /// As sketches keep it.
    fn bytes(self) -> Vec<u8>;
}

impl Number for f64 {
    const ONE: Self = 1.0;

    fn plus(x: Self, y: Self) -> Self {
        x + y
    }

    fn at(column: &ArrayRef, row: usize) -> Self {
        column.as_primitive::<Float64Type>().value(row)
    }

    fn neutral(mode: Mode) -> Self {
        match mode {
            Mode::Sum => 0.0,
            Mode::Min => f64::INFINITY,
            Mode::Max => f64::NEG_INFINITY,
            Mode::One => 1.0,
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

impl Number for i32 {
    const ONE: Self = 1;

    fn plus(x: Self, y: Self) -> Self {
        x.wrapping_add(y)
    }

    fn at(column: &ArrayRef, row: usize) -> Self {
        column.as_primitive::<Int32Type>().value(row)
    }

    fn neutral(mode: Mode) -> Self {
        match mode {
            Mode::Sum => 0,
            Mode::Min => i32::MAX,
            Mode::Max => i32::MIN,
            Mode::One => 1,
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

/// The number of a key; none where the key is new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<N>(Option<N>);

impl<N: Number> Cell<N> {
    pub(super) fn number(&self) -> N {
        self.0.unwrap_or(N::ONE)
    }
}

impl<N: Number> TupleSummaryValue for Cell<N> {
    fn serialize_size(&self) -> usize {
        self.number().serialize_size()
    }

    fn serialize_value(&self, bytes: &mut SketchBytes) {
        self.number().serialize_value(bytes);
    }

    fn deserialize_value(cursor: &mut SketchSlice<'_>) -> Result<Self, datasketches::error::Error> {
        N::deserialize_value(cursor).map(|number| Self(Some(number)))
    }
}

/// Numbers of one key put together by a mode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy<N> {
    mode: Mode,
    number: PhantomData<fn() -> N>,
}

pub(super) fn policy<N>(mode: Mode) -> Policy<N> {
    Policy { mode, number: PhantomData }
}

impl<N: Number> SummaryPolicy for Policy<N> {
    type Summary = Cell<N>;

    fn create(&self) -> Cell<N> {
        Cell(None)
    }
}

impl<N: Number> SummaryUpdatePolicy<N> for Policy<N> {
    fn update(&self, summary: &mut Cell<N>, value: N) {
        let value = if self.mode == Mode::One { N::ONE } else { value };
        summary.0 = Some(summary.0.map_or(value, |known| self.mode.combined(known, value)));
    }
}

impl<N: Number> SummaryCombinePolicy for Policy<N> {
    fn combine(&self, summary: &mut Cell<N>, other: &Cell<N>) {
        summary.0 = Some(summary.0.map_or(other.number(), |known| self.mode.combined(known, other.number())));
    }
}
