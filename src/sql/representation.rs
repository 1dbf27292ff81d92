//! Names what an answer is of: who asked what, in which words of SQL.

use super::{Query, Work};
use crate::plan::Value;
use crate::plan::authorize::Session;
use crate::request::Raw;
use crate::request::digest::Digest;

/// Headers that shape an answer.
const SHAPING: [&str; 5] = ["accept", "accept-profile", "prefer", "range", "range-unit"];

/// What another version of this program writes may be other bytes.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The same for two requests only if the same rows of the same database give them the same answer: in it are the address,
/// the headers that shape an answer, the role and the claims, and what is run.
#[must_use]
pub fn representation(raw: &Raw, session: &Session, work: &Work) -> u64 {
    let mut digest = Digest::default();
    digest.add(VERSION.as_bytes()).add(raw.path.as_bytes()).add(raw.query.as_bytes());
    for (place, name) in SHAPING.iter().enumerate() {
        let sent = raw.headers.iter().filter(|(key, _)| key == name);
        sent.for_each(|(_, value)| _ = digest.add(&[u8::try_from(place).unwrap_or_default()]).add(value.as_bytes()));
    }
    digest.add(session.role.as_deref().unwrap_or_default().as_bytes()).add(session.claims.as_bytes());
    match work {
        Work::Rows { query, count, .. } => {
            add_query(&mut digest, query);
            count.iter().for_each(|count| add_query(&mut digest, count));
        }
        Work::Lines { head, query, .. } => {
            add_query(&mut digest, head);
            add_query(&mut digest, query);
        }
        Work::Envelope { query, .. } | Work::Explain { query, .. } => add_query(&mut digest, query),
        // What a function gives is named by its content alone.
        Work::Call(_) | Work::Write { .. } | Work::None => {}
    }
    digest.quarter()
}

fn add_query(digest: &mut Digest, query: &Query) {
    digest.add(query.text.as_bytes());
    for value in &query.values {
        match value {
            Value::Null => digest.add(b"n").add(&[]),
            Value::Text(text) => digest.add(b"t").add(text.as_bytes()),
            Value::Integer(number) => digest.add(b"i").add(&number.to_be_bytes()),
            Value::Real(number) => digest.add(b"r").add(&number.to_bits().to_be_bytes()),
            Value::Blob(bytes) => digest.add(b"b").add(bytes),
        };
    }
}
