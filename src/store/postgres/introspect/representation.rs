//! Casts of domains.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use crate::catalog::{QualifiedName, Representation};

/// Implicit casts by functions between domains and `json` or `text`: whether the domain is what is made, its name, the
/// other type, the function.
///
/// Source: <https://www.postgresql.org/docs/current/catalog-pg-cast.html>.
pub(super) const CASTS: &str = r"
SELECT t.typtype = 'd', format_type(CASE WHEN t.typtype = 'd' THEN t.oid ELSE s.oid END, NULL),
       (CASE WHEN t.typtype = 'd' THEN s.typname ELSE t.typname END)::text, n.nspname, p.proname
FROM pg_cast c
JOIN pg_type s ON s.oid = c.castsource
JOIN pg_type t ON t.oid = c.casttarget
JOIN pg_proc p ON p.oid = c.castfunc
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.castcontext = 'i' AND c.castmethod = 'f' AND has_function_privilege(p.oid, 'EXECUTE')
    AND (s.typtype = 'd' AND t.oid = 'json'::regtype OR t.typtype = 'd' AND s.oid IN ('json'::regtype, 'text'::regtype))";

pub(super) fn read(rows: &[Row]) -> Result<BTreeMap<String, Representation>, tokio_postgres::Error> {
    let mut representations: BTreeMap<String, Representation> = BTreeMap::new();
    for row in rows {
        let is_made: bool = row.try_get(0)?;
        let other: String = row.try_get(2)?;
        let function = QualifiedName::new(row.try_get::<_, String>(3)?, row.try_get::<_, String>(4)?);
        let representation = representations.entry(row.try_get(1)?).or_default();
        let place = match (is_made, other.as_str()) {
            (false, _) => &mut representation.to_json,
            (true, "text") => &mut representation.from_text,
            (true, _) => &mut representation.from_json,
        };
        *place = Some(function);
    }
    Ok(representations)
}
