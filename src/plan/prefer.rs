//! Which preferences of a request apply: only those are named in the answer.

use super::{Engine, Error, Zone};
use crate::catalog::Table;
use crate::request::Preferences;
use crate::request::method::Method;
use crate::request::prefer::Handling;

/// The zone that is preferred. On Postgres the server knows it.
///
/// # Errors
/// 22023 for what is none.
pub(super) fn zone(sent: &Preferences, engine: Engine) -> Result<Option<Zone>, Error> {
    sent.timezone.as_deref().filter(|_| engine == Engine::Sqlite).map(Zone::read).transpose()
}

/// The preferences that apply to a request to `table`.
pub(super) fn applied(
    sent: &Preferences,
    method: Method,
    table: &Table,
    on_conflict: Option<&[String]>,
) -> Preferences {
    let strict = sent.handling == Some(Handling::Strict);
    let inserts = method == Method::Post;
    let updates = method == Method::Patch;
    let deletes = method == Method::Delete;
    let writes = inserts || updates || deletes || method == Method::Put;
    let tries = writes && sent.dry_run;
    let has_key = !table.primary_key.is_empty() || on_conflict.is_some();
    Preferences {
        resolution: sent.resolution.filter(|_| inserts && has_key),
        representation: sent.representation.filter(|_| writes),
        count: sent.count,
        // However the transaction was to end, a trial is undone.
        transaction: sent.transaction.filter(|_| !tries),
        missing: sent.missing.filter(|_| inserts || updates),
        handling: sent.handling,
        timezone: sent.timezone.clone(),
        max_affected: sent.max_affected.filter(|_| strict && (updates || deletes)),
        dry_run: tries,
        distinct: sent.distinct.clone().filter(|_| !writes),
        seek: sent.seek.clone().filter(|_| !writes),
        unknown: Vec::new(),
    }
}
