//! A function of the model → what requests call: its parameters, its result, and its statements in SQLite's SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlparser::ast::{self, Query, Statement};

use crate::catalog::{
    self, Bearer, Body, Change, Piece, Privilege, QualifiedName, ReturnKind, Returns, Routine, Step, Template, Tuning,
    TypeKind, TypeName, Use, Verb,
};
use crate::migrate::translate::argument::{self, Argument, Row, Written};
use crate::migrate::translate::change::returned;
use crate::migrate::translate::decimal::held;
use crate::migrate::translate::model::{Column, Function, Mode, Parameter, UserType};
use crate::migrate::translate::query::Target;
use crate::migrate::translate::schema::{ObjectKind, Schema};
use crate::migrate::translate::scope::Scope;
use crate::migrate::translate::{Refusal, name, parse, refuse, types};

/// A function without what it does.
pub(in crate::migrate) fn signature(function: &Function, schema: &Schema) -> Routine {
    let comment = schema.comments.get(&(ObjectKind::Function, function.signature(), String::new()));
    Routine {
        name: QualifiedName::new(name::SCHEMA, &function.name),
        comment: comment.cloned(),
        parameters: function.taken().map(|parameter| taken(parameter, schema)).collect(),
        returns: Returns { kind: return_kind(function, schema), set: function.returns_set },
        volatility: function.volatility,
        tuning: Tuning::default(),
        grantees: function.grantees.clone(),
        body: None,
        row_of: row_of(function, schema),
        one_row: function.rows == Some(1),
    }
}

/// The table whose row is all that a function takes.
fn row_of(function: &Function, schema: &Schema) -> Option<QualifiedName> {
    let mut taken = function.taken();
    let (Some(only), None) = (taken.next(), taken.next()) else { return None };
    schema.has_relation(&only.declared).then(|| QualifiedName::new(name::SCHEMA, &only.declared))
}

/// Translates a function.
///
/// # Errors
/// What in its body cannot be done on SQLite.
pub(in crate::migrate) fn routine(function: &Function, schema: &Schema) -> Result<Routine, Refusal> {
    let signature = signature(function, schema);
    let kind = &signature.returns.kind;
    let names = argument::Routine { name: function.name.clone(), arguments: arguments(function, schema) };
    let scope = Scope::of_routine(schema, names, function.bearer);
    let (mut uses, mut calls) = (Vec::new(), BTreeMap::new());
    let statements = parse::statements(&function.body)?;
    let mut steps = Vec::with_capacity(statements.len());
    for (place, statement) in statements.iter().enumerate() {
        let result = (place + 1 == statements.len()).then_some(kind);
        let texts = step(&scope, statement, result)?;
        let noted = scope.take_uses();
        let change = change(&scope, statement, function.bearer, &noted.tables)?;
        steps.extend(texts.iter().map(|sql| Step { change: change.clone(), sql: Template::cut(sql) }));
        add_uses(&mut uses, noted.tables, change.as_ref());
        calls.extend(noted.calls);
    }
    if statements.is_empty() && *kind != ReturnKind::Void {
        return refuse("the body of the function has no statement that gives its result");
    }
    let defaults = function.taken().map(|parameter| default(parameter, schema)).collect::<Result<_, _>>()?;
    let body = Body { steps, defaults, strict: function.strict, uses, calls };
    Ok(Routine { body: Some(Arc::new(body)), ..signature })
}

fn taken(parameter: &Parameter, schema: &Schema) -> catalog::Parameter {
    catalog::Parameter {
        name: parameter.name.clone(),
        type_name: type_name(&parameter.declared, schema),
        // As on Postgres, a variadic parameter may be left out when it has a default.
        required: parameter.default.is_none(),
        variadic: parameter.mode == Mode::Variadic,
    }
}

/// The type of what is taken or given.
pub(in crate::migrate::translate) fn type_name(declared: &str, schema: &Schema) -> TypeName {
    match types::labels(declared, &schema.types) {
        Some(labels) => TypeName {
            declared: declared.to_owned(),
            kind: TypeKind::Enum { name: declared.to_owned(), labels: labels.to_vec() },
        },
        None => TypeName::without_modifiers(types::base(declared, &schema.types)),
    }
}

/// The columns of a type whose values are rows.
pub(in crate::migrate::translate) fn columns_of_type<'a>(
    declared: &'a str,
    schema: &'a Schema,
) -> Option<(&'a str, &'a [Column])> {
    match schema.types.get(declared) {
        Some(UserType::Composite(columns)) => Some((declared, columns)),
        Some(UserType::Domain { declared: under, .. }) => columns_of_type(under, schema),
        Some(UserType::Enumeration(_)) => None,
        None => schema.relation(declared).map(|table| (declared, table.columns.as_slice())),
    }
}

fn return_kind(function: &Function, schema: &Schema) -> ReturnKind {
    let Some(declared) = &function.returns else {
        let given = function.given().enumerate().map(|(place, parameter)| {
            let name = if parameter.name.is_empty() { format!("column{}", place + 1) } else { parameter.name.clone() };
            catalog::Column::plain(name, type_name(&parameter.declared, schema))
        });
        return ReturnKind::Row { of: None, columns: given.collect() };
    };
    match (declared.as_str(), columns_of_type(declared, schema)) {
        ("void", _) => ReturnKind::Void,
        // Its columns are those of the query: only as JSON can it be given.
        ("record", _) => ReturnKind::Value(TypeName { declared: "record".to_owned(), kind: TypeKind::Json }),
        (_, Some((of, columns))) => {
            let plain = |of: &Column| catalog::Column::plain(of.name.clone(), type_name(&of.declared, schema));
            ReturnKind::Row {
                of: Some(QualifiedName::new(name::SCHEMA, of)),
                columns: columns.iter().map(plain).collect(),
            }
        }
        (_, None) => ReturnKind::Value(type_name(declared, schema)),
    }
}

/// What the parameters stand for in the body.
fn arguments(function: &Function, schema: &Schema) -> Vec<Argument> {
    let argument = |(place, parameter): (usize, &Parameter)| {
        let written = match columns_of_type(&parameter.declared, schema) {
            Some((_, columns)) => Written::Row(Row { columns: columns.to_vec(), prefix: None }),
            None => Written::Value(Piece::Parameter(place).to_text()),
        };
        Argument { name: parameter.name.clone(), declared: parameter.declared.clone(), written }
    };
    function.taken().enumerate().map(argument).collect()
}

/// The default of a parameter, in the form in which its values are stored.
fn default(parameter: &Parameter, schema: &Schema) -> Result<Option<String>, Refusal> {
    let Some(default) = &parameter.default else { return Ok(None) };
    let expression = parse::expression(default)?;
    Scope::new(schema).assigned(&expression, &type_name(&parameter.declared, schema)).map(Some)
}

/// What one statement of the body changes.
fn change(
    scope: &Scope<'_>,
    statement: &Statement,
    bearer: Bearer,
    used: &BTreeMap<(String, Privilege, Bearer), BTreeSet<String>>,
) -> Result<Option<Change>, Refusal> {
    let verb = match statement {
        Statement::Insert(_) => Verb::Insert,
        Statement::Update(_) => Verb::Update,
        Statement::Delete(_) => Verb::Delete,
        _ => return Ok(None),
    };
    let Some(changed) = scope.changed_by(statement)? else { return Ok(None) };
    let read = used.get(&(changed.table.clone(), Privilege::Select, bearer));
    let merges = |of: &ast::OnConflict| matches!(of.action, ast::OnConflictAction::DoUpdate(_));
    let merges = matches!(
        statement,
        Statement::Insert(ast::Insert { on: Some(ast::OnInsert::OnConflict(conflict)), .. }) if merges(conflict)
    );
    let reads = read.is_some_and(|columns| !columns.is_empty());
    Ok(Some(Change { verb, table: QualifiedName::new(name::SCHEMA, changed.table), bearer, reads, merges }))
}

/// One statement of the body, as one or more for SQLite. `result`: what the function gives, for the last one.
fn step(scope: &Scope<'_>, statement: &Statement, result: Option<&ReturnKind>) -> Result<Vec<String>, Refusal> {
    let result = result.filter(|kind| **kind != ReturnKind::Void);
    let types: Vec<TypeName> = match result {
        Some(ReturnKind::Row { columns, .. }) => columns.iter().map(|column| held(column.type_name.clone())).collect(),
        Some(ReturnKind::Value(of)) => vec![held(of.clone())],
        Some(ReturnKind::Void) | None => Vec::new(),
    };
    let is_record = matches!(result, Some(ReturnKind::Value(of)) if of.declared == "record");
    let is_row = matches!(result, Some(ReturnKind::Row { .. }));
    let target = result.filter(|_| !is_record).map(|_| Target { types: &types, is_row });
    if let Some(given) = result.filter(|_| !is_record).map(|_| output(scope, statement)).transpose()?.flatten() {
        check_columns(&given, types.len(), is_row)?;
    }
    let written = match statement {
        Statement::Query(query) if is_record => vec![record(scope, query)?],
        Statement::Query(query) => vec![scope.query_into(query, target)?],
        other => scope.change(other, target)?,
    };
    let gives = matches!(statement, Statement::Query(_)) || returned(statement).is_some();
    if result.is_some() && (!gives || (is_record && !matches!(statement, Statement::Query(_)))) {
        return refuse(
            "the last statement of the function must be a SELECT, or have a RETURNING that gives its result",
        );
    }
    Ok(written)
}

fn output(scope: &Scope<'_>, statement: &Statement) -> Result<Option<Vec<Column>>, Refusal> {
    match statement {
        Statement::Query(query) => scope.output(query),
        other => scope.output_of_returning(other),
    }
}

/// Refuses what gives another number of columns; a row may also be given as one value.
fn check_columns(given: &[Column], wanted: usize, is_row: bool) -> Result<(), Refusal> {
    if given.len() == wanted || (is_row && given.len() == 1) {
        return Ok(());
    }
    refuse(format!(
        "return type mismatch: the function gives {wanted} column{}, its last statement {}",
        if wanted == 1 { "" } else { "s" },
        given.len()
    ))
}

/// The rows of a query as JSON objects.
fn record(scope: &Scope<'_>, query: &Query) -> Result<String, Refusal> {
    let Some(columns) = scope.output(query)? else { return refuse("the columns of the record cannot be told") };
    let shape: Vec<(&str, &str)> = columns.iter().map(|of| (of.name.as_str(), of.declared.as_str())).collect();
    let shape = name::text(&serde_json::json!(shape).to_string());
    let numbered: Vec<String> = (0..columns.len()).map(|place| format!("c{place}")).collect();
    let (numbered, written) = (numbered.join(", "), scope.query(query)?);
    Ok(format!("WITH berth_record({numbered}) AS ({written}) SELECT berth_row({shape}, {numbered}) FROM berth_record"))
}

/// Adds what was noted of tables; first what is done to the table that is changed, as Postgres checks it.
fn add_uses(
    uses: &mut Vec<Use>,
    noted: BTreeMap<(String, Privilege, Bearer), BTreeSet<String>>,
    change: Option<&Change>,
) {
    let is_changed = |table: &String| change.is_some_and(|change| change.table.name == *table);
    let (changed, others): (Vec<_>, Vec<_>) = noted.into_iter().partition(|((table, ..), _)| is_changed(table));
    for ((table, privilege, bearer), columns) in changed.into_iter().chain(others) {
        let table = QualifiedName::new(name::SCHEMA, table);
        let is_same = |of: &&mut Use| of.table == table && of.privilege == privilege && of.bearer == bearer;
        match uses.iter_mut().find(is_same) {
            Some(known) => known.columns.extend(columns),
            None => uses.push(Use { table, privilege, columns, bearer }),
        }
    }
}
