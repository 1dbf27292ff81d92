//! Views that writes pass through: what each of their rows is in the one table or view behind them.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-createview.html#SQL-CREATEVIEW-UPDATABLE-VIEWS>.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Expression, QualifiedName, Verb, ViewRights};

/// What becomes of writes to a view (SQLite).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewWrites {
    /// Those for which it has an `INSTEAD OF` trigger.
    pub instead: BTreeSet<Verb>,
    /// What others reach, or why they reach nothing.
    pub shows: Result<Arc<UpdatableView>, Obstacle>,
}

/// A view whose rows are rows of one table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatableView {
    /// That table or view.
    pub of: QualifiedName,
    /// What the view's query calls it.
    pub known_as: String,
    /// What each of the view's columns is.
    pub columns: BTreeMap<String, ViewColumn>,
    /// What holds of the rows that are shown; `None`: nothing need hold.
    pub condition: Option<Arc<Expression>>,
    /// Whose rights it reaches them with.
    pub rights: ViewRights,
    /// What must hold of rows that are written through it.
    pub check: Option<CheckOption>,
}

/// What a column of a view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewColumn {
    /// A column as it is: it can be written to.
    Column(String),
    /// What is made of the row.
    Expression(Arc<Expression>),
}

/// `WITH … CHECK OPTION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOption {
    /// The view's own condition holds of new rows.
    Local,
    /// So do those of the views behind it.
    Cascaded,
}

/// Why a view's rows are not those of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// `DISTINCT`.
    Distinct,
    /// `GROUP BY`.
    GroupBy,
    /// `HAVING`.
    Having,
    /// `UNION` and its like.
    SetOperation,
    /// `WITH`.
    With,
    /// `LIMIT` or `OFFSET`.
    Limit,
    /// An aggregate function.
    Aggregate,
    /// A window function.
    Window,
    /// It reads from several tables, from none, or from what is no table.
    Source,
    /// None of its columns is a column of the table.
    Columns,
    /// Its query is not understood.
    Unknown,
}

/// Where a write to a view ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Way<'a> {
    /// The views on the way, the first one first.
    pub views: Vec<(&'a QualifiedName, &'a Arc<UpdatableView>)>,
    /// What is written to: a table, or a view that has a trigger for it.
    pub end: &'a QualifiedName,
}

impl UpdatableView {
    /// The column behind a column, where it is one as it is.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&str> {
        match self.columns.get(name)? {
            ViewColumn::Column(column) => Some(column),
            ViewColumn::Expression(_) => None,
        }
    }

    /// The columns of the table that its query names.
    #[must_use]
    pub fn reads(&self) -> BTreeSet<&str> {
        let plain = self.columns.keys().filter_map(|name| self.column(name));
        let computed = self.expressions().flat_map(|expression| &expression.columns);
        plain.chain(computed.map(String::as_str)).collect()
    }

    /// Everything that its query computes.
    pub fn expressions<'a>(&'a self) -> impl Iterator<Item = &'a Arc<Expression>> {
        let computed = |column: &'a ViewColumn| match column {
            ViewColumn::Column(_) => None,
            ViewColumn::Expression(expression) => Some(expression),
        };
        self.columns.values().filter_map(computed).chain(&self.condition)
    }
}

/// Follows writes from `start` to what they change.
///
/// # Errors
/// The view through which they do not pass, and why.
pub fn follow<'a>(
    views: &'a BTreeMap<QualifiedName, ViewWrites>,
    start: &'a QualifiedName,
    verb: Verb,
) -> Result<Way<'a>, (&'a QualifiedName, Obstacle)> {
    let mut way = Way { views: Vec::new(), end: start };
    // What is no view, or has a trigger, is the end. Views that lead to themselves have none.
    while let Some(writes) = views.get(way.end).filter(|writes| !writes.instead.contains(&verb)) {
        let shows = writes.shows.as_ref().map_err(|obstacle| (way.end, *obstacle))?;
        if way.views.len() > views.len() {
            return Err((way.end, Obstacle::Unknown));
        }
        if verb != Verb::Delete && !shows.columns.values().any(|column| matches!(column, ViewColumn::Column(_))) {
            return Err((way.end, Obstacle::Columns));
        }
        way.views.push((way.end, shows));
        way.end = &shows.of;
    }
    Ok(way)
}
