//! How the rows of one table belong to those of another, read from foreign keys.
//!
//! | from | to | when |
//! |---|---|---|
//! | the table that has the key | the one it references | many-to-one; one-to-one when the key's columns are unique |
//! | the referenced table | the one that has the key | one-to-many; one-to-one likewise |
//! | a view that shows a key's columns | the same | as the table behind it (`view`) |
//! | either side of a junction | the other side | many-to-many, when the junction's primary key holds both keys |
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/resource_embedding.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Body, Catalog, ForeignKey, Kind, QualifiedName, ShownKey};

/// A way from the rows of one table to those of another.
///
/// The order is that in which candidates are told when a request names several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relationship {
    /// The table it starts at.
    pub table: QualifiedName,
    /// The table it leads to.
    pub target: QualifiedName,
    /// How many rows belong to one, and by which columns.
    pub cardinality: Cardinality,
    /// Whether the target's rows are stored or computed.
    pub target_kind: Kind,
}

/// How many rows belong to a row, and by which columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cardinality {
    /// The target has the foreign key.
    OneToMany(Link),
    /// The table has the foreign key.
    ManyToOne(Link),
    /// Either has it, and its columns are unique there.
    OneToOne(Link),
    /// A third table has foreign keys to both.
    ManyToMany(Junction),
    /// A function of the row gives them.
    Computed(Computed),
}

/// A function of a row that gives rows of another table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Computed {
    /// The function, by whose name the rows are embedded.
    pub function: QualifiedName,
    /// At most one row is given.
    pub single: bool,
    /// What it does, where berth itself runs it (SQLite).
    pub body: Option<Arc<Body>>,
    /// Roles that may call it (SQLite).
    pub grantees: BTreeSet<String>,
    /// The columns of the row, all of which the caller must be allowed to read (SQLite).
    pub row: Vec<String>,
}

/// A foreign key, seen from one of its sides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The constraint's name.
    pub constraint: String,
    /// Columns of the table, each with the target's column that equals it.
    pub columns: Vec<(String, String)>,
}

/// A table that joins two others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Junction {
    /// Its name.
    pub table: QualifiedName,
    /// The foreign key to the table that the relationship starts at.
    pub source: Link,
    /// The foreign key to the target. The columns of both are pairs of an outer column and the junction's.
    pub target: Link,
}

impl Computed {
    /// One that a server runs, which also checks who may call it.
    #[must_use]
    pub fn on_server(function: QualifiedName, single: bool) -> Self {
        Self { function, single, body: None, grantees: BTreeSet::new(), row: Vec::new() }
    }
}

impl Relationship {
    /// True when at most one row belongs to a row.
    #[must_use]
    pub fn is_to_one(&self) -> bool {
        match &self.cardinality {
            Cardinality::ManyToOne(_) | Cardinality::OneToOne(_) => true,
            Cardinality::OneToMany(_) | Cardinality::ManyToMany(_) => false,
            Cardinality::Computed(computed) => computed.single,
        }
    }

    /// True when it leads from a table to the same table.
    #[must_use]
    pub fn is_self(&self) -> bool {
        self.table == self.target
    }

    /// The foreign key, unless it goes through a junction.
    #[must_use]
    pub fn link(&self) -> Option<&Link> {
        match &self.cardinality {
            Cardinality::OneToMany(link) | Cardinality::ManyToOne(link) | Cardinality::OneToOne(link) => Some(link),
            Cardinality::ManyToMany(_) | Cardinality::Computed(_) => None,
        }
    }

    /// The function, if one gives the rows.
    #[must_use]
    pub fn computed(&self) -> Option<&Computed> {
        match &self.cardinality {
            Cardinality::Computed(computed) => Some(computed),
            Cardinality::OneToMany(_)
            | Cardinality::ManyToOne(_)
            | Cardinality::OneToOne(_)
            | Cardinality::ManyToMany(_) => None,
        }
    }

    /// The junction, if it goes through one.
    #[must_use]
    pub fn junction(&self) -> Option<&Junction> {
        match &self.cardinality {
            Cardinality::ManyToMany(junction) => Some(junction),
            Cardinality::OneToMany(_)
            | Cardinality::ManyToOne(_)
            | Cardinality::OneToOne(_)
            | Cardinality::Computed(_) => None,
        }
    }

    /// Columns of the table that it goes by.
    pub fn source_columns(&self) -> impl Iterator<Item = &str> {
        let link = self.link().or_else(|| self.junction().map(|junction| &junction.source));
        link.into_iter().flat_map(|link| &link.columns).map(|(column, _)| column.as_str())
    }

    /// Columns of the target that it goes by.
    pub fn target_columns(&self) -> impl Iterator<Item = &str> {
        let linked = self.link().into_iter().flat_map(|link| &link.columns).map(|(_, column)| column.as_str());
        let joined = self.junction().into_iter().flat_map(|junction| &junction.target.columns);
        linked.chain(joined.map(|(column, _)| column.as_str()))
    }

    /// As a foreign key of its own table.
    fn leaving(Owned { owner, key, is_unique, .. }: Owned<'_>, catalog: &Catalog) -> Self {
        let link = Link { constraint: key.name.clone(), columns: pairs(&key.columns, &key.references_columns) };
        Self {
            table: owner.clone(),
            target: key.references.clone(),
            cardinality: if is_unique { Cardinality::OneToOne(link) } else { Cardinality::ManyToOne(link) },
            target_kind: catalog.kind(&key.references),
        }
    }

    /// As a foreign key of the target.
    fn arriving(Owned { owner, key, is_unique, .. }: Owned<'_>, catalog: &Catalog) -> Self {
        let link = Link { constraint: key.name.clone(), columns: pairs(&key.references_columns, &key.columns) };
        Self {
            table: key.references.clone(),
            target: owner.clone(),
            cardinality: if is_unique { Cardinality::OneToOne(link) } else { Cardinality::OneToMany(link) },
            target_kind: catalog.kind(owner),
        }
    }

    /// Through `junction`, which has both keys.
    fn through(junction: &QualifiedName, source: &ForeignKey, target: &ForeignKey, catalog: &Catalog) -> Self {
        let link = |key: &ForeignKey| Link {
            constraint: key.name.clone(),
            columns: pairs(&key.references_columns, &key.columns),
        };
        Self {
            table: source.references.clone(),
            target: target.references.clone(),
            cardinality: Cardinality::ManyToMany(Junction {
                table: junction.clone(),
                source: link(source),
                target: link(target),
            }),
            target_kind: catalog.kind(&target.references),
        }
    }
}

/// A foreign key with the table or view that has it.
#[derive(Debug, Clone, Copy)]
struct Owned<'a> {
    owner: &'a QualifiedName,
    key: &'a ForeignKey,
    is_unique: bool,
    is_in_primary_key: bool,
}

impl Catalog {
    /// The ways that start at a table, sorted.
    ///
    /// Walks all foreign keys once: some microseconds for a thousand tables, and only requests that embed pay them.
    #[must_use]
    pub fn relationships(&self, table: &QualifiedName) -> Vec<Relationship> {
        let mut found: Vec<Relationship> = Vec::new();
        for owned in self.keys(|owner, key| owner == table || &key.references == table) {
            if owned.owner == table {
                found.push(Relationship::leaving(owned, self));
            }
            if &owned.key.references == table {
                found.push(Relationship::arriving(owned, self));
                found.extend(self.through(owned));
            }
        }
        found.extend(self.computed.iter().filter(|way| &way.table == table).cloned());
        found.sort();
        found
    }

    /// The tables that have a relationship.
    #[must_use]
    pub fn related_tables(&self) -> BTreeSet<&QualifiedName> {
        let keys = self.keys(|_, _| true).flat_map(|Owned { owner, key, .. }| [owner, &key.references]);
        keys.chain(self.computed.iter().map(|way| &way.table)).collect()
    }

    /// The foreign keys that are wanted, those that views show too.
    fn keys<'a>(
        &'a self,
        is_wanted: impl Fn(&QualifiedName, &ForeignKey) -> bool + Copy,
    ) -> impl Iterator<Item = Owned<'a>> {
        let own = self.tables.values().flat_map(move |table| {
            let keys = table.foreign_keys.iter().filter(move |key| is_wanted(&table.name, key));
            keys.map(|key| Owned {
                owner: &table.name,
                key,
                is_unique: is_unique(&table.primary_key, &table.unique, &key.columns),
                is_in_primary_key: key.columns.iter().all(|column| table.primary_key.contains(column)),
            })
        });
        let shown = self.shown_keys.iter().filter(move |shown| is_wanted(&shown.owner, &shown.key));
        own.chain(shown.map(|ShownKey { owner, key, is_unique, is_in_primary_key }| Owned {
            owner,
            key,
            is_unique: *is_unique,
            is_in_primary_key: *is_in_primary_key,
        }))
    }

    /// The ways that lead from the end of `source` to the ends of the junction's other keys.
    fn through<'a>(&'a self, source: Owned<'a>) -> impl Iterator<Item = Relationship> + use<'a> {
        let joins = |owned: &Owned<'_>| owned.is_in_primary_key && !owned.is_unique;
        let is_one = joins(&source);
        let others = self.keys(move |owner, key| is_one && owner == source.owner && key.name != source.key.name);
        let targets = others.filter(joins);
        targets.map(move |target| Relationship::through(source.owner, source.key, target.key, self))
    }

    fn kind(&self, name: &QualifiedName) -> Kind {
        self.table(name).map_or(Kind::Table, |table| table.kind)
    }
}

fn pairs(left: &[String], right: &[String]) -> Vec<(String, String)> {
    left.iter().cloned().zip(right.iter().cloned()).collect()
}

/// True when no two rows of a table with these keys have the same values in these columns.
pub(super) fn is_unique(primary_key: &[String], unique: &[Vec<String>], columns: &[String]) -> bool {
    let wanted: BTreeSet<&String> = columns.iter().collect();
    let mut keys = std::iter::once(primary_key).chain(unique.iter().map(Vec::as_slice));
    !wanted.is_empty() && keys.any(|key| key.iter().collect::<BTreeSet<_>>() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, Generated, Table, TypeKind, TypeName};

    fn table(name: &str, primary_key: &[&str], keys: &[(&str, &str)]) -> Table {
        let named = |name: &str| QualifiedName::new("public", name);
        let columns = primary_key.iter().copied().chain(keys.iter().map(|(column, _)| *column));
        let column = |name: &str| Column {
            name: name.to_owned(),
            type_name: TypeName { declared: "integer".to_owned(), kind: TypeKind::Integer },
            nullable: true,
            default: None,
            generated: Generated::No,
            enum_values: Vec::new(),
            comment: None,
        };
        Table {
            name: named(name),
            kind: Kind::Table,
            comment: None,
            columns: columns.map(column).collect(),
            primary_key: primary_key.iter().map(|column| (*column).to_owned()).collect(),
            unique: Vec::new(),
            foreign_keys: keys
                .iter()
                .map(|(column, target)| ForeignKey {
                    name: format!("{name}_{column}_fkey"),
                    columns: vec![(*column).to_owned()],
                    references: named(target),
                    references_columns: vec!["id".to_owned()],
                })
                .collect(),
            insertable: true,
            updatable: true,
            deletable: true,
        }
    }

    /// Each way from `name`: its target, and `1-n`, `n-1`, `1-1` or the junction.
    fn ways(tables: &[Table], name: &str) -> Vec<String> {
        let tables = tables.iter().map(|table| (table.name.clone(), table.clone())).collect();
        let catalog = Catalog { tables, ..Catalog::default() };
        let way = |relationship: &Relationship| {
            let columns = |link: &Link| {
                link.columns.iter().map(|(left, right)| format!("{left}={right}")).collect::<Vec<_>>().join(",")
            };
            let kind = match &relationship.cardinality {
                Cardinality::OneToMany(link) => format!("1-n {}", columns(link)),
                Cardinality::ManyToOne(link) => format!("n-1 {}", columns(link)),
                Cardinality::OneToOne(link) => format!("1-1 {}", columns(link)),
                Cardinality::Computed(computed) => computed.function.name.clone(),
                Cardinality::ManyToMany(junction) => {
                    format!("{} {} {}", junction.table.name, columns(&junction.source), columns(&junction.target))
                }
            };
            format!("{} {kind}", relationship.target.name)
        };
        catalog.relationships(&QualifiedName::new("public", name)).iter().map(way).collect()
    }

    #[test]
    fn a_foreign_key_leads_both_ways() {
        let tables = [table("films", &["id"], &[("director_id", "directors")]), table("directors", &["id"], &[])];
        assert_eq!(ways(&tables, "films"), ["directors n-1 director_id=id"]);
        assert_eq!(ways(&tables, "directors"), ["films 1-n id=director_id"]);
    }

    #[test]
    fn a_key_of_unique_columns_is_one_to_one() {
        let mut seats = table("seats", &["id"], &[("film", "films")]);
        seats.unique = vec![vec!["film".to_owned()]];
        let tables = [seats, table("specs", &["film"], &[("film", "films")]), table("films", &["id"], &[])];
        assert_eq!(ways(&tables, "films"), ["seats 1-1 id=film", "specs 1-1 id=film"]);
        assert_eq!(ways(&tables, "specs"), ["films 1-1 film=id"]);
    }

    #[test]
    fn a_table_joins_others_when_its_key_holds_both_foreign_keys() {
        let keys = [("film", "films"), ("actor", "actors")];
        let ends = [table("films", &["id"], &[]), table("actors", &["id"], &[])];
        let joined = |primary_key: &[&str]| {
            ways(&[ends[0].clone(), ends[1].clone(), table("roles", primary_key, &keys)], "films")
        };
        assert_eq!(joined(&["film", "actor"]), ["actors roles id=film id=actor", "roles 1-n id=film"]);
        assert_eq!(joined(&["film", "actor", "year"]), ["actors roles id=film id=actor", "roles 1-n id=film"]);
        assert_eq!(joined(&["id"]), ["roles 1-n id=film"]);
    }

    #[test]
    fn a_table_that_refers_to_itself_has_both_ways() {
        let tables = [table("tasks", &["id"], &[("parent", "tasks")])];
        assert_eq!(ways(&tables, "tasks"), ["tasks 1-n id=parent", "tasks n-1 parent=id"]);
    }
}
