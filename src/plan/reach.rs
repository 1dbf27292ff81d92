//! What a plan touches, for an engine that can refuse the rest: a second wall behind the grants.

use std::sync::Arc;

use super::needs::{Need, Needs};
use super::{Plan, Rules};
use crate::catalog::Privilege;

/// A use that a statement makes of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch<'a> {
    /// A column is read; an empty name: only whether there are rows.
    Read(&'a str),
    /// Rows are inserted.
    Insert,
    /// A column is changed.
    Update(&'a str),
    /// Rows are deleted.
    Delete,
}

/// All that a statement may touch: what its plan needed when it was authorized.
#[derive(Debug, Clone, PartialEq)]
pub enum Reach {
    /// What this plan touches, and what is read for its rules. It is worked out when it is asked for: a statement that is
    /// prepared already never asks.
    Plan(Arc<Plan>, Arc<Rules>),
    /// Anything, for statements that were not planned.
    #[cfg(test)]
    Everything,
}

impl Reach {
    /// True when a rendered statement may do this to a table.
    #[must_use]
    pub fn allows(&self, table: &str, touch: Touch<'_>) -> bool {
        match self {
            Self::Plan(_, rules) if matches!(touch, Touch::Read(column) if rules.reads(table, column)) => true,
            Self::Plan(plan, _) => Needs::of(&plan.action).touched().any(|need| {
                let has = |column: &str| need.columns.contains(column);
                need.table.name == table
                    && match (touch, need.privilege) {
                        (Touch::Read(""), _)
                        | (Touch::Insert, Privilege::Insert)
                        | (Touch::Delete, Privilege::Delete) => true,
                        // An upsert reads what was to be inserted, under the names of the table's columns.
                        (Touch::Read(column), Privilege::Select | Privilege::Insert)
                        | (Touch::Update(column), Privilege::Update) => has(column),
                        (Touch::Read(_) | Touch::Insert | Touch::Update(_) | Touch::Delete, _) => false,
                    }
            }),
            #[cfg(test)]
            Self::Everything => true,
        }
    }

    /// The indexes of words that are asked, each with the table whose rows it finds.
    #[must_use]
    pub fn searches(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Plan(plan, _) => {
                Needs::of(&plan.action).searches.iter().map(|(table, index)| (table.name.as_str(), *index)).collect()
            }
            #[cfg(test)]
            Self::Everything => Vec::new(),
        }
    }

    /// True when functions are run, whose statements may give names to queries of their own.
    #[must_use]
    pub fn names_queries(&self) -> bool {
        match self {
            Self::Plan(plan, _) => !Needs::of(&plan.action).calls.is_empty(),
            #[cfg(test)]
            Self::Everything => true,
        }
    }

    /// The tables and views that are touched.
    #[must_use]
    pub fn tables(&self) -> Vec<&str> {
        match self {
            Self::Plan(plan, _) => Needs::of(&plan.action).touched().map(|need| need.table.name.as_str()).collect(),
            #[cfg(test)]
            Self::Everything => Vec::new(),
        }
    }

    /// True for a table that may be read only by the part of the statement that shows its rows. What is written to is read
    /// as it is as well: its rules stand beside the filter. So is what functions read with the rights of their owner.
    #[must_use]
    pub fn hides(&self, table: &str) -> bool {
        match self {
            Self::Plan(plan, rules) => {
                let needs = Needs::of(&plan.action);
                let is_written = |need: &Need<'_>| need.table.name == table && need.privilege != Privilege::Select;
                rules.hides(table)
                    && !needs.touched().any(is_written)
                    && !needs.trusted.iter().any(|need| need.table.name == table)
            }
            #[cfg(test)]
            Self::Everything => false,
        }
    }

    /// True when the name stands for a part of the statement that shows a table or view, at least somewhere in it.
    #[must_use]
    pub fn shows(&self, name: &str) -> bool {
        match self {
            Self::Plan(_, rules) => rules.shows(name),
            #[cfg(test)]
            Self::Everything => false,
        }
    }

    /// The tables whose rows change.
    #[must_use]
    pub fn written(&self) -> Vec<&str> {
        match self {
            Self::Plan(plan, _) => Needs::of(&plan.action)
                .touched()
                .filter(|need| need.privilege != Privilege::Select)
                .map(|need| need.table.name.as_str())
                .collect(),
            #[cfg(test)]
            Self::Everything => Vec::new(),
        }
    }
}
