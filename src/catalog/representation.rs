//! What a domain's values look like to clients, where casts of the domain say so (Postgres).
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/domain_representations.html>.

use super::QualifiedName;

/// The functions of a domain's implicit casts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Representation {
    /// `domain AS json`: what is given of a value.
    pub to_json: Option<QualifiedName>,
    /// `json AS domain`: reads a member of a body.
    pub from_json: Option<QualifiedName>,
    /// `text AS domain`: reads what a filter compares with.
    pub from_text: Option<QualifiedName>,
}
