//! Keys and signatures by their object identifiers (RFC 3279, 4055, 5480, 5639, 5758, 8410, 9881), in the names of
//! OpenSSL.

use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::facts::{KeyKind, SignatureHash};

/// A public key: kind, size in bits (0 if not known), curve (empty for others).
pub(super) struct Key {
    pub(super) kind: KeyKind,
    pub(super) bits: u32,
    pub(super) curve: String,
}

const CURVES: [(&str, &str, u32); 12] = [
    ("1.2.840.10045.3.1.1", "prime192v1", 192),
    ("1.2.840.10045.3.1.7", "prime256v1", 256),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.132.0.33", "secp224r1", 224),
    ("1.3.132.0.34", "secp384r1", 384),
    ("1.3.132.0.35", "secp521r1", 521),
    ("1.3.36.3.3.2.8.1.1.3", "brainpoolP192r1", 192),
    ("1.3.36.3.3.2.8.1.1.5", "brainpoolP224r1", 224),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1", 320),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

/// The key of a certificate.
pub(super) fn key(info: &SubjectPublicKeyInfo<'_>) -> Key {
    let plain = |kind, bits| Key {
        kind,
        bits,
        curve: String::new(),
    };
    let modulus = || match info.parsed() {
        Ok(PublicKey::RSA(key)) => bits(key.modulus),
        _ => 0,
    };
    match info.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => plain(KeyKind::Rsa, modulus()),
        // x509-parser knows this key by its content only.
        "1.2.840.113549.1.1.10" => plain(KeyKind::RsaPss, pss_modulus(info).unwrap_or(0)),
        "1.2.840.10045.2.1" => curve(info),
        "1.2.840.10040.4.1" => plain(KeyKind::Dsa, dsa_modulus(info).unwrap_or(0)),
        "1.3.101.112" => plain(KeyKind::Ed25519, 256),
        "1.3.101.113" => plain(KeyKind::Ed448, 456),
        "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => plain(KeyKind::MlDsa, 0),
        _ => plain(KeyKind::Other, 0),
    }
}

fn pss_modulus(info: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    use x509_parser::prelude::FromDer;
    use x509_parser::public_key::RSAPublicKey;
    let (_, key) = RSAPublicKey::from_der(&info.subject_public_key.data).ok()?;
    Some(bits(key.modulus))
}

/// The size of a DSA key is that of the prime p, which stands first in the parameters.
fn dsa_modulus(info: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    use x509_parser::asn1_rs::{FromDer, Integer};
    let parameters = info.algorithm.parameters.as_ref()?;
    let (_, prime) = Integer::from_der(parameters.data).ok()?;
    Some(bits(prime.as_ref()))
}

fn curve(info: &SubjectPublicKeyInfo<'_>) -> Key {
    let oid = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
    let oid = oid.map(|oid| oid.to_id_string());
    let known = oid
        .as_ref()
        .and_then(|oid| CURVES.iter().find(|(number, ..)| number == oid));
    let (curve, bits) = match (known, oid) {
        (Some((_, name, bits)), _) => ((*name).to_owned(), *bits),
        (None, Some(oid)) => (oid, 0),
        (None, None) => ("explicit".to_owned(), 0),
    };
    Key {
        kind: KeyKind::Ec,
        bits,
        curve,
    }
}

/// Bits of a positive integer, most significant byte first.
fn bits(number: &[u8]) -> u32 {
    let first = number.iter().position(|byte| *byte != 0);
    let number = first.and_then(|first| number.get(first..)).unwrap_or_default();
    let Some(top) = number.first() else {
        return 0;
    };
    let bytes = u32::try_from(number.len()).unwrap_or(u32::MAX);
    bytes.saturating_mul(8).saturating_sub(top.leading_zeros())
}

const SIGNATURES: [(&str, &str, SignatureHash); 22] = [
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", SignatureHash::Md2),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", SignatureHash::Md5),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", SignatureHash::Sha1),
    (
        "1.2.840.113549.1.1.14",
        "sha224WithRSAEncryption",
        SignatureHash::Sha224,
    ),
    (
        "1.2.840.113549.1.1.11",
        "sha256WithRSAEncryption",
        SignatureHash::Sha256,
    ),
    (
        "1.2.840.113549.1.1.12",
        "sha384WithRSAEncryption",
        SignatureHash::Sha384,
    ),
    (
        "1.2.840.113549.1.1.13",
        "sha512WithRSAEncryption",
        SignatureHash::Sha512,
    ),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1", SignatureHash::Sha1),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224", SignatureHash::Sha224),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", SignatureHash::Sha256),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", SignatureHash::Sha384),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", SignatureHash::Sha512),
    ("1.2.840.10040.4.3", "dsaWithSHA1", SignatureHash::Sha1),
    ("2.16.840.1.101.3.4.3.1", "dsa_with_SHA224", SignatureHash::Sha224),
    ("2.16.840.1.101.3.4.3.2", "dsa_with_SHA256", SignatureHash::Sha256),
    ("2.16.840.1.101.3.4.3.3", "dsa_with_SHA384", SignatureHash::Sha384),
    ("2.16.840.1.101.3.4.3.4", "dsa_with_SHA512", SignatureHash::Sha512),
    ("1.3.101.112", "ED25519", SignatureHash::Intrinsic),
    ("1.3.101.113", "ED448", SignatureHash::Intrinsic),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44", SignatureHash::Intrinsic),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65", SignatureHash::Intrinsic),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87", SignatureHash::Intrinsic),
];

/// Name of the signature's algorithm, and its hash.
pub(super) fn signature(algorithm: &AlgorithmIdentifier<'_>) -> (String, SignatureHash) {
    let oid = algorithm.algorithm.to_id_string();
    if oid == "1.2.840.113549.1.1.10" {
        let parameters = algorithm.parameters.as_ref();
        let hash = parameters
            .and_then(|any| RsaSsaPssParams::try_from(any).ok())
            .map_or(SignatureHash::Unknown, |parameters| {
                hash(&parameters.hash_algorithm_oid().to_id_string())
            });
        return ("rsassaPss".to_owned(), hash);
    }
    match SIGNATURES.iter().find(|(number, ..)| *number == oid) {
        Some((_, name, hash)) => ((*name).to_owned(), *hash),
        None => (oid, SignatureHash::Unknown),
    }
}

fn hash(oid: &str) -> SignatureHash {
    match oid {
        "1.3.14.3.2.26" => SignatureHash::Sha1,
        "2.16.840.1.101.3.4.2.4" => SignatureHash::Sha224,
        "2.16.840.1.101.3.4.2.1" => SignatureHash::Sha256,
        "2.16.840.1.101.3.4.2.2" => SignatureHash::Sha384,
        "2.16.840.1.101.3.4.2.3" => SignatureHash::Sha512,
        _ => SignatureHash::Unknown,
    }
}
