//! Lets a rendered statement touch what its plan was granted, and nothing else.
//!
//! SQLite asks a connection's authorizer about every table and column while it prepares a statement. Grants were
//! checked before, on the plan; a statement that touches more shows a mistake in planning or rendering, and is an
//! error instead of a leak. As [`interrupt`](super::interrupt) does, the authorizer asks the thread it runs on.
//!
//! A statement that is prepared already is not asked about again: what a text touches does not depend on who sends it.
//! Nor is what virtual tables do for themselves while it runs, by statements of their own.
//!
//! Source: <https://www.sqlite.org/c3ref/set_authorizer.html>.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{CachedStatement, Connection};

use super::stability;
use super::write::find_table;
use crate::catalog::{Catalog, Kind, QualifiedName, SearchIndex, Table};
use crate::plan::{Reach, Touch};

/// What `ANALYZE` noted, which R-trees look at.
const STATISTICS: &str = "sqlite_stat1";
/// What the query of a view is called in the part of a statement that shows it (`sql/rules.rs`).
const VIEW_PART: &str = "berth_view";

/// Functions that are read like tables. They show what they are given.
const TABLE_FUNCTIONS: [&str; 2] = ["json_each", "json_tree"];

thread_local! {
    static ARMED: RefCell<Option<Armed>> = const { RefCell::new(None) };
    static RECORDED: RefCell<Option<Vec<Reading>>> = const { RefCell::new(None) };
}

/// A column that a statement reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// The view or common table expression that reads it; `None`: the statement itself.
    pub(super) accessor: Option<String>,
    /// The table or view.
    pub(super) table: String,
    /// The column; empty: only whether there are rows.
    pub(super) column: String,
}

/// What SQLite says that a query reads. Functions that are read like tables are left out.
///
/// # Errors
/// What SQLite says when the query cannot be run.
pub(super) fn readings(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Reading>> {
    RECORDED.set(Some(Vec::new()));
    let prepared = connection.prepare(sql).map(drop);
    let recorded = RECORDED.take().unwrap_or_default();
    prepared.map(|()| recorded)
}

/// Notes what is read, while somebody wants to know.
fn record(context: &AuthContext<'_>) {
    RECORDED.with_borrow_mut(|recorded| match (recorded, context.action) {
        (Some(recorded), AuthAction::Read { table_name, column_name }) if !TABLE_FUNCTIONS.contains(&table_name) => {
            recorded.push(Reading {
                accessor: context.accessor.map(str::to_owned),
                table: table_name.to_owned(),
                column: column_name.to_owned(),
            });
        }
        _ => {}
    });
}

/// What statements of this thread may touch.
#[derive(Debug)]
struct Armed {
    reach: Reach,
    catalog: Arc<Catalog>,
    /// A view was read, or a part that shows a table. What SQLite then says of the tables behind it names no column, and not the view either.
    through_view: bool,
}

/// Makes the connection ask. Outside of [`prepare`] everything is allowed: migrations and the catalog need it.
pub(super) fn heed_reach(connection: &Connection) -> rusqlite::Result<()> {
    // Made known now: SQLite describes them by a statement of its own, when they are first used.
    for function in TABLE_FUNCTIONS {
        connection.query_row(&format!("SELECT count(*) FROM {function}('[]')"), [], |_| Ok(()))?;
    }
    connection.authorizer(Some(|context: AuthContext<'_>| {
        record(&context);
        if let AuthAction::Function { function_name } = context.action {
            stability::note(function_name);
        }
        let allowed = ARMED.with_borrow_mut(|armed| armed.as_mut().is_none_or(|armed| armed.allows(&context)));
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }))
}

/// Prepares a statement that touches only what its plan does; `catalog` is what it was planned against.
///
/// # Errors
/// [`AuthorizationForStatementDenied`](rusqlite::ErrorCode::AuthorizationForStatementDenied) when it would touch more.
pub(super) fn prepare<'connection>(
    connection: &'connection Connection,
    text: &str,
    reach: &Reach,
    catalog: &Arc<Catalog>,
) -> rusqlite::Result<CachedStatement<'connection>> {
    let _guard = Guard::of(reach, catalog);
    connection.prepare_cached(text)
}

/// Until dropped, statements that this thread prepares touch only what their plan does.
#[derive(Debug)]
struct Guard;

impl Guard {
    fn of(reach: &Reach, catalog: &Arc<Catalog>) -> Self {
        let armed = Armed { reach: reach.clone(), catalog: Arc::clone(catalog), through_view: false };
        ARMED.set(Some(armed));
        Self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        ARMED.set(None);
    }
}

impl Armed {
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is or will be is not allowed")]
    fn allows(&mut self, context: &AuthContext<'_>) -> bool {
        self.through_view |= context.accessor.is_some();
        // A part of the statement that shows a table reads what the plan and its policies do.
        let is_part = |name: &str| name == VIEW_PART || self.reach.shows(name) || !self.is_made(name);
        if let Some(accessor) = context.accessor.filter(|name| !is_part(name)) {
            return self.trusts(accessor);
        }
        match context.action {
            AuthAction::Select | AuthAction::Function { .. } | AuthAction::Recursive => true,
            AuthAction::Read { table_name, column_name } => {
                TABLE_FUNCTIONS.contains(&table_name)
                    || self.is_internal(table_name)
                    || self.searches(table_name, column_name)
                    || (column_name.is_empty() && (self.through_view || !self.is_made(table_name)))
                    || self.reads(table_name, column_name, context.accessor.is_some())
            }
            AuthAction::Insert { table_name } => {
                self.is_internal(table_name) || self.touches(table_name, Touch::Insert)
            }
            AuthAction::Update { table_name, column_name } => {
                self.is_internal(table_name) || self.touches(table_name, Touch::Update(column_name))
            }
            AuthAction::Delete { table_name } => {
                self.is_internal(table_name) || self.touches(table_name, Touch::Delete)
            }
            _ => false,
        }
    }

    /// True for what a virtual table looks at when a connection first meets it: the tables that it keeps its data in,
    /// which are named after it and not in the catalog (so no rendered statement has them), and how large they are.
    fn is_internal(&self, table: &str) -> bool {
        let is_named_after =
            |other: &Table| table.strip_prefix(other.name.name.as_str()).is_some_and(|rest| rest.starts_with('_'));
        table == STATISTICS
            || self.is_of_search(table)
            || (find_table(&self.catalog, table).is_none() && self.catalog.tables.values().any(is_named_after))
    }

    /// True for an index of words that the plan asks, and for the row ids of the table that it is an index of.
    fn searches(&self, table: &str, column: &str) -> bool {
        let is_row_id = |of: &str| {
            let key = find_table(&self.catalog, of).map(|of| of.primary_key.as_slice());
            column == "ROWID" || key.is_some_and(|key| matches!(key, [only] if only == column))
        };
        self.reach.searches().into_iter().any(|(of, index)| table == index || (table == of && is_row_id(of)))
    }

    /// True for the tables in which FTS5 keeps an index of words that the plan asks, or that follows what it writes.
    fn is_of_search(&self, table: &str) -> bool {
        let keeps = |index: &str| table.strip_prefix(index).is_some_and(|rest| rest.starts_with('_'));
        if !self.catalog.search_indexes.values().flatten().any(|index| keeps(&index.name)) {
            return false;
        }
        let is_asked = self.reach.searches().into_iter().any(|(_, index)| keeps(index));
        let written = referring(&self.catalog, self.reach.written());
        let follows = |(of, indexes): (&QualifiedName, &Vec<SearchIndex>)| {
            written.contains(of.name.as_str()) && indexes.iter().any(|index| keeps(&index.name))
        };
        is_asked || self.catalog.search_indexes.iter().any(follows)
    }

    /// A table of which some rows are hidden is read by the part that shows it, or to look at a key.
    fn reads(&self, table: &str, column: &str, within_part: bool) -> bool {
        let touch = Touch::Read(column);
        let is_planned = (within_part || !self.reach.hides(table)) && self.reach.allows(table, touch);
        is_planned || self.follows(table, touch)
    }

    /// False for a common table expression of the statement itself, which SQLite names as well. Where something is
    /// written, it may be a trigger.
    fn is_made(&self, accessor: &str) -> bool {
        !self.reach.names_queries() || find_table(&self.catalog, accessor).is_some() || !self.reach.written().is_empty()
    }

    fn touches(&self, table: &str, touch: Touch<'_>) -> bool {
        self.reach.allows(table, touch) || self.follows(table, touch)
    }

    /// True for a view or a trigger that the plan leads to. What they do is their author's: whoever may use them need
    /// not be granted what is behind them.
    ///
    /// SQLite names the innermost, which may stand in another view, or in a trigger, which only writes set off.
    fn trusts(&self, accessor: &str) -> bool {
        let is_view = |name: &&str| find_table(&self.catalog, name).is_some_and(|table| table.kind == Kind::View);
        self.reach.allows(accessor, Touch::Read(""))
            || self.reach.tables().iter().any(is_view)
            || !self.reach.written().is_empty()
    }

    /// True for what foreign keys do on behalf of a write: they look at keys, and change and delete rows that refer to
    /// what is changed and deleted.
    fn follows(&self, table: &str, touch: Touch<'_>) -> bool {
        let referring = referring(&self.catalog, self.reach.written());
        let is_key = |column: &str| {
            referring.iter().filter_map(|of| find_table(&self.catalog, of)).any(|of| {
                of.foreign_keys.iter().any(|key| {
                    let own = of.name.name == table && key.columns.iter().any(|name| name == column);
                    let other =
                        key.references.name == table && key.references_columns.iter().any(|name| name == column);
                    own || other
                })
            })
        };
        match touch {
            Touch::Read(column) => is_key(column),
            Touch::Update(column) => referring.contains(table) && is_key(column),
            Touch::Delete => referring.contains(table),
            Touch::Insert => false,
        }
    }
}

/// Tables, and those whose foreign keys point to them, directly or through others.
fn referring<'a>(catalog: &'a Catalog, tables: Vec<&'a str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting = tables;
    while let Some(next) = waiting.pop() {
        let points = |table: &&Table| table.foreign_keys.iter().any(|key| key.references.name == next);
        let pointing: Vec<&str> =
            catalog.tables.values().filter(points).map(|table| table.name.name.as_str()).collect();
        if found.insert(next) {
            waiting.extend(pointing);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{TypeKind, TypeName};
    use crate::plan::{
        Action, Condition, Delete, Expectation, Plan, Projection, Read, ReadNode, Returning, Rules, Target,
    };
    use crate::request::{MediaType, Preferences, Range};
    use crate::store::sqlite::introspect;

    /// `DELETE FROM table`, which needs nothing but that.
    fn deletes(table: &str) -> Reach {
        let delete = Delete {
            from: QualifiedName::new("public", table),
            through: None,
            filter: Condition::And(Vec::new()),
            returning: Returning::Nothing,
            expect: Expectation::default(),
        };
        reach(Action::Delete(delete))
    }

    /// `SELECT column FROM table`.
    fn reads(table: &str, column: &str) -> Reach {
        let column = Projection {
            formatter: None,
            target: Target::column(column, TypeName { declared: "integer".to_owned(), kind: TypeKind::Integer }),
            cast: None,
            aggregate: None,
            name: column.to_owned(),
        };
        let node = ReadNode {
            from: QualifiedName::new("public", table),
            select: vec![column],
            filter: Condition::And(Vec::new()),
            order: Vec::new(),
            range: Range::ALL,
            embeds: Vec::new(),
        };
        let expect = Expectation::default();
        let distinct = crate::plan::Distinct::No;
        let read = Read {
            node,
            distinct,
            keyset: None,
            count: None,
            max_rows: None,
            headers_only: false,
            by_key: false,
            streamed: false,
            expect,
        };
        reach(Action::Read(read))
    }

    fn reach(action: Action) -> Reach {
        let (media, preferences) = (MediaType::Json, Preferences::default());
        let plan = Plan { action, media, maker: None, profile: None, preferences, zone: None, cache_control: None };
        Reach::Plan(Arc::new(plan), Arc::new(Rules::default()))
    }

    fn is_refused(connection: &Connection, sql: &str) -> bool {
        let refused = Some(rusqlite::ErrorCode::AuthorizationForStatementDenied);
        connection.prepare(sql).is_err_and(|error| error.sqlite_error_code() == refused)
    }

    fn database() -> (Connection, Arc<Catalog>) {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE parents (id INTEGER PRIMARY KEY, secret TEXT);
                 CREATE TABLE children (id INTEGER PRIMARY KEY, secret TEXT,
                     parent INTEGER REFERENCES parents (id) ON DELETE CASCADE);
                 CREATE TABLE others (id INTEGER PRIMARY KEY);
                 CREATE TABLE log (id INTEGER);
                 CREATE TRIGGER told AFTER DELETE ON parents BEGIN INSERT INTO log VALUES (old.id); END;
                 CREATE VIEW shown AS SELECT id, secret FROM parents;
                 INSERT INTO parents VALUES (1, 's');
                 INSERT INTO children VALUES (1, 's', 1);",
            )
            .unwrap();
        heed_reach(&connection).unwrap();
        let catalog = Arc::new(introspect::read(&connection).unwrap());
        (connection, catalog)
    }

    #[test]
    fn a_statement_that_touches_more_than_its_plan_is_refused() {
        let (connection, catalog) = database();
        let guard = Guard::of(&deletes("parents"), &catalog);
        for sql in [
            "SELECT secret FROM parents",
            "SELECT count(*) FROM others",
            "SELECT secret FROM children",
            "SELECT (SELECT secret FROM parents) FROM json_each('[1]')",
            "DELETE FROM others",
            "DELETE FROM parents WHERE secret = 's'",
            "DELETE FROM parents RETURNING secret",
            "INSERT INTO parents VALUES (2, 's')",
            "UPDATE parents SET secret = 't'",
            "UPDATE children SET secret = 't'",
            "DROP TABLE others",
            "PRAGMA foreign_keys = OFF",
            "SELECT sql FROM sqlite_schema",
        ] {
            assert!(is_refused(&connection, sql), "{sql}");
        }
        drop(guard);
        let guard = Guard::of(&reads("others", "id"), &catalog);
        for sql in
            ["SELECT secret FROM parents", "SELECT 1 FROM shown", "SELECT id FROM children", "DELETE FROM others"]
        {
            assert!(is_refused(&connection, sql), "{sql}");
        }
        assert!(!is_refused(&connection, "SELECT id, (SELECT count(*) FROM others) FROM others"));
        drop(guard);
        assert!(connection.prepare("SELECT secret FROM parents").is_ok(), "nobody is watched any more");
    }

    #[test]
    fn what_keys_and_triggers_do_for_a_write_is_allowed() {
        let (connection, catalog) = database();
        let guard = Guard::of(&deletes("parents"), &catalog);
        assert_eq!(connection.execute("DELETE FROM parents", []).unwrap(), 1);
        drop(guard);
        let left = |table: &str| {
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((left("children"), left("log")), (0, 1));
    }

    #[test]
    fn virtual_tables_use_tables_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        let content = "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT);
             CREATE VIRTUAL TABLE words USING fts5 (title, content = docs, content_rowid = id);
             CREATE TRIGGER added AFTER INSERT ON docs BEGIN
                 INSERT INTO words (rowid, title) VALUES (new.id, new.title); END;
             CREATE TRIGGER removed AFTER DELETE ON docs BEGIN
                 INSERT INTO words (words, rowid, title) VALUES ('delete', old.id, old.title); END;
             CREATE VIRTUAL TABLE boxes USING rtree (id, low, high);
             INSERT INTO docs VALUES (1, 'hello'); INSERT INTO boxes VALUES (7, 1.0, 2.0); ANALYZE;";
        Connection::open(&path).unwrap().execute_batch(content).unwrap();
        // Each meets the virtual tables for the first time.
        let met = |reach: &Reach, sql: &str| {
            let connection = Connection::open(&path).unwrap();
            let catalog = Arc::new(introspect::read(&Connection::open(&path).unwrap()).unwrap());
            heed_reach(&connection).unwrap();
            let mut statement = prepare(&connection, sql, reach, &catalog)?;
            match statement.column_count() {
                0 => statement.execute([]).map(|rows| rows.to_string()),
                _ => statement.query_row([], |row| row.get(0)),
            }
        };
        assert_eq!(met(&reads("words", "title"), "SELECT title FROM words").unwrap(), "hello");
        assert_eq!(met(&reads("boxes", "id"), "SELECT CAST(id AS TEXT) FROM boxes").unwrap(), "7");
        assert_eq!(met(&deletes("boxes"), "DELETE FROM boxes").unwrap(), "1");
        assert_eq!(met(&deletes("docs"), "DELETE FROM docs").unwrap(), "1");
        assert!(met(&reads("words", "title"), "SELECT title FROM docs").is_err());
    }
}
