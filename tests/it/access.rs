//! Who may do what: the same script on SQLite in place, on the shared log and on Postgres, which is the oracle. The same
//! request of the same role must get the same status and the same body from each.

use crate::differential::requests::Case;
use crate::policies::stores::{Sender, Stores};

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

#[test]
fn roles_and_what_they_were_granted_mean_the_same_on_every_store() {
    let Some(stores) = Stores::start("access", SCRIPT, "it_anon") else { return };
    let mut compared = stores.compare();
    let requests = [
        Case::get("/notes?select=id,note&order=id"),
        Case::get("/notes?order=id"),
        Case::get("/notes?select=id&secret=eq.x"),
        Case::get("/notes?select=id&order=secret"),
        Case::get("/notes?select=id&or=(id.eq.1,secret.eq.x)"),
        Case::get("/shown?order=id"),
        Case::get("/before"),
        Case::get("/after"),
        Case::write("POST", "/notes", r#"{"id":3,"note":"three"}"#),
        Case::write("POST", "/after", r#"{"id":3,"note":"three"}"#),
        Case::write("POST", "/before", r#"{"id":3}"#),
        Case::write("PATCH", "/notes?id=eq.1", r#"{"note":"changed"}"#),
        Case::write("DELETE", "/notes?id=eq.2", ""),
    ];
    for role in ["it_anon", "it_reader", "it_editor", "it_gate", "it_behind"] {
        let sender = Sender::new(role, serde_json::json!({}));
        for request in &requests {
            compared.send(&sender, request);
        }
    }
    let (allowed, refused) = compared.finish();
    assert!(allowed + refused == 65 && allowed > 10 && refused > 10, "{allowed} allowed, {refused} refused");
}
