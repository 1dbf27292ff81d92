//! From a plan to an authorized plan: the only door to SQL.
//!
//! On Postgres the server enforces grants and policies, and planning only picks the role to act as. On SQLite the
//! grants of the catalog are read here, as Postgres reads its own: a privilege on the whole table or on each column
//! that is touched, held by the role, by a role it is a member of, or by `public`.
//!
//! Source: <https://www.postgresql.org/docs/current/ddl-priv.html>,
//! <https://www.postgresql.org/docs/current/sql-insert.html> (privileges of `ON CONFLICT`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::needs::Need;
use super::{AccessMode, Action, Engine, Error, Plan, Reach, Rules, Settings, Zone, negotiate, write};
use crate::auth::Identity;
use crate::catalog::{Catalog, EVERYONE, Grant, Isolation, Kind, Narrowed, Privilege, QualifiedName, Tuning};
use crate::request::Origin;

/// A plan that its sender may have run. Only this module makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized {
    plan: Arc<Plan>,
    session: Arc<Session>,
    rules: Arc<Rules>,
}

/// What the engine is told of the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// The role to act as; `None`: as the connection's own user.
    pub role: Option<String>,
    /// The token's claims as JSON text.
    pub claims: String,
    /// The request, for `request.method` and its like.
    pub origin: Origin,
    /// `Prefer: timezone=` (Postgres).
    pub timezone: Option<String>,
    /// The same, read (SQLite); `None`: UTC.
    pub zone: Option<Zone>,
    /// How far the transaction is kept from others (Postgres).
    pub isolation: Option<Isolation>,
    /// Settings of the role (Postgres).
    pub role_settings: Vec<(String, String)>,
    /// Settings of the function that is called (Postgres).
    pub call_settings: Vec<(String, String)>,
    /// The schema, first of the search path.
    pub schema: String,
    /// Nothing may be changed.
    pub read_only: bool,
    /// Undo everything at the end (`dry-run`, `tx=rollback`, or `DB_TX_END`).
    pub rollback: bool,
}

impl Authorized {
    /// Decides whether `identity` may have `plan` run, and as whom.
    ///
    /// # Errors
    /// [`Error::Sqlstate`]: `42501` without the privilege, `22023` for a role that does not exist (SQLite).
    pub fn authorize(
        plan: Plan,
        identity: &Identity,
        catalog: &Catalog,
        settings: &Settings,
        origin: Origin,
    ) -> Result<Self, Error> {
        let mut plan = plan;
        let mut rules = Rules::default();
        let read_only = plan.action.is_read_only();
        match (settings.access, settings.engine, plan.action.table()) {
            (AccessMode::Read, _, table) if !read_only => return Err(denied_write(&plan.action, table, catalog)),
            (AccessMode::Closed, Engine::Sqlite, _) => {
                let roles = Roles::of_existing(&identity.role, catalog)?;
                roles.require_usage(&plan.action)?;
                rules = Rules::of(&plan.action, &roles, catalog)?;
                rules.guard(&mut plan);
            }
            (AccessMode::Closed, Engine::Postgres, _) | (AccessMode::Read | AccessMode::Open, _, _) => {}
        }
        write::check_repeated(&plan.action)?;
        let schema = match (&plan.action, plan.action.table()) {
            (_, Some(table)) => table.schema.clone(),
            (Action::Describe { schema, .. }, None) => schema.clone(),
            (Action::Call(call), None) => call.function.schema.clone(),
            (_, None) => negotiate::default_schema(settings).to_owned(),
        };
        let role = (settings.access == AccessMode::Closed).then(|| identity.role.clone());
        let of_role = role.as_ref().and_then(|role| catalog.role_tuning.get(role)).cloned().unwrap_or_default();
        let of_call = if let Action::Call(call) = &plan.action { call.tuning.clone() } else { Tuning::default() };
        let session = Session {
            role,
            claims: identity.claims.clone(),
            origin,
            timezone: plan.preferences.timezone.clone(),
            zone: plan.zone.clone(),
            isolation: of_call.isolation.or(of_role.isolation),
            role_settings: of_role.settings,
            call_settings: of_call.settings,
            schema,
            read_only,
            // What changed nothing has nothing to undo.
            rollback: !read_only && settings.is_undone(&plan.preferences),
        };
        Ok(Self { plan: Arc::new(plan), session: Arc::new(session), rules: Arc::new(rules) })
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What may be touched for it.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::Plan(Arc::clone(&self.plan), Arc::clone(&self.rules))
    }

    /// What row security adds to the plan.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What the engine is told.
    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

/// The roles whose privileges somebody has, and what these are.
#[derive(Debug)]
pub struct Roles<'a> {
    /// The role, the roles it is a member of, directly or through others, and `public`.
    pub(super) all: BTreeSet<&'a str>,
    /// Row policies do not hold.
    pub(super) bypasses_policies: bool,
    catalog: &'a Catalog,
}

impl<'a> Roles<'a> {
    /// Those of a role, whether or not it is known to exist: a Postgres server alone knows its roles.
    #[must_use]
    pub fn of(role: &'a str, catalog: &'a Catalog) -> Self {
        let mut all = BTreeSet::from([EVERYONE]);
        let mut waiting = vec![role];
        while let Some(next) = waiting.pop() {
            // A role that is there already is not followed again: memberships may form a circle.
            if all.insert(next) {
                waiting.extend(catalog.roles.get(next).into_iter().flatten().map(String::as_str));
            }
        }
        Self { all, bypasses_policies: catalog.bypassing_roles.contains(role), catalog }
    }

    /// Those of a role that exists (SQLite).
    ///
    /// # Errors
    /// `22023` for one that does not.
    pub fn of_existing(role: &'a str, catalog: &'a Catalog) -> Result<Self, Error> {
        if role != EVERYONE && !catalog.roles.contains_key(role) {
            return Err(Error::sqlstate("22023", format!("role \"{role}\" does not exist")));
        }
        Ok(Self::of(role, catalog))
    }

    /// True when one of them may use the schema.
    #[must_use]
    pub fn may_use(&self, schema: &str) -> bool {
        self.catalog.schema_users.get(schema).is_none_or(|users| self.holds_any(users))
    }

    /// Refuses an action on what is in a schema that none of them may use. As on Postgres the names in a statement are
    /// looked up before anything else; what policies, views and functions name was looked up when they were made.
    ///
    /// # Errors
    /// `42501`.
    fn require_usage(&self, action: &Action) -> Result<(), Error> {
        let schema = match action {
            Action::Read(_) | Action::Insert(_) | Action::Update(_) | Action::Delete(_) => action.table(),
            Action::Call(call) => Some(&call.function),
            Action::TableInfo(_) | Action::RoutineInfo(_) | Action::RootInfo | Action::Describe { .. } => None,
        };
        match schema.map(|name| &name.schema).filter(|schema| !self.may_use(schema)) {
            Some(schema) => Err(Error::sqlstate("42501", format!("permission denied for schema {schema}"))),
            None => Ok(()),
        }
    }

    /// True when one of them holds the privilege on the whole table, or some together hold it on each of the columns;
    /// without columns, on any.
    #[must_use]
    pub fn may<'c>(
        &self,
        privilege: Privilege,
        table: &QualifiedName,
        columns: impl IntoIterator<Item = &'c str>,
    ) -> bool {
        match self.held(privilege, table) {
            Held::Whole => true,
            // As in Postgres, `DELETE` cannot be granted on columns.
            Held::Columns(held) => {
                !held.is_empty()
                    && privilege != Privilege::Delete
                    && columns.into_iter().all(|column| held.contains(column))
            }
        }
    }

    /// What they together hold a privilege on.
    fn held(&self, privilege: Privilege, table: &QualifiedName) -> Held<'a> {
        let mut held = BTreeSet::new();
        let of_table = self.catalog.grants.iter().filter(|grant| grant.privilege == privilege && &grant.table == table);
        for grant in of_table.filter(|grant| self.all.contains(grant.grantee.as_str())) {
            match &grant.columns {
                None => return Held::Whole,
                Some(columns) => held.extend(columns.iter().map(String::as_str)),
            }
        }
        Held::Columns(held)
    }

    /// True when one of them holds any privilege on the table: what they may know of.
    #[must_use]
    pub fn may_know(&self, table: &QualifiedName) -> bool {
        let of_server = self.catalog.users.get(table).into_iter().flatten().map(String::as_str);
        let of_table = self.catalog.grants.iter().filter(|grant| &grant.table == table);
        of_server.chain(of_table.map(|grant| grant.grantee.as_str())).any(|grantee| self.all.contains(grantee))
    }

    /// True when one of them is among those that may call a function.
    #[must_use]
    pub fn may_call(&self, grantees: &BTreeSet<String>) -> bool {
        self.holds_any(grantees)
    }

    fn holds_any(&self, grantees: &BTreeSet<String>) -> bool {
        grantees.iter().any(|grantee| self.all.contains(grantee.as_str()))
    }

    /// True when an error may tell them the values of these columns: they may read each of them, of every row.
    ///
    /// Source: `BuildIndexValueDescription` and `ri_ReportViolation` of Postgres.
    #[must_use]
    pub fn may_see(&self, table: &QualifiedName, columns: &[String]) -> bool {
        let is_whole = self.bypasses_policies || !self.catalog.row_security.contains_key(table);
        is_whole && self.may(Privilege::Select, table, columns.iter().map(String::as_str))
    }
}

/// What a privilege is held on.
#[derive(Debug)]
enum Held<'a> {
    /// The table.
    Whole,
    /// These columns of it.
    Columns(BTreeSet<&'a str>),
}

impl Need<'_> {
    /// Refuses what is held by none of the sender's roles.
    ///
    /// # Errors
    /// `42501`.
    pub(super) fn check(&self, roles: &Roles<'_>) -> Result<(), Error> {
        if roles.may(self.privilege, self.table, self.columns.iter().copied()) {
            return Ok(());
        }
        Err(denied(roles.catalog, self.table))
    }
}

/// What `*` stands for, by the grants of a catalog.
#[must_use]
pub fn narrowed(catalog: &Catalog) -> Narrowed {
    let is_narrow = |grant: &&Grant| grant.privilege == Privilege::Select && grant.columns.is_some();
    let tables: BTreeSet<&QualifiedName> = catalog.grants.iter().filter(is_narrow).map(|grant| &grant.table).collect();
    let of_role = |table: &QualifiedName, role: &String| {
        let Held::Columns(held) = Roles::of(role, catalog).held(Privilege::Select, table) else { return None };
        let all = &catalog.table(table)?.columns;
        let is_held = |name: &&String| held.contains(name.as_str());
        let columns: BTreeSet<String> = all.iter().map(|column| &column.name).filter(is_held).cloned().collect();
        (!columns.is_empty() && columns.len() < all.len()).then(|| (role.clone(), columns))
    };
    let of_table = |table: &QualifiedName| {
        let roles = catalog.roles.keys().filter_map(|role| of_role(table, role)).collect();
        (table.clone(), roles)
    };
    tables.into_iter().map(of_table).collect()
}

/// 42501 for a write where nothing may be written.
fn denied_write(action: &Action, table: Option<&QualifiedName>, catalog: &Catalog) -> Error {
    match (action, table) {
        (Action::Call(call), _) => denied_call(&call.function.name),
        (_, Some(table)) => denied(catalog, table),
        (_, None) => Error::sqlstate("42501", "permission denied"),
    }
}

/// 42501 for a function.
pub(super) fn denied_call(function: &str) -> Error {
    Error::sqlstate("42501", format!("permission denied for function {function}"))
}

/// 42501 for a table or view.
fn denied(catalog: &Catalog, table: &QualifiedName) -> Error {
    let kind = match catalog.table(table).map(|table| table.kind) {
        Some(Kind::View) => "view",
        Some(Kind::Table) | None => "table",
    };
    Error::sqlstate("42501", format!("permission denied for {kind} {}", table.name))
}
