//! What may be called, and with what.

use serde_json::{Map, Value, json};

use super::parameter::reference;
use super::path::about;
use super::schema::{format_of, json_type, of_type};
use crate::catalog::{Parameter, Routine, TypeKind, Volatility};

/// Adds the path of each function; of several of a name the last.
pub(super) fn add_paths(paths: &mut Map<String, Value>, routines: &[&Routine]) {
    for routine in routines {
        paths.insert(format!("/rpc/{}", routine.name.name), of_routine(routine));
    }
}

/// `POST`, and `GET` for what changes nothing.
fn of_routine(routine: &Routine) -> Value {
    let mut verbs = Map::new();
    if routine.volatility != Volatility::Volatile {
        verbs.insert("get".into(), operation(routine, routine.parameters.iter().map(in_query).collect()));
    }
    let body = json!({ "name": "args", "required": true, "in": "body", "schema": body(routine) });
    verbs.insert("post".into(), operation(routine, vec![body, reference("preferParams")]));
    Value::Object(verbs)
}

fn operation(routine: &Routine, parameters: Vec<Value>) -> Value {
    let mut operation = about(routine.description().as_deref());
    operation.insert("tags".into(), json!([format!("(rpc) {}", routine.name.name)]));
    operation.insert(
        "produces".into(),
        json!([
            "application/json",
            "application/vnd.pgrst.object+json;nulls=stripped",
            "application/vnd.pgrst.object+json"
        ]),
    );
    if !parameters.is_empty() {
        operation.insert("parameters".into(), Value::Array(parameters));
    }
    operation.insert("responses".into(), json!({ "200": { "description": "OK" } }));
    Value::Object(operation)
}

/// An object with a member for each argument.
fn body(routine: &Routine) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    if let Some(comment) = routine.description() {
        schema.insert("description".into(), json!(comment));
    }
    let required: Vec<&str> =
        routine.parameters.iter().filter(|it| it.required).map(|parameter| parameter.name.as_str()).collect();
    // OpenAPI 2.0 refuses an empty list here.
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    let properties: Map<String, Value> = routine
        .parameters
        .iter()
        .map(|parameter| (parameter.name.clone(), Value::Object(of_type(&parameter.type_name))))
        .collect();
    schema.insert("properties".into(), Value::Object(properties));
    Value::Object(schema)
}

/// A parameter of the query string: an array is written as a literal, or by naming a variadic one again and again.
fn in_query(parameter: &Parameter) -> Value {
    let mut query = Map::new();
    query.insert("name".into(), json!(parameter.name));
    query.insert("in".into(), json!("query"));
    query.insert("required".into(), json!(parameter.required));
    let kind = &parameter.type_name.kind;
    if let (TypeKind::Array(element), true) = (kind, parameter.variadic) {
        let format = parameter.type_name.declared.trim_end_matches("[]");
        let item = json!({ "type": json_type(element).unwrap_or("string"), "format": format });
        query.insert("type".into(), json!("array"));
        query.insert("collectionFormat".into(), json!("multi"));
        query.insert("items".into(), item);
    } else {
        let named = json_type(kind).filter(|name| *name != "array").unwrap_or("string");
        query.insert("type".into(), json!(named));
        query.insert("format".into(), json!(format_of(&parameter.type_name)));
    }
    Value::Object(query)
}
