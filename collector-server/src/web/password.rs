//! Passwords: drawn here, kept as Argon2id hashes.

use std::fmt;
use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use thiserror::Error;

use crate::clock::{self, NoRandomness};

/// 32 signs that are not mistaken for each other: five bits each.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Four groups of five signs: 100 bits.
const GROUPS: usize = 4;
const GROUP: usize = 5;
/// Longer ones are not looked at: hashing them would only cost time.
const MAX_BYTES: usize = 256;

/// A password in clear. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a password cannot be hashed.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Argon2.
    #[error("hashing a password failed: {0}")]
    Hash(String),
}

impl Password {
    /// A new one.
    pub fn draw() -> Result<Self, NoRandomness> {
        let bytes: [u8; GROUPS * GROUP] = clock::random()?;
        // 32 divides 256, so every sign is as likely as every other.
        let sign = |byte: &u8| SIGNS.get(usize::from(byte % 32)).copied().map_or('a', char::from);
        let group = |bytes: &[u8]| bytes.iter().map(sign).collect::<String>();
        let groups: Vec<_> = bytes.chunks(GROUP).map(group).collect();
        Ok(Self(groups.join("-")))
    }

    /// To be shown once to whoever asked for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its hash as a PHC string, with a salt of its own (Argon2id, 19 MiB, 2 passes: the OWASP minimum and this crate's
    /// default).
    pub fn hash(&self) -> Result<String, PasswordError> {
        let hash = Argon2::default().hash_password(self.0.as_bytes());
        hash.map(|hash| hash.to_string())
            .map_err(|error| PasswordError::Hash(error.to_string()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Whether a password is the one that was hashed. Without a hash it costs as much and is false, so that the time of an
/// answer does not tell which accounts there are.
pub(super) fn verify(password: &str, hash: Option<&str>) -> bool {
    static NOBODY: OnceLock<String> = OnceLock::new();
    let nobody = || {
        let hash = Password("nobody".to_owned()).hash();
        hash.unwrap_or_default()
    };
    let known = hash.is_some();
    let hash = hash.unwrap_or_else(|| NOBODY.get_or_init(nobody));
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let fits = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    fits && known && password.len() <= MAX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_passwords_verify_and_differ() {
        let (one, other) = (Password::draw().unwrap(), Password::draw().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.reveal().len(), GROUPS * GROUP + GROUPS - 1);
        let hash = one.hash().unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(one.reveal(), Some(&hash)));
        assert!(!verify(other.reveal(), Some(&hash)));
        assert_ne!(hash, one.hash().unwrap(), "a salt of its own");
    }

    #[test]
    fn nobody_gets_in_without_an_account() {
        assert!(!verify("nobody", None));
        assert!(!verify("x", Some("not a hash")));
    }
}
