//! Embeds and aggregates, from the request's text to the body, over SQLite and, where a server is installed, over
//! Postgres: every byte must be equal. What Postgres answered is also kept in the snapshot, so that SQLite is held to
//! it where there is no server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what went wrong by panicking"
)]

#[path = "embed/requests.rs"]
mod requests;
mod support;

use std::fmt::Write as _;
use std::time::Duration;

use berth::auth::Identity;
use berth::clock::Deadline;
use berth::error::Error;
use berth::plan::authorize::Origin;
use berth::plan::{AccessMode, Authorized, Engine, Plan, Settings};
use berth::request::{Raw, Request};
use berth::store::postgres::{Postgres, PostgresSettings, Prepare};
use berth::store::sqlite::{Sqlite, SqliteSettings};
use berth::store::{Outcome, Store};
use berth::telemetry::Telemetry;

/// Runs on both engines.
const SCHEMA: &str = include_str!("embed/schema.sql");

/// A store with the tables of the schema.
struct Database {
    store: Store,
    settings: Settings,
}

impl Database {
    fn sqlite(folder: &std::path::Path) -> Self {
        let path = folder.join("embed.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch(SCHEMA).unwrap();
        let store = Sqlite::open(&SqliteSettings::new(path), Telemetry::silent().unwrap()).unwrap();
        Self { store: Store::Sqlite(store), settings: settings(Engine::Sqlite) }
    }

    async fn postgres(cluster: &support::postgres::Cluster, name: &str) -> Self {
        let dsn = cluster.create_database(name);
        cluster.run(name, SCHEMA);
        let settings = PostgresSettings {
            dsn,
            schemas: vec!["public".to_owned()],
            extra_search_path: Vec::new(),
            pool_size: 2,
            pool_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(10),
            prepared: Prepare::Once,
            channel: None,
            pre_request: None,
            application_name: "berth".to_owned(),
        };
        let store = Store::Postgres(Postgres::open(&settings, Telemetry::silent().unwrap()).unwrap());
        store.reload().await.unwrap();
        Self { store, settings: self::settings(Engine::Postgres) }
    }

    /// Sends all requests in order; gives them with what came back.
    async fn answers(&self, requests: &[(&str, &str, &str)]) -> String {
        let mut shown = String::new();
        for (method, address, body) in requests {
            let answer = self.answer(method, address, body).await;
            let rows = match answer {
                Ok(outcome) => {
                    let total = outcome.total.map(|total| format!(" of {total}")).unwrap_or_default();
                    format!("{}{total}\n{}", outcome.page, String::from_utf8_lossy(&outcome.body))
                }
                Err(error) => {
                    let details = error.details().map(|details| details.to_string()).unwrap_or_default();
                    format!("{} {}\n{details}\n{}", error.code(), error.message(), error.hint().unwrap_or_default())
                }
            };
            let _ = writeln!(shown, "{method} {address} {body}\n{}\n", rows.trim_end());
        }
        shown
    }

    async fn answer(&self, method: &str, address: &str, body: &str) -> Result<Outcome, Error> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let raw = Raw {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("prefer".to_owned(), "return=representation, count=exact".to_owned()),
            ],
            body: body.to_owned().into(),
        };
        let request = Request::parse(&raw)?;
        let catalog = self.store.catalog().unwrap();
        let plan = Plan::make(request, &catalog, &self.settings)?;
        let identity = Identity { role: "anon".to_owned(), claims: "{}".to_owned(), authenticated: false };
        let authorized = Authorized::authorize(plan, &identity, &catalog, &self.settings, Origin::default())?;
        let statement = berth::sql::render(&authorized, catalog.version, self.settings.engine);
        Ok(self.store.execute(statement, Deadline::after(Duration::from_secs(10))).await?)
    }
}

fn settings(engine: Engine) -> Settings {
    Settings {
        engine,
        schemas: vec!["public".to_owned()],
        max_rows: None,
        aggregates: true,
        access: AccessMode::Open,
    }
}

#[tokio::test]
async fn both_engines_embed_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Database::sqlite(folder.path()).answers(requests::READS).await;
    if let Some(cluster) = support::postgres::cluster() {
        let postgres = Database::postgres(cluster, "embed_reads").await.answers(requests::READS).await;
        assert_same(&postgres, &sqlite);
    }
    insta::assert_snapshot!("reads", sqlite);
}

#[tokio::test]
async fn both_engines_embed_in_what_a_write_gives_back() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Database::sqlite(folder.path()).answers(requests::WRITES).await;
    if let Some(cluster) = support::postgres::cluster() {
        let postgres = Database::postgres(cluster, "embed_writes").await.answers(requests::WRITES).await;
        assert_same(&postgres, &sqlite);
    }
    insta::assert_snapshot!("writes", sqlite);
}

/// Fails with the answers that differ.
fn assert_same(postgres: &str, sqlite: &str) {
    let pairs = postgres.split("\n\n").zip(sqlite.split("\n\n"));
    let different: Vec<String> = pairs
        .filter(|(oracle, ours)| oracle != ours)
        .map(|(oracle, ours)| format!("postgres: {oracle}\nsqlite:   {ours}\n"))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(postgres, sqlite);
}
