//! What must hold of the number of rows, whichever store brought them.

use super::Error;
use crate::plan::Expectation;

/// Checks what must hold of the number of rows.
///
/// # Errors
/// The one that says what does not hold.
pub(super) fn check(expect: Expectation, rows: u64) -> Result<(), Error> {
    if expect.put && rows != 1 {
        return Err(Error::PutMismatch);
    }
    if expect.singular && rows != 1 {
        return Err(Error::NotSingular { rows });
    }
    match expect.max_affected {
        Some(most) if rows > most => Err(Error::MaxAffected { rows }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_name_the_first_that_does_not_hold() {
        let none = Expectation::default();
        assert!(check(none, 0).is_ok() && check(none, 99).is_ok());
        let singular = Expectation { singular: true, ..none };
        assert!(check(singular, 1).is_ok());
        assert!(matches!(check(singular, 0), Err(Error::NotSingular { rows: 0 })));
        assert!(matches!(check(singular, 2), Err(Error::NotSingular { rows: 2 })));
        let most = Expectation { max_affected: Some(2), ..none };
        assert!(check(most, 2).is_ok());
        assert!(matches!(check(most, 3), Err(Error::MaxAffected { rows: 3 })));
        let put = Expectation { put: true, singular: true, ..none };
        assert!(matches!(check(put, 0), Err(Error::PutMismatch)));
    }
}
