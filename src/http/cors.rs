//! What browsers may do with answers, told as `PostgREST` tells it.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/cors.html>, <https://fetch.spec.whatwg.org/#http-cors-protocol>

use crate::config::CorsOrigins;
use crate::response::Reply;

/// Verbs a script may use.
const METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";

/// Headers of an answer a script may read: `PostgREST`'s list word for word, then berth's own. A browser takes both
/// together.
const EXPOSED: [&str; 2] = [
    "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Server, Transfer-Encoding, \
     Range-Unit",
    "Berth-Position, ETag, Cache-Control, Idempotency-Replayed, Link, Retry-After",
];

/// Seconds a browser may remember the answer to a preflight: a day.
const MAX_AGE: &str = "86400";

/// Which origin an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed<'a> {
    /// Any origin, without credentials.
    Any,
    /// This origin, with credentials.
    Origin(&'a str),
}

/// Says whether scripts of `origin` may read answers; `None` when not.
#[must_use]
pub fn allow<'a>(origins: &CorsOrigins, origin: &'a str) -> Option<Allowed<'a>> {
    match origins {
        CorsOrigins::Any => Some(Allowed::Any),
        CorsOrigins::Listed(listed) => listed.iter().any(|known| known == origin).then_some(Allowed::Origin(origin)),
    }
}

/// The answer to a preflight; `requested_headers`: the value of `Access-Control-Request-Headers`.
#[must_use]
pub fn preflight(allowed: Allowed<'_>, requested_headers: Option<&str>) -> Reply {
    let mut names = String::from("Authorization");
    let requested = requested_headers.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    for name in requested.chain(["Accept", "Accept-Language", "Content-Language"]) {
        names.push_str(", ");
        names.push_str(name);
    }
    let mut headers = origin_headers(allowed);
    headers.push(("Access-Control-Allow-Methods".to_owned(), METHODS.to_owned()));
    headers.push(("Access-Control-Allow-Headers".to_owned(), names));
    headers.push(("Access-Control-Max-Age".to_owned(), MAX_AGE.to_owned()));
    Reply { status: 200, headers, ..Reply::default() }
}

/// Adds to an answer what a browser needs to hand it to a script.
pub fn expose(reply: &mut Reply, allowed: Allowed<'_>) {
    // Answers to OPTIONS carry an origin of their own, for clients that send none; a browser takes only one.
    reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Access-Control-Allow-Origin"));
    for (name, value) in origin_headers(allowed) {
        match reply.headers.iter_mut().find(|(present, _)| name == "Vary" && *present == name) {
            Some((_, varies)) => *varies = format!("{varies}, {value}"),
            None => reply.headers.push((name, value)),
        }
    }
    let exposed = EXPOSED.map(|names| ("Access-Control-Expose-Headers".to_owned(), names.to_owned()));
    reply.headers.extend(exposed);
}

fn origin_headers(allowed: Allowed<'_>) -> Vec<(String, String)> {
    let name = "Access-Control-Allow-Origin".to_owned();
    match allowed {
        Allowed::Any => vec![(name, "*".to_owned())],
        Allowed::Origin(origin) => vec![
            (name, origin.to_owned()),
            ("Access-Control-Allow-Credentials".to_owned(), "true".to_owned()),
            // A cache must not give one origin's answer to another.
            ("Vary".to_owned(), "Origin".to_owned()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
        reply.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn any_origin_is_answered_permissively() {
        let reply = preflight(Allowed::Any, Some("Foo,Bar"));
        assert_eq!(reply.status, 200);
        assert_eq!(header(&reply, "Access-Control-Allow-Origin"), Some("*"));
        assert_eq!(
            header(&reply, "Access-Control-Allow-Methods"),
            Some("GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD")
        );
        assert_eq!(
            header(&reply, "Access-Control-Allow-Headers"),
            Some("Authorization, Foo, Bar, Accept, Accept-Language, Content-Language")
        );
        assert_eq!(header(&reply, "Access-Control-Max-Age"), Some("86400"));
        assert_eq!(header(&reply, "Access-Control-Allow-Credentials"), None);
    }

    #[test]
    fn a_listed_origin_is_named_and_may_send_credentials() {
        let origins = CorsOrigins::Listed(vec!["http://a.example".to_owned(), "http://b.example".to_owned()]);
        let allowed = allow(&origins, "http://b.example").unwrap();
        let reply = preflight(allowed, None);
        assert_eq!(header(&reply, "Access-Control-Allow-Origin"), Some("http://b.example"));
        assert_eq!(header(&reply, "Access-Control-Allow-Credentials"), Some("true"));
        assert_eq!(allow(&origins, "http://b.example.evil"), None);
    }

    #[test]
    fn an_answer_has_one_allowed_origin() {
        let headers = [("access-control-allow-origin", "*"), ("Vary", "Accept")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let mut reply = Reply { status: 200, headers, ..Reply::default() };
        expose(&mut reply, Allowed::Origin("http://a.example"));
        let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("access-control-allow-origin");
        assert_eq!(reply.headers.iter().filter(named).count(), 1);
        assert_eq!(header(&reply, "Vary"), Some("Accept, Origin"));
        let exposed: Vec<_> =
            reply.headers.iter().filter(|(name, _)| name == "Access-Control-Expose-Headers").collect();
        assert_eq!(exposed.len(), 2);
    }
}
