//! Filters: `column=operator.value`, and the `and`/`or` trees.

/// The way from the top level to an embedded resource, by the names used in the request; empty for the top level.
pub type EmbedPath = Vec<String>;

/// A column, perhaps with a way into its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column's name, or `*`.
    pub name: String,
    /// `->a->>b`.
    pub path: Vec<JsonStep>,
}

/// One arrow into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonStep {
    /// `->` keeps JSON, `->>` gives text.
    pub arrow: Arrow,
    /// What stands behind it.
    pub operand: JsonOperand,
}

/// Which arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrow {
    /// `->`.
    Json,
    /// `->>`.
    Text,
}

/// A member's name or an element's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonOperand {
    /// Name of an object's member.
    Key(String),
    /// Index in an array; negative counts from its end.
    Index(i64),
}

/// One test of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What is tested.
    pub field: Field,
    /// `not.` stands before the operator.
    pub negated: bool,
    /// The test.
    pub operation: Operation,
}

/// The test of a filter, values still as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// An operator that `any`/`all` may modify.
    Compare {
        /// Which.
        operator: Comparison,
        /// `eq(any).{1,2}`.
        quantifier: Option<Quantifier>,
        /// The text behind the operator; with a quantifier a Postgres array literal.
        value: String,
    },
    /// An operator of arrays and ranges.
    Contain {
        /// Which.
        operator: Containment,
        /// The text behind it.
        value: String,
    },
    /// `in.(a,b)`.
    In(Vec<String>),
    /// `is.null` and its like.
    Is(IsValue),
    /// `isdistinct.value`.
    IsDistinctFrom(String),
    /// Full-text search.
    FullText {
        /// Which.
        operator: FullText,
        /// `fts(french)`.
        language: Option<String>,
        /// The query.
        value: String,
    },
}

/// Operators on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `like`, `*` standing for `%`
    Like,
    /// `ilike`
    ILike,
    /// `match`
    Match,
    /// `imatch`
    IMatch,
}

/// Operators on arrays, JSON and ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Containment {
    /// `cs`
    Contains,
    /// `cd`
    ContainedIn,
    /// `ov`
    Overlap,
    /// `sl`
    StrictlyLeft,
    /// `sr`
    StrictlyRight,
    /// `nxr`
    NotExtendsRight,
    /// `nxl`
    NotExtendsLeft,
    /// `adj`
    Adjacent,
}

/// Full-text operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FullText {
    /// `fts`: `to_tsquery`
    Query,
    /// `plfts`: `plainto_tsquery`
    Plain,
    /// `phfts`: `phraseto_tsquery`
    Phrase,
    /// `wfts`: `websearch_to_tsquery`
    WebSearch,
}

/// How many of the values an operator must hold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Each.
    All,
}

/// Operands of `is`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsValue {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`
    Unknown,
}

/// A tree of filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogicTree {
    /// `and(…)` or `or(…)`.
    Node {
        /// `not.` stands before it.
        negated: bool,
        /// Which.
        operator: Logic,
        /// At least one.
        children: Vec<LogicTree>,
    },
    /// A filter.
    Leaf(Filter),
}

/// How the children of a node are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logic {
    /// Each must hold.
    And,
    /// One must hold.
    Or,
}
