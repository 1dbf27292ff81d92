//! The answer to a batch: the answers to its requests.
//!
//! ```text
//! answer = "[" [ item *( "," item ) ] "]"
//! item   = "{" [ "\"id\":" text "," ] "\"status\":" number ",\"headers\":" object ",\"body\":" body "}"
//! ```
//!
//! A body of JSON stands there as it is, any other as a text, none as null.

use base64::Engine as _;
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Map, Value as Json};

use super::Reply;
use super::preference::applied;
use crate::request::{MediaType, Preferences};
use crate::store::Outcome;

/// Headers that are about the connection or the whole answer.
const OUTER_HEADERS: [&str; 2] = ["Vary", "Berth-Position"];

/// The answer to one request of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The name that the request gave itself.
    pub id: Option<&'a str>,
    /// The answer, as if it had been asked for alone.
    pub reply: &'a Reply,
}

/// Writes the answers as one.
pub fn write<'a>(items: impl Iterator<Item = Item<'a>>) -> Bytes {
    let mut out = Vec::from(b"[");
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.extend_from_slice(b", \n ");
        }
        write_item(&mut out, item);
    }
    out.push(b']');
    out.into()
}

fn write_item(out: &mut Vec<u8>, Item { id, reply }: Item<'_>) {
    out.push(b'{');
    if let Some(id) = id {
        out.extend_from_slice(format!("\"id\":{},", Json::from(id)).as_bytes());
    }
    let mut headers = Map::new();
    for (name, value) in reply.headers.iter().filter(|(name, _)| !OUTER_HEADERS.contains(&name.as_str())) {
        match headers.get_mut(name) {
            Some(Json::String(text)) => *text = format!("{text}, {value}"),
            Some(_) | None => _ = headers.insert(name.clone(), value.clone().into()),
        }
    }
    let headers = Json::Object(headers);
    out.extend_from_slice(format!("\"status\":{},\"headers\":{headers},\"body\":", reply.status).as_bytes());
    write_body(out, &reply.body);
    out.push(b'}');
}

/// What is neither JSON nor text is base64: a client knows by the `Content-Type`.
fn write_body(out: &mut Vec<u8>, body: &[u8]) {
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    match std::str::from_utf8(body) {
        Ok("") => out.extend_from_slice(b"null"),
        Ok(_) if is_json => out.extend_from_slice(body),
        Ok(text) => out.extend_from_slice(Json::from(text).to_string().as_bytes()),
        Err(_) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(body);
            out.extend_from_slice(Json::from(encoded).to_string().as_bytes());
        }
    }
}

impl Reply {
    /// The answer to a batch. `preferences` are those that apply to it.
    #[must_use]
    pub fn of_batch(outcome: Outcome, preferences: &Preferences) -> Self {
        let mut reply = Self::with_body(200, Vec::new(), &MediaType::Json, outcome.body);
        let mut add = |name: &str, value: String| reply.headers.push((name.to_owned(), value));
        if let Some(applied) = applied(preferences) {
            add("Preference-Applied", applied);
        }
        if let Some(position) = outcome.position {
            add("Berth-Position", position.to_string());
        }
        add("Vary", super::VARY.to_owned());
        if let Some(replay) = outcome.replay {
            reply.replayed(replay);
        }
        reply
    }
}
