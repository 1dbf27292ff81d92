//! The three stores with the same schema, asked the same.

use std::fmt::Write as _;

use jsonwebtoken::{EncodingKey, Header, encode};

use crate::differential::requests::Case;
use crate::support::command::done;
use crate::support::deployment::{Deployment, Home};
use crate::support::{Answer, Berth};

pub(super) const SECRET: &str = "a secret that is long enough for HS256";

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    token: Option<String>,
    name: String,
}

impl Sender {
    /// Nobody: no token.
    pub(crate) fn anonymous() -> Self {
        Self { token: None, name: "nobody".to_owned() }
    }

    /// Someone with a role, and claims beside it.
    pub(crate) fn new(role: &str, claims: serde_json::Value) -> Self {
        let mut all = serde_json::json!({ "role": role });
        all.as_object_mut().unwrap().extend(claims.as_object().cloned().unwrap());
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(&Header::default(), &all, &key).unwrap();
        Self { token: Some(format!("Bearer {token}")), name: all.to_string() }
    }

    /// Someone whose claim `name` says who.
    pub(crate) fn named(role: &str, name: &str) -> Self {
        Self::new(role, serde_json::json!({ "name": name }))
    }
}

impl Sender {
    /// What the sender sends with each request.
    pub(super) fn headers(&self) -> Vec<(&'static str, &str)> {
        self.token.iter().map(|token| ("Authorization", token.as_str())).collect()
    }
}

/// A store and a server of it, which holds roles to what they were granted.
pub(super) struct Served {
    pub(super) berth: Berth,
    deployment: Deployment,
}

impl Served {
    pub(super) fn start(deployment: Deployment, anonymous: &str) -> Self {
        let start = deployment.instance().with("ACCESS", "closed").with("ANON_ROLE", anonymous);
        let berth = start.with("JWT_SECRET", SECRET).with("DB_AGGREGATES_ENABLED", true);
        let berth = berth.with("DB_PLAN_ENABLED", true).run();
        Self { berth, deployment }
    }
}

/// A server of each store.
pub(crate) struct Stores {
    oracle: Served,
    others: Vec<Served>,
}

impl Stores {
    /// All three. `None`, with a line that says so, without a Postgres server.
    pub(crate) fn start(database: &str, schema: &str, anonymous: &str) -> Option<Self> {
        let oracle = Deployment::postgres(database, schema)?;
        let others = [Deployment::in_place(schema), Deployment::shared_log(schema)];
        let others = others.map(|other| Served::start(other, anonymous)).into();
        Some(Self { oracle: Served::start(oracle, anonymous), others })
    }

    /// The same, but the server has what was copied from SQLite.
    pub(super) fn start_copied(database: &str, schema: &str, anonymous: &str) -> Option<Self> {
        let oracle = Deployment::postgres(database, schema)?;
        let others = [Deployment::in_place(schema), Deployment::shared_log(schema)];
        let others = others.map(|other| Served::start(other, anonymous));
        let [_, Served { deployment: log, .. }] = &others;
        if let (Home::SharedLog(volume), Home::Postgres(dsn)) = (&log.home, &oracle.home) {
            done(log.folder(), &[("VOLUME", volume.to_str().unwrap())], &["copy", "--to", dsn]);
        }
        Some(Self { oracle: Served::start(oracle, anonymous), others: others.into() })
    }

    /// Postgres and SQLite in place.
    pub(super) fn start_pair(database: &str, schema: &str, anonymous: &str) -> Option<Self> {
        let oracle = Served::start(Deployment::postgres(database, schema)?, anonymous);
        Some(Self { oracle, others: vec![Served::start(Deployment::in_place(schema), anonymous)] })
    }

    /// Each, by its name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Berth)> {
        std::iter::once(&self.oracle).chain(&self.others).map(|served| (served.deployment.name(), &served.berth))
    }

    pub(crate) fn compare(&self) -> Compared<'_> {
        Compared { stores: self, any_table: false, allowed: 0, refused: 0, differences: Vec::new() }
    }

    /// The same, where of several tables that are not granted any may be named.
    pub(super) fn compare_loosely(&self) -> Compared<'_> {
        Compared { any_table: true, ..self.compare() }
    }
}

/// What was asked, and what was not the same.
pub(crate) struct Compared<'a> {
    stores: &'a Stores,
    any_table: bool,
    allowed: usize,
    refused: usize,
    differences: Vec<String>,
}

impl Compared<'_> {
    /// Asks all stores the same; the oracle's answer. A write is undone unless the request says otherwise.
    pub(crate) fn send(&mut self, sender: &Sender, case: &Case) -> Answer {
        let mut more = sender.headers();
        let is_write = !matches!(case.method, "GET" | "HEAD");
        if is_write && !case.headers.iter().any(|(_, value)| value.contains("tx=")) {
            more.push(("Prefer", "tx=rollback"));
        }
        let ask = |berth: &Berth| case.send(&berth.client(), &more);
        let oracle = ask(&self.stores.oracle.berth);
        for other in &self.stores.others {
            let store = other.deployment.name();
            let (ours, expected) = (self.told(&ask(&other.berth)), self.told(&oracle));
            if ours != expected {
                let mut text = format!("{store}: {} {} {} as {}\n", case.method, case.path, case.body, sender.name);
                writeln!(text, "  {store:10} {ours:?}\n  Postgres   {expected:?}").unwrap();
                self.differences.push(text);
            }
        }
        *if oracle.status < 300 { &mut self.allowed } else { &mut self.refused } += 1;
        oracle
    }

    /// Asks all stores the same; true when an answer differs.
    pub(super) fn differs(&mut self, sender: &Sender, case: &Case) -> bool {
        self.send(sender, case);
        !self.differences.is_empty()
    }

    /// What differed.
    pub(super) fn differences(self) -> String {
        self.differences.join("\n")
    }

    /// What must be the same. SQLite does not tell the row that violates a check.
    fn told(&self, answer: &Answer) -> (u16, String, [Option<String>; 3]) {
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let mut body = answer.body.clone();
        if let Some((before, row)) = body.split_once("\"Failing row contains ") {
            body = format!("{before}null{}", row.split_once(").\"").unwrap().1);
        }
        if let (true, Some((before, table))) = (self.any_table, body.split_once("permission denied for ")) {
            body = format!("{before}permission denied{}", table.split_once('"').unwrap().1);
        }
        (answer.status, body, ["content-range", "location", "link"].map(header))
    }

    /// How many requests were allowed and refused.
    pub(crate) fn finish(self) -> (usize, usize) {
        let Self { allowed, refused, differences, .. } = self;
        eprintln!("{} requests, {allowed} allowed, {} differences", allowed + refused, differences.len());
        assert!(differences.is_empty(), "{}", differences.join("\n"));
        (allowed, refused)
    }
}
