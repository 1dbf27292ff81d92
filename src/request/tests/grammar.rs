//! The grammars of single parameters.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::get;
use crate::request::filter::{
    Arrow, Comparison, Containment, Field, Filter, FullText, IsValue, JsonOperand, JsonStep, Logic, LogicTree,
    Operation, Quantifier,
};
use crate::request::order::{self, Direction, Nulls, OrderTerm};
use crate::request::parameter::{self, Audience, Parameter};
use crate::request::select::{self, Aggregate, Join, SelectItem};
use crate::request::{Error, logic};

fn column(name: &str) -> Field {
    Field { name: name.to_owned(), path: Vec::new() }
}

fn compare(operator: Comparison, value: &str) -> Operation {
    Operation::Compare { operator, quantifier: None, value: value.to_owned() }
}

/// Negation and operation of one filter value.
fn operation(value: &str) -> (bool, Operation) {
    match parameter::parse("a", value, Audience::Relation) {
        Ok((_, Parameter::Filter(filter))) => (filter.negated, filter.operation),
        other => panic!("{value}: {other:?}"),
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn every_operator_is_read() {
    for (word, operator) in [
        ("eq", Comparison::Equal),
        ("gte", Comparison::GreaterOrEqual),
        ("gt", Comparison::Greater),
        ("lte", Comparison::LessOrEqual),
        ("lt", Comparison::Less),
        ("like", Comparison::Like),
        ("ilike", Comparison::ILike),
        ("match", Comparison::Match),
        ("imatch", Comparison::IMatch),
    ] {
        assert_eq!(operation(&format!("{word}.a.b")), (false, compare(operator, "a.b")), "{word}");
        assert_eq!(operation(&format!("not.{word}.")), (true, compare(operator, "")), "not.{word}");
        for (modifier, quantifier) in [("any", Quantifier::Any), ("all", Quantifier::All)] {
            let expected = Operation::Compare { operator, quantifier: Some(quantifier), value: "{1}".to_owned() };
            assert_eq!(operation(&format!("{word}({modifier}).{{1}}")), (false, expected), "{word}({modifier})");
        }
    }
    for (word, operator) in [
        ("cs", Containment::Contains),
        ("cd", Containment::ContainedIn),
        ("ov", Containment::Overlap),
        ("sl", Containment::StrictlyLeft),
        ("sr", Containment::StrictlyRight),
        ("nxr", Containment::NotExtendsRight),
        ("nxl", Containment::NotExtendsLeft),
        ("adj", Containment::Adjacent),
    ] {
        let expected = Operation::Contain { operator, value: "{1,2}".to_owned() };
        assert_eq!(operation(&format!("{word}.{{1,2}}")), (false, expected), "{word}");
    }
    for (word, operator) in [
        ("fts", FullText::Query),
        ("plfts", FullText::Plain),
        ("phfts", FullText::Phrase),
        ("wfts", FullText::WebSearch),
    ] {
        let value = "a b".to_owned();
        let expected = Operation::FullText { operator, language: None, value: value.clone() };
        assert_eq!(operation(&format!("{word}.a b")), (false, expected), "{word}");
        let expected = Operation::FullText { operator, language: Some("french".to_owned()), value };
        assert_eq!(operation(&format!("not.{word}(french).a b")), (true, expected), "{word}(french)");
    }
    assert_eq!(operation("neq.5"), (false, compare(Comparison::NotEqual, "5")));
    assert_eq!(operation("isdistinct.5"), (false, Operation::IsDistinctFrom("5".to_owned())));
    assert_eq!(operation("not.isdistinct."), (true, Operation::IsDistinctFrom(String::new())));
    assert_eq!(operation("eq.not.eq.x"), (false, compare(Comparison::Equal, "not.eq.x")));
}

#[test]
fn operands_of_is_have_any_case() {
    for (text, value) in [
        ("null", IsValue::Null),
        ("NULL", IsValue::Null),
        ("NoT_NuLl", IsValue::NotNull),
        ("TRUE", IsValue::True),
        ("FAlSe", IsValue::False),
        ("UnKnOwN", IsValue::Unknown),
    ] {
        assert_eq!(operation(&format!("is.{text}")), (false, Operation::Is(value)), "{text}");
    }
}

#[test]
fn lists_take_quotes_and_backslashes() {
    for (list, values) in [
        ("(1,2,3)", &["1", "2", "3"][..]),
        ("(\"a,b\",c)", &["a,b", "c"]),
        ("(David White,\"Hebdon, John\")", &["David White", "Hebdon, John"]),
        (r#"("Double\"Quote\"McGraw\"")"#, &["Double\"Quote\"McGraw\""]),
        (r#"("\\")"#, &["\\"]),
        (r#"("D\a\vid W\h\ite")"#, &["David White"]),
        ("(\")", &["\""]),
        ("(Double\"Quote\"McGraw\")", &["Double\"Quote\"McGraw\""]),
        (r"(/\Slash/\Beast/\)", &[r"/\Slash/\Beast/\"]),
        ("(\"a\"b,c)", &["\"a\"b", "c"]),
        ("(\"(x)\")", &["(x)"]),
        ("( 1, 2)", &["1", " 2"]),
        ("( ,3,4)", &["", "3", "4"]),
        ("()", &[]),
        ("(    )", &[]),
        ("(é,)", &["é", ""]),
    ] {
        assert_eq!(operation(&format!("in.{list}")), (false, Operation::In(texts(values))), "{list}");
    }
}

#[test]
fn keys_name_embeds_columns_and_ways_into_json() {
    let step = |arrow, operand| JsonStep { arrow, operand };
    let key = |name: &str| JsonOperand::Key(name.to_owned());
    for (text, path, name, steps) in [
        ("id", &[][..], "id", vec![]),
        ("a.b.col", &["a", "b"], "col", vec![]),
        ("field-with_sep", &[], "field-with_sep", vec![]),
        (" a - b ", &[], "a-b", vec![]),
        ("\"a.b\".\"*c*\"", &["a.b"], "*c*", vec![]),
        ("Just A Model", &[], "Just A Model", vec![]),
        ("año$1", &[], "año$1", vec![]),
        ("d->a->>b", &[], "d", vec![step(Arrow::Json, key("a")), step(Arrow::Text, key("b"))]),
        (
            "d->0->>-1",
            &[],
            "d",
            vec![step(Arrow::Json, JsonOperand::Index(0)), step(Arrow::Text, JsonOperand::Index(-1))],
        ),
        ("d->!@#$%^&*_a", &[], "d", vec![step(Arrow::Json, key("!@#$%^&*_a"))]),
        ("d->a-b->>\"x.y\"", &[], "d", vec![step(Arrow::Json, key("a-b")), step(Arrow::Text, key("x.y"))]),
        ("d->1a", &[], "d", vec![step(Arrow::Json, key("1a"))]),
        ("d->99999999999999999999", &[], "d", vec![step(Arrow::Json, JsonOperand::Index(i64::MAX))]),
    ] {
        let field = Field { name: name.to_owned(), path: steps };
        assert_eq!(parameter::parse_key(text), Ok((texts(path), field)), "{text}");
    }
}

#[test]
fn parameters_without_an_operator_are_arguments_of_a_called_function() {
    let request = get("/rpc/f?a=5&b=eq.1&a=noop.x&c=").unwrap();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(request.arguments, [pair("a", "5"), pair("a", "noop.x"), pair("c", "")]);
    assert_eq!(request.filters.len(), 1);
    assert!(matches!(get("/rpc/f?a=in.x"), Err(Error::QueryParameter { .. })), "an operator with a faulty value");
}

#[test]
fn a_key_without_a_value_says_nothing() {
    let request = get("/t?id&select&order").unwrap();
    assert_eq!((request.filters, request.order, request.select), (vec![], vec![], select::everything()));
}

fn show_tree(tree: &LogicTree) -> String {
    match tree {
        LogicTree::Node { negated, operator, children } => {
            let children: Vec<String> = children.iter().map(show_tree).collect();
            let operator = if *operator == Logic::And { "and" } else { "or" };
            format!("{}{operator}[{}]", if *negated { "!" } else { "" }, children.join(" "))
        }
        LogicTree::Leaf(Filter { field, negated, operation }) => {
            let mut text = format!("{}{}", if *negated { "!" } else { "" }, field.name);
            match operation {
                Operation::Compare { value, .. } | Operation::IsDistinctFrom(value) => write!(text, "={value}"),
                Operation::Contain { value, .. } | Operation::FullText { value, .. } => write!(text, "~{value}"),
                Operation::In(values) => write!(text, "={}", values.join("|")),
                Operation::Is(value) => write!(text, "={value:?}"),
            }
            .unwrap();
            text
        }
    }
}

#[test]
fn logic_nests_and_keeps_quotes_lists_and_arrays_together() {
    for (key, value, path, tree) in [
        ("or", "(id.eq.1,id.eq.2)", "", "or[id=1 id=2]"),
        ("and", "(id.eq.1)", "", "and[id=1]"),
        ("not.or", "(id.eq.1,id.eq.2)", "", "!or[id=1 id=2]"),
        ("a.or", "(id.eq.1)", "a", "or[id=1]"),
        ("a.b.not.and", "(id.eq.1)", "a b", "!and[id=1]"),
        ("not.a.and", "(id.eq.1)", "a", "!and[id=1]"),
        ("or", "(id.eq.1,not.and(a.gt.1,or(b.is.null,c.not.lt.2)))", "", "or[id=1 !and[a=1 or[b=Null !c=2]]]"),
        (
            "and",
            "( and ( id.in.( 1, 2, 3 ) , id.eq.3 ) , or ( id.eq.2 , id.eq.3 ) )",
            "",
            "and[and[id=1| 2| 3  id=3 ] or[id=2  id=3 ]]",
        ),
        ("or", "(name.eq.\"(a,b)\",name.eq.c)", "", "or[name=(a,b) name=c]"),
        ("or", "(arr.cs.{1,2,3},arr.cd.{1})", "", "or[arr~{1,2,3} arr~{1}]"),
        ("or", "(a.phfts(german).Art Spass,b.eq.)", "", "or[a~Art Spass b=]"),
        ("or", "(and_starting.eq.x,or_starting.eq.y)", "", "or[and_starting=x or_starting=y]"),
        ("or", "(d->>a.eq.1,\"x.y\".eq.2)", "", "or[d=1 x.y=2]"),
        ("or", "(embed.not.is.null,b.eq.1)", "", "or[!embed=Null b=1]"),
    ] {
        let (embed, parsed) = logic::parse(key, value).unwrap_or_else(|error| panic!("{value}: {error}"));
        assert_eq!((embed.join(" ").as_str(), show_tree(&parsed).as_str()), (path, tree), "{key}={value}");
    }
}

fn show_select(items: &[SelectItem]) -> String {
    let mut shown = Vec::new();
    for item in items {
        let mut text = String::new();
        let (kind, name, hint, join, nested) = match item {
            SelectItem::Field { field, aggregate, aggregate_cast, cast, alias } => {
                write!(text, "{}:{}{}", alias.as_deref().unwrap_or_default(), field.name, field.path.len()).unwrap();
                write!(text, "::{} {aggregate:?}", cast.as_deref().unwrap_or_default()).unwrap();
                write!(text, "::{}", aggregate_cast.as_deref().unwrap_or_default()).unwrap();
                shown.push(text);
                continue;
            }
            SelectItem::Relation { name, alias, hint, join, select } => {
                (format!("{}:", alias.as_deref().unwrap_or_default()), name, hint, join, select)
            }
            SelectItem::Spread { name, hint, join, select } => ("...".to_owned(), name, hint, join, select),
        };
        write!(text, "{kind}{name}!{}!{join:?}", hint.as_deref().unwrap_or_default()).unwrap();
        write!(text, "({})", show_select(nested)).unwrap();
        shown.push(text);
    }
    shown.join(", ")
}

#[test]
fn select_reads_fields_embeds_and_spreads() {
    for (text, shown) in [
        ("", ":*0:: None::"),
        ("*", ":*0:: None::"),
        ("id, name", ":id0:: None::, :name0:: None::"),
        ("myId:id::text", "myId:id0::text None::"),
        ("a:d->x->>0::int", "a:d2::int None::"),
        ("count", ":count0:: None::"),
        ("count()", ":*0:: Some(Count)::"),
        ("n:count()::text", "n:*0:: Some(Count)::text"),
        ("x.sum()", ":x0:: Some(Sum)::"),
        ("s:x::int.avg()::text", "s:x0::int Some(Avg)::text"),
        ("x.max(),x.min(),x.count()", ":x0:: Some(Max)::, :x0:: Some(Min)::, :x0:: Some(Count)::"),
        ("clients(*)", ":clients!!None(:*0:: None::)"),
        ("clients()", ":clients!!None()"),
        ("a:clients!fk!inner(id)", "a:clients!fk!Some(Inner)(:id0:: None::)"),
        ("clients!left!fk(id)", ":clients!fk!Some(Left)(:id0:: None::)"),
        ("*,...b!inner(*),c(d(e()))", ":*0:: None::, ...b!!Some(Inner)(:*0:: None::), :c!!None(:d!!None(:e!!None()))"),
        (
            "\":arr->ow::cast\",\"(in)\",\"a.b\",\"  c  \"",
            "::arr->ow::cast0:: None::, :(in)0:: None::, :a.b0:: None::, :  c  0:: None::",
        ),
        ("a$num$,field-with_sep", ":a$num$0:: None::, :field-with_sep0:: None::"),
        ("id)", ":id0:: None::"),
    ] {
        let items = select::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(show_select(&items), shown, "{text}");
    }
    assert!(matches!(
        select::parse("a:b!inner(x.sum())").unwrap().as_slice(),
        [SelectItem::Relation { join: Some(Join::Inner), select, .. }]
            if matches!(select.as_slice(), [SelectItem::Field { aggregate: Some(Aggregate::Sum), .. }])
    ));
}

#[test]
fn order_reads_directions_nulls_and_relations() {
    let term = |relation: Option<&str>, name: &str, direction, nulls| OrderTerm {
        relation: relation.map(str::to_owned),
        field: column(name),
        direction,
        nulls,
    };
    let (up, down) = (Some(Direction::Ascending), Some(Direction::Descending));
    for (text, terms) in [
        ("id", vec![term(None, "id", None, None)]),
        ("id.asc", vec![term(None, "id", up, None)]),
        ("a.nullsfirst", vec![term(None, "a", None, Some(Nulls::First))]),
        ("a.desc.nullslast,id", vec![term(None, "a", down, Some(Nulls::Last)), term(None, "id", None, None)]),
        (
            "x, c(name).desc, y",
            vec![term(None, "x", None, None), term(Some("c"), "name", down, None), term(None, "y", None, None)],
        ),
    ] {
        assert_eq!(order::parse(text), Ok(terms), "{text}");
    }
    let json = order::parse("d->!@#a.asc.nullslast").unwrap();
    assert_eq!(json.first().map(|term| term.field.path.len()), Some(1));
}

#[test]
fn nesting_lengths_and_numbers_are_bounded() {
    let nested = |depth: usize| format!("select={}{}", "a(".repeat(depth), ")".repeat(depth));
    let logic = |depth: usize| format!("and={}(a.eq.1){}", "(or".repeat(depth), ")".repeat(depth));
    let is_too_large = |query: &str| matches!(get(&format!("/t?{query}")), Err(Error::TooLarge(_)));
    for (allowed, refused) in [
        (nested(32), nested(33)),
        (logic(31), logic(32)),
        (nested(1), nested(100_000)),
        (logic(1), logic(100_000)),
        (format!("select={}", vec!["a"; 2_000].join(",")), format!("select={}", vec!["a"; 2_001].join(","))),
        (format!("order={}", vec!["a"; 2_000].join(",")), format!("order={}", vec!["a"; 2_001].join(","))),
        (format!("a=in.({})", ",".repeat(32_765)), format!("a=in.({})", ",".repeat(32_766))),
        (format!("{}=eq.1", "a".repeat(1_024)), format!("{}=eq.1", "a".repeat(1_025))),
        ("a-a=eq.1".to_owned(), format!("{}a=eq.1", "a-".repeat(1_000))),
        ("a=eq.1&".repeat(2_000), "a=eq.1&".repeat(2_001)),
    ] {
        let shown: String = refused.chars().take(20).collect();
        assert!(!is_too_large(&allowed) && is_too_large(&refused), "{shown}");
    }
}

proptest! {
    #[test]
    fn quoted_elements_survive(values in proptest::collection::vec("[^\\x00]{1,8}", 1..4)) {
        let quoted: Vec<String> =
            values.iter().map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))).collect();
        let list = quoted.join(",");
        prop_assert_eq!(operation(&format!("in.({list})")), (false, Operation::In(values.clone())));
        let (_, tree) = logic::parse("or", &format!("(a.eq.{})", quoted.first().unwrap())).unwrap();
        let leaf = LogicTree::Leaf(Filter {
            field: column("a"),
            negated: false,
            operation: compare(Comparison::Equal, values.first().unwrap()),
        });
        prop_assert_eq!(tree, LogicTree::Node { negated: false, operator: Logic::Or, children: vec![leaf] });
    }

    #[test]
    fn quoted_names_survive_everywhere(name in "[^\\x00]{1,8}") {
        let quoted = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert_eq!(parameter::parse_key(&quoted), Ok((vec![], column(&name))));
        let ordered = order::parse(&format!("{quoted}.desc")).unwrap();
        prop_assert_eq!(ordered.first().map(|term| term.field.name.clone()), Some(name.clone()));
        let selected = select::parse(&format!("{quoted}:x,y")).unwrap();
        let is_alias = matches!(selected.first(), Some(SelectItem::Field { alias: Some(alias), .. }) if *alias == name);
        prop_assert!(is_alias, "{selected:?}");
    }
}
