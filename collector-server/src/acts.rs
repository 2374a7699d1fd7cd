//! What people do that is an entry in the log.

use std::sync::Arc;

use evidence::proof::hashes_to_text;
use evidence::statement::{HostId, PackIssue, Predicate, Revocation, Statement, Subject};
use evidence::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::app::App;
use crate::log::LogError;
use crate::store::StoreError;

/// Longest reason that is written into the log, characters.
const MAX_REASON: usize = 1000;

/// Why an act is not done.
#[derive(Debug, Error)]
pub enum ActError {
    /// No such host.
    #[error("there is no host {host}; `affiant-collector hosts` lists them")]
    NoSuchHost {
        /// What was asked for.
        host: HostId,
    },
    /// Revoked before.
    #[error("the key of {host} was revoked already, by entry {index} of the log")]
    AlreadyRevoked {
        /// Whose.
        host: HostId,
        /// Where.
        index: u64,
    },
    /// Empty or too long.
    #[error("a reason of 1 to {MAX_REASON} characters is needed: an auditor will read it")]
    Reason,
    /// A pack that does not show this log.
    #[error("the pack shows a tree of {size} entries with another root than this log has")]
    OtherTree {
        /// Its size.
        size: u64,
    },
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Log(LogError::Store(error.into()))
    }
}

/// Revokes a host's key; returns the entry's index.
pub async fn revoke(app: &App, host: HostId, reason: String) -> Result<u64, ActError> {
    let reason = reason.trim().to_owned();
    if !(1..=MAX_REASON).contains(&reason.chars().count()) {
        return Err(ActError::Reason);
    }
    let (signer, at) = (Arc::clone(&app.statement_key), app.clock.now());
    let committed = app
        .log
        .write(move |batch| {
            let Some(member) = batch.store().member_of(&host)? else {
                return Ok(Err(ActError::NoSuchHost { host: host.clone() }));
            };
            if let Some(index) = member.revoked {
                return Ok(Err(ActError::AlreadyRevoked {
                    host: host.clone(),
                    index,
                }));
            }
            let keyid = member.keyid();
            let appended = batch.append_own(&signer, |previous| Statement {
                subject: vec![Subject {
                    name: host.to_string(),
                    digest: keyid.0,
                }],
                predicate: Predicate::Revocation(Revocation {
                    host: host.clone(),
                    keyid,
                    reason: reason.clone(),
                    previous,
                    at,
                }),
            })?;
            Ok(Ok(appended.index))
        })
        .await?;
    committed.value
}

/// A pack that is to be stated: the members of its statement but those that the log's writer adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackDraft {
    /// SHA-256 of its `SHA256SUMS`.
    pub sums: Digest,
    /// Begin of the period.
    pub from: Timestamp,
    /// End of the period.
    pub to: Timestamp,
    /// Which catalogue.
    pub catalogue: String,
    /// SHA-256 of the envelope of the collector's last entry in the tree shown.
    pub last_entry: Digest,
    /// Size of the tree shown.
    pub tree_size: u64,
    /// Its root.
    pub root: Digest,
}

/// A pack statement in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackIssued {
    /// The envelope.
    pub entry: String,
    /// Its receipt (C2SP tlog-proof), without extra data.
    pub receipt: String,
    /// Consistency proof (Base64 hashes) from the tree shown to that of the receipt's checkpoint.
    pub consistency: Vec<String>,
}

/// Signs the statement of a pack and appends it.
pub async fn issue_pack(app: &App, draft: PackDraft) -> Result<PackIssued, ActError> {
    let size = draft.tree_size;
    if size > app.store.size()? || evidence::tree::root(&app.log.tiles().at(size), size)? != draft.root {
        return Err(ActError::OtherTree { size });
    }
    let (signer, at) = (Arc::clone(&app.statement_key), app.clock.now());
    let committed = app
        .log
        .write(move |batch| {
            batch.append_own(&signer, |previous| Statement {
                subject: vec![Subject {
                    name: evidence::pack::SUMS.to_owned(),
                    digest: draft.sums,
                }],
                predicate: Predicate::Pack(PackIssue {
                    from: draft.from,
                    to: draft.to,
                    catalogue: draft.catalogue.clone(),
                    last_entry: draft.last_entry,
                    tree_size: draft.tree_size,
                    root: draft.root,
                    previous,
                    at,
                }),
            })
        })
        .await?;
    let (appended, head) = (committed.value, committed.head);
    Ok(PackIssued {
        entry: String::from_utf8_lossy(appended.entry.bytes()).into_owned(),
        receipt: app.log.receipt(appended.index, &head)?.to_string(),
        consistency: hashes_to_text(&app.log.tiles().consistency(size, head.size)?),
    })
}
