//! What may be done at each path.

use serde_json::{Map, Value, json};

use super::parameter::reference;
use crate::catalog::{Routine, Table};

/// Every path.
pub(super) fn all(tables: &[&Table], routines: &[&Routine]) -> Value {
    let mut paths = Map::new();
    paths.insert("/".into(), root());
    for table in tables {
        paths.insert(format!("/{}", table.name.name), of_table(table));
    }
    super::routine::add_paths(&mut paths, routines);
    paths.insert("/-/batch".into(), super::batch::path());
    Value::Object(paths)
}

fn root() -> Value {
    json!({
        "get": {
            "tags": ["Introspection"],
            "summary": "OpenAPI description (this document)",
            "produces": ["application/openapi+json", "application/json"],
            "responses": { "200": { "description": "OK" } }
        }
    })
}

fn of_table(table: &Table) -> Value {
    let name = &table.name.name;
    let filters: Vec<String> = table.columns.iter().map(|column| format!("rowFilter.{name}.{}", column.name)).collect();
    let body = format!("body.{name}");
    let mut verbs = Map::new();

    let paging = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"];
    let rows = json!({
        "200": {
            "description": "OK",
            "schema": { "type": "array", "items": { "$ref": super::schema::reference(name) } }
        },
        "206": { "description": "Partial Content" }
    });
    verbs.insert("get".into(), operation(table, filters.iter().map(String::as_str).chain(paging), rows));
    if table.insertable || table.updatable || table.deletable {
        let created = json!({ "201": { "description": "Created" } });
        verbs.insert("post".into(), operation(table, [body.as_str(), "select", "preferPost"].into_iter(), created));
        let changed = json!({ "204": { "description": "No Content" } });
        let given = filters.iter().map(String::as_str);
        verbs.insert("delete".into(), operation(table, given.clone().chain(["preferReturn"]), changed.clone()));
        verbs.insert("patch".into(), operation(table, given.chain([body.as_str(), "preferReturn"]), changed));
    }
    Value::Object(verbs)
}

fn operation<'a>(table: &Table, parameters: impl Iterator<Item = &'a str>, responses: Value) -> Value {
    let mut operation = about(table.description().as_deref());
    operation.insert("tags".into(), json!([table.name.name]));
    operation.insert("parameters".into(), parameters.map(reference).collect());
    operation.insert("responses".into(), responses);
    Value::Object(operation)
}

/// Summary and description from a comment.
pub(super) fn about(comment: Option<&str>) -> Map<String, Value> {
    let mut said = Map::new();
    let (summary, description) = comment.map(super::split_comment).unwrap_or_default();
    if let Some(summary) = summary {
        said.insert("summary".into(), json!(summary));
    }
    if let Some(description) = description {
        said.insert("description".into(), json!(description));
    }
    said
}
