//! What an action needs: privileges on tables and their columns, and functions that must be callable.
//!
//! Functions that berth itself runs need what their bodies do ([`Body::uses`](crate::catalog::Body)): of the caller, or
//! of their owner, who may do everything.
//!
//! Source: <https://www.postgresql.org/docs/current/ddl-priv.html>,
//! <https://www.postgresql.org/docs/current/sql-insert.html> (privileges of `ON CONFLICT`).

use std::collections::BTreeSet;

use super::authorize::{Roles, denied_call};
use super::{
    Action, Call, Condition, Delete, Distinct, Error, Insert, InsertColumn, Operand, Projection, Read, ReadNode,
    Related, Returning, Target, Through, Update,
};
use crate::catalog::{Bearer, Body, Computed, Privilege, QualifiedName, Relationship, ViewRights};
use crate::request::prefer::Resolution;

/// A privilege that an action needs.
#[derive(Debug)]
pub(super) struct Need<'a> {
    pub(super) table: &'a QualifiedName,
    pub(super) privilege: Privilege,
    /// The columns touched; none: the privilege on any column will do.
    pub(super) columns: BTreeSet<&'a str>,
}

/// All that an action needs.
#[derive(Debug, Default)]
pub(super) struct Needs<'a> {
    /// Privileges on tables, in the order in which Postgres looks for them.
    pub(super) tables: Vec<Need<'a>>,
    /// Names or signatures of the functions that are called, with the roles that may call each.
    pub(super) calls: Vec<(&'a str, &'a BTreeSet<String>)>,
    /// Privileges that functions need of their caller.
    pub(super) called: Vec<Need<'a>>,
    /// Indexes of words that are asked, each with the table.
    pub(super) searches: Vec<(&'a QualifiedName, &'a str)>,
    /// What functions do with the privileges of their owner.
    pub(super) trusted: Vec<Need<'a>>,
    /// Privileges that a written view needs of its sender behind it.
    pub(super) behind: Vec<Need<'a>>,
    /// What is done behind a written view with the privileges of its owner.
    pub(super) owned: Vec<Need<'a>>,
    is_call: bool,
}

/// The columns of a level that are touched.
type Columns<'a> = BTreeSet<&'a str>;

/// Refuses functions that none of the sender's roles may call, by their names or signatures.
///
/// # Errors
/// `42501`.
pub(super) fn check_calls<'c>(
    mut calls: impl Iterator<Item = (&'c str, &'c BTreeSet<String>)>,
    roles: &Roles<'_>,
) -> Result<(), Error> {
    match calls.find(|(_, grantees)| !roles.may_call(grantees)) {
        Some((signature, _)) => Err(denied_call(signature.split('(').next().unwrap_or(signature))),
        None => Ok(()),
    }
}

impl<'a> Needs<'a> {
    pub(super) fn of(action: &'a Action) -> Self {
        let mut needs = Self::default();
        match action {
            Action::Read(read) => needs.add_read(read),
            Action::Insert(insert) => needs.add_insert(insert),
            Action::Update(update) => needs.add_update(update),
            Action::Delete(delete) => needs.add_delete(delete),
            Action::Call(call) => needs.add_call(call),
            Action::TableInfo(_) | Action::RoutineInfo(_) | Action::RootInfo | Action::Describe { .. } => {}
        }
        needs
    }

    /// Refuses what none of the sender's roles may do, in the order in which Postgres comes to it.
    ///
    /// # Errors
    /// `42501`.
    pub(super) fn check(&self, roles: &Roles<'_>) -> Result<(), Error> {
        let check = |needs: &[Need<'_>]| needs.iter().try_for_each(|need| need.check(roles));
        // What is embedded in the result of a function comes after it.
        let (first, last): (&[Need<'_>], &[Need<'_>]) =
            if self.is_call { (&[], &self.tables) } else { (&self.tables, &[]) };
        check(first)?;
        check(&self.behind)?;
        check_calls(self.calls.iter().copied(), roles)?;
        check(&self.called)?;
        check(last)
    }

    /// All that is touched.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Need<'a>> {
        self.tables.iter().chain(&self.called).chain(&self.trusted).chain(&self.behind).chain(&self.owned)
    }

    /// True when columns of the table or view are read.
    pub(super) fn reads(&self, table: &QualifiedName) -> bool {
        self.reads_of(table).next().is_some()
    }

    /// The columns of the table or view that are read.
    pub(super) fn columns_read(&self, table: &QualifiedName) -> BTreeSet<&'a str> {
        self.reads_of(table).collect()
    }

    fn reads_of(&self, table: &QualifiedName) -> impl Iterator<Item = &'a str> {
        let of_table = move |need: &&Need<'a>| need.privilege == Privilege::Select && need.table == table;
        self.tables.iter().filter(of_table).flat_map(|need| need.columns.iter().copied())
    }

    fn add(&mut self, table: &'a QualifiedName, privilege: Privilege, columns: impl IntoIterator<Item = &'a str>) {
        self.tables.push(Need { table, privilege, columns: columns.into_iter().collect() });
    }

    fn add_read(&mut self, read: &'a Read) {
        let (mut columns, place) = (Columns::new(), self.tables.len());
        self.add_top(read, &mut columns);
        if let Some(beyond) = read.keyset.as_ref().and_then(|keyset| keyset.beyond.as_ref()) {
            self.add_condition(beyond, &mut columns);
        }
        self.tables.insert(place, Need { table: &read.node.from, privilege: Privilege::Select, columns });
    }

    /// Adds the columns of the outermost level to `columns`, and what it needs besides.
    fn add_top(&mut self, read: &'a Read, columns: &mut Columns<'a>) {
        self.add_level(&read.node, columns);
        if let Distinct::By(targets) = &read.distinct {
            targets.iter().for_each(|target| self.add_target(target, columns));
        }
    }

    /// The outermost first, as Postgres checks them.
    fn add_node(&mut self, node: &'a ReadNode) {
        let (mut columns, place) = (Columns::new(), self.tables.len());
        self.add_level(node, &mut columns);
        self.tables.insert(place, Need { table: &node.from, privilege: Privilege::Select, columns });
    }

    /// Adds the columns of a level to `columns`, and what it needs besides.
    fn add_level(&mut self, node: &'a ReadNode, columns: &mut Columns<'a>) {
        let is_column = |projection: &&Projection| {
            projection.aggregate.as_ref().is_none_or(|aggregate| aggregate.operand != Operand::Rows)
        };
        for projection in node.select.iter().filter(is_column) {
            self.add_target(&projection.target, columns);
        }
        for order in &node.order {
            match &order.related {
                None => self.add_target(&order.target, columns),
                Some(related) => self.add_related(related, Some(&order.target), columns),
            }
        }
        self.add_condition(&node.filter, columns);
        self.add_searches(&node.from, &node.filter);
        for embed in &node.embeds {
            columns.extend(embed.relationship.source_columns());
            match embed.relationship.computed() {
                // What the function gives is its own to give.
                Some(computed) => {
                    self.add_computed(computed, columns);
                    self.add_level(&embed.node, &mut Columns::new());
                }
                None => {
                    self.add_ends(&embed.relationship);
                    self.add_node(&embed.node);
                }
            }
        }
    }

    /// Adds a column, or what a function of the row needs: to be handed the row, it must be readable whole.
    fn add_target(&mut self, target: &'a Target, columns: &mut Columns<'a>) {
        let Some(function) = &target.computed else {
            columns.insert(&target.column);
            return;
        };
        columns.extend(function.row.iter().map(String::as_str));
        self.add_function(&function.routine.name.name, &function.routine.grantees, function.routine.body.as_deref());
    }

    fn add_computed(&mut self, computed: &'a Computed, columns: &mut Columns<'a>) {
        columns.extend(computed.row.iter().map(String::as_str));
        // A server checks for itself.
        if computed.body.is_some() {
            self.add_function(&computed.function.name, &computed.grantees, computed.body.as_deref());
        }
    }

    /// The result is the function's to give: what is embedded in it is not.
    fn add_call(&mut self, call: &'a Call) {
        self.is_call = true;
        if call.body.is_some() {
            self.add_function(&call.function.name, &call.grantees, call.body.as_deref());
        }
        self.add_top(&call.read, &mut Columns::new());
    }

    fn add_function(&mut self, name: &'a str, grantees: &'a BTreeSet<String>, body: Option<&'a Body>) {
        self.calls.push((name, grantees));
        let Some(body) = body else { return };
        for of in &body.uses {
            let columns = of.columns.iter().map(String::as_str).collect();
            let need = Need { table: &of.table, privilege: of.privilege, columns };
            match of.bearer {
                Bearer::Caller => self.called.push(need),
                Bearer::Owner => self.trusted.push(need),
            }
        }
        self.calls.extend(body.calls.iter().map(|(signature, grantees)| (signature.as_str(), grantees)));
    }

    /// Adds the columns of a condition to `columns`, and what it needs of other tables.
    fn add_condition(&mut self, condition: &'a Condition, columns: &mut Columns<'a>) {
        match condition {
            Condition::And(children) | Condition::Or(children) => {
                children.iter().for_each(|child| self.add_condition(child, columns));
            }
            Condition::Not(child) | Condition::Behind(_, child) => self.add_condition(child, columns),
            Condition::Test(target, _) => self.add_target(target, columns),
            Condition::Related(related) => self.add_related(related, None, columns),
        }
    }

    fn add_searches(&mut self, table: &'a QualifiedName, filter: &'a Condition) {
        self.searches.extend(filter.indexes().into_iter().map(|index| (table, index)));
    }

    /// Adds what is needed to look at related rows, and at one of their columns.
    fn add_related(&mut self, related: &'a Related, target: Option<&'a Target>, columns: &mut Columns<'a>) {
        columns.extend(related.relationship.source_columns());
        let mut inner = Columns::new();
        if let Some(target) = target {
            self.add_target(target, &mut inner);
        }
        self.add_condition(&related.filter, &mut inner);
        self.add_searches(&related.relationship.target, &related.filter);
        match related.relationship.computed() {
            Some(computed) => self.add_computed(computed, columns),
            None => {
                self.add_ends(&related.relationship);
                self.add(&related.relationship.target, Privilege::Select, inner);
            }
        }
    }

    /// Adds the columns at the far side of a relationship, and those of its junction.
    fn add_ends(&mut self, relationship: &'a Relationship) {
        self.add(&relationship.target, Privilege::Select, relationship.target_columns());
        if let Some(junction) = relationship.junction() {
            let columns = junction.source.columns.iter().chain(&junction.target.columns);
            self.add(&junction.table, Privilege::Select, columns.map(|(_, column)| column.as_str()));
        }
    }

    fn add_insert(&mut self, insert: &'a Insert) {
        let table = &insert.into;
        let written = written(insert.through.as_deref(), &insert.columns);
        self.add(table, Privilege::Insert, written.iter().copied());
        let mut privileges = vec![Privilege::Insert];
        if let Some(conflict) = &insert.conflict {
            let key = insert.through.as_ref().map_or(&conflict.columns, |through| &through.key);
            self.add(table, Privilege::Select, key.iter().map(String::as_str));
            if conflict.resolution == Resolution::MergeDuplicates {
                self.add(table, Privilege::Update, written);
                privileges.push(Privilege::Update);
            }
        }
        self.add_returning(table, &insert.returning);
        self.add_through(table, insert.through.as_deref(), &privileges);
    }

    fn add_update(&mut self, update: &'a Update) {
        let written = written(update.through.as_deref(), &update.columns);
        self.add(&update.table, Privilege::Update, written);
        self.add_filter(&update.table, &update.filter);
        self.add_returning(&update.table, &update.returning);
        self.add_through(&update.table, update.through.as_deref(), &[Privilege::Update]);
    }

    fn add_delete(&mut self, delete: &'a Delete) {
        self.add(&delete.from, Privilege::Delete, []);
        self.add_filter(&delete.from, &delete.filter);
        self.add_returning(&delete.from, &delete.returning);
        self.add_through(&delete.from, delete.through.as_deref(), &[Privilege::Delete]);
    }

    /// Adds what a write to a view does behind it, when all that it does to the view is known. Who reads a column of the
    /// view reads all that its query does.
    fn add_through(&mut self, view: &QualifiedName, through: Option<&'a Through>, privileges: &[Privilege]) {
        let Some(through) = through else { return };
        let wanted = self.columns_read(view);
        let is_read = !wanted.is_empty();
        let mut written: Columns<'a> = through.written.iter().map(String::as_str).collect();
        for (level, behind) in through.levels.iter().zip(through.behind(wanted)) {
            let (of, shows) = (&level.shows.of, &level.shows);
            written = written.into_iter().filter_map(|name| shows.column(name)).collect();
            let is_invoker = shows.rights == ViewRights::Invoker;
            let needs = if is_invoker { &mut self.behind } else { &mut self.owned };
            for privilege in privileges {
                let columns = if *privilege == Privilege::Delete { Columns::new() } else { written.clone() };
                needs.push(Need { table: of, privilege: *privilege, columns });
            }
            if is_invoker && is_read {
                needs.push(Need { table: of, privilege: Privilege::Select, columns: shows.reads() });
            }
            // Whether a sender may read what the view asks for in their name is asked where row security is worked out.
            self.owned.extend(behind.reads.into_iter().chain(behind.trusted).flatten().map(read));
            self.owned.push(Need { table: of, privilege: Privilege::Select, columns: behind.columns });
        }
    }

    fn add_filter(&mut self, table: &'a QualifiedName, filter: &'a Condition) {
        let mut columns = Columns::new();
        self.add_condition(filter, &mut columns);
        self.add_searches(table, filter);
        if !columns.is_empty() {
            self.add(table, Privilege::Select, columns);
        }
    }

    fn add_returning(&mut self, table: &'a QualifiedName, returning: &'a Returning) {
        match returning {
            Returning::Nothing => {}
            Returning::Location(key) => self.add(table, Privilege::Select, key.iter().map(String::as_str)),
            Returning::Rows(node) => self.add_node(node),
        }
    }
}

/// The columns that are given values, as the request names them.
fn written<'a>(through: Option<&'a Through>, columns: &'a [InsertColumn]) -> Vec<&'a str> {
    match through {
        Some(through) => through.written.iter().map(String::as_str).collect(),
        None => columns.iter().map(|column| column.name.as_str()).collect(),
    }
}

fn read<'a>((table, columns): (&'a QualifiedName, &'a BTreeSet<String>)) -> Need<'a> {
    Need { table, privilege: Privilege::Select, columns: columns.iter().map(String::as_str).collect() }
}
