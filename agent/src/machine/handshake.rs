//! What a TLS server on this host presents: one handshake, and nothing after it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use probes::reading::{TlsPeer, Unread};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

use super::deadline::Deadline;
use super::dial::Connection;
use super::failed;

/// Bytes read from a server at most: a chain of certificates with room to spare.
const MAX_BYTES: usize = 256 * 1024;

/// Shakes hands with `address`, which must be one of this host's.
pub(super) fn handshake(address: SocketAddr, place: &str, deadline: &Deadline) -> Result<Option<TlsPeer>, Unread> {
    let Some(mut dialled) = Connection::dial(address, place, deadline)? else {
        return Ok(None);
    };
    let recorder = Arc::new(Recorder::default());
    let connection = client(address.ip(), &recorder).map_err(|error| failed(place, error.to_string()))?;
    let ended = converse(&mut dialled, connection, place);
    let chain = recorder.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match ended {
        // A server that goes on to ask for a client's certificate, or that rustls disagrees with later on, has
        // presented its own by then.
        (_, Some(agreed)) if !chain.is_empty() => Ok(Some(TlsPeer { chain, ..agreed })),
        (Err(why), _) => Err(why),
        (Ok(()), _) => Err(failed(place, "the server presented no certificate")),
    }
}

fn client(address: IpAddr, recorder: &Arc<Recorder>) -> Result<ClientConnection, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        // Any certificate is taken: this connection is for looking at it, and carries nothing.
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    // An address is sent in no server name indication.
    ClientConnection::new(Arc::new(config), ServerName::IpAddress(address.into()))
}

/// Until the handshake ends, one way or the other; and what was agreed upon by then.
fn converse(
    dialled: &mut Connection<'_>,
    mut connection: ClientConnection,
    place: &str,
) -> (Result<(), Unread>, Option<TlsPeer>) {
    let ended = speak(dialled, &mut connection, place);
    connection.send_close_notify();
    let _ = send(dialled, &mut connection);
    let agreed = connection
        .protocol_version()
        .zip(connection.negotiated_cipher_suite())
        .map(|(version, suite)| TlsPeer {
            version: name(&format!("{version:?}")),
            cipher_suite: name(&format!("{:?}", suite.suite())),
            chain: vec![],
        });
    (ended, agreed)
}

fn speak(dialled: &mut Connection<'_>, connection: &mut ClientConnection, place: &str) -> Result<(), Unread> {
    let mut got = 0;
    let mut chunk = [0; 8 * 1024];
    while connection.is_handshaking() {
        send(dialled, connection)?;
        if !connection.is_handshaking() {
            break;
        }
        let mut bytes = &*dialled.receive(&mut chunk)?;
        got += bytes.len();
        if got > MAX_BYTES {
            return Err(Unread::TooLarge {
                place: place.to_owned(),
                limit: MAX_BYTES as u64,
            });
        }
        while !bytes.is_empty() {
            let read = connection.read_tls(&mut bytes);
            read.map_err(|error| failed(place, error.to_string()))?;
            connection
                .process_new_packets()
                .map_err(|error| failed(place, format!("no TLS handshake: {error}")))?;
        }
    }
    Ok(())
}

/// Sends what rustls has to say.
fn send(dialled: &mut Connection<'_>, connection: &mut ClientConnection) -> Result<(), Unread> {
    let mut bytes = vec![];
    while connection.wants_write() && connection.write_tls(&mut bytes).is_ok() {}
    if bytes.is_empty() { Ok(()) } else { dialled.send(&bytes) }
}

/// rustls writes `TLSv1_3` and `TLS13_AES_128_GCM_SHA256` where IANA has `TLSv1.3` and `TLS_AES_128_GCM_SHA256`.
fn name(rustls: &str) -> String {
    match rustls.strip_prefix("TLS13_") {
        Some(suite) => format!("TLS_{suite}"),
        None => rustls
            .strip_prefix("TLSv1_")
            .map_or_else(|| rustls.to_owned(), |minor| format!("TLSv1.{minor}")),
    }
}

/// Takes any certificate and any signature, and writes down the chain. It reports what is presented and trusts nobody.
#[derive(Debug, Default)]
struct Recorder {
    chain: Mutex<Vec<Vec<u8>>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) =
            chain.map(|certificate| certificate.as_ref().to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // All that a server may hold a key for; nothing is verified.
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ML_DSA_44,
            SignatureScheme::ML_DSA_65,
            SignatureScheme::ML_DSA_87,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_iana() {
        assert_eq!(name("TLSv1_3"), "TLSv1.3");
        assert_eq!(name("TLS13_AES_256_GCM_SHA384"), "TLS_AES_256_GCM_SHA384");
        assert_eq!(
            name("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        );
    }

    #[test]
    fn nobody_else_is_dialled() {
        let foreign = "192.0.2.1:443".parse().unwrap();
        let refused = handshake(foreign, "tls://192.0.2.1:443", &Deadline::within(1_000)).unwrap_err();
        assert!(refused.to_string().contains("not an address of this host"), "{refused}");
    }
}
