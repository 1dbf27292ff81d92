//! What a request names beside the columns of its table: related tables and aggregates.

use super::{Error, Settings};
use crate::catalog::{Catalog, QualifiedName, Table, hint};
use crate::request::filter::EmbedPath;
use crate::request::method::Method;
use crate::request::{Request, SelectItem};

/// Refuses parameters of what is not embedded, relations that are not there, and what cannot be planned.
pub(super) fn check_embeds(
    request: &Request,
    table: &Table,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<(), Error> {
    let embedded: Vec<&str> = request.select.iter().filter_map(embedded_name).collect();
    check_paths(request, &embedded)?;
    for item in &request.select {
        check_relation(item, table, catalog)?;
    }
    let ordering = request.order.iter().flat_map(|(_, terms)| terms).filter_map(|term| term.relation.as_deref());
    if let Some(name) = ordering.clone().find(|name| !embedded.contains(name)) {
        return Err(Error::NotEmbedded(name.to_owned()));
    }
    if request.select.iter().any(has_aggregate) {
        return Err(if settings.aggregates {
            Error::NotImplemented("aggregate functions are not supported yet".to_owned())
        } else {
            Error::AggregatesNotAllowed
        });
    }
    match embedded.first() {
        Some(name) => Err(Error::NotImplemented(format!("embedding '{name}' is not supported yet"))),
        None => Ok(()),
    }
}

/// Every path of a parameter must begin at something embedded.
fn check_paths(request: &Request, embedded: &[&str]) -> Result<(), Error> {
    let filters = request.filters.iter().map(|(path, _)| path);
    let logic = request.logic.iter().map(|(path, _)| path);
    let order = request.order.iter().map(|(path, _)| path);
    let reads = matches!(request.method, Method::Get | Method::Head);
    let ranges = request.embed_ranges.iter().map(|(path, _)| path).filter(|_| reads);
    let first_names = filters.chain(order).chain(ranges).chain(logic).filter_map(|path: &EmbedPath| path.first());
    for name in first_names {
        if !embedded.contains(&name.as_str()) {
            return Err(Error::NotEmbedded(name.clone()));
        }
    }
    Ok(())
}

/// The name that other parameters know an embedded relation by.
fn embedded_name(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::Field { .. } => None,
        SelectItem::Relation { name, alias, .. } => Some(alias.as_deref().unwrap_or(name)),
        SelectItem::Spread { name, .. } => Some(name),
    }
}

/// A relation is named by its table, by a foreign key or by the foreign key's only column.
fn check_relation(item: &SelectItem, table: &Table, catalog: &Catalog) -> Result<(), Error> {
    let (name, relation_hint) = match item {
        SelectItem::Field { .. } => return Ok(()),
        SelectItem::Relation { name, hint, .. } | SelectItem::Spread { name, hint, .. } => (name, hint),
    };
    let schema = &table.name.schema;
    let is_table = catalog.table(&QualifiedName::new(schema.clone(), name.clone())).is_some();
    let leaves = table
        .foreign_keys
        .iter()
        .any(|key| &key.name == name || matches!(key.columns.as_slice(), [column] if column == name));
    let arrives = catalog
        .tables
        .values()
        .flat_map(|other| &other.foreign_keys)
        .any(|key| &key.name == name && key.references == table.name);
    if is_table || leaves || arrives {
        return Ok(());
    }
    Err(Error::NoRelationship {
        parent: table.name.name.clone(),
        child: name.clone(),
        schema: schema.clone(),
        hint: relation_hint.clone(),
        suggestion: hint::closest(name, related_tables(table, catalog)).map(str::to_owned),
    })
}

/// Tables that a foreign key leads to from this one, or that lead here.
fn related_tables<'a>(table: &'a Table, catalog: &'a Catalog) -> impl Iterator<Item = &'a str> {
    let referenced = table.foreign_keys.iter().map(|key| key.references.name.as_str());
    let referencing =
        catalog.tables.values().filter(|other| other.foreign_keys.iter().any(|key| key.references == table.name));
    referenced.chain(referencing.map(|other| other.name.name.as_str()))
}

fn has_aggregate(item: &SelectItem) -> bool {
    match item {
        SelectItem::Field { aggregate, .. } => aggregate.is_some(),
        SelectItem::Relation { select, .. } | SelectItem::Spread { select, .. } => select.iter().any(has_aggregate),
    }
}
