//! What a Postgres server says of itself and of berth's role.

use tokio_postgres::SimpleQueryMessage;

use crate::command::{chain, compose};
use crate::config::Config;
use crate::store::postgres::Postgres;
use crate::telemetry::Telemetry;
use crate::volume::probe::report::{Finding, Level};

/// Instances that must fit at least: during a rollout the old and the new one run at once.
const INSTANCES_MIN: usize = 2;

/// One row of words: version, TLS, superuser, bypassrls, tables owned, connections, backend.
const QUESTION: &str = "SELECT current_setting('server_version'), \
    coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)::text, \
    rolsuper::text, rolbypassrls::text, \
    (SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
     WHERE relowner = r.oid AND relkind IN ('r', 'p') AND nspname !~ '^(pg_|information_schema)')::text, \
    current_setting('max_connections'), pg_backend_pid()::text, rolname \
    FROM pg_roles r WHERE rolname = current_user";

/// Everything that is found; a server that cannot be asked is itself a finding.
pub(super) async fn findings(config: &Config, dsn: &str, telemetry: Telemetry) -> Vec<Finding> {
    match ask(config, dsn, telemetry).await {
        Ok([first, second]) => judge(&first, &second, config.bounds.pool_size),
        Err(reason) => vec![
            Finding::ok("reachable", format!("no: {reason}"), "nothing can be served")
                .advise(Level::Unsafe, "Look at DATABASE_URL, the network, and the server's pg_hba.conf."),
        ],
    }
}

/// The same row from two connections that are open at once.
async fn ask(config: &Config, dsn: &str, telemetry: Telemetry) -> Result<[Vec<String>; 2], String> {
    let mut settings = compose::postgres_settings(config, dsn);
    settings.pool_size = settings.pool_size.max(2);
    let store = Postgres::open(&settings, telemetry).map_err(|error| error.in_full())?;
    let first = store.client().await.map_err(|error| error.in_full())?;
    let second = store.client().await.map_err(|error| error.in_full())?;
    let mut rows = [Vec::new(), Vec::new()];
    for (row, client) in rows.iter_mut().zip([&first, &second]) {
        let answers = client.simple_query(QUESTION).await.map_err(|error| chain(&error))?;
        for answer in answers {
            if let SimpleQueryMessage::Row(found) = answer {
                *row = (0..found.len()).map(|at| found.get(at).unwrap_or_default().to_owned()).collect();
            }
        }
    }
    Ok(rows)
}

fn judge(row: &[String], other: &[String], pool_size: usize) -> Vec<Finding> {
    let word = |at: usize| row.get(at).map_or("", String::as_str);
    let is_set = |at: usize| matches!(word(at), "true" | "t");
    let tls = if is_set(1) {
        Finding::ok("TLS", "on", "nobody on the way can read or alter it")
    } else {
        Finding::ok("TLS", "off", "whoever is on the way can read and alter everything")
            .advise(Level::Warning, "Add sslmode=require to DATABASE_URL, unless it is a socket of this host.")
    };
    vec![
        Finding::ok("reachable", "yes", "the server answers"),
        Finding::ok("version", word(0), "the server's"),
        tls,
        role(word(7), is_set(2), is_set(3), word(4)),
        connections(word(5).parse().unwrap_or(0), pool_size),
        pooler(word(6), other.get(6).map_or("", String::as_str)),
    ]
}

fn role(name: &str, superuser: bool, bypasses: bool, owned: &str) -> Finding {
    let meaning = if superuser {
        "it is a superuser: a mistake has no limits"
    } else if bypasses {
        "it has BYPASSRLS: row policies do not hold for it"
    } else if owned != "0" {
        "it owns tables: their row policies do not hold for it"
    } else {
        return Finding::ok("role", name, "it may do only what it is granted");
    };
    Finding::ok("role", name, meaning)
        .advise(Level::Warning, "Connect as a role that owns nothing and may only SET ROLE to those of the tokens.")
}

fn connections(limit: usize, pool_size: usize) -> Finding {
    let instances = limit / pool_size.max(1);
    let value = format!("{limit}, POOL_SIZE {pool_size}");
    let finding = Finding::ok("max_connections", value, format!("enough for {instances} instances"));
    if instances >= INSTANCES_MIN {
        return finding;
    }
    finding.advise(Level::Warning, "Lower POOL_SIZE, raise max_connections, or put a pooler in between.")
}

/// Two open sessions have two backends, unless a pooler lends one to both in turn.
fn pooler(first: &str, second: &str) -> Finding {
    if first != second {
        return Finding::ok("pooler", "none seen", "each session has a backend of its own");
    }
    Finding::ok("pooler", "transactions are pooled", "sessions share a backend: prepared statements and LISTEN fail")
        .advise(Level::Warning, "Set DB_PREPARED_STATEMENTS=false, or connect to the server directly.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: [&str; 8]) -> Vec<String> {
        words.map(str::to_owned).to_vec()
    }

    fn level(findings: &[Finding], name: &str) -> Level {
        findings.iter().find(|finding| finding.name == name).unwrap().level
    }

    #[test]
    fn a_modest_role_over_tls_is_nothing_to_warn_of() {
        let (one, other) = (
            row(["15.4", "true", "false", "false", "0", "100", "11", "berth"]),
            row(["15.4", "true", "false", "false", "0", "100", "12", "berth"]),
        );
        assert!(judge(&one, &other, 10).iter().all(|finding| finding.level == Level::Ok));
    }

    #[test]
    fn a_superuser_in_the_clear_behind_a_pooler_is_warned_of() {
        let one = row(["15.4", "false", "true", "false", "0", "15", "11", "postgres"]);
        let found = judge(&one, &one, 10);
        for name in ["TLS", "role", "max_connections", "pooler"] {
            assert_eq!(level(&found, name), Level::Warning, "{name}");
        }
    }
}
