//! What a store over Postgres must know.

use std::time::Duration;

/// How the server is reached and used.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// URI or key/value form, as libpq reads it. A secret.
    pub dsn: String,
    /// Exposed schemas.
    pub schemas: Vec<String>,
    /// Schemas behind the request's own in the search path.
    pub extra_search_path: Vec<String>,
    /// Most connections.
    pub pool_size: usize,
    /// How long a request waits for one.
    pub pool_timeout: Duration,
    /// How long a connection is kept that nobody uses.
    pub idle_timeout: Duration,
    /// How long a connection is used.
    pub max_lifetime: Duration,
    /// How long rows may be handed on while the server sends them.
    pub stream_timeout: Duration,
    /// Largest body of an answer, in bytes.
    pub body_max_bytes: usize,
    /// Whether statements are prepared on the server; poolers in transaction mode want them not to be.
    pub prepared: Prepare,
    /// The channel on which a changed schema is announced; `None`: nobody listens.
    pub channel: Option<String>,
    /// A function that is called before each request's statement.
    pub pre_request: Option<Function>,
    /// Settings of a function that hold for the whole transaction of its call, by name.
    pub hoisted_settings: Vec<String>,
    /// `app.settings.*` with their values, for SQL to read. Some may be secrets.
    pub app_settings: Vec<(String, String)>,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
}

/// A function that the configuration names; without a schema it is looked up in the request's search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The schema, if it is said.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
}

impl Function {
    /// Reads `schema.name` or `name`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name),
            None => (None, text),
        };
        Self { schema, name: name.to_owned() }
    }
}

/// Whether statements are prepared on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepare {
    /// Once for each connection and text.
    Once,
    /// Never: parsed each time.
    Never,
}
