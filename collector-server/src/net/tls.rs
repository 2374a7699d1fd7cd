//! TLS for the two listeners.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, version};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::ca::{Authority, ServerIdentity};

/// Why TLS cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// rustls refused the certificate, the key or the versions.
    #[error("TLS cannot be set up")]
    Config(#[from] rustls::Error),
    /// The CA's certificate cannot be what clients are verified against.
    #[error("the CA's certificate cannot verify clients")]
    Verifier(#[from] VerifierBuilderError),
}

/// TLS 1.3. A client certificate is asked for; one that is given must be of this CA. A client without one gets in and
/// reaches enrolment only (see [`crate::agents`]).
pub fn agents_tls(authority: &Authority, identity: ServerIdentity) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Stateless: a fleet that comes back costs no memory here. The client's certificate travels in the ticket.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// TLS 1.2 and 1.3, no client certificates.
pub fn people_tls(identity: ServerIdentity) -> Result<TlsAcceptor, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The same certificate and key once more, for the other listener.
pub fn copy_identity(identity: &ServerIdentity) -> ServerIdentity {
    ServerIdentity {
        chain: identity.chain.clone(),
        key: identity.key.clone_key(),
    }
}
