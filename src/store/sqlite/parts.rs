//! The parts of JSON, as they are written.
//!
//! `serde_json` has a type for that, with which a member of a certain name makes it read a text inside of JSON as JSON
//! too: a sender could nest as deep as memory goes. So the feature is off, and parts are found here.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// What may stand between values.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The elements of an array; `None` when the text is none.
pub(super) fn elements(text: &str) -> Option<Vec<&str>> {
    let mut elements = Vec::new();
    each(text, '[', ']', |rest| {
        elements.push(take_value(rest)?);
        Some(())
    })?;
    Some(elements)
}

/// Shows each member of an object, its name and its value; `None` when the text is none.
pub(super) fn each_member<'a>(text: &'a str, mut show: impl FnMut(&str, &'a str)) -> Option<()> {
    each(text, '{', '}', |rest| {
        let name = take_value(rest)?;
        *rest = rest.trim_start_matches(SPACE).strip_prefix(':')?;
        let bare = name.strip_prefix('"')?.strip_suffix('"')?;
        let name = if bare.contains('\\') { Cow::Owned(serde_json::from_str(name).ok()?) } else { Cow::Borrowed(bare) };
        show(&name, take_value(rest)?);
        Some(())
    })
}

/// Takes what stands between `open` and `close`, one after the other, with commas between.
fn each<'a>(text: &'a str, open: char, close: char, mut take: impl FnMut(&mut &'a str) -> Option<()>) -> Option<()> {
    let mut rest = text.trim_matches(SPACE).strip_prefix(open)?.strip_suffix(close)?.trim_matches(SPACE);
    if rest.is_empty() {
        return Some(());
    }
    loop {
        take(&mut rest)?;
        rest = rest.trim_start_matches(SPACE);
        if rest.is_empty() {
            return Some(());
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// Takes the value that a text begins with. `serde_json` passes over values without calling itself.
fn take_value<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start_matches(SPACE);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let (value, behind) = text.split_at_checked(values.byte_offset())?;
    *rest = behind;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Option<Vec<(String, &str)>> {
        let mut members = Vec::new();
        each_member(text, |name, value| members.push((name.to_owned(), value)))?;
        Some(members)
    }

    #[test]
    fn parts_are_as_they_are_written() {
        assert_eq!(
            elements(" [1.10 , \"a,]\" ,[ 2,3],{\"b\": null} ]\n"),
            Some(vec!["1.10", "\"a,]\"", "[ 2,3]", "{\"b\": null}"])
        );
        assert_eq!(elements("[ ]"), Some(Vec::new()));
        let found = members(r#"{"a" : 1 ,"\u0062":{"c":2},"":"}"}"#).unwrap();
        assert_eq!(found, [("a".into(), "1"), ("b".into(), r#"{"c":2}"#), ("".into(), r#""}""#)]);
        assert_eq!(members("{}"), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_list_has_no_parts() {
        for text in ["", "[", "]", "[1", "1]", "[1,]", "[,1]", "[1 2]", "[1]]", "[[1]", "[1]x", "{}", "[01]", "[a]"] {
            assert_eq!(elements(text), None, "{text}");
        }
        for text in ["", "{", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":1}}", "[]", "{a:1}"] {
            assert_eq!(members(text), None, "{text}");
        }
    }
}
