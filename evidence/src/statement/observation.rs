//! What a host states.

use serde::{Deserialize, Serialize};

use super::host_id::HostId;
use crate::digest::Digest;
use crate::time::Timestamp;

/// A host saw the facts documents that a manifest names. The statement's one subject is that manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Who.
    pub host: HostId,
    /// By which build of the agent.
    pub agent: AgentBuild,
    /// The kernel's boot id (random(4), `/proc/sys/kernel/random/boot_id`); empty where there is none.
    pub boot_id: String,
    /// Drawn at random when the agent's state was made. Two copies of one state share it, and then both use a sequence
    /// number: so a cloned host shows.
    pub epoch: String,
    /// Counts the statements of this epoch, from 0, without gaps but those that `lost` declares.
    pub sequence: u64,
    /// SHA-256 of the envelope of the statement before, in this epoch; where `lost` declares a run, of the last statement
    /// before that run. Absent if there is none: for sequence 0, or if everything before was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When the manifest was complete, by the host's clock.
    pub observed_at: Timestamp,
    /// How long the manifest of the statement that `previous` names was still seen to hold; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Statements that the spool had to drop directly before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// The newest checkpoint that this host has verified. A collector that shows others another history is contradicted
    /// by its own hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<SeenCheckpoint>,
    /// A proof of a dishonest log that this host holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
}

/// A build of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentBuild {
    /// Its version.
    pub version: String,
    /// SHA-256 of the running executable.
    pub sha256: Digest,
}

/// How long a manifest was still seen to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The last collection that found it unchanged.
    pub until: Timestamp,
    /// Collections since the statement before that found it unchanged.
    pub collections: u64,
}

/// A run of statements that were made and will never arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// First sequence number lost.
    pub from: u64,
    /// Last sequence number lost; the statement that says so has the next one.
    pub to: u64,
    /// Why: `spool_full` (the limit, or the disk), `spool_unwritable`, `spool_damaged`, or `clock_ahead` (made while the
    /// host's clock was ahead; they could not be delivered when it had been set right).
    pub reason: String,
}

/// A checkpoint, without its signature: the host vouches for having verified it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenCheckpoint {
    /// Which log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// Merkle tree hash at that size.
    pub root: Digest,
}

/// Two checkpoints that no append-only log can have signed both, or a receipt that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// `fork`, `rollback` or `missing_entry`.
    pub kind: String,
    /// The checkpoint (signed note) that the host had verified before.
    pub known: String,
    /// The one that it was shown (signed note).
    pub shown: String,
}
