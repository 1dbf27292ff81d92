//! From a wish and a catalog to a plan: names resolved, values typed, limits applied. Whatever can fail fails here.
//!
//! Planning knows no SQL. It knows what an engine can do ([`Engine`]), so that rendering cannot fail, and it is the
//! only place that makes an [`Authorized`] plan, which is the only thing rendering takes.

pub mod authorize;
pub mod condition;
pub mod error;
pub mod mutation;
pub mod read;
pub mod value;

pub use authorize::Authorized;
pub use condition::{Condition, Target, Test};
pub use error::Error;
pub use mutation::{Cell, Conflict, Delete, Insert, InsertColumn, InsertRows, Put, Update};
pub use read::{Embed, Order, Projection, Read, ReadNode};
pub use value::Value;

use crate::catalog::{QualifiedName, Table};
use crate::request::prefer::Representation;
use crate::request::{MediaType, Preferences};

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
    /// Whether aggregate functions may be used.
    pub aggregates: bool,
    /// Who may do what where no grant says so.
    pub access: AccessMode,
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
    /// The schema that was asked for, to be named in the answer when several are exposed.
    pub profile: Option<String>,
    /// What the sender prefers, as far as it applies.
    pub preferences: Preferences,
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
    /// `OPTIONS` on a table: which verbs it takes.
    TableInfo(Table),
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
            Self::Read(_) | Self::TableInfo(_) | Self::RootInfo | Self::Describe { .. } => true,
            Self::Insert(_) | Self::Update(_) | Self::Delete(_) => false,
        }
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
            Self::RootInfo | Self::Describe { .. } => None,
        }
    }
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
    /// The rows, shaped as a read. `ReadNode::filter` is not used: the rows are those that were written.
    Rows(Box<ReadNode>),
}

impl Returning {
    /// The preference it answers.
    #[must_use]
    pub fn representation(&self) -> Representation {
        match self {
            Self::Nothing => Representation::Minimal,
            Self::Location(_) => Representation::HeadersOnly,
            Self::Rows(_) => Representation::Full,
        }
    }
}
