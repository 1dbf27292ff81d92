//! `ETag`, `If-None-Match`, `If-Match` and `Cache-Control` on every store.

use std::sync::Barrier;
use std::time::Duration;

use crate::support::deployment::{Deployment, Home};
use crate::support::{Answer, Client};

const SCHEMA: &str = "
    CREATE TABLE films (id int PRIMARY KEY, title text NOT NULL, votes int NOT NULL DEFAULT 0);
    CREATE TABLE reviews (id int PRIMARY KEY, film_id int REFERENCES films (id), stars int);
    CREATE TABLE plain (id int PRIMARY KEY, a text);
    INSERT INTO films (id, title) VALUES (1, 'Alien'), (2, 'Brazil');
    INSERT INTO reviews VALUES (1, 1, 5);
    INSERT INTO plain VALUES (1, 'x');
    COMMENT ON TABLE films IS 'Films.
@cache-control max-age=60, public';
    COMMENT ON TABLE reviews IS '@cache-control max-age=5';
";

fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    client.send("GET", path, headers, "")
}

fn tag(answer: &Answer) -> String {
    answer.header("ETag").unwrap_or_else(|| panic!("no ETag: {answer:?}")).to_owned()
}

/// Sends a read again with its own tag.
fn again(client: &Client, path: &str, tag: &str) -> Answer {
    get(client, path, &[("If-None-Match", tag)])
}

#[test]
fn a_read_that_would_be_the_same_is_a_304_until_something_is_written() {
    for deployment in Deployment::on_each_store("conditional", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        for path in [
            "/films",
            "/films?id=eq.1",
            "/films?select=title,reviews(stars)&order=id",
            "/films?title=like.*a*&limit=1",
            "/",
        ] {
            let first = get(&client, path, &[]);
            let known = tag(&first);
            assert_eq!(tag(&get(&client, path, &[])), known, "{store}: {path}");
            for sent in [known.clone(), format!("\"other\", W/{known}"), "*".to_owned()] {
                let same = again(&client, path, &sent);
                assert_eq!((same.status, same.body.as_str()), (304, ""), "{store}: {path} {sent}");
                assert_eq!(tag(&same), known, "{store}: {path}");
                assert_eq!(same.header("Content-Type"), None, "{store}: {path}");
            }
            let other = again(&client, path, "\"other\"");
            assert_eq!((other.status, &other.body), (first.status, &first.body), "{store}: {path}");
        }
        let head = client.send("HEAD", "/films", &[], "");
        if let Some(known) = head.header("ETag") {
            assert_eq!(client.send("HEAD", "/films", &[("If-None-Match", known)], "").status, 304, "{store}");
        }

        let all = tag(&get(&client, "/films?order=id", &[]));
        let one = tag(&get(&client, "/films?id=eq.1", &[]));
        let two = tag(&get(&client, "/films?id=eq.2", &[]));
        assert_eq!(client.send("PATCH", "/films?id=eq.2", &[], r#"{"votes":1}"#).status, 204);
        assert_eq!(again(&client, "/films?order=id", &all).status, 200, "{store}");
        assert_eq!(again(&client, "/films?id=eq.2", &two).status, 200, "{store}");
        assert_eq!(again(&client, "/films?id=eq.1", &one).status, 304, "{store}: this row is as it was");
    }
}

#[test]
fn answers_that_may_differ_never_share_a_tag() {
    for deployment in Deployment::on_each_store("conditional_shapes", SCHEMA) {
        let secret = "a secret of at least thirty-two bytes, for tests";
        let berth = deployment.instance().with("JWT_SECRET", secret).run();
        let (client, store) = (berth.client(), deployment.name());
        let bearer = |claims: &str| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_berth"));
            command.arg("token").args(["--role", "anon", "--claim", claims]).env_clear().env("JWT_SECRET", secret);
            format!("Bearer {}", String::from_utf8(command.output().unwrap().stdout).unwrap().trim())
        };
        let (me, you) = (bearer("sub=me"), bearer("sub=you"));
        let asked: Vec<Vec<(&str, &str)>> = vec![
            vec![],
            vec![("Accept", "text/csv")],
            vec![("Accept", "application/vnd.pgrst.object+json")],
            vec![("Prefer", "count=exact")],
            vec![("Range", "0-0")],
            vec![("Authorization", &me)],
            vec![("Authorization", &you)],
        ];
        let path = "/films?id=eq.1";
        let tags: Vec<String> = asked.iter().map(|headers| tag(&get(&client, path, headers))).collect();
        for (mine, headers) in asked.iter().enumerate() {
            for (theirs, sent) in tags.iter().enumerate() {
                let answer = get(&client, path, &[headers.as_slice(), &[("If-None-Match", sent)]].concat());
                let expected = mine == theirs;
                assert_eq!(answer.status == 304, expected, "{store}: {headers:?} with the tag of {:?}", asked[theirs]);
            }
        }
        let answer = get(&client, path, &[]);
        let varies: Vec<&str> = answer.headers.get_all("Vary").iter().filter_map(|value| value.to_str().ok()).collect();
        assert!(varies.contains(&"Accept, Prefer, Range") && varies.contains(&"Authorization, apikey"), "{varies:?}");
    }
}

#[test]
fn a_write_is_done_only_on_the_row_that_its_sender_has_seen() {
    for deployment in Deployment::on_each_store("conditional_writes", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let (path, json) = ("/films?id=eq.1", ("Content-Type", "application/json"));
        let seen = tag(&get(&client, path, &[]));
        let as_object = tag(&get(&client, path, &[("Accept", "application/vnd.pgrst.object+json")]));
        let patch = |tag: &str, body: &str| client.send("PATCH", path, &[json, ("If-Match", tag)], body);

        // Another row's write is no obstacle.
        assert_eq!(client.send("PATCH", "/films?id=eq.2", &[json], r#"{"votes":9}"#).status, 204);
        assert_eq!(patch(&as_object, r#"{"votes":1}"#).status, 204, "{store}");
        let late = patch(&seen, r#"{"votes":2}"#);
        assert_eq!((late.status, late.json()["code"].as_str()), (412, Some("BERTH412")), "{store}: {late:?}");
        assert_eq!(client.get(path).json()[0]["votes"], 1, "{store}: nothing was done");
        assert_eq!(patch("\"theirs\"", r#"{"votes":2}"#).status, 412, "{store}");
        assert_eq!(patch("*", r#"{"votes":2}"#).status, 204, "{store}");
        let nobody = client.send("PATCH", "/films?id=eq.99", &[json, ("If-Match", "*")], r#"{"votes":2}"#);
        assert_eq!(nobody.status, 412, "{store}");

        // What a write gives back can be built on.
        let full = [json, ("Prefer", "return=representation")];
        let mut known = tag(&client.send("PATCH", path, &full, r#"{"votes":3}"#));
        for votes in 4..7 {
            let body = format!(r#"{{"votes":{votes}}}"#);
            let next = client.send("PATCH", path, &[full.as_slice(), &[("If-Match", known.as_str())]].concat(), &body);
            assert_eq!(next.status, 200, "{store}: {next:?}");
            known = tag(&next);
        }
        let put = r#"{"id":1,"title":"Aliens","votes":7}"#;
        let replaced = client.send("PUT", path, &[full.as_slice(), &[("If-Match", known.as_str())]].concat(), put);
        assert_eq!(replaced.status, 200, "{store}: {replaced:?}");
        let stale = [("If-Match", known.as_str())];
        assert_eq!(client.send("DELETE", "/films?id=eq.2", &stale, "").status, 412, "{store}: another row");
        let new = [json, ("If-None-Match", "*")];
        assert_eq!(client.send("PUT", path, &new, put).status, 412, "{store}: it is there");
        let third = r#"{"id":3,"title":"Cube","votes":0}"#;
        assert!(client.send("PUT", "/films?id=eq.3", &new, third).status < 300, "{store}: it is not");
        let third = tag(&get(&client, "/films?id=eq.3", &[]));
        assert_eq!(client.send("DELETE", "/films?id=eq.3", &[("If-Match", &third)], "").status, 204, "{store}");
        let refused = client.send("POST", "/films", &[json, ("If-Match", "*")], r#"{"id":4,"title":"Dune"}"#);
        assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("BERTH400")), "{store}");
    }
}

#[test]
fn of_many_who_build_on_one_row_one_is_first() {
    for deployment in Deployment::on_each_store("conditional_races", SCHEMA) {
        let berth = deployment.instance().run();
        let other = deployment.instance().run();
        let (path, store) = ("/films?id=eq.1", deployment.name());
        for round in 1..=10 {
            let seen = tag(&get(&berth.client(), path, &[]));
            let barrier = Barrier::new(6);
            let statuses: Vec<u16> = std::thread::scope(|scope| {
                let writers: Vec<_> = (0..6)
                    .map(|number| {
                        let client = if number % 2 == 0 { berth.client() } else { other.client() };
                        let (barrier, seen) = (&barrier, &seen);
                        scope.spawn(move || {
                            barrier.wait();
                            let headers = [("Content-Type", "application/json"), ("If-Match", seen.as_str())];
                            let body = format!(r#"{{"votes":{}}}"#, round * 100 + number);
                            client.send("PATCH", path, &headers, &body).status
                        })
                    })
                    .collect();
                writers.into_iter().map(|writer| writer.join().unwrap()).collect()
            });
            let won = statuses.iter().filter(|status| **status == 204).count();
            assert!(won == 1 && statuses.iter().all(|status| matches!(status, 204 | 412)), "{store}: {statuses:?}");
        }
    }
}

#[test]
fn a_condition_on_one_request_of_a_batch_decides_about_all_of_it() {
    for deployment in Deployment::on_each_store("conditional_batch", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let seen = tag(&get(&client, "/films?id=eq.1", &[]));
        let batch = |votes: u32| {
            let tag = seen.replace('"', "\\\"");
            let first = format!(r#"{{"method":"PATCH","path":"/films?id=eq.2","body":{{"votes":{votes}}}}}"#);
            let second = format!(
                r#"{{"method":"PATCH","path":"/films?id=eq.1","headers":{{"If-Match":"{tag}"}},"body":{{"votes":{votes}}}}}"#
            );
            client.post("/-/batch", &format!("[{first},{second}]"))
        };
        assert_eq!(batch(1).status, 200, "{store}");
        let late = batch(2);
        assert_eq!((late.status, late.json()["index"].as_u64()), (412, Some(1)), "{store}: {late:?}");
        let votes = client.get("/films?select=votes&order=id").json();
        assert_eq!(
            (votes[0]["votes"].as_u64(), votes[1]["votes"].as_u64()),
            (Some(1), Some(1)),
            "{store}: all or nothing"
        );
    }
}

#[test]
fn what_the_clock_or_chance_decides_is_asked_anew() {
    let schema = "
        CREATE TABLE notes (id int PRIMARY KEY, until timestamptz);
        CREATE VIEW current AS SELECT id FROM notes WHERE until > now();
    ";
    let deployments = Deployment::on_each_store("conditional_clock", schema);
    let instances: Vec<_> = deployments.iter().map(|deployment| deployment.instance().run()).collect();
    let soon = jiff::Timestamp::now() + Duration::from_secs(5);
    let mut seen = Vec::new();
    for (deployment, berth) in deployments.iter().zip(&instances) {
        let (client, store) = (berth.client(), deployment.name());
        let rows = format!(r#"[{{"id":1,"until":"{soon}"}},{{"id":2,"until":"2999-01-01T00:00:00Z"}}]"#);
        assert_eq!(client.post("/notes", &rows).status, 201);
        let first = get(&client, "/current?order=id", &[]);
        assert_eq!(first.json().as_array().unwrap().len(), 2, "{store}");
        let known = tag(&first);
        assert_eq!(again(&client, "/current?order=id", &known).status, 304, "{store}");
        seen.push((client, store, known));
    }
    while jiff::Timestamp::now() <= soon + Duration::from_millis(50) {
        std::thread::sleep(Duration::from_millis(100));
    }
    for (client, store, known) in seen {
        let later = again(&client, "/current?order=id", &known);
        assert_eq!((later.status, later.json().as_array().map(Vec::len)), (200, Some(1)), "{store}: {later:?}");
    }
}

#[test]
fn a_commit_of_another_process_is_seen() {
    for deployment in Deployment::on_each_store("conditional_others", SCHEMA) {
        let (berth, other) = (deployment.instance().run(), deployment.instance().run());
        let (client, store) = (berth.client(), deployment.name());
        for votes in 1..20 {
            let known = tag(&get(&client, "/films", &[]));
            assert_eq!(again(&client, "/films", &known).status, 304, "{store}");
            let body = format!(r#"{{"votes":{votes}}}"#);
            assert_eq!(other.client().send("PATCH", "/films?id=eq.1", &[], &body).status, 204);
            assert_eq!(again(&client, "/films", &known).status, 200, "{store}: after write {votes}");
        }
        if let Home::InPlace(volume) = &deployment.home {
            let known = tag(&get(&client, "/films", &[]));
            let database = rusqlite::Connection::open(volume.join("app.db")).unwrap();
            database.execute_batch("UPDATE films SET votes = 77 WHERE id = 2").unwrap();
            assert_eq!(again(&client, "/films", &known).status, 200, "{store}: a shell wrote");
        } else {
            // Both name a state of the store alike.
            let known = tag(&get(&client, "/films", &[]));
            assert_eq!(again(&other.client(), "/films", &known).status, 304, "{store}");
        }
    }
}

#[test]
fn a_table_says_how_long_its_rows_may_be_kept() {
    for deployment in Deployment::on_each_store("conditional_cache", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let control = |path: &str| get(&client, path, &[]).header("Cache-Control").map(str::to_owned);
        assert_eq!(control("/films").as_deref(), Some("max-age=60, public"), "{store}");
        assert_eq!(control("/films?select=*,reviews(*)").as_deref(), Some("max-age=5"), "{store}: the stricter one");
        assert_eq!(control("/plain"), None, "{store}");
        assert_eq!(control("/films?nonsense=eq.1"), None, "{store}: an error");
        let known = tag(&get(&client, "/films", &[]));
        let same = again(&client, "/films", &known);
        assert_eq!((same.status, same.header("Cache-Control")), (304, Some("max-age=60, public")), "{store}");
        let description = client.get("/").json();
        assert_eq!(description["definitions"]["films"]["description"], "Films.", "{store}");
    }
    let schema = "
        CREATE FUNCTION answer() RETURNS int LANGUAGE sql STABLE AS 'SELECT 42';
        COMMENT ON FUNCTION answer() IS '@cache-control max-age=9';
    ";
    let Some(deployment) = Deployment::postgres("conditional_function", schema) else { return };
    let berth = deployment.instance().run();
    let answer = get(&berth.client(), "/rpc/answer", &[]);
    assert_eq!((answer.body.as_str(), answer.header("Cache-Control")), ("42", Some("max-age=9")));
    assert_eq!(again(&berth.client(), "/rpc/answer", &tag(&answer)).status, 304);
    assert_eq!(berth.client().post("/rpc/answer", "{}").header("ETag"), None, "a POST has no name");
}
