//! SQL of an engine with places that are filled in when a statement is made of it.
//!
//! What a migration wrote in Postgres' SQL (the body of a function) is translated once. What is known only when it is
//! run (arguments, the row it is about) has a place in the text.

use serde::{Deserialize, Serialize};

/// SQL with places.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Template(pub Vec<Piece>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// SQL as it stands.
    Text(String),
    /// The value of a function's parameter, counted from 0.
    Parameter(usize),
    /// A column of the row that a function was given.
    Column(String),
    /// The rows of a table or view that are there for the sender, where a query reads them.
    Rows(String),
    /// All rows of a table or view, where a query reads them.
    AllRows(String),
    /// At the end of the condition of a write: what must hold of a row that is there besides.
    Existing {
        /// The table's name in the statement, where its columns may mean something else without.
        known_as: Option<String>,
    },
    /// At the end of a write: what must hold of a row that it made.
    Made {
        /// `RETURNING` stands before it.
        returning: bool,
    },
}

/// What opens and closes a place in text that is not cut into pieces yet: code points that are for a program's own use
/// and stand for no character.
///
/// Source: <https://www.unicode.org/faq/private_use.html#noncharacters>.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';

/// How each kind of place is told.
const PARAMETER: &str = "p";
const COLUMN: &str = "c";
const ROWS: &str = "r";
const ALL_ROWS: &str = "a";
const EXISTING: &str = "e";
const MADE: &str = "m";
const ALSO_MADE: &str = "n";

impl Piece {
    /// The piece as it stands in text that [`Template::cut`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parameter(place) => format!("{OPEN}{PARAMETER}{place}{CLOSE}"),
            Self::Column(name) => format!("{OPEN}{COLUMN}{name}{CLOSE}"),
            Self::Rows(table) => format!("{OPEN}{ROWS}{table}{CLOSE}"),
            Self::AllRows(table) => format!("{OPEN}{ALL_ROWS}{table}{CLOSE}"),
            Self::Existing { known_as } => {
                format!("{OPEN}{EXISTING}{}{CLOSE}", known_as.as_deref().unwrap_or_default())
            }
            Self::Made { returning: false } => format!("{OPEN}{MADE}{CLOSE}"),
            Self::Made { returning: true } => format!("{OPEN}{ALSO_MADE}{CLOSE}"),
        }
    }
}

impl Template {
    /// Cuts text at its places. What looks like a place and is none stays text.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (place, behind) = after.split_once(CLOSE).unwrap_or((after, ""));
            pieces.push(read_place(place));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Self(pieces)
    }

    /// True for text that holds what opens or closes a place: nothing that a person wrote does.
    #[must_use]
    pub fn is_ambiguous(text: &str) -> bool {
        text.contains([OPEN, CLOSE])
    }
}

fn read_place(place: &str) -> Piece {
    if let Some(place) = place.strip_prefix(PARAMETER).and_then(|number| number.parse().ok()) {
        return Piece::Parameter(place);
    }
    match place.split_at_checked(1) {
        Some((COLUMN, column)) => Piece::Column(column.to_owned()),
        Some((ROWS, table)) => Piece::Rows(table.to_owned()),
        Some((ALL_ROWS, table)) => Piece::AllRows(table.to_owned()),
        Some((EXISTING, name)) => Piece::Existing { known_as: (!name.is_empty()).then(|| name.to_owned()) },
        Some((MADE, _)) => Piece::Made { returning: false },
        Some((ALSO_MADE, _)) => Piece::Made { returning: true },
        Some(_) | None => Piece::Text(place.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_places_is_cut_into_what_it_was_put_together_from() {
        let pieces = vec![
            Piece::Text("SELECT ".to_owned()),
            Piece::Column("a \"b\"".to_owned()),
            Piece::Text(" + ".to_owned()),
            Piece::Parameter(12),
            Piece::Text(" FROM ".to_owned()),
            Piece::Rows("films".to_owned()),
            Piece::Text(", ".to_owned()),
            Piece::AllRows("roles".to_owned()),
            Piece::Existing { known_as: None },
            Piece::Existing { known_as: Some("r".to_owned()) },
            Piece::Made { returning: false },
            Piece::Made { returning: true },
        ];
        let text: String = pieces.iter().map(Piece::to_text).collect();
        assert_eq!(Template::cut(&text), Template(pieces));
        assert_eq!(Template::cut(""), Template(Vec::new()));
        assert!(Template::is_ambiguous(&text) && !Template::is_ambiguous("SELECT '$1'"));
    }
}
