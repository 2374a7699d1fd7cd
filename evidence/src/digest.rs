//! SHA-256 digests, the only names that facts, manifests and keys have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::written;

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
        // No way out of the loop, so that it is done for many digits at a time.
        let mut bytes = [0; Self::LEN];
        let mut worst = 0;
        for (byte, [high, low]) in bytes.iter_mut().zip(text.as_chunks().0) {
            let (high, low) = (value_of(*high), value_of(*low));
            worst |= high | low;
            *byte = (high << 4) | low;
        }
        if worst > 0xf {
            let position = text.iter().position(|digit| value_of(*digit) > 0xf);
            return Err(DigestError::Digit {
                position: position.unwrap_or_default(),
            });
        }
        Ok(Self(bytes))
    }
}

/// The value of a hexadecimal digit; of anything else, more than 15. No branch depends on the digit, since digests are
/// random and there are many.
const fn value_of(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => u8::MAX,
    }
}

/// The digit of a value up to 15.
const fn digit_of(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' - 10 + value }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; Self::LEN * 2];
        for ([high, low], byte) in text.as_chunks_mut().0.iter_mut().zip(self.0) {
            (*high, *low) = (digit_of(byte >> 4), digit_of(byte & 0xf));
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
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
        written::read(deserializer)
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
        let right = Digest::of(b"x").to_string();
        for position in 0..right.len() {
            for wrong in ["/", ":", "`", "g", "A", "\0"] {
                let mut text = right.clone();
                text.replace_range(position..=position, wrong);
                assert_eq!(text.parse::<Digest>(), Err(DigestError::Digit { position }));
            }
        }
    }
}
