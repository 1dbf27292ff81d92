//! Members of a JSON body into values: what `json_to_recordset` does.

use serde_json::Value as Json;

use super::array::{DIMENSIONS_MAX, Nested};
use super::input::{Form, array_json, read};
use super::{Value, fault, json};
use crate::catalog::TypeKind;
use crate::plan::Error;

/// Reads a member of an object into the form of its column.
pub(super) fn read_member(value: &Json, form: &Form<'_>) -> Result<Value, Error> {
    match (value, form.kind) {
        (Json::Null, _) => Ok(Value::Null),
        (_, TypeKind::Json) => Ok(Value::Text(value.to_string())),
        (_, TypeKind::Jsonb) => json::canonical(value).map(Value::Text),
        (Json::Array(items), TypeKind::Array(element)) => read_array(items, element, form),
        (Json::Bool(_) | Json::Number(_) | Json::Object(_), TypeKind::Array(_)) => Err(fault::expected_json_array()),
        (Json::Bool(boolean), TypeKind::Any) => Ok(Value::Integer(i64::from(*boolean))),
        (Json::Number(number), TypeKind::Any) => Ok(read_number(&number.to_string())),
        (Json::String(text), _) if text.contains('\0') => Err(fault::nul_escape()),
        (Json::String(text), _) => read(text, form),
        (Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_), _) => read(&value.to_string(), form),
    }
}

fn read_number(text: &str) -> Value {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(integer), _) => Value::Integer(integer),
        (Err(_), Ok(real)) => Value::Real(real),
        (Err(_), Err(_)) => Value::Text(text.to_owned()),
    }
}

fn read_array(items: &[Json], element: &TypeKind, form: &Form<'_>) -> Result<Value, Error> {
    let dimensions = count_dimensions(items);
    if dimensions > DIMENSIONS_MAX {
        return Err(fault::too_many_dimensions(dimensions));
    }
    let nested = nest(items, dimensions)?.try_map(&|item| read_member(item, &form.element(element)))?;
    match nested.dimensions() {
        None => Err(fault::malformed_json_array()),
        Some(lengths) if lengths.contains(&0) => Ok(Value::Text("[]".to_owned())),
        Some(_) => Ok(Value::Text(array_json(&nested, element))),
    }
}

/// The first element tells how deep the array goes: whatever is nested deeper elsewhere is an element.
fn count_dimensions(items: &[Json]) -> usize {
    let mut dimensions = 1;
    let mut first = items.first();
    while let Some(Json::Array(inner)) = first {
        dimensions += 1;
        first = inner.first();
    }
    dimensions
}

/// Calls itself for each dimension, at most [`DIMENSIONS_MAX`] deep.
fn nest(items: &[Json], dimensions: usize) -> Result<Nested<&Json>, Error> {
    let nested = items.iter().map(|item| match item {
        item if dimensions == 1 => Ok(Nested::Item(item)),
        Json::Array(inner) => nest(inner, dimensions - 1),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            Err(fault::expected_json_array())
        }
    });
    Ok(Nested::Items(nested.collect::<Result<_, _>>()?))
}
