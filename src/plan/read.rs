//! Reads: which columns of which rows in which order.

use super::distinct::{Distinct, plan_distinct};
use super::embed::{self, Wishes};
use super::keyset::{Keyset, plan_keyset};
use super::scope::Scope;
use super::{Condition, Engine, Error, Expectation, Streaming, Target, aggregate, capability, cast};
use crate::catalog::{Kind, QualifiedName, Relationship, Table, TypeName};
use crate::request::filter::{Comparison, EmbedPath, Field, Filter, JsonOperand, Operation};
use crate::request::method::Method;
use crate::request::order::{Direction, Nulls};
use crate::request::prefer::Count;
use crate::request::range::Range;
use crate::request::select::Aggregate;
use crate::request::{MediaType, OrderTerm, Preferences, Request, SelectItem};

/// A read of one table with what is embedded in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The top level.
    pub node: ReadNode,
    /// Which of its rows are given once.
    pub distinct: Distinct,
    /// Which page of them, by their keys.
    pub keyset: Option<Box<Keyset>>,
    /// How the rows without limit and offset are counted; `None`: not at all.
    pub count: Option<Count>,
    /// `MAX_ROWS`, which `Count::Estimated` needs.
    pub max_rows: Option<u64>,
    /// `HEAD`: only the headers are wanted.
    pub headers_only: bool,
    /// All key columns are compared for equality: at most one row, found by the key.
    pub by_key: bool,
    /// The rows are given while they are read: their number is not known before.
    pub streamed: bool,
    /// What must hold of the rows.
    pub expect: Expectation,
}

/// One level of a read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadNode {
    /// The table or view.
    pub from: QualifiedName,
    /// What is given of each row; never `*`: planning has expanded it. Empty gives empty objects.
    pub select: Vec<Projection>,
    /// Which rows.
    pub filter: Condition,
    /// In which order.
    pub order: Vec<Order>,
    /// Which of them, `MAX_ROWS` applied.
    pub range: Range,
    /// Related rows given with each row.
    pub embeds: Vec<Embed>,
}

/// One member of a row's object.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Whose value it is.
    pub target: Target,
    /// The function that makes what is given of a value (Postgres).
    pub formatter: Option<QualifiedName>,
    /// The type it is cast to.
    pub cast: Option<TypeName>,
    /// What is made of the values of all rows; rows that are equal in the projections without one make a group.
    pub aggregate: Option<Aggregated>,
    /// The member's name.
    pub name: String,
}

/// What is made of the values of many rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregated {
    /// What is put together.
    pub operand: Operand,
    /// The type of the result.
    pub type_name: TypeName,
    /// The type the result is cast to.
    pub cast: Option<TypeName>,
}

/// What an aggregate function is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// Rows, to be counted; the projection's column is not used.
    Rows,
    /// The projection's values.
    Values(Aggregate),
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What is compared.
    pub target: Target,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go; Postgres' rule has been applied when the request did not say.
    pub nulls: Nulls,
    /// The one row of another table that has the column; `None`: the row that is ordered.
    pub related: Option<Box<Related>>,
}

/// Related rows given inside a row, or beside its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// The name it has in the request, which is the member's name for [`Shape::Object`] and [`Shape::Array`].
    pub name: String,
    /// The name of its relation, where something in the request names it so in spite of its alias.
    pub alias_of: Option<String>,
    /// Which rows of the other table belong to a row.
    pub relationship: Relationship,
    /// How they are given.
    pub shape: Shape,
    /// What is read there.
    pub node: ReadNode,
}

/// How related rows are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Not at all: they only decide which rows are given.
    Nothing,
    /// The one row as an object, or null.
    Object,
    /// The rows as an array of objects.
    Array,
    /// The one row's members beside those of the row above, null without one.
    Lifted,
    /// For each member an array of its values, beside the members of the row above.
    Gathered,
}

/// Rows of another table that belong to a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// Which.
    pub relationship: Relationship,
    /// What must hold of them.
    pub filter: Condition,
    /// Which of them. All, unless a limit or offset may leave none.
    pub range: Range,
}

impl ReadNode {
    /// True for `relation()` and for what holds nothing but such.
    #[must_use]
    pub fn gives_nothing(&self) -> bool {
        self.select.is_empty() && self.embeds.iter().all(|embed| embed.node.gives_nothing())
    }

    /// True when rows are put together: by its own projections or by those lifted into it.
    #[must_use]
    pub fn has_aggregates(&self) -> bool {
        self.select.iter().any(|projection| projection.aggregate.is_some())
            || self.embeds.iter().any(|embed| embed.shape == Shape::Lifted && embed.node.has_aggregates())
    }
}

impl Embed {
    /// The rows without what is given of them.
    #[must_use]
    pub fn related(&self) -> Related {
        Related {
            relationship: self.relationship.clone(),
            filter: self.node.filter.clone(),
            range: if self.may_leave_none() { self.node.range } else { Range::ALL },
        }
    }

    /// True when limit and offset leave nothing of a single row.
    #[must_use]
    pub fn may_leave_none(&self) -> bool {
        self.node.range.offset > 0 || self.node.range.limit == Some(0)
    }
}

/// Plans `GET` and `HEAD` of a table.
pub(super) fn plan_read(
    scope: &Scope<'_>,
    request: Request,
    media: &MediaType,
    preferences: &Preferences,
) -> Result<Read, Error> {
    let mut request = request;
    let (streamed, most) = match scope.settings.streaming {
        // The links of a page by keys come before its rows, so all of those are read first.
        Streaming::Rows { at_most } if *media == MediaType::NdJson && request.seek.is_none() => (true, at_most),
        Streaming::Rows { .. } | Streaming::No => (false, scope.settings.max_rows),
    };
    let select = std::mem::take(&mut request.select);
    // Of a view a key may be shown many times, and be slow to find.
    let is_single =
        scope.table.kind == Kind::Table && request.logic.is_empty() && has_whole_key(scope.table, &request.filters);
    let range = request.range.at_most(most);
    let headers_only = request.method == Method::Head;
    let (distinct, seek) = (request.distinct.take(), request.seek.take());
    let mut node = ReadNode { range, ..embed::plan_top(scope, select, Wishes::of_read(request))? };
    let distinct = plan_distinct(scope, distinct, &node)?;
    let keyset = seek.map(|seek| plan_keyset(scope, seek, &mut node, &distinct).map(Box::new)).transpose()?;
    let by_key = is_single && node.embeds.is_empty() && keyset.is_none();
    Ok(Read {
        by_key,
        streamed: streamed && !by_key,
        distinct,
        keyset,
        node,
        count: preferences.count,
        max_rows: scope.settings.max_rows,
        headers_only,
        expect: Expectation { singular: matches!(media, MediaType::ObjectJson { .. }), ..Expectation::default() },
    })
}

/// True when each key column is compared for equality with one value.
fn has_whole_key(table: &Table, filters: &[(EmbedPath, Filter)]) -> bool {
    let is_pinned = |column: &String| {
        filters
            .iter()
            .any(|(path, filter)| path.is_empty() && &filter.field.name == column && is_plain_equality(filter))
    };
    !table.primary_key.is_empty() && table.primary_key.iter().all(is_pinned)
}

/// True for `column=eq.value` and nothing around it.
pub(super) fn is_plain_equality(filter: &Filter) -> bool {
    let equal = matches!(filter.operation, Operation::Compare { operator: Comparison::Equal, quantifier: None, .. });
    equal && !filter.negated && filter.field.path.is_empty()
}

/// Plans what is given of a row's own columns; relations among the items are left out.
pub(super) fn plan_select(scope: &Scope<'_>, select: Vec<SelectItem>) -> Result<Vec<Projection>, Error> {
    let counts_rows = aggregate::counts_rows(scope, &select);
    let mut projections = Vec::with_capacity(select.len());
    for item in select {
        match item {
            SelectItem::Field { cast, alias, .. } if counts_rows => {
                projections.push(aggregate::plan_count(scope, cast, alias)?);
            }
            SelectItem::Field { field, aggregate: Some(function), aggregate_cast, cast, alias } => {
                let call = aggregate::Call { field, function, cast, aggregate_cast, alias };
                projections.push(aggregate::plan_aggregate(scope, call)?);
            }
            SelectItem::Field { field, .. } if field.name == "*" && field.path.is_empty() => {
                projections.extend(scope.all_columns().map(|column| {
                    let target = Target::column(&column.name, column.type_name.clone());
                    let formatter = scope.formatter(&target);
                    Projection { target, formatter, cast: None, aggregate: None, name: column.name.clone() }
                }));
            }
            SelectItem::Field { field, cast, alias, .. } => {
                projections.push(plan_projection(scope, field, cast.as_deref(), alias)?);
            }
            SelectItem::Relation { .. } | SelectItem::Spread { .. } => {}
        }
    }
    Ok(projections)
}

pub(super) fn plan_projection(
    scope: &Scope<'_>,
    field: Field,
    cast: Option<&str>,
    alias: Option<String>,
) -> Result<Projection, Error> {
    let name = alias.unwrap_or_else(|| unaliased_name(&field).to_owned());
    let target = scope.target(field)?;
    let cast = cast.map(|cast| cast::plan_cast(scope.engine, cast)).transpose()?;
    if let Some(to) = &cast {
        cast::check_cast(scope.engine, &target.compared_type(), to)?;
    }
    Ok(Projection { formatter: scope.formatter(&target), target, cast, aggregate: None, name })
}

/// A way into JSON is named by the last key on it: `data->1->phone->>0` is `phone`, `data->1` is `data`.
fn unaliased_name(field: &Field) -> &str {
    let keys = field.path.iter().rev().filter_map(|step| match &step.operand {
        JsonOperand::Key(key) => Some(key.as_str()),
        JsonOperand::Index(_) => None,
    });
    keys.into_iter().next().unwrap_or(&field.name)
}

/// Plans one term of an order. Names are those of the table, or of a to-one embed when the term says so.
pub(super) fn plan_order(scope: &Scope<'_>, embeds: &[Embed], term: OrderTerm) -> Result<Order, Error> {
    let direction = term.direction.unwrap_or(Direction::Ascending);
    let nulls = term.nulls.unwrap_or(match direction {
        Direction::Ascending => Nulls::Last,
        Direction::Descending => Nulls::First,
    });
    let (target, related) = match term.relation {
        None => (scope.target(term.field)?, None),
        Some(name) => {
            let (target, related) = embed::plan_related_order(scope, embeds, name, term.field)?;
            (target, Some(Box::new(related)))
        }
    };
    if scope.engine == Engine::Sqlite {
        capability::check_order(&target.compared_type())?;
    }
    Ok(Order { target, direction, nulls, related })
}
