//! What SQL of views, checks, generated columns and indexes computes, on both stores. Letters beyond ASCII have no case
//! here: the servers of the tests have the locale `C`.

use std::fmt::Write as _;

use super::requests::Case;
use super::{Pair, assert_equal};
use crate::support::command::done;
use crate::support::deployment::Deployment;

/// The expressions, one view for each.
fn expressions() -> Vec<&'static str> {
    let lines = include_str!("expressions.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn schema() -> String {
    let mut schema = include_str!("expressions.sql").to_owned();
    for (number, expression) in expressions().into_iter().enumerate() {
        let quoted = expression.replace('\'', "''");
        writeln!(schema, "CREATE VIEW e{number} AS SELECT id, '{quoted}' AS of, {expression} AS given FROM t;")
            .unwrap();
    }
    schema
}

#[test]
fn expressions_of_views_give_the_same_on_both_stores() {
    let Some(pair) = Pair::start("expressions", &schema()) else { return };
    let cases: Vec<Case> = (0..expressions().len()).map(|number| Case::get(format!("/e{number}?order=id"))).collect();
    assert_equal("expressions", &pair, &cases);
}

#[test]
fn checks_generated_columns_and_indexes_hold_the_same_on_both_stores() {
    let Some(pair) = Pair::start("constraints", include_str!("expressions.sql")) else { return };
    let bodies = [
        r#"{"email": "Ann@Example.com"}"#,
        r#"{"email": "ann@example.COM"}"#,
        r#"{"email": "nonsense"}"#,
        r#"{"email": "b@x.org", "labels": ["a", "b", "c"]}"#,
        r#"{"email": "c@x.org", "labels": ["bad"]}"#,
        r#"{"email": "d@x.org", "labels": ["good"]}"#,
        r#"{"email": "e@x.org", "facts": {"secret": 1}}"#,
        r#"{"email": "f@x.org", "facts": {"grown": true}}"#,
        r#"{"email": "g@x.org", "facts": {"grown": false}}"#,
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (number, body) in bodies.iter().enumerate() {
        let body = body.replacen('{', &format!("{{\"id\": {number}, "), 1);
        cases.push(
            Case::write("POST", "/people?select=id,email,host,labels,facts", body).prefer("return=representation"),
        );
    }
    cases.push(Case::write("PATCH", "/people?id=eq.0", r#"{"email": "x@y.zz"}"#).prefer("return=representation"));
    cases.push(Case::get("/people?order=id"));
    assert_equal("constraints", &pair, &cases);
}

#[test]
fn a_file_whose_constraints_call_berths_functions_can_be_checked_and_moved() {
    let deployment = Deployment::shared_log(include_str!("expressions.sql"));
    let berth = deployment.instance().run();
    assert_eq!(berth.client().post("/people", r#"{"email": "ann@example.org"}"#).status, 201);
    drop(berth);
    let folder = deployment.folder();
    let volume = folder.join("volume");
    let env = [("VOLUME", volume.to_str().unwrap())];
    let log = [env[0], ("VOLUME_MODE", "shared-log")];
    // SQLite's integrity check, which evaluates checks and indexes, passes over all of these.
    done(folder, &log, &["snapshot"]);
    let file = folder.join("restored.db");
    done(folder, &log, &["restore", "--output", file.to_str().unwrap()]);
    done(folder, &[("DATABASE_NAME", "other"), env[0], log[1]], &["import", file.to_str().unwrap()]);
    let berth = deployment.instance().with("DATABASE_NAME", "other").run();
    assert_eq!(berth.client().get("/people?select=host").body, r#"[{"host":"example.org"}]"#);
}
