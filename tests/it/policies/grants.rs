//! Privileges on the schema and on functions, which every store must ask for alike.

use super::stores::{Sender, Stores};
use crate::differential::requests::Case;

/// Whoever may not use the schema may do nothing in it, whatever else was granted.
const SCHEMA_USERS: &str = "
    CREATE ROLE use_anon;
    CREATE ROLE use_in;
    CREATE ROLE use_member IN ROLE use_in;
    CREATE ROLE use_apart NOINHERIT;
    GRANT use_in TO use_apart;
    CREATE ROLE use_bypassing BYPASSRLS;
    CREATE ROLE use_no_more;
    CREATE TABLE shelves (id int PRIMARY KEY, name text);
    CREATE TABLE books (id int PRIMARY KEY, shelf_id int REFERENCES shelves, title text);
    CREATE VIEW titles AS SELECT id, title FROM books;
    CREATE FUNCTION count_books() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
        AS 'SELECT count(*) FROM public.books';
    CREATE FUNCTION all_books() RETURNS SETOF books LANGUAGE sql STABLE AS 'SELECT * FROM public.books';
    CREATE FUNCTION add_book(id int, title text) RETURNS void LANGUAGE sql
        AS 'INSERT INTO public.books (id, title) VALUES ($1, $2)';
    INSERT INTO shelves VALUES (1, 'a'), (2, 'b');
    INSERT INTO books VALUES (1, 1, 'one'), (2, NULL, 'two');
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PUBLIC;
    REVOKE UPDATE ON books FROM PUBLIC;
    REVOKE USAGE ON SCHEMA public FROM PUBLIC;
    GRANT CREATE ON SCHEMA public TO use_bypassing;
    GRANT USAGE, CREATE ON SCHEMA public TO use_in, use_no_more;
    REVOKE ALL ON SCHEMA public FROM use_no_more;";

#[test]
fn who_may_not_use_the_schema_may_do_nothing_in_it() {
    let Some(stores) = Stores::start("schema_users", SCHEMA_USERS, "use_anon") else { return };
    let mut compared = stores.compare();
    let roles = ["use_in", "use_member", "use_apart", "use_bypassing", "use_no_more"];
    let named = roles.map(|role| Sender::named(role, "ann"));
    for sender in std::iter::once(Sender::anonymous()).chain(named) {
        for case in in_the_schema() {
            compared.send(&sender, &case);
        }
    }
    let (allowed, refused) = compared.finish();
    assert!(allowed > 20 && refused > 40, "{allowed} allowed, {refused} refused");
}

fn in_the_schema() -> Vec<Case> {
    vec![
        Case::get("/books?order=id"),
        Case::get("/books?select=title,shelves(name)&order=id"),
        Case { method: "HEAD", ..Case::get("/books?id=eq.1") },
        Case::get("/titles?order=id"),
        Case::get("/rpc/count_books"),
        Case::get("/rpc/all_books?order=id"),
        Case::write("POST", "/rpc/add_book", r#"{"id":7,"title":"seven"}"#),
        Case::write("POST", "/books", r#"{"id":7,"title":"seven"}"#),
        Case::write("POST", "/books", r#"{"id":1,"title":"one"}"#),
        Case::write("POST", "/shelves", r#"{"id":1,"name":"z"}"#).prefer("resolution=merge-duplicates"),
        Case::write("PATCH", "/shelves?id=eq.1", r#"{"name":"z"}"#).prefer("return=representation"),
        Case::write("PATCH", "/books?id=eq.1", r#"{"title":"z"}"#),
        Case::write("DELETE", "/books?id=eq.2", ""),
        Case { method: "OPTIONS", ..Case::get("/books") },
    ]
}

#[test]
fn a_schema_that_was_closed_by_one_migration_is_opened_by_a_later_one() {
    let again = "GRANT USAGE ON SCHEMA public TO PUBLIC; REVOKE USAGE ON SCHEMA public FROM use_in;";
    let schema = format!("{SCHEMA_USERS} {again}").replace("use_", "reopened_");
    let Some(stores) = Stores::start("schema_reopened", &schema, "reopened_anon") else { return };
    let mut compared = stores.compare();
    for case in in_the_schema() {
        compared.send(&Sender::anonymous(), &case);
        compared.send(&Sender::named("reopened_in", "ann"), &case);
    }
    let (allowed, _) = compared.finish();
    assert!(allowed > 20, "{allowed} allowed");
}

/// Who may call what: by grants, default privileges and their revocation, for functions that are called by requests, by
/// other functions, by policies, by views and as columns.
const CALLERS: &str = "
    CREATE ROLE call_anon;
    CREATE ROLE call_user;
    CREATE ROLE call_lead IN ROLE call_user;
    CREATE ROLE call_late;
    CREATE TABLE t (id int PRIMARY KEY, n int);
    INSERT INTO t VALUES (1, 10), (2, 20);
    GRANT SELECT, INSERT ON t TO PUBLIC;
    CREATE FUNCTION for_all() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
    CREATE FUNCTION for_none() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';
    REVOKE EXECUTE ON FUNCTION for_none() FROM PUBLIC;
    CREATE FUNCTION for_user() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM t';
    REVOKE ALL ON FUNCTION for_user() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION for_user TO call_user;
    CREATE FUNCTION of_two(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';
    CREATE FUNCTION of_two(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
    REVOKE EXECUTE ON FUNCTION of_two(int, int) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION of_two(int, int) TO call_lead;
    CREATE FUNCTION replaced() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 3';
    REVOKE EXECUTE ON FUNCTION replaced() FROM PUBLIC;
    CREATE OR REPLACE FUNCTION replaced() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 4';
    CREATE FUNCTION made_again() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 5';
    REVOKE EXECUTE ON FUNCTION made_again() FROM PUBLIC;
    DROP FUNCTION made_again();
    CREATE FUNCTION made_again() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 6';
    CREATE FUNCTION not_from_user() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7';
    REVOKE EXECUTE ON FUNCTION not_from_user() FROM call_user;

    CREATE FUNCTION asks_as_caller() RETURNS int LANGUAGE sql STABLE AS 'SELECT public.for_none()';
    CREATE FUNCTION asks_as_owner() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT public.for_none()';
    CREATE FUNCTION writes_as_owner(new_id int) RETURNS int LANGUAGE sql SECURITY DEFINER
        AS 'INSERT INTO t VALUES (new_id, 1) RETURNING id';
    REVOKE EXECUTE ON FUNCTION writes_as_owner FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION writes_as_owner TO call_lead;

    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    CREATE FUNCTION later_for_none() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 11';
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO call_user;
    CREATE FUNCTION later_for_user() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 12';
    ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM call_user;
    CREATE FUNCTION later_for_none_again() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 13';
    ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON ROUTINES TO PUBLIC;
    CREATE FUNCTION later_for_all() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 14';
    ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    CREATE FUNCTION still_for_all() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 15';

    CREATE FUNCTION twice(t) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1.n * 2';
    REVOKE EXECUTE ON FUNCTION twice(t) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION twice(t) TO call_user;
    CREATE FUNCTION is_even(number int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT number % 4 = 0';
    REVOKE EXECUTE ON FUNCTION is_even(int) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION is_even(int) TO call_user;
    CREATE TABLE guarded (id int PRIMARY KEY, n int);
    INSERT INTO guarded VALUES (1, 10), (2, 20);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY even ON guarded USING (is_even(n));
    GRANT SELECT, INSERT ON guarded TO PUBLIC;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO call_late;
    CREATE FUNCTION after_all() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 16';
    REVOKE ALL ON FUNCTION after_all() FROM PUBLIC;
    REVOKE EXECUTE ON FUNCTION later_for_all() FROM PUBLIC, call_late;";

#[test]
fn who_may_call_a_function_is_the_same_on_every_store() {
    let Some(stores) = Stores::start("callers", CALLERS, "call_anon") else { return };
    let mut compared = stores.compare();
    let named = ["call_user", "call_lead", "call_late"].map(|role| Sender::named(role, "ann"));
    let functions = [
        "for_all",
        "for_none",
        "for_user",
        "of_two?a=1",
        "of_two?a=1&b=2",
        "replaced",
        "made_again",
        "not_from_user",
        "asks_as_caller",
        "asks_as_owner",
        "later_for_none",
        "later_for_user",
        "later_for_none_again",
        "later_for_all",
        "still_for_all",
        "after_all",
    ];
    for sender in std::iter::once(Sender::anonymous()).chain(named) {
        for function in functions {
            compared.send(&sender, &Case::get(format!("/rpc/{function}")));
        }
        for case in [
            Case::write("POST", "/rpc/writes_as_owner", r#"{"new_id":9}"#),
            Case::write("POST", "/rpc/for_none", "{}"),
            Case::get("/t?select=id,twice&order=id"),
            Case::get("/t?select=id&twice=gt.20"),
            Case::get("/t?select=id&order=twice.desc"),
            Case::get("/guarded?order=id"),
            Case::get("/guarded?select=id&n=eq.20"),
            Case::write("POST", "/guarded", r#"{"id":3,"n":4}"#),
            Case::write("POST", "/guarded", r#"{"id":3,"n":5}"#),
        ] {
            compared.send(&sender, &case);
        }
    }
    let (allowed, refused) = compared.finish();
    assert!(allowed > 40 && refused > 25, "{allowed} allowed, {refused} refused");
}
