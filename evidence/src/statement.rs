//! Statements: in-toto Statement v1, one type of predicate for each kind of entry that the log has.
//!
//! The predicate types are names, not addresses: nothing is fetched from them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::digest::Digest;
use crate::json::{self, JsonError};

mod collector;
mod host_id;
mod observation;

pub use collector::{Enrolment, LogOpening, PackIssue, Revocation, RuleSetInForce};
pub use host_id::{HostId, HostIdError};
pub use observation::{AgentBuild, Alarm, Held, Lost, Observation, SeenCheckpoint};

/// The `_type` of every statement.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A sentence about digests.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What it says.
    pub predicate: Predicate,
}

/// Something that has a name and a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// For instance `manifest` or the name of a rule's file.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The kinds of entries.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every entry is an observation")]
pub enum Predicate {
    /// `urn:affiant:log:v1`: the log was opened; always entry 0 and nowhere else.
    Log(LogOpening),
    /// `urn:affiant:enrolment:v1`: a host joined with a key.
    Enrolment(Enrolment),
    /// `urn:affiant:revocation:v1`: a host's key counts no longer.
    Revocation(Revocation),
    /// `urn:affiant:rules:v1`: these rules came into force; the subjects are their files.
    Rules(RuleSetInForce),
    /// `urn:affiant:pack:v1`: a pack was issued; the subject is its `SHA256SUMS`.
    Pack(PackIssue),
    /// `urn:affiant:observation:v1`: what a host saw; the subject is its manifest.
    Observation(Observation),
}

impl Predicate {
    /// The `predicateType`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Log(_) => "urn:affiant:log:v1",
            Self::Enrolment(_) => "urn:affiant:enrolment:v1",
            Self::Revocation(_) => "urn:affiant:revocation:v1",
            Self::Rules(_) => "urn:affiant:rules:v1",
            Self::Pack(_) => "urn:affiant:pack:v1",
            Self::Observation(_) => "urn:affiant:observation:v1",
        }
    }

    fn to_value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::Log(predicate) => serde_json::to_value(predicate),
            Self::Enrolment(predicate) => serde_json::to_value(predicate),
            Self::Revocation(predicate) => serde_json::to_value(predicate),
            Self::Rules(predicate) => serde_json::to_value(predicate),
            Self::Pack(predicate) => serde_json::to_value(predicate),
            Self::Observation(predicate) => serde_json::to_value(predicate),
        }
    }

    fn from_json(kind: &str, json: &str) -> Result<Self, StatementError> {
        fn read<'a, T: Deserialize<'a>>(kind: &str, json: &'a str) -> Result<T, StatementError> {
            let wrong = |error| StatementError::Predicate {
                kind: kind.to_owned(),
                error,
            };
            serde_json::from_str(json).map_err(wrong)
        }
        Ok(match kind {
            "urn:affiant:log:v1" => Self::Log(read(kind, json)?),
            "urn:affiant:enrolment:v1" => Self::Enrolment(read(kind, json)?),
            "urn:affiant:revocation:v1" => Self::Revocation(read(kind, json)?),
            "urn:affiant:rules:v1" => Self::Rules(read(kind, json)?),
            "urn:affiant:pack:v1" => Self::Pack(read(kind, json)?),
            "urn:affiant:observation:v1" => Self::Observation(read(kind, json)?),
            _ => {
                return Err(StatementError::Kind {
                    kind: kind.chars().take(80).collect(),
                });
            }
        })
    }
}

/// Why a payload is no statement of ours.
#[derive(Debug, Error)]
pub enum StatementError {
    /// Not canonical JSON, or not of the shape of a statement.
    #[error("the statement is {0}")]
    Json(#[from] JsonError),
    /// Another `_type` than [`TYPE`].
    #[error("the statement's _type is {found:?}, {TYPE} expected")]
    Type {
        /// The beginning of what was found.
        found: String,
    },
    /// A predicate type that this version does not know.
    #[error("the predicate type {kind:?} is not known to this version")]
    Kind {
        /// The beginning of what was found.
        kind: String,
    },
    /// The predicate lacks a member, has one too many, or one of a wrong type.
    #[error("the predicate of {kind}: {error}")]
    Predicate {
        /// Its type.
        kind: String,
        /// What is wrong.
        error: serde_json::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a, P> {
    #[serde(rename = "_type", borrow)]
    kind: Cow<'a, str>,
    predicate: P,
    #[serde(rename = "predicateType", borrow)]
    predicate_type: Cow<'a, str>,
    subject: Vec<SubjectForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectForm {
    digest: DigestForm,
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestForm {
    sha256: Digest,
}

impl Statement {
    /// Reads the payload of an envelope strictly.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        let form: Form<'_, &RawValue> = json::from_canonical(bytes)?;
        if form.kind != TYPE {
            return Err(StatementError::Type {
                found: form.kind.chars().take(80).collect(),
            });
        }
        let subject = form.subject.into_iter();
        Ok(Self {
            subject: subject
                .map(|subject| Subject {
                    name: subject.name,
                    digest: subject.digest.sha256,
                })
                .collect(),
            predicate: Predicate::from_json(&form.predicate_type, form.predicate.get())?,
        })
    }

    /// The canonical bytes: the payload of an envelope.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JsonError> {
        json::canonical(self)
    }

    /// What a collector's entry names as the one before it; absent in the log's opening and in hosts' statements.
    pub fn previous_of_collector(&self) -> Option<Digest> {
        match &self.predicate {
            Predicate::Enrolment(Enrolment { previous, .. })
            | Predicate::Revocation(Revocation { previous, .. })
            | Predicate::Rules(RuleSetInForce { previous, .. })
            | Predicate::Pack(PackIssue { previous, .. }) => Some(*previous),
            Predicate::Log(_) | Predicate::Observation(_) => None,
        }
    }

    /// The digest of the manifest, if this is an observation with the one subject that an observation must have.
    pub fn manifest(&self) -> Option<Digest> {
        match (&self.predicate, self.subject.as_slice()) {
            (Predicate::Observation(_), [subject]) if subject.name == "manifest" => Some(subject.digest),
            _ => None,
        }
    }
}

impl Serialize for Statement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let subject = |subject: &Subject| SubjectForm {
            digest: DigestForm { sha256: subject.digest },
            name: subject.name.clone(),
        };
        let form = Form {
            kind: TYPE.into(),
            predicate: self.predicate.to_value().map_err(serde::ser::Error::custom)?,
            predicate_type: self.predicate.kind().into(),
            subject: self.subject.iter().map(subject).collect(),
        };
        form.serialize(serializer)
    }
}
