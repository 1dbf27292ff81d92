//! `->` and `->>`: one step into JSON, what is found kept as it was written.

use std::borrow::Cow;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

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
    find(document, operand).map(|found| found.get().to_owned())
}

/// `->>`: a string's text, the JSON of all else; `None` also for JSON's null.
pub(in crate::store::sqlite) fn get_text(document: &str, operand: Operand<'_>) -> Option<String> {
    let found = find(document, operand)?.get();
    match found.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => serde_json::from_str(found).ok(),
        _ => Some(found.to_owned()),
    }
}

fn find<'a>(document: &'a str, operand: Operand<'_>) -> Option<&'a RawValue> {
    let mut reader = serde_json::Deserializer::from_str(document);
    let found = match operand {
        Operand::Key(key) => reader.deserialize_map(Member(key)),
        Operand::Index(index @ 0..) => reader.deserialize_seq(Element(usize::try_from(index).ok()?)),
        Operand::Index(index) => {
            let from_end = usize::try_from(index.unsigned_abs()).ok()?;
            let length = reader.deserialize_seq(Length).ok()?;
            return find(document, Operand::Index(i64::try_from(length.checked_sub(from_end)?).ok()?));
        }
    };
    found.ok().flatten()
}

/// The member of that name; the last of several.
struct Member<'k>(&'k str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if name == self.0 {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// The element at that index.
struct Element(usize);

impl<'de> Visitor<'de> for Element {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.0 {
            if elements.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = elements.next_element()?;
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// How many elements there are.
struct Length;

impl<'de> Visitor<'de> for Length {
    type Value = usize;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<usize, A::Error> {
        let mut length: usize = 0;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            length += 1;
        }
        Ok(length)
    }
}
