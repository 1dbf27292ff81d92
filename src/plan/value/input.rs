//! Text into values: what Postgres' input functions do.

use serde_json::Value as Json;

use super::array::Nested;
use super::json::Escapes;
use super::payload::read_member;
use super::zone::{self, Zone};
use super::{Value, array as literal, boolean, bytes, fault, form, interval, json, numeric, temporal};
use crate::catalog::type_name::Held;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Error;
use crate::search::Vector;

/// Reads values for somebody whose clocks are those of a zone.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    zone: &'a Zone,
}

impl Default for Reader<'_> {
    /// One whose clocks show UTC.
    fn default() -> Self {
        Self { zone: &zone::UTC }
    }
}

impl<'a> Reader<'a> {
    /// One whose clocks are those of a zone.
    #[must_use]
    pub fn of(zone: Option<&'a Zone>) -> Self {
        zone.map_or_else(Self::default, |zone| Self { zone })
    }

    /// Reads the text of a filter as a value of the type.
    ///
    /// Lengths and scales of the type are not applied, as Postgres does not apply them to a literal that is compared:
    /// `1.005` stays unequal to every `numeric(4,2)`. A value for `char(n)` is filled with spaces, so that it finds its
    /// like.
    ///
    /// A column without a type ([`TypeKind::Any`]) is compared with a number when the text is just what a number prints
    /// as, else with text: SQLite never finds a number equal to text there, and its numbers are shown as that text.
    ///
    /// # Errors
    /// [`Error::Sqlstate`] with Postgres' code and text when the text is no value of the type.
    pub fn coerce(self, text: &str, type_name: &TypeName) -> Result<Value, Error> {
        read(text, &self.form(type_name, Purpose::Compare))
    }

    /// Reads text as the value that a column of the type stores: it must fit, and is rounded to the type's scale.
    ///
    /// # Errors
    /// [`Error::Sqlstate`] with Postgres' code and text when the text is no value of the type.
    pub fn store(self, text: &str, type_name: &TypeName) -> Result<Value, Error> {
        read(text, &self.form(type_name, Purpose::Store))
    }

    /// Reads a Postgres array literal, e.g. `{1,2}`, as the values of a filter; arrays in it are taken as one list.
    ///
    /// # Errors
    /// 22P02 `malformed array literal`, or what [`coerce`](Self::coerce) says of an element.
    pub fn array(self, text: &str, element: &TypeKind) -> Result<Vec<Value>, Error> {
        let (purpose, padded, zone) = (Purpose::Compare, Padding::None, self.zone);
        let form = Form { kind: element, purpose, fraction_digits: None, padded, zone };
        let texts = literal::read(text)?.flatten();
        texts.into_iter().map(|text| text.map_or(Ok(Value::Null), |text| read(&text, &form))).collect()
    }

    /// Reads a member of a row's object as a value to be stored in a column of the type.
    ///
    /// Null is null. Into JSON types the value goes as it is, into arrays element by element; all else is turned into
    /// its text (a string's own, else its JSON) and read as the type's input. Lengths, scales and precisions are applied.
    ///
    /// A `json` column gets the value without the white space and the repeated keys it was sent with: they are gone once
    /// the body is read, and an exponent without a sign has got a `+` that an error about the number then shows.
    ///
    /// # Errors
    /// [`Error::Sqlstate`] with Postgres' code and text when the value does not fit the type.
    pub fn from_json(self, value: &Json, type_name: &TypeName) -> Result<Value, Error> {
        read_member(value, &self.form(type_name, Purpose::Store))
    }

    fn form(self, type_name: &'a TypeName, purpose: Purpose) -> Form<'a> {
        let fraction_digits = match purpose {
            Purpose::Compare => None,
            Purpose::Store => type_name.fraction_digits(),
        };
        let padded = if type_name.is_blank_padded() { Padding::Blank } else { Padding::None };
        Form { kind: &type_name.kind, purpose, fraction_digits, padded, zone: self.zone }
    }
}

/// [`Reader::coerce`] for whom clocks show UTC.
///
/// # Errors
/// As there.
pub fn coerce(text: &str, type_name: &TypeName) -> Result<Value, Error> {
    Reader::default().coerce(text, type_name)
}

/// [`Reader::store`] for whom clocks show UTC.
///
/// # Errors
/// As there.
pub fn store(text: &str, type_name: &TypeName) -> Result<Value, Error> {
    Reader::default().store(text, type_name)
}

/// What a value is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be compared: the type's length and scale do not matter.
    Compare,
    /// To be stored: it must fit, and is rounded to the type's scale.
    Store,
}

/// Whether text is filled with spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    None,
    Blank,
}

/// A type with what its name says beyond its kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) kind: &'a TypeKind,
    pub(super) purpose: Purpose,
    pub(super) fraction_digits: Option<u32>,
    pub(super) padded: Padding,
    pub(super) zone: &'a Zone,
}

impl<'a> Form<'a> {
    /// The same for the elements of an array.
    pub(super) fn element(&self, kind: &'a TypeKind) -> Self {
        Self { kind, padded: Padding::None, ..*self }
    }
}

/// Reads text as the type's input function does.
pub(super) fn read(text: &str, form: &Form<'_>) -> Result<Value, Error> {
    if text.contains('\0') {
        return Err(fault::nul_byte());
    }
    let kind = form.kind;
    match kind {
        TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => numeric::read_integer(text, kind),
        TypeKind::Real | TypeKind::Double => numeric::read_float(text, kind),
        TypeKind::Numeric { precision, scale, held } => read_numeric(text, form.purpose, precision.zip(*scale), *held),
        TypeKind::Boolean => match boolean::read(text) {
            Some(boolean) => Ok(Value::Integer(i64::from(boolean))),
            None => Err(fault::invalid_syntax(kind, text)),
        },
        TypeKind::Text { max_length: Some(length) } => read_limited(text, *length, form),
        TypeKind::Text { max_length: None } | TypeKind::Other => Ok(Value::Text(text.to_owned())),
        TypeKind::TsVector => Ok(Value::Text(Vector::read(text)?.to_string())),
        TypeKind::Date | TypeKind::Time | TypeKind::TimeTz | TypeKind::Timestamp | TypeKind::TimestampTz => {
            temporal::read(text, kind, form.fraction_digits, form.zone).map(Value::Text)
        }
        TypeKind::Interval => interval::read(text).map(Value::Text),
        TypeKind::Uuid => {
            bytes::read_uuid(text).map(Value::Text).ok_or_else(|| fault::invalid_syntax(&TypeKind::Uuid, text))
        }
        TypeKind::Json => {
            json::check(text, Escapes::Kept)?;
            Ok(Value::Text(text.to_owned()))
        }
        TypeKind::Jsonb => json::read_jsonb(text).map(Value::Text),
        TypeKind::Bytea => bytes::read_bytea(text).map(Value::Blob),
        TypeKind::Enum { name, labels } if !labels.iter().any(|label| label == text) => {
            Err(fault::invalid_enum(name, text))
        }
        TypeKind::Enum { .. } => Ok(Value::Text(text.to_owned())),
        TypeKind::Array(element) => {
            let form = form.element(element);
            let read_element = |text: Option<String>| text.map_or(Ok(Value::Null), |text| read(&text, &form));
            let values = literal::read(text)?.try_map(&read_element)?;
            Ok(Value::Text(array_json(&values, element)))
        }
        TypeKind::Any => Ok(read_any(text, form.purpose)),
    }
}

/// An array as it is stored: JSON, its elements as `row_to_json` writes them.
pub(super) fn array_json(values: &Nested<Value>, element: &TypeKind) -> String {
    let mut out = Vec::new();
    write_array(&mut out, values, element);
    // Every writer of a form writes whole characters.
    String::from_utf8(out).unwrap_or_default()
}

/// Calls itself for arrays inside, which are at most six deep.
fn write_array(out: &mut Vec<u8>, values: &Nested<Value>, element: &TypeKind) {
    match values {
        Nested::Item(value) => form::write_json(out, value.into(), element),
        Nested::Items(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b"," } else { b"" });
                write_array(out, item, element);
            }
            out.push(b']');
        }
    }
}

/// `digits`: those of the type in all, and those behind the point.
fn read_numeric(text: &str, purpose: Purpose, digits: Option<(u32, u32)>, held: Held) -> Result<Value, Error> {
    let decimal = numeric::read(text)?;
    match (purpose, digits) {
        (Purpose::Compare, _) => Ok(decimal.comparable(held)),
        (Purpose::Store, Some((precision, scale))) => decimal.fit(precision, scale)?.exact(held, text),
        (Purpose::Store, None) => decimal.exact(held, text),
    }
}

/// Text of at most `length` characters: spaces beyond are cut off, other characters are an error.
fn read_limited(text: &str, length: u32, form: &Form<'_>) -> Result<Value, Error> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut value = text.to_owned();
    if let Some((end, _)) = text.char_indices().nth(length) {
        let is_blank = text.get(end..).is_some_and(|beyond| beyond.bytes().all(|byte| byte == b' '));
        match (form.purpose, form.padded) {
            _ if is_blank && (form.purpose == Purpose::Store || form.padded == Padding::Blank) => value.truncate(end),
            (Purpose::Store, Padding::Blank) => return Err(fault::too_long(&format!("character({length})"))),
            (Purpose::Store, Padding::None) => return Err(fault::too_long(&form.kind.postgres_name())),
            (Purpose::Compare, _) => {}
        }
    }
    if form.padded == Padding::Blank {
        let missing = length.saturating_sub(value.chars().count());
        value.extend(std::iter::repeat_n(' ', missing));
    }
    Ok(Value::Text(value))
}

fn read_any(text: &str, purpose: Purpose) -> Value {
    if purpose == Purpose::Compare {
        if let Some(integer) = text.parse::<i64>().ok().filter(|integer| integer.to_string() == text) {
            return Value::Integer(integer);
        }
        if let Some(real) = text.parse::<f64>().ok().filter(|real| real.is_finite() && prints_as(*real, text)) {
            return Value::Real(real);
        }
    }
    Value::Text(text.to_owned())
}

fn prints_as(real: f64, text: &str) -> bool {
    let mut printed = Vec::new();
    form::write_double(&mut printed, real);
    printed == text.as_bytes()
}
