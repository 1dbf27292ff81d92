//! JSON bodies with references in them.

use serde_json::{Map, Value as Json};

use super::reference::{self, Reference};
use crate::request::Error;

/// The member that makes an object a reference.
const REFERENCE: &str = "$ref";

/// The member that makes an object stand for what is in it.
const LITERAL: &str = "$literal";

/// JSON in which some values are not known yet.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// Known.
    Known(Json),
    /// To be looked up.
    Reference(Reference),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    /// Reads a body. `earlier`: the names of the requests before.
    ///
    /// Calls itself for what is nested, as do the functions below; the depth was bounded when the body was read.
    ///
    /// # Errors
    /// [`Error::Batch`] for a reference that is none.
    pub(super) fn read(body: Json, earlier: &[Option<&str>]) -> Result<Self, Error> {
        match body {
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(Self::Known(body)),
            Json::Array(items) => {
                let items = items.into_iter().map(|item| Self::read(item, earlier)).collect::<Result<_, _>>()?;
                Ok(Self::of_array(items))
            }
            Json::Object(mut members) if members.contains_key(REFERENCE) || members.contains_key(LITERAL) => {
                match (members.remove(REFERENCE), members.remove(LITERAL)) {
                    (Some(Json::String(text)), None) if members.is_empty() => {
                        reference::parse_whole(&text, earlier).map(Self::Reference)
                    }
                    (None, Some(literal)) if members.is_empty() => Ok(Self::Known(literal)),
                    (_, _) => Err(Error::Batch(format!(
                        "{{\"{REFERENCE}\": text}} and {{\"{LITERAL}\": any}} have no other members; put an object with a \
                         member of such a name into a {{\"{LITERAL}\": …}}"
                    ))),
                }
            }
            Json::Object(members) => {
                let members = members.into_iter().map(|(name, member)| Ok((name, Self::read(member, earlier)?)));
                Ok(Self::of_object(members.collect::<Result<_, Error>>()?))
            }
        }
    }

    fn of_array(items: Vec<Self>) -> Self {
        if !items.iter().all(Self::is_known) {
            return Self::Array(items);
        }
        Self::Known(items.into_iter().filter_map(Self::known).collect())
    }

    fn of_object(members: Vec<(String, Self)>) -> Self {
        if !members.iter().all(|(_, member)| member.is_known()) {
            return Self::Object(members);
        }
        let known = members.into_iter().filter_map(|(name, member)| Some((name, member.known()?)));
        Self::Known(Json::Object(known.collect()))
    }

    /// True without any reference.
    pub(super) fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// The body, when it has no reference.
    pub(super) fn known(self) -> Option<Json> {
        match self {
            Self::Known(json) => Some(json),
            Self::Reference(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Adds the references.
    pub(super) fn references<'a>(&'a self, found: &mut Vec<&'a Reference>) {
        match self {
            Self::Known(_) => {}
            Self::Reference(reference) => found.push(reference),
            Self::Array(items) => items.iter().for_each(|item| item.references(found)),
            Self::Object(members) => members.iter().for_each(|(_, member)| member.references(found)),
        }
    }

    /// The body with what its references stand for.
    ///
    /// # Errors
    /// [`Error::Batch`] for a reference that leads nowhere, or when `budget_bytes` are used up.
    pub(super) fn fill(&self, results: &[Option<Json>], budget_bytes: &mut usize) -> Result<Json, Error> {
        Ok(match self {
            Self::Known(json) => json.clone(),
            Self::Reference(reference) => reference.value(results, budget_bytes)?.into_owned(),
            Self::Array(items) => {
                let items = items.iter().map(|item| item.fill(results, budget_bytes));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Object(members) => {
                let members =
                    members.iter().map(|(name, member)| Ok((name.clone(), member.fill(results, budget_bytes)?)));
                Json::Object(members.collect::<Result<Map<_, _>, Error>>()?)
            }
        })
    }
}
