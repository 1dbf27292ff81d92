//! `CREATE INDEX` and `DROP INDEX`.

use sqlparser::ast::{CreateIndex, IndexColumn, IndexType, OrderBySort};

use super::model::{Index, IndexPart, Method, Table, Uniqueness};
use super::{Refusal, Translator, name, refuse, render, words};

impl Translator<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) -> Result<(), Refusal> {
        let table = name::local(&create.table_name)?;
        let uniqueness = if create.unique { Uniqueness::Unique } else { Uniqueness::Plain };
        let is_ordered = matches!(create.using, None | Some(IndexType::BTree | IndexType::Hash));
        if uniqueness == Uniqueness::Plain && !is_ordered {
            return self.create_other_index(create, &table);
        }
        if create.nulls_distinct == Some(false) {
            return refuse("NULLS NOT DISTINCT is not supported");
        }
        let parts: Vec<IndexPart> = create.columns.iter().map(part).collect();
        let model = self.schema.require_table(&table)?;
        let name = name_of(create, &parts, model)?;
        if self.owner_of(&name).is_some() {
            let exists = refuse(format!("relation \"{name}\" already exists"));
            return if create.if_not_exists { Ok(()) } else { exists };
        }
        let predicate = create.predicate.as_ref().map(ToString::to_string);
        let index = Index { name, uniqueness, parts, predicate, method: Method::Ordered };
        let mut model = self.schema.require_table(&table)?.clone();
        let sql = render::index(&index, &model, self.schema)?;
        model.indexes.push(index);
        self.schema.tables.insert(table.clone(), model);
        if !self.is_pending(&table) {
            self.execute(sql);
        }
        Ok(())
    }

    /// An index that is not ordered: one of words is kept ([`words`]). Any other changes no answer, only its speed, and
    /// SQLite has none of its kind.
    fn create_other_index(&mut self, create: &CreateIndex, table: &str) -> Result<(), Refusal> {
        let Some(model) = self.schema.tables.get(table) else { return self.schema.require_relation(table) };
        let parts: Vec<IndexPart> = create.columns.iter().map(part).collect();
        let name = name_of(create, &parts, model)?;
        let index = Index { name, uniqueness: Uniqueness::Plain, parts, predicate: None, method: Method::Words };
        if create.predicate.is_some() || words::of(&index, model, self.schema).is_none() {
            return Ok(());
        }
        if self.owner_of(&index.name).is_some() {
            let exists = refuse(format!("relation \"{}\" already exists", index.name));
            return if create.if_not_exists { Ok(()) } else { exists };
        }
        self.schema.require_table(table)?.indexes.push(index);
        Ok(())
    }

    pub(super) fn drop_index(&mut self, name: &str, if_exists: bool) -> Result<(), Refusal> {
        let Some(table) = self.owner_of(name) else {
            let missing = refuse(format!("index \"{name}\" does not exist"));
            return if if_exists { Ok(()) } else { missing };
        };
        let indexes = &mut self.schema.require_table(&table)?.indexes;
        let is_ordered = indexes.iter().any(|index| index.name == name && index.method == Method::Ordered);
        indexes.retain(|index| index.name != name);
        if is_ordered && !self.is_pending(&table) {
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

/// The name that the statement gives, or that Postgres would choose.
fn name_of(create: &CreateIndex, parts: &[IndexPart], table: &Table) -> Result<String, Refusal> {
    match &create.name {
        Some(name) => name::local(name),
        None => Ok(table.free_name(&parts.iter().map(column_of).collect::<Vec<_>>(), "idx")),
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
