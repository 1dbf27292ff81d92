//! Writes to views.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::write::{column, delete, given, two_columns, update};
use super::*;
use crate::catalog::{Expression, UpdatableView, ViewColumn, ViewRights};
use crate::plan::through::{Level, Through};
use crate::plan::{Delete, Insert, Returning, Update};

fn named(name: &str) -> QualifiedName {
    QualifiedName::new("public", name)
}

fn expression(sql: &str, columns: &[&str]) -> Arc<Expression> {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Arc::new(Expression { sql: sql.to_owned(), columns, ..Expression::default() })
}

fn level(view: &str, shows: UpdatableView) -> Level {
    Level { view: named(view), shows: Arc::new(shows), hides: true, checks: true }
}

/// `recent`, which reads from `old` as `o`, which reads from `films`.
fn through() -> Option<Box<Through>> {
    let column = |name: &str| ViewColumn::Column(name.to_owned());
    let old = UpdatableView {
        of: named("films"),
        known_as: "films".to_owned(),
        columns: BTreeMap::from([
            ("no".to_owned(), column("id")),
            ("loud".to_owned(), ViewColumn::Expression(expression("upper(title)", &["title"]))),
        ]),
        condition: Some(expression("year < 1950", &["year"])),
        rights: ViewRights::Owner,
        check: None,
    };
    let recent = UpdatableView {
        of: named("old"),
        known_as: "o".to_owned(),
        columns: BTreeMap::from([
            ("id".to_owned(), column("no")),
            ("title".to_owned(), ViewColumn::Expression(expression("o.loud || '!'", &["loud"]))),
        ]),
        condition: Some(expression("loud <> 'X'", &["loud"])),
        ..old.clone()
    };
    let levels = vec![level("recent", recent), level("old", old)];
    Some(Box::new(Through { levels, table: named("films"), written: Vec::new(), key: Vec::new() }))
}

fn sqlite(action: Action) -> String {
    shown(action, Engine::Sqlite)
}

#[test]
fn only_rows_that_the_views_show_are_changed_and_they_must_stay_shown() {
    let update = Update { through: through(), ..update(vec![column("year", None)], vec![given("1")]) };
    let text = sqlite(Action::Update(update));
    let upper = r#"(SELECT (upper(title)
) FROM (SELECT "films"."title" AS "title") AS "films")"#;
    let shown_by_recent = format!(
        r#"(SELECT (loud <> 'X'
) FROM (SELECT {upper} AS "loud") AS "o")"#
    );
    let filtered = format!(
        r#" WHERE {shown_by_recent} AND (year < 1950
) AND ("films"."id" = ?2) RETURNING CASE WHEN "#
    );
    assert!(text.starts_with(r#"UPDATE "films" SET "year" = ?1 WHERE "#) && text.contains(&filtered), "{text}");
    assert!(
        text.contains(&format!("WHEN {shown_by_recent} IS NOT TRUE THEN berth_refuse_unshown(?4) ELSE 1 END")),
        "{text}"
    );
}

#[test]
fn a_new_row_is_checked_when_it_has_been_written_by_the_views_behind_first() {
    let text = sqlite(Action::Insert(Insert { through: through(), ..two_columns() }));
    assert!(text.starts_with(r#"INSERT INTO "films" ("id", "title") VALUES (?1, ?2) RETURNING CASE"#), "{text}");
    assert!(text.find("year < 1950").unwrap() < text.find("loud <> 'X'").unwrap(), "{text}");
}

#[test]
fn rows_that_are_removed_through_a_view_are_read_before() {
    let node = node(vec![projection("id"), projection("title")]);
    let returning = Returning::Rows(Box::new(node));
    let text = sqlite(Action::Delete(Delete { through: through(), returning, ..delete() }));
    assert!(text.starts_with(r#"before: SELECT "films"."id", (SELECT (o.loud || '!'"#), "{text}");
    assert!(text.contains(r#" FROM main."films" WHERE "#) && text.contains(r#"DELETE FROM "films" WHERE "#), "{text}");
    assert!(!text.contains("RETURNING"), "{text}");
    let text = sqlite(Action::Delete(Delete { through: through(), ..delete() }));
    assert!(text.starts_with(r#"DELETE FROM "films" WHERE "#), "{text}");
}
