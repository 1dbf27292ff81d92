//! `POST /-/batch`: a list of requests, later ones of which may refer to what earlier ones gave.
//!
//! ```text
//! batch   = "[" [ request *( "," request ) ] "]"
//! request = "{" [ "id": name ] [ "method": verb ] "path": path [ "headers": { name: text } ] [ "body": any ] "}"
//! name    = ( letter / "_" ) *( letter / digit / "_" / "-" )
//! ```
//!
//! | a reference to an earlier result | where |
//! |---|---|
//! | `{"$ref": "order.0.id"}` | anywhere in a JSON body: the value itself |
//! | `${order.0.id}` | behind the `?` of a path: in the value of a filter, or as an argument |
//!
//! `{"$literal": …}` in a body stands for what is in it, where nothing is a reference. What a reference says is in
//! `reference`. A reference is a value and nothing else: a path is parsed with a mark in its place, and the marks are
//! replaced in the values of the parsed request (`fill`), so that nothing in a value can become a part of a query.

mod fill;
mod reference;
mod template;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use super::parse::read_preferences;
use super::{Conditions, Error, MediaType, Preferences, Raw, Request};
use fill::Marks;
pub use reference::Reference;
use template::Template;

/// Most requests of one batch: each is planned and run while the one transaction is open.
pub const REQUESTS_MAX: usize = 100;

/// Most bytes that references may add to the requests of one batch, so that few words cannot make a body of any size.
pub const REFERRED_MAX_BYTES: usize = 8 * 1024 * 1024;

/// Longest name of a request.
const ID_MAX_BYTES: usize = 64;

/// What no URI may hold as it is; people write it all the same.
const ILLEGAL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Headers that belong to the batch, not to a request in it.
const OUTER_HEADERS: [&str; 8] = [
    "apikey",
    "authorization",
    "berth-min-position",
    "content-length",
    "cookie",
    "host",
    "idempotency-key",
    "transfer-encoding",
];

/// What is wrong with a batch, and with which of its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place of the request; `None` when it is the batch.
    pub index: Option<usize>,
    /// What is wrong.
    pub error: Error,
}

/// The requests of one transaction.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In the order in which they are run.
    pub steps: Vec<Step>,
    /// What is preferred for the batch as a whole: how its transaction ends.
    pub preferences: Preferences,
}

/// One request of a batch.
#[derive(Debug, Clone)]
pub struct Step {
    /// What others call it.
    pub id: Option<String>,
    /// The request; without a body where that has references, and with marks where its query has.
    raw: Raw,
    /// The body, where it has references.
    body: Option<Template>,
    /// The references of the query, in the order of their marks.
    in_query: Vec<Reference>,
}

/// A request whose references were replaced by what they refer to.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// As it would have arrived.
    pub raw: Raw,
    /// As it was read.
    pub request: Request,
    /// The read of its address, where it is a write that is done only under conditions on what is there.
    pub reading: Option<Request>,
}

impl Batch {
    /// Reads a batch.
    ///
    /// # Errors
    /// [`Error::Batch`] for what is not in the grammar above, is beyond a bound, or refers to no earlier request;
    /// [`Error::InvalidPreferences`].
    pub fn parse(raw: &Raw) -> Result<Self, Fault> {
        let fault = |index: Option<usize>, text: &str| Fault { index, error: Error::Batch(text.to_owned()) };
        let preferences = read_preferences(raw, true).map_err(|error| Fault { index: None, error })?;
        let preferences = Preferences {
            transaction: preferences.transaction,
            handling: preferences.handling,
            dry_run: preferences.dry_run,
            ..Preferences::default()
        };
        let items = match serde_json::from_slice(&raw.body) {
            Ok(Json::Array(items)) => items,
            Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_)) | Err(_) => {
                return Err(fault(None, "a batch must be a JSON array of requests"));
            }
        };
        if items.len() > REQUESTS_MAX {
            return Err(fault(
                None,
                &format!("a batch has at most {REQUESTS_MAX} requests, this one has {}", items.len()),
            ));
        }
        let mut steps: Vec<Step> = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let names: Vec<Option<&str>> = steps.iter().map(|step| step.id.as_deref()).collect();
            let step = Step::parse(item, &names).map_err(|error| Fault { index: Some(index), error })?;
            if step.id.is_some() && names.contains(&step.id.as_deref()) {
                return Err(fault(Some(index), "its \"id\" is that of an earlier request"));
            }
            steps.push(step);
        }
        Ok(Self { steps, preferences })
    }

    /// The places of requests that others refer to: their answers must be kept.
    #[must_use]
    pub fn referred(&self) -> BTreeSet<usize> {
        self.steps.iter().flat_map(Step::references).map(|reference| reference.step).collect()
    }
}

impl Step {
    fn parse(item: Json, earlier: &[Option<&str>]) -> Result<Self, Error> {
        let Json::Object(mut members) = item else { return Err(wrong("a request must be a JSON object")) };
        let id = take_text(&mut members, "id")?;
        if id.as_deref().is_some_and(|id| !is_name(id)) {
            return Err(wrong("\"id\" must be a letter or _ and up to 63 letters, digits, _ or -"));
        }
        let method = take_text(&mut members, "method")?.unwrap_or_else(|| "GET".to_owned());
        let target = take_text(&mut members, "path")?.ok_or_else(|| wrong("\"path\" is missing"))?;
        let headers = take_headers(&mut members)?;
        let body = members.remove("body");
        if let Some(name) = members.keys().next() {
            return Err(Error::Batch(format!("a request has no member \"{name}\"")));
        }
        let (path, query, in_query) = read_target(&target, earlier)?;
        let mut step = Self { id, raw: Raw { method, path, query, headers, body: Bytes::new() }, body: None, in_query };
        step.take_body(body, earlier)?;
        Ok(step)
    }

    /// A body of JSON is a JSON value; any other is a text.
    fn take_body(&mut self, body: Option<Json>, earlier: &[Option<&str>]) -> Result<(), Error> {
        let is_json = self.raw.header("content-type").is_none_or(|media| MediaType::parse(media) == MediaType::Json);
        self.raw.body = match body {
            None => return Ok(()),
            Some(Json::String(text)) if !is_json => text.into(),
            Some(_) if !is_json => return Err(wrong("\"body\" must be a text, as its Content-Type is not JSON")),
            Some(body) => match Template::read(body, earlier)? {
                Template::Known(body) => body.to_string().into(),
                template @ (Template::Reference(_) | Template::Array(_) | Template::Object(_)) => {
                    self.body = Some(template);
                    return Ok(());
                }
            },
        };
        Ok(())
    }

    /// True when it must wait for what others give.
    #[must_use]
    pub fn refers(&self) -> bool {
        self.body.is_some() || !self.in_query.is_empty()
    }

    /// The request as far as it is known: verb, path and headers are.
    #[must_use]
    pub fn raw(&self) -> &Raw {
        &self.raw
    }

    fn references(&self) -> Vec<&Reference> {
        let mut found: Vec<&Reference> = self.in_query.iter().collect();
        if let Some(body) = &self.body {
            body.references(&mut found);
        }
        found
    }

    /// Reads the request with `results`, the bodies of earlier answers, in the place of its references.
    ///
    /// `budget_bytes`: how much they may still add; what they add is taken off.
    ///
    /// # Errors
    /// [`Error::Batch`] for a reference that leads nowhere or stands where no value does; else what is wrong with the
    /// request, as if it had come alone.
    pub fn resolve(&self, results: &[Option<Json>], budget_bytes: &mut usize) -> Result<Resolved, Error> {
        let mut raw = self.raw.clone();
        if let Some(body) = &self.body {
            raw.body = body.fill(results, budget_bytes)?.to_string().into();
        }
        let values = self.in_query.iter().map(|reference| reference.value(results, budget_bytes));
        let values: Vec<Cow<'_, Json>> = values.collect::<Result<_, _>>()?;
        let marks = Marks { references: &self.in_query, values: &values };
        let request = marks.read(&raw)?;
        let is_conditional = Conditions::read(&raw).are_on_write(&raw)?;
        let reading = is_conditional.then(|| marks.read(&raw.reading())).transpose()?;
        raw.query = marks.write_out(&raw.query)?;
        if request.preferences.transaction.is_some() || request.preferences.dry_run {
            return Err(wrong("tx= and dry-run are for the batch as a whole: send them with it"));
        }
        Ok(Resolved { raw, request, reading })
    }
}

/// Splits a path at its `?` and puts a mark in the place of each reference.
fn read_target(target: &str, earlier: &[Option<&str>]) -> Result<(String, String, Vec<Reference>), Error> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with('/') {
        return Err(wrong("\"path\" must begin with /"));
    }
    if target.contains('#') || Marks::has_any(target) {
        return Err(wrong("\"path\" has a character that no path has"));
    }
    if path.contains("${") {
        return Err(wrong("a reference in \"path\" may only stand behind its ?"));
    }
    let encode = |text: &str| utf8_percent_encode(text, ILLEGAL).to_string();
    let (mut marked, mut references) = (String::new(), Vec::new());
    let mut rest = query;
    while let Some((before, behind)) = rest.split_once("${") {
        let (reference, after) = reference::parse(behind, earlier)?;
        let after = after.strip_prefix('}').ok_or_else(|| wrong("a reference ${… must end with }"))?;
        marked += &encode(before);
        marked += &encode(&Marks::mark(references.len()));
        references.push(reference);
        rest = after;
    }
    marked += &encode(rest);
    Ok((encode(path), marked, references))
}

fn take_text(members: &mut Map<String, Json>, name: &str) -> Result<Option<String>, Error> {
    match members.remove(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::Batch(format!("\"{name}\" must be a text"))),
    }
}

fn take_headers(members: &mut Map<String, Json>) -> Result<Vec<(String, String)>, Error> {
    let given = match members.remove("headers") {
        None => return Ok(Vec::new()),
        Some(Json::Object(given)) => given,
        Some(_) => return Err(wrong("\"headers\" must be an object of texts")),
    };
    let mut headers = Vec::with_capacity(given.len());
    for (name, value) in given {
        let name = name.to_ascii_lowercase();
        let Json::String(value) = value else { return Err(wrong("\"headers\" must be an object of texts")) };
        if OUTER_HEADERS.contains(&name.as_str()) {
            return Err(Error::Batch(format!("the header \"{name}\" is for the batch as a whole: send it with it")));
        }
        headers.push((name, value));
    }
    Ok(headers)
}

fn is_name(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    text.len() <= ID_MAX_BYTES
        && text.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_')
        && text.chars().all(is_part)
}

fn wrong(text: &str) -> Error {
    Error::Batch(text.to_owned())
}
