//! The table that names of a request are looked up in.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::value::{Reader, Zone};
use super::{AccessMode, Engine, Error, RowFunction, Settings, Target};
use crate::catalog::{
    Catalog, Column, QualifiedName, Representation, ReturnKind, SearchIndex, Table, TypeKind, TypeName,
};
use crate::request::Field;
use crate::request::filter::{Arrow, JsonOperand, JsonStep};

/// One table as one engine sees it: turns names into columns with types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Where names are looked up.
    pub(super) table: &'a Table,
    /// Who answers for names that the table lacks.
    pub(super) engine: Engine,
    /// Where related tables are found.
    pub(super) catalog: &'a Catalog,
    /// What is allowed, and how much.
    pub(super) settings: &'a Settings,
    /// What the rows are wanted for.
    pub(super) purpose: Purpose,
    /// What errors call the rows when they are no table's.
    pub(super) known_as: Option<&'static str>,
    /// Who asks.
    role: &'a str,
    /// What clocks show where they are; `None`: UTC, and on Postgres whatever the server says.
    zone: Option<&'a Zone>,
    /// Indexes of words that the rows can be found by.
    pub(super) search_indexes: &'a [SearchIndex],
    /// The columns that `*` stands for; `None`: all.
    narrowed: Option<&'a BTreeSet<String>>,
}

/// What rows are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// They answer a read.
    Read,
    /// They are what a write gives back.
    Write,
}

impl<'a> Scope<'a> {
    /// A table as one role sees it.
    pub(super) fn of(
        table: &'a Table,
        role: &'a str,
        catalog: &'a Catalog,
        settings: &'a Settings,
        purpose: Purpose,
        zone: Option<&'a Zone>,
    ) -> Self {
        let engine = settings.engine;
        let search_indexes = catalog.search_indexes_of(&table.name);
        let (known_as, narrowed) = (None, None);
        let scope = Self { table, engine, catalog, settings, purpose, known_as, role, zone, search_indexes, narrowed };
        Self { narrowed: scope.narrowed_columns(), ..scope }
    }

    /// The same for rows that a function gives: none of their columns is granted to anybody, and no index knows them.
    pub(super) fn of_function(self) -> Self {
        Self { narrowed: None, search_indexes: &[], ..self }
    }

    /// What reads the values of the request.
    pub(super) fn reader(&self) -> Reader<'a> {
        Reader::of(self.zone)
    }

    /// What the role may read of the table, when that is only some columns.
    fn narrowed_columns(&self) -> Option<&'a BTreeSet<String>> {
        let is_decided = self.settings.access == AccessMode::Closed;
        self.catalog.narrowed.get(&self.table.name).filter(|_| is_decided)?.get(self.role)
    }

    /// The columns that `*` stands for: those that the role may read. Where it may read none it is all of them, so that
    /// the read is refused.
    pub(super) fn all_columns(&self) -> impl Iterator<Item = &'a Column> {
        let narrowed = self.narrowed;
        self.table.columns.iter().filter(move |column| narrowed.is_none_or(|columns| columns.contains(&column.name)))
    }

    /// The same for a related table.
    pub(super) fn at(&self, name: &QualifiedName) -> Result<Self, Error> {
        let table = self.catalog.table(name).ok_or_else(|| Error::TableNotFound {
            schema: name.schema.clone(),
            name: name.name.clone(),
            suggestion: None,
        })?;
        let search_indexes = self.catalog.search_indexes_of(name);
        let scope = Self { table, known_as: None, search_indexes, ..*self };
        Ok(Self { narrowed: scope.narrowed_columns(), ..scope })
    }

    /// The type of the column of that name.
    pub(super) fn type_of(&self, name: &str) -> Result<TypeName, Error> {
        self.look_up(name).map(|(type_name, _)| type_name)
    }

    /// The type of what a name means, and the function of the row that it is where the table has no such column.
    ///
    /// On Postgres an unknown name gets no type and goes on: it may be a function of the row (a computed field), and
    /// if it is not, the server says so in the same words.
    fn look_up(&self, name: &str) -> Result<(TypeName, Option<Arc<RowFunction>>), Error> {
        match (self.table.column(name), self.engine) {
            (Some(column), _) => Ok((column.type_name.clone(), None)),
            (None, Engine::Postgres) => Ok((TypeName { declared: String::new(), kind: TypeKind::Other }, None)),
            (None, Engine::Sqlite) => match self.computed(name) {
                Some((type_name, function)) => Ok((type_name, Some(Arc::new(function)))),
                None => Err(self.unknown_column(name)),
            },
        }
    }

    /// The function of a row that berth itself runs, and the type of what it gives.
    fn computed(&self, name: &str) -> Option<(TypeName, RowFunction)> {
        let routine = self.catalog.row_functions.get(&(self.table.name.clone(), name.to_owned()))?;
        let ReturnKind::Value(type_name) = &routine.returns.kind else { return None };
        let row = self.table.columns.iter().map(|column| column.name.clone()).collect();
        (!routine.returns.set).then(|| (type_name.clone(), RowFunction { routine: Arc::clone(routine), row }))
    }

    /// The column that a write names, which must be in the catalog on both engines.
    pub(super) fn written_column(&self, name: &str) -> Result<&'a Column, Error> {
        self.table
            .column(name)
            .ok_or_else(|| Error::ColumnNotFound { table: self.table.name.name.clone(), column: name.to_owned() })
    }

    /// The column and the way into its JSON that a field names.
    pub(super) fn target(&self, field: Field) -> Result<Target, Error> {
        let (type_name, computed) = self.look_up(&field.name)?;
        if self.engine == Engine::Sqlite {
            check_path(&field.path)?;
        }
        Ok(Target { column: field.name, computed, type_name, path: field.path, parser: None })
    }

    /// The same, to be compared with what a request says: through the cast from text, where the column's domain has one.
    pub(super) fn compared_target(&self, field: Field) -> Result<Target, Error> {
        let target = self.target(field)?;
        let representation = self.representation(&target.type_name).filter(|_| target.path.is_empty());
        let parser = representation.and_then(|representation| representation.from_text.clone());
        Ok(Target { parser, ..target })
    }

    /// What values of a type look like, where that is a domain with casts.
    pub(super) fn representation(&self, type_name: &TypeName) -> Option<&'a Representation> {
        self.catalog.representations.get(&type_name.declared)
    }

    /// The function that makes what is given of a target's values.
    pub(super) fn formatter(&self, target: &Target) -> Option<QualifiedName> {
        let representation = self.representation(&target.type_name).filter(|_| target.path.is_empty());
        representation.and_then(|representation| representation.to_json.clone())
    }

    fn unknown_column(&self, name: &str) -> Error {
        let table = self.known_as.unwrap_or(&self.table.name.name);
        Error::sqlstate("42703", format!("column {table}.{name} does not exist"))
    }
}

/// Text has no members: nothing may stand behind `->>`.
fn check_path(path: &[JsonStep]) -> Result<(), Error> {
    let behind_text = path.iter().zip(path.iter().skip(1)).find(|(step, _)| step.arrow == Arrow::Text);
    let Some((_, next)) = behind_text else { return Ok(()) };
    let arrow = match next.arrow {
        Arrow::Json => "->",
        Arrow::Text => "->>",
    };
    let operand = match next.operand {
        JsonOperand::Key(_) => "unknown",
        JsonOperand::Index(_) => "integer",
    };
    Err(Error::no_operator("text", arrow, operand))
}

impl Target {
    /// A column itself.
    #[must_use]
    pub fn column(name: &str, type_name: TypeName) -> Self {
        Self { column: name.to_owned(), computed: None, type_name, path: Vec::new(), parser: None }
    }

    /// The type that a test or an order sees: that of the column, or of what its last arrow gives.
    pub(super) fn compared_type(&self) -> TypeName {
        match self.path.last().map(|step| step.arrow) {
            None => self.type_name.clone(),
            Some(Arrow::Text) => text_type(),
            Some(Arrow::Json) if self.type_name.kind == TypeKind::Json => self.type_name.clone(),
            Some(Arrow::Json) => TypeName { declared: "jsonb".to_owned(), kind: TypeKind::Jsonb },
        }
    }
}

/// `text`.
pub(super) fn text_type() -> TypeName {
    TypeName { declared: "text".to_owned(), kind: TypeKind::Text { max_length: None } }
}
