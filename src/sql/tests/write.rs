//! Writes.

use insta::assert_snapshot;

use super::*;
use crate::plan::{
    Cell, Conflict, Delete, Expectation, Insert, InsertColumn, InsertRows, Order, Put, Returning, Update,
};
use crate::request::order::{Direction, Nulls};
use crate::request::prefer::Resolution;

pub(super) fn column(name: &str, default: Option<&str>) -> InsertColumn {
    InsertColumn { name: name.to_owned(), type_name: type_of(name), default: default.map(str::to_owned), parser: None }
}

pub(super) fn given(value: &str) -> Cell {
    Cell::Value(text(value))
}

/// The rows as Postgres gets them.
fn json() -> InsertRows {
    InsertRows::Json("[{…}]".to_owned())
}

pub(super) fn insert(columns: Vec<InsertColumn>, rows: Vec<Vec<Cell>>) -> Insert {
    Insert {
        into: films(),
        through: None,
        columns,
        rows: InsertRows::Cells(rows),
        conflict: None,
        put: None,
        returning: Returning::Nothing,
        expect: Expectation::default(),
    }
}

pub(super) fn update(columns: Vec<InsertColumn>, row: Vec<Cell>) -> Update {
    Update {
        table: films(),
        through: None,
        columns,
        row: InsertRows::Cells(vec![row]),
        filter: equal("id", "1"),
        returning: Returning::Nothing,
        expect: Expectation::default(),
    }
}

pub(super) fn delete() -> Delete {
    Delete {
        from: films(),
        through: None,
        filter: equal("id", "1"),
        returning: Returning::Nothing,
        expect: Expectation::default(),
    }
}

pub(super) fn two_columns() -> Insert {
    let columns = vec![column("id", None), column("title", None)];
    insert(columns, vec![vec![given("1"), given("a")], vec![given("2"), given("b")]])
}

pub(super) fn on_conflict(resolution: Resolution) -> Option<Conflict> {
    Some(Conflict { columns: vec!["id".to_owned()], resolution })
}

/// Columns, one of them cast and renamed, in an order of a third.
fn representation() -> Returning {
    let cast = Projection { cast: Some(type_of("title")), name: "key".to_owned(), ..projection("id") };
    let order = Order {
        target: Target::column("year", type_of("year")),
        direction: Direction::Ascending,
        nulls: Nulls::Last,
        related: None,
    };
    Returning::Rows(Box::new(ReadNode {
        order: vec![order],
        ..node(vec![projection("title"), cast, projection("id")])
    }))
}

/// The write on Postgres, then on SQLite.
fn insert_both(insert: Insert) -> String {
    let postgres = Insert { rows: json(), ..insert.clone() };
    both(Action::Insert(postgres), Action::Insert(insert))
}

fn update_both(update: Update) -> String {
    let postgres = Update { row: json(), ..update.clone() };
    both(Action::Update(postgres), Action::Update(update))
}

fn both(postgres: Action, sqlite: Action) -> String {
    format!("{}\n{}", shown(postgres, Engine::Postgres), shown(sqlite, Engine::Sqlite))
}

#[test]
fn an_insert() {
    assert_snapshot!(insert_both(two_columns()), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("id", "title")
    SELECT berth_body."id", berth_body."title" FROM json_to_recordset($1::json) AS berth_body("id" integer, "title" text) RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]']
    INSERT INTO "films" ("id", "title") VALUES (?1, ?2)  (id, title) ['1', 'a'] ['2', 'b']
    "#);
}

#[test]
fn an_insert_with_its_location() {
    let returning = Returning::Location(vec!["id".to_owned(), "year".to_owned()]);
    assert_snapshot!(insert_both(Insert { returning, ..two_columns() }), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("id", "title")
    SELECT berth_body."id", berth_body."title" FROM json_to_recordset($1::json) AS berth_body("id" integer, "title" text) RETURNING "public"."films"."id", "public"."films"."year")
    SELECT NULL::bigint AS total, count(*) AS page, CASE WHEN count(*) = 1 THEN (SELECT json_object_agg(berth_key.key, berth_key.value)::text FROM berth_source, json_each_text(row_to_json(berth_source.*)) AS berth_key) END AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]']
    INSERT INTO "films" ("id", "title") VALUES (?1, ?2) RETURNING "films"."id", "films"."year"  (id, title) ['1', 'a'] ['2', 'b']
    location: id, year
    "#);
}

#[test]
fn a_location_without_a_key_is_none() {
    assert_eq!(
        insert_both(Insert { returning: Returning::Location(Vec::new()), ..two_columns() }),
        insert_both(two_columns()),
    );
}

#[test]
fn an_insert_with_its_representation() {
    assert_snapshot!(insert_both(Insert { returning: representation(), ..two_columns() }), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("id", "title")
    SELECT berth_body."id", berth_body."title" FROM json_to_recordset($1::json) AS berth_body("id" integer, "title" text) RETURNING "public"."films"."title", "public"."films"."id", "public"."films"."year")
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, coalesce(json_agg(berth_row.*), '[]') AS body, NULL::bigint AS inserted FROM (SELECT berth_source."title" AS "title", CAST(berth_source."id" AS text) AS "key", berth_source."id" AS "id" FROM berth_source ORDER BY berth_source."year" ASC NULLS LAST) AS berth_row  ['[{…}]']
    INSERT INTO "films" ("id", "title") VALUES (?1, ?2) RETURNING "films"."title", CAST("films"."id" AS TEXT), "films"."id", "films"."year"  (id, title) ['1', 'a'] ['2', 'b']
    output: 3 columns
    "#);
}

#[test]
fn rows_of_one_shape_share_a_text_and_keep_their_order() {
    let columns = vec![column("title", Some("'untitled'")), column("year", Some("now_year()"))];
    let rows = vec![
        vec![given("a"), given("1")],
        vec![given("b"), given("2")],
        vec![given("c"), Cell::Default],
        vec![Cell::Default, Cell::Default],
        vec![Cell::Default, Cell::Default],
        vec![given("d"), given("3")],
    ];
    assert_snapshot!(insert_both(insert(columns, rows)), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("title", "year")
    SELECT berth_body."title", berth_body."year" FROM jsonb_array_elements($1::jsonb) AS berth_element(value), jsonb_to_record(jsonb_build_object($2::text, CASE WHEN NOT berth_element.value ? $2::text THEN 'untitled' END, $3::text, CASE WHEN NOT berth_element.value ? $3::text THEN now_year() END) || berth_element.value) AS berth_body("title" text, "year" smallint) RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]', 'title', 'year']
    INSERT INTO "films" ("title", "year") VALUES (?1, ?2)  (title, year) ['a', '1'] ['b', '2']
    INSERT INTO "films" ("title") VALUES (?1)  (title) ['c']
    INSERT INTO "films" DEFAULT VALUES  ()
    INSERT INTO "films" ("title", "year") VALUES (?1, ?2)  (title, year) ['d', '3']
    "#);
}

#[test]
fn rows_without_columns_are_all_defaults() {
    assert_snapshot!(insert_both(insert(Vec::new(), vec![Vec::new(), Vec::new()])), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" SELECT  FROM json_array_elements($1::json) AS berth_body RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]']
    INSERT INTO "films" DEFAULT VALUES  ()
    "#);
}

#[test]
fn no_rows_are_no_runs() {
    assert_eq!(shown(Action::Insert(insert(vec![column("id", None)], Vec::new())), Engine::Sqlite), "");
}

#[test]
fn more_defaults_than_one_call_takes_arguments() {
    let columns = (0..51).map(|index| column(&format!("c{index}"), Some("1"))).collect();
    let query = shown(Action::Insert(Insert { rows: json(), ..insert(columns, Vec::new()) }), Engine::Postgres);
    assert_eq!(query.matches("jsonb_build_object(").count(), 2, "{query}");
}

#[test]
fn an_upsert_that_merges() {
    let upsert = Insert { conflict: on_conflict(Resolution::MergeDuplicates), ..two_columns() };
    assert_snapshot!(insert_both(upsert), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("id", "title")
    SELECT berth_body."id", berth_body."title" FROM set_config('berth.updated', '', true) AS berth_counter, json_to_recordset($1::json) AS berth_body("id" integer, "title" text) ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "title" = excluded."title" WHERE set_config('berth.updated', (coalesce(nullif(current_setting('berth.updated', true), ''), '0')::bigint + 1)::text, true) <> '' RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, count(*) - coalesce(nullif(current_setting('berth.updated', true), ''), '0')::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]']
    INSERT INTO "films" ("id", "title") VALUES (?1, ?2) ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "title" = excluded."title" WHERE berth_updated()  (id, title) ['1', 'a'] ['2', 'b']
    "#);
}

#[test]
fn an_upsert_that_ignores() {
    let upsert = Insert { conflict: on_conflict(Resolution::IgnoreDuplicates), ..two_columns() };
    assert_snapshot!(insert_both(upsert), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("id", "title")
    SELECT berth_body."id", berth_body."title" FROM json_to_recordset($1::json) AS berth_body("id" integer, "title" text) ON CONFLICT ("id") DO NOTHING RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]']
    INSERT INTO "films" ("id", "title") VALUES (?1, ?2) ON CONFLICT ("id") DO NOTHING  (id, title) ['1', 'a'] ['2', 'b']
    "#);
}

#[test]
fn an_upsert_without_a_key_is_an_insert() {
    let conflict = Some(Conflict { columns: Vec::new(), resolution: Resolution::IgnoreDuplicates });
    assert_eq!(insert_both(Insert { conflict, ..two_columns() }), insert_both(two_columns()));
}

#[test]
fn what_a_domain_looks_like_is_read_by_its_functions_and_a_default_is_not() {
    let parser = Some(QualifiedName::new("public", "cents"));
    let target = Target { parser: parser.clone(), ..Target::column("year", type_of("year")) };
    let update = |default| Update {
        table: films(),
        through: None,
        columns: vec![InsertColumn { parser: parser.clone(), ..column("year", default) }],
        row: InsertRows::Json("[{…}]".to_owned()),
        filter: Condition::Or(vec![
            Condition::Test(target.clone(), Test::In(vec![text("1"), text("2")])),
            Condition::Test(target.clone(), Test::Compare(Comparison::Like, text("1%"))),
            Condition::Test(target.clone(), Test::IsDistinctFrom(text("3"))),
        ]),
        returning: Returning::Nothing,
        expect: Expectation::default(),
    };
    let text = |default| {
        let action = Action::Update(update(default));
        let Work::Envelope { query, .. } = work(&plan(action, MediaType::Json), &Rules::default(), Engine::Postgres)
        else {
            panic!("no envelope")
        };
        query.text.split(" RETURNING ").next().unwrap().to_owned()
    };
    assert_snapshot!(text(None), @r#"WITH berth_source AS (UPDATE "public"."films" SET "year" = "public"."cents"(berth_body."year") FROM json_to_recordset($1::json) AS berth_body("year" json) WHERE "public"."films"."year" = ANY (SELECT "public"."cents"(berth_operand) FROM unnest($2::text[]) AS berth_operand) OR "public"."films"."year" LIKE $3 OR "public"."films"."year" IS DISTINCT FROM "public"."cents"($4::text)"#);
    let with_default = text(Some("7"));
    let set = with_default.split(" WHERE ").next().unwrap();
    assert_snapshot!(set, @r#"WITH berth_source AS (UPDATE "public"."films" SET "year" = CASE WHEN berth_element.value ? $1::text THEN "public"."cents"(berth_body."year") ELSE 7 END FROM jsonb_array_elements($2::jsonb) AS berth_element(value), jsonb_to_record(berth_element.value) AS berth_body("year" json)"#);
}

#[test]
fn a_put() {
    let key = [("id", "1"), ("year", "2")].map(|(name, value)| (Target::column(name, type_of(name)), text(value)));
    let put = Put { key: key.into() };
    let put = Insert { put: Some(put), conflict: on_conflict(Resolution::MergeDuplicates), ..two_columns() };
    assert_snapshot!(insert_both(put), @r#"
    WITH berth_source AS (INSERT INTO "public"."films" ("id", "title")
    SELECT berth_body."id", berth_body."title" FROM set_config('berth.updated', '', true) AS berth_counter, json_to_recordset($1::json) AS berth_body("id" integer, "title" text) WHERE berth_body."id" = $2 AND FALSE ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "title" = excluded."title" WHERE set_config('berth.updated', (coalesce(nullif(current_setting('berth.updated', true), ''), '0')::bigint + 1)::text, true) <> '' RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, count(*) - coalesce(nullif(current_setting('berth.updated', true), ''), '0')::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]', '1']
    INSERT INTO "films" ("id", "title") VALUES (?1, ?2) ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "title" = excluded."title" WHERE berth_updated()  (id, title) ['1', 'a'] ['2', 'b']
    "#);
}

#[test]
fn an_upsert_on_sqlite_updates_and_inserts_and_counts() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let updates = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&updates);
    let connection = database();
    let count = move |_: &rusqlite::functions::Context<'_>| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(1_i64)
    };
    connection
        .create_scalar_function("berth_updated", 0, rusqlite::functions::FunctionFlags::SQLITE_UTF8, count)
        .unwrap();
    connection.execute_batch("INSERT INTO films (id, title, year) VALUES (1, 'old', 7)").unwrap();
    let upsert = Insert { conflict: on_conflict(Resolution::MergeDuplicates), ..two_columns() };
    let Work::Write { runs, .. } =
        work(&plan(Action::Insert(upsert), MediaType::Json), &Rules::default(), Engine::Sqlite)
    else {
        panic!("a write was to be rendered")
    };
    let rows = [("1", "a"), ("2", "b")];
    for row in rows {
        connection.execute(&runs[0].text, row).unwrap();
    }
    let films: String = connection
        .query_row("SELECT group_concat(id || title || coalesce(year, '-'), ' ') FROM films", [], |row| row.get(0))
        .unwrap();
    assert_eq!(films, "1a7 2b-");
    assert_eq!(updates.load(Ordering::Relaxed), 1);
}

#[test]
fn an_update() {
    let columns = vec![column("title", None), column("year", None)];
    let returning = representation();
    assert_snapshot!(update_both(Update { returning, ..update(columns, vec![given("a"), given("2")]) }), @r#"
    WITH berth_source AS (UPDATE "public"."films" SET "title" = berth_body."title", "year" = berth_body."year" FROM json_to_recordset($1::json) AS berth_body("title" text, "year" smallint) WHERE "public"."films"."id" = $2 RETURNING "public"."films"."title", "public"."films"."id", "public"."films"."year")
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, coalesce(json_agg(berth_row.*), '[]') AS body, NULL::bigint AS inserted FROM (SELECT berth_source."title" AS "title", CAST(berth_source."id" AS text) AS "key", berth_source."id" AS "id" FROM berth_source ORDER BY berth_source."year" ASC NULLS LAST) AS berth_row  ['[{…}]', '1']
    UPDATE "films" SET "title" = ?1, "year" = ?2 WHERE "films"."id" = ?3 RETURNING "films"."title", CAST("films"."id" AS TEXT), "films"."id", "films"."year"  (title, year) ['a', '2', '1']
    output: 3 columns
    "#);
}

#[test]
fn an_update_to_defaults() {
    let columns = vec![column("title", Some("'untitled'")), column("year", None)];
    assert_snapshot!(update_both(update(columns, vec![Cell::Default, Cell::Default])), @r#"
    WITH berth_source AS (UPDATE "public"."films" SET "title" = berth_body."title", "year" = berth_body."year" FROM jsonb_array_elements($1::jsonb) AS berth_element(value), jsonb_to_record(jsonb_build_object($2::text, CASE WHEN NOT berth_element.value ? $2::text THEN 'untitled' END) || berth_element.value) AS berth_body("title" text, "year" smallint) WHERE "public"."films"."id" = $3 RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['[{…}]', 'title', '1']
    UPDATE "films" SET "title" = ('untitled'), "year" = NULL WHERE "films"."id" = ?1  () ['1']
    "#);
}

#[test]
fn an_update_of_nothing_touches_nothing() {
    assert_snapshot!(update_both(Update { returning: representation(), ..update(Vec::new(), Vec::new()) }), @r#"
    WITH berth_source AS (SELECT "public"."films"."title", "public"."films"."id", "public"."films"."year" FROM "public"."films" WHERE FALSE)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, coalesce(json_agg(berth_row.*), '[]') AS body, NULL::bigint AS inserted FROM (SELECT berth_source."title" AS "title", CAST(berth_source."id" AS text) AS "key", berth_source."id" AS "id" FROM berth_source ORDER BY berth_source."year" ASC NULLS LAST) AS berth_row
    output: 3 columns
    "#);
}

#[test]
fn a_delete() {
    assert_snapshot!(both(Action::Delete(delete()), Action::Delete(delete())), @r#"
    WITH berth_source AS (DELETE FROM "public"."films" WHERE "public"."films"."id" = $1 RETURNING 1)
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, ''::text AS body, NULL::bigint AS inserted FROM berth_source AS berth_row  ['1']
    DELETE FROM "films" WHERE "films"."id" = ?1  () ['1']
    "#);
}

#[test]
fn a_delete_with_its_representation() {
    let delete = Delete { returning: representation(), ..delete() };
    assert_snapshot!(both(Action::Delete(delete.clone()), Action::Delete(delete)), @r#"
    WITH berth_source AS (DELETE FROM "public"."films" WHERE "public"."films"."id" = $1 RETURNING "public"."films"."title", "public"."films"."id", "public"."films"."year")
    SELECT NULL::bigint AS total, count(*) AS page, NULL::text AS location, coalesce(json_agg(berth_row.*), '[]') AS body, NULL::bigint AS inserted FROM (SELECT berth_source."title" AS "title", CAST(berth_source."id" AS text) AS "key", berth_source."id" AS "id" FROM berth_source ORDER BY berth_source."year" ASC NULLS LAST) AS berth_row  ['1']
    DELETE FROM "films" WHERE "films"."id" = ?1 RETURNING "films"."title", CAST("films"."id" AS TEXT), "films"."id", "films"."year"  () ['1']
    output: 3 columns
    "#);
}
