//! Which server is the collector: before enrolment by the token, after it by the CA.

use std::sync::Arc;

use evidence::Digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use thiserror::Error;

/// Sessions kept for a cheaper next handshake: there is one server.
const SESSIONS: usize = 4;

/// Keys or certificates that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// Not PEM, or not what was expected in it.
    #[error("the {what} is not readable: {reason}")]
    Pem {
        /// Which.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS refuses it.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// The server's chain holds no certificate of the CA that the token names.
#[derive(Debug, Error)]
#[error("this is not the collector that the token was made for: its certificate chain does not hold the CA {expected}")]
pub struct NotTheCollector {
    /// SHA-256 of the CA's SubjectPublicKeyInfo, from the token.
    pub expected: Digest,
}

/// Accepts a server only if its chain holds the CA that a token names, and its certificate is signed by that CA for the
/// name that was dialled. So the token's secret is never sent to anybody else.
#[derive(Debug)]
pub struct EnrolmentTrust {
    ca: Digest,
    provider: Arc<CryptoProvider>,
}

impl EnrolmentTrust {
    /// A TLS configuration that trusts the CA with this SubjectPublicKeyInfo digest and no other.
    pub fn config(ca: Digest) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let trust = Self {
            ca,
            provider: Arc::clone(&provider),
        };
        let builder =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust))
            .with_no_client_auth())
    }
}

impl ServerCertVerifier for EnrolmentTrust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let is_ca =
            |certificate: &&CertificateDer<'_>| spki_digest(certificate).is_some_and(|digest| digest == self.ca);
        let Some(ca) = intermediates.iter().find(is_ca) else {
            let error = NotTheCollector { expected: self.ca };
            return Err(CertificateError::Other(OtherError(Arc::new(error))).into());
        };
        verifier(&[ca.clone().into_owned()], &self.provider)?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn verifier(
    cas: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for ca in cas {
        roots.add(ca.clone())?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))
}

/// The TLS configuration of a member: trusts `ca` only, presents the key and certificate in `client` (both PEM).
pub fn member_config(ca: &str, client: &str) -> Result<ClientConfig, TlsError> {
    let pem = |what: &'static str| {
        move |error: rustls::pki_types::pem::Error| TlsError::Pem {
            what,
            reason: error.to_string(),
        }
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).map_err(pem("collector's CA certificate"))?;
    let chain = CertificateDer::pem_slice_iter(client.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(pem("client certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(client.as_bytes()).map_err(pem("client key"))?;
    let verifier = verifier(&[ca], &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_webpki_verifier(verifier)
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

/// SHA-256 of the DER SubjectPublicKeyInfo of a certificate; `None` if it cannot be read.
pub fn spki_digest(certificate: &CertificateDer<'_>) -> Option<Digest> {
    let mut store = RootCertStore::empty();
    store.add(certificate.clone().into_owned()).ok()?;
    // The trust anchor holds the content of the SEQUENCE; its header is put back.
    let content = store.roots.first()?.subject_public_key_info.as_ref().to_vec();
    let mut header = vec![0x30];
    match u16::try_from(content.len()).ok()?.to_be_bytes() {
        [0, short @ 0..=0x7f] => header.push(short),
        [0, long] => header.extend([0x81, long]),
        [high, low] => header.extend([0x82, high, low]),
    }
    Some(Digest::of_parts(&[&header, &content]))
}
