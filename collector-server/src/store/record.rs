//! The rows that the store keeps, as types.

use evidence::facts::ProbeId;
use evidence::key::{KeyId, PublicKey};
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};

/// A committed tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// The signed checkpoint at that size (C2SP signed note).
    pub checkpoint: String,
}

/// A host and its statement key, as the log's entries so far have it. A host id is given once and with one key; a machine
/// that enrols again becomes another member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id that it got.
    pub host: HostId,
    /// The name that it gave.
    pub name: String,
    /// Signs its statements.
    pub key: PublicKey,
    /// Index of the enrolment.
    pub enrolled: u64,
    /// Index of the revocation.
    pub revoked: Option<u64>,
    /// Its newest statement.
    pub last: Option<Last>,
}

impl Member {
    /// The key's name.
    pub fn keyid(&self) -> KeyId {
        self.key.id()
    }
}

/// A member's newest statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// Where it is in the log.
    pub index: u64,
    /// Its epoch: the one of every statement under this key.
    pub epoch: String,
    /// Its sequence number.
    pub sequence: u64,
    /// SHA-256 of its envelope.
    pub digest: Digest,
}

/// A facts document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFacts {
    /// The probe that it is of.
    pub probe: ProbeId,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// An enrolment token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Public id.
    pub id: [u8; 8],
    /// SHA-256 of the secret.
    pub secret: Digest,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it admits nobody.
    pub expires: Timestamp,
    /// Whom it admitted.
    pub used: Option<TokenUse>,
}

/// The one use of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUse {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub host: HostId,
}

/// The last check-in of a host. No evidence, and the newest seconds of it may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub host: HostId,
    /// When, by the collector's clock.
    pub at: Timestamp,
    /// Version of its agent.
    pub agent_version: String,
    /// Statements that waited in its spool.
    pub spooled: u64,
    /// Its clock minus the collector's, in seconds.
    pub clock_ahead: i64,
}

/// Two different statements claimed one sequence number: two machines use one identity, or somebody copied a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneSuspicion {
    /// Whose identity.
    pub host: HostId,
    /// The number.
    pub sequence: u64,
    /// SHA-256 of the envelope that was refused.
    pub refused: Digest,
    /// When it was refused.
    pub at: Timestamp,
}
