//! Calls: which function is meant, what it is given, and what becomes of its result.
//!
//! A result of rows is read like a table: the same select, filters, order, range and embedding. A value is read like a
//! table of the one column [`VALUE`].
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/functions.html>

mod argument;
pub(super) mod resolve;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::cache;
use super::distinct::plan_distinct;
use super::embed::{self, Wishes};
use super::negotiate::Offer;
use super::scope::{Purpose, Scope};
use super::{Condition, Engine, Error, Expectation, Operand, Plan, Read, ReadNode, Settings, Value, prefer};
use crate::catalog::{
    Body, BodySource, Catalog, Column, Kind, Parameter, QualifiedName, ReturnKind, Routine, Table, Tuning, TypeKind,
    TypeName, Volatility,
};
use crate::request::call::{self, Whole};
use crate::request::method::Method;
use crate::request::payload::Shape;
use crate::request::prefer::{Count, Handling};
use crate::request::{MediaType, Preferences, Request};

/// The column that a value stands in. `PostgREST` has the same, and CSV shows it.
pub const VALUE: &str = "pgrst_scalar";

/// What errors call the rows of a result.
const SOURCE: &str = "berth_source";

/// A call of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function.
    pub function: QualifiedName,
    /// What it is given.
    pub arguments: Arguments,
    /// What it gives.
    pub result: Outcome,
    /// What is read of the result. `ReadNode::from` names no table when the result is none's row.
    pub read: Read,
    /// The columns of a result that is a row.
    pub columns: Vec<String>,
    /// Columns that are read of the result and that its table does not have: functions of its rows.
    pub computed: Vec<String>,
    /// Nothing may be changed.
    pub read_only: bool,
    /// How the transaction runs.
    pub tuning: Tuning,
    /// What the function does, where berth itself runs it (SQLite).
    pub body: Option<Arc<Body>>,
    /// Roles that may call it, `public` for all of them (SQLite).
    pub grantees: BTreeSet<String>,
}

/// What a function is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Arguments {
    /// A value for each of these parameters.
    Named(Vec<(Parameter, Given)>),
    /// Postgres: members of a JSON object, one for each of these parameters.
    Members {
        /// The parameters.
        parameters: Vec<Parameter>,
        /// The object, or an array whose first object counts.
        json: String,
        /// Which of the two.
        shape: Shape,
    },
    /// The body, to the only parameter, which has no name.
    Whole(Parameter, Value),
    /// SQLite: for each parameter its value; `None` for its default.
    Values(Vec<Option<Value>>),
}

/// What a parameter is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// One value.
    One(Value),
    /// The elements of a variadic parameter's array.
    Many(Vec<Value>),
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Nothing,
    /// A value.
    Value,
    /// Any number of values.
    Values,
    /// A row.
    Row,
    /// Any number of rows.
    Rows,
}

impl Outcome {
    fn of(routine: &Routine) -> Self {
        match (&routine.returns.kind, routine.returns.set) {
            (ReturnKind::Void, _) => Self::Nothing,
            (ReturnKind::Value(_), false) => Self::Value,
            (ReturnKind::Value(_), true) => Self::Values,
            (ReturnKind::Row { .. }, false) => Self::Row,
            (ReturnKind::Row { .. }, true) => Self::Rows,
        }
    }

    /// True when there is exactly one result.
    #[must_use]
    pub fn is_one(self) -> bool {
        matches!(self, Self::Nothing | Self::Value | Self::Row)
    }

    /// True when a result is a row.
    #[must_use]
    pub fn is_row(self) -> bool {
        matches!(self, Self::Row | Self::Rows)
    }
}

/// Plans a call of the function `name` of a schema.
pub(super) fn plan_call(
    request: Request,
    name: QualifiedName,
    role: &str,
    catalog: &Catalog,
    settings: &Settings,
    profile: Option<String>,
) -> Result<Plan, Error> {
    let mut request = request;
    let method = request.method;
    let whole = Whole::of(&request);
    let given = call::Arguments::take(&mut request);
    let routine = resolve::find_routine(catalog, &name, &given.names(), whole)?;
    let result = Outcome::of(routine);
    let table = result_table(routine, catalog);
    let read_only = method != Method::Post || routine.volatility != Volatility::Volatile;
    let zone = prefer::zone(&request.preferences, settings.engine)?;
    let mut scope = Scope::of(&table, role, catalog, settings, Purpose::Read, zone.as_ref()).of_function();
    scope.known_as = Some(SOURCE);
    let preferences = applied(&request.preferences, scope.table, read_only);
    let range = request.range.at_most(settings.max_rows);
    let accept = std::mem::take(&mut request.accept);
    let select = std::mem::take(&mut request.select);
    let offer = Offer::new(catalog, settings, body_source(routine), &select);
    let distinct = request.distinct.take();
    let by_parameter = request.preferences.seek.is_none();
    if request.seek.take().is_some_and(|seek| by_parameter || seek.cursor.is_some()) {
        return Err(Error::NotImplemented("pages by the keys of what a function gives".to_owned()));
    }
    let node = ReadNode { range, ..embed::plan_top(&scope, select, Wishes::of_read(request))? };
    let distinct = plan_distinct(&scope, distinct, &node)?;
    let (media, maker) = offer.choose(&accept)?;
    let strict = preferences.handling == Some(Handling::Strict);
    if strict && preferences.max_affected.is_some() && result.is_one() {
        return Err(Error::MaxAffectedOfOne);
    }
    let expect = Expectation {
        singular: matches!(media, MediaType::ObjectJson { .. }),
        max_affected: preferences.max_affected.filter(|_| strict),
        put: false,
    };
    let computed = match &table {
        Cow::Borrowed(table) => computed_columns(&node, table),
        Cow::Owned(_) => Vec::new(),
    };
    let cache_control = cache::control_of_call(routine, &node);
    let body = match settings.engine {
        Engine::Postgres => None,
        Engine::Sqlite if matches!(media, MediaType::Plan { .. }) => {
            return Err(Error::not_on_sqlite("the plan of a function"));
        }
        Engine::Sqlite => Some(runnable(routine, read_only)?),
    };
    let call = Call {
        function: routine.name.clone(),
        arguments: match settings.engine {
            Engine::Postgres => argument::plan(routine, given)?,
            Engine::Sqlite => Arguments::Values(argument::type_all(&scope, routine, given)?),
        },
        result,
        read: Read {
            node,
            distinct,
            keyset: None,
            // As in PostgREST, nothing asks the planner what a function will give.
            count: preferences.count.filter(|count| *count != Count::Planned),
            max_rows: settings.max_rows,
            headers_only: method == Method::Head,
            by_key: false,
            streamed: false,
            expect,
        },
        columns: match &routine.returns.kind {
            ReturnKind::Row { columns, .. } => columns.iter().map(|column| column.name.clone()).collect(),
            ReturnKind::Void | ReturnKind::Value(_) => Vec::new(),
        },
        computed,
        read_only,
        tuning: routine.tuning.clone(),
        body,
        grantees: routine.grantees.clone(),
    };
    Ok(Plan { action: super::Action::Call(Box::new(call)), media, maker, profile, preferences, zone, cache_control })
}

/// The preferences that apply to a call: those of a read, `max-affected`, and of one that may write `dry-run`.
fn applied(sent: &Preferences, table: &Table, read_only: bool) -> Preferences {
    let strict = sent.handling == Some(Handling::Strict);
    let tries = sent.dry_run && !read_only;
    let read = prefer::applied(sent, Method::Get, table, None);
    Preferences {
        max_affected: sent.max_affected.filter(|_| strict),
        transaction: read.transaction.filter(|_| !tries),
        dry_run: tries,
        seek: None,
        ..read
    }
}

/// The columns that a read of `table` names and that it does not have.
fn computed_columns(node: &ReadNode, table: &Table) -> Vec<String> {
    let is_value = |operand: Operand| operand != Operand::Rows;
    let selected = node.select.iter().filter(|it| it.aggregate.as_ref().is_none_or(|it| is_value(it.operand)));
    let ordered = node.order.iter().filter(|order| order.related.is_none());
    let mut columns: BTreeSet<&str> = selected.map(|projection| projection.target.column.as_str()).collect();
    columns.extend(ordered.map(|order| order.target.column.as_str()));
    add_tested(&node.filter, &mut columns);
    columns.into_iter().filter(|column| table.column(column).is_none()).map(str::to_owned).collect()
}

/// Goes down as deep as the request's parser let the tree become.
fn add_tested<'a>(condition: &'a Condition, columns: &mut BTreeSet<&'a str>) {
    match condition {
        Condition::And(children) | Condition::Or(children) => {
            children.iter().for_each(|child| add_tested(child, columns));
        }
        Condition::Not(child) | Condition::Behind(_, child) => add_tested(child, columns),
        Condition::Test(target, _) => _ = columns.insert(&target.column),
        Condition::Related(_) => {}
    }
}

/// What a body is made of: the rows of a table, or what the function itself gives.
fn body_source(routine: &Routine) -> BodySource {
    match &routine.returns.kind {
        ReturnKind::Row { of: Some(of), .. } => BodySource::Rows(of.clone()),
        ReturnKind::Row { of: None, .. } | ReturnKind::Value(_) | ReturnKind::Void => {
            BodySource::Function(routine.name.clone())
        }
    }
}

/// The table that a result is read as: one of the catalog, or one made for it.
fn result_table<'a>(routine: &Routine, catalog: &'a Catalog) -> Cow<'a, Table> {
    let (of, columns) = match &routine.returns.kind {
        ReturnKind::Row { of, columns } => (of.as_ref(), columns.clone()),
        ReturnKind::Value(type_name) => (None, vec![Column::plain(VALUE.to_owned(), type_name.clone())]),
        ReturnKind::Void => {
            let void = TypeName { declared: "void".to_owned(), kind: TypeKind::Other };
            (None, vec![Column::plain(VALUE.to_owned(), void)])
        }
    };
    if let Some(table) = of.and_then(|name| catalog.table(name)) {
        return Cow::Borrowed(table);
    }
    Cow::Owned(Table {
        name: of.unwrap_or(&routine.name).clone(),
        kind: Kind::View,
        comment: None,
        columns,
        primary_key: Vec::new(),
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        insertable: false,
        updatable: false,
        deletable: false,
    })
}

/// What a function does on SQLite.
///
/// # Errors
/// [`Error::Sqlstate`] in Postgres' words when it changes something and must not.
fn runnable(routine: &Routine, read_only: bool) -> Result<Arc<Body>, Error> {
    let Some(body) = &routine.body else {
        let message = format!("the function {} no longer fits what it names: a migration changed that", routine.name);
        return Err(Error::sqlstate("0A000", message));
    };
    match body.verb() {
        Some(verb) if routine.volatility != Volatility::Volatile => {
            let message = format!("{} is not allowed in a non-volatile function", verb.name());
            Err(Error::sqlstate("0A000", message))
        }
        Some(verb) if read_only => {
            Err(Error::sqlstate("25006", format!("cannot execute {} in a read-only transaction", verb.name())))
        }
        Some(_) | None => Ok(Arc::clone(body)),
    }
}
