//! Everything that migrations have made so far.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Function, Table};
use super::types::UserTypes;
use super::usage::SchemaUsers;
use super::{Refusal, refuse};

/// The schema as PostgreSQL would know it, with what SQLite has no place for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Schema {
    /// Tables that migrations made, by name.
    pub(crate) tables: BTreeMap<String, Table>,
    /// Views, by name, as far as their columns could be told: those that no migration made have none.
    pub(crate) views: BTreeMap<String, Table>,
    /// Tables that were in the file before, which can be read and written but not altered.
    pub(crate) foreign: BTreeMap<String, Table>,
    /// What SQLite says of the columns of the views that no migration made.
    pub(crate) foreign_views: BTreeMap<String, Table>,
    /// Enumerations and domains, by name.
    pub(crate) types: UserTypes,
    /// Functions, by signature.
    pub(crate) functions: BTreeMap<String, Function>,
    /// Sequences that belong to no column yet, by name, with the number that each gives next. They live for one script.
    pub(crate) sequences: BTreeMap<String, i64>,
    /// Roles, by name.
    pub(crate) roles: BTreeMap<String, Role>,
    /// Who may use the schema.
    pub(crate) users: SchemaUsers,
    /// What was granted on tables and views.
    pub(crate) grants: BTreeSet<Grant>,
    /// What later tables and views are granted.
    pub(crate) default_grants: BTreeSet<DefaultGrant>,
    /// Row security, by table.
    pub(crate) row_security: BTreeMap<String, RowSecurity>,
    /// Row policies, by table and name.
    pub(crate) policies: BTreeMap<(String, String), Policy>,
    /// Views that run with the rights of whoever asks.
    pub(crate) invoker_views: BTreeSet<String>,
    /// Views with a check option: `local` or `cascaded`.
    pub(crate) checked_views: BTreeMap<String, String>,
    /// Comments.
    pub(crate) comments: BTreeMap<(ObjectKind, String, String), String>,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Role {
    /// The roles that it was granted.
    pub(crate) member_of: BTreeSet<String>,
    /// Whether it has their privileges.
    pub(crate) inheritance: Inheritance,
    /// `BYPASSRLS`: row policies do not hold for it. Those who are members of it do not get that.
    pub(crate) bypasses_policies: bool,
}

/// Whether the policies of a table hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RowSecurity {
    /// They do.
    pub(crate) enabled: bool,
    /// For its owner too.
    pub(crate) forced: bool,
}

/// A row policy, its expressions in PostgreSQL's syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How it is put together with others.
    pub(crate) kind: PolicyKind,
    /// What it is for.
    pub(crate) command: PolicyCommand,
    /// The roles that it is for; `public` is everyone.
    pub(crate) roles: Vec<String>,
    /// `USING`: which rows are there.
    pub(crate) using: Option<String>,
    /// `WITH CHECK`: which rows may be written.
    pub(crate) check: Option<String>,
}

/// How a policy is put together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    /// One of them must hold.
    Permissive,
    /// Each must hold.
    Restrictive,
}

impl PolicyKind {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Permissive, Self::Restrictive];

    /// Its name in `_berth_policies`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::Restrictive => "restrictive",
        }
    }
}

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyCommand {
    /// All of those below.
    All,
    /// Reading rows.
    Select,
    /// Adding rows.
    Insert,
    /// Changing rows.
    Update,
    /// Removing rows.
    Delete,
}

impl PolicyCommand {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::All, Self::Select, Self::Insert, Self::Update, Self::Delete];

    /// Its name in `_berth_policies`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What membership gives a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Inheritance {
    /// `INHERIT`: the privileges of the roles that it is a member of.
    #[default]
    Inherits,
    /// `NOINHERIT`: none of them. On Postgres it may act as those roles; here a request names its role itself.
    Isolated,
}

impl Inheritance {
    /// What `INHERIT` and `NOINHERIT` say.
    pub(super) fn of(inherits: bool) -> Self {
        if inherits { Self::Inherits } else { Self::Isolated }
    }
}

/// One privilege on one table or view. Grants on columns are one each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    /// The role; `public` is everyone.
    pub(crate) grantee: String,
    /// The table or view.
    pub(crate) table: String,
    /// `select`, `insert`, `update` or `delete`.
    pub(crate) privilege: &'static str,
    /// The column it is for; `None`: all, also later ones.
    pub(crate) column: Option<String>,
}

/// One privilege that tables and views get when they are made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DefaultGrant {
    /// Where it was said. What was said for one schema is not taken back by a `REVOKE` for all, nor the other way.
    pub(crate) reach: Reach,
    /// The role; `public` is everyone.
    pub(crate) grantee: String,
    /// `select`, `insert`, `update` or `delete`.
    pub(crate) privilege: &'static str,
}

/// Where default privileges apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// In every schema.
    Everywhere,
    /// In the one that SQLite has.
    Schema,
}

impl Reach {
    /// Its name in `_berth_default_grants`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Schema => "schema",
        }
    }
}

/// What a comment is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectKind {
    /// The schema.
    Schema,
    /// A table or view.
    Table,
    /// A column.
    Column,
    /// A function.
    Function,
}

impl ObjectKind {
    /// Its name in `_berth_comments`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Column => "column",
            Self::Function => "function",
        }
    }
}

impl Schema {
    /// The table of that name, when a migration made it.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The table or view of that name, when its columns are known.
    pub(super) fn relation(&self, name: &str) -> Option<&Table> {
        let view =
            || self.views.get(name).filter(|view| !view.columns.is_empty()).or_else(|| self.foreign_views.get(name));
        self.tables.get(name).or_else(view).or_else(|| self.foreign.get(name))
    }

    /// True for a table or view of that name, whoever made it.
    pub(super) fn has_relation(&self, name: &str) -> bool {
        self.tables.contains_key(name) || self.views.contains_key(name) || self.foreign.contains_key(name)
    }

    /// Refuses what is neither a table nor a view.
    pub(super) fn require_relation(&self, name: &str) -> Result<(), Refusal> {
        if self.has_relation(name) { Ok(()) } else { refuse(format!("relation \"{name}\" does not exist")) }
    }

    /// The table of that name, to be changed.
    pub(super) fn require_table(&mut self, name: &str) -> Result<&mut Table, Refusal> {
        if self.foreign.contains_key(name) {
            return refuse(format!("the table \"{name}\" was not made by a migration, and cannot be altered by one"));
        }
        if self.views.contains_key(name) {
            return refuse(format!("\"{name}\" is a view"));
        }
        self.tables.get_mut(name).ok_or_else(|| Refusal(format!("relation \"{name}\" does not exist")))
    }

    /// Forgets a table or view, its comments, grants and policies.
    pub(super) fn forget_relation(&mut self, name: &str) {
        self.row_security.remove(name);
        self.policies.retain(|(table, _), _| table != name);
        self.invoker_views.remove(name);
        self.checked_views.remove(name);
        self.tables.remove(name);
        self.views.remove(name);
        self.foreign.remove(name);
        self.foreign_views.remove(name);
        self.comments.retain(|(kind, table, _), _| *kind == ObjectKind::Schema || table != name);
        self.grants.retain(|grant| grant.table != name);
    }

    /// Lets comments, grants and the foreign keys of others follow a table or view to its new name.
    pub(super) fn rename_relation(&mut self, from: &str, to: &str) {
        if let Some(mut table) = self.tables.remove(from) {
            to.clone_into(&mut table.name);
            self.tables.insert(to.to_owned(), table);
        }
        for key in self.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.references == from {
                to.clone_into(&mut key.references);
            }
        }
        let renamed = |table: String| if table == from { to.to_owned() } else { table };
        self.comments = std::mem::take(&mut self.comments)
            .into_iter()
            .map(|((kind, table, column), comment)| ((kind, renamed(table), column), comment))
            .collect();
        self.grants = std::mem::take(&mut self.grants)
            .into_iter()
            .map(|grant| Grant { table: renamed(grant.table), ..grant })
            .collect();
    }

    /// Lets comments, grants and the foreign keys of others follow a column to its new name.
    pub(super) fn rename_column(&mut self, of: &str, from: &str, to: &str) {
        for key in self.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
            if key.references == of {
                rename_in(&mut key.references_columns, from, to);
            }
        }
        if let Some(comment) = self.comments.remove(&(ObjectKind::Column, of.to_owned(), from.to_owned())) {
            self.comments.insert((ObjectKind::Column, of.to_owned(), to.to_owned()), comment);
        }
        self.grants = std::mem::take(&mut self.grants)
            .into_iter()
            .map(|grant| match &grant.column {
                Some(column) if grant.table == of && column == from => Grant { column: Some(to.to_owned()), ..grant },
                _ => grant,
            })
            .collect();
    }

    /// Forgets the comment and the grants on a column.
    pub(super) fn forget_column(&mut self, of: &str, column: &str) {
        self.comments.remove(&(ObjectKind::Column, of.to_owned(), column.to_owned()));
        self.grants.retain(|grant| grant.table != of || grant.column.as_deref() != Some(column));
    }
}

/// Replaces a name in a list of names.
pub(super) fn rename_in(names: &mut [String], from: &str, to: &str) {
    for name in names.iter_mut().filter(|name| *name == from) {
        to.clone_into(name);
    }
}
