//! Postgres' array literals: `{a,"b,c",NULL}`, nested up to six deep.
//!
//! ```text
//! array   = ws "{" ws [ item { "," item } ] "}" ws          no empty array inside another
//! item    = ws ( array | quoted | bare ) ws
//! quoted  = '"' { any but '"' and '\' | '\' any } '"'
//! bare    = { any but , { } '"' and '\' | '\' any }          NULL in any case is null, unless escaped
//! ```
//!
//! Bounds in front (`[1:2]={…}`) are not read: an array kept as JSON has none.
//!
//! Source: <https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO>.

use super::fault;
use crate::plan::Error;

/// Most dimensions of an array (`MAXDIM`).
pub(super) const DIMENSIONS_MAX: usize = 6;

/// What Postgres says of `{{1,2},{3}}`.
pub(super) const UNEVEN: &str = "Multidimensional arrays must have sub-arrays with matching dimensions.";

/// An array's elements, each in whatever form it has at the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nested<Element> {
    /// One element.
    Item(Element),
    /// An array in the array, or the array itself.
    Items(Vec<Nested<Element>>),
}

impl<Element> Nested<Element> {
    /// Length of each dimension, outermost first; `None` when arrays side by side differ.
    pub(super) fn dimensions(&self) -> Option<Vec<usize>> {
        let Self::Items(items) = self else { return Some(Vec::new()) };
        let mut inner = items.iter().map(Self::dimensions);
        let first = inner.next().unwrap_or(Some(Vec::new()))?;
        if !inner.all(|dimensions| dimensions.as_ref() == Some(&first)) {
            return None;
        }
        let mut dimensions = vec![items.len()];
        dimensions.extend(first);
        Some(dimensions)
    }

    /// Reads every element.
    pub(super) fn try_map<Read>(self, read: &impl Fn(Element) -> Result<Read, Error>) -> Result<Nested<Read>, Error> {
        match self {
            Self::Item(element) => Ok(Nested::Item(read(element)?)),
            Self::Items(items) => {
                Ok(Nested::Items(items.into_iter().map(|item| item.try_map(read)).collect::<Result<_, _>>()?))
            }
        }
    }

    /// The elements one after the other, dimensions forgotten.
    pub(super) fn flatten(self) -> Vec<Element> {
        match self {
            Self::Item(element) => vec![element],
            Self::Items(items) => items.into_iter().flat_map(Self::flatten).collect(),
        }
    }
}

/// Reads an array literal; a null element is `None`.
///
/// # Errors
/// 22P02 `malformed array literal` with Postgres' details; 54000 beyond [`DIMENSIONS_MAX`].
pub(super) fn read(text: &str) -> Result<Nested<Option<String>>, Error> {
    let mut reader = Reader { text, rest: text };
    reader.skip_whitespace();
    if !reader.take('{') {
        return Err(reader.malformed("Array value must start with \"{\" or dimension information."));
    }
    let array = reader.items(1)?;
    reader.skip_whitespace();
    if !reader.rest.is_empty() {
        return Err(reader.malformed("Junk after closing right brace."));
    }
    if array.dimensions().is_none() {
        return Err(reader.malformed(UNEVEN));
    }
    Ok(array)
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn malformed(&self, details: &str) -> Error {
        fault::malformed_array(self.text, details)
    }

    fn unexpected(&self, character: char) -> Error {
        self.malformed(&format!("Unexpected \"{character}\" character."))
    }

    fn ended(&self) -> Error {
        self.malformed("Unexpected end of input.")
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// What stands behind a `{`, up to and with its `}`. Calls itself for arrays inside, at most [`DIMENSIONS_MAX`] deep.
    fn items(&mut self, depth: usize) -> Result<Nested<Option<String>>, Error> {
        if depth > DIMENSIONS_MAX {
            return Err(fault::too_many_dimensions(depth));
        }
        let mut items: Vec<Nested<Option<String>>> = Vec::new();
        self.skip_whitespace();
        if depth == 1 && self.take('}') {
            return Ok(Nested::Items(items));
        }
        loop {
            self.skip_whitespace();
            let before = items.first().map(|item| matches!(item, Nested::Items(_)));
            let item = match self.peek() {
                None => return Err(self.ended()),
                Some('{') if before == Some(false) => return Err(self.unexpected('{')),
                Some('{') => {
                    self.next();
                    self.items(depth + 1)?
                }
                Some(character @ (',' | '}')) => return Err(self.unexpected(character)),
                Some(_) if before == Some(true) => return Err(self.malformed("Unexpected array element.")),
                Some('"') => self.quoted()?,
                Some(_) => self.bare()?,
            };
            items.push(item);
            self.skip_whitespace();
            match self.next() {
                None => return Err(self.ended()),
                Some(',') => {}
                Some('}') => return Ok(Nested::Items(items)),
                Some('{') => return Err(self.unexpected('{')),
                Some(_) => return Err(self.malformed("Unexpected array element.")),
            }
        }
    }

    fn quoted(&mut self) -> Result<Nested<Option<String>>, Error> {
        self.next();
        let mut item = String::new();
        loop {
            match self.next() {
                None => return Err(self.ended()),
                Some('"') => return Ok(Nested::Item(Some(item))),
                Some('\\') => item.push(self.next().ok_or_else(|| self.ended())?),
                Some(character) => item.push(character),
            }
        }
    }

    fn bare(&mut self) -> Result<Nested<Option<String>>, Error> {
        let mut item = String::new();
        // Length up to the last character that is not whitespace, or was escaped.
        let mut kept = 0;
        let mut is_escaped = false;
        loop {
            match self.peek() {
                None => return Err(self.ended()),
                Some(',' | '}') => break,
                Some('{') => return Err(self.unexpected('{')),
                Some('"') => return Err(self.malformed("Unexpected array element.")),
                Some('\\') => {
                    self.next();
                    item.push(self.next().ok_or_else(|| self.ended())?);
                    is_escaped = true;
                    kept = item.len();
                }
                Some(character) => {
                    self.next();
                    item.push(character);
                    if !character.is_ascii_whitespace() {
                        kept = item.len();
                    }
                }
            }
        }
        item.truncate(kept);
        let is_null = !is_escaped && item.eq_ignore_ascii_case("null");
        Ok(Nested::Item((!is_null).then_some(item)))
    }
}
