//! Which of the functions of a name is meant.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Parameter, QualifiedName, Routine, TypeKind, hint};
use crate::plan::Error;
use crate::request::call::Whole;

/// The one function of that name that the arguments fit, by the names of its parameters; failing that, the one whose
/// only parameter takes the body whole.
///
/// # Errors
/// [`Error::NoFunction`], [`Error::AmbiguousFunction`].
pub(in crate::plan) fn find_routine<'a>(
    catalog: &'a Catalog,
    name: &QualifiedName,
    arguments: &BTreeSet<String>,
    whole: Option<Whole>,
) -> Result<&'a Routine, Error> {
    let overloads = catalog.routines.get(name).map(Vec::as_slice).unwrap_or_default();
    let (mut fitting, others): (Vec<&Routine>, Vec<&Routine>) =
        overloads.iter().partition(|routine| fits(routine, arguments, whole));
    if fitting.is_empty() {
        fitting = others.into_iter().filter(|routine| takes_whole(routine, whole)).collect();
    }
    match fitting.as_slice() {
        [only] => Ok(only),
        [] => Err(Error::NoFunction {
            schema: name.schema.clone(),
            name: name.name.clone(),
            suggestion: suggest(catalog, name, overloads, arguments, whole),
            arguments: arguments.iter().cloned().collect(),
            whole,
        }),
        several => Err(Error::AmbiguousFunction(several.iter().map(|routine| routine.signature()).collect())),
    }
}

/// True when each required parameter has an argument and each argument a parameter.
fn fits(routine: &Routine, arguments: &BTreeSet<String>, whole: Option<Whole>) -> bool {
    if routine.parameters.is_empty() {
        return arguments.is_empty() && matches!(whole, None | Some(Whole::Json));
    }
    let is_known = |name: &String| routine.parameters.iter().any(|parameter| &parameter.name == name);
    let is_given = |parameter: &&Parameter| arguments.contains(&parameter.name);
    arguments.iter().all(is_known) && routine.parameters.iter().filter(|it| it.required).all(|it| is_given(&it))
}

/// True when the only parameter has no name and takes the body as it is.
fn takes_whole(routine: &Routine, whole: Option<Whole>) -> bool {
    let [Parameter { name, type_name, .. }] = routine.parameters.as_slice() else { return false };
    name.is_empty()
        && match whole {
            None => false,
            Some(Whole::Json) => matches!(type_name.kind, TypeKind::Json | TypeKind::Jsonb),
            Some(Whole::Text) => type_name.declared == "text",
            Some(Whole::Xml) => type_name.declared == "xml",
            Some(Whole::Bytes) => type_name.kind == TypeKind::Bytea,
        }
}

/// The function that was perhaps meant: another name, or the same with other parameters.
fn suggest(
    catalog: &Catalog,
    name: &QualifiedName,
    overloads: &[Routine],
    arguments: &BTreeSet<String>,
    whole: Option<Whole>,
) -> Option<String> {
    if !matches!(whole, None | Some(Whole::Json)) {
        return None;
    }
    if overloads.is_empty() {
        let beside = catalog.routines.keys().filter(|other| other.schema == name.schema);
        return hint::closest(&name.name, beside.map(|other| other.name.as_str())).map(str::to_owned);
    }
    let list = |names: BTreeSet<&String>| {
        format!("({})", names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", "))
    };
    let known: Vec<String> =
        overloads.iter().map(|it| list(it.parameters.iter().map(|parameter| &parameter.name).collect())).collect();
    let sent = list(arguments.iter().collect());
    hint::closest_above(hint::BELONGING_MIN_SCORE, &sent, known.iter().map(String::as_str))
        .map(|parameters| format!("{}{parameters}", name.name))
}
