//! What a TLS server answers to a client that knows TLS 1.1 at most: an offer, and the first record that comes back.
//!
//! The offer is written by hand (RFC 4346 section 7.4.1.2, RFC 8422 section 5.1, RFC 5746 section 3.3): no library of
//! these days would make it, and nothing is ever said under it.

use std::net::SocketAddr;

use probes::reading::{OldTls, Unread};

use super::deadline::Deadline;
use super::dial::Connection;
use super::failed;

/// The suites of TLS 1.1 and older that servers have had, without those that encrypt or authenticate nothing: with ECDHE
/// for ECDSA and RSA, with DHE, with RSA; AES, 3DES, Camellia, SEED, RC4, DES and those of export strength. Last the sign of
/// secure renegotiation, without which some servers refuse.
#[rustfmt::skip]
const SUITES: [u16; 39] = [
    0xc00a, 0xc009, 0xc008, 0xc007, 0xc014, 0xc013, 0xc012, 0xc011, // ECDHE
    0x0039, 0x0033, 0x0016, 0x0038, 0x0032, 0x0013, 0x0088, 0x0045, 0x0087, 0x0044, 0x009a, 0x0099, 0x0015, 0x0012, // DHE
    0xc005, 0xc004, 0xc003, 0xc00f, 0xc00e, 0xc00d, // ECDH
    0x0035, 0x002f, 0x000a, 0x0084, 0x0041, 0x0096, 0x0005, 0x0004, 0x0009, 0x0003, // RSA
    0x00ff,
];
/// `supported_groups` (10): x25519, P-256, P-384, P-521; `ec_point_formats` (11): uncompressed.
const EXTENSIONS: [u8; 20] = [0, 10, 0, 10, 0, 8, 0, 29, 0, 23, 0, 24, 0, 25, 0, 11, 0, 2, 1, 0];

/// Warnings before the answer, at most.
const MAX_BYTES: usize = 1024;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const TLS_1_1: [u8; 2] = [3, 2];
const TLS_1_0: [u8; 2] = [3, 1];
const SSL_3: [u8; 2] = [3, 0];

/// Offers TLS 1.1 and older to `address`, which must be one of this host's.
pub(super) fn offer(address: SocketAddr, place: &str, deadline: &Deadline) -> Result<Option<OldTls>, Unread> {
    let Some(mut connection) = Connection::dial(address, place, deadline)? else {
        return Ok(None);
    };
    connection.send(&hello())?;
    let (mut bytes, mut chunk) = (vec![], [0; 512]);
    loop {
        bytes.extend_from_slice(connection.receive(&mut chunk)?);
        match answer(&bytes) {
            Ok(Some(answer)) => return Ok(Some(answer)),
            Ok(None) if bytes.len() > MAX_BYTES => return Err(failed(place, "no TLS: warnings without end")),
            Ok(None) => {}
            Err(why) => return Err(failed(place, why)),
        }
    }
}

/// A ClientHello in a record of its own.
fn hello() -> Vec<u8> {
    let mut body = TLS_1_1.to_vec();
    // The client's random bytes: nothing depends on them, since no key comes of this connection.
    body.extend([0x5a; 32]);
    // No session.
    body.push(0);
    with_length(&mut body, &SUITES.map(u16::to_be_bytes).concat());
    // One method of compression, which is none.
    body.extend([1, 0]);
    with_length(&mut body, &EXTENSIONS);
    let mut message = vec![CLIENT_HELLO, 0];
    with_length(&mut message, &body);
    // Servers expect the first record to name the oldest version.
    let mut record = vec![HANDSHAKE, TLS_1_0[0], TLS_1_0[1]];
    with_length(&mut record, &message);
    record
}

fn with_length(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    to.extend_from_slice(bytes);
}

/// Reads the server's answer. `Ok(None)`: it goes on.
fn answer(bytes: &[u8]) -> Result<Option<OldTls>, String> {
    let Some((head, rest)) = bytes.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let [kind, 3, _, high, low] = *head else {
        return Err("no TLS: the answer begins with other bytes".to_owned());
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    match (kind, rest) {
        // A warning with another one to follow; a warning that the connection ends is an answer.
        (ALERT, [1, 1..=255, rest @ ..]) if length == 2 => answer(rest),
        (ALERT, [_, description, ..]) if length == 2 => Ok(Some(OldTls::Refused(alert(*description)))),
        (HANDSHAKE, [SERVER_HELLO, _, _, _, major, minor, ..]) if length >= 6 => match [*major, *minor] {
            TLS_1_1 => Ok(Some(OldTls::Agreed("TLSv1.1"))),
            TLS_1_0 => Ok(Some(OldTls::Agreed("TLSv1.0"))),
            SSL_3 => Ok(Some(OldTls::Agreed("SSLv3"))),
            [major, minor] => Err(format!(
                "the server goes on with version {major}.{minor}, which was not offered"
            )),
        },
        (ALERT, _) if length == 2 && rest.len() < 2 => Ok(None),
        (HANDSHAKE, _) if length >= 6 && rest.len() < 6 => Ok(None),
        _ => Err("no TLS: the answer is neither an alert nor the hello of a server".to_owned()),
    }
}

/// The name of an alert (RFC 8446 section 6, RFC 5246 section 7.2).
fn alert(description: u8) -> String {
    let name = match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        90 => "user_canceled",
        109 => "missing_extension",
        112 => "unrecognized_name",
        other => return format!("alert {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers() {
        let agreed = |version| Ok(Some(OldTls::Agreed(version)));
        let refused = |alert: &str| Ok(Some(OldTls::Refused(alert.to_owned())));
        assert_eq!(answer(&[22, 3, 1, 0, 80, 2, 0, 0, 76, 3, 1, 9]), agreed("TLSv1.0"));
        assert_eq!(answer(&[22, 3, 0, 0, 80, 2, 0, 0, 76, 3, 0, 9]), agreed("SSLv3"));
        assert_eq!(answer(&[21, 3, 1, 0, 2, 2, 70]), refused("protocol_version"));
        assert_eq!(answer(&[21, 3, 1, 0, 2, 1, 0]), refused("close_notify"));
        assert_eq!(answer(&[21, 3, 1, 0, 2, 2, 200]), refused("alert 200"));
        // A warning, and then the hello.
        let both = [&[21, 3, 1, 0, 2, 1, 112][..], &[22, 3, 2, 0, 80, 2, 0, 0, 76, 3, 2]].concat();
        assert_eq!(answer(&both), agreed("TLSv1.1"));
        for end in 0..both.len() {
            assert_eq!(answer(&both[..end]), Ok(None), "{end} bytes");
        }
        assert!(answer(&[22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3]).is_err(), "never offered");
        assert!(answer(b"220 mail.example.org").is_err() && answer(b"HTTP/1.1 400 Bad Request").is_err());
        assert!(answer(&[22, 3, 1, 0, 2, 2, 0]).is_err(), "shorter than a hello");
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_panic(bytes: Vec<u8>) {
            let _ = answer(&bytes);
        }

        #[test]
        fn an_answer_ends_within_a_few_bytes(kind in 20..24_u8, length: u16, rest in proptest::collection::vec(2..255_u8, 16..40)) {
            let [high, low] = length.to_be_bytes();
            let bytes = [&[kind, 3, 1, high, low][..], &rest].concat();
            prop_assert!(!matches!(answer(&bytes), Ok(None)));
        }
    }
}
