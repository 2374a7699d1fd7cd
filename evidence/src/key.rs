//! Statement keys: what identifies one, and the two things that are done with one.
//!
//! The arithmetic is not here. The agent and the collector bring AWS-LC ([`crate::aws_lc`], a feature), the verifier
//! brings an independent implementation, so that one wrong library cannot fool both ends.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;

/// The DER prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4); the 32 bytes of the key follow.
const ED25519_SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----\n";
const PEM_END: &str = "\n-----END PUBLIC KEY-----\n";

/// A public key that signs statements or checkpoints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PublicKey {
    /// Ed25519 (RFC 8032).
    Ed25519([u8; 32]),
}

/// Names a key: SHA-256 of its DER SubjectPublicKeyInfo. The `keyid` of a DSSE signature is its hexadecimal form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub Digest);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes or text that are no public key which this format knows.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// Not the DER of an Ed25519 SubjectPublicKeyInfo.
    #[error("not an Ed25519 SubjectPublicKeyInfo: {length} bytes, 44 and the prefix of RFC 8410 expected")]
    Spki {
        /// Bytes found.
        length: usize,
    },
    /// Not one `PUBLIC KEY` block in the strict form of RFC 7468.
    #[error("not a PEM public key: one block \"-----BEGIN PUBLIC KEY-----\" expected")]
    Pem,
    /// The Base64 text between the PEM lines, or that of a JSON field, does not decode.
    #[error("the public key is not valid Base64")]
    Base64,
}

impl PublicKey {
    /// DER SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => [ED25519_SPKI_PREFIX.as_slice(), key].concat(),
        }
    }

    /// Reads a DER SubjectPublicKeyInfo.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        der.strip_prefix(&ED25519_SPKI_PREFIX)
            .and_then(|key| key.try_into().ok())
            .map(Self::Ed25519)
            .ok_or(KeyError::Spki { length: der.len() })
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        KeyId(Digest::of(&self.to_spki()))
    }

    /// PEM (RFC 7468), as `openssl pkey -pubin` reads it.
    pub fn to_pem(&self) -> String {
        format!("{PEM_BEGIN}{}{PEM_END}", STANDARD.encode(self.to_spki()))
    }

    /// Reads what [`Self::to_pem`] writes; line breaks inside the Base64 text are allowed, other text around it is not.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let body = pem
            .trim()
            .strip_prefix(PEM_BEGIN.trim_end())
            .and_then(|rest| rest.strip_suffix(PEM_END.trim()))
            .ok_or(KeyError::Pem)?;
        let body: String = body.split_ascii_whitespace().collect();
        Self::from_spki(&STANDARD.decode(body).map_err(|_| KeyError::Base64)?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// In JSON a key is the Base64 of its DER SubjectPublicKeyInfo.
impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.to_spki()))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let der = STANDARD
            .decode(text.as_bytes())
            .map_err(|_| serde::de::Error::custom(KeyError::Base64))?;
        Self::from_spki(&der).map_err(serde::de::Error::custom)
    }
}

/// A raw signature: 64 bytes for Ed25519.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature(pub Vec<u8>);

/// Why a private key did not sign.
#[derive(Debug, Error)]
#[error("signing failed: {reason}")]
pub struct SignError {
    /// What the holder of the key said.
    pub reason: String,
}

/// A signature that does not belong to the key and the message.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("the signature does not verify under key {key}")]
pub struct BadSignature {
    /// The key that was tried.
    pub key: KeyId,
}

/// Holds a private key.
pub trait Signer {
    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`. Fails only when the key is held elsewhere (a TPM) and that place refuses.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// Checks signatures.
pub trait SignatureCheck {
    /// `Ok` only if `signature` over `message` was made with the private half of `key`.
    fn check(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_and_spki_round_trip() {
        let key = PublicKey::Ed25519([7; 32]);
        assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key.clone()));
        assert_eq!(PublicKey::from_spki(&key.to_spki()), Ok(key.clone()));
        assert_eq!(key.id().to_string().len(), 64);
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
    }

    #[test]
    fn foreign_keys_are_refused() {
        assert_eq!(PublicKey::from_spki(&[0; 44]), Err(KeyError::Spki { length: 44 }));
        assert_eq!(
            PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\n-----END RSA KEY-----"),
            Err(KeyError::Pem)
        );
        assert_eq!(
            PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\n%\n-----END PUBLIC KEY-----"),
            Err(KeyError::Base64)
        );
    }
}
