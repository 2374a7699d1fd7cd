//! Ed25519 by ed25519-dalek, with the strict checks: no small-order keys, no malleable signatures.

use ed25519_dalek::{Signature, VerifyingKey};
use evidence::key::{BadSignature, PublicKey, SignatureCheck};

/// Checks with ed25519-dalek.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dalek;

impl SignatureCheck for Dalek {
    fn check(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let bad = || BadSignature { key: key.id() };
        match key {
            PublicKey::Ed25519(bytes) => {
                let verifying = VerifyingKey::from_bytes(bytes).map_err(|_| bad())?;
                let signature = Signature::from_slice(signature).map_err(|_| bad())?;
                verifying.verify_strict(message, &signature).map_err(|_| bad())
            }
            _ => Err(bad()),
        }
    }
}
