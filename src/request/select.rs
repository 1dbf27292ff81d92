//! `select=`.
//!
//! ```text
//! select   = [ item { "," item } ]
//! item     = "..." name params "(" select ")" | [ alias ":" ] name params "(" select ")"
//!          | "*" | [ alias ":" ] "count()" [ cast ] | [ alias ":" ] field [ cast ] [ "." function "()" [ cast ] ]
//! params   = { "!" ( "inner" | "left" | hint ) }, at most two
//! cast     = "::" type
//! ```
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/tables_views.html#vertical-filtering>

use super::lex::{Cursor, Fault};
use super::{Error, Field};

/// Deepest nesting of embeds.
const MAX_DEPTH: usize = 16;

/// Most items in all: SQLite's default bound on result columns is 2000.
const MAX_ITEMS: usize = 1_000;

/// One item of `select=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// A column, a way into its JSON, `*`, or an aggregate.
    Field {
        /// What; `*` with an aggregate stands for `count()`.
        field: Field,
        /// `.sum()` and its like.
        aggregate: Option<Aggregate>,
        /// `::type` behind the aggregate.
        aggregate_cast: Option<String>,
        /// `::type` behind the field.
        cast: Option<String>,
        /// `alias:`.
        alias: Option<String>,
    },
    /// `alias:relation!hint!inner(…)`.
    Relation {
        /// What it is called in the database (table, foreign key, column).
        name: String,
        /// What it is called in the answer.
        alias: Option<String>,
        /// Which relationship, when there are several.
        hint: Option<String>,
        /// Whether rows without a match stay.
        join: Option<Join>,
        /// What is taken from it.
        select: Vec<SelectItem>,
    },
    /// `...relation(…)`: its columns among those of the level above.
    Spread {
        /// What it is called in the database.
        name: String,
        /// Which relationship, when there are several.
        hint: Option<String>,
        /// Whether rows without a match stay.
        join: Option<Join>,
        /// What is taken from it.
        select: Vec<SelectItem>,
    },
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `sum`
    Sum,
}

/// Whether a row without an embedded one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It does.
    Left,
    /// It does not.
    Inner,
}

/// Reads the value of `select=`.
pub(super) fn parse(value: &str) -> Result<Vec<SelectItem>, Error> {
    let mut reader = Reader { cursor: Cursor::new(value), items: 0 };
    let read = reader.items(0).and_then(|items| reader.cursor.expect_end().map(|()| items));
    read.map_err(|fault| fault.into_error("select parameter", value))
}

/// Reads a list of names: `columns=` and `on_conflict=`.
pub(super) fn names(what: &str, value: &str) -> Result<Vec<String>, Error> {
    let mut cursor = Cursor::new(value);
    let mut names = Vec::new();
    let fail = |fault: Fault| fault.into_error(what, value);
    loop {
        if names.len() == MAX_ITEMS {
            return Err(fail(cursor.fault(&format!("at most {MAX_ITEMS} names"))));
        }
        cursor.skip_blanks();
        names.push(cursor.name().map_err(fail)?);
        cursor.skip_blanks();
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect_end().map_err(fail)?;
    Ok(names)
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    items: usize,
}

impl Reader<'_> {
    fn items(&mut self, depth: usize) -> Result<Vec<SelectItem>, Fault> {
        if depth > MAX_DEPTH {
            return Err(self.cursor.fault(&format!("at most {MAX_DEPTH} levels of embedding")));
        }
        let mut items = Vec::new();
        self.cursor.skip_blanks();
        if matches!(self.cursor.peek(), None | Some(')')) {
            return Ok(items);
        }
        loop {
            self.items += 1;
            if self.items > MAX_ITEMS {
                return Err(self.cursor.fault(&format!("at most {MAX_ITEMS} items")));
            }
            self.cursor.skip_blanks();
            items.push(self.item(depth)?);
            self.cursor.skip_blanks();
            if !self.cursor.eat(",") {
                return Ok(items);
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<SelectItem, Fault> {
        if self.cursor.eat("...") {
            let name = self.cursor.name()?;
            let (hint, join) = self.parameters()?;
            let select = self.nested(depth)?;
            return Ok(SelectItem::Spread { name, hint, join, select });
        }
        let alias = self.alias();
        if alias.is_none() && self.cursor.eat("*") {
            let field = Field { name: "*".to_owned(), path: Vec::new() };
            return Ok(SelectItem::Field { field, aggregate: None, aggregate_cast: None, cast: None, alias });
        }
        if self.cursor.eat("count()") {
            let field = Field { name: "*".to_owned(), path: Vec::new() };
            let aggregate_cast = self.cast()?;
            return Ok(SelectItem::Field { field, aggregate: Some(Aggregate::Count), aggregate_cast, cast: None, alias });
        }
        if let Some((name, hint, join)) = self.relation_head() {
            let select = self.nested(depth)?;
            return Ok(SelectItem::Relation { name, alias, hint, join, select });
        }
        self.plain_field(alias)
    }

    /// `alias:`, but not the `::` of a cast.
    fn alias(&mut self) -> Option<String> {
        let mut ahead = self.cursor.clone();
        let name = ahead.name().ok()?;
        if !ahead.eat(":") || ahead.peek() == Some(':') {
            return None;
        }
        self.cursor = ahead;
        Some(name)
    }

    /// A name with its parameters, when a parenthesis follows.
    fn relation_head(&mut self) -> Option<(String, Option<String>, Option<Join>)> {
        let start = self.cursor.clone();
        let head = self.cursor.name().ok().and_then(|name| {
            let (hint, join) = self.parameters().ok()?;
            (self.cursor.peek() == Some('(')).then_some((name, hint, join))
        });
        if head.is_none() {
            self.cursor = start;
        }
        head
    }

    fn parameters(&mut self) -> Result<(Option<String>, Option<Join>), Fault> {
        let (mut hint, mut join) = (None, None);
        for _ in 0..2 {
            if !self.cursor.eat("!") {
                break;
            }
            match self.cursor.name()?.as_str() {
                "inner" => join = join.or(Some(Join::Inner)),
                "left" => join = join.or(Some(Join::Left)),
                name => hint = hint.or_else(|| Some(name.to_owned())),
            }
        }
        Ok((hint, join))
    }

    fn nested(&mut self, depth: usize) -> Result<Vec<SelectItem>, Fault> {
        self.cursor.expect("(")?;
        let select = self.items(depth + 1)?;
        self.cursor.expect(")")?;
        Ok(select)
    }

    fn plain_field(&mut self, alias: Option<String>) -> Result<SelectItem, Fault> {
        let field = self.cursor.field()?;
        let cast = self.cast()?;
        let (mut aggregate, mut aggregate_cast) = (None, None);
        if self.cursor.eat(".") {
            aggregate = Some(self.aggregate()?);
            aggregate_cast = self.cast()?;
        }
        match self.cursor.peek() {
            None | Some(',' | ')') => {
                Ok(SelectItem::Field { field, aggregate, aggregate_cast, cast, alias })
            }
            Some(_) => Err(self.cursor.fault("\")\", \",\" or end of input")),
        }
    }

    fn aggregate(&mut self) -> Result<Aggregate, Fault> {
        for (token, aggregate) in [
            ("sum()", Aggregate::Sum),
            ("avg()", Aggregate::Avg),
            ("count()", Aggregate::Count),
            ("max()", Aggregate::Max),
            ("min()", Aggregate::Min),
        ] {
            if self.cursor.eat(token) {
                return Ok(aggregate);
            }
        }
        Err(self.cursor.fault("\"sum()\", \"avg()\", \"count()\", \"max()\" or \"min()\""))
    }

    fn cast(&mut self) -> Result<Option<String>, Fault> {
        if !self.cursor.eat("::") {
            return Ok(None);
        }
        let name = self.cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ')).trim();
        if name.is_empty() { Err(self.cursor.fault("a type")) } else { Ok(Some(name.to_owned())) }
    }
}
