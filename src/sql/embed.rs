//! One level of a read with what is embedded in it.
//!
//! | shape | where | how |
//! |---|---|---|
//! | object, array | among the columns | a query inside the query, tied to the row by the relationship's columns |
//! | lifted | `LEFT JOIN` | the one related row stands beside the row, so that its columns can be put together |
//! | gathered | Postgres: `LEFT JOIN LATERAL`; SQLite, which has none: among the columns | one array for each member |
//! | `!inner`, `relation=is.null`, counts | `WHERE` | `EXISTS` |
//!
//! Queries among the columns are run for the rows of the page only, after sorting and limiting. Planning has bounded
//! how deep and how many they are.

use super::OutputColumn;
use super::computed::write_target;
use super::condition::{write_condition, write_where};
use super::dialect::{Dialect, Scope};
use super::order::{write_order, write_range};
use super::select::{output_type, write_projection};
use super::writer::{Alias, Writer};
use crate::catalog::{Junction, Link, QualifiedName, Relationship, TypeKind, TypeName};
use crate::plan::{Condition, Embed, Projection, ReadNode, Related, Shape};

/// Adds a whole `SELECT` of the top level from `scope`.
pub(super) fn write_rows<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    let level = Level::new::<D>(writer, node, scope, Joins::Allowed);
    level.write_select::<D>(writer, &Source::Top, Naming::Member);
}

/// Adds what `RETURNING` gives, where nothing can be joined.
pub(super) fn write_returned<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    Level::new::<D>(writer, node, scope, Joins::None).write_outputs::<D>(writer, Naming::Member);
}

/// Name and type of each column that [`write_rows`] and [`write_returned`] give.
pub(super) fn output_columns(node: &ReadNode) -> Vec<OutputColumn> {
    members(node).into_iter().map(|(name, type_name)| OutputColumn { name: name.to_owned(), type_name }).collect()
}

/// Names and types of what a level gives of each row: its own columns, then those of its embeds.
pub(super) fn members(node: &ReadNode) -> Vec<(&str, TypeName)> {
    let own = node.select.iter().map(|projection| (projection.name.as_str(), output_type(projection)));
    own.chain(node.embeds.iter().flat_map(embed_members)).collect()
}

fn embed_members(embed: &Embed) -> Vec<(&str, TypeName)> {
    match embed.shape {
        Shape::Nothing => Vec::new(),
        Shape::Object | Shape::Array => vec![(embed.name.as_str(), json_type())],
        Shape::Lifted => members(&embed.node),
        Shape::Gathered => members(&embed.node).into_iter().map(|(name, _)| (name, json_type())).collect(),
    }
}

fn json_type() -> TypeName {
    TypeName { declared: "json".to_owned(), kind: TypeKind::Json }
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

/// Whether tables can be joined to that of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joins {
    Allowed,
    None,
}

/// What the columns of a query are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// As the members of the answer, where the engine writes it.
    Member,
    /// `c0`, `c1`, …, for the query around it.
    Number,
}

/// Where the rows of a level come from.
enum Source<'a> {
    /// The table itself, or a part of the statement.
    Top,
    /// Rows that belong to a row of the level above.
    Child(Child<'a>),
}

/// Rows that belong to a row.
struct Child<'a> {
    relationship: &'a Relationship,
    /// Where the row is.
    outer: Scope<'a>,
    /// What their table is called.
    alias: Alias,
    /// The table between, if there is one, and what it is called.
    junction: Option<(&'a Junction, Alias)>,
}

impl<'a> Child<'a> {
    fn new(writer: &mut Writer, relationship: &'a Relationship, outer: Scope<'a>) -> Self {
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
    fn write_from<D: Dialect>(&self, writer: &mut Writer) {
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
    fn write_where<D: Dialect>(&self, writer: &mut Writer, filter: &Condition) {
        writer.push(" WHERE ");
        self.write_condition::<D>(writer, filter);
    }

    fn write_condition<D: Dialect>(&self, writer: &mut Writer, filter: &Condition) {
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

/// One level with the names its tables have in the statement.
struct Level<'a> {
    node: &'a ReadNode,
    scope: Scope<'a>,
    /// For each embed where its rows are found.
    places: Vec<Place<'a>>,
}

/// Where the rows of an embed are found.
enum Place<'a> {
    /// Beside the row.
    Joined(Level<'a>, Alias),
    /// In one row of arrays beside the row.
    Lateral(Alias),
    /// In a query of their own among the columns.
    Apart,
}

/// One column of a level's query.
struct Output<'a> {
    name: &'a str,
    value: Value<'a>,
}

/// What a column holds.
enum Value<'a> {
    /// A column, or what is made of one.
    Projection(Scope<'a>, &'a Projection),
    /// The related rows as one JSON value.
    Embedded(Scope<'a>, &'a Embed),
    /// One array of those beside the row.
    Lateral(Alias, usize),
    /// One member of an embed, by a query of its own.
    Member(Scope<'a>, &'a Embed, usize),
}

impl<'a> Level<'a> {
    /// Names the tables that are joined, which come before the text that they are joined in.
    fn new<D: Dialect>(writer: &mut Writer, node: &'a ReadNode, scope: Scope<'a>, joins: Joins) -> Self {
        let place = |embed: &'a Embed| match (embed.shape, joins) {
            (Shape::Lifted, Joins::Allowed) => {
                let alias = writer.alias();
                Place::Joined(Self::new::<D>(writer, &embed.node, Scope::Alias(alias), joins), alias)
            }
            (Shape::Gathered, Joins::Allowed) if D::HAS_LATERAL => Place::Lateral(writer.alias()),
            (Shape::Lifted | Shape::Gathered | Shape::Nothing | Shape::Object | Shape::Array, _) => Place::Apart,
        };
        Self { node, scope, places: node.embeds.iter().map(place).collect() }
    }

    /// The columns, in the order of [`members`].
    fn outputs(&self) -> Vec<Output<'a>> {
        let own = self
            .node
            .select
            .iter()
            .map(|projection| Output { name: &projection.name, value: Value::Projection(self.scope, projection) });
        let mut outputs: Vec<Output<'a>> = own.collect();
        for (embed, place) in self.node.embeds.iter().zip(&self.places) {
            match (place, embed.shape) {
                (_, Shape::Nothing) => {}
                (Place::Joined(level, _), _) => outputs.extend(level.outputs()),
                (_, Shape::Object | Shape::Array) => {
                    outputs.push(Output { name: &embed.name, value: Value::Embedded(self.scope, embed) });
                }
                (Place::Lateral(alias), Shape::Lifted | Shape::Gathered) => {
                    let value = |index| Value::Lateral(*alias, index);
                    let members = members(&embed.node).into_iter().enumerate();
                    outputs.extend(members.map(|(index, (name, _))| Output { name, value: value(index) }));
                }
                (Place::Apart, Shape::Lifted | Shape::Gathered) => {
                    let value = |index| Value::Member(self.scope, embed, index);
                    let members = members(&embed.node).into_iter().enumerate();
                    outputs.extend(members.map(|(index, (name, _))| Output { name, value: value(index) }));
                }
            }
        }
        outputs
    }

    /// Adds the columns with commas between them.
    fn write_outputs<D: Dialect>(&self, writer: &mut Writer, naming: Naming) {
        let outputs = self.outputs();
        let is_grouped = outputs.iter().any(Output::is_aggregated);
        if outputs.is_empty() {
            writer.push(D::NO_COLUMNS);
        }
        writer.separated(", ", outputs.iter().enumerate(), |writer, (index, output)| {
            output.write::<D>(writer, is_grouped);
            match naming {
                Naming::Member => D::result_name(writer, output.name),
                Naming::Number => _ = writer.push(" AS ").column_number(index),
            }
        });
    }

    /// Adds the `SELECT` with all its parts.
    fn write_select<D: Dialect>(&self, writer: &mut Writer, source: &Source<'_>, naming: Naming) {
        writer.push("SELECT ");
        self.write_outputs::<D>(writer, naming);
        match source {
            Source::Top => {
                writer.push(" FROM ");
                self.scope.source::<D>(writer);
                self.write_joins::<D>(writer);
                write_where::<D>(writer, self.scope, &self.node.filter);
            }
            Source::Child(child) => {
                child.write_from::<D>(writer);
                self.write_joins::<D>(writer);
                child.write_where::<D>(writer, &self.node.filter);
            }
        }
        self.write_groups(writer);
        write_order::<D>(writer, self.scope, &self.node.order, |related| self.find_joined(related));
        write_range::<D>(writer, self.node.range);
    }

    /// Adds ` GROUP BY` all columns but the aggregates, by their numbers: written again, their placeholders would
    /// have other numbers, and Postgres would not see that they are the same.
    fn write_groups(&self, writer: &mut Writer) {
        let outputs = self.outputs();
        let (aggregates, groups): (Vec<_>, Vec<_>) =
            outputs.iter().enumerate().partition(|(_, output)| output.is_aggregated());
        if !aggregates.is_empty() && !groups.is_empty() {
            writer.push(" GROUP BY ");
            writer.separated(", ", groups, |writer, (index, _)| _ = writer.position(index + 1));
        }
    }

    /// Where the related row stands, if it was joined. Grouped rows have no other way to it.
    fn find_joined(&self, related: &Related) -> Option<Scope<'static>> {
        let mut places = self.node.embeds.iter().zip(&self.places);
        places.find_map(|(embed, place)| match place {
            Place::Joined(_, alias) if &embed.related() == related => Some(Scope::Alias(*alias)),
            Place::Joined(..) | Place::Lateral(_) | Place::Apart => None,
        })
    }

    /// Adds what stands beside the rows, and beside that.
    fn write_joins<D: Dialect>(&self, writer: &mut Writer) {
        for (embed, place) in self.node.embeds.iter().zip(&self.places) {
            match place {
                Place::Apart => {}
                Place::Joined(level, alias) => {
                    writer.push(" LEFT JOIN ");
                    write_target::<D>(writer, &embed.relationship, self.scope, *alias);
                    writer.push(" ON ");
                    let relationship = &embed.relationship;
                    let child = Child { relationship, outer: self.scope, alias: *alias, junction: None };
                    child.write_condition::<D>(writer, &embed.node.filter);
                    if embed.may_leave_none() {
                        writer.push(" AND FALSE");
                    }
                    level.write_joins::<D>(writer);
                }
                Place::Lateral(alias) => {
                    let types: Vec<TypeName> = members(&embed.node).into_iter().map(|(_, it)| it).collect();
                    writer.push(" LEFT JOIN LATERAL (");
                    let outer = self.scope;
                    D::gather(writer, &types, &mut |writer| write_child::<D>(writer, embed, outer, Naming::Number));
                    writer.push(") AS ").alias_name(*alias).push(" ON TRUE");
                }
            }
        }
    }
}

/// Adds the `SELECT` of the rows of an embed that belong to a row.
fn write_child<D: Dialect>(writer: &mut Writer, embed: &Embed, outer: Scope<'_>, naming: Naming) {
    let child = Child::new(writer, &embed.relationship, outer);
    let level = Level::new::<D>(writer, &embed.node, Scope::Alias(child.alias), Joins::Allowed);
    level.write_select::<D>(writer, &Source::Child(child), naming);
}

impl Output<'_> {
    fn is_aggregated(&self) -> bool {
        matches!(self.value, Value::Projection(_, projection) if projection.aggregate.is_some())
    }

    /// Adds the value. Rows are grouped by JSON in a form that equal values share.
    fn write<D: Dialect>(&self, writer: &mut Writer, is_grouped: bool) {
        let is_json = match &self.value {
            Value::Projection(..) => false,
            Value::Embedded(..) | Value::Lateral(..) => true,
            Value::Member(_, embed, _) => embed.shape == Shape::Gathered,
        };
        if is_grouped && is_json {
            D::comparable_json(writer, &mut |writer| self.write_value::<D>(writer));
        } else {
            self.write_value::<D>(writer);
        }
    }

    fn write_value<D: Dialect>(&self, writer: &mut Writer) {
        match &self.value {
            Value::Projection(scope, projection) => write_projection::<D>(writer, *scope, projection),
            Value::Lateral(alias, index) => _ = writer.alias_name(*alias).push(".").column_number(*index),
            Value::Embedded(scope, embed) => {
                let members = members(&embed.node);
                let query = &mut |writer: &mut Writer| write_child::<D>(writer, embed, *scope, D::ROW_NAMING);
                if embed.shape == Shape::Object {
                    D::object(writer, &members, query);
                } else {
                    D::array(writer, &members, query);
                }
            }
            Value::Member(scope, embed, index) => {
                let types: Vec<TypeName> = members(&embed.node).into_iter().map(|(_, it)| it).collect();
                let query = &mut |writer: &mut Writer| write_child::<D>(writer, embed, *scope, Naming::Number);
                if embed.shape == Shape::Gathered {
                    D::gather_one(writer, &types, *index, query);
                } else {
                    let alias = writer.alias();
                    writer.push("(SELECT ").alias_name(alias).push(".").column_number(*index).push(" FROM (");
                    query(writer);
                    writer.push(") AS ").alias_name(alias).push(")");
                }
            }
        }
    }
}
