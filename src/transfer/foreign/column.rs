//! The type that a column of SQLite gets on Postgres: the declared one, if all its values are such; else one that they
//! all are.
//!
//! SQLite lets any value stand in almost any column, and the API shows each as what it is. So the values decide.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::catalog::type_name::Origin;
use crate::catalog::{self, TypeKind, TypeName};
use crate::plan::value::{self, Value};
use crate::store::sqlite::format;
use crate::transfer::Error;
use crate::transfer::source::{Table, select};

/// Greatest whole number up to which a double counts one by one.
const EXACT_MAX: u64 = 1 << 53;

/// The type of a column, and what to say of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    pub(super) type_name: TypeName,
    pub(super) note: Option<String>,
}

/// What values a column has.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    integers: bool,
    reals: bool,
    texts: bool,
    blobs: bool,
    /// Some integer that a double does not hold.
    beyond_double: bool,
    /// Some value that is none of the declared type.
    unfit: bool,
    /// Some value that Postgres will write otherwise.
    reworded: bool,
}

/// Reads all rows of a table, and decides for each column.
pub(super) fn decide(connection: &Connection, table: &Table, known: &catalog::Table) -> Result<Vec<Typed>, Error> {
    let declared: Vec<TypeName> = known.columns.iter().map(|column| declared(&column.type_name)).collect();
    let mut seen = vec![Seen::default(); declared.len()];
    let mut statement = select(connection, table)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (place, (seen, declared)) in seen.iter_mut().zip(&declared).enumerate() {
            seen.look(row.get_ref(place)?, declared);
        }
    }
    Ok(known
        .columns
        .iter()
        .zip(declared)
        .zip(seen)
        .map(|((column, declared), seen)| seen.decide(column, declared))
        .collect())
}

/// The declared type as Postgres has it without extensions.
fn declared(type_name: &TypeName) -> TypeName {
    match (&type_name.kind, type_name.postgres_name().as_str()) {
        (TypeKind::Any, _) => type_name.clone(),
        (_, "citext" | "name") => TypeName::parse("text", Origin::Postgres),
        (_, name) => TypeName::parse(name, Origin::Postgres),
    }
}

impl Seen {
    fn look(&mut self, value: ValueRef<'_>, declared: &TypeName) {
        match value {
            ValueRef::Null => return,
            ValueRef::Integer(integer) => {
                self.integers = true;
                self.beyond_double |= integer.unsigned_abs() > EXACT_MAX;
            }
            ValueRef::Real(_) => self.reals = true,
            ValueRef::Text(_) => self.texts = true,
            ValueRef::Blob(_) => self.blobs = true,
        }
        match fit(value, declared) {
            Fit::AsItIs => {}
            Fit::Reworded => self.reworded = true,
            Fit::Not => self.unfit = true,
        }
    }

    fn decide(self, column: &catalog::Column, declared: TypeName) -> Typed {
        let is_empty = !(self.integers || self.reals || self.texts || self.blobs);
        if declared.kind != TypeKind::Any && (is_empty || !self.unfit) {
            let note = self.reworded.then(|| {
                format!(
                    "\"{}\" has values that Postgres writes otherwise, as {}",
                    column.name,
                    declared.postgres_name()
                )
            });
            return Typed { type_name: declared, note };
        }
        let (name, note) = match (self.integers, self.reals, self.texts, self.blobs) {
            (false, false, false, true) => ("bytea", ""),
            (true, false, false, false) => ("bigint", ""),
            (_, _, false, false) if !is_empty && self.beyond_double => ("numeric", ""),
            (_, _, false, false) if !is_empty => ("double precision", ""),
            (false, false, _, false) => ("text", ""),
            (_, _, _, false) => ("text", ", its numbers as they are written"),
            (_, _, _, true) => ("text", ", its bytes in hexadecimal digits"),
        };
        let is_declared = !column.type_name.declared.is_empty();
        let note = (is_declared || !note.is_empty()).then(|| {
            let declared = if is_declared { column.type_name.declared.as_str() } else { "without a type" };
            format!("\"{}\", declared {declared}, has values of other types: it becomes {name}{note}", column.name)
        });
        let note = note.filter(|_| self.unfit || !matches!(column.type_name.kind, TypeKind::Any));
        Typed { type_name: TypeName::parse(name, Origin::Postgres), note }
    }
}

/// Whether a value is one of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    AsItIs,
    Reworded,
    Not,
}

fn fit(value: ValueRef<'_>, type_name: &TypeName) -> Fit {
    let when = |fits: bool| if fits { Fit::AsItIs } else { Fit::Not };
    match (value, &type_name.kind) {
        (ValueRef::Null, _) => Fit::AsItIs,
        (ValueRef::Integer(integer), TypeKind::Boolean) => when((0..=1).contains(&integer)),
        (ValueRef::Integer(_), TypeKind::BigInt | TypeKind::Double | TypeKind::Json | TypeKind::Jsonb) => Fit::AsItIs,
        (ValueRef::Integer(integer), TypeKind::Numeric { .. }) => fit_number(&integer.to_string(), type_name),
        (ValueRef::Real(_), TypeKind::Double) => Fit::AsItIs,
        (ValueRef::Real(real), TypeKind::Numeric { .. } | TypeKind::Json | TypeKind::Jsonb) if !real.is_finite() => {
            Fit::Not
        }
        (ValueRef::Real(_), TypeKind::Json | TypeKind::Jsonb) => Fit::AsItIs,
        (ValueRef::Real(real), TypeKind::Numeric { .. }) => fit_number(&real.to_string(), type_name),
        (ValueRef::Text(bytes), kind) => {
            std::str::from_utf8(bytes).map_or(Fit::Not, |text| fit_text(text, kind, type_name))
        }
        (ValueRef::Blob(_), TypeKind::Bytea) => Fit::AsItIs,
        (ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_), _) => Fit::Not,
    }
}

/// A number for a `numeric`, which must keep all its digits.
fn fit_number(text: &str, type_name: &TypeName) -> Fit {
    let TypeKind::Numeric { scale, .. } = type_name.kind else { return Fit::Not };
    let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let keeps = scale.is_none_or(|scale| u32::try_from(digits).is_ok_and(|digits| digits <= scale));
    if keeps && value::store(text, type_name).is_ok() { Fit::AsItIs } else { Fit::Not }
}

fn fit_text(text: &str, kind: &TypeKind, type_name: &TypeName) -> Fit {
    if text.contains('\0') {
        // Said with the row's place when it is copied.
        return Fit::AsItIs;
    }
    match kind {
        TypeKind::Bytea | TypeKind::BigInt | TypeKind::Double | TypeKind::Numeric { .. } => Fit::Not,
        TypeKind::Array(element) => match format::array_literal(text, element) {
            Some(_) => Fit::AsItIs,
            None => Fit::Not,
        },
        _ => match value::store(text, type_name) {
            Ok(Value::Text(stored)) if stored == text => Fit::AsItIs,
            Ok(Value::Integer(_)) => Fit::AsItIs,
            Ok(_) => Fit::Reworded,
            Err(_) => Fit::Not,
        },
    }
}
