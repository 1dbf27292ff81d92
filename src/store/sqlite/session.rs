//! Who a statement runs for, as its SQL may ask: `current_user`, `current_setting('request.jwt.claims', true)`,
//! `auth.uid()` and their like.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_user()` | `current_user`, `current_role` |
//! | `berth_session_user()` | `session_user` |
//! | `berth_setting(name, missing_ok)` | `current_setting(name, missing_ok)` |
//! | `berth_any_setting(name, missing_ok)` | the same with a name that is not known before |
//! | `berth_refuse(message)`, `berth_refuse_unshown(message)` | the error of a row that a policy forbids, or a view's check option |
//! | `berth_auth_uid()`, `berth_auth_role()`, `berth_auth_email()`, `berth_auth_jwt()` | Supabase's `auth.uid()` and its like |
//!
//! As [`interrupt`](super::interrupt) does, the functions ask the thread they run on: a connection is used by one thread
//! at a time. Migrations run for nobody: there are no claims, and the user is the one that the file belongs to.
//!
//! None of the functions is deterministic to SQLite, so it keeps them out of indexes and generated columns itself.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-ADMIN-SET>,
//! <https://docs.postgrest.org/en/v16/references/transactions.html>,
//! <https://supabase.com/docs/guides/database/postgres/row-level-security#helper-functions>.

use std::cell::RefCell;
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSql, ValueRef};
use rusqlite::{Connection, Result};

use super::bind;
use super::functions::json::{Operand, get_text};
use super::functions::{Fault, failed};
use crate::catalog::TypeName;
use crate::catalog::type_name;
use crate::plan::Zone;
use crate::plan::authorize::Session;
use crate::plan::value::{self, Value};

/// Whom the file belongs to: the user of whatever no role is named for. On Postgres it is the connection's own.
const OWNER: &str = "authenticator";

thread_local! {
    static CURRENT: RefCell<Option<Arc<Session>>> = const { RefCell::new(None) };
}

/// Until dropped, statements of this thread run for a session.
#[derive(Debug)]
pub(super) struct Guard {
    outer: Option<Arc<Session>>,
}

impl Guard {
    /// Sets the session.
    #[must_use]
    pub(super) fn of(session: &Arc<Session>) -> Self {
        Self { outer: CURRENT.replace(Some(Arc::clone(session))) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    add(connection, "berth_user", 0, |_| Ok(ask(|session| session.role.clone()).unwrap_or_else(|| OWNER.to_owned())))?;
    add(connection, "berth_session_user", 0, |_| Ok(OWNER))?;
    add(connection, "berth_setting", 2, setting)?;
    add(connection, "berth_any_setting", 2, setting)?;
    add(connection, "berth_auth_uid", 0, |_| claim("sub").map(|sub| uuid(&sub)).transpose())?;
    add(connection, "berth_auth_role", 0, |_| Ok(claim("role")))?;
    add(connection, "berth_auth_email", 0, |_| Ok(claim("email")))?;
    add(connection, "berth_auth_jwt", 0, |_| Ok(ask(claims)))?;
    add(connection, "berth_refuse", 1, |context| refuse(context, "42501"))?;
    add(connection, "berth_refuse_unshown", 1, |context| refuse(context, "44000"))
}

fn add<Answer: ToSql>(
    connection: &Connection,
    name: &str,
    arguments: i32,
    function: impl Fn(&Context<'_>) -> Result<Answer> + Send + 'static,
) -> Result<()> {
    // Innocuous: it changes nothing, and the defaults and views that call it were made by migrations.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(name, arguments, flags, move |context| function(context))
}

/// Fails. Not deterministic, so that SQLite calls it nowhere but where it stands.
fn refuse(context: &Context<'_>, code: &'static str) -> Result<bool> {
    let message = String::from_utf8_lossy(context.get_raw(0).as_bytes().unwrap_or_default()).into_owned();
    Err(failed(Fault { code, message }))
}

/// What the session says; `None` for nobody's.
fn ask<Answer>(question: impl FnOnce(&Session) -> Option<Answer>) -> Option<Answer> {
    CURRENT.with_borrow(|session| session.as_deref().and_then(question))
}

/// The zone of whoever asks; `None`: UTC.
pub(super) fn zone() -> Option<Zone> {
    ask(|session| session.zone.clone())
}

fn claims(session: &Session) -> Option<String> {
    Some(session.claims.clone()).filter(|claims| !claims.is_empty())
}

/// A claim as `->>` gives it.
fn claim(name: &str) -> Option<String> {
    ask(|session| get_text(&session.claims, Operand::Key(name)))
}

/// True for the claims of whoever asks, which are known to be JSON.
pub(super) fn is_claims(text: &[u8]) -> bool {
    CURRENT.with_borrow(|session| {
        session.as_deref().is_some_and(|session| !text.is_empty() && session.claims.as_bytes() == text)
    })
}

fn uuid(text: &str) -> Result<String> {
    let type_name = TypeName::parse("uuid", type_name::Origin::Postgres);
    match value::coerce(text, &type_name) {
        Ok(Value::Text(uuid)) => Ok(uuid),
        Ok(_) | Err(_) => {
            let message = format!("invalid input syntax for type uuid: \"{text}\"");
            Err(failed(Fault { code: "22P02", message }))
        }
    }
}

/// Names are compared without regard to case, as Postgres does.
fn setting(context: &Context<'_>) -> Result<Option<String>> {
    let ValueRef::Text(name) = context.get_raw(0) else { return Ok(None) };
    let name = bind::text(name);
    let found = match name.to_ascii_lowercase().as_str() {
        "request.jwt.claims" => ask(claims),
        "request.method" => ask(|session| Some(session.origin.method.clone())),
        "request.path" => ask(|session| Some(session.origin.path.clone())),
        "request.headers" => ask(|session| Some(session.origin.headers.clone())),
        "request.cookies" => ask(|session| Some(session.origin.cookies.clone())),
        "role" => Some(ask(|session| session.role.clone()).unwrap_or_else(|| "none".to_owned())),
        "search_path" => Some("\"public\"".to_owned()),
        _ => None,
    };
    let missing_ok = matches!(context.get_raw(1), ValueRef::Integer(truth) if truth != 0);
    if found.is_none() && !missing_ok {
        let message = format!("unrecognized configuration parameter \"{name}\"");
        return Err(failed(Fault { code: "42704", message }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Origin;

    const UUID: &str = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection
    }

    fn one(connection: &Connection, expression: &str) -> std::result::Result<Option<String>, String> {
        let answer = connection.query_row(&format!("SELECT {expression}"), [], |row| row.get(0));
        answer.map_err(|error| error.to_string())
    }

    fn session(claims: &str) -> Arc<Session> {
        let origin = Origin {
            method: "PATCH".to_owned(),
            path: "/films".to_owned(),
            headers: r#"{"x-a":"b"}"#.to_owned(),
            cookies: r#"{"c":"d"}"#.to_owned(),
        };
        let role = Some("web".to_owned());
        Arc::new(Session { role, claims: claims.to_owned(), origin, ..Session::default() })
    }

    #[test]
    fn sql_learns_who_asks_and_what_for() {
        let connection = connection();
        let _guard = Guard::of(&session(&format!(r#"{{"sub":"{UUID}","role":"web","level":7}}"#)));
        for (expression, expected) in [
            ("berth_user()", "web"),
            ("berth_session_user()", "authenticator"),
            ("berth_setting('role', 0)", "web"),
            ("berth_setting('Request.Method', 0)", "PATCH"),
            ("berth_setting('request.path', 0)", "/films"),
            ("berth_setting('request.headers', 1) ->> 'x-a'", "b"),
            ("berth_setting('request.cookies', 1) ->> 'c'", "d"),
            ("berth_setting('request.jwt.claims', 1) ->> 'role'", "web"),
            ("berth_auth_uid()", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ("berth_auth_role()", "web"),
            ("CAST(berth_auth_jwt() ->> 'level' AS TEXT)", "7"),
        ] {
            assert_eq!(one(&connection, expression), Ok(Some(expected.to_owned())), "{expression}");
        }
        assert_eq!(one(&connection, "berth_auth_email()"), Ok(None));
        assert_eq!(one(&connection, "berth_setting('app.unknown', 1)"), Ok(None));
    }

    #[test]
    fn what_is_not_set_and_what_is_no_uuid_is_told_in_postgres_words() {
        let connection = connection();
        let _guard = Guard::of(&session(r#"{"sub":"7"}"#));
        let unknown = "42704: unrecognized configuration parameter \"a.b\"";
        assert_eq!(one(&connection, "berth_setting('a.b', 0)"), Err(unknown.to_owned()));
        let invalid = "22P02: invalid input syntax for type uuid: \"7\"";
        assert_eq!(one(&connection, "berth_auth_uid()"), Err(invalid.to_owned()));
    }

    #[test]
    fn a_session_ends_with_its_guard_and_nobody_has_claims() {
        let connection = connection();
        let outer = Guard::of(&session(r#"{"role":"outer"}"#));
        drop(Guard::of(&session(r#"{"role":"inner"}"#)));
        assert_eq!(one(&connection, "berth_auth_role()"), Ok(Some("outer".to_owned())));
        drop(outer);
        assert_eq!(one(&connection, "berth_auth_role()"), Ok(None));
        assert_eq!(one(&connection, "berth_setting('request.jwt.claims', 1)"), Ok(None));
        assert_eq!(one(&connection, "berth_user()"), Ok(Some("authenticator".to_owned())));
    }

    #[test]
    fn an_index_cannot_depend_on_who_asks() {
        let connection = connection();
        connection.execute_batch("CREATE TABLE t (a TEXT DEFAULT (berth_auth_role()))").unwrap();
        assert!(connection.execute_batch("CREATE INDEX i ON t (berth_user())").is_err());
    }
}
