//! From a wish and a catalog to a plan: names resolved, values typed, limits applied. Whatever can fail fails here.
//!
//! Planning knows no SQL. It knows what an engine can do ([`Engine`]), so that rendering cannot fail, and it is the
//! only place that makes an [`Authorized`] plan, which is the only thing rendering takes.

mod aggregate;
pub mod authorize;
mod cache;
pub mod call;
mod capability;
mod cast;
pub mod condition;
pub mod distinct;
pub mod embed;
pub mod error;
mod filter;
pub mod keyset;
pub mod mutation;
mod needs;
mod negotiate;
mod prefer;
pub mod reach;
pub mod read;
mod relation;
pub mod row_security;
mod rows;
mod scope;
mod search;
#[cfg(test)]
mod tests;
pub mod through;
pub mod value;
mod write;

pub use authorize::Authorized;
pub use call::Call;
pub use condition::{Condition, Document, Guard, Indexed, Search, Target, Test};
pub use distinct::Distinct;
pub use error::Error;
pub use keyset::Keyset;
pub use mutation::{Cell, Conflict, Delete, Insert, InsertColumn, InsertRows, Put, Update};
pub use negotiate::Maker;
pub use reach::{Reach, Touch};
pub use read::{Aggregated, Embed, Operand, Order, Projection, Read, ReadNode, Related, Shape};
pub use row_security::Rules;
pub use through::Through;
pub use value::{Value, Zone};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::{BodySource, Catalog, QualifiedName, Routine, Table, Volatility, hint};
use crate::request::method::{Method, Resource};
use crate::request::prefer::TransactionEnd;
use crate::request::{MediaType, Preferences, Request};
use negotiate::Offer;
use scope::{Purpose, Scope};

/// Which engine will run the plan: decides what is possible and who types the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// berth types the values and enforces access.
    Sqlite,
    /// The server types the values and enforces access.
    Postgres,
}

/// What planning must know beside request and catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Which engine will run it.
    pub engine: Engine,
    /// Exposed schemas; the first is the default.
    pub schemas: Vec<String>,
    /// Most rows of one answer.
    pub max_rows: Option<u64>,
    /// Whether rows may be given while they are read.
    pub streaming: Streaming,
    /// Whether aggregate functions may be used.
    pub aggregates: bool,
    /// Whether the engine's plans may be asked for.
    pub plans: bool,
    /// By which names an embedded resource is known.
    pub target_names: TargetNames,
    /// Who may do what where no grant says so.
    pub access: AccessMode,
    /// What `/` gives.
    pub root: Root,
    /// How a transaction ends when the request does not say.
    pub transaction_end: TransactionEnd,
    /// Whether the request may say.
    pub transaction_override: TransactionOverride,
}

impl Settings {
    /// What is sent, less what is ignored.
    #[must_use]
    pub fn heeded(&self, preferences: Preferences) -> Preferences {
        match self.transaction_override {
            TransactionOverride::Heeded => preferences,
            TransactionOverride::Ignored => Preferences { transaction: None, ..preferences },
        }
    }

    /// Whether a transaction that changes something is undone at its end. `preferences` are those that are heeded.
    #[must_use]
    pub fn is_undone(&self, preferences: &Preferences) -> bool {
        let end = preferences.transaction.unwrap_or(self.transaction_end);
        preferences.dry_run || end == TransactionEnd::Rollback
    }
}

/// Whether rows may be given while they are read, by who asks for lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// They may.
    Rows {
        /// Most rows of one answer.
        at_most: Option<u64>,
    },
    /// All are read first.
    No,
}

/// By which names filters, orders and limits know an embedded resource that has an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetNames {
    /// By its alias, and by its relation's name where nothing else has that name.
    Legacy,
    /// By its alias.
    Alias,
}

/// Whether `Prefer: tx=` is heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionOverride {
    /// It is.
    Heeded,
    /// It is as if it had not been sent.
    Ignored,
}

/// What a read of `/` gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Root {
    /// The description of what the role may use.
    #[default]
    Usable,
    /// The description of everything exposed.
    Everything,
    /// What the function of that name gives.
    Function(String),
    /// Nothing.
    Disabled,
}

/// `ACCESS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessMode {
    /// Grants decide.
    #[default]
    Closed,
    /// Anyone may read everything.
    Read,
    /// Anyone may do everything.
    Open,
}

/// What will be done, all names and values settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The action.
    pub action: Action,
    /// What the answer's body will be.
    pub media: MediaType,
    /// What makes the body, where berth does not (Postgres only).
    pub maker: Option<Maker>,
    /// The schema that was asked for, to be named in the answer when several are exposed.
    pub profile: Option<String>,
    /// What the sender prefers, as far as it applies.
    pub preferences: Preferences,
    /// What clocks show where the sender is; `None`: UTC, and on Postgres whatever the server says.
    pub zone: Option<Zone>,
    /// How long the answer to a read may be kept, where all tables that are read say it.
    pub cache_control: Option<String>,
}

impl Plan {
    /// Plans a request against the catalog of the moment.
    ///
    /// Takes the request whole, so that the values of a large body are not copied. `role`: whose, as far as it says what
    /// `*` stands for; access is decided by [`Authorized::authorize`].
    ///
    /// # Errors
    /// Whatever can be wrong with a request that parses; see [`Error`].
    pub fn make(request: Request, role: &str, catalog: &Catalog, settings: &Settings) -> Result<Self, Error> {
        let mut request = request;
        request.preferences = settings.heeded(request.preferences);
        let (schema, profile) = negotiate::choose_schema(request.profile.take(), settings)?;
        let resource = match (std::mem::replace(&mut request.resource, Resource::Root), &settings.root) {
            (Resource::Root, Root::Disabled) => return Err(Error::RootDisabled),
            (Resource::Root, Root::Function(name)) => Resource::Function(name.clone()),
            (resource, _) => resource,
        };
        match (resource, request.method) {
            (Resource::Root, Method::Options) => Ok(Self::without_rows(Action::RootInfo, MediaType::Any, profile)),
            (Resource::Root, Method::Get | Method::Head) => {
                let media = negotiate::choose_description_media(&request.accept)?;
                let headers_only = request.method == Method::Head;
                Ok(Self::without_rows(Action::Describe { schema, headers_only }, media, profile))
            }
            (Resource::Root, Method::Post | Method::Put | Method::Patch | Method::Delete) => {
                Err(Error::NotImplemented("the path / is read-only".to_owned()))
            }
            (Resource::Function(name), Method::Options) => {
                let routine =
                    call::resolve::find_routine(catalog, &QualifiedName { schema, name }, &BTreeSet::new(), None)?;
                Ok(Self::without_rows(Action::RoutineInfo(routine.volatility), MediaType::Any, profile))
            }
            (Resource::Function(name), _) => {
                call::plan_call(request, QualifiedName { schema, name }, role, catalog, settings, profile)
            }
            (Resource::Relation(name), method) => {
                let table = find_table(catalog, QualifiedName { schema, name })?;
                if method == Method::Options {
                    return Ok(Self::without_rows(Action::TableInfo(table.clone()), MediaType::Any, profile));
                }
                Self::of_table(table, request, role, catalog, settings, profile)
            }
        }
    }

    /// Plans a read or a write of `table`.
    fn of_table(
        table: &Table,
        request: Request,
        role: &str,
        catalog: &Catalog,
        settings: &Settings,
        profile: Option<String>,
    ) -> Result<Self, Error> {
        let method = request.method;
        let purpose = match method {
            Method::Get | Method::Head | Method::Options => Purpose::Read,
            Method::Post | Method::Put | Method::Patch | Method::Delete => Purpose::Write,
        };
        let zone = prefer::zone(&request.preferences, settings.engine)?;
        let scope = Scope::of(table, role, catalog, settings, purpose, zone.as_ref());
        let preferences = prefer::applied(&request.preferences, method, table, request.on_conflict.as_deref());
        let source = BodySource::Rows(table.name.clone());
        let offer = Offer::new(catalog, settings, source, &request.select);
        let (media, maker) = offer.choose(&request.accept)?;
        let action = match method {
            Method::Get | Method::Head => Action::Read(read::plan_read(&scope, request, &media, &preferences)?),
            Method::Post => Action::Insert(write::plan_insert(&scope, request, &media, &preferences)?),
            Method::Put => Action::Insert(write::plan_put(&scope, request, &preferences)?),
            Method::Patch => Action::Update(write::plan_update(&scope, request, &media, &preferences)?),
            Method::Delete => Action::Delete(write::plan_delete(&scope, request, &media, &preferences)?),
            Method::Options => Action::TableInfo(table.clone()),
        };
        let cache_control = cache::control_of(&action, catalog);
        Ok(Self { action, media, maker, profile, preferences, zone, cache_control })
    }

    /// True when its rows are given while they are read.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        matches!(&self.action, Action::Read(read) if read.streamed)
    }

    fn without_rows(action: Action, media: MediaType, profile: Option<String>) -> Self {
        let preferences = Preferences::default();
        Self { action, media, maker: None, profile, preferences, zone: None, cache_control: None }
    }
}

/// The table or view of that name, or a name that is close.
fn find_table(catalog: &Catalog, name: QualifiedName) -> Result<&Table, Error> {
    if let Some(table) = catalog.table(&name) {
        return Ok(table);
    }
    let beside = catalog.tables.keys().filter(|other| other.schema == name.schema).map(|other| other.name.as_str());
    let suggestion = hint::closest(&name.name, beside).map(str::to_owned);
    Err(Error::TableNotFound { schema: name.schema, name: name.name, suggestion })
}

/// The action of a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `GET` and `HEAD`.
    Read(Read),
    /// `POST` and `PUT`.
    Insert(Insert),
    /// `PATCH`.
    Update(Update),
    /// `DELETE`.
    Delete(Delete),
    /// `/rpc/…`.
    Call(Box<Call>),
    /// `OPTIONS` on a table: which verbs it takes.
    TableInfo(Table),
    /// `OPTIONS` on a function: which verbs it takes.
    RoutineInfo(Volatility),
    /// `OPTIONS` on `/`.
    RootInfo,
    /// `GET /`: the tables of a schema, described.
    Describe {
        /// Which schema.
        schema: String,
        /// Without the body.
        headers_only: bool,
    },
}

impl Action {
    /// True when the action changes nothing.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Read(_) | Self::TableInfo(_) | Self::RoutineInfo(_) | Self::RootInfo | Self::Describe { .. } => true,
            Self::Call(call) => call.read_only,
            Self::Insert(_) | Self::Update(_) | Self::Delete(_) => false,
        }
    }

    /// What is given of each row; `None` where no rows are.
    #[must_use]
    pub fn node(&self) -> Option<&ReadNode> {
        let returning = match self {
            Self::Read(read) => return Some(&read.node),
            Self::Call(call) => return Some(&call.read.node),
            Self::Insert(insert) => &insert.returning,
            Self::Update(update) => &update.returning,
            Self::Delete(delete) => &delete.returning,
            Self::TableInfo(_) | Self::RoutineInfo(_) | Self::RootInfo | Self::Describe { .. } => return None,
        };
        match returning {
            Returning::Rows(node) => Some(node),
            Returning::Nothing | Returning::Location(_) => None,
        }
    }

    /// How a write to a view reaches the table behind it.
    #[must_use]
    pub fn through(&self) -> Option<&Through> {
        match self {
            Self::Insert(insert) => insert.through.as_deref(),
            Self::Update(update) => update.through.as_deref(),
            Self::Delete(delete) => delete.through.as_deref(),
            Self::Read(_)
            | Self::Call(_)
            | Self::TableInfo(_)
            | Self::RoutineInfo(_)
            | Self::RootInfo
            | Self::Describe { .. } => None,
        }
    }

    /// The table or view whose rows are written, or else the one that it is about.
    #[must_use]
    pub fn written(&self) -> Option<&QualifiedName> {
        self.through().map(|through| &through.table).or_else(|| self.table())
    }

    /// The table or view it is about.
    #[must_use]
    pub fn table(&self) -> Option<&QualifiedName> {
        match self {
            Self::Read(read) => Some(&read.node.from),
            Self::Insert(insert) => Some(&insert.into),
            Self::Update(update) => Some(&update.table),
            Self::Delete(delete) => Some(&delete.from),
            Self::TableInfo(table) => Some(&table.name),
            Self::Call(_) | Self::RoutineInfo(_) | Self::RootInfo | Self::Describe { .. } => None,
        }
    }
}

/// A function of a table's row that berth itself writes out (SQLite).
#[derive(Debug, Clone, PartialEq)]
pub struct RowFunction {
    /// The function.
    pub routine: Arc<Routine>,
    /// All columns of the row, each of which must be readable for the row to be handed over.
    pub row: Vec<String>,
}

/// What must hold of the rows a statement touched, or it is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expectation {
    /// Exactly one row (`application/vnd.pgrst.object+json`).
    pub singular: bool,
    /// No more rows than this (`max-affected` with `handling=strict`).
    pub max_affected: Option<u64>,
    /// Exactly one row, whose key is that of the address (`PUT`).
    pub put: bool,
}

/// What a write gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum Returning {
    /// Nothing but the number of rows.
    Nothing,
    /// The key of the row, for `Location`, when there is exactly one row: these columns.
    Location(Vec<String>),
    /// The rows, shaped as a read of those that were written. `ReadNode::filter` holds nothing but what
    /// `!inner` asks of related rows; on SQLite, which gives back every row it writes, it is not used.
    Rows(Box<ReadNode>),
}
