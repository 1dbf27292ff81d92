//! Reads the functions of a schema.
//!
//! Source: <https://www.postgresql.org/docs/current/catalog-pg-proc.html>

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::name;
use crate::catalog::type_name::Origin;
use crate::catalog::{
    Cardinality, Column, Computed, Kind, Parameter, QualifiedName, Relationship, ReturnKind, Returns, Routine, Tuning,
    TypeName, Volatility, routine,
};

/// Functions with the names and types of what they take and give. A domain stands for the type under it. Columns are
/// those of `OUT` parameters, or else of the composite type that is returned.
pub(super) const ROUTINES: &str = r"
SELECT n.nspname, p.proname, obj_description(p.oid, 'pg_proc'), taken.names, taken.types,
       (p.pronargs - p.pronargdefaults)::int, p.provariadic <> 0, p.provolatile::text, p.proretset,
       format_type(p.prorettype, NULL), t.typtype::text, tn.nspname, c.relname,
       COALESCE(given.names, made.names), COALESCE(given.types, made.types), p.proconfig,
       CASE WHEN has_function_privilege('public', p.oid, 'EXECUTE') THEN ARRAY['public']
            ELSE ARRAY(SELECT r.rolname::text FROM pg_roles r
                       WHERE pg_has_role(current_user, r.oid, 'member')
                           AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) END
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN LATERAL (
    WITH RECURSIVE base(oid, under) AS (
        SELECT d.oid, d.typbasetype FROM pg_type d WHERE d.oid = p.prorettype
        UNION ALL SELECT d.oid, d.typbasetype FROM base JOIN pg_type d ON d.oid = base.under)
    SELECT oid FROM base WHERE under = 0) AS base ON true
JOIN pg_type t ON t.oid = base.oid
JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN LATERAL (
    SELECT array_agg(COALESCE(a.name, '') ORDER BY a.place) AS names,
           array_agg(format_type(a.type, NULL) ORDER BY a.place) AS types
    FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes)
         WITH ORDINALITY AS a(type, name, mode, place)
    WHERE a.type IS NOT NULL AND COALESCE(a.mode, 'i') IN ('i', 'b', 'v')) AS taken ON true
LEFT JOIN LATERAL (
    SELECT array_agg(COALESCE(NULLIF(a.name, ''), 'column' || a.nth) ORDER BY a.nth) AS names,
           array_agg(format_type(a.type, NULL) ORDER BY a.nth) AS types
    FROM (SELECT u.*, row_number() OVER (ORDER BY u.place) AS nth
          FROM unnest(p.proallargtypes, p.proargnames, p.proargmodes)
               WITH ORDINALITY AS u(type, name, mode, place)
          WHERE u.mode IN ('o', 'b', 't')) AS a) AS given ON true
LEFT JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY a.attnum) AS names,
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types
    FROM pg_attribute a
    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS made ON true
WHERE n.nspname = ANY ($1) AND p.prokind = 'f' AND t.typname NOT IN ('trigger', 'event_trigger')";

/// Functions of a row of one table that give rows of another; whether at most one.
pub(super) const COMPUTED: &str = r"
SELECT fn.nspname, p.proname, an.nspname, a.relname, rn.nspname, r.relname, r.relkind IN ('v', 'm'),
       NOT p.proretset OR p.prorows = 1
FROM pg_proc p
JOIN pg_namespace fn ON fn.oid = p.pronamespace
JOIN pg_class a ON a.reltype = p.proargtypes[0] AND a.relkind IN ('r', 'v', 'm', 'f', 'p')
JOIN pg_namespace an ON an.oid = a.relnamespace
JOIN pg_class r ON r.reltype = p.prorettype AND r.relkind IN ('r', 'v', 'm', 'f', 'p')
JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE p.pronargs = 1 AND p.prokind = 'f' AND an.nspname = ANY ($1) AND rn.nspname = ANY ($1)";

/// Reads a line of [`COMPUTED`].
pub(super) fn read_computed(row: &Row) -> Result<Relationship, tokio_postgres::Error> {
    let is_view: bool = row.try_get(6)?;
    Ok(Relationship {
        table: name(row, 2)?,
        target: name(row, 4)?,
        cardinality: Cardinality::Computed(Computed::on_server(name(row, 0)?, row.try_get(7)?)),
        target_kind: if is_view { Kind::View } else { Kind::Table },
    })
}

/// Functions by name.
///
/// `hoisted`: the settings of a function that hold for the whole transaction of its call.
pub(super) fn read_all(
    rows: &[Row],
    hoisted: &[String],
) -> Result<BTreeMap<QualifiedName, Vec<Routine>>, tokio_postgres::Error> {
    let routines: Result<Vec<Routine>, _> = rows.iter().map(|row| read(row, hoisted)).collect();
    Ok(routine::by_name(routines?))
}

fn read(row: &Row, hoisted: &[String]) -> Result<Routine, tokio_postgres::Error> {
    let settings: Vec<String> = row.try_get::<_, Option<Vec<String>>>(15)?.unwrap_or_default();
    let is_hoisted = |setting: &&str| setting.split('=').next().is_some_and(|name| hoisted.iter().any(|it| it == name));
    let required: i32 = row.try_get(5)?;
    let required = usize::try_from(required).unwrap_or_default();
    let variadic: bool = row.try_get(6)?;
    let taken = pairs(row, 3)?;
    let last = taken.len().saturating_sub(1);
    let parameters = taken.into_iter().enumerate().map(|(index, (name, type_name))| Parameter {
        name,
        type_name,
        required: index < required,
        variadic: variadic && index == last,
    });
    Ok(Routine {
        name: name(row, 0)?,
        comment: row.try_get(2)?,
        parameters: parameters.collect(),
        returns: Returns { kind: read_return(row)?, set: row.try_get(8)? },
        volatility: match row.try_get::<_, String>(7)?.as_str() {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        tuning: Tuning::read(settings.iter().map(String::as_str).filter(is_hoisted)),
        grantees: row.try_get::<_, Vec<String>>(16)?.into_iter().collect(),
        body: None,
        row_of: None,
        one_row: false,
    })
}

fn read_return(row: &Row) -> Result<ReturnKind, tokio_postgres::Error> {
    let declared: String = row.try_get(9)?;
    let is_composite = row.try_get::<_, String>(10)? == "c";
    let given: Vec<(String, TypeName)> = pairs(row, 13)?;
    if declared == "void" {
        return Ok(ReturnKind::Void);
    }
    if given.is_empty() && !is_composite {
        return Ok(ReturnKind::Value(TypeName::parse(&declared, Origin::Postgres)));
    }
    let relation: Option<String> = row.try_get(12)?;
    let schema: String = row.try_get(11)?;
    Ok(ReturnKind::Row {
        of: relation.map(|name| QualifiedName::new(schema, name)),
        columns: given.into_iter().map(|(name, type_name)| Column::plain(name, type_name)).collect(),
    })
}

/// Names and types from two columns.
fn pairs(row: &Row, position: usize) -> Result<Vec<(String, TypeName)>, tokio_postgres::Error> {
    let names: Option<Vec<String>> = row.try_get(position)?;
    let types: Option<Vec<String>> = row.try_get(position + 1)?;
    // Named as the server names it: `character` read and written again would have a length of one.
    let types = types.unwrap_or_default().into_iter().map(|declared| {
        let kind = TypeName::parse(&declared, Origin::Postgres).kind;
        TypeName { declared, kind }
    });
    Ok(names.unwrap_or_default().into_iter().zip(types).collect())
}
