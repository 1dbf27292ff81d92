//! A table of the model → SQLite's `CREATE TABLE` and `CREATE INDEX`.

use super::decimal::held;
use super::model::{Column, ForeignKey, Index, Method, Nullability, Table, Uniqueness, UserType};
use super::schema::Schema;
use super::scope::Scope;
use super::{Refusal, name, parse, types};
use crate::catalog::TypeKind;
use crate::catalog::type_name::DECIMAL;

/// `CREATE TABLE` under the name `stored_as`.
pub(super) fn table(table: &Table, stored_as: &str, schema: &Schema) -> Result<String, Refusal> {
    let scope = Scope::definition(schema, table);
    let mut lines = Vec::new();
    for column in &table.columns {
        lines.push(self::column(column, table, &scope)?);
    }
    if let (Some(key), None) = (&table.primary_key, table.counted()) {
        lines.push(format!("CONSTRAINT {} PRIMARY KEY ({})", name::quote(&key.name), name::quote_all(&key.columns)));
    }
    for key in &table.unique {
        lines.push(format!("CONSTRAINT {} UNIQUE ({})", name::quote(&key.name), name::quote_all(&key.columns)));
    }
    for check in &table.checks {
        let condition = scope.write(&parse::expression(&check.expression)?)?;
        lines.push(format!("CONSTRAINT {} CHECK ({condition})", name::quote(&check.name)));
    }
    for column in &table.columns {
        for (constraint, condition) in checks_of_type(column, table, schema)? {
            lines.push(format!("CONSTRAINT {} CHECK ({condition})", name::quote(&constraint)));
        }
    }
    lines.extend(table.foreign_keys.iter().map(foreign_key));
    Ok(format!("CREATE TABLE {} (\n  {}\n)", name::quote(stored_as), lines.join(",\n  ")))
}

/// The `CREATE INDEX` statements of a table.
pub(super) fn indexes(table: &Table, schema: &Schema) -> Result<Vec<String>, Refusal> {
    let ordered = table.indexes.iter().filter(|index| index.method == Method::Ordered);
    ordered.map(|index| self::index(index, table, schema)).collect()
}

/// `CREATE INDEX`.
pub(super) fn index(index: &Index, table: &Table, schema: &Schema) -> Result<String, Refusal> {
    let scope = Scope::definition(schema, table);
    let mut parts = Vec::with_capacity(index.parts.len());
    for part in &index.parts {
        let written = scope.write_as_held(&parse::expression(&part.expression)?)?;
        parts.push(format!("{written} {}", part.order).trim_end().to_owned());
    }
    let unique = match index.uniqueness {
        Uniqueness::Plain => "",
        Uniqueness::Unique => "UNIQUE ",
    };
    let predicate = match &index.predicate {
        Some(predicate) => format!(" WHERE {}", scope.write(&parse::expression(predicate)?)?),
        None => String::new(),
    };
    let (index, table) = (name::quote(&index.name), name::quote(&table.name));
    Ok(format!("CREATE {unique}INDEX {index} ON {table} ({}){predicate}", parts.join(", ")))
}

/// An identity column that SQLite cannot count, because it is not the whole primary key.
pub(super) fn uncounted(table: &Table) -> Option<&str> {
    let counted = table.counted().map(|column| &column.name);
    let identity = table.columns.iter().find(|column| column.identity.is_some() && Some(&column.name) != counted)?;
    Some(&identity.name)
}

fn column(column: &Column, table: &Table, scope: &Scope<'_>) -> Result<String, Refusal> {
    let quoted = name::quote(&column.name);
    if table.counted().is_some_and(|counted| counted.name == column.name) {
        // Only this spelling makes the column the row id; the counter keeps numbers of deleted rows from coming again.
        let key = table.primary_key.as_ref().map(|key| name::quote(&key.name)).unwrap_or_default();
        return Ok(format!("{quoted} INTEGER CONSTRAINT {key} PRIMARY KEY AUTOINCREMENT NOT NULL"));
    }
    let types = &scope.schema.types;
    let mut declaration = types::declaration(&column.declared, types);
    let is_whole_key = table.primary_key.as_ref().is_some_and(|key| key.columns == [column.name.as_str()]);
    if is_whole_key && declaration == "integer" {
        // `INTEGER PRIMARY KEY` would be the row id and count itself, which this column must not.
        "int".clone_into(&mut declaration);
    }
    let mut line = format!("{quoted} {declaration}");
    if types::column_kind(column, types).is_wide() {
        line += &format!(" COLLATE {DECIMAL}");
    }
    if column.nullability == Nullability::NotNull || is_domain_not_null(&column.declared, scope.schema) {
        line += " NOT NULL";
    }
    if let Some(generated) = &column.generated {
        line += &format!(" GENERATED ALWAYS AS ({}) STORED", scope.write(&parse::expression(generated)?)?);
    } else if let Some(default) = column.default.as_ref().or_else(|| domain_default(&column.declared, scope.schema)) {
        line += &format!(
            " DEFAULT ({})",
            scope.assigned(
                &parse::expression(default)?,
                &held(types::type_name(types::base(&column.declared, types)))
            )?
        );
    }
    Ok(line)
}

fn foreign_key(key: &ForeignKey) -> String {
    let columns = if key.references_columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", name::quote_all(&key.references_columns))
    };
    format!(
        "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}{columns} {}",
        name::quote(&key.name),
        name::quote_all(&key.columns),
        name::quote(&key.references),
        key.rules
    )
    .trim_end()
    .to_owned()
}

/// What a type allows, said as checks. Requests are validated before they come here: these are for whoever writes to
/// the file by other means, and for expressions.
///
/// The names say what Postgres would: `type:integer`, `domain:percentage:percentage_check`.
fn checks_of_type(column: &Column, table: &Table, schema: &Schema) -> Result<Vec<(String, String)>, Refusal> {
    let quoted = name::quote(&column.name);
    let mut checks = Vec::new();
    let counted = table.counted().is_some_and(|counted| counted.name == column.name);
    let condition = match types::column_kind(column, &schema.types) {
        TypeKind::SmallInt => Some(whole(&quoted, "BETWEEN -32768 AND 32767")),
        TypeKind::Integer if !counted => Some(whole(&quoted, "BETWEEN -2147483648 AND 2147483647")),
        TypeKind::BigInt if !counted => Some(format!("typeof({quoted}) IN ('integer', 'null')")),
        TypeKind::Boolean => Some(format!("{quoted} IN (0, 1)")),
        TypeKind::Text { max_length: Some(length) } => Some(format!("length({quoted}) <= {length}")),
        TypeKind::Json | TypeKind::Jsonb | TypeKind::Array(_) => Some(format!("json_valid({quoted})")),
        _ => None,
    };
    let declared = types::base(&column.declared, &schema.types);
    checks.extend(condition.map(|condition| (format!("type:{declared}"), condition)));
    if let Some(labels) = types::labels(&column.declared, &schema.types) {
        checks.push((format!("type:{}", column.declared), format!("{quoted} IN ({})", name::text_all(labels))));
    }
    let mut declared = column.declared.as_str();
    while let Some(UserType::Domain { declared: under, checks: conditions, .. }) = schema.types.get(declared) {
        for check in conditions {
            let mut scope = Scope::definition(schema, table);
            scope.value = Some(&column.name);
            let condition = scope.write(&parse::expression(&check.expression)?)?;
            checks.push((format!("domain:{declared}:{}", check.name), condition));
        }
        declared = under;
    }
    Ok(checks)
}

fn whole(quoted: &str, range: &str) -> String {
    format!("{quoted} IS NULL OR (typeof({quoted}) = 'integer' AND {quoted} {range})")
}

fn is_domain_not_null(declared: &str, schema: &Schema) -> bool {
    match schema.types.get(declared) {
        Some(UserType::Domain { nullability: Nullability::NotNull, .. }) => true,
        Some(UserType::Domain { declared, .. }) => is_domain_not_null(declared, schema),
        Some(UserType::Enumeration(_) | UserType::Composite(_)) | None => false,
    }
}

fn domain_default<'a>(declared: &str, schema: &'a Schema) -> Option<&'a String> {
    match schema.types.get(declared)? {
        UserType::Domain { default: Some(default), .. } => Some(default),
        UserType::Domain { declared, .. } => domain_default(declared, schema),
        UserType::Enumeration(_) | UserType::Composite(_) => None,
    }
}
