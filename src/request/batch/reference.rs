//! What a reference says, and what it stands for.
//!
//! ```text
//! reference = ( name / index ) *( "." step )      ; an earlier request by its "id" or its place, then a way into its body
//! step      = index / "*" / bare / quoted         ; an element, each element, a member
//! bare      = 1*( any but "." DQUOTE "{" "}" and space )
//! quoted    = DQUOTE *( "\" any / any but DQUOTE and "\" ) DQUOTE
//! ```
//!
//! `order.0.id` is the `id` of the first row that the request `order` gave, `orders.*.id` an array of all of them.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::request::Error;

/// Most steps of one reference: bodies are not nested deeper.
const STEPS_MAX: usize = 32;

/// A way into the body of an earlier answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The place of the request.
    pub step: usize,
    /// As it was written.
    pub text: String,
    way: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A member, or the element of an array when it is a number.
    Into(String),
    /// Each element.
    Each,
}

/// Parses a reference at the beginning of `text`; gives it and what stands behind it.
///
/// `earlier`: the names of the requests before.
///
/// # Errors
/// [`Error::Batch`] when it is none, or names no earlier request.
pub(super) fn parse<'a>(text: &'a str, earlier: &[Option<&str>]) -> Result<(Reference, &'a str), Error> {
    let (name, mut rest) = step(text)?;
    let mut way = Vec::new();
    while let Some(behind) = rest.strip_prefix('.') {
        let is_quoted = behind.starts_with('"');
        let (name, after) = step(behind)?;
        way.push(if name == "*" && !is_quoted { Step::Each } else { Step::Into(name) });
        if way.len() > STEPS_MAX {
            return Err(Error::Batch(format!("a reference has more than {STEPS_MAX} steps")));
        }
        rest = after;
    }
    let place = earlier.iter().position(|known| *known == Some(name.as_str()));
    let index = name.parse().ok().filter(|index| *index < earlier.len());
    let Some(step) = place.or(index) else {
        return Err(Error::Batch(format!("\"{name}\" is the name or the number of no earlier request")));
    };
    let text = text.get(..text.len() - rest.len()).unwrap_or_default().to_owned();
    Ok((Reference { step, text, way }, rest))
}

/// Parses a text that is a reference and nothing else.
pub(super) fn parse_whole(text: &str, earlier: &[Option<&str>]) -> Result<Reference, Error> {
    match parse(text, earlier)? {
        (reference, "") => Ok(reference),
        (_, rest) => Err(Error::Batch(format!("the reference \"{text}\" should end before \"{rest}\""))),
    }
}

fn step(text: &str) -> Result<(String, &str), Error> {
    let broken = || Error::Batch(format!("\"{text}\" is no reference such as order.0.id"));
    if let Some(quoted) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut characters = quoted.chars();
        loop {
            match characters.next().ok_or_else(broken)? {
                '"' => return Ok((name, characters.as_str())),
                '\\' => name.push(characters.next().ok_or_else(broken)?),
                character => name.push(character),
            }
        }
    }
    let end = text.find(|character: char| matches!(character, '.' | '"' | '{' | '}') || character.is_whitespace());
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() { Err(broken()) } else { Ok((name.to_owned(), rest)) }
}

impl Reference {
    /// What it stands for.
    ///
    /// # Errors
    /// [`Error::Batch`] when it leads nowhere, or when `budget_bytes` are used up.
    pub(super) fn value<'a>(
        &self,
        results: &'a [Option<Json>],
        budget_bytes: &mut usize,
    ) -> Result<Cow<'a, Json>, Error> {
        let text = &self.text;
        let Some(Some(body)) = results.get(self.step) else {
            return Err(Error::Batch(format!(
                "\"{text}\" leads nowhere: that request gave no JSON (a write gives rows with Prefer: \
                 return=representation)"
            )));
        };
        let value = follow(body, &self.way);
        let value = value.ok_or_else(|| Error::Batch(format!("\"{text}\" leads nowhere in what that request gave")))?;
        let left = budget_bytes.checked_sub(size_bytes(&value));
        *budget_bytes = left.ok_or_else(|| {
            let most = super::REFERRED_MAX_BYTES;
            Error::Batch(format!("the references of the batch stand for more than {most} bytes"))
        })?;
        Ok(value)
    }
}

/// Calls itself for each `*`, of which there are at most [`STEPS_MAX`].
fn follow<'a>(value: &'a Json, way: &[Step]) -> Option<Cow<'a, Json>> {
    let mut value = value;
    let mut way = way;
    while let Some((step, rest)) = way.split_first() {
        way = rest;
        value = match (step, value) {
            (Step::Each, Json::Array(items)) => {
                let found: Option<Vec<Json>> =
                    items.iter().map(|item| Some(follow(item, rest)?.into_owned())).collect();
                return found.map(|found| Cow::Owned(Json::Array(found)));
            }
            (Step::Into(name), Json::Array(items)) => items.get(name.parse::<usize>().ok()?)?,
            (Step::Into(name), Json::Object(members)) => members.get(name)?,
            (Step::Each | Step::Into(_), _) => return None,
        };
    }
    Some(Cow::Borrowed(value))
}

/// About what the value takes as text. Calls itself for what is nested; the depth was bounded when it was read.
fn size_bytes(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) => 5,
        Json::Number(number) => number.as_str().len(),
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| size_bytes(item) + 1).sum::<usize>() + 2,
        Json::Object(members) => {
            members.iter().map(|(name, member)| name.len() + size_bytes(member) + 4).sum::<usize>() + 2
        }
    }
}
