//! What is embedded in a row: rows of a query inside a query, written as Postgres writes them.
//!
//! | function | gives | Postgres |
//! |---|---|---|
//! | `berth_row(shape, value…)` | `{"a":1,"b":null}` | `row_to_json` |
//! | `berth_rows(shape, value…)`, an aggregate | `[{"a":1}, \n {"a":2}]`, `[]` without rows | `coalesce(json_agg(row.*), '[]')` |
//! | `berth_members(shape, value…)` | `"a":1,"b":null` | part of a row with more values than a function takes |
//! | `berth_values(type, index, value…)`, an aggregate | `[1, 2]` of the value at `index` | `coalesce(json_agg(value), '[]')` |
//! | `berth_to_json(value, type)` | `{"a":1}`, `true`, `"2024-07-01T12:00:00"` | `to_json(value)` |
//! | `berth_jsonb(json)` | JSON in one spelling for equal values | `json::jsonb` |
//!
//! A shape is JSON: an array with `["name","type"]` for each value, or `null` for what `berth_members` wrote.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use crate::catalog::type_name::Origin;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::value::{canonical_json, form};
use crate::store::sqlite::format::{BETWEEN_ROWS, between_values, write_json};
use crate::store::sqlite::session;

/// Any number of arguments.
const ANY_NUMBER: std::ffi::c_int = -1;

/// Most shapes kept for one function of a connection. A statement has one for each of its embeds, of which planning
/// lets in a few dozen; past the bound the oldest is read again.
const SHAPES_MAX: usize = 64;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    let shapes = Shapes::default();
    connection.create_scalar_function("berth_row", ANY_NUMBER, flags, move |context| {
        let mut out = vec![b'{'];
        shapes.of(context)?.write_members(&mut out, context)?;
        out.push(b'}');
        into_text(out)
    })?;
    let shapes = Shapes::default();
    connection.create_scalar_function("berth_members", ANY_NUMBER, flags, move |context| {
        let mut out = Vec::new();
        shapes.of(context)?.write_members(&mut out, context)?;
        into_text(out)
    })?;
    connection.create_scalar_function("berth_jsonb", 1, flags, |context| {
        let Some(text) = super::text(context.get_raw(0)) else { return Ok(None) };
        let json = serde_json::from_str(&text).map_err(|error| Error::UserFunctionError(Box::new(error)))?;
        canonical_json(&json).map(Some).map_err(|error| Error::UserFunctionError(Box::new(error)))
    })?;
    // Not deterministic: moments are shown in the zone of who asks.
    let of_session = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("berth_to_json", 2, of_session, |context| {
        let value = context.get_raw(0);
        if matches!(value, ValueRef::Null) {
            return Ok(None);
        }
        // Kept by SQLite for the statement: the type is a constant.
        let type_name = context
            .get_or_create_aux(1, |name: ValueRef<'_>| Ok::<_, Error>(read_type(name.as_str().unwrap_or_default())))?;
        let mut out = Vec::new();
        write_json(&mut out, value, &type_name.kind, session::zone().as_ref());
        into_text(out).map(Some)
    })?;
    let memory = Arc::new(Memory::of(connection)?);
    let rows = Rows { shapes: Shapes::default(), memory: Arc::clone(&memory) };
    connection.create_aggregate_function("berth_rows", ANY_NUMBER, flags, rows)?;
    connection.create_aggregate_function("berth_values", ANY_NUMBER, flags, Values { memory })
}

/// What the arrays that a connection's statement is writing hold, one inside the other.
#[derive(Debug)]
struct Memory {
    bytes: AtomicUsize,
    /// As much as SQLite takes as one string: more could not be handed on.
    most: usize,
}

impl Memory {
    fn of(connection: &Connection) -> Result<Self> {
        let most = connection.limit(Limit::SQLITE_LIMIT_LENGTH)?;
        Ok(Self { bytes: AtomicUsize::new(0), most: usize::try_from(most).unwrap_or(usize::MAX) })
    }
}

/// An array that is being written.
#[derive(Debug)]
struct Growing {
    out: Vec<u8>,
    counted: usize,
    memory: Arc<Memory>,
}

impl Growing {
    fn new(memory: &Arc<Memory>) -> Self {
        Self { out: Vec::new(), counted: 0, memory: Arc::clone(memory) }
    }

    /// Counts what was added.
    ///
    /// # Errors
    /// 54000 when all arrays together are too large.
    fn count(&mut self) -> Result<()> {
        let more = self.out.len() - self.counted;
        self.counted = self.out.len();
        let most = self.memory.most;
        if self.memory.bytes.fetch_add(more, Ordering::Relaxed) + more <= most {
            return Ok(());
        }
        let message = format!("the result is larger than {most} bytes");
        Err(super::failed(super::Fault { code: "54000", message }))
    }

    /// The array, closed; an empty one where nothing was written.
    fn finish(mut self) -> Result<String> {
        let mut out = std::mem::take(&mut self.out);
        if out.is_empty() {
            out.push(b'[');
        }
        out.push(b']');
        into_text(out)
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.memory.bytes.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// What is written is UTF-8: names and values were, or had their faults replaced.
fn into_text(out: Vec<u8>) -> Result<String> {
    String::from_utf8(out).map_err(|error| Error::UserFunctionError(Box::new(error)))
}

/// Names and types of the values of a row.
#[derive(Debug)]
struct Shape(Vec<Member>);

#[derive(Debug)]
enum Member {
    /// `"name":`, escaped, and the value's type.
    Value(Vec<u8>, TypeName),
    /// Members that are written already.
    Part,
}

impl Shape {
    fn parse(text: &str) -> Result<Self> {
        let members: Vec<Option<(String, String)>> =
            serde_json::from_str(text).map_err(|error| Error::UserFunctionError(Box::new(error)))?;
        let member = |member: Option<(String, String)>| match member {
            None => Member::Part,
            Some((name, declared)) => {
                let mut written = Vec::with_capacity(name.len() + 3);
                form::write_json_string(&mut written, &name);
                written.push(b':');
                Member::Value(written, read_type(&declared))
            }
        };
        Ok(Self(members.into_iter().map(member).collect()))
    }

    /// Writes the arguments behind the first.
    fn write_members(&self, out: &mut Vec<u8>, context: &Context<'_>) -> Result<()> {
        if context.len() != self.0.len() + 1 {
            return Err(Error::InvalidParameterCount(context.len(), self.0.len() + 1));
        }
        let zone = session::zone();
        for (index, member) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let value = context.get_raw(index + 1);
            match (member, value) {
                (Member::Value(name, type_name), _) => {
                    out.extend_from_slice(name);
                    write_json(out, value, &type_name.kind, zone.as_ref());
                }
                (Member::Part, ValueRef::Text(text)) => out.extend_from_slice(text),
                (Member::Part, _) => {}
            }
        }
        Ok(())
    }
}

/// Nothing where the value itself tells.
fn read_type(declared: &str) -> TypeName {
    if declared.is_empty() {
        return TypeName { declared: String::new(), kind: TypeKind::Any };
    }
    TypeName::parse(declared, Origin::Postgres)
}

/// The shapes seen last, so that each is read once and not for every row.
#[derive(Debug, Default)]
struct Shapes(Mutex<Vec<(String, Arc<Shape>)>>);

impl Shapes {
    /// The shape that the first argument tells.
    fn of(&self, context: &Context<'_>) -> Result<Arc<Shape>> {
        if context.is_empty() {
            return Err(Error::InvalidParameterCount(0, 1));
        }
        let told = super::text(context.get_raw(0)).unwrap_or_default();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, shape)) = seen.iter().find(|(text, _)| *text == *told) {
            return Ok(Arc::clone(shape));
        }
        let shape = Arc::new(Shape::parse(&told)?);
        if seen.len() >= SHAPES_MAX {
            seen.remove(0);
        }
        seen.push((told.into_owned(), Arc::clone(&shape)));
        Ok(shape)
    }
}

/// `berth_rows`.
#[derive(Debug)]
struct Rows {
    shapes: Shapes,
    memory: Arc<Memory>,
}

/// Rows written so far.
#[derive(Debug)]
struct Written {
    shape: Arc<Shape>,
    array: Growing,
}

impl Aggregate<Option<Written>, String> for Rows {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Written>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, written: &mut Option<Written>) -> Result<()> {
        let Written { shape, array } = match written {
            Some(written) => {
                written.array.out.extend_from_slice(BETWEEN_ROWS);
                written
            }
            None => {
                let mut array = Growing::new(&self.memory);
                array.out.push(b'[');
                written.insert(Written { shape: self.shapes.of(context)?, array })
            }
        };
        array.out.push(b'{');
        shape.write_members(&mut array.out, context)?;
        array.out.push(b'}');
        array.count()
    }

    fn finalize(&self, _: &mut Context<'_>, written: Option<Option<Written>>) -> Result<String> {
        written.flatten().map_or_else(|| Growing::new(&self.memory), |written| written.array).finish()
    }
}

/// `berth_values`.
#[derive(Debug)]
struct Values {
    memory: Arc<Memory>,
}

/// Values written so far.
#[derive(Debug)]
struct Gathered {
    type_name: TypeName,
    /// Which argument holds the value.
    argument: usize,
    array: Growing,
}

impl Gathered {
    fn new(context: &Context<'_>, memory: &Arc<Memory>) -> Result<Self> {
        let declared = super::text(context.get_raw(0)).unwrap_or_default();
        let index: u16 = context.get(1)?;
        Ok(Self { type_name: read_type(&declared), argument: usize::from(index) + 2, array: Growing::new(memory) })
    }
}

impl Aggregate<Option<Gathered>, String> for Values {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Gathered>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, gathered: &mut Option<Gathered>) -> Result<()> {
        if context.len() < 3 {
            return Err(Error::InvalidParameterCount(context.len(), 3));
        }
        let gathered = match gathered {
            Some(gathered) => gathered,
            None => gathered.insert(Gathered::new(context, &self.memory)?),
        };
        if gathered.argument >= context.len() {
            return Err(Error::InvalidParameterCount(context.len(), gathered.argument + 1));
        }
        let opening = if gathered.array.out.is_empty() { b"[" } else { between_values(&gathered.type_name.kind) };
        gathered.array.out.extend_from_slice(opening);
        let value = context.get_raw(gathered.argument);
        write_json(&mut gathered.array.out, value, &gathered.type_name.kind, session::zone().as_ref());
        gathered.array.count()
    }

    fn finalize(&self, _: &mut Context<'_>, gathered: Option<Option<Gathered>>) -> Result<String> {
        gathered.flatten().map_or_else(|| Growing::new(&self.memory), |gathered| gathered.array).finish()
    }
}
