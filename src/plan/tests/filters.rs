//! Conditions: operators, values, types, what SQLite lacks.

use super::reads::{get, get_where, read};
use super::*;
use crate::request::OrderTerm;
use crate::request::filter::{Containment, FullText, IsValue, Logic, LogicTree, Quantifier};

/// The only test of a read's condition, and whether it is negated.
fn only_test(plan: Result<Plan, Error>) -> (bool, Test) {
    let Condition::And(mut children) = read(plan).node.filter else { panic!("the top level is a conjunction") };
    match children.pop() {
        Some(Condition::Test(_, test)) => (false, test),
        Some(Condition::Not(child)) => match *child {
            Condition::Test(_, test) => (true, test),
            other => panic!("expected a test, got {other:?}"),
        },
        other => panic!("expected a test, got {other:?}"),
    }
}

#[test]
fn values_are_typed_on_sqlite_and_stay_text_on_postgres() {
    let words = |values: &[&str]| values.iter().map(|&value| Value::Text(value.to_owned())).collect::<Vec<_>>();
    let quantified = |operator, value: &str| Operation::Compare {
        operator,
        quantifier: Some(Quantifier::Any),
        value: value.to_owned(),
    };
    let list = |values: &[&str]| Operation::In(values.iter().map(|&value| value.to_owned()).collect());
    let like = Comparison::Like;
    let any = Quantifier::Any;
    let cases = [
        (
            "year",
            compare(Comparison::Greater, "5"),
            Test::Compare(Comparison::Greater, Value::Integer(5)),
            Test::Compare(Comparison::Greater, Value::Text("5".to_owned())),
        ),
        (
            "title",
            compare(like, "a*b%"),
            Test::Compare(like, Value::Text("a%b%".to_owned())),
            Test::Compare(like, Value::Text("a%b%".to_owned())),
        ),
        (
            "title",
            compare(Comparison::Match, "a*"),
            Test::Compare(Comparison::Match, Value::Text("a*".to_owned())),
            Test::Compare(Comparison::Match, Value::Text("a*".to_owned())),
        ),
        (
            "year",
            quantified(Comparison::Equal, "{1,2}"),
            Test::Quantified(Comparison::Equal, any, vec![Value::Integer(1), Value::Integer(2)]),
            Test::Quantified(Comparison::Equal, any, words(&["{1,2}"])),
        ),
        (
            "title",
            quantified(like, "{a*,b}"),
            Test::Quantified(like, any, words(&["a%", "b"])),
            Test::Quantified(like, any, words(&["{a%,b}"])),
        ),
        ("year", list(&["1", "2"]), Test::In(vec![Value::Integer(1), Value::Integer(2)]), Test::In(words(&["1", "2"]))),
        ("year", list(&[""]), Test::In(Vec::new()), Test::In(Vec::new())),
        (
            "year",
            Operation::IsDistinctFrom("3".to_owned()),
            Test::IsDistinctFrom(Value::Integer(3)),
            Test::IsDistinctFrom(Value::Text("3".to_owned())),
        ),
        ("seen", Operation::Is(IsValue::True), Test::Is(IsValue::True), Test::Is(IsValue::True)),
        ("title", Operation::Is(IsValue::Null), Test::Is(IsValue::Null), Test::Is(IsValue::Null)),
    ];
    for (name, operation, on_sqlite, on_postgres) in cases {
        let wanted = get_where(filter(name, operation));
        assert_eq!(only_test(sqlite(wanted.clone())), (false, on_sqlite));
        assert_eq!(only_test(postgres(wanted)), (false, on_postgres));
    }
    let negated = get_where(Filter { negated: true, ..equal("year", "1") });
    assert_eq!(only_test(sqlite(negated)), (true, Test::Compare(Comparison::Equal, Value::Integer(1))));
}

#[test]
fn text_out_of_json_is_compared_as_text() {
    let wanted = |arrow| {
        let field = Field { name: "data".to_owned(), path: vec![key(arrow, "age")] };
        get_where(Filter { field, negated: false, operation: compare(Comparison::Equal, "7") })
    };
    let expected = Test::Compare(Comparison::Equal, Value::Text("7".to_owned()));
    for arrow in [Arrow::Text, Arrow::Json] {
        assert_eq!(only_test(sqlite(wanted(arrow))), (false, expected.clone()));
    }
}

#[test]
fn operators_that_the_type_lacks_are_refused_on_sqlite_in_the_words_of_postgres() {
    let contain = |value: &str| Operation::Contain { operator: Containment::Contains, value: value.to_owned() };
    for (name, operation, code, message) in [
        ("year", compare(Comparison::Like, "1*"), "42883", "operator does not exist: integer ~~ unknown"),
        ("seen", compare(Comparison::IMatch, "t"), "42883", "operator does not exist: boolean ~* unknown"),
        ("notes", compare(Comparison::Equal, "{}"), "42883", "operator does not exist: json = unknown"),
        ("notes", Operation::In(vec!["1".to_owned()]), "42883", "operator does not exist: json = unknown"),
        ("title", contain("{a}"), "42883", "operator does not exist: text @> unknown"),
        ("tags", compare(Comparison::ILike, "a"), "42883", "operator does not exist: text[] ~~* unknown"),
        ("year", Operation::Is(IsValue::True), "42804", "argument of IS TRUE must be type boolean, not type integer"),
    ] {
        let wanted = get_where(filter(name, operation));
        assert_eq!(server_words(sqlite(wanted.clone())), (code, message.to_owned()));
        assert!(postgres(wanted).is_ok(), "the server says so itself");
    }
    let allowed = get_where(filter("tags", contain("{a}")));
    assert!(sqlite(allowed).is_ok());
}

#[test]
fn nothing_stands_behind_an_arrow_that_gives_text() {
    for (step, message) in [
        (key(Arrow::Json, "b"), "operator does not exist: text -> unknown"),
        (index(Arrow::Text, 0), "operator does not exist: text ->> integer"),
    ] {
        let path = vec![key(Arrow::Text, "a"), step];
        let item = SelectItem::Field {
            field: Field { name: "data".to_owned(), path },
            aggregate: None,
            aggregate_cast: None,
            cast: None,
            alias: None,
        };
        let words = server_words(sqlite(Request { select: vec![item], ..get() }));
        assert_eq!(words, ("42883", message.to_owned()));
    }
}

#[test]
fn json_cannot_order_rows() {
    let by = |name: &str| {
        let term = OrderTerm { relation: None, field: field(name), direction: None, nulls: None };
        sqlite(Request { order: vec![at_top(vec![term])], ..get() })
    };
    let message = "could not identify an ordering operator for type json".to_owned();
    assert_eq!(server_words(by("notes")), ("42883", message));
    assert!(by("data").is_ok(), "jsonb has an order");
}

#[test]
fn what_sqlite_lacks_is_named() {
    let range = |operator| Operation::Contain { operator, value: "[1,2]".to_owned() };
    for (operation, name) in [
        (range(Containment::StrictlyLeft), "sl"),
        (range(Containment::StrictlyRight), "sr"),
        (range(Containment::NotExtendsRight), "nxr"),
        (range(Containment::NotExtendsLeft), "nxl"),
        (range(Containment::Adjacent), "adj"),
    ] {
        let wanted = get_where(filter("title", operation));
        let expected = Error::NotImplemented(format!("the operator '{name}' is not supported on SQLite"));
        assert_eq!(sqlite(wanted.clone()), Err(expected));
        assert!(postgres(wanted).is_ok());
    }
}

#[test]
fn a_search_is_read_while_it_is_planned() {
    let search = |language: Option<&str>, value: &str| Operation::FullText {
        operator: FullText::Query,
        language: language.map(str::to_owned),
        value: value.to_owned(),
    };
    let refused = |code, message: &str| Err(Error::sqlstate(code, message));
    assert!(sqlite(get_where(filter("title", search(None, "fat & cat")))).is_ok());
    for (wanted, error) in [
        (search(None, "fat cat"), refused("42601", "syntax error in tsquery: \"fat cat\"")),
        (search(Some("klingon"), "cat"), refused("42704", "text search configuration \"klingon\" does not exist")),
    ] {
        let wanted = get_where(filter("title", wanted));
        assert_eq!(sqlite(wanted.clone()), error);
        assert!(postgres(wanted).is_ok(), "the server reads it");
    }
}

#[test]
fn trees_keep_their_shape() {
    let leaf = |value: &str| LogicTree::Leaf(equal("year", value));
    let tree = LogicTree::Node {
        negated: true,
        operator: Logic::Or,
        children: vec![
            leaf("1"),
            LogicTree::Node { negated: false, operator: Logic::And, children: vec![leaf("2"), leaf("3")] },
        ],
    };
    let Condition::And(top) = read(sqlite(Request { logic: vec![at_top(tree)], ..get() })).node.filter else {
        panic!("the top level is a conjunction")
    };
    let Some(Condition::Not(or)) = top.first() else { panic!("expected a negation, got {top:?}") };
    let Condition::Or(children) = or.as_ref() else { panic!("expected a disjunction, got {or:?}") };
    assert!(matches!(children.as_slice(), [Condition::Test(..), Condition::And(inner)] if inner.len() == 2));
}
