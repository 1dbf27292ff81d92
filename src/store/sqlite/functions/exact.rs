//! Exact numbers that are computed with as Postgres does it.
//!
//! Source: `numeric.c` of Postgres for the digits of a quotient (`select_div_scale`); observed on Postgres 15.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use rusqlite::Result;
use rusqlite::types::ValueRef;

use super::{Fault, failed, text};
use crate::plan::value::decimal;

/// Digits that a quotient has at least, counted from its first that is not zero, in groups.
const QUOTIENT_DIGITS: i32 = 16;

/// Digits of one group: Postgres' base is 10,000.
const GROUP_DIGITS: i32 = 4;

/// Most digits behind the point that a quotient gets, unless the dividend has more.
const QUOTIENT_SCALE_MAX: u32 = 1_000;

/// Most digits behind the point that a number is rounded to.
const ROUNDED_SCALE_MAX: i64 = 2_000;

/// Most digits of a number before the point, and behind it.
///
/// Source: <https://www.postgresql.org/docs/15/datatype-numeric.html#DATATYPE-NUMERIC-TABLE>.
const WHOLE_DIGITS_MAX: u64 = 131_072;
const SCALE_MAX: u32 = 16_383;

/// An exact number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exact {
    /// `mantissa / 10^scale`. Most sums stay in it.
    Small(i128, u32),
    /// The same, of any size.
    Large(BigInt, u32),
    /// Beyond all numbers, on the side the sign tells.
    Infinity(Sign),
    NaN,
}

impl Exact {
    /// Zero with so many digits behind the point.
    pub(super) fn zero(scale: u32) -> Self {
        Self::Small(0, scale)
    }

    /// Reads a number of SQLite, the shortest decimal that stands for it, or the text of one.
    pub(super) fn read(value: ValueRef<'_>) -> Result<Self> {
        let plain = match value {
            ValueRef::Integer(integer) => return Ok(Self::Small(integer.into(), 0)),
            ValueRef::Real(real) => real.to_string(),
            other @ (ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_)) => {
                text(other).unwrap_or_default().into_owned()
            }
        };
        let syntax = || {
            let message = format!("invalid input syntax for type numeric: \"{plain}\"");
            failed(Fault { code: "22P02", message })
        };
        let printed = decimal::print(&plain, None).ok_or_else(syntax)?;
        match &*printed {
            "NaN" => return Ok(Self::NaN),
            "Infinity" => return Ok(Self::Infinity(Sign::Plus)),
            "-Infinity" => return Ok(Self::Infinity(Sign::Minus)),
            _ => {}
        }
        let (whole, fraction) = printed.split_once('.').unwrap_or((&printed, ""));
        let scale = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        let digits = format!("{whole}{fraction}");
        match digits.parse() {
            Ok(small) => Ok(Self::Small(small, scale)),
            Err(_) => digits.parse().map(|large| Self::Large(large, scale)).map_err(|_| syntax()),
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::NaN, _) | (_, Self::NaN) => Self::NaN,
            (Self::Infinity(sign), Self::Infinity(other)) if sign != other => Self::NaN,
            (Self::Infinity(sign), _) | (_, Self::Infinity(sign)) => Self::Infinity(sign),
            (Self::Small(left, left_scale), Self::Small(right, right_scale)) => {
                let scale = left_scale.max(right_scale);
                let at_scale = |mantissa: i128, of: u32| 10_i128.checked_pow(scale - of)?.checked_mul(mantissa);
                let both = at_scale(left, left_scale).zip(at_scale(right, right_scale));
                match both.and_then(|(left, right)| left.checked_add(right)) {
                    Some(sum) => Self::Small(sum, scale),
                    None => plus_large((left.into(), left_scale), (right.into(), right_scale)),
                }
            }
            (Self::Small(left, scale), Self::Large(right, of)) | (Self::Large(right, of), Self::Small(left, scale)) => {
                plus_large((left.into(), scale), (right, of))
            }
            (Self::Large(left, scale), Self::Large(right, of)) => plus_large((left, scale), (right, of)),
        }
    }

    /// The quotient by a number of rows, which is not zero.
    pub(super) fn over(self, count: i64) -> Self {
        match self.finite() {
            Ok((mantissa, scale)) => divided((&mantissa, scale), (&count.into(), 0)),
            Err(other) => other,
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Small(mantissa, scale) => match mantissa.checked_neg() {
                Some(mantissa) => Self::Small(mantissa, scale),
                None => Self::Large(-BigInt::from(mantissa), scale),
            },
            Self::Large(mantissa, scale) => Self::Large(-mantissa, scale),
            Self::Infinity(sign) => Self::Infinity(-sign),
            Self::NaN => Self::NaN,
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.plus(other.negated())
    }

    /// The product, with the digits behind the point of both together.
    pub(super) fn times(self, other: Self) -> Self {
        if let (Self::Small(left, left_scale), Self::Small(right, right_scale)) = (&self, &other)
            && let Some(product) = left.checked_mul(*right)
        {
            return Self::Small(product, left_scale + right_scale);
        }
        match (self.finite(), other.finite()) {
            (Ok((left, left_scale)), Ok((right, right_scale))) => Self::Large(left * right, left_scale + right_scale),
            (Ok((number, _)), Err(Self::Infinity(sign))) | (Err(Self::Infinity(sign)), Ok((number, _))) => {
                let of = number.sign();
                if of == Sign::NoSign { Self::NaN } else { Self::Infinity(of * sign) }
            }
            (Err(Self::Infinity(left)), Err(Self::Infinity(right))) => Self::Infinity(left * right),
            _ => Self::NaN,
        }
    }

    /// The quotient with as many digits as Postgres gives it, rounded half away from zero; `None` for one by zero.
    pub(super) fn divided_by(self, divisor: Self) -> Option<Self> {
        Some(match (self.finite(), divisor.finite()) {
            (Err(Self::NaN), _) | (_, Err(Self::NaN)) => Self::NaN,
            (_, Ok((divisor, _))) if divisor.sign() == Sign::NoSign => return None,
            (Ok((dividend, scale)), Ok((divisor, of))) => divided((&dividend, scale), (&divisor, of)),
            (Err(Self::Infinity(sign)), Ok((divisor, _))) => Self::Infinity(sign * divisor.sign()),
            (Ok(_), Err(_)) => Self::zero(0),
            (Err(_), _) => Self::NaN,
        })
    }

    /// What is left of a division that gives a whole number, with the sign of the dividend; `None` for one by zero.
    pub(super) fn remainder(self, divisor: Self) -> Option<Self> {
        Some(match (self.finite(), divisor.finite()) {
            (Err(Self::NaN), _) | (_, Err(Self::NaN)) => Self::NaN,
            (_, Ok((divisor, _))) if divisor.sign() == Sign::NoSign => return None,
            (Ok((dividend, scale)), Ok((divisor, of))) => {
                let common = scale.max(of);
                Self::Large(at_scale(dividend, scale, common) % at_scale(divisor, of, common), common)
            }
            (Ok((dividend, scale)), Err(_)) => Self::Large(dividend, scale),
            (Err(_), _) => Self::NaN,
        })
    }

    /// The number with so many digits behind the point, or before it zeros where `digits` is negative.
    pub(super) fn rounded(self, digits: i64, rounding: Rounding) -> Self {
        let (mantissa, scale) = match self.finite() {
            Ok(finite) => finite,
            Err(other) => return other,
        };
        let digits = digits.clamp(-ROUNDED_SCALE_MAX, ROUNDED_SCALE_MAX);
        let shown = u32::try_from(digits).unwrap_or(0);
        let cut = i64::from(scale) - digits;
        let Ok(cut) = u32::try_from(cut) else {
            return Self::Large(at_scale(mantissa, scale, shown), shown);
        };
        let unit = BigInt::from(10).pow(cut);
        let (whole, rest) = (&mantissa / &unit, &mantissa % &unit);
        let is_cut = rest.sign() != Sign::NoSign;
        let away = match rounding {
            Rounding::Nearest => rest.magnitude() * 2_u32 >= *unit.magnitude(),
            Rounding::TowardZero => false,
            Rounding::Down => is_cut && mantissa.sign() == Sign::Minus,
            Rounding::Up => is_cut && mantissa.sign() == Sign::Plus,
        };
        let whole = match (away, mantissa.sign()) {
            (false, _) => whole,
            (true, Sign::Minus) => whole - 1,
            (true, Sign::Plus | Sign::NoSign) => whole + 1,
        };
        // Behind a negative number of digits stand zeros.
        let zeros = u32::try_from(-digits).unwrap_or(0);
        Self::Large(whole * BigInt::from(10).pow(zeros), shown)
    }

    /// -1, 0 or 1; `NaN` has no sign.
    pub(super) fn signum(self) -> Self {
        let sign = match self.finite() {
            Ok((mantissa, _)) => mantissa.sign(),
            Err(Self::Infinity(sign)) => sign,
            Err(_) => return Self::NaN,
        };
        Self::Small(
            match sign.cmp(&Sign::NoSign) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            },
            0,
        )
    }

    pub(super) fn absolute(self) -> Self {
        let is_negative = match &self {
            Self::Small(mantissa, _) => *mantissa < 0,
            Self::Large(mantissa, _) => mantissa.sign() == Sign::Minus,
            Self::Infinity(sign) => *sign == Sign::Minus,
            Self::NaN => false,
        };
        if is_negative { self.negated() } else { self }
    }

    /// True for a number that Postgres would hold.
    pub(super) fn is_in_range(&self) -> bool {
        let (bits, scale) = match self {
            Self::Small(..) | Self::Infinity(_) | Self::NaN => return true,
            Self::Large(mantissa, scale) => (mantissa.bits(), *scale),
        };
        // A digit has a bit less than ten thirds of a bit; what is near the bound nobody computes.
        scale <= SCALE_MAX && bits.saturating_mul(3) / 10 <= WHOLE_DIGITS_MAX + u64::from(scale)
    }

    /// The digits and how many of them are behind the point; else what it is.
    fn finite(self) -> std::result::Result<(BigInt, u32), Self> {
        match self {
            Self::Small(mantissa, scale) => Ok((mantissa.into(), scale)),
            Self::Large(mantissa, scale) => Ok((mantissa, scale)),
            other @ (Self::Infinity(_) | Self::NaN) => Err(other),
        }
    }
}

/// Which of its two neighbours a number becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// The nearest, of two the one away from zero.
    Nearest,
    TowardZero,
    Down,
    Up,
}

/// The same number with more digits behind the point.
fn at_scale(mantissa: BigInt, of: u32, scale: u32) -> BigInt {
    mantissa * BigInt::from(10).pow(scale.saturating_sub(of))
}

fn plus_large((left, left_scale): (BigInt, u32), (right, right_scale): (BigInt, u32)) -> Exact {
    let scale = left_scale.max(right_scale);
    Exact::Large(at_scale(left, left_scale, scale) + at_scale(right, right_scale, scale), scale)
}

fn divided((dividend, of): (&BigInt, u32), (divisor, divisor_scale): (&BigInt, u32)) -> Exact {
    let ((group, weight), (by_group, by_weight)) = (first_group(dividend, of), first_group(divisor, divisor_scale));
    let quotient_weight = weight - by_weight - i32::from(group <= by_group);
    let scale = (QUOTIENT_DIGITS - quotient_weight * GROUP_DIGITS).max(0);
    let scale = u32::try_from(scale).unwrap_or(0).max(of).max(divisor_scale).min(QUOTIENT_SCALE_MAX.max(of));
    // The point of the quotient is moved by what the divisor has behind its own.
    let (mut dividend, mut divisor) = (dividend.clone(), divisor.clone());
    match (scale + divisor_scale).checked_sub(of) {
        Some(more) => dividend *= BigInt::from(10).pow(more),
        None => divisor *= BigInt::from(10).pow(of - scale - divisor_scale),
    }
    let (sign, magnitude) = dividend.into_parts();
    let (by_sign, divisor) = divisor.into_parts();
    // Twice the dividend and the divisor, to add a half.
    let quotient = (magnitude * 2_u32 + &divisor) / (divisor * 2_u32);
    Exact::Large(BigInt::from_biguint(sign * by_sign, quotient), scale)
}

/// The first group of digits that is not zero, and its place: 0 for the one before the point.
fn first_group(mantissa: &BigInt, scale: u32) -> (u32, i32) {
    if mantissa.sign() == Sign::NoSign {
        return (0, 0);
    }
    let digits = mantissa.magnitude().to_string();
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The place of the first digit, counted from that before the point.
    let first = length - i32::try_from(scale).unwrap_or(0) - 1;
    let kept = usize::try_from(first.rem_euclid(GROUP_DIGITS) + 1).unwrap_or(1);
    let group: String = digits.chars().chain(std::iter::repeat('0')).take(kept).collect();
    (group.parse().unwrap_or(0), first.div_euclid(GROUP_DIGITS))
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (is_negative, digits, scale) = match self {
            Self::NaN => return f.write_str("NaN"),
            Self::Infinity(Sign::Minus) => return f.write_str("-Infinity"),
            Self::Infinity(Sign::Plus | Sign::NoSign) => return f.write_str("Infinity"),
            Self::Small(mantissa, scale) => (*mantissa < 0, mantissa.unsigned_abs().to_string(), *scale),
            Self::Large(mantissa, scale) => (mantissa.sign() == Sign::Minus, mantissa.magnitude().to_string(), *scale),
        };
        let scale = usize::try_from(scale).unwrap_or(0);
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if is_negative { "-" } else { "" };
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::read(ValueRef::Text(text.as_bytes())).unwrap()
    }

    /// Expected values taken from Postgres 15.
    #[test]
    fn sums_and_quotients_of_any_size_are_exact() {
        let large = "170141183460469231731687303715884105727";
        assert_eq!(exact(large).plus(exact("1")).to_string(), "170141183460469231731687303715884105728");
        assert_eq!(exact(large).plus(exact("-0.5")).to_string(), "170141183460469231731687303715884105726.5");
        assert_eq!(exact(large).plus(exact(&format!("-{large}"))).to_string(), "0");
        let tiny = format!("0.{}1", "0".repeat(60));
        assert_eq!(exact(&tiny).plus(exact("1")).to_string(), format!("1.{}1", "0".repeat(60)));
        for (dividend, count, quotient) in [
            ("1", 3, "0.33333333333333333333"),
            ("10", 4, "2.5000000000000000"),
            ("-5", 2, "-2.5000000000000000"),
            ("123456789012345678901234567890.5", 3, "41152263004115226300411522630.2"),
            ("-123456789012345678901234567891", 2, "-61728394506172839450617283946"),
            ("0", 7, "0.00000000000000000000"),
        ] {
            assert_eq!(exact(dividend).over(count).to_string(), quotient, "{dividend} / {count}");
        }
    }

    #[test]
    fn what_is_no_number_is_kept_through_a_sum() {
        assert_eq!(exact("NaN").plus(exact("1")), Exact::NaN);
        assert_eq!(exact("inf").plus(exact("-inf")), Exact::NaN);
        assert_eq!(exact("1").plus(exact("-inf")).over(2).to_string(), "-Infinity");
        assert!(Exact::read(ValueRef::Text(b"x")).is_err());
    }
}
