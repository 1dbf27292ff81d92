//! Reads the schema from Postgres' catalogs.
//!
//! Source: <https://www.postgresql.org/docs/current/catalogs.html>

mod media;
mod representation;
mod routine;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{PostgresSettings, fault};
use crate::catalog::type_name::Origin;
use crate::catalog::view::{Keys, Shown, shown_keys, shown_primary_key};
use crate::catalog::{
    Catalog, Column, ForeignKey, Generated, Kind, Narrowed, QualifiedName, ShownKey, Table, Tuning, TypeName,
};
use crate::store::Error;

/// Tables, views and their columns; partitions are left out, as their table shows their rows. `pg_relation_is_updatable`
/// gives bits by command: 4 update, 8 insert, 16 delete. A domain is followed to the type under it, through others. A
/// generated column has no default, and an identity that of its sequence.
const COLUMNS: &str = r"
WITH RECURSIVE step(domain, type, modifier) AS (
    SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
    UNION ALL SELECT s.domain, t.typbasetype, t.typtypmod
    FROM step s JOIN pg_type t ON t.oid = s.type AND t.typtype = 'd'),
base AS (SELECT s.* FROM step s JOIN pg_type t ON t.oid = s.type AND t.typtype <> 'd')
SELECT n.nspname, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'),
       pg_relation_is_updatable(c.oid, true), a.attname, format_type(a.atttypid, a.atttypmod),
       format_type(b.type, b.modifier),
       a.attnotnull OR (t.typtype = 'd' AND t.typnotnull),
       CASE WHEN a.attgenerated <> '' THEN NULL
            WHEN a.attidentity = 'd' THEN format('nextval(%L::regclass)', q.objid::regclass)
            ELSE COALESCE(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(t.typdefaultbin, 0)) END,
       a.attidentity::text, a.attgenerated::text, col_description(c.oid, a.attnum),
       CASE WHEN t.typtype = 'e' THEN ARRAY(
           SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN base b ON b.domain = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_depend q ON q.refclassid = 'pg_class'::regclass AND q.refobjid = c.oid AND q.refobjsubid = a.attnum
    AND q.classid = 'pg_class'::regclass AND q.deptype = 'i' AND a.attidentity <> ''
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
ORDER BY n.nspname, c.relname, a.attnum";

/// Of all schemas, as views may show tables of those that are not exposed: primary keys and unique indexes without
/// conditions or expressions.
const KEYS: &str = r"
SELECT n.nspname, c.relname, i.indisprimary, ARRAY(
    SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
    WHERE k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY n.nspname, c.relname, i.indisprimary DESC, i.indexrelid";

/// Foreign keys of all schemas; those that partitions inherit are left out.
const FOREIGN_KEYS: &str = r"
SELECT n.nspname, c.relname, k.conname, fn.nspname, fc.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number ORDER BY u.place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
             JOIN pg_attribute a ON a.attrelid = fc.oid AND a.attnum = u.number ORDER BY u.place)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class fc ON fc.oid = k.confrelid
JOIN pg_namespace fn ON fn.oid = fc.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY n.nspname, c.relname, k.conname";

const SCHEMA_COMMENTS: &str = r"
SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace
WHERE nspname = ANY ($1) AND obj_description(oid, 'pg_namespace') IS NOT NULL";

/// Settings of the roles that the connection's own role may act as. Whose context is another needs a privilege of the
/// connection's role; before version 15 there is none.
const ROLE_SETTINGS: &str = r"
SELECT r.rolname, array_agg(s.setting)
FROM pg_roles r
CROSS JOIN LATERAL unnest(r.rolconfig) AS s(setting)
JOIN pg_settings p ON p.name = split_part(s.setting, '=', 1) AND p.context = 'user'
WHERE pg_has_role(current_user, r.oid, 'member')
GROUP BY r.rolname";

/// Of relations with grants on columns: the roles that the connection's own role may act as and that may read only some
/// columns, and which.
const NARROWED: &str = r"
SELECT n.nspname, c.relname, r.rolname, array_agg(a.attname::text)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN pg_roles r
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
    AND EXISTS (SELECT FROM pg_attribute g WHERE g.attrelid = c.oid AND g.attacl IS NOT NULL)
    AND pg_has_role(current_user, r.oid, 'member') AND NOT has_table_privilege(r.oid, c.oid, 'SELECT')
    AND has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
GROUP BY n.nspname, c.relname, r.rolname";

/// Of each relation the roles that may do anything with it, of those that the connection's own role may act as.
const USERS: &str = r"
SELECT n.nspname, c.relname, array_agg(r.rolname::text)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN pg_roles r
WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
    AND pg_has_role(current_user, r.oid, 'member')
    AND (has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')
        OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE'))
GROUP BY n.nspname, c.relname";

/// Bits of `pg_relation_is_updatable`.
const UPDATE: i32 = 4;
const INSERT: i32 = 8;
const DELETE: i32 = 16;

/// Reads everything of the exposed schemas, at one moment.
pub(super) async fn read(client: &ClientWrapper, settings: &PostgresSettings) -> Result<Catalog, Error> {
    // With an empty search path every type is named with its schema, so that it means the same everywhere.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''";
    let read = async {
        client.batch_execute(begin).await?;
        let catalog = read_within(client, settings).await?;
        client.batch_execute("COMMIT").await?;
        Ok(catalog)
    };
    read.await.map_err(|error| fault::of(&error))
}

async fn read_within(client: &ClientWrapper, settings: &PostgresSettings) -> Result<Catalog, tokio_postgres::Error> {
    let of_schemas = async |sql: &str| client.query_typed(sql, &[(&settings.schemas, Type::TEXT_ARRAY)]).await;
    let of_all = async |sql: &str| client.query_typed(sql, &[]).await;
    let mut tables = BTreeMap::new();
    for row in of_schemas(COLUMNS).await? {
        add_column(&mut tables, &row)?;
    }
    let mut keys = BTreeMap::new();
    for row in of_all(KEYS).await? {
        add_key(&mut keys, &row)?;
    }
    for row in of_all(FOREIGN_KEYS).await? {
        add_foreign_key(&mut keys, &row)?;
    }
    let shown = if tables.values().any(|table: &Table| table.kind == Kind::View) {
        let relations = of_all(view::RELATIONS).await?;
        let relations = relations.iter().map(view::Relation::read).collect::<Result<_, _>>()?;
        view::find_shown(&relations)
    } else {
        Vec::new()
    };
    give_keys(&mut tables, &keys, &shown);
    let is_served = |key: &ShownKey| tables.contains_key(&key.owner) && tables.contains_key(&key.key.references);
    let shown_keys = shown_keys(&keys, &shown).into_iter().filter(is_served).collect();
    let has_geojson = of_all(media::HAS_GEOJSON).await?;
    let has_geojson = has_geojson.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(false);
    let comment = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    Ok(Catalog {
        shown_keys,
        routines: routine::read_all(&of_schemas(routine::ROUTINES).await?, &settings.hoisted_settings)?,
        computed: of_schemas(routine::COMPUTED).await?.iter().map(routine::read_computed).collect::<Result<_, _>>()?,
        representations: representation::read(&of_all(representation::CASTS).await?)?,
        media_handlers: media::read(&of_schemas(media::HANDLERS).await?, has_geojson)?,
        schema_comments: of_schemas(SCHEMA_COMMENTS).await?.iter().map(comment).collect::<Result<_, _>>()?,
        narrowed: read_narrowed(&of_schemas(NARROWED).await?)?,
        users: of_schemas(USERS).await?.iter().map(read_users).collect::<Result<_, _>>()?,
        role_tuning: of_all(ROLE_SETTINGS).await?.iter().map(read_role).collect::<Result<_, _>>()?,
        tables,
        ..Catalog::default()
    })
}

fn read_users(row: &Row) -> Result<(QualifiedName, BTreeSet<String>), tokio_postgres::Error> {
    let roles: Vec<String> = row.try_get(2)?;
    Ok((name(row, 0)?, roles.into_iter().collect()))
}

fn read_narrowed(rows: &[Row]) -> Result<Narrowed, tokio_postgres::Error> {
    let mut narrowed = Narrowed::new();
    for row in rows {
        let columns: Vec<String> = row.try_get(3)?;
        narrowed.entry(name(row, 0)?).or_default().insert(row.try_get(2)?, columns.into_iter().collect());
    }
    Ok(narrowed)
}

fn read_role(row: &Row) -> Result<(String, Tuning), tokio_postgres::Error> {
    let settings: Vec<String> = row.try_get(1)?;
    Ok((row.try_get(0)?, Tuning::read(settings.iter().map(String::as_str))))
}

/// Schema and name, from two columns.
fn name(row: &Row, position: usize) -> Result<QualifiedName, tokio_postgres::Error> {
    Ok(QualifiedName::new(row.try_get::<_, String>(position)?, row.try_get::<_, String>(position + 1)?))
}

fn add_column(tables: &mut BTreeMap<QualifiedName, Table>, row: &Row) -> Result<(), tokio_postgres::Error> {
    let table_name = name(row, 0)?;
    let kind: String = row.try_get(2)?;
    let comment: Option<String> = row.try_get(3)?;
    let may: i32 = row.try_get(4)?;
    let table = tables.entry(table_name.clone()).or_insert_with(|| Table {
        name: table_name,
        kind: if matches!(kind.as_str(), "v" | "m") { Kind::View } else { Kind::Table },
        comment,
        columns: Vec::new(),
        primary_key: Vec::new(),
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        insertable: may & INSERT != 0,
        updatable: may & UPDATE != 0,
        deletable: may & DELETE != 0,
    });
    // A table without columns has one row here, without a column.
    let Some(column_name) = row.try_get::<_, Option<String>>(5)? else { return Ok(()) };
    let declared: String = row.try_get(6)?;
    let base: Option<String> = row.try_get(7)?;
    let not_null: bool = row.try_get(8)?;
    let identity: String = row.try_get(10)?;
    let generated: String = row.try_get(11)?;
    let default: Option<String> = row.try_get(9)?;
    let generated = match (identity.as_str(), generated.as_str()) {
        ("a", _) => Generated::IdentityAlways,
        ("d", _) => Generated::IdentityByDefault,
        (_, "s" | "v") => Generated::Computed,
        _ if default.as_deref().is_some_and(|default| default.starts_with("nextval(")) => Generated::IdentityByDefault,
        _ => Generated::No,
    };
    let parsed = TypeName::parse(base.as_deref().unwrap_or(&declared), Origin::Postgres);
    table.columns.push(Column {
        name: column_name,
        type_name: TypeName { declared, kind: parsed.kind },
        nullable: !not_null,
        default,
        generated,
        enum_values: row.try_get::<_, Option<Vec<String>>>(13)?.unwrap_or_default(),
        comment: row.try_get(12)?,
    });
    Ok(())
}

fn add_key(keys: &mut BTreeMap<QualifiedName, Keys>, row: &Row) -> Result<(), tokio_postgres::Error> {
    let is_primary: bool = row.try_get(2)?;
    let columns: Vec<String> = row.try_get(3)?;
    let keys = keys.entry(name(row, 0)?).or_default();
    if is_primary {
        keys.primary_key = columns;
    } else {
        keys.unique.push(columns);
    }
    Ok(())
}

fn add_foreign_key(keys: &mut BTreeMap<QualifiedName, Keys>, row: &Row) -> Result<(), tokio_postgres::Error> {
    let key = ForeignKey {
        name: row.try_get(2)?,
        columns: row.try_get(5)?,
        references: name(row, 3)?,
        references_columns: row.try_get(6)?,
    };
    keys.entry(name(row, 0)?).or_default().foreign_keys.push(key);
    Ok(())
}

/// Gives tables their keys and views the primary keys that they show.
fn give_keys(tables: &mut BTreeMap<QualifiedName, Table>, keys: &BTreeMap<QualifiedName, Keys>, shown: &[Shown]) {
    for (name, table) in tables {
        if let Some(keys) = keys.get(name) {
            table.primary_key.clone_from(&keys.primary_key);
            table.unique.clone_from(&keys.unique);
            table.foreign_keys.clone_from(&keys.foreign_keys);
        }
        if table.kind == Kind::View {
            table.primary_key = shown_primary_key(name, keys, shown);
        }
    }
}
