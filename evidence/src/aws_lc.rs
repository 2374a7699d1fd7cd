//! Ed25519 by AWS-LC, for the agent and the collector.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::key::{BadSignature, PublicKey, SignError, Signature, SignatureCheck, Signer};

/// An Ed25519 private key in memory. Never printed, never serialised: the owner keeps the 32-byte seed on disk.
pub struct Ed25519Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl Ed25519Signer {
    /// The key with this seed (RFC 8032 section 5.1.5). Any 32 bytes are a seed; take them from the kernel's generator.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignError> {
        let rejected = |reason: &str| SignError {
            reason: reason.to_owned(),
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| rejected("AWS-LC refused the seed"))?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| rejected("the public key is not 32 bytes"))?;
        Ok(Self {
            pair,
            public: PublicKey::Ed25519(public),
        })
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.public.id())
    }
}

impl Signer for Ed25519Signer {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature(self.pair.sign(message).as_ref().to_vec()))
    }
}

/// Checks with AWS-LC.
#[derive(Debug, Clone, Copy)]
pub struct AwsLc;

impl SignatureCheck for AwsLc {
    fn check(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match key {
            PublicKey::Ed25519(bytes) => UnparsedPublicKey::new(&ED25519, bytes)
                .verify(message, signature)
                .map_err(|_| BadSignature { key: key.id() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_rfc_8032_vector_and_rejects_an_altered_one() {
        let mut seed = [0; 32];
        for (index, byte) in seed.iter_mut().enumerate() {
            let pair = &"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"[index * 2..index * 2 + 2];
            *byte = u8::from_str_radix(pair, 16).unwrap();
        }
        let signer = Ed25519Signer::from_seed(&seed).unwrap();
        let signature = signer.sign(b"").unwrap();
        assert!(
            signature
                .0
                .starts_with(&[0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72])
        );
        assert_eq!(AwsLc.check(signer.public_key(), b"", &signature.0), Ok(()));
        assert!(AwsLc.check(signer.public_key(), b"x", &signature.0).is_err());
        assert!(AwsLc.check(signer.public_key(), b"", &signature.0[..63]).is_err());
    }
}
