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
use super::child::Child;
use super::computed::write_target;
use super::condition::write_where;
use super::dialect::{Dialect, Field, Scope};
use super::order::{write_of_term, write_order, write_order_by, write_range, write_sort_key};
use super::page::write_beyond;
use super::select::{output_type, write_projection};
use super::writer::{Alias, Writer};
use crate::catalog::{TypeKind, TypeName};
use crate::plan::{Condition, Embed, Order, Projection, ReadNode, Related, Shape, Target};
use crate::request::Range;

/// Adds a whole `SELECT` of the top level from `scope`.
pub(super) fn write_rows<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    write_select::<D>(writer, node, scope, &Select::of(node));
}

/// Adds a `SELECT` of the top level that is not just what the node says.
pub(super) fn write_select<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>, select: &Select<'_>) {
    Level::new::<D>(writer, node, scope, Joins::Allowed).write_select::<D>(writer, &Source::Top, select);
}

/// How the rows of a level are given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Select<'a> {
    /// What its columns are called.
    pub(super) naming: Naming,
    /// Rows that are equal in all columns are given once.
    pub(super) grouped: bool,
    /// What must hold besides the node's filter.
    pub(super) beyond: Option<&'a Condition>,
    /// What these terms order by is given as well, in columns behind the others, as a cursor has it.
    pub(super) keys: &'a [Order],
    /// Behind them, what these terms compare.
    pub(super) sort_keys: &'a [Order],
    /// Behind them, the place of a row among those that are equal in the targets, by the order.
    pub(super) first: Option<(&'a [Target], &'a [Order])>,
    /// In which order.
    pub(super) order: &'a [Order],
    /// Which of them.
    pub(super) range: Range,
}

impl<'a> Select<'a> {
    /// As the node says.
    pub(super) fn of(node: &'a ReadNode) -> Self {
        let (order, range) = (&node.order, node.range);
        let naming = Naming::Member;
        Self { naming, grouped: false, beyond: None, keys: &[], sort_keys: &[], first: None, order, range }
    }
}

/// Adds what `RETURNING` gives, where nothing can be joined.
pub(super) fn write_returned<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    let select = Select::of(node);
    Level::new::<D>(writer, node, scope, Joins::None).write_outputs::<D>(writer, &select);
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
            (Shape::Lifted, Joins::Allowed) if D::HAS_LATERAL || embed.relationship.computed().is_none() => {
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
    fn write_outputs<D: Dialect>(&self, writer: &mut Writer, select: &Select<'_>) {
        let outputs = self.outputs();
        let is_grouped = select.grouped || outputs.iter().any(Output::is_aggregated);
        if outputs.is_empty() && select.keys.is_empty() && select.sort_keys.is_empty() && select.first.is_none() {
            writer.push(D::NO_COLUMNS);
        }
        writer.separated(", ", outputs.iter().enumerate(), |writer, (index, output)| {
            output.write::<D>(writer, is_grouped);
            match select.naming {
                Naming::Member => D::result_name(writer, output.name),
                Naming::Number => _ = writer.push(" AS ").column_number(index),
            }
        });
        self.write_more::<D>(writer, select, outputs.len());
    }

    /// Adds the columns behind those of the row, which are `taken`.
    fn write_more<D: Dialect>(&self, writer: &mut Writer, select: &Select<'_>, taken: usize) {
        let mut next = taken;
        let mut separate = |writer: &mut Writer| {
            if next > 0 {
                writer.push(", ");
            }
            next += 1;
            next - 1
        };
        for term in select.keys {
            let index = separate(writer);
            D::key(writer, &mut |writer| {
                write_of_term::<D>(writer, self.scope, term, |related| self.find_joined(related), D::field);
            });
            writer.push(" AS ").column_number(index);
        }
        for term in select.sort_keys {
            let index = separate(writer);
            write_sort_key::<D>(writer, self.scope, term, |related| self.find_joined(related));
            writer.push(" AS ").column_number(index);
        }
        if let Some((targets, order)) = select.first {
            let index = separate(writer);
            writer.push("row_number() OVER (PARTITION BY ");
            writer.separated(", ", targets, |writer, target| {
                write_told_apart::<D>(writer, Field::of(self.scope, target))
            });
            write_order::<D>(writer, self.scope, order, |related| self.find_joined(related));
            writer.push(") AS ").column_number(index);
        }
    }

    /// Adds the `SELECT` with all its parts.
    fn write_select<D: Dialect>(&self, writer: &mut Writer, source: &Source<'_>, select: &Select<'_>) {
        writer.push("SELECT ");
        self.write_outputs::<D>(writer, select);
        match source {
            Source::Top => {
                writer.push(" FROM ");
                self.scope.source::<D>(writer);
                self.write_joins::<D>(writer);
                write_where::<D>(writer, self.scope, &self.node.filter);
                write_beyond::<D>(writer, self.scope, select, !self.node.filter.is_always());
            }
            Source::Child(child) => {
                child.write_from::<D>(writer);
                self.write_joins::<D>(writer);
                child.write_where::<D>(writer, &self.node.filter);
            }
        }
        self.write_groups(writer, select);
        self.write_order::<D>(writer, select);
        write_range::<D>(writer, select.range);
    }

    /// Adds ` ORDER BY`. What a path leads to is named by the number of its column where rows are grouped by it, for the
    /// same reason.
    fn write_order<D: Dialect>(&self, writer: &mut Writer, select: &Select<'_>) {
        let is_grouped = select.grouped || self.outputs().iter().any(Output::is_aggregated);
        write_order_by(writer, select.order, |writer, term| {
            let is_same = |projection: &Projection| {
                let is_plain = projection.aggregate.is_none() && projection.cast.is_none() && term.related.is_none();
                is_plain && projection.target == term.target
            };
            match self.node.select.iter().position(is_same).filter(|_| is_grouped && !term.target.path.is_empty()) {
                Some(index) => _ = writer.position(index + 1),
                None => write_sort_key::<D>(writer, self.scope, term, |related| self.find_joined(related)),
            }
        });
    }

    /// Adds ` GROUP BY` all columns but the aggregates, by their numbers: written again, their placeholders would
    /// have other numbers, and Postgres would not see that they are the same.
    fn write_groups(&self, writer: &mut Writer, select: &Select<'_>) {
        let outputs = self.outputs();
        let (aggregates, groups): (Vec<_>, Vec<_>) =
            outputs.iter().enumerate().partition(|(_, output)| output.is_aggregated());
        if (select.grouped || !aggregates.is_empty()) && !groups.is_empty() {
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

/// Adds a field by which rows are told apart.
pub(super) fn write_told_apart<D: Dialect>(writer: &mut Writer, field: Field<'_>) {
    D::field(writer, field);
    D::told_apart(writer, &field.kind());
}

/// Adds the `SELECT` of the rows of an embed that belong to a row.
fn write_child<D: Dialect>(writer: &mut Writer, embed: &Embed, outer: Scope<'_>, naming: Naming) {
    let child = Child::new(writer, &embed.relationship, outer);
    let level = Level::new::<D>(writer, &embed.node, Scope::Alias(child.alias), Joins::Allowed);
    level.write_select::<D>(writer, &Source::Child(child), &Select { naming, ..Select::of(&embed.node) });
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
            return;
        }
        self.write_value::<D>(writer);
        if let Value::Projection(_, projection) = &self.value
            && is_grouped
            && projection.aggregate.is_none()
        {
            D::told_apart(writer, &output_type(projection).kind);
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
