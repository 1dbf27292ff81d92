//! Sums and means as Postgres has them: exact for exact numbers, in the order of the rows for floats.
//!
//! | function | second argument | gives |
//! |---|---|---|
//! | `berth_sum(value, digits)`, `berth_avg(value, digits)` | digits behind the point of the values' type | the text of an exact number |
//! | `berth_sum(value, type)`, `berth_avg(value, type)` | `'real'` or `'double'` | a float |
//!
//! Values that are null do not count; without any other the result is null. Exact numbers are added as integers of
//! 128 bits; a sum that leaves them is an error.
//!
//! Source: `numeric.c` of Postgres for the digits of a quotient (`select_div_scale`); observed on Postgres 15.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};

use super::{Fault, failed, text};

/// Digits that a quotient has at least, counted from its first that is not zero, in groups.
const QUOTIENT_DIGITS: i32 = 16;

/// Digits of one group: Postgres' base is 10,000.
const GROUP_DIGITS: i32 = 4;

/// Most digits behind the point that a value may have and still be added in 128 bits.
const SCALE_MAX: u32 = 30;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("berth_sum", 2, flags, Sum(Made::Sum))?;
    connection.create_aggregate_function("berth_avg", 2, flags, Sum(Made::Mean))
}

/// What is made of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Sum,
    Mean,
}

/// One of the two functions.
#[derive(Debug)]
struct Sum(Made);

/// The sum so far.
#[derive(Debug)]
enum Total {
    Exact(Decimal),
    Double(f64),
    Real(f32),
}

/// The sum so far and the number of values.
#[derive(Debug)]
struct Running {
    total: Total,
    count: i64,
}

/// `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Aggregate<Option<Running>, Value> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Running>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, running: &mut Option<Running>) -> Result<()> {
        let value = context.get_raw(0);
        if matches!(value, ValueRef::Null) {
            return Ok(());
        }
        let running = match running {
            Some(running) => running,
            None => running.insert(Running { total: self.start(context.get_raw(1)), count: 0 }),
        };
        running.count += 1;
        match &mut running.total {
            Total::Exact(total) => *total = total.plus(Decimal::read(value)?)?,
            Total::Double(total) => *total += float(value),
            Total::Real(total) => *total += narrow(float(value)),
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, running: Option<Option<Running>>) -> Result<Value> {
        let Some(Running { total, count }) = running.flatten() else { return Ok(Value::Null) };
        #[expect(clippy::cast_precision_loss, reason = "Postgres counts in a float8 too")]
        let divisor = count as f64;
        Ok(match (total, self.0) {
            (Total::Exact(total), Made::Sum) => Value::Text(total.to_string()),
            (Total::Exact(total), Made::Mean) => Value::Text(total.over(count)?),
            (Total::Double(total), Made::Sum) => Value::Real(total),
            (Total::Double(total), Made::Mean) => Value::Real(total / divisor),
            (Total::Real(total), _) => Value::Real(f64::from(total)),
        })
    }
}

impl Sum {
    /// A `real` is summed as such; its mean is that of doubles.
    fn start(&self, kind: ValueRef<'_>) -> Total {
        match (kind, self.0) {
            (ValueRef::Text(b"real"), Made::Sum) => Total::Real(0.0),
            (ValueRef::Text(_), _) => Total::Double(0.0),
            (ValueRef::Integer(digits), _) => {
                Total::Exact(Decimal { mantissa: 0, scale: u32::try_from(digits).unwrap_or(0).min(SCALE_MAX) })
            }
            (ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_), _) => {
                Total::Exact(Decimal { mantissa: 0, scale: 0 })
            }
        }
    }
}

fn float(value: ValueRef<'_>) -> f64 {
    match value {
        ValueRef::Real(real) => real,
        other @ (ValueRef::Null | ValueRef::Integer(_) | ValueRef::Text(_) | ValueRef::Blob(_)) => {
            text(other).and_then(|text| text.trim().parse().ok()).unwrap_or(0.0)
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a real is stored as the double that equals it")]
fn narrow(real: f64) -> f32 {
    real as f32
}

fn out_of_range() -> Error {
    failed(Fault { code: "22003", message: "value out of range: overflow".to_owned() })
}

impl Decimal {
    /// Reads the shortest decimal that stands for a number of SQLite.
    fn read(value: ValueRef<'_>) -> Result<Self> {
        let plain = match value {
            ValueRef::Integer(integer) => return Ok(Self { mantissa: integer.into(), scale: 0 }),
            ValueRef::Real(real) => real.to_string(),
            other @ (ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_)) => {
                text(other).unwrap_or_default().trim().to_owned()
            }
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= SCALE_MAX).ok_or_else(out_of_range)?;
        let digits = format!("{whole}{fraction}");
        let mantissa = digits.parse().map_err(|_| {
            let message = format!("invalid input syntax for type numeric: \"{plain}\"");
            failed(Fault { code: "22P02", message })
        })?;
        Ok(Self { mantissa, scale })
    }

    fn at_scale(self, scale: u32) -> Option<i128> {
        10_i128.checked_pow(scale.checked_sub(self.scale)?)?.checked_mul(self.mantissa)
    }

    fn plus(self, other: Self) -> Result<Self> {
        let scale = self.scale.max(other.scale);
        let sum = self.at_scale(scale).zip(other.at_scale(scale)).and_then(|(a, b)| a.checked_add(b));
        sum.map(|mantissa| Self { mantissa, scale }).ok_or_else(out_of_range)
    }

    /// The first group of digits that is not zero, and its place: 0 for the one before the point.
    fn first_group(self) -> (u128, i32) {
        let digits = self.mantissa.unsigned_abs().to_string();
        let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        let scale = i32::try_from(self.scale).unwrap_or(0);
        // The place of the first digit, counted from that before the point.
        let first = length - scale - 1;
        let weight = first.div_euclid(GROUP_DIGITS);
        let kept = usize::try_from(first.rem_euclid(GROUP_DIGITS) + 1).unwrap_or(1);
        let group: String = digits.chars().chain(std::iter::repeat('0')).take(kept).collect();
        if self.mantissa == 0 { (0, 0) } else { (group.parse().unwrap_or(0), weight) }
    }

    /// The quotient with as many digits as Postgres gives it, rounded half away from zero.
    fn over(self, count: i64) -> Result<String> {
        let divisor = Self { mantissa: count.into(), scale: 0 };
        let ((group, weight), (by_group, by_weight)) = (self.first_group(), divisor.first_group());
        let quotient_weight = weight - by_weight - i32::from(group <= by_group);
        let scale = (QUOTIENT_DIGITS - quotient_weight * GROUP_DIGITS).max(0);
        let scale = u32::try_from(scale).unwrap_or(0).max(self.scale);
        let (shift, sign) = (scale - self.scale, self.mantissa.signum());
        let divisor = divisor.mantissa.unsigned_abs();
        let mut rest = self.mantissa.unsigned_abs();
        let mut digits = (rest / divisor).to_string();
        rest %= divisor;
        // Long division, so that no intermediate number outgrows its bits.
        for _ in 0..shift {
            rest = rest.checked_mul(10).ok_or_else(out_of_range)?;
            digits.push_str(&(rest / divisor).to_string());
            rest %= divisor;
        }
        let mut mantissa: i128 = digits.parse().map_err(|_| out_of_range())?;
        if rest >= divisor - rest {
            mantissa += 1;
        }
        Ok(Self { mantissa: mantissa * sign, scale }.to_string())
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = usize::try_from(self.scale).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}
