//! What a read of `/` gives: the description, less of it, something else, or nothing.

use serde_json::Value;

use crate::support::deployment::Deployment;

const SCHEMA: &str = "
    CREATE ROLE root_anon;
    CREATE TABLE shown (id int PRIMARY KEY);
    CREATE TABLE partly (id int PRIMARY KEY, secret text);
    CREATE TABLE hidden (id int PRIMARY KEY);
    GRANT SELECT ON shown TO root_anon;
    GRANT SELECT (id) ON partly TO root_anon;
    CREATE FUNCTION about() RETURNS text LANGUAGE sql AS $$ SELECT 'films' $$;
    CREATE FUNCTION kept() RETURNS text LANGUAGE sql AS $$ SELECT 'secret' $$;
    REVOKE EXECUTE ON FUNCTION kept() FROM PUBLIC;
";

#[test]
fn the_root_gives_what_the_configuration_says() {
    for deployment in Deployment::on_each_store("root", SCHEMA) {
        let store = deployment.name();
        let start = || deployment.instance().with("ACCESS", "closed").with("ANON_ROLE", "root_anon");
        let tables = |answer: &Value| {
            let definitions = answer["definitions"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
            definitions.unwrap_or_default()
        };
        let berth = start().run();
        let answer = berth.client().get("/").json();
        assert_eq!(tables(&answer), ["partly", "shown"], "{store}");
        let functions = (&answer["paths"]["/rpc/about"], &answer["paths"]["/rpc/kept"]);
        assert!(functions.0.is_object() && functions.1.is_null(), "{store}: {functions:?}");
        drop(berth);
        let berth = start().with("OPENAPI_MODE", "ignore-privileges").run();
        assert_eq!(tables(&berth.client().get("/").json()), ["hidden", "partly", "shown"], "{store}");
        drop(berth);
        let berth = start().with("DB_ROOT_SPEC", "about").run();
        let answer = berth.client().get("/");
        assert_eq!((answer.status, answer.json()), (200, Value::from("films")), "{store}");
        drop(berth);
        let berth = start().with("DB_ROOT_SPEC", "about").with("OPENAPI_MODE", "disabled").run();
        let answer = berth.client().get("/");
        assert_eq!((answer.status, &answer.json()["code"]), (404, &Value::from("PGRST126")), "{store}");
        assert_eq!(berth.client().get("/shown").status, 200, "{store}");
    }
}
