//! The rows of another table that belong to a row.

use super::computed::write_target;
use super::condition::write_condition;
use super::dialect::{Dialect, Scope};
use super::order::write_range;
use super::writer::{Alias, Writer};
use crate::catalog::{Junction, Link, QualifiedName, Relationship};
use crate::plan::{Condition, Related};

/// Rows that belong to a row.
pub(super) struct Child<'a> {
    pub(super) relationship: &'a Relationship,
    /// Where the row is.
    pub(super) outer: Scope<'a>,
    /// What their table is called.
    pub(super) alias: Alias,
    /// The table between, if there is one, and what it is called.
    pub(super) junction: Option<(&'a Junction, Alias)>,
}

impl<'a> Child<'a> {
    pub(super) fn new(writer: &mut Writer, relationship: &'a Relationship, outer: Scope<'a>) -> Self {
        let alias = writer.alias();
        let junction = relationship.junction().map(|junction| (junction, writer.alias()));
        Self { relationship, outer, alias, junction }
    }

    /// Adds ` FROM … WHERE …` and the range.
    fn write_related<D: Dialect>(&self, writer: &mut Writer, related: &Related) {
        self.write_from::<D>(writer);
        self.write_where::<D>(writer, &related.filter);
        write_range::<D>(writer, related.range);
    }

    /// Adds ` FROM target`, with the junction joined to it.
    pub(super) fn write_from<D: Dialect>(&self, writer: &mut Writer) {
        writer.push(" FROM ");
        write_target::<D>(writer, self.relationship, self.outer, self.alias);
        if let Some((junction, alias)) = self.junction {
            writer.push(" JOIN ");
            write_table::<D>(writer, &junction.table, alias);
            writer.push(" ON ");
            write_link::<D>(writer, &junction.target, Scope::Alias(self.alias), Scope::Alias(alias));
        }
    }

    /// Adds ` WHERE`: which rows belong to the row, and what else must hold of them.
    pub(super) fn write_where<D: Dialect>(&self, writer: &mut Writer, filter: &Condition) {
        writer.push(" WHERE ");
        self.write_condition::<D>(writer, filter);
    }

    pub(super) fn write_condition<D: Dialect>(&self, writer: &mut Writer, filter: &Condition) {
        let inner = Scope::Alias(self.alias);
        match (self.relationship.link(), self.junction) {
            (Some(link), _) => write_link::<D>(writer, link, self.outer, inner),
            (None, Some((junction, alias))) => {
                write_link::<D>(writer, &junction.source, self.outer, Scope::Alias(alias));
            }
            (None, None) => _ = writer.push("TRUE"),
        }
        if !filter.is_always() {
            writer.push(" AND (");
            write_condition::<D>(writer, inner, filter);
            writer.push(")");
        }
    }
}

pub(super) fn write_table<D: Dialect>(writer: &mut Writer, table: &QualifiedName, alias: Alias) {
    D::table(writer, table);
    writer.push(" AS ").alias_name(alias);
}

/// Adds `there.column = here.column` for each pair.
fn write_link<D: Dialect>(writer: &mut Writer, link: &Link, here: Scope<'_>, there: Scope<'_>) {
    writer.separated(" AND ", &link.columns, |writer, (near, far)| {
        there.column::<D>(writer, far);
        writer.push(" = ");
        here.column::<D>(writer, near);
    });
}

/// Adds `EXISTS (…)`: whether a row has a related one.
pub(super) fn write_exists<D: Dialect>(writer: &mut Writer, outer: Scope<'_>, related: &Related) {
    writer.push("EXISTS (SELECT 1");
    let child = Child::new(writer, &related.relationship, outer);
    child.write_related::<D>(writer, related);
    writer.push(")");
}

/// Adds the value of `write` in the one related row, null without one.
pub(super) fn write_of_related<D: Dialect>(
    writer: &mut Writer,
    outer: Scope<'_>,
    related: &Related,
    write: impl FnOnce(&mut Writer, Scope<'static>),
) {
    let child = Child::new(writer, &related.relationship, outer);
    writer.push("(SELECT ");
    write(writer, Scope::Alias(child.alias));
    child.write_related::<D>(writer, related);
    writer.push(")");
}
