//! Lengths of time: `1 day 02:00:00`, ISO 8601's `P1DT2H`, and what Postgres prints.
//!
//! ```text
//! interval = [ "@" ] part { ( ws | "," ) part } [ "ago" ]
//! part     = number [ ws ] unit | number "-" number | [ sign ] h ":" m [ ":" s ] | number          seconds, at the end
//! iso      = "P" { number ( Y | M | W | D ) } [ "T" { number ( H | M | S ) } ]
//! ```
//!
//! Source: <https://www.postgresql.org/docs/15/datatype-datetime.html#DATATYPE-INTERVAL-INPUT>.

use std::fmt;

use super::{fault, temporal};
use crate::catalog::TypeKind;
use crate::plan::Error;

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// Postgres' three fields, which never turn into one another. It is displayed as Postgres prints it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    /// Years count as twelve.
    pub months: i64,
    /// Weeks count as seven.
    pub days: i64,
    /// Hours, minutes and seconds.
    pub micros: i64,
}

/// A unit as Postgres names it; equal units may not be given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
}

/// Reads an interval and writes it as Postgres prints it.
///
/// # Errors
/// 22007 when the text is none, 22015 when a field is beyond its range.
pub(super) fn read(text: &str) -> Result<String, Error> {
    let interval = match text.strip_prefix('P') {
        Some(iso) => read_iso(iso),
        None => read_parts(text),
    };
    let interval = interval.map_err(|problem| match problem {
        Problem::Syntax => fault::invalid_datetime(&TypeKind::Interval, text),
        Problem::Range => fault::interval_out_of_range(text),
    })?;
    Ok(interval.to_string())
}

/// Microseconds of what [`read`] has written, as Postgres compares it: a month is 30 days, a day 24 hours.
pub(super) fn span(text: &str) -> Option<i128> {
    let Interval { months, days, micros } = read_parts(text).ok()?;
    Some((i128::from(months) * 30 + i128::from(days)) * i128::from(DAY) + i128::from(micros))
}

enum Problem {
    Syntax,
    Range,
}

/// A number in its two parts, both with its sign.
#[derive(Clone, Copy)]
struct Amount {
    whole: i64,
    fraction: f64,
}

fn read_amount(text: &str) -> Result<Amount, Problem> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() + fraction.len() == 0 {
        return Err(Problem::Syntax);
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Problem::Range)? };
    let fraction: f64 = format!("0.{fraction}0").parse().unwrap_or(0.0);
    Ok(if is_negative { Amount { whole: -whole, fraction: -fraction } } else { Amount { whole, fraction } })
}

#[expect(clippy::cast_possible_truncation, reason = "whoever calls it has bounded the number")]
fn rounded(number: f64) -> i64 {
    number.round_ties_even() as i64
}

#[expect(clippy::cast_precision_loss, reason = "at most a day in microseconds")]
fn portion(fraction: f64, of: i64) -> i64 {
    rounded(fraction * of as f64)
}

impl Interval {
    /// Reads an interval as it is kept; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        read_parts(text).ok()
    }

    /// The sum; `None` beyond the range.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let micros = self.micros.checked_add(other.micros)?;
        Self { months: self.months + other.months, days: self.days + other.days, micros }.checked().ok()
    }

    /// The product: a part of a month becomes days, a part of a day time. `None` beyond the range.
    ///
    /// Source: Postgres' `interval_mul`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "each is of 32 bits, or microseconds, which Postgres multiplies as floats"
    )]
    pub fn times(self, factor: f64) -> Option<Self> {
        let cut = |number: f64| if number.abs() < 1e15 { Some(rounded(number.trunc())) } else { None };
        // What binary fractions leave over is less than a microsecond.
        let settled = |number: f64| (number * 1e6).round_ties_even() / 1e6;
        let (months, days) = (self.months as f64 * factor, self.days as f64 * factor);
        let (whole_months, whole_days) = (cut(months)?, cut(days)?);
        let part_of_month = settled((months - months.trunc()) * 30.0);
        let seconds = settled((days - days.trunc() + part_of_month - part_of_month.trunc()) * 86_400.0);
        let micros = (self.micros as f64 * factor + seconds * 1e6).round_ties_even();
        let micros = if micros.abs() < 9e18 { rounded(micros) } else { return None };
        let days = whole_days.checked_add(cut(part_of_month)?)?;
        // A whole day that time makes out of parts of days belongs to the days.
        let from_parts = if seconds.abs() >= 86_400.0 { cut(seconds / 86_400.0)? } else { 0 };
        Self { months: whole_months, days: days + from_parts, micros: micros - from_parts * DAY }.checked().ok()
    }

    fn add(&mut self, amount: Amount, unit: Unit) -> Result<(), Problem> {
        match unit {
            Unit::Microsecond => self.add_time(amount, 1),
            Unit::Millisecond => self.add_time(amount, 1000),
            Unit::Second => self.add_time(amount, SECOND),
            Unit::Minute => self.add_time(amount, MINUTE),
            Unit::Hour => self.add_time(amount, HOUR),
            Unit::Day => self.add_days(amount, 1),
            Unit::Week => self.add_days(amount, 7),
            Unit::Month => {
                self.add_months(Amount { fraction: 0.0, ..amount }, 1)?;
                self.add_days(Amount { whole: 0, ..amount }, 30)
            }
            Unit::Year => self.add_months(amount, 12),
            Unit::Decade => self.add_months(amount, 120),
            Unit::Century => self.add_months(amount, 1200),
            Unit::Millennium => self.add_months(amount, 12_000),
        }
    }

    fn add_time(&mut self, amount: Amount, unit: i64) -> Result<(), Problem> {
        let whole =
            amount.whole.checked_mul(unit).and_then(|micros| micros.checked_add(portion(amount.fraction, unit)));
        self.micros = whole.and_then(|micros| self.micros.checked_add(micros)).ok_or(Problem::Range)?;
        Ok(())
    }

    fn add_days(&mut self, amount: Amount, unit: i64) -> Result<(), Problem> {
        #[expect(clippy::cast_precision_loss, reason = "1, 7 or 30")]
        let fraction = amount.fraction * unit as f64;
        let days = amount.whole.checked_mul(unit).and_then(|days| days.checked_add(rounded(fraction.trunc())));
        self.days = days.and_then(|days| self.days.checked_add(days)).ok_or(Problem::Range)?;
        self.add_time(Amount { whole: portion(fraction.fract(), DAY), fraction: 0.0 }, 1)
    }

    fn add_months(&mut self, amount: Amount, unit: i64) -> Result<(), Problem> {
        let months =
            amount.whole.checked_mul(unit).and_then(|months| months.checked_add(portion(amount.fraction, unit)));
        self.months = months.and_then(|months| self.months.checked_add(months)).ok_or(Problem::Range)?;
        Ok(())
    }

    fn checked(self) -> Result<Self, Problem> {
        let fits = i32::try_from(self.months).is_ok() && i32::try_from(self.days).is_ok() && self.micros != i64::MIN;
        if fits { Ok(self) } else { Err(Problem::Range) }
    }
}

fn read_unit(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" => Unit::Microsecond,
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennia" | "millennium" => Unit::Millennium,
        _ => return None,
    })
}

fn read_parts(text: &str) -> Result<Interval, Problem> {
    let lower = text.to_ascii_lowercase();
    let mut tokens: Vec<&str> =
        lower.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|token| !token.is_empty()).collect();
    if tokens.first() == Some(&"@") {
        tokens.remove(0);
    }
    let is_ago = tokens.last() == Some(&"ago");
    if is_ago {
        tokens.pop();
    }
    if tokens.is_empty() {
        return Err(Problem::Syntax);
    }
    let mut interval = Interval::default();
    let mut seen: Vec<Unit> = Vec::new();
    let mut rest = tokens.as_slice();
    while let [token, tail @ ..] = rest {
        let (units, used) = read_part(&mut interval, token, tail)?;
        if units.iter().any(|unit| seen.contains(unit)) {
            return Err(Problem::Syntax);
        }
        seen.extend(units);
        rest = tail.get(used..).unwrap_or_default();
    }
    if is_ago {
        interval = Interval {
            months: -interval.months,
            days: -interval.days,
            micros: interval.micros.checked_neg().ok_or(Problem::Range)?,
        };
    }
    interval.checked()
}

/// Adds one part; gives the units it filled and how many tokens of `tail` belong to it.
fn read_part(interval: &mut Interval, token: &str, tail: &[&str]) -> Result<(Vec<Unit>, usize), Problem> {
    if token.contains(':') {
        interval.micros = interval.micros.checked_add(read_clock(token)?).ok_or(Problem::Range)?;
        return Ok((vec![Unit::Hour, Unit::Minute, Unit::Second], 0));
    }
    if let Some((years, months)) = token.split_once('-').filter(|(years, _)| !years.is_empty()) {
        interval.add(read_amount(years)?, Unit::Year)?;
        interval.add(read_amount(months)?, Unit::Month)?;
        return Ok((vec![Unit::Year, Unit::Month], 0));
    }
    let number_end = token.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(token.len());
    let (number, attached) = token.split_at(number_end);
    let amount = read_amount(number)?;
    let (unit, used) = match (attached, tail.first()) {
        ("", None) => (Unit::Second, 0),
        ("", Some(time)) if time.contains(':') => (Unit::Day, 0),
        ("", Some(word)) => (read_unit(word).ok_or(Problem::Syntax)?, 1),
        (word, _) => (read_unit(word).ok_or(Problem::Syntax)?, 0),
    };
    interval.add(amount, unit)?;
    Ok((vec![unit], used))
}

/// `[-]h:m[:s[.f]]`, or `m:s.f`; in microseconds.
fn read_clock(token: &str) -> Result<i64, Problem> {
    let (sign, unsigned) = match token.strip_prefix('-') {
        Some(unsigned) => (-1, unsigned),
        None => (1, token.strip_prefix('+').unwrap_or(token)),
    };
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { digits.parse::<i64>().map_err(|_| Problem::Range) } else { Err(Problem::Syntax) }
    };
    let (clock, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(clock, digits)| (clock, Some(digits)));
    let fields = clock.split(':').map(number).collect::<Result<Vec<_>, _>>()?;
    let (hours, minutes, seconds) = match (fields.as_slice(), fraction) {
        ([minutes, seconds], Some(_)) => (0, *minutes, *seconds),
        ([hours, minutes], None) => (*hours, *minutes, 0),
        ([hours, minutes, seconds], _) => (*hours, *minutes, *seconds),
        _ => return Err(Problem::Syntax),
    };
    if minutes > 59 || seconds > 60 {
        return Err(Problem::Range);
    }
    let fraction = match fraction {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => temporal::read_fraction(digits),
        Some(_) => return Err(Problem::Syntax),
        None => 0,
    };
    let whole = hours.checked_mul(HOUR).ok_or(Problem::Range)?;
    whole.checked_add(minutes * MINUTE + seconds * SECOND + fraction).map(|micros| sign * micros).ok_or(Problem::Range)
}

fn read_iso(text: &str) -> Result<Interval, Problem> {
    let mut interval = Interval::default();
    let mut rest = text;
    let mut is_time = false;
    if rest.is_empty() {
        return Err(Problem::Syntax);
    }
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|_| !is_time) {
            is_time = true;
            rest = time;
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or(Problem::Syntax)?;
        let (number, designator) = rest.split_at(end);
        let unit = match (designator.chars().next(), is_time) {
            (Some('Y'), false) => Unit::Year,
            (Some('M'), false) => Unit::Month,
            (Some('W'), false) => Unit::Week,
            (Some('D'), false) => Unit::Day,
            (Some('H'), true) => Unit::Hour,
            (Some('M'), true) => Unit::Minute,
            (Some('S'), true) => Unit::Second,
            _ => return Err(Problem::Syntax),
        };
        interval.add(read_amount(number)?, unit)?;
        rest = designator.get(1..).unwrap_or_default();
    }
    interval.checked()
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = [(self.months / 12, "year"), (self.months % 12, "mon"), (self.days, "day")];
        let mut is_first = true;
        let mut follows_negative = false;
        for (value, unit) in fields {
            if value == 0 {
                continue;
            }
            let space = if is_first { "" } else { " " };
            let plus = if follows_negative && value > 0 { "+" } else { "" };
            let plural = if value == 1 { "" } else { "s" };
            write!(f, "{space}{plus}{value} {unit}{plural}")?;
            is_first = false;
            follows_negative = value < 0;
        }
        if !is_first && self.micros == 0 {
            return Ok(());
        }
        let space = if is_first { "" } else { " " };
        let sign = match (self.micros < 0, follows_negative) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        write!(f, "{space}{sign}{}", temporal::write_time(self.micros.abs()))
    }
}
