//! A request as an input of the fuzzer: what HTTP/1.1 would carry, with bare line feeds.
//!
//! ```text
//! GET /films?select=title&year=gte.1990
//! role: pol_user
//! prefer: count=exact
//!
//! the body
//! ```

use berth::request::Raw;
use bytes::Bytes;

/// The header that names whom a request is from; it is taken out of the request.
const ROLE: &str = "role";

/// Most headers of a request, as a server would have a bound.
const HEADERS_MAX: usize = 32;

/// A request and whom it is from.
#[derive(Debug, Clone)]
pub struct Message {
    /// The request.
    pub raw: Raw,
    /// The role; `None`: it comes without a token.
    pub role: Option<String>,
}

impl Message {
    /// Reads any input; what is missing is empty.
    #[must_use]
    pub fn read(input: &[u8]) -> Self {
        let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
            Some(at) => (&input[..at], &input[at + 2..]),
            None => (input, &[][..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split('\n');
        let first = lines.next().unwrap_or_default();
        let (method, address) = first.split_once(' ').unwrap_or((first, ""));
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let mut headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .take(HEADERS_MAX)
            .collect();
        let role = headers.iter().find(|(name, _)| name == ROLE).map(|(_, role)| role.clone());
        headers.retain(|(name, _)| name != ROLE);
        let raw = Raw {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Bytes::copy_from_slice(body),
        };
        Self { raw, role }
    }
}
