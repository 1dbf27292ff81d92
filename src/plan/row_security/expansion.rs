//! From what a plan reads to what the names in it stand for: tables behind their policies, what those read, what views
//! read, and so on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Applying, Rule, Shown, Source};
use crate::catalog::{
    Catalog, EVERYONE, Expression, Privilege, QualifiedName, Reads, RowSecurity, ViewQuery, ViewRights,
};
use crate::plan::authorize::Roles;
use crate::plan::needs::Need;
use crate::plan::{Error, Through};

/// Tables and views as they are being worked out.
pub(super) struct Expansion<'a> {
    roles: &'a Roles<'a>,
    catalog: &'a Catalog,
    /// Tables whose policies and views whose queries are being followed, the outermost first: what comes again would
    /// never end.
    path: Vec<&'a QualifiedName>,
    /// What is read with the sender's rights.
    read: Reads,
    /// What that stands for, without the columns, which are known at the end.
    shown: BTreeMap<&'a QualifiedName, Source>,
    /// What is read with owners' rights.
    trusted: Reads,
    /// What policies and views read with the sender's rights, which must be granted.
    pub(super) asked: Vec<Asked<'a>>,
    /// Expressions of policies that call functions. Whoever's rights they read with, as on Postgres it is the sender who
    /// calls.
    pub(super) calling: Vec<Arc<Expression>>,
}

/// Columns that a policy or a view reads with the sender's rights.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    relation: &'a QualifiedName,
    columns: BTreeSet<String>,
}

impl Asked<'_> {
    /// The privilege that it takes.
    pub(super) fn need(&self) -> Need<'_> {
        let columns = self.columns.iter().map(String::as_str).collect();
        Need { table: self.relation, privilege: Privilege::Select, columns }
    }
}

impl<'a> Expansion<'a> {
    pub(super) fn new(roles: &'a Roles<'a>, catalog: &'a Catalog) -> Self {
        let (read, shown, trusted) = (Reads::new(), BTreeMap::new(), Reads::new());
        Self { roles, catalog, path: Vec::new(), read, shown, trusted, asked: Vec::new(), calling: Vec::new() }
    }

    /// Adds what is read with the sender's rights, which have been checked.
    pub(super) fn read<'c>(
        &mut self,
        relation: &QualifiedName,
        columns: impl IntoIterator<Item = &'c str>,
    ) -> Result<(), Error> {
        let Some(relation) = self.catalog.table(relation).map(|table| &table.name) else { return Ok(()) };
        let is_known = self.read.contains_key(relation);
        self.read.entry(relation.clone()).or_default().extend(columns.into_iter().map(str::to_owned));
        if let Some(query) = self.catalog.view_queries.get(relation) {
            self.refuse_circle(relation)?;
            return if is_known { Ok(()) } else { self.read_view(relation, query) };
        }
        match self.catalog.row_security.get(relation).filter(|_| !self.roles.bypasses_policies) {
            Some(security) => self.read_table(relation, security),
            None => Ok(()),
        }
    }

    fn read_table(&mut self, table: &'a QualifiedName, security: &RowSecurity) -> Result<(), Error> {
        let rule = Rule::of(&Applying::find(security, Privilege::Select, &self.roles.all));
        let expressions: Vec<Arc<Expression>> = rule.expressions().cloned().collect();
        if expressions.iter().any(|of| of.has_query) {
            self.refuse_circle(table)?;
        }
        if self.shown.contains_key(table) {
            return Ok(());
        }
        self.shown.insert(table, Source::Rows { columns: BTreeSet::new(), rule, mark: None });
        self.add_expressions(table, &expressions)
    }

    /// Adds what expressions of the policies of a table read.
    pub(super) fn add_expressions(
        &mut self,
        table: &QualifiedName,
        expressions: &[Arc<Expression>],
    ) -> Result<(), Error> {
        let Some(table) = self.catalog.table(table).map(|table| &table.name) else { return Ok(()) };
        let depth = self.path.len();
        // As on Postgres, policies without a query lead nowhere, and so not back.
        self.path.extend(expressions.iter().any(|of| of.has_query).then_some(table));
        for expression in expressions {
            self.note_calls(expression);
            add(&mut self.trusted, table, &expression.columns);
            for (relation, columns) in &expression.trusted {
                add(&mut self.trusted, relation, columns);
            }
            self.read_all(&expression.reads)?;
        }
        self.path.truncate(depth);
        Ok(())
    }

    /// Adds what views that are written through read, and says what names stand for in each of them. With the rights of
    /// the owner they stand for what the owner sees, also where they stand for something else around it.
    ///
    /// `wanted`: the columns that are read of the view that is named.
    pub(super) fn read_behind(&mut self, through: &Through, wanted: BTreeSet<&str>) -> Result<Vec<Vec<Shown>>, Error> {
        let mut within = Vec::with_capacity(through.levels.len());
        for (level, behind) in through.levels.iter().zip(through.behind(wanted)) {
            let Some(view) = self.catalog.table(&level.view).map(|table| &table.name) else { continue };
            self.path.push(view);
            for (relation, columns) in behind.trusted.into_iter().flatten() {
                add(&mut self.trusted, relation, columns);
            }
            let mut owned = Owned::default();
            for reads in behind.reads {
                match level.shows.rights {
                    ViewRights::Invoker => self.read_all(reads)?,
                    ViewRights::Owner => _ = self.read_all_as_owner(reads, &mut owned)?,
                }
            }
            self.path.pop();
            within.push(self.trust(&owned));
        }
        Ok(within)
    }

    fn note_calls(&mut self, expression: &Arc<Expression>) {
        self.calling.extend((!expression.calls.is_empty()).then(|| Arc::clone(expression)));
    }

    fn read_all(&mut self, reads: &Reads) -> Result<(), Error> {
        for (relation, columns) in reads {
            if let Some(table) = self.catalog.table(relation) {
                self.asked.push(Asked { relation: &table.name, columns: columns.clone() });
            }
            self.read(relation, columns.iter().map(String::as_str))?;
        }
        Ok(())
    }

    fn read_view(&mut self, view: &'a QualifiedName, query: &ViewQuery) -> Result<(), Error> {
        let within = match query.rights {
            ViewRights::Invoker => {
                self.path.push(view);
                self.read_all(&query.reads)?;
                self.path.pop();
                Vec::new()
            }
            ViewRights::Owner => {
                let mut owned = Owned::default();
                if !self.read_as_owner(view, &mut owned)? {
                    return Ok(());
                }
                owned.parts.remove(view);
                self.trust(&owned)
            }
        };
        let source = self.query(view, query, BTreeSet::new(), within);
        self.shown.insert(view, source);
        Ok(())
    }

    /// Refuses what is being followed already.
    fn refuse_circle(&self, relation: &QualifiedName) -> Result<(), Error> {
        if !self.path.contains(&relation) {
            return Ok(());
        }
        let place = if self.catalog.view_queries.contains_key(relation) { "rules" } else { "policy" };
        let message = format!("infinite recursion detected in {place} for relation \"{}\"", relation.name);
        Err(Error::sqlstate("42P17", message))
    }

    fn query(&self, view: &QualifiedName, query: &ViewQuery, columns: BTreeSet<String>, within: Vec<Shown>) -> Source {
        let columns_of = self.catalog.table(view).map(|table| table.columns.as_slice()).unwrap_or_default();
        let names = columns_of.iter().map(|column| column.name.clone()).collect();
        Source::Query { sql: query.sql.clone(), names, columns, within }
    }

    /// Works out what a table or view stands for when its owner reads it; true when it is not simply itself.
    fn read_as_owner(&mut self, relation: &'a QualifiedName, owned: &mut Owned<'a>) -> Result<bool, Error> {
        let query = self.catalog.view_queries.get(relation);
        let security = self.catalog.row_security.get(relation).filter(|security| security.forced);
        let rule = security.map(|of| Rule::of(&Applying::find(of, Privilege::Select, &BTreeSet::from([EVERYONE]))));
        let leads_on = query.is_some() || rule.iter().flat_map(Rule::expressions).any(|of| of.has_query);
        if leads_on {
            self.refuse_circle(relation)?;
        }
        if let Some(known) = owned.parts.get(relation) {
            return Ok(known.is_some());
        }
        let depth = self.path.len();
        self.path.extend(leads_on.then_some(relation));
        let source = match (query, rule) {
            (Some(query), _) => {
                let columns = self.catalog.table(relation).into_iter().flat_map(|table| &table.columns);
                let columns = columns.map(|column| column.name.clone()).collect();
                let is_other = self.read_all_as_owner(&query.reads, owned)?;
                is_other.then(|| self.query(relation, query, columns, Vec::new()))
            }
            (None, Some(rule)) => Some(self.forced_rows(relation, rule, owned)?),
            (None, None) => None,
        };
        self.path.truncate(depth);
        let is_other = source.is_some();
        owned.parts.insert(relation, source);
        Ok(is_other)
    }

    /// The rows of a table that its owner sees. Of the roles that policies are for, the owner is none.
    fn forced_rows(&mut self, table: &'a QualifiedName, rule: Rule, owned: &mut Owned<'a>) -> Result<Source, Error> {
        for expression in rule.expressions() {
            self.note_calls(expression);
            add(&mut owned.reads, table, &expression.columns);
            for (relation, columns) in &expression.trusted {
                add(&mut owned.reads, relation, columns);
            }
            self.read_all_as_owner(&expression.reads, owned)?;
        }
        Ok(Source::Rows { columns: BTreeSet::new(), rule, mark: None })
    }

    fn read_all_as_owner(&mut self, reads: &Reads, owned: &mut Owned<'a>) -> Result<bool, Error> {
        let mut is_other = false;
        for (relation, columns) in reads {
            let Some(table) = self.catalog.table(relation) else { continue };
            if self.catalog.view_queries.get(relation).is_some_and(|query| query.rights == ViewRights::Invoker) {
                // It reads with the sender's rights whoever reads it: its name stands for what it does outside.
                self.read(relation, columns.iter().map(String::as_str))?;
                is_other = true;
                continue;
            }
            add(&mut owned.reads, relation, columns);
            is_other |= self.read_as_owner(&table.name, owned)?;
        }
        Ok(is_other)
    }

    /// What names stand for in the query of a view that its owner reads.
    fn trust(&mut self, owned: &Owned<'a>) -> Vec<Shown> {
        for (relation, columns) in &owned.reads {
            add(&mut self.trusted, relation, columns);
        }
        let part = |(relation, source): (&&QualifiedName, &Option<Source>)| {
            let columns = owned.reads.get(*relation).cloned().unwrap_or_default();
            let source = match source {
                Some(Source::Rows { rule, mark, .. }) => {
                    Source::Rows { columns, rule: rule.clone(), mark: mark.clone() }
                }
                Some(other) => other.clone(),
                None => Source::Itself(columns),
            };
            Shown { relation: (*relation).clone(), source, apart: false }
        };
        owned.parts.iter().map(part).collect()
    }

    /// What the names stand for; adds all that is read to `reads`.
    pub(super) fn finish(self, reads: &mut Reads) -> Vec<Shown> {
        let Self { read, shown, trusted, .. } = self;
        let shown = shown.into_iter().map(|(relation, mut source)| {
            let taken = read.get(relation).cloned().unwrap_or_default();
            match &mut source {
                Source::Rows { columns, .. } | Source::Query { columns, .. } => *columns = taken,
                Source::Itself(_) => {}
            }
            Shown { relation: relation.clone(), source, apart: false }
        });
        let shown = shown.collect();
        for (relation, columns) in read.iter().chain(&trusted) {
            add(reads, relation, columns);
        }
        shown
    }
}

/// What a view's owner reads.
#[derive(Default)]
struct Owned<'a> {
    reads: Reads,
    /// What each table and view stands for; `None`: itself.
    parts: BTreeMap<&'a QualifiedName, Option<Source>>,
}

fn add(reads: &mut Reads, relation: &QualifiedName, columns: &BTreeSet<String>) {
    reads.entry(relation.clone()).or_default().extend(columns.iter().cloned());
}
