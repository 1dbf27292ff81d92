//! What a Postgres server says of itself and of berth's role.

use tokio_postgres::{Client, SimpleQueryMessage};

use super::exposure::{self, Exposed};
use crate::command::{chain, compose};
use crate::config::Config;
use crate::store::postgres::{Link, Postgres, PostgresSettings};
use crate::telemetry::Telemetry;
use crate::transfer::{MAY_BECOME, literal};
use crate::volume::probe::report::{Finding, Level};

/// Instances that must fit when nobody says how many run: during a rollout the old and the new one run at once.
const INSTANCES: usize = 2;

/// The oldest server that is tested.
const VERSION_MIN: u32 = 13;

/// One row of words, in the order of [`Answer`]'s fields.
const QUESTION: &str = "SELECT current_setting('server_version'), \
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)::text, rolname, \
    rolsuper::text, rolbypassrls::text, \
    (SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
     WHERE relowner = r.oid AND relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema)')::text, \
    (SELECT min(bound) FROM (VALUES \
        (current_setting('max_connections')::int - coalesce(current_setting('superuser_reserved_connections', true)::int, 0) \
         - coalesce(current_setting('reserved_connections', true)::int, 0)), \
        (nullif(rolconnlimit, -1)), \
        ((SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()))) AS bounds (bound))::text, \
    coalesce((SELECT ($may_become)::text FROM pg_roles WHERE rolname = $anon), 'absent') \
    FROM pg_roles r WHERE rolname = current_user";

/// Each table of the exposed schemas, with what the role without a token may do. `row_security_active` asks the same, of
/// the connection's own role.
const TABLES: &str = "SELECT CASE WHEN n.nspname = $default THEN c.relname ELSE n.nspname || '.' || c.relname END, \
    has_any_column_privilege(a.oid, c.oid, 'SELECT')::text, \
    (has_any_column_privilege(a.oid, c.oid, 'INSERT, UPDATE') OR has_table_privilege(a.oid, c.oid, 'DELETE'))::text, \
    (c.relrowsecurity AND NOT a.rolsuper AND NOT a.rolbypassrls \
        AND (c.relforcerowsecurity OR NOT pg_has_role(a.oid, c.relowner, 'USAGE')))::text, \
    (NOT c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))::text \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles a \
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND n.nspname = ANY ($schemas) AND a.rolname = $anon \
    ORDER BY 1";

/// What the server says.
#[derive(Debug, Default)]
struct Answer {
    version: String,
    has_tls: bool,
    role: String,
    is_superuser: bool,
    bypasses: bool,
    owned: u64,
    connections: usize,
    /// Whether the role may become that of requests without a token; `absent` when there is none.
    anonymous: String,
    /// The backends of a session, of another one while it holds a transaction open, and of the first again.
    backends: [String; 3],
    tables: Vec<Exposed>,
}

/// Everything that is found; a server that cannot be asked is itself a finding.
pub(super) async fn findings(
    config: &Config,
    dsn: &str,
    instances: Option<usize>,
    telemetry: Telemetry,
) -> Vec<Finding> {
    let settings = PostgresSettings { channel: None, pool_size: 2, ..compose::settings::postgres(config, dsn) };
    match ask(&settings, &config.access.anon_role, telemetry).await {
        Ok((answer, link)) => {
            let mut findings = judge(&answer, link, &Wanted::of(config, instances));
            findings.extend(exposure::judge(config.access.mode, &config.access.anon_role, &answer.tables));
            findings
        }
        Err(reason) => vec![
            Finding::ok("reachable", format!("no: {reason}"), "nothing can be served")
                .advise(Level::Unsafe, "Look at DATABASE_URL, the network, and the server's pg_hba.conf."),
        ],
    }
}

/// What the configuration asks of the server.
#[derive(Debug)]
struct Wanted {
    pool_size: usize,
    instances: usize,
    anonymous: String,
    prepares: bool,
}

impl Wanted {
    fn of(config: &Config, instances: Option<usize>) -> Self {
        Self {
            pool_size: config.bounds.pool_size,
            instances: instances.unwrap_or(INSTANCES),
            anonymous: config.access.anon_role.clone(),
            prepares: config.storage.prepared_statements.is_on(),
        }
    }
}

/// Asks from two sessions that are open at once.
async fn ask(settings: &PostgresSettings, anonymous: &str, telemetry: Telemetry) -> Result<(Answer, Link), String> {
    let store = Postgres::open(settings, telemetry).map_err(|error| error.in_full())?;
    let link = store.link();
    let first = store.client().await.map_err(|error| error.in_full())?;
    let second = store.client().await.map_err(|error| error.in_full())?;
    let told = |error: tokio_postgres::Error| chain(&error);
    let anonymous = literal(anonymous);
    let question = QUESTION.replace("$may_become", MAY_BECOME).replace("$anon", &anonymous);
    let row = words(&first, &question).await.map_err(told)?.concat();
    let tables = words(&first, &tables_of(&settings.schemas, &anonymous)).await.map_err(told)?;
    let backend = "SELECT pg_backend_pid()::text";
    let one = words(&first, backend).await.map_err(told)?.concat().concat();
    second.batch_execute("BEGIN").await.map_err(told)?;
    let other = words(&second, backend).await.map_err(told)?.concat().concat();
    let again = words(&first, backend).await.map_err(told)?.concat().concat();
    second.batch_execute("ROLLBACK").await.map_err(told)?;
    let tables = tables.iter().map(|row| exposed(row)).collect();
    Ok((Answer { backends: [one, other, again], tables, ..Answer::read(&row) }, link))
}

fn tables_of(schemas: &[String], anonymous: &str) -> String {
    let names: Vec<String> = schemas.iter().map(|schema| literal(schema)).collect();
    let default = names.first().cloned().unwrap_or_default();
    let listed = format!("ARRAY[{}]::name[]", names.join(", "));
    TABLES.replace("$default", &default).replace("$schemas", &listed).replace("$anon", anonymous)
}

fn exposed(row: &[String]) -> Exposed {
    let is_set = |at: usize| row.get(at).is_some_and(|word| word == "true");
    Exposed {
        name: row.first().cloned().unwrap_or_default(),
        is_read: is_set(1),
        is_written: is_set(2),
        is_secured: is_set(3),
        is_idle: is_set(4),
    }
}

/// The rows of an answer.
async fn words(client: &Client, question: &str) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
    let answers = client.simple_query(question).await?;
    let rows = answers.iter().filter_map(|answer| {
        let SimpleQueryMessage::Row(row) = answer else { return None };
        Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
    });
    Ok(rows.collect())
}

impl Answer {
    fn read(row: &[String]) -> Self {
        let word = |at: usize| row.get(at).cloned().unwrap_or_default();
        let is_set = |at: usize| matches!(word(at).as_str(), "true" | "t");
        Self {
            version: word(0),
            has_tls: is_set(1),
            role: word(2),
            is_superuser: is_set(3),
            bypasses: is_set(4),
            owned: word(5).parse().unwrap_or_default(),
            connections: word(6).parse().unwrap_or_default(),
            anonymous: word(7),
            backends: Default::default(),
            tables: Vec::new(),
        }
    }
}

fn judge(answer: &Answer, link: Link, wanted: &Wanted) -> Vec<Finding> {
    vec![
        Finding::ok("reachable", "yes", "the server answers"),
        version(&answer.version),
        tls(answer.has_tls, link),
        role(answer),
        anonymous(&wanted.anonymous, &answer.anonymous),
        connections(answer.connections, wanted),
        pooler(&answer.backends, link, wanted),
    ]
}

fn version(version: &str) -> Finding {
    let major: Option<u32> = version.split(['.', ' ']).next().and_then(|major| major.parse().ok());
    let finding = Finding::ok("version", version, "the server's");
    match major {
        Some(major) if major < VERSION_MIN => finding.advise(
            Level::Warning,
            format!("Upgrade the server: versions before {VERSION_MIN} are not maintained, and not tested."),
        ),
        Some(_) | None => finding,
    }
}

fn tls(is_on: bool, link: Link) -> Finding {
    let name = "TLS";
    match (is_on, link.is_verified, link.is_local) {
        (true, true, _) => Finding::ok(name, "on, verified", "nobody on the way can read or alter it"),
        (false, _, true) => Finding::ok(name, "off", "the server is on this host: nothing leaves it"),
        (true, false, true) => Finding::ok(name, "on", "the server is on this host: nothing leaves it"),
        (true, false, false) => {
            Finding::ok(name, "on, not verified", "whoever is on the way can pretend to be the server").advise(
                Level::Warning,
                "Set sslmode=verify-full in DATABASE_URL, and sslrootcert where the authority is your own.",
            )
        }
        (false, _, false) => Finding::ok(name, "off", "whoever is on the way can read and alter everything")
            .advise(Level::Warning, "Set sslmode=verify-full in DATABASE_URL."),
    }
}

fn role(answer: &Answer) -> Finding {
    let meaning = if answer.is_superuser {
        "it is a superuser: a mistake has no limits"
    } else if answer.bypasses {
        "it has BYPASSRLS: row policies do not hold for it"
    } else if answer.owned > 0 {
        "it owns tables: their row policies do not hold for it"
    } else {
        return Finding::ok("role", &answer.role, "it may do only what it is granted");
    };
    Finding::ok("role", &answer.role, meaning)
        .advise(Level::Warning, "Connect as a role that owns nothing and may only SET ROLE to those of the tokens.")
}

/// The role of requests without a token.
fn anonymous(name: &str, is_member: &str) -> Finding {
    if name.is_empty() {
        return Finding::ok("ANON_ROLE", "none", "requests without a token are refused");
    }
    match is_member {
        "true" | "t" => Finding::ok("ANON_ROLE", name, "requests without a token have its rights"),
        "absent" => Finding::ok("ANON_ROLE", name, "there is no such role: requests without a token fail")
            .advise(Level::Warning, "Make it (CREATE ROLE), or set ANON_ROLE to nothing to refuse such requests."),
        _ => Finding::ok("ANON_ROLE", name, "the connection may not become it: requests without a token fail")
            .advise(Level::Warning, "Grant it to the role of DATABASE_URL."),
    }
}

fn connections(limit: usize, wanted: &Wanted) -> Finding {
    let Wanted { pool_size, instances, .. } = *wanted;
    let fits = limit / pool_size.max(1);
    let value = format!("{limit} for this role, POOL_SIZE {pool_size}");
    let finding =
        Finding::ok("max_connections", value, format!("enough for {fits} instances of the {instances} expected"));
    if fits >= instances {
        return finding;
    }
    finding.advise(Level::Warning, "Lower POOL_SIZE, raise max_connections, or put a pooler in between.")
}

/// A session keeps its backend, and has it alone, unless a pooler lends backends to transactions.
fn pooler([one, other, again]: &[String; 3], link: Link, wanted: &Wanted) -> Finding {
    let name = "pooler";
    if one != other && one == again {
        return Finding::ok(name, "none seen", "each session has a backend of its own");
    }
    let value = "transactions are pooled";
    if link.is_pooled || !wanted.prepares {
        return Finding::ok(name, value, "sessions share backends, and no statement is kept prepared on one");
    }
    Finding::ok(name, value, "sessions share backends: prepared statements and LISTEN fail")
        .advise(Level::Warning, "Set pgbouncer=true in DATABASE_URL, or connect to the server directly.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Link = Link { is_local: true, is_verified: false, is_pooled: false };
    const AWAY: Link = Link { is_local: false, is_verified: false, is_pooled: false };

    fn wanted(pool_size: usize, instances: usize) -> Wanted {
        Wanted { pool_size, instances, anonymous: "anon".to_owned(), prepares: true }
    }

    fn answer(words: [&str; 8], backends: [&str; 3]) -> Answer {
        Answer { backends: backends.map(str::to_owned), ..Answer::read(&words.map(str::to_owned)) }
    }

    fn level(findings: &[Finding], name: &str) -> Level {
        findings.iter().find(|finding| finding.name == name).unwrap().level
    }

    #[test]
    fn a_modest_role_over_verified_tls_is_nothing_to_warn_of() {
        let answer = answer(["15.4", "true", "berth", "false", "false", "0", "100", "true"], ["11", "12", "11"]);
        let findings = judge(&answer, Link { is_verified: true, ..AWAY }, &wanted(10, 10));
        assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:?}");
    }

    #[test]
    fn a_superuser_in_the_clear_behind_a_pooler_is_warned_of() {
        for backends in [["11", "11", "11"], ["11", "12", "13"]] {
            let answer = answer(["12.9 (Debian)", "false", "postgres", "true", "false", "0", "15", "absent"], backends);
            let found = judge(&answer, AWAY, &wanted(10, 2));
            for name in ["version", "TLS", "role", "ANON_ROLE", "max_connections", "pooler"] {
                assert_eq!(level(&found, name), Level::Warning, "{name}");
            }
            let told = judge(&answer, Link { is_pooled: true, ..LOCAL }, &wanted(5, 3));
            for name in ["TLS", "max_connections", "pooler"] {
                assert_eq!(level(&told, name), Level::Ok, "{name}");
            }
        }
    }

    #[test]
    fn tls_that_verifies_nothing_is_warned_of() {
        let answer = answer(["16", "t", "berth", "f", "f", "0", "100", "f"], ["1", "2", "1"]);
        assert_eq!(level(&judge(&answer, AWAY, &wanted(1, 1)), "TLS"), Level::Warning);
        assert_eq!(level(&judge(&answer, AWAY, &wanted(1, 1)), "ANON_ROLE"), Level::Warning);
    }
}
