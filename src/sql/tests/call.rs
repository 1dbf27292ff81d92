//! Calls of functions on SQLite; those on Postgres are asked of a server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::catalog::{Bearer, Body, Change, Step, Template, Tuning, Verb};
use crate::plan::call::{Arguments, Call, Outcome};
use crate::plan::{Expectation, Read};
use crate::request::prefer::Count;

const PLACE: &str = "\u{FDD0}p0\u{FDD1}";

fn body(steps: &[(Option<Verb>, &str)], strict: bool) -> Arc<Body> {
    let change = |verb: Verb| Change {
        verb,
        table: QualifiedName::new("public", "films"),
        bearer: Bearer::Caller,
        reads: true,
        merges: false,
    };
    let step = |(verb, sql): &(Option<Verb>, &str)| Step {
        change: verb.map(change),
        sql: Template::cut(&sql.replace("$1", PLACE)),
    };
    Arc::new(Body {
        steps: steps.iter().map(step).collect(),
        defaults: vec![Some("'x' || 'y'".to_owned())],
        strict,
        uses: Vec::new(),
        calls: BTreeMap::new(),
    })
}

fn call(result: Outcome, argument: Option<Value>, body: Arc<Body>) -> Call {
    let filter = equal("title", "M");
    Call {
        function: QualifiedName::new("public", "f"),
        arguments: Arguments::Values(vec![argument]),
        result,
        read: Read {
            node: ReadNode { filter, ..node(vec![projection("title")]) },
            count: Some(Count::Exact),
            max_rows: None,
            distinct: Distinct::No,
            keyset: None,
            headers_only: false,
            by_key: false,
            streamed: false,
            expect: Expectation::default(),
        },
        columns: vec!["id".to_owned(), "title".to_owned()],
        computed: Vec::new(),
        read_only: false,
        tuning: Tuning::default(),
        body: Some(body),
        grantees: BTreeSet::new(),
    }
}

fn shown_call(call: Call) -> String {
    shown(Action::Call(Box::new(call)), Engine::Sqlite)
}

#[test]
fn a_query_is_read_where_it_stands_and_what_writes_is_kept() {
    let reads = body(&[(None, "SELECT id, title FROM films WHERE year > $1")], false);
    insta::assert_snapshot!(shown_call(call(Outcome::Rows, Some(Value::Integer(1930)), reads)), @r#"
    arguments: [1930]
    read: WITH berth_source("id", "title") AS (SELECT id, title FROM films WHERE year > ?1) SELECT berth_source."title" FROM berth_source WHERE berth_source."title" = ?2  ['M']
    count: WITH berth_source("id", "title") AS (SELECT id, title FROM films WHERE year > ?1) SELECT count(*) FROM berth_source WHERE berth_source."title" = ?2  ['M']
    reads
    "#);
    let writes = body(
        &[
            (Some(Verb::Delete), "DELETE FROM films WHERE id = $1"),
            (Some(Verb::Insert), "INSERT INTO films (id) VALUES ($1) RETURNING id, title"),
        ],
        false,
    );
    insta::assert_snapshot!(shown_call(call(Outcome::Row, Some(Value::Integer(1)), writes)), @r#"
    arguments: [1]
    before: DELETE FROM films WHERE id = ?1
    kept one: INSERT INTO films (id) VALUES (?1) RETURNING id, title
    read: WITH berth_source("id", "title") AS (SELECT berth_given.* FROM (SELECT 1) LEFT JOIN (SELECT * FROM (SELECT berth_cell(value, 0), berth_cell(value, 1) FROM json_each(?2)) LIMIT 1) AS berth_given ON TRUE) SELECT berth_source."title" FROM berth_source WHERE berth_source."title" = ?3  ['M']
    count: WITH berth_source("id", "title") AS (SELECT berth_given.* FROM (SELECT 1) LEFT JOIN (SELECT * FROM (SELECT berth_cell(value, 0), berth_cell(value, 1) FROM json_each(?2)) LIMIT 1) AS berth_given ON TRUE) SELECT count(*) FROM berth_source WHERE berth_source."title" = ?3  ['M']
    writes
    "#);
}

#[test]
fn a_default_is_an_expression_and_null_runs_nothing_when_the_function_is_strict() {
    let plain = body(&[(None, "SELECT $1")], false);
    insta::assert_snapshot!(shown_call(call(Outcome::Value, None, plain)), @r#"
    arguments: 'x' || 'y'
    read: WITH berth_source("pgrst_scalar") AS (SELECT (SELECT ?1)) SELECT berth_source."title" FROM berth_source WHERE berth_source."title" = ?2  ['M']
    count: WITH berth_source("pgrst_scalar") AS (SELECT (SELECT ?1)) SELECT count(*) FROM berth_source WHERE berth_source."title" = ?2  ['M']
    reads
    "#);
    let strict = body(&[(None, "SELECT $1")], true);
    insta::assert_snapshot!(shown_call(call(Outcome::Rows, Some(Value::Null), strict)), @r#"
    arguments: [null]
    read: WITH berth_source("id", "title") AS (SELECT NULL, NULL WHERE FALSE) SELECT berth_source."title" FROM berth_source WHERE berth_source."title" = ?2  ['M']
    count: WITH berth_source("id", "title") AS (SELECT NULL, NULL WHERE FALSE) SELECT count(*) FROM berth_source WHERE berth_source."title" = ?2  ['M']
    reads
    "#);
}
