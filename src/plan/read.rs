//! Reads: which columns of which rows in which order.

use super::{Condition, Expectation};
use crate::catalog::{QualifiedName, TypeName};
use crate::request::filter::JsonStep;
use crate::request::order::{Direction, Nulls};
use crate::request::prefer::Count;
use crate::request::range::Range;

/// A read of one table with what is embedded in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The top level.
    pub node: ReadNode,
    /// How the rows without limit and offset are counted; `None`: not at all.
    pub count: Option<Count>,
    /// `MAX_ROWS`, which `Count::Estimated` needs.
    pub max_rows: Option<u64>,
    /// `HEAD`: only the headers are wanted.
    pub headers_only: bool,
    /// All key columns are compared for equality: at most one row, found by the key.
    pub by_key: bool,
    /// What must hold of the rows.
    pub expect: Expectation,
}

/// One level of a read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadNode {
    /// The table or view.
    pub from: QualifiedName,
    /// What is given of each row; never `*`: planning has expanded it. Empty gives empty objects.
    pub select: Vec<Projection>,
    /// Which rows.
    pub filter: Condition,
    /// In which order.
    pub order: Vec<Order>,
    /// Which of them, `MAX_ROWS` applied.
    pub range: Range,
    /// Related rows given with each row.
    pub embeds: Vec<Embed>,
}

/// One member of a row's object.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// The column.
    pub column: String,
    /// Its type.
    pub type_name: TypeName,
    /// The way into its JSON.
    pub path: Vec<JsonStep>,
    /// The type it is cast to.
    pub cast: Option<TypeName>,
    /// The member's name.
    pub name: String,
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The column.
    pub column: String,
    /// Its type.
    pub type_name: TypeName,
    /// The way into its JSON.
    pub path: Vec<JsonStep>,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go; Postgres' rule has been applied when the request did not say.
    pub nulls: Nulls,
}

/// Related rows given inside a row, or beside its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// The member's name.
    pub name: String,
    /// What is read there.
    pub node: ReadNode,
}
