//! Planning against a small catalog made of literals.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test names the one case that it expects")]

mod access;
mod filters;
mod properties;
mod reads;
mod writes;

use super::*;
use crate::catalog::{Column, ForeignKey, Generated, Kind, TypeKind, TypeName};
use crate::request::filter::{Arrow, Comparison, Field, Filter, JsonOperand, JsonStep, Operation};
use crate::request::payload::{Rows, Shape};
use crate::request::prefer::{Representation, TransactionEnd};
use crate::request::{Payload, Range, SelectItem};

fn text() -> TypeKind {
    TypeKind::Text { max_length: None }
}

fn column(name: &str, declared: &str, kind: TypeKind) -> Column {
    Column {
        name: name.to_owned(),
        type_name: TypeName { declared: declared.to_owned(), kind },
        nullable: true,
        default: None,
        generated: Generated::No,
        enum_values: Vec::new(),
        comment: None,
    }
}

fn table(name: &str, columns: Vec<Column>, primary_key: &[&str]) -> Table {
    Table {
        name: QualifiedName::new("public", name),
        kind: Kind::Table,
        comment: None,
        columns,
        primary_key: primary_key.iter().map(|&name| name.to_owned()).collect(),
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        insertable: true,
        updatable: true,
        deletable: true,
    }
}

/// `films` (key `id`), `ratings` (key of two columns), `counters` (generated key), `films_view` (read-only, no key).
fn catalog() -> Catalog {
    let mut films = table(
        "films",
        vec![
            Column { generated: Generated::IdentityByDefault, ..column("id", "integer", TypeKind::Integer) },
            column("title", "text", text()),
            Column { default: Some("1999".to_owned()), ..column("year", "integer", TypeKind::Integer) },
            column("seen", "boolean", TypeKind::Boolean),
            column("notes", "json", TypeKind::Json),
            column("data", "jsonb", TypeKind::Jsonb),
            column("tags", "text[]", TypeKind::Array(Box::new(text()))),
            column("director_id", "integer", TypeKind::Integer),
        ],
        &["id"],
    );
    films.unique = vec![vec!["title".to_owned(), "year".to_owned()]];
    films.foreign_keys = vec![ForeignKey {
        name: "films_director_id_fkey".to_owned(),
        columns: vec!["director_id".to_owned()],
        references: QualifiedName::new("public", "directors"),
        references_columns: vec!["id".to_owned()],
    }];
    let directors = table("directors", vec![column("id", "integer", TypeKind::Integer)], &["id"]);
    let ratings = table(
        "ratings",
        vec![
            column("film", "integer", TypeKind::Integer),
            column("person", "text", text()),
            column("stars", "integer", TypeKind::Integer),
        ],
        &["film", "person"],
    );
    let counters = table(
        "counters",
        vec![
            Column { generated: Generated::IdentityAlways, ..column("id", "integer", TypeKind::Integer) },
            column("value", "integer", TypeKind::Integer),
            Column { generated: Generated::Computed, ..column("double", "integer", TypeKind::Integer) },
        ],
        &["id"],
    );
    let mut view = table("films_view", vec![column("title", "text", text())], &[]);
    view.kind = Kind::View;
    (view.insertable, view.updatable, view.deletable) = (false, false, false);
    let tables = [films, directors, ratings, counters, view];
    Catalog { tables: tables.into_iter().map(|table| (table.name.clone(), table)).collect(), ..Catalog::default() }
}

fn settings(engine: Engine) -> Settings {
    Settings {
        engine,
        schemas: vec!["public".to_owned()],
        max_rows: None,
        streaming: Streaming::Rows { at_most: None },
        aggregates: false,
        root: crate::plan::Root::Usable,
        plans: false,
        target_names: crate::plan::TargetNames::Legacy,
        access: AccessMode::Closed,
        transaction_end: TransactionEnd::Commit,
        transaction_override: TransactionOverride::Heeded,
    }
}

fn field(name: &str) -> Field {
    Field { name: name.to_owned(), path: Vec::new() }
}

fn key(arrow: Arrow, key: &str) -> JsonStep {
    JsonStep { arrow, operand: JsonOperand::Key(key.to_owned()) }
}

fn index(arrow: Arrow, index: i64) -> JsonStep {
    JsonStep { arrow, operand: JsonOperand::Index(index) }
}

fn select(name: &str) -> SelectItem {
    SelectItem::Field { field: field(name), aggregate: None, aggregate_cast: None, cast: None, alias: None }
}

fn request(method: Method, relation: &str) -> Request {
    Request {
        method,
        resource: Resource::Relation(relation.to_owned()),
        profile: None,
        select: vec![select("*")],
        filters: Vec::new(),
        logic: Vec::new(),
        order: Vec::new(),
        distinct: None,
        seek: None,
        range: Range::ALL,
        embed_ranges: Vec::new(),
        columns: None,
        on_conflict: None,
        content: MediaType::Json,
        payload: None,
        arguments: Vec::new(),
        preferences: Preferences::default(),
        accept: vec![MediaType::Any],
        canonical_query: String::new(),
    }
}

fn equal(name: &str, value: &str) -> Filter {
    filter(name, compare(Comparison::Equal, value))
}

fn filter(name: &str, operation: Operation) -> Filter {
    Filter { field: field(name), negated: false, operation }
}

fn compare(operator: Comparison, value: &str) -> Operation {
    Operation::Compare { operator, quantifier: None, value: value.to_owned() }
}

fn at_top<T>(item: T) -> (Vec<String>, T) {
    (Vec::new(), item)
}

/// A body as the parser reads it: keys of the first object.
fn body(json: &str) -> Option<Payload> {
    let value: serde_json::Value = serde_json::from_str(json).expect("the test's body is JSON");
    let (shape, values) = match value {
        serde_json::Value::Array(values) => (Shape::Array, values),
        object => (Shape::Object, vec![object]),
    };
    let objects: Vec<_> = values.into_iter().map(|value| value.as_object().cloned().expect("objects")).collect();
    let keys = objects.first().map(|object| object.keys().cloned().collect()).unwrap_or_default();
    let json = json.to_owned();
    Some(Payload::Rows(Rows { json, shape, objects, keys }))
}

/// The same with the keys that `columns=` names.
fn body_with_columns(json: &str, columns: &[&str]) -> Option<Payload> {
    let Some(Payload::Rows(mut rows)) = body(json) else { return None };
    rows.keys = columns.iter().map(|&name| name.to_owned()).collect();
    Some(Payload::Rows(rows))
}

fn make(request: Request, engine: Engine) -> Result<Plan, Error> {
    Plan::make(request, "anon", &catalog(), &settings(engine))
}

fn sqlite(request: Request) -> Result<Plan, Error> {
    make(request, Engine::Sqlite)
}

fn postgres(request: Request) -> Result<Plan, Error> {
    make(request, Engine::Postgres)
}

/// Code and message of what Postgres would say.
fn server_words(result: Result<Plan, Error>) -> (&'static str, String) {
    match result {
        Err(Error::Sqlstate { code, message, .. }) => (code, message),
        other => panic!("expected an SQLSTATE, got {other:?}"),
    }
}
