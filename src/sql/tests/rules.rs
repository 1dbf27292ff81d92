//! What row security adds, on SQLite.

use std::collections::BTreeSet;
use std::sync::Arc;

use insta::assert_snapshot;

use super::read::read;
use super::write::{column, delete, given, insert, on_conflict, two_columns, update};
use super::*;
use crate::catalog::Expression;
use crate::plan::row_security::{Absent, Check, RowColumn, Rule, Shown, Source};
use crate::plan::{Cell, Guard, Insert, Read};
use crate::request::prefer::{Count, Resolution};

fn expression(sql: &str) -> Arc<Expression> {
    Arc::new(Expression { sql: sql.to_owned(), ..Expression::default() })
}

fn rule(permissive: &[&str], restrictive: &[&str]) -> Rule {
    let list = |of: &[&str]| of.iter().map(|sql| expression(sql)).collect();
    Rule { permissive: list(permissive), restrictive: list(restrictive) }
}

fn check(any: &[&str], message: &str) -> Check {
    Check { any: any.iter().map(|sql| expression(sql)).collect(), message: message.to_owned() }
}

fn rows(table: &str, columns: &[&str], rule: Rule, mark: Option<&str>) -> Shown {
    let columns = columns.iter().map(|&name| name.to_owned()).collect::<BTreeSet<String>>();
    let source = Source::Rows { columns, rule, mark: mark.map(str::to_owned) };
    Shown { relation: QualifiedName::new("public", table), source, apart: false }
}

fn shown_for(action: Action, rules: &Rules) -> String {
    shown_with(action, MediaType::Json, rules, Engine::Sqlite)
}

fn written(change: impl FnOnce(&mut crate::plan::row_security::WriteRules)) -> Rules {
    let mut rules = Rules::default();
    change(&mut rules.write);
    rules
}

fn row_column(name: &str, absent: Absent) -> RowColumn {
    RowColumn { name: name.to_owned(), absent, is_decimal: false }
}

#[test]
fn a_tables_name_stands_for_the_rows_that_are_shown() {
    let mut rules = Rules::default();
    let own = rule(&["films.kept", "EXISTS (SELECT 1 FROM members AS m WHERE m.film = films.id)"], &["films.year > 0"]);
    rules.shown = vec![
        rows("films", &["id", "title"], own, Some("berth_shown")),
        rows("members", &["film"], rule(&[], &[]), None),
    ];
    let like = test("title", Test::Compare(Comparison::Like, text("a%")));
    let filter = Condition::Behind(Guard::Mark("berth_shown".to_owned()), Box::new(like));
    let node = ReadNode { filter, ..node(vec![projection("id")]) };
    let read = Read { count: Some(Count::Exact), ..read(node) };
    assert_snapshot!(shown_for(Action::Read(read), &rules), @r#"
WITH "films" AS NOT MATERIALIZED (SELECT "films"."id" AS "id", "films"."title" AS "title", (((films.kept) OR (EXISTS (SELECT 1 FROM members AS m WHERE m.film = films.id))) AND (films.year > 0)) AS "berth_shown" FROM main."films" WHERE ((films.kept) OR (EXISTS (SELECT 1 FROM members AS m WHERE m.film = films.id))) AND (films.year > 0)), "members" AS NOT MATERIALIZED (SELECT "members"."film" AS "film" FROM main."members" WHERE (FALSE)) SELECT "films"."id" FROM "films" WHERE CASE WHEN "films"."berth_shown" THEN berth_like(?1, "films"."title") END  ['a%']
output: id integer
count: WITH "films" AS NOT MATERIALIZED (SELECT "films"."id" AS "id", "films"."title" AS "title", (((films.kept) OR (EXISTS (SELECT 1 FROM members AS m WHERE m.film = films.id))) AND (films.year > 0)) AS "berth_shown" FROM main."films" WHERE ((films.kept) OR (EXISTS (SELECT 1 FROM members AS m WHERE m.film = films.id))) AND (films.year > 0)), "members" AS NOT MATERIALIZED (SELECT "members"."film" AS "film" FROM main."members" WHERE (FALSE)) SELECT count(*) FROM "films" WHERE CASE WHEN "films"."berth_shown" THEN berth_like(?1, "films"."title") END  ['a%']
"#);
}

#[test]
fn the_query_of_a_view_stands_in_its_place() {
    let mut rules = Rules::default();
    let within = vec![
        rows("films", &["id"], rule(&["TRUE"], &[]), None),
        Shown {
            relation: QualifiedName::new("public", "members"),
            source: Source::Itself(BTreeSet::from(["film".to_owned()])),
            apart: false,
        },
    ];
    let source = Source::Query {
        sql: " SELECT id, 1 FROM films -- all of them".to_owned(),
        names: vec!["id".to_owned(), "title".to_owned()],
        columns: BTreeSet::from(["id".to_owned()]),
        within,
    };
    rules.shown = vec![Shown { relation: films(), source, apart: true }];
    let read = read(node(vec![projection("id")]));
    assert_snapshot!(shown_for(Action::Read(read), &rules), @r#"
WITH "films" AS MATERIALIZED (WITH "films" AS NOT MATERIALIZED (SELECT "films"."id" AS "id" FROM main."films" WHERE ((TRUE))), "members" AS NOT MATERIALIZED (SELECT "members"."film" AS "film" FROM main."members"), berth_view("id", "title") AS NOT MATERIALIZED ( SELECT id, 1 FROM films -- all of them
) SELECT "berth_view"."id" AS "id" FROM berth_view) SELECT "films"."id" FROM "films"
output: id integer
"#);
}

#[test]
fn a_new_row_is_looked_at_before_it_is_written() {
    let rules = written(|write| {
        write.inserted = vec![check(&["films.id > 1", "films.year = 2"], "first"), check(&["films.kept"], "second")];
        write.row = vec![
            row_column("id", Absent::Number("(SELECT 7)".to_owned())),
            row_column("year", Absent::Default("1999".to_owned())),
            row_column("kept", Absent::Null),
        ];
        write.fallback = Some(row_column("id", Absent::Null));
    });
    assert_snapshot!(shown_for(Action::Insert(two_columns()), &rules), @r#"
INSERT INTO "films" ("id", "title", "year") SELECT "films"."id", "films"."title", "films"."year" FROM (SELECT ?2 AS "title", ?1 AS "id", (1999
) AS "year", NULL AS "kept") AS "films" WHERE CASE WHEN ((films.id > 1) OR (films.year = 2)) IS NOT TRUE THEN berth_refuse(?3) WHEN ((films.kept)) IS NOT TRUE THEN berth_refuse(?4) ELSE TRUE END  (id, title) ['1', 'a', 'first', 'second'] ['2', 'b', 'first', 'second']
"#);
    assert_snapshot!(shown_for(Action::Insert(insert(Vec::new(), vec![Vec::new()])), &rules), @r#"
INSERT INTO "films" ("id", "year") SELECT "films"."id", "films"."year" FROM (SELECT ((SELECT 7)
) AS "id", (1999
) AS "year", NULL AS "kept") AS "films" WHERE CASE WHEN ((films.id > 1) OR (films.year = 2)) IS NOT TRUE THEN berth_refuse(?1) WHEN ((films.kept)) IS NOT TRUE THEN berth_refuse(?2) ELSE TRUE END  () ['first', 'second']
"#);
    let nothing_looked_at = written(|write| {
        write.inserted = vec![check(&[], "closed")];
        write.fallback = Some(row_column("id", Absent::Null));
    });
    assert_snapshot!(shown_for(Action::Insert(insert(Vec::new(), vec![Vec::new()])), &nothing_looked_at), @r#"INSERT INTO "films" ("id") SELECT "films"."id" FROM (SELECT NULL AS "id") AS "films" WHERE CASE WHEN (FALSE) IS NOT TRUE THEN berth_refuse(?1) ELSE TRUE END  () ['closed']"#);
}

#[test]
fn an_upsert_looks_at_the_row_that_is_there_and_at_what_it_becomes() {
    let rules = written(|write| {
        write.inserted = vec![check(&["films.kept"], "inserted")];
        write.conflicting = vec![check(&["films.kept"], "there")];
        write.updated = vec![check(&["films.title <> 'x'"], "becomes")];
        write.row = vec![row_column("kept", Absent::Null), row_column("title", Absent::Null)];
    });
    let upsert = Insert { conflict: on_conflict(Resolution::MergeDuplicates), ..two_columns() };
    assert_snapshot!(shown_for(Action::Insert(upsert), &rules), @r#"INSERT INTO "films" ("id", "title") SELECT "films"."id", "films"."title" FROM (SELECT ?1 AS "id", NULL AS "kept", ?2 AS "title") AS "films" WHERE CASE WHEN ((films.kept)) IS NOT TRUE THEN berth_refuse(?3) ELSE TRUE END ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id", "title" = excluded."title" WHERE berth_updated() AND CASE WHEN ((films.kept)) IS NOT TRUE THEN berth_refuse(?4) WHEN (SELECT (films.title <> 'x') FROM (SELECT "films"."kept" AS "kept", excluded."title" AS "title") AS "films") IS NOT TRUE THEN berth_refuse(?5) ELSE TRUE END  (id, title) ['1', 'a', 'inserted', 'there', 'becomes'] ['2', 'b', 'inserted', 'there', 'becomes']"#);
}

#[test]
fn a_changed_row_is_looked_at_with_its_generated_columns() {
    let rules = written(|write| {
        write.existing = vec![rule(&["films.kept"], &[]), rule(&["TRUE"], &["films.id < 9"])];
        write.updated = vec![check(&["films.title = 'ab'"], "becomes")];
        write.row = vec![
            row_column("rating", Absent::Null),
            row_column("year", Absent::Null),
            row_column("title", Absent::Generated("year || 'b'".to_owned())),
        ];
    });
    let columns = vec![column("rating", None), column("year", Some("1999"))];
    let change = update(columns, vec![given("5"), Cell::Default]);
    assert_snapshot!(shown_for(Action::Update(change), &rules), @r#"
UPDATE "films" SET "rating" = ?1, "year" = CASE WHEN (SELECT (films.title = 'ab') FROM (SELECT "films".*, (year || 'b'
) AS "title" FROM (SELECT ?1 AS "rating", NULL AS "year") AS "films") AS "films") IS NOT TRUE THEN berth_refuse(?2) ELSE (1999) END WHERE ((films.kept)) AND ((TRUE)) AND (films.id < 9) AND ("films"."id" = ?3)  (rating) ['5', 'becomes', '1']
"#);
    assert_snapshot!(shown_for(Action::Delete(delete()), &rules), @r#"DELETE FROM "films" WHERE ((films.kept)) AND ((TRUE)) AND (films.id < 9) AND ("films"."id" = ?1)  () ['1']"#);
}
