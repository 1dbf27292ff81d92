//! Pages by the keys of their rows: those behind a cursor, or before it, in a total order.
//!
//! The order is that of the request and, unless it tells all rows apart already, the primary key. A cursor holds what a
//! row has in the terms of the order. The rows behind it are those that
//!
//! ```text
//! behind(1) where behind(n) = term n is behind its value, or it is equal to it and behind(n + 1)
//! ```
//!
//! hold for, nulls being where the order puts them. It is an ordinary condition: a cursor that was made up finds what
//! filters could have found.

pub mod cursor;

use super::read::{Order, ReadNode, Related};
use super::scope::Scope;
use super::{Condition, Distinct, Error, Target, Test, Value};
use crate::request::filter::{Arrow, Comparison, IsValue};
use crate::request::order::{Direction, Nulls};
use crate::request::seek::{Seek, Side};

/// Most terms of an order that a cursor is of: the condition is nested as deep.
const TERMS_MAX: usize = 32;

/// A page by keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyset {
    /// On which side of the cursor.
    pub side: Side,
    /// A cursor was given.
    pub begins_at_cursor: bool,
    /// What holds for the rows on that side; `None`: all.
    pub beyond: Option<Condition>,
    /// The order in which they are found: away from the cursor.
    pub order: Vec<Order>,
    /// Most rows of the page.
    pub size: Option<u64>,
    /// What tells this order from others, in cursors.
    pub signature: String,
    /// The query of links to other pages, without their places.
    pub query: String,
}

/// Plans a page, and puts the total order into `node`.
///
/// # Errors
/// [`Error::Keyset`] for what has no such pages, and for a cursor that is none of this order.
pub(super) fn plan_keyset(
    scope: &Scope<'_>,
    seek: Seek,
    node: &mut ReadNode,
    distinct: &Distinct,
) -> Result<Keyset, Error> {
    if node.has_aggregates() || *distinct != Distinct::No {
        return Err(refused("pages by keys are of single rows: without aggregate functions and 'distinct'"));
    }
    if node.range.offset > 0 {
        return Err(refused("pages by keys have no offset"));
    }
    complete_order(scope, node)?;
    let signature = cursor::signature(node);
    let mut order = node.order.clone();
    if seek.side == Side::Before {
        order.iter_mut().for_each(reverse);
    }
    let values = seek.cursor.as_deref().map(|cursor| cursor::read(cursor, &signature, &order, scope.engine));
    let values = values.transpose()?;
    Ok(Keyset {
        side: seek.side,
        begins_at_cursor: values.is_some(),
        beyond: values.map(|values| beyond(scope, &order, &values)),
        order,
        size: node.range.limit,
        signature,
        query: seek.query,
    })
}

/// Adds the primary key to the order, unless the order tells all rows apart.
fn complete_order(scope: &Scope<'_>, node: &mut ReadNode) -> Result<(), Error> {
    let table = scope.table;
    if node.order.iter().any(|term| term.target.path.last().is_some_and(|step| step.arrow == Arrow::Json)) {
        return Err(refused("pages by keys need an order by text where it goes into JSON: ->> instead of ->"));
    }
    let is_in_order =
        |column: &String| node.order.iter().any(|term| is_own_column(term) && &term.target.column == column);
    let is_present = |column: &String| table.column(column).is_some_and(|column| !column.nullable);
    let is_key = |key: &&Vec<String>| !key.is_empty() && key.iter().all(is_in_order);
    let is_total =
        is_key(&&table.primary_key) || table.unique.iter().any(|key| is_key(&key) && key.iter().all(is_present));
    if !is_total {
        if table.primary_key.is_empty() {
            let what = "pages by keys need a primary key, or an order by the columns of a unique constraint";
            return Err(refused(what));
        }
        let missing: Vec<&String> = table.primary_key.iter().filter(|column| !is_in_order(column)).collect();
        for column in missing {
            node.order.push(Order {
                target: Target::column(column, scope.type_of(column)?),
                direction: Direction::Ascending,
                nulls: Nulls::Last,
                related: None,
            });
        }
    }
    if node.order.len() > TERMS_MAX {
        return Err(refused(&format!("pages by keys have an order of at most {TERMS_MAX} terms")));
    }
    Ok(())
}

fn is_own_column(term: &Order) -> bool {
    term.related.is_none() && term.target.path.is_empty() && term.target.computed.is_none()
}

fn reverse(term: &mut Order) {
    term.direction = match term.direction {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    };
    term.nulls = match term.nulls {
        Nulls::First => Nulls::Last,
        Nulls::Last => Nulls::First,
    };
}

/// The condition of the rows that are behind `values` in `order`.
fn beyond(scope: &Scope<'_>, order: &[Order], values: &[Value]) -> Condition {
    let terms: Vec<(&Order, &Value)> = order.iter().zip(values).collect();
    let behind = terms.iter().rev().fold(never(), |rest, (term, value)| {
        let equal = Condition::And(vec![equal(term, value), rest]);
        Condition::Or(vec![strictly_behind(scope, term, value), equal])
    });
    // Says nothing new, but a single comparison is what an index is walked by.
    let bound = terms.first().filter(|(term, value)| **value != Value::Null && !may_be_null_behind(scope, term));
    match bound {
        Some((term, value)) => Condition::And(vec![test(term, compare(at_or_behind(term), value)), behind]),
        None => behind,
    }
}

fn strictly_behind(scope: &Scope<'_>, term: &Order, value: &Value) -> Condition {
    match (value, term.nulls) {
        (Value::Null, Nulls::Last) => never(),
        (Value::Null, Nulls::First) => present(term),
        (_, _) => {
            let operator = match term.direction {
                Direction::Ascending => Comparison::Greater,
                Direction::Descending => Comparison::Less,
            };
            let behind = test(term, compare(operator, value));
            if may_be_null_behind(scope, term) { Condition::Or(vec![behind, absent(term)]) } else { behind }
        }
    }
}

fn equal(term: &Order, value: &Value) -> Condition {
    if *value == Value::Null { absent(term) } else { test(term, compare(Comparison::Equal, value)) }
}

fn at_or_behind(term: &Order) -> Comparison {
    match term.direction {
        Direction::Ascending => Comparison::GreaterOrEqual,
        Direction::Descending => Comparison::LessOrEqual,
    }
}

/// True when rows without a value are behind those with one.
fn may_be_null_behind(scope: &Scope<'_>, term: &Order) -> bool {
    let is_nullable =
        !is_own_column(term) || scope.table.column(&term.target.column).is_none_or(|column| column.nullable);
    is_nullable && term.nulls == Nulls::Last
}

fn present(term: &Order) -> Condition {
    test(term, Test::Is(IsValue::NotNull))
}

/// There is no value, or no related row that could have one.
fn absent(term: &Order) -> Condition {
    match term.related {
        None => test(term, Test::Is(IsValue::Null)),
        Some(_) => Condition::Not(Box::new(present(term))),
    }
}

/// A test of what a term orders by.
fn test(term: &Order, test: Test) -> Condition {
    let condition = Condition::Test(term.target.clone(), test);
    match term.related.as_deref() {
        None => condition,
        Some(related) => {
            let filter = related.filter.clone().and(vec![condition]);
            Condition::Related(Box::new(Related { filter, ..related.clone() }))
        }
    }
}

fn compare(operator: Comparison, value: &Value) -> Test {
    Test::Compare(operator, value.clone())
}

fn never() -> Condition {
    Condition::Or(Vec::new())
}

fn refused(what: &str) -> Error {
    Error::Keyset(what.to_owned())
}
