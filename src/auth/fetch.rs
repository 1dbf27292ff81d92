//! Fetches a small text over HTTP: bounded in time, size and redirects, over TLS that is verified.
//!
//! `ureq`, because one request every few minutes needs no runtime: it blocks a thread, and adds two small crates to the
//! rustls, ring and authorities that connections to Postgres bring already (awc would add an HTTP/2 stack and a runtime
//! of its own). Nothing is kept between two fetches: an idle instance holds no connection.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use thiserror::Error as ThisError;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Time for the whole of it, names, handshake and redirects included: whoever signs in waits for it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// A key is about 1 KiB with its certificate, and no more than 64 are looked at.
const MAX_BYTES: u64 = 256 * 1024;

/// Identity providers answer at once; some send from a short name to the full one.
const MAX_REDIRECTS: u32 = 3;

/// Why there is no text.
#[derive(Debug, ThisError)]
pub(super) enum Error {
    /// Nobody vouches for servers, as in an image without authorities.
    #[error("no certificate authorities are installed; name a file with SSL_CERT_FILE")]
    NoAuthorities,
    /// Connection, TLS, HTTP, time, or size.
    #[error(transparent)]
    Http(#[from] ureq::Error),
}

/// Fetches the text at `url`. Blocks for at most `timeout`.
///
/// An address that begins with `https` is never left for one that does not.
///
/// # Errors
/// See [`Error`]; a status other than 2xx is one.
pub(super) fn text(url: &str, timeout: Duration) -> Result<String, Error> {
    let is_https = url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    let mut config = ureq::Agent::config_builder()
        .https_only(is_https)
        .timeout_global(Some(timeout))
        .max_redirects(MAX_REDIRECTS)
        .max_response_header_size(32 * 1024)
        .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION")))
        .accept("application/jwk-set+json, application/json");
    if is_https {
        config = config.tls_config(tls()?);
    }
    let mut answer = config.build().new_agent().get(url).call()?;
    Ok(answer.body_mut().with_config().limit(MAX_BYTES).read_to_string()?)
}

/// The system's authorities, or those that `SSL_CERT_FILE` names.
fn tls() -> Result<TlsConfig, Error> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(Error::NoAuthorities);
    }
    let authorities: Vec<_> = found.iter().map(|authority| Certificate::from_der(authority).to_owned()).collect();
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&authorities))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}
