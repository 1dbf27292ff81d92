//! Reads: names, media types, selects, filters, orders.

use std::collections::BTreeMap;

use super::*;
use crate::catalog::{BodySource, MediaHandlers};
use crate::plan::error::Better;
use crate::request::OrderTerm;
use crate::request::filter::LogicTree;
use crate::request::order::{Direction, Nulls};
use crate::request::prefer::{Handling, Resolution};
use crate::request::select::Aggregate;

pub(super) fn read(plan: Result<Plan, Error>) -> Read {
    match plan.expect("the request can be planned").action {
        Action::Read(read) => read,
        other => panic!("expected a read, got {other:?}"),
    }
}

pub(super) fn get() -> Request {
    request(Method::Get, "films")
}

pub(super) fn get_where(filter: Filter) -> Request {
    Request { filters: vec![at_top(filter)], ..get() }
}

#[test]
fn a_table_that_is_not_there_is_answered_with_a_close_name() {
    for (asked, suggestion) in [("film", Some("films")), ("nothing_like_it", None)] {
        let expected = Error::TableNotFound {
            schema: "public".to_owned(),
            name: asked.to_owned(),
            suggestion: suggestion.map(str::to_owned),
        };
        for method in [Method::Get, Method::Post, Method::Options] {
            assert_eq!(sqlite(request(method, asked)), Err(expected.clone()));
        }
    }
}

#[test]
fn the_profile_picks_the_schema_and_is_named_when_it_was_sent_or_several_are_exposed() {
    let several = Settings { schemas: vec!["public".to_owned(), "other".to_owned()], ..settings(Engine::Postgres) };
    let one = settings(Engine::Postgres);
    let ask = |profile: Option<&str>, settings: &Settings| {
        Plan::make(Request { profile: profile.map(str::to_owned), ..get() }, "anon", &catalog(), settings)
    };
    assert_eq!(ask(None, &one).expect("planned").profile, None);
    assert_eq!(ask(Some("public"), &one).expect("planned").profile.as_deref(), Some("public"));
    assert_eq!(ask(None, &several).expect("planned").profile.as_deref(), Some("public"));
    assert!(matches!(ask(Some("other"), &several), Err(Error::TableNotFound { schema, .. }) if schema == "other"));
    let unknown = Error::UnknownSchema { schema: "hidden".to_owned(), exposed: several.schemas.clone() };
    assert_eq!(ask(Some("hidden"), &several), Err(unknown));
}

#[test]
fn the_first_media_type_that_can_be_given_is_chosen() {
    let plan_type = MediaType::Plan { of: Box::new(MediaType::Json), json: true, options: Vec::new() };
    for (accept, expected) in [
        (vec![MediaType::Any], MediaType::Json),
        (vec![MediaType::ArrayJson { strip_nulls: false }], MediaType::Json),
        (vec![MediaType::Other("text/html".to_owned()), MediaType::Csv, MediaType::Json], MediaType::Csv),
        (vec![plan_type.clone(), MediaType::Json], MediaType::Json),
    ] {
        assert_eq!(sqlite(Request { accept, ..get() }).expect("planned").media, expected);
    }
    let refused = Request { accept: vec![MediaType::Other("text/html".to_owned()), MediaType::Xml], ..get() };
    assert_eq!(sqlite(refused), Err(Error::MediaType(vec!["text/html".to_owned(), "text/xml".to_owned()])));
    let asked = || Request { accept: vec![plan_type.clone()], ..get() };
    assert_eq!(sqlite(asked()), Err(Error::MediaType(vec![plan_type.to_string()])), "it is switched off");
    let on = Settings { plans: true, ..settings(Engine::Sqlite) };
    assert_eq!(Plan::make(asked(), "anon", &catalog(), &on).expect("planned").media, plan_type);
    let analyzed = MediaType::Plan { of: Box::new(MediaType::Json), json: true, options: vec!["analyze".to_owned()] };
    let analyzed = Request { accept: vec![analyzed], ..get() };
    assert!(matches!(Plan::make(analyzed, "anon", &catalog(), &on), Err(Error::NotImplemented(_))));
}

#[test]
fn what_the_database_makes_comes_before_what_berth_makes() {
    let aggregate = |name: &str| Some(QualifiedName::new("public", name));
    let made = |source, media: &str, function| (source, BTreeMap::from([(media.to_owned(), function)]));
    let films = QualifiedName::new("public", "films");
    let by_source = BTreeMap::from([
        made(BodySource::Rows(films.clone()), "text/csv", aggregate("films_csv")),
        made(BodySource::Rows(QualifiedName::new("public", "ratings")), "*/*", aggregate("anything")),
        made(BodySource::AnyRows, "text/html", aggregate("html")),
    ]);
    let catalog = Catalog { media_handlers: MediaHandlers { by_source, has_geojson: false }, ..catalog() };
    let chosen = |table: &str, media: &str, columns: &str| {
        let resource = Resource::Relation(table.to_owned());
        let request =
            Request { resource, accept: vec![MediaType::parse(media)], select: vec![select(columns)], ..get() };
        let plan = Plan::make(request, "anon", &catalog, &settings(Engine::Postgres)).ok()?;
        let maker = plan.maker.map(|maker| match maker {
            Maker::Value => "the value".to_owned(),
            Maker::Aggregate { function, of } => {
                format!("{}({})", function.name, of.map_or_else(String::new, |of| of.name))
            }
        });
        Some((plan.media.to_string(), maker.unwrap_or_default()))
    };
    for (table, media, columns, expected) in [
        ("films", "text/csv", "*", Some(("text/csv", "films_csv(films)"))),
        ("films", "text/csv", "title", Some(("text/csv", ""))),
        ("films", "text/html", "title", Some(("text/html", "html()"))),
        ("films", "text/plain", "*", None),
        ("ratings", "application/json", "*", Some(("application/octet-stream", "anything(ratings)"))),
        ("ratings", "application/vnd.pgrst.object", "*", Some(("application/vnd.pgrst.object+json", ""))),
    ] {
        let expected = expected.map(|(media, maker)| (media.to_owned(), maker.to_owned()));
        assert_eq!(chosen(table, media, columns), expected, "{table} {media} {columns}");
    }
}

#[test]
fn one_object_is_expected_when_one_is_asked_for() {
    let singular = Request { accept: vec![MediaType::ObjectJson { strip_nulls: false }], ..get() };
    assert!(read(sqlite(singular)).expect.singular);
    assert!(!read(sqlite(get())).expect.singular);
}

#[test]
fn a_star_becomes_all_columns_and_may_stand_beside_others() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let wanted = Request { select: vec![select("title"), select("*")], ..get() };
        let names: Vec<String> = read(make(wanted, engine)).node.select.into_iter().map(|item| item.name).collect();
        let all = ["title", "id", "title", "year", "seen", "notes", "data", "tags", "director_id"];
        assert_eq!(names, all);
    }
}

#[test]
fn a_way_into_json_is_named_by_its_last_key() {
    for (path, alias, expected) in [
        (vec![], None, "data"),
        (vec![], Some("renamed"), "renamed"),
        (vec![key(Arrow::Text, "phone")], None, "phone"),
        (vec![index(Arrow::Json, 1), key(Arrow::Json, "phone"), index(Arrow::Text, 0)], None, "phone"),
        (vec![index(Arrow::Json, 3)], None, "data"),
        (vec![key(Arrow::Text, "phone")], Some("renamed"), "renamed"),
    ] {
        let item = SelectItem::Field {
            field: Field { name: "data".to_owned(), path },
            aggregate: None,
            aggregate_cast: None,
            cast: None,
            alias: alias.map(str::to_owned),
        };
        let node = read(sqlite(Request { select: vec![item], ..get() })).node;
        assert_eq!(node.select.first().map(|item| item.name.as_str()), Some(expected));
    }
}

fn cast_to(name: &str) -> Request {
    let item = SelectItem::Field {
        field: field("year"),
        aggregate: None,
        aggregate_cast: None,
        cast: Some(name.to_owned()),
        alias: None,
    };
    Request { select: vec![item], ..get() }
}

#[test]
fn a_cast_goes_to_a_known_type_or_to_what_the_server_knows() {
    let cast = |engine, name: &str| {
        let node = read(make(cast_to(name), engine)).node;
        node.select.into_iter().next().and_then(|item| item.cast).expect("a cast")
    };
    assert_eq!(cast(Engine::Sqlite, "INT8"), TypeName { declared: "bigint".to_owned(), kind: TypeKind::BigInt });
    assert_eq!(cast(Engine::Postgres, "mood"), TypeName { declared: "mood".to_owned(), kind: TypeKind::Other });
    let unknown = ("42704", "type \"mood\" does not exist".to_owned());
    assert_eq!(server_words(sqlite(cast_to("mood"))), unknown);
    assert_eq!(server_words(postgres(cast_to("int); drop table films --"))).0, "42704");
}

#[test]
fn an_unknown_column_is_answered_as_postgres_does_and_on_postgres_by_postgres() {
    let order = OrderTerm { relation: None, field: field("nope"), direction: None, nulls: None };
    for wanted in [
        Request { select: vec![select("nope")], ..get() },
        get_where(equal("nope", "1")),
        Request { order: vec![at_top(vec![order])], ..get() },
    ] {
        let words = ("42703", "column films.nope does not exist".to_owned());
        assert_eq!(server_words(sqlite(wanted.clone())), words);
        assert!(postgres(wanted).is_ok(), "it may be a computed field");
    }
}

#[test]
fn nulls_come_last_upwards_and_first_downwards_unless_the_request_says() {
    for (direction, nulls, expected) in [
        (None, None, (Direction::Ascending, Nulls::Last)),
        (Some(Direction::Ascending), Some(Nulls::First), (Direction::Ascending, Nulls::First)),
        (Some(Direction::Descending), None, (Direction::Descending, Nulls::First)),
        (Some(Direction::Descending), Some(Nulls::Last), (Direction::Descending, Nulls::Last)),
    ] {
        let term = OrderTerm { relation: None, field: field("year"), direction, nulls };
        let order = read(sqlite(Request { order: vec![at_top(vec![term])], ..get() })).node.order;
        assert_eq!(order.first().map(|order| (order.direction, order.nulls)), Some(expected));
    }
}

#[test]
fn the_greatest_number_of_rows_limits_every_read() {
    let bounded = Settings { max_rows: Some(10), ..settings(Engine::Sqlite) };
    for (limit, expected) in [(None, 10), (Some(3), 3), (Some(30), 10)] {
        let wanted = Request { range: Range { offset: 5, limit }, ..get() };
        let node = read(Plan::make(wanted, "anon", &catalog(), &bounded)).node;
        assert_eq!(node.range, Range { offset: 5, limit: Some(expected) });
    }
}

#[test]
fn lines_are_streamed_up_to_a_bound_of_their_own_where_they_may_be() {
    let settings = |streaming| Settings { max_rows: Some(10), streaming, ..settings(Engine::Sqlite) };
    let lines = || Request { accept: vec![MediaType::NdJson], ..get() };
    let by_key = Request { filters: vec![at_top(equal("id", "1"))], ..lines() };
    let free = settings(Streaming::Rows { at_most: None });
    for (wanted, settings, streamed, limit) in [
        (lines(), &free, true, None),
        (lines(), &settings(Streaming::Rows { at_most: Some(20) }), true, Some(20)),
        (lines(), &settings(Streaming::No), false, Some(10)),
        (get(), &free, false, Some(10)),
        (by_key, &free, false, None),
    ] {
        let read = read(Plan::make(wanted, "anon", &catalog(), settings));
        assert_eq!((read.streamed, read.node.range.limit, read.max_rows), (streamed, limit, Some(10)));
    }
}

#[test]
fn a_read_is_by_key_when_every_key_column_is_compared_with_one_value() {
    let ratings = |filters: Vec<Filter>| Request {
        filters: filters.into_iter().map(at_top).collect(),
        ..request(Method::Get, "ratings")
    };
    let negated = Filter { negated: true, ..equal("person", "ann") };
    let whole = || vec![equal("film", "1"), equal("person", "ann")];
    let tree = LogicTree::Leaf(equal("stars", "5"));
    for (wanted, expected) in [
        (ratings(whole()), true),
        (ratings([whole(), vec![equal("stars", "5")]].concat()), true),
        (ratings(vec![equal("film", "1")]), false),
        (ratings(vec![equal("film", "1"), negated]), false),
        (Request { logic: vec![at_top(tree)], ..ratings(whole()) }, false),
        (request(Method::Get, "films_view"), false),
    ] {
        assert_eq!(read(sqlite(wanted.clone())).by_key, expected, "{:?}", wanted.filters);
    }
}

#[test]
fn parameters_of_what_is_not_embedded_are_refused() {
    let path = vec!["actors".to_owned()];
    let term = OrderTerm { relation: Some("actors".to_owned()), field: field("id"), direction: None, nulls: None };
    for wanted in [
        Request { filters: vec![(path.clone(), equal("id", "1"))], ..get() },
        Request { logic: vec![(path.clone(), LogicTree::Leaf(equal("id", "1")))], ..get() },
        Request { order: vec![(path.clone(), Vec::new())], ..get() },
        Request { embed_ranges: vec![(path.clone(), Range::ALL)], ..get() },
        Request { order: vec![at_top(vec![term])], ..get() },
    ] {
        assert_eq!(sqlite(wanted), Err(Error::NotEmbedded { name: "actors".to_owned(), alias: None }));
    }
}

#[test]
fn an_embed_needs_a_relation() {
    let embed = |name: &str| {
        let relation = SelectItem::Relation {
            name: name.to_owned(),
            alias: None,
            hint: None,
            join: None,
            select: vec![select("*")],
        };
        sqlite(Request { select: vec![relation], ..get() })
    };
    let expected = Error::NoRelationship {
        parent: "films".to_owned(),
        child: "director".to_owned(),
        schema: "public".to_owned(),
        hint: None,
        suggestion: Some(Box::new(Better { name: "directors".to_owned(), than: "director".to_owned() })),
    };
    assert_eq!(embed("director"), Err(expected));
    for known in ["directors", "films_director_id_fkey", "director_id"] {
        assert!(embed(known).is_ok(), "{known}");
    }
}

#[test]
fn a_table_without_relations_is_told_of_the_one_that_its_name_begins_with() {
    let directors =
        SelectItem::Relation { name: "directors".to_owned(), alias: None, hint: None, join: None, select: Vec::new() };
    let resource = Resource::Relation("films_view".to_owned());
    let expected = Error::NoRelationship {
        parent: "films_view".to_owned(),
        child: "directors".to_owned(),
        schema: "public".to_owned(),
        hint: None,
        suggestion: Some(Box::new(Better { name: "films".to_owned(), than: "films_view".to_owned() })),
    };
    assert_eq!(sqlite(Request { resource, select: vec![directors], ..get() }), Err(expected));
}

#[test]
fn aggregates_are_off_unless_switched_on() {
    let sum = SelectItem::Field {
        field: field("year"),
        aggregate: Some(Aggregate::Sum),
        aggregate_cast: None,
        cast: None,
        alias: None,
    };
    let wanted = Request { select: vec![sum], ..get() };
    assert_eq!(sqlite(wanted.clone()), Err(Error::AggregatesNotAllowed));
    let on = Settings { aggregates: true, ..settings(Engine::Sqlite) };
    assert!(Plan::make(wanted, "anon", &catalog(), &on).is_ok());
}

#[test]
fn a_count_without_parentheses_is_the_number_of_rows_where_it_stands_alone() {
    let count =
        SelectItem::Field { field: field("count"), aggregate: None, aggregate_cast: None, cast: None, alias: None };
    let alone = read(sqlite(Request { select: vec![count.clone()], ..get() }));
    let operands: Vec<_> = alone.node.select.iter().map(|of| of.aggregate.as_ref().map(|made| made.operand)).collect();
    assert_eq!(operands, [Some(Operand::Rows)]);
    let title =
        SelectItem::Field { field: field("title"), aggregate: None, aggregate_cast: None, cast: None, alias: None };
    let beside = sqlite(Request { select: vec![title, count], ..get() });
    assert_eq!(beside, Err(Error::sqlstate("42703", "column films.count does not exist".to_owned())));
}

#[test]
fn functions_are_not_found() {
    let wanted = Request { resource: Resource::Function("add".to_owned()), ..get() };
    let expected = Error::NoFunction {
        schema: "public".to_owned(),
        name: "add".to_owned(),
        arguments: Vec::new(),
        whole: None,
        suggestion: None,
    };
    assert_eq!(sqlite(wanted), Err(expected));
}

#[test]
fn the_root_is_described_and_tables_tell_their_verbs() {
    let root = |method| Request { resource: Resource::Root, ..request(method, "") };
    let described = sqlite(root(Method::Head)).expect("planned");
    assert_eq!(described.media, MediaType::OpenApi);
    assert_eq!(described.action, Action::Describe { schema: "public".to_owned(), headers_only: true });
    assert_eq!(sqlite(root(Method::Options)).expect("planned").action, Action::RootInfo);
    let refused = Request { accept: vec![MediaType::Csv], ..root(Method::Get) };
    assert_eq!(sqlite(refused), Err(Error::MediaType(vec!["text/csv".to_owned()])));
    let info = sqlite(request(Method::Options, "films")).expect("planned").action;
    assert!(matches!(info, Action::TableInfo(table) if table.name.name == "films"));
}

#[test]
fn preferences_of_writes_do_not_apply_to_reads() {
    let sent = Preferences {
        resolution: Some(Resolution::MergeDuplicates),
        representation: Some(Representation::Full),
        handling: Some(Handling::Strict),
        max_affected: Some(1),
        unknown: vec!["foo".to_owned()],
        ..Preferences::default()
    };
    let applied = sqlite(Request { preferences: sent, ..get() }).expect("planned").preferences;
    assert_eq!(applied, Preferences { handling: Some(Handling::Strict), ..Preferences::default() });
}

#[test]
fn a_zone_applies_however_the_request_is_handled_and_what_is_none_is_an_error() {
    let with = |zone: &str, handling| {
        let preferences = Preferences { timezone: Some(zone.to_owned()), handling, ..Preferences::default() };
        sqlite(Request { preferences, ..get() })
    };
    for handling in [None, Some(Handling::Strict), Some(Handling::Lenient)] {
        let plan = with("Europe/Berlin", handling).expect("planned");
        assert_eq!(plan.preferences.timezone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(plan.zone, Zone::read("Europe/Berlin").ok());
        assert!(matches!(with("Nowhere", handling), Err(Error::Sqlstate { code: "22023", .. })));
    }
}

/// As deep as embeds may be, and each asked for many times: without a bound, the plan would not fit any memory.
#[test]
fn what_each_level_asks_of_the_next_does_not_multiply() {
    let names = |level: usize| if level.is_multiple_of(2) { "directors" } else { "films" };
    let select = (0..14).rev().fold(Vec::new(), |select, level| {
        let name = names(level).to_owned();
        vec![SelectItem::Relation { name, alias: None, hint: None, join: None, select }]
    });
    let asked = |level: usize| Filter {
        field: field(names(level)),
        negated: true,
        operation: Operation::Is(crate::request::filter::IsValue::Null),
    };
    let path = |level: usize| (0..level).map(|level| names(level).to_owned()).collect::<Vec<_>>();
    let filters = (0..14).flat_map(|level| std::iter::repeat_n((path(level), asked(level)), 20)).collect();
    let refused = sqlite(Request { select, filters, ..get() });
    assert!(matches!(refused, Err(Error::NotImplemented(what)) if what.contains("filters on an embedded resource")));
}
