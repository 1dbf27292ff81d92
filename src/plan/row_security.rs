//! What row policies add to a plan on SQLite: which rows of a table are there for its sender, and which may be written.
//!
//! | plan | policies that apply | where |
//! |---|---|---|
//! | a table is read, wherever in the plan | `SELECT` | the table's name stands for the rows that are shown ([`Shown`]) |
//! | `UPDATE`, `DELETE` | `USING` of that command; of `SELECT` too when columns are read | beside the filter |
//! | `INSERT`, `UPDATE` | `WITH CHECK` of that command; `USING` of `SELECT` too when columns are read | on the new row, before it is written |
//! | functions write | as for `INSERT`, `UPDATE` and `DELETE` | on the row when it has been made |
//! | `ON CONFLICT DO UPDATE` | all of `INSERT` on the row that came; `USING` of `UPDATE` and `SELECT` on the row that is there; `WITH CHECK` of `UPDATE`, `USING` of `SELECT` on what it becomes | an error, never a row less |
//!
//! Permissive policies are alternatives, restrictive ones all hold; without a permissive one that applies there are no
//! rows. A policy's own queries read with the sender's rights, under the policies of what they read. A view reads with its
//! owner's rights, for whom only forced policies hold; one with `security_invoker` reads with the sender's, also where
//! another view reads it. Who writes to a view reaches the table with those rights: the policies of the table that hold
//! are those for the view's owner (forced ones), or for the sender.
//!
//! Source: <https://www.postgresql.org/docs/15/sql-createpolicy.html>; Postgres' `rowsecurity.c`.

mod expansion;
mod guard;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authorize::Roles;
use super::needs::{Needs, check_calls};
use super::{Action, Error, Plan};
use crate::catalog::{Catalog, Change, Expression, Policy, PolicyKind, Privilege, QualifiedName, Reads, RowSecurity};
use expansion::{Asked, Expansion};

pub use write::{Absent, Check, RowColumn, WriteRules};

/// What row security adds to a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// Tables and views whose name stands for something else in all that is read, in the order of their names.
    pub shown: Vec<Shown>,
    /// What must hold of the rows that are written.
    pub write: WriteRules,
    /// What names stand for in what written views say, for each view on the way.
    pub behind: Vec<Vec<Shown>>,
    /// What must hold of the rows that statements of a function write.
    pub called: BTreeMap<Change, WriteRules>,
    /// What is read for all that, besides what the plan itself does.
    pub(super) reads: Reads,
}

/// A table or view of which not all is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its name.
    pub relation: QualifiedName,
    /// What the name stands for.
    pub source: Source,
    /// It is worked out before anything else looks at it.
    pub apart: bool,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Rows of the table.
    Rows {
        /// The columns that are read of them; none: only how many there are.
        columns: BTreeSet<String>,
        /// Which.
        rule: Rule,
        /// The name of a column more, in which each row says once more that it is shown.
        mark: Option<String>,
    },
    /// The rows of a query.
    Query {
        /// Its text in the engine's own SQL.
        sql: String,
        /// What its columns are called.
        names: Vec<String>,
        /// Those that are read.
        columns: BTreeSet<String>,
        /// What names stand for inside of it, instead of what they stand for outside.
        within: Vec<Shown>,
    },
    /// These columns of what it is: the name stands for something else outside.
    Itself(BTreeSet<String>),
}

/// What must hold of a row that is there: one of the permissive policies, and all restrictive ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// One of these; none: no row.
    pub permissive: Vec<Arc<Expression>>,
    /// Each of these.
    pub restrictive: Vec<Arc<Expression>>,
}

impl Rule {
    /// What `USING` says for a command.
    fn of(policies: &Applying<'_>) -> Self {
        let using = |policies: &[&Policy]| policies.iter().filter_map(|policy| policy.using.clone()).collect();
        let permissive: Vec<Arc<Expression>> = using(&policies.permissive);
        let restrictive = if permissive.is_empty() { Vec::new() } else { using(&policies.restrictive) };
        Self { permissive, restrictive }
    }

    fn expressions(&self) -> impl Iterator<Item = &Arc<Expression>> {
        self.permissive.iter().chain(&self.restrictive)
    }
}

/// The policies of a table that apply to a command of a role.
#[derive(Debug)]
struct Applying<'a> {
    permissive: Vec<&'a Policy>,
    /// In the order of their names, in which errors name the first.
    restrictive: Vec<&'a Policy>,
}

impl<'a> Applying<'a> {
    fn find(security: &'a RowSecurity, command: Privilege, roles: &BTreeSet<&str>) -> Self {
        let applies = |policy: &&Policy| {
            policy.command.is_none_or(|of| of == command)
                && policy.roles.iter().any(|role| roles.contains(role.as_str()))
        };
        let (permissive, restrictive) =
            security.policies.iter().filter(applies).partition(|policy| policy.kind == PolicyKind::Permissive);
        Self { permissive, restrictive }
    }
}

impl Rules {
    /// Works out what row security adds for these roles, and refuses what is not granted to them: what the plan itself
    /// does, and what policies and views read for it.
    ///
    /// # Errors
    /// [`Error::Sqlstate`]: `42P17` when a policy leads to itself, `42501` for what is not granted.
    pub(super) fn of(action: &Action, roles: &Roles<'_>, catalog: &Catalog) -> Result<Self, Error> {
        let needs = Needs::of(action);
        let mut expansion = Expansion::new(roles, catalog);
        let write = write::rules(action, &needs, roles, catalog);
        if let Some(table) = action.written() {
            let expressions: Vec<Arc<Expression>> = write.expressions().cloned().collect();
            expansion.add_expressions(table, &expressions)?;
        }
        let called = write::called(action, &needs, roles, catalog)?;
        for (change, rules) in &called {
            let expressions: Vec<Arc<Expression>> = rules.expressions().cloned().collect();
            expansion.add_expressions(&change.table, &expressions)?;
        }
        let (of_target, mut reads) = (expansion.asked.len(), Reads::new());
        let behind = match (action.through(), action.table()) {
            (Some(through), Some(view)) => expansion.read_behind(through, needs.columns_read(view))?,
            (_, _) => Vec::new(),
        };
        for need in needs.tables.iter().chain(&needs.called).filter(|need| need.privilege == Privilege::Select) {
            expansion.read(need.table, need.columns.iter().copied())?;
        }
        // In Postgres' order, so that errors name the same table: a write is a part of its statement, and what its policies
        // read a part of that.
        let (before, after) = expansion.asked.split_at(of_target);
        let asked = |asked: &[Asked]| asked.iter().try_for_each(|asked| asked.need().check(roles));
        asked(before)?;
        needs.check(roles)?;
        asked(after)?;
        let calls = expansion.calling.iter().flat_map(|expression| &expression.calls);
        check_calls(calls.map(|(signature, grantees)| (signature.as_str(), grantees)), roles)?;
        let shown = expansion.finish(&mut reads);
        write.add_reads(action, &mut reads);
        called.keys().for_each(|change| write::add_key(&change.table, catalog, &mut reads));
        Ok(Self { shown, write, behind, called, reads })
    }

    /// True when nothing is added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.write == WriteRules::default() && self.behind.is_empty() && self.called.is_empty()
    }

    /// True when policies or views read other tables.
    #[must_use]
    pub fn looks_elsewhere(&self) -> bool {
        self.shown.iter().any(|shown| match &shown.source {
            Source::Rows { rule, .. } => rule.expressions().any(|of| !of.reads.is_empty() || !of.trusted.is_empty()),
            Source::Query { .. } => true,
            Source::Itself(_) => false,
        })
    }

    /// Keeps the plan from looking closer at rows that are not shown.
    pub(super) fn guard(&mut self, plan: &mut Plan) {
        if !self.is_empty() {
            guard::guard(plan, self);
        }
    }

    /// True when `name` stands for something else than the table or view, somewhere in what is read.
    #[must_use]
    pub fn shows(&self, name: &str) -> bool {
        fn is_in(shown: &[Shown], name: &str) -> bool {
            shown.iter().any(|shown| {
                shown.relation.name == name
                    || matches!(&shown.source, Source::Query { within, .. } if is_in(within, name))
            })
        }
        is_in(&self.shown, name) || self.behind.iter().any(|shown| is_in(shown, name))
    }

    /// True when some rows of that table are not shown.
    #[must_use]
    pub fn hides(&self, table: &str) -> bool {
        let is_rows = |shown: &Shown| matches!(shown.source, Source::Rows { .. });
        self.shown.iter().any(|shown| shown.relation.name == table && is_rows(shown))
    }

    /// True when a policy or a view reads that column, or with an empty name whether there are rows.
    #[must_use]
    pub fn reads(&self, table: &str, column: &str) -> bool {
        let of_table = self.reads.iter().find(|(name, _)| name.name == table);
        of_table.is_some_and(|(_, columns)| column.is_empty() || columns.contains(column))
    }
}
