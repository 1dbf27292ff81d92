//! Plans writes: `POST`, `PUT`, `PATCH`, `DELETE`.
//!
//! What SQLite would refuse in words of its own (read-only views, values for generated columns, keys that do not
//! exist) is refused here in Postgres' words; on Postgres the server does so itself. A write to a view is told how it
//! reaches the table ([`Through`]), and which columns of that it writes.

use std::collections::{BTreeSet, HashSet};

use super::embed::{self, Wishes};
use super::rows::{self, Written};
use super::scope::Scope;
use super::through::{Through, written_table};
use super::value::key;
use super::{
    Action, Cell, Condition, Conflict, Delete, Engine, Error, Expectation, Insert, InsertColumn, InsertRows, Put,
    Returning, Target, Update, Value, filter, read,
};
use crate::catalog::{Generated, Kind, Table, Verb};
use crate::request::filter::{EmbedPath, Filter, Operation};
use crate::request::prefer::{Missing, Representation, Resolution};
use crate::request::{LogicTree, MediaType, Preferences, Request, SelectItem};

/// Plans `POST`. `preferences` are those that apply.
pub(super) fn plan_insert(
    scope: &Scope<'_>,
    request: Request,
    media: &MediaType,
    preferences: &Preferences,
) -> Result<Insert, Error> {
    let mut request = request;
    let wishes = Wishes::of_write(&mut request);
    let written = Written::new(scope, request.payload, preferences.missing.unwrap_or(Missing::Null))?;
    let mut through = Through::find(scope, Verb::Insert)?;
    let columns = reached_columns(scope, &mut through, Verb::Insert, &written)?;
    let conflict = match preferences.resolution {
        Some(resolution) => plan_conflict(scope, &mut through, request.on_conflict, resolution, &columns)?,
        None => None,
    };
    let rows = written.into_rows(scope)?;
    let returning = match preferences.representation {
        Some(Representation::HeadersOnly) if !scope.table.primary_key.is_empty() => {
            Returning::Location(scope.table.primary_key.clone())
        }
        _ => plan_returning(scope, request.select, wishes, preferences)?,
    };
    Ok(Insert {
        into: scope.table.name.clone(),
        through: through.map(Box::new),
        columns,
        rows,
        conflict,
        put: None,
        returning,
        expect: expectation(media, preferences),
    })
}

/// Plans `PUT`: an upsert of the one row whose key the address names.
pub(super) fn plan_put(scope: &Scope<'_>, request: Request, preferences: &Preferences) -> Result<Insert, Error> {
    let mut request = request;
    let wishes = Wishes::of_write(&mut request);
    let key = put_key(scope, request.filters, &request.logic)?;
    let written = Written::new(scope, request.payload, Missing::Null)?;
    let mut through = Through::find(scope, Verb::Insert)?;
    let columns = reached_columns(scope, &mut through, Verb::Insert, &written)?;
    let conflict = conflict_key(scope, &mut through, &scope.table.primary_key)?;
    let position = |target: &Target| written.columns.iter().position(|column| column.name == target.column);
    let positions: Option<Vec<usize>> = key.iter().map(|(target, _)| position(target)).collect();
    let positions = positions.ok_or(Error::PutMismatch)?;
    Ok(Insert {
        into: scope.table.name.clone(),
        through: through.map(Box::new),
        rows: keep_put_row(written.into_rows(scope)?, &positions, &key)?,
        columns,
        conflict: Some(Conflict { columns: conflict, resolution: Resolution::MergeDuplicates }),
        put: Some(Put { key }),
        returning: plan_returning(scope, request.select, wishes, preferences)?,
        expect: Expectation { put: true, ..Expectation::default() },
    })
}

/// Plans `PATCH`. Of an array only the first element counts; without any column nothing is done.
pub(super) fn plan_update(
    scope: &Scope<'_>,
    request: Request,
    media: &MediaType,
    preferences: &Preferences,
) -> Result<Update, Error> {
    let mut request = request;
    let wishes = Wishes::of_write(&mut request);
    let missing = preferences.missing.unwrap_or(Missing::Null);
    let written = Written::new(scope, rows::first_only(request.payload), missing)?;
    // Whether a view takes a change is asked only when there is one.
    let nothing_to_do = written.columns.is_empty() || written.is_empty();
    let mut through = if nothing_to_do { None } else { Through::find(scope, Verb::Update)? };
    let (columns, filter) = if nothing_to_do {
        (Vec::new(), Condition::And(Vec::new()))
    } else {
        let columns = reached_columns(scope, &mut through, Verb::Update, &written)?;
        (columns, plan_root_filter(scope, request.filters, request.logic)?)
    };
    Ok(Update {
        table: scope.table.name.clone(),
        through: through.map(Box::new),
        columns,
        row: written.into_rows(scope)?,
        filter,
        returning: plan_returning(scope, request.select, wishes, preferences)?,
        expect: expectation(media, preferences),
    })
}

/// Plans `DELETE`.
pub(super) fn plan_delete(
    scope: &Scope<'_>,
    request: Request,
    media: &MediaType,
    preferences: &Preferences,
) -> Result<Delete, Error> {
    let mut request = request;
    let wishes = Wishes::of_write(&mut request);
    let through = Through::find(scope, Verb::Delete)?;
    Ok(Delete {
        from: scope.table.name.clone(),
        through: through.map(Box::new),
        filter: plan_root_filter(scope, request.filters, request.logic)?,
        returning: plan_returning(scope, request.select, wishes, preferences)?,
        expect: expectation(media, preferences),
    })
}

/// The columns that are given values, named as the table that is written names them.
fn reached_columns(
    scope: &Scope<'_>,
    through: &mut Option<Through>,
    verb: Verb,
    written: &Written<'_>,
) -> Result<Vec<InsertColumn>, Error> {
    let mut columns = written.insert_columns();
    if let Some(through) = through {
        through.reach_written(&mut columns, verb)?;
    }
    check_generated(scope, written_table(scope, through.as_ref()), verb, &columns)?;
    Ok(columns)
}

fn plan_root_filter(
    scope: &Scope<'_>,
    filters: Vec<(EmbedPath, Filter)>,
    logic: Vec<(EmbedPath, LogicTree)>,
) -> Result<Condition, Error> {
    let filters = filters.into_iter().filter(|(path, _)| path.is_empty()).map(|(_, filter)| filter);
    let logic = logic.into_iter().filter(|(path, _)| path.is_empty()).map(|(_, tree)| tree);
    filter::plan_condition(scope, &[], filters, logic)
}

/// The rows when they were asked for. Only an insert has a location: elsewhere `headers-only` gives nothing.
///
/// What is embedded must make sense even when nothing is given back.
fn plan_returning(
    scope: &Scope<'_>,
    select: Vec<SelectItem>,
    wishes: Wishes,
    preferences: &Preferences,
) -> Result<Returning, Error> {
    if preferences.representation != Some(Representation::Full) {
        let relations = select.into_iter().filter(|item| !matches!(item, SelectItem::Field { .. })).collect();
        embed::plan_top(scope, relations, wishes)?;
        return Ok(Returning::Nothing);
    }
    let node = embed::plan_top(scope, select, wishes)?;
    if scope.engine == Engine::Sqlite && node.has_aggregates() {
        return Err(Error::not_on_sqlite("an aggregate function over the rows that a write gives back"));
    }
    Ok(Returning::Rows(Box::new(node)))
}

fn expectation(media: &MediaType, preferences: &Preferences) -> Expectation {
    Expectation {
        singular: matches!(media, MediaType::ObjectJson { .. }),
        max_affected: preferences.max_affected,
        put: false,
    }
}

/// What happens when the key of `on_conflict=`, or else the primary key, is taken; `None` when there is no key.
///
/// With no column to write there is nothing to merge, and the row that is there stays.
fn plan_conflict(
    scope: &Scope<'_>,
    through: &mut Option<Through>,
    on_conflict: Option<Vec<String>>,
    resolution: Resolution,
    written: &[InsertColumn],
) -> Result<Option<Conflict>, Error> {
    let columns = on_conflict.unwrap_or_else(|| scope.table.primary_key.clone());
    if columns.is_empty() {
        return Ok(None);
    }
    let columns = conflict_key(scope, through, &columns)?;
    let resolution = if written.is_empty() { Resolution::IgnoreDuplicates } else { resolution };
    Ok(Some(Conflict { columns, resolution }))
}

/// Refuses rows of one body that would change each other, as Postgres does while it writes them. Rows whose key the
/// engine makes are new.
///
/// # Errors
/// [`Error::Sqlstate`] `21000` on SQLite. Told to those only who may write.
pub(super) fn check_repeated(action: &Action) -> Result<(), Error> {
    let Action::Insert(Insert { columns, rows: InsertRows::Cells(cells), conflict: Some(conflict), .. }) = action
    else {
        return Ok(());
    };
    if cells.len() < 2 || conflict.resolution != Resolution::MergeDuplicates {
        return Ok(());
    }
    let place = |name: &String| columns.iter().position(|column| column.name == *name);
    let Some(places) = conflict.columns.iter().map(place).collect::<Option<Vec<usize>>>() else { return Ok(()) };
    let of_place = |row: &[Cell], place: usize| match (row.get(place)?, columns.get(place)?) {
        (Cell::Value(value), column) => key::identity(value, &column.type_name.kind),
        (Cell::Default, _) => None,
    };
    let mut seen = HashSet::with_capacity(cells.len());
    for row in cells {
        let key: Option<Vec<Vec<u8>>> = places.iter().map(|place| of_place(row, *place)).collect();
        if key.is_some_and(|key| !seen.insert(key)) {
            return Err(Error::Sqlstate {
                code: "21000",
                message: "ON CONFLICT DO UPDATE command cannot affect row a second time".to_owned(),
                details: None,
                hint: Some(
                    "Ensure that no rows proposed for insertion within the same command have duplicate constrained values."
                        .to_owned(),
                ),
            });
        }
    }
    Ok(())
}

/// The key, named as the table that is written names it: one that it has.
fn conflict_key(scope: &Scope<'_>, through: &mut Option<Through>, columns: &[String]) -> Result<Vec<String>, Error> {
    if scope.engine == Engine::Postgres {
        return Ok(columns.to_vec());
    }
    if let Some(unknown) = columns.iter().find(|column| scope.table.column(column).is_none()) {
        return Err(Error::sqlstate("42703", format!("column \"{unknown}\" does not exist")));
    }
    let reached = match through {
        Some(through) => through.reach_key(columns),
        None => Some(columns.to_vec()),
    };
    let table = written_table(scope, through.as_ref());
    let is_key = |wanted: &Vec<String>| {
        let wanted: BTreeSet<&String> = wanted.iter().collect();
        let mut keys = std::iter::once(&table.primary_key).chain(&table.unique);
        // A view has a key for those who read it, but a trigger that writes for it knows of no conflict.
        table.kind == Kind::Table && keys.any(|key| key.iter().collect::<BTreeSet<_>>() == wanted)
    };
    reached.filter(is_key).ok_or_else(|| {
        let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        Error::sqlstate("42P10", message)
    })
}

/// The key that the address of a `PUT` names: one `eq` per key column and nothing else.
fn put_key(
    scope: &Scope<'_>,
    filters: Vec<(EmbedPath, Filter)>,
    logic: &[(EmbedPath, LogicTree)],
) -> Result<Vec<(Target, Value)>, Error> {
    let filters: Vec<Filter> =
        filters.into_iter().filter(|(path, _)| path.is_empty()).map(|(_, filter)| filter).collect();
    let named: BTreeSet<&String> = filters.iter().map(|filter| &filter.field.name).collect();
    let wanted: BTreeSet<&String> = scope.table.primary_key.iter().collect();
    let once_each = named == wanted && filters.len() == wanted.len();
    if wanted.is_empty() || !logic.is_empty() || !once_each || !filters.iter().all(read::is_plain_equality) {
        return Err(Error::PutFilters);
    }
    let mut key = Vec::with_capacity(filters.len());
    for Filter { field, operation, .. } in filters {
        let Operation::Compare { value: text, .. } = operation else { return Err(Error::PutFilters) };
        let target = scope.compared_target(field)?;
        let value = match scope.engine {
            Engine::Postgres => Value::Text(text),
            Engine::Sqlite => scope.reader().coerce(&text, &target.type_name)?,
        };
        key.push((target, value));
    }
    Ok(key)
}

/// Keeps the row whose key is that of the address, which must be one; on Postgres the server compares them.
fn keep_put_row(rows: InsertRows, positions: &[usize], key: &[(Target, Value)]) -> Result<InsertRows, Error> {
    let mut cells = match rows {
        InsertRows::Json(_) => return Ok(rows),
        InsertRows::Cells(cells) => cells,
    };
    cells.retain(|row| {
        positions.iter().zip(key).all(|(position, (target, wanted))| match row.get(*position) {
            Some(Cell::Value(value)) => {
                key::identity(value, &target.type_name.kind) == key::identity(wanted, &target.type_name.kind)
            }
            Some(Cell::Default) | None => false,
        })
    });
    if cells.len() == 1 { Ok(InsertRows::Cells(cells)) } else { Err(Error::PutMismatch) }
}

/// Refuses values for columns that always get their own.
fn check_generated(scope: &Scope<'_>, table: &Table, verb: Verb, columns: &[InsertColumn]) -> Result<(), Error> {
    if scope.engine == Engine::Postgres {
        return Ok(());
    }
    for column in columns.iter().filter_map(|column| table.column(&column.name)) {
        let name = &column.name;
        let (details, hint) = match column.generated {
            Generated::No | Generated::IdentityByDefault => continue,
            Generated::IdentityAlways => (
                format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS."),
                (verb == Verb::Insert).then(|| "Use OVERRIDING SYSTEM VALUE to override.".to_owned()),
            ),
            Generated::Computed => (format!("Column \"{name}\" is a generated column."), None),
        };
        let message = match verb {
            Verb::Insert => format!("cannot insert a non-DEFAULT value into column \"{name}\""),
            Verb::Update | Verb::Delete => format!("column \"{name}\" can only be updated to DEFAULT"),
        };
        return Err(Error::Sqlstate { code: "428C9", message, details: Some(details), hint });
    }
    Ok(())
}
