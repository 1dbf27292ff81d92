//! Comparisons, lists and patterns: PostgreSQL's → SQLite's.

use sqlparser::ast::{Array, Expr, InTarget, Query};

use super::decimal::collated;
use super::literal::Literal;
use super::query::Target;
use super::scope::Scope;
use super::{Refusal, name, refuse};
use crate::catalog::{TypeKind, TypeName};

impl Scope<'_> {
    pub(super) fn compare(&self, left: &Expr, operator: &str, right: &Expr) -> Result<String, Refusal> {
        Ok(format!("{} {operator} {}", self.comparand(left, right)?, self.comparand(right, left)?))
    }

    /// The items of a list, each compared with that side.
    fn comparands(&self, items: &[Expr], other: &Expr) -> Result<String, Refusal> {
        let items: Result<Vec<_>, _> = items.iter().map(|item| self.comparand(item, other)).collect();
        Ok(items?.join(", "))
    }

    pub(super) fn write_between(
        &self,
        side: &Expr,
        low: &Expr,
        high: &Expr,
        negation: &str,
    ) -> Result<String, Refusal> {
        let all = [side, low, high];
        match self.compared_as(&all) {
            Some(TypeKind::Double) => {
                let [side, low, high] = [self.as_double(side)?, self.as_double(low)?, self.as_double(high)?];
                return Ok(format!("{side} {negation}BETWEEN {low} AND {high}"));
            }
            Some(_) => {
                let [side, low, high] = [self.decimal(side)?, self.decimal(low)?, self.decimal(high)?];
                return Ok(format!("{} {negation}BETWEEN {low} AND {high}", collated(&side)));
            }
            None => {}
        }
        let compared = self.compared_side(side, low)?;
        let (low, high) = (self.comparand(low, side)?, self.comparand(high, side)?);
        Ok(format!("{compared} {negation}BETWEEN {low} AND {high}"))
    }

    pub(super) fn write_in(&self, left: &Expr, target: &InTarget, negation: &str) -> Result<String, Refusal> {
        match target {
            InTarget::List(items) => self.one_of(left, items, negation),
            InTarget::Subquery(query) => self.one_of_query(left, query, negation),
            InTarget::Unnest(_) | InTarget::Table { .. } => refuse("IN takes a list or a query"),
        }
    }

    fn one_of(&self, left: &Expr, items: &[Expr], negation: &str) -> Result<String, Refusal> {
        let all: Vec<&Expr> = std::iter::once(left).chain(items).collect();
        if self.compared_as(&all) == Some(TypeKind::DECIMAL) {
            let items: Result<Vec<_>, _> = items.iter().map(|item| self.decimal(item)).collect();
            return Ok(format!("{} {negation}IN ({})", collated(&self.decimal(left)?), items?.join(", ")));
        }
        let side = items.first().map_or_else(|| self.operand_as_held(left), |item| self.compared_side(left, item))?;
        Ok(format!("{side} {negation}IN ({})", self.comparands(items, left)?))
    }

    fn one_of_query(&self, left: &Expr, query: &Query, negation: &str) -> Result<String, Refusal> {
        let value = Expr::Subquery(Box::new(query.clone()));
        if self.compared_as(&[left, &value]) == Some(TypeKind::DECIMAL) {
            let types = [TypeName { declared: "numeric".to_owned(), kind: TypeKind::DECIMAL }];
            let query = self.query_into(query, Some(Target { types: &types, is_row: false }))?;
            return Ok(format!("{} {negation}IN ({query})", collated(&self.decimal(left)?)));
        }
        Ok(format!("{} {negation}IN ({})", self.operand_as_held(left)?, self.query(query)?))
    }

    /// `= ANY (…)` and `<> ALL (…)` over a list that is written out, as `pg_dump` prints `IN`, or over a query.
    pub(super) fn write_any(&self, left: &Expr, right: &Expr, negation: &str) -> Result<String, Refusal> {
        let mut list = right;
        loop {
            match list {
                Expr::Nested(inner) => list = inner,
                Expr::Cast { expr, .. } if Literal::read(expr).is_none() => list = expr,
                Expr::Array(Array { elem, .. }) => {
                    return self.one_of(left, elem, negation);
                }
                Expr::Subquery(query) => return self.one_of_query(left, query, negation),
                array => return self.any_element(left, array, negation),
            }
        }
    }

    /// `LIKE` minds the case on Postgres and does not on SQLite; `GLOB` does, and finds what begins with a text by an index.
    pub(super) fn write_like(&self, left: &Expr, pattern: &Expr, negation: &str) -> Result<String, Refusal> {
        let Some(Literal::Text(pattern)) = self.constant(pattern)? else {
            return self.match_pattern("berth_like", left, pattern, negation);
        };
        let mut glob = String::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let (character, escaped) = match character {
                '\\' => (characters.next().unwrap_or('\\'), true),
                other => (other, false),
            };
            match character {
                '%' if !escaped => glob.push('*'),
                '_' if !escaped => glob.push('?'),
                '*' | '?' | '[' => glob.extend(['[', character, ']']),
                other => glob.push(other),
            }
        }
        Ok(format!("{} {negation}GLOB {}", self.operand(left)?, name::text(&glob)))
    }

    pub(super) fn write_ilike(&self, left: &Expr, pattern: &Expr, negation: &str) -> Result<String, Refusal> {
        self.match_pattern("berth_ilike", left, pattern, negation)
    }
}
