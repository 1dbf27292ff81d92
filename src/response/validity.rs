//! For how long an answer holds: `ETag`, `Cache-Control`, `304 Not Modified`.
//!
//! Source: RFC 9110, sections 8.8 and 13; RFC 9111.

use bytes::Bytes;

use super::{Error, Reply};
use crate::plan::{Action, Plan, Returning};
use crate::request::tag::{Conditions, Content, Tag, Wanted};
use crate::store::{Extent, Outcome, content};

/// Headers of who asks. No cache may give one's answer to another.
const VARY: &str = "Authorization, apikey";

/// Headers that `304` leaves out: they tell of a body.
const OF_A_BODY: [&str; 4] = ["Content-Type", "Content-Range", "Content-Profile", "Preference-Applied"];

/// What an answer is held against.
#[derive(Debug, Clone, Copy)]
pub struct Validation<'a> {
    /// Who asked what.
    pub representation: u64,
    /// What the sender has.
    pub conditions: &'a Conditions,
}

impl Validation<'_> {
    /// States of the store in which the sender has the answer already.
    #[must_use]
    pub fn known_states(self) -> Vec<u64> {
        self.conditions.known_states(self.representation)
    }
}

/// What names the rows of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    state: Option<u64>,
    content: Option<Content>,
}

impl Seen {
    pub(super) fn of(plan: &Plan, outcome: &Outcome) -> Self {
        let state = outcome.state;
        if outcome.body.is_empty() || outcome.extent != Extent::Whole {
            return Self { state, content: None };
        }
        let row = || (outcome.page == 1).then(|| content::of_row(&outcome.body, &plan.media)).flatten();
        let body = || {
            let range = super::range::of_rows(0, outcome.page, outcome.total);
            content::of_body(&outcome.body, &range)
        };
        let content = match &plan.action {
            // Where the state says it already, a long body need not be read again.
            Action::Read(_) => row().or_else(|| state.is_none().then(body)),
            Action::Call(_) | Action::Describe { .. } => Some(body()),
            Action::Update(update) if matches!(update.returning, Returning::Rows(_)) => row(),
            Action::Insert(insert) if insert.put.is_some() && matches!(insert.returning, Returning::Rows(_)) => row(),
            Action::Insert(_)
            | Action::Update(_)
            | Action::Delete(_)
            | Action::TableInfo(_)
            | Action::RoutineInfo(_)
            | Action::RootInfo => None,
        };
        Self { state, content }
    }
}

impl Reply {
    /// Names the answer, and leaves out of it what its sender has.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] when a read was to be answered only with what the sender has.
    pub(super) fn validated(mut self, plan: &Plan, seen: Seen, validation: Validation<'_>) -> Result<Self, Error> {
        let tag = Tag { representation: validation.representation, state: seen.state, content: seen.content };
        let is_named = tag.state.is_some() || tag.content.is_some();
        if !is_named || !matches!(self.status, 200 | 201 | 206) {
            return Ok(self);
        }
        let is_read = plan.action.is_read_only();
        let conditions = validation.conditions;
        if is_read && conditions.matches.as_ref().is_some_and(|wanted| !wanted.includes(&tag)) {
            return Err(Error::PreconditionFailed);
        }
        match conditions.none_matches.as_ref().filter(|wanted| is_read && wanted.includes(&tag)) {
            Some(wanted) => {
                self.status = 304;
                self.body = Bytes::new();
                self.headers.retain(|(name, _)| !OF_A_BODY.contains(&name.as_str()));
                self.add_validity(plan, &theirs(wanted, &tag));
            }
            None => self.add_validity(plan, &tag),
        }
        Ok(self)
    }

    /// The answer to who has it already.
    pub(super) fn not_modified(plan: &Plan, state: Option<u64>, location: &str, validation: Validation<'_>) -> Self {
        let tag = Tag { representation: validation.representation, state, content: None };
        let mut reply = Self::new(304, vec![("Content-Location", location.to_owned())]);
        let tag = validation.conditions.none_matches.as_ref().map_or(tag, |wanted| theirs(wanted, &tag));
        reply.add_validity(plan, &tag);
        reply
    }

    fn add_validity(&mut self, plan: &Plan, tag: &Tag) {
        let has = |name: &str| self.headers.iter().any(|(present, _)| present.eq_ignore_ascii_case(name));
        let mut more = vec![("Vary", VARY.to_owned())];
        more.extend((!has("ETag")).then(|| ("ETag", tag.to_string())));
        more.extend(plan.cache_control.clone().filter(|_| !has("Cache-Control")).map(|value| ("Cache-Control", value)));
        self.headers.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
}

/// The tag by which a cache finds the answer that it has.
fn theirs(wanted: &Wanted, tag: &Tag) -> Tag {
    match wanted {
        Wanted::Any => *tag,
        Wanted::Tags(tags) => tags.iter().find(|theirs| theirs.is_same(tag)).copied().unwrap_or(*tag),
    }
}
