//! Which column of which table a view's column is, read from the tree that the server keeps of the view's query.
//!
//! ```text
//! tree   = '(' node ')'
//! node   = '{' name (':' field value)* '}'
//! value  = word | node | '(' value* ')' | …
//! ```
//!
//! Of `({QUERY … :targetList ({TARGETENTRY … :resno 1 … :resorigtbl 16385 :resorigcol 2 …} …) …})` the entries of that
//! one list are read. A column that is not simply one of a table, or one of a `UNION`, has 0 for its origin.
//!
//! Source: <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/nodes/read.c>,
//! <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/nodes/primnodes.h>.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use crate::catalog::QualifiedName;
use crate::catalog::view::Shown;

/// Tables and views of all schemas, with the names of their columns by number and the tree of a view.
pub(super) const RELATIONS: &str = r"
SELECT c.oid::bigint, n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum),
       CASE WHEN c.relkind IN ('v', 'm') THEN
           (SELECT r.ev_action::text FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '1' LIMIT 1) END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";

/// Most views on the way from a column of a view to that of a table: far more than anyone stacks, and the server keeps
/// no views that go round.
const VIEWS_MAX: usize = 64;

/// A line of [`RELATIONS`].
#[derive(Debug)]
pub(super) struct Relation {
    name: QualifiedName,
    /// By number, from 1.
    columns: Vec<String>,
    /// `None` for a table.
    targets: Option<Vec<Target>>,
}

/// A column of a view and the column that it is: numbers of relation and column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Target {
    number: i64,
    origin: (i64, i64),
}

impl Relation {
    /// Its number and itself.
    pub(super) fn read(row: &Row) -> Result<(i64, Self), tokio_postgres::Error> {
        let tree: Option<String> = row.try_get(4)?;
        let name = super::name(row, 1)?;
        let targets = tree.as_deref().map(read_targets);
        Ok((row.try_get(0)?, Self { name, columns: row.try_get(3)?, targets }))
    }

    fn column(&self, number: i64) -> Option<&String> {
        usize::try_from(number).ok()?.checked_sub(1).and_then(|index| self.columns.get(index))
    }
}

/// What each view shows of each table in the order of its columns, down to the tables through views of any schema.
pub(super) fn find_shown(relations: &BTreeMap<i64, Relation>) -> Vec<Shown> {
    let mut found = Vec::new();
    for view in relations.values() {
        let mut shown: Vec<(i64, Shown)> = Vec::new();
        for target in view.targets.iter().flatten() {
            let Some((table, column)) = find_origin(relations, target.origin) else { continue };
            let names = relations.get(&table).and_then(|table| table.column(column)).zip(view.column(target.number));
            let (Some(relation), Some((of_table, of_view))) = (relations.get(&table), names) else { continue };
            let names = (of_table.clone(), of_view.clone());
            match shown.iter_mut().find(|(known, _)| *known == table) {
                Some((_, shown)) => shown.columns.push(names),
                None => {
                    let (view, origin) = (view.name.clone(), relation.name.clone());
                    shown.push((table, Shown { view, table: origin, columns: vec![names] }));
                }
            }
        }
        found.extend(shown.into_iter().map(|(_, shown)| shown));
    }
    found
}

/// Follows a column through views to that of a table.
fn find_origin(relations: &BTreeMap<i64, Relation>, origin: (i64, i64)) -> Option<(i64, i64)> {
    let mut origin = origin;
    for _ in 0..VIEWS_MAX {
        let Some(targets) = &relations.get(&origin.0)?.targets else { return Some(origin) };
        origin = targets.iter().find(|target| target.number == origin.1)?.origin;
    }
    None
}

/// Reads the columns of the outermost query.
fn read_targets(tree: &str) -> Vec<Target> {
    // The list opens at depth 3: `(`, `{QUERY`, and its own `(`. Its entries are nodes at depth 4.
    const QUERY: usize = 2;
    const ENTRY: usize = 4;
    let mut targets = Vec::new();
    let mut words = Words(tree);
    let mut depth = 0_usize;
    let mut is_in_list = false;
    let mut entry = Target::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "{" | "(" => {
                depth += 1;
                if depth == ENTRY {
                    entry = Target::default();
                }
            }
            "}" | ")" => {
                if is_in_list && depth == ENTRY && entry.origin.0 != 0 {
                    targets.push(entry);
                }
                depth = depth.saturating_sub(1);
            }
            field if depth == QUERY && field.starts_with(':') => is_in_list = field == ":targetList",
            ":resno" if is_in_list && depth == ENTRY => entry.number = words.number(),
            ":resorigtbl" if is_in_list && depth == ENTRY => entry.origin.0 = words.number(),
            ":resorigcol" if is_in_list && depth == ENTRY => entry.origin.1 = words.number(),
            _ => {}
        }
    }
    targets
}

/// Brackets and words of a tree; a backslash takes the meaning from what is behind it.
struct Words<'a>(&'a str);

impl Words<'_> {
    /// The next word as a number; 0 when it is none, which is no column's.
    fn number(&mut self) -> i64 {
        self.next().and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let rest = self.0.trim_start();
        let mut characters = rest.char_indices();
        let mut word = String::new();
        let mut end = rest.len();
        while let Some((index, character)) = characters.next() {
            match character {
                '{' | '}' | '(' | ')' if word.is_empty() => {
                    self.0 = characters.as_str();
                    return Some(character.to_string());
                }
                '{' | '}' | '(' | ')' | ' ' | '\t' | '\n' => {
                    end = index;
                    break;
                }
                // Kept with its backslash, so that an escaped bracket is no bracket.
                '\\' => {
                    word.push(character);
                    word.extend(characters.next().map(|(_, escaped)| escaped));
                }
                other => word.push(other),
            }
        }
        self.0 = rest.get(end..).unwrap_or_default();
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = r"({QUERY :commandType 1 :cteList ({COMMONTABLEEXPR :ctequery {QUERY :targetList ({TARGETENTRY
        :resno 1 :resorigtbl 99 :resorigcol 9 :resjunk false}) :jointree <>}}) :targetList ({TARGETENTRY :expr {VAR
        :varno 1} :resno 1 :resname odd\ \(name\) :resorigtbl 7 :resorigcol 2 :resjunk false} {TARGETENTRY :expr
        {SUBLINK :subselect {QUERY :targetList ({TARGETENTRY :resno 1 :resorigtbl 98 :resorigcol 8})}} :resno 2
        :resorigtbl 0 :resorigcol 0} {TARGETENTRY :resno 3 :resorigtbl 7 :resorigcol 1}) :override 0})";

    fn target(number: i64, origin: (i64, i64)) -> Target {
        Target { number, origin }
    }

    #[test]
    fn only_columns_of_the_outermost_query_are_read() {
        assert_eq!(read_targets(TREE), [target(1, (7, 2)), target(3, (7, 1))]);
    }

    #[test]
    fn what_is_no_tree_has_no_columns() {
        for tree in ["", ")", "({", "\\", "<>", "({QUERY :targetList <>})", "}}}}:targetList((({:resno"] {
            assert_eq!(read_targets(tree), [], "{tree}");
        }
    }

    #[test]
    fn a_column_is_followed_through_views_and_never_in_circles() {
        let relation = |name: &str, targets: Option<Vec<Target>>| Relation {
            name: QualifiedName::new("public", name),
            columns: vec![format!("{name}_a"), format!("{name}_b")],
            targets,
        };
        let relations = BTreeMap::from([
            (7, relation("table", None)),
            (8, relation("inner", Some(read_targets(TREE)))),
            (9, relation("outer", Some(vec![target(2, (8, 1))]))),
            (10, relation("round", Some(vec![target(1, (10, 1))]))),
        ]);
        let columns: Vec<_> =
            find_shown(&relations).into_iter().map(|shown| (shown.view.name, shown.columns)).collect();
        let pair = |left: &str, right: &str| (left.to_owned(), right.to_owned());
        assert_eq!(
            columns,
            [
                ("inner".to_owned(), vec![pair("table_b", "inner_a")]),
                ("outer".to_owned(), vec![pair("table_b", "outer_b")]),
            ]
        );
    }
}
