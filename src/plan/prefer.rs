//! Which preferences of a request apply: only those are named in the answer.

use super::scope::Scope;
use super::{Engine, Error};
use crate::request::Preferences;
use crate::request::method::Method;
use crate::request::prefer::Handling;

/// The preferences that apply to a request to `table`.
///
/// # Errors
/// [`Error::NotImplemented`] for a known preference that cannot be followed, under `handling=strict`.
pub(super) fn applied(
    sent: &Preferences,
    method: Method,
    Scope { table, engine, .. }: &Scope<'_>,
    on_conflict: Option<&[String]>,
) -> Result<Preferences, Error> {
    let strict = sent.handling == Some(Handling::Strict);
    let knows_zones = *engine == Engine::Postgres;
    if strict && sent.timezone.is_some() && !knows_zones {
        return Err(Error::not_on_sqlite("the preference 'timezone'"));
    }
    let inserts = method == Method::Post;
    let updates = method == Method::Patch;
    let deletes = method == Method::Delete;
    let writes = inserts || updates || deletes || method == Method::Put;
    let tries = writes && sent.dry_run;
    let has_key = !table.primary_key.is_empty() || on_conflict.is_some();
    Ok(Preferences {
        resolution: sent.resolution.filter(|_| inserts && has_key),
        representation: sent.representation.filter(|_| writes),
        count: sent.count,
        // However the transaction was to end, a trial is undone.
        transaction: sent.transaction.filter(|_| !tries),
        missing: sent.missing.filter(|_| inserts || updates),
        handling: sent.handling,
        timezone: sent.timezone.clone().filter(|_| knows_zones),
        max_affected: sent.max_affected.filter(|_| strict && (updates || deletes)),
        dry_run: tries,
        distinct: sent.distinct.clone().filter(|_| !writes),
        seek: sent.seek.clone().filter(|_| !writes),
        unknown: Vec::new(),
    })
}
