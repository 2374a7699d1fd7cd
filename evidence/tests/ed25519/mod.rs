//! Ed25519 by ed25519-dalek, so that these tests run whatever features are on.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use evidence::key::{self, BadSignature, PublicKey, SignError, SignatureCheck};

/// Signs with a fixed seed.
pub(crate) struct Key {
    private: SigningKey,
    public: PublicKey,
}

impl Key {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        let private = SigningKey::from_bytes(&seed);
        let public = PublicKey::Ed25519(private.verifying_key().to_bytes());
        Self { private, public }
    }
}

impl key::Signer for Key {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<key::Signature, SignError> {
        Ok(key::Signature(self.private.sign(message).to_bytes().to_vec()))
    }
}

/// Checks strictly.
pub(crate) struct Dalek;

impl SignatureCheck for Dalek {
    fn check(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let PublicKey::Ed25519(bytes) = key else {
            return Err(BadSignature { key: key.id() });
        };
        VerifyingKey::from_bytes(bytes)
            .and_then(|verifying| verifying.verify_strict(message, &Signature::from_slice(signature)?))
            .map_err(|_| BadSignature { key: key.id() })
    }
}
