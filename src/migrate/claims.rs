//! `auth.uid()` and its like on a Postgres that has none of them: made with the first script that calls them.
//!
//! Policies written for Supabase call these functions. A Supabase server has them, SQLite gets them from berth's
//! translation, and so that one script runs everywhere a plain server is given them too, in the script's transaction.
//! What is there already, or what a script makes itself, is left alone.
//!
//! Source: <https://supabase.com/docs/guides/database/postgres/row-level-security#helper-functions>.

use std::sync::LazyLock;

use regex::Regex;
use tokio_postgres::Transaction;

use super::{Error, Script};

/// Name, type and claim of each; the claims as a whole where there is none.
const FUNCTIONS: [(&str, &str, &str); 4] = [
    ("uid", "uuid", "(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid"),
    ("role", "text", "nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'"),
    ("email", "text", "nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'"),
    ("jwt", "jsonb", "nullif(current_setting('request.jwt.claims', true), '')::jsonb"),
];

/// Makes the functions that `script` calls and that are not there.
///
/// # Errors
/// [`Error::Postgres`], when the role may not make them.
pub(super) async fn provide(transaction: &Transaction<'_>, script: &Script) -> Result<(), Error> {
    let text = script.text.to_ascii_lowercase();
    for (name, type_name, body) in FUNCTIONS.iter().filter(|(name, _, _)| calls(&text, name)) {
        let found = "SELECT pg_catalog.to_regprocedure($1) IS NOT NULL, pg_catalog.to_regnamespace('auth') IS NOT NULL";
        let row = transaction.query_one(found, &[&format!("auth.{name}()")]).await?;
        let (has_function, has_schema): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
        if has_function {
            continue;
        }
        if !has_schema {
            transaction.batch_execute("CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO PUBLIC").await?;
        }
        let create =
            format!("CREATE FUNCTION auth.{name}() RETURNS {type_name} LANGUAGE sql STABLE AS $$SELECT {body}$$");
        transaction.batch_execute(&create).await?;
    }
    Ok(())
}

/// True when a script, in lower case, calls `auth.name()` and makes no schema of its own for it.
fn calls(text: &str, name: &str) -> bool {
    static CALL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"\bauth"?\s*\.\s*"?(uid|role|email|jwt)"?\s*\(\s*\)"#).ok());
    static OWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"\bcreate\s+(schema\s+(if\s+not\s+exists\s+)?|(or\s+replace\s+)?function\s+)"?auth\b"#).ok()
    });
    let is_own = OWN.as_ref().is_some_and(|own| own.is_match(text));
    let mut called = CALL.iter().flat_map(|call| call.captures_iter(text));
    !is_own && called.any(|found| found.get(1).is_some_and(|called| called.as_str() == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_calls_a_function_is_told_from_one_that_makes_it() {
        assert!(calls("create policy p on t using (owner = (select auth.uid()));", "uid"));
        assert!(calls("... \"auth\".\"jwt\"() ...", "jwt"));
        assert!(!calls("create policy p on t using (owner = auth.uid());", "jwt"));
        assert!(!calls("create schema auth; create function auth.uid() ...; select auth.uid()", "uid"));
        assert!(!calls("create or replace function auth.uid() returns uuid", "uid"));
        assert!(!calls("select oauth.uid()", "uid"));
    }
}
