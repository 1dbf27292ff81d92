//! What is kept of a write that is applied once: its outcome, to be given to whoever sends the write again.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Error, Extent, Outcome, Replay};
use crate::request::Once;

/// Largest body that is kept, in bytes: the rows of a common write, and a thousand of them are no burden. Of a larger
/// one a repetition is told the rest.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

/// How long an outcome is kept, in seconds: a day.
pub const SECONDS: i64 = 24 * 60 * 60;

/// Most outcomes that are removed with one write because their day is over: more than one, so that their number falls.
pub const REMOVED_MAX: i64 = 16;

/// An outcome as a row of the store: `outcome` is JSON, `body` is null when it was larger than [`BODY_MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) fingerprint: Vec<u8>,
    pub(super) outcome: String,
    pub(super) body: Option<Vec<u8>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Fields {
    total: Option<u64>,
    page: u64,
    location: Option<String>,
    inserted: Option<u64>,
    response_headers: Option<String>,
    response_status: Option<String>,
}

impl Kept {
    /// What is to be kept of an outcome.
    ///
    /// # Errors
    /// [`Error::Internal`]: none is known.
    pub(super) fn of(once: &Once, outcome: &Outcome) -> Result<Self, Error> {
        let fields = Fields {
            total: outcome.total,
            page: outcome.page,
            location: outcome.location.clone(),
            inserted: outcome.inserted,
            response_headers: outcome.response_headers.clone(),
            response_status: outcome.response_status.clone(),
        };
        Ok(Self {
            fingerprint: once.fingerprint.to_vec(),
            outcome: serde_json::to_string(&fields).map_err(|error| Error::Internal(error.to_string()))?,
            body: (outcome.body.len() <= BODY_MAX_BYTES).then(|| outcome.body.to_vec()),
        })
    }

    /// The outcome, for the same request.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when it was another request, [`Error::Internal`] when the row is none of berth's.
    pub(super) fn replay(self, once: &Once) -> Result<Outcome, Error> {
        if self.fingerprint != once.fingerprint {
            return Err(Error::KeyReused);
        }
        let fields: Fields =
            serde_json::from_str(&self.outcome).map_err(|error| Error::Internal(format!("a kept outcome: {error}")))?;
        Ok(Outcome {
            total: fields.total,
            page: fields.page,
            body: self.body.as_ref().map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body)),
            extent: Extent::Whole,
            location: fields.location,
            edges: None,
            inserted: fields.inserted,
            position: None,
            state: None,
            is_known: false,
            response_headers: fields.response_headers,
            response_status: fields.response_status,
            replay: Some(if self.body.is_some() { Replay::Whole } else { Replay::WithoutBody }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: Once = Once { name: [1; 32], fingerprint: [2; 32] };

    #[test]
    fn what_is_kept_comes_back() {
        let outcome = Outcome {
            total: Some(3),
            page: 2,
            body: "[{\"id\":1}]".into(),
            extent: Extent::Whole,
            location: Some("{\"id\":\"1\"}".to_owned()),
            edges: None,
            inserted: Some(1),
            position: None,
            state: None,
            is_known: false,
            response_headers: Some("[]".to_owned()),
            response_status: Some("202".to_owned()),
            replay: None,
        };
        let replayed = Kept::of(&ONCE, &outcome).unwrap().replay(&ONCE).unwrap();
        assert_eq!(replayed, Outcome { replay: Some(Replay::Whole), ..outcome });
    }

    #[test]
    fn another_request_is_refused() {
        let kept = Kept::of(&ONCE, &Outcome::default()).unwrap();
        let other = Once { fingerprint: [3; 32], ..ONCE };
        assert!(matches!(kept.replay(&other), Err(Error::KeyReused)));
    }

    #[test]
    fn a_large_body_is_not_kept() {
        let outcome = |bytes| Outcome { body: vec![b'x'; bytes].into(), page: 1, ..Outcome::default() };
        let replayed = |bytes| Kept::of(&ONCE, &outcome(bytes)).unwrap().replay(&ONCE).unwrap();
        assert_eq!(replayed(BODY_MAX_BYTES).replay, Some(Replay::Whole));
        let large = replayed(BODY_MAX_BYTES + 1);
        assert_eq!((large.replay, large.body.len(), large.page), (Some(Replay::WithoutBody), 0, 1));
    }
}
