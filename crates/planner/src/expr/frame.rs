//! ROWS and RANGE: which rows around the current one a window function sees.

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use firesteel_functions::call::Typed;
use firesteel_functions::cast::can_cast;
use firesteel_functions::coercion::{quoted, type_sql};
use firesteel_functions::errors::from_datafusion;
use firesteel_model::{Result, SparkError, error_class};
use firesteel_spec::DataType;
use firesteel_spec::expr::{CastMode, FrameBound, WindowFrame as SpecFrame};
use firesteel_spec::types::DayTimeField;

use super::Resolver;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A frame before it meets its sort key.
pub(super) struct Frame {
    is_rows: bool,
    lower: Bound,
    upper: Bound,
    /// As Spark prints it.
    pub(super) sql: String,
}

/// An end of a frame.
enum Bound {
    CurrentRow,
    Unbounded,
    /// So far from the current row or, for RANGE, from its sort key.
    Offset {
        distance: ScalarValue,
        is_preceding: bool,
        data_type: DataType,
    },
}

impl Frame {
    /// What functions such as `rank` see, however Spark prints it.
    pub(super) fn up_to_current(sql: &str) -> Self {
        Self { is_rows: true, lower: Bound::Unbounded, upper: Bound::CurrentRow, sql: sql.to_owned() }
    }

    /// What OVER means without a frame.
    pub(super) fn default_of(has_order: bool) -> Self {
        if has_order {
            let sql = "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned();
            return Self { is_rows: false, lower: Bound::Unbounded, upper: Bound::CurrentRow, sql };
        }
        let sql = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_owned();
        Self { is_rows: true, lower: Bound::Unbounded, upper: Bound::Unbounded, sql }
    }

    /// Whether the sort key has to be a wall clock: months are added to an instant in the session's time zone.
    pub(super) fn needs_wall_clock(&self, keys: &[Typed]) -> bool {
        let by_months = |bound: &Bound| {
            matches!(bound.offset_type(), Some(DataType::YearMonthInterval(..) | DataType::CalendarInterval))
        };
        matches!(keys, [key] if key.data_type == DataType::Timestamp)
            && (by_months(&self.lower) || by_months(&self.upper))
    }

    /// The frame in DataFusion's terms; `clause` is what stands in OVER.
    ///
    /// Errors: `DATATYPE_MISMATCH.RANGE_FRAME_*` where the sort key cannot be moved by an offset of RANGE.
    pub(super) fn over(self, keys: &[Typed], orders: &[String], clause: &str) -> Result<WindowFrame> {
        let (lower, upper) = (self.lower, self.upper);
        // All rows are all rows, in order or not.
        let is_rows = self.is_rows || matches!((&lower, &upper), (Bound::Unbounded, Bound::Unbounded));
        if !is_rows {
            check_range(&lower, &upper, keys, orders, &quoted(&format!("({clause})")))?;
        }
        let units = if is_rows { WindowFrameUnits::Rows } else { WindowFrameUnits::Range };
        let key = keys.first().map(|key| &key.data_type);
        let mut lower = lower.in_datafusion(true, is_rows, key)?;
        let mut upper = upper.in_datafusion(false, is_rows, key)?;
        if let (Some(from), Some(to)) = (distance(&lower), distance(&upper))
            && from.data_type() != to.data_type()
        {
            // The engine compares the two.
            (lower, upper) = (with_interval(lower), with_interval(upper));
        }
        Ok(WindowFrame::new_bounds(units, lower, upper))
    }
}

impl Bound {
    fn in_datafusion(self, is_lower: bool, is_rows: bool, key: Option<&DataType>) -> Result<WindowFrameBound> {
        let (distance, is_preceding) = match self {
            Self::CurrentRow => return Ok(WindowFrameBound::CurrentRow),
            Self::Unbounded => {
                let none = if is_rows { ScalarValue::UInt64(None) } else { ScalarValue::Null };
                let bound = if is_lower { WindowFrameBound::Preceding } else { WindowFrameBound::Following };
                return Ok(bound(none));
            }
            Self::Offset { distance, is_preceding, .. } => (distance, is_preceding),
        };
        let distance = match (distance, key) {
            (ScalarValue::Int64(Some(rows)), _) if is_rows => ScalarValue::UInt64(u64::try_from(rows).ok()),
            (ScalarValue::Int32(Some(days)), Some(DataType::Date)) => in_days(days),
            (ScalarValue::DurationMicrosecond(Some(micros)), Some(DataType::Date)) => {
                let days = i32::try_from(micros / MICROS_PER_DAY);
                in_days(days.map_err(|source| SparkError::internal("a frame of too many days").source(source))?)
            }
            (other, _) => other,
        };
        if matches!(distance, ScalarValue::UInt64(Some(0))) {
            return Ok(WindowFrameBound::CurrentRow);
        }
        Ok(if is_preceding { WindowFrameBound::Preceding(distance) } else { WindowFrameBound::Following(distance) })
    }

    fn offset_type(&self) -> Option<&DataType> {
        match self {
            Self::Offset { data_type, .. } => Some(data_type),
            _ => None,
        }
    }

    fn is_preceding(&self) -> bool {
        matches!(self, Self::Offset { is_preceding: true, .. })
    }

    fn is_following(&self) -> bool {
        matches!(self, Self::Offset { is_preceding: false, .. })
    }
}

impl Resolver<'_, '_> {
    /// Resolves the bounds that were written over these sort keys.
    pub(super) fn frame(&mut self, frame: &SpecFrame, keys: &[Typed]) -> Result<Frame> {
        let word = if frame.is_rows { "ROWS" } else { "RANGE" };
        let (lower, lower_sql) = self.bound(&frame.lower, "PRECEDING", frame.is_rows, keys)?;
        let (upper, upper_sql) = self.bound(&frame.upper, "FOLLOWING", frame.is_rows, keys)?;
        let sql = format!("{word} BETWEEN {lower_sql} AND {upper_sql}");
        for (bound, location) in [(&lower, "lower"), (&upper, "upper")] {
            let Some(data_type) = bound.offset_type() else { continue };
            if !moves(data_type) || (frame.is_rows && !data_type.is_integral()) {
                let expected = if frame.is_rows { "\"INT\"" } else { MOVES };
                return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE)
                    .param("sqlExpr", quoted(&sql))
                    .param("location", location)
                    .param("exprType", type_sql(data_type))
                    .param("expectedType", expected));
            }
        }
        if lower.is_following() && (upper.is_preceding() || matches!(upper, Bound::CurrentRow))
            || matches!(lower, Bound::CurrentRow) && upper.is_preceding()
        {
            return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON)
                .param("sqlExpr", quoted(&sql))
                .param("comparison", "less than or equal"));
        }
        Ok(Frame { is_rows: frame.is_rows, lower, upper, sql })
    }

    fn bound(&mut self, bound: &FrameBound, unbounded: &str, is_rows: bool, keys: &[Typed]) -> Result<(Bound, String)> {
        let offset = match bound {
            FrameBound::CurrentRow => return Ok((Bound::CurrentRow, "CURRENT ROW".to_owned())),
            FrameBound::Unbounded => return Ok((Bound::Unbounded, format!("UNBOUNDED {unbounded}"))),
            FrameBound::Offset(offset) => self.value(offset)?,
        };
        let sql = offset.sql.clone();
        let offset = self.as_key(offset, is_rows, keys)?;
        let data_type = offset.data_type.clone();
        let (distance, is_preceding) = match moves(&data_type) {
            true => split_sign(self.planner.constant(&offset)?)?,
            false => (ScalarValue::Null, false),
        };
        let sql = if is_preceding { format!("{} PRECEDING", positive(&sql)) } else { format!("{sql} FOLLOWING") };
        Ok((Bound::Offset { distance, is_preceding, data_type }, sql))
    }

    /// The offset in the sort key's type where it can be cast; dates and times are moved by days and intervals.
    fn as_key(&mut self, offset: Typed, is_rows: bool, keys: &[Typed]) -> Result<Typed> {
        if is_rows {
            return if offset.data_type.is_integral() {
                self.cast(offset, &DataType::Long, CastMode::Ansi)
            } else {
                Ok(offset)
            };
        }
        match keys {
            [key] if key.data_type.is_datetime() => Ok(offset),
            [key] if can_cast(&offset.data_type, &key.data_type, true) => {
                self.cast(offset, &key.data_type, CastMode::Ansi)
            }
            _ => Ok(offset),
        }
    }
}

/// What RANGE takes as an offset, in messages.
const MOVES: &str = "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")";

/// Whether a frame can reach so far.
fn moves(data_type: &DataType) -> bool {
    data_type.is_numeric() || is_interval(data_type)
}

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) | DataType::CalendarInterval)
}

fn check_range(lower: &Bound, upper: &Bound, keys: &[Typed], orders: &[String], shown: &str) -> Result<()> {
    let offsets: Vec<&DataType> = [lower, upper].into_iter().filter_map(Bound::offset_type).collect();
    if keys.is_empty() {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_RANGE_FRAME_WITHOUT_ORDER).param("sqlExpr", shown));
    }
    if offsets.is_empty() {
        return Ok(());
    }
    let [key] = keys else {
        return Err(SparkError::new(&error_class::DATATYPE_MISMATCH_RANGE_FRAME_MULTI_ORDER)
            .param("sqlExpr", shown)
            .param("orderSpec", orders.join(",")));
    };
    match offsets.into_iter().find(|offset| !can_move(&key.data_type, offset)) {
        None => Ok(()),
        Some(offset) => Err(SparkError::new(&error_class::DATATYPE_MISMATCH_RANGE_FRAME_INVALID_TYPE)
            .param("sqlExpr", shown)
            .param("orderSpecType", type_sql(&key.data_type))
            .param("valueBoundaryType", type_sql(offset))),
    }
}

/// Whether a sort key of one type can be moved by an offset of the other.
fn can_move(key: &DataType, offset: &DataType) -> bool {
    match (key, offset) {
        (DataType::Date, DataType::Integer | DataType::YearMonthInterval(..)) => true,
        (DataType::Date, DataType::DayTimeInterval(first, last)) => {
            (*first, *last) == (DayTimeField::Day, DayTimeField::Day)
        }
        (DataType::Timestamp | DataType::TimestampNtz, offset) => is_interval(offset),
        (key, offset) => key == offset,
    }
}

/// How far a bound is from the current row, if it says so.
fn distance(bound: &WindowFrameBound) -> Option<&ScalarValue> {
    match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            (!distance.is_null()).then_some(distance)
        }
        WindowFrameBound::CurrentRow => None,
    }
}

/// The bound with an interval of months, days and nanoseconds in place of one of months or of microseconds.
fn with_interval(bound: WindowFrameBound) -> WindowFrameBound {
    let interval = |distance: ScalarValue| match distance {
        ScalarValue::IntervalYearMonth(Some(months)) => {
            ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, 0, 0)))
        }
        ScalarValue::DurationMicrosecond(Some(micros)) => {
            let nanos = micros.saturating_mul(1000);
            ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, nanos)))
        }
        other => other,
    };
    match bound {
        WindowFrameBound::Preceding(distance) => WindowFrameBound::Preceding(interval(distance)),
        WindowFrameBound::Following(distance) => WindowFrameBound::Following(interval(distance)),
        WindowFrameBound::CurrentRow => bound,
    }
}

fn in_days(days: i32) -> ScalarValue {
    ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, days, 0)))
}

/// An offset as it was written before PRECEDING.
fn positive(sql: &str) -> &str {
    let called = sql.strip_prefix("negative(").or_else(|| sql.strip_prefix("(- ")).and_then(|s| s.strip_suffix(')'));
    called.or_else(|| sql.strip_prefix('-')).unwrap_or(sql)
}

/// A value without its sign, and whether it had one.
fn split_sign(value: ScalarValue) -> Result<(ScalarValue, bool)> {
    let zero = ScalarValue::new_zero(&value.data_type()).map_err(from_datafusion)?;
    if value < zero {
        if let ScalarValue::DurationMicrosecond(Some(micros)) = value {
            return Ok((ScalarValue::DurationMicrosecond(Some(micros.saturating_neg())), true));
        }
        return Ok((value.arithmetic_negate().map_err(from_datafusion)?, true));
    }
    Ok((value, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_keys_are_moved_by_what_spark_moves_them() {
        let days = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day);
        let seconds = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);
        assert!(can_move(&DataType::Date, &DataType::Integer));
        assert!(can_move(&DataType::Date, &days));
        assert!(!can_move(&DataType::Date, &seconds));
        assert!(can_move(&DataType::Timestamp, &seconds));
        assert!(!can_move(&DataType::Timestamp, &DataType::Integer));
        assert!(can_move(&DataType::Decimal(10, 2), &DataType::Decimal(10, 2)));
        assert!(!can_move(&DataType::STRING, &DataType::Integer));
    }

    #[test]
    fn offsets_print_without_their_sign() {
        assert_eq!(positive("-3"), "3");
        assert_eq!(positive("negative(INTERVAL '1' DAY)"), "INTERVAL '1' DAY");
        assert_eq!(positive("(- INTERVAL '1' DAY)"), "INTERVAL '1' DAY");
        assert_eq!(positive("(1 - 2)"), "(1 - 2)");
    }
}
