//! Parameters that the paths refer to.

use serde_json::{Map, Value, json};

use crate::catalog::Table;

/// Every parameter by the name that references use.
pub(super) fn all(tables: &[&Table]) -> Value {
    let mut parameters = Map::new();
    parameters.insert("preferParams".into(), prefer(&[]));
    parameters.insert("preferReturn".into(), prefer(RETURN));
    parameters.insert("preferCount".into(), prefer(&["count=none"]));
    parameters.insert("preferPost".into(), prefer(&[RETURN, RESOLUTION].concat()));
    for (key, name, place, description) in COMMON {
        let mut parameter = json!({
            "name": name, "description": description, "required": false, "in": place, "type": "string"
        });
        if let (true, Some(parameter)) = (*key == "rangeUnit", parameter.as_object_mut()) {
            parameter.insert("default".into(), json!("items"));
        }
        parameters.insert((*key).into(), parameter);
    }
    for table in tables {
        let name = &table.name.name;
        parameters.insert(
            format!("body.{name}"),
            json!({
                "name": name, "description": name, "required": false, "in": "body",
                "schema": { "$ref": super::schema::reference(name) }
            }),
        );
        for column in &table.columns {
            let mut filter = json!({ "name": column.name, "required": false, "in": "query", "type": "string" });
            if let (Some(comment), Some(filter)) = (&column.comment, filter.as_object_mut()) {
                filter.insert("description".into(), json!(comment));
            }
            parameters.insert(format!("rowFilter.{name}.{}", column.name), filter);
        }
    }
    Value::Object(parameters)
}

/// Refers to a parameter by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/parameters/{}", super::schema::escape(name)) })
}

const RETURN: &[&str] = &["return=representation", "return=minimal", "return=none"];
const RESOLUTION: &[&str] = &["resolution=ignore-duplicates", "resolution=merge-duplicates"];

/// Key, name, place and description of the parameters that all tables share.
const COMMON: &[(&str, &str, &str, &str)] = &[
    ("select", "select", "query", "Filtering Columns"),
    ("on_conflict", "on_conflict", "query", "On Conflict"),
    ("order", "order", "query", "Ordering"),
    ("range", "Range", "header", "Limiting and Pagination"),
    ("rangeUnit", "Range-Unit", "header", "Limiting and Pagination"),
    ("offset", "offset", "query", "Limiting and Pagination"),
    ("limit", "limit", "query", "Limiting and Pagination"),
];

fn prefer(values: &[&str]) -> Value {
    let mut parameter = json!({
        "name": "Prefer", "description": "Preference", "required": false, "in": "header", "type": "string"
    });
    if let (false, Some(parameter)) = (values.is_empty(), parameter.as_object_mut()) {
        parameter.insert("enum".into(), json!(values));
    }
    parameter
}
