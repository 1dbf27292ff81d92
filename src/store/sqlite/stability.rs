//! Which statements give the same rows as long as the database is the same: those that ask neither the clock nor chance.
//!
//! SQLite asks a connection's authorizer about each function while it prepares a statement, also about those of views
//! and row policies. What a text calls is found out once and kept.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};

use rusqlite::Connection;

/// Functions whose value is not that of their arguments alone. The date functions are when they are asked for `now`,
/// which is an argument that may come from anywhere.
const UNSTABLE: [&str; 20] = [
    "berth_updated",
    "changes",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "julianday",
    "last_insert_rowid",
    "load_extension",
    "now",
    "random",
    "randomblob",
    "sqlite_offset",
    "strftime",
    "time",
    "timediff",
    "total_changes",
    "unixepoch",
    "uuid",
];

/// Texts that are kept: an application sends fewer. When there are more, all are found out anew.
const TEXTS_MAX: usize = 4_096;

thread_local! {
    /// A statement that this thread prepares calls an unstable function.
    static CALLED: Cell<bool> = const { Cell::new(false) };
}

/// Called by the authorizer for each function that a statement calls.
pub(super) fn note(function: &str) {
    let is_unstable = UNSTABLE.iter().any(|name| name.eq_ignore_ascii_case(function));
    if is_unstable {
        CALLED.set(true);
    }
}

/// What is known of texts.
#[derive(Debug, Default)]
pub(super) struct Stability {
    /// By the hash of text and schema: a view of the same name may become another.
    known: RwLock<HashMap<u64, bool>>,
    hasher: RandomState,
}

impl Stability {
    /// True when the text is known to be stable; false also while nothing is known.
    pub(super) fn is_known_stable(&self, text: &str, schema_version: i64) -> bool {
        self.find(text, schema_version) == Some(true)
    }

    /// True when the text is stable; finds it out the first time.
    pub(super) fn is_stable(&self, connection: &Connection, text: &str, schema_version: i64) -> bool {
        if let Some(known) = self.find(text, schema_version) {
            return known;
        }
        CALLED.set(false);
        // Not one of the cache, about which SQLite would not ask.
        let is_prepared = connection.prepare(text).is_ok();
        let is_stable = is_prepared && !CALLED.replace(false);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TEXTS_MAX {
            known.clear();
        }
        known.insert(self.key(text, schema_version), is_stable);
        is_stable
    }

    fn find(&self, text: &str, schema_version: i64) -> Option<bool> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&self.key(text, schema_version)).copied()
    }

    fn key(&self, text: &str, schema_version: i64) -> u64 {
        self.hasher.hash_one((text, schema_version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{authorizer, functions};

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        functions::register(&connection).unwrap();
        authorizer::heed_reach(&connection).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a, at TEXT DEFAULT CURRENT_TIMESTAMP);
                 CREATE VIEW recent AS SELECT a FROM t WHERE at > datetime('now', '-1 day');
                 CREATE VIEW plain AS SELECT upper(a) AS a FROM t;",
            )
            .unwrap();
        connection
    }

    #[test]
    fn what_asks_the_clock_or_chance_is_unstable_also_inside_a_view() {
        let (connection, stability) = (database(), Stability::default());
        for (text, expected) in [
            ("SELECT a FROM t ORDER BY at", true),
            ("SELECT a FROM plain", true),
            ("SELECT berth_like('a%', a) FROM t", true),
            ("SELECT a FROM recent", false),
            ("SELECT a FROM t ORDER BY random()", false),
            ("SELECT CURRENT_TIMESTAMP", false),
            ("SELECT a FROM t WHERE a > (SELECT count(*) FROM recent)", false),
        ] {
            assert!(!stability.is_known_stable(text, 1), "{text}: nothing is known yet");
            for _ in 0..2 {
                assert_eq!(stability.is_stable(&connection, text, 1), expected, "{text}");
                assert_eq!(stability.is_known_stable(text, 1), expected, "{text}");
            }
            assert!(!stability.is_known_stable(text, 2), "{text}: of another schema");
        }
        assert!(!stability.is_stable(&connection, "SELECT nonsense FROM nowhere", 1));
    }

    /// `SQLITE_DETERMINISTIC` of `sqlite3.h`.
    const DETERMINISTIC: i64 = 0x800;

    /// Not deterministic to SQLite, but the same for the same database, program and sender, whose role, claims, path and
    /// preferences (with the time zone) are in the representation, and whose other headers make nothing stable.
    const OF_BUILD_ROW_OR_SENDER: [&str; 31] = [
        "berth_any_setting",
        "berth_auth_email",
        "berth_auth_jwt",
        "berth_auth_role",
        "berth_auth_uid",
        "berth_convert_here",
        "berth_refuse",
        "berth_refuse_unshown",
        "berth_session_user",
        "berth_setting",
        "berth_to_json",
        "berth_user",
        "bm25",
        "fts3_tokenizer",
        "fts5",
        "fts5_get_locale",
        "fts5_insttoken",
        "fts5_locale",
        "highlight",
        "match",
        "matchinfo",
        "offsets",
        "optimize",
        "rtreecheck",
        "rtreedepth",
        "rtreenode",
        "snippet",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_source_id",
        "sqlite_version",
    ];

    #[test]
    fn every_function_that_sqlite_calls_unstable_is_named() {
        let connection = database();
        let mut statement =
            connection.prepare("SELECT name, flags FROM pragma_function_list WHERE type = 's'").unwrap();
        let functions = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
        let unnamed: std::collections::BTreeSet<String> = functions
            .map(Result::unwrap)
            .filter(|(name, flags)| flags & DETERMINISTIC == 0 && !UNSTABLE.contains(&name.as_str()))
            .map(|(name, _)| name)
            .filter(|name| !OF_BUILD_ROW_OR_SENDER.contains(&name.as_str()))
            .collect();
        assert!(unnamed.is_empty(), "{unnamed:?} may be unstable");
    }

    #[test]
    fn no_more_texts_are_kept_than_the_bound() {
        let (connection, stability) = (database(), Stability::default());
        for number in 0..TEXTS_MAX + 2 {
            stability.is_stable(&connection, &format!("SELECT {number}"), 1);
        }
        assert!(stability.known.read().unwrap().len() <= TEXTS_MAX);
    }
}
