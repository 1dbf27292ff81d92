//! From an authorized plan to statements in an engine's SQL. Nothing here can fail.
//!
//! Start at [`render`]. `read` and `write` make the statements of their verbs from the parts beside them (`select`,
//! `condition`, `order`, `count`; `envelope` for Postgres). `writer` holds the only quoting and the only binding;
//! what engines spell differently is in `dialect`, `sqlite` and `postgres`.

mod aggregate;
mod call;
mod child;
mod computed;
mod condition;
mod count;
mod dialect;
mod embed;
mod envelope;
mod explain;
mod order;
mod page;
mod postgres;
mod read;
mod representation;
mod rules;
mod select;
mod sqlite;
mod through;
mod top;
mod write;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use explain::Telling;
pub use representation::representation;

use crate::catalog::TypeName;
use crate::plan::call::Outcome;
use crate::plan::{Action, Authorized, Engine, Expectation, Plan, Reach, Rules, Value, authorize::Session};
use crate::request::order::{Direction, Nulls};
use crate::request::seek::Side;
use crate::request::{Conditions, MediaType, Once};
use envelope::Body;

/// Renders an authorized plan for an engine.
///
/// `catalog_version`: the version of the catalog that the plan was made against, so that the store can refuse a
/// statement for a schema that is gone.
#[must_use]
pub fn render(authorized: &Authorized, catalog_version: i64, engine: Engine) -> Statement {
    Statement {
        work: work(authorized.plan(), authorized.rules(), engine),
        session: Arc::clone(authorized.session()),
        reach: authorized.reach(),
        expect: expectation(authorized.plan()),
        catalog_version,
        once: None,
        known_states: Vec::new(),
        precondition: None,
    }
}

/// What to run for a plan. Not for other modules: what they render must have been authorized.
fn work(plan: &Plan, rules: &Rules, engine: Engine) -> Work {
    if let MediaType::Plan { of, json, options } = &plan.media {
        let telling = if *json { Telling::Json } else { Telling::Text };
        return explain::explain(work_as(plan, of, rules, engine), telling, options);
    }
    work_as(plan, &plan.media, rules, engine)
}

/// What to run for a plan whose rows become `media`.
fn work_as(plan: &Plan, media: &MediaType, rules: &Rules, engine: Engine) -> Work {
    let body = Body { media, maker: plan.maker.as_ref() };
    match (&plan.action, engine) {
        (Action::Read(read), Engine::Sqlite) => read::sqlite(read, media, rules),
        (Action::Read(read), Engine::Postgres) => read::postgres(read, body),
        (Action::Insert(insert), Engine::Sqlite) => write::sqlite::insert(insert, media, rules),
        (Action::Insert(insert), Engine::Postgres) => write::postgres::insert(insert, body),
        (Action::Update(update), Engine::Sqlite) => write::sqlite::update(update, media, rules),
        (Action::Update(update), Engine::Postgres) => write::postgres::update(update, body),
        (Action::Delete(delete), Engine::Sqlite) => write::sqlite::delete(delete, media, rules),
        (Action::Delete(delete), Engine::Postgres) => write::postgres::delete(delete, body),
        (Action::Call(call), Engine::Sqlite) => call::sqlite::call(call, media, rules),
        (Action::Call(call), Engine::Postgres) => call::postgres::call(call, body),
        (Action::TableInfo(_) | Action::RoutineInfo(_) | Action::RootInfo | Action::Describe { .. }, _) => Work::None,
    }
}

/// What must hold of the rows that are touched.
fn expectation(plan: &Plan) -> Expectation {
    match &plan.action {
        _ if matches!(plan.media, MediaType::Plan { .. }) => Expectation::default(),
        Action::Read(read) => read.expect,
        Action::Insert(insert) => insert.expect,
        Action::Update(update) => update.expect,
        Action::Delete(delete) => delete.expect,
        Action::Call(call) => call.read.expect,
        Action::TableInfo(_) | Action::RoutineInfo(_) | Action::RootInfo | Action::Describe { .. } => {
            Expectation::default()
        }
    }
}

/// SQL text with the values of its placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The text; placeholders are `$1…` on Postgres and `?1…` on SQLite.
    pub text: String,
    /// One value for each placeholder.
    pub values: Vec<Value>,
}

/// All that a store must run to answer one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What to run.
    pub work: Work,
    /// Who it is run for.
    pub session: Arc<Session>,
    /// What it may touch.
    pub reach: Reach,
    /// What must hold afterwards, or all is undone.
    pub expect: Expectation,
    /// The catalog version it was planned against.
    pub catalog_version: i64,
    /// The write is applied once, however often it comes.
    pub once: Option<Once>,
    /// States of the store in which the sender of a read has its rows already.
    pub known_states: Vec<u64>,
    /// What must hold before the write is done.
    pub precondition: Option<Box<Precondition>>,
}

/// Holds a write against what is there, in the transaction of the write.
#[derive(Debug, Clone, PartialEq)]
pub struct Precondition {
    /// Reads what is at the write's address.
    pub read: Statement,
    /// What it must be, or must not be.
    pub conditions: Conditions,
}

/// What to run.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Postgres: one query whose only row has the columns `total bigint, page bigint, body` (whose bytes are sent as they
    /// are), `response_headers text, response_status text`; of a write also `location text, inserted bigint`, and of a
    /// page by keys `edges text`. `location` is a JSON object of the key columns of the one inserted row in key order,
    /// values as text or null (`{ "id" : "1" }`), or null.
    Envelope {
        /// The query.
        query: Query,
        /// What the planner is asked of the number of rows.
        planned: Option<Planned>,
    },
    /// Postgres: rows that are handed on while they are read.
    Lines {
        /// As of an envelope, without any row.
        head: Query,
        /// As of an envelope.
        planned: Option<Planned>,
        /// Its only column is a row in one line, with the line feed.
        query: Query,
    },
    /// SQLite: a query whose rows the store writes out.
    Rows {
        /// The query.
        query: Query,
        /// Counts the rows without limit.
        count: Option<Query>,
        /// At most one row, found by its key: cheap enough to run where it stands.
        by_key: bool,
        /// It is a page by keys.
        page: Option<Box<Page>>,
        /// How rows become a body.
        output: Output,
    },
    /// SQLite: writes, in this order, in one savepoint.
    Write {
        /// Reads what is given back of rows before they are removed: the runs then give nothing back.
        before: Option<Query>,
        /// The same text may be run with several lists of values.
        runs: Vec<Run>,
        /// How returned rows become a body; `None` when nothing is given back.
        output: Option<Output>,
        /// The key columns that a single returned row holds, for `Location`.
        location: Option<Key>,
        /// The order in which rows are given back; what they are ordered by stands behind their columns.
        order: Vec<(Direction, Nulls)>,
    },
    /// SQLite: the statements of a function, in one savepoint when they write.
    Call(Box<Invocation>),
    /// Asks how a statement would be run. Postgres: one column, a row for each line or one of JSON. SQLite: the rows of
    /// `EXPLAIN QUERY PLAN`.
    Explain {
        /// The question.
        query: Query,
        /// In which form.
        telling: Telling,
    },
    /// Nothing to run: `OPTIONS` and the description.
    None,
}

/// Columns of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The table or view that has them.
    pub of: String,
    /// Their names.
    pub columns: Vec<String>,
}

/// A page by keys, as SQLite gives it.
///
/// Behind the columns of a row come its keys. [`Side::After`]: the row behind the last tells that there are more.
/// [`Side::Before`]: the last column has the number of rows, and when that is more than the page has, the first row is
/// none of the page's.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Which side of a cursor it is on.
    pub side: Side,
    /// Most rows.
    pub size: Option<u64>,
    /// The types of the keys.
    pub keys: Vec<TypeName>,
}

/// A question to the planner of Postgres. The greatest of its guess, `total` and `page` is the number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// `EXPLAIN (FORMAT JSON)` of the rows without limit.
    pub query: Query,
    /// Asked only when more than this many rows were counted, or none were.
    pub above: Option<u64>,
}

/// A call of a function on SQLite.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// What the parameters get: the first placeholders of each statement, before those of its own values.
    pub arguments: Vec<Argument>,
    /// Statements to be run first, in their order; what they give is not wanted.
    pub before: Vec<Run>,
    /// The statement whose rows are kept, to be read by `read` and `count`.
    pub kept: Option<Kept>,
    /// Reads the result; `None` when there is none. Its values belong to the placeholders behind the arguments and, with
    /// `kept`, behind the one that takes the kept rows.
    pub read: Option<Query>,
    /// Counts the rows of the result.
    pub count: Option<Query>,
    /// How the result becomes a body.
    pub output: Output,
    /// Something is changed.
    pub writes: bool,
}

/// What a parameter gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A value.
    Value(Value),
    /// The value of an expression, evaluated once.
    Default(String),
}

/// A statement whose rows are kept: as a JSON array of arrays, in which integers are numbers, text is a string, and
/// what JSON has no exact form for is an object (see `store/sqlite/functions/cell.rs`).
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The statement.
    pub run: Run,
    /// Only its first row is wanted.
    pub one: bool,
}

/// One text, run once for each list of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The table, or the view with a trigger, that is written to.
    pub table: String,
    /// The text.
    pub text: String,
    /// The columns that the first values belong to, in order: errors name the values of a key by it.
    pub columns: Vec<String>,
    /// Values for each time it is run.
    pub values: Vec<Vec<Value>>,
}

/// How the rows of a SQLite query become a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What the body is.
    pub media: MediaType,
    /// Name and form of each result column.
    pub columns: Vec<OutputColumn>,
    /// What a function gives; `None` for the rows of a table.
    pub result: Option<Outcome>,
}

/// A result column.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// The member's name.
    pub name: String,
    /// The type whose Postgres form it is written in.
    pub type_name: TypeName,
}
