//! Which relationship a request means by a name and perhaps a hint.
//!
//! | name | hint | means |
//! |---|---|---|
//! | the other table | none | the relationship to it, when there is one |
//! | a foreign key, or the only column of one | none | that key; not when it leads to a view |
//! | the other table | a foreign key, its only column on either side, or a junction | the relationship that has it |
//! | the table itself | none or the key's column | its rows below |
//! | the column of a key to the table itself | none | the row above |
//! | a function of the table's rows | none | what it gives, instead of any of the above |
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/resource_embedding.html>.

use super::Error;
use super::error::{Better, Candidate};
use super::scope::Scope;
use crate::catalog::{Cardinality, Junction, Kind, Link, Relationship, hint};

/// Finds the one relationship of the scope's table that is meant.
///
/// # Errors
/// [`Error::NoRelationship`] for none, [`Error::AmbiguousRelationship`] for several.
pub(super) fn find_relationship(scope: &Scope<'_>, name: &str, wanted: Option<&str>) -> Result<Relationship, Error> {
    let table = &scope.table.name;
    let all: Vec<Relationship> =
        scope.catalog.relationships(table).into_iter().filter(|way| is_exposed(scope, way)).collect();
    // A function takes the place of the relationship that its name would have meant.
    if let Some(computed) = all.iter().find(|way| way.computed().is_some() && is_meant(way, name, wanted)) {
        return Ok(computed.clone());
    }
    let mut meant: Vec<&Relationship> = all.iter().filter(|way| is_meant(way, name, wanted)).collect();
    match (meant.pop(), meant.is_empty()) {
        (Some(only), true) => Ok(only.clone()),
        (Some(last), false) => Err(Error::AmbiguousRelationship {
            parent: table.name.clone(),
            child: name.to_owned(),
            candidates: meant.into_iter().chain([last]).map(candidate).collect(),
        }),
        (None, _) => Err(Error::NoRelationship {
            parent: table.name.clone(),
            child: name.to_owned(),
            schema: table.schema.clone(),
            hint: wanted.map(str::to_owned),
            suggestion: suggest(scope, name, &all).map(Box::new),
        }),
    }
}

/// The relation that was perhaps meant. Where the table has none, the table that its name begins with is perhaps the
/// one to ask: partitions are called after theirs, which has the keys.
fn suggest(scope: &Scope<'_>, name: &str, all: &[Relationship]) -> Option<Better> {
    let table = &scope.table.name;
    if all.is_empty() {
        let related = scope.catalog.related_tables();
        let beside = related.into_iter().filter(|other| other.schema == table.schema && *other != table);
        let whole = beside.filter(|other| table.name.starts_with(&other.name) && scope.catalog.table(other).is_some());
        let longest = whole.max_by_key(|other| other.name.len())?;
        return Some(Better { name: longest.name.clone(), than: table.name.clone() });
    }
    let targets = all.iter().map(|way| way.target.name.as_str());
    if targets.clone().any(|target| target == name) {
        return None;
    }
    let closest = hint::closest_above(hint::BELONGING_MIN_SCORE, name, targets)?;
    Some(Better { name: closest.to_owned(), than: name.to_owned() })
}

/// The target must be in the schema of the request, a junction in any that is exposed.
fn is_exposed(scope: &Scope<'_>, way: &Relationship) -> bool {
    let joined = way.junction().is_none_or(|junction| scope.settings.schemas.contains(&junction.table.schema));
    joined && way.target.schema == scope.table.name.schema && scope.catalog.table(&way.target).is_some()
}

fn is_meant(way: &Relationship, name: &str, wanted: Option<&str>) -> bool {
    if let Some(computed) = way.computed() {
        return computed.function.name == name && wanted.is_none();
    }
    let is_target = name == way.target.name;
    let to_many = matches!(way.cardinality, Cardinality::OneToMany(_));
    if way.is_self() {
        // One key, two ways: the table's name means the rows below, the column's the row above.
        return match wanted {
            None if is_target => to_many,
            None => matches!(&way.cardinality, Cardinality::ManyToOne(link) if only_column(link).0 == Some(name)),
            Some(column) => is_target && to_many && way.link().is_some_and(|link| only_column(link).1 == Some(column)),
        };
    }
    match (wanted, way.link()) {
        (None, None) => is_target,
        (None, Some(link)) => {
            let is_key = link.constraint == name || only_column(link).0 == Some(name);
            is_target || (is_key && way.target_kind == Kind::Table)
        }
        (Some(wanted), None) => is_target && way.junction().is_some_and(|junction| junction.table.name == wanted),
        (Some(wanted), Some(link)) => {
            let (here, there) = only_column(link);
            is_target && (link.constraint == wanted || here == Some(wanted) || there == Some(wanted))
        }
    }
}

/// The column here and the column there of a key of one column.
fn only_column(link: &Link) -> (Option<&str>, Option<&str>) {
    match link.columns.as_slice() {
        [(here, there)] => (Some(here), Some(there)),
        _ => (None, None),
    }
}

/// How a relationship is told to a client that must choose.
fn candidate(way: &Relationship) -> Candidate {
    let (from, to) = (&way.table.name, &way.target.name);
    let by_key = |link: &Link| {
        let here = list(link.columns.iter().map(|(column, _)| column.as_str()));
        let there = list(link.columns.iter().map(|(_, column)| column.as_str()));
        (format!("{} using {from}{here} and {to}{there}", link.constraint), link.constraint.clone())
    };
    let (cardinality, (relationship, hint)) = match &way.cardinality {
        Cardinality::OneToMany(link) => ("one-to-many", by_key(link)),
        Cardinality::ManyToOne(link) => ("many-to-one", by_key(link)),
        Cardinality::OneToOne(link) => ("one-to-one", by_key(link)),
        Cardinality::ManyToMany(junction) => ("many-to-many", by_junction(junction)),
        // Never one of several: its name decides.
        Cardinality::Computed(computed) => {
            ("computed", (computed.function.to_string(), computed.function.name.clone()))
        }
    };
    Candidate { cardinality, embedding: format!("{from} with {to}"), relationship, hint: format!("{to}!{hint}") }
}

fn by_junction(junction: &Junction) -> (String, String) {
    let key =
        |link: &Link| format!("{}{}", link.constraint, list(link.columns.iter().map(|(_, column)| column.as_str())));
    let name = &junction.table.name;
    (format!("{name} using {} and {}", key(&junction.source), key(&junction.target)), name.clone())
}

fn list<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    format!("({})", columns.collect::<Vec<_>>().join(", "))
}
