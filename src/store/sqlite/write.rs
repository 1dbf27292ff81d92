//! One request's writes, run inside its savepoint.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Row, Rows, Statement, params_from_iter};

use super::format::write_json;
use super::outcome::{Body, BodyFault};
use super::unsorted::Unsorted;
use super::{authorizer, session};
use crate::catalog::{Catalog, Kind, QualifiedName, Table, TypeKind};
use crate::plan::value::form;
use crate::plan::{Expectation, Reach, Value};
use crate::request::order::{Direction, Nulls};
use crate::sql::{Key, Output, Query, Run};
use crate::store::expectation::check;
use crate::store::{Error, Outcome};

/// The schema that SQLite's tables are in.
pub(super) const SCHEMA: &str = "public";

/// The function that an upsert calls for each row it updates.
const COUNT_UPDATE: &str = "berth_updated";

/// Counts the rows that upserts update: `berth_updated()` adds one and is true.
#[derive(Debug, Clone, Default)]
pub(super) struct UpdateCounter(Arc<AtomicU64>);

impl UpdateCounter {
    /// Adds the function to a connection.
    pub(super) fn register(connection: &Connection) -> rusqlite::Result<Self> {
        let counter = Self::default();
        let count = Arc::clone(&counter.0);
        // Not deterministic: it must be called for each row. Only for rendered statements, not for a file's schema.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        connection.create_scalar_function(COUNT_UPDATE, 0, flags, move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(1_i64)
        })?;
        Ok(counter)
    }

    fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// A request's writes, as a statement has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'a> {
    /// Reads what is given back, before anything is run.
    pub(super) before: Option<&'a Query>,
    /// What is run.
    pub(super) runs: &'a [Run],
    /// How returned rows become a body.
    pub(super) output: Option<&'a Output>,
    /// The key that is returned, when nothing else is.
    pub(super) location: Option<&'a Key>,
    /// The order of returned rows.
    pub(super) order: &'a [(Direction, Nulls)],
    /// What may be touched.
    pub(super) reach: &'a Reach,
    /// What must hold of the number of rows.
    pub(super) expect: Expectation,
}

/// Why a write was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The answer is known.
    Refused(Error),
    /// SQLite failed at this place.
    Sqlite(rusqlite::Error, Place),
}

impl Failure {
    /// What went wrong at a place.
    fn at(place: Place, fault: BodyFault) -> Self {
        match fault {
            BodyFault::Sqlite(error) => Self::Sqlite(error, place),
            BodyFault::Refused(error) => Self::Refused(error),
        }
    }

    /// What went wrong where there are no values to name a place among, as in a call.
    pub(super) fn nowhere(fault: BodyFault) -> Self {
        Self::at(Place { run: usize::MAX, row: 0 }, fault)
    }
}

/// A list of values of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Which run.
    pub(super) run: usize,
    /// Which list of its values.
    pub(super) row: usize,
}

/// What has been written so far.
#[derive(Debug, Default)]
struct Written {
    rows: u64,
    body: Option<Body>,
    /// Rows that are yet to be sorted.
    unsorted: Unsorted,
    key: Option<String>,
}

#[cfg(test)]
impl<'a> Write<'a> {
    /// Runs that may touch everything and give nothing back.
    pub(super) fn of(runs: &'a [Run]) -> Self {
        let (reach, expect) = (&Reach::Everything, Expectation::default());
        Self { before: None, runs, output: None, location: None, order: &[], reach, expect }
    }
}

impl Write<'_> {
    /// Runs everything in order, up to the first failure.
    ///
    /// # Errors
    /// [`Failure`]; what was written before must then be rolled back.
    pub(super) fn run(
        &self,
        connection: &Connection,
        catalog: &Arc<Catalog>,
        updates: &UpdateCounter,
        body_max_bytes: usize,
    ) -> Result<Outcome, Failure> {
        updates.take();
        let body = self.output.map(|output| Body::new(output, body_max_bytes));
        let mut written = Written { body, ..Written::default() };
        if let Some(Query { text, values }) = self.before {
            let read = authorizer::prepare(connection, text, self.reach, catalog).map_err(BodyFault::from);
            let read = read.and_then(|mut statement| self.step(&mut statement, values, None, &mut written));
            read.map_err(Failure::nowhere)?;
            // What is counted is what is then done.
            written.rows = 0;
        }
        let keyed = self.location.and_then(|key| find_table(catalog, &key.of));
        for (index, run) in self.runs.iter().enumerate() {
            let at = |row| Place { run: index, row };
            let table = find_table(catalog, &run.table);
            let text = self.counted_text(run, table);
            let mut statement = authorizer::prepare(connection, &text, self.reach, catalog)
                .map_err(|error| Failure::Sqlite(error, at(0)))?;
            for (row, values) in run.values.iter().enumerate() {
                let step = self.step(&mut statement, values, keyed, &mut written);
                step.map_err(|fault| Failure::at(at(row), fault))?;
            }
        }
        check(self.expect, written.rows).map_err(Failure::Refused)?;
        if let Some(body) = &mut written.body {
            written.unsorted.finish(self.order, body).map_err(Failure::nowhere)?;
        }
        Ok(Outcome {
            page: written.rows,
            location: written.key.filter(|_| written.rows == 1),
            inserted: self.counts_updates().then(|| written.rows.saturating_sub(updates.take())),
            body: written.body.map(Body::finish).unwrap_or_default(),
            ..Outcome::default()
        })
    }

    fn step(
        &self,
        statement: &mut Statement<'_>,
        values: &[Value],
        table: Option<&Table>,
        written: &mut Written,
    ) -> Result<(), BodyFault> {
        let parameters = params_from_iter(values);
        if statement.column_count() == 0 {
            let changed = statement.execute(parameters)?;
            written.rows += u64::try_from(changed).unwrap_or(u64::MAX);
            return Ok(());
        }
        let mut rows = statement.query(parameters)?;
        match &mut written.body {
            Some(body) if self.order.is_empty() => {
                body.add_all(&mut rows)?;
                written.rows = body.rows();
                Ok(())
            }
            Some(body) => {
                written.unsorted.add_all(&mut rows, self.order.len(), body.max_bytes())?;
                written.rows = written.unsorted.rows();
                Ok(())
            }
            None => self.count(&mut rows, table, written),
        }
    }

    /// Counts returned rows and keeps the key of the first.
    fn count(&self, rows: &mut Rows<'_>, table: Option<&Table>, written: &mut Written) -> Result<(), BodyFault> {
        while let Some(row) = rows.next()? {
            if let (Some(key), 0) = (self.location, written.rows) {
                written.key = Some(key_text(row, &key.columns, table)?);
            }
            written.rows += 1;
        }
        Ok(())
    }

    /// The text, made to return its rows when it writes through a view: SQLite does not count what `INSTEAD OF`
    /// triggers do.
    fn counted_text<'run>(&self, run: &'run Run, table: Option<&Table>) -> Cow<'run, str> {
        let is_view = table.is_some_and(|table| table.kind == Kind::View);
        if is_view && self.output.is_none() && self.location.is_none() {
            Cow::Owned(format!("{} RETURNING 1", run.text))
        } else {
            Cow::Borrowed(&run.text)
        }
    }

    fn counts_updates(&self) -> bool {
        self.runs.iter().any(counts_updates)
    }
}

/// Whether a run counts the rows that it updates where the key is taken.
pub(super) fn counts_updates(run: &Run) -> bool {
    run.text.contains(COUNT_UPDATE)
}

/// The table of that name.
pub(super) fn find_table<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a Table> {
    catalog.table(&QualifiedName::new(SCHEMA, name))
}

/// The kind of a table's column; [`TypeKind::Any`] when it is not known.
pub(super) fn kind_of<'a>(table: Option<&'a Table>, column: &str) -> &'a TypeKind {
    table.and_then(|table| table.column(column)).map_or(&TypeKind::Any, |column| &column.type_name.kind)
}

/// `{"id":1}`: the columns of a returned row, as `row_to_json` writes them.
fn key_text(row: &Row<'_>, columns: &[String], table: Option<&Table>) -> rusqlite::Result<String> {
    let (zone, mut key) = (session::zone(), vec![b'{']);
    for (index, column) in columns.iter().enumerate() {
        key.extend_from_slice(if index > 0 { b"," } else { b"" });
        form::write_json_string(&mut key, column);
        key.push(b':');
        let kind = kind_of(table, column);
        write_json(&mut key, row.get_ref(index)?, kind, zone.as_ref());
    }
    key.push(b'}');
    Ok(String::from_utf8_lossy(&key).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> (Connection, UpdateCounter) {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); CREATE VIEW v AS SELECT id, name FROM t;
                CREATE TRIGGER v_insert INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.id, new.name); END;
                CREATE TRIGGER v_update INSTEAD OF UPDATE ON v BEGIN UPDATE t SET name = new.name WHERE id = old.id; END;
                CREATE TRIGGER v_delete INSTEAD OF DELETE ON v BEGIN DELETE FROM t WHERE id = old.id; END;",
            )
            .unwrap();
        let updates = UpdateCounter::register(&connection).unwrap();
        (connection, updates)
    }

    fn run(text: &str, rows: &[&[Value]]) -> Run {
        let table = text.split('"').nth(1).unwrap().to_owned();
        let values = rows.iter().map(|row| row.to_vec()).collect();
        Run { table, text: text.to_owned(), columns: Vec::new(), values }
    }

    #[test]
    fn rows_of_all_runs_are_counted() {
        let (connection, updates) = connection();
        let (one, two) = ([Value::Integer(1)], [Value::Integer(2)]);
        let runs = [
            run("INSERT INTO \"t\" (\"id\") VALUES (?1)", &[&one, &two]),
            run("UPDATE \"t\" SET \"name\" = 'a'", &[&[]]),
            run("DELETE FROM \"t\" WHERE \"id\" = ?1", &[&one]),
        ];
        let outcome = Write::of(&runs).run(&connection, &Arc::default(), &updates, 100).unwrap();
        assert_eq!((outcome.page, outcome.inserted, outcome.location), (5, None, None));
    }

    #[test]
    fn an_upsert_tells_inserted_rows_from_updated_ones() {
        let (connection, updates) = connection();
        let text = "INSERT INTO \"t\" (\"id\", \"name\") VALUES (?1, 'x') ON CONFLICT (\"id\") DO UPDATE SET \
                    \"name\" = excluded.\"name\" WHERE berth_updated()";
        let (one, two) = ([Value::Integer(1)], [Value::Integer(2)]);
        let insert =
            |rows: &[&[Value]]| Write::of(&[run(text, rows)]).run(&connection, &Arc::default(), &updates, 100).unwrap();
        assert_eq!(insert(&[&one]).inserted, Some(1));
        let outcome = insert(&[&one, &two]);
        assert_eq!((outcome.page, outcome.inserted), (2, Some(1)));
        assert_eq!(insert(&[&two]).inserted, Some(0));
    }

    #[test]
    fn the_key_of_one_inserted_row_is_its_location() {
        let (connection, updates) = connection();
        let columns = vec!["id".to_owned(), "name".to_owned()];
        let key = Key { of: "t".to_owned(), columns };
        let insert = |rows: &[&[Value]]| {
            let runs = [run("INSERT INTO \"t\" (\"id\") VALUES (?1) RETURNING \"t\".\"id\", \"t\".\"name\"", rows)];
            let write = Write { location: Some(&key), ..Write::of(&runs) };
            write.run(&connection, &Arc::default(), &updates, 100).unwrap()
        };
        let (one, two, three) = ([Value::Integer(1)], [Value::Integer(2)], [Value::Integer(3)]);
        assert_eq!(insert(&[&one]).location.as_deref(), Some(r#"{"id":1,"name":null}"#));
        let two_rows = insert(&[&two, &three]);
        assert_eq!((two_rows.page, two_rows.location), (2, None));
    }

    #[test]
    fn rows_written_through_a_view_are_counted() {
        let (connection, updates) = connection();
        let catalog = Arc::new(crate::store::sqlite::introspect::read(&connection).unwrap());
        let (one, two) = ([Value::Integer(1)], [Value::Integer(2)]);
        for (text, rows) in [
            ("INSERT INTO \"v\" (\"id\") VALUES (?1)", [one.as_slice(), two.as_slice()].as_slice()),
            ("UPDATE \"v\" SET \"name\" = 'a'", &[&[]]),
            ("DELETE FROM \"v\"", &[&[]]),
        ] {
            let outcome = Write::of(&[run(text, rows)]).run(&connection, &catalog, &updates, 100).unwrap();
            assert_eq!(outcome.page, 2, "{text}");
        }
    }
}
