//! Exact sums and averages: integers, decimals and intervals, in 128 bits.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, PrimitiveBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType as Arrow, Decimal128Type, DurationMicrosecondType, Int64Type, IntervalYearMonthType, i256,
};
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::types_arrow::to_arrow;

use super::udaf::Kind;
use crate::errors::to_datafusion;
use crate::number::first_beyond;
use crate::udf::KernelContext;

/// The kinds of this module.
pub(crate) static KINDS: &[Kind] = &[
    Kind {
        name: "sum_exact",
        state: state_types,
        groups: |context| Ok(Box::new(SumGroups::new(context, false, false))),
    },
    Kind {
        name: "try_sum_exact",
        state: state_types,
        groups: |context| Ok(Box::new(SumGroups::new(context, false, true))),
    },
    Kind {
        name: "avg_exact",
        state: state_types,
        groups: |context| Ok(Box::new(SumGroups::new(context, true, false))),
    },
    Kind {
        name: "try_avg_exact",
        state: state_types,
        groups: |context| Ok(Box::new(SumGroups::new(context, true, true))),
    },
];

/// Stands in the count of a group whose sum left 128 bits.
const OVERFLOWED: i64 = -1;

/// What a group has come to: the sum of `count` values.
#[derive(Clone, Copy, Default)]
struct Total {
    sum: i128,
    count: i64,
}

impl Total {
    #[inline]
    fn add(&mut self, value: i128, count: i64) {
        if self.count == OVERFLOWED || count == OVERFLOWED {
            self.count = OVERFLOWED;
            return;
        }
        match self.sum.checked_add(value) {
            Some(sum) => *self = Self { sum, count: self.count + count },
            None => self.count = OVERFLOWED,
        }
    }
}

struct SumGroups {
    totals: Vec<Total>,
    result: DataType,
    input_scale: i8,
    is_average: bool,
    nulls_overflow: bool,
    ansi: bool,
}

fn state_types(_: &KernelContext) -> Vec<Arrow> {
    vec![Arrow::Decimal128(38, 0), Arrow::Int64]
}

impl SumGroups {
    fn new(context: &KernelContext, is_average: bool, nulls_overflow: bool) -> Self {
        let input_scale = match context.arguments.first() {
            Some(DataType::Decimal(_, scale)) => *scale,
            _ => 0,
        };
        let result = context.result.clone();
        let ansi = context.ansi;
        Self { totals: Vec::new(), result, input_scale, is_average, nulls_overflow, ansi }
    }

    fn grow(&mut self, groups: usize) {
        if self.totals.len() < groups {
            self.totals.resize(groups, Total::default());
        }
    }

    fn add_column(&mut self, column: &ArrayRef, groups: &[usize], nulls: Option<&NullBuffer>) -> DataFusionResult<()> {
        macro_rules! add_as {
            ($type:ty) => {{
                let values = column.as_primitive::<$type>().values();
                match nulls {
                    None => groups.iter().zip(values).for_each(|(group, value)| {
                        self.totals[*group].add(i128::from(*value), 1);
                    }),
                    Some(nulls) => nulls.valid_indices().for_each(|row| {
                        self.totals[groups[row]].add(i128::from(values[row]), 1);
                    }),
                }
            }};
        }
        match column.data_type() {
            Arrow::Int64 => add_as!(Int64Type),
            Arrow::Decimal128(..) => add_as!(Decimal128Type),
            Arrow::Duration(_) => add_as!(DurationMicrosecondType),
            Arrow::Interval(_) => add_as!(IntervalYearMonthType),
            other => return internal_err!("no exact sum over {other}"),
        }
        Ok(())
    }

    /// The group's value as an integer of the result's scale.
    fn finish(&self, total: Total) -> Result<Option<i128>> {
        match total.count {
            0 => Ok(None),
            OVERFLOWED => self.overflow(),
            count if self.is_average => self.average(total.sum, count),
            _ => self.bounded(total.sum),
        }
    }

    fn average(&self, sum: i128, count: i64) -> Result<Option<i128>> {
        let scale = match self.result {
            DataType::Decimal(_, scale) => i32::from(scale) - i32::from(self.input_scale),
            _ => 0,
        };
        let factor = (0..scale.max(0)).fold(i256::ONE, |factor, _| factor.wrapping_mul(i256::from_i128(10)));
        let (dividend, divisor) = (i256::from_i128(sum).wrapping_mul(factor), i256::from_i128(i128::from(count)));
        let (quotient, rest) = (dividend.wrapping_div(divisor), dividend.wrapping_rem(divisor));
        let rounds = rest.wrapping_abs().wrapping_mul(i256::from_i128(2)) >= divisor;
        let step = if !rounds {
            i256::ZERO
        } else if dividend.is_negative() {
            i256::MINUS_ONE
        } else {
            i256::ONE
        };
        match quotient.wrapping_add(step).to_i128() {
            Some(value) => self.bounded(value),
            None => self.overflow(),
        }
    }

    fn bounded(&self, value: i128) -> Result<Option<i128>> {
        let fits = match self.result {
            DataType::Decimal(precision, _) => value.unsigned_abs() < first_beyond(precision),
            DataType::YearMonthInterval(..) => i32::try_from(value).is_ok(),
            _ => i64::try_from(value).is_ok(),
        };
        if fits {
            return Ok(Some(value));
        }
        let wraps = self.result == DataType::Long && !self.ansi && !self.nulls_overflow;
        if wraps { Ok(Some(i128::from(value as i64))) } else { self.overflow() }
    }

    fn overflow(&self) -> Result<Option<i128>> {
        let is_interval = matches!(self.result, DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..));
        if self.nulls_overflow || (!self.ansi && !is_interval) {
            return Ok(None);
        }
        if is_interval {
            return Err(SparkError::new(&error_class::INTERVAL_ARITHMETIC_OVERFLOW_WITH_SUGGESTION)
                .param("functionName", "`try_add`"));
        }
        let name = if self.is_average { "try_avg" } else { "try_sum" };
        Err(SparkError::new(&error_class::ARITHMETIC_OVERFLOW)
            .param("message", "a sum overflows")
            .param("alternative", format!(" Use '{name}' to get NULL instead."))
            .param("config", "\"spark.sql.ansi.enabled\""))
    }
}

impl GroupsAccumulator for SumGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DataFusionResult<()> {
        self.grow(total_num_groups);
        let column = values.first().ok_or_else(|| internal_datafusion_err!("a sum needs an argument"))?;
        let chosen = opt_filter.map(|filter| match filter.nulls() {
            Some(known) => NullBuffer::new(filter.values() & known.inner()),
            None => NullBuffer::new(filter.values().clone()),
        });
        let nulls = NullBuffer::union(column.nulls(), chosen.as_ref());
        self.add_column(column, group_indices, nulls.as_ref())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        let values = emit_to.take_needed(&mut self.totals).into_iter().map(|total| self.finish(total));
        let values = values.collect::<Result<Vec<Option<i128>>>>().map_err(to_datafusion)?;
        macro_rules! build_as {
            ($type:ty, $native:ty) => {{
                let mut out = PrimitiveBuilder::<$type>::with_capacity(values.len());
                values.iter().for_each(|value| out.append_option(value.map(|v| v as $native)));
                Ok(Arc::new(out.finish()))
            }};
        }
        match &self.result {
            DataType::Long => build_as!(Int64Type, i64),
            DataType::YearMonthInterval(..) => build_as!(IntervalYearMonthType, i32),
            DataType::DayTimeInterval(..) => build_as!(DurationMicrosecondType, i64),
            other => Ok(Arc::new(Decimal128Array::from(values).with_data_type(to_arrow(other)))),
        }
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        let (sums, counts): (Vec<i128>, Vec<i64>) =
            emit_to.take_needed(&mut self.totals).into_iter().map(|total| (total.sum, total.count)).unzip();
        let sums = Decimal128Array::from(sums).with_data_type(Arrow::Decimal128(38, 0));
        Ok(vec![Arc::new(sums), Arc::new(Int64Array::from(counts))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total: usize) -> DataFusionResult<()> {
        self.grow(total);
        let [sums, counts] = values else { return Ok(()) };
        let (sums, counts) = (sums.as_primitive::<Decimal128Type>(), counts.as_primitive::<Int64Type>());
        for (row, group) in group_indices.iter().enumerate() {
            self.totals[*group].add(sums.value(row), counts.value(row));
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut each = Self { totals: Vec::new(), result: self.result.clone(), ..*self };
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), opt_filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<Total>()
    }
}
