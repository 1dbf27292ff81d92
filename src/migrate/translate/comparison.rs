//! Comparisons, lists and patterns: PostgreSQL's → SQLite's.

use sqlparser::ast::{Array, Expr, InTarget};

use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, name, refuse};
use crate::catalog::TypeKind;

impl Scope<'_> {
    pub(super) fn compare(&self, left: &Expr, operator: &str, right: &Expr) -> Result<String, Refusal> {
        let (left_kind, right_kind) = (self.kind(left), self.kind(right));
        let left = self.comparand(left, right_kind.as_ref())?;
        Ok(format!("{left} {operator} {}", self.comparand(right, left_kind.as_ref())?))
    }

    /// One side of a comparison; a constant takes the form of the other side's kind.
    fn comparand(&self, side: &Expr, other: Option<&TypeKind>) -> Result<String, Refusal> {
        match (self.constant(side)?, other) {
            (Some(literal), Some(kind)) => Ok(literal.comparable(kind)?.to_sql()),
            _ => self.operand(side),
        }
    }

    /// The items of a list, each compared with a value of that kind.
    fn comparands(&self, items: &[Expr], other: Option<&TypeKind>) -> Result<String, Refusal> {
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
        let kind = self.kind(side);
        let (low, high) = (self.comparand(low, kind.as_ref())?, self.comparand(high, kind.as_ref())?);
        Ok(format!("{} {negation}BETWEEN {low} AND {high}", self.operand(side)?))
    }

    pub(super) fn write_in(&self, left: &Expr, target: &InTarget, negation: &str) -> Result<String, Refusal> {
        let kind = self.kind(left);
        let inside = match target {
            InTarget::List(items) => self.comparands(items, kind.as_ref())?,
            InTarget::Subquery(query) => self.query(query)?,
            InTarget::Unnest(_) | InTarget::Table { .. } => return refuse("IN takes a list or a query"),
        };
        Ok(format!("{} {negation}IN ({inside})", self.operand(left)?))
    }

    /// `= ANY (…)` and `<> ALL (…)` over a list that is written out, as `pg_dump` prints `IN`, or over a query.
    pub(super) fn write_any(&self, left: &Expr, right: &Expr, negation: &str) -> Result<String, Refusal> {
        let kind = self.kind(left);
        let mut list = right;
        loop {
            match list {
                Expr::Nested(inner) => list = inner,
                Expr::Cast { expr, .. } if Literal::read(expr).is_none() => list = expr,
                Expr::Array(Array { elem, .. }) => {
                    let items = self.comparands(elem, kind.as_ref())?;
                    return Ok(format!("{} {negation}IN ({items})", self.operand(left)?));
                }
                Expr::Subquery(query) => {
                    return Ok(format!("{} {negation}IN ({})", self.operand(left)?, self.query(query)?));
                }
                array if self.functions.get().are_extended() => return self.any_element(left, array, negation),
                _ => return refuse("ANY and ALL take an array that is written out, or a query"),
            }
        }
    }

    /// `LIKE` minds the case on Postgres and does not on SQLite; `GLOB` does.
    pub(super) fn write_like(&self, left: &Expr, pattern: &Expr, negation: &str) -> Result<String, Refusal> {
        if self.functions.get().are_extended() {
            return self.match_pattern("berth_like", left, pattern, negation);
        }
        let Some(Literal::Text(pattern)) = self.constant(pattern)? else {
            return refuse("the pattern of LIKE must be a constant");
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
        if self.functions.get().are_extended() {
            return self.match_pattern("berth_ilike", left, pattern, negation);
        }
        Ok(format!("lower({}) {negation}LIKE lower({}) ESCAPE '\\'", self.write(left)?, self.write(pattern)?))
    }
}
