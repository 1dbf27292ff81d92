//! One request from end to end: the page to read first.
//!
//! [`App::answer`] calls the stages one after the other; each is a function of values. What is shared between
//! requests (pools, the catalog's snapshot, keys) is held by [`App`] and handed to the stage that needs it.

use crate::auth::Identity;
use crate::catalog::{Catalog, Table};
use crate::clock::Deadline;
use crate::error::Error;
use crate::plan::authorize::{self, Origin};
use crate::plan::{self, AccessMode, Action, Authorized, Engine, Plan};
use crate::request::{Raw, Request};
use crate::response::{Reply, openapi};
use crate::store::{self, Outcome, Store};
use crate::{auth, sql};

/// How often a plan is made anew because the schema changed under it.
const REPLANS: usize = 2;

/// Everything that outlives a request.
#[derive(Debug)]
pub struct App {
    /// Where the rows are.
    pub store: Store,
    /// What planning must know.
    pub settings: plan::Settings,
    /// Who comes without a token, and how tokens are verified.
    pub authenticator: auth::Authenticator,
    /// What the description at `/` says beside the tables.
    pub description: openapi::Settings,
}

impl App {
    /// Answers one request.
    ///
    /// # Errors
    /// Whatever goes wrong, as the client shall see it; the caller gives it a status.
    pub async fn answer(&self, raw: &Raw, deadline: Deadline) -> Result<Reply, Error> {
        let identity = self.authenticator.identify(raw.header("authorization"))?;
        let mut replans = 0;
        loop {
            match self.attempt(raw, &identity, deadline).await {
                Err(Error::Store(store::Error::SchemaChanged)) if replans < REPLANS => {
                    replans += 1;
                    self.store.reload().await?;
                }
                answer => return answer,
            }
        }
    }

    /// The stages, once, against the catalog of this moment.
    async fn attempt(&self, raw: &Raw, identity: &Identity, deadline: Deadline) -> Result<Reply, Error> {
        let catalog = self.store.catalog().ok_or(Error::NoCatalog)?;
        let request = Request::parse(raw)?;
        let canonical_query = request.canonical_query.clone();
        let plan = Plan::make(request, &catalog, &self.settings)?;
        let authorized = Authorized::authorize(plan, identity, &catalog, &self.settings, self.origin(raw))?;
        let outcome = match &authorized.plan().action {
            Action::TableInfo(_) | Action::RootInfo => Outcome::default(),
            Action::Describe { schema, .. } => self.describe(&catalog, schema, identity),
            Action::Read(_) | Action::Insert(_) | Action::Update(_) | Action::Delete(_) => {
                let statement = sql::render(&authorized, catalog.version, self.settings.engine);
                self.store.execute(statement, deadline).await?
            }
        };
        Ok(Reply::to(authorized.plan(), outcome, &canonical_query)?)
    }

    /// What Postgres' code may ask of the request; SQLite has no code that asks.
    fn origin(&self, raw: &Raw) -> Origin {
        match self.settings.engine {
            Engine::Sqlite => Origin::default(),
            Engine::Postgres => {
                let headers: serde_json::Map<String, serde_json::Value> = raw
                    .headers
                    .iter()
                    .filter(|(name, _)| name != "cookie")
                    .map(|(name, value)| (name.clone(), value.clone().into()))
                    .collect();
                Origin {
                    method: raw.method.clone(),
                    path: raw.path.clone(),
                    headers: serde_json::Value::Object(headers).to_string(),
                }
            }
        }
    }

    fn describe(&self, catalog: &Catalog, schema: &str, identity: &Identity) -> Outcome {
        let is_visible = |table: &Table| match (self.settings.engine, self.settings.access) {
            (Engine::Sqlite, AccessMode::Closed) => authorize::has_any_privilege(catalog, &identity.role, &table.name),
            (Engine::Sqlite, AccessMode::Read | AccessMode::Open) | (Engine::Postgres, _) => true,
        };
        let document = openapi::describe(catalog, schema, &self.description, is_visible);
        Outcome { body: document.to_string().into(), ..Outcome::default() }
    }
}
