//! Pages by the keys of their rows: `-after=` and `-before=` of the query, or `Prefer: pagination=keyset`.
//!
//! ```text
//! parameter  = ( "-after" / "-before" ) "=" [ cursor ]      ; without a cursor: from the first row, up to the last
//! preference = "pagination=keyset" / ( "after" / "before" ) "=" cursor
//! ```
//!
//! A cursor comes from a `Link` header of an earlier answer and is not looked into here.

use super::Error;

/// The parameter of the rows behind a cursor.
pub(super) const AFTER: &str = "-after";

/// The parameter of the rows before one.
pub(super) const BEFORE: &str = "-before";

/// Which rows, seen from a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Those behind it, nearest first; without a cursor all, from the first on.
    After,
    /// Those before it, nearest last; without a cursor all, up to the last.
    Before,
}

/// A page by keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seek {
    /// On which side of the cursor.
    pub side: Side,
    /// Where to begin; `None`: at the end of that side.
    pub cursor: Option<String>,
    /// The query as sent, without its own place: what a link to another page is made of.
    pub query: String,
}

/// The side and the cursor of a pair.
type Wish = (Side, Option<String>);

/// Reads the parameter of that side.
pub(super) fn parse(side: Side, value: &str) -> Wish {
    (side, (!value.is_empty()).then(|| value.to_owned()))
}

/// The one of two parameters that is there.
///
/// # Errors
/// [`Error::TwoCursors`] when both are.
pub(super) fn only(after: Option<Wish>, before: Option<Wish>) -> Result<Option<Wish>, Error> {
    match (after, before) {
        (Some(_), Some(_)) => Err(Error::TwoCursors),
        (after, before) => Ok(after.or(before)),
    }
}

/// Takes one preference in; `None` when it is none. One with a cursor wins over one without.
pub(super) fn prefer(known: &mut Option<Wish>, name: &str, value: &str) -> Option<()> {
    let wish = match (name, value) {
        ("pagination", "keyset") => (Side::After, None),
        ("after", cursor) => parse(Side::After, cursor),
        ("before", cursor) => parse(Side::Before, cursor),
        _ => return None,
    };
    match known {
        Some((_, Some(_))) => {}
        Some((_, None)) if wish.1.is_none() => {}
        Some(_) | None => *known = Some(wish),
    }
    Some(())
}

/// The query without the parameters above.
pub(super) fn without_place(query: &str) -> String {
    let is_place = |parameter: &&str| {
        let key = parameter.split('=').next().unwrap_or_default();
        let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy();
        matches!(key.as_ref(), AFTER | BEFORE)
    };
    let kept: Vec<&str> = query.split(['&', ';']).filter(|it| !it.is_empty() && !is_place(it)).collect();
    kept.join("&")
}
