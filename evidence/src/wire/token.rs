//! Enrolment tokens.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::digest::Digest;

const PREFIX: &str = "affiant1";
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;

/// A one-time token: `affiant1.<id>.<secret>.<ca>`, each part in URL-safe Base64 without padding. The last part is the
/// SHA-256 of the collector CA's SubjectPublicKeyInfo, so that the secret is sent only to a server that holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Public name of the token, 8 bytes.
    pub id: [u8; ID_BYTES],
    /// What admits, 24 bytes. The collector keeps its SHA-256 only.
    pub secret: [u8; SECRET_BYTES],
    /// SHA-256 of the DER SubjectPublicKeyInfo of the collector's CA.
    pub ca: Digest,
}

/// A text that is no token.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// Not four parts with dots between, the first `affiant1`.
    #[error("not an enrolment token: it must look like {PREFIX}.….….…; was it cut when copied?")]
    Form,
    /// A part that does not decode to its length.
    #[error("the {part} of the enrolment token is damaged; was it cut when copied?")]
    Part {
        /// Which part.
        part: &'static str,
    },
}

impl Token {
    /// The id as it is written in the log.
    pub fn id_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }
}

/// Never shows the secret.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id_text())
    }
}

/// The whole token, secret included: what is handed to an administrator.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [id, secret, ca] =
            [&self.id[..], &self.secret, self.ca.as_bytes()].map(|part| URL_SAFE_NO_PAD.encode(part));
        write!(f, "{PREFIX}.{id}.{secret}.{ca}")
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        fn part<const N: usize>(text: &str, part: &'static str) -> Result<[u8; N], TokenError> {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Part { part })?;
            bytes.try_into().map_err(|_| TokenError::Part { part })
        }
        let mut parts = text.trim().split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(PREFIX), Some(id), Some(secret), Some(ca), None) => Ok(Self {
                id: part(id, "id")?,
                secret: part(secret, "secret")?,
                ca: Digest::from_bytes(part(ca, "CA digest")?),
            }),
            _ => Err(TokenError::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_says_what_is_damaged() {
        let token = Token {
            id: [1; 8],
            secret: [2; 24],
            ca: Digest::of(b"ca"),
        };
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token.clone()));
        assert!(!format!("{token:?}").contains("AgIC"));
        assert_eq!(
            text[..text.len() - 3].parse::<Token>(),
            Err(TokenError::Part { part: "CA digest" })
        );
        assert_eq!("hello".parse::<Token>(), Err(TokenError::Form));
    }
}
