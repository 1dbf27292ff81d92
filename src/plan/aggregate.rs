//! Aggregate functions: `column.sum()` and its like.
//!
//! The types of results are Postgres'. On SQLite functions that Postgres lacks for a type are refused in its words.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/aggregate_functions.html>,
//! <https://www.postgresql.org/docs/current/functions-aggregate.html>.

use super::read::{Aggregated, Operand, Order, Projection, ReadNode, Related, Shape, plan_projection};
use super::scope::Scope;
use super::value::key;
use super::{Engine, Error, Target, capability, cast};
use crate::catalog::{TypeKind, TypeName};
use crate::request::filter::JsonStep;
use crate::request::select::Aggregate;
use crate::request::{Field, SelectItem};

/// An aggregate function as a request calls it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) field: Field,
    pub(super) function: Aggregate,
    /// The type that the values are cast to before.
    pub(super) cast: Option<String>,
    /// The type that the result is cast to.
    pub(super) aggregate_cast: Option<String>,
    pub(super) alias: Option<String>,
}

/// Plans one call.
///
/// # Errors
/// [`Error::AggregatesNotAllowed`] when they are switched off; [`Error::Sqlstate`] on SQLite for a function that the
/// type has not.
pub(super) fn plan_aggregate(scope: &Scope<'_>, call: Call) -> Result<Projection, Error> {
    if !scope.settings.aggregates {
        return Err(Error::AggregatesNotAllowed);
    }
    put_together(scope, call)
}

/// `select=count` and `films(count)`, as clients wrote it before there were aggregate functions: the number of rows,
/// whether or not those are switched on.
///
/// On Postgres the server reads `films.count` as `count(films)`; so it is where the table has no such column and
/// nothing else is selected, which would have to be grouped by.
pub(super) fn counts_rows(scope: &Scope<'_>, select: &[SelectItem]) -> bool {
    let [SelectItem::Field { field, aggregate: None, .. }] = select else { return false };
    let is_free = field.name == "count" && field.path.is_empty() && scope.table.column("count").is_none();
    is_free && scope.engine == Engine::Sqlite
}

/// Plans what [`counts_rows`] finds.
pub(super) fn plan_count(scope: &Scope<'_>, cast: Option<String>, alias: Option<String>) -> Result<Projection, Error> {
    let field = Field { name: "*".to_owned(), path: Vec::new() };
    put_together(scope, Call { field, function: Aggregate::Count, cast: None, aggregate_cast: cast, alias })
}

fn put_together(scope: &Scope<'_>, call: Call) -> Result<Projection, Error> {
    let name = call.alias.unwrap_or_else(|| function_name(call.function).to_owned());
    let counts_rows = call.function == Aggregate::Count && call.field.name == "*";
    let (over, operand) = if counts_rows {
        (rows_projection(name), Operand::Rows)
    } else {
        (plan_projection(scope, call.field, call.cast.as_deref(), Some(name))?, Operand::Values(call.function))
    };
    let type_name = match operand {
        Operand::Rows => of_kind(TypeKind::BigInt),
        Operand::Values(function) => {
            let of = value_type(&over);
            if function == Aggregate::CountDistinct && scope.engine == Engine::Sqlite {
                capability::check_groups(&of)?;
            }
            result_type(function, &of, scope.engine)?
        }
    };
    let cast = call.aggregate_cast.map(|cast| cast::plan_cast(scope.engine, &cast)).transpose()?;
    if let Some(to) = &cast {
        cast::check_cast(scope.engine, &type_name, to)?;
    }
    // Values are put together as they are: of most functions' results there is no sum.
    Ok(Projection { aggregate: Some(Aggregated { operand, type_name, cast }), formatter: None, ..over })
}

/// Stands for the row itself.
fn rows_projection(name: String) -> Projection {
    let type_name = of_kind(TypeKind::BigInt);
    Projection { target: Target::column("", type_name), formatter: None, cast: None, aggregate: None, name }
}

/// Lifted into the row above, a count is of the rows that are there, not of the rows above: of `column`, which is
/// null where there is none.
pub(super) fn count_present(node: &mut ReadNode, column: &str, type_name: &TypeName) {
    for projection in &mut node.select {
        if let Some(aggregate) = projection.aggregate.as_mut().filter(|aggregate| aggregate.operand == Operand::Rows) {
            aggregate.operand = Operand::Values(Aggregate::Count);
            projection.target = Target::column(column, type_name.clone());
        }
    }
}

/// Refuses an order by what is neither grouped by nor put together; on Postgres the server does.
pub(super) fn check_grouped_order(scope: &Scope<'_>, node: &ReadNode) -> Result<(), Error> {
    if scope.engine == Engine::Postgres || !node.has_aggregates() { Ok(()) } else { check_order_of_groups(node) }
}

/// Refuses an order by what is neither grouped by nor put together, where rows are grouped.
pub(super) fn check_order_of_groups(node: &ReadNode) -> Result<(), Error> {
    let is_grouped = |column: &str| node.select.iter().any(|projection| decides(projection, column, &[]));
    let is_related_grouped = |order: &Order, related: &Related| {
        let mut embeds = node.embeds.iter().filter(|embed| &embed.related() == related);
        embeds.any(|embed| match embed.shape {
            Shape::Lifted => {
                embed.node.select.iter().any(|member| decides(member, &order.target.column, &order.target.path))
            }
            Shape::Nothing | Shape::Object | Shape::Array | Shape::Gathered => {
                embed.relationship.source_columns().all(is_grouped)
            }
        })
    };
    let loose = node.order.iter().find(|order| match &order.related {
        None => !node.select.iter().any(|projection| decides(projection, &order.target.column, &order.target.path)),
        Some(related) => !is_related_grouped(order, related),
    });
    loose.map_or(Ok(()), |order| {
        let table = order.related.as_ref().map_or(&node.from, |related| &related.relationship.target);
        let column = format!("{}.{}", table.name, order.target.column);
        let rule = "must appear in the GROUP BY clause or be used in an aggregate function";
        Err(Error::sqlstate("42803", format!("column \"{column}\" {rule}")))
    })
}

/// True when rows that are equal in a projection are equal in a column, or in what a path leads to.
fn decides(projection: &Projection, column: &str, path: &[JsonStep]) -> bool {
    let is_plain = projection.aggregate.is_none() && projection.cast.is_none();
    let target = &projection.target;
    is_plain && target.column == column && (target.path.is_empty() || target.path == path)
}

/// The name of the function, which its result has unless it is given another.
fn function_name(function: Aggregate) -> &'static str {
    match function {
        Aggregate::Avg => "avg",
        Aggregate::Count | Aggregate::CountDistinct => "count",
        Aggregate::Max => "max",
        Aggregate::Min => "min",
        Aggregate::Sum => "sum",
    }
}

/// The type of the values that are put together.
fn value_type(over: &Projection) -> TypeName {
    over.cast.clone().unwrap_or_else(|| over.target.compared_type())
}

fn result_type(function: Aggregate, of: &TypeName, engine: Engine) -> Result<TypeName, Error> {
    let numeric = TypeKind::NUMERIC;
    let result = match (function, &of.kind) {
        (Aggregate::Count | Aggregate::CountDistinct, _) => TypeKind::BigInt,
        (Aggregate::Sum, TypeKind::SmallInt | TypeKind::Integer) => TypeKind::BigInt,
        (Aggregate::Sum, TypeKind::Real) => TypeKind::Real,
        (Aggregate::Avg, TypeKind::Real) | (Aggregate::Avg | Aggregate::Sum, TypeKind::Double) => TypeKind::Double,
        (Aggregate::Sum, TypeKind::BigInt | TypeKind::Numeric { .. } | TypeKind::Any)
        | (
            Aggregate::Avg,
            TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt | TypeKind::Numeric { .. } | TypeKind::Any,
        ) => numeric,
        (Aggregate::Max | Aggregate::Min, kind) if has_extremes(kind) => return Ok(of.clone()),
        (Aggregate::Avg | Aggregate::Sum | Aggregate::Max | Aggregate::Min, _) => {
            return match engine {
                Engine::Postgres => Ok(of.clone()),
                Engine::Sqlite if is_postgres_only(function, &of.kind) => {
                    let (function, name) = (function_name(function), capability::postgres_name(of));
                    Err(Error::not_on_sqlite(format_args!("the function {function}({name})")))
                }
                Engine::Sqlite => Err(no_function(function, of)),
            };
        }
    };
    Ok(of_kind(result))
}

/// True for types whose values are ordered as Postgres does it. Others Postgres has no `max` for.
fn has_extremes(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::SmallInt
        | TypeKind::Integer
        | TypeKind::BigInt
        | TypeKind::Real
        | TypeKind::Double
        | TypeKind::Numeric { .. }
        | TypeKind::Text { .. }
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Enum { .. }
        | TypeKind::Any
        | TypeKind::Other => true,
        TypeKind::Array(_) => key::is_needed(kind),
        TypeKind::TsVector
        | TypeKind::Boolean
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Jsonb
        | TypeKind::Bytea => false,
    }
}

/// True for what Postgres has a function for: sums of lengths of time, and arrays that are not sorted here.
fn is_postgres_only(function: Aggregate, kind: &TypeKind) -> bool {
    match function {
        Aggregate::Avg | Aggregate::Sum => *kind == TypeKind::Interval,
        Aggregate::Max | Aggregate::Min => matches!(kind, TypeKind::Array(element) if **element != TypeKind::Json),
        Aggregate::Count | Aggregate::CountDistinct => false,
    }
}

fn no_function(function: Aggregate, of: &TypeName) -> Error {
    Error::Sqlstate {
        code: "42883",
        message: format!("function {}({}) does not exist", function_name(function), capability::postgres_name(of)),
        details: None,
        hint: Some(
            "No function matches the given name and argument types. You might need to add explicit type casts."
                .to_owned(),
        ),
    }
}

fn of_kind(kind: TypeKind) -> TypeName {
    TypeName { declared: kind.postgres_name(), kind }
}
