//! Entries of the log.

use evidence::key::KeyId;
use evidence::statement::{HostId, Statement};
use evidence::{Digest, Timestamp};
use serde::Serialize;

/// A host's statement in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementSummary {
    /// Its place in the log.
    pub index: u64,
    /// Its sequence number.
    pub sequence: u64,
    /// When the manifest was complete, by the host's clock.
    pub observed_at: Timestamp,
    /// From when on it speaks: `observed_at`, unless the clock went backwards.
    pub from: Timestamp,
    /// Its subject.
    pub manifest: Digest,
    /// Whether the manifest differs from the one of the statement before.
    pub changed: bool,
}

/// Who signed an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// The collector.
    Collector,
    /// A host.
    Host {
        /// Its id.
        host: HostId,
        /// Its name.
        name: String,
    },
    /// Nobody that the log knows.
    Nobody,
}

/// All about one entry of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatementDetail {
    /// Its place in the log.
    pub index: u64,
    /// The `predicateType`.
    pub kind: &'static str,
    /// What it says.
    pub statement: Statement,
    /// Who signed it.
    pub signer: Signer,
    /// With which key.
    pub keyid: KeyId,
    /// Whether the signature verifies under that key.
    pub signature_verifies: bool,
    /// The entry itself, byte for byte: a DSSE envelope, canonical JSON.
    pub envelope: String,
    /// SHA-256 of the envelope.
    pub digest: Digest,
    /// Its leaf hash (RFC 6962).
    pub leaf: Digest,
    /// Entries in the tree that it is shown to be in.
    pub tree_size: u64,
    /// Merkle tree hash of that tree.
    pub root: Digest,
    /// Inclusion proof, from the leaf's sibling up.
    pub proof: Vec<Digest>,
    /// The signed checkpoint of that tree.
    pub checkpoint: String,
    /// The receipt (C2SP tlog-proof), as text.
    pub receipt: String,
    /// For a host's statement: the one before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_index: Option<u64>,
    /// For a host's statement: the one after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_index: Option<u64>,
}
