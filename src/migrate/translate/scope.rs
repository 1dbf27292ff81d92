//! What the names in an expression stand for: columns of the tables in reach, parameters of a function.
//!
//! A name is looked up as Postgres does it: in the innermost query first, columns before parameters.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sqlparser::ast::Ident;

use super::argument::{Argument, Routine, Row, write_argument};
use super::expression::Functions;
use super::model::{Column, Function, Table};
use super::schema::Schema;
use super::{Refusal, name, refuse, types};
use crate::catalog::{Bearer, Piece, Privilege, TypeKind};

/// What is made of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It stands in the file, or is kept beside it.
    File,
    /// A view that reads with its owner's rights.
    View,
    /// The body of a function, as a template.
    Template,
}

/// What the names in an expression stand for.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) schema: &'a Schema,
    /// What is made of it.
    pub(super) purpose: Purpose,
    /// What each query reads from, the outermost first.
    levels: Vec<Vec<Source>>,
    /// Queries that `WITH` has named, the innermost last.
    named: Vec<Source>,
    /// In a table's own definition: the table, whose name must not qualify columns, for a rebuild renames it.
    own: Option<&'a str>,
    /// In a domain's check: the column that `VALUE` stands for.
    pub(super) value: Option<&'a str>,
    /// In a function: its parameters.
    pub(super) routine: Option<Rc<Routine>>,
    /// Whose privileges count.
    bearer: Bearer,
    /// The functions that this one is called by.
    callers: Vec<String>,
    /// Which functions may be called.
    pub(super) functions: Cell<Functions>,
    pub(super) depth: Cell<usize>,
    uses: Rc<RefCell<Uses>>,
}

/// Something with columns that a query reads from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Its name in the query.
    pub(super) known_as: String,
    /// The table or view, if it is one.
    pub(super) table: Option<String>,
    /// Its columns; `None` when they cannot be told.
    pub(super) columns: Option<Vec<Column>>,
    /// Columns that are not written by their names, with the expressions that stand for them.
    pub(super) written: Vec<(String, String)>,
}

/// What is done, and who must be allowed to do it.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Columns by table and privilege.
    pub(super) tables: BTreeMap<(String, Privilege, Bearer), BTreeSet<String>>,
    /// The functions that are called for the caller, by signature, with who may call them.
    pub(super) calls: BTreeMap<String, BTreeSet<String>>,
    /// Names given so far to what is written in between.
    names: usize,
}

/// What a name was found to be.
pub(super) enum Found<'s> {
    Column(&'s Source, &'s Column),
    Argument(&'s Argument),
    /// A column of a parameter that is a row.
    Member(&'s Row, &'s Column),
}

impl Source {
    /// A table or view under the name that it has in a query.
    pub(super) fn of_table(known_as: &str, table: &Table) -> Self {
        let columns = (!table.columns.is_empty()).then(|| table.columns.clone());
        Self { known_as: known_as.to_owned(), table: Some(table.name.clone()), columns, written: Vec::new() }
    }

    /// How a column is written.
    pub(super) fn write(&self, column: &str) -> String {
        let expression = self.written.iter().find(|(name, _)| name == column);
        match expression {
            Some((_, expression)) => expression.clone(),
            None => format!("{}.{}", name::quote(&self.known_as), name::quote(column)),
        }
    }

    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().flatten().find(|column| column.name == name)
    }
}

impl<'a> Scope<'a> {
    /// A scope without columns, for what stands in the file.
    pub(super) fn new(schema: &'a Schema) -> Self {
        Self {
            schema,
            purpose: Purpose::File,
            levels: Vec::new(),
            named: Vec::new(),
            own: None,
            value: None,
            routine: None,
            bearer: Bearer::Caller,
            callers: Vec::new(),
            functions: Cell::new(Functions::Own),
            depth: Cell::new(0),
            uses: Rc::default(),
        }
    }

    /// The scope of an expression in the definition of `table`.
    pub(super) fn definition(schema: &'a Schema, table: &'a Table) -> Self {
        let mut scope = Self { own: Some(&table.name), ..Self::new(schema) };
        scope.enter(vec![Source::of_table(&table.name, table)]);
        scope
    }

    /// The scope of a function's body.
    pub(super) fn of_routine(schema: &'a Schema, routine: Routine, bearer: Bearer) -> Self {
        Self {
            purpose: Purpose::Template,
            routine: Some(Rc::new(routine)),
            functions: Cell::new(Functions::Served),
            bearer,
            ..Self::new(schema)
        }
    }

    /// The scope of the body of a function that this one calls: of it nothing can be seen there but the arguments.
    pub(super) fn of_called(&self, routine: Routine, bearer: Bearer) -> Self {
        let callers = self.callers.iter().chain([&routine.name]).cloned().collect();
        Self {
            purpose: self.purpose,
            routine: Some(Rc::new(routine)),
            bearer: self.bearer.max(bearer),
            callers,
            functions: self.functions.clone(),
            depth: Cell::new(self.depth.get()),
            uses: Rc::clone(&self.uses),
            ..Self::new(self.schema)
        }
    }

    /// True inside the body of the function of that name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.callers.iter().any(|caller| caller == name)
            || self.routine.as_ref().is_some_and(|routine| routine.name == name)
    }

    /// How many calls this one is inside of.
    pub(super) fn call_depth(&self) -> usize {
        self.callers.len()
    }

    /// True for an expression in the definition of a table.
    pub(super) fn is_definition(&self) -> bool {
        self.own.is_some()
    }

    /// True for the body of a function.
    pub(super) fn is_body(&self) -> bool {
        self.routine.is_some()
    }

    /// How the rows of a table or view are written where they are read.
    pub(super) fn rows_of(&self, table: &str) -> Result<String, Refusal> {
        match (self.purpose, self.bearer, self.callers.last()) {
            (Purpose::Template, Bearer::Caller, _) => Ok(Piece::Rows(table.to_owned()).to_text()),
            (Purpose::Template, Bearer::Owner, _) => Ok(Piece::AllRows(table.to_owned()).to_text()),
            (Purpose::File | Purpose::View, Bearer::Owner, _) => Ok(format!("main.{}", name::quote(table))),
            (Purpose::View, Bearer::Caller, Some(function)) => refuse(format!(
                "the function {function}() reads \"{table}\" with the rights of its caller, and the view would with those \
                 of its owner: let one of them be otherwise (SECURITY DEFINER, security_invoker)"
            )),
            (Purpose::File | Purpose::View, Bearer::Caller, _) => Ok(name::quote(table)),
        }
    }

    /// Notes that a function is called.
    pub(super) fn note_call(&self, function: &Function) {
        if self.bearer == Bearer::Caller {
            self.uses.borrow_mut().calls.insert(function.signature(), function.grantees.clone());
        }
    }

    /// A name that nothing else in the statement has.
    pub(super) fn fresh_name(&self, of: &str) -> String {
        let mut uses = self.uses.borrow_mut();
        uses.names += 1;
        format!("berth_{of}_{}", uses.names)
    }

    /// The scope of a query inside this one.
    pub(super) fn inner(&self) -> Self {
        self.clone()
    }

    /// Brings what a query reads from into reach.
    pub(super) fn enter(&mut self, sources: Vec<Source>) {
        for table in sources.iter().filter_map(|source| source.table.as_ref()) {
            self.note(table, Privilege::Select, None);
        }
        self.levels.push(sources);
    }

    /// Adds to what the innermost query reads from, and notes that it is read.
    pub(super) fn read(&mut self, source: Source) {
        if let Some(table) = &source.table {
            self.note(table, Privilege::Select, None);
        }
        self.add(source);
    }

    /// This scope without what the innermost query reads from: a query in `FROM` does not see what stands beside it.
    pub(super) fn outer(&self) -> Self {
        let mut outer = self.inner();
        outer.levels.pop();
        outer
    }

    /// Adds to what the innermost query reads from.
    pub(super) fn add(&mut self, source: Source) {
        match self.levels.last_mut() {
            Some(level) => level.push(source),
            None => self.levels.push(vec![source]),
        }
    }

    /// Names a query that `WITH` defines.
    pub(super) fn define(&mut self, source: Source) {
        self.named.push(source);
    }

    /// The query that `WITH` has given that name.
    pub(super) fn defined(&self, name: &str) -> Option<&Source> {
        self.named.iter().rev().find(|source| source.known_as == name)
    }

    /// What the innermost query reads from.
    pub(super) fn sources(&self) -> &[Source] {
        self.levels.last().map(Vec::as_slice).unwrap_or_default()
    }

    /// What has that name in the innermost query that has one.
    pub(super) fn source(&self, known_as: &str) -> Option<&Source> {
        self.levels.iter().rev().flatten().find(|source| source.known_as == known_as)
    }

    /// Notes that a column, or for `None` a row as such, is read, written or deleted.
    pub(super) fn note(&self, table: &str, privilege: Privilege, column: Option<&str>) {
        let mut uses = self.uses.borrow_mut();
        let columns = uses.tables.entry((table.to_owned(), privilege, self.bearer)).or_default();
        columns.extend(column.map(str::to_owned));
    }

    /// Notes that a column of a source is read.
    pub(super) fn note_column(&self, source: &Source, column: &str) {
        if let Some(table) = &source.table {
            self.note(table, Privilege::Select, Some(column));
        }
    }

    /// Notes that the columns of that name of all that the innermost query reads from are read.
    pub(super) fn note_everywhere(&self, column: &str) {
        let having = self.sources().iter().filter(|source| source.column(column).is_some());
        having.for_each(|source| self.note_column(source, column));
    }

    /// What was noted, all through the scopes that came of this one.
    pub(super) fn take_uses(&self) -> Uses {
        self.uses.take()
    }

    /// Looks a name up.
    pub(super) fn find(&self, names: &[String]) -> Option<Found<'_>> {
        match names {
            [only] => self.find_column(self.value.filter(|_| only == "value").unwrap_or(only)).or_else(|| {
                let argument = self.routine.as_ref()?.argument(only)?;
                Some(Found::Argument(argument))
            }),
            [of, column] => {
                if let Some(source) = self.source(of) {
                    return source.column(column).map(|found| Found::Column(source, found));
                }
                let routine = self.routine.as_ref()?;
                if let Some(argument) = routine.argument(of) {
                    let row = argument.row()?;
                    return row.column(column).map(|found| Found::Member(row, found));
                }
                routine.argument(column).filter(|_| *of == routine.name).map(Found::Argument)
            }
            _ => None,
        }
    }

    fn find_column(&self, name: &str) -> Option<Found<'_>> {
        self.levels.iter().rev().find_map(|level| {
            let found = |source: &'_ Source| source.column(name).is_some();
            let source = level.iter().find(|source| found(source))?;
            source.column(name).map(|column| Found::Column(source, column))
        })
    }

    /// True when something is read whose columns are not known.
    fn is_opaque(&self) -> bool {
        self.levels.iter().flatten().any(|source| source.columns.is_none())
    }

    /// Writes a name.
    pub(super) fn column(&self, idents: &[Ident]) -> Result<String, Refusal> {
        let mut names: Vec<String> = idents.iter().map(name::fold).collect();
        if names.len() > 2 {
            names.retain(|part| part != name::SCHEMA);
        }
        if let [only] = names.as_slice()
            && let Some(column) = self.value.filter(|_| only == "value")
        {
            return Ok(name::quote(column));
        }
        match self.find(&names) {
            Some(Found::Column(source, column)) => {
                self.note_column(source, &column.name);
                if source.written.iter().any(|(name, _)| *name == column.name) {
                    return Ok(source.write(&column.name));
                }
            }
            Some(Found::Argument(argument)) => {
                if self.is_opaque() && names.len() == 1 {
                    let name = &argument.name;
                    return refuse(format!(
                        "\"{name}\" may be a column or a parameter: write the function's name before it"
                    ));
                }
                return write_argument(argument);
            }
            Some(Found::Member(row, column)) => return Ok(row.write(&column.name)),
            None => {}
        }
        if let [table, _] = names.as_slice()
            && self.own == Some(table)
        {
            names.remove(0);
        }
        Ok(names.iter().map(|part| name::quote(part)).collect::<Vec<_>>().join("."))
    }

    /// What kind of value a name stands for.
    pub(super) fn kind_of_name(&self, names: &[String]) -> Option<TypeKind> {
        self.kind_of_declared(&self.declared_of(names)?)
    }

    /// The type that what a name stands for was declared with.
    pub(super) fn declared_of(&self, names: &[String]) -> Option<String> {
        Some(match self.find(names)? {
            Found::Column(_, column) | Found::Member(_, column) => column.declared.clone(),
            Found::Argument(argument) => argument.declared.clone(),
        })
    }

    /// The kind of a type that a column was declared with; `None` where it was not.
    pub(super) fn kind_of_declared(&self, declared: &str) -> Option<TypeKind> {
        let column = Column::plain(String::new(), declared.to_owned());
        (!declared.is_empty()).then(|| types::column_kind(&column, &self.schema.types))
    }
}
