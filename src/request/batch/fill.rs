//! Puts what references stand for into a parsed request, in the place of marks.
//!
//! A mark is a number between two characters that Unicode keeps for the inside of programs. The request is parsed with
//! the marks in it, and they are replaced only where a value stands. A mark anywhere else (a name, an operator, an
//! order) is an error: a value never becomes a part of the query's own text.

use std::borrow::Cow;

use percent_encoding::utf8_percent_encode;
use serde_json::Value as Json;

use super::Reference;
use crate::request::filter::{LIST_MAX, Operation};
use crate::request::query::RESERVED;
use crate::request::{Error, Filter, LogicTree, Raw, Request};

/// Stands on both sides of a mark's number. A noncharacter: no text that is meant for others has it.
const FENCE: char = '\u{FDD0}';

/// The marks of a request, with what they stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'a> {
    pub(super) references: &'a [Reference],
    pub(super) values: &'a [Cow<'a, Json>],
}

impl Marks<'_> {
    /// The mark of the reference of that number.
    pub(super) fn mark(number: usize) -> String {
        format!("{FENCE}{number}{FENCE}")
    }

    /// True when a text has what looks like a mark, encoded or not.
    pub(super) fn has_any(text: &str) -> bool {
        percent_encoding::percent_decode_str(text).decode_utf8_lossy().contains(FENCE)
    }

    /// Reads a request, and replaces all its marks.
    ///
    /// # Errors
    /// What is wrong with it; [`Error::Batch`] for a value that cannot stand where its mark does, and for a mark where no
    /// value stands.
    pub(super) fn read(&self, raw: &Raw) -> Result<Request, Error> {
        let mut request = Request::parse(raw).map_err(|error| self.explain(error))?;
        self.fill(&mut request)?;
        Ok(request)
    }

    fn fill(&self, request: &mut Request) -> Result<(), Error> {
        let mut placed = 0;
        for (_, filter) in &mut request.filters {
            self.fill_filter(filter, &mut placed)?;
        }
        for (_, tree) in &mut request.logic {
            self.fill_tree(tree, &mut placed)?;
        }
        for (_, text) in &mut request.arguments {
            self.fill_text(text, &mut placed)?;
        }
        if placed != self.values.len() {
            return Err(super::wrong(
                "a reference in \"path\" may only be the value of a filter or an argument, not of eq(any) and its like, \
                 nor of cs, cd and ov",
            ));
        }
        request.canonical_query = self.write_out(&request.canonical_query)?;
        if let Some(seek) = &mut request.seek {
            seek.query = self.write_out(&seek.query)?;
        }
        Ok(())
    }

    /// Calls itself for what is nested; the depth was bounded when the tree was parsed.
    fn fill_tree(&self, tree: &mut LogicTree, placed: &mut usize) -> Result<(), Error> {
        match tree {
            LogicTree::Node { children, .. } => children.iter_mut().try_for_each(|child| self.fill_tree(child, placed)),
            LogicTree::Leaf(filter) => self.fill_filter(filter, placed),
        }
    }

    fn fill_filter(&self, filter: &mut Filter, placed: &mut usize) -> Result<(), Error> {
        match &mut filter.operation {
            Operation::Compare { quantifier: None, value, .. }
            | Operation::IsDistinctFrom(value)
            | Operation::FullText { value, .. } => self.fill_text(value, placed),
            Operation::In(values) => self.fill_list(values, placed),
            // Their values are texts with a grammar of their own, which a value could leave.
            Operation::Compare { quantifier: Some(_), .. } | Operation::Contain { .. } | Operation::Is(_) => Ok(()),
        }
    }

    /// An array that is an element by itself gives its elements.
    fn fill_list(&self, values: &mut Vec<String>, placed: &mut usize) -> Result<(), Error> {
        let mut filled = Vec::with_capacity(values.len());
        for mut element in std::mem::take(values) {
            match only_mark(&element).map(|number| self.values.get(number).map(Cow::as_ref)) {
                Some(Some(Json::Array(items))) => {
                    *placed += 1;
                    for item in items {
                        filled.push(text_of(item, &element)?);
                    }
                }
                Some(_) | None => {
                    self.fill_text(&mut element, placed)?;
                    filled.push(element);
                }
            }
            if filled.len() > LIST_MAX {
                return Err(Error::Batch(format!("a list has more than {LIST_MAX} values")));
            }
        }
        *values = filled;
        Ok(())
    }

    fn fill_text(&self, text: &mut String, placed: &mut usize) -> Result<(), Error> {
        if !text.contains(FENCE) {
            return Ok(());
        }
        *text = replace(text, |number| {
            *placed += 1;
            self.text(number)
        })?;
        Ok(())
    }

    /// A text that is shown and not read, with each mark replaced by its value, percent-encoded.
    pub(super) fn write_out(&self, encoded: &str) -> Result<String, Error> {
        let fence = utf8_percent_encode(FENCE.encode_utf8(&mut [0; 4]), RESERVED).to_string();
        let plain = encoded.replace(&fence, FENCE.encode_utf8(&mut [0; 4]));
        replace(&plain, |number| {
            let text = match self.values.get(number).map(Cow::as_ref) {
                Some(Json::Array(items)) => {
                    let items: Vec<String> = items.iter().map(|item| text_of(item, "")).collect::<Result<_, _>>()?;
                    items.join(",")
                }
                Some(_) | None => self.text(number)?,
            };
            Ok(utf8_percent_encode(&text, RESERVED).to_string())
        })
    }

    /// An error that names what was written instead of the marks.
    fn explain(&self, error: Error) -> Error {
        let shown = |text: String| {
            let written = |number: usize| {
                Ok(self.references.get(number).map(|reference| format!("${{{}}}", reference.text)).unwrap_or_default())
            };
            replace(&text, written).unwrap_or(text)
        };
        let Error::QueryParameter { message, details } = error else { return error };
        Error::QueryParameter { message: shown(message), details: shown(details) }
    }

    fn text(&self, number: usize) -> Result<String, Error> {
        let written = self.references.get(number).map(|reference| reference.text.as_str()).unwrap_or_default();
        self.values.get(number).map_or_else(|| Ok(String::new()), |value| text_of(value, written))
    }
}

/// The number of the mark that is all of the text.
fn only_mark(text: &str) -> Option<usize> {
    text.strip_prefix(FENCE)?.strip_suffix(FENCE)?.parse().ok()
}

/// The text with each mark replaced.
fn replace(text: &str, mut with: impl FnMut(usize) -> Result<String, Error>) -> Result<String, Error> {
    let mut replaced = String::with_capacity(text.len());
    for (place, part) in text.split(FENCE).enumerate() {
        // Every second part stands between two fences.
        match part.parse().ok().filter(|_| place % 2 == 1) {
            Some(number) => replaced += &with(number)?,
            None => replaced += part,
        }
    }
    Ok(replaced)
}

/// A value as the text of a filter.
fn text_of(value: &Json, written: &str) -> Result<String, Error> {
    match value {
        Json::String(text) if text.contains('\0') => Err(Error::NulCharacter),
        Json::String(text) => Ok(text.clone()),
        Json::Bool(_) | Json::Number(_) => Ok(value.to_string()),
        Json::Null => Err(Error::Batch(format!("\"{written}\" is null, which no filter finds: use is.null"))),
        Json::Array(_) | Json::Object(_) => {
            Err(Error::Batch(format!("\"{written}\" is no single value; an array may stand in in.(${{…}}), by itself")))
        }
    }
}
