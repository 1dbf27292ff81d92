//! Requests as spans.
//!
//! Only a request whose caller samples its trace becomes one: whoever begins a trace decides.
//!
//! Source: `opentelemetry/proto/trace/v1/trace.proto`,
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::encode::scope;
use crate::telemetry::event::RequestAnswered;

/// `SPAN_KIND_SERVER`.
const SERVER: u8 = 2;

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// 32 hexadecimal digits.
    pub(super) trace_id: String,
    /// 16 hexadecimal digits.
    pub(super) span_id: String,
    /// 16 hexadecimal digits; the caller's span.
    pub(super) parent_id: String,
    /// The verb.
    pub(super) method: String,
    /// The path without the query.
    pub(super) path: String,
    /// The status of the answer.
    pub(super) status: u16,
    /// The code of the error, when it is one.
    pub(super) error_code: Option<String>,
    /// Rows of the answer, when it says.
    pub(super) rows: Option<u64>,
    /// When it was answered, in nanoseconds since 1970.
    pub(super) ended_at_nanos: u64,
    /// How long it took.
    pub(super) latency: Duration,
}

impl Span {
    /// The span of a request; `None` when its trace is not sampled.
    pub(super) fn of(answered: &RequestAnswered<'_>, ended_at_nanos: u64) -> Option<Self> {
        let (trace, place) = (answered.trace?, answered.span?);
        Some(Self {
            trace_id: trace.to_owned(),
            span_id: place.id.to_owned(),
            parent_id: place.parent.to_owned(),
            method: answered.method.to_owned(),
            path: answered.path.to_owned(),
            status: answered.status,
            error_code: answered.error_code.map(str::to_owned),
            rows: answered.rows,
            ended_at_nanos,
            latency: answered.latency,
        })
    }
}

/// A request of `/v1/traces`.
pub(super) fn batch(spans: &[Span], resource: &Json) -> Json {
    let spans: Vec<Json> = spans.iter().map(encode).collect();
    json!({ "resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{ "scope": scope(), "spans": spans }],
    }] })
}

fn encode(span: &Span) -> Json {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let number = |key: &str, value: u64| json!({ "key": key, "value": { "intValue": value.to_string() } });
    let mut attributes = vec![
        text("http.request.method", &span.method),
        text("url.path", &span.path),
        number("http.response.status_code", span.status.into()),
    ];
    attributes.extend(span.error_code.as_deref().map(|code| text("error.type", code)));
    attributes.extend(span.rows.map(|rows| number("db.response.returned_rows", rows)));
    let nanos = u64::try_from(span.latency.as_nanos()).unwrap_or(u64::MAX);
    let mut told = json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": format!("{} {}", span.method, span.path),
        "kind": SERVER,
        "startTimeUnixNano": span.ended_at_nanos.saturating_sub(nanos).to_string(),
        "endTimeUnixNano": span.ended_at_nanos.to_string(),
        "attributes": attributes,
    });
    if let Some(fields) = told.as_object_mut().filter(|_| span.status >= 500) {
        fields.insert("status".to_owned(), json!({ "code": ERROR }));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_trace_its_parent_and_its_time() {
        let span = Span {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
            span_id: "00f067aa0ba902b7".into(),
            parent_id: "00f067aa0ba902b8".into(),
            method: "GET".into(),
            path: "/films".into(),
            status: 503,
            error_code: Some("PGRST000".into()),
            rows: Some(3),
            ended_at_nanos: 5_000,
            latency: Duration::from_micros(2),
        };
        let told = batch(&[span], &json!({}));
        let told = &told["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!((&told["startTimeUnixNano"], &told["endTimeUnixNano"]), (&json!("3000"), &json!("5000")));
        assert_eq!((&told["parentSpanId"], &told["kind"]), (&json!("00f067aa0ba902b8"), &json!(2)));
        assert_eq!(told["status"]["code"], 2);
        assert_eq!(told["attributes"][2]["value"]["intValue"], "503");
    }
}
