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

/// The encodings of the eight points of small order, without the sign bit: y = 0, 1, two of order 8, p - 1, and p and
/// p + 1 for 0 and 1. Under such a key, or with such an R, one signature can fit many messages.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    ends(1, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    ends(0xec, 0xff),
    ends(0xed, 0xff),
    ends(0xee, 0xff),
];

/// `first`, then `rest` throughout, the highest bit clear.
const fn ends(first: u8, rest: u8) -> [u8; 32] {
    let mut bytes = [rest; 32];
    bytes[0] = first;
    bytes[31] &= 0x7f;
    bytes
}

fn is_small_order(point: [u8; 32]) -> bool {
    let [rest @ .., last] = point;
    SMALL_ORDER
        .iter()
        .any(|[small @ .., highest]| rest == *small && last & 0x7f == *highest)
}

/// Checks with AWS-LC, and refuses keys and R of small order, which AWS-LC does not: who checks a pack does, and would
/// otherwise refuse what the collector has accepted.
#[derive(Debug, Clone, Copy)]
pub struct AwsLc;

impl SignatureCheck for AwsLc {
    fn check(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let wrong = || BadSignature { key: key.id() };
        let PublicKey::Ed25519(bytes) = key;
        let r = signature.first_chunk().ok_or_else(wrong)?;
        if is_small_order(*bytes) || is_small_order(*r) {
            return Err(wrong());
        }
        UnparsedPublicKey::new(&ED25519, bytes)
            .verify(message, signature)
            .map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ed25519-dalek asks the point itself.
    #[test]
    fn the_points_of_small_order_are_what_dalek_takes_for_weak() {
        let weak = |bytes: [u8; 32]| ed25519_dalek::VerifyingKey::from_bytes(&bytes).is_ok_and(|key| key.is_weak());
        for mut point in SMALL_ORDER {
            assert!(weak(point) && is_small_order(point), "{point:02x?}");
            point[31] |= 0x80;
            assert!(is_small_order(point), "{point:02x?}");
        }
        for seed in 0..=255 {
            let signer = Ed25519Signer::from_seed(&[seed; 32]).unwrap();
            let PublicKey::Ed25519(bytes) = *signer.public_key();
            assert_eq!(weak(bytes), is_small_order(bytes));
        }
    }

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
