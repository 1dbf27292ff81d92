//! One request from end to end: the page to read first.
//!
//! [`App::answer`] calls the stages one after the other; each is a function of values. What is shared between
//! requests (pools, the catalog's snapshot, keys) is held by [`App`] and handed to the stage that needs it. A batch of
//! requests takes the same stages for each of them, in one transaction: `batch`.

mod batch;
mod timing;

use std::net::IpAddr;

use crate::auth::Identity;
use crate::catalog::{Catalog, Routine, Table};
use crate::clock::Deadline;
use crate::error::Error;
use crate::plan::authorize::Roles;
use crate::plan::{self, AccessMode, Action, Authorized, Engine, Plan, Root};
use crate::request::{Conditions, Once, Origin, Raw, Request, once};
use crate::response::status::Caller;
use crate::response::{self, Failure, Reply, Rest, Validation, Verbosity, openapi, range};
use crate::sql::Precondition;
use crate::store::{self, Outcome, Store};
use crate::telemetry::{Event, Telemetry};
use crate::{auth, sql};
use timing::{Laps, Stage};

/// How often a plan is made anew because the schema changed under it.
const REPLANS: usize = 2;

/// The oldest position of the shared log that a request may be answered from: what an earlier answer's `Berth-Position`
/// said, so that a client reads its own writes whichever instance answers and whatever `READ_STALENESS` allows.
const MIN_POSITION: &str = "berth-min-position";

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
    /// Largest body of an answer, in bytes, also where several answers make one.
    pub answer_max_bytes: usize,
    /// How much of an error its client sees.
    pub verbosity: Verbosity,
    /// Whether each answer says how long its stages took.
    pub tells_timing: bool,
    /// Where happenings are told.
    pub telemetry: Telemetry,
}

/// What is known of a request besides what it says.
#[derive(Debug, Clone)]
pub struct Context {
    /// Names the request in logs.
    pub request_id: String,
    /// When the answer is due.
    pub deadline: Deadline,
    /// The distributed trace it belongs to.
    pub trace: Option<String>,
    /// Where it came from.
    pub client: Option<IpAddr>,
}

/// Why a request is not answered as its sender wished.
#[derive(Debug)]
struct Failed {
    error: Box<Error>,
    /// Which request of a batch it was.
    step: Option<Box<batch::Place>>,
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: Box::new(error.into()), step: None }
    }
}

impl App {
    /// Answers one request; errors are answers too.
    pub async fn answer(&self, raw: &Raw, context: &Context) -> Reply {
        let mut laps = if self.tells_timing { Laps::start() } else { Laps::default() };
        let identified = self.authenticator.identify(&raw.headers).await;
        laps.end(Stage::Jwt);
        let (caller, mut answer) = match identified {
            Ok(identity) => {
                let is_anonymous = self.authenticator.is_anonymous(&identity);
                let caller = if is_anonymous { Caller::Anonymous } else { Caller::Authenticated };
                (caller, self.answer_as(raw, &identity, context, &mut laps).await)
            }
            Err(error) => (Caller::Anonymous, Err(error.into())),
        };
        if let Ok(reply) = &mut answer {
            laps.tell(reply);
        }
        answer.unwrap_or_else(|failed| {
            let reply = self.fail(&failed.error, caller, context);
            match failed.step {
                Some(place) => place.name_in(reply),
                None => reply,
            }
        })
    }

    /// Says whether a client at an address may send one more request; else what it is answered.
    ///
    /// # Errors
    /// The answer.
    pub fn admit(&self, client: IpAddr, context: &Context) -> Result<(), Reply> {
        let answer = self.authenticator.limits.admit_address(client, 1);
        answer.map_err(|error| self.fail(&error.into(), Caller::Anonymous, context))
    }

    /// Plans again when the schema changed between planning and running.
    async fn answer_as(
        &self,
        raw: &Raw,
        identity: &Identity,
        context: &Context,
        laps: &mut Laps,
    ) -> Result<Reply, Failed> {
        let deadline = context.deadline;
        let batch = batch::is_one(&raw.path).then(|| self.read_batch(raw, identity, context)).transpose()?;
        if let Some(position) = raw.header(MIN_POSITION).and_then(|text| text.parse().ok()) {
            self.store.wait_for(position, deadline).await?;
        }
        let mut replans = 0;
        loop {
            let answer = match &batch {
                Some(batch) => self.attempt_batch(batch, raw, identity, deadline).await,
                None => self.attempt(raw, identity, deadline, laps).await.map_err(Failed::from),
            };
            match answer {
                Err(failed) if replans < REPLANS && self.is_outdated(&failed.error, deadline).await => {
                    replans += 1;
                    self.store.reload().await?;
                }
                answer => return answer,
            }
        }
    }

    /// True when an error may come from a snapshot of the catalog that is no longer true.
    async fn is_outdated(&self, error: &Error, deadline: Deadline) -> bool {
        match error {
            Error::Store(error) => matches!(error, store::Error::SchemaChanged),
            Error::Plan(_) => self.store.is_stale(deadline).await,
            Error::Request(_) | Error::Auth(_) | Error::Raised(_) | Error::Response(_) | Error::NoCatalog => false,
        }
    }

    /// The stages, once, against the catalog of this moment.
    async fn attempt(
        &self,
        raw: &Raw,
        identity: &Identity,
        deadline: Deadline,
        laps: &mut Laps,
    ) -> Result<Reply, Error> {
        let request = Request::parse(raw)?;
        laps.end(Stage::Parse);
        let catalog = self.store.catalog().ok_or(Error::NoCatalog)?;
        let conditions = Conditions::read(raw);
        let Prepared { work, answer } = self.ground(&catalog, identity).prepare(request, None, raw)?;
        let validation = Conditions::may_name(raw).then(|| Validation {
            representation: sql::representation(raw, answer.authorized.session(), work.query()),
            conditions: &conditions,
        });
        laps.end(Stage::Plan);
        let (outcome, rest) = match work {
            Work::Known(outcome) => (outcome, None),
            Work::Run(mut statement) => {
                statement.known_states = validation.map(Validation::known_states).unwrap_or_default();
                if answer.authorized.plan().is_streamed() {
                    self.store.stream(*statement, deadline).await?
                } else {
                    // What is undone leaves nothing to repeat.
                    statement.once = once(raw, identity)?.filter(|_| !statement.session.rollback);
                    (self.store.execute(*statement, deadline).await?, None)
                }
            }
        };
        laps.end(Stage::Transaction);
        let reply = answer.reply(outcome, validation)?;
        laps.end(Stage::Response);
        // What the sender has already need not be read to its end.
        Ok(Reply { rest: rest.filter(|_| reply.status != 304).map(Rest::new), ..reply })
    }

    fn ground<'a>(&'a self, catalog: &'a Catalog, identity: &'a Identity) -> Ground<'a> {
        Ground { settings: &self.settings, description: &self.description, catalog, identity }
    }

    /// Turns an error into its answer; what the client must not see goes to the log.
    fn fail(&self, error: &Error, caller: Caller, context: &Context) -> Reply {
        let (message, details, hint) = (error.message(), error.details(), error.hint());
        let failure =
            Failure { code: error.code(), message: &message, details: details.as_ref(), hint: hint.as_deref() };
        let mut reply = match error {
            Error::Raised(raised) => Reply::raised(raised, &failure, self.verbosity),
            Error::Request(_)
            | Error::Auth(_)
            | Error::Plan(_)
            | Error::Store(_)
            | Error::Response(_)
            | Error::NoCatalog => Reply::failure(&failure, caller, self.verbosity),
        };
        if let Error::Response(response::Error::OffsetBeyondEnd { total, .. }) = error {
            reply.headers.push(("Content-Range".to_owned(), range::of_count(Some(*total))));
        }
        if let Some(wait) = error.retry_after() {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            reply.headers.push(("Retry-After".to_owned(), seconds.to_string()));
        }
        if let Error::Auth(auth::Error::TooManyRequests { by, .. }) = error {
            self.telemetry.record(&Event::RateLimited { by: by.name() });
        }
        if reply.status >= 500 {
            let (request_id, trace) = (context.request_id.as_str(), context.trace.as_deref());
            let cause = error.cause();
            self.telemetry.record(&Event::RequestFailed { request_id, trace, code: failure.code, cause: &cause });
        }
        reply
    }

    /// Says whether requests can be answered now.
    ///
    /// # Errors
    /// What is missing, for the log.
    pub async fn is_ready(&self) -> Result<(), String> {
        if self.store.catalog().is_none() {
            self.store.reload().await.map_err(|error| Error::from(error).cause())?;
        }
        self.authenticator.is_ready().await?;
        self.store.ping().await.map_err(|error| Error::from(error).cause())
    }

    /// Reads the schema and the file of API keys anew; a failure is told to the log and what was known stays.
    pub async fn reload(&self) {
        self.authenticator.reload();
        if let Err(error) = self.store.reload().await {
            let cause = Error::from(error).cause();
            self.telemetry.record(&Event::StoreFailed { doing: "load the catalog", cause: &cause });
        }
    }

    /// Lets go of the store: finishes what is queued, closes connections.
    pub fn close(&self) {
        self.store.close();
    }
}

/// What requests are planned against.
#[derive(Debug, Clone, Copy)]
struct Ground<'a> {
    settings: &'a plan::Settings,
    description: &'a openapi::Settings,
    catalog: &'a Catalog,
    identity: &'a Identity,
}

/// A request that may be done.
#[derive(Debug)]
struct Prepared {
    work: Work,
    answer: Answer,
}

/// What is to be done for it.
#[derive(Debug)]
enum Work {
    /// The store is to run this.
    Run(Box<sql::Statement>),
    /// Nothing: this is what it comes to.
    Known(Outcome),
}

impl Work {
    /// What the store is to run.
    fn query(&self) -> &sql::Work {
        match self {
            Self::Run(statement) => &statement.work,
            Self::Known(_) => &sql::Work::None,
        }
    }
}

/// How what it comes to is answered.
#[derive(Debug)]
struct Answer {
    authorized: Authorized,
    canonical_query: String,
}

impl Ground<'_> {
    /// The stages from a request to a statement; `raw` is the request as it arrived. `reading`: the read of its address,
    /// where that is not to be read from `raw`.
    fn prepare(self, request: Request, reading: Option<Request>, raw: &Raw) -> Result<Prepared, Error> {
        let canonical_query = request.canonical_query.clone();
        let plan = Plan::make(request, &self.identity.role, self.catalog, self.settings)?;
        let authorized = Authorized::authorize(plan, self.identity, self.catalog, self.settings, self.origin(raw))?;
        let work = match &authorized.plan().action {
            Action::TableInfo(_) | Action::RoutineInfo(_) | Action::RootInfo => Work::Known(Outcome::default()),
            Action::Describe { schema, .. } => Work::Known(self.describe(schema)),
            Action::Read(_) | Action::Insert(_) | Action::Update(_) | Action::Delete(_) | Action::Call(_) => {
                let mut statement = sql::render(&authorized, self.catalog.version, self.settings.engine);
                statement.precondition = self.precondition(reading, raw)?;
                Work::Run(Box::new(statement))
            }
        };
        Ok(Prepared { work, answer: Answer { authorized, canonical_query } })
    }

    /// What a conditional write is held against: the read of its address, by the same sender.
    fn precondition(self, reading: Option<Request>, raw: &Raw) -> Result<Option<Box<Precondition>>, Error> {
        let conditions = Conditions::read(raw);
        if !conditions.are_on_write(raw)? {
            return Ok(None);
        }
        let reading = reading.map_or_else(|| Request::parse(&raw.reading()), Ok)?;
        let plan = Plan::make(reading, &self.identity.role, self.catalog, self.settings)?;
        let authorized = Authorized::authorize(plan, self.identity, self.catalog, self.settings, self.origin(raw))?;
        let read = sql::render(&authorized, self.catalog.version, self.settings.engine);
        Ok(Some(Box::new(Precondition { read, conditions })))
    }

    /// What SQL may ask of the request. On SQLite it is known whether anything asks for the headers.
    fn origin(self, raw: &Raw) -> Origin {
        let asks_headers = self.settings.engine == Engine::Postgres || self.catalog.asks_headers;
        if asks_headers { Origin::of(raw) } else { Origin::without_headers(raw) }
    }

    fn describe(self, schema: &str) -> Outcome {
        let is_everything = self.settings.root == Root::Everything || self.settings.access != AccessMode::Closed;
        let roles = Roles::of(&self.identity.role, self.catalog);
        let shows = |table: &Table| is_everything || roles.may_know(&table.name);
        let calls = |routine: &Routine| is_everything || roles.may_call(&routine.grantees);
        let document = openapi::describe(self.catalog, schema, self.description, shows, calls);
        Outcome { body: document.to_string().into(), ..Outcome::default() }
    }
}

impl Answer {
    fn reply(&self, outcome: Outcome, validation: Option<Validation<'_>>) -> Result<Reply, Error> {
        Ok(Reply::to(self.authorized.plan(), outcome, &self.canonical_query, validation)?)
    }
}

/// What makes the write one that is applied once, when its sender asks for that.
fn once(raw: &Raw, identity: &Identity) -> Result<Option<Once>, Error> {
    if raw.header(once::HEADER).is_none() {
        return Ok(None);
    }
    Ok(Once::read(raw, &identity.role, &identity.subject())?)
}
