//! Who may have which plan run.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::auth::Identity;
use crate::catalog::{Grant, Privilege};
use crate::plan::authorize::narrowed;
use crate::request::Origin;
use crate::request::filter::{Filter, IsValue, Operation};
use crate::request::prefer::{Resolution, TransactionEnd};

fn identity(role: &str) -> Identity {
    Identity { role: role.to_owned(), claims: format!("{{\"role\":\"{role}\"}}"), authenticated: true }
}

fn origin() -> Origin {
    Origin { method: "GET".to_owned(), path: "/films".to_owned(), headers: "{}".to_owned(), cookies: String::new() }
}

fn grant(grantee: &str, privilege: Privilege, columns: Option<&[&str]>) -> Grant {
    Grant {
        grantee: grantee.to_owned(),
        table: QualifiedName::new("public", "films"),
        privilege,
        columns: columns.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
    }
}

fn with_grants(grants: Vec<Grant>) -> Catalog {
    let roles = [("anon", vec![]), ("editor", vec!["author"]), ("author", vec!["editor"])];
    let owned = |(role, groups): (&str, Vec<&str>)| (role.to_owned(), groups.into_iter().map(str::to_owned).collect());
    Catalog { grants, roles: roles.into_iter().map(owned).collect(), ..catalog() }
}

fn authorize(request: Request, role: &str, catalog: &Catalog, settings: &Settings) -> Result<Authorized, Error> {
    let plan = Plan::make(request, role, catalog, settings).expect("the request can be planned");
    Authorized::authorize(plan, &identity(role), catalog, settings, origin())
}

fn refusal(result: Result<Authorized, Error>) -> Option<(&'static str, String)> {
    match result {
        Ok(_) => None,
        Err(Error::Sqlstate { code, message, .. }) => Some((code, message)),
        Err(other) => panic!("expected an SQLSTATE, got {other:?}"),
    }
}

fn get_title() -> Request {
    Request { select: vec![select("title")], ..request(Method::Get, "films") }
}

#[test]
fn in_a_schema_that_a_role_may_not_use_nothing_is_granted() {
    let granted = with_grants(vec![grant("public", Privilege::Select, None)]);
    let users = BTreeMap::from([("public".to_owned(), BTreeSet::from(["author".to_owned()]))]);
    let closed = Catalog { schema_users: users, ..granted.clone() };
    let denied = Some(("42501", "permission denied for schema public".to_owned()));
    let ask = |role: &str, catalog: &Catalog, engine| {
        refusal(authorize(get_title(), role, catalog, &Settings { access: AccessMode::Closed, ..settings(engine) }))
    };
    assert_eq!(ask("anon", &granted, Engine::Sqlite), None);
    assert_eq!(ask("anon", &closed, Engine::Sqlite), denied);
    assert_eq!(ask("editor", &closed, Engine::Sqlite), None, "it is a member of one that may");
    assert_eq!(ask("anon", &closed, Engine::Postgres), None, "the server decides");
}

#[test]
fn that_a_body_brings_a_key_twice_is_told_to_those_only_who_may_write() {
    let ask = |catalog: &Catalog| {
        let upsert = Request {
            payload: body(r#"[{"id":1,"title":"a"},{"id":1,"title":"b"}]"#),
            preferences: Preferences { resolution: Some(Resolution::MergeDuplicates), ..Preferences::default() },
            ..request(Method::Post, "films")
        };
        refusal(authorize(upsert, "anon", catalog, &settings(Engine::Sqlite))).map(|(code, _)| code)
    };
    assert_eq!(ask(&with_grants(Vec::new())), Some("42501"));
    let writes = [Privilege::Select, Privilege::Insert, Privilege::Update];
    let granted = writes.map(|privilege| grant("anon", privilege, None)).to_vec();
    assert_eq!(ask(&with_grants(granted)), Some("21000"));
}

#[test]
fn all_columns_are_those_that_the_role_may_read() {
    let narrow = |columns| grant("anon", Privilege::Select, columns);
    let given = |grants: Vec<Grant>, role: &str, settings: &Settings| {
        let catalog = with_grants(grants);
        let catalog = Catalog { narrowed: narrowed(&catalog), ..catalog };
        let plan = Plan::make(request(Method::Get, "films"), role, &catalog, settings).expect("it can be planned");
        let Action::Read(read) = plan.action else { panic!("expected a read") };
        read.node.select.into_iter().map(|projection| projection.target.column).collect::<Vec<_>>()
    };
    let closed = settings(Engine::Sqlite);
    let all = given(Vec::new(), "anon", &closed);
    assert!(all.len() > 2, "{all:?}");
    // In the order of the table.
    assert_eq!(given(vec![narrow(Some(&["title", "id"]))], "anon", &closed), ["id", "title"]);
    assert_eq!(given(vec![narrow(Some(&["title"])), narrow(Some(&["id"]))], "anon", &closed), ["id", "title"]);
    assert_eq!(given(vec![narrow(Some(&["title"])), narrow(None)], "anon", &closed), all);
    assert_eq!(given(vec![narrow(Some(&["title"]))], "editor", &closed), all);
    let open = Settings { access: AccessMode::Open, ..closed };
    assert_eq!(given(vec![narrow(Some(&["title"]))], "anon", &open), all);
}

#[test]
fn nothing_granted_means_nothing_visible_on_sqlite() {
    let catalog = with_grants(Vec::new());
    let settings = settings(Engine::Sqlite);
    let denied = Some(("42501", "permission denied for table films".to_owned()));
    for method in [Method::Get, Method::Post, Method::Patch, Method::Delete] {
        let wanted = Request { payload: body("{\"year\":1}"), ..request(method, "films") };
        assert_eq!(refusal(authorize(wanted, "anon", &catalog, &settings)), denied);
    }
    assert_eq!(refusal(authorize(request(Method::Options, "films"), "anon", &catalog, &settings)), None);
}

#[test]
fn a_grant_reaches_the_role_its_members_and_with_public_everyone() {
    let settings = settings(Engine::Sqlite);
    for (grantee, role, allowed) in
        [("anon", "anon", true), ("public", "anon", true), ("author", "editor", true), ("editor", "anon", false)]
    {
        let catalog = with_grants(vec![grant(grantee, Privilege::Select, None)]);
        let refused = refusal(authorize(get_title(), role, &catalog, &settings));
        assert_eq!(refused.is_none(), allowed, "{grantee} to {role}");
    }
}

#[test]
fn an_unknown_role_is_refused_on_sqlite() {
    let catalog = with_grants(vec![grant("public", Privilege::Select, None)]);
    let refused = refusal(authorize(get_title(), "nobody", &catalog, &settings(Engine::Sqlite)));
    assert_eq!(refused, Some(("22023", "role \"nobody\" does not exist".to_owned())));
    let on_postgres = authorize(get_title(), "nobody", &catalog, &settings(Engine::Postgres));
    assert_eq!(refusal(on_postgres), None);
}

#[test]
fn grants_on_columns_reach_no_further() {
    let catalog = with_grants(vec![
        grant("anon", Privilege::Select, Some(&["title"])),
        grant("anon", Privilege::Select, Some(&["year"])),
    ]);
    let settings = settings(Engine::Sqlite);
    let by =
        |name: &str| crate::request::OrderTerm { relation: None, field: field(name), direction: None, nulls: None };
    for (wanted, allowed) in [
        (get_title(), true),
        (Request { select: vec![select("title"), select("year")], ..get_title() }, true),
        (Request { select: Vec::new(), ..get_title() }, true),
        (Request { select: vec![select("*")], ..get_title() }, false),
        (Request { filters: vec![at_top(equal("id", "1"))], ..get_title() }, false),
        (Request { filters: vec![at_top(equal("year", "1"))], ..get_title() }, true),
        (Request { order: vec![at_top(vec![by("id")])], ..get_title() }, false),
    ] {
        assert_eq!(refusal(authorize(wanted.clone(), "anon", &catalog, &settings)).is_none(), allowed, "{wanted:?}");
    }
}

#[test]
fn what_is_embedded_needs_the_columns_it_shows_and_those_it_is_found_by() {
    let settings = settings(Engine::Sqlite);
    let directors = |columns: Option<&[&str]>| Grant {
        table: QualifiedName::new("public", "directors"),
        ..grant("anon", Privilege::Select, columns)
    };
    let films = |columns: &[&str]| grant("anon", Privilege::Select, Some(columns));
    let embed =
        |select| SelectItem::Relation { name: "directors".to_owned(), alias: None, hint: None, join: None, select };
    let wanted = |below| Request { select: vec![select("title"), embed(below)], ..get_title() };
    let absent = || Request {
        select: vec![select("title"), embed(Vec::new())],
        filters: vec![at_top(Filter {
            field: field("directors"),
            negated: false,
            operation: Operation::Is(IsValue::Null),
        })],
        ..get_title()
    };
    for (wanted, grants, allowed) in [
        (wanted(vec![select("id")]), vec![films(&["title", "director_id"]), directors(None)], true),
        (wanted(vec![select("id")]), vec![films(&["title", "director_id"])], false),
        (wanted(vec![select("id")]), vec![films(&["title"]), directors(None)], false),
        (absent(), vec![films(&["title", "director_id"]), directors(Some(&["id"]))], true),
        (absent(), vec![films(&["title", "director_id"])], false),
    ] {
        let refused = refusal(authorize(wanted.clone(), "anon", &with_grants(grants.clone()), &settings));
        assert_eq!(refused.is_none(), allowed, "{wanted:?} with {grants:?}");
    }
}

#[test]
fn a_write_needs_its_privilege_and_select_on_what_it_reads() {
    use Privilege::{Delete, Insert, Select, Update};
    let settings = settings(Engine::Sqlite);
    let post = || Request { payload: body("{\"year\":1}"), ..request(Method::Post, "films") };
    let returning = Preferences { representation: Some(Representation::Full), ..Preferences::default() };
    let merging = Preferences { resolution: Some(Resolution::MergeDuplicates), ..Preferences::default() };
    let delete = || request(Method::Delete, "films");
    let filtered = || Request { filters: vec![at_top(equal("id", "1"))], ..delete() };
    let patch = || Request { method: Method::Patch, ..post() };
    let cases: [(Request, &[Privilege], bool); 12] = [
        (post(), &[Insert], true),
        (post(), &[Select, Update, Delete], false),
        (Request { preferences: returning.clone(), ..post() }, &[Insert], false),
        (Request { preferences: returning.clone(), ..post() }, &[Insert, Select], true),
        (Request { preferences: merging.clone(), ..post() }, &[Insert, Select], false),
        (Request { preferences: merging.clone(), ..post() }, &[Insert, Update], false),
        (Request { preferences: merging, ..post() }, &[Insert, Update, Select], true),
        (delete(), &[Delete], true),
        (filtered(), &[Delete], false),
        (filtered(), &[Delete, Select], true),
        (patch(), &[Update], true),
        (Request { preferences: returning, ..patch() }, &[Update], false),
    ];
    for (wanted, privileges, allowed) in cases {
        let grants = privileges.iter().map(|&privilege| grant("anon", privilege, None)).collect();
        let refused = refusal(authorize(wanted.clone(), "anon", &with_grants(grants), &settings));
        assert_eq!(refused.is_none(), allowed, "{:?} with {privileges:?}", wanted.method);
    }
    let narrow = with_grants(vec![grant("anon", Insert, Some(&["title"]))]);
    assert!(refusal(authorize(post(), "anon", &narrow, &settings)).is_some());
}

#[test]
fn open_access_asks_no_grant_and_read_access_takes_no_write() {
    let catalog = catalog();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let post = || Request { payload: body("{\"year\":1}"), ..request(Method::Post, "films") };
        let open = Settings { access: AccessMode::Open, ..settings(engine) };
        let read = Settings { access: AccessMode::Read, ..settings(engine) };
        assert_eq!(refusal(authorize(post(), "anon", &catalog, &open)), None);
        assert_eq!(refusal(authorize(get_title(), "anon", &catalog, &read)), None);
        let denied = Some(("42501", "permission denied for table films".to_owned()));
        assert_eq!(refusal(authorize(post(), "anon", &catalog, &read)), denied);
    }
}

#[test]
fn the_session_tells_the_engine_who_asks_and_what_for() {
    let preferences = Preferences { transaction: Some(TransactionEnd::Rollback), ..Preferences::default() };
    let wanted = Request { preferences, ..request(Method::Delete, "films") };
    let closed = settings(Engine::Postgres);
    let authorized = authorize(wanted, "anon", &catalog(), &closed).expect("authorized");
    let session = authorized.session();
    assert_eq!(session.role.as_deref(), Some("anon"));
    assert_eq!(session.schema, "public");
    assert!(!session.read_only && session.rollback);
    let open = Settings { access: AccessMode::Open, ..closed.clone() };
    let authorized = authorize(get_title(), "anon", &catalog(), &open).expect("authorized");
    assert_eq!(authorized.session().role, None);
    assert!(authorized.session().read_only);
}

#[test]
fn a_dry_run_is_undone_however_transactions_end() {
    let both = Preferences { dry_run: true, transaction: Some(TransactionEnd::Commit), ..Preferences::default() };
    for transaction_override in [TransactionOverride::Heeded, TransactionOverride::Ignored] {
        let settings = Settings { transaction_override, ..settings(Engine::Postgres) };
        let wanted = Request { preferences: both.clone(), ..request(Method::Delete, "films") };
        let authorized = authorize(wanted, "anon", &catalog(), &settings).expect("authorized");
        assert!(authorized.session().rollback);
        let applied = &authorized.plan().preferences;
        assert_eq!((applied.dry_run, applied.transaction), (true, None));
    }
    let read = Request { preferences: both, ..get_title() };
    let authorized = authorize(read, "anon", &catalog(), &settings(Engine::Postgres)).expect("authorized");
    assert!(!authorized.session().rollback && !authorized.plan().preferences.dry_run);
}

#[test]
fn what_rows_are_told_apart_by_must_be_readable() {
    let wanted = || Request {
        select: vec![select("title")],
        distinct: Some(crate::request::Distinct::By(vec![field("year")])),
        ..request(Method::Get, "films")
    };
    let settings = settings(Engine::Sqlite);
    let granted = |columns: &[&str]| with_grants(vec![grant("anon", Privilege::Select, Some(columns))]);
    assert_eq!(refusal(authorize(wanted(), "anon", &granted(&["title", "year"]), &settings)), None);
    let denied = Some(("42501", "permission denied for table films".to_owned()));
    assert_eq!(refusal(authorize(wanted(), "anon", &granted(&["title"]), &settings)), denied);
}
