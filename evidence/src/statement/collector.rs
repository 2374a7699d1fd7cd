//! What a collector states: its own acts, signed with its statement key. Each names the one before it, as a host's
//! statements do; the first is the log's opening.

use serde::{Deserialize, Serialize};

use super::host_id::HostId;
use crate::digest::Digest;
use crate::key::{KeyId, PublicKey};
use crate::time::Timestamp;

/// The log was opened. Subject: the collector's statement key (`statement-key`, its key id). This entry is signed with
/// the key that it announces; whoever reads the log must have reason to trust that key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogOpening {
    /// The log's origin line.
    pub origin: String,
    /// Signs the checkpoints.
    pub log_key: PublicKey,
    /// Signs the collector's entries, this one included.
    pub statement_key: PublicKey,
    /// When.
    pub at: Timestamp,
}

/// A host joined. Subject: its statement key (the host's id, the key's id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// SHA-256 of the envelope of the collector's entry before this one, so that none of them can be left out unnoticed.
    pub previous: Digest,
    /// The id that it got.
    pub host: HostId,
    /// The name that it gave: its host name at that time.
    pub name: String,
    /// Signs its statements from this entry of the log on.
    pub statement_key: PublicKey,
    /// The public id of the token that admitted it.
    pub token: String,
    /// When.
    pub at: Timestamp,
}

/// A host's key counts for no entry after this one. Subject: the key (the host's id, the key's id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// SHA-256 of the envelope of the collector's entry before this one, so that none of them can be left out unnoticed.
    pub previous: Digest,
    /// Whose.
    pub host: HostId,
    /// Which key.
    pub keyid: KeyId,
    /// Why, in a person's words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// From this entry on findings are made with these rules. Subjects: every file of the rule set (`rules/<id>.yaml`), the
/// catalogue (`catalogues/<id>.csv`) and the organisation's parameters, each with its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSetInForce {
    /// SHA-256 of the envelope of the collector's entry before this one, so that none of them can be left out unnoticed.
    pub previous: Digest,
    /// Version of the collector that brought them.
    pub collector_version: String,
    /// Seconds for which a statement speaks for its host: after that, silence.
    pub freshness_seconds: u64,
    /// When.
    pub at: Timestamp,
}

/// A pack was issued. Subject: its `SHA256SUMS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackIssue {
    /// SHA-256 of the envelope of the collector's entry before this one, so that none of them can be left out unnoticed.
    pub previous: Digest,
    /// Begin of the period, included.
    pub from: Timestamp,
    /// End of the period, excluded.
    pub to: Timestamp,
    /// For instance `iso27001-2022`.
    pub catalogue: String,
    /// SHA-256 of the envelope of the collector's last entry in the tree that the pack shows.
    pub last_entry: Digest,
    /// Size of the tree that the pack shows.
    pub tree_size: u64,
    /// Its Merkle tree hash.
    pub root: Digest,
    /// When.
    pub at: Timestamp,
}
