//! A membership: identity, keys, and what was last verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::aws_lc::{AwsLc, Ed25519Signer};
use evidence::checkpoint::SignedCheckpoint;
use evidence::key::Signer as _;
use evidence::statement::Alarm;
use evidence::wire::Pace;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StateError;
use super::identity::Identity;
use crate::folder::{Durability, Folder, FolderError};

/// Longest file of a membership, bytes: generous for keys, certificates and notes.
const MAX_FILE: u64 = 1024 * 1024;

const IDENTITY: &str = "identity.json";
const SEED: &str = "statement.seed";
const CLIENT: &str = "client.pem";
const CA: &str = "ca.pem";
const CHECKPOINT: &str = "checkpoint";
const PACE: &str = "pace.json";
const ALARM: &str = "alarm.json";
const REPORT: &str = "report.json";

/// A membership that is about to be written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Who the host is.
    pub identity: &'a Identity,
    /// Seed of the statement key.
    pub seed: &'a [u8; 32],
    /// TLS key and certificate, PEM.
    pub client: &'a str,
    /// The collector's CA, PEM.
    pub ca: &'a str,
    /// The enrolment entry.
    pub entry: &'a str,
    /// Its receipt.
    pub receipt: &'a str,
    /// The checkpoint of that receipt.
    pub checkpoint: &'a SignedCheckpoint,
    /// How often to do what.
    pub pace: Pace,
}

impl Draft<'_> {
    pub(super) fn write(&self, folder: &Folder) -> Result<(), StateError> {
        let seed = STANDARD.encode(self.seed) + "\n";
        for (name, text) in [
            (SEED, seed.as_str()),
            (CLIENT, self.client),
            (CA, self.ca),
            ("enrolment.json", self.entry),
            ("enrolment.receipt", self.receipt),
            (CHECKPOINT, self.checkpoint.note()),
        ] {
            folder.write(name, text.as_bytes(), Durability::Synced)?;
        }
        write_json(folder, PACE, &self.pace, Durability::Synced)?;
        write_json(folder, IDENTITY, self.identity, Durability::Synced)
    }
}

/// A proof of a dishonest log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredAlarm {
    /// What is stated about it.
    pub alarm: Alarm,
    /// When it was noticed.
    pub at: evidence::Timestamp,
    /// In a person's words.
    pub detail: String,
    /// The first statement that carries it, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<u64>,
    /// Whether a statement that carries it has a receipt.
    pub acknowledged: bool,
}

/// The membership of this host.
#[derive(Debug)]
pub struct Member {
    folder: Folder,
    identity: Identity,
    signer: Ed25519Signer,
}

impl Member {
    /// Reads the membership; `None` if the folder holds none.
    pub(super) fn open(folder: Folder) -> Result<Option<Self>, StateError> {
        let Some(identity) = read_json::<Identity>(&folder, IDENTITY)? else {
            return Ok(None);
        };
        let seed = text(&folder, SEED)?;
        let seed = STANDARD.decode(seed.trim()).ok().and_then(|seed| seed.try_into().ok());
        let seed: [u8; 32] = seed.ok_or_else(|| damaged(&folder, SEED, "not the Base64 of 32 bytes"))?;
        let signer = Ed25519Signer::from_seed(&seed).map_err(|error| damaged(&folder, SEED, error.to_string()))?;
        if signer.public_key().id() != identity.statement_key {
            return Err(damaged(&folder, SEED, "not the key that identity.json names"));
        }
        Ok(Some(Self {
            folder,
            identity,
            signer,
        }))
    }

    /// Who this host is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Signs its statements.
    pub const fn signer(&self) -> &Ed25519Signer {
        &self.signer
    }

    /// TLS key and certificate, PEM.
    pub fn client(&self) -> Result<String, StateError> {
        text(&self.folder, CLIENT)
    }

    /// Replaces TLS key and certificate.
    pub fn replace_client(&self, pem: &str) -> Result<(), StateError> {
        Ok(self.folder.write(CLIENT, pem.as_bytes(), Durability::Synced)?)
    }

    /// The collector's CA, PEM.
    pub fn ca(&self) -> Result<String, StateError> {
        text(&self.folder, CA)
    }

    /// The newest checkpoint that was verified. It is verified again, so that a damaged file cannot look like a fork.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, StateError> {
        SignedCheckpoint::verify(&text(&self.folder, CHECKPOINT)?, &self.identity.log, &AwsLc)
            .map_err(|error| damaged(&self.folder, CHECKPOINT, error.to_string()))
    }

    /// Remembers a newer checkpoint; durable when it returns.
    pub fn remember(&self, checkpoint: &SignedCheckpoint) -> Result<(), StateError> {
        let note = checkpoint.note().as_bytes();
        Ok(self.folder.write(CHECKPOINT, note, Durability::Synced)?)
    }

    /// How often to do what.
    pub fn pace(&self) -> Result<Pace, StateError> {
        read_json(&self.folder, PACE)?.ok_or_else(|| damaged(&self.folder, PACE, "not there"))
    }

    /// Remembers another pace.
    pub fn set_pace(&self, pace: Pace) -> Result<(), StateError> {
        write_json(&self.folder, PACE, &pace, Durability::Eventual)
    }

    /// The proof of a dishonest log that this host holds, if any.
    pub fn alarm(&self) -> Result<Option<StoredAlarm>, StateError> {
        read_json(&self.folder, ALARM)
    }

    /// Keeps a proof; durable when it returns.
    pub fn set_alarm(&self, alarm: &StoredAlarm) -> Result<(), StateError> {
        write_json(&self.folder, ALARM, alarm, Durability::Synced)
    }

    /// What the service last said about itself.
    pub fn report<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        read_json(&self.folder, REPORT)
    }

    /// What the service says about itself.
    pub fn set_report<T: Serialize>(&self, report: &T) -> Result<(), StateError> {
        write_json(&self.folder, REPORT, report, Durability::Eventual)
    }

    /// The folder in which probes that run once a day leave what they said.
    pub fn daily(&self) -> Result<Folder, FolderError> {
        self.folder.sub("daily")
    }

    /// The folder in which probes that run on changes leave what they said and read.
    pub fn unchanged(&self) -> Result<Folder, FolderError> {
        self.folder.sub("unchanged")
    }

    /// The folder of the spool.
    pub fn spool(&self) -> Result<Folder, FolderError> {
        self.folder.sub("spool")
    }
}

fn damaged(folder: &Folder, name: &str, reason: impl Into<String>) -> StateError {
    StateError::Damaged {
        path: folder.path().join(name),
        reason: reason.into(),
    }
}

fn text(folder: &Folder, name: &str) -> Result<String, StateError> {
    let bytes = folder
        .read(name, MAX_FILE)?
        .ok_or_else(|| damaged(folder, name, "not there"))?;
    String::from_utf8(bytes).map_err(|_| damaged(folder, name, "not UTF-8"))
}

fn read_json<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>, StateError> {
    let Some(bytes) = folder.read(name, MAX_FILE)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&bytes);
    value
        .map(Some)
        .map_err(|error| damaged(folder, name, error.to_string()))
}

fn write_json<T: Serialize>(folder: &Folder, name: &str, value: &T, durability: Durability) -> Result<(), StateError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| damaged(folder, name, error.to_string()))?;
    json.push(b'\n');
    Ok(folder.write(name, &json, durability)?)
}
