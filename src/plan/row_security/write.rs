//! What must hold of rows that a write changes, and of what they become.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Applying, Rule};
use crate::catalog::{
    Bearer, Catalog, Change, Column, EVERYONE, Expression, Generated, Policy, Privilege, QualifiedName, Reads,
    RowSecurity, Table, Verb, ViewRights,
};
use crate::plan::authorize::Roles;
use crate::plan::needs::Needs;
use crate::plan::{Action, Error, Insert};
use crate::request::prefer::Resolution;

/// SQLite's table of the last numbers that it gave out.
const NUMBERS: &str = "sqlite_sequence";

/// What SQLite's authorizer calls the number of a row that no column shows.
const ROW_ID: &str = "ROWID";

/// What must hold of the rows of a write.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteRules {
    /// Of the rows that are there: those for which one of these does not hold are not touched.
    pub existing: Vec<Rule>,
    /// Of each row that comes, whether or not its key is taken.
    pub inserted: Vec<Check>,
    /// Of a row that is there and has the key of one that came.
    pub conflicting: Vec<Check>,
    /// Of what a row becomes.
    pub updated: Vec<Check>,
    /// The columns of a row that `inserted` and `updated` look at.
    pub row: Vec<RowColumn>,
    /// The column that is named when a row without any value comes.
    pub fallback: Option<RowColumn>,
}

/// What a row must be, or the write fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// One of these; none: no row is.
    pub any: Vec<Arc<Expression>>,
    /// What is said otherwise, with 42501.
    pub message: String,
}

/// A column of a row that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowColumn {
    /// Its name.
    pub name: String,
    /// What it has when the request gives it no value.
    pub absent: Absent,
    /// It is a `numeric` that is held as text.
    pub is_decimal: bool,
}

/// What a new row has in a column that is given no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// Nothing.
    Null,
    /// The value of this expression.
    Default(String),
    /// The next number, which is the value of this expression.
    Number(String),
    /// Always the value of this expression over the others.
    Generated(String),
}

/// The rules for an action; none for what does not write, and where row security does not hold.
pub(super) fn rules(action: &Action, needs: &Needs<'_>, roles: &Roles<'_>, catalog: &Catalog) -> WriteRules {
    // Of the roles that policies are for, the owner of a view is none.
    let by_owner = action.through().and_then(|through| through.levels.last()).map(|level| level.shows.rights)
        == Some(ViewRights::Owner);
    let holds = |security: &&RowSecurity| if by_owner { security.forced } else { !roles.bypasses_policies };
    let Some((table, security)) =
        action.written().and_then(|name| Some((catalog.table(name)?, catalog.row_security.get(name).filter(holds)?)))
    else {
        return WriteRules::default();
    };
    let is_read = action.table().is_some_and(|named| needs.reads(named));
    let everyone = BTreeSet::from([EVERYONE]);
    let roles = if by_owner { &everyone } else { &roles.all };
    let target = Target { name: &table.name, security, roles, is_read };
    let rules = match action {
        Action::Insert(insert) => target.insert(insert),
        Action::Update(_) => {
            let updated = target.checks(Privilege::Update);
            WriteRules { existing: target.existing(Privilege::Update), updated, ..WriteRules::default() }
        }
        Action::Delete(_) => WriteRules { existing: target.existing(Privilege::Delete), ..WriteRules::default() },
        Action::Read(_)
        | Action::Call(_)
        | Action::TableInfo(_)
        | Action::RoutineInfo(_)
        | Action::RootInfo
        | Action::Describe { .. } => return WriteRules::default(),
    };
    let row = row(&rules, table, security);
    WriteRules { row, fallback: fallback(table), ..rules }
}

/// The rules for what the statements of a function write with the privileges of whoever calls it.
///
/// # Errors
/// [`Error::Sqlstate`] 0A000 for what the rules cannot be told of.
pub(super) fn called(
    action: &Action,
    needs: &Needs<'_>,
    roles: &Roles<'_>,
    catalog: &Catalog,
) -> Result<BTreeMap<Change, WriteRules>, Error> {
    let security_of = |table: &QualifiedName| catalog.row_security.get(table);
    if let Some(need) = needs.trusted.iter().find(|need| security_of(need.table).is_some_and(|of| of.forced)) {
        let table = &need.table.name;
        let message = format!("a function with the rights of its owner over \"{table}\", whose row security is forced");
        return Err(Error::sqlstate("0A000", format!("{message}, is not supported")));
    }
    let Action::Call(call) = action else { return Ok(BTreeMap::new()) };
    let mut rules = BTreeMap::new();
    let changes = call.body.iter().flat_map(|body| &body.steps).filter_map(|step| step.change.as_ref());
    for change in changes.filter(|change| change.bearer == Bearer::Caller && !roles.bypasses_policies) {
        let Some(security) = security_of(&change.table) else { continue };
        let target = Target { name: &change.table, security, roles: &roles.all, is_read: change.reads };
        let (existing, inserted, updated) = match change.verb {
            Verb::Insert if change.merges => {
                let table = &change.table.name;
                let message = format!("ON CONFLICT DO UPDATE in a function over \"{table}\", which has row security");
                return Err(Error::sqlstate("0A000", format!("{message}, is not supported")));
            }
            Verb::Insert => (Vec::new(), target.checks(Privilege::Insert), Vec::new()),
            Verb::Update => (target.existing(Privilege::Update), Vec::new(), target.checks(Privilege::Update)),
            Verb::Delete => (target.existing(Privilege::Delete), Vec::new(), Vec::new()),
        };
        rules.insert(change.clone(), WriteRules { existing, inserted, updated, ..WriteRules::default() });
    }
    Ok(rules)
}

/// Adds what rows are told apart by.
pub(super) fn add_key(table: &QualifiedName, catalog: &Catalog, reads: &mut Reads) {
    let key = catalog.table(table).into_iter().flat_map(|table| &table.primary_key);
    reads.entry(table.clone()).or_default().extend(key.cloned().chain([ROW_ID.to_owned()]));
}

/// The table that is written to.
struct Target<'a> {
    name: &'a QualifiedName,
    security: &'a RowSecurity,
    roles: &'a BTreeSet<&'a str>,
    /// Columns of it are read: by the filter, by what is given back, or for the key of a conflict.
    is_read: bool,
}

impl Target<'_> {
    fn applying(&self, command: Privilege) -> Applying<'_> {
        Applying::find(self.security, command, self.roles)
    }

    fn existing(&self, command: Privilege) -> Vec<Rule> {
        let read = self.is_read.then(|| Rule::of(&self.applying(Privilege::Select)));
        std::iter::once(Rule::of(&self.applying(command))).chain(read).collect()
    }

    /// What a new row must be: `WITH CHECK`, and visible when it is read.
    fn checks(&self, command: Privilege) -> Vec<Check> {
        let check = |policy: &Policy| policy.check.clone().or_else(|| policy.using.clone());
        let mut checks = self.put_together(command, "", check);
        if self.is_read {
            checks.extend(self.put_together(Privilege::Select, "", |policy| policy.using.clone()));
        }
        checks
    }

    fn insert(&self, insert: &Insert) -> WriteRules {
        let inserted = self.checks(Privilege::Insert);
        let merges = insert.conflict.as_ref().is_some_and(|of| of.resolution == Resolution::MergeDuplicates);
        if !merges {
            return WriteRules { inserted, ..WriteRules::default() };
        }
        let mut conflicting = Vec::new();
        for command in [Some(Privilege::Update), self.is_read.then_some(Privilege::Select)].into_iter().flatten() {
            conflicting.extend(self.put_together(command, " (USING expression)", |policy| policy.using.clone()));
        }
        WriteRules { inserted, conflicting, updated: self.checks(Privilege::Update), ..WriteRules::default() }
    }

    /// The alternatives together, then each restrictive policy by its name.
    fn put_together(
        &self,
        command: Privilege,
        remark: &str,
        expression: impl Fn(&Policy) -> Option<Arc<Expression>>,
    ) -> Vec<Check> {
        let Applying { permissive, restrictive } = self.applying(command);
        let (violation, table) = ("new row violates row-level security policy", &self.name.name);
        let any: Vec<Arc<Expression>> = permissive.iter().filter_map(|policy| expression(policy)).collect();
        let is_closed = any.is_empty();
        let first = Check { any, message: format!("{violation}{remark} for table \"{table}\"") };
        let others = restrictive.iter().filter(|_| !is_closed).filter_map(|policy| {
            let message = format!("{violation} \"{}\"{remark} for table \"{table}\"", policy.name);
            Some(Check { any: vec![expression(policy)?], message })
        });
        std::iter::once(first).chain(others).collect()
    }
}

/// The columns that the checks look at. What is generated needs all others.
fn row(rules: &WriteRules, table: &Table, security: &RowSecurity) -> Vec<RowColumn> {
    let checks = rules.inserted.iter().chain(&rules.updated);
    let looked_at: BTreeSet<&String> = checks.flat_map(|check| &check.any).flat_map(|of| &of.columns).collect();
    let needs_all = looked_at.iter().any(|name| security.generated.contains_key(*name));
    let column = |column: &Column| {
        let is_generated = column.generated == Generated::Computed;
        let absent = match (security.generated.get(&column.name), &column.default, &security.next_number) {
            (Some(sql), _, _) => Absent::Generated(sql.clone()),
            (None, Some(default), _) => Absent::Default(default.clone()),
            (None, None, Some(next)) if column.generated != Generated::No && !is_generated => {
                Absent::Number(next.clone())
            }
            (None, None, _) => Absent::Null,
        };
        let is_wanted = looked_at.contains(&column.name) || (needs_all && !is_generated);
        is_wanted.then(|| RowColumn::of(column, absent))
    };
    table.columns.iter().filter_map(column).collect()
}

/// The first column that may be given a value. Null in the row id is its next number.
fn fallback(table: &Table) -> Option<RowColumn> {
    let column = table.columns.iter().find(|column| column.generated != Generated::Computed)?;
    let absent = column.default.clone().map_or(Absent::Null, Absent::Default);
    Some(RowColumn::of(column, absent))
}

impl RowColumn {
    fn of(column: &Column, absent: Absent) -> Self {
        Self { name: column.name.clone(), absent, is_decimal: column.type_name.kind.is_decimal_text() }
    }
}

impl WriteRules {
    /// All that is evaluated.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Arc<Expression>> {
        let checks = self.inserted.iter().chain(&self.conflicting).chain(&self.updated);
        self.existing.iter().flat_map(Rule::expressions).chain(checks.flat_map(|check| &check.any))
    }

    /// Adds the columns that a changed row keeps, and where the next number comes from.
    pub(super) fn add_reads(&self, action: &Action, reads: &mut Reads) {
        let Some(table) = action.written().filter(|_| !self.row.is_empty()) else { return };
        let columns = self.row.iter().map(|column| column.name.clone());
        reads.entry(table.clone()).or_default().extend(columns);
        if self.row.iter().any(|column| matches!(column.absent, Absent::Number(_))) {
            let numbers = QualifiedName::new(table.schema.clone(), NUMBERS);
            reads.entry(numbers).or_default().extend(["name", "seq"].map(str::to_owned));
        }
    }
}
