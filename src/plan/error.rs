//! What can be wrong with a request once the schema is known.

use thiserror::Error;

use crate::request::call::Whole;

/// A request that names what is not there, or asks for what cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// PGRST105: `PUT` with other filters than one `eq` per key column.
    #[error("Filters must include all and only primary key columns with 'eq' operators")]
    PutFilters,
    /// PGRST106: a schema that is not exposed.
    #[error("Invalid schema: {schema}")]
    UnknownSchema {
        /// What was asked for.
        schema: String,
        /// What there is.
        exposed: Vec<String>,
    },
    /// PGRST107: no media type of the `Accept` header can be given.
    #[error("None of these media types are available: {}", .0.join(", "))]
    MediaType(Vec<String>),
    /// PGRST108: a filter, order or limit on something that was not embedded.
    #[error("'{name}' is not an embedded resource in this request")]
    NotEmbedded {
        /// What is named.
        name: String,
        /// The alias under which that relation is embedded.
        alias: Option<String>,
    },
    /// PGRST115: the body's key is not that of the address (`PUT`).
    #[error("Payload values do not match URL in primary key column(s)")]
    PutMismatch,
    /// PGRST118: an order by a related table of which many rows may belong to one.
    #[error("A related order on '{embed}' is not possible")]
    RelatedOrder {
        /// The outer table.
        table: String,
        /// The embed, as the request names it.
        embed: String,
    },
    /// PGRST120: a filter on an embed other than for its absence.
    #[error("Bad operator on the '{0}' embedded resource")]
    EmbedFilter(String),
    /// PGRST123: aggregates are switched off.
    #[error("Use of aggregate functions is not allowed")]
    AggregatesNotAllowed,
    /// PGRST126: `/` gives nothing.
    #[error("Root endpoint metadata is disabled")]
    RootDisabled,
    /// PGRST127: something berth or the engine cannot do; the text names it.
    #[error("Feature not implemented")]
    NotImplemented(String),
    /// BERTH400: rows that have no pages by keys, or a cursor that is none of theirs.
    #[error("{0}")]
    Keyset(String),
    /// PGRST200: no relationship between two tables.
    #[error("Could not find a relationship between '{parent}' and '{child}' in the schema cache")]
    NoRelationship {
        /// The outer table.
        parent: String,
        /// What was to be embedded.
        child: String,
        /// The schema that was searched.
        schema: String,
        /// The hint of the request.
        hint: Option<String>,
        /// A name that is close.
        suggestion: Option<Box<Better>>,
    },
    /// PGRST201: several relationships between two tables.
    #[error("Could not embed because more than one relationship was found for '{parent}' and '{child}'")]
    AmbiguousRelationship {
        /// The outer table.
        parent: String,
        /// What was to be embedded.
        child: String,
        /// The relationships, at least two.
        candidates: Vec<Candidate>,
    },
    /// PGRST202: no such function.
    #[error("Could not find the function {schema}.{name}{} in the schema cache", argument_list(arguments, *whole))]
    NoFunction {
        /// The schema.
        schema: String,
        /// The function.
        name: String,
        /// The names of the arguments, sorted.
        arguments: Vec<String>,
        /// What the body might have been passed as.
        whole: Option<Whole>,
        /// The function that was perhaps meant, with its parameters when it is they that differ.
        suggestion: Option<String>,
    },
    /// PGRST203: several functions that the arguments fit.
    #[error("Could not choose the best candidate function between: {}", .0.join(", "))]
    AmbiguousFunction(Vec<String>),
    /// PGRST128: `max-affected` on a function that gives one result.
    #[error("Function must return SETOF or TABLE when max-affected preference is used with handling=strict")]
    MaxAffectedOfOne,
    /// PGRST204: a column named in `columns=` or the body that the table lacks.
    #[error("Could not find the '{column}' column of '{table}' in the schema cache")]
    ColumnNotFound {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// PGRST205: no such table.
    #[error("Could not find the table '{schema}.{name}' in the schema cache")]
    TableNotFound {
        /// The schema.
        schema: String,
        /// The table.
        name: String,
        /// A name that is close.
        suggestion: Option<String>,
    },
    /// What Postgres would have said: used where berth stands in for the server (SQLite).
    #[error("{message}")]
    Sqlstate {
        /// The code, e.g. `42703`.
        code: &'static str,
        /// Postgres' text.
        message: String,
        /// Postgres' details.
        details: Option<String>,
        /// Postgres' hint.
        hint: Option<String>,
    },
}

/// The arguments of a function that was not found, as its message names them.
fn argument_list(arguments: &[String], whole: Option<Whole>) -> String {
    match whole {
        Some(Whole::Text | Whole::Xml | Whole::Bytes) => String::new(),
        Some(Whole::Json) | None if arguments.is_empty() => " without parameters".to_owned(),
        Some(Whole::Json) | None => format!("({})", arguments.join(", ")),
    }
}

/// A name that was perhaps meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Better {
    /// It.
    pub name: String,
    /// What was said.
    pub than: String,
}

/// One of several relationships that a request may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `many-to-one` and its like.
    pub cardinality: &'static str,
    /// The two tables: `films with directors`.
    pub embedding: String,
    /// The keys and columns it goes by.
    pub relationship: String,
    /// The embed with the hint that means it: `directors!films_director_id_fkey`.
    pub hint: String,
}

impl Error {
    /// What Postgres would have said, without details and hint.
    pub(super) fn sqlstate(code: &'static str, message: impl Into<String>) -> Self {
        Self::Sqlstate { code, message: message.into(), details: None, hint: None }
    }

    /// Says of which member of a body an error about arrays is, as Postgres does.
    pub(super) fn of_key(mut self, key: &str) -> Self {
        if let Self::Sqlstate { message, hint: hint @ None, .. } = &mut self
            && message == "expected JSON array"
        {
            *hint = Some(format!("See the value of key \"{key}\"."));
        }
        self
    }

    /// 42883: no such operator between values of these types.
    pub(super) fn no_operator(left: &str, operator: &str, right: &str) -> Self {
        Self::Sqlstate {
            code: "42883",
            message: format!("operator does not exist: {left} {operator} {right}"),
            details: None,
            hint: Some(
                "No operator matches the given name and argument types. You might need to add explicit type casts."
                    .to_owned(),
            ),
        }
    }

    /// PGRST127 for something that one engine lacks: `what` names it.
    pub(super) fn not_on_sqlite(what: impl std::fmt::Display) -> Self {
        Self::NotImplemented(format!("{what} is not supported on SQLite"))
    }
}
