//! The keys of the vectors. They are public: whoever trusts one of them trusts everybody.

use evidence::key::Signer as _;
use evidence::note::VerifierKey;
use evidence::wire::{Token, proof_message};
use evidence::{Digest, key::PublicKey};
use serde_json::{Value, json};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ed25519::Key;

/// Name of the vectors' log.
pub(crate) const ORIGIN: &str = "vectors.affiant.test/log";
/// The host of the vectors.
pub(crate) const HOST: &str = "web-1-4c1f";

const LOG_SEED: u8 = 1;
const COLLECTOR_SEED: u8 = 2;
const HOST_SEED: u8 = 3;
const STRANGER_SEED: u8 = 4;

/// Signs the checkpoints.
pub(crate) fn log() -> Key {
    Key::from_seed([LOG_SEED; 32])
}

/// Signs the collector's entries.
pub(crate) fn collector() -> Key {
    Key::from_seed([COLLECTOR_SEED; 32])
}

/// Signs the host's statements.
pub(crate) fn host() -> Key {
    Key::from_seed([HOST_SEED; 32])
}

/// Belongs to nobody in the log.
pub(crate) fn stranger() -> Key {
    Key::from_seed([STRANGER_SEED; 32])
}

/// With which the log's checkpoints are checked.
pub(crate) fn log_verifier() -> VerifierKey {
    VerifierKey::new(ORIGIN, log().public_key().clone()).unwrap()
}

/// The token that admitted the host.
pub(crate) fn token() -> Token {
    Token {
        id: [0x10; 8],
        secret: [0x20; 24],
        ca: Digest::of(b"the DER SubjectPublicKeyInfo of a collector's CA"),
    }
}

fn key(name: &str, seed: u8, key: &PublicKey) -> Value {
    json!({
        "name": name,
        "seed": format!("{seed:02x}").repeat(32),
        "spki": STANDARD.encode(key.to_spki()),
        "keyid": key.id(),
        "pem": key.to_pem(),
    })
}

/// `keys.json`.
pub(crate) fn vectors() -> Value {
    let (token, host) = (token(), host());
    // Nothing in this message depends on what a PKCS #10 request holds.
    let tls_request = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    let message = proof_message(&token, tls_request, host.public_key().id());
    json!({
        "keys": [
            key("log", LOG_SEED, log().public_key()),
            key("collector", COLLECTOR_SEED, collector().public_key()),
            key("host", HOST_SEED, host.public_key()),
            key("stranger", STRANGER_SEED, stranger().public_key()),
        ],
        "origin": ORIGIN,
        "vkey": log_verifier().to_string(),
        "token": {
            "id": "10".repeat(8),
            "secret": "20".repeat(24),
            "ca": token.ca,
            "text": token.to_string(),
        },
        "enrolment_proof": {
            "tls_request": tls_request,
            "message": String::from_utf8(message.clone()).unwrap(),
            "signature": STANDARD.encode(host.sign(&message).unwrap().0),
        },
    })
}
