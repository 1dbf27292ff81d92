//! Who may do what: the same script on SQLite in place, on the shared log and on Postgres, which is the oracle. The same
//! request of the same role must get the same status and the same body from each.

use jsonwebtoken::{EncodingKey, Header, encode};

use crate::support::{Berth, Start, postgres};

const SECRET: &str = "a secret that is long enough for HS256";

/// Roles belong to the whole server: no other test has these names.
const SCRIPT: &str = "
    CREATE ROLE it_anon; CREATE ROLE it_reader; CREATE ROLE it_editor IN ROLE it_reader;
    CREATE ROLE it_gate NOINHERIT LOGIN; GRANT it_editor TO it_gate;
    CREATE ROLE it_behind IN ROLE it_gate;
    CREATE TABLE before (id int PRIMARY KEY, note text);
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO it_reader;
    ALTER DEFAULT PRIVILEGES GRANT INSERT, UPDATE, DELETE ON TABLES TO it_editor;
    CREATE TABLE notes (id int PRIMARY KEY, note text, secret text);
    CREATE VIEW shown AS SELECT id, note FROM notes;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM it_reader;
    CREATE TABLE after (id int PRIMARY KEY, note text);
    GRANT SELECT (id, note) ON notes TO it_anon;
    INSERT INTO notes VALUES (1, 'one', 'x'), (2, 'two', 'y');
";

fn token(role: &str) -> String {
    let claims = serde_json::json!({ "role": role });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    format!("Bearer {}", encode(&Header::default(), &claims, &key).unwrap())
}

#[test]
fn roles_and_what_they_were_granted_mean_the_same_on_every_store() {
    let Some(cluster) = postgres::cluster() else { return };
    let folder = tempfile::tempdir().unwrap();
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::write(migrations.join("0001.sql"), SCRIPT).unwrap();
    let dsn = cluster.create_database("access");
    let run = |start: Start<'_>| {
        let start = start.with("ACCESS", "closed").with("ANON_ROLE", "it_anon").with("JWT_SECRET", SECRET);
        start.with("MIGRATIONS", migrations.display()).run()
    };
    let on = |mode: &str| {
        let volume = folder.path().join(mode);
        std::fs::create_dir(&volume).unwrap();
        run(Start::sqlite(folder.path(), &volume).with("VOLUME_MODE", mode))
    };
    let oracle = run(Start::postgres(folder.path(), &dsn));
    let stores: [(&str, Berth); 2] = [("in-place", on("in-place")), ("shared-log", on("shared-log"))];
    let requests = [
        ("GET", "/notes?select=id,note&order=id", ""),
        ("GET", "/notes?order=id", ""),
        ("GET", "/notes?select=id&secret=eq.x", ""),
        ("GET", "/notes?select=id&order=secret", ""),
        ("GET", "/notes?select=id&or=(id.eq.1,secret.eq.x)", ""),
        ("GET", "/shown?order=id", ""),
        ("GET", "/before", ""),
        ("GET", "/after", ""),
        ("POST", "/notes", r#"{"id":3,"note":"three"}"#),
        ("POST", "/after", r#"{"id":3,"note":"three"}"#),
        ("POST", "/before", r#"{"id":3}"#),
        ("PATCH", "/notes?id=eq.1", r#"{"note":"changed"}"#),
        ("DELETE", "/notes?id=eq.2", ""),
    ];
    let (mut compared, mut allowed, mut refused) = (0, 0, 0);
    for role in ["it_anon", "it_reader", "it_editor", "it_gate", "it_behind"] {
        let headers = [
            ("Authorization", token(role)),
            ("Content-Type", "application/json".to_owned()),
            ("Prefer", "tx=rollback".to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (method, path, body) in requests {
            let expected = oracle.client().send(method, path, &headers, body);
            for (store, berth) in &stores {
                let answer = berth.client().send(method, path, &headers, body);
                let told = (answer.status, answer.body.as_str());
                assert_eq!(told, (expected.status, expected.body.as_str()), "{store}: {method} {path} as {role}");
            }
            compared += 1;
            *if expected.status < 300 { &mut allowed } else { &mut refused } += 1;
        }
    }
    assert!(compared == 65 && allowed > 10 && refused > 10, "{compared}: {allowed} allowed, {refused} refused");
}
