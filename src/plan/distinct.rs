//! Rows that are given once.

use super::read::{Projection, ReadNode, Shape};
use super::scope::Scope;
use super::{Engine, Error, Target, aggregate, capability};
use crate::request::distinct::Distinct as Wish;

/// Which rows count as the same, of which one is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// Each row is given.
    No,
    /// Those that are equal in all that is given of them.
    Rows,
    /// Those that are equal in these: the first in the order is given.
    By(Vec<Target>),
}

/// Plans which rows of `node` are given once.
///
/// # Errors
/// [`Error::Sqlstate`] on SQLite for values that cannot be told apart, and for an order by what is not selected;
/// [`Error::NotImplemented`] for fields together with aggregate functions.
pub(super) fn plan_distinct(scope: &Scope<'_>, wish: Option<Wish>, node: &ReadNode) -> Result<Distinct, Error> {
    match wish {
        None => Ok(Distinct::No),
        // Groups differ already, and rows without columns do not.
        Some(Wish::Rows) if node.has_aggregates() || node.gives_nothing() => Ok(Distinct::No),
        Some(Wish::Rows) => {
            if scope.engine == Engine::Sqlite {
                check_outputs(node)?;
                aggregate::check_order_of_groups(node)?;
            }
            Ok(Distinct::Rows)
        }
        Some(Wish::By(_)) if node.has_aggregates() => {
            Err(Error::NotImplemented("'distinct' by columns together with aggregate functions".to_owned()))
        }
        Some(Wish::By(fields)) => {
            let targets = fields.into_iter().map(|field| {
                let target = scope.target(field)?;
                if scope.engine == Engine::Sqlite {
                    capability::check_groups(&target.compared_type())?;
                }
                Ok(target)
            });
            Ok(Distinct::By(targets.collect::<Result<_, Error>>()?))
        }
    }
}

/// Calls itself for what is lifted; the depth of embeds is bounded.
fn check_outputs(node: &ReadNode) -> Result<(), Error> {
    for Projection { target, cast, .. } in &node.select {
        capability::check_groups(cast.as_ref().unwrap_or(&target.compared_type()))?;
    }
    let lifted = node.embeds.iter().filter(|embed| embed.shape == Shape::Lifted);
    lifted.map(|embed| &embed.node).try_for_each(check_outputs)
}
