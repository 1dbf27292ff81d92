//! The way of one request through the socket side.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpMessage as _, Payload, Request};
use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody as _};
use actix_web::http::{ConnectionType, Method, Version};
use futures_util::FutureExt as _;

use super::connection::Client;
use super::fault::Fault;
use super::limits::{Limits, Permit};
use super::occupancy::Occupancy;
use super::request_id::RequestIds;
use super::stream::Told;
use super::{Answer, client, cors, extract, own, reply};
use crate::clock::{Deadline, Stopwatch};
use crate::config::{Config, CorsOrigins};
use crate::pipeline::Context;
use crate::response::Reply;
use crate::telemetry::event::SpanPlace;
use crate::telemetry::trace::{sampled_parent, trace_id};
use crate::telemetry::{Event, Now, Refusal, RequestAnswered, RouteClass, Telemetry};

/// How long a read goes on after its client closed its side of the connection: some close it as soon as they have sent
/// their request, and wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// What all requests of a server share.
#[derive(Debug)]
pub(super) struct Shared<A> {
    pub(super) app: Arc<A>,
    pub(super) telemetry: Telemetry,
    pub(super) limits: Limits,
    pub(super) occupancy: Occupancy,
    pub(super) started: Stopwatch,
    request_ids: RequestIds,
    cors_origins: CorsOrigins,
    trace_header: Option<String>,
    trusted_proxies: usize,
    max_body_bytes: usize,
    statement_timeout: Duration,
}

impl<A: Answer> Shared<A> {
    pub(super) fn new(config: &Config, app: Arc<A>, telemetry: Telemetry) -> Result<Self, getrandom::Error> {
        Ok(Self {
            app,
            telemetry,
            limits: Limits::new(config.bounds.queue_limit, config.bounds.bodies_bytes, config.bounds.answers_bytes),
            occupancy: Occupancy::new(config.bounds.connections),
            started: Stopwatch::start(),
            request_ids: RequestIds::new()?,
            cors_origins: config.http.cors_origins.clone(),
            trace_header: config.http.trace_header.clone(),
            trusted_proxies: config.http.trusted_proxies,
            max_body_bytes: config.bounds.max_body_bytes,
            statement_timeout: config.bounds.statement_timeout,
        })
    }

    /// What only the moment knows, for the metrics.
    pub(super) fn now(&self) -> Now {
        Now {
            in_flight: self.limits.in_flight(),
            connections: self.occupancy.open(),
            busy: self.limits.busy(),
            body_bytes: self.limits.body_bytes(),
            answer_bytes: self.limits.answer_bytes(),
            log: self.app.log_state(),
        }
    }
}

/// Answers one request, tells the log, and dresses the answer for its sender.
pub(super) async fn serve<A: Answer>(shared: &Shared<A>, mut request: Request) -> HttpResponse {
    let payload = request.take_payload();
    let request = &request;
    let serving = request.conn_data::<Client>().map(Client::serve);
    let stopwatch = Stopwatch::start();
    let [standard, googles] = trace_headers(request);
    let context = Context {
        request_id: shared.request_ids.name(extract::header(request, "x-request-id")),
        deadline: Deadline::after(shared.statement_timeout),
        trace: trace_id(standard, googles).map(str::to_owned),
        client: client::address(request, shared.trusted_proxies),
    };
    let origin = extract::header(request, "origin").and_then(|origin| cors::allow(&shared.cors_origins, origin));

    let (class, answered) = answer(shared, request, payload, origin, &context).await;
    let Answered { mut reply, permit } = answered;
    if let Some(allowed) = origin.filter(|_| class != RouteClass::Preflight) {
        cors::expose(&mut reply, allowed);
    }
    echo_trace_header(shared, request, &mut reply);
    record(shared, request, class, &reply, &context, stopwatch.elapsed());

    let body = if request.method() == Method::HEAD { reply::Body::LeftOut } else { reply::Body::Sent };
    let Context { request_id, trace, .. } = context;
    let told = Told { telemetry: shared.telemetry.clone(), request_id, trace, stopwatch, permit, serving };
    let mut response = reply::response(reply, body, told);
    // Of an endless one it is not known where the next request would begin.
    if extract::is_endless(request) || shared.occupancy.is_crowded() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    if request.version() < Version::HTTP_11 && response.body().size() == BodySize::Stream {
        // Nobody knew of pieces then: the end of the connection is the end of the body.
        response.head_mut().no_chunking(true);
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response
}

/// Finds out who answers, and has the answer.
async fn answer<A: Answer>(
    shared: &Shared<A>,
    request: &Request,
    payload: Payload,
    origin: Option<cors::Allowed<'_>>,
    context: &Context,
) -> (RouteClass, Answered) {
    let method = request.method().as_str();
    let path = request.uri().path();
    let is_preflight = method == "OPTIONS" && request.headers().contains_key("access-control-request-method");
    match (extract::class_of(path), origin) {
        (_, Some(allowed)) if is_preflight => {
            let names = extract::header(request, "access-control-request-headers");
            (RouteClass::Preflight, cors::preflight(allowed, names).into())
        }
        (RouteClass::Batch, _) if method != "POST" => (RouteClass::Batch, Fault::OnlyPost.reply().into()),
        (RouteClass::Own, _) => {
            let reply = own::answer(shared, method, own::route(path).unwrap_or_default()).await;
            (RouteClass::Own, reply.into())
        }
        (class, _) => (class, answer_by_pipeline(shared, request, payload, context).await),
    }
}

/// Tells that a request was answered; as a span too, where its caller samples the trace.
fn record<A>(
    shared: &Shared<A>,
    request: &Request,
    class: RouteClass,
    reply: &Reply,
    context: &Context,
    latency: Duration,
) {
    let [standard, googles] = trace_headers(request);
    let parent = shared.telemetry.takes_spans().then(|| sampled_parent(standard, googles)).flatten();
    let span_id = parent.is_some().then(|| shared.request_ids.name(None));
    let place = parent.as_deref().zip(span_id.as_deref());
    let summary = reply::summarise(reply);
    shared.telemetry.record(&Event::RequestAnswered(RequestAnswered {
        method: request.method().as_str(),
        path: request.uri().path(),
        class,
        status: reply.status,
        latency,
        response_bytes: reply.body.len(),
        rows: summary.rows,
        request_id: &context.request_id,
        trace: context.trace.as_deref(),
        span: place.map(|(parent, id)| SpanPlace { id, parent }),
        error_code: summary.error_code,
    }));
}

/// An answer, whose request is in flight until it is sent.
struct Answered {
    reply: Reply,
    /// Kept as long as rows are read for it.
    permit: Option<Permit>,
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self { reply, permit: None }
    }
}

/// The body is read before a place in the queue is taken, so that slow senders hold up nobody else.
async fn answer_by_pipeline<A: Answer>(
    shared: &Shared<A>,
    request: &Request,
    payload: Payload,
    context: &Context,
) -> Answered {
    if let Some(client) = context.client
        && let Err(refused) = shared.app.admit(client, context)
    {
        return refused.into();
    }
    let mut lease = shared.limits.lease();
    let body = match extract::body(request, payload, shared.max_body_bytes, &mut lease).await {
        Ok(body) => body,
        Err(fault) => {
            if fault == Fault::Busy {
                shared.telemetry.record(&Event::RequestRefused(Refusal::BodiesFull));
            }
            return fault.reply().into();
        }
    };
    let Some(permit) = shared.limits.enter() else {
        shared.telemetry.record(&Event::RequestRefused(Refusal::QueueFull));
        return Fault::Busy.reply().into();
    };
    // The time a body took to arrive is its sender's, not the store's.
    let late = Context { deadline: Deadline::after(shared.statement_timeout), ..context.clone() };
    let context = if body.is_empty() { context } else { &late };

    // A panic would close the connection without a word; state that it leaves behind is the store's own to check.
    let answer = AssertUnwindSafe(shared.app.answer(extract::raw(request, body), context)).catch_unwind();
    let answered = tokio::select! {
        biased;
        answered = answer => answered,
        () = is_given_up(request) => return Fault::ClientLeft.reply().into(),
    };
    let answered = answered.map(|reply| keep(shared, request, reply));
    let reply = answered.unwrap_or_else(|panic| {
        let cause = panic_text(panic.as_ref());
        shared.telemetry.record(&Event::RequestFailed {
            request_id: &context.request_id,
            trace: context.trace.as_deref(),
            code: "BERTH500",
            cause,
        });
        Fault::Panicked.reply()
    });
    let is_read_on = reply.rest.is_some();
    Answered { reply, permit: is_read_on.then_some(permit) }
}

/// Counts the memory of an answer until it is sent. A read for which none is left is told to come back; what a write
/// has done is told in any case.
fn keep<A>(shared: &Shared<A>, request: &Request, reply: Reply) -> Reply {
    let length = reply.body.len();
    if length <= reply::PIECE_BYTES || reply.rest.is_some() {
        return reply;
    }
    let mut lease = shared.limits.answer_lease();
    if !is_read(request) {
        lease.grow_to(length);
    } else if !lease.try_grow_to(length) {
        shared.telemetry.record(&Event::RequestRefused(Refusal::AnswersFull));
        return Fault::Busy.reply();
    }
    Reply { body: reply::keep(reply.body, lease), ..reply }
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Done when nobody waits for a read any more. What writes is never given up on: its sender may not care for the answer.
async fn is_given_up(request: &Request) {
    match request.conn_data::<Client>() {
        Some(client) if is_read(request) => {
            client.leaves().await;
            tokio::time::sleep(PATIENCE).await;
        }
        Some(_) | None => std::future::pending().await,
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message")
}

/// What says which trace a request belongs to: `traceparent`, and what Google's load balancers send.
fn trace_headers(request: &Request) -> [Option<&str>; 2] {
    ["traceparent", "x-cloud-trace-context"].map(|name| extract::header(request, name))
}

fn echo_trace_header<A>(shared: &Shared<A>, request: &Request, answer: &mut Reply) {
    let Some(name) = &shared.trace_header else { return };
    if let Some(value) = extract::header(request, name) {
        answer.headers.push((name.clone(), value.to_owned()));
    }
}
