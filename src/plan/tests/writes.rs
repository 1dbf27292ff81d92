//! Writes: columns, rows, keys, what is given back and expected.

use super::*;
use crate::catalog::{Obstacle, Verb, ViewWrites};
use crate::request::prefer::{Handling, Missing, Resolution};

fn insert(plan: Result<Plan, Error>) -> Insert {
    match plan.expect("the request can be planned").action {
        Action::Insert(insert) => insert,
        other => panic!("expected an insert, got {other:?}"),
    }
}

fn update(plan: Result<Plan, Error>) -> Update {
    match plan.expect("the request can be planned").action {
        Action::Update(update) => update,
        other => panic!("expected an update, got {other:?}"),
    }
}

fn post(relation: &str, json: &str) -> Request {
    Request { payload: body(json), ..request(Method::Post, relation) }
}

fn prefer(request: Request, preferences: Preferences) -> Request {
    Request { preferences, ..request }
}

fn names(columns: &[InsertColumn]) -> Vec<&str> {
    columns.iter().map(|column| column.name.as_str()).collect()
}

fn cell(value: Value) -> Cell {
    Cell::Value(value)
}

#[test]
fn rows_are_typed_on_sqlite_and_go_as_an_array_to_postgres() {
    let one = r#"{"year": 2001, "title": "Amélie"}"#;
    let planned = insert(sqlite(post("films", one)));
    assert_eq!(names(&planned.columns), ["title", "year"]);
    let row = vec![cell(Value::Text("Amélie".to_owned())), cell(Value::Integer(2001))];
    assert_eq!(planned.rows, InsertRows::Cells(vec![row]));
    assert_eq!(insert(postgres(post("films", one))).rows, InsertRows::Json(format!("[{one}]")));
    let many = format!("[{one},{one}]");
    assert_eq!(insert(postgres(post("films", &many))).rows, InsertRows::Json(many));
}

#[test]
fn a_body_without_keys_is_so_many_rows_of_defaults() {
    for (json, rows) in [("[]", 0), ("{}", 1), ("[{},{}]", 2)] {
        let planned = insert(sqlite(post("films", json)));
        assert_eq!(planned.columns, []);
        assert_eq!(planned.rows, InsertRows::Cells(vec![Vec::new(); rows]));
    }
    assert_eq!(insert(postgres(post("films", "{}"))).rows, InsertRows::Json("[{}]".to_owned()));
}

#[test]
fn a_missing_key_is_null_or_the_default() {
    let wanted = || Request {
        payload: body_with_columns(r#"[{"title":"a"},{"year":null,"ignored":1}]"#, &["id", "title", "year"]),
        ..request(Method::Post, "films")
    };
    let null = || cell(Value::Null);
    let title = || cell(Value::Text("a".to_owned()));
    let plain = insert(sqlite(wanted()));
    assert_eq!(plain.rows, InsertRows::Cells(vec![vec![null(), title(), null()], vec![null(), null(), null()]]));
    assert!(plain.columns.iter().all(|column| column.default.is_none()));

    let missing = Preferences { missing: Some(Missing::Default), ..Preferences::default() };
    let defaulted = insert(sqlite(prefer(wanted(), missing)));
    let rows = vec![vec![Cell::Default, title(), Cell::Default], vec![Cell::Default, null(), null()]];
    assert_eq!(defaulted.rows, InsertRows::Cells(rows));
    assert_eq!(defaulted.columns.last().and_then(|column| column.default.as_deref()), Some("1999"));
}

#[test]
fn a_key_that_is_no_column_is_refused_on_both_engines() {
    let expected = Error::ColumnNotFound { table: "films".to_owned(), column: "nope".to_owned() };
    for engine in [Engine::Sqlite, Engine::Postgres] {
        assert_eq!(make(post("films", r#"{"nope":1}"#), engine), Err(expected.clone()));
        let patch = Request { method: Method::Patch, ..post("films", r#"{"nope":1}"#) };
        assert_eq!(make(patch, engine), Err(expected.clone()));
    }
}

#[test]
fn generated_columns_take_no_value_on_sqlite() {
    for (method, json, message) in [
        (Method::Post, r#"{"id":1}"#, "cannot insert a non-DEFAULT value into column \"id\""),
        (Method::Post, r#"{"double":1}"#, "cannot insert a non-DEFAULT value into column \"double\""),
        (Method::Patch, r#"{"id":1}"#, "column \"id\" can only be updated to DEFAULT"),
    ] {
        let wanted = Request { method, ..post("counters", json) };
        assert_eq!(server_words(sqlite(wanted.clone())), ("428C9", message.to_owned()));
        assert!(postgres(wanted).is_ok(), "the server says so itself");
    }
    assert!(sqlite(post("films", r#"{"id":1}"#)).is_ok(), "by default is not always");
}

#[test]
fn a_view_that_takes_no_writes_says_so_on_sqlite() {
    for (method, message) in [
        (Method::Post, "cannot insert into view \"films_view\""),
        (Method::Patch, "cannot update view \"films_view\""),
        (Method::Delete, "cannot delete from view \"films_view\""),
    ] {
        let wanted = Request { method, ..post("films_view", r#"{"title":"a"}"#) };
        assert_eq!(server_words(sqlite(wanted)), ("55000", message.to_owned()));
    }
}

fn upsert(relation: &str, json: &str, on_conflict: Option<&[&str]>) -> Request {
    let preferences = Preferences { resolution: Some(Resolution::MergeDuplicates), ..Preferences::default() };
    let on_conflict = on_conflict.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    Request { on_conflict, preferences, ..post(relation, json) }
}

#[test]
fn an_upsert_is_by_the_named_key_or_else_by_the_primary_key() {
    let conflict = |request| insert(sqlite(request)).conflict.expect("a conflict");
    assert_eq!(conflict(upsert("films", r#"{"id":1}"#, None)).columns, ["id"]);
    let named = conflict(upsert("films", r#"{"id":1}"#, Some(&["year", "title"])));
    assert_eq!(named.columns, ["year", "title"]);
    assert_eq!(named.resolution, Resolution::MergeDuplicates);
    let nothing_to_merge = conflict(upsert("films", "{}", None));
    assert_eq!(nothing_to_merge.resolution, Resolution::IgnoreDuplicates);
    assert_eq!(insert(sqlite(post("films", r#"{"id":1}"#))).conflict, None);
}

#[test]
fn an_upsert_without_a_key_is_an_insert() {
    let plan = postgres(upsert("films_view", r#"{"title":"a"}"#, None)).expect("planned");
    assert_eq!(plan.preferences.resolution, None);
    assert_eq!(insert(Ok(plan)).conflict, None);
}

#[test]
fn an_upsert_by_columns_that_are_no_key_is_refused_on_sqlite() {
    let unknown = upsert("films", r#"{"id":1}"#, Some(&["nope"]));
    assert_eq!(server_words(sqlite(unknown)), ("42703", "column \"nope\" does not exist".to_owned()));
    let no_key = upsert("films", r#"{"id":1}"#, Some(&["year"]));
    assert_eq!(server_words(sqlite(no_key)).0, "42P10");
}

#[test]
fn a_view_has_no_key_that_an_upsert_could_go_by_on_sqlite() {
    let mut catalog = catalog();
    let name = QualifiedName::new("public", "films_view");
    let view = catalog.tables.get_mut(&name).expect("the view");
    (view.insertable, view.updatable, view.primary_key) = (true, true, vec!["title".to_owned()]);
    let instead = [Verb::Insert, Verb::Update].into();
    catalog.view_writes.insert(name, ViewWrites { instead, shows: Err(Obstacle::Distinct) });
    let json = r#"{"title":"a"}"#;
    let put = Request { method: Method::Put, filters: vec![at_top(equal("title", "a"))], ..post("films_view", json) };
    for wanted in [put, upsert("films_view", json, None)] {
        assert_eq!(server_words(Plan::make(wanted, "anon", &catalog, &settings(Engine::Sqlite))).0, "42P10");
    }
    assert!(Plan::make(post("films_view", json), "anon", &catalog, &settings(Engine::Sqlite)).is_ok());
}

fn put(filters: Vec<Filter>, json: &str) -> Request {
    let filters = filters.into_iter().map(at_top).collect();
    Request { filters, method: Method::Put, ..post("ratings", json) }
}

#[test]
fn a_put_names_its_whole_key_and_nothing_else() {
    let json = r#"{"film":1,"person":"ann","stars":5}"#;
    let whole = || vec![equal("film", "1"), equal("person", "ann")];
    let like = filter("person", compare(Comparison::Like, "ann"));
    let negated = Filter { negated: true, ..equal("person", "ann") };
    for filters in [
        vec![],
        vec![equal("film", "1")],
        vec![equal("film", "1"), like],
        vec![equal("film", "1"), negated],
        [whole(), vec![equal("stars", "5")]].concat(),
        [whole(), vec![equal("film", "2")]].concat(),
    ] {
        assert_eq!(sqlite(put(filters.clone(), json)), Err(Error::PutFilters), "{filters:?}");
        assert_eq!(postgres(put(filters, json)), Err(Error::PutFilters));
    }
    let planned = insert(sqlite(put(whole(), json)));
    assert!(planned.expect.put);
    assert_eq!(planned.conflict.map(|conflict| conflict.columns), Some(vec!["film".to_owned(), "person".to_owned()]));
    let values: Vec<Value> = planned.put.expect("a key").key.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [Value::Integer(1), Value::Text("ann".to_owned())]);
}

#[test]
fn a_put_whose_body_has_another_key_is_refused() {
    let whole = || vec![equal("film", "1"), equal("person", "ann")];
    for json in [r#"{"film":2,"person":"ann"}"#, "[]", r#"[{"film":1,"person":"ann"},{"film":1,"person":"ann"}]"#] {
        assert_eq!(sqlite(put(whole(), json)), Err(Error::PutMismatch), "{json}");
    }
    for engine in [Engine::Sqlite, Engine::Postgres] {
        assert_eq!(make(put(whole(), r#"{"film":1}"#), engine), Err(Error::PutMismatch));
    }
    let one_of_two = r#"[{"film":2,"person":"ann"},{"film":1,"person":"ann"}]"#;
    let InsertRows::Cells(rows) = insert(sqlite(put(whole(), one_of_two))).rows else { panic!("expected cells") };
    assert_eq!(rows, [[cell(Value::Integer(1)), cell(Value::Text("ann".to_owned()))]]);
}

#[test]
fn a_patch_takes_the_first_of_several_and_does_nothing_without_keys() {
    let patch =
        |json: &str| Request { filters: vec![at_top(equal("id", "1"))], method: Method::Patch, ..post("films", json) };
    let two = r#"[{"year":1.50},{"year":2}]"#;
    assert_eq!(update(postgres(patch(two))).row, InsertRows::Json(r#"[{"year":1.50}]"#.to_owned()));
    let first = update(sqlite(patch(r#"[{"year":1},{"year":2}]"#)));
    assert_eq!(first.row, InsertRows::Cells(vec![vec![cell(Value::Integer(1))]]));
    assert!(matches!(first.filter, Condition::And(tests) if tests.len() == 1));
    for json in ["{}", "[]", "[{}]"] {
        assert_eq!(update(sqlite(patch(json))).columns, []);
    }
    let no_rows = Request { payload: body_with_columns("[]", &["year"]), ..patch("{}") };
    assert_eq!(update(sqlite(no_rows)).columns, []);
}

#[test]
fn what_is_given_back_follows_the_preference() {
    let returning = |method, representation| {
        let filters = vec![at_top(equal("id", "1"))];
        let wanted = Request { method, filters, ..post("films", r#"{"id":1}"#) };
        let preferences = Preferences { representation, ..Preferences::default() };
        match sqlite(prefer(wanted, preferences)).expect("planned").action {
            Action::Insert(insert) => insert.returning,
            Action::Update(update) => update.returning,
            Action::Delete(delete) => delete.returning,
            other => panic!("expected a write, got {other:?}"),
        }
    };
    let location = Returning::Location(vec!["id".to_owned()]);
    for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
        assert_eq!(returning(method, None), Returning::Nothing);
        assert_eq!(returning(method, Some(Representation::Minimal)), Returning::Nothing);
        let headers = returning(method, Some(Representation::HeadersOnly));
        assert_eq!(headers, if method == Method::Post { location.clone() } else { Returning::Nothing });
        let full = returning(method, Some(Representation::Full));
        assert!(matches!(full, Returning::Rows(node) if node.select.len() == 8));
    }
}

#[test]
fn only_a_strict_request_limits_the_rows_it_touches() {
    let expect = |handling| {
        let preferences = Preferences { handling, max_affected: Some(3), ..Preferences::default() };
        let plan = sqlite(prefer(request(Method::Delete, "films"), preferences)).expect("planned");
        let applied = plan.preferences.max_affected;
        match plan.action {
            Action::Delete(delete) => (applied, delete.expect.max_affected),
            other => panic!("expected a delete, got {other:?}"),
        }
    };
    assert_eq!(expect(Some(Handling::Strict)), (Some(3), Some(3)));
    assert_eq!(expect(Some(Handling::Lenient)), (None, None));
    assert_eq!(expect(None), (None, None));
}
