//! What a transaction is told before its statement: who asks for what, and how it shall run.
//!
//! Settings are told in this order; of two with one name the later counts.
//!
//! | setting | from |
//! |---|---|
//! | `search_path`, `statement_timeout` | the request's schema and deadline |
//! | the role's own | `ALTER ROLE … SET`; before the role itself, which need not be allowed to change them |
//! | `role`, `request.*` | the sender and the request |
//! | `timezone` | `Prefer: timezone=` |
//! | the function's own | `CREATE FUNCTION … SET`, so that they hold for the whole transaction |
//! | `app.settings.*` | the configuration |
//!
//! Source: <https://docs.postgrest.org/en/v16/references/transactions.html>

use std::fmt::Write as _;

use super::{Function, PostgresSettings};
use crate::catalog::Isolation;
use crate::clock::Deadline;
use crate::plan::Value;
use crate::plan::authorize::Session;
use crate::sql::Query;

/// What begins the transaction.
pub(super) fn begin(isolation: Option<Isolation>, read_only: bool) -> &'static str {
    match (isolation, read_only) {
        (None, false) => "BEGIN",
        (None, true) => "BEGIN READ ONLY",
        (Some(Isolation::ReadCommitted), false) => "BEGIN ISOLATION LEVEL READ COMMITTED",
        (Some(Isolation::ReadCommitted), true) => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
        (Some(Isolation::RepeatableRead), false) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        (Some(Isolation::RepeatableRead), true) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (Some(Isolation::Serializable), false) => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        (Some(Isolation::Serializable), true) => "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
    }
}

/// Tells the settings, each until the transaction's end. The text is the same for all requests that set as many.
pub(super) fn settings(session: &Session, settings: &PostgresSettings, deadline: Deadline) -> Query {
    let of_sender = [
        ("request.jwt.claims", &session.claims),
        ("request.method", &session.origin.method),
        ("request.path", &session.origin.path),
        ("request.headers", &session.origin.headers),
        ("request.cookies", &session.origin.cookies),
    ];
    // The server ends it a little after we give up ourselves: our answer is the better one.
    let timeout = deadline.remaining().as_millis().max(1).to_string();
    let of_request = [("search_path", &search_path(session, settings)), ("statement_timeout", &timeout)];
    let role = session.role.iter().map(|role| ("role", role));
    let zone = session.timezone.iter().map(|zone| ("timezone", zone));
    let all = of_request.into_iter().chain(pairs(&session.role_settings)).chain(role).chain(of_sender);
    set(all.chain(zone).chain(pairs(&session.call_settings)).chain(pairs(&settings.app_settings)))
}

/// Forgets what the statement before it in the transaction was told for itself alone, and what code in the database said
/// of its answer.
pub(super) fn forget(before: Option<&Session>) -> String {
    let mut text =
        String::from("SELECT set_config('response.headers', '', true), set_config('response.status', '', true)");
    let of_call = before.iter().flat_map(|session| &session.call_settings).map(|(name, _)| name.as_str());
    let zone = before.filter(|session| session.timezone.is_some()).map(|_| "timezone");
    for name in of_call.chain(zone) {
        let name: Vec<String> = name.split('.').map(quoted).collect();
        let _ = write!(text, "; SET LOCAL {} TO DEFAULT", name.join("."));
    }
    text
}

/// Calls a function that the configuration names.
pub(super) fn call(function: &Function) -> String {
    let schema = function.schema.as_deref().map(|schema| quoted(schema) + ".").unwrap_or_default();
    format!("SELECT {schema}{}()", quoted(&function.name))
}

/// A name as an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn search_path(session: &Session, settings: &PostgresSettings) -> String {
    let schemas = std::iter::once(&session.schema).chain(&settings.extra_search_path);
    schemas.map(|schema| quoted(schema)).collect::<Vec<_>>().join(", ")
}

fn pairs(settings: &[(String, String)]) -> impl Iterator<Item = (&str, &String)> {
    settings.iter().map(|(name, value)| (name.as_str(), value))
}

/// `SELECT set_config($1, $2, true), …`
fn set<'a>(settings: impl Iterator<Item = (&'a str, &'a String)>) -> Query {
    let mut query = Query { text: String::from("SELECT"), values: Vec::new() };
    for (name, value) in settings {
        let separator = if query.values.is_empty() { "" } else { "," };
        let next = query.values.len() + 1;
        let _ = write!(query.text, "{separator} set_config(${next}, ${}, true)", next + 1);
        query.values.extend([Value::Text(name.to_owned()), Value::Text(value.clone())]);
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_bound_and_numbered() {
        let value = String::from("1'");
        let query = set([("a", &value), ("b", &value)].into_iter());
        assert_eq!(query.text, "SELECT set_config($1, $2, true), set_config($3, $4, true)");
        assert_eq!(query.values.len(), 4);
    }

    #[test]
    fn what_one_statement_was_told_is_forgotten_before_the_next() {
        let nothing = forget(None);
        assert!(nothing.ends_with("set_config('response.status', '', true)"), "{nothing}");
        let session = Session {
            timezone: Some("UTC".to_owned()),
            call_settings: vec![("a.\"b".to_owned(), "1".to_owned())],
            ..Session::default()
        };
        let more = forget(Some(&session));
        let more = more.strip_prefix(&nothing).unwrap();
        assert_eq!(more, "; SET LOCAL \"a\".\"\"\"b\" TO DEFAULT; SET LOCAL \"timezone\" TO DEFAULT");
    }

    #[test]
    fn a_function_may_be_named_with_or_without_a_schema() {
        let named = |text: &str| call(&Function::parse(text));
        assert_eq!(named("api.check"), "SELECT \"api\".\"check\"()");
        assert_eq!(named("check\""), "SELECT \"check\"\"\"()");
    }
}
