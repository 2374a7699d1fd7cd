//! Delivering statements, and checking in between.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::time::Timestamp;

/// The answer to a batch of envelopes, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverResponse {
    /// What became of each envelope; after the first that is not accepted the rest are not looked at and not listed.
    pub results: Vec<Delivered>,
    /// The checkpoint (signed note) that the proofs below are for; absent if nothing was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// Consistency proof (Base64 hashes) from the size that the agent said it knows to `checkpoint`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consistency: Vec<String>,
    /// How often to do what, if the agent said that it does so at another pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

/// What became of one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivered {
    /// It is in the log, durably. Also said of one that was in the log already.
    Accepted {
        /// Where.
        index: u64,
        /// Inclusion proof (Base64 hashes, from the leaf's sibling up) in the tree of `checkpoint`.
        proof: Vec<String>,
    },
    /// The manifest that it names, or facts that the manifest names, are not stored yet: send them, then it again.
    Missing {
        /// The manifest, if that is what is missing; else facts.
        manifest: Option<Digest>,
        /// Facts documents.
        facts: Vec<Digest>,
    },
    /// It is not taken.
    Refused(Refusal),
}

/// Why an envelope is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The reason, for programs.
    pub code: RefusalCode,
    /// The reason, for people: what is wrong, and what to do.
    pub detail: String,
}

/// Reasons for which an envelope is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Not an envelope, not a statement, not canonical, or not an observation.
    Malformed,
    /// Longer than the log allows.
    TooLarge,
    /// Signed with a key that no enrolment announced.
    UnknownKey,
    /// Signed with a key that was revoked.
    RevokedKey,
    /// The signature is wrong.
    BadSignature,
    /// The statement speaks for another host than the key or the client certificate belongs to.
    OtherHost,
    /// Not the next sequence number, and no declared loss explains it.
    WrongSequence,
    /// Another statement with this sequence number is in the log: two machines use one identity.
    Conflict,
    /// `previous` is not the digest of the statement before.
    WrongPrevious,
    /// Observed in the future by the collector's clock.
    ClockAhead,
    /// The manifest or a facts document is stored and is not valid.
    BadFacts,
}

impl RefusalCode {
    /// Whether the same bytes may be taken later.
    pub const fn may_pass_later(self) -> bool {
        matches!(self, Self::ClockAhead)
    }
}

/// The answer to a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestResponse {
    /// Facts documents of it that the collector does not have.
    pub missing: Vec<Digest>,
}

/// An agent lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// Version of the agent.
    pub agent_version: String,
    /// Statements that wait in its spool.
    pub spooled: u64,
    /// Its clock: so that a wrong one is noticed before it spoils evidence.
    pub clock: Timestamp,
}

/// The collector lives too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckInResponse {
    /// How often to do what.
    pub pace: Pace,
    /// The collector's clock.
    pub clock: Timestamp,
}

/// How often an agent does what. Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// A statement at least this often, changed or not.
    pub seal_seconds: u32,
    /// A collection this often.
    pub collect_seconds: u32,
    /// A check-in this often.
    pub check_in_seconds: u32,
}

/// `SEAL-COLLECT-CHECK_IN`, as a delivery's `pace` has it.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}-{}",
            self.seal_seconds, self.collect_seconds, self.check_in_seconds
        )
    }
}

/// RFC 9457 problem details: why a whole request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:affiant:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong here, and what to do.
    pub detail: String,
}
