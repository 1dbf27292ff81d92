//! Sort keys, and the greatest and the least of values that sort by them.
//!
//! | function | gives |
//! |---|---|
//! | `berth_key(value, type)` | the key of a value of the type ([`plan::value::key`](crate::plan::value::key)) |
//! | the collations `berth interval` and its like ([`COLLATED`](key::COLLATED)) | the order of the keys |
//! | `berth_max(value, type)`, `berth_min(value, type)`, aggregates | the last value with the greatest or least key |

use std::cmp::Ordering;

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, Result};

use super::{add, text};
use crate::catalog::type_name::Origin;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::value::key;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    add(connection, "berth_key", |context| {
        let Some(value) = text(context.get_raw(0)) else { return Ok(None) };
        // Kept by SQLite for the statement: the type is a constant.
        let kind = context.get_or_create_aux(1, kind)?;
        Ok(Some(key::of(&value, &kind)))
    })?;
    for name in key::COLLATED {
        let kind = TypeName::parse(name, Origin::Postgres).kind;
        let collation = key::collation(&kind);
        connection.create_collation(collation.as_str(), move |left, right| {
            key::of(left, &kind).cmp(&key::of(right, &kind))
        })?;
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("berth_max", 2, flags, Extreme(Ordering::Greater))?;
    connection.create_aggregate_function("berth_min", 2, flags, Extreme(Ordering::Less))
}

fn kind(name: ValueRef<'_>) -> Result<TypeKind> {
    let name = name.as_str().map_err(|error| Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))?;
    Ok(TypeName::parse(name, Origin::Postgres).kind)
}

/// One of the two aggregates: how what is kept sorts to the others.
#[derive(Debug)]
struct Extreme(Ordering);

/// The type, and what was found so far.
#[derive(Debug)]
struct Found {
    kind: TypeKind,
    value: String,
    key: Vec<u8>,
}

impl Aggregate<Option<Found>, Option<String>> for Extreme {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Found>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, found: &mut Option<Found>) -> Result<()> {
        let Some(value) = text(context.get_raw(0)) else { return Ok(()) };
        match found {
            None => {
                let kind = kind(context.get_raw(1))?;
                *found = Some(Found { key: key::of(&value, &kind), value: value.into_owned(), kind });
            }
            Some(found) => {
                let key = key::of(&value, &found.kind);
                if key.cmp(&found.key) != self.0.reverse() {
                    (found.value, found.key) = (value.into_owned(), key);
                }
            }
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, found: Option<Option<Found>>) -> Result<Option<String>> {
        Ok(found.flatten().map(|found| found.value))
    }
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::connection;

    fn asked(sql: &str) -> Option<String> {
        connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_greatest_and_the_least_are_found_by_their_keys() {
        let spans =
            "FROM (SELECT column1 AS a FROM (VALUES ('9 days'), ('10 days'), (NULL), ('23:00:00'), ('240:00:00')))";
        assert_eq!(asked(&format!("SELECT berth_max(a, 'interval') {spans}")).as_deref(), Some("240:00:00"));
        assert_eq!(asked(&format!("SELECT berth_min(a, 'interval') {spans}")).as_deref(), Some("23:00:00"));
        assert_eq!(asked("SELECT berth_max(NULL, 'interval')"), None);
        let sorted = "SELECT iif(berth_key('[2]', 'integer[]') < berth_key('[10]', 'integer[]'), 'yes', 'no')";
        assert_eq!(asked(sorted).as_deref(), Some("yes"));
    }
}
