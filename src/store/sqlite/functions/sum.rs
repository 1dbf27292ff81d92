//! Sums and means as Postgres has them: exact for exact numbers, in the order of the rows for floats.
//!
//! | function | second argument | gives |
//! |---|---|---|
//! | `berth_sum(value, digits)`, `berth_avg(value, digits)` | digits behind the point of the values' type | the text of an exact number |
//! | `berth_sum(value)`, `berth_avg(value)` | | the same, each value with the digits that it has itself |
//! | `berth_sum(value, type)`, `berth_avg(value, type)` | `'real'` or `'double'` | a float |
//!
//! Values that are null do not count; without any other the result is null. Exact numbers are those of
//! [`exact`](super::exact).

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Result};

use super::exact::Exact;
use super::text;

/// Most digits behind the point that a type may say.
const SCALE_MAX: u32 = 1_000;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    // With one argument alone, before which SQLite takes DISTINCT.
    for arguments in [1, 2] {
        connection.create_aggregate_function("berth_sum", arguments, flags, Sum(Made::Sum))?;
        connection.create_aggregate_function("berth_avg", arguments, flags, Sum(Made::Mean))?;
    }
    Ok(())
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
    Exact(Exact),
    Double(f64),
    Real(f32),
}

/// The sum so far and the number of values.
#[derive(Debug)]
struct Running {
    total: Total,
    count: i64,
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
            None => {
                let kind = if context.len() > 1 { context.get_raw(1) } else { ValueRef::Null };
                running.insert(Running { total: self.start(kind), count: 0 })
            }
        };
        running.count += 1;
        match &mut running.total {
            Total::Exact(total) => {
                let so_far = std::mem::replace(total, Exact::NaN);
                *total = so_far.plus(Exact::read(value)?);
            }
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
            (Total::Exact(total), Made::Mean) => Value::Text(total.over(count).to_string()),
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
                Total::Exact(Exact::zero(u32::try_from(digits).unwrap_or(0).min(SCALE_MAX)))
            }
            (ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_), _) => Total::Exact(Exact::zero(0)),
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
