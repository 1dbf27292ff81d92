//! One level of a read with the related tables in it, and theirs, down to [`DEPTH_MAX`].
//!
//! An embed is known to other parameters by its alias, or else by the name of its relation. What they say of it is
//! handed down level by level; what no level claims names something that was not embedded.

use super::read::{Embed, ReadNode, Related, Shape, plan_order, plan_select};
use super::relation::find_relationship;
use super::scope::{Purpose, Scope};
use super::{Condition, Engine, Error, Target, TargetNames, aggregate, filter};
use crate::request::filter::{EmbedPath, Field, Filter, IsValue, LogicTree, Operation};
use crate::request::range::Range;
use crate::request::select::Join;
use crate::request::{OrderTerm, Request, SelectItem};

/// Deepest nesting of embeds. Each level is a query inside a query: past a handful no client means it, and SQLite
/// refuses expressions deeper than 1,000, of which a level takes a few.
pub const DEPTH_MAX: usize = 16;

/// Most embeds of one request, at all levels together. SQLite joins no more than 64 tables in one query.
///
/// Source: <https://www.sqlite.org/limits.html>.
pub const EMBEDS_MAX: usize = 60;

/// Most queries that the spread ones of a request may be written as on SQLite. It has no query that gives several
/// columns beside a row, so each column of a spread embed has a query of its own, with all that is spread into it.
pub const QUERIES_MAX: u64 = 256;

/// Most tests of related rows that something else may ask for: a filter for their presence, `!inner`, an order. Each
/// time it is asked they are written again, and again for each time that is asked a level above.
pub const RELATED_TESTS_MAX: usize = 100;

/// What a request says of one level and, by path, of those below it.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    filters: Vec<(EmbedPath, Filter)>,
    logic: Vec<(EmbedPath, LogicTree)>,
    order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    ranges: Vec<(EmbedPath, Range)>,
}

impl Wishes {
    /// All that a read says.
    pub(super) fn of_read(request: Request) -> Self {
        Self { filters: request.filters, logic: request.logic, order: request.order, ranges: request.embed_ranges }
    }

    /// What a write says of the rows it gives back: filters of the top level stay, they choose the rows to write, and
    /// limits do not apply.
    pub(super) fn of_write(request: &mut Request) -> Self {
        Self {
            filters: request.filters.extract_if(.., |(path, _)| !path.is_empty()).collect(),
            logic: request.logic.extract_if(.., |(path, _)| !path.is_empty()).collect(),
            order: std::mem::take(&mut request.order),
            ranges: Vec::new(),
        }
    }

    /// Takes out what is said below `name`, as said there.
    fn take_below(&mut self, name: &str) -> Self {
        Self {
            filters: take_below(&mut self.filters, name),
            logic: take_below(&mut self.logic, name),
            order: take_below(&mut self.order, name),
            ranges: take_below(&mut self.ranges, name),
        }
    }

    fn append(&mut self, mut other: Self) {
        self.filters.append(&mut other.filters);
        self.logic.append(&mut other.logic);
        self.order.append(&mut other.order);
        self.ranges.append(&mut other.ranges);
    }

    fn is_empty(&self) -> bool {
        self.filters.is_empty() && self.logic.is_empty() && self.order.is_empty() && self.ranges.is_empty()
    }

    /// The first step of a path that nobody took.
    fn unclaimed(&self) -> Option<&String> {
        let filters = self.filters.iter().map(|(path, _)| path);
        let order = self.order.iter().map(|(path, _)| path);
        let ranges = self.ranges.iter().map(|(path, _)| path);
        let logic = self.logic.iter().map(|(path, _)| path);
        filters.chain(order).chain(ranges).chain(logic).find_map(|path| path.first())
    }
}

fn take_below<T>(items: &mut Vec<(EmbedPath, T)>, name: &str) -> Vec<(EmbedPath, T)> {
    let taken = items.extract_if(.., |(path, _)| path.first().is_some_and(|first| first == name));
    taken.map(|(path, item)| (path.into_iter().skip(1).collect(), item)).collect()
}

/// An embed as the request names it.
#[derive(Debug)]
struct Relation {
    name: String,
    alias: Option<String>,
    hint: Option<String>,
    join: Option<Join>,
    select: Vec<SelectItem>,
    is_spread: bool,
}

impl Relation {
    /// Its alias, or else the name of its relation.
    fn known_name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// Plans the top level of a read and all below it.
///
/// # Errors
/// [`Error::NotImplemented`] past [`DEPTH_MAX`] and the other bounds, and whatever else can be wrong with a read.
pub(super) fn plan_top(scope: &Scope<'_>, select: Vec<SelectItem>, wishes: Wishes) -> Result<ReadNode, Error> {
    check_bounds(&select)?;
    let node = plan_level(scope, select, wishes)?;
    if scope.engine == Engine::Sqlite && Size::of(&node, scope.purpose).queries > QUERIES_MAX {
        return Err(Error::not_on_sqlite("spreading so many columns of resources into each other"));
    }
    Ok(node)
}

/// What a level is on SQLite.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Columns that it gives.
    columns: u64,
    /// Queries that it is written as.
    queries: u64,
}

impl Size {
    /// Calls itself for what is embedded; [`check_bounds`] has looked at the depth.
    fn of(node: &ReadNode, purpose: Purpose) -> Self {
        let own = Self { columns: u64::try_from(node.select.len()).unwrap_or(u64::MAX), queries: 1 };
        node.embeds.iter().fold(own, |sum, embed| {
            let inner = Self::of(&embed.node, purpose);
            let (columns, queries) = match (embed.shape, purpose) {
                (Shape::Nothing, _) => (0, 0),
                (Shape::Object | Shape::Array, _) => (1, inner.queries),
                (Shape::Lifted, Purpose::Read) if embed.relationship.computed().is_none() => {
                    (inner.columns, inner.queries)
                }
                (Shape::Lifted | Shape::Gathered, _) => (inner.columns, inner.columns.saturating_mul(inner.queries)),
            };
            Self { columns: sum.columns.saturating_add(columns), queries: sum.queries.saturating_add(queries) }
        })
    }
}

/// Counts level by level, so that the check itself is not recursive.
fn check_bounds(select: &[SelectItem]) -> Result<(), Error> {
    let mut level: Vec<&SelectItem> = select.iter().collect();
    let mut total = 0;
    for _ in 0..=DEPTH_MAX {
        let below: Vec<&[SelectItem]> = level.into_iter().filter_map(items_below).collect();
        total += below.len();
        if total > EMBEDS_MAX {
            return Err(Error::NotImplemented(format!("more than {EMBEDS_MAX} embedded resources")));
        }
        if below.is_empty() {
            return Ok(());
        }
        level = below.into_iter().flatten().collect();
    }
    Err(Error::NotImplemented(format!("resources embedded more than {DEPTH_MAX} levels deep")))
}

fn items_below(item: &SelectItem) -> Option<&[SelectItem]> {
    match item {
        SelectItem::Field { .. } => None,
        SelectItem::Relation { select, .. } | SelectItem::Spread { select, .. } => Some(select),
    }
}

/// Calls itself for what is embedded; [`check_bounds`] has looked at the depth.
fn plan_level(scope: &Scope<'_>, select: Vec<SelectItem>, wishes: Wishes) -> Result<ReadNode, Error> {
    let (relations, fields) = split(select);
    let mut wishes = wishes;
    let below = hand_down(&relations, &mut wishes, scope.settings.target_names);
    if let Some(name) = wishes.unclaimed() {
        let aliased = relations.iter().find(|relation| &relation.name == name);
        let alias = aliased.and_then(|relation| relation.alias.clone());
        return Err(Error::NotEmbedded { name: name.clone(), alias });
    }
    let mut embeds = Vec::with_capacity(relations.len());
    let mut required = Vec::new();
    for (relation, (wishes, alias_of)) in relations.into_iter().zip(below) {
        let join = relation.join;
        let embed = Embed { alias_of, ..plan_embed(scope, relation, wishes)? };
        if join == Some(Join::Inner) {
            required.push(Condition::Related(Box::new(related(&embed)?)));
        }
        embeds.push(embed);
    }
    let filters = wishes.filters.into_iter().map(|(_, filter)| filter);
    let trees = wishes.logic.into_iter().map(|(_, tree)| tree);
    let terms = wishes.order.into_iter().flat_map(|(_, terms)| terms);
    let range = wishes.ranges.into_iter().next_back().map_or(Range::ALL, |(_, range)| range);
    let node = ReadNode {
        from: scope.table.name.clone(),
        select: plan_select(scope, fields)?,
        filter: filter::plan_condition(scope, &embeds, filters, trees)?.and(required),
        order: terms.map(|term| plan_order(scope, &embeds, term)).collect::<Result<_, _>>()?,
        range,
        embeds,
    };
    aggregate::check_grouped_order(scope, &node)?;
    Ok(node)
}

fn split(select: Vec<SelectItem>) -> (Vec<Relation>, Vec<SelectItem>) {
    let mut relations = Vec::new();
    let mut fields = Vec::new();
    for item in select {
        match item {
            SelectItem::Field { .. } => fields.push(item),
            SelectItem::Relation { name, alias, hint, join, select } => {
                relations.push(Relation { name, alias, hint, join, select, is_spread: false });
            }
            SelectItem::Spread { name, hint, join, select } => {
                relations.push(Relation { name, alias: None, hint, join, select, is_spread: true });
            }
        }
    }
    (relations, fields)
}

/// What is said of each relation, and its name where it is known by that in spite of its alias: as in `PostgREST` unless
/// told otherwise, when nothing else answers to it.
fn hand_down(relations: &[Relation], wishes: &mut Wishes, names: TargetNames) -> Vec<(Wishes, Option<String>)> {
    let mut below: Vec<(Wishes, Option<String>)> =
        relations.iter().map(|relation| (wishes.take_below(relation.known_name()), None)).collect();
    for (relation, (below, alias_of)) in relations.iter().zip(&mut below).filter(|_| names == TargetNames::Legacy) {
        let more = wishes.take_below(&relation.name);
        *alias_of = (!more.is_empty()).then(|| relation.name.clone());
        below.append(more);
    }
    below
}

fn plan_embed(scope: &Scope<'_>, relation: Relation, wishes: Wishes) -> Result<Embed, Error> {
    let relationship = find_relationship(scope, &relation.name, relation.hint.as_deref())?;
    let inner = scope.at(&relationship.target)?;
    let inner = if relationship.computed().is_some() { inner.of_function() } else { inner };
    let mut node = plan_level(&inner, relation.select, wishes)?;
    if scope.purpose == Purpose::Read {
        node.range = node.range.at_most(scope.settings.max_rows);
    }
    let shape = match (relation.is_spread, relationship.is_to_one()) {
        _ if node.gives_nothing() => Shape::Nothing,
        (true, true) => Shape::Lifted,
        (true, false) => Shape::Gathered,
        (false, true) => Shape::Object,
        (false, false) => Shape::Array,
    };
    if shape == Shape::Gathered && node.has_aggregates() {
        let what = "Aggregates are not implemented for one-to-many or many-to-many spreads.";
        return Err(Error::NotImplemented(what.to_owned()));
    }
    if shape == Shape::Lifted
        && let Some(column) = relationship.target_columns().next()
    {
        aggregate::count_present(&mut node, column, &inner.type_of(column)?);
    }
    Ok(Embed { name: relation.alias.unwrap_or(relation.name), alias_of: None, relationship, shape, node })
}

/// The rows of an embed, as other parts of the request ask for them.
fn related(embed: &Embed) -> Result<Related, Error> {
    if embed.node.filter.size() > RELATED_TESTS_MAX {
        let what = format!("more than {RELATED_TESTS_MAX} filters on an embedded resource that others depend on");
        return Err(Error::NotImplemented(what));
    }
    Ok(embed.related())
}

/// The condition that a filter with an embed's name stands for; `None` when it means a column.
///
/// # Errors
/// [`Error::EmbedFilter`] for any test but `is null` when there is no such column.
pub(super) fn plan_presence(scope: &Scope<'_>, embeds: &[Embed], filter: &Filter) -> Result<Option<Condition>, Error> {
    let name = &filter.field.name;
    let found = embeds.iter().find(|embed| &embed.name == name && filter.field.path.is_empty());
    let Some(embed) = found else { return Ok(None) };
    let absent = match filter.operation {
        Operation::Is(IsValue::Null) => !filter.negated,
        Operation::Is(IsValue::NotNull) => filter.negated,
        Operation::Is(_)
        | Operation::Compare { .. }
        | Operation::Contain { .. }
        | Operation::In(_)
        | Operation::IsDistinctFrom(_)
        | Operation::FullText { .. } => {
            return if scope.table.column(name).is_some() { Ok(None) } else { Err(Error::EmbedFilter(name.clone())) };
        }
    };
    let present = Condition::Related(Box::new(related(embed)?));
    Ok(Some(if absent { Condition::Not(Box::new(present)) } else { present }))
}

/// What `order=relation(field)` compares: a member that the embed gives, or a column of its table.
///
/// # Errors
/// [`Error::NotEmbedded`], and [`Error::RelatedOrder`] for an embed of many rows.
pub(super) fn plan_related_order(
    scope: &Scope<'_>,
    embeds: &[Embed],
    name: String,
    field: Field,
) -> Result<(Target, Related), Error> {
    let Some(embed) = embeds.iter().find(|embed| embed.name == name) else {
        return Err(Error::NotEmbedded { name, alias: None });
    };
    if !embed.relationship.is_to_one() {
        return Err(Error::RelatedOrder { table: scope.table.name.name.clone(), embed: name });
    }
    let member = embed.node.select.iter().find(|member| member.name == field.name && member.aggregate.is_none());
    let target = match member.filter(|_| field.path.is_empty()) {
        Some(member) => member.target.clone(),
        None => scope.at(&embed.relationship.target)?.target(field)?,
    };
    Ok((target, related(embed)?))
}
