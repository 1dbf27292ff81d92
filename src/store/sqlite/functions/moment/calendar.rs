//! Fields of dates and times, and steps between them, by the calendar.

use jiff::civil::{Date, DateTime, Time};

use super::Fault;
use crate::plan::Value;
use crate::plan::value::interval::{DAY, HOUR, Interval, MINUTE, SECOND};

/// The same day of a later or earlier month, or the last one of a month that is shorter.
pub(super) fn add_months(date: Date, months: i64) -> Option<Date> {
    let all = i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + months;
    let (year, month) = (i16::try_from(all.div_euclid(12)).ok()?, i8::try_from(all.rem_euclid(12) + 1).ok()?);
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, date.day().min(first.days_in_month())).ok()
}

/// `age(left, right)`: years, months, days and time, each by itself; days are borrowed from the month of the earlier one.
pub(super) fn age(left: DateTime, right: DateTime) -> Interval {
    let (later, earlier, sign) = if left < right { (right, left, -1) } else { (left, right, 1) };
    let mut micros = of_day(later.time()) - of_day(earlier.time());
    let mut days = i64::from(later.day()) - i64::from(earlier.day());
    let mut months = (i64::from(later.year()) - i64::from(earlier.year())) * 12 + i64::from(later.month())
        - i64::from(earlier.month());
    if micros < 0 {
        micros += DAY;
        days -= 1;
    }
    if days < 0 {
        days += i64::from(earlier.date().days_in_month());
        months -= 1;
    }
    Interval { months: sign * months, days: sign * days, micros: sign * micros }
}

/// Microseconds since midnight.
pub(super) fn of_day(time: Time) -> i64 {
    i64::from(time.hour()) * HOUR
        + i64::from(time.minute()) * MINUTE
        + i64::from(time.second()) * SECOND
        + i64::from(time.subsec_nanosecond() / 1000)
}

/// `extract(field FROM moment)`.
pub(super) fn field(field: &str, at: DateTime) -> Result<Value, Fault> {
    let (year, micros) = (i64::from(at.year()), of_day(at.time()));
    let week = at.date().iso_week_date();
    let whole = |number: i64| Ok(Value::Integer(number));
    match field {
        "year" => whole(year),
        "month" => whole(at.month().into()),
        "day" => whole(at.day().into()),
        "hour" => whole(at.hour().into()),
        "minute" => whole(at.minute().into()),
        "second" => Ok(fraction(micros % MINUTE, SECOND)),
        "millisecond" | "milliseconds" => Ok(fraction(micros % MINUTE, 1000)),
        "microsecond" | "microseconds" => whole(micros % MINUTE),
        "dow" => whole(at.weekday().to_sunday_zero_offset().into()),
        "isodow" => whole(at.weekday().to_monday_one_offset().into()),
        "doy" => whole(at.day_of_year().into()),
        "week" => whole(week.week().into()),
        "isoyear" => whole(week.year().into()),
        "quarter" => whole(i64::from(at.month() - 1) / 3 + 1),
        "decade" => whole(year / 10),
        "century" => whole((year + 99) / 100),
        "millennium" => whole((year + 999) / 1000),
        "epoch" => {
            let days =
                at.date().to_datetime(Time::midnight()).duration_since(super::NO_DAY.to_datetime(Time::midnight()));
            Ok(fraction(days.as_secs() * SECOND + micros, SECOND))
        }
        "timezone" | "timezone_hour" | "timezone_minute" => whole(0),
        other => Err(unknown(other)),
    }
}

/// `extract(field FROM interval)`.
pub(super) fn field_of_interval(field: &str, of: &Interval) -> Result<Value, Fault> {
    let whole = |number: i64| Ok(Value::Integer(number));
    match field {
        "year" => whole(of.months / 12),
        "month" => whole(of.months % 12),
        "quarter" => whole(of.months % 12 / 3 + 1),
        "decade" => whole(of.months / 120),
        "century" => whole(of.months / 1200),
        "day" => whole(of.days),
        "hour" => whole(of.micros / HOUR),
        "minute" => whole(of.micros % HOUR / MINUTE),
        "second" => Ok(fraction(of.micros % MINUTE, SECOND)),
        "millisecond" | "milliseconds" => Ok(fraction(of.micros % MINUTE, 1000)),
        "microsecond" | "microseconds" => whole(of.micros % MINUTE),
        // A year is 365.25 days there, a month of the rest 30.
        "epoch" => {
            let days = of.months / 12 * 1461 * DAY / 4 + (of.months % 12 * 30 + of.days) * DAY;
            Ok(fraction(days + of.micros, SECOND))
        }
        other => Err(unknown(other)),
    }
}

/// Of what grows for ever it is infinite, the others are null.
pub(super) fn field_of_infinity(field: &str, value: &str) -> Option<Value> {
    let grows = matches!(field, "epoch" | "year" | "isoyear" | "decade" | "century" | "millennium");
    let sign = if value.starts_with('-') { -1.0 } else { 1.0 };
    grows.then_some(Value::Real(f64::INFINITY * sign))
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of ten thousand years, which a float counts")]
fn fraction(micros: i64, of: i64) -> Value {
    if micros % of == 0 { Value::Integer(micros / of) } else { Value::Real(micros as f64 / of as f64) }
}

fn unknown(unit: &str) -> Fault {
    Fault { code: "22023", message: format!("unit \"{unit}\" not recognized") }
}

/// `date_trunc(unit, moment)`.
pub(super) fn truncate(unit: &str, at: DateTime) -> Result<DateTime, Fault> {
    let date = at.date();
    let first = |year: i16, month: i8| Date::new(year.max(1), month, 1).unwrap_or(date).to_datetime(Time::midnight());
    let year = at.year();
    let cut = |micros: i64| {
        let kept = of_day(at.time()) / micros * micros;
        let rest = jiff::SignedDuration::from_micros(kept);
        date.to_datetime(Time::midnight()).checked_add(rest).unwrap_or(at)
    };
    Ok(match unit {
        "millennium" => first((year - 1) / 1000 * 1000 + 1, 1),
        "century" => first((year - 1) / 100 * 100 + 1, 1),
        "decade" => first(year / 10 * 10, 1),
        "year" => first(year, 1),
        "quarter" => first(year, (at.month() - 1) / 3 * 3 + 1),
        "month" => first(year, at.month()),
        "week" => {
            let days = i64::from(at.weekday().to_monday_zero_offset());
            let monday = date.checked_sub(jiff::SignedDuration::from_hours(days * 24)).unwrap_or(date);
            monday.to_datetime(Time::midnight())
        }
        "day" => cut(DAY),
        "hour" => cut(HOUR),
        "minute" => cut(MINUTE),
        "second" => cut(SECOND),
        "millisecond" | "milliseconds" => cut(1000),
        "microsecond" | "microseconds" => at,
        other => return Err(unknown(other)),
    })
}
