//! `POST /-/batch`: several requests in one transaction.
//!
//! 1. The requests are read, and those that refer to no other are planned: what can be refused at once is.
//! 2. The store opens a transaction and asks the [`Program`] for one statement after the other. With what each brought,
//!    its answer is made, and the next request is completed, planned and authorised as if it had come alone.
//! 3. When all have run, their answers are the answer. When one fails, everything is undone, and its error is the
//!    answer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;

use super::{Answer, App, Context, Failed, Ground, Prepared, Work, once};
use crate::auth::Identity;
use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::error::Error;
use crate::plan::{self, Streaming};
use crate::request::batch::{self, REFERRED_MAX_BYTES, Resolved};
use crate::request::{Batch, Conditions, Preferences, Raw};
use crate::response::batch::{Item, write};
use crate::response::{Reply, openapi};
use crate::sql::Statement;
use crate::store::{self, Next, Outcome, Script, Transaction};

/// Where batches go.
const PATHS: [&str; 2] = ["/-/batch", "/rest/v1/-/batch"];

/// Headers that say what one request is about: of the batch's own, those in it do not hear.
const SHAPING_HEADERS: [&str; 11] = [
    "accept",
    "accept-profile",
    "content-length",
    "content-profile",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "range",
    "range-unit",
];

/// True when a path is that of batches.
pub(super) fn is_one(path: &str) -> bool {
    PATHS.contains(&path)
}

/// Which request of a batch.
#[derive(Debug)]
pub(super) struct Place {
    index: usize,
    id: Option<String>,
}

impl Place {
    fn of(batch: &Batch, index: usize) -> Self {
        Self { index, id: batch.steps.get(index).and_then(|step| step.id.clone()) }
    }

    /// Adds the place to an error's four fields.
    pub(super) fn name_in(self, reply: Reply) -> Reply {
        let mut reply = reply;
        if let Ok(Json::Object(mut fields)) = serde_json::from_slice(&reply.body) {
            fields.insert("index".to_owned(), self.index.into());
            fields.insert("id".to_owned(), self.id.into());
            reply.body = Json::Object(fields).to_string().into();
        }
        reply
    }
}

impl App {
    /// Reads a batch, and counts its requests.
    pub(super) fn read_batch(&self, raw: &Raw, identity: &Identity, context: &Context) -> Result<Arc<Batch>, Failed> {
        let batch = Batch::parse(raw).map_err(|batch::Fault { index, error }| Failed {
            error: Box::new(error.into()),
            step: index.map(|index| Box::new(Place { index, id: None })),
        })?;
        // One was counted when it came.
        let more = u32::try_from(batch.steps.len().saturating_sub(1)).unwrap_or(u32::MAX);
        if let Some(client) = context.client {
            self.authenticator.limits.admit_address(client, more)?;
        }
        self.authenticator.admit_more(&raw.headers, identity, more)?;
        Ok(Arc::new(batch))
    }

    /// Runs a batch once, against the catalog of this moment.
    pub(super) async fn attempt_batch(
        &self,
        batch: &Arc<Batch>,
        raw: &Raw,
        identity: &Identity,
        deadline: Deadline,
    ) -> Result<Reply, Failed> {
        let program = Program {
            batch: Arc::clone(batch),
            referred: batch.referred(),
            outer: raw.headers.clone(),
            settings: plan::Settings { streaming: Streaming::No, ..self.settings.clone() },
            description: self.description.clone(),
            catalog: self.store.catalog().ok_or(Error::NoCatalog)?,
            identity: identity.clone(),
            ahead: Vec::new(),
            running: None,
            replies: Vec::new(),
            results: Vec::new(),
            budget_bytes: REFERRED_MAX_BYTES,
            answer_max_bytes: self.answer_max_bytes,
            report: Arc::default(),
        };
        let (program, read_only) = program.plan_ahead()?;
        let preferences = self.settings.heeded(batch.preferences.clone());
        let rollback = !read_only && self.settings.is_undone(&preferences);
        let report = Arc::clone(&program.report);
        let once = once(raw, identity)?.filter(|_| !read_only && !rollback);
        let is_conditional = |raw: &Raw| Conditions::read(raw) != Conditions::default();
        let one_moment = read_only || batch.steps.iter().any(|step| is_conditional(step.raw()));
        let transaction = Transaction { script: Box::new(program), read_only, one_moment, rollback, once };
        match self.store.transact(transaction, deadline).await {
            Ok(outcome) => {
                let dry_run = preferences.dry_run && !read_only;
                let transaction = preferences.transaction.filter(|_| !dry_run);
                Ok(Reply::of_batch(outcome, &Preferences { dry_run, transaction, ..preferences }))
            }
            Err(error) => {
                let Report { place, stopped } = std::mem::take(&mut *lock(&report));
                let error = match (error, stopped) {
                    (store::Error::Stopped, Some(stopped)) => stopped,
                    (error, _) => error.into(),
                };
                Err(Failed { error: Box::new(error), step: place.map(|index| Box::new(Place::of(batch, index))) })
            }
        }
    }
}

/// What a program tells whoever waits for its transaction.
#[derive(Debug, Default)]
struct Report {
    /// The request that is being run; `None` before the first and behind the last.
    place: Option<usize>,
    /// Why it had the transaction undone.
    stopped: Option<Error>,
}

/// The requests of a batch as a script of the store.
#[derive(Debug)]
struct Program {
    batch: Arc<Batch>,
    /// Requests whose results others need.
    referred: BTreeSet<usize>,
    /// The headers of the batch.
    outer: Vec<(String, String)>,
    settings: plan::Settings,
    description: openapi::Settings,
    catalog: Arc<Catalog>,
    identity: Identity,
    /// Requests that were planned before the transaction; each is taken once.
    ahead: Vec<Option<Prepared>>,
    /// How the running request is answered.
    running: Option<Answer>,
    replies: Vec<Reply>,
    /// Bodies of answers that others refer to.
    results: Vec<Option<Json>>,
    /// What references may still add.
    budget_bytes: usize,
    /// Largest body of the answer, in bytes.
    answer_max_bytes: usize,
    report: Arc<Mutex<Report>>,
}

impl Program {
    /// Plans the requests that refer to no other; says whether all requests only read.
    fn plan_ahead(mut self) -> Result<(Self, bool), Failed> {
        let mut read_only = true;
        for (index, step) in self.batch.steps.iter().enumerate() {
            let prepared = if step.refers() {
                read_only &= matches!(step.raw().method.as_str(), "GET" | "HEAD" | "OPTIONS");
                None
            } else {
                let prepared = step.resolve(&[], &mut 0).map_err(Error::from).and_then(|it| self.prepare(it));
                let place = || Box::new(Place::of(&self.batch, index));
                let prepared = prepared.map_err(|error| Failed { error: Box::new(error), step: Some(place()) })?;
                read_only &= prepared.answer.authorized.session().read_only;
                Some(prepared)
            };
            self.ahead.push(prepared);
        }
        Ok((self, read_only))
    }

    fn prepare(&self, resolved: Resolved) -> Result<Prepared, Error> {
        let Resolved { mut raw, request, reading } = resolved;
        let is_own = |name: &String| raw.headers.iter().any(|(own, _)| own == name);
        let outer = self.outer.iter().filter(|(name, _)| !SHAPING_HEADERS.contains(&name.as_str()) && !is_own(name));
        let outer: Vec<_> = outer.cloned().collect();
        raw.headers.extend(outer);
        let ground = Ground {
            settings: &self.settings,
            description: &self.description,
            catalog: &self.catalog,
            identity: &self.identity,
        };
        ground.prepare(request, reading, &raw)
    }

    /// Forgets what was run: the transaction begins anew.
    fn begin(&mut self) {
        self.running = None;
        self.replies.clear();
        self.results.clear();
        self.budget_bytes = REFERRED_MAX_BYTES;
        *lock(&self.report) = Report::default();
    }

    /// Answers the request that was run, and goes on to the next that the store must run.
    fn advance(&mut self, last: Option<Outcome>) -> Result<Next, Error> {
        if let (Some(outcome), Some(answer)) = (last, self.running.take()) {
            self.take_reply(answer.reply(outcome, None)?)?;
        }
        let batch = Arc::clone(&self.batch);
        while let Some(step) = batch.steps.get(self.replies.len()) {
            let index = self.replies.len();
            lock(&self.report).place = Some(index);
            let Prepared { work, answer } = match self.ahead.get_mut(index).and_then(Option::take) {
                Some(prepared) => prepared,
                None => {
                    let resolved = step.resolve(&self.results, &mut self.budget_bytes)?;
                    self.prepare(resolved)?
                }
            };
            match work {
                Work::Known(outcome) => self.take_reply(answer.reply(outcome, None)?)?,
                Work::Run(statement) => {
                    self.running = Some(answer);
                    return Ok(Next::Run(Box::new(of_transaction(*statement))));
                }
            }
        }
        lock(&self.report).place = None;
        let items = batch.steps.iter().zip(&self.replies);
        let items = items.map(|(step, reply)| Item { id: step.id.as_deref(), reply });
        Ok(Next::Done(Outcome { body: write(items), ..Outcome::default() }))
    }

    fn take_reply(&mut self, mut reply: Reply) -> Result<(), Error> {
        let is_head = self.batch.steps.get(self.replies.len()).is_some_and(|step| step.raw().method == "HEAD");
        if is_head {
            reply.body.clear();
        }
        let is_needed = self.referred.contains(&self.replies.len());
        self.results.push(if is_needed { serde_json::from_slice(&reply.body).ok() } else { None });
        self.replies.push(reply);
        if self.replies.iter().map(|reply| reply.body.len()).sum::<usize>() <= self.answer_max_bytes {
            return Ok(());
        }
        let too_large = store::Error::Database {
            code: "54000".to_owned(),
            message: format!("the answers of the batch are larger than {} bytes", self.answer_max_bytes),
            details: None,
            hint: Some("Ask for fewer rows, or send fewer requests in one batch.".to_owned()),
        };
        Err(too_large.into())
    }
}

impl Script for Program {
    fn next(&mut self, last: Option<Outcome>) -> Next {
        if last.is_none() {
            self.begin();
        }
        self.advance(last).unwrap_or_else(|error| {
            lock(&self.report).stopped = Some(error);
            Next::Stop
        })
    }

    fn independent(&self) -> Vec<&Statement> {
        let prepared = self.ahead.iter().flatten();
        let statements = prepared.filter_map(|prepared| match &prepared.work {
            Work::Run(statement) => Some(statement.as_ref()),
            Work::Known(_) => None,
        });
        statements.collect()
    }
}

/// The statement without what is for the whole transaction to say.
fn of_transaction(mut statement: Statement) -> Statement {
    if statement.session.rollback {
        Arc::make_mut(&mut statement.session).rollback = false;
    }
    statement.once = None;
    statement
}

fn lock(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    // Each write to it is whole.
    report.lock().unwrap_or_else(PoisonError::into_inner)
}
