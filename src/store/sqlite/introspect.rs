//! Reads the catalog out of a SQLite file: its schema by pragmas, names of constraints out of the schema's text
//! (`definition`), and what migrations noted of comments, roles and grants (`metadata`).
//!
//! Left out: SQLite's own tables, berth's own, and the shadow tables that virtual tables keep their data in. A view
//! that cannot be read (its table is gone), or a virtual table (its module is not in this program), is left out too, as
//! nothing can be asked of it.
//!
//! Source: <https://www.sqlite.org/pragma.html>.

pub(super) mod definition;
mod function;
mod metadata;
mod row_security;
#[cfg(test)]
mod tests;
mod updatable;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use super::outcome::schema_version;
use super::write::SCHEMA;
use crate::catalog::type_name::Origin;
use crate::catalog::{
    Catalog, Column, ForeignKey, Generated, Kind, MediaHandlers, QualifiedName, Routine, Table, TypeKind, TypeName,
    routine,
};
use crate::plan::authorize::narrowed;
use definition::{ConstraintKind, constraints, free_name, named};
use metadata::Metadata;
use row_security::Found;

pub(super) use row_security::policed;

/// Reads everything, as it is at one moment.
///
/// # Errors
/// What SQLite says.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Catalog> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
    read_within(&transaction)
}

/// Reads everything, within a transaction that is open.
///
/// # Errors
/// What SQLite says.
pub(super) fn read_within(transaction: &Connection) -> rusqlite::Result<Catalog> {
    let version = schema_version(transaction)?;
    let listed = list(transaction)?;
    let names: BTreeSet<&str> = listed.iter().map(|entry| entry.name.as_str()).collect();
    let metadata = Metadata::read(transaction, &names)?;

    let mut tables = BTreeMap::new();
    for entry in listed.iter().filter(|entry| entry.is_served()) {
        if let Some(table) = read_table(transaction, entry, &metadata)? {
            tables.insert(table.name.clone(), table);
        }
    }
    resolve_references(&mut tables);
    let views = view::list(transaction)?;
    let shown_keys = view::find_keys(transaction, &views, &mut tables)?;
    let stored = listed.iter().filter(|entry| entry.kind == "table").map(|entry| entry.name.as_str()).collect();
    let view_writes = updatable::read(transaction, views, &mut tables, &stored, &metadata.views)?;
    let Found { bypassing_roles, row_security, view_queries } =
        Found::read(transaction, &names, &tables, &metadata.views.invokers)?;
    let Metadata { schema_comments, grants, schema_users, roles, routines, search_indexes, .. } = metadata;
    let asks_headers = function::asks_headers(transaction, &names, &routines)?;
    let routines: Vec<Routine> = routines.into_iter().map(function::with_decimals).collect();
    let (row_functions, computed) = function::of_rows(&routines, &tables);
    let routines = routine::by_name(routines);
    let mut catalog = Catalog {
        version,
        tables,
        row_functions,
        computed,
        media_handlers: MediaHandlers::default(),
        shown_keys,
        schema_comments,
        grants,
        schema_users,
        roles,
        bypassing_roles,
        row_security,
        view_queries,
        view_writes,
        routines,
        search_indexes,
        asks_headers,
        ..Catalog::default()
    };
    catalog.narrowed = narrowed(&catalog);
    Ok(catalog)
}

/// A line of `PRAGMA table_list`.
#[derive(Debug)]
struct Entry {
    name: String,
    kind: String,
    without_rowid: bool,
}

impl Entry {
    fn is_served(&self) -> bool {
        let is_own =
            |prefix: &str| self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        matches!(self.kind.as_str(), "table" | "view" | "virtual") && !is_own("sqlite_") && !is_own("_berth_")
    }

    fn is_view(&self) -> bool {
        self.kind == "view"
    }
}

fn list(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let sql = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'";
    let entry = |row: &Row<'_>| Ok(Entry { name: row.get(0)?, kind: row.get(1)?, without_rowid: row.get(2)? });
    connection.prepare(sql)?.query_map([], entry)?.collect()
}

/// A line of `PRAGMA table_xinfo`.
#[derive(Debug)]
struct ColumnEntry {
    name: String,
    declared: String,
    not_null: bool,
    default: Option<String>,
    /// Place in the primary key, from 1; 0 outside it.
    key_place: i64,
    /// 0: plain, 1: hidden by a virtual table, 2 and 3: computed.
    hidden: i64,
}

fn read_columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ColumnEntry>> {
    let sql = "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid";
    let column = |row: &Row<'_>| {
        Ok(ColumnEntry {
            name: row.get(0)?,
            declared: row.get(1)?,
            not_null: row.get(2)?,
            default: row.get(3)?,
            key_place: row.get(4)?,
            hidden: row.get(5)?,
        })
    };
    connection.prepare_cached(sql)?.query_map([table], column)?.collect()
}

fn read_table(connection: &Connection, entry: &Entry, metadata: &Metadata) -> rusqlite::Result<Option<Table>> {
    let columns = match read_columns(connection, &entry.name) {
        Ok(columns) => columns,
        // Its definition makes no sense here.
        Err(_) if entry.kind != "table" => return Ok(None),
        Err(error) => return Err(error),
    };
    let indexes = read_indexes(connection, &entry.name)?;
    let mut key: Vec<&ColumnEntry> = columns.iter().filter(|column| column.key_place > 0).collect();
    key.sort_by_key(|column| column.key_place);
    let has_key_index = indexes.iter().any(|index| index.is_primary);
    // Only a key that is the row id itself has no index of its own.
    let row_id = match key.as_slice() {
        [column] if !has_key_index && !entry.without_rowid && entry.kind == "table" => Some(column.name.as_str()),
        _ => None,
    };
    let name = &entry.name;
    // A file may have both: tables that were there before, and those that migrations made in Postgres' names of types.
    let origin = if metadata.migrated.contains(name) { Origin::Postgres } else { Origin::Sqlite };
    Ok(Some(Table {
        name: QualifiedName::new(SCHEMA, name.as_str()),
        kind: if entry.is_view() { Kind::View } else { Kind::Table },
        comment: metadata.table_comments.get(name).cloned(),
        primary_key: key.iter().map(|column| column.name.clone()).collect(),
        unique: indexes.into_iter().filter(|index| !index.is_primary).map(|index| index.columns).collect(),
        foreign_keys: if entry.is_view() { Vec::new() } else { read_foreign_keys(connection, name)? },
        columns: (columns.iter().filter(|column| column.hidden != 1))
            .map(|column| make_column(column, entry, row_id, origin, metadata))
            .collect(),
        // Of views that is found out when all of them are known.
        insertable: true,
        updatable: true,
        deletable: true,
    }))
}

fn make_column(
    column: &ColumnEntry,
    table: &Entry,
    row_id: Option<&str>,
    origin: Origin,
    metadata: &Metadata,
) -> Column {
    let place = (table.name.clone(), column.name.clone());
    let is_row_id = row_id == Some(column.name.as_str());
    let noted = metadata.columns.get(&place);
    let type_name = with_labels(
        match noted {
            Some((declared, _)) => noted_type(declared, &column.declared),
            None => type_name(&column.declared, table, origin),
        },
        metadata.enums.get(&place),
    );
    let is_array = matches!(type_name.kind, TypeKind::Array(_));
    Column {
        name: column.name.clone(),
        type_name,
        nullable: !column.not_null && !is_row_id,
        // What a generated column's pragma tells as its default is no default.
        default: column.default.clone().filter(|_| column.hidden == 0),
        generated: match column.hidden {
            2 | 3 => Generated::Computed,
            _ if is_row_id => noted.and_then(|(_, identity)| *identity).unwrap_or(Generated::IdentityByDefault),
            _ => Generated::No,
        },
        enum_values: if is_array { Vec::new() } else { metadata.enums.get(&place).cloned().unwrap_or_default() },
        comment: metadata.column_comments.get(&place).cloned(),
    }
}

/// A type that has labels is an enumeration, or an array of one.
fn with_labels(type_name: TypeName, labels: Option<&Vec<String>>) -> TypeName {
    let Some(labels) = labels else { return type_name };
    let of = |name: &str| TypeKind::Enum { name: name.to_owned(), labels: labels.clone() };
    let kind = match type_name.declared.strip_suffix("[]") {
        Some(element) => TypeKind::Array(Box::new(of(element))),
        None => of(&type_name.declared),
    };
    TypeName { kind, ..type_name }
}

/// A type that was noted. How a `numeric` is held the file tells.
fn noted_type(noted: &str, declared: &str) -> TypeName {
    let type_name = TypeName::parse(noted, Origin::Postgres);
    if TypeName::parse(declared, Origin::Postgres).kind.is_decimal_text() {
        return TypeName { kind: type_name.kind.as_decimal_text(), ..type_name };
    }
    type_name
}

/// An expression of a view has no declared type; SQLite tells its affinity instead, of which `NUM` and `BLOB` say no
/// more than that it may be anything.
fn type_name(declared: &str, table: &Entry, origin: Origin) -> TypeName {
    match declared {
        "" => TypeName::parse("", Origin::Sqlite),
        "NUM" | "BLOB" if table.is_view() => TypeName { declared: String::new(), kind: TypeKind::Any },
        "INT" | "REAL" | "TEXT" if table.is_view() => TypeName::parse(declared, Origin::Sqlite),
        declared => TypeName::parse(declared, origin),
    }
}

/// A unique index on plain columns that holds for every row.
#[derive(Debug)]
struct UniqueIndex {
    columns: Vec<String>,
    is_primary: bool,
}

fn read_indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<UniqueIndex>> {
    let sql = "SELECT name, origin FROM pragma_index_list(?1) WHERE \"unique\" AND NOT partial ORDER BY seq DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let named: Vec<(String, String)> =
        statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let mut indexes = Vec::with_capacity(named.len());
    for (name, origin) in named {
        let mut statement = connection.prepare_cached("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
        let columns: Vec<Option<String>> =
            statement.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        // An expression has no name.
        if let Some(columns) = columns.into_iter().collect::<Option<Vec<String>>>() {
            indexes.push(UniqueIndex { columns, is_primary: origin == "pk" });
        }
    }
    Ok(indexes)
}

/// The foreign keys in the order of their declaration, which is the pragma's order backwards. `references_columns` is
/// left empty where the declaration names none: [`resolve_references`] fills it.
fn read_foreign_keys(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let sql = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([table])?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let references = QualifiedName::new(SCHEMA, row.get::<_, String>(1)?);
            let (name, columns, references_columns) = (String::new(), Vec::new(), Vec::new());
            keys.push((id, ForeignKey { name, columns, references, references_columns }));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(row.get(2)?);
            key.references_columns.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    let mut keys: Vec<ForeignKey> = keys.into_iter().map(|(_, key)| key).collect();
    if !keys.is_empty() {
        let sql = definition::read(connection, table)?.unwrap_or_default();
        name_foreign_keys(table, &sql, &mut keys);
    }
    Ok(keys)
}

fn name_foreign_keys(table: &str, sql: &str, keys: &mut [ForeignKey]) {
    let constraints = constraints(sql);
    let mut taken = BTreeSet::new();
    for key in keys {
        let given = named(&constraints, ConstraintKind::ForeignKey, &key.columns);
        let name = given.unwrap_or_else(|| {
            free_name(format!("{table}_{}_fkey", key.columns.join("_")), |name| taken.contains(name))
        });
        taken.insert(name.clone());
        key.name = name;
    }
}

/// Spells tables and columns of foreign keys as their declarations do, fills in keys that are not named, and leaves
/// out foreign keys to what does not exist.
fn resolve_references(tables: &mut BTreeMap<QualifiedName, Table>) {
    let targets: BTreeMap<String, (QualifiedName, Vec<String>, Vec<String>)> = (tables.values())
        .filter(|table| table.kind == Kind::Table)
        .map(|table| {
            let columns = table.columns.iter().map(|column| column.name.clone()).collect();
            (table.name.name.to_ascii_lowercase(), (table.name.clone(), table.primary_key.clone(), columns))
        })
        .collect();
    let resolve = |key: &mut ForeignKey| {
        let (name, primary_key, columns) = targets.get(&key.references.name.to_ascii_lowercase())?;
        if key.references_columns.is_empty() {
            key.references_columns.clone_from(primary_key);
        }
        for referenced in &mut key.references_columns {
            referenced.clone_from(columns.iter().find(|column| column.eq_ignore_ascii_case(referenced))?);
        }
        key.references = name.clone();
        (key.references_columns.len() == key.columns.len()).then_some(())
    };
    for table in tables.values_mut() {
        let own: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        table.foreign_keys.retain_mut(|key| {
            for column in &mut key.columns {
                if let Some(spelled) = own.iter().find(|own| own.eq_ignore_ascii_case(column)) {
                    column.clone_from(spelled);
                }
            }
            resolve(key).is_some()
        });
    }
}
