//! `CREATE INDEX` and `DROP INDEX`.

use sqlparser::ast::{CreateIndex, IndexColumn, IndexType, OrderBySort};

use super::model::{Index, IndexPart, Uniqueness};
use super::{Refusal, Translator, name, refuse, render};

impl Translator<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) -> Result<(), Refusal> {
        let table = name::local(&create.table_name)?;
        let uniqueness = if create.unique { Uniqueness::Unique } else { Uniqueness::Plain };
        let is_ordered = matches!(create.using, None | Some(IndexType::BTree | IndexType::Hash));
        if uniqueness == Uniqueness::Plain && !is_ordered {
            // Such an index changes no answer, only its speed, and SQLite has none of its kind.
            return self.schema.require_relation(&table);
        }
        if create.nulls_distinct == Some(false) {
            return refuse("NULLS NOT DISTINCT is not supported");
        }
        let parts: Vec<IndexPart> = create.columns.iter().map(part).collect();
        let model = self.schema.require_table(&table)?;
        let name = match &create.name {
            Some(name) => name::local(name)?,
            None => {
                let columns: Vec<String> = parts.iter().map(column_of).collect();
                model.free_name(&columns, "idx")
            }
        };
        if self.owner_of(&name).is_some() {
            let exists = refuse(format!("relation \"{name}\" already exists"));
            return if create.if_not_exists { Ok(()) } else { exists };
        }
        let predicate = create.predicate.as_ref().map(ToString::to_string);
        let index = Index { name, uniqueness, parts, predicate };
        let mut model = self.schema.require_table(&table)?.clone();
        let sql = render::index(&index, &model, self.schema)?;
        model.indexes.push(index);
        self.schema.tables.insert(table.clone(), model);
        if !self.is_pending(&table) {
            self.execute(sql);
        }
        Ok(())
    }

    pub(super) fn drop_index(&mut self, name: &str, if_exists: bool) -> Result<(), Refusal> {
        let Some(table) = self.owner_of(name) else {
            let missing = refuse(format!("index \"{name}\" does not exist"));
            return if if_exists { Ok(()) } else { missing };
        };
        self.schema.require_table(&table)?.indexes.retain(|index| index.name != name);
        if !self.is_pending(&table) {
            self.execute(format!("DROP INDEX {}", name::quote(name)));
        }
        Ok(())
    }

    /// The table that an index of that name is on.
    fn owner_of(&self, index: &str) -> Option<String> {
        let mut tables = self.schema.tables.values();
        tables.find(|table| table.indexes.iter().any(|of| of.name == index)).map(|table| table.name.clone())
    }
}

/// Where nulls stand in an index is not said: SQLite does not let it be, and it changes no answer.
fn part(column: &IndexColumn) -> IndexPart {
    let order = match column.column.options.sort {
        Some(OrderBySort::Desc) => "DESC",
        Some(OrderBySort::Asc | OrderBySort::Using(_)) | None => "",
    };
    IndexPart { expression: column.column.expr.to_string(), order: order.to_owned() }
}

/// The part's share in a name: a column's own, `expr` for an expression.
fn column_of(part: &IndexPart) -> String {
    let name = part.expression.trim_matches('"');
    let is_plain = name.chars().all(|character| character.is_alphanumeric() || character == '_');
    if is_plain { name.to_owned() } else { "expr".to_owned() }
}
