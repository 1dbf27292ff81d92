//! Comparisons, lists and patterns: PostgreSQL's → SQLite's.

use sqlparser::ast::{Array, Expr, InTarget};

use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, name, refuse};

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
        let compared = self.compared_side(side, low)?;
        let (low, high) = (self.comparand(low, side)?, self.comparand(high, side)?);
        Ok(format!("{compared} {negation}BETWEEN {low} AND {high}"))
    }

    pub(super) fn write_in(&self, left: &Expr, target: &InTarget, negation: &str) -> Result<String, Refusal> {
        let inside = match target {
            InTarget::List(items) => {
                let side =
                    items.first().map_or_else(|| self.operand_as_held(left), |item| self.compared_side(left, item))?;
                return Ok(format!("{side} {negation}IN ({})", self.comparands(items, left)?));
            }
            InTarget::Subquery(query) => self.query(query)?,
            InTarget::Unnest(_) | InTarget::Table { .. } => return refuse("IN takes a list or a query"),
        };
        Ok(format!("{} {negation}IN ({inside})", self.operand_as_held(left)?))
    }

    /// `= ANY (…)` and `<> ALL (…)` over a list that is written out, as `pg_dump` prints `IN`, or over a query.
    pub(super) fn write_any(&self, left: &Expr, right: &Expr, negation: &str) -> Result<String, Refusal> {
        let mut list = right;
        loop {
            match list {
                Expr::Nested(inner) => list = inner,
                Expr::Cast { expr, .. } if Literal::read(expr).is_none() => list = expr,
                Expr::Array(Array { elem, .. }) => {
                    let items = self.comparands(elem, left)?;
                    return Ok(format!("{} {negation}IN ({items})", self.operand_as_held(left)?));
                }
                Expr::Subquery(query) => {
                    return Ok(format!("{} {negation}IN ({})", self.operand_as_held(left)?, self.query(query)?));
                }
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
