//! Rows that a write gives back, sorted when all are there: `RETURNING` has no order.

use std::cmp::Ordering;

use rusqlite::Rows;
use rusqlite::types::Value;

use super::outcome::{Body, BodyFault};
use crate::request::order::{Direction, Nulls};
use crate::store::Error;

/// What a value takes in memory, besides what it points to.
const VALUE_BYTES: usize = std::mem::size_of::<Value>();

/// Rows as SQLite gave them: their columns, then what they are ordered by.
#[derive(Debug, Default)]
pub(super) struct Unsorted {
    rows: Vec<Vec<Value>>,
    keys: usize,
    size_bytes: usize,
}

impl Unsorted {
    /// Adds all rows, whose last `keys` columns are what they are ordered by.
    ///
    /// # Errors
    /// `54000` when they take more than `max_bytes`.
    pub(super) fn add_all(&mut self, rows: &mut Rows<'_>, keys: usize, max_bytes: usize) -> Result<(), BodyFault> {
        self.keys = keys;
        while let Some(row) = rows.next()? {
            let columns = row.as_ref().column_count();
            let values = (0..columns).map(|index| row.get(index)).collect::<rusqlite::Result<Vec<Value>>>()?;
            self.size_bytes += values.iter().map(size_bytes).sum::<usize>();
            if self.size_bytes > max_bytes {
                return Err(BodyFault::Refused(Error::too_large(max_bytes)));
            }
            self.rows.push(values);
        }
        Ok(())
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    /// Adds the rows to a body, in order. Those that are equal stay as they came.
    ///
    /// # Errors
    /// What the body says.
    pub(super) fn finish(&mut self, order: &[(Direction, Nulls)], body: &mut Body) -> Result<(), BodyFault> {
        let keys = self.keys;
        let keys_of = |row: &'_ Vec<Value>| row.len().saturating_sub(keys);
        self.rows.sort_by(|one, other| {
            let (one, other) = (one.iter().skip(keys_of(one)), other.iter().skip(keys_of(other)));
            let terms = one.zip(other).zip(order).map(|((one, other), way)| compare(one, other, *way));
            terms.fold(Ordering::Equal, Ordering::then)
        });
        self.rows.drain(..).try_for_each(|row| body.add_kept(&row))
    }
}

fn size_bytes(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Null | Value::Integer(_) | Value::Real(_) => 0,
        }
}

fn compare(one: &Value, other: &Value, (direction, nulls): (Direction, Nulls)) -> Ordering {
    let before = match nulls {
        Nulls::First => Ordering::Less,
        Nulls::Last => Ordering::Greater,
    };
    match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => before,
        (_, Value::Null) => before.reverse(),
        _ if direction == Direction::Descending => compare_present(other, one),
        _ => compare_present(one, other),
    }
}

/// As SQLite compares: numbers, then text, then bytes.
fn compare_present(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Real(one), Value::Real(other)) => one.total_cmp(other),
        (Value::Integer(one), Value::Real(other)) => compare_mixed(*one, *other),
        (Value::Real(one), Value::Integer(other)) => compare_mixed(*other, *one).reverse(),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Blob(one), Value::Blob(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

/// Exact also where an integer has more digits than a float.
fn compare_mixed(integer: i64, real: f64) -> Ordering {
    #[expect(clippy::cast_precision_loss, reason = "what is lost is looked at below")]
    let rounded = integer as f64;
    // A float without a fraction; the greatest integers round up to one that no integer reaches.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then greater")]
    let exactly = || i128::from(integer).cmp(&(real as i128));
    rounded.total_cmp(&real).then_with(exactly)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_as_sqlite_compares_them() {
        let (up, down) = ((Direction::Ascending, Nulls::Last), (Direction::Descending, Nulls::First));
        let text = |text: &str| Value::Text(text.to_owned());
        let ascending = [
            Value::Real(-1.5),
            Value::Integer(0),
            Value::Real(0.5),
            Value::Integer(i64::MAX),
            Value::Real(9_223_372_036_854_775_808.0),
            text("A"),
            text("a"),
            Value::Blob(vec![0]),
            Value::Null,
        ];
        for (index, one) in ascending.iter().enumerate() {
            for (place, other) in ascending.iter().enumerate() {
                assert_eq!(compare(one, other, up), index.cmp(&place), "{one:?} {other:?}");
                assert_eq!(compare(one, other, down), place.cmp(&index), "{one:?} {other:?}");
            }
        }
    }
}
