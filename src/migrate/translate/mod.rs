//! PostgreSQL's statements → steps of SQLite's SQL. A pure function: it knows the schema, and no connection.
//!
//! `ALTER TABLE` of SQLite can do little, so a table is kept as PostgreSQL knows it ([`model::Table`]), changed there,
//! and written out anew. That happens late: only when a statement touches rows, or at the end of the script. So a
//! script that first makes tables and then adds keys to them, as `pg_dump` writes it, rebuilds nothing.
//!
//! Start at [`translate`]; `statement` says what becomes of each kind of statement, `table`, `alter`, `rows` and
//! `access` change the model, `render` writes a table out, and `expression` with its neighbours translates what stands
//! inside statements. Whatever is not known to mean the same on SQLite is refused with its reason.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the tree is another's and knows many dialects: whatever is not translated is refused"
)]

mod access;
mod alter;
mod argument;
mod arithmetic;
mod cast;
mod change;
mod choice;
mod comparison;
mod constraint;
mod decimal;
mod default_privilege;
mod depth;
mod document;
mod expression;
mod extended;
mod function;
mod index;
mod inline;
mod literal;
mod model;
mod name;
mod parse;
mod pending;
mod policy;
mod query;
mod render;
mod routine;
mod rows;
mod scalar;
mod schema;
mod scope;
mod search;
mod sequence;
mod served;
mod session;
mod source;
mod statement;
mod table;
mod table_function;
mod temporal;
mod types;
mod usage;
mod user_type;
mod view;
mod words;

use super::Error;
use super::script::{Script, Statement};
use pending::Pending;

pub(super) use default_privilege::{EXECUTE, NO_EXECUTE};
pub(super) use model::{Column, IdentityKind, Table};
pub(super) use name::quote;
pub(super) use policy::{Written, WrittenPolicy, write as write_policy};
pub(super) use routine::body::{routine, signature as function_signature};
pub(super) use schema::{
    DefaultGrant, Grant, Inheritance, ObjectKind, Policy, PolicyCommand, PolicyKind, Reach, Role, RowSecurity, Schema,
};
pub(super) use types::labels;
pub(super) use usage::SchemaUsers;
pub(super) use words::{WordIndex, all as word_indexes};

/// Why a statement cannot be done on SQLite, in words for its author.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) String);

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(reason.into()))
}

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The statement of the script that it comes from, counted from zero.
    pub(super) statement: usize,
    /// What to do.
    pub(super) action: Action,
}

/// What a step does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Runs SQL.
    Execute(String),
    /// Has SQL read and not run, to learn what is wrong with it.
    Check(String),
    /// Writes a table anew and carries its rows over.
    Rebuild(Rebuild),
    /// Says where the counter of a table's identity column continues.
    Count {
        /// The table.
        table: String,
        /// The last value that was given out.
        last: i64,
    },
    /// Runs `ALTER TABLE … RENAME`, with everything that names the table or column following.
    Rename(String),
}

/// A table that changes its shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rebuild {
    /// Its name.
    pub(super) table: String,
    /// `CREATE TABLE` under [`Rebuild::STAGE`].
    pub(super) create: String,
    /// Each column that gets values from the old rows, with an expression over them.
    pub(super) carried: Vec<(String, String)>,
    /// `CREATE INDEX` statements.
    pub(super) indexes: Vec<String>,
}

impl Rebuild {
    /// The name of the new table until it takes the old one's place.
    pub(super) const STAGE: &'static str = "_berth_rebuild";
}

/// Translates `script`, and brings `schema` to the state after it.
///
/// # Errors
/// [`Error::Untranslatable`] with the file and line of the first statement that cannot be done.
pub(super) fn translate(script: &Script, schema: &mut Schema) -> Result<Vec<Step>, Error> {
    let mut translator = Translator { schema, steps: Vec::new(), pending: Pending::default(), statement: 0 };
    for (at, statement) in script.statements.iter().enumerate() {
        translator.statement = at;
        translator.take(statement).map_err(|refusal| untranslatable(script, at, refusal))?;
    }
    translator.finish().map_err(|(at, refusal)| untranslatable(script, at, refusal))?;
    Ok(translator.steps)
}

fn untranslatable(script: &Script, statement: usize, refusal: Refusal) -> Error {
    let of = script.statements.get(statement);
    Error::Untranslatable {
        file: script.name.clone(),
        line: of.map_or(1, |of| of.line),
        statement: of.map(Statement::excerpt).unwrap_or_default(),
        reason: refusal.0,
    }
}

/// The state while a script is read.
struct Translator<'a> {
    schema: &'a mut Schema,
    steps: Vec<Step>,
    pending: Pending,
    /// The statement at hand, counted from zero.
    statement: usize,
}

impl Translator<'_> {
    fn push(&mut self, action: Action) {
        self.steps.push(Step { statement: self.statement, action });
    }

    fn execute(&mut self, sql: impl Into<String>) {
        self.push(Action::Execute(sql.into()));
    }
}
