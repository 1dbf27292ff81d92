//! Whether two sides have the same rows: their number, and a sum over them in which their order does not matter.

use std::fmt;

use sha2::{Digest, Sha256};

/// The rows of a table, or one column of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// The sum of the first 16 bytes of each row's SHA-256. Equal rows count as often as they are there.
    pub checksum: u128,
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} rows with the checksum {:032x}", self.rows, self.checksum)
    }
}

/// One row on its way into a [`Sum`].
#[derive(Debug, Default)]
pub(super) struct Row(Sha256);

impl Row {
    /// Adds a value's canonical text, by its length first: no two rows of values have the same bytes.
    pub(super) fn value(&mut self, text: Option<&[u8]>) {
        match text {
            None => self.0.update([0]),
            Some(text) => {
                self.0.update([1]);
                self.0.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
                self.0.update(text);
            }
        }
    }

    /// A value of which only that it is there counts.
    pub(super) fn presence(&mut self) {
        self.0.update([2]);
    }
}

impl Sum {
    /// Adds a row.
    pub(super) fn add(&mut self, row: Row) {
        let digest = row.0.finalize();
        let first = digest.iter().take(16).fold(0_u128, |first, byte| (first << 8) | u128::from(*byte));
        self.rows += 1;
        self.checksum = self.checksum.wrapping_add(first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[Option<&str>]]) -> Sum {
        let mut sum = Sum::default();
        for values in rows {
            let mut row = Row::default();
            values.iter().for_each(|value| row.value(value.map(str::as_bytes)));
            sum.add(row);
        }
        sum
    }

    #[test]
    fn rows_count_whatever_their_order_and_every_difference_shows() {
        let some = sum(&[&[Some("a"), None], &[Some("b"), Some("c")]]);
        assert_eq!(some, sum(&[&[Some("b"), Some("c")], &[Some("a"), None]]));
        for other in [
            sum(&[&[Some("a"), None]]),
            sum(&[&[Some("a"), Some("")], &[Some("b"), Some("c")]]),
            sum(&[&[Some("bc"), Some("")], &[Some("a"), None]]),
            sum(&[&[Some("a"), None], &[Some("a"), None]]),
            sum(&[&[None, Some("a")], &[Some("b"), Some("c")]]),
        ] {
            assert_ne!(some, other);
        }
    }
}
