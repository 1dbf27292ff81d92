//! In which order rows come, and which of them.

use super::child::write_of_related;
use super::dialect::{Dialect, Field, Scope};
use super::writer::Writer;
use crate::plan::{Order, Related};
use crate::request::Range;
use crate::request::order::{Direction, Nulls};

/// Adds ` ORDER BY …`; nothing without terms. Where nulls go is always said: the engines' defaults differ.
///
/// `beside` tells where a related row stands that has been joined to the row.
pub(super) fn write_order<'a, D: Dialect>(
    writer: &mut Writer,
    scope: Scope<'_>,
    order: &[Order],
    beside: impl Fn(&Related) -> Option<Scope<'a>>,
) {
    write_order_by(writer, order, |writer, term| write_sort_key::<D>(writer, scope, term, &beside));
}

/// Adds ` ORDER BY …` of what `write_key` adds for each term.
pub(super) fn write_order_by(writer: &mut Writer, order: &[Order], mut write_key: impl FnMut(&mut Writer, &Order)) {
    if order.is_empty() {
        return;
    }
    writer.push(" ORDER BY ").separated(", ", order, |writer, term| {
        write_key(writer, term);
        write_way(writer, term);
    });
}

/// Adds what a term of an order compares.
pub(super) fn write_sort_key<'a, D: Dialect>(
    writer: &mut Writer,
    scope: Scope<'_>,
    term: &Order,
    beside: impl Fn(&Related) -> Option<Scope<'a>>,
) {
    write_of_term::<D>(writer, scope, term, beside, D::sort_key);
}

/// Adds what `write` adds for the field of a term, wherever that is.
pub(super) fn write_of_term<'a, D: Dialect>(
    writer: &mut Writer,
    scope: Scope<'_>,
    term: &Order,
    beside: impl Fn(&Related) -> Option<Scope<'a>>,
    write: impl Fn(&mut Writer, Field<'_>),
) {
    match term.related.as_deref().map(|related| (related, beside(related))) {
        None => write(writer, Field::of(scope, &term.target)),
        Some((_, Some(scope))) => write(writer, Field::of(scope, &term.target)),
        Some((related, None)) => write_of_related::<D>(writer, scope, related, |writer, scope| {
            write(writer, Field::of(scope, &term.target));
        }),
    }
}

/// Adds which way, and where nulls go.
pub(super) fn write_way(writer: &mut Writer, term: &Order) {
    writer.push(match term.direction {
        Direction::Ascending => " ASC",
        Direction::Descending => " DESC",
    });
    writer.push(match term.nulls {
        Nulls::First => " NULLS FIRST",
        Nulls::Last => " NULLS LAST",
    });
}

/// Adds ` LIMIT … OFFSET …`, bound, so that every page of a list is the same text; nothing for all rows.
pub(super) fn write_range<D: Dialect>(writer: &mut Writer, range: Range) {
    if range == Range::ALL {
        return;
    }
    writer.push(" LIMIT ");
    match range.limit {
        Some(limit) => writer.bind(D::number(limit)),
        None => writer.push(D::NO_LIMIT),
    };
    if range.offset > 0 {
        writer.push(" OFFSET ").bind(D::number(range.offset));
    }
}
