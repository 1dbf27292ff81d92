//! What SQL computes of numbers, on both stores: each type in its range, decimals with all their digits, no division by
//! zero.

use super::requests::Case;
use super::{Pair, assert_equal};

/// Views with a row for each of `nums`.
const VIEWS: &[&str] = &[
    "whole_sum",
    "whole_difference",
    "whole_product",
    "whole_quotient",
    "whole_rest",
    "wide_sum",
    "wide_difference",
    "wide_product",
    "wide_quotient",
    "wide_rest",
    "small_sum",
    "whole_sign",
    "whole_size",
    "narrowed",
    "nonzero",
    "in_condition",
    "between_integers",
    "powers",
    "exact_sum",
    "exact_product",
    "exact_quotient",
    "exact_rest",
    "exact_sign",
    "float_quotient",
    "float_overflow",
    "rounded",
    "floats_rounded",
    "whole_parts",
    "compared",
    "joined",
    "in_query",
    "united",
    "nested",
    "nested_again",
    "named",
    "cases",
    "printed",
    "casts",
    "documents",
    "only_one",
    "several",
    "several_named",
    "wide_whole_parts",
];

const READS: &[&str] = &[
    "/gathered",
    "/gathered_wide",
    "/gathered_once",
    "/groups?order=x",
    "/groups?x=gt.5&order=x.desc",
    "/chosen_groups?order=j",
    "/parts",
    "/constants",
    "/constants?n=eq.1.5",
    "/constants?w=gt.12345678901234567890.1",
    "/constants?i=eq.x",
    "/constants?t=is.true",
    "/exact_product?x=gt.1&order=x.desc.nullslast,id",
    "/exact_product?x=eq.49&order=id",
    "/exact_product?x=in.(49.0,52.875)&order=id",
    "/exact_product?select=x.sum(),x.max(),y.avg()",
    "/exact_product?select=x::text,y::int&id=neq.2&order=id",
    "/exact_sign?b=lt.0&order=b,id",
    "/exact_sign?a=in.(-7,0.1)&order=a",
    "/united?order=x&x=gt.4",
    "/united_once?order=x,id",
    "/united_once?x=eq.2.5",
    "/nested?y=lt.0&order=id",
    "/nested?select=y,count()&order=y",
    "/cases?a=gt.0.5&order=id&select=id,a",
    "/cases?order=c,id&select=c",
    "/compared?e=is.true&order=id&select=id",
    "/nums?select=id,twice&order=twice,id",
    "/nums?select=id,twice&twice=gt.5&order=id",
    "/nums?select=twice&twice=eq.-0.2",
    "/rpc/added?x=2147483647&y=1",
    "/rpc/added?x=1&y=2",
    "/rpc/divided?x=7&y=2",
    "/rpc/divided?x=-7&y=2",
    "/rpc/divided?x=1&y=0",
    "/rpc/divided?x=-2147483648&y=-1",
    "/rpc/multiplied?x=9223372036854775807&y=2",
    "/rpc/multiplied?x=3&y=4",
    "/rpc/exact_multiplied?x=12345678901234567890.5&y=2",
    "/rpc/exact_multiplied?x=1.50&y=2.0",
    "/rpc/exact_multiplied?x=NaN&y=1",
    "/rpc/exact_multiplied?x=Infinity&y=-1",
    "/rpc/exact_added?x=0.1&y=0.2",
    "/rpc/exact_added?x=12345678901234567890.5&y=0.25",
    "/rpc/exact_divided?x=1&y=3",
    "/rpc/exact_divided?x=10&y=4",
    "/rpc/exact_divided?x=1&y=0",
    "/rpc/exact_divided?x=12345678901234567890&y=7",
    "/rpc/is_more_than_half?x=12345678901234567890&y=24691357802469135780.5",
    "/rpc/is_more_than_half?x=12345678901234567890&y=24691357802469135779.5",
    "/rpc/is_more_than_half?x=1&y=1.5",
    "/rpc/exact_rounded?x=2.345&y=2",
    "/rpc/exact_rounded?x=-2.5&y=0",
    "/rpc/exact_rounded?x=1234.5&y=-2",
    "/rpc/exact_rounded?x=1.5&y=3",
    "/rpc/given_back?x=12345678901234567890.50",
    "/rpc/given_back?x=1.50",
    "/rpc/given_back?x=-Infinity",
    "/rpc/given_back?x=1,5",
    "/rpc/whole_double?x=1.25",
    "/rpc/whole_double?x=99999999999",
    "/rpc/half?x=1.50",
    "/rpc/halves?x=3",
    "/rpc/as_text?x=12345678901234567890.10",
    "/rpc/several_values?x=5",
    "/rpc/several_values?x=9",
    "/rpc/several_values?x=1",
    "/rpc/from_n?x=12345678901234567889.123",
    "/rpc/from_n?x=6&select=id,n",
    "/rpc/row_of?x=2.50",
    "/rpc/doubles?lowest=-1&x=gt.3&order=x,id",
    "/rpc/large_doubles?lowest=1",
    "/doubled?order=x,id",
    "/doubled?x=gt.9&select=x",
    "/rpc/mean",
    "/rpc/total",
];

const WRITES: &[(&str, &str)] = &[
    ("/rpc/given_back", r#"{"x":12345678901234567890.50}"#),
    ("/rpc/given_back", r#"{"x":"1.50"}"#),
    ("/rpc/add_nums", r#"{"x":1.25}"#),
    ("/rpc/add_nums", r#"{"x":12345678901234567.5}"#),
    ("/rpc/add_nums", r#"{"x":99.999}"#),
    ("/made", r#"{"id":1,"a":7,"b":2}"#),
    ("/made", r#"{"id":1,"a":100000,"b":100000}"#),
    ("/made", r#"{"id":1,"a":1,"b":0}"#),
    ("/made", r#"{"id":1,"a":1,"b":null}"#),
    ("/checked", r#"{"id":1,"a":8,"b":2}"#),
    ("/checked", r#"{"id":1,"a":1,"b":0}"#),
    ("/checked", r#"{"id":1,"a":100,"b":1}"#),
    ("/checked", r#"{"id":1,"a":7,"b":2}"#),
    ("/priced", r#"{"id":1,"price":2.51,"amount":98.9,"quantity":3}"#),
    ("/priced", r#"{"id":1,"price":2.5}"#),
    ("/priced", r#"{"id":1,"amount":99}"#),
    ("/priced", r#"{"id":1,"amount":4.00}"#),
];

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for view in VIEWS {
        cases.push(Case::get(format!("/{view}?order=id")));
        cases.extend((1..=6).map(|id| Case::get(format!("/{view}?id=eq.{id}"))));
    }
    cases.extend(READS.iter().map(|read| Case::get(*read)));
    for (path, body) in WRITES {
        cases.push(Case::write("POST", *path, *body).prefer("return=representation, tx=rollback"));
    }
    cases
}

#[test]
fn numbers_are_computed_the_same_on_both_stores() {
    let Some(pair) = Pair::start("computed", include_str!("computed.sql")) else { return };
    assert_equal("computed", &pair, &cases());
}
