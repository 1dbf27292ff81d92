//! Reads which media types code of the database makes.

use tokio_postgres::Row;

use crate::catalog::{BodySource, MediaHandlers};

/// Functions and aggregates of one argument that give a domain which is called like a media type; of an aggregate, what
/// it takes, if that is rows.
pub(super) const HANDLERS: &str = r"
SELECT lower(t.typname), pn.nspname, p.proname, p.prokind = 'a', a.typname = 'anyelement', an.nspname, a.typname
FROM pg_type t
JOIN pg_proc p ON p.prorettype = t.oid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_type a ON a.oid = p.proargtypes[0]
LEFT JOIN pg_namespace an ON an.oid = a.typnamespace
WHERE t.typtype = 'd' AND (t.typname ~* '^[a-z0-9.-]+/[a-z0-9.+-]+$' OR t.typname = '*/*') AND pn.nspname = ANY ($1)
  AND CASE p.prokind
      WHEN 'a' THEN p.pronargs = 1 AND (a.typname = 'anyelement' OR a.typrelid <> 0)
      ELSE p.prokind = 'f' AND NOT p.proretset END";

/// Whether `PostGIS` is there, which makes `GeoJSON` of rows.
pub(super) const HAS_GEOJSON: &str = "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'st_asgeojson')";

/// Reads the lines of [`HANDLERS`].
pub(super) fn read(rows: &[Row], has_geojson: bool) -> Result<MediaHandlers, tokio_postgres::Error> {
    let mut handlers = MediaHandlers { has_geojson, ..MediaHandlers::default() };
    for row in rows {
        let name = super::name(row, 1)?;
        let is_aggregate: bool = row.try_get(3)?;
        let takes_any: Option<bool> = row.try_get(4)?;
        let (source, aggregate) = match (is_aggregate, takes_any) {
            (false, _) => (BodySource::Function(name), None),
            (true, Some(true)) => (BodySource::AnyRows, Some(name)),
            (true, _) => (BodySource::Rows(super::name(row, 5)?), Some(name)),
        };
        handlers.by_source.entry(source).or_default().insert(row.try_get(0)?, aggregate);
    }
    Ok(handlers)
}
