use std::collections::BTreeMap;

use super::*;
use crate::auth::Identity;
use crate::catalog::type_name::Origin as TypeOrigin;
use crate::catalog::{Column, Generated, Grant, Kind, Table, TypeName, ViewQuery, ViewRights};

use crate::plan::{AccessMode, Authorized, Condition, Engine, Guard, Settings, Streaming, TransactionOverride};
use crate::request::prefer::TransactionEnd;
use crate::request::{Origin, Raw, Request};

fn name(table: &str) -> QualifiedName {
    QualifiedName::new("public", table)
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        type_name: TypeName::parse("text", TypeOrigin::Postgres),
        nullable: true,
        default: None,
        generated: Generated::No,
        enum_values: Vec::new(),
        comment: None,
    }
}

fn table(of: &str, kind: Kind) -> Table {
    Table {
        name: name(of),
        kind,
        comment: None,
        columns: ["id", "owner", "body"].into_iter().map(column).collect(),
        primary_key: vec!["id".to_owned()],
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        insertable: true,
        updatable: true,
        deletable: true,
    }
}

/// A condition on `owner` that reads these tables.
fn expression(sql: &str, reads: &[&str]) -> Arc<Expression> {
    let columns = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<String>>();
    Arc::new(Expression {
        sql: sql.to_owned(),
        has_query: !reads.is_empty(),
        columns: columns(&["owner"]),
        reads: reads.iter().map(|table| (name(table), columns(&["owner"]))).collect(),
        trusted: Reads::new(),
        calls: BTreeMap::new(),
    })
}

fn policy(name: &str, command: Option<Privilege>, role: &str) -> Policy {
    Policy {
        name: name.to_owned(),
        kind: PolicyKind::Permissive,
        command,
        roles: vec![role.to_owned()],
        using: Some(expression(name, &[])),
        check: None,
    }
}

fn restrictive(policy: Policy) -> Policy {
    Policy { kind: PolicyKind::Restrictive, ..policy }
}

fn reading(name: &str, reads: &[&str]) -> Policy {
    Policy { using: Some(expression(name, reads)), ..policy(name, None, "public") }
}

fn secured(policies: Vec<Policy>) -> RowSecurity {
    RowSecurity { policies, ..RowSecurity::default() }
}

/// Tables `notes` and `members` and a view `shown`, all granted to everyone.
fn catalog(security: Vec<(&str, RowSecurity)>) -> Catalog {
    let tables = [table("notes", Kind::Table), table("members", Kind::Table), table("shown", Kind::View)];
    let privileges = [Privilege::Select, Privilege::Insert, Privilege::Update, Privilege::Delete];
    let grant = |table: &Table, privilege| Grant {
        grantee: "public".to_owned(),
        table: table.name.clone(),
        privilege,
        columns: None,
    };
    let roles = [("web", vec![]), ("lead", vec!["web".to_owned()]), ("free", vec![])];
    Catalog {
        grants: tables.iter().flat_map(|table| privileges.map(|privilege| grant(table, privilege))).collect(),
        tables: tables.into_iter().map(|table| (table.name.clone(), table)).collect(),
        roles: roles.into_iter().map(|(role, of)| (role.to_owned(), of)).collect(),
        bypassing_roles: BTreeSet::from(["free".to_owned()]),
        row_security: security.into_iter().map(|(table, security)| (name(table), security)).collect(),
        ..Catalog::default()
    }
}

fn with_view(catalog: Catalog, rights: ViewRights) -> Catalog {
    let reads = Reads::from([(name("notes"), BTreeSet::from(["id".to_owned()]))]);
    let query = ViewQuery { rights, sql: " SELECT id FROM notes".to_owned(), reads };
    Catalog { view_queries: BTreeMap::from([(name("shown"), query)]), ..catalog }
}

fn request(method: &str, target: &str) -> Request {
    preferring(method, target, "")
}

fn preferring(method: &str, target: &str, prefer: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = matches!(method, "POST" | "PATCH").then_some(r#"{"body":"x"}"#).unwrap_or_default();
    let raw = Raw {
        method: method.to_owned(),
        path: format!("/{path}"),
        query: query.to_owned(),
        headers: vec![("prefer".to_owned(), prefer.to_owned())],
        body: body.into(),
    };
    Request::parse(&raw).unwrap()
}

fn rules_of(request: Request, role: &str, catalog: &Catalog) -> Result<Authorized, Error> {
    let settings = Settings {
        engine: Engine::Sqlite,
        schemas: vec!["public".to_owned()],
        max_rows: None,
        streaming: Streaming::No,
        aggregates: true,
        root: crate::plan::Root::Usable,
        plans: false,
        target_names: crate::plan::TargetNames::Legacy,
        access: AccessMode::Closed,
        transaction_end: TransactionEnd::Commit,
        transaction_override: TransactionOverride::Heeded,
    };
    let identity = Identity { role: role.to_owned(), claims: String::new(), authenticated: true };
    let plan = Plan::make(request, role, catalog, &settings).unwrap();
    Authorized::authorize(plan, &identity, catalog, &settings, Origin::default())
}

fn rules(request: Request, role: &str, catalog: &Catalog) -> Rules {
    rules_of(request, role, catalog).unwrap().rules().clone()
}

/// `any of these | each of those`, of what a name stands for.
fn told(rules: &Rules, relation: &str) -> Option<String> {
    let shown = rules.shown.iter().find(|shown| shown.relation.name == relation)?;
    match &shown.source {
        Source::Rows { rule, .. } => Some(tell(rule)),
        Source::Query { .. } => Some("query".to_owned()),
        Source::Itself(_) => Some("itself".to_owned()),
    }
}

fn tell(rule: &Rule) -> String {
    let list = |of: &[Arc<Expression>]| of.iter().map(|of| of.sql.as_str()).collect::<Vec<_>>().join(" ");
    format!("{} | {}", list(&rule.permissive), list(&rule.restrictive))
}

fn messages(checks: &[Check]) -> Vec<&str> {
    checks.iter().map(|check| check.message.as_str()).collect()
}

#[test]
fn permissive_policies_are_alternatives_and_restrictive_ones_all_hold() {
    let select = Some(Privilege::Select);
    let all = vec![
        policy("a", select, "web"),
        policy("b", None, "public"),
        policy("c", Some(Privilege::Update), "web"),
        policy("d", select, "other"),
        restrictive(policy("e", select, "web")),
        restrictive(policy("f", None, "public")),
    ];
    let catalog = catalog(vec![("notes", secured(all))]);
    assert_eq!(told(&rules(request("GET", "notes"), "web", &catalog), "notes").unwrap(), "a b | e f");
    // A member has the policies of what it is a member of.
    assert_eq!(told(&rules(request("GET", "notes"), "lead", &catalog), "notes").unwrap(), "a b | e f");
    assert!(rules(request("GET", "notes"), "free", &catalog).is_empty());
    assert!(rules(request("GET", "members"), "web", &catalog).is_empty());
}

#[test]
fn without_a_permissive_policy_there_are_no_rows() {
    let none = catalog(vec![("notes", secured(Vec::new()))]);
    assert_eq!(told(&rules(request("GET", "notes"), "web", &none), "notes").unwrap(), " | ");
    let only_restrictive = catalog(vec![("notes", secured(vec![restrictive(policy("a", None, "public"))]))]);
    let rules = rules(request("POST", "notes"), "web", &only_restrictive);
    assert_eq!(messages(&rules.write.inserted), ["new row violates row-level security policy for table \"notes\""]);
    assert!(rules.write.inserted[0].any.is_empty());
}

#[test]
fn a_write_that_reads_must_leave_what_it_may_read() {
    let policies = vec![
        policy("see", Some(Privilege::Select), "web"),
        Policy { check: Some(expression("checked", &[])), ..policy("change", Some(Privilege::Update), "web") },
        policy("remove", Some(Privilege::Delete), "web"),
        restrictive(policy("strict", Some(Privilege::Update), "web")),
    ];
    let catalog = catalog(vec![("notes", secured(policies))]);
    let existing = |rules: &Rules| rules.write.existing.iter().map(tell).collect::<Vec<_>>();
    let rules_for = |request| rules(request, "web", &catalog);

    let blind = rules_for(request("PATCH", "notes"));
    assert_eq!(existing(&blind), ["change | strict"]);
    let texts = |checks: &[Check]| checks.iter().map(|check| check.any[0].sql.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&blind.write.updated), ["checked", "strict"]);
    assert_eq!(
        messages(&blind.write.updated)[1],
        "new row violates row-level security policy \"strict\" for table \"notes\""
    );

    let seeing = rules_for(preferring("PATCH", "notes?select=*", "return=representation"));
    assert_eq!(existing(&seeing), ["change | strict", "see | "]);
    assert_eq!(texts(&seeing.write.updated), ["checked", "strict", "see"]);
    assert_eq!(existing(&rules_for(request("DELETE", "notes"))), ["remove | "]);
}

#[test]
fn an_upsert_is_an_insert_and_may_be_an_update_of_what_is_there() {
    let policies = ["i", "u", "s"]
        .into_iter()
        .zip([Privilege::Insert, Privilege::Update, Privilege::Select])
        .map(|(name, of)| policy(name, Some(of), "web"));
    let catalog = catalog(vec![("notes", secured(policies.collect()))]);
    let write = rules(preferring("POST", "notes", "resolution=merge-duplicates"), "web", &catalog).write;
    let texts = |checks: &[Check]| checks.iter().map(|check| check.any[0].sql.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&write.inserted), ["i", "s"]);
    assert_eq!(texts(&write.conflicting), ["u", "s"]);
    assert_eq!(texts(&write.updated), ["u", "s"]);
    let violation = "new row violates row-level security policy (USING expression) for table \"notes\"";
    assert_eq!(messages(&write.conflicting), [violation, violation]);
}

#[test]
fn what_a_policy_reads_must_be_granted_and_has_policies_of_its_own() {
    let security = || {
        vec![
            ("notes", secured(vec![reading("team", &["members"])])),
            ("members", secured(vec![policy("own", None, "public")])),
        ]
    };
    let granted = catalog(security());
    let found = rules(request("GET", "notes"), "web", &granted);
    assert_eq!(told(&found, "notes").unwrap(), "team | ");
    assert_eq!(told(&found, "members").unwrap(), "own | ");
    assert!(found.looks_elsewhere() && found.reads("members", "owner") && !found.reads("members", "body"));

    let mut denied = catalog(security());
    denied.grants.retain(|grant| grant.table != name("members"));
    let Err(Error::Sqlstate { code, message, .. }) = rules_of(request("GET", "notes"), "web", &denied) else {
        panic!("it was allowed")
    };
    assert_eq!((code, message.as_str()), ("42501", "permission denied for table members"));
}

#[test]
fn a_policy_that_leads_to_itself_is_refused() {
    for security in [
        vec![("notes", secured(vec![reading("self", &["notes"])]))],
        vec![
            ("notes", secured(vec![reading("there", &["members"])])),
            ("members", secured(vec![reading("back", &["notes"])])),
        ],
    ] {
        let catalog = catalog(security);
        for method in ["GET", "DELETE", "POST"] {
            let Err(Error::Sqlstate { code, .. }) = rules_of(request(method, "notes"), "web", &catalog) else {
                panic!("{method:?} was allowed")
            };
            assert_eq!(code, "42P17");
        }
    }
}

#[test]
fn a_view_reads_with_its_owners_rights_unless_it_says_otherwise() {
    let security =
        |forced| RowSecurity { forced, ..secured(vec![policy("own", None, "web"), policy("all", None, "public")]) };
    let get = || request("GET", "shown");
    let plain = with_view(catalog(vec![("notes", security(false))]), ViewRights::Owner);
    assert!(rules(get(), "web", &plain).is_empty());

    let forced = with_view(catalog(vec![("notes", security(true))]), ViewRights::Owner);
    let found = rules(get(), "web", &forced);
    assert_eq!(told(&found, "notes"), None, "outside of the view nothing changes");
    let Source::Query { within, .. } = &found.shown[0].source else { panic!("{found:?}") };
    let Source::Rows { rule, .. } = &within[0].source else { panic!("{found:?}") };
    assert_eq!(tell(rule), "all | ");

    let invoker = with_view(catalog(vec![("notes", security(false))]), ViewRights::Invoker);
    let found = rules(get(), "web", &invoker);
    assert_eq!(
        (told(&found, "shown").unwrap(), told(&found, "notes").unwrap()),
        ("query".to_owned(), "own all | ".to_owned())
    );
    let mut denied = invoker;
    denied.grants.retain(|grant| grant.table != name("notes"));
    assert!(rules_of(get(), "web", &denied).is_err());
}

#[test]
fn a_pattern_is_looked_at_behind_the_policy() {
    let catalog = catalog(vec![("notes", secured(vec![policy("own", None, "public")]))]);
    let with = |method, filter: &str| rules_of(request(method, &format!("notes?{filter}")), "web", &catalog).unwrap();
    let is_guarded = |condition: &Condition| matches!(condition, Condition::And(children) if matches!(children.as_slice(), [Condition::Behind(..)]));
    let read = with("GET", "body=like.x");
    let Action::Read(of) = &read.plan().action else { panic!("no read") };
    assert!(is_guarded(&of.node.filter));
    let Source::Rows { mark, .. } = &read.rules().shown[0].source else { panic!("no rows") };
    assert_eq!(mark.as_deref(), Some("berth_shown"));
    let equal = with("GET", "body=eq.x");
    let Action::Read(of) = &equal.plan().action else { panic!("no read") };
    assert!(!is_guarded(&of.node.filter), "a key would not be used");

    let delete = with("DELETE", "body=match.x");
    let Action::Delete(of) = &delete.plan().action else { panic!("no delete") };
    let Condition::And(children) = &of.filter else { panic!("no filter") };
    assert!(matches!(children.as_slice(), [Condition::Behind(Guard::Rules(rules), _)] if rules.len() == 2));
}
