//! Filters.

use insta::assert_snapshot;
use rusqlite::types::Value as SqliteValue;

use super::*;
use crate::request::filter::{Containment, FullText, IsValue, Quantifier};
use crate::sql::condition::write_where;
use crate::sql::dialect::{Dialect, Scope};
use crate::sql::postgres::Postgres;
use crate::sql::sqlite::Sqlite;
use crate::sql::writer::Writer;

fn query<D: Dialect>(condition: &Condition) -> Query {
    let mut writer = Writer::new(D::PLACEHOLDER);
    write_where::<D>(&mut writer, Scope::Table(&films()), condition);
    writer.finish()
}

/// The condition on Postgres, then on SQLite, without the word `WHERE`.
fn both(condition: &Condition) -> String {
    let sqlite = query::<Sqlite>(condition);
    assert_prepares(&format!("SELECT 1 FROM films{}", sqlite.text), sqlite.values.len());
    let postgres = show(&query::<Postgres>(condition));
    format!("{}\n{}", postgres.trim_start_matches(" WHERE "), show(&sqlite).trim_start_matches(" WHERE "))
}

fn each(conditions: impl IntoIterator<Item = Condition>) -> String {
    let shown: Vec<String> = conditions.into_iter().map(|condition| both(&condition)).collect();
    shown.join("\n")
}

#[test]
fn comparisons() {
    let operators = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ];
    assert_snapshot!(each(operators.map(|operator| test("year", Test::Compare(operator, text("1972"))))), @r#"
    "public"."films"."year" = $1  ['1972']
    "films"."year" = ?1  ['1972']
    "public"."films"."year" <> $1  ['1972']
    "films"."year" <> ?1  ['1972']
    "public"."films"."year" > $1  ['1972']
    "films"."year" > ?1  ['1972']
    "public"."films"."year" >= $1  ['1972']
    "films"."year" >= ?1  ['1972']
    "public"."films"."year" < $1  ['1972']
    "films"."year" < ?1  ['1972']
    "public"."films"."year" <= $1  ['1972']
    "films"."year" <= ?1  ['1972']
    "#);
}

#[test]
fn patterns_are_functions_on_sqlite() {
    let operators = [Comparison::Like, Comparison::ILike, Comparison::Match, Comparison::IMatch];
    assert_snapshot!(each(operators.map(|operator| test("title", Test::Compare(operator, text("%a%"))))), @r#"
    "public"."films"."title" LIKE $1  ['%a%']
    berth_like(?1, "films"."title")  ['%a%']
    "public"."films"."title" ILIKE $1  ['%a%']
    berth_ilike(?1, "films"."title")  ['%a%']
    "public"."films"."title" ~ $1  ['%a%']
    berth_match(?1, "films"."title")  ['%a%']
    "public"."films"."title" ~* $1  ['%a%']
    berth_imatch(?1, "films"."title")  ['%a%']
    "#);
}

#[test]
fn quantified_comparisons_take_one_array_on_postgres() {
    let condition = |operator, quantifier| test("title", Test::Quantified(operator, quantifier, vec![text("{a%,b%}")]));
    assert_snapshot!(each([
        condition(Comparison::Like, Quantifier::Any),
        condition(Comparison::Equal, Quantifier::Any),
        condition(Comparison::Greater, Quantifier::All),
    ]), @r#"
    "public"."films"."title" LIKE ANY ($1)  ['{a%,b%}']
    (berth_like(?1, "films"."title"))  ['{a%,b%}']
    "public"."films"."title" = ANY ($1)  ['{a%,b%}']
    "films"."title" IN (?1)  ['{a%,b%}']
    "public"."films"."title" > ALL ($1)  ['{a%,b%}']
    ("films"."title" > ?1)  ['{a%,b%}']
    "#);
}

#[test]
fn quantified_comparisons_are_spelled_out_on_sqlite() {
    let condition = |operator, quantifier, values: &[&str]| {
        let query = query::<Sqlite>(&test("title", Test::Quantified(operator, quantifier, texts(values))));
        assert_prepares(&format!("SELECT 1 FROM films{}", query.text), query.values.len());
        show(&query)
    };
    assert_snapshot!([
        condition(Comparison::ILike, Quantifier::Any, &["a%", "b%"]),
        condition(Comparison::Greater, Quantifier::All, &["a", "b"]),
        condition(Comparison::Equal, Quantifier::Any, &["a", "b"]),
        condition(Comparison::Less, Quantifier::Any, &[]),
        condition(Comparison::Less, Quantifier::All, &[]),
    ].join("\n"), @r#"
    WHERE (berth_ilike(?1, "films"."title") OR berth_ilike(?2, "films"."title"))  ['a%', 'b%']
    WHERE ("films"."title" > ?1 AND "films"."title" > ?2)  ['a', 'b']
    WHERE "films"."title" IN (?1, ?2)  ['a', 'b']
    WHERE (FALSE)
    WHERE (TRUE)
    "#);
}

#[test]
fn a_list_is_one_array_on_postgres_and_values_on_sqlite() {
    assert_snapshot!(each([
        test("title", Test::In(texts(&["a,b", "say \"c\""]))),
        test("id", Test::In(vec![Value::Integer(1), Value::Null])),
        test("id", Test::In(Vec::new())),
        Condition::Not(Box::new(test("id", Test::In(Vec::new())))),
    ]), @r#"
    "public"."films"."title" = ANY ($1)  ['{"a,b","say \"c\""}']
    "films"."title" IN (?1, ?2)  ['a,b', 'say "c"']
    "public"."films"."id" = ANY ($1)  ['{1,NULL}']
    "films"."id" IN (?1, ?2)  [1, null]
    "public"."films"."id" = ANY ($1)  ['{}']
    FALSE
    NOT ("public"."films"."id" = ANY ($1))  ['{}']
    NOT (FALSE)
    "#);
}

#[test]
fn a_long_list_is_one_json_array_on_sqlite() {
    let long = (0..40_000).map(Value::Integer).collect();
    let query = query::<Sqlite>(&test("id", Test::In(long)));
    assert_eq!(query.text, r#" WHERE "films"."id" IN (SELECT value FROM json_each(?1))"#);
    let connection = database();
    connection.execute_batch("INSERT INTO films (id) VALUES (39999), (40000)").unwrap();
    let Some(Value::Text(array)) = query.values.first() else { panic!("one text was to be bound") };
    let ids: Vec<i64> = connection
        .prepare(&format!("SELECT id FROM films{}", query.text))
        .unwrap()
        .query_map([array], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(ids, [39_999]);
}

#[test]
fn a_long_list_of_bytes_is_bound_one_by_one() {
    let long = (0..101).map(|byte| Value::Blob(vec![byte])).collect();
    let query = query::<Sqlite>(&test("raw", Test::In(long)));
    assert_eq!(query.values.len(), 101);
    assert_prepares(&format!("SELECT 1 FROM films{}", query.text), 101);
}

#[test]
fn is_and_its_words() {
    let words = [IsValue::Null, IsValue::NotNull, IsValue::True, IsValue::False, IsValue::Unknown];
    assert_snapshot!(each(words.map(|word| test("kept", Test::Is(word)))), @r#"
    "public"."films"."kept" IS NULL
    "films"."kept" IS NULL
    "public"."films"."kept" IS NOT NULL
    "films"."kept" IS NOT NULL
    "public"."films"."kept" IS TRUE
    "films"."kept" IS TRUE
    "public"."films"."kept" IS FALSE
    "films"."kept" IS FALSE
    "public"."films"."kept" IS UNKNOWN
    "films"."kept" IS NULL
    "#);
}

#[test]
fn null_is_not_distinct_from_null() {
    assert_snapshot!(both(&test("year", Test::IsDistinctFrom(text("1972")))), @r#"
    "public"."films"."year" IS DISTINCT FROM $1  ['1972']
    "films"."year" IS DISTINCT FROM ?1  ['1972']
    "#);
}

#[test]
fn containment_is_unknown_on_sqlite_where_it_has_no_ranges() {
    let operators = [
        Containment::Contains,
        Containment::ContainedIn,
        Containment::Overlap,
        Containment::StrictlyLeft,
        Containment::StrictlyRight,
        Containment::NotExtendsRight,
        Containment::NotExtendsLeft,
        Containment::Adjacent,
    ];
    assert_snapshot!(each(operators.map(|operator| test("tags", Test::Contain(operator, text("{a}"))))), @r#"
    "public"."films"."tags" @> $1  ['{a}']
    berth_array_contains("films"."tags", ?1)  ['{a}']
    "public"."films"."tags" <@ $1  ['{a}']
    berth_array_contains(?1, "films"."tags")  ['{a}']
    "public"."films"."tags" && $1  ['{a}']
    berth_overlaps("films"."tags", ?1)  ['{a}']
    "public"."films"."tags" << $1  ['{a}']
    NULL
    "public"."films"."tags" >> $1  ['{a}']
    NULL
    "public"."films"."tags" &< $1  ['{a}']
    NULL
    "public"."films"."tags" &> $1  ['{a}']
    NULL
    "public"."films"."tags" -|- $1  ['{a}']
    NULL
    "#);
}

#[test]
fn full_text_makes_a_tsvector_of_what_is_none() {
    let search = |column, operator, language: Option<&str>| {
        test(column, Test::FullText { operator, language: language.map(str::to_owned), query: "cat".to_owned() })
    };
    let all = [
        search("title", FullText::Query, None),
        search("title", FullText::Plain, Some("french")),
        search("search", FullText::Phrase, Some("french")),
        search("search", FullText::WebSearch, None),
    ];
    let shown: Vec<String> = all.iter().map(|condition| show(&query::<Postgres>(condition))).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    WHERE to_tsvector("public"."films"."title") @@ to_tsquery($1)  ['cat']
    WHERE to_tsvector($1::regconfig, "public"."films"."title") @@ plainto_tsquery($2::regconfig, $3)  ['french', 'french', 'cat']
    WHERE "public"."films"."search" @@ phraseto_tsquery($1::regconfig, $2)  ['french', 'cat']
    WHERE "public"."films"."search" @@ websearch_to_tsquery($1)  ['cat']
    "#);
}

#[test]
fn paths_into_json() {
    let at = |column, path: &[(Arrow, &str)]| {
        let path = path.iter().map(|(arrow, operand)| step(*arrow, operand)).collect();
        test_at(column, path, Test::Compare(Comparison::Equal, text("x")))
    };
    assert_snapshot!(each([
        at("data", &[(Arrow::Text, "a")]),
        at("data", &[(Arrow::Json, "a"), (Arrow::Json, "-1"), (Arrow::Text, "it's")]),
        at("tags", &[(Arrow::Json, "0")]),
    ]), @r#"
    "public"."films"."data"->>$1 = $2  ['a', 'x']
    berth_json_text("films"."data", ?1) = ?2  ['a', 'x']
    "public"."films"."data"->$1->$2::int->>$3 = $4  ['a', '-1', 'it's', 'x']
    berth_json_text(berth_json(berth_json("films"."data", ?1), ?2), ?3) = ?4  ['a', -1, 'it's', 'x']
    to_jsonb("public"."films"."tags")->$1::int = $2  ['0', 'x']
    berth_key(berth_json("films"."tags", ?1), ?2) = berth_key(?3, ?4)  [0, 'jsonb', 'x', 'jsonb']
    "#);
}

#[test]
fn trees_keep_their_shape() {
    let (a, b, c) = (equal("id", "1"), equal("year", "2"), equal("title", "3"));
    assert_snapshot!(each([
        Condition::And(vec![a.clone(), Condition::Or(vec![b.clone(), c.clone()])]),
        Condition::Or(vec![Condition::And(vec![a.clone(), b.clone()]), c.clone()]),
        Condition::And(vec![Condition::And(vec![Condition::Or(vec![a.clone(), b.clone()])]), c]),
        Condition::Not(Box::new(Condition::Or(vec![a.clone(), b]))),
        Condition::And(vec![Condition::Not(Box::new(a)), Condition::Or(Vec::new())]),
        Condition::Not(Box::new(Condition::And(Vec::new()))),
    ]), @r#"
    "public"."films"."id" = $1 AND ("public"."films"."year" = $2 OR "public"."films"."title" = $3)  ['1', '2', '3']
    "films"."id" = ?1 AND ("films"."year" = ?2 OR "films"."title" = ?3)  ['1', '2', '3']
    ("public"."films"."id" = $1 AND "public"."films"."year" = $2) OR "public"."films"."title" = $3  ['1', '2', '3']
    ("films"."id" = ?1 AND "films"."year" = ?2) OR "films"."title" = ?3  ['1', '2', '3']
    (("public"."films"."id" = $1 OR "public"."films"."year" = $2)) AND "public"."films"."title" = $3  ['1', '2', '3']
    (("films"."id" = ?1 OR "films"."year" = ?2)) AND "films"."title" = ?3  ['1', '2', '3']
    NOT ("public"."films"."id" = $1 OR "public"."films"."year" = $2)  ['1', '2']
    NOT ("films"."id" = ?1 OR "films"."year" = ?2)  ['1', '2']
    NOT ("public"."films"."id" = $1) AND (FALSE)  ['1']
    NOT ("films"."id" = ?1) AND (FALSE)  ['1']
    NOT (TRUE)
    NOT (TRUE)
    "#);
}

#[test]
fn the_condition_that_always_holds_is_left_out() {
    assert_eq!(query::<Sqlite>(&Condition::And(Vec::new())).text, "");
    assert_eq!(query::<Sqlite>(&Condition::Or(Vec::new())).text, " WHERE FALSE");
}

#[test]
fn a_negated_test_of_null_is_no_match() {
    let connection = database();
    connection.execute_batch("INSERT INTO films (id, year) VALUES (1, NULL), (2, 5), (3, 6)").unwrap();
    let condition = Condition::Not(Box::new(test("year", Test::Compare(Comparison::Equal, Value::Integer(5)))));
    let query = query::<Sqlite>(&condition);
    let ids: Vec<i64> = connection
        .prepare(&format!("SELECT id FROM films{}", query.text))
        .unwrap()
        .query_map([SqliteValue::Integer(5)], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(ids, [3]);
}

#[test]
fn ten_thousand_alternatives_fit_into_sqlites_depth() {
    let many = (0..10_000).map(|id| equal("id", &id.to_string())).collect();
    let query = query::<Sqlite>(&Condition::Or(many));
    assert_prepares(&format!("SELECT 1 FROM films{}", query.text), 10_000);
}

#[test]
fn a_column_that_is_gone_is_an_error_not_a_string() {
    let query = query::<Sqlite>(&equal("gone", "gone"));
    let connection = database();
    let error = connection.prepare(&format!("SELECT 1 FROM films{}", query.text)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("no such column"), "{error}");
}
