//! Scripts against SQLite: what they leave behind, and what is refused.

mod function;
mod sequence;

use rusqlite::Connection;

use super::*;

fn scripts(files: &[(&str, &str)]) -> Result<Vec<Script>, Error> {
    files.iter().map(|(name, text)| Script::new(*name, *text)).collect()
}

fn apply(connection: &mut Connection, files: &[(&str, &str)]) -> Result<Report, Error> {
    run(connection, &scripts(files)?, Mode::Apply)
}

fn run(connection: &mut Connection, scripts: &[Script], mode: Mode) -> Result<Report, Error> {
    let mut report = Report::default();
    apply_sqlite(connection, scripts, mode, &mut report).map(|()| report)
}

fn migrated(text: &str) -> Connection {
    let mut connection = Connection::open_in_memory().expect("a database");
    apply(&mut connection, &[("1.sql", text)]).expect(text);
    connection
}

fn refusal(text: &str) -> String {
    let mut connection = Connection::open_in_memory().expect("a database");
    let error = apply(&mut connection, &[("1.sql", text)]).expect_err(text);
    let tables: i64 = value(&connection, "SELECT count(*) FROM sqlite_schema");
    assert_eq!(tables, 0, "something of {text} was left");
    error.to_string()
}

fn value<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> T {
    connection.query_row(sql, [], |row| row.get(0)).expect(sql)
}

#[test]
fn a_foreign_key_leads_to_a_key_that_is_there() {
    let parent = "CREATE TABLE p (id int PRIMARY KEY, n int UNIQUE, free int, \"Odd\" int);
         CREATE UNIQUE INDEX ON p (\"Odd\"); CREATE UNIQUE INDEX ON p (free) WHERE free > 0; CREATE TABLE q (id int);";
    for (references, expected) in [
        ("nope", "relation \"nope\" does not exist"),
        ("p (nope)", "column \"nope\" referenced in foreign key constraint does not exist"),
        ("p (free)", "there is no unique constraint matching given keys for referenced table \"p\""),
        ("q", "there is no primary key for referenced table \"q\""),
    ] {
        for declared in [
            format!("CREATE TABLE c (id int REFERENCES {references})"),
            format!("CREATE TABLE c (id int); ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES {references}"),
        ] {
            let said = refusal(&format!("{parent}\n{declared}"));
            assert!(said.contains("\"1.sql\", line 3") && said.contains(expected), "{declared}: {said}");
        }
    }
    for references in ["p", "p (id)", "p (n)", "p (\"Odd\")", "c"] {
        migrated(&format!("{parent} CREATE TABLE c (id int PRIMARY KEY REFERENCES {references})"));
    }
}

#[test]
fn a_domain_keeps_the_length_and_the_precision_of_its_type() {
    let connection = migrated(
        "CREATE DOMAIN code AS varchar(3); CREATE DOMAIN amount AS numeric(8, 2);
         CREATE TABLE sales (id int PRIMARY KEY, code code, price amount);",
    );
    let types = "SELECT group_concat(type, '; ') FROM pragma_table_info('sales') WHERE name <> 'id'";
    assert_eq!(value::<String>(&connection, types), "character varying(3); numeric(8,2)");
    let failure = connection.execute("INSERT INTO sales VALUES (1, 'long', 1)", []).expect_err("too long");
    assert!(failure.to_string().contains("type:character varying(3)"), "{failure}");
    let refused = refusal("CREATE DOMAIN whatever AS record;");
    assert!(refused.contains("record"), "{refused}");
}

#[test]
fn a_table_is_written_out_once_with_the_keys_that_came_later() {
    let connection = migrated(
        "CREATE TABLE a (id integer NOT NULL, b_id int, name varchar(10));
         CREATE TABLE b (id integer NOT NULL);
         ALTER TABLE ONLY a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
         ALTER TABLE ONLY b ADD CONSTRAINT b_pkey PRIMARY KEY (id);
         ALTER TABLE ONLY a ADD CONSTRAINT a_b_fkey FOREIGN KEY (b_id) REFERENCES b(id) ON DELETE CASCADE;",
    );
    let made: String = value(&connection, "SELECT sql FROM sqlite_schema WHERE name = 'a'");
    insta::assert_snapshot!(made, @"
    CREATE TABLE a (
      id int NOT NULL,
      b_id integer,
      name character varying(10),
      CONSTRAINT a_pkey PRIMARY KEY (id),
      CONSTRAINT \"type:integer\" CHECK (id IS NULL OR (typeof(id) = 'integer' AND id BETWEEN -2147483648 AND 2147483647)),
      CONSTRAINT \"type:integer\" CHECK (b_id IS NULL OR (typeof(b_id) = 'integer' AND b_id BETWEEN -2147483648 AND 2147483647)),
      CONSTRAINT \"type:character varying(10)\" CHECK (length(name) <= 10),
      CONSTRAINT a_b_fkey FOREIGN KEY (b_id) REFERENCES b (id) ON DELETE CASCADE
    )
    ");
}

#[test]
fn a_rebuild_keeps_rows_counters_indexes_and_triggers() {
    let mut connection = migrated(
        "CREATE TABLE t (id serial PRIMARY KEY, a text, b integer);
         CREATE INDEX t_a ON t (a);
         INSERT INTO t (a, b) VALUES ('x', 1), ('y', 2), ('z', 3);
         DELETE FROM t WHERE a = 'z';",
    );
    connection
        .execute_batch("CREATE TRIGGER counted AFTER INSERT ON t BEGIN UPDATE t SET b = 0 WHERE id = new.id; END")
        .expect("a trigger");
    let text = "ALTER TABLE t ADD COLUMN c date NOT NULL DEFAULT '2024-01-01', ALTER COLUMN b TYPE text, DROP COLUMN a;
                INSERT INTO t (b) VALUES ('new');";
    let first = scripts(&[]).expect("none");
    assert!(first.is_empty());
    run(&mut connection, &scripts(&[("2.sql", text)]).expect("scripts"), Mode::Apply).expect("migrated");
    let rows: String = value(&connection, "SELECT group_concat(id || b || c, ' ') FROM t");
    assert_eq!(rows, "112024-01-01 222024-01-01 402024-01-01");
    assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM sqlite_schema WHERE name = 't_a'"), 0);
    assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"), 1);
}

#[test]
fn a_rebuild_turns_the_decimals_of_older_files_into_text_without_a_loss() {
    let mut connection = migrated("CREATE TABLE t (id int PRIMARY KEY, a numeric, b numeric(20, 4), c int)");
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(replace(sql, ' COLLATE decimal', ''), 'numeric text', 'numeric');
             UPDATE sqlite_schema SET sql = replace(sql, '\"numeric(20,4) text\"', 'numeric(20,4)');
             PRAGMA writable_schema = RESET;
             INSERT INTO t VALUES (1, 2.5, 1234567890123.25, 0), (2, 0.1234567890123456, 7, 0), (3, 12, NULL, 0)",
        )
        .expect("an older file");
    assert_eq!(value::<String>(&connection, "SELECT group_concat(typeof(a)) FROM t"), "real,real,integer");
    let text = "ALTER TABLE t DROP COLUMN c; INSERT INTO t VALUES (4, 2.50, 1234567890123456.8901);
                INSERT INTO t VALUES (5, 12345678901234567890.5, NULL);";
    run(&mut connection, &scripts(&[("2.sql", text)]).expect("scripts"), Mode::Apply).expect("migrated");
    assert_eq!(
        value::<String>(
            &connection,
            "SELECT group_concat(quote(a) || ' ' || quote(b), ', ') FROM (SELECT * FROM t ORDER BY a)"
        ),
        "'0.1234567890123456' '7', '2.5' '1234567890123.25', '2.50' '1234567890123456.8901', '12' NULL, \
         '12345678901234567890.5' NULL"
    );
}

#[test]
fn renames_are_followed_by_keys_views_and_checks() {
    let connection = migrated(
        "CREATE TABLE t (id int PRIMARY KEY, old int CHECK (old > 0));
         CREATE TABLE child (t_id int REFERENCES t (id));
         CREATE VIEW v AS SELECT old FROM t;
         ALTER TABLE t RENAME COLUMN old TO new;
         ALTER TABLE t RENAME TO moved;
         ALTER TABLE moved ADD COLUMN more int;
         INSERT INTO moved (id, new) VALUES (1, 2);
         INSERT INTO child VALUES (1);",
    );
    assert_eq!(value::<i64>(&connection, "SELECT old FROM v"), 2);
    assert_eq!(value::<String>(&connection, "SELECT \"table\" FROM pragma_foreign_key_list('child')"), "moved");
    assert!(connection.execute_batch("INSERT INTO moved (id, new) VALUES (2, 0)").is_err());
}

#[test]
fn what_stops_a_script_is_named_and_nothing_of_it_stays() {
    for (text, reason) in [
        ("CREATE TABLE a (id int);\n\nCREATE TABLE b (p point);", "\"1.sql\", line 3: cannot be done on SQLite"),
        ("CREATE TABLE a (id int);\nCREATE TRIGGER x BEFORE INSERT ON a EXECUTE FUNCTION f();", "triggers"),
        ("CREATE TABLE a (id int);\nCREATE POLICY p ON a FOR INSERT USING (true);", "only WITH CHECK expression"),
        ("CREATE TABLE a (id int);\nINSERT INTO a VALUES ('x');", "invalid input syntax for type integer"),
        ("CREATE TABLE a (id int CHECK (id > 0));\nINSERT INTO a VALUES (-1);", "line 2: CHECK constraint failed"),
        ("CREATE TABLE other.a (id int);", "schema \"other\""),
        ("CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY);", "identity column"),
        ("CREATE TABLE a (id int); GRANT SELECT ON a TO nobody;", "role \"nobody\" does not exist"),
        ("CREATE ROLE r; GRANT SELECT ON a TO r;", "relation \"a\" does not exist"),
        ("CREATE TABLE _berth_x (id int);", "reserved"),
        (
            "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a); INSERT INTO b VALUES (1);",
            "refers",
        ),
        ("CREATE TABLE a (x int, y int); CREATE VIEW v AS SELECT y FROM a; ALTER TABLE a DROP COLUMN y;", "view \"v\""),
        ("CREATE VIEW v AS SELECT DISTINCT ON (1) 1;", "DISTINCT ON"),
        ("CREATE VIEW v AS SELECT 1, 2;", "column \"?column?\" specified more than once"),
        ("CREATE TABLE a (at timestamptz DEFAULT now() + 1);", "cast both sides"),
        ("CREATE TABLE a (id int", "cannot be read"),
        ("CREATE TABLE a ();", "\"a\" has no columns"),
        ("SELECT 1;", "changes nothing"),
    ] {
        let said = refusal(text);
        assert!(said.contains(reason), "{text}: {said}");
    }
}

/// Each operator asks its sides what they are: asked twice, a chain of these would take for ever.
#[test]
fn a_chain_of_operators_is_read_soon() {
    let chain = |operator: &str| vec!["x"; 60].join(operator);
    let connection = migrated(&format!(
        "CREATE TABLE a (x int); CREATE VIEW v AS SELECT {} AS a, {} AS b, {} AS c, {} AS d FROM a;",
        chain(" + "),
        chain(" - "),
        chain(" || '-' || "),
        chain(" * - - "),
    ));
    assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM v"), 0);
}

#[test]
fn what_changes_nothing_on_sqlite_is_passed_over() {
    let connection = migrated(
        "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE ROLE web; CREATE TABLE a (id int PRIMARY KEY, b text);
         CREATE STATISTICS s ON id, b FROM a; ALTER TABLE a SET (fillfactor = 70); ALTER TABLE a REPLICA IDENTITY FULL;
         ALTER ROLE web SET statement_timeout = '5s'; ALTER ROLE web IN DATABASE app RESET ALL;
         ALTER DATABASE app SET timezone TO 'UTC'; DROP PUBLICATION IF EXISTS p; CREATE PUBLICATION p FOR TABLE a;
         ALTER PUBLICATION p ADD TABLE a; DROP TRIGGER IF EXISTS t ON a; LOCK TABLE a IN SHARE MODE; REINDEX TABLE a;
         NOTIFY pgrst, 'reload schema';",
    );
    assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM a"), 0);
}

#[test]
fn scripts_run_once_in_order_and_must_not_change() {
    let mut connection = Connection::open_in_memory().expect("a database");
    let (one, two) = (("1.sql", "CREATE TABLE a (id int);"), ("2.sql", "CREATE TABLE b (id int);"));
    assert_eq!(apply(&mut connection, &[one]).expect("applied").applied.len(), 1);
    assert_eq!(apply(&mut connection, &[one, two]).expect("applied").applied.len(), 1);
    assert_eq!(apply(&mut connection, &[one, two]).expect("applied"), Report::default());
    let changed = apply(&mut connection, &[("1.sql", "CREATE TABLE c (id int);"), two]);
    assert!(matches!(changed, Err(Error::Changed { .. })));
    assert!(matches!(apply(&mut connection, &[("0.sql", "SELECT 1")]), Err(Error::OutOfOrder { .. })));
}

#[test]
fn a_dry_run_leaves_nothing() {
    let mut connection = Connection::open_in_memory().expect("a database");
    let scripts = scripts(&[("1.sql", "CREATE TABLE a (id int);"), ("2.sql", "INSERT INTO a VALUES (1);")]);
    let report = run(&mut connection, &scripts.expect("scripts"), Mode::DryRun).expect("would apply");
    assert_eq!(report.applied.len(), 2);
    assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM sqlite_schema"), 0);
}

#[test]
fn a_grant_alone_changes_the_schemas_version() {
    let mut connection = migrated("CREATE TABLE a (id int, secret int); CREATE ROLE anon;");
    let before: i64 = value(&connection, "PRAGMA schema_version");
    let text = "GRANT SELECT (id), INSERT ON a TO anon; GRANT ALL ON a TO PUBLIC; REVOKE DELETE ON a FROM PUBLIC;";
    run(&mut connection, &scripts(&[("2.sql", text)]).expect("scripts"), Mode::Apply).expect("migrated");
    assert!(value::<i64>(&connection, "PRAGMA schema_version") > before);
    let grants: String = value(
        &connection,
        "SELECT group_concat(grantee || ' ' || privilege || coalesce(columns, ''), ', ') FROM _berth_grants",
    );
    assert_eq!(grants, "anon insert, anon select[\"id\"], public insert, public select, public update");
}

#[test]
fn a_guarded_role_may_be_there_already() {
    for guard in [
        "DO $$ BEGIN CREATE ROLE anon; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;",
        "do $body$ begin if not exists (select from pg_catalog.pg_roles where rolname = 'anon') then
           create role anon nologin; end if; end $body$;",
        "DO $$ BEGIN CREATE ROLE anon NOLOGIN; GRANT anon TO CURRENT_USER; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
    ] {
        let connection = migrated(&format!("CREATE ROLE anon;\n{guard}\n{guard}"));
        assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM _berth_roles"), 1, "{guard}");
    }
    let told = refusal("DO $$ BEGIN CREATE ROLE anon; GRANT SELECT ON t TO anon; END $$;");
    assert!(told.contains("only a guard around CREATE ROLE"), "{told}");
}

#[test]
fn what_each_engine_writes_differently_means_the_same() {
    let connection = migrated(
        "CREATE TYPE mood AS ENUM ('low', 'high');
         ALTER TYPE mood ADD VALUE 'mid' BEFORE 'high';
         CREATE TABLE t (
             id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL DEFAULT now(), m mood DEFAULT 'mid',
             ok boolean DEFAULT false, a int[] DEFAULT '{1,2}'::int[], j jsonb DEFAULT '{}'::jsonb, n numeric(6,2)
         );
         INSERT INTO t (n) VALUES (1.005) ON CONFLICT (id) DO NOTHING;
         UPDATE t SET ok = (n >= '1'::numeric AND m IN ('mid', 'low')) WHERE m = 'mid'::mood;",
    );
    let row: String = value(
        &connection,
        "SELECT length(id) || ' ' || (at LIKE '2%+00') || ' ' || m || ' ' || ok || ' ' || a || ' ' || j || ' ' || n FROM t",
    );
    assert_eq!(row, "36 1 mid 1 [1,2] {} 1.01");
    assert!(connection.execute_batch("INSERT INTO t (m) VALUES ('other')").is_err());
    assert!(connection.execute_batch("INSERT INTO t (a) VALUES ('{1}')").is_err());
}

#[test]
fn default_privileges_reach_what_is_made_later_in_this_script_and_the_next() {
    let mut connection = migrated(
        "CREATE ROLE anon; CREATE ROLE editor; CREATE TABLE before (id int);
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO anon;
         ALTER DEFAULT PRIVILEGES GRANT ALL PRIVILEGES ON TABLES TO editor;
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO anon;
         CREATE TABLE later (id int);",
    );
    let next = "ALTER DEFAULT PRIVILEGES REVOKE INSERT, UPDATE, DELETE ON TABLES FROM editor;
                ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM anon;
                CREATE TABLE last (id int); CREATE VIEW shown AS SELECT id FROM last;
                CREATE OR REPLACE VIEW shown AS SELECT id FROM last;";
    apply(&mut connection, &[("2.sql", next)]).expect("migrated");
    let sql = "SELECT group_concat(line, '; ') FROM (SELECT table_name || ' ' || grantee || ' ' || \
               group_concat(privilege, ',' ORDER BY privilege) AS line FROM _berth_grants \
               GROUP BY table_name, grantee ORDER BY table_name, grantee)";
    let granted: String = value(&connection, sql);
    // What was granted for the schema is not taken back by a REVOKE for all of them.
    let expected = "last anon select; last editor select; later anon select; later editor delete,insert,select,update; \
                    shown anon select; shown editor select";
    assert_eq!(granted, expected);
}

#[test]
fn who_may_use_the_schema_is_kept_from_script_to_script() {
    let mut connection = Connection::open_in_memory().expect("a database");
    let mut files = Vec::new();
    for (name, text, expected) in [
        ("1.sql", "CREATE ROLE web; CREATE ROLE app; GRANT CREATE ON SCHEMA public TO app", "public"),
        ("2.sql", "REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO web, app", "app,web"),
        ("3.sql", "CREATE TABLE t (a int)", "app,web"),
        ("4.sql", "REVOKE CREATE ON SCHEMA public FROM web; REVOKE ALL ON SCHEMA public FROM app", "web"),
        ("5.sql", "REVOKE USAGE ON SCHEMA public FROM web; DROP ROLE web", ""),
    ] {
        files.push((name, text));
        apply(&mut connection, &files).expect(text);
        let users: String = value(
            &connection,
            "SELECT coalesce(group_concat(grantee), '') FROM (SELECT grantee FROM _berth_schema_users ORDER BY grantee)",
        );
        assert_eq!(users, expected, "{name}");
    }
    let kept = refusal("CREATE ROLE web; GRANT USAGE ON SCHEMA public TO web; DROP ROLE web");
    assert!(kept.contains("it still has privileges"), "{kept}");
    for (wrong, why) in [
        ("GRANT USAGE ON SCHEMA public TO nobody", "role \"nobody\" does not exist"),
        ("GRANT USAGE ON SCHEMA other TO PUBLIC", "schema \"other\" does not exist"),
        ("GRANT SELECT ON SCHEMA public TO PUBLIC", "invalid privilege type SELECT for schema"),
    ] {
        assert!(refusal(wrong).contains(why), "{wrong}: {}", refusal(wrong));
    }
}

#[test]
fn default_privileges_that_would_mean_something_else_are_refused() {
    for (text, reason) in [
        ("FOR ROLE anon GRANT SELECT ON TABLES TO anon", "of ALTER DEFAULT PRIVILEGES only"),
        ("IN SCHEMA other GRANT SELECT ON TABLES TO anon", "schema \"other\" does not exist"),
        ("GRANT SELECT (id) ON TABLES TO anon", "cannot be set for columns"),
        ("GRANT SELECT ON TABLES TO nobody", "role \"nobody\" does not exist"),
    ] {
        let told = refusal(&format!("CREATE ROLE anon; ALTER DEFAULT PRIVILEGES {text};"));
        assert!(told.contains(reason), "{text}: {told}");
    }
    let told = refusal("CREATE ROLE r; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r; DROP ROLE r;");
    assert!(told.contains("still has privileges"), "{told}");
}

#[test]
fn a_role_that_inherits_nothing_has_no_privilege_of_the_roles_it_was_granted() {
    let mut connection = migrated(
        "CREATE ROLE admin; CREATE ROLE authenticator NOINHERIT LOGIN; GRANT admin TO authenticator;
         CREATE ROLE member IN ROLE admin; CREATE ROLE below IN ROLE authenticator;",
    );
    let roles = |connection: &Connection| -> String {
        let sql = "SELECT group_concat(name || ' ' || member_of, ' ' ORDER BY name) FROM _berth_roles";
        value(connection, sql)
    };
    let isolated = r#"admin [] authenticator [] below ["authenticator"] member ["admin"]"#;
    assert_eq!(roles(&connection), isolated);
    // It is still known in the next script, and what was granted comes with `INHERIT`.
    apply(&mut connection, &[("2.sql", "CREATE ROLE other; GRANT other TO authenticator;")]).expect("migrated");
    assert_eq!(roles(&connection), isolated.to_owned() + " other []");
    let alter = "ALTER ROLE authenticator WITH INHERIT; ALTER ROLE member NOINHERIT;";
    apply(&mut connection, &[("3.sql", alter)]).expect("migrated");
    let swapped = r#"admin [] authenticator ["admin","other"] below ["authenticator"] member [] other []"#;
    assert_eq!(roles(&connection), swapped);
    assert!(refusal("ALTER ROLE nobody INHERIT;").contains("does not exist"));
}

#[test]
fn defaults_and_views_may_ask_the_request() {
    let connection = migrated(
        "CREATE TABLE notes (id int PRIMARY KEY, owner uuid DEFAULT auth.uid(), by text DEFAULT current_user,
             level int DEFAULT (current_setting('request.jwt.claims', true)::json ->> 'level')::int);
         CREATE VIEW own AS SELECT id FROM notes WHERE owner = auth.uid() AND by = current_role;
         INSERT INTO notes (id) VALUES (1);",
    );
    let row: String = value(&connection, "SELECT concat(id, owner, by, level) FROM notes");
    assert_eq!(row, "1authenticator");
    let view: String = value(&connection, "SELECT sql FROM sqlite_schema WHERE name = 'own'");
    assert!(view.ends_with("WHERE (owner = (SELECT berth_auth_uid())) AND (\"by\" = (SELECT berth_user()))"), "{view}");
    let table: String = value(&connection, "SELECT sql FROM sqlite_schema WHERE name = 'notes'");
    let level =
        "berth_cast((berth_json_text(berth_cast(berth_setting('request.jwt.claims', 1), 'json'), 'level')), 'integer')";
    assert!(table.contains(level), "{table}");
}

#[test]
fn an_index_and_a_generated_column_cannot_ask_the_request() {
    for definition in [
        "a text, b text GENERATED ALWAYS AS (a || current_user) STORED",
        "a text); CREATE INDEX i ON t ((a || current_user)",
    ] {
        assert!(refusal(&format!("CREATE TABLE t ({definition});")).contains("non-deterministic"), "{definition}");
    }
}

#[test]
fn the_ledger_keeps_what_scripts_define_and_that_of_an_earlier_version_takes_it_from_the_files() {
    let first = ("1.sql", "CREATE TABLE a (b int); INSERT INTO a VALUES (1);");
    let mut connection = Connection::open_in_memory().expect("a database");
    apply(&mut connection, &[first]).expect("applied");
    let defined = recorded(&connection, &[]).expect("recorded");
    assert_eq!(defined.first().map(|script| script.definitions.as_str()), Some("CREATE TABLE a (b int);\n\n"));

    connection.execute_batch("ALTER TABLE _berth_migrations DROP COLUMN definitions").expect("an earlier ledger");
    assert!(matches!(recorded(&connection, &[]), Err(Error::Unrecorded { .. })));
    let changed = scripts(&[("1.sql", "CREATE TABLE a (c int)")]).expect("scripts");
    assert!(matches!(recorded(&connection, &changed), Err(Error::Unrecorded { .. })));
    let same = scripts(&[first]).expect("scripts");
    assert_eq!(recorded(&connection, &same).expect("recorded"), defined);
    apply(&mut connection, &[first, ("2.sql", "CREATE TABLE c (d int)")]).expect("applied");
    assert!(matches!(recorded(&connection, &[]), Err(Error::Unrecorded { name }) if name == "1.sql"));
    assert_eq!(recorded(&connection, &same).expect("recorded").len(), 2);
}

/// Everything noted of policies, a line each.
fn policies(connection: &Connection) -> Vec<String> {
    let sql = "SELECT concat_ws(' ', table_name, name, kind, command, roles, '[' || using_expression || ']', '[' || check_expression || ']') \
               FROM _berth_policies ORDER BY table_name, name";
    let mut statement = connection.prepare(sql).expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<rusqlite::Result<_>>().expect("texts")
}

#[test]
fn policies_are_noted_in_both_languages() {
    let connection = migrated(
        "CREATE ROLE web; CREATE ROLE lead BYPASSRLS;
         CREATE TABLE teams (id int PRIMARY KEY, person text);
         CREATE TABLE notes (id int PRIMARY KEY, owner text, team int, done boolean, tags text[]);
         ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON notes TO web USING (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
         CREATE POLICY team ON notes AS RESTRICTIVE FOR SELECT TO web, PUBLIC
             USING (team IN (SELECT id FROM teams t WHERE t.person = (select auth.jwt() ->> 'name')) OR 'all' = ANY (tags));
         CREATE POLICY add ON notes FOR INSERT WITH CHECK (NOT done AND owner LIKE current_user || '%');
         CREATE POLICY gone ON notes USING (true); DROP POLICY gone ON notes; DROP POLICY IF EXISTS gone ON notes;
         ALTER POLICY add ON notes RENAME TO \"Add One\"; ALTER POLICY \"Add One\" ON notes TO web;
         CREATE VIEW seen WITH (security_invoker = on) AS SELECT id FROM notes;
         CREATE VIEW all_of_it AS SELECT id FROM notes; ALTER VIEW all_of_it SET (security_invoker = true);
         ALTER VIEW all_of_it RESET (security_invoker);
         CREATE VIEW done AS SELECT id FROM notes WHERE done WITH LOCAL CHECK OPTION;
         CREATE VIEW young WITH (check_option = cascaded) AS SELECT id FROM notes WHERE id < 9;
         CREATE OR REPLACE VIEW old AS SELECT id FROM notes WHERE id > 9 WITH check option;
         CREATE OR REPLACE VIEW old AS SELECT id FROM notes WHERE id > 8;
         CREATE VIEW any_row AS SELECT id FROM notes; ALTER VIEW any_row SET (check_option = local);",
    );
    assert_eq!(
        policies(&connection),
        [
            "notes Add One permissive insert [\"web\"] [NOT done AND owner LIKE current_user || '%']",
            "notes own permissive all [\"web\"] [owner = current_setting('request.jwt.claims', true)::JSON ->> 'sub']",
            "notes team restrictive select [\"web\",\"public\"] [team IN (SELECT id FROM teams t WHERE t.person = \
             (SELECT auth.jwt() ->> 'name')) OR 'all' = ANY(tags)]",
        ]
    );
    let written: String =
        value(&connection, "SELECT group_concat(coalesce(using_sql, check_sql), ' / ') FROM _berth_policies");
    assert_eq!(
        written,
        "(NOT done) AND (berth_like((SELECT berth_user() || '%'), owner)) / owner = (SELECT \
         berth_json_text(berth_cast(berth_setting('request.jwt.claims', 1), 'json'), 'sub')) / (team IN (SELECT id AS id \
         FROM teams AS t WHERE t.person = (SELECT (SELECT berth_json_text(berth_auth_jwt(), 'name')) AS \"?column?\"))) OR \
         (CASE WHEN tags IS NOT NULL THEN 'all' IN (SELECT value FROM json_each(tags)) END)"
    );
    let security: String = value(&connection, "SELECT concat(table_name, enabled, forced) FROM _berth_row_security");
    assert_eq!(security, "notes11");
    assert_eq!(value::<String>(&connection, "SELECT name FROM _berth_bypassing_roles"), "lead");
    assert_eq!(value::<String>(&connection, "SELECT group_concat(name) FROM _berth_invoker_views"), "seen");
    let checked = "SELECT group_concat(concat(name, ' ', option_name)) FROM _berth_checked_views";
    assert_eq!(value::<String>(&connection, checked), "any_row local,done local,young cascaded");
}

#[test]
fn policies_follow_renames_and_hold_what_they_need() {
    let base = "CREATE ROLE web; CREATE TABLE people (id int PRIMARY KEY, name text, old int);
         CREATE TABLE notes (id int PRIMARY KEY, owner text, age int);
         CREATE POLICY own ON notes TO web USING (owner = current_user AND EXISTS (SELECT 1 FROM people p WHERE p.name = notes.owner));";
    let renamed = migrated(&format!(
        "{base} ALTER TABLE notes RENAME COLUMN owner TO writer; ALTER TABLE people RENAME TO persons;
         ALTER TABLE persons RENAME COLUMN name TO called; ALTER TABLE notes RENAME TO papers;
         ALTER TABLE papers DROP COLUMN age; ALTER TABLE persons DROP COLUMN old;"
    ));
    let expression: String = value(&renamed, "SELECT concat(table_name, ': ', using_expression) FROM _berth_policies");
    assert_eq!(
        expression,
        "papers: \"writer\" = current_user AND EXISTS (SELECT 1 FROM \"persons\" p WHERE p.\"called\" = \"papers\".\"writer\")"
    );
    for (then, reason) in [
        ("ALTER TABLE notes DROP COLUMN owner;", "cannot drop column \"owner\" of \"notes\": the policy \"own\""),
        (
            "ALTER TABLE people DROP COLUMN name;",
            "cannot drop column \"name\" of \"people\": the policy \"own\" of \"notes\"",
        ),
        ("ALTER TABLE notes ALTER COLUMN owner TYPE varchar(9);", "cannot alter the type of column \"owner\""),
        ("DROP TABLE people;", "cannot drop table people: the policy \"own\" of \"notes\" depends on it"),
        ("DROP ROLE web;", "role \"web\" cannot be dropped: the policy \"own\" of \"notes\" is for it"),
        (
            "ALTER TABLE people RENAME COLUMN id TO owner; ALTER TABLE notes RENAME COLUMN owner TO o;",
            "names several columns \"owner\"",
        ),
        ("CREATE POLICY own ON notes USING (true);", "policy \"own\" for table \"notes\" already exists"),
        ("CREATE POLICY p ON notes TO nobody USING (true);", "role \"nobody\" does not exist"),
        ("CREATE POLICY p ON notes FOR SELECT WITH CHECK (true);", "WITH CHECK cannot be applied to SELECT or DELETE"),
        ("CREATE POLICY p ON notes USING (ownr = 'x');", "no such column: ownr"),
        ("CREATE POLICY p ON notes USING (\"Ownr\" = 'Ownr');", "no such column: \"Ownr\""),
        ("CREATE VIEW v AS SELECT id FROM notes; ALTER TABLE v ENABLE ROW LEVEL SECURITY;", "\"v\" is not a table"),
        ("DROP POLICY other ON notes;", "policy \"other\" for table \"notes\" does not exist"),
    ] {
        let refused = refusal(&format!("{base} {then}"));
        assert!(refused.contains(reason), "{then}: {refused}");
    }
    let cascaded = migrated(&format!("{base} DROP TABLE people CASCADE;"));
    assert!(policies(&cascaded).is_empty());
    let dropped = migrated(&format!("{base} ALTER TABLE notes DROP COLUMN owner CASCADE;"));
    assert!(policies(&dropped).is_empty());
}
