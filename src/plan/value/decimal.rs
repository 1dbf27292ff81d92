//! Decimals in their text: how they sort, and how they are printed.
//!
//! The order is that of the collation `decimal` ([`DECIMAL`](crate::catalog::type_name::DECIMAL)), by which columns hold
//! what no number of SQLite does: `-Infinity`, the numbers, `Infinity`, `NaN`, and after them text that spells none, by
//! its bytes. `2.5` and `2.50` are equal.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::numeric::{self, Decimal, Sign};

/// How `left` sorts to `right`.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Place::of(left), Place::of(right));
    match (&left, &right) {
        (Place::Number(left), Place::Number(right)) => Parts::of(left).compare(&Parts::of(right)),
        (Place::Text(left), Place::Text(right)) => left.cmp(right),
        _ => left.rank().cmp(&right.rank()),
    }
}

/// The decimal that `text` spells as Postgres prints it, with `scale` digits behind the point when it has one; `None` when
/// it spells none.
#[must_use]
pub fn print(text: &str, scale: Option<u32>) -> Option<Cow<'_, str>> {
    let scale = scale.and_then(|scale| usize::try_from(scale).ok());
    if is_printed(text) && scale.is_none_or(|scale| fraction(text).len() == scale) {
        return Some(Cow::Borrowed(text));
    }
    Some(Cow::Owned(numeric::read(text).ok()?.at_scale(scale).to_string()))
}

/// True for digits as they are printed: no exponent, no zeros in front, a digit on both sides of a point.
fn is_printed(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, behind) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole) && (whole == "0" || !whole.starts_with('0')) && behind.is_none_or(are_digits)
}

fn fraction(text: &str) -> &str {
    text.split_once('.').map_or("", |(_, fraction)| fraction)
}

/// Where a text stands among all.
enum Place<'a> {
    Below,
    /// A number, as it is printed.
    Number(Cow<'a, str>),
    Above,
    NaN,
    /// No number.
    Text(&'a str),
}

impl<'a> Place<'a> {
    fn of(text: &'a str) -> Self {
        if is_printed(text) {
            return Self::Number(Cow::Borrowed(text));
        }
        match numeric::read(text) {
            Ok(Decimal::Finite(number)) => Self::Number(Cow::Owned(number.to_string())),
            Ok(Decimal::Infinity(Sign::Minus)) => Self::Below,
            Ok(Decimal::Infinity(Sign::Plus)) => Self::Above,
            Ok(Decimal::NaN) => Self::NaN,
            Err(_) => Self::Text(text),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Below => 0,
            Self::Number(_) => 1,
            Self::Above => 2,
            Self::NaN => 3,
            Self::Text(_) => 4,
        }
    }
}

/// A number without what does not count: zeros in front and at the end.
struct Parts<'a> {
    sign: Sign,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Parts<'a> {
    fn of(printed: &'a str) -> Self {
        let (sign, unsigned) = match printed.strip_prefix('-') {
            Some(unsigned) => (Sign::Minus, unsigned),
            None => (Sign::Plus, printed),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Self { sign: if is_zero { Sign::Plus } else { sign }, whole, fraction }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let sizes = || {
            let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(other.whole));
            whole.then_with(|| self.fraction.cmp(other.fraction))
        };
        match (self.sign, other.sign) {
            (Sign::Minus, Sign::Plus) => Ordering::Less,
            (Sign::Plus, Sign::Minus) => Ordering::Greater,
            (Sign::Plus, Sign::Plus) => sizes(),
            (Sign::Minus, Sign::Minus) => sizes().reverse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_sort_by_value_and_text_behind_them() {
        let sorted = [
            "-Infinity",
            "-1e20",
            "-10",
            "-9.99",
            "-0.5",
            "-0.05",
            "0",
            "0.000000000000000000001",
            "0.05",
            "0.5",
            "9",
            "9.0000000000000000000001",
            "10",
            "1.0e+20",
            "100000000000000000000.1",
            "inf",
            "NaN",
            "",
            "abc",
        ];
        for (place, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(compare(left, right), place.cmp(&other), "{left} and {right}");
            }
        }
        for equal in [["2.5", "2.50"], ["-0.0", "0"], ["1e2", "100.00"], ["007", "7"], [".5", "0.5"]] {
            assert_eq!(compare(equal[0], equal[1]), Ordering::Equal, "{equal:?}");
        }
    }

    #[test]
    fn a_decimal_is_printed_with_the_digits_of_its_type() {
        for (text, scale, expected) in [
            ("2.50", None, Some("2.50")),
            ("2.5", Some(2), Some("2.50")),
            ("5.0", Some(0), Some("5")),
            ("0.125", Some(2), Some("0.13")),
            ("1.0e+20", None, Some("100000000000000000000")),
            ("-.5", None, Some("-0.5")),
            ("007", None, Some("7")),
            ("nan", Some(2), Some("NaN")),
            ("-inf", None, Some("-Infinity")),
            ("12x", None, None),
            ("", None, None),
        ] {
            assert_eq!(print(text, scale).as_deref(), expected, "{text} {scale:?}");
        }
    }

    fn any_spelled() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => "-?[0-9]{1,25}(\\.[0-9]{1,25})?",
            1 => "-?[0-9]{1,3}e-?[0-9]{1,2}",
            1 => "NaN|Infinity|-Infinity|[a-z0-9. -]{0,4}",
        ]
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in any_spelled(), b in any_spelled(), c in any_spelled()) {
            prop_assert_eq!(compare(&a, &a), Ordering::Equal);
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
                prop_assert!(compare(&a, &c).is_le());
            }
        }

        #[test]
        fn integers_sort_as_numbers(a in any::<i128>(), b in any::<i128>(), zeros in 0..4_usize) {
            let spelled = format!("{a}.{}", "0".repeat(zeros + 1));
            prop_assert_eq!(compare(&spelled, &b.to_string()), a.cmp(&b));
        }

        #[test]
        fn what_is_printed_is_the_same_number(text in any_spelled()) {
            if let Some(printed) = print(&text, None) {
                prop_assert_eq!(compare(&text, &printed), Ordering::Equal);
                prop_assert_eq!(print(&printed, None), Some(Cow::Borrowed(&*printed)));
            }
        }
    }
}
