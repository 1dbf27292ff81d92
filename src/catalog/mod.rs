//! What the database holds, as plain data: an immutable snapshot that planning reads and a store replaces whole.
//!
//! A store fills it by introspection (`store/*/introspect.rs`); nothing here talks to a database.

pub mod cache_control;
pub mod hint;
pub mod media;
pub mod policy;
pub mod relationship;
pub mod representation;
pub mod routine;
pub mod table;
pub mod template;
pub mod tuning;
pub mod type_name;
pub mod updatable;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use media::{BodySource, MediaHandlers};
pub use policy::{Expression, Policy, PolicyKind, Reads, RowSecurity, ViewQuery, ViewRights};
pub use relationship::{Cardinality, Computed, Junction, Link, Relationship};
pub use representation::Representation;
pub use routine::{Bearer, Body, Change, Parameter, ReturnKind, Returns, Routine, Step, Use, Verb, Volatility};
pub use table::{Column, ForeignKey, Generated, Kind, QualifiedName, Table};
pub use template::{Piece, Template};
pub use tuning::{Isolation, Tuning};
pub use type_name::{TypeKind, TypeName};
pub use updatable::{CheckOption, Obstacle, UpdatableView, ViewColumn, ViewWrites};
pub use view::ShownKey;

/// The role that every role is a member of: the name under which a grant to `PUBLIC` is kept.
pub const EVERYONE: &str = "public";

/// Functions of a table's row, by table and name.
pub type RowFunctions = BTreeMap<(QualifiedName, String), Arc<Routine>>;

/// For tables and views the roles that may read only some of their columns, each with those.
pub type Narrowed = BTreeMap<QualifiedName, BTreeMap<String, BTreeSet<String>>>;

/// Everything planning may know of the database at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// What the store compares to learn that this snapshot is stale (SQLite: `PRAGMA schema_version`).
    pub version: i64,
    /// Tables and views by name, of every schema that a foreign key may lead to.
    pub tables: BTreeMap<QualifiedName, Table>,
    /// Foreign keys between views and tables or views, both of which are in `tables`.
    pub shown_keys: Vec<ShownKey>,
    /// Ways from a table to others that functions of its rows make.
    pub computed: Vec<Relationship>,
    /// Functions of a table's row, by table and name, where berth itself runs them (SQLite).
    pub row_functions: RowFunctions,
    /// Functions by name, those of a name with fewer parameters first.
    pub routines: BTreeMap<QualifiedName, Vec<Routine>>,
    /// What values of domains look like, by the domains' declared names (Postgres only).
    pub representations: BTreeMap<String, Representation>,
    /// Media types that functions and aggregates make (Postgres only).
    pub media_handlers: MediaHandlers,
    /// Comments on schemas.
    pub schema_comments: BTreeMap<String, String>,
    /// What each role may do, where berth itself enforces it (SQLite); empty where the server does.
    pub grants: Vec<Grant>,
    /// Who may use a schema, of those that not everybody may use (SQLite only).
    pub schema_users: BTreeMap<String, BTreeSet<String>>,
    /// The roles that may do anything with a table or view, where the server decides that (Postgres only).
    pub users: BTreeMap<QualifiedName, BTreeSet<String>>,
    /// What `*` stands for, of tables and views of which some roles may read only some columns.
    pub narrowed: Narrowed,
    /// How the transactions of a role run, of those that ask for something (Postgres only).
    pub role_tuning: BTreeMap<String, Tuning>,
    /// Roles that exist, each with the roles it is a member of (SQLite only).
    pub roles: BTreeMap<String, Vec<String>>,
    /// Roles for which row policies do not hold; those that are members of them are not among them (SQLite only).
    pub bypassing_roles: BTreeSet<String>,
    /// Row security of the tables for which it is enabled (SQLite only).
    pub row_security: BTreeMap<QualifiedName, RowSecurity>,
    /// Queries of views, where row security or a view's rights make them matter (SQLite only).
    pub view_queries: BTreeMap<QualifiedName, ViewQuery>,
    /// What becomes of writes to each view (SQLite only).
    pub view_writes: BTreeMap<QualifiedName, ViewWrites>,
    /// Indexes of words, by table (SQLite only).
    pub search_indexes: BTreeMap<QualifiedName, Vec<SearchIndex>>,
    /// Something asks for the headers of a request (SQLite; a server's code always may).
    pub asks_headers: bool,
}

impl Catalog {
    /// The table or view of that name.
    #[must_use]
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The indexes of words of a table.
    #[must_use]
    pub fn search_indexes_of(&self, table: &QualifiedName) -> &[SearchIndex] {
        self.search_indexes.get(table).map_or(&[], Vec::as_slice)
    }
}

/// An index of the words that a column's texts are found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchIndex {
    /// The table of FTS5 that it is; its rows have the row ids of the table's.
    pub name: String,
    /// The column.
    pub column: String,
    /// The configuration by which its texts become words; `None`: the column is a `tsvector`.
    pub configuration: Option<String>,
}

/// One privilege on one table, as `GRANT` gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role that has it; `public` stands for every role.
    pub grantee: String,
    /// The table or view.
    pub table: QualifiedName,
    /// What may be done.
    pub privilege: Privilege,
    /// The columns it is limited to; `None` for all.
    pub columns: Option<Vec<String>>,
}

/// What a grant allows on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privilege {
    /// Read rows.
    Select,
    /// Add rows.
    Insert,
    /// Change rows.
    Update,
    /// Remove rows.
    Delete,
}
