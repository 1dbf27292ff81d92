//! Conditions: `WHERE`, and the trees of `and`, `or` and `not` in it.
//!
//! The trees are as deep as the request's parser lets them be; it bounds them.

use super::child::write_exists;
use super::dialect::{Dialect, Field, Scope};
use super::rules::write_guard;
use super::writer::Writer;
use crate::plan::{Condition, Test};
use crate::request::filter::IsValue;

/// Most operands joined in one chain. SQLite's parser nests a chain as deep as it is long and refuses depths over
/// 1,000; longer chains are halved until they fit, which nests them no deeper than the logarithm of their length.
///
/// Source: <https://www.sqlite.org/limits.html#max_expr_depth>.
const CHAIN_MAX: usize = 100;

/// `AND` or `OR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Junction {
    /// Each must hold.
    And,
    /// One must hold.
    Or,
}

impl Junction {
    /// The word between the operands.
    fn separator(self) -> &'static str {
        match self {
            Self::And => " AND ",
            Self::Or => " OR ",
        }
    }

    /// What holds without any operand.
    fn empty(self) -> &'static str {
        match self {
            Self::And => "TRUE",
            Self::Or => "FALSE",
        }
    }
}

/// Adds ` WHERE condition`; nothing when every row fits.
pub(super) fn write_where<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, condition: &Condition) {
    if condition.is_always() {
        return;
    }
    writer.push(" WHERE ");
    write_condition::<D>(writer, scope, condition);
}

/// Adds `condition`. What is unknown stays unknown: `NOT` is SQL's own.
pub(super) fn write_condition<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, condition: &Condition) {
    match condition {
        Condition::And(children) => write_children::<D>(writer, scope, Junction::And, children),
        Condition::Or(children) => write_children::<D>(writer, scope, Junction::Or, children),
        Condition::Not(inner) => {
            writer.push("NOT (");
            write_condition::<D>(writer, scope, inner);
            writer.push(")");
        }
        Condition::Test(target, test) => write_test::<D>(writer, Field::of(scope, target), test),
        Condition::Related(related) => write_exists::<D>(writer, scope, related),
        Condition::Behind(guard, inner) => {
            writer.push("CASE WHEN ");
            write_guard::<D>(writer, scope, guard);
            writer.push(" THEN ");
            write_condition::<D>(writer, scope, inner);
            writer.push(" END");
        }
    }
}

/// Adds `children` joined, each tree among them in parentheses.
fn write_children<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, junction: Junction, children: &[Condition]) {
    write_junction(writer, junction, children, &mut |writer, child| match child {
        Condition::And(_) | Condition::Or(_) => {
            writer.push("(");
            write_condition::<D>(writer, scope, child);
            writer.push(")");
        }
        Condition::Not(_) | Condition::Test(..) | Condition::Related(_) | Condition::Behind(..) => {
            write_condition::<D>(writer, scope, child);
        }
    });
}

/// Adds `items` joined by `junction`, without parentheses around the whole.
pub(super) fn write_junction<T>(
    writer: &mut Writer,
    junction: Junction,
    items: &[T],
    write: &mut dyn FnMut(&mut Writer, &T),
) {
    if items.is_empty() {
        writer.push(junction.empty());
    } else if items.len() <= CHAIN_MAX {
        writer.separated(junction.separator(), items, |writer, item| write(writer, item));
    } else {
        let (left, right) = items.split_at(items.len() / 2);
        writer.push("(");
        write_junction(writer, junction, left, write);
        writer.push(")").push(junction.separator()).push("(");
        write_junction(writer, junction, right, write);
        writer.push(")");
    }
}

/// Adds one test of one field.
fn write_test<D: Dialect>(writer: &mut Writer, field: Field<'_>, test: &Test) {
    match test {
        Test::Compare(comparison, value) => D::compare(writer, field, *comparison, value),
        Test::Quantified(comparison, quantifier, values) => {
            D::quantified(writer, field, *comparison, *quantifier, values);
        }
        Test::In(values) => D::is_one_of(writer, field, values),
        Test::Is(value) => {
            D::field(writer, field);
            writer.push(match value {
                IsValue::Null => " IS NULL",
                IsValue::NotNull => " IS NOT NULL",
                IsValue::True => " IS TRUE",
                IsValue::False => " IS FALSE",
                IsValue::Unknown => D::IS_UNKNOWN,
            });
        }
        Test::IsDistinctFrom(value) => D::is_distinct(writer, field, value),
        Test::Contain(containment, value) => D::contain(writer, field, *containment, value),
        Test::FullText { operator, language, query } => {
            D::full_text(writer, field, *operator, language.as_deref(), query);
        }
        Test::Search(search) => D::search(writer, field, search),
    }
}
