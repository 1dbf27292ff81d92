//! Whatever parses can be planned or refused.

use proptest::prelude::*;

use super::*;
use crate::request::OrderTerm;
use crate::request::filter::{Containment, IsValue, LogicTree, Quantifier};

fn any_field() -> impl Strategy<Value = Field> {
    let name = prop::sample::select(vec!["id", "title", "year", "seen", "notes", "data", "tags", "nope", "*", ""]);
    let step = prop_oneof![
        ".{0,4}".prop_map(|name| key(Arrow::Json, &name)),
        ".{0,4}".prop_map(|name| key(Arrow::Text, &name)),
        any::<i64>().prop_map(|at| index(Arrow::Json, at)),
    ];
    (name, prop::collection::vec(step, 0..3)).prop_map(|(name, path)| Field { name: name.to_owned(), path })
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let operator = prop::sample::select(vec![Comparison::Equal, Comparison::Less, Comparison::Like, Comparison::Match]);
    let quantifier = prop::sample::select(vec![None, Some(Quantifier::Any), Some(Quantifier::All)]);
    let contain = prop::sample::select(vec![Containment::Contains, Containment::Overlap, Containment::Adjacent]);
    let is = prop::sample::select(vec![IsValue::Null, IsValue::True, IsValue::Unknown]);
    prop_oneof![
        (operator, quantifier, ".*")
            .prop_map(|(operator, quantifier, value)| { Operation::Compare { operator, quantifier, value } }),
        (contain, ".*").prop_map(|(operator, value)| Operation::Contain { operator, value }),
        prop::collection::vec(".*", 0..3).prop_map(Operation::In),
        is.prop_map(Operation::Is),
        ".*".prop_map(Operation::IsDistinctFrom),
    ]
}

fn any_filter() -> impl Strategy<Value = Filter> {
    (any_field(), any::<bool>(), any_operation()).prop_map(|(field, negated, operation)| Filter {
        field,
        negated,
        operation,
    })
}

fn any_body() -> impl Strategy<Value = Option<Payload>> {
    let value = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        ".*".prop_map(serde_json::Value::from),
    ];
    let name = prop::sample::select(vec!["id", "title", "year", "seen", "data", "nope"]).prop_map(str::to_owned);
    let object = prop::collection::btree_map(name, value, 0..3);
    prop::collection::vec(object, 0..3)
        .prop_map(|objects| body(&serde_json::to_string(&objects).expect("objects are JSON")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn planning_never_panics(
        method in prop::sample::select(vec![Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete]),
        fields in prop::collection::vec((any_field(), prop::option::of(".{0,9}")), 0..3),
        filters in prop::collection::vec(any_filter(), 0..3),
        tree in any_filter(),
        order in any_field(),
        payload in any_body(),
        engine in prop::sample::select(vec![Engine::Sqlite, Engine::Postgres]),
    ) {
        let select = fields.into_iter().map(|(field, cast)| {
            SelectItem::Field { field, aggregate: None, aggregate_cast: None, cast, alias: None }
        }).collect();
        let order = OrderTerm { relation: None, field: order, direction: None, nulls: None };
        let wanted = Request {
            select,
            filters: filters.into_iter().map(at_top).collect(),
            logic: vec![at_top(LogicTree::Leaf(tree))],
            order: vec![at_top(vec![order])],
            payload,
            ..request(method, "films")
        };
        if let Ok(plan) = make(wanted, engine) {
            prop_assert_eq!(plan.action.table().map(|table| table.name.as_str()), Some("films"));
        }
    }
}
