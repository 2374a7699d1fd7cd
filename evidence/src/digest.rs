//! SHA-256 digests, the only names that facts, manifests and keys have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A SHA-256 digest (FIPS 180-4). Written as 64 lower-case hexadecimal digits, and read only in that form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; Self::LEN]);

impl Digest {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of the concatenation of `parts`.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Takes 32 bytes for what they are: a digest that somebody else computed.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// A text that is not a digest.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum DigestError {
    /// Too short or too long; 64 digits are needed.
    #[error("a SHA-256 digest has 64 hexadecimal digits, this has {length} characters")]
    Length {
        /// Bytes found.
        length: usize,
    },
    /// Something else than `0-9a-f`; upper case is refused so that a digest has one spelling.
    #[error("a SHA-256 digest has digits 0-9 and a-f only, not the one at position {position}")]
    Digit {
        /// Byte offset of the first wrong character.
        position: usize,
    },
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let text = text.as_bytes();
        if text.len() != Self::LEN * 2 {
            return Err(DigestError::Length { length: text.len() });
        }
        let mut bytes = [0; Self::LEN];
        for (index, (byte, pair)) in bytes.iter_mut().zip(text.chunks_exact(2)).enumerate() {
            for (offset, digit) in pair.iter().enumerate() {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => {
                        return Err(DigestError::Digit {
                            position: index * 2 + offset,
                        });
                    }
                };
                *byte = (*byte << 4) | value;
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digest_reads_and_writes() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of_parts(&[b"", b""]));
    }

    #[test]
    fn one_spelling_only() {
        let upper = Digest::of(b"x").to_string().to_uppercase();
        assert!(matches!(upper.parse::<Digest>(), Err(DigestError::Digit { .. })));
        assert_eq!("ab".parse::<Digest>(), Err(DigestError::Length { length: 2 }));
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }
}
