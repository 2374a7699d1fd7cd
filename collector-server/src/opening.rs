//! The collector's first entries: the opening of the log, and the rules in force.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::envelope::{EnvelopeError, Unverified, seal};
use evidence::key::Signer as _;
use evidence::note::{NoteError, VerifierKey};
use evidence::statement::{LogOpening, Predicate, RuleSetInForce, Statement, StatementError, Subject};
use evidence::{Digest, Timestamp};
use thiserror::Error;

use crate::clock::{self, NoRandomness};
use crate::log::{Log, LogError};
use crate::rules::Rules;
use crate::store::{Store, StoreError};

/// Kind of the entries that say which rules are in force.
const RULES: &str = "urn:affiant:rules:v1";

/// Why a log cannot be opened, or continued.
#[derive(Debug, Error)]
pub enum OpeningError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No randomness for an origin.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// An entry cannot be signed or read.
    #[error("entry {index} of the log")]
    Entry {
        /// Which one.
        index: u64,
        /// What is wrong.
        #[source]
        error: EnvelopeError,
    },
    /// An entry is not what it must be.
    #[error("entry {index} of the log is not {expected}")]
    Kind {
        /// Which one.
        index: u64,
        /// What it must be.
        expected: &'static str,
    },
    /// The keys on the disk are not those that the log was opened with.
    #[error("the log was opened with another {which} key than the one in keys/: restore keys/ from a backup")]
    OtherKey {
        /// `log` or `statement`.
        which: &'static str,
    },
}

impl From<(u64, EnvelopeError)> for OpeningError {
    fn from((index, error): (u64, EnvelopeError)) -> Self {
        Self::Entry { index, error }
    }
}

/// What an auditor needs of a log's opening, in the form that `affiant-verify --trust` reads: two keys, each below the
/// key id that a verifier without that file prints.
pub fn trust_file(opening: LogOpening) -> Result<String, NoteError> {
    let (log_id, collector_id) = (opening.log_key.id(), opening.statement_key.id());
    let collector = STANDARD.encode(opening.statement_key.to_spki());
    let log = VerifierKey::new(opening.origin, opening.log_key)?;
    Ok(format!(
        "# key id {log_id}\nlog {log}\n# key id {collector_id}\ncollector {collector}\n"
    ))
}

impl From<(u64, StatementError)> for OpeningError {
    fn from((index, error): (u64, StatementError)) -> Self {
        Self::Entry {
            index,
            error: error.into(),
        }
    }
}

/// What the log's entry 0 says, checked against the keys that this collector has; `None` if there is no entry yet.
pub fn read(
    store: &dyn Store,
    log_key: &Ed25519Signer,
    statement_key: &Ed25519Signer,
) -> Result<Option<LogOpening>, OpeningError> {
    let Some(bytes) = store.entry(0)? else { return Ok(None) };
    let unverified = Unverified::from_bytes(&bytes).map_err(|error| (0, error))?;
    let Predicate::Log(opening) = unverified.claimed().map_err(|error| (0, error))?.predicate else {
        return Err(OpeningError::Kind {
            index: 0,
            expected: "the opening of a log",
        });
    };
    if opening.statement_key != *statement_key.public_key() {
        return Err(OpeningError::OtherKey { which: "statement" });
    }
    if opening.log_key != *log_key.public_key() {
        return Err(OpeningError::OtherKey { which: "log" });
    }
    unverified
        .verify(&opening.statement_key, &AwsLc)
        .map_err(|error| (0, error))?;
    Ok(Some(opening))
}

/// An origin for a new log.
pub fn origin() -> Result<String, NoRandomness> {
    let [a, b, c, d] = clock::random()?;
    Ok(format!("affiant.local/{a:02x}{b:02x}{c:02x}{d:02x}"))
}

/// Appends entry 0.
pub fn open(log: &Log, statement_key: &Ed25519Signer, at: Timestamp) -> Result<(), OpeningError> {
    let key = statement_key.public_key().clone();
    let statement = Statement {
        subject: vec![Subject {
            name: "statement-key".to_owned(),
            digest: key.id().0,
        }],
        predicate: Predicate::Log(LogOpening {
            origin: log.key().name().to_owned(),
            log_key: log.key().key().clone(),
            statement_key: key,
            at,
        }),
    };
    let entry = seal(&statement, statement_key).map_err(|error| (0, error))?;
    log.write_blocking(move |batch| batch.append(&entry))?;
    Ok(())
}

/// Appends an entry if the rules, the catalogues, the parameters or the freshness are not those that are in force. The
/// files that it names are kept.
pub fn bring_rules_into_force(
    store: &dyn Store,
    log: &Log,
    statement_key: &Arc<Ed25519Signer>,
    rules: &Rules,
    freshness_seconds: u64,
    at: Timestamp,
) -> Result<(), OpeningError> {
    let files: Vec<_> = rules.files().to_vec();
    let subject: Vec<_> = files
        .iter()
        .map(|(name, bytes)| Subject {
            name: name.clone(),
            digest: Digest::of(bytes),
        })
        .collect();
    if let Some(index) = store.last_own(RULES)? {
        let expected = "a rule set";
        let bytes = store.entry(index)?.ok_or(OpeningError::Kind { index, expected })?;
        let claimed = Unverified::from_bytes(&bytes)
            .map_err(|error| (index, error))?
            .claimed();
        let statement = claimed.map_err(|error| (index, error))?;
        let Predicate::Rules(predicate) = &statement.predicate else {
            return Err(OpeningError::Kind { index, expected });
        };
        if statement.subject == subject && predicate.freshness_seconds == freshness_seconds {
            return Ok(());
        }
    }
    let signer = Arc::clone(statement_key);
    let committed = log.write_blocking(move |batch| {
        for (subject, (_, bytes)) in subject.iter().zip(&files) {
            batch.store().put_file(&subject.digest, bytes)?;
        }
        batch.append_own(&signer, |previous| Statement {
            subject: subject.clone(),
            predicate: Predicate::Rules(RuleSetInForce {
                collector_version: env!("CARGO_PKG_VERSION").to_owned(),
                freshness_seconds,
                previous,
                at,
            }),
        })
    })?;
    tracing::info!(
        index = committed.value.index,
        rules = rules.set().rules().len(),
        "a rule set came into force"
    );
    Ok(())
}
