//! Writes to a view that change rows of the table behind it.
//!
//! | what | on the way through a view |
//! |---|---|
//! | a column that is given a value | is the table's; `0A000` for one that is computed |
//! | which rows are changed or removed | those that the view shows |
//! | what a row becomes | must be shown where the view has a check option (`44000`) |
//! | privileges | the sender's on the view; on what is behind it the owner's, or the sender's (`security_invoker`) |
//!
//! Source: <https://www.postgresql.org/docs/current/sql-createview.html#SQL-CREATEVIEW-UPDATABLE-VIEWS>; Postgres'
//! `rewriteHandler.c`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::scope::Scope;
use super::{Engine, Error, InsertColumn};
use crate::catalog::updatable::{self, follow};
use crate::catalog::{
    CheckOption, Expression, Kind, Obstacle, QualifiedName, Reads, Table, UpdatableView, Verb, ViewColumn,
};

/// How what is written to a view reaches the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Through {
    /// The views on the way, the one that was named first.
    pub levels: Vec<Level>,
    /// The table, or a view that has a trigger for it.
    pub table: QualifiedName,
    /// The columns that are given values, as the request names them.
    pub written: Vec<String>,
    /// The key that a conflict is looked for in, as the request names it.
    pub key: Vec<String>,
}

/// A view on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its name.
    pub view: QualifiedName,
    /// What it shows.
    pub shows: Arc<UpdatableView>,
    /// Rows that it does not show are not there.
    pub hides: bool,
    /// What is written must be shown.
    pub checks: bool,
}

impl Level {
    /// The condition of rows that are there, when there are others.
    #[must_use]
    pub fn hides_by(&self) -> Option<&Arc<Expression>> {
        self.shows.condition.as_ref().filter(|_| self.hides)
    }

    /// The condition that what is written must meet.
    #[must_use]
    pub fn checks_by(&self) -> Option<&Arc<Expression>> {
        self.shows.condition.as_ref().filter(|_| self.checks)
    }
}

/// What a statement reads of what is behind a view.
#[derive(Debug, Default)]
pub(super) struct Behind<'a> {
    /// Columns of the table or view that its rows are.
    pub(super) columns: BTreeSet<&'a str>,
    /// What its expressions read besides.
    pub(super) reads: Vec<&'a Reads>,
    /// What they read with their owner's rights, whoever asks.
    pub(super) trusted: Vec<&'a Reads>,
}

impl Through {
    /// Finds the way from the scope's view; `None` for a table, a view with a trigger, and where the server does that.
    ///
    /// # Errors
    /// `55000` for a view that takes no such write.
    pub(super) fn find(scope: &Scope<'_>, verb: Verb) -> Result<Option<Self>, Error> {
        if scope.engine == Engine::Postgres || scope.table.kind == Kind::Table {
            return Ok(None);
        }
        let (views, name) = (&scope.catalog.view_writes, &scope.table.name);
        let way = if views.contains_key(name) { follow(views, name, verb) } else { Err((name, Obstacle::Unknown)) };
        let way = way.map_err(|(view, obstacle)| refuse(view, obstacle, verb))?;
        if way.views.is_empty() {
            return Ok(None);
        }
        // What triggers write is theirs to check.
        let is_table = scope.catalog.table(way.end).is_some_and(|table| table.kind == Kind::Table);
        let levels = levels(&way, verb, is_table);
        Ok(Some(Self { levels, table: way.end.clone(), written: Vec::new(), key: Vec::new() }))
    }

    /// The table's name of each column that is given a value; they are remembered as they were named.
    ///
    /// # Errors
    /// `0A000` for a column that no table has, `42601` for two that are one.
    pub(super) fn reach_written(&mut self, columns: &mut [InsertColumn], verb: Verb) -> Result<(), Error> {
        self.written = columns.iter().map(|column| column.name.clone()).collect();
        for column in &mut *columns {
            column.name = self.reach(&column.name, verb)?;
        }
        let mut seen = BTreeSet::new();
        match columns.iter().find(|column| !seen.insert(column.name.as_str())) {
            Some(twice) => {
                let message = format!("multiple assignments to same column \"{}\"", twice.name);
                Err(Error::sqlstate("42601", message))
            }
            None => Ok(()),
        }
    }

    fn reach(&self, column: &str, verb: Verb) -> Result<String, Error> {
        self.levels.iter().try_fold(column.to_owned(), |name, level| {
            level.shows.column(&name).map(str::to_owned).ok_or_else(|| {
                let act = if verb == Verb::Insert { "insert into" } else { "update" };
                Error::Sqlstate {
                    code: "0A000",
                    message: format!("cannot {act} column \"{name}\" of view \"{}\"", level.view.name),
                    details: Some(
                        "View columns that are not columns of their base relation are not updatable.".to_owned(),
                    ),
                    hint: None,
                }
            })
        })
    }

    /// The table's names of the columns of a key; `None` when one of them is computed.
    pub(super) fn reach_key(&mut self, columns: &[String]) -> Option<Vec<String>> {
        self.key = columns.to_vec();
        columns.iter().map(|column| self.column(column).map(str::to_owned)).collect()
    }

    /// The table's column that a column of the view is.
    #[must_use]
    pub fn column<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.levels.iter().try_fold(name, |name, level| level.shows.column(name))
    }

    /// For each view what a statement reads behind it that reads `wanted` of the first.
    pub(super) fn behind<'a>(&'a self, wanted: BTreeSet<&str>) -> Vec<Behind<'a>> {
        let mut wanted: BTreeSet<&str> = wanted;
        let mut found = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            let mut behind = Behind::default();
            let condition = level.hides_by().or(level.checks_by());
            let of_column = |name: &&str| level.shows.columns.get(*name);
            let mut expressions: Vec<_> = condition.into_iter().collect();
            for column in wanted.iter().filter_map(of_column) {
                match column {
                    ViewColumn::Column(column) => _ = behind.columns.insert(column),
                    ViewColumn::Expression(expression) => expressions.push(expression),
                }
            }
            for expression in expressions {
                behind.columns.extend(expression.columns.iter().map(String::as_str));
                behind.reads.push(&expression.reads);
                behind.trusted.push(&expression.trusted);
            }
            wanted.clone_from(&behind.columns);
            found.push(behind);
        }
        found
    }
}

/// The views with what each of them does to a write.
fn levels(way: &updatable::Way<'_>, verb: Verb, checks_hold: bool) -> Vec<Level> {
    let mut is_cascaded = false;
    let level = |(view, shows): &(&QualifiedName, &Arc<UpdatableView>)| {
        let checks = shows.check.is_some() || is_cascaded;
        is_cascaded |= shows.check == Some(CheckOption::Cascaded);
        Level {
            view: (*view).clone(),
            shows: Arc::clone(shows),
            hides: verb != Verb::Insert,
            checks: checks && checks_hold && verb != Verb::Delete,
        }
    };
    way.views.iter().map(level).collect()
}

/// The table whose rows a write changes.
pub(super) fn written_table<'a>(scope: &Scope<'a>, through: Option<&Through>) -> &'a Table {
    let behind = through.and_then(|through| scope.catalog.table(&through.table));
    behind.unwrap_or(scope.table)
}

/// 55000 for a view that takes no writes.
fn refuse(view: &QualifiedName, obstacle: Obstacle, verb: Verb) -> Error {
    let (act, noun, trigger) = match verb {
        Verb::Insert => ("insert into", "inserting into", "INSERT"),
        Verb::Update => ("update", "updating", "UPDATE"),
        Verb::Delete => ("delete from", "deleting from", "DELETE"),
    };
    let reason = match obstacle {
        Obstacle::Distinct => "containing DISTINCT",
        Obstacle::GroupBy => "containing GROUP BY",
        Obstacle::Having => "containing HAVING",
        Obstacle::SetOperation => "containing UNION, INTERSECT, or EXCEPT",
        Obstacle::With => "containing WITH",
        Obstacle::Limit => "containing LIMIT or OFFSET",
        Obstacle::Aggregate => "that return aggregate functions",
        Obstacle::Window => "that return window functions",
        Obstacle::Source => "that do not select from a single table or view",
        Obstacle::Columns => "that have no updatable columns",
        Obstacle::Unknown => "",
    };
    Error::Sqlstate {
        code: "55000",
        message: format!("cannot {act} view \"{}\"", view.name),
        details: (!reason.is_empty()).then(|| format!("Views {reason} are not automatically updatable.")),
        hint: Some(format!(
            "To enable {noun} the view, provide an INSTEAD OF {trigger} trigger or an unconditional ON {trigger} DO \
             INSTEAD rule."
        )),
    }
}
