//! Enrolment tokens: made by a person, used by one host, once.

use evidence::wire::Token;
use evidence::{Digest, Timestamp};
use subtle::ConstantTimeEq as _;

use crate::clock::{self, NoRandomness};
use crate::store::TokenRecord;

/// A token as it is handed out, and what is kept of it.
#[derive(Debug)]
pub struct NewToken {
    /// With the secret.
    pub token: Token,
    /// Without.
    pub record: TokenRecord,
}

/// Makes a token for the CA whose key has this digest.
pub fn make(ca: Digest, now: Timestamp, seconds: i64) -> Result<NewToken, NoRandomness> {
    let token = Token {
        id: clock::random()?,
        secret: clock::random()?,
        ca,
    };
    let record = TokenRecord {
        id: token.id,
        secret: Digest::of(&token.secret),
        created: now,
        expires: now.plus(seconds),
        used: None,
    };
    Ok(NewToken { token, record })
}

/// Whether the secret is the one that was handed out.
pub fn matches(record: &TokenRecord, token: &Token) -> bool {
    Digest::of(&token.secret)
        .as_bytes()
        .ct_eq(record.secret.as_bytes())
        .into()
}
