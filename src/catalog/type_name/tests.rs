use super::{Held, Origin, TypeKind, TypeName};

fn numeric(precision: u32, scale: u32) -> TypeKind {
    TypeKind::Numeric { precision: Some(precision), scale: Some(scale), held: Held::Number }
}

fn text(max_length: Option<u32>) -> TypeKind {
    TypeKind::Text { max_length }
}

/// Declared, as `format_type` prints it, kind. Second column taken from Postgres 15.
fn postgres_names() -> Vec<(&'static str, &'static str, TypeKind)> {
    let array = |kind| TypeKind::Array(Box::new(kind));
    vec![
        ("int", "integer", TypeKind::Integer),
        ("INT4", "integer", TypeKind::Integer),
        ("serial", "integer", TypeKind::Integer),
        ("int8", "bigint", TypeKind::BigInt),
        ("bigserial", "bigint", TypeKind::BigInt),
        ("int2", "smallint", TypeKind::SmallInt),
        ("varchar(10)", "character varying(10)", text(Some(10))),
        ("character varying ( 10 )", "character varying(10)", text(Some(10))),
        ("varchar", "character varying", text(None)),
        ("char", "character(1)", text(Some(1))),
        ("char(5)", "character(5)", text(Some(5))),
        ("citext", "citext", text(None)),
        ("text", "text", text(None)),
        ("numeric", "numeric", TypeKind::NUMERIC),
        ("decimal(10, 2)", "numeric(10,2)", numeric(10, 2)),
        ("numeric(5)", "numeric(5,0)", numeric(5, 0)),
        ("real", "real", TypeKind::Real),
        ("float4", "real", TypeKind::Real),
        ("float(24)", "real", TypeKind::Real),
        ("float(25)", "double precision", TypeKind::Double),
        ("float", "double precision", TypeKind::Double),
        ("double  precision", "double precision", TypeKind::Double),
        ("bool", "boolean", TypeKind::Boolean),
        ("date", "date", TypeKind::Date),
        ("time", "time without time zone", TypeKind::Time),
        ("time(3)", "time(3) without time zone", TypeKind::Time),
        ("timetz", "time with time zone", TypeKind::TimeTz),
        ("timestamp", "timestamp without time zone", TypeKind::Timestamp),
        ("timestamp(3) with time zone", "timestamp(3) with time zone", TypeKind::TimestampTz),
        ("timestamptz(0)", "timestamp(0) with time zone", TypeKind::TimestampTz),
        ("interval", "interval", TypeKind::Interval),
        ("uuid", "uuid", TypeKind::Uuid),
        ("json", "json", TypeKind::Json),
        ("json text", "json", TypeKind::Json),
        ("jsonb text", "jsonb", TypeKind::Jsonb),
        ("bytea", "bytea", TypeKind::Bytea),
        ("int[]", "integer[]", array(TypeKind::Integer)),
        ("text[][]", "text[]", array(text(None))),
        ("text[3]", "text[]", array(text(None))),
        ("varchar(3) ARRAY", "character varying(3)[]", array(text(Some(3)))),
        ("timestamptz[]", "timestamp with time zone[]", array(TypeKind::TimestampTz)),
        ("mood", "mood", TypeKind::Other),
        ("mood text", "mood", TypeKind::Other),
        ("public.\"My Mood\"", "public.\"My Mood\"", TypeKind::Other),
        ("point", "point", TypeKind::Other),
    ]
}

#[test]
fn postgres_names_are_read_and_printed_as_format_type_does() {
    for (declared, printed, kind) in postgres_names() {
        let parsed = TypeName::parse(declared, Origin::Postgres);
        assert_eq!((parsed.declared.as_str(), &parsed.kind), (printed, &kind), "{declared}");
        assert_eq!(parsed.postgres_name(), printed, "{declared}");
    }
}

#[test]
fn sqlite_keeps_every_declaration_so_that_it_reads_back() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for (declared, _, _) in postgres_names() {
        let parsed = TypeName::parse(declared, Origin::Postgres);
        connection.execute_batch(&format!("create table t (a {} not null)", parsed.sqlite_declaration())).unwrap();
        let kept: String =
            connection.query_row("select type from pragma_table_info('t')", [], |row| row.get(0)).unwrap();
        let read_back = TypeName::parse(&kept, Origin::Postgres);
        // A `numeric` of many digits is text where a column holds it.
        let held = if parsed.kind.is_wide() { parsed.kind.as_decimal_text() } else { parsed.kind };
        assert_eq!(read_back, TypeName { declared: parsed.declared, kind: held }, "{kept}");
        connection.execute_batch("drop table t").unwrap();
    }
}

#[test]
fn text_that_looks_like_a_number_stays_text_where_the_suffix_is_written() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for declared in ["json", "jsonb", "mood", "text", "varchar(10)", "char(5)", "public.\"My Mood\""] {
        let declaration = TypeName::parse(declared, Origin::Postgres).sqlite_declaration();
        connection.execute_batch(&format!("create table t (a {declaration}); insert into t values ('1.10')")).unwrap();
        let kept: String = connection.query_row("select typeof(a) || a from t", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "text1.10", "{declaration}");
        connection.execute_batch("drop table t").unwrap();
    }
}

#[test]
fn names_of_other_sqlite_databases_are_read_by_meaning_then_affinity() {
    let cases = [
        ("", TypeKind::Any, "text"),
        ("INTEGER", TypeKind::BigInt, "bigint"),
        ("int", TypeKind::BigInt, "bigint"),
        ("TINYINT(1)", TypeKind::BigInt, "bigint"),
        ("UNSIGNED BIG INT", TypeKind::BigInt, "bigint"),
        ("NVARCHAR(160)", text(Some(160)), "character varying(160)"),
        ("VARCHAR", text(None), "character varying"),
        ("CHARACTER(20)", text(None), "text"),
        ("NCHAR(5)", text(None), "text"),
        ("CLOB", text(None), "text"),
        ("BLOB", TypeKind::Bytea, "bytea"),
        ("REAL", TypeKind::Double, "double precision"),
        ("FLOAT", TypeKind::Double, "double precision"),
        ("DOUBLE", TypeKind::Double, "double precision"),
        ("NUMERIC(10,2)", numeric(10, 2), "numeric(10,2)"),
        ("DECIMAL", TypeKind::NUMERIC, "numeric"),
        ("BOOLEAN", TypeKind::Boolean, "boolean"),
        ("DATE", TypeKind::Date, "date"),
        ("DATETIME", TypeKind::Timestamp, "timestamp without time zone"),
        ("TIMESTAMP", TypeKind::Timestamp, "timestamp without time zone"),
        ("JSON", TypeKind::Json, "json"),
        ("UUID", TypeKind::Uuid, "uuid"),
        ("MONEY", TypeKind::Any, "text"),
    ];
    for (declared, kind, postgres_name) in cases {
        let parsed = TypeName::parse(declared, Origin::Sqlite);
        assert_eq!((parsed.declared.as_str(), &parsed.kind), (declared, &kind));
        assert_eq!(parsed.postgres_name(), postgres_name, "{declared}");
    }
}

#[test]
fn the_precision_of_a_time_is_read_from_its_name() {
    let digits = |declared| TypeName::parse(declared, Origin::Postgres).fraction_digits();
    assert_eq!(digits("timestamp(3) with time zone"), Some(3));
    assert_eq!(digits("timestamp"), None);
    assert_eq!(digits("numeric(10,2)"), None);
}

#[test]
fn only_a_postgres_char_is_filled_with_spaces() {
    assert!(TypeName::parse("char(5)", Origin::Postgres).is_blank_padded());
    assert!(!TypeName::parse("varchar(5)", Origin::Postgres).is_blank_padded());
    assert!(!TypeName::parse("character(5)", Origin::Sqlite).is_blank_padded());
}
