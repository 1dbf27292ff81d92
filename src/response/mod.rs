//! From what a store answered to status, headers and body.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api.html>

pub mod batch;
mod failure;
mod link;
pub mod location;
pub mod openapi;
mod preference;
pub mod raised;
pub mod range;
mod rest;
pub mod status;
pub mod validity;
mod warning;

use bytes::Bytes;
use thiserror::Error as ThisError;

use crate::catalog::{Table, Volatility};
use crate::plan::{Action, Call, Insert, Plan, Read, Returning, call};
use crate::request::prefer::{Count, Resolution};
use crate::request::seek::Side;
use crate::request::{MediaType, Range};
use crate::store::{Extent, Outcome, Replay};
pub use failure::{Failure, Verbosity};
use preference::applied;
use raised::Unreadable;
pub use rest::Rest;
use validity::Seen;
pub use validity::Validation;

/// An answer, before any socket.
#[derive(Debug, Default)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Header names in their usual spelling, with values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for `HEAD` and 204.
    pub body: Bytes,
    /// What follows the body, while it is read.
    pub rest: Option<Rest>,
}

/// Why a statement that ran well has no proper answer.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// PGRST103: the offset lies behind the last row.
    #[error("Requested range not satisfiable")]
    OffsetBeyondEnd {
        /// The offset asked for.
        offset: u64,
        /// Rows there are.
        total: u64,
    },
    /// PGRST111: `response.headers` is not what it must be.
    #[error("response.headers guc must be a JSON array composed of objects with a single key and a string value")]
    InvalidHeaders,
    /// BERTH412: what the sender has is not what there is.
    #[error("the answer is not as If-Match asks for")]
    PreconditionFailed,
    /// BERTH400: the keys of a row do not fit into a link.
    #[error("the values that the page is ordered by are too long for a link to the next one")]
    LongCursor,
    /// PGRST112: `response.status` is not a status.
    #[error("response.status guc must be a valid status code")]
    InvalidStatus,
    /// PGRST121: code in the database made an error that cannot be told.
    #[error("Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error")]
    UnreadableRaise(#[source] Unreadable),
}

/// The request's headers that an answer depends on, for caches.
const VARY: &str = "Accept, Prefer, Range";

impl Reply {
    /// Puts the answer to a plan together.
    ///
    /// `canonical_query`: the request's parameters in canonical order, for `Content-Location`. `validation`: what the
    /// answer is held against, where it may have a name.
    ///
    /// # Errors
    /// See [`Error`]; each is for the client.
    pub fn to(
        plan: &Plan,
        outcome: Outcome,
        canonical_query: &str,
        validation: Option<Validation<'_>>,
    ) -> Result<Self, Error> {
        let database_status = outcome.response_status.as_deref().map(parse_status).transpose()?;
        let database_headers = outcome.response_headers.as_deref().map(parse_headers).transpose()?.unwrap_or_default();
        let (position, replay) = (outcome.position, outcome.replay);
        let validation = validation.map(|validation| (validation, Seen::of(plan, &outcome)));
        let mut reply = match &plan.action {
            _ if matches!(plan.media, MediaType::Plan { .. }) => {
                Self::with_body(200, Vec::new(), &plan.media, outcome.body.clone())
            }
            Action::Read(read) => {
                let location = location_of(read, canonical_query);
                match validation.filter(|_| outcome.is_known) {
                    Some((validation, _)) => Self::not_modified(plan, outcome.state, &location, validation),
                    None => Self::read(plan, read, &outcome, &location)?,
                }
            }
            Action::Insert(insert) if insert.put.is_some() => Self::put(plan, insert, &outcome),
            Action::Insert(insert) => Self::insert(plan, insert, &outcome),
            Action::Update(update) => Self::update(plan, &update.returning, &outcome),
            Action::Delete(delete) => Self::delete(plan, &delete.returning, &outcome),
            Action::Call(call) => Self::call(plan, call, &outcome)?,
            Action::TableInfo(table) => Self::allow(&table_verbs(table)),
            Action::RoutineInfo(Volatility::Volatile) => Self::allow("OPTIONS,POST"),
            Action::RoutineInfo(Volatility::Stable | Volatility::Immutable) => Self::allow("OPTIONS,GET,HEAD,POST"),
            Action::RootInfo => Self::allow("OPTIONS,GET,HEAD"),
            Action::Describe { .. } => Self::with_body(200, Vec::new(), &MediaType::OpenApi, outcome.body.clone()),
        };
        if let Some(profile) = &plan.profile
            && reply.has_body_headers()
        {
            reply.headers.push(("Content-Profile".to_owned(), profile.clone()));
        }
        if let Some(applied) = applied(&plan.preferences) {
            reply.headers.push(("Preference-Applied".to_owned(), applied));
        }
        if let Some(warning) = plan.action.node().and_then(warning::of) {
            reply.headers.push(("Warning".to_owned(), warning));
        }
        if let Some(position) = position {
            reply.headers.push(("Berth-Position".to_owned(), position.to_string()));
        }
        if let Some(replay) = replay {
            reply.replayed(replay);
        }
        reply.status = database_status.unwrap_or(reply.status);
        reply.replace_headers(database_headers);
        if !reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Vary")) {
            reply.headers.push(("Vary".to_owned(), VARY.to_owned()));
        }
        match validation {
            Some((validation, seen)) => reply.validated(plan, seen, validation),
            None => Ok(reply),
        }
    }

    fn read(plan: &Plan, read: &Read, outcome: &Outcome, location: &str) -> Result<Self, Error> {
        let wanted = read.node.range;
        let Some(rows) = rows_of(outcome, wanted) else {
            let headers =
                vec![("Content-Range", range::of_count(outcome.total)), ("Content-Location", location.to_owned())];
            return Ok(Self::with_body(200, headers, &plan.media, outcome.body.clone()));
        };
        let status = page_status(rows, outcome.total, wanted)?;
        // Nobody counted the rows before a page that is found by a cursor.
        let has_place =
            read.keyset.as_ref().is_none_or(|keyset| keyset.side == Side::After && !keyset.begins_at_cursor);
        let range =
            if has_place { range::of_rows(wanted.offset, rows, outcome.total) } else { range::of_count(outcome.total) };
        let mut headers = vec![("Content-Range", range), ("Content-Location", location.to_owned())];
        if let (Some(keyset), Some(edges)) = (&read.keyset, &outcome.edges) {
            headers.extend(link::of_page(keyset, edges)?.map(|links| ("Link", links)));
        }
        Ok(Self::with_body(status, headers, &plan.media, outcome.body.clone()))
    }

    fn call(plan: &Plan, call: &Call, outcome: &Outcome) -> Result<Self, Error> {
        let wanted = call.read.node.range;
        let status = page_status(outcome.page, outcome.total, wanted)?;
        let headers = vec![("Content-Range", range::of_rows(wanted.offset, outcome.page, outcome.total))];
        if call.result == call::Outcome::Nothing {
            return Ok(Self::new(204, headers));
        }
        let body = if call.read.headers_only { Bytes::new() } else { outcome.body.clone() };
        Ok(Self::with_body(status, headers, &plan.media, body))
    }

    fn insert(plan: &Plan, insert: &Insert, outcome: &Outcome) -> Self {
        let merged_only = plan.preferences.resolution == Some(Resolution::MergeDuplicates)
            && outcome.inserted.unwrap_or(outcome.page) == 0;
        let status = if merged_only { 200 } else { 201 };
        let mut headers = Vec::new();
        if let Some(query) = outcome.location.as_deref().and_then(location::of_key) {
            headers.push(("Location", format!("/{}{query}", location::encode_path(&insert.into.name))));
        }
        headers.push(("Content-Range", range::of_count(counted(plan, outcome))));
        match insert.returning {
            Returning::Rows(_) => Self::with_body(status, headers, &plan.media, outcome.body.clone()),
            Returning::Nothing | Returning::Location(_) => Self::new(status, headers),
        }
    }

    fn put(plan: &Plan, insert: &Insert, outcome: &Outcome) -> Self {
        match insert.returning {
            Returning::Rows(_) => {
                let status = if outcome.inserted.is_some_and(|inserted| inserted > 0) { 201 } else { 200 };
                Self::with_body(status, Vec::new(), &plan.media, outcome.body.clone())
            }
            Returning::Nothing | Returning::Location(_) => Self::new(204, Vec::new()),
        }
    }

    fn update(plan: &Plan, returning: &Returning, outcome: &Outcome) -> Self {
        let headers = vec![("Content-Range", range::of_rows(0, outcome.page, counted(plan, outcome)))];
        Self::changed(plan, returning, headers, outcome)
    }

    fn delete(plan: &Plan, returning: &Returning, outcome: &Outcome) -> Self {
        let headers = vec![("Content-Range", range::of_count(counted(plan, outcome)))];
        Self::changed(plan, returning, headers, outcome)
    }

    fn changed(plan: &Plan, returning: &Returning, headers: Vec<(&'static str, String)>, outcome: &Outcome) -> Self {
        match returning {
            Returning::Rows(_) => Self::with_body(200, headers, &plan.media, outcome.body.clone()),
            Returning::Nothing | Returning::Location(_) => Self::new(204, headers),
        }
    }

    fn allow(verbs: &str) -> Self {
        Self::new(200, vec![("Allow", verbs.to_owned()), ("Access-Control-Allow-Origin", "*".to_owned())])
    }

    fn new(status: u16, headers: Vec<(&'static str, String)>) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { status, headers, ..Self::default() }
    }

    /// Says that the answer is an earlier one.
    fn replayed(&mut self, replay: Replay) {
        let how = match replay {
            Replay::Whole => "true",
            Replay::WithoutBody => {
                self.body.clear();
                self.headers.retain(|(name, _)| !matches!(name.as_str(), "Content-Type" | "Content-Profile"));
                "without-body"
            }
        };
        self.headers.push(("Idempotency-Replayed".to_owned(), how.to_owned()));
    }

    /// Headers that the database's own code set take the place of those of the same name.
    fn replace_headers(&mut self, headers: Vec<(String, String)>) {
        self.headers.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        self.headers.extend(headers);
    }

    fn with_body(status: u16, mut headers: Vec<(&'static str, String)>, media: &MediaType, body: Bytes) -> Self {
        headers.push(("Content-Type", media.content_type()));
        Self { body, ..Self::new(status, headers) }
    }

    fn has_body_headers(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "Content-Type")
    }
}

/// `Content-Location` of a read.
fn location_of(read: &Read, canonical_query: &str) -> String {
    let query = if canonical_query.is_empty() { String::new() } else { format!("?{canonical_query}") };
    format!("/{}{query}", location::encode_path(&read.node.from.name))
}

/// How many rows the answer has; `None` where they are still being read and nobody counted them.
fn rows_of(outcome: &Outcome, wanted: Range) -> Option<u64> {
    match outcome.extent {
        Extent::Whole => Some(outcome.page),
        Extent::Begun => None,
        Extent::BegunOfCounted => {
            let behind = outcome.total?.saturating_sub(wanted.offset);
            Some(wanted.limit.map_or(behind, |limit| limit.min(behind)))
        }
    }
}

/// The status of a page of rows.
fn page_status(rows: u64, total: Option<u64>, wanted: Range) -> Result<u16, Error> {
    match range::status(wanted.offset, rows, total) {
        416 => Err(Error::OffsetBeyondEnd { offset: wanted.offset, total: total.unwrap_or_default() }),
        status => Ok(status),
    }
}

/// The number of rows a write touched, when the request asked for it.
fn counted(plan: &Plan, outcome: &Outcome) -> Option<u64> {
    let asked = matches!(plan.preferences.count, Some(Count::Exact | Count::Estimated));
    asked.then_some(outcome.page)
}

/// The verbs of `Allow` for a table or view.
fn table_verbs(table: &Table) -> String {
    let mut verbs = vec!["OPTIONS,GET,HEAD"];
    if table.insertable {
        verbs.push("POST");
    }
    if table.insertable && table.updatable && !table.primary_key.is_empty() {
        verbs.push("PUT");
    }
    if table.updatable {
        verbs.push("PATCH");
    }
    if table.deletable {
        verbs.push("DELETE");
    }
    verbs.join(",")
}

/// Reads `response.status`.
fn parse_status(text: &str) -> Result<u16, Error> {
    text.parse().ok().filter(|status| (100..=599).contains(status)).ok_or(Error::InvalidStatus)
}

/// Reads `response.headers`: `[{"Name": "value"}, …]`.
fn parse_headers(text: &str) -> Result<Vec<(String, String)>, Error> {
    let list: Vec<std::collections::BTreeMap<String, String>> =
        serde_json::from_str(text).map_err(|_| Error::InvalidHeaders)?;
    if list.iter().any(|header| header.len() != 1) {
        return Err(Error::InvalidHeaders);
    }
    Ok(list.into_iter().flatten().collect())
}
