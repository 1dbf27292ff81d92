//! Reads: which columns of which rows in which order.

use super::scope::Scope;
use super::{Condition, Engine, Error, Expectation, Settings, capability, cast, filter};
use crate::catalog::{QualifiedName, Table, TypeName};
use crate::request::filter::{Comparison, Field, Filter, JsonOperand, JsonStep, Operation};
use crate::request::method::Method;
use crate::request::order::{Direction, Nulls};
use crate::request::prefer::Count;
use crate::request::range::Range;
use crate::request::{MediaType, OrderTerm, Preferences, Request, SelectItem};

/// A read of one table with what is embedded in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The top level.
    pub node: ReadNode,
    /// How the rows without limit and offset are counted; `None`: not at all.
    pub count: Option<Count>,
    /// `MAX_ROWS`, which `Count::Estimated` needs.
    pub max_rows: Option<u64>,
    /// `HEAD`: only the headers are wanted.
    pub headers_only: bool,
    /// All key columns are compared for equality: at most one row, found by the key.
    pub by_key: bool,
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
    /// The column.
    pub column: String,
    /// Its type.
    pub type_name: TypeName,
    /// The way into its JSON.
    pub path: Vec<JsonStep>,
    /// The type it is cast to.
    pub cast: Option<TypeName>,
    /// The member's name.
    pub name: String,
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The column.
    pub column: String,
    /// Its type.
    pub type_name: TypeName,
    /// The way into its JSON.
    pub path: Vec<JsonStep>,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go; Postgres' rule has been applied when the request did not say.
    pub nulls: Nulls,
}

/// Related rows given inside a row, or beside its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// The member's name.
    pub name: String,
    /// What is read there.
    pub node: ReadNode,
}

/// Plans `GET` and `HEAD` of a table.
pub(super) fn plan_read(
    scope: &Scope<'_>,
    request: Request,
    media: &MediaType,
    preferences: &Preferences,
    settings: &Settings,
) -> Result<Read, Error> {
    let filters: Vec<Filter> = request.filters.into_iter().map(|(_, filter)| filter).collect();
    let by_key = request.logic.is_empty() && has_whole_key(scope.table, &filters);
    let trees = request.logic.into_iter().map(|(_, tree)| tree);
    let filter = filter::plan_condition(scope, filters, trees)?;
    let node = ReadNode {
        range: request.range.at_most(settings.max_rows),
        ..plan_node(scope, request.select, request.order.into_iter().flat_map(|(_, terms)| terms), filter)?
    };
    Ok(Read {
        node,
        count: preferences.count,
        max_rows: settings.max_rows,
        headers_only: request.method == Method::Head,
        by_key,
        expect: Expectation { singular: matches!(media, MediaType::ObjectJson { .. }), ..Expectation::default() },
    })
}

/// Plans what is given of the rows that `filter` leaves, all of them.
pub(super) fn plan_node(
    scope: &Scope<'_>,
    select: Vec<SelectItem>,
    order: impl IntoIterator<Item = OrderTerm>,
    filter: Condition,
) -> Result<ReadNode, Error> {
    Ok(ReadNode {
        from: scope.table.name.clone(),
        select: plan_select(scope, select)?,
        filter,
        order: order.into_iter().map(|term| plan_order(scope, term)).collect::<Result<_, _>>()?,
        range: Range::ALL,
        embeds: Vec::new(),
    })
}

/// True when each key column is compared for equality with one value.
fn has_whole_key(table: &Table, filters: &[Filter]) -> bool {
    let is_pinned =
        |column: &String| filters.iter().any(|filter| &filter.field.name == column && is_plain_equality(filter));
    !table.primary_key.is_empty() && table.primary_key.iter().all(is_pinned)
}

/// True for `column=eq.value` and nothing around it.
pub(super) fn is_plain_equality(filter: &Filter) -> bool {
    let equal = matches!(filter.operation, Operation::Compare { operator: Comparison::Equal, quantifier: None, .. });
    equal && !filter.negated && filter.field.path.is_empty()
}

fn plan_select(scope: &Scope<'_>, select: Vec<SelectItem>) -> Result<Vec<Projection>, Error> {
    let mut projections = Vec::with_capacity(select.len());
    for item in select {
        match item {
            SelectItem::Field { field, .. } if field.name == "*" && field.path.is_empty() => {
                projections.extend(scope.table.columns.iter().map(|column| Projection {
                    column: column.name.clone(),
                    type_name: column.type_name.clone(),
                    path: Vec::new(),
                    cast: None,
                    name: column.name.clone(),
                }));
            }
            SelectItem::Field { field, cast, alias, .. } => {
                projections.push(plan_projection(scope, field, cast.as_deref(), alias)?);
            }
            // `embed::check_embeds` has refused these.
            SelectItem::Relation { name, .. } | SelectItem::Spread { name, .. } => {
                return Err(Error::NotImplemented(format!("embedding '{name}' is not supported yet")));
            }
        }
    }
    Ok(projections)
}

fn plan_projection(
    scope: &Scope<'_>,
    field: Field,
    cast: Option<&str>,
    alias: Option<String>,
) -> Result<Projection, Error> {
    let name = alias.unwrap_or_else(|| unaliased_name(&field).to_owned());
    let target = scope.target(field)?;
    Ok(Projection {
        column: target.column,
        type_name: target.type_name,
        path: target.path,
        cast: cast.map(|cast| cast::plan_cast(scope.engine, cast)).transpose()?,
        name,
    })
}

/// A way into JSON is named by the last key on it: `data->1->phone->>0` is `phone`, `data->1` is `data`.
fn unaliased_name(field: &Field) -> &str {
    let keys = field.path.iter().rev().filter_map(|step| match &step.operand {
        JsonOperand::Key(key) => Some(key.as_str()),
        JsonOperand::Index(_) => None,
    });
    keys.into_iter().next().unwrap_or(&field.name)
}

fn plan_order(scope: &Scope<'_>, term: OrderTerm) -> Result<Order, Error> {
    let target = scope.target(term.field)?;
    if scope.engine == Engine::Sqlite {
        capability::check_order(&target.compared_type())?;
    }
    let direction = term.direction.unwrap_or(Direction::Ascending);
    let nulls = term.nulls.unwrap_or(match direction {
        Direction::Ascending => Nulls::Last,
        Direction::Descending => Nulls::First,
    });
    Ok(Order { column: target.column, type_name: target.type_name, path: target.path, direction, nulls })
}
