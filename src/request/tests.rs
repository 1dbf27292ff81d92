//! Whole requests; the grammars of single parameters and the bodies have files of their own.

mod body;
mod fault;
mod grammar;

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::prefer::{Count, Handling, Missing, Representation, Resolution, TransactionEnd};
use super::seek::Side;
use super::{Distinct, Error, MediaType, Method, Preferences, Range, Raw, Request, Resource};

fn raw(method: &str, path_and_query: &str, headers: &[(&str, &str)], body: &str) -> Raw {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    Raw {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn get(path_and_query: &str) -> Result<Request, Error> {
    Request::parse(&raw("GET", path_and_query, &[], ""))
}

fn range(method: &str, query: &str, header: Option<&str>) -> Result<Range, Error> {
    let headers: Vec<(&str, &str)> = header.map(|header| ("range", header)).into_iter().collect();
    Request::parse(&raw(method, &format!("/t?{query}"), &headers, "{}")).map(|request| request.range)
}

#[test]
fn paths_address_resources_with_and_without_the_prefix() {
    let relation = |name: &str| Ok(Resource::Relation(name.to_owned()));
    let function = |name: &str| Ok(Resource::Function(name.to_owned()));
    for (path, resource) in [
        ("", Ok(Resource::Root)),
        ("/", Ok(Resource::Root)),
        ("/films", relation("films")),
        ("/Server%20Today", relation("Server Today")),
        ("/a%2Fb", relation("a/b")),
        ("/a+b", relation("a+b")),
        ("/Escap3e;", relation("Escap3e;")),
        ("/rpc", relation("rpc")),
        ("/rest", relation("rest")),
        ("/rpc/add", function("add")),
        ("/rest/v1", Ok(Resource::Root)),
        ("/rest/v1/", Ok(Resource::Root)),
        ("/rest/v1/films", relation("films")),
        ("/rest/v1/rpc/add", function("add")),
        ("/rest/v1films", Err(Error::InvalidPath)),
        ("/films/", Err(Error::InvalidPath)),
        ("//", Err(Error::InvalidPath)),
        ("/rpc/", Err(Error::InvalidPath)),
        ("/rpc/a/b", Err(Error::InvalidPath)),
        ("/first/second/third", Err(Error::InvalidPath)),
        ("/%FF", Err(Error::InvalidPath)),
        ("/a%00", Err(Error::InvalidPath)),
    ] {
        assert_eq!(Resource::parse(path), resource, "{path}");
    }
}

#[test]
fn each_resource_takes_its_own_verbs() {
    let function = |verb: &str| Err(Error::InvalidFunctionMethod(verb.to_owned()));
    let unsupported = |verb: &str| Err(Error::UnsupportedMethod(verb.to_owned()));
    for (verb, path, method) in [
        ("GET", "/", Ok(Method::Get)),
        ("OPTIONS", "/", Ok(Method::Options)),
        ("POST", "/", unsupported("POST")),
        ("PATCH", "/t", Ok(Method::Patch)),
        ("DELETE", "/t", Ok(Method::Delete)),
        ("get", "/t", unsupported("get")),
        ("CONNECT", "/t", unsupported("CONNECT")),
        ("POST", "/rpc/f", Ok(Method::Post)),
        ("HEAD", "/rpc/f", Ok(Method::Head)),
        ("PUT", "/rpc/f", function("PUT")),
        ("DELETE", "/rpc/f", function("DELETE")),
        ("CONNECT", "/rpc/f", function("CONNECT")),
    ] {
        let parsed = Request::parse(&raw(verb, path, &[], "{}")).map(|request| request.method);
        assert_eq!(parsed, method, "{verb} {path}");
    }
}

#[test]
fn reads_and_writes_name_the_schema_in_different_headers() {
    let headers = [("accept-profile", "read"), ("content-profile", "write")];
    for (verb, profile) in
        [("GET", "read"), ("HEAD", "read"), ("OPTIONS", "read"), ("POST", "write"), ("DELETE", "write")]
    {
        let request = Request::parse(&raw(verb, "/t", &headers, "{}")).unwrap();
        assert_eq!(request.profile.as_deref(), Some(profile), "{verb}");
    }
}

#[test]
fn the_canonical_query_is_sorted_and_encoded_afresh() {
    for (query, canonical) in [
        ("", ""),
        ("b=eq.1&a=eq.1", "a=eq.1&b=eq.1"),
        ("b=eq.1;a=eq.1&", "a=eq.1&b=eq.1"),
        ("a=gt.1&b=eq.x&a=lt.3", "a=gt.1,lt.3&b=eq.x"),
        ("c&a=eq.1", "a=eq.1&c="),
        ("a=eq.x+y%20z", "a=eq.x%20y%20z"),
        ("a=in.(1,%222%22)", "a=in.%281%2C%222%22%29"),
        ("a=eq.%C3%A9", "a=eq.%C3%A9"),
        ("a=eq.é~-_", "a=eq.%C3%A9~-_"),
    ] {
        assert_eq!(get(&format!("/t?{query}")).unwrap().canonical_query, canonical, "{query}");
    }
}

#[test]
fn a_query_that_no_database_text_can_hold_is_refused() {
    for query in ["a=eq.%00", "a=eq.x%00y", "%00=eq.1", "select=a%00", "x%00", "limit=%00"] {
        let error = get(&format!("/t?{query}")).unwrap_err();
        assert_eq!(error, Error::NulCharacter, "{query}");
        assert_eq!(error.to_string(), "invalid byte sequence for encoding \"UTF8\": 0x00");
    }
    for query in ["a=eq.%FF", "%C3=eq.1", "select=%E2%82"] {
        assert!(matches!(get(&format!("/t?{query}")), Err(Error::QueryParameter { .. })), "{query}");
    }
    assert!(get("/t?a=eq.100%").is_ok(), "a percent sign without digits stands for itself");
}

#[test]
fn limit_offset_and_the_range_header_are_intersected() {
    let some = |offset, limit| Ok(Range { offset, limit });
    for (query, header, expected) in [
        ("", None, Ok(Range::ALL)),
        ("limit=3", None, some(0, Some(3))),
        ("limit=3&offset=2", None, some(2, Some(3))),
        ("offset=2", None, some(2, None)),
        ("offset=-4", None, Ok(Range::ALL)),
        ("limit=3&offset=-4", None, some(0, Some(3))),
        ("limit=0", None, some(0, Some(0))),
        ("limit=0", Some("5-2"), some(0, Some(0))),
        ("limit=-1", None, Err(Error::NegativeLimit)),
        ("limit=-1&offset=5", None, Err(Error::NegativeLimit)),
        ("limit=1&limit=2", None, some(0, Some(2))),
        ("limit=x", None, Ok(Range::ALL)),
        ("limit=+7", None, some(0, Some(7))),
        ("limit=99999999999999999999", None, some(0, Some(i64::MAX.unsigned_abs()))),
        ("", Some("0-9"), some(0, Some(10))),
        ("", Some("5-"), some(5, None)),
        ("", Some("0-0"), some(0, Some(1))),
        ("", Some("1-0"), Err(Error::RangeReversed)),
        ("limit=-1", Some("1-0"), Err(Error::RangeReversed)),
        ("limit=3", Some("0-1"), some(0, Some(2))),
        ("limit=3&offset=1", Some("0-9"), some(1, Some(3))),
        ("offset=2", Some("0-5"), some(2, Some(4))),
        ("offset=5", Some("0-1"), Err(Error::NegativeLimit)),
        ("", Some("items=0-9"), Ok(Range::ALL)),
        ("", Some("-5"), Ok(Range::ALL)),
        ("", Some("a-b"), Ok(Range::ALL)),
        ("", Some("0-99999999999999999999"), some(0, Some(i64::MAX.unsigned_abs() + 1))),
    ] {
        assert_eq!(range("GET", query, header), expected, "{query} {header:?}");
    }
}

#[test]
fn only_get_looks_at_the_range_header_and_put_takes_no_range() {
    assert_eq!(range("HEAD", "", Some("0-1")), Ok(Range::ALL));
    assert_eq!(range("POST", "", Some("1-0")), Ok(Range::ALL));
    assert_eq!(range("PUT", "", Some("0-1")), Ok(Range::ALL));
    assert_eq!(range("PUT", "offset=0", None), Ok(Range::ALL));
    for query in ["limit=1", "offset=1", "limit=0"] {
        assert_eq!(range("PUT", query, None), Err(Error::PutRange), "{query}");
    }
}

#[test]
fn embeds_have_ranges_of_their_own() {
    let request = get("/t?limit=1&a.limit=2&a.b.offset=3&a.offset=4").unwrap();
    let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let ranges = vec![
        (path(&["a"]), Range { offset: 4, limit: Some(2) }),
        (path(&["a", "b"]), Range { offset: 3, limit: None }),
    ];
    assert_eq!(request.embed_ranges, ranges);
    assert_eq!(get("/t?a.limit=-1"), Err(Error::NegativeLimit));
}

#[test]
fn the_first_of_several_preferences_wins() {
    let parsed = Preferences::parse(
        [
            "resolution=ignore-duplicates, count=exact,   tx=commit ,,return=headers-only",
            "resolution=merge-duplicates,count=planned, missing=default, handling=lenient",
            "timezone=America/Los_Angeles, timezone=UTC, max-affected=5, max-affected=x, invalid, count=none, dry-run, dry-run=no, distinct, distinct=a, pagination=keyset, before=x, after=y, pagination=pages",
        ]
        .into_iter(),
    );
    let expected = Preferences {
        resolution: Some(Resolution::IgnoreDuplicates),
        representation: Some(Representation::HeadersOnly),
        count: Some(Count::Exact),
        transaction: Some(TransactionEnd::Commit),
        missing: Some(Missing::Default),
        handling: Some(Handling::Lenient),
        timezone: Some("America/Los_Angeles".to_owned()),
        max_affected: Some(5),
        dry_run: true,
        distinct: Some(Distinct::Rows),
        seek: Some((Side::Before, Some("x".to_owned()))),
        unknown: vec![
            "invalid".to_owned(),
            "count=none".to_owned(),
            "dry-run=no".to_owned(),
            "pagination=pages".to_owned(),
        ],
    };
    assert_eq!(parsed, expected);
}

#[test]
fn strict_handling_refuses_unknown_preferences_where_they_mean_something() {
    let headers = [("prefer", "handling=strict, anything"), ("prefer", "something")];
    let refused = Err(Error::InvalidPreferences(vec!["anything".to_owned(), "something".to_owned()]));
    let preferred = |verb: &str, path: &str, headers: &[(&str, &str)]| {
        Request::parse(&raw(verb, path, headers, "{}")).map(|request| request.preferences.handling)
    };
    assert_eq!(preferred("GET", "/t", &headers), refused);
    assert_eq!(preferred("POST", "/rpc/f", &headers), refused);
    assert_eq!(preferred("OPTIONS", "/t", &headers), Ok(Some(Handling::Strict)));
    assert_eq!(preferred("GET", "/", &headers), Ok(Some(Handling::Strict)));
    assert_eq!(preferred("GET", "/t", &[("prefer", "handling=lenient, anything")]), Ok(Some(Handling::Lenient)));
}

#[test]
fn media_types_are_known_by_name_and_parameters() {
    let plan = |of, json, options: &[&str]| MediaType::Plan {
        of: Box::new(of),
        json,
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    };
    for (text, media) in [
        ("application/json", MediaType::Json),
        ("application/json; charset=utf-8", MediaType::Json),
        ("Application/JSON", MediaType::Json),
        ("application/vnd.pgrst.array+json", MediaType::Json),
        ("application/vnd.pgrst.array+json;nulls=stripped", MediaType::ArrayJson { strip_nulls: true }),
        ("application/vnd.pgrst.object+json", MediaType::ObjectJson { strip_nulls: false }),
        ("ApplicatIon/vnd.PgRsT.object+json", MediaType::ObjectJson { strip_nulls: false }),
        ("application/vnd.pgrst.object; Nulls = \"stripped\"", MediaType::ObjectJson { strip_nulls: true }),
        ("application/vnd.pgrst.plan;", plan(MediaType::Json, false, &[])),
        ("application/vnd.pgrst.plan+json;for=\"text/csv\"", plan(MediaType::Csv, true, &[])),
        (
            "application/vnd.pgrst.plan ; for=\"text/xml\" ; options=buffers|analyze|wat",
            plan(MediaType::Xml, false, &["analyze", "buffers"]),
        ),
        (
            "application/vnd.pgrst.plan;wat=\"application/json;for=x\"; for=\"text/plain\"",
            plan(MediaType::Text, false, &[]),
        ),
        ("application/vnd.twkb", MediaType::Other("application/vnd.twkb".to_owned())),
        ("Nonsense;=;", MediaType::Other("nonsense".to_owned())),
        ("*/*", MediaType::Any),
    ] {
        assert_eq!(MediaType::parse(text), media, "{text}");
        assert_eq!(MediaType::parse(&media.to_string()), media, "{media} round trip");
    }
}

#[test]
fn accepted_types_are_ordered_by_weight_then_exactness_then_arrival() {
    let accepted = |header: Option<&str>| {
        MediaType::parse_accept(header).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    for (header, expected) in [
        (None, "*/*"),
        (Some("text/csv"), "text/csv"),
        (Some("text/csv;q=0.1, application/json"), "application/json text/csv"),
        (Some("text/csv; q=0.8, application/json;q=0.9"), "application/json text/csv"),
        (Some("*/*, text/csv"), "text/csv */*"),
        (Some("text/csv, text/plain"), "text/csv text/plain"),
        (Some("text/csv;q=x, text/plain"), "text/csv text/plain"),
        (Some("text/html,application/xml;q=0.9,*/*;q=0.8"), "text/html application/xml */*"),
    ] {
        assert_eq!(accepted(header), expected, "{header:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic(
        verb in "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|\\PC{0,3}",
        path in "(/|/rpc/|/rest/v1/)?\\PC{0,6}",
        query in "((select|a|b.or|and|order|limit|a.offset|columns|not.or)=?(\\PC|[.,:()!>\"%{}\\\\*-]){0,24}&?){0,4}",
        media in "application/json|text/csv|application/x-www-form-urlencoded|text/plain|\\PC{0,8}",
        header in "\\PC{0,12}",
        body in proptest::collection::vec(any::<u8>(), 0..32),
    ) {
        let headers: Vec<(String, String)> = ["range", "prefer", "accept", "accept-profile"]
            .into_iter()
            .map(|name| (name.to_owned(), header.clone()))
            .chain([("content-type".to_owned(), media)])
            .collect();
        let raw = Raw { method: verb, path, query, headers, body: Bytes::from(body) };
        let _ = Request::parse(&raw);
    }

    #[test]
    fn any_value_survives_encoding_and_the_canonical_query_is_stable(value in "[^\\x00]{0,16}") {
        let encoded: String = utf8_percent_encode(&value, NON_ALPHANUMERIC).collect();
        let request = get(&format!("/rpc/f?b={encoded}&a=+{encoded}")).unwrap_or_else(|error| panic!("{error}"));
        let again = get(&format!("/rpc/f?{}", request.canonical_query)).unwrap();
        prop_assert_eq!(&again.canonical_query, &request.canonical_query);
        // An operator at the front makes it a filter, so only what is no operator can be compared.
        if let Some((_, argument)) = request.arguments.iter().find(|(name, _)| name == "a") {
            prop_assert_eq!(argument, &format!(" {value}"));
        }
    }
}
