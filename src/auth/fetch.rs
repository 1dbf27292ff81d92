//! Fetches a small text over HTTP.

use std::time::Duration;

use crate::outbound::{Error, agent};

/// Time for the whole of it, names, handshake and redirects included: whoever signs in waits for it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// A key is about 1 KiB with its certificate, and no more than 64 are looked at.
const MAX_BYTES: u64 = 256 * 1024;

/// Fetches the text at `url`. Blocks for at most `timeout`.
///
/// # Errors
/// See [`Error`]; a status other than 2xx is one.
pub(super) fn text(url: &str, timeout: Duration) -> Result<String, Error> {
    let request = agent(url, timeout)?.get(url).header("Accept", "application/jwk-set+json, application/json");
    let mut answer = request.call()?;
    answer.body_mut().with_config().limit(MAX_BYTES).read_to_string().map_err(Error::Http)
}
