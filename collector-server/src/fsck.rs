//! Checks everything that is stored, from the entries up, as if nothing else could be believed.
//!
//! Entries are read once, in order. From them the tree is hashed again and held against every stored tile and the signed
//! checkpoint; each signature is checked with the key that the log itself announced before it; each host's chain
//! (epoch, sequence, `previous`, `lost`) and the collector's own are followed; members, positions and the list of the
//! collector's entries are derived again and compared. Then every manifest, facts document and file is hashed, and what
//! statements name must be there.

mod chain;
mod objects;
mod tree;

use std::fmt;

use evidence::Timestamp;
use evidence::aws_lc::AwsLc;
use evidence::checkpoint::SignedCheckpoint;
use evidence::note::VerifierKey;
use evidence::tree::Frontier;
use serde::Serialize;

use crate::store::{Store, StoreError};

/// Entries read at once.
const PAGE: usize = 4096;
/// Findings listed at most: more say nothing more.
const LISTED: usize = 200;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Where: an entry, a tile, an object, a table.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries of the log.
    pub entries: u64,
    /// Members.
    pub hosts: u64,
    /// Manifests.
    pub manifests: u64,
    /// Facts documents.
    pub facts: u64,
    /// What is not as it must be; at most 200 of it.
    pub damage: Vec<Damage>,
    /// How much of it there is.
    pub damages: u64,
}

impl Report {
    fn add(&mut self, place: impl Into<String>, what: impl fmt::Display) {
        self.damages += 1;
        if self.damage.len() < LISTED {
            self.damage.push(Damage {
                place: place.into(),
                what: what.to_string(),
            });
        }
    }

    /// Takes a value, or notes why there is none. Only damage is noted: an engine that fails ends the check.
    fn read<T>(&mut self, place: &str, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Damaged { what }) => {
                self.add(place, what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Checks a store. Writers may go on meanwhile: what is appended later is not looked at.
pub fn check(store: &dyn Store, now: Timestamp) -> Result<Report, StoreError> {
    let mut report = Report {
        entries: 0,
        hosts: 0,
        manifests: 0,
        facts: 0,
        damage: Vec::new(),
        damages: 0,
    };
    for complaint in store.self_check()? {
        report.add("the database file", complaint);
    }
    let Some(head) = report.read("the tree head", store.head())?.flatten() else {
        report.add("the tree head", "there is none: the log is empty or its head is lost");
        return Ok(report);
    };
    let mut chain = chain::Chain::new(now);
    let mut tree = tree::Recomputed::default();
    let mut next = 0;
    while next < head.size {
        let limit = usize::try_from(head.size - next).unwrap_or(PAGE).min(PAGE);
        let Some(entries) = report.read(&format!("entries from {next}"), store.entries(next, limit))? else {
            break;
        };
        if entries.is_empty() {
            report.add(
                format!("entry {next}"),
                format!("missing; the tree head counts {}", head.size),
            );
            break;
        }
        for (index, bytes) in entries {
            chain.follow(index, &bytes, store, &mut report)?;
            tree.push(&bytes);
            next = index + 1;
        }
    }
    report.entries = next;
    check_head(&head.checkpoint, head.size, &tree.frontier, &chain, &mut report);
    tree.compare(store, &mut report)?;
    chain.compare(store, head.size, &mut report)?;
    objects::check(store, &chain, &mut report)?;
    Ok(report)
}

fn check_head(note: &str, size: u64, frontier: &Frontier, chain: &chain::Chain, report: &mut Report) {
    const PLACE: &str = "the checkpoint";
    let Some(opening) = chain.opening() else { return };
    let key = VerifierKey::new(&opening.origin, opening.log_key.clone());
    let signed = key
        .map_err(Into::into)
        .and_then(|key| SignedCheckpoint::verify(note, &key, &AwsLc));
    match signed {
        Err(error) => report.add(PLACE, error),
        Ok(signed) => {
            let checkpoint = signed.checkpoint();
            if checkpoint.size != size {
                report.add(
                    PLACE,
                    format!("is of {} entries, the tree head says {size}", checkpoint.size),
                );
            }
            if frontier.size() == size && checkpoint.root != frontier.root() {
                report.add(
                    PLACE,
                    format!("has root {}, the entries have {}", checkpoint.root, frontier.root()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
