//! What a function is given.

use super::{Arguments, Given};
use crate::catalog::{Parameter, Routine, TypeKind};
use crate::plan::scope::Scope;
use crate::plan::{Error, Value};
use crate::request::call;
use crate::request::payload::Rows;

/// Gives each parameter what the request has for it; those without get their defaults.
pub(super) fn plan(routine: &Routine, given: call::Arguments) -> Result<Arguments, Error> {
    let names = given.names();
    let parameters = || routine.parameters.iter().filter(|parameter| names.contains(&parameter.name)).cloned();
    match (routine.parameters.as_slice(), given) {
        ([only], call::Arguments::Members(rows)) if only.name.is_empty() => {
            Ok(Arguments::Whole(only.clone(), Value::Text(rows.json)))
        }
        ([only], call::Arguments::Body(body)) if only.type_name.kind == TypeKind::Bytea => {
            Ok(Arguments::Whole(only.clone(), Value::Blob(body.to_vec())))
        }
        ([only], call::Arguments::Body(body)) => Ok(Arguments::Whole(only.clone(), text_of(&body)?)),
        (_, call::Arguments::Texts(texts)) => {
            Ok(Arguments::Named(parameters().map(|parameter| give_texts(parameter, &texts)).collect()))
        }
        (_, call::Arguments::Members(Rows { json, shape, .. })) => {
            let parameters: Vec<Parameter> = parameters().collect();
            if parameters.is_empty() {
                return Ok(Arguments::Named(Vec::new()));
            }
            Ok(Arguments::Members { parameters, json, shape })
        }
        (_, call::Arguments::Body(_)) => Ok(Arguments::Named(Vec::new())),
    }
}

/// A variadic parameter takes all texts of its name, any other the last.
fn give_texts(parameter: Parameter, texts: &[(String, String)]) -> (Parameter, Given) {
    let mut own = texts.iter().filter(|(name, _)| *name == parameter.name).map(|(_, text)| Value::Text(text.clone()));
    let given = if parameter.variadic {
        Given::Many(own.collect())
    } else {
        Given::One(own.next_back().unwrap_or(Value::Null))
    };
    (parameter, given)
}

/// The values of the parameters, typed. Lengths and scales do not matter: parameters have none.
pub(super) fn type_all(
    scope: &Scope<'_>,
    routine: &Routine,
    given: call::Arguments,
) -> Result<Vec<Option<Value>>, Error> {
    match (routine.parameters.as_slice(), given) {
        ([only], call::Arguments::Members(rows)) if only.name.is_empty() => {
            Ok(vec![Some(scope.reader().store(&rows.json, &only.type_name)?)])
        }
        ([only], call::Arguments::Body(body)) if only.type_name.kind == TypeKind::Bytea => {
            Ok(vec![Some(Value::Blob(body.to_vec()))])
        }
        ([_], call::Arguments::Body(body)) => Ok(vec![Some(text_of(&body)?)]),
        (parameters, call::Arguments::Texts(texts)) => {
            parameters.iter().map(|parameter| type_texts(scope, parameter, &texts)).collect()
        }
        (parameters, call::Arguments::Members(Rows { objects, keys, .. })) => {
            let object = objects.first();
            let typed = parameters.iter().map(|parameter| {
                let member = object.and_then(|object| object.get(&parameter.name));
                match member {
                    Some(member) => {
                        let value = scope.reader().from_json(member, &parameter.type_name);
                        value.map(Some).map_err(|error| error.of_key(&parameter.name))
                    }
                    // `columns=` named it.
                    None => Ok(keys.contains(&parameter.name).then_some(Value::Null)),
                }
            });
            typed.collect()
        }
        (parameters, call::Arguments::Body(_)) => Ok(vec![None; parameters.len()]),
    }
}

/// A variadic parameter takes all texts of its name, any other the last.
fn type_texts(scope: &Scope<'_>, parameter: &Parameter, texts: &[(String, String)]) -> Result<Option<Value>, Error> {
    let mut own = texts.iter().filter(|(name, _)| *name == parameter.name).map(|(_, text)| text);
    if !parameter.variadic {
        return own.next_back().map(|text| scope.reader().store(text, &parameter.type_name)).transpose();
    }
    let items: Vec<serde_json::Value> = own.map(|text| text.as_str().into()).collect();
    if items.is_empty() {
        return Ok(None);
    }
    scope.reader().from_json(&serde_json::Value::Array(items), &parameter.type_name).map(Some)
}

fn text_of(body: &[u8]) -> Result<Value, Error> {
    let invalid = || Error::sqlstate("22021", "invalid byte sequence for encoding \"UTF8\"");
    let text = std::str::from_utf8(body).map_err(|_| invalid())?;
    if text.contains('\0') { Err(invalid()) } else { Ok(Value::Text(text.to_owned())) }
}
