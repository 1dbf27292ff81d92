//! Requests that this program sends by itself: bounded in time and redirects, over TLS that is verified.
//!
//! `ureq`, because a request every minute needs no runtime: it blocks a thread, and adds two small crates to the rustls,
//! ring and authorities that connections to Postgres bring already (awc would add an HTTP/2 stack and a runtime of its
//! own). Nothing is kept between two requests: an idle instance holds no connection.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use thiserror::Error as ThisError;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Servers send from a short name to the full one, and no further.
const MAX_REDIRECTS: u32 = 3;

/// Why nothing can be sent.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Nobody vouches for servers, as in an image without authorities.
    #[error("no certificate authorities are installed; name a file with SSL_CERT_FILE")]
    NoAuthorities,
    /// Connection, TLS, HTTP, time, or size.
    #[error(transparent)]
    Http(#[from] ureq::Error),
}

/// What sends to `url`, within `timeout` for names, handshake and redirects together.
///
/// An address that begins with `https` is never left for one that does not. `HTTPS_PROXY` is obeyed.
///
/// # Errors
/// [`Error::NoAuthorities`].
pub fn agent(url: &str, timeout: Duration) -> Result<Agent, Error> {
    let is_https = url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    let mut config = Agent::config_builder()
        .https_only(is_https)
        .timeout_global(Some(timeout))
        .max_redirects(MAX_REDIRECTS)
        .max_response_header_size(32 * 1024)
        .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION")));
    if is_https {
        config = config.tls_config(tls()?);
    }
    Ok(config.build().new_agent())
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
