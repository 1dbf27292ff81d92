//! Lets a rendered statement touch what its plan was granted, and nothing else.
//!
//! SQLite asks a connection's authorizer about every table and column while it prepares a statement. Grants were
//! checked before, on the plan; a statement that touches more shows a mistake in planning or rendering, and is an
//! error instead of a leak. As [`interrupt`](super::interrupt) does, the authorizer asks the thread it runs on.
//!
//! A statement that is prepared already is not asked about again: what a text touches does not depend on who sends it.
//!
//! Source: <https://www.sqlite.org/c3ref/set_authorizer.html>.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::write::find_table;
use crate::catalog::{Catalog, Kind, Table};
use crate::plan::{Reach, Touch};

/// Functions that are read like tables. They show what they are given.
const TABLE_FUNCTIONS: [&str; 2] = ["json_each", "json_tree"];

thread_local! {
    static ARMED: RefCell<Option<Armed>> = const { RefCell::new(None) };
}

/// What statements of this thread may touch.
#[derive(Debug)]
struct Armed {
    reach: Reach,
    catalog: Arc<Catalog>,
    /// A view was read. What SQLite then says of the tables behind it names no column, and not the view either.
    through_view: bool,
}

/// Makes the connection ask. Without a [`Guard`] everything is allowed: migrations and the catalog need it.
pub(super) fn heed_reach(connection: &Connection) -> rusqlite::Result<()> {
    // Made known now: SQLite describes them by a statement of its own, when they are first used.
    for function in TABLE_FUNCTIONS {
        connection.query_row(&format!("SELECT count(*) FROM {function}('[]')"), [], |_| Ok(()))?;
    }
    connection.authorizer(Some(|context: AuthContext<'_>| {
        let allowed = ARMED.with_borrow_mut(|armed| armed.as_mut().is_none_or(|armed| armed.allows(&context)));
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }))
}

/// Until dropped, statements of this thread touch only what their plan does.
#[derive(Debug)]
pub(super) struct Guard {
    outer: Option<Armed>,
}

impl Guard {
    /// Sets what may be touched; `catalog` is what it was planned against.
    #[must_use]
    pub(super) fn of(reach: &Reach, catalog: &Arc<Catalog>) -> Self {
        let armed = Armed { reach: reach.clone(), catalog: Arc::clone(catalog), through_view: false };
        Self { outer: ARMED.replace(Some(armed)) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        ARMED.set(self.outer.take());
    }
}

impl Armed {
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is or will be is not allowed")]
    fn allows(&mut self, context: &AuthContext<'_>) -> bool {
        if let Some(accessor) = context.accessor {
            self.through_view = true;
            return self.trusts(accessor);
        }
        match context.action {
            AuthAction::Select | AuthAction::Function { .. } | AuthAction::Recursive => true,
            AuthAction::Read { table_name, column_name } => {
                TABLE_FUNCTIONS.contains(&table_name)
                    || (column_name.is_empty() && self.through_view)
                    || self.touches(table_name, Touch::Read(column_name))
            }
            AuthAction::Insert { table_name } => self.touches(table_name, Touch::Insert),
            AuthAction::Update { table_name, column_name } => self.touches(table_name, Touch::Update(column_name)),
            AuthAction::Delete { table_name } => self.touches(table_name, Touch::Delete),
            _ => false,
        }
    }

    fn touches(&self, table: &str, touch: Touch<'_>) -> bool {
        self.reach.allows(table, touch) || self.follows(table, touch)
    }

    /// True for a view or a trigger that the plan leads to. What they do is their author's: whoever may use them need
    /// not be granted what is behind them.
    ///
    /// SQLite names the innermost, which may stand in another view, or in a trigger, which only writes set off. Common
    /// table expressions are named as well, but no rendered statement for SQLite has one.
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
    use crate::catalog::{QualifiedName, TypeKind, TypeName};
    use crate::plan::{Action, Condition, Delete, Expectation, Plan, Projection, Read, ReadNode, Returning};
    use crate::request::{MediaType, Preferences, Range};
    use crate::store::sqlite::introspect;

    /// `DELETE FROM parents`, which needs nothing but that.
    fn deletes_parents() -> Reach {
        let delete = Delete {
            from: QualifiedName::new("public", "parents"),
            filter: Condition::And(Vec::new()),
            returning: Returning::Nothing,
            expect: Expectation::default(),
        };
        reach(Action::Delete(delete))
    }

    /// `SELECT id FROM others`.
    fn reads_others() -> Reach {
        let id = Projection {
            column: "id".to_owned(),
            type_name: TypeName { declared: "integer".to_owned(), kind: TypeKind::Integer },
            path: Vec::new(),
            cast: None,
            aggregate: None,
            name: "id".to_owned(),
        };
        let node = ReadNode {
            from: QualifiedName::new("public", "others"),
            select: vec![id],
            filter: Condition::And(Vec::new()),
            order: Vec::new(),
            range: Range::ALL,
            embeds: Vec::new(),
        };
        let expect = Expectation::default();
        let read = Read { node, count: None, max_rows: None, headers_only: false, by_key: false, expect };
        reach(Action::Read(read))
    }

    fn reach(action: Action) -> Reach {
        let (media, preferences) = (MediaType::Json, Preferences::default());
        Reach::Plan(Arc::new(Plan { action, media, profile: None, preferences }))
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
        let guard = Guard::of(&deletes_parents(), &catalog);
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
        let guard = Guard::of(&reads_others(), &catalog);
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
        let guard = Guard::of(&deletes_parents(), &catalog);
        assert_eq!(connection.execute("DELETE FROM parents", []).unwrap(), 1);
        drop(guard);
        let left = |table: &str| {
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((left("children"), left("log")), (0, 1));
    }
}
