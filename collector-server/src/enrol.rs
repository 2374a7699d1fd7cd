//! How a host joins.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::Digest;
use evidence::aws_lc::AwsLc;
use evidence::key::SignatureCheck as _;
use evidence::statement::{Enrolment, HostId, Predicate, Statement, Subject};
use evidence::wire::{EnrolRequest, EnrolResponse, Token, TokenError, proof_message};
use thiserror::Error;

use crate::app::App;
use crate::ca::{self, AuthorityError};
use crate::clock::{self, NoRandomness};
use crate::log::LogError;
use crate::store::{Member, StoreError, TokenUse};
use crate::token;

/// Longest host name taken: that of DNS.
const MAX_NAME: usize = 253;
/// Longest certificate request taken; one with an RSA key of 8,192 bits fits.
const MAX_REQUEST: usize = 8192;

/// Why a host does not join.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// Not a token.
    #[error(transparent)]
    TokenForm(#[from] TokenError),
    /// The token pins another CA.
    #[error("the token was made by another collector")]
    OtherCollector,
    /// No token of this id, or another secret: which of the two is not said.
    #[error("this collector made no such token; make one with: affiant-collector token create")]
    UnknownToken,
    /// Too late.
    #[error("the token expired at {at}; make another with: affiant-collector token create")]
    ExpiredToken {
        /// When.
        at: evidence::Timestamp,
    },
    /// Somebody else was admitted with it.
    #[error("the token was used at {at}; a token admits one host. Make another with: affiant-collector token create")]
    UsedToken {
        /// When.
        at: evidence::Timestamp,
    },
    /// The key belongs to a member already.
    #[error("the statement key is already that of {host}: two hosts share a state directory, or this one is enrolled")]
    KnownKey {
        /// Whose.
        host: HostId,
    },
    /// The host name is empty, too long, or has control characters in it.
    #[error("the host name is not usable: 1 to {MAX_NAME} characters without control characters expected")]
    Name,
    /// The certificate request is too long.
    #[error("the certificate request has {length} bytes, at most {MAX_REQUEST} are read")]
    RequestTooLarge {
        /// Its length.
        length: usize,
    },
    /// The certificate request is not one, or no certificate could be made.
    #[error(transparent)]
    Certificate(#[from] AuthorityError),
    /// The statement key did not sign the proof.
    #[error("the proof is not the statement key's signature over token, certificate request and key")]
    Proof,
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl From<StoreError> for EnrolError {
    fn from(error: StoreError) -> Self {
        Self::Log(LogError::Store(error.into()))
    }
}

/// What the writer decided.
enum Admission {
    /// A new member.
    New { index: u64 },
    /// The same host asks again: its first answer got lost.
    Again(Box<Member>),
    /// Not admitted.
    Refused(EnrolError),
}

/// An id for a host: its name as far as it can be one, and ten random digits, so that ids are unique and a person knows
/// which machine is meant.
fn host_id(name: &str) -> Result<HostId, EnrolError> {
    let short = name.split('.').next().unwrap_or_default();
    let mut id = String::new();
    for character in short.chars().take(40) {
        match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9') => id.push(plain),
            _ if id.is_empty() || id.ends_with('-') => {}
            _ => id.push('-'),
        }
    }
    let id = id.trim_end_matches('-');
    let suffix = Digest::of(&clock::random::<16>()?).to_string();
    let suffix = suffix.get(..10).unwrap_or_default();
    let id = if id.is_empty() {
        format!("host-{suffix}")
    } else {
        format!("{id}-{suffix}")
    };
    HostId::new(id).map_err(|_| EnrolError::Name)
}

/// Checks all that the request shows by itself.
fn check(app: &App, request: &EnrolRequest) -> Result<Token, EnrolError> {
    let token: Token = request.token.parse()?;
    if token.ca != app.authority.key() {
        return Err(EnrolError::OtherCollector);
    }
    let length = request.tls_request.len();
    if length > MAX_REQUEST {
        return Err(EnrolError::RequestTooLarge { length });
    }
    if !(1..=MAX_NAME).contains(&request.name.chars().count()) || request.name.contains(char::is_control) {
        return Err(EnrolError::Name);
    }
    Ok(token)
}

/// Proofs of possession, checked after the token so that strangers cost little.
fn check_proofs(token: &Token, request: &EnrolRequest) -> Result<(), EnrolError> {
    ca::parse_request(&request.tls_request)?;
    let message = proof_message(token, &request.tls_request, request.statement_key.id());
    let proof = STANDARD.decode(&request.proof).map_err(|_| EnrolError::Proof)?;
    AwsLc
        .check(&request.statement_key, &message, &proof)
        .map_err(|_| EnrolError::Proof)
}

/// Admits a host: the token is used up and the enrolment is in the log, in one transaction, before it is answered.
pub async fn enrol(app: &Arc<App>, request: EnrolRequest) -> Result<EnrolResponse, EnrolError> {
    let token = check(app, &request)?;
    let now = app.clock.now();
    let host = host_id(&request.name)?;
    let (signer, tls_request) = (Arc::clone(&app.statement_key), request.tls_request.clone());
    let candidate = host.clone();
    let committed = app
        .log
        .write(move |batch| {
            let Some(mut record) = batch
                .store()
                .token(&token.id)?
                .filter(|record| token::matches(record, &token))
            else {
                return Ok(Admission::Refused(EnrolError::UnknownToken));
            };
            if let Err(error) = check_proofs(&token, &request) {
                return Ok(Admission::Refused(error));
            }
            let keyid = request.statement_key.id();
            let member = batch.store().member(&keyid)?;
            match (&record.used, member) {
                (Some(used), Some(member)) if used.host == member.host => {
                    return Ok(Admission::Again(Box::new(member)));
                }
                (Some(used), _) => return Ok(Admission::Refused(EnrolError::UsedToken { at: used.at })),
                (None, _) if record.expires <= now => {
                    return Ok(Admission::Refused(EnrolError::ExpiredToken { at: record.expires }));
                }
                (None, Some(member)) => {
                    return Ok(Admission::Refused(EnrolError::KnownKey { host: member.host }));
                }
                (None, None) => {}
            }
            record.used = Some(TokenUse {
                at: now,
                host: candidate.clone(),
            });
            batch.store().put_token(&record)?;
            let appended = batch.append_own(&signer, |previous| Statement {
                subject: vec![Subject {
                    name: candidate.to_string(),
                    digest: keyid.0,
                }],
                predicate: Predicate::Enrolment(Enrolment {
                    host: candidate.clone(),
                    name: request.name.clone(),
                    statement_key: request.statement_key.clone(),
                    token: token.id_text(),
                    previous,
                    at: now,
                }),
            })?;
            Ok(Admission::New { index: appended.index })
        })
        .await?;
    let (host, index) = match committed.value {
        Admission::New { index } => {
            tracing::info!(%host, index, "a host was enrolled");
            (host, index)
        }
        Admission::Again(member) => (member.host, member.enrolled),
        Admission::Refused(error) => return Err(error),
    };
    let head = &committed.head;
    let entry = |index| -> Result<String, EnrolError> {
        let bytes = app.store.entry(index)?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.ok_or_else(|| StoreError::damaged(format_args!("entry {index} is not text")))?)
    };
    Ok(EnrolResponse {
        certificate: app.authority.client(&host, &tls_request, now)?,
        host,
        ca: app.authority.pem().to_owned(),
        log: app.log.key().to_string(),
        receipt: app.log.receipt(index, head)?.to_string(),
        entry: entry(index)?,
        opening: entry(0)?,
        opening_receipt: app.log.receipt(0, head)?.to_string(),
        pace: app.config.pace.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_shows_the_name_and_is_unique() {
        for (name, expected) in [
            ("web-1.example.org", "web-1-"),
            ("Datenbank_2", "datenbank-2-"),
            ("-x-", "x-"),
            ("日本", "host-"),
            ("collector", "collector-"),
        ] {
            let id = host_id(name).unwrap();
            assert!(id.as_str().starts_with(expected), "{name}: {id}");
            assert_ne!(id, host_id(name).unwrap());
        }
        assert!(host_id(&"a".repeat(253)).unwrap().as_str().len() <= 64);
    }
}
