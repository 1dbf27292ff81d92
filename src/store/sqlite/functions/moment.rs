//! Arithmetic with dates, times and lengths of time; each function gives null when an argument is null.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_moment_plus(moment, interval)` | `moment + interval`, of a date a timestamp, of a time of day a time of day |
//! | `berth_date_plus(date, days)` | `date + days` |
//! | `berth_days_between(date, date)` | `date - date` |
//! | `berth_between(moment, moment)` | `moment - moment` of timestamps and of times of day |
//! | `berth_age(moment, moment)` | `age(moment, moment)` |
//! | `berth_interval_plus(interval, interval)`, `berth_interval_times(interval, number)` | `+`, `*` |
//! | `berth_extract(field, value)` | `extract(field FROM value)`, as a number of SQLite |
//! | `berth_moment_trunc(unit, moment)` | `date_trunc(unit, moment)` |
//! | `berth_moment_text(moment, format)` | `to_char(moment, format)` |
//!
//! Values are texts as they are kept (`plan::value`): moments in UTC. What is infinite stays what it is, or is an error where
//! no number stands for it.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-datetime.html>.

mod calendar;
mod format;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use rusqlite::functions::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use super::{Fault, add, add_of, failed, text};
use crate::plan::Value;
use crate::plan::value::interval::{DAY, Interval};

/// A moment that is kept, without its zone, which is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    at: DateTime,
    /// How it is written.
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Date,
    Time,
    Timestamp,
    TimestampTz,
}

/// The day that times of day are counted on.
const NO_DAY: Date = jiff::civil::date(1970, 1, 1);

impl Moment {
    fn read(text: &str) -> Option<Self> {
        let is_utc = text.ends_with("+00");
        let plain = text.strip_suffix("+00").unwrap_or(text);
        if plain.as_bytes().get(2) == Some(&b':') {
            return Some(Self { at: NO_DAY.to_datetime(plain.parse().ok()?), form: Form::Time });
        }
        let at = plain.parse::<DateTime>().ok()?;
        let form = match (plain.len(), is_utc) {
            (10, _) => Form::Date,
            (_, true) => Form::TimestampTz,
            (_, false) => Form::Timestamp,
        };
        Some(Self { at, form })
    }

    fn print(&self) -> String {
        let mut printed = match self.form {
            Form::Date => return self.at.date().to_string(),
            Form::Time => String::new(),
            Form::Timestamp | Form::TimestampTz => format!("{} ", self.at.date()),
        };
        let time = self.at.time();
        printed += &format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
        let micros = time.subsec_nanosecond() / 1000;
        if micros != 0 {
            printed += format!(".{micros:06}").trim_end_matches('0');
        }
        printed + if self.form == Form::TimestampTz { "+00" } else { "" }
    }

    /// Microseconds since the beginning of 1970.
    fn micros(&self) -> i64 {
        let since = self.at.duration_since(NO_DAY.to_datetime(Time::midnight()));
        i64::try_from(since.as_micros()).unwrap_or_default()
    }

    fn plus(mut self, interval: &Interval) -> Option<Self> {
        if self.form == Form::Time {
            let micros = (self.micros() + interval.micros % DAY).rem_euclid(DAY);
            self.at = NO_DAY.to_datetime(Time::midnight()).checked_add(SignedDuration::from_micros(micros)).ok()?;
            return Some(self);
        }
        let date = calendar::add_months(self.at.date(), interval.months)?;
        let days = interval.days.checked_mul(24)?;
        self.at = date
            .to_datetime(self.at.time())
            .checked_add(SignedDuration::from_hours(days))
            .and_then(|at| at.checked_add(SignedDuration::from_micros(interval.micros)))
            .ok()?;
        if self.form == Form::Date {
            self.form = Form::Timestamp;
        }
        Some(self).filter(|moment| moment.at.year() >= 1)
    }
}

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    two(connection, "berth_moment_plus", |moment, interval| {
        if is_infinite(moment) {
            return Ok(Some(Value::Text(moment.to_owned())));
        }
        let (Some(moment), Some(interval)) = (Moment::read(moment), Interval::parse(interval)) else { return Ok(None) };
        let sum = moment.plus(&interval).ok_or_else(|| out_of_range("timestamp"))?;
        Ok(Some(Value::Text(sum.print())))
    })?;
    two(connection, "berth_date_plus", |date, days| {
        let (Some(moment), Ok(days)) = (Moment::read(date), days.parse()) else {
            return Ok(is_infinite(date).then(|| Value::Text(date.to_owned())));
        };
        let sum = Moment { form: Form::Timestamp, ..moment }.plus(&Interval { days, ..Interval::default() });
        let sum = sum.ok_or_else(|| out_of_range("date"))?;
        Ok(Some(Value::Text(sum.at.date().to_string())))
    })?;
    two(connection, "berth_days_between", |left, right| {
        let (left, right) = both(left, right, "cannot subtract infinite dates")?;
        Ok(Some(Value::Integer((left.micros() - right.micros()) / DAY)))
    })?;
    two(connection, "berth_between", |left, right| {
        let (left, right) = both(left, right, "cannot subtract infinite timestamps")?;
        let micros = left.micros() - right.micros();
        let days = if left.form == Form::Time { 0 } else { micros / DAY };
        Ok(Some(print(Interval { days, micros: micros - days * DAY, months: 0 })))
    })?;
    two(connection, "berth_age", |left, right| {
        let (left, right) = both(left, right, "cannot subtract infinite timestamps")?;
        Ok(Some(print(calendar::age(left.at, right.at))))
    })?;
    two(connection, "berth_interval_plus", |left, right| {
        let sum = Interval::parse(left).zip(Interval::parse(right)).and_then(|(left, right)| left.plus(right));
        sum.map(|sum| Some(print(sum))).ok_or_else(|| out_of_range("interval"))
    })?;
    add(connection, "berth_interval_times", |context| {
        let (Some(interval), Some(factor)) = (text(context.get_raw(0)), number(context, 1)) else {
            return Ok(Value::Null);
        };
        let product = Interval::parse(&interval).and_then(|interval| interval.times(factor));
        product.map(print).ok_or_else(|| failed(out_of_range("interval")))
    })?;
    two(connection, "berth_extract", |field, value| match Interval::parse(value).filter(|_| !is_moment(value)) {
        Some(interval) => calendar::field_of_interval(field, &interval).map(Some),
        None if is_infinite(value) => Ok(calendar::field_of_infinity(field, value)),
        None => Moment::read(value).map(|moment| calendar::field(field, moment.at)).transpose(),
    })?;
    two(connection, "berth_moment_trunc", |unit, moment| {
        let Some(mut read) = Moment::read(moment) else { return Ok(Some(Value::Text(moment.to_owned()))) };
        read.at = calendar::truncate(unit, read.at)?;
        read.form = if read.form == Form::Date { Form::TimestampTz } else { read.form };
        Ok(Some(Value::Text(read.print())))
    })?;
    two(connection, "berth_moment_text", |moment, format| {
        if is_infinite(moment) {
            return Ok(None);
        }
        let Some(moment) = Moment::read(moment) else { return Ok(None) };
        format::write(moment.at, format, moment.form == Form::TimestampTz).map(|text| Some(Value::Text(text)))
    })
}

/// Adds a function of two texts.
fn two(
    connection: &Connection,
    name: &str,
    function: fn(&str, &str) -> std::result::Result<Option<Value>, Fault>,
) -> Result<()> {
    add_of(connection, name, 2, move |context| {
        let (Some(first), Some(second)) = (text(context.get_raw(0)), text(context.get_raw(1))) else {
            return Ok(Value::Null);
        };
        function(&first, &second).map(|answer| answer.unwrap_or(Value::Null)).map_err(failed)
    })
}

fn number(context: &Context<'_>, place: usize) -> Option<f64> {
    match context.get_raw(place) {
        ValueRef::Real(real) => Some(real),
        #[expect(clippy::cast_precision_loss, reason = "an interval has no more than a float tells apart")]
        ValueRef::Integer(integer) => Some(integer as f64),
        other @ (ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_)) => text(other)?.parse().ok(),
    }
}

fn both(left: &str, right: &str, infinite: &str) -> std::result::Result<(Moment, Moment), Fault> {
    let fault = || Fault { code: "22008", message: infinite.to_owned() };
    Moment::read(left).zip(Moment::read(right)).ok_or_else(fault)
}

fn print(interval: Interval) -> Value {
    Value::Text(interval.to_string())
}

fn is_infinite(moment: &str) -> bool {
    moment.trim_start_matches('-') == "infinity"
}

/// A date or a time of day, which could be read as an interval too.
fn is_moment(text: &str) -> bool {
    Moment::read(text).is_some_and(|moment| moment.form != Form::Time)
}

fn out_of_range(what: &str) -> Fault {
    Fault { code: "22008", message: format!("{what} out of range") }
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::computed;

    fn ask(call: &str) -> Result<Option<String>, String> {
        computed(&format!("berth_{call}"))
    }

    /// Expected values taken from Postgres 15.
    #[test]
    fn moments_are_reckoned_with_as_on_postgres() {
        for (call, expected) in [
            ("moment_plus('2024-01-31', '1 mon')", "2024-02-29 00:00:00"),
            ("moment_plus('2024-01-31 10:00:00.5+00', '-1 years -1 days')", "2023-01-30 10:00:00.5+00"),
            ("moment_plus('23:00:00', '02:00:00')", "01:00:00"),
            ("moment_plus('infinity', '1 day')", "infinity"),
            ("date_plus('2024-02-28', 2)", "2024-03-01"),
            ("date_plus('2024-03-01', -1)", "2024-02-29"),
            ("days_between('2024-03-01', '2024-02-01')", "29"),
            ("between('2024-02-29 13:00:00', '1999-12-31 23:59:59')", "8825 days 13:00:01"),
            ("between('2024-01-01 00:00:00', '2024-01-02 12:00:00')", "-1 days -12:00:00"),
            ("between('10:00:00', '12:30:00')", "-02:30:00"),
            ("age('2024-02-29 13:14:15.5', '2000-01-31')", "24 years 29 days 13:14:15.5"),
            ("age('2000-01-31', '2024-02-29 13:14:00')", "-24 years -29 days -13:14:00"),
            ("age('2024-03-01', '2024-01-31')", "1 mon 1 day"),
            ("interval_plus('1 day', '-02:00:00')", "1 day -02:00:00"),
            ("interval_times('1 mon', 1.5)", "1 mon 15 days"),
            ("interval_times('1 day 02:00:00', 0.3333333333333333)", "08:40:00"),
            ("interval_times('1 mon', 0.1)", "3 days"),
            ("interval_times('1 day 02:00:00', -1)", "-1 days -02:00:00"),
            ("extract('year', '2024-02-29')", "2024"),
            ("extract('week', '2021-01-03')", "53"),
            ("extract('isoyear', '2021-01-03')", "2020"),
            ("extract('isodow', '2021-01-03')", "7"),
            ("extract('dow', '2021-01-03')", "0"),
            ("extract('quarter', '2021-05-03')", "2"),
            ("extract('epoch', '1970-01-01 00:00:01.5+00')", "1.5"),
            ("extract('epoch', '1 year 2 mons -3 days -04:05:06.7')", "36467693.3"),
            ("extract('second', '2024-01-01 00:00:15.5')", "15.5"),
            ("extract('hour', '10:20:30')", "10"),
            ("extract('day', '40 days 25:00:00')", "40"),
            ("extract('hour', '40 days 25:00:00')", "25"),
            ("moment_trunc('week', '2024-02-29 13:14:15')", "2024-02-26 00:00:00"),
            ("moment_trunc('quarter', '2024-05-29 13:14:15+00')", "2024-04-01 00:00:00+00"),
            ("moment_trunc('month', '2024-02-29')", "2024-02-01 00:00:00+00"),
            ("moment_text('2024-02-09 13:04:05.25', 'YYYY-MM-DD HH24:MI:SS.MS')", "2024-02-09 13:04:05.250"),
            ("moment_text('2024-02-09', 'FMDay, FMDD. FMMonth YYYY')", "Friday, 9. February 2024"),
            ("moment_text('2024-02-09', 'Day|DY|Mon|MONTH|Q|IW|DDD|YY')", "Friday   |FRI|Feb|FEBRUARY |1|06|040|24"),
            ("moment_text('2024-02-09 00:30:00', 'HH12:MI AM \"o''clock\" HH pm')", "12:30 AM o'clock 12 am"),
        ] {
            assert_eq!(ask(call), Ok(Some(expected.to_owned())), "{call}");
        }
        assert_eq!(ask("moment_plus(NULL, '1 day')"), Ok(None));
    }

    #[test]
    fn what_cannot_be_reckoned_is_an_error() {
        for (call, expected) in [
            ("moment_plus('9999-12-31', '1 day')", "22008: timestamp out of range"),
            ("days_between('infinity', '2024-01-01')", "22008: cannot subtract infinite dates"),
            ("extract('fortnight', '2024-01-01')", "22023: unit \"fortnight\" not recognized"),
        ] {
            assert_eq!(ask(call), Err(expected.to_owned()), "{call}");
        }
    }
}
