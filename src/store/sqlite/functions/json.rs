//! `->` and `->>`: one step into JSON, what is found kept as it was written.

use crate::store::sqlite::parts;

/// Where the step leads.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::sqlite) enum Operand<'a> {
    /// To an object's member.
    Key(&'a str),
    /// To an array's element; negative counts from its end.
    Index(i64),
}

/// `->`: the JSON there; `None` when there is none, or when the text is no JSON.
pub(super) fn get(document: &str, operand: Operand<'_>) -> Option<String> {
    find(document, operand).map(str::to_owned)
}

/// `->>`: a string's text, the JSON of all else; `None` also for JSON's null.
pub(in crate::store::sqlite) fn get_text(document: &str, operand: Operand<'_>) -> Option<String> {
    let found = find(document, operand)?;
    match found.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => serde_json::from_str(found).ok(),
        _ => Some(found.to_owned()),
    }
}

/// Of several members of a name the last counts.
fn find<'a>(document: &'a str, operand: Operand<'_>) -> Option<&'a str> {
    match operand {
        Operand::Key(key) => {
            let mut found = None;
            parts::each_member(document, |name, value| {
                if name == key {
                    found = Some(value);
                }
            })?;
            found
        }
        Operand::Index(index) => {
            let elements = parts::elements(document)?;
            elements.get(place_of(index, elements.len())?).copied()
        }
    }
}

/// The place of an element; negative indexes count from the end. `None` where there is none.
pub(super) fn place_of(index: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let place = if index < 0 { length.checked_sub(distance)? } else { distance };
    (place < length).then_some(place)
}
