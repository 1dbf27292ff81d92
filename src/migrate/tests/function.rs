//! Functions: what is noted of them, how they follow the tables, and what is refused.

use super::*;
use crate::catalog::{Bearer, Privilege, Routine};

const FILMS: &str = "CREATE TABLE films (id int PRIMARY KEY, title text, year int);";

fn routines(connection: &Connection) -> Vec<Routine> {
    let mut statement = connection.prepare("SELECT routine FROM _berth_functions ORDER BY signature").expect("a table");
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.map(|text| serde_json::from_str(&text.expect("text")).expect("a routine")).collect()
}

fn only(text: &str) -> Routine {
    let mut routines = routines(&migrated(&format!("{FILMS} {text}")));
    assert_eq!(routines.len(), 1, "{text}");
    routines.remove(0)
}

/// The statements of a body, with `?` for parameters.
fn written(routine: &Routine) -> Vec<String> {
    let body = routine.body.as_ref().expect("a body");
    let piece = |piece: &crate::catalog::Piece| match piece {
        crate::catalog::Piece::Text(text) => text.clone(),
        crate::catalog::Piece::Parameter(place) => format!("?{}", place + 1),
        crate::catalog::Piece::Rows(table) => format!("[{table}]"),
        crate::catalog::Piece::AllRows(table) => format!("[all {table}]"),
        crate::catalog::Piece::Existing { known_as: None } => "[and there]".to_owned(),
        crate::catalog::Piece::Existing { known_as: Some(name) } => format!("[and {name} there]"),
        crate::catalog::Piece::Made { returning: false } => "[returning made]".to_owned(),
        crate::catalog::Piece::Made { returning: true } => "[, made]".to_owned(),
        crate::catalog::Piece::Column(column) => format!("<{column}>"),
    };
    body.steps.iter().map(|step| step.sql.0.iter().map(piece).collect()).collect()
}

#[test]
fn names_are_columns_before_parameters_and_the_functions_name_tells_them_apart() {
    let since = only(
        "CREATE FUNCTION since(year int, lim int DEFAULT 3) RETURNS SETOF films LANGUAGE sql STABLE
         AS $$ SELECT * FROM films f WHERE f.year >= since.year AND year <> $2 ORDER BY id LIMIT lim $$;",
    );
    assert_eq!(
        written(&since),
        ["SELECT f.id AS id, f.title AS title, f.year AS year FROM [films] AS f \
         WHERE (f.year >= ?1) AND (year <> ?2) ORDER BY id NULLS LAST LIMIT ?2"]
    );
    let row = only("CREATE FUNCTION loud(films) RETURNS text LANGUAGE sql AS $$ SELECT upper($1.title) || '!' $$;");
    assert_eq!(written(&row), ["SELECT berth_upper(<title>) || '!' AS \"?column?\""]);
}

#[test]
fn what_a_body_does_to_tables_is_noted_with_whose_privileges_count() {
    let uses = |text: &str| -> Vec<String> {
        let routine = only(text);
        let body = routine.body.expect("a body");
        let line = |of: &crate::catalog::Use| {
            let columns: Vec<&str> = of.columns.iter().map(String::as_str).collect();
            let bearer = if of.bearer == Bearer::Owner { "owner " } else { "" };
            format!("{bearer}{:?} {} {}", of.privilege, of.table.name, columns.join(","))
        };
        body.uses.iter().map(line).collect()
    };
    let made = "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql";
    assert_eq!(uses(&format!("{made} AS 'SELECT count(*) FROM films'")), ["Select films "]);
    assert_eq!(uses(&format!("{made} AS 'SELECT id FROM films WHERE year > 1'")), ["Select films id,year"]);
    assert_eq!(
        uses(&format!("{made} SECURITY DEFINER AS 'DELETE FROM films WHERE id = 1 RETURNING year'")),
        ["owner Select films id,year", "owner Delete films "]
    );
    assert_eq!(
        uses(&format!("{made} AS 'UPDATE films SET title = $$x$$; INSERT INTO films (id) VALUES (1) RETURNING 1'")),
        ["Update films title", "Insert films id"]
    );
    assert!(Privilege::Select < Privilege::Insert);
}

#[test]
fn functions_follow_their_tables_and_say_when_they_no_longer_fit() {
    let mut connection = migrated(&format!(
        "{FILMS} CREATE FUNCTION all_films() RETURNS SETOF films LANGUAGE sql STABLE AS 'SELECT * FROM films';
         CREATE FUNCTION titles() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT title FROM films';"
    ));
    apply(&mut connection, &[("2.sql", "ALTER TABLE films ADD COLUMN length int;")]).expect("migrated");
    let [all, _] = routines(&connection).try_into().expect("two");
    assert!(written(&all).iter().all(|text| text.contains("films.length AS length")), "{:?}", written(&all));
    apply(&mut connection, &[("3.sql", "ALTER TABLE films RENAME COLUMN title TO name;")]).expect("migrated");
    let [all, titles] = routines(&connection).try_into().expect("two");
    assert!(all.body.is_some() && titles.body.is_some());
    apply(&mut connection, &[("4.sql", "DROP TABLE films;")]).expect("migrated");
    assert!(routines(&connection).iter().all(|routine| routine.body.is_none()));
}

#[test]
fn functions_are_replaced_altered_dropped_and_granted_by_their_types() {
    let mut connection = migrated(
        "CREATE ROLE web; CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
         CREATE FUNCTION f(a text) RETURNS text LANGUAGE sql AS 'SELECT a'; COMMENT ON FUNCTION f(text) IS 'of text';
         REVOKE ALL ON FUNCTION f(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION f(int) TO web;
         CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + 1';",
    );
    let shown = |connection: &Connection| -> Vec<String> {
        let line = |routine: &Routine| {
            let grantees: Vec<&str> = routine.grantees.iter().map(String::as_str).collect();
            let comment = routine.comment.as_deref().unwrap_or("-");
            format!("{} {:?} {} {comment}", routine.signature(), routine.volatility, grantees.join(","))
        };
        routines(connection).iter().map(line).collect()
    };
    assert_eq!(
        shown(&connection),
        ["public.f(a => integer) Immutable web -", "public.f(a => text) Volatile public of text"]
    );
    let text = "ALTER FUNCTION f(text) RENAME TO g; ALTER FUNCTION g STABLE STRICT; DROP FUNCTION f(int);
                ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
                ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO web;
                CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1';";
    apply(&mut connection, &[("2.sql", text)]).expect("migrated");
    assert_eq!(shown(&connection), ["public.g(a => text) Stable public of text", "public.later() Volatile web -"]);
    apply(&mut connection, &[("3.sql", "CREATE FUNCTION last() RETURNS int LANGUAGE sql AS 'SELECT 1';")]).expect("ok");
    assert!(shown(&connection).iter().any(|line| line == "public.last() Volatile web -"));
    let definition: String = value(&connection, "SELECT definition FROM _berth_functions WHERE signature = 'g(text)'");
    assert_eq!(
        definition,
        "CREATE FUNCTION f(a text) RETURNS text LANGUAGE sql AS 'SELECT a';\n\
         ALTER FUNCTION f(text) RENAME TO g;\nALTER FUNCTION g STABLE STRICT;\n"
    );
}

#[test]
fn what_cannot_be_run_is_refused_with_its_reason() {
    let f = "CREATE FUNCTION f() RETURNS int LANGUAGE";
    for (text, reason) in [
        (format!("{f} plpgsql AS $$ BEGIN RETURN 1; END $$"), "the language plpgsql is not supported"),
        (format!("{f} sql AS 'SELECT 1, 2'"), "return type mismatch"),
        (format!("{f} sql AS 'DELETE FROM films'"), "must be a SELECT, or have a RETURNING"),
        (format!("{f} sql AS ''"), "no statement that gives its result"),
        (format!("{f} sql AS 'SELECT id FROM nothing'"), "relation \"nothing\" does not exist"),
        (format!("{f} sql AS 'CREATE TABLE x (a int)'"), "a function cannot contain CREATE TABLE"),
        (format!("{f} sql AS 'SELECT 1'; {f} sql AS 'SELECT 2'"), "already exists"),
        (
            format!("{f} sql AS 'SELECT 1'; CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 2'"),
            "cannot change return type",
        ),
        (
            format!("{f} sql AS 'SELECT 1'; CREATE TABLE t (a int CHECK (a > f(1)))"),
            "no function f() takes these arguments",
        ),
        (
            "CREATE FUNCTION f(a int DEFAULT 1, b int) RETURNS int LANGUAGE sql AS 'SELECT 1'".to_owned(),
            "must also have defaults",
        ),
        ("CREATE FUNCTION f(a int, a int) RETURNS int LANGUAGE sql AS 'SELECT 1'".to_owned(), "used more than once"),
        ("CREATE FUNCTION f() LANGUAGE sql AS 'SELECT 1'".to_owned(), "result type must be specified"),
        ("CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT f(n - 1)'".to_owned(), "calls itself"),
        ("DROP FUNCTION f(int)".to_owned(), "function f(integer) does not exist"),
        ("GRANT EXECUTE ON FUNCTION f() TO PUBLIC".to_owned(), "function f() does not exist"),
    ] {
        let told = refusal(&format!("{FILMS} {text};"));
        assert!(told.contains(reason), "{text}: {told}");
    }
}

#[test]
fn expressions_of_tables_call_functions_that_are_expressions() {
    let connection = migrated(
        "CREATE FUNCTION is_even(n int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n % 2 = 0';
         CREATE FUNCTION next_of(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN n + 1;
         CREATE TABLE t (a int CHECK (is_even(a)), b int GENERATED ALWAYS AS (next_of(a * 2)) STORED, c int DEFAULT next_of(4));
         INSERT INTO t (a) VALUES (2);
         CREATE VIEW v AS SELECT a FROM t WHERE is_even(next_of(a) + 1);",
    );
    assert_eq!(value::<String>(&connection, "SELECT a || ' ' || b || ' ' || c FROM t"), "2 5 5");
    assert_eq!(value::<i64>(&connection, "SELECT a FROM v"), 2);
    assert!(connection.execute("INSERT INTO t (a) VALUES (3)", []).is_err());
    let told = refusal(
        "CREATE TABLE t (a int); CREATE FUNCTION f(n int) RETURNS boolean LANGUAGE sql AS 'SELECT count(*) > n FROM t';
         CREATE TABLE u (b int CHECK (f(b)));",
    );
    assert!(told.contains("reads rows, which an expression of a table cannot"), "{told}");
}
