//! Functions under `/rpc/`: what PostgREST's documentation says of them, asked of a server.

use serde_json::{Value, json};

use crate::support::deployment::Deployment;
use crate::support::{Answer, Berth, Client};

/// Functions that every store has.
const SCHEMA: &str = include_str!("rpc/schema.sql");
/// Functions in languages that only Postgres runs.
const POSTGRES: &str = include_str!("rpc/postgres.sql");

/// Each store with the same functions, and Postgres with those that only it runs.
fn stores(database: &str) -> Vec<Deployment> {
    let mut all = vec![Deployment::in_place(SCHEMA), Deployment::shared_log(SCHEMA)];
    all.extend(Deployment::postgres(database, &format!("{SCHEMA}{POSTGRES}")));
    all
}

/// Sends `Prefer: tx=rollback` with everything, so that each case finds the same rows.
fn ask(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    ask_as(client, method, path, ("Content-Type", "application/json"), body)
}

fn ask_as(client: &Client, method: &str, path: &str, header: (&str, &str), body: &str) -> Answer {
    client.send(method, path, &[header, ("Prefer", "tx=rollback")], body)
}

#[test]
fn results_are_lines_when_lines_are_asked_for() {
    let cases = [
        ("/rpc/years", "1927\n1931\n1975\n"),
        ("/rpc/years?limit=0", ""),
        ("/rpc/greet", "\"Hello guest\"\n"),
        ("/rpc/no_value", "null\n"),
        ("/rpc/plus_one?arr={1,2}", "[2,3]\n"),
        ("/rpc/by_director?select=name", "{\"name\":\"Kubrick\"}\n{\"name\":\"Lang\"}\n"),
        ("/rpc/origin", "{\"x\":0,\"y\":1}\n"),
    ];
    for deployment in stores("rpc_lines") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        for (path, expected) in cases {
            let answer = berth.client().send("GET", path, &[("Accept", "application/x-ndjson")], "");
            assert_eq!((answer.status, answer.body.as_str()), (200, expected), "{store}: {path}");
        }
    }
}

#[test]
fn results_have_the_shape_of_what_a_function_returns() {
    let cases: [(&str, &str, &str, Value); 33] = [
        ("GET", "/rpc/add_them?a=1&b=2", "", json!(3)),
        ("POST", "/rpc/add_them", r#"{"a":1,"b":2}"#, json!(3)),
        ("POST", "/rpc/add_them", r#"[{"a":1,"b":2},{"a":3,"b":4}]"#, json!(3)),
        ("POST", "/rpc/add_them?columns=a,b", r#"{"a":1,"b":2,"c":3}"#, json!(3)),
        ("GET", "/rpc/greet", "", json!("Hello guest")),
        ("POST", "/rpc/greet", "", json!("Hello guest")),
        ("POST", "/rpc/greet", r#"{"name":"you"}"#, json!("Hello you")),
        ("GET", "/rpc/greet?name=you&name=me", "", json!("Hello me")),
        ("GET", "/rpc/years", "", json!([1927, 1931, 1975])),
        ("GET", "/rpc/film?wanted=2", "", json!({"id": 2, "title": "M", "year": 1931, "director_id": 1})),
        ("GET", "/rpc/film?wanted=2&select=t:title", "", json!({"t": "M"})),
        ("GET", "/rpc/by_director", "", json!([{"name": "Kubrick", "films": 1}, {"name": "Lang", "films": 2}])),
        ("GET", "/rpc/by_director?films=gt.1&select=name", "", json!([{"name": "Lang"}])),
        ("GET", "/rpc/origin", "", json!({"x": 0, "y": 1})),
        ("GET", "/rpc/origin?select=y", "", json!({"y": 1})),
        ("GET", "/rpc/out_one?num=5", "", json!({"next": 6})),
        ("GET", "/rpc/out_two?num=5", "", json!({"num": 10, "word": "two"})),
        ("GET", "/rpc/untyped", "", json!({"a": 1, "b": "b"})),
        (
            "GET",
            "/rpc/film_of_domain?select=title,directors(name)",
            "",
            json!({"title": "Metropolis", "directors": {"name": "Lang"}}),
        ),
        ("GET", "/rpc/sum_all?v=1&v=2&v=3", "", json!(6)),
        ("GET", "/rpc/sum_all?v=1", "", json!(1)),
        ("POST", "/rpc/sum_all", r#"{"v":[1,2,3]}"#, json!(6)),
        ("POST", "/rpc/sum_all", "{}", json!(null)),
        ("GET", "/rpc/plus_one?arr={1,2}", "", json!([2, 3])),
        ("POST", "/rpc/plus_one", r#"{"arr":[1,2]}"#, json!([2, 3])),
        ("GET", "/rpc/the_mood?is_=ok", "", json!("ok")),
        ("GET", "/rpc/letters?c=abc", "", json!("abc")),
        ("POST", "/rpc/kind_of", r#"{"value":{"a":1}}"#, json!("object")),
        ("POST", "/rpc/kind_of", r#"{"value":"{}"}"#, json!("string")),
        ("POST", "/rpc/whole_json", r#"{"a":[1]}"#, json!({"a": [1]})),
        ("POST", "/rpc/fallback", r#"{"a":1}"#, json!("named")),
        ("POST", "/rpc/fallback", r#"{"b":1}"#, json!("whole")),
        ("GET", "/rpc/quoted%20Name?full%20Name=x", "", json!("x")),
    ];
    for deployment in stores("rpc_shapes") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        let client = berth.client();
        for (method, path, body, expected) in &cases {
            let answer = ask(&client, method, path, body);
            let body = &answer.body;
            assert_eq!(answer.status, 200, "{store}: {method} {path}: {body}");
            assert_eq!(answer.json(), *expected, "{store}: {method} {path}");
            assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{method} {path}");
        }
        let nothing = ask(&client, "POST", "/rpc/nothing", "");
        assert_eq!((nothing.status, nothing.body.as_str(), nothing.header("content-type")), (204, "", None), "{store}");
        let retitled = ask(&client, "POST", "/rpc/retitle", r#"{"film":2,"title":"N"}"#);
        assert_eq!(retitled.json()["title"], "N", "{store}: {}", retitled.body);
    }
}

#[test]
fn bodies_that_are_no_json_reach_the_only_parameter_or_name_their_arguments() {
    for deployment in stores("rpc_bodies") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        assert_bodies_reach(store, &berth);
    }
}

fn assert_bodies_reach(store: &str, berth: &Berth) {
    let form = "application/x-www-form-urlencoded";
    for (path, media, body, expected) in [
        ("/rpc/add_them", form, "a=1&b=2", json!(3)),
        ("/rpc/greet", form, "name=a+b", json!("Hello a b")),
        ("/rpc/sum_all", form, "v=1&v=2", json!(3)),
        ("/rpc/add_them", "text/csv", "a,b\n1,2\n", json!(3)),
        ("/rpc/whole_text", "text/plain", "{\"a\":1}", json!(7)),
        ("/rpc/whole_bytes", "application/octet-stream", "é\0", json!(3)),
    ] {
        let answer = ask_as(&berth.client(), "POST", path, ("Content-Type", media), body);
        assert_eq!((answer.status, answer.json()), (200, expected), "{store}: {path} {media} {body}: {}", answer.body);
    }
    for (path, media, details) in [
        (
            "/rpc/add_them",
            "text/plain",
            "Searched for the function public.add_them with a single unnamed text parameter",
        ),
        (
            "/rpc/years",
            "application/octet-stream",
            "Searched for the function public.years with a single unnamed bytea parameter",
        ),
        (
            "/rpc/whole_text",
            "text/xml",
            "Searched for the function public.whole_text with a single unnamed xml parameter",
        ),
        ("/rpc/whole_text", form, "Searched for the function public.whole_text with parameters a, b"),
    ] {
        let answer = ask_as(&berth.client(), "POST", path, ("Content-Type", media), "a=1&b=2");
        let expected = format!("{details}, but no matches were found in the schema cache.");
        assert_eq!(
            (answer.status, answer.json()["details"].as_str()),
            (404, Some(expected.as_str())),
            "{store}: {path} {media}"
        );
    }
}

#[test]
fn rows_that_a_function_gives_are_read_like_a_table() {
    for deployment in stores("rpc_rows") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        eprintln!("over {store}");
        assert_rows_are_read(&berth.client());
    }
}

fn assert_rows_are_read(client: &Client) {
    let since = "/rpc/films_since?since=1900";
    for (query, expected) in [
        ("&select=id&order=id.desc", json!([{"id": 3}, {"id": 2}, {"id": 1}])),
        ("&select=id&year=gt.1930", json!([{"id": 2}, {"id": 3}])),
        ("&select=id&or=(id.eq.1,title.eq.M)", json!([{"id": 1}, {"id": 2}])),
        ("&select=id&limit=1&offset=1", json!([{"id": 2}])),
        ("&select=title,directors(name)&id=eq.3", json!([{"title": "Barry Lyndon", "directors": {"name": "Kubrick"}}])),
        ("&select=id,directors!inner()&directors.name=eq.Lang", json!([{"id": 1}, {"id": 2}])),
        ("&select=...directors(name)&id=eq.2", json!([{"name": "Lang"}])),
    ] {
        let answer = client.get(&format!("{since}{query}"));
        assert_eq!((answer.status, answer.json()), (200, expected), "{query}");
    }
    let ranged = |method, path: &str, headers: &[(&str, &str)], body: &str| {
        let answer = client.send(method, path, headers, body);
        (answer.status, answer.header("content-range").unwrap_or_default().to_owned())
    };
    let is = |status: u16, range: &str| (status, range.to_owned());
    assert_eq!(ranged("GET", since, &[], ""), is(200, "0-2/*"));
    assert_eq!(ranged("GET", since, &[("Range", "1-1"), ("Prefer", "count=exact")], ""), is(206, "1-1/3"));
    assert_eq!(ranged("GET", &format!("{since}&limit=1"), &[("Prefer", "count=estimated")], ""), is(206, "0-0/3"));
    assert_eq!(ranged("GET", since, &[("Prefer", "count=planned")], ""), is(200, "0-2/*"));
    assert_eq!(ranged("HEAD", since, &[("Prefer", "count=exact")], ""), is(200, "0-2/3"));
    assert_eq!(ranged("POST", "/rpc/films_since", &[("Range", "1-1")], r#"{"since":1900}"#), is(200, "0-2/*"));
    assert_eq!(ranged("GET", &format!("{since}&offset=9"), &[("Prefer", "count=exact")], ""), is(416, "*/3"));
    assert_eq!(ranged("GET", "/rpc/add_them?a=1&b=2", &[("Prefer", "count=exact")], ""), is(200, "0-0/1"));
    let object = ("Accept", "application/vnd.pgrst.object+json");
    assert_eq!(client.send("GET", since, &[object], "").json()["code"], "PGRST116");
    assert_eq!(client.send("GET", &format!("{since}&id=eq.2&select=id"), &[object], "").json(), json!({"id": 2}));
    let table = client.send("GET", &format!("{since}&select=id,title&id=lt.3"), &[("Accept", "text/csv")], "");
    assert_eq!(table.body, "id,title\n1,Metropolis\n2,M");
    let strict = ("Prefer", "handling=strict, max-affected=2");
    assert_eq!(client.send("GET", since, &[strict], "").json()["code"], "PGRST124");
    assert_eq!(client.send("GET", "/rpc/greet", &[strict], "").json()["code"], "PGRST128");
}

#[test]
fn what_cannot_be_called_is_told_in_postgrests_words() {
    for deployment in stores("rpc_errors") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        eprintln!("over {store}");
        assert_errors_are_told(&berth.client());
        if store == "Postgres" {
            let told = |path: &str| told(&berth.client(), "POST", path, "");
            assert_eq!(told("/rpc/fails"), (400, "P0001 no | d | h".to_owned()));
            assert_eq!(told("/rpc/teapot"), (418, "PT418 short | - | -".to_owned()));
        }
    }
}

/// Status, and the fields of an error in one line.
fn told(client: &Client, method: &str, path: &str, body: &str) -> (u16, String) {
    let answer = ask(client, method, path, body);
    let error = answer.json();
    let field = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
    (answer.status, format!("{} {} | {} | {}", field("code"), field("message"), field("details"), field("hint")))
}

fn assert_errors_are_told(client: &Client) {
    for (method, path, body, status, expected) in [
        (
            "GET",
            "/rpc/gree",
            "",
            404,
            "PGRST202 Could not find the function public.gree without parameters in the schema cache | Searched for the function public.gree without parameters, but no matches were found in the schema cache. | Perhaps you meant to call the function public.greet",
        ),
        (
            "GET",
            "/rpc/add_them?a=1&b=2&c=3",
            "",
            404,
            "PGRST202 Could not find the function public.add_them(a, b, c) in the schema cache | Searched for the function public.add_them with parameters a, b, c, but no matches were found in the schema cache. | Perhaps you meant to call the function public.add_them(a, b)",
        ),
        (
            "POST",
            "/rpc/add_them",
            r#"{"a":1}"#,
            404,
            "PGRST202 Could not find the function public.add_them(a) in the schema cache | Searched for the function public.add_them with parameter a or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache. | Perhaps you meant to call the function public.add_them(a, b)",
        ),
        (
            "GET",
            "/rpc/rent?nosuchargument=1",
            "",
            404,
            "PGRST202 Could not find the function public.rent(nosuchargument) in the schema cache | Searched for the function public.rent with parameter nosuchargument, but no matches were found in the schema cache. | -",
        ),
        (
            "GET",
            "/rpc/same?arg=1",
            "",
            300,
            "PGRST203 Could not choose the best candidate function between: public.same(arg => integer), public.same(arg => text, num => integer) | - | Try renaming the parameters or the function itself in the database so function overloading can be resolved",
        ),
        ("DELETE", "/rpc/greet", "", 405, "PGRST101 Cannot use the DELETE method on RPC | - | -"),
        (
            "GET",
            "/rpc/retitle?film=1&title=x",
            "",
            405,
            "25006 cannot execute UPDATE in a read-only transaction | - | -",
        ),
        ("HEAD", "/rpc/retitle?film=1&title=x", "", 405, ""),
        ("GET", "/rpc/add_them?a=x&b=2", "", 400, "22P02 invalid input syntax for type integer: \"x\" | - | -"),
        ("GET", "/rpc/years?select=nope", "", 400, "42703 column berth_source.nope does not exist | - | -"),
    ] {
        if method == "HEAD" {
            assert_eq!(ask(client, method, path, body).status, status, "{method} {path}");
            continue;
        }
        assert_eq!(told(client, method, path, body), (status, expected.to_owned()), "{method} {path} {body}");
    }
    assert_eq!(client.get("/rpc/rent?days=1").body, "1");
    assert_eq!(client.get("/rpc/rent?days=1&late=2").body, "3");
}

#[test]
fn a_function_runs_once_and_speaks_of_status_headers_and_verbs() {
    for deployment in stores("rpc_speaks") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        eprintln!("over {store}");
        if store == "Postgres" {
            assert_runs_once_and_speaks(&berth.client());
        }
        assert_verbs_and_description(&berth.client());
    }
}

fn assert_runs_once_and_speaks(client: &Client) {
    let counted = [("Prefer", "count=exact"), ("Content-Type", "application/json")];
    for call in 1..=2 {
        assert_eq!(client.send("POST", "/rpc/count_calls", &counted, "{}").body, call.to_string());
    }
    let answer = client.post("/rpc/with_headers", "{}");
    assert_eq!((answer.status, answer.header("x-film")), (202, Some("M")));
}

fn assert_verbs_and_description(client: &Client) {
    let verbs = |path| client.send("OPTIONS", path, &[], "").header("allow").unwrap_or_default().to_owned();
    assert_eq!(verbs("/rpc/greet"), "OPTIONS,GET,HEAD,POST");
    assert_eq!(verbs("/rpc/nothing"), "OPTIONS,POST");
    let document = client.get("/").json();
    let path = &document["paths"]["/rpc/add_them"];
    assert_eq!((&path["get"]["summary"], &path["get"]["description"]), (&json!("Adds"), &json!("two numbers")));
    assert_eq!(
        path["get"]["parameters"][0],
        json!({"name": "a", "in": "query", "required": true, "type": "integer", "format": "int32"})
    );
    assert_eq!(path["post"]["parameters"][0]["schema"]["required"], json!(["a", "b"]));
    assert_eq!(document["paths"]["/rpc/sum_all"]["get"]["parameters"][0]["collectionFormat"], "multi");
    assert!(document["paths"]["/rpc/retitle"].get("get").is_none());
}

#[test]
fn grants_decide_who_may_call_and_what_a_function_may_touch() {
    for deployment in stores("rpc_grants") {
        let store = deployment.name();
        assert_eq!(deployment.instance().run().client().get("/rpc/secret").body, "42", "{store}");
        let berth = deployment.instance().with("ACCESS", "closed").with("ANON_ROLE", "it_rpc").run();
        let client = berth.client();
        let denied = |path: &str| {
            let answer = client.get(path);
            (answer.status, answer.json()["message"].as_str().unwrap_or_default().to_owned())
        };
        let is = |message: &str| (401, message.to_owned());
        assert_eq!(denied("/rpc/secret"), is("permission denied for function secret"), "{store}");
        assert_eq!(client.get("/rpc/add_them?a=1&b=2").body, "3", "{store}");
        assert_eq!(denied("/rpc/years"), is("permission denied for table films"), "{store}");
        assert_eq!(denied("/rpc/asks_secret"), is("permission denied for function secret"), "{store}");
        assert_eq!(client.get("/rpc/years_for_all").json(), json!([1927, 1931, 1975]), "{store}");
        assert_eq!(client.get("/rpc/asks_secret_for_all").body, "42", "{store}");
        let names = client.get("/rpc/directors_for_all");
        assert_eq!(names.json(), json!([{"id": 1, "name": "Lang"}, {"id": 2, "name": "Kubrick"}]), "{store}");
        let films = denied("/rpc/directors_for_all?select=name,films(title)");
        assert_eq!(films, is("permission denied for table films"), "{store}");
        let berth = deployment.instance().with("ACCESS", "read").run();
        let client = berth.client();
        assert_eq!(client.post("/rpc/greet", "{}").status, 200, "{store}");
        let nothing = client.post("/rpc/nothing", "{}").json();
        assert_eq!(nothing["message"], "permission denied for function nothing", "{store}");
    }
}

#[test]
fn a_transaction_ends_as_it_is_told_by_who_may_tell() {
    let schema = "CREATE TABLE kept (id int PRIMARY KEY, ended text);";
    let Some(postgres) = Deployment::postgres("rpc_ends", schema) else { return };
    let mut id = 0;
    for deployment in [postgres, Deployment::in_place(schema)] {
        for (ends, kept) in [
            ("commit", [("none", true), ("commit", true), ("rollback", true)]),
            ("commit-allow-override", [("none", true), ("commit", true), ("rollback", false)]),
            ("rollback", [("none", false), ("commit", false), ("rollback", false)]),
            ("rollback-allow-override", [("none", false), ("commit", true), ("rollback", false)]),
        ] {
            let berth = deployment.instance().with("DB_TX_END", ends).run();
            for (asked, is_kept) in kept {
                id += 1;
                let preference = format!("return=representation, tx={asked}");
                let headers = [("Content-Type", "application/json"), ("Prefer", preference.as_str())];
                let answer = berth.client().send("POST", "/kept", &headers, &format!(r#"{{"id":{id}}}"#));
                assert_eq!((answer.status, answer.json()[0]["id"].clone()), (201, json!(id)), "{ends} {asked}");
                let applied = answer.header("preference-applied").unwrap_or_default();
                let is_heeded = ends.ends_with("override") && asked != "none";
                assert_eq!(applied.contains(&format!("tx={asked}")), is_heeded, "{ends} {asked}: {applied}");
                let rows = berth.client().get(&format!("/kept?id=eq.{id}")).json();
                assert_eq!(rows.as_array().map(Vec::len), Some(usize::from(is_kept)), "{ends} {asked}");
            }
        }
    }
}

#[test]
fn functions_of_a_row_are_columns_and_relationships() {
    for deployment in stores("rpc_computed") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        eprintln!("over {store}");
        assert_rows_have_functions(&berth.client());
    }
}

fn assert_rows_have_functions(client: &Client) {
    let lang = json!({"name": "Lang"});
    for (path, expected) in [
        ("/films?select=upper_title&id=eq.1", json!([{"upper_title": "METROPOLIS"}])),
        ("/films?select=id&upper_title=eq.M", json!([{"id": 2}])),
        ("/films?select=id&order=upper_title.desc", json!([{"id": 1}, {"id": 2}, {"id": 3}])),
        ("/films?select=id&or=(upper_title.eq.M,id.eq.3)&order=id", json!([{"id": 2}, {"id": 3}])),
        ("/directors?select=films(upper_title)&id=eq.2", json!([{"films": [{"upper_title": "BARRY LYNDON"}]}])),
        ("/rpc/films_since?since=1970&select=upper_title", json!([{"upper_title": "BARRY LYNDON"}])),
        ("/rpc/films_since?since=1900&select=id&upper_title=eq.M", json!([{"id": 2}])),
        ("/films?select=maker(name)&id=eq.1", json!([{"maker": lang}])),
        ("/films?select=by:maker(name)&id=eq.1", json!([{"by": lang}])),
        ("/films?select=...maker(name)&id=eq.1", json!([lang])),
        ("/films?select=id,maker!inner()&maker.name=eq.Kubrick", json!([{"id": 3}])),
        (
            "/films?select=id,maker(name)&order=maker(name),id.desc&limit=1",
            json!([{"id": 3, "maker": {"name": "Kubrick"}}]),
        ),
        (
            "/directors?select=old_films(title)&order=id",
            json!([{"old_films": [{"title": "Metropolis"}]}, {"old_films": []}]),
        ),
        ("/directors?select=id,old_films()&old_films=not.is.null", json!([{"id": 1}])),
        ("/directors?select=old_films(maker(name))&id=eq.1", json!([{"old_films": [{"maker": lang}]}])),
        ("/rpc/films_since?since=1930&select=id,maker(name)&id=eq.2", json!([{"id": 2, "maker": lang}])),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.json(), expected, "{path}");
    }
    let headers = [("Content-Type", "application/json"), ("Prefer", "return=representation, tx=rollback")];
    let path = "/films?select=title,maker(name)";
    let answer = client.send("POST", path, &headers, r#"{"id":9,"title":"Fury","director_id":1}"#);
    assert_eq!((answer.status, answer.json()), (201, json!([{"title": "Fury", "maker": lang}])));
}

#[test]
fn functions_that_write_do_all_or_nothing() {
    for deployment in stores("rpc_writes") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        let client = berth.client();
        let call = |name: &str, body: &str| {
            let answer = client.post(&format!("/rpc/{name}"), body);
            let json = if answer.body.is_empty() { Value::Null } else { answer.json() };
            (answer.status, json)
        };
        let first = json!({"id": 1, "item": "reel", "count": 1, "film_id": null});
        assert_eq!(call("buy", r#"{"item":"reel"}"#), (200, first), "{store}");
        assert_eq!(call("buy?select=id,count", r#"{"item":"lamp","count":2,"film":1}"#).1["count"], 2, "{store}");
        let embedded = call("buy?select=item,films(title)", r#"{"item":"cup","film":3}"#);
        assert_eq!(embedded, (200, json!({"item": "cup", "films": {"title": "Barry Lyndon"}})), "{store}");
        let restocked = json!([{"item": "reel", "total": 6}]);
        assert_eq!(call("restock", r#"{"item":"reel","more":5}"#), (200, restocked), "{store}");
        // What came before the statement that fails is undone.
        let logged = || client.get("/log").json().as_array().map(Vec::len);
        let before = logged();
        let (status, error) = call("buy", r#"{"item":"reel"}"#);
        let constraint = "duplicate key value violates unique constraint \"orders_item_key\"";
        assert_eq!((status, error["message"].as_str(), error["code"].as_str()), (409, Some(constraint), Some("23505")));
        let (status, error) = call("buy", r#"{"item":"x","count":0}"#);
        assert_eq!((status, error["code"].as_str()), (400, Some("23514")), "{store}: {error}");
        let (status, error) = call("buy", r#"{"item":"x","film":99}"#);
        let constraint = "insert or update on table \"orders\" violates foreign key constraint \"orders_film_id_fkey\"";
        assert_eq!((status, error["message"].as_str()), (409, Some(constraint)), "{store}: {error}");
        assert_eq!(logged(), before, "{store}");
        assert_eq!(call("count_orders", ""), (200, json!(3)), "{store}");
        let taken = call("take_back?select=item&order=item", r#"{"at_least":1}"#);
        assert_eq!(taken, (200, json!([{"item": "cup"}, {"item": "lamp"}])), "{store}");
        assert_eq!(call("atomic", r#"{"n":10}"#).0, 200, "{store}");
        assert_eq!(call("forget", ""), (204, Value::Null), "{store}");
        assert_eq!(logged(), Some(0), "{store}");
        let read_only = client.get("/rpc/forget");
        assert_eq!((read_only.status, read_only.json()["code"].as_str()), (405, Some("25006")), "{store}");
        let (status, error) = call("stable_write", "");
        let message = "DELETE is not allowed in a non-volatile function";
        assert_eq!((status, error["message"].as_str()), (400, Some(message)), "{store}: {error}");
        let tried = client.send(
            "POST",
            "/rpc/buy",
            &[("Prefer", "dry-run"), ("Content-Type", "application/json")],
            r#"{"item":"dry"}"#,
        );
        assert_eq!((tried.status, tried.json()["item"].as_str()), (200, Some("dry")), "{store}");
        assert_eq!(client.get("/orders").body, "[]", "{store}");
    }
}

#[test]
fn bodies_of_every_form_give_what_they_say() {
    for deployment in stores("rpc_forms") {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        let client = berth.client();
        for (path, expected) in [
            ("/rpc/strict_add?a=1&b=2", json!(3)),
            ("/rpc/twice?n=4", json!(8)),
            ("/rpc/quadruple?n=3", json!(12)),
            ("/rpc/director_of?film=3", json!("Kubrick")),
            (
                "/rpc/credits",
                json!([
                    {"title": "Metropolis", "by_": "Lang"},
                    {"title": "M", "by_": "Lang"},
                    {"title": "Barry Lyndon", "by_": "Kubrick"}
                ]),
            ),
            ("/rpc/late_titles", json!(["M", "Barry Lyndon"])),
            ("/rpc/missing", json!({"id": null, "title": null, "year": null, "director_id": null})),
            ("/rpc/no_value", json!(null)),
        ] {
            let answer = client.get(path);
            assert_eq!((answer.status, answer.json()), (200, expected), "{store}: {path}");
        }
        assert_eq!(client.post("/rpc/strict_add", r#"{"a":1,"b":null}"#).json(), json!(null), "{store}");
        assert_eq!(client.post("/rpc/strict_rows", r#"{"a":null}"#).json(), json!([]), "{store}");
    }
}

#[test]
fn a_number_beyond_the_type_of_a_result_is_refused() {
    let schema = "
        CREATE TABLE amounts (id int PRIMARY KEY, amount numeric(10,2));
        INSERT INTO amounts VALUES (2147483647, 2.50), (1, 9999999.50);
        CREATE FUNCTION product(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a * b $$;
        CREATE FUNCTION next_of(a int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a + 1 $$;
        CREATE FUNCTION twice_next(a int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT next_of(a) - 1 $$;
        CREATE FUNCTION less(a smallint) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$ SELECT (a - 1::smallint)::smallint $$;
        CREATE FUNCTION small_sum(a int, b int) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$ SELECT (a + b)::smallint $$;
        CREATE FUNCTION squared(a bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT a * a $$;
        CREATE FUNCTION rounded() RETURNS SETOF int LANGUAGE sql STABLE AS $$ SELECT amount FROM amounts ORDER BY id DESC $$;
        CREATE FUNCTION ids(most int) RETURNS TABLE (id int, next int) LANGUAGE sql STABLE AS $$
            SELECT id, id + 1 FROM amounts WHERE id < most $$;
        CREATE FUNCTION total() RETURNS int LANGUAGE sql STABLE AS $$ SELECT sum(id) FROM amounts $$;
    ";
    let cases = [
        ("/rpc/product?a=46341&b=46341", Err("integer out of range")),
        ("/rpc/product?a=-46340&b=46340", Ok(json!(-2_147_395_600))),
        ("/rpc/next_of?a=2147483647", Err("integer out of range")),
        ("/rpc/next_of?a=2147483646", Ok(json!(2_147_483_647))),
        ("/rpc/twice_next?a=2147483647", Err("integer out of range")),
        ("/rpc/less?a=-32768", Err("smallint out of range")),
        ("/rpc/less?a=-32767", Ok(json!(-32768))),
        ("/rpc/small_sum?a=32767&b=1", Err("smallint out of range")),
        ("/rpc/squared?a=3037000500", Err("bigint out of range")),
        ("/rpc/squared?a=3037000499", Ok(json!(9_223_372_030_926_249_001_i64))),
        ("/rpc/rounded", Ok(json!([3, 10_000_000]))),
        ("/rpc/ids?most=5", Ok(json!([{"id": 1, "next": 2}]))),
        ("/rpc/ids?most=2147483647", Ok(json!([{"id": 1, "next": 2}]))),
        ("/rpc/total", Err("integer out of range")),
    ];
    for deployment in Deployment::on_each_store("rpc_range", schema) {
        let (store, berth) = (deployment.name(), deployment.instance().run());
        for (path, expected) in &cases {
            let answer = berth.client().get(path);
            match expected {
                Ok(expected) => assert_eq!((answer.status, &answer.json()), (200, expected), "{store}: {path}"),
                Err(message) => {
                    let told = answer.json();
                    assert_eq!(
                        (&told["code"], &told["message"]),
                        (&json!("22003"), &json!(message)),
                        "{store}: {path}"
                    );
                }
            }
        }
    }
}
