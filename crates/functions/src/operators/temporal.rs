//! `+ - * /` where dates, times or intervals take part.

use firesteel_model::Result;
use firesteel_spec::DataType;
use firesteel_spec::types::{DayTimeField, YearMonthField};

use super::arithmetic::{Operator, call};
use crate::call::{FunctionContext, Typed};
use crate::coercion::{Accepts, convert, tightest_type, unexpected_type};

/// The operator on such operands; `None` where it is one on numbers, or wrong.
pub(super) fn apply(
    ctx: &FunctionContext,
    left: &Typed,
    right: &Typed,
    operator: &Operator,
    is_try: bool,
    sql: &str,
) -> Result<Option<Typed>> {
    let build = Build { ctx, is_try, sql };
    let has_interval = is_interval(left) || is_interval(right);
    if has_interval && matches!(operator.symbol, "+" | "-" | "div") {
        if is_interval(left) && is_null(right) || is_null(left) && is_interval(right) {
            return build.both_intervals(left, right, operator);
        }
        if same_kind(left, right) {
            return build.both_intervals(left, right, operator);
        }
    }
    match operator.symbol {
        "+" => build.plus(left, right),
        "-" => build.minus(left, right),
        "*" if is_interval(left) => build.scale(left, right, "*"),
        "*" if is_interval(right) => build.scale(right, left, "*"),
        "/" if is_interval(left) => build.scale(left, right, "/"),
        _ => Ok(None),
    }
}

fn is_interval(value: &Typed) -> bool {
    matches!(
        value.data_type,
        DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) | DataType::CalendarInterval
    )
}

/// Intervals with a time in them: they turn whatever they are added to into a timestamp.
fn is_timed(value: &Typed) -> bool {
    matches!(value.data_type, DataType::DayTimeInterval(..) | DataType::CalendarInterval)
}

fn is_null(value: &Typed) -> bool {
    value.data_type == DataType::Null
}

fn is_date(value: &Typed) -> bool {
    value.data_type == DataType::Date
}

fn is_timestamp(value: &Typed) -> bool {
    matches!(value.data_type, DataType::Timestamp | DataType::TimestampNtz)
}

fn is_year_month(value: &Typed) -> bool {
    matches!(value.data_type, DataType::YearMonthInterval(..))
}

/// Whether an interval is added to the other operand as to a moment. Months need one; hours turn text into one.
fn moves(interval: &Typed, other: &Typed) -> bool {
    is_timed(interval) || is_year_month(interval) && (is_date(other) || is_timestamp(other))
}

fn is_time(value: &Typed) -> bool {
    matches!(value.data_type, DataType::Time(_))
}

fn same_kind(left: &Typed, right: &Typed) -> bool {
    std::mem::discriminant(&left.data_type) == std::mem::discriminant(&right.data_type)
}

/// What days are counted in.
pub(crate) const DAYS: Accepts =
    Accepts::Only(&[Accepts::Is(DataType::Integer), Accepts::Is(DataType::Short), Accepts::Is(DataType::Byte)]);

struct Build<'a> {
    ctx: &'a FunctionContext,
    is_try: bool,
    sql: &'a str,
}

impl Build<'_> {
    fn call(&self, kernel: &str, arguments: Vec<Typed>, result: DataType, sql: String) -> Result<Option<Typed>> {
        call(self.ctx, kernel, arguments, result, self.is_try, self.is_try, sql).map(Some)
    }

    fn plus(&self, left: &Typed, right: &Typed) -> Result<Option<Typed>> {
        if moves(right, left) {
            return self.add_interval(left, right, "+");
        }
        if moves(left, right) {
            return self.add_interval(right, left, "+");
        }
        match (is_date(left), is_date(right)) {
            (true, _) if is_null(right) => self.add_nothing(left, right),
            (_, true) if is_null(left) => self.add_nothing(right, left),
            (true, _) => self.add_days(left, right, "date_add"),
            (_, true) if self.ctx.ansi && left.data_type.is_string() => {
                let sql = format!("date_add({}, {})", left.sql, right.sql);
                Err(unexpected_type(right, &DAYS, &sql, 1))
            }
            (_, true) => self.add_days(right, left, "date_add"),
            _ if is_time(left) && is_null(right) => self.add_nothing(left, right),
            _ if is_time(right) && is_null(left) => self.add_nothing(right, left),
            _ if is_timestamp(left) && is_null(right) => self.add_nothing(left, right),
            _ if is_timestamp(right) && is_null(left) => self.add_nothing(right, left),
            _ => Ok(None),
        }
    }

    fn minus(&self, left: &Typed, right: &Typed) -> Result<Option<Typed>> {
        if moves(right, left) {
            return self.add_interval(left, right, "-");
        }
        if is_timestamp(left) || is_timestamp(right) {
            let other = if is_timestamp(left) { right } else { left };
            let own = if is_timestamp(left) { left } else { right };
            let common = match &other.data_type {
                DataType::Null => Some(own.data_type.clone()),
                t if t.is_string() && self.ctx.ansi => Some(own.data_type.clone()),
                t if t.is_datetime() => tightest_type(self.ctx, &left.data_type, &right.data_type),
                _ => None,
            };
            return match common {
                Some(common) => self.difference(left, right, &common),
                None => {
                    Err(unexpected_type(other, &Accepts::Timestamp, self.sql, usize::from(std::ptr::eq(other, right))))
                }
            };
        }
        if is_time(left) || is_time(right) {
            return self.time_difference(left, right);
        }
        let counts_days = is_date(left) && !is_null(right) && !is_date(right);
        if is_date(right) || is_date(left) && (is_null(right) || self.ctx.ansi && right.data_type.is_string()) {
            if !is_date(left) && !is_null(left) && !left.data_type.is_string() {
                return Err(unexpected_type(left, &Accepts::Is(DataType::Date), self.sql, 0));
            }
            return self.difference(left, right, &DataType::Date);
        }
        if counts_days {
            return self.add_days(left, right, "date_sub");
        }
        Ok(None)
    }

    /// `date_add` and `date_sub`. Text is a date under ANSI and a number otherwise, and neither counts days.
    fn add_days(&self, date: &Typed, days: &Typed, name: &str) -> Result<Option<Typed>> {
        let sql = format!("{name}({}, {})", date.sql, days.sql);
        let days = match &days.data_type {
            t if t.is_string() => {
                let seen = if self.ctx.ansi { DataType::Date } else { DataType::Double };
                convert(self.ctx, days.clone(), &seen)?
            }
            DataType::Null => convert(self.ctx, days.clone(), &DataType::Integer)?,
            _ => days.clone(),
        };
        if !DAYS.accepts(&days.data_type) {
            return Err(unexpected_type(&days, &DAYS, &sql, 1));
        }
        let kernel = if name == "date_add" { "date_add_days" } else { "date_subtract_days" };
        let days = convert(self.ctx, days, &DataType::Integer)?;
        self.call(kernel, vec![date.clone(), days], DataType::Date, sql)
    }

    fn add_nothing(&self, moment: &Typed, null: &Typed) -> Result<Option<Typed>> {
        let interval = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);
        let null = convert(self.ctx, null.clone(), &interval)?;
        self.add_interval(moment, &null, "+")
    }

    fn time_difference(&self, left: &Typed, right: &Typed) -> Result<Option<Typed>> {
        let fits = |value: &Typed| is_time(value) || is_null(value) || value.data_type.is_string();
        if !fits(left) || !fits(right) {
            return Ok(None);
        }
        let cast = |value: &Typed| {
            if is_time(value) { Ok(value.clone()) } else { convert(self.ctx, value.clone(), &DataType::Time(6)) }
        };
        let sql = format!("{} - {}", left.sql, right.sql);
        let result = DataType::DayTimeInterval(DayTimeField::Hour, DayTimeField::Second);
        self.call("time_difference", vec![cast(left)?, cast(right)?], result, sql)
    }

    fn difference(&self, left: &Typed, right: &Typed, common: &DataType) -> Result<Option<Typed>> {
        let left = convert(self.ctx, left.clone(), common)?;
        let right = convert(self.ctx, right.clone(), common)?;
        let (kernel, result) = match common {
            DataType::Date => ("date_difference", DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day)),
            _ => ("timestamp_difference", DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second)),
        };
        self.call(kernel, vec![left, right], result, self.sql.to_owned())
    }

    fn add_interval(&self, moment: &Typed, interval: &Typed, symbol: &str) -> Result<Option<Typed>> {
        let kernel = if symbol == "+" { "add_interval" } else { "subtract_interval" };
        let sql = format!("{} {symbol} {}", moment.sql, interval.sql);
        let arguments = |moment: Typed| vec![moment, interval.clone()];
        match (&moment.data_type, &interval.data_type) {
            (DataType::Date, DataType::DayTimeInterval(_, DayTimeField::Day)) => {
                let days = format!("extractansiintervaldays({})", interval.sql);
                let days = if symbol == "+" { days } else { format!("(- {days})") };
                let sql = format!("date_add({}, {days})", moment.sql);
                self.call(kernel, arguments(moment.clone()), DataType::Date, sql)
            }
            (DataType::Date, DataType::DayTimeInterval(..)) => {
                let moment = convert(self.ctx, moment.clone(), &DataType::Timestamp)?;
                self.call(kernel, arguments(moment), DataType::Timestamp, sql)
            }
            (DataType::Date | DataType::Timestamp | DataType::TimestampNtz, _) => {
                self.call(kernel, arguments(moment.clone()), moment.data_type.clone(), sql)
            }
            (moment_type, _) if moment_type.is_string() => {
                let moment = convert(self.ctx, moment.clone(), &DataType::Timestamp)?;
                let sum = self.call(kernel, arguments(moment), DataType::Timestamp, sql)?;
                sum.map(|sum| convert(self.ctx, sum, &DataType::STRING)).transpose()
            }
            (DataType::Time(precision), DataType::DayTimeInterval(_, end)) => {
                let precision = if *end == DayTimeField::Second { 6 } else { *precision };
                let kernel = if symbol == "+" { "time_add_interval" } else { "time_subtract_interval" };
                self.call(kernel, arguments(moment.clone()), DataType::Time(precision), sql)
            }
            _ if symbol == "+" => Err(unexpected_type(moment, &Accepts::Timestamp, &sql, 0)),
            _ => {
                let sql = format!("{} + (- {})", moment.sql, interval.sql);
                Err(unexpected_type(moment, &Accepts::Timestamp, &sql, 0))
            }
        }
    }

    fn both_intervals(&self, left: &Typed, right: &Typed, operator: &Operator) -> Result<Option<Typed>> {
        let Some(common) = tightest_type(self.ctx, &left.data_type, &right.data_type) else { return Ok(None) };
        let result = match (&common, operator.symbol) {
            (DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..), "div") => DataType::Long,
            (DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..), _) => common.clone(),
            (DataType::CalendarInterval, "+" | "-") => common.clone(),
            _ => return Ok(None),
        };
        let left = convert(self.ctx, left.clone(), &common)?;
        let right = convert(self.ctx, right.clone(), &common)?;
        self.call(operator.kernel, vec![left, right], result, self.sql.to_owned())
    }

    fn scale(&self, interval: &Typed, number: &Typed, symbol: &str) -> Result<Option<Typed>> {
        let target = match &number.data_type {
            t if t.is_string() => DataType::Double,
            DataType::Null | DataType::Float | DataType::Double => DataType::Double,
            t if t.is_integral() => DataType::Long,
            DataType::Decimal(..) => number.data_type.clone(),
            _ => return Ok(None),
        };
        let (kernel, name) = if symbol == "*" {
            ("interval_multiply", "multiply_interval")
        } else {
            ("interval_divide", "divide_interval")
        };
        let (result, target, sql) = match interval.data_type {
            DataType::CalendarInterval => {
                let sql = format!("{name}({}, {})", interval.sql, number.sql);
                (DataType::CalendarInterval, DataType::Double, sql)
            }
            DataType::YearMonthInterval(..) => (
                DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month),
                target,
                format!("({} {symbol} {})", interval.sql, number.sql),
            ),
            _ => (
                DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second),
                target,
                format!("({} {symbol} {})", interval.sql, number.sql),
            ),
        };
        let number = convert(self.ctx, number.clone(), &target)?;
        self.call(kernel, vec![interval.clone(), number], result, sql)
    }
}
