//! The shape of each table's rows.

use serde_json::{Map, Value, json};

use crate::catalog::{Catalog, Column, ForeignKey, Kind, Table, TypeKind, TypeName};

/// Every table's definition.
pub(super) fn all(catalog: &Catalog, tables: &[&Table]) -> Value {
    tables.iter().map(|table| (table.name.name.clone(), of_table(catalog, table))).collect::<Map<_, _>>().into()
}

/// Refers to a table's definition.
pub(super) fn reference(table: &str) -> String {
    format!("#/definitions/{}", escape(table))
}

/// Writes a name as a token of a JSON pointer inside a URI fragment (RFC 6901, sections 3 and 6).
pub(super) fn escape(name: &str) -> String {
    let token = name.replace('~', "~0").replace('/', "~1");
    crate::response::location::encode_path(&token)
}

fn of_table(catalog: &Catalog, table: &Table) -> Value {
    let required: Vec<&str> =
        table.columns.iter().filter(|column| !column.nullable).map(|column| column.name.as_str()).collect();
    let properties: Map<String, Value> =
        table.columns.iter().map(|column| (column.name.clone(), of_column(catalog, table, column))).collect();
    let mut definition = Map::new();
    if let Some(comment) = table.description() {
        definition.insert("description".into(), json!(comment));
    }
    // OpenAPI 2.0 refuses an empty list here.
    if !required.is_empty() {
        definition.insert("required".into(), json!(required));
    }
    definition.insert("properties".into(), Value::Object(properties));
    definition.insert("type".into(), json!("object"));
    Value::Object(definition)
}

fn of_column(catalog: &Catalog, table: &Table, column: &Column) -> Value {
    let mut property = Map::new();
    if let Some(default) = column.default.as_deref().and_then(|default| literal_default(column, default)) {
        property.insert("default".into(), default);
    }
    if let Some(description) = describe(catalog, table, column) {
        property.insert("description".into(), json!(description));
    }
    if !column.enum_values.is_empty() {
        property.insert("enum".into(), json!(column.enum_values));
    }
    property.extend(of_type(&column.type_name));
    Value::Object(property)
}

/// What a type's values look like.
pub(super) fn of_type(type_name: &TypeName) -> Map<String, Value> {
    let mut property = Map::new();
    property.insert("format".into(), json!(format_of(type_name)));
    if let TypeKind::Text { max_length: Some(length) } = type_name.kind {
        property.insert("maxLength".into(), json!(length));
    }
    if let TypeKind::Array(element) = &type_name.kind {
        let item = json_type(element).map_or_else(|| json!({}), |name| json!({ "type": name }));
        property.insert("items".into(), item);
    }
    if let Some(name) = json_type(&type_name.kind) {
        property.insert("type".into(), json!(name));
    }
    property
}

/// The comment, and notes on keys in the form that `PostgREST`'s tools look for.
fn describe(catalog: &Catalog, table: &Table, column: &Column) -> Option<String> {
    let mut notes = Vec::new();
    if table.primary_key.contains(&column.name) {
        notes.push("This is a Primary Key.<pk/>".to_owned());
    }
    let key = key_of(catalog, table, column);
    if let Some((key, target)) = key.and_then(|key| Some((key, key.references_columns.first()?))) {
        let to = &key.references.name;
        notes.push(format!("This is a Foreign Key to `{to}.{target}`.<fk table='{to}' column='{target}'/>"));
    }
    if notes.is_empty() {
        return column.comment.clone();
    }
    let before = column.comment.as_ref().map(|comment| format!("{comment}\n\n")).unwrap_or_default();
    Some(format!("{before}Note:\n{}", notes.join("\n")))
}

/// The foreign key of that column alone: its table's, or one that a view shows, to a table rather than to a view of it.
fn key_of<'a>(catalog: &'a Catalog, table: &'a Table, column: &Column) -> Option<&'a ForeignKey> {
    let shown = catalog.shown_keys.iter().filter(|shown| shown.owner == table.name).map(|shown| &shown.key);
    let keys = table.foreign_keys.iter().chain(shown).filter(|key| key.columns == [column.name.as_str()]);
    keys.min_by_key(|key| catalog.table(&key.references).is_some_and(|target| target.kind == Kind::View))
}

/// JSON's name of a type; JSON itself has none, any value may stand there.
pub(super) fn json_type(kind: &TypeKind) -> Option<&'static str> {
    match kind {
        TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => Some("integer"),
        TypeKind::Real | TypeKind::Double | TypeKind::Numeric { .. } => Some("number"),
        TypeKind::Boolean => Some("boolean"),
        TypeKind::Array(_) => Some("array"),
        TypeKind::Json | TypeKind::Jsonb | TypeKind::Any => None,
        TypeKind::Text { .. }
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid
        | TypeKind::Bytea
        | TypeKind::Enum { .. }
        | TypeKind::TsVector
        | TypeKind::Other => Some("string"),
    }
}

/// `int32` and `int64` for integers, the declared name without its length for the rest.
pub(super) fn format_of(type_name: &TypeName) -> String {
    match type_name.kind {
        TypeKind::SmallInt | TypeKind::Integer => "int32".to_owned(),
        TypeKind::BigInt => "int64".to_owned(),
        TypeKind::Text { max_length: Some(_) } | TypeKind::Numeric { .. } => {
            type_name.declared.split('(').next().unwrap_or_default().trim().to_owned()
        }
        TypeKind::Real
        | TypeKind::Double
        | TypeKind::Boolean
        | TypeKind::Text { max_length: None }
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Jsonb
        | TypeKind::Bytea
        | TypeKind::Any
        | TypeKind::TsVector
        | TypeKind::Other => type_name.declared.clone(),
        TypeKind::Array(_) => {
            let (element, dimensions) = type_name.declared.split_once('[').unwrap_or((&type_name.declared, "]"));
            format!("{}[{dimensions}", element.split('(').next().unwrap_or_default().trim())
        }
        // As Postgres names a type that is not its own.
        TypeKind::Enum { .. } => format!("public.{}", type_name.declared),
    }
}

/// The default as JSON; an expression is shown as a string where the type is one, else left out.
fn literal_default(column: &Column, default: &str) -> Option<Value> {
    // A compound expression, in the words of the engine: no client could make use of it.
    if default.starts_with('(') {
        return None;
    }
    if json_type(&column.type_name.kind) == Some("string") {
        let text = default.strip_suffix(&format!("::{}", column.type_name.declared)).unwrap_or(default);
        return Some(json!(text.trim_matches('\'')));
    }
    // A number that is held as text stands in quotes.
    let is_text = column.type_name.kind.is_decimal_text();
    let number = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).filter(|_| is_text);
    let value: Value = serde_json::from_str(number.unwrap_or(default)).ok()?;
    match json_type(&column.type_name.kind) {
        Some("boolean") => value.as_bool().or_else(|| sqlite_boolean(&value)).map(Value::Bool),
        Some("integer" | "number") => value.as_number().map(|number| shortest(number).into()),
        Some(_) | None => None,
    }
}

/// `SQLite` has no booleans: a migrated table's default is 1 or 0.
fn sqlite_boolean(value: &Value) -> Option<bool> {
    match value.as_i64() {
        Some(0) => Some(false),
        Some(1) => Some(true),
        Some(_) | None => None,
    }
}

/// The number without the zeros at its end, which not every store keeps.
fn shortest(number: &serde_json::Number) -> serde_json::Number {
    let text = number.to_string();
    let plain = text.contains('.') && !text.contains(['e', 'E']);
    let short = if plain { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    short.parse().unwrap_or_else(|_| number.clone())
}
