//! A small HTTP client that treats every status as an answer.

use std::time::Duration;

use ureq::http::{HeaderMap, Request};

/// A client of one server; keeps its connections.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

/// What the server said.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }
}

/// Writes as `%XX` what no URI may hold, as every client library does.
fn encode(path: &str) -> String {
    let encoded = |character: char| match character {
        ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => format!("%{:02X}", u32::from(character)),
        other => other.to_string(),
    };
    path.chars().map(encoded).collect()
}

impl Client {
    pub fn new(base: String) -> Self {
        Self::waiting(base, Duration::from_secs(30))
    }

    /// The same, which waits so long for an answer.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self::waiting(self.base.clone(), timeout)
    }

    fn waiting(base: String, timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections_per_host(16)
            .timeout_global(Some(timeout))
            .build()
            .new_agent();
        Self { agent, base }
    }

    /// Sends a request; `None` when there was no answer.
    pub fn try_send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{}", self.base, encode(path)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = if body.is_empty() && matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS") {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body.to_owned()).unwrap())
        };
        let mut answer = answer.ok()?;
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.body_mut().with_config().limit(1 << 28).read_to_string().ok()?;
        Some(Answer { status, headers, body })
    }

    /// Sends a request that must be answered.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_send("GET", path, &[], "")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], body)
    }

    /// POST that gives the rows back.
    pub fn insert(&self, path: &str, body: &str) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Prefer", "return=representation")];
        self.send("POST", path, &headers, body)
    }
}
