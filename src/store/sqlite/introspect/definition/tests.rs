use super::*;
use crate::catalog::{Column, Generated, Kind, QualifiedName, TypeKind, TypeName};

fn table(name: &str, columns: &[&str]) -> Table {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        type_name: TypeName { declared: String::new(), kind: TypeKind::Any },
        nullable: true,
        default: None,
        generated: Generated::No,
        enum_values: Vec::new(),
        comment: None,
    };
    Table {
        name: QualifiedName::new("public", name),
        kind: Kind::Table,
        comment: None,
        columns: columns.iter().map(column).collect(),
        primary_key: Vec::new(),
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        insertable: true,
        updatable: true,
        deletable: true,
    }
}

fn name(sql: &str, kind: ConstraintKind, columns: &[&str]) -> Option<String> {
    let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    constraint_name(sql, kind, &columns)
}

const TABLE: &str = r#"CREATE TABLE "t" (
    a INTEGER CONSTRAINT t_key PRIMARY KEY, -- CONSTRAINT commented UNIQUE
    b TEXT NOT NULL CONSTRAINT "b, once" UNIQUE DEFAULT 'CONSTRAINT quoted CHECK (x)' COLLATE nocase,
    [c] int CONSTRAINT unused NOT NULL REFERENCES other (x) ON DELETE SET NULL,
    d CONSTRAINT d_ref REFERENCES other(y) /* UNIQUE (a, d) */,
    UNIQUE (b, "c"),
    CONSTRAINT pair UNIQUE (`C` COLLATE nocase DESC, d),
    CONSTRAINT both_ref FOREIGN KEY (c, d) REFERENCES other (x, y),
    FOREIGN KEY (a) REFERENCES third
)"#;

#[test]
fn keys_have_the_names_they_were_given() {
    assert_eq!(name(TABLE, ConstraintKind::PrimaryKey, &["a"]).as_deref(), Some("t_key"));
    assert_eq!(name(TABLE, ConstraintKind::Unique, &["b"]).as_deref(), Some("b, once"));
    assert_eq!(name(TABLE, ConstraintKind::Unique, &["b", "c"]), None);
    assert_eq!(name(TABLE, ConstraintKind::Unique, &["c", "d"]).as_deref(), Some("pair"));
    assert_eq!(name(TABLE, ConstraintKind::ForeignKey, &["d"]).as_deref(), Some("d_ref"));
    assert_eq!(name(TABLE, ConstraintKind::ForeignKey, &["c", "d"]).as_deref(), Some("both_ref"));
}

#[test]
fn a_name_belongs_only_to_the_constraint_behind_it() {
    assert_eq!(name(TABLE, ConstraintKind::ForeignKey, &["c"]), None);
    assert_eq!(name(TABLE, ConstraintKind::ForeignKey, &["a"]), None);
    assert_eq!(name(TABLE, ConstraintKind::Unique, &["a"]), None);
}

#[test]
fn checks_are_called_as_postgres_calls_them() {
    let sql = "CREATE TABLE t (a CHECK ( a > 0 ) CHECK (a < 9), b CHECK (b > a), c CONSTRAINT small CHECK (c < 10), \
               d CHECK (\"d\" IN ('(', ')')), CHECK (true))";
    let checks = checks(sql, &table("t", &["a", "b", "c", "d"]));
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["t_a_check", "t_a_check1", "t_check", "small", "t_d_check", "t_check1"]);

    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    for (values, wanted) in [
        ("0, 1, 1, '('", "t_a_check"),
        ("9, 10, 1, '('", "t_a_check1"),
        ("2, 1, 1, '('", "t_check"),
        ("1, 2, 11, '('", "small"),
        ("1, 2, 1, 'x'", "t_d_check"),
    ] {
        let error = connection.execute_batch(&format!("INSERT INTO t VALUES ({values})")).unwrap_err().to_string();
        let failed = error.strip_prefix("CHECK constraint failed: ").unwrap().to_owned();
        let found: Vec<&str> =
            checks.iter().filter(|check| check.is_named_by(&failed)).map(|check| check.name.as_str()).collect();
        assert_eq!(found, [wanted], "{failed}");
    }
}

#[test]
fn an_instead_of_trigger_tells_its_event() {
    let event = |sql: &str| instead_of(sql);
    assert_eq!(event("CREATE TRIGGER x INSTEAD OF INSERT ON v BEGIN SELECT 1; END").unwrap(), Verb::Insert);
    assert_eq!(event("create trigger \"instead of delete\" instead of update of a on v").unwrap(), Verb::Update);
    assert_eq!(event("CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 'INSTEAD OF DELETE'; END"), None);
}

#[test]
fn text_that_ends_early_is_read_as_far_as_it_goes() {
    for sql in [
        "",
        "CREATE TABLE t",
        "CREATE TABLE t (",
        "CREATE TABLE t (a CHECK (",
        "(a CHECK",
        "(\"a",
        "('",
        "/*",
        "(a CONSTRAINT",
    ] {
        assert!(constraints(sql).iter().all(|constraint| constraint.name.is_none()), "{sql}");
    }
}
