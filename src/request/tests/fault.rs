//! The texts of faults: the cases are those of the dialect's own specification.

use super::get;
use crate::request::Error;

/// Message and details of a fault of the query string.
fn fault(query: &str) -> (String, String) {
    match get(&format!("/t?{query}")) {
        Err(Error::QueryParameter { message, details }) => (message, details),
        other => panic!("{query}: {other:?}"),
    }
}

fn check(cases: &[(&str, &str, usize, &str)]) {
    for (query, what, column, details) in cases {
        let message = format!("\"failed to parse {what}\" (line 1, column {column})");
        assert_eq!(fault(query), (message, (*details).to_owned()), "{query}");
    }
}

#[test]
fn faults_of_filters_name_the_operators() {
    check(&[
        ("a=noop.0", "filter (noop.0)", 1, r#"unexpected "o" expecting "not" or operator (eq, gt, ...)"#),
        ("a=val", "filter (val)", 1, r#"unexpected "v" expecting "not" or operator (eq, gt, ...)"#),
        ("id=0", "filter (0)", 1, r#"unexpected "0" expecting "not" or operator (eq, gt, ...)"#),
        ("a=", "filter ()", 1, r#"unexpected end of input expecting "not" or operator (eq, gt, ...)"#),
        ("a=fts().v", "filter (fts().v)", 5, r#"unexpected ")" expecting operator (eq, gt, ...)"#),
        ("a=eq().v", "filter (eq().v)", 4, r#"unexpected ")" expecting operator (eq, gt, ...)"#),
        ("a=is().v", "filter (is().v)", 3, r#"unexpected "(" expecting operator (eq, gt, ...)"#),
        ("a=in().v", "filter (in().v)", 3, r#"unexpected "(" expecting operator (eq, gt, ...)"#),
        ("a=is.nil", "filter (is.nil)", 5, r#"unexpected "i" expecting isVal: (null, not_null, true, false, unknown)"#),
    ]);
}

#[test]
fn faults_of_names_say_what_a_name_is() {
    let at_end = "unexpected end of input expecting field name (* or [a..z0..9_$])";
    check(&[
        (":=eq.1", "tree path (:)", 1, r#"unexpected ":" expecting field name (* or [a..z0..9_$])"#),
        ("=eq.1", "tree path ()", 1, at_end),
        ("columns=", "columns parameter ()", 1, at_end),
        ("on_conflict=a,", "on_conflict parameter (a,)", 3, at_end),
        (".or=(a.eq.1)", "logic path (.or)", 1, r#"unexpected "." expecting field name (* or [a..z0..9_$])"#),
    ]);
}

#[test]
fn faults_of_logic_count_the_operator_of_the_key() {
    check(&[
        (
            "or=()",
            "logic tree (())",
            4,
            "unexpected \")\" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, \
             or)",
        ),
        ("or=(id.in.1,2,id.eq.3)", "logic tree ((id.in.1,2,id.eq.3))", 10, r#"unexpected "1" expecting "(""#),
        ("or=)(", "logic tree ()()", 3, r#"unexpected ")" expecting "(""#),
        (
            "and=(ord(id.eq.1,id.eq.1),id.eq.2)",
            "logic tree ((ord(id.eq.1,id.eq.1),id.eq.2))",
            7,
            r#"unexpected "d" expecting "(""#,
        ),
        (
            "or=(id.eq.1,not.xor(id.eq.2,id.eq.3))",
            "logic tree ((id.eq.1,not.xor(id.eq.2,id.eq.3)))",
            16,
            r#"unexpected "x" expecting logic operator (and, or)"#,
        ),
    ]);
}

#[test]
fn faults_of_order_name_directions_and_nulls() {
    let words = r#"expecting "asc", "desc", "nullsfirst" or "nullslast""#;
    check(&[
        ("order=id.nullslasttt", "order (id.nullslasttt)", 13, r#"unexpected 't' expecting "," or end of input"#),
        (
            "order=id.asc.nullslasttt",
            "order (id.asc.nullslasttt)",
            17,
            r#"unexpected 't' expecting "," or end of input"#,
        ),
        ("order=id.descc", "order (id.descc)", 8, r#"unexpected 'c' expecting delimiter (.), "," or end of input"#),
        ("order=id.asc ,x", "order (id.asc ,x)", 7, r#"unexpected ' ' expecting delimiter (.), "," or end of input"#),
        ("order=id.ac", "order (id.ac)", 4, &format!("unexpected \"c\" {words}")),
        ("order=id.nulsfist", "order (id.nulsfist)", 4, &format!("unexpected \"n\" {words}")),
        ("order=id.smth34", "order (id.smth34)", 4, &format!("unexpected \"s\" {words}")),
        ("order=id.asc.nlsfst", "order (id.asc.nlsfst)", 8, r#"unexpected "l" expecting "nullsfirst" or "nullslast""#),
        (
            "order=clients(name,id)",
            "order (clients(name,id))",
            8,
            "unexpected '(' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.), \",\" or end of input",
        ),
    ]);
}

#[test]
fn faults_of_select_name_what_may_follow() {
    let follows = r#"expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input"#;
    check(&[
        (
            "select=id,clients(name[])",
            "select parameter (id,clients(name[]))",
            16,
            &format!("unexpected '[' {follows}"),
        ),
        ("select=name!hint", "select parameter (name!hint)", 5, &format!("unexpected '!' {follows}")),
        ("select=name::", "select parameter (name::)", 7, "unexpected end of input expecting letter or digit"),
        ("select=data->>--34", "select parameter (data->>--34)", 9, r#"unexpected "-" expecting digit"#),
        (
            "select=data->>-78xy",
            "select parameter (data->>-78xy)",
            11,
            r#"unexpected 'x' expecting digit, "->", "::", ".", "," or end of input"#,
        ),
        (
            "select=data->(!@#$%^&*_d",
            "select parameter (data->(!@#$%^)",
            7,
            r#"unexpected "(" expecting "-", digit or any non reserved character different from: .,>()"#,
        ),
    ]);
}

#[test]
fn of_several_faults_the_dialects_first_is_told() {
    assert!(fault("a=x&order=id.ac&or=()").0.contains("parse order"));
    assert!(fault("a=x&columns=&or=()").0.contains("parse logic tree"));
    assert!(fault("a=x&on_conflict=&select=a!").0.contains("parse select"));
}
