//! DSSE envelopes: a statement and the signature over it (Dead Simple Signing Envelope v1).
//!
//! An envelope is an entry of the log byte for byte, so its spelling is fixed: canonical JSON, one signature, standard
//! Base64 with padding.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;
use crate::json::{self, JsonError};
use crate::key::{BadSignature, KeyId, PublicKey, SignError, SignatureCheck, Signer};
use crate::statement::{Statement, StatementError};

/// The only payload type: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// An entry bundle of tlog-tiles gives each entry a 16-bit length.
pub const MAX_BYTES: usize = 65_535;

/// A statement with a signature that nobody has checked yet. [`Unverified::verify`] is the only way on.
#[derive(Debug, Clone)]
pub struct Unverified {
    bytes: Vec<u8>,
    payload: Vec<u8>,
    keyid: KeyId,
    signature: Vec<u8>,
}

/// A statement whose signature was checked against the key that it names. There is no other way to make one, and the
/// log takes nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    bytes: Vec<u8>,
    keyid: KeyId,
    statement: Statement,
}

/// Why bytes are no envelope of ours, or why its signature does not count.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// Longer than an entry of the log can be.
    #[error("the envelope has {length} bytes, at most {MAX_BYTES} fit the log")]
    TooLarge {
        /// Bytes found or needed.
        length: usize,
    },
    /// Not canonical JSON, or not of the shape of an envelope.
    #[error("the envelope is {0}")]
    Json(#[from] JsonError),
    /// Another payload type than [`PAYLOAD_TYPE`].
    #[error("the payload type is {found:?}, {PAYLOAD_TYPE} expected")]
    PayloadType {
        /// The beginning of what was found.
        found: String,
    },
    /// None, or more than one.
    #[error("the envelope has {count} signatures, exactly one is expected")]
    Signatures {
        /// How many.
        count: usize,
    },
    /// `payload` or `sig` is no standard Base64 with padding.
    #[error("the member {member} of the envelope is not Base64")]
    Base64 {
        /// Which one.
        member: &'static str,
    },
    /// The key given for verification is not the one that the envelope names.
    #[error("the envelope names key {named}, verification was asked with key {given}")]
    OtherKey {
        /// In the envelope.
        named: KeyId,
        /// Given by the caller.
        given: KeyId,
    },
    /// The signature is wrong.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// The signature is right and the payload is no statement of ours.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The key could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Form<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Vec<SignatureForm<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureForm<'a> {
    keyid: KeyId,
    #[serde(borrow)]
    sig: Cow<'a, str>,
}

/// The bytes that are signed: DSSE's pre-authentication encoding of a payload.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// Signs a statement.
pub fn seal(statement: &Statement, signer: &dyn Signer) -> Result<Verified, EnvelopeError> {
    let payload = json::canonical(statement)?;
    let signature = signer.sign(&pre_authentication_encoding(PAYLOAD_TYPE, &payload))?;
    let keyid = signer.public_key().id();
    let form = Form {
        payload: STANDARD.encode(&payload).into(),
        payload_type: PAYLOAD_TYPE.into(),
        signatures: vec![SignatureForm {
            keyid,
            sig: STANDARD.encode(signature.0).into(),
        }],
    };
    let bytes = json::canonical(&form)?;
    if bytes.len() > MAX_BYTES {
        return Err(EnvelopeError::TooLarge { length: bytes.len() });
    }
    Ok(Verified {
        bytes,
        keyid,
        statement: statement.clone(),
    })
}

impl Unverified {
    /// Reads an envelope strictly; nothing in it is to be believed yet.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_BYTES {
            return Err(EnvelopeError::TooLarge { length: bytes.len() });
        }
        let form: Form<'_> = json::from_canonical(bytes)?;
        if form.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType {
                found: form.payload_type.chars().take(80).collect(),
            });
        }
        let [signature] = form.signatures.as_slice() else {
            return Err(EnvelopeError::Signatures {
                count: form.signatures.len(),
            });
        };
        let decode = |text: &str, member| STANDARD.decode(text).map_err(|_| EnvelopeError::Base64 { member });
        Ok(Self {
            bytes: bytes.to_vec(),
            payload: decode(&form.payload, "payload")?,
            keyid: signature.keyid,
            signature: decode(&signature.sig, "sig")?,
        })
    }

    /// Which key it claims to be signed with: whose validity the caller looks up.
    pub fn keyid(&self) -> KeyId {
        self.keyid
    }

    /// Checks the signature, then reads the statement.
    pub fn verify(self, key: &PublicKey, check: &dyn SignatureCheck) -> Result<Verified, EnvelopeError> {
        if key.id() != self.keyid {
            return Err(EnvelopeError::OtherKey {
                named: self.keyid,
                given: key.id(),
            });
        }
        let message = pre_authentication_encoding(PAYLOAD_TYPE, &self.payload);
        check.check(key, &message, &self.signature)?;
        let statement = Statement::from_bytes(&self.payload)?;
        Ok(Verified {
            bytes: self.bytes,
            keyid: self.keyid,
            statement,
        })
    }

    /// Reads the statement *without* checking the signature: to find out whose key to look for (entries that announce
    /// a key) or to show what somebody claims. Never evidence.
    pub fn claimed(&self) -> Result<Statement, StatementError> {
        Statement::from_bytes(&self.payload)
    }
}

impl Verified {
    /// The envelope's bytes: the entry of the log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the envelope: what the next statement of the same host names as `previous`.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The key that signed it.
    pub fn keyid(&self) -> KeyId {
        self.keyid
    }

    /// What was signed.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }
}

#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod tests {
    use super::*;
    use crate::aws_lc::{AwsLc, Ed25519Signer};
    use crate::statement::{AgentBuild, HostId, Observation, Predicate, Subject};
    use crate::time::Timestamp;

    fn signer(seed: u8) -> Ed25519Signer {
        Ed25519Signer::from_seed(&[seed; 32]).unwrap()
    }

    fn statement() -> Statement {
        Statement {
            subject: vec![Subject {
                name: "manifest".into(),
                digest: Digest::of(b"manifest"),
            }],
            predicate: Predicate::Observation(Observation {
                host: HostId::new("h1").unwrap(),
                agent: AgentBuild {
                    version: "0.1.0".into(),
                    sha256: Digest::of(b"agent"),
                },
                boot_id: String::new(),
                epoch: "e".into(),
                sequence: 0,
                previous: None,
                observed_at: Timestamp::from_unix(1_795_514_922).unwrap(),
                held: None,
                lost: None,
                checkpoint: None,
                alarm: None,
            }),
        }
    }

    #[test]
    fn sealed_is_verified_and_read_back() {
        let sealed = seal(&statement(), &signer(1)).unwrap();
        let read = Unverified::from_bytes(sealed.bytes()).unwrap();
        assert_eq!(read.keyid(), signer(1).public_key().id());
        let verified = read.verify(signer(1).public_key(), &AwsLc).unwrap();
        assert_eq!(verified, sealed);
        assert_eq!(verified.statement().manifest(), Some(Digest::of(b"manifest")));
    }

    #[test]
    fn another_key_is_not_accepted() {
        let sealed = seal(&statement(), &signer(1)).unwrap();
        let read = Unverified::from_bytes(sealed.bytes()).unwrap();
        assert!(matches!(
            read.verify(signer(2).public_key(), &AwsLc),
            Err(EnvelopeError::OtherKey { .. })
        ));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sealed = seal(&statement(), &signer(1)).unwrap();
        for position in 0..sealed.bytes().len() {
            for bit in 0..8 {
                let mut bytes = sealed.bytes().to_vec();
                bytes[position] ^= 1 << bit;
                let verified =
                    Unverified::from_bytes(&bytes).and_then(|read| read.verify(signer(1).public_key(), &AwsLc));
                assert!(verified.is_err(), "bit {bit} of byte {position} went unnoticed");
            }
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused_with_its_reason() {
        let sealed = seal(&statement(), &signer(1)).unwrap();
        let text = String::from_utf8(sealed.bytes().to_vec()).unwrap();
        let refused = |text: &str| Unverified::from_bytes(text.as_bytes()).unwrap_err();
        assert!(matches!(
            refused(&text.replace("in-toto", "x")),
            EnvelopeError::PayloadType { .. }
        ));
        assert!(matches!(
            refused(&format!("{text}\n")),
            EnvelopeError::Json(JsonError::Spelling { .. })
        ));
        assert!(matches!(refused("{}"), EnvelopeError::Json(_)));
        assert!(matches!(
            refused(&"x".repeat(MAX_BYTES + 1)),
            EnvelopeError::TooLarge { .. }
        ));
        let twice = text.replace("]}", &format!(",{}", &text[text.find("[{").unwrap() + 1..]));
        assert!(
            matches!(refused(&twice), EnvelopeError::Signatures { count: 2 }),
            "{twice}"
        );
    }

    #[test]
    fn too_long_a_statement_is_not_sealed() {
        let mut long = statement();
        let Predicate::Observation(observation) = &mut long.predicate else {
            unreachable!()
        };
        observation.epoch = "e".repeat(MAX_BYTES);
        assert!(matches!(seal(&long, &signer(1)), Err(EnvelopeError::TooLarge { .. })));
    }
}
