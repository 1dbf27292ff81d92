//! A query in the place of a value: of several rows Postgres refuses it, and SQLite would take the first.

use sqlparser::ast::{BinaryOperator, Expr, GroupByExpr, LimitClause, Query, Select, SelectItem, SetExpr, TableFactor};

use super::function::{arguments, name_of};
use super::literal::Literal;
use super::scope::{Found, Scope};
use super::{Refusal, name};

/// Functions that make one value of many rows.
const AGGREGATES: [&str; 14] = [
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "string_agg",
    "sum",
];

impl Scope<'_> {
    /// Writes a query in the place of a value.
    pub(super) fn value_of(&self, query: &Query) -> Result<String, Refusal> {
        let written = self.query(query)?;
        if !self.functions.get().are_extended() || self.is_definition() || self.gives_one_row(query)? {
            return Ok(format!("({written})"));
        }
        let rows = name::quote(&self.fresh_name("rows"));
        Ok(format!("(WITH {rows}(value) AS ({written}) SELECT berth_only(value) FROM {rows})"))
    }

    /// True for a query that cannot give several rows.
    fn gives_one_row(&self, query: &Query) -> Result<bool, Refusal> {
        if query.fetch.is_some() || query.limit_clause.as_ref().is_some_and(is_one) {
            return Ok(true);
        }
        match query.body.as_ref() {
            SetExpr::Query(inner) => self.gives_one_row(inner),
            SetExpr::Values(values) => Ok(values.rows.len() <= 1),
            SetExpr::Select(select) => {
                let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
                let gathers = select.projection.iter().any(|item| match item {
                    SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
                        gathers(expression)
                    }
                    _ => false,
                });
                let is_alone = select.from.is_empty();
                // A query of its own WITH may have a table's name.
                let finds_by_key = || Ok(query.with.is_none() && self.scope_of(&query.body)?.finds_by_key(select));
                if is_alone || (gathers && !is_grouped) { Ok(true) } else { finds_by_key() }
            }
            _ => Ok(false),
        }
    }

    /// True for a `SELECT` from one table that says what a key of it equals, in the scope of what it reads from.
    fn finds_by_key(&self, select: &Select) -> bool {
        let ([from], Some(condition)) = (select.from.as_slice(), &select.selection) else { return false };
        let TableFactor::Table { name: table, args: None, .. } = &from.relation else { return false };
        let Ok(local) = name::local(table) else { return false };
        if !from.joins.is_empty() || self.defined(&local).is_some() {
            return false;
        }
        let Some(model) = self.schema.tables.get(&local) else { return false };
        let mut told = Vec::new();
        self.columns_told(condition, &mut told);
        let mut keys = model.primary_key.iter().chain(&model.unique);
        keys.any(|key| key.columns.iter().all(|column| told.contains(column)))
    }

    /// Adds the columns of the innermost query that equal something outside of it.
    fn columns_told(&self, condition: &Expr, told: &mut Vec<String>) {
        match condition {
            Expr::Nested(inner) => self.columns_told(inner, told),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.columns_told(left, told);
                self.columns_told(right, told);
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                for (column, other) in [(left, right), (right, left)] {
                    if let (Some(column), true) = (self.own_column(column), self.is_outside(other)) {
                        told.push(column);
                    }
                }
            }
            _ => {}
        }
    }

    /// The column of what the innermost query reads from that an expression is.
    fn own_column(&self, expression: &Expr) -> Option<String> {
        if let Expr::Nested(inner) = expression {
            return self.own_column(inner);
        }
        let Some(Found::Column(source, column)) = self.find(&name::of_column(expression)?) else { return None };
        let is_own = self.sources().iter().any(|own| own.known_as == source.known_as);
        is_own.then(|| column.name.clone())
    }

    /// True for what is the same for every row of the innermost query.
    fn is_outside(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => self.is_outside(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.own_column(expression).is_none(),
            Expr::BinaryOp { left, right, .. } => self.is_outside(left) && self.is_outside(right),
            Expr::CompoundFieldAccess { root, .. } => self.is_outside(root),
            Expr::Function(call) => arguments(call).is_ok_and(|all| all.iter().all(|one| self.is_outside(one))),
            Expr::Value(_) => true,
            _ => false,
        }
    }
}

fn is_one(limit: &LimitClause) -> bool {
    let LimitClause::LimitOffset { limit: Some(limit), .. } = limit else { return false };
    matches!(Literal::read(limit), Some(Literal::Number(number)) if matches!(number.as_str(), "0" | "1"))
}

/// True for an expression in which an aggregate is called.
fn gathers(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => gathers(inner),
        Expr::BinaryOp { left, right, .. } => gathers(left) || gathers(right),
        Expr::Function(call) => {
            let is_aggregate = name_of(call).is_ok_and(|name| AGGREGATES.contains(&name.as_str()));
            let inside = || arguments(call).is_ok_and(|all| all.into_iter().any(gathers));
            call.over.is_none() && (is_aggregate || inside())
        }
        _ => false,
    }
}
