//! TLS to the server, with rustls.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use thiserror::Error as ThisError;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dsn::{Roots, Target, Trust};

/// Makes TLS connections.
pub(super) type Connector = MakeRustlsConnect;

/// Why no connections can be made.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub(super) enum Fault {
    /// `sslrootcert` cannot be read or holds no certificate.
    #[error("sslrootcert \"{0}\" holds no certificate that can be read")]
    RootCertificate(String),
    /// The operating system has no authorities, as in an empty image without them.
    #[error("no certificate authorities are installed; name a file with sslrootcert")]
    NoAuthorities,
    /// rustls refuses its configuration.
    #[error("TLS cannot be used: {0}")]
    Rustls(String),
}

/// Prepares TLS as the DSN wants it.
pub(super) fn connector(target: &Target) -> Result<Connector, Fault> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::Rustls(error.to_string()))?;
    let config = match &target.trust {
        Trust::Host(roots) => builder.with_root_certificates(authorities(roots)?).with_no_client_auth(),
        Trust::Authority(roots) => {
            let roots = Arc::new(authorities(roots)?);
            let full = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
                .build()
                .map_err(|error| Fault::Rustls(error.to_string()))?;
            let verifier = Arc::new(Verifier { authority: Some(full), provider });
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
        Trust::Anything => {
            let verifier = Arc::new(Verifier { authority: None, provider });
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(roots: &Roots) -> Result<RootCertStore, Fault> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() { Err(Fault::NoAuthorities) } else { Ok(store) }
        }
        Roots::File(path) => {
            let fault = || Fault::RootCertificate(path.display().to_string());
            store.add_parsable_certificates(read_certificates(path).ok_or_else(fault)?);
            if store.is_empty() { Err(fault()) } else { Ok(store) }
        }
    }
}

fn read_certificates(path: &Path) -> Option<Vec<CertificateDer<'static>>> {
    let file = BufReader::new(File::open(path).ok()?);
    CertificateDer::pem_reader_iter(file).collect::<Result<_, _>>().ok()
}

/// Checks less than rustls does by itself, as libpq's modes below `verify-full` ask: the authority but not the host, or
/// nothing. Signatures of the handshake are always checked.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do.
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authority) = &self.authority else { return Ok(ServerCertVerified::assertion()) };
        match authority.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The chain has been checked before the name is (webpki's order): another host's certificate will do.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
