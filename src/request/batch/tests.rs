use serde_json::json;

use super::*;
use crate::request::filter::Operation;
use crate::request::{Payload, Resource};

fn parse(batch: &Json) -> Result<Batch, Fault> {
    parse_text(&batch.to_string())
}

fn parse_text(body: &str) -> Result<Batch, Fault> {
    let raw = Raw {
        method: "POST".to_owned(),
        path: "/-/batch".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: body.to_owned().into(),
    };
    Batch::parse(&raw)
}

/// What is wrong with a batch, and with which request.
fn fault(batch: &Json) -> (Option<usize>, String) {
    let Fault { index, error } = parse(batch).expect_err("a fault");
    (index, error.to_string())
}

/// The last request of a batch, when those before gave `results`.
fn last(batch: &Json, results: &[Json]) -> Result<Resolved, Error> {
    let batch = parse(batch).expect("a batch");
    let results: Vec<_> = results.iter().cloned().map(Some).collect();
    batch.steps.last().expect("a request").resolve(&results, &mut 1_000)
}

/// A request behind one that is called `a`, with this query or body, when `a` gave `result`.
fn after_a(query: &str, body: &Json, result: Json) -> Result<Resolved, Error> {
    let method = if body.is_null() { "GET" } else { "POST" };
    let mut step = json!({"method": method, "path": format!("/t?{query}")});
    if !body.is_null() {
        step["body"] = body.clone();
    }
    last(&json!([{"id": "a", "path": "/t"}, step]), &[result])
}

fn body_of(resolved: &Resolved) -> String {
    String::from_utf8(resolved.raw.body.to_vec()).unwrap()
}

/// The texts that the first filter compares with.
fn compared(resolved: &Resolved) -> Vec<String> {
    match &resolved.request.filters[0].1.operation {
        Operation::Compare { value, .. } | Operation::IsDistinctFrom(value) => vec![value.clone()],
        Operation::In(values) => values.clone(),
        Operation::Contain { .. } | Operation::Is(_) | Operation::FullText { .. } => panic!("another operation"),
    }
}

#[test]
fn a_request_has_its_parts() {
    let headers = json!({"Prefer": "return=representation", "X-Any": "1"});
    let resolved = last(
        &json!([{"id": "b-1", "method": "POST", "path": "/rest/v1/films?select=id", "headers": headers, "body": [{"a": 1.50}]}]),
        &[],
    )
    .unwrap();
    assert_eq!(resolved.request.resource, Resource::Relation("films".to_owned()));
    assert_eq!(resolved.raw.query, "select=id");
    assert_eq!(resolved.raw.header("prefer"), Some("return=representation"));
    assert_eq!(resolved.raw.header("x-any"), Some("1"));
    assert!(matches!(resolved.request.payload, Some(Payload::Rows(rows)) if rows.keys == ["a"]));
    let read = last(&json!([{"path": "/films"}]), &[]).unwrap();
    assert_eq!(read.raw.method, "GET");
    let csv = json!([{"method": "POST", "path": "/films", "headers": {"Content-Type": "text/csv"}, "body": "a\n1\n"}]);
    assert_eq!(body_of(&last(&csv, &[]).unwrap()), "a\n1\n");
}

#[test]
fn what_is_no_batch_is_told_with_the_place_of_the_request() {
    let array = "a batch must be a JSON array of requests";
    assert_eq!(fault(&json!({})), (None, array.to_owned()));
    assert_eq!(parse_text("[").expect_err("a fault").error, Error::Batch(array.to_owned()));
    let many = vec![json!({"path": "/t"}); REQUESTS_MAX + 1];
    assert_eq!(fault(&json!(many)), (None, "a batch has at most 100 requests, this one has 101".to_owned()));
    for (request, text) in [
        (json!(1), "a request must be a JSON object"),
        (json!({}), "\"path\" is missing"),
        (json!({"path": 1}), "\"path\" must be a text"),
        (json!({"path": "films"}), "\"path\" must begin with /"),
        (json!({"path": "/films#a"}), "\"path\" has a character that no path has"),
        (json!({"path": "/films?a=eq.\u{fdd0}0\u{fdd0}"}), "\"path\" has a character that no path has"),
        (json!({"path": "/films?a=eq.%EF%B7%900%EF%B7%90"}), "\"path\" has a character that no path has"),
        (json!({"path": "/films", "header": {}}), "a request has no member \"header\""),
        (json!({"path": "/films", "headers": {"a": 1}}), "\"headers\" must be an object of texts"),
        (json!({"path": "/films", "headers": []}), "\"headers\" must be an object of texts"),
        (
            json!({"path": "/films", "headers": {"Authorization": "x"}}),
            "the header \"authorization\" is for the batch as a whole: send it with it",
        ),
        (
            json!({"path": "/films", "headers": {"content-type": "text/csv"}, "body": {}}),
            "\"body\" must be a text, as its Content-Type is not JSON",
        ),
        (json!({"path": "/films", "id": "1a"}), "\"id\" must be a letter or _ and up to 63 letters, digits, _ or -"),
        (json!({"path": "/films", "id": "a"}), "its \"id\" is that of an earlier request"),
        (json!({"path": "/${a.0.x}"}), "a reference in \"path\" may only stand behind its ?"),
        (json!({"path": "/t?a=eq.${a.0.x"}), "a reference ${… must end with }"),
        (json!({"path": "/t?a=eq.${b.0.x}"}), "\"b\" is the name or the number of no earlier request"),
        (json!({"path": "/t?a=eq.${1.0.x}"}), "\"1\" is the name or the number of no earlier request"),
        (json!({"path": "/t", "body": {"$ref": "a..x"}}), "\".x\" is no reference such as order.0.id"),
        (json!({"path": "/t", "body": {"$ref": "a.\"x"}}), "\"\"x\" is no reference such as order.0.id"),
        (json!({"path": "/t", "body": {"$ref": "a x"}}), "the reference \"a x\" should end before \" x\""),
    ] {
        assert_eq!(fault(&json!([{"id": "a", "path": "/t"}, request])), (Some(1), text.to_owned()), "{request}");
    }
    let (_, text) = fault(&json!([{"path": "/t"}, {"path": "/t", "body": {"$ref": "0", "x": 1}}]));
    assert!(text.contains("have no other members"), "{text}");
}

#[test]
fn a_reference_in_a_body_is_the_value_itself() {
    let result = json!([{"id": 7, "a.b": "x", "n": 1.50, "tags": ["p", "q"]}, {"id": 8, "a.b": null}]);
    for (reference, value) in [
        ("a.0.id", json!(7)),
        ("0.0.id", json!(7)),
        ("a.1.\"a.b\"", json!(null)),
        ("a.0.n", json!(1.50)),
        ("a.0.tags.1", json!("q")),
        ("a.0.tags", json!(["p", "q"])),
        ("a.*.id", json!([7, 8])),
        ("a", result.clone()),
    ] {
        let body = json!([{"x": {"$ref": reference}, "y": {"deep": [{"$ref": reference}, 1]}}]);
        let resolved = after_a("", &body, result.clone()).unwrap();
        assert_eq!(body_of(&resolved), json!([{"x": value, "y": {"deep": [value, 1]}}]).to_string(), "{reference}");
    }
    let whole = after_a("", &json!({"$ref": "a.0.row"}), json!([{"row": {"b": 2}}])).unwrap();
    assert_eq!(body_of(&whole), "{\"b\":2}");
    let literal = json!({"x": {"$literal": {"$ref": "a.0.id"}}, "y": {"$ref": "a.0.id"}});
    assert_eq!(body_of(&after_a("", &literal, result).unwrap()), "{\"x\":{\"$ref\":\"a.0.id\"},\"y\":7}");
}

#[test]
fn a_reference_that_leads_nowhere_is_an_error() {
    let nowhere = |reference: &str| {
        let answer = after_a("", &json!({"x": {"$ref": reference}}), json!([{"id": 7, "tags": []}]));
        answer.expect_err("an error").to_string()
    };
    for reference in ["a.1.id", "a.0.x", "a.id", "a.0.id.0", "a.*.x", "a.0.id.*", "a.0.tags.-1"] {
        assert_eq!(nowhere(reference), format!("\"{reference}\" leads nowhere in what that request gave"));
    }
    let batch = parse(&json!([{"path": "/t"}, {"path": "/t", "body": {"$ref": "0"}}])).unwrap();
    let error = batch.steps[1].resolve(&[None], &mut 100).expect_err("an error").to_string();
    assert!(error.starts_with("\"0\" leads nowhere: that request gave no JSON"), "{error}");
}

#[test]
fn a_reference_in_a_path_is_a_value_and_never_a_part_of_the_query() {
    let nasty = "1),or=(a.eq.2)&limit=0;\"x\\%26*'--";
    let number: Json = serde_json::from_str("12.50").unwrap();
    let result = || json!([{"v": nasty, "n": number, "t": true, "ids": [1, "a,b)"], "none": []}]);
    let resolve = |query: &str| after_a(query, &Json::Null, result());
    for (query, texts) in [
        ("v=eq.${a.0.v}", vec![nasty]),
        ("v=not.eq.${a.0.v}", vec![nasty]),
        ("v=isdistinct.${a.0.v}", vec![nasty]),
        ("v=like.*${a.0.n}-${a.0.t}*", vec!["*12.50-true*"]),
        ("v=in.(${a.0.v},x,${a.0.n})", vec![nasty, "x", "12.50"]),
        ("v=in.(${a.0.ids},${a.0.n})", vec!["1", "a,b)", "12.50"]),
        ("v=in.(${a.0.none})", vec![]),
    ] {
        let resolved = resolve(query).unwrap();
        assert_eq!(compared(&resolved), texts, "{query}");
        assert_eq!(resolved.request.filters.len(), 1, "{query}");
        assert_eq!(resolved.request.range, crate::request::Range::ALL, "{query}");
    }
    let tree = resolve("or=(v.eq.${a.0.v},and(v.in.(${a.0.ids}),n.gt.1))").unwrap();
    assert_eq!(tree.request.logic.len(), 1);
    assert!(format!("{:?}", tree.request.logic).contains("\"a,b)\""));
    // What is shown of the query can be sent again.
    let shown = resolve("v=eq.${a.0.v}").unwrap();
    assert_eq!(shown.raw.query, shown.request.canonical_query);
    let again = Raw { headers: Vec::new(), ..shown.raw.clone() };
    assert_eq!(Request::parse(&again).unwrap().filters, shown.request.filters);
}

#[test]
fn a_reference_in_a_path_is_an_argument_of_a_function() {
    let batch = json!([{"path": "/t"}, {"path": "/rpc/f?x=${0.0.v}&y=1"}]);
    let resolved = last(&batch, &[json!([{"v": "eq.1"}])]).unwrap();
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert_eq!(resolved.request.arguments, [pair("x", "eq.1"), pair("y", "1")]);
    assert!(resolved.request.filters.is_empty());
}

#[test]
fn a_reference_where_no_value_stands_is_refused() {
    let result = || json!([{"v": "x", "list": [1], "none": null, "nul": "\0"}]);
    let error = |query: &str| after_a(query, &Json::Null, result()).expect_err(query);
    for query in
        ["select=${a.0.v}", "limit=${a.0.v}", "v=eq(any).${a.0.list}", "v=cs.${a.0.list}", "offset=${a.0.v}&v=eq.1"]
    {
        assert!(error(query).to_string().contains("may only be the value of a filter"), "{query}");
    }
    for query in ["order=${a.0.v}", "${a.0.v}=eq.1", "v=${a.0.v}.1", "v=is.${a.0.v}"] {
        let Error::QueryParameter { message, details } = error(query) else { panic!("{query}") };
        assert!(!message.contains('\u{fdd0}') && !details.contains('\u{fdd0}'), "{query}: {message} {details}");
        assert!(message.contains("${a.0.v}"), "{query}: {message}");
    }
    assert!(error("v=eq.${a.0.none}").to_string().contains("is null, which no filter finds"));
    assert!(error("v=eq.${a.0.list}").to_string().contains("is no single value"));
    assert!(error("v=in.(${a})").to_string().contains("is no single value"));
    assert_eq!(error("v=eq.${a.0.nul}"), Error::NulCharacter);
}

#[test]
fn what_references_add_is_bounded() {
    let body: Vec<Json> = (0..20).map(|_| json!({"x": {"$ref": "a.0.v"}})).collect();
    let error = after_a("", &json!(body), json!([{"v": "x".repeat(100)}])).expect_err("an error").to_string();
    assert_eq!(error, format!("the references of the batch stand for more than {REFERRED_MAX_BYTES} bytes"));
}

#[test]
fn how_the_transaction_ends_is_for_the_batch_to_say() {
    for preference in ["tx=rollback", "tx=commit", "dry-run"] {
        let batch = json!([{"method": "DELETE", "path": "/t", "headers": {"Prefer": preference}}]);
        assert!(last(&batch, &[]).expect_err("an error").to_string().starts_with("tx= and dry-run"), "{preference}");
    }
}

#[test]
fn the_requests_that_others_need_are_known() {
    let batch = parse(&json!([
        {"path": "/t"}, {"id": "b", "path": "/t?a=eq.${0.0.x}"}, {"path": "/t"},
        {"path": "/t", "body": [{"x": {"$ref": "b.0.x"}, "y": {"$literal": {"$ref": "2.0.x"}}}]},
    ]))
    .unwrap();
    assert_eq!(batch.referred(), BTreeSet::from([0, 1]));
    assert_eq!(batch.steps.iter().map(Step::refers).collect::<Vec<_>>(), [false, true, false, true]);
}
