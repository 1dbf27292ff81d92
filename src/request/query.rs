//! The query string: its parameters decoded, each given to the grammar that its key names.
//!
//! ```text
//! query = parameter *( ( "&" / ";" ) parameter )
//! parameter = key [ "=" value ]                  ; "+" is a space, "%" and two digits a byte of UTF-8
//! ```
//!
//! | key, or its end behind the last dot | value |
//! |---|---|
//! | `select`, `columns`, `on_conflict` | the first one counts |
//! | `-distinct`, `-after`, `-before` | berth's own: the dash keeps it apart from columns; the first one counts |
//! | `order`, `and`, `or`, `limit`, `offset` | may stand behind the path of an embedded resource |
//! | anything else | a filter, or an argument of a function called by `GET` |
//!
//! A key without `=` says nothing, except to `Content-Location`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::parameter::{self, Audience, Parameter};
use super::range::{Bound, Windows};
use super::seek::Side;
use super::{
    Distinct, EmbedPath, Error, Filter, LogicTree, OrderTerm, SelectItem, distinct, field, lex, logic, order, seek,
    select,
};

/// Parameters of one query: each may become a condition of one statement, or an argument of one call.
const PARAMETERS_MAX: usize = 2_000;

/// All bytes but the unreserved ones of RFC 3986.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Parameters in order of arrival; the value is absent without `=`.
pub(super) type Pairs<'a> = Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>;

/// What a query string asks for.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) select: Vec<SelectItem>,
    pub(super) filters: Vec<(EmbedPath, Filter)>,
    pub(super) arguments: Vec<(String, String)>,
    pub(super) logic: Vec<(EmbedPath, LogicTree)>,
    pub(super) order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    pub(super) windows: Windows,
    pub(super) columns: Option<Vec<String>>,
    pub(super) on_conflict: Option<Vec<String>>,
    pub(super) distinct: Option<Distinct>,
    pub(super) seek: Option<(Side, Option<String>)>,
    pub(super) canonical: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Select,
    Columns,
    OnConflict,
    Own,
    Order,
    Logic,
    Window(Bound),
    Filter,
}

impl Key {
    fn of(key: &str) -> Self {
        match key {
            "select" => return Self::Select,
            "columns" => return Self::Columns,
            "on_conflict" => return Self::OnConflict,
            distinct::PARAMETER | seek::AFTER | seek::BEFORE => return Self::Own,
            _ => {}
        }
        match key.rsplit('.').next() {
            Some("order") => Self::Order,
            Some("and" | "or") => Self::Logic,
            Some("limit") => Self::Window(Bound::Limit),
            Some("offset") => Self::Window(Bound::Offset),
            Some(_) | None => Self::Filter,
        }
    }
}

impl Query {
    /// Reads a query string; `audience` says whether a parameter may be an argument.
    ///
    /// # Errors
    /// [`Error::QueryParameter`], [`Error::NulCharacter`] and [`Error::TooLarge`]; of several faulty parameters the
    /// one that `PostgREST` would name: `order`, logic, `columns`, `select`, filters, `on_conflict`.
    pub(super) fn parse(query: &str, audience: Audience) -> Result<Self, Error> {
        let pairs = pairs(query)?;
        let sent: Vec<(Key, &str, &str)> =
            pairs.iter().filter_map(|(key, value)| Some((Key::of(key), key.as_ref(), value.as_deref()?))).collect();
        let each =
            |wanted: Key| sent.iter().filter(move |(kind, ..)| *kind == wanted).map(|(_, key, value)| (*key, *value));

        let order = each(Key::Order)
            .map(|(key, value)| Ok((parameter::parse_key(key)?.0, order::parse(value)?)))
            .collect::<Result<_, Error>>()?;
        let logic = each(Key::Logic).map(|(key, value)| logic::parse(key, value)).collect::<Result<_, Error>>()?;
        let columns = first(&pairs, "columns").map(columns).transpose()?;
        let select = first(&pairs, "select").map_or_else(|| Ok(select::everything()), select::parse)?;
        let (mut filters, mut arguments) = (Vec::new(), Vec::new());
        for (key, value) in each(Key::Filter) {
            match parameter::parse(key, value, audience)? {
                (path, Parameter::Filter(filter)) => filters.push((path, filter)),
                (_, Parameter::Argument(name)) => arguments.push((name, value.to_owned())),
            }
        }
        let on_conflict = first(&pairs, "on_conflict").map(on_conflict).transpose()?;
        let distinct = first(&pairs, distinct::PARAMETER).map(distinct::parse).transpose()?;
        let side = |name, side| first(&pairs, name).map(|value| seek::parse(side, value));
        let seek = seek::only(side(seek::AFTER, Side::After), side(seek::BEFORE, Side::Before))?;
        let mut windows = Windows::default();
        for bound in [Bound::Limit, Bound::Offset] {
            for (key, value) in each(Key::Window(bound)) {
                windows.set(parameter::parse_key(key)?.0, bound, value);
            }
        }
        let canonical = canonical(pairs);
        Ok(Self { select, filters, arguments, logic, order, windows, columns, on_conflict, distinct, seek, canonical })
    }
}

/// The value of the first parameter of that name, when it has one.
fn first<'a>(pairs: &'a Pairs<'_>, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_deref())
}

/// Each name once, in order of appearance.
fn columns(value: &str) -> Result<Vec<String>, Error> {
    let mut names = lex::parse("failed to parse columns parameter", value, value, field::names)?;
    let mut seen = std::collections::HashSet::with_capacity(names.len());
    names.retain(|name| seen.insert(name.clone()));
    Ok(names)
}

fn on_conflict(value: &str) -> Result<Vec<String>, Error> {
    lex::parse("failed to parse on_conflict parameter", value, value, field::names)
}

/// Splits and decodes a query string or a form.
///
/// # Errors
/// [`Error::QueryParameter`] for what is not UTF-8, [`Error::NulCharacter`], [`Error::TooLarge`] past
/// [`PARAMETERS_MAX`].
pub(super) fn pairs(query: &str) -> Result<Pairs<'_>, Error> {
    // A separator at the very end opens no parameter.
    let query = query.strip_suffix(['&', ';']).unwrap_or(query);
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let mut pairs = Vec::new();
    for parameter in query.split(['&', ';']) {
        if pairs.len() >= PARAMETERS_MAX {
            return Err(Error::TooLarge(format!("more than {PARAMETERS_MAX} query parameters")));
        }
        let (key, value) = match parameter.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (parameter, None),
        };
        pairs.push((decode(key)?, value.map(decode).transpose()?));
    }
    Ok(pairs)
}

fn decode(encoded: &str) -> Result<Cow<'_, str>, Error> {
    let is_coded = encoded.bytes().any(|byte| matches!(byte, b'%' | b'+' | b'\0'));
    if !is_coded {
        return Ok(Cow::Borrowed(encoded));
    }
    let spaced = encoded.replace('+', " ");
    let bytes: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    let text = String::from_utf8(bytes).map_err(|_| Error::QueryParameter {
        message: format!("\"failed to decode query parameter ({encoded})\" (line 1, column 1)"),
        details: "unexpected byte expecting UTF-8".to_owned(),
    })?;
    if text.contains('\0') { Err(Error::NulCharacter) } else { Ok(Cow::Owned(text)) }
}

/// The parameters sorted by key and encoded afresh; values of the same key stand together with commas.
fn canonical(mut pairs: Pairs<'_>) -> String {
    pairs.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
    let mut text = String::new();
    let mut previous: Option<&str> = None;
    for (key, value) in &pairs {
        if previous == Some(key.as_ref()) {
            text.push(',');
        } else {
            if previous.is_some() {
                text.push('&');
            }
            text.extend(utf8_percent_encode(key, RESERVED));
            text.push('=');
        }
        text.extend(utf8_percent_encode(value.as_deref().unwrap_or_default(), RESERVED));
        previous = Some(key);
    }
    text
}
