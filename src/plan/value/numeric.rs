//! Exact decimals, and the floats and integers SQLite holds them in.

use super::{Value, fault};
use crate::catalog::TypeKind;
use crate::catalog::type_name::Held;
use crate::plan::Error;

/// Largest power of ten an exponent may name. A float ends at 308; a number with a longer row of zeros would only let
/// a few bytes of a request grow into many.
const EXPONENT_MAX: i32 = 400;

/// A decimal as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decimal {
    /// Not a number.
    NaN,
    /// Beyond all numbers, on the side the sign tells.
    Infinity(Sign),
    /// A number.
    Finite(Digits),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// Sign, then decimal digits (values 0 to 9, most significant first), the last `scale` of them behind the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    sign: Sign,
    digits: Vec<u8>,
    scale: usize,
}

/// Most digits before and behind the point.
///
/// Source: <https://www.postgresql.org/docs/15/datatype-numeric.html#DATATYPE-NUMERIC-TABLE>.
const WHOLE_DIGITS_MAX: usize = 131_072;
const SCALE_MAX: usize = 16_383;

/// Reads text as Postgres' `numeric` does.
pub(super) fn read(text: &str) -> Result<Decimal, Error> {
    let syntax = || fault::invalid_syntax(&TypeKind::NUMERIC, text);
    let trimmed = text.trim_ascii();
    let (sign, unsigned) = match trimmed.as_bytes().first() {
        Some(b'-') => (Sign::Minus, trimmed.get(1..).unwrap_or_default()),
        Some(b'+') => (Sign::Plus, trimmed.get(1..).unwrap_or_default()),
        _ => (Sign::Plus, trimmed),
    };
    if trimmed.eq_ignore_ascii_case("nan") {
        return Ok(Decimal::NaN);
    }
    if unsigned.eq_ignore_ascii_case("infinity") || unsigned.eq_ignore_ascii_case("inf") {
        return Ok(Decimal::Infinity(sign));
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at).unwrap_or_default(), unsigned.get(at + 1..)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() + fraction.len() == 0 {
        return Err(syntax());
    }
    let exponent = match exponent {
        Some(written) => read_exponent(written).ok_or_else(syntax)??,
        None => 0,
    };
    let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    let number = Digits::new(sign, digits, fraction.len(), exponent);
    let fits = number.whole_digits() <= WHOLE_DIGITS_MAX && number.scale <= SCALE_MAX;
    if fits { Ok(Decimal::Finite(number)) } else { Err(fault::numeric_overflow()) }
}

/// `None` when it is no exponent; an error when it is beyond [`EXPONENT_MAX`].
fn read_exponent(written: &str) -> Option<Result<i32, Error>> {
    let digits = written.strip_prefix(['+', '-']).unwrap_or(written);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match written.parse::<i32>() {
        Ok(exponent) if exponent.abs() <= EXPONENT_MAX => Some(Ok(exponent)),
        _ => Some(Err(fault::numeric_overflow())),
    }
}

impl Digits {
    /// `digits`, the last `fraction` of them behind the point, times ten to the `exponent`.
    fn new(sign: Sign, mut digits: Vec<u8>, fraction: usize, exponent: i32) -> Self {
        let shift = usize::try_from(exponent.unsigned_abs()).unwrap_or_default();
        let scale = if exponent < 0 {
            fraction + shift
        } else {
            if shift > fraction {
                digits.resize(digits.len() + shift - fraction, 0);
            }
            fraction.saturating_sub(shift)
        };
        let mut number = Self { sign, digits, scale };
        number.normalise();
        number
    }

    /// No zeros in front, but enough digits for the scale; no sign on zero.
    fn normalise(&mut self) {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        if self.digits.is_empty() {
            self.sign = Sign::Plus;
        }
        if self.digits.len() < self.scale {
            let missing = self.scale - self.digits.len();
            self.digits.splice(..0, std::iter::repeat_n(0, missing));
        }
    }

    /// Rounds half away from zero, or fills with zeros, to so many digits behind the point.
    fn rescale(&mut self, scale: usize) {
        if scale >= self.scale {
            self.digits.resize(self.digits.len() + scale - self.scale, 0);
        } else {
            let keep = self.digits.len() - (self.scale - scale);
            let rounds_up = self.digits.get(keep).is_some_and(|digit| *digit >= 5);
            self.digits.truncate(keep);
            if rounds_up {
                self.increment();
            }
        }
        self.scale = scale;
        self.normalise();
    }

    fn increment(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
    }

    /// Digits before the point, zeros in front not counted.
    fn whole_digits(&self) -> usize {
        self.digits.len() - self.scale
    }

    /// The sign, the number of digits before the point (negative: of zeros behind it), and the digits without zeros at
    /// either end.
    pub(super) fn significant(&self) -> (Sign, i32, &[u8]) {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        let end = self.digits.iter().rposition(|digit| *digit != 0).map_or(zeros, |last| last + 1);
        let point = i32::try_from(self.whole_digits()).unwrap_or(i32::MAX);
        let exponent = point - i32::try_from(zeros).unwrap_or(i32::MAX);
        (self.sign, exponent, self.digits.get(zeros..end).unwrap_or_default())
    }

    /// The number without zeros at the end of its fraction.
    fn trimmed(&self) -> Self {
        let mut number = self.clone();
        while number.scale > 0 && number.digits.last() == Some(&0) {
            number.digits.pop();
            number.scale -= 1;
        }
        number
    }
}

impl std::fmt::Display for Digits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, fraction) = self.digits.split_at(self.whole_digits());
        let text = |digits: &[u8]| digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>();
        f.write_str(if self.sign == Sign::Minus { "-" } else { "" })?;
        f.write_str(if whole.is_empty() { "0" } else { "" })?;
        f.write_str(&text(whole))?;
        if self.scale > 0 { write!(f, ".{}", text(fraction)) } else { Ok(()) }
    }
}

/// As Postgres prints it.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NaN => f.write_str("NaN"),
            Self::Infinity(Sign::Plus) => f.write_str("Infinity"),
            Self::Infinity(Sign::Minus) => f.write_str("-Infinity"),
            Self::Finite(number) => number.fmt(f),
        }
    }
}

impl Decimal {
    /// Rounded or filled to so many digits behind the point, when they are told.
    pub(super) fn at_scale(mut self, scale: Option<usize>) -> Self {
        if let (Self::Finite(number), Some(scale)) = (&mut self, scale) {
            number.rescale(scale);
        }
        self
    }

    /// Rounds to `numeric(precision, scale)`.
    ///
    /// # Errors
    /// 22003 `numeric field overflow` when it does not fit.
    pub(super) fn fit(self, precision: u32, scale: u32) -> Result<Self, Error> {
        let field = format!("A field with precision {precision}, scale {scale}");
        match self {
            Self::NaN => Ok(Self::NaN),
            Self::Infinity(_) => Err(fault::numeric_field_overflow(format!("{field} cannot hold an infinite value."))),
            Self::Finite(mut number) => {
                number.rescale(usize::try_from(scale).unwrap_or(usize::MAX));
                let room = precision.saturating_sub(scale);
                let significant = number.digits.iter().skip_while(|digit| **digit == 0).count();
                let whole = number.whole_digits();
                let fits = significant == 0
                    || if scale > precision {
                        significant <= usize::try_from(precision).unwrap_or(usize::MAX)
                    } else {
                        whole <= usize::try_from(room).unwrap_or(usize::MAX)
                    };
                if fits {
                    return Ok(Self::Finite(number));
                }
                let bound = match i64::from(precision) - i64::from(scale) {
                    0 => "1".to_owned(),
                    exponent => format!("10^{exponent}"),
                };
                let details = format!("{field} must round to an absolute value less than {bound}.");
                Err(fault::numeric_field_overflow(details))
            }
        }
    }

    /// The number SQLite holds, the nearest when none is exact.
    pub(super) fn nearest(&self) -> Value {
        match self {
            Self::NaN => Value::Text("NaN".to_owned()),
            Self::Infinity(Sign::Plus) => Value::Real(f64::INFINITY),
            Self::Infinity(Sign::Minus) => Value::Real(f64::NEG_INFINITY),
            Self::Finite(number) => {
                let text = number.trimmed().to_string();
                match text.parse::<i64>() {
                    Ok(integer) => Value::Integer(integer),
                    // Infinite only beyond 10^308, where comparisons still come out right.
                    Err(_) => Value::Real(text.parse().unwrap_or(f64::INFINITY)),
                }
            }
        }
    }

    /// The decimal to be compared with what a column holds.
    pub(super) fn comparable(&self, held: Held) -> Value {
        match held {
            Held::Number => self.nearest(),
            Held::Text => Value::Text(self.to_string()),
        }
    }

    /// The decimal as a column holds it: as its text, or as the number SQLite holds, when its shortest text is this very
    /// decimal.
    ///
    /// # Errors
    /// 22003 when SQLite would round it; `text` is what the client wrote.
    pub(super) fn exact(&self, held: Held, text: &str) -> Result<Value, Error> {
        let value = self.comparable(held);
        match (self, &value) {
            (Self::Finite(number), Value::Real(real)) if real.to_string() != number.trimmed().to_string() => {
                Err(fault::numeric_not_exact(text))
            }
            _ => Ok(value),
        }
    }
}

/// A number of JSON as `jsonb` prints it: no exponent, its scale kept.
pub(super) fn canonical_json_number(text: &str) -> Result<String, Error> {
    match read(text)? {
        Decimal::Finite(number) => Ok(number.to_string()),
        Decimal::NaN | Decimal::Infinity(_) => Err(fault::invalid_json(format!("Token \"{text}\" is invalid."))),
    }
}

/// Reads an integer type.
pub(super) fn read_integer(text: &str, kind: &TypeKind) -> Result<Value, Error> {
    let trimmed = text.trim_ascii();
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(fault::invalid_syntax(kind, text));
    }
    let in_range = |integer: &i64| {
        (*kind != TypeKind::SmallInt || i16::try_from(*integer).is_ok())
            && (*kind != TypeKind::Integer || i32::try_from(*integer).is_ok())
    };
    match trimmed.parse::<i64>() {
        Ok(integer) if in_range(&integer) => Ok(Value::Integer(integer)),
        _ => Err(fault::integer_out_of_range(kind, text)),
    }
}

/// Reads `real` or `double precision`; a `real` is rounded to 32 bits. `NaN` becomes text: SQLite makes null of it.
pub(super) fn read_float(text: &str, kind: &TypeKind) -> Result<Value, Error> {
    let trimmed = text.trim_ascii();
    let wide: f64 = trimmed.parse().map_err(|_| fault::invalid_syntax(kind, text))?;
    let value = if *kind == TypeKind::Real { trimmed.parse::<f32>().map_or(wide, f64::from) } else { wide };
    let names_no_number = !trimmed.bytes().any(|byte| byte.is_ascii_digit());
    if names_no_number {
        return Ok(if value.is_nan() { Value::Text("NaN".to_owned()) } else { Value::Real(value) });
    }
    let mantissa = trimmed.split(['e', 'E']).next().unwrap_or_default();
    let lost = value == 0.0 && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if lost || value.is_infinite() { Err(fault::float_out_of_range(kind, trimmed)) } else { Ok(Value::Real(value)) }
}
