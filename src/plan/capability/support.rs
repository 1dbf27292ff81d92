//! The table of `docs/dialect.md`: which operators SQLite has on values of which type. It is written from what planning
//! refuses.

use super::{check_comparison, check_containment, check_groups, check_is, check_order};
use crate::catalog::type_name::Origin;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Error;
use crate::plan::search::check_searched;
use crate::request::filter::{Comparison, Containment, IsValue};

const BEGIN: &str = "<!-- support: sqlite -->\n";
const END: &str = "<!-- end -->";
/// Types as they are declared.
const TYPES: [&str; 22] = [
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
    "boolean",
    "text",
    "character varying(10)",
    "date",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "integer[]",
    "text[]",
    "tsvector",
];

type Check = fn(&TypeName) -> Result<(), Error>;

/// What a column of the table asks, each of its operators alike.
const COLUMNS: [(&str, &[Check]); 8] = [
    (
        "`eq` `neq` `in` `isdistinct`",
        &[|of| check_comparison(Comparison::Equal, of), |of| check_comparison(Comparison::NotEqual, of)],
    ),
    (
        "`gt` `gte` `lt` `lte`",
        &[
            |of| check_comparison(Comparison::Greater, of),
            |of| check_comparison(Comparison::GreaterOrEqual, of),
            |of| check_comparison(Comparison::Less, of),
            |of| check_comparison(Comparison::LessOrEqual, of),
        ],
    ),
    (
        "`like` `ilike` `match` `imatch`",
        &[
            |of| check_comparison(Comparison::Like, of),
            |of| check_comparison(Comparison::ILike, of),
            |of| check_comparison(Comparison::Match, of),
            |of| check_comparison(Comparison::IMatch, of),
        ],
    ),
    ("`is.true` and its like", &[|of| check_is(IsValue::True, of), |of| check_is(IsValue::Unknown, of)]),
    (
        "`cs` `cd` `ov`",
        &[|of| check_containment(Containment::Contains, of), |of| check_containment(Containment::ContainedIn, of)],
    ),
    ("`fts` `plfts` `phfts` `wfts`", &[check_searched]),
    ("`order`", &[check_order]),
    ("grouped, `-distinct`", &[check_groups]),
];

/// What the table says of a type and an operator.
fn told(answer: &Result<(), Error>) -> &'static str {
    match answer {
        Ok(()) => "yes",
        Err(Error::NotImplemented(_)) => "Postgres only",
        // Postgres has no such operator either.
        Err(_) => "–",
    }
}

fn table() -> String {
    let heads: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut lines = vec![format!("| type | {} |", heads.join(" | ")), format!("|---|{}", "---|".repeat(heads.len()))];
    for declared in TYPES {
        let of = TypeName::parse(declared, Origin::Postgres);
        assert!(!matches!(of.kind, TypeKind::Any | TypeKind::Other), "{declared}");
        let cells = COLUMNS.iter().map(|(name, checks)| {
            let mut answers: Vec<&str> = checks.iter().map(|check| told(&check(&of))).collect();
            answers.dedup();
            assert_eq!(answers.len(), 1, "{declared}: {name} are not alike");
            answers[0]
        });
        lines.push(format!("| `{declared}` | {} |", cells.collect::<Vec<_>>().join(" | ")));
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_table_of_support_is_what_planning_allows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dialect.md");
    let page = std::fs::read_to_string(path).unwrap();
    let start = page.find(BEGIN).unwrap() + BEGIN.len();
    let end = start + page[start..].find(END).unwrap();
    let table = table();
    assert!(page[start..end] == table, "{path} must say:\n\n{table}");
}
