use super::*;
use crate::catalog::{CheckOption, Grant, Obstacle, PolicyKind, Privilege, Reads, ViewColumn, ViewRights};

fn catalog(sql: &str) -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    read(&connection).unwrap()
}

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    catalog.table(&QualifiedName::new("public", name)).unwrap()
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.tables.keys().map(|name| name.name.as_str()).collect()
}

#[test]
fn columns_are_read_with_all_that_is_declared_of_them() {
    let catalog = catalog(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x', n INT,
         twice INT AS (n * 2), thrice INT AS (n * 3) STORED)",
    );
    let table = table(&catalog, "t");
    let generated: Vec<Generated> = table.columns.iter().map(|column| column.generated).collect();
    use Generated::{Computed, IdentityByDefault, No};
    assert_eq!(generated, [IdentityByDefault, No, No, Computed, Computed]);
    let nullable: Vec<bool> = table.columns.iter().map(|column| column.nullable).collect();
    assert_eq!(nullable, [false, false, true, true, true]);
    let defaults: Vec<Option<&str>> = table.columns.iter().map(|column| column.default.as_deref()).collect();
    assert_eq!(defaults, [None, Some("'x'"), None, None, None]);
    assert_eq!(table.columns[1].type_name, TypeName::parse("TEXT", Origin::Sqlite));
    assert_eq!(table.primary_key, ["id"]);
}

#[test]
fn only_a_key_that_is_the_row_id_counts_itself() {
    let catalog = catalog(
        "CREATE TABLE alias (id integer PRIMARY KEY); CREATE TABLE int_key (id INT PRIMARY KEY);
         CREATE TABLE descending (id INTEGER PRIMARY KEY DESC); CREATE TABLE bare (id INTEGER PRIMARY KEY) WITHOUT ROWID",
    );
    for (name, wanted) in [
        ("alias", Generated::IdentityByDefault),
        ("int_key", Generated::No),
        ("descending", Generated::No),
        ("bare", Generated::No),
    ] {
        assert_eq!(table(&catalog, name).columns[0].generated, wanted, "{name}");
    }
}

#[test]
fn keys_keep_their_order_and_unique_means_every_row_and_plain_columns() {
    let catalog = catalog(
        "CREATE TABLE t (a TEXT, b TEXT, c TEXT UNIQUE, d TEXT, PRIMARY KEY (b, a));
         CREATE UNIQUE INDEX t_cd ON t (d, c); CREATE UNIQUE INDEX t_part ON t (a) WHERE d IS NULL;
         CREATE UNIQUE INDEX t_expression ON t (lower(d)); CREATE INDEX t_plain ON t (d)",
    );
    let table = table(&catalog, "t");
    assert_eq!(table.primary_key, ["b", "a"]);
    assert_eq!(table.unique, [vec!["c".to_owned()], vec!["d".to_owned(), "c".to_owned()]]);
}

#[test]
fn foreign_keys_have_names_and_lead_to_columns_as_they_are_declared() {
    let catalog = catalog(
        "CREATE TABLE Artist (Id INTEGER PRIMARY KEY); CREATE TABLE pair (x, y, PRIMARY KEY (x, y));
         CREATE TABLE album (id INTEGER PRIMARY KEY, artist_id INT REFERENCES artist,
            other INT CONSTRAINT by_name REFERENCES artist (ID), px, py, gone INT REFERENCES absent,
            FOREIGN KEY (px, py) REFERENCES pair, FOREIGN KEY (ARTIST_ID) REFERENCES artist)",
    );
    let found: Vec<String> = (table(&catalog, "album").foreign_keys.iter())
        .map(|key| format!("{} {:?} {} {:?}", key.name, key.columns, key.references.name, key.references_columns))
        .collect();
    assert_eq!(
        found,
        [
            r#"album_artist_id_fkey ["artist_id"] Artist ["Id"]"#,
            r#"by_name ["other"] Artist ["Id"]"#,
            r#"album_px_py_fkey ["px", "py"] pair ["x", "y"]"#,
            r#"album_artist_id_fkey1 ["artist_id"] Artist ["Id"]"#,
        ]
    );
}

#[test]
fn a_view_is_written_through_its_triggers_and_has_the_key_that_it_shows() {
    let catalog = catalog(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INT);
         CREATE VIEW plain AS SELECT name, id AS key FROM t WHERE n > 0 ORDER BY name;
         CREATE VIEW whole (a, b, c) AS SELECT * FROM t;
         CREATE VIEW no_key AS SELECT name FROM t;
         CREATE VIEW grouped AS SELECT id, count(*) AS n FROM t GROUP BY id;
         CREATE VIEW one_row AS SELECT id, max(n) FROM t;
         CREATE VIEW joined AS SELECT t.id FROM t JOIN t AS u ON true;
         CREATE VIEW twice AS SELECT id FROM t UNION ALL SELECT id FROM t;
         CREATE VIEW calculated AS SELECT id + 1 AS id FROM t;
         CREATE VIEW beside AS SELECT t.id, name || '!' AS loud FROM t;
         CREATE VIEW cut AS SELECT id FROM t LIMIT 3;
         CREATE TRIGGER plain_insert INSTEAD OF INSERT ON plain BEGIN SELECT 1; END;
         CREATE TRIGGER plain_update INSTEAD OF UPDATE OF name ON PLAIN BEGIN SELECT 1; END;",
    );
    let key = |name: &str| table(&catalog, name).primary_key.clone();
    assert_eq!(key("plain"), ["key"]);
    assert_eq!(key("whole"), ["a"]);
    for name in ["beside", "grouped", "one_row", "joined", "cut"] {
        assert_eq!(key(name), ["id"], "{name}");
    }
    for name in ["no_key", "twice", "calculated"] {
        assert!(key(name).is_empty(), "{name}");
    }
    let plain = table(&catalog, "plain");
    assert_eq!((plain.kind, plain.insertable, plain.updatable, plain.deletable), (Kind::View, true, true, true));
    let cut = table(&catalog, "cut");
    assert!(!cut.insertable && !cut.updatable && !cut.deletable);
    let whole = table(&catalog, "whole");
    assert!(whole.insertable && whole.updatable && whole.deletable);
    let calculated = table(&catalog, "calculated");
    assert_eq!((calculated.insertable, calculated.updatable, calculated.deletable), (false, false, true));
    assert_eq!(whole.columns[0].type_name, table(&catalog, "t").columns[0].type_name);
}

#[test]
fn a_view_of_one_table_says_what_its_columns_are_and_another_what_is_in_the_way() {
    let connection = Connection::open_in_memory().unwrap();
    crate::store::sqlite::authorizer::heed_reach(&connection).unwrap();
    let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, Name TEXT, n INT); CREATE VIRTUAL TABLE words USING fts5 (body);
         CREATE VIEW plain AS SELECT id AS no, x.name, upper(name) AS up, (SELECT max(n) FROM t) AS most FROM main.t AS x
            WHERE n > 1;
         CREATE VIEW again AS SELECT no FROM plain WHERE EXISTS (SELECT 1 FROM t WHERE t.id = no);
         CREATE VIEW every AS SELECT *, n + 1 FROM t; CREATE VIEW cut AS SELECT id FROM t LIMIT 1;
         CREATE VIEW one_of AS SELECT DISTINCT id FROM t; CREATE VIEW most AS SELECT max(id) FROM t;
         CREATE VIEW ranked AS SELECT rank() OVER (ORDER BY id) FROM t; CREATE VIEW both AS SELECT id FROM t UNION SELECT 1;
         CREATE VIEW pairs AS SELECT a.id FROM t a, t b; CREATE VIEW of_pairs AS SELECT count(a.id) FROM t a, t b;
         CREATE VIEW called AS SELECT value FROM json_each('[1]'); CREATE VIEW bare AS SELECT 1;
         CREATE VIEW of_words AS SELECT body FROM words; CREATE VIEW named AS WITH q AS (SELECT 1) SELECT id FROM t;
         CREATE VIEW grouped AS SELECT n FROM t GROUP BY n;
         CREATE TABLE _berth_invoker_views (name TEXT); INSERT INTO _berth_invoker_views VALUES ('again');
         CREATE TABLE _berth_checked_views (name TEXT, option_name TEXT);
         INSERT INTO _berth_checked_views VALUES ('again', 'cascaded'), ('plain', 'local');";
    connection.execute_batch(script).unwrap();
    let catalog = read(&connection).unwrap();
    let reads = |table: &str, columns: &[&str]| {
        Reads::from([(QualifiedName::new("public", table), columns.iter().map(|of| (*of).to_owned()).collect())])
    };
    let shows = |name: &str| catalog.view_writes[&QualifiedName::new("public", name)].shows.clone();
    let plain = shows("plain").unwrap();
    assert_eq!((plain.of.name.as_str(), plain.known_as.as_str()), ("t", "x"));
    assert_eq!((plain.rights, plain.check), (ViewRights::Owner, Some(CheckOption::Local)));
    assert_eq!([plain.column("no"), plain.column("Name"), plain.column("up")], [Some("id"), Some("Name"), None]);
    let ViewColumn::Expression(most) = &plain.columns["most"] else { panic!("{:?}", plain.columns) };
    assert_eq!((most.sql.as_str(), most.reads.clone()), ("(SELECT max(n) FROM t)", reads("t", &["n"])));
    let condition = plain.condition.clone().unwrap();
    assert_eq!((condition.sql.as_str(), condition.reads.len(), condition.columns.len()), ("n > 1", 0, 1));
    let again = shows("again").unwrap();
    assert_eq!(
        (again.of.name.as_str(), again.rights, again.check),
        ("plain", ViewRights::Invoker, Some(CheckOption::Cascaded))
    );
    assert_eq!(again.condition.clone().unwrap().reads, reads("t", &["id"]), "the view itself is no other");
    assert_eq!(shows("every").unwrap().reads(), ["Name", "id", "n"].into());
    for (name, obstacle) in [
        ("cut", Obstacle::Limit),
        ("one_of", Obstacle::Distinct),
        ("most", Obstacle::Aggregate),
        ("ranked", Obstacle::Window),
        ("both", Obstacle::SetOperation),
        ("pairs", Obstacle::Source),
        ("of_pairs", Obstacle::Aggregate),
        ("called", Obstacle::Source),
        ("bare", Obstacle::Source),
        ("of_words", Obstacle::Source),
        ("named", Obstacle::With),
        ("grouped", Obstacle::GroupBy),
    ] {
        assert_eq!(shows(name).unwrap_err(), obstacle, "{name}");
    }
}

#[test]
fn what_is_not_for_clients_is_left_out() {
    let catalog = catalog(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x); CREATE TABLE _berth_migrations (name);
         CREATE VIRTUAL TABLE search USING fts5 (body); CREATE TABLE berth_mine (a);
         CREATE TABLE gone (a); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone; PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema VALUES ('table', 'm', 'm', 0, 'CREATE VIRTUAL TABLE m USING of_another_program')",
    );
    assert_eq!(names(&catalog), ["berth_mine", "search", "t"]);
    let columns: Vec<&str> = table(&catalog, "search").columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["body"]);
}

#[test]
fn tables_of_migrations_declare_types_as_postgres_does() {
    let tables = "CREATE TABLE t (n integer); CREATE VIEW v AS SELECT n, CAST(n AS text) AS t FROM t;
         CREATE TABLE old (n integer, at datetime);";
    let kind = |catalog: &Catalog, name: &str, place: usize| table(catalog, name).columns[place].type_name.kind.clone();
    let foreign = catalog(tables);
    assert_eq!(kind(&foreign, "t", 0), TypeKind::BigInt);
    let migrated = catalog(&format!(
        "{tables} CREATE TABLE _berth_tables (name, definition); INSERT INTO _berth_tables VALUES ('t', '');
         CREATE TABLE _berth_columns (table_name, column_name, type_name, identity);
         INSERT INTO _berth_columns VALUES ('v', 'n', 'integer', NULL), ('v', 't', 'text', NULL)"
    ));
    assert_eq!(kind(&migrated, "t", 0), TypeKind::Integer);
    assert_eq!(kind(&migrated, "old", 0), TypeKind::BigInt, "it was there before");
    assert_eq!(kind(&migrated, "old", 1), TypeKind::Timestamp);
    assert_eq!(kind(&migrated, "v", 0), TypeKind::Integer);
    assert_eq!(kind(&migrated, "v", 1), TypeKind::Text { max_length: None });
}

#[test]
fn what_migrations_noted_is_read() {
    let catalog = catalog(
        r#"CREATE TABLE t (a, b);
        CREATE TABLE _berth_roles (name TEXT PRIMARY KEY, member_of TEXT);
        CREATE TABLE _berth_grants (grantee, schema_name, table_name, privilege, columns);
        CREATE TABLE _berth_comments (object_kind, table_name, column_name, comment);
        CREATE TABLE _berth_enums (table_name, column_name, labels);
        INSERT INTO _berth_roles VALUES ('anon', NULL), ('web', '["anon"]');
        INSERT INTO _berth_grants VALUES ('anon', 'public', 't', 'SELECT', '["a"]'), ('web', 'public', 't', 'delete', NULL),
            ('bad', 'public', 't', 'update', 'not json'), ('bad', 'public', 't', 'references', NULL);
        INSERT INTO _berth_comments VALUES ('table', 't', NULL, 'of t'), ('column', 't', 'a', 'of a'),
            ('schema', NULL, NULL, 'of all');
        INSERT INTO _berth_enums VALUES ('t', 'b', '["x","y"]');"#,
    );
    assert_eq!(catalog.roles["web"], ["anon"]);
    assert!(catalog.roles["anon"].is_empty());
    let grant = |grantee: &str, privilege, columns: Option<&[&str]>| Grant {
        grantee: grantee.to_owned(),
        table: QualifiedName::new("public", "t"),
        privilege,
        columns: columns.map(|columns| columns.iter().map(|&column| column.to_owned()).collect()),
    };
    assert_eq!(
        catalog.grants,
        [
            grant("anon", Privilege::Select, Some(&["a"])),
            grant("web", Privilege::Delete, None),
            // Columns that cannot be read are none: never all.
            grant("bad", Privilege::Update, Some(&[])),
        ]
    );
    let table = table(&catalog, "t");
    assert_eq!(table.comment.as_deref(), Some("of t"));
    assert_eq!(table.columns[0].comment.as_deref(), Some("of a"));
    assert_eq!(table.columns[1].enum_values, ["x", "y"]);
    assert_eq!(catalog.schema_comments["public"], "of all");
}

const NOTED: &str = "
    CREATE TABLE _berth_row_security (table_name TEXT, enabled INT, forced INT);
    CREATE TABLE _berth_policies (table_name TEXT, name TEXT, kind TEXT, command TEXT, roles TEXT, using_expression TEXT, check_expression TEXT, using_sql TEXT, check_sql TEXT);
    CREATE TABLE _berth_bypassing_roles (name TEXT); CREATE TABLE _berth_invoker_views (name TEXT);
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT, twice TEXT GENERATED ALWAYS AS (owner || owner) STORED);
    CREATE TABLE members (person TEXT, team INT); CREATE TABLE other (id INT);
    CREATE VIEW seen (a) AS SELECT owner FROM notes -- a comment
    ;
    INSERT INTO _berth_row_security VALUES ('notes', 1, 1), ('other', 0, 0);
    INSERT INTO _berth_bypassing_roles VALUES ('free'); INSERT INTO _berth_invoker_views VALUES ('seen');";

fn noted(policies: &str) -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    crate::store::sqlite::authorizer::heed_reach(&connection).unwrap();
    connection.execute_batch(&format!("{NOTED} INSERT INTO _berth_policies VALUES {policies}")).unwrap();
    read(&connection).unwrap()
}

#[test]
fn policies_are_read_with_what_they_look_at() {
    let catalog = noted(
        "('notes', 'own', 'permissive', 'update', '[\"web\"]', 'x', NULL, 'notes.owner = 1', NULL),
         ('notes', 'team', 'restrictive', 'all', '[\"public\"]', '(SELECT 1)', 'y',
          'EXISTS (SELECT 1 FROM members m WHERE m.person = notes.owner) AND 1 = (SELECT count(*) FROM main.other)', 'id > 1')",
    );
    assert_eq!(catalog.bypassing_roles, BTreeSet::from(["free".to_owned()]));
    assert_eq!(catalog.row_security.len(), 1, "what is not enabled does not count");
    let security = &catalog.row_security[&QualifiedName::new("public", "notes")];
    assert!(security.forced);
    assert_eq!(security.generated["twice"], "owner || owner");
    assert!(security.next_number.as_deref().is_some_and(|sql| sql.contains("sqlite_sequence WHERE name = 'notes'")));
    let [own, team] = security.policies.as_slice() else { panic!("{security:?}") };
    assert_eq!((own.command, own.roles.as_slice()), (Some(Privilege::Update), ["web".to_owned()].as_slice()));
    let columns = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<String>>();
    let reads = |table: &str, names: &[&str]| BTreeMap::from([(QualifiedName::new("public", table), columns(names))]);
    let using = own.using.as_deref().unwrap();
    assert_eq!((using.columns.clone(), using.reads.len(), using.has_query), (columns(&["owner"]), 0, false));
    let using = team.using.as_deref().unwrap();
    assert_eq!((using.columns.clone(), using.has_query), (columns(&["owner"]), true));
    assert_eq!((using.reads.clone(), using.trusted.clone()), (reads("members", &["person"]), reads("other", &[])));
    assert_eq!(team.check.as_deref().unwrap().columns, columns(&["id"]));
    let view = &catalog.view_queries[&QualifiedName::new("public", "seen")];
    assert_eq!((view.rights, view.reads.clone()), (ViewRights::Invoker, reads("notes", &["owner"])));
    assert!(view.sql.trim_start().starts_with("SELECT owner FROM notes"), "{}", view.sql);
}

#[test]
fn a_policy_that_cannot_be_read_opens_nothing() {
    let catalog = noted(
        "('notes', 'a', 'permissive', 'all', 'no json', NULL, NULL, 'TRUE', NULL),
         ('notes', 'b', 'permissive', 'all', '[\"public\"]', NULL, NULL, 'nothing > 1', NULL),
         ('notes', 'c', 'who knows', 'whatever', '[\"public\"]', NULL, NULL, 'TRUE', NULL)",
    );
    let [a, b, c] = catalog.row_security[&QualifiedName::new("public", "notes")].policies.as_slice() else { panic!() };
    assert!(a.roles.is_empty());
    assert_eq!(b.using.as_deref().unwrap().sql, "FALSE");
    assert_eq!((c.kind, c.command), (PolicyKind::Restrictive, None));
}
