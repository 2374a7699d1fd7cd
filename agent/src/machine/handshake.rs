//! What a TLS server on this host presents: one handshake, and nothing after it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use probes::reading::{TlsPeer, Unread};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use sysinfo::{NetworkData, Networks};

use super::deadline::Deadline;
use super::failed;

/// How long one server may take in all.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes read from a server at most: a chain of certificates with room to spare.
const MAX_BYTES: usize = 256 * 1024;

/// Shakes hands with `address`, which must be one of this host's.
pub(super) fn handshake(address: SocketAddr, place: &str, deadline: &Deadline) -> Result<Option<TlsPeer>, Unread> {
    if !is_own(address.ip()) {
        return Err(failed(place, "not an address of this host, so not dialled"));
    }
    let until = Instant::now() + PATIENCE.min(deadline.left());
    let stream = match TcpStream::connect_timeout(&address, left(until, place)?) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(None),
        Err(error) => return Err(unread(place, &error)),
    };
    let recorder = Arc::new(Recorder::default());
    let connection = connection(address.ip(), &recorder).map_err(|error| failed(place, error.to_string()))?;
    let ended = converse(stream, connection, place, until);
    let chain = recorder.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match ended {
        // A server that goes on to ask for a client's certificate, or that rustls disagrees with later on, has
        // presented its own by then.
        (_, Some(agreed)) if !chain.is_empty() => Ok(Some(TlsPeer { chain, ..agreed })),
        (Err(why), _) => Err(why),
        (Ok(()), _) => Err(failed(place, "the server presented no certificate")),
    }
}

/// Of this machine: the agent dials nobody else, whatever a probe asks.
fn is_own(address: IpAddr) -> bool {
    let among = |networks: Networks| {
        let mut addresses = networks.values().flat_map(NetworkData::ip_networks);
        addresses.any(|network| network.addr == address)
    };
    address.is_loopback() || Networks::new_with_refreshed_list().is_ok_and(among)
}

fn connection(address: IpAddr, recorder: &Arc<Recorder>) -> Result<ClientConnection, rustls::Error> {
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
    mut stream: TcpStream,
    mut connection: ClientConnection,
    place: &str,
    until: Instant,
) -> (Result<(), Unread>, Option<TlsPeer>) {
    let ended = speak(&mut stream, &mut connection, place, until);
    connection.send_close_notify();
    if let Ok(left) = left(until, place) {
        let _ = stream.set_write_timeout(Some(left));
        let _ = connection.write_tls(&mut stream);
    }
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

fn speak(stream: &mut TcpStream, connection: &mut ClientConnection, place: &str, until: Instant) -> Result<(), Unread> {
    let mut got = 0;
    let mut chunk = [0; 8 * 1024];
    while connection.is_handshaking() {
        while connection.wants_write() {
            stream
                .set_write_timeout(Some(left(until, place)?))
                .map_err(|error| unread(place, &error))?;
            connection.write_tls(stream).map_err(|error| unread(place, &error))?;
            stream.flush().map_err(|error| unread(place, &error))?;
        }
        if !connection.is_handshaking() {
            break;
        }
        stream
            .set_read_timeout(Some(left(until, place)?))
            .map_err(|error| unread(place, &error))?;
        let count = match stream.read(&mut chunk) {
            Ok(0) => return Err(failed(place, "closed by the server during the handshake")),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(unread(place, &error)),
        };
        got += count;
        if got > MAX_BYTES {
            return Err(Unread::TooLarge {
                place: place.to_owned(),
                limit: MAX_BYTES as u64,
            });
        }
        let mut bytes = chunk.get(..count).unwrap_or_default();
        while !bytes.is_empty() {
            connection.read_tls(&mut bytes).map_err(|error| unread(place, &error))?;
            connection
                .process_new_packets()
                .map_err(|error| failed(place, format!("no TLS handshake: {error}")))?;
        }
    }
    Ok(())
}

/// What is left of the time, never zero.
fn left(until: Instant, place: &str) -> Result<Duration, Unread> {
    let left = until.saturating_duration_since(Instant::now());
    if left < Duration::from_millis(1) {
        return Err(over(place));
    }
    Ok(left)
}

fn over(place: &str) -> Unread {
    Unread::Timeout {
        place: place.to_owned(),
        millis: 1_000,
    }
}

fn unread(place: &str, error: &std::io::Error) -> Unread {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => over(place),
        ErrorKind::PermissionDenied => Unread::Denied {
            place: place.to_owned(),
        },
        _ => {
            let text = error.to_string();
            failed(place, text.split(" (os error").next().unwrap_or(&text).to_lowercase())
        }
    }
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
        assert!(is_own("127.0.0.1".parse().unwrap()) && is_own("::1".parse().unwrap()));
        let foreign = "192.0.2.1:443".parse().unwrap();
        let refused = handshake(foreign, "tls://192.0.2.1:443", &Deadline::within(1_000)).unwrap_err();
        assert!(refused.to_string().contains("not an address of this host"), "{refused}");
    }
}
