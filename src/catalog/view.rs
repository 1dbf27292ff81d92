//! Foreign keys as views show them: a view that shows all columns of a key has it too, on either side.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/resource_embedding.html#foreign-key-joins-on-views>

use std::collections::BTreeMap;

use super::relationship::is_unique;
use super::{ForeignKey, QualifiedName};

/// Most ways in which one view may show the columns of one key: it can show a column several times under several names,
/// and each choice is a way of its own.
const FACES_MAX: usize = 16;

/// Columns of a view that show columns of a table as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The view.
    pub view: QualifiedName,
    /// The table, behind however many other views.
    pub table: QualifiedName,
    /// Columns of the table, each with the view's, in the view's order.
    pub columns: Vec<(String, String)>,
}

/// The keys of a table, which need not be served itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Columns of the primary key.
    pub primary_key: Vec<String>,
    /// Column lists of other unique constraints.
    pub unique: Vec<Vec<String>>,
    /// Foreign keys that leave it.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A foreign key that the database has between two tables, as it is between a view and one of them or two views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// The view or table that it leaves.
    pub owner: QualifiedName,
    /// The key, with the names that its columns have here.
    pub key: ForeignKey,
    /// No two rows of the table behind it have the same values in the key's columns.
    pub is_unique: bool,
    /// The owner's primary key, as far as it is shown, holds the key's columns.
    pub is_in_primary_key: bool,
}

/// A table or view with the names that the columns of a key have there.
type Face = (QualifiedName, Vec<String>);

/// The keys that views add to those of the tables.
#[must_use]
pub fn shown_keys(tables: &BTreeMap<QualifiedName, Keys>, shown: &[Shown]) -> Vec<ShownKey> {
    let mut found = Vec::new();
    for (table, keys) in tables {
        for key in &keys.foreign_keys {
            let is_unique = is_unique(&keys.primary_key, &keys.unique, &key.columns);
            let owners = faces(table, &key.columns, shown);
            let targets = faces(&key.references, &key.references_columns, shown);
            for (owner, columns) in &owners {
                for (references, references_columns) in &targets {
                    if (owner, references) == (table, &key.references) {
                        continue;
                    }
                    let key = ForeignKey {
                        name: key.name.clone(),
                        columns: columns.clone(),
                        references: references.clone(),
                        references_columns: references_columns.clone(),
                    };
                    let primary_key =
                        if owner == table { &keys.primary_key } else { &shown_primary_key(owner, tables, shown) };
                    let is_in_primary_key = columns.iter().all(|column| primary_key.contains(column));
                    found.push(ShownKey { owner: owner.clone(), key, is_unique, is_in_primary_key });
                }
            }
        }
    }
    found
}

/// The primary keys of the tables that a view shows, one after the other: each as far as it is shown whole.
#[must_use]
pub fn shown_primary_key(view: &QualifiedName, tables: &BTreeMap<QualifiedName, Keys>, shown: &[Shown]) -> Vec<String> {
    let key = |shown: &Shown| {
        let columns = &tables.get(&shown.table).filter(|keys| !keys.primary_key.is_empty())?.primary_key;
        columns.iter().map(|column| shown.names_of(column).next().cloned()).collect::<Option<Vec<_>>>()
    };
    shown.iter().filter(|shown| &shown.view == view).filter_map(key).flatten().collect()
}

impl Shown {
    /// What the view calls the table's column.
    fn names_of<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a String> {
        self.columns.iter().filter(move |(of_table, _)| of_table == column).map(|(_, of_view)| of_view)
    }

    /// What the view may call all of the columns, one list for each choice.
    fn lists_of(&self, columns: &[String]) -> Vec<Vec<String>> {
        columns.iter().fold(vec![Vec::new()], |lists, column| {
            let longer = lists.iter().flat_map(|list| {
                self.names_of(column).map(move |name| list.iter().chain([name]).cloned().collect::<Vec<_>>())
            });
            longer.take(FACES_MAX).collect()
        })
    }
}

/// The table itself, then the views that show all of the columns.
fn faces(table: &QualifiedName, columns: &[String], shown: &[Shown]) -> Vec<Face> {
    let views = shown
        .iter()
        .filter(|shown| &shown.table == table)
        .flat_map(|shown| shown.lists_of(columns).into_iter().map(|names| (shown.view.clone(), names)));
    std::iter::once((table.clone(), columns.to_vec())).chain(views).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> QualifiedName {
        QualifiedName::new("public", name)
    }

    fn names(columns: &[&str]) -> Vec<String> {
        columns.iter().map(|column| (*column).to_owned()).collect()
    }

    fn tables() -> BTreeMap<QualifiedName, Keys> {
        let key = ForeignKey {
            name: "films_director_fkey".to_owned(),
            columns: names(&["director"]),
            references: named("directors"),
            references_columns: names(&["id"]),
        };
        let films = Keys { primary_key: names(&["id"]), foreign_keys: vec![key], ..Keys::default() };
        let directors = Keys { primary_key: names(&["id"]), ..Keys::default() };
        BTreeMap::from([(named("films"), films), (named("directors"), directors)])
    }

    fn shown(view: &str, table: &str, columns: &[(&str, &str)]) -> Shown {
        let columns = columns.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect();
        Shown { view: named(view), table: named(table), columns }
    }

    fn told(shown: &[Shown]) -> Vec<String> {
        let told = |found: ShownKey| {
            let (from, to) = (found.key.columns.join(","), found.key.references_columns.join(","));
            format!("{}({from}) {}({to})", found.owner.name, found.key.references.name)
        };
        shown_keys(&tables(), shown).into_iter().map(told).collect()
    }

    #[test]
    fn a_view_that_shows_a_key_has_it_on_either_side() {
        let views = [shown("hits", "films", &[("director", "by")]), shown("people", "directors", &[("id", "no")])];
        assert_eq!(told(&views[..1]), ["hits(by) directors(id)"]);
        assert_eq!(told(&views[1..]), ["films(director) people(no)"]);
        assert_eq!(told(&views), ["films(director) people(no)", "hits(by) directors(id)", "hits(by) people(no)"]);
    }

    #[test]
    fn a_view_without_the_columns_has_no_key() {
        assert!(told(&[shown("hits", "films", &[("id", "id")])]).is_empty());
    }

    #[test]
    fn a_column_that_is_shown_twice_is_two_ways_but_no_more_than_the_bound() {
        let columns = [("director", "a"), ("director", "b")];
        assert_eq!(told(&[shown("hits", "films", &columns)]), ["hits(a) directors(id)", "hits(b) directors(id)"]);
        let many: Vec<_> = std::iter::repeat_n(("director", "a"), 100).collect();
        assert_eq!(told(&[shown("hits", "films", &many)]).len(), FACES_MAX);
    }

    #[test]
    fn a_view_has_the_primary_keys_of_all_tables_that_it_shows_with_theirs() {
        let views = [
            shown("both", "directors", &[("id", "director"), ("id", "again")]),
            shown("both", "films", &[("id", "film")]),
            shown("other", "films", &[("id", "id")]),
        ];
        assert_eq!(shown_primary_key(&named("both"), &tables(), &views), ["director", "film"]);
    }
}
