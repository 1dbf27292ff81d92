//! What migrations noted in tables of berth's own, because SQLite has no place for it.
//!
//! | table | columns |
//! |---|---|
//! | `_berth_roles` | `name`, `member_of` (JSON array of names) |
//! | `_berth_grants` | `grantee`, `schema_name`, `table_name`, `privilege`, `columns` (JSON array; null: all) |
//! | `_berth_schema_users` | `grantee`: who may use the schema; without the table, everybody |
//! | `_berth_comments` | `object_kind` (`table`, `column`, `schema`), `table_name`, `column_name`, `comment` |
//! | `_berth_enums` | `table_name`, `column_name`, `labels` (JSON array) |
//! | `_berth_tables` | `name` of a table that a migration made, `definition` |
//! | `_berth_functions` | `signature`, `definition` (Postgres' SQL), `routine` (JSON, see `catalog::routine`) |
//! | `_berth_word_indexes` | `name` (of the table of FTS5), `table_name`, `column_name`, `configuration` (null: a `tsvector`) |
//! | `_berth_invoker_views` | `name` |
//! | `_berth_checked_views` | `name`, `option_name` (`local` or `cascaded`) |
//! | `_berth_columns` | `table_name`, `column_name`, `type_name`, `identity` (`always`, `by default` or null) |
//!
//! Any of them may be missing. A note that cannot be read gives nothing: a grant least of all.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row};

use crate::catalog::{CheckOption, EVERYONE, Generated, Grant, Privilege, QualifiedName, Routine, SearchIndex};
use crate::store::sqlite::write::SCHEMA;

/// Everything that was noted.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) roles: BTreeMap<String, Vec<String>>,
    pub(super) grants: Vec<Grant>,
    /// Who may use a schema, of those that not everybody may.
    pub(super) schema_users: BTreeMap<String, BTreeSet<String>>,
    pub(super) routines: Vec<Routine>,
    pub(super) schema_comments: BTreeMap<String, String>,
    pub(super) table_comments: BTreeMap<String, String>,
    /// By table and column.
    pub(super) column_comments: BTreeMap<(String, String), String>,
    /// Labels by table and column.
    pub(super) enums: BTreeMap<(String, String), Vec<String>>,
    /// Types that SQLite cannot tell, by table and column: of what it counts, which must be called `INTEGER`, and of a
    /// view's expressions. With how the column is counted.
    pub(super) columns: BTreeMap<(String, String), (String, Option<Generated>)>,
    /// Indexes of words, by table.
    pub(super) search_indexes: BTreeMap<QualifiedName, Vec<SearchIndex>>,
    /// Tables and views that migrations made.
    pub(super) migrated: BTreeSet<String>,
    /// What was said of views.
    pub(super) views: ViewNotes,
}

/// What migrations noted of views.
#[derive(Debug, Default)]
pub(super) struct ViewNotes {
    /// Those that run with the rights of whoever asks.
    pub(super) invokers: BTreeSet<String>,
    /// Those with a check option.
    pub(super) checks: BTreeMap<String, CheckOption>,
}

impl Metadata {
    /// Reads those of the tables that are among `tables`.
    pub(super) fn read(connection: &Connection, tables: &BTreeSet<&str>) -> rusqlite::Result<Self> {
        let mut metadata = Self::default();
        metadata.read_access(connection, tables)?;
        metadata.read_columns(connection, tables)?;
        metadata.read_notes(connection, tables)?;
        Ok(metadata)
    }

    /// Roles, what is granted to them, and the functions that they call.
    fn read_access(&mut self, connection: &Connection, tables: &BTreeSet<&str>) -> rusqlite::Result<()> {
        if tables.contains("_berth_roles") {
            each(connection, "SELECT name, member_of FROM _berth_roles", |row| {
                let member_of: Option<String> = row.get(1)?;
                self.roles.insert(row.get(0)?, names(member_of.as_deref()).unwrap_or_default());
                Ok(())
            })?;
        }
        if tables.contains("_berth_grants") {
            let sql = "SELECT grantee, schema_name, table_name, privilege, columns FROM _berth_grants";
            each(connection, sql, |row| self.add_grant(row))?;
        }
        if tables.contains("_berth_schema_users") {
            let mut users = BTreeSet::new();
            each(connection, "SELECT grantee FROM _berth_schema_users", |row| {
                users.insert(row.get(0)?);
                Ok(())
            })?;
            if !users.contains(EVERYONE) {
                self.schema_users.insert(SCHEMA.to_owned(), users);
            }
        }
        if tables.contains("_berth_functions") {
            each(connection, "SELECT routine FROM _berth_functions ORDER BY signature", |row| {
                self.routines.extend(serde_json::from_str::<Routine>(&row.get::<_, String>(0)?));
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Tables and views, the types of their columns, and the labels of those.
    fn read_columns(&mut self, connection: &Connection, tables: &BTreeSet<&str>) -> rusqlite::Result<()> {
        if tables.contains("_berth_enums") {
            each(connection, "SELECT table_name, column_name, labels FROM _berth_enums", |row| {
                let labels: Option<String> = row.get(2)?;
                self.enums.insert((row.get(0)?, row.get(1)?), names(labels.as_deref()).unwrap_or_default());
                Ok(())
            })?;
        }
        if tables.contains("_berth_tables") {
            each(connection, "SELECT name FROM _berth_tables", |row| {
                self.migrated.insert(row.get(0)?);
                Ok(())
            })?;
        }
        if tables.contains("_berth_invoker_views") {
            each(connection, "SELECT name FROM _berth_invoker_views", |row| {
                self.views.invokers.insert(row.get(0)?);
                Ok(())
            })?;
        }
        if tables.contains("_berth_checked_views") {
            each(connection, "SELECT name, option_name FROM _berth_checked_views", |row| {
                let is_local = row.get::<_, String>(1)? == "local";
                let option = if is_local { CheckOption::Local } else { CheckOption::Cascaded };
                self.views.checks.insert(row.get(0)?, option);
                Ok(())
            })?;
        }
        if tables.contains("_berth_columns") {
            each(connection, "SELECT table_name, column_name, type_name, identity FROM _berth_columns", |row| {
                let identity = row.get::<_, Option<String>>(3)?.map(|identity| match identity.as_str() {
                    "always" => Generated::IdentityAlways,
                    _ => Generated::IdentityByDefault,
                });
                // Of views, only those of migrations are noted.
                self.migrated.insert(row.get(0)?);
                self.columns.insert((row.get(0)?, row.get(1)?), (row.get(2)?, identity));
                Ok(())
            })?;
        }
        Ok(())
    }

    /// What is said of them, and the indexes of words.
    fn read_notes(&mut self, connection: &Connection, tables: &BTreeSet<&str>) -> rusqlite::Result<()> {
        if tables.contains("_berth_comments") {
            let sql = "SELECT object_kind, coalesce(table_name, ''), coalesce(column_name, ''), comment \
                       FROM _berth_comments WHERE comment IS NOT NULL";
            each(connection, sql, |row| self.add_comment(row))?;
        }
        if tables.contains("_berth_word_indexes") {
            let sql = "SELECT name, table_name, column_name, configuration FROM _berth_word_indexes";
            each(connection, sql, |row| {
                let index = SearchIndex { name: row.get(0)?, column: row.get(2)?, configuration: row.get(3)? };
                if tables.contains(index.name.as_str()) {
                    let table = QualifiedName::new(SCHEMA, row.get::<_, String>(1)?);
                    self.search_indexes.entry(table).or_default().push(index);
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn add_grant(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let privileges: &[Privilege] = match row.get::<_, String>(3)?.to_ascii_lowercase().as_str() {
            "select" => &[Privilege::Select],
            "insert" => &[Privilege::Insert],
            "update" => &[Privilege::Update],
            "delete" => &[Privilege::Delete],
            "all" => &[Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::Delete],
            _ => &[],
        };
        let columns: Option<String> = row.get(4)?;
        // Columns that cannot be read are none, not all.
        let columns = columns.map(|columns| names(Some(&columns)).unwrap_or_default());
        let grantee: String = row.get(0)?;
        let table = QualifiedName::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        self.grants.extend(privileges.iter().map(|&privilege| Grant {
            grantee: grantee.clone(),
            table: table.clone(),
            privilege,
            columns: columns.clone(),
        }));
        Ok(())
    }

    fn add_comment(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let (kind, table, column): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let comment = row.get(3)?;
        match kind.as_str() {
            "table" => drop(self.table_comments.insert(table, comment)),
            "column" => drop(self.column_comments.insert((table, column), comment)),
            "schema" if table.is_empty() => drop(self.schema_comments.insert(SCHEMA.to_owned(), comment)),
            "schema" => drop(self.schema_comments.insert(table, comment)),
            _ => {}
        }
        Ok(())
    }
}

fn each(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

/// A JSON array of names.
fn names(json: Option<&str>) -> Option<Vec<String>> {
    serde_json::from_str(json?).ok()
}
