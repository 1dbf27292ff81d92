//! Reads.

use insta::assert_snapshot;

use super::*;
use crate::plan::Maker;
use crate::plan::{Expectation, Keyset, Order, Read};
use crate::request::order::{Direction, Nulls};
use crate::request::prefer::Count;
use crate::request::seek::Side;
use crate::sql::expectation;

/// A read of a node with nothing beside it.
pub(super) fn read(node: ReadNode) -> Read {
    Read {
        node,
        distinct: Distinct::No,
        keyset: None,
        count: None,
        max_rows: None,
        headers_only: false,
        by_key: false,
        streamed: false,
        expect: Expectation::default(),
    }
}

/// The read on Postgres, then on SQLite.
fn both(read: Read) -> String {
    let postgres = shown(Action::Read(read.clone()), Engine::Postgres);
    format!("{postgres}\n{}", shown(Action::Read(read), Engine::Sqlite))
}

/// The part of the Postgres query that makes the rows, then SQLite.
fn rows(read: Read) -> String {
    let postgres = shown(Action::Read(read.clone()), Engine::Postgres);
    let values = postgres.rfind("  [").map_or("", |at| &postgres[at..]);
    let source = postgres.split(")\nSELECT NULL::bigint AS total").next().unwrap();
    let source = source.trim_start_matches("WITH berth_source AS (");
    format!("{source}{values}\n{}", shown(Action::Read(read), Engine::Sqlite))
}

fn counted(count: Count, max_rows: Option<u64>, limit: Option<u64>) -> Read {
    let node =
        ReadNode { filter: equal("year", "1972"), range: Range { offset: 0, limit }, ..node(vec![projection("id")]) };
    Read { count: Some(count), max_rows, ..read(node) }
}

#[test]
fn a_whole_read() {
    let by = |column: &str, direction, nulls| Order {
        target: Target::column(column, type_of(column)),
        direction,
        nulls,
        related: None,
    };
    let node = ReadNode {
        filter: Condition::And(vec![equal("year", "1972"), test("id", Test::Compare(Comparison::Greater, text("5")))]),
        order: vec![by("title", Direction::Ascending, Nulls::Last), by("rating", Direction::Descending, Nulls::First)],
        range: Range { offset: 20, limit: Some(10) },
        ..node(vec![projection("id"), projection("title")])
    };
    assert_snapshot!(both(read(node)), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS "id", "public"."films"."title" AS "title" FROM "public"."films" WHERE "public"."films"."year" = $1 AND "public"."films"."id" > $2 ORDER BY "public"."films"."title" ASC NULLS LAST, "public"."films"."rating" DESC NULLS FIRST LIMIT $3 OFFSET $4)
    SELECT NULL::bigint AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body FROM berth_source AS berth_row  ['1972', '5', '10', '20']
    SELECT "films"."id", "films"."title" FROM "films" WHERE "films"."year" = ?1 AND "films"."id" > ?2 ORDER BY "films"."title" ASC NULLS LAST, "films"."rating" DESC NULLS FIRST LIMIT ?3 OFFSET ?4  ['1972', '5', 10, 20]
    output: id integer, title text
    "#);
}

#[test]
fn an_offset_without_a_limit() {
    let node = ReadNode { range: Range { offset: 3, limit: None }, ..node(vec![projection("id")]) };
    assert_snapshot!(rows(read(node)), @r#"
    SELECT "public"."films"."id" AS "id" FROM "public"."films" LIMIT ALL OFFSET $1  ['3']
    SELECT "films"."id" FROM "films" LIMIT -1 OFFSET ?1  [3]
    output: id integer
    "#);
}

#[test]
fn a_row_without_columns() {
    assert_snapshot!(rows(read(node(Vec::new()))), @r#"
    SELECT  FROM "public"."films"
    SELECT 1 FROM "films"
    output:
    "#);
}

#[test]
fn names_and_paths() {
    let at = |column: &str, path: &[(Arrow, &str)], name: &str| Projection {
        target: Target {
            path: path.iter().map(|(arrow, operand)| step(*arrow, operand)).collect(),
            ..Target::column(column, type_of(column))
        },
        name: name.to_owned(),
        ..projection(column)
    };
    let select = vec![
        at("id", &[], "a \"name\""),
        at("data", &[(Arrow::Json, "a"), (Arrow::Text, "0")], "first"),
        at("data", &[(Arrow::Json, "b")], "b"),
        at("tags", &[(Arrow::Json, "-1")], "tags"),
    ];
    assert_snapshot!(rows(read(node(select))), @r#"
    SELECT "public"."films"."id" AS "a ""name""", "public"."films"."data"->$1->>$2::int AS "first", "public"."films"."data"->$3 AS "b", to_jsonb("public"."films"."tags")->$4::int AS "tags" FROM "public"."films"  ['a', '0', 'b', '-1']
    SELECT "films"."id", berth_json_text(berth_json("films"."data", ?1), ?2), berth_json("films"."data", ?3), berth_json("films"."tags", ?4) FROM "films"  ['a', 0, 'b', -1]
    output: a "name" integer, first text, b json, tags json
    "#);
}

#[test]
fn an_order_by_a_path() {
    let term = Order {
        target: Target { path: vec![step(Arrow::Text, "a")], ..Target::column("data", type_of("data")) },
        direction: Direction::Descending,
        nulls: Nulls::Last,
        related: None,
    };
    let node = ReadNode { order: vec![term], ..node(vec![projection("id")]) };
    assert_snapshot!(rows(read(node)), @r#"
    SELECT "public"."films"."id" AS "id" FROM "public"."films" ORDER BY "public"."films"."data"->>$1 DESC NULLS LAST  ['a']
    SELECT "films"."id" FROM "films" ORDER BY berth_json_text("films"."data", ?1) DESC NULLS LAST  ['a']
    output: id integer
    "#);
}

fn cast(column: &str, declared: &str, kind: TypeKind) -> Projection {
    Projection { cast: Some(TypeName { declared: declared.to_owned(), kind }), ..projection(column) }
}

#[test]
fn casts() {
    let text = |max_length| TypeKind::Text { max_length };
    let select = vec![
        cast("id", "text", text(None)),
        cast("kept", "text", text(None)),
        cast("title", "varchar", text(Some(3))),
        cast("raw", "text", text(None)),
        cast("rating", "int", TypeKind::Integer),
        cast("title", "bigint", TypeKind::BigInt),
        cast("title", "double precision", TypeKind::Double),
        cast("title", "numeric", TypeKind::DECIMAL),
        cast("id", "boolean", TypeKind::Boolean),
        cast("kept", "boolean", TypeKind::Boolean),
        cast("made", "date", TypeKind::Date),
        cast("title", "uuid", TypeKind::Uuid),
        cast("title", "json", TypeKind::Json),
        cast("data", "json", TypeKind::Json),
        cast("title", "bytea", TypeKind::Bytea),
        cast("title", "mood", TypeKind::Other),
    ];
    assert_snapshot!(rows(read(node(select))), @r#"
    SELECT CAST("public"."films"."id" AS text) AS "id", CAST("public"."films"."kept" AS text) AS "kept", CAST("public"."films"."title" AS varchar) AS "title", CAST("public"."films"."raw" AS text) AS "raw", CAST("public"."films"."rating" AS int) AS "rating", CAST("public"."films"."title" AS bigint) AS "title", CAST("public"."films"."title" AS double precision) AS "title", CAST("public"."films"."title" AS numeric) AS "title", CAST("public"."films"."id" AS boolean) AS "id", CAST("public"."films"."kept" AS boolean) AS "kept", CAST("public"."films"."made" AS date) AS "made", CAST("public"."films"."title" AS uuid) AS "title", CAST("public"."films"."title" AS json) AS "title", CAST("public"."films"."data" AS json) AS "data", CAST("public"."films"."title" AS bytea) AS "title", CAST("public"."films"."title" AS mood) AS "title" FROM "public"."films"
    SELECT CAST("films"."id" AS TEXT), berth_convert("films"."kept", ?1, ?2), berth_convert("films"."title", ?3, ?4), berth_convert("films"."raw", ?5, ?6), berth_convert("films"."rating", ?7, ?8), berth_convert("films"."title", ?9, ?10), berth_convert("films"."title", ?11, ?12), berth_convert("films"."title", ?13, ?14) COLLATE decimal, berth_convert("films"."id", ?15, ?16), "films"."kept", berth_convert_here("films"."made", ?17, ?18), berth_convert("films"."title", ?19, ?20), berth_convert("films"."title", ?21, ?22), berth_convert("films"."data", ?23, ?24), berth_convert("films"."title", ?25, ?26), "films"."title" FROM "films"  ['boolean', 'text', 'text', 'character varying(3)', 'bytea', 'text', 'double precision', 'integer', 'text', 'bigint', 'text', 'double precision', 'text', 'numeric text', 'integer', 'boolean', 'timestamp with time zone', 'date', 'text', 'uuid', 'text', 'json', 'jsonb', 'json', 'text', 'bytea']
    output: id text, kept text, title varchar, raw text, rating int, title bigint, title double precision, title numeric, id boolean, kept boolean, made date, title uuid, title json, data json, title bytea, title mood
    "#);
}

#[test]
fn a_cast_is_a_type_and_nothing_else() {
    let query = shown(Action::Read(read(node(vec![cast("id", "int), (SELECT 1", TypeKind::Other)]))), Engine::Postgres);
    assert!(query.contains(r#"CAST("public"."films"."id" AS "int), (SELECT 1") AS "id""#), "{query}");
}

#[test]
fn an_exact_count_of_a_page() {
    assert_snapshot!(both(counted(Count::Exact, None, Some(5))), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS "id" FROM "public"."films" WHERE "public"."films"."year" = $1 LIMIT $2), berth_total AS (SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $3)
    SELECT (SELECT count(*) FROM berth_total) AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body FROM berth_source AS berth_row  ['1972', '5', '1972']
    SELECT "films"."id" FROM "films" WHERE "films"."year" = ?1 LIMIT ?2  ['1972', 5]
    output: id integer
    count: SELECT count(*) FROM "films" WHERE "films"."year" = ?1  ['1972']
    "#);
}

#[test]
fn an_exact_count_of_all_rows_counts_them_once() {
    let query = shown(Action::Read(counted(Count::Exact, None, None)), Engine::Postgres);
    assert!(query.contains(")\nSELECT count(*) AS total, count(*) AS page"), "{query}");
}

#[test]
fn a_planned_count() {
    assert_snapshot!(shown(Action::Read(counted(Count::Planned, Some(9), Some(5))), Engine::Postgres), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS "id" FROM "public"."films" WHERE "public"."films"."year" = $1 LIMIT $2)
    SELECT NULL::bigint AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body FROM berth_source AS berth_row  ['1972', '5']
    planned: EXPLAIN (FORMAT JSON) SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $1  ['1972']
    "#);
}

#[test]
fn an_estimated_count_counts_one_row_more_than_the_limit() {
    assert_snapshot!(shown(Action::Read(counted(Count::Estimated, Some(9), Some(5))), Engine::Postgres), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS "id" FROM "public"."films" WHERE "public"."films"."year" = $1 LIMIT $2), berth_total AS (SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $3 LIMIT $4)
    SELECT (SELECT count(*) FROM berth_total) AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body FROM berth_source AS berth_row  ['1972', '5', '1972', '10']
    planned above 9: EXPLAIN (FORMAT JSON) SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $1  ['1972']
    "#);
}

#[test]
fn an_estimated_count_without_a_greatest_number_counts_and_asks_the_planner() {
    let estimated = shown(Action::Read(counted(Count::Estimated, None, Some(5))), Engine::Postgres);
    let exact = shown(Action::Read(counted(Count::Exact, None, Some(5))), Engine::Postgres);
    assert_eq!(estimated.split_once("\nplanned: ").map(|(query, _)| query), Some(exact.as_str()));
}

#[test]
fn a_head_makes_no_body() {
    let read = Read { headers_only: true, ..read(node(vec![projection("id")])) };
    assert_snapshot!(shown(Action::Read(read), Engine::Postgres), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS "id" FROM "public"."films")
    SELECT NULL::bigint AS total, count(*) AS page, ''::text AS body FROM berth_source AS berth_row
    "#);
}

#[test]
fn lines_are_read_apart_from_what_is_said_before_them() {
    let lines = |read: Read| {
        let shown = |engine| shown_as(Action::Read(Read { streamed: true, ..read.clone() }), MediaType::NdJson, engine);
        format!("{}\n{}", shown(Engine::Postgres), shown(Engine::Sqlite))
    };
    assert_snapshot!(lines(read(node(vec![projection("id")]))), @r#"
     SELECT NULL::bigint AS total, 0::bigint AS page, ''::text AS body
    rows: SELECT translate(row_to_json(berth_row.*)::text, E'\n\r', '  ') || E'\n' FROM (SELECT "public"."films"."id" AS "id" FROM "public"."films") AS berth_row
    SELECT "films"."id" FROM "films"
    output: id integer
    "#);
    assert_snapshot!(lines(counted(Count::Exact, None, None)), @r#"
    WITH berth_total AS (SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $1) SELECT (SELECT count(*) FROM berth_total) AS total, 0::bigint AS page, ''::text AS body  ['1972']
    rows: SELECT translate(row_to_json(berth_row.*)::text, E'\n\r', '  ') || E'\n' FROM (SELECT "public"."films"."id" AS "id" FROM "public"."films" WHERE "public"."films"."year" = $1) AS berth_row  ['1972']
    SELECT "films"."id" FROM "films" WHERE "films"."year" = ?1  ['1972']
    output: id integer
    count: SELECT count(*) FROM "films" WHERE "films"."year" = ?1  ['1972']
    "#);
    assert_snapshot!(lines(counted(Count::Estimated, Some(9), Some(5))), @r#"
    WITH berth_total AS (SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $1 LIMIT $2) SELECT (SELECT count(*) FROM berth_total) AS total, 0::bigint AS page, ''::text AS body  ['1972', '10']
    rows: SELECT translate(row_to_json(berth_row.*)::text, E'\n\r', '  ') || E'\n' FROM (SELECT "public"."films"."id" AS "id" FROM "public"."films" WHERE "public"."films"."year" = $1 LIMIT $2) AS berth_row  ['1972', '5']
    planned above 9: EXPLAIN (FORMAT JSON) SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $1  ['1972']
    SELECT "films"."id" FROM "films" WHERE "films"."year" = ?1 LIMIT ?2  ['1972', 5]
    output: id integer
    count: SELECT count(*) FROM "films" WHERE "films"."year" = ?1  ['1972']
    "#);
}

#[test]
fn bodies_by_media_type() {
    let named = Projection { name: "a,\"b\"".to_owned(), ..projection("title") };
    let bodies = [
        MediaType::Any,
        MediaType::Json,
        MediaType::ArrayJson { strip_nulls: false },
        MediaType::ArrayJson { strip_nulls: true },
        MediaType::ObjectJson { strip_nulls: false },
        MediaType::ObjectJson { strip_nulls: true },
        MediaType::Csv,
        MediaType::NdJson,
        MediaType::GeoJson,
    ]
    .map(|media| {
        let select = vec![projection("id"), named.clone()];
        let query = shown_as(Action::Read(read(node(select))), media, Engine::Postgres);
        let values = query.rfind("  [").map_or("", |at| &query[at..]);
        let body = query.split("AS page, ").nth(1).unwrap().split(" AS body").next().unwrap();
        format!("{body}{values}")
    });
    assert_snapshot!(bodies.join("\n"), @r#"
    coalesce(json_agg(berth_row.*), '[]')
    coalesce(json_agg(berth_row.*), '[]')
    coalesce(json_agg(berth_row.*), '[]')
    coalesce(json_strip_nulls(json_agg(berth_row.*)), '[]')
    coalesce(json_agg(berth_row.*)->0, 'null')
    coalesce(json_strip_nulls(json_agg(berth_row.*)->0), 'null')
    coalesce($1::text || string_agg(substring((berth_row.*)::text, 2, length((berth_row.*)::text) - 2), E'\n'), E'\n')  ['id,"a,""b"""
    ']
    coalesce(string_agg(translate(row_to_json(berth_row.*)::text, E'\n\r', '  ') || E'\n', ''), '')
    json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(ST_AsGeoJSON(berth_row.*)::json), '[]'))
    "#);
}

#[test]
fn the_answer_carries_what_the_database_set() {
    let Work::Envelope { query, .. } =
        work(&plan(Action::Read(read(node(Vec::new()))), MediaType::Json), &Rules::default(), Engine::Postgres)
    else {
        panic!("an envelope was to be rendered")
    };
    assert_snapshot!(query.text, @r#"
    WITH berth_source AS (SELECT  FROM "public"."films") SELECT NULL::bigint AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status FROM berth_source AS berth_row
    "#);
}

#[test]
fn what_is_expected_of_the_rows_is_handed_on() {
    let expect = Expectation { singular: true, max_affected: Some(3), put: false };
    let expected = |media| expectation(&plan(Action::Read(Read { expect, ..read(node(Vec::new())) }), media));
    assert_eq!(expected(MediaType::Json), expect);
    assert_eq!(expectation(&plan(Action::RootInfo, MediaType::Any)), Expectation::default());
    // Nothing is run.
    assert_eq!(expected(asked_how(&[])), Expectation::default());
}

/// How a read would be run, told as text.
fn asked_how(options: &[&str]) -> MediaType {
    let options = options.iter().map(|&option| option.to_owned()).collect();
    MediaType::Plan { of: Box::new(MediaType::Json), json: false, options }
}

#[test]
fn how_a_read_would_be_run_is_asked_of_the_same_text() {
    let all = || Action::Read(read(node(Vec::new())));
    let rows = shown(all(), Engine::Postgres).replace('\n', " ");
    let asked = shown_as(all(), asked_how(&["analyze", "buffers"]), Engine::Postgres);
    assert_eq!(asked.strip_prefix("EXPLAIN (FORMAT TEXT, ANALYZE, BUFFERS) "), Some(rows.as_str()));
    let asked = shown_as(all(), asked_how(&[]), Engine::Sqlite);
    assert!(asked.starts_with("EXPLAIN QUERY PLAN SELECT "), "{asked}");
}

#[test]
fn what_the_database_makes_of_rows_is_the_body() {
    let made = |maker| {
        let made = Plan { maker: Some(maker), ..plan(Action::Read(read(node(Vec::new()))), MediaType::OctetStream) };
        let Work::Envelope { query, .. } = work(&made, &Rules::default(), Engine::Postgres) else {
            panic!("an envelope was to be rendered")
        };
        query.text
    };
    let function = QualifiedName::new("api", "as_twkb");
    let of = Some(QualifiedName::new("api", "lines"));
    let of_lines = made(Maker::Aggregate { function: function.clone(), of });
    assert!(of_lines.contains(r#", "api"."as_twkb"((berth_row.*)::"api"."lines") AS body, "#), "{of_lines}");
    let of_any = made(Maker::Aggregate { function, of: None });
    assert!(of_any.contains(r#", "api"."as_twkb"((berth_row.*)) AS body, "#), "{of_any}");
    assert!(made(Maker::Value).contains(", berth_row.pgrst_scalar AS body, "));
}

#[test]
fn what_touches_no_rows_is_nothing_to_run() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        assert_eq!(shown(Action::RootInfo, engine), "nothing");
        assert_eq!(shown(Action::Describe { schema: "public".to_owned(), headers_only: false }, engine), "nothing");
    }
}

#[test]
fn rows_that_are_given_once() {
    let node = node(vec![projection("title"), projection("year")]);
    assert_snapshot!(rows(Read { distinct: Distinct::Rows, ..read(node) }), @r#"
    SELECT "public"."films"."title" AS "title", "public"."films"."year" AS "year" FROM "public"."films" GROUP BY 1, 2
    SELECT "films"."title", "films"."year" FROM "films" GROUP BY 1, 2
    output: title text, year smallint
    "#);
}

#[test]
fn the_first_of_rows_that_are_equal_in_a_column() {
    let by = |column: &str| Order {
        target: Target::column(column, type_of(column)),
        direction: Direction::Descending,
        nulls: Nulls::Last,
        related: None,
    };
    let year = Target::column("year", type_of("year"));
    let node = ReadNode {
        order: vec![by("rating")],
        range: Range { offset: 0, limit: Some(5) },
        ..node(vec![projection("id"), projection("title")])
    };
    let read = Read { distinct: Distinct::By(vec![year]), count: Some(Count::Exact), ..read(node) };
    assert_snapshot!(both(read), @r#"
    WITH berth_source AS (SELECT berth_1.c0 AS "id", berth_1.c1 AS "title" FROM (SELECT "public"."films"."id" AS c0, "public"."films"."title" AS c1, "public"."films"."rating" AS c2, row_number() OVER (PARTITION BY "public"."films"."year" ORDER BY "public"."films"."rating" DESC NULLS LAST) AS c3 FROM "public"."films") AS berth_1 WHERE berth_1.c3 = 1 ORDER BY berth_1.c2 DESC NULLS LAST LIMIT $1), berth_total AS (SELECT 1 FROM "public"."films" GROUP BY "public"."films"."year")
    SELECT (SELECT count(*) FROM berth_total) AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body FROM berth_source AS berth_row  ['5']
    SELECT berth_1.c0, berth_1.c1 FROM (SELECT "films"."id" AS c0, "films"."title" AS c1, "films"."rating" AS c2, row_number() OVER (PARTITION BY "films"."year" ORDER BY "films"."rating" DESC NULLS LAST) AS c3 FROM "films") AS berth_1 WHERE berth_1.c3 = 1 ORDER BY berth_1.c2 DESC NULLS LAST LIMIT ?1  [5]
    output: id integer, title text
    count: SELECT count(*) FROM (SELECT 1 FROM "films" GROUP BY "films"."year")
    "#);
}

fn page(side: Side) -> Read {
    let by = |column: &str, direction, nulls| Order {
        target: Target::column(column, type_of(column)),
        direction,
        nulls,
        related: None,
    };
    let order = vec![by("title", Direction::Ascending, Nulls::Last), by("id", Direction::Ascending, Nulls::Last)];
    let away = match side {
        Side::After => order.clone(),
        Side::Before => {
            vec![by("title", Direction::Descending, Nulls::First), by("id", Direction::Descending, Nulls::First)]
        }
    };
    let range = Range { offset: 0, limit: Some(2) };
    let node =
        ReadNode { filter: Condition::And(vec![equal("year", "1972")]), order, range, ..node(vec![projection("id")]) };
    let keyset = Keyset {
        side,
        begins_at_cursor: true,
        beyond: Some(Condition::Or(vec![equal("title", "x"), equal("id", "5")])),
        order: away,
        size: Some(2),
        signature: String::new(),
        query: String::new(),
    };
    Read { keyset: Some(Box::new(keyset)), count: Some(Count::Exact), ..read(node) }
}

#[test]
fn a_page_behind_a_cursor() {
    assert_snapshot!(both(page(Side::After)), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS c0, ("public"."films"."title")::text AS c1, ("public"."films"."id")::text AS c2 FROM "public"."films" WHERE "public"."films"."year" = $1 AND ("public"."films"."title" = $2 OR "public"."films"."id" = $3) ORDER BY "public"."films"."title" ASC NULLS LAST, "public"."films"."id" ASC NULLS LAST LIMIT $4), berth_total AS (SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $5)
    SELECT (SELECT count(*) FROM berth_total) AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body, json_build_object('first', (SELECT json_build_array(c1, c2) FROM berth_source LIMIT 1), 'last', (SELECT json_build_array(c1, c2) FROM berth_source LIMIT 1 OFFSET (SELECT greatest(least(count(*), $6::bigint) - 1, 0) FROM berth_source)), 'more', (SELECT count(*) > $7::bigint FROM berth_source))::text AS edges FROM (SELECT c0 AS "id" FROM berth_source LIMIT $8) AS berth_row  ['1972', 'x', '5', '3', '1972', '2', '2', '2']
    SELECT "films"."id" AS c0, "films"."title" AS c1, "films"."id" AS c2 FROM "films" WHERE "films"."year" = ?1 AND ("films"."title" = ?2 OR "films"."id" = ?3) ORDER BY "films"."title" ASC NULLS LAST, "films"."id" ASC NULLS LAST LIMIT ?4  ['1972', 'x', '5', 3]
    output: id integer
    count: SELECT count(*) FROM "films" WHERE "films"."year" = ?1  ['1972']
    page: After Some(2) of 2 keys
    "#);
}

#[test]
fn a_page_before_a_cursor() {
    assert_snapshot!(both(page(Side::Before)), @r#"
    WITH berth_source AS (SELECT "public"."films"."id" AS c0, ("public"."films"."title")::text AS c1, ("public"."films"."id")::text AS c2 FROM "public"."films" WHERE "public"."films"."year" = $1 AND ("public"."films"."title" = $2 OR "public"."films"."id" = $3) ORDER BY "public"."films"."title" DESC NULLS FIRST, "public"."films"."id" DESC NULLS FIRST LIMIT $4), berth_total AS (SELECT 1 FROM "public"."films" WHERE "public"."films"."year" = $5)
    SELECT (SELECT count(*) FROM berth_total) AS total, count(*) AS page, coalesce(json_agg(berth_row.*), '[]') AS body, json_build_object('last', (SELECT json_build_array(c1, c2) FROM berth_source LIMIT 1), 'first', (SELECT json_build_array(c1, c2) FROM berth_source LIMIT 1 OFFSET (SELECT greatest(least(count(*), $6::bigint) - 1, 0) FROM berth_source)), 'more', (SELECT count(*) > $7::bigint FROM berth_source))::text AS edges FROM (SELECT c0 AS "id" FROM (SELECT * FROM berth_source LIMIT $8) AS berth_page ORDER BY row_number() OVER () DESC) AS berth_row  ['1972', 'x', '5', '3', '1972', '2', '2', '2']
    SELECT berth_1.c0, berth_1.c1, berth_1.c2, count(*) OVER () FROM (SELECT "films"."id" AS c0, "films"."title" AS c1, "films"."id" AS c2 FROM "films" WHERE "films"."year" = ?1 AND ("films"."title" = ?2 OR "films"."id" = ?3) ORDER BY "films"."title" DESC NULLS FIRST, "films"."id" DESC NULLS FIRST LIMIT ?4) AS berth_1 ORDER BY row_number() OVER () DESC  ['1972', 'x', '5', 3]
    output: id integer
    count: SELECT count(*) FROM "films" WHERE "films"."year" = ?1  ['1972']
    page: Before Some(2) of 2 keys
    "#);
}
