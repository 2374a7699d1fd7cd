//! What probes that run once a day brought home last.
//!
//! Kept on disk too, one file for each probe, so that a restart of the agent does not run them again. What is kept counts
//! for the build of the agent that made it alone: another one may see or say things differently.

use std::collections::BTreeMap;

use evidence::facts::{self, FactsDocument};
use evidence::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::Document;
use crate::folder::{Durability, Folder};

/// Seconds from one run to the next.
const DAY: i64 = 24 * 60 * 60;
/// A probe has two documents at most; as JSON strings they need some more bytes.
const MAX_FILE: u64 = 3 * facts::MAX_BYTES as u64;

/// The documents of probes that run once a day.
#[derive(Debug)]
pub struct Daily {
    /// `None` keeps them in memory alone.
    folder: Option<Folder>,
    agent: Digest,
    kept: BTreeMap<String, Kept>,
}

#[derive(Debug)]
struct Kept {
    began_at: Timestamp,
    documents: Vec<Document>,
}

/// A file of the folder.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// When the probe began.
    began_at: Timestamp,
    /// SHA-256 of the agent that ran it.
    agent: Digest,
    /// The bytes of its documents.
    documents: Vec<String>,
}

impl Daily {
    /// What the agent with this digest left in `folder`. What is not readable there is left out: the probe runs again.
    pub fn open(folder: Option<Folder>, agent: Digest) -> Self {
        let mut daily = Self {
            folder,
            agent,
            kept: BTreeMap::new(),
        };
        if let Some(folder) = &daily.folder {
            match folder.files() {
                Ok(files) => {
                    daily.kept = files
                        .into_iter()
                        .filter_map(|(name, _)| read(folder, &name, agent))
                        .collect();
                }
                Err(error) => tracing::warn!(%error, "probes that run once a day run again"),
            }
        }
        daily
    }

    /// Whether the probe should run: it never did, a day has passed, or the clock was set back.
    pub(super) fn is_due(&self, probe: &str, now: Timestamp) -> bool {
        self.kept
            .get(probe)
            .is_none_or(|kept| !(0..DAY).contains(&now.since(kept.began_at)))
    }

    /// What it said last.
    pub(super) fn documents(&self, probe: &str) -> Option<&[Document]> {
        self.kept.get(probe).map(|kept| kept.documents.as_slice())
    }

    /// Keeps what a run that began at `began_at` brought home. A disk that does not take it costs a run after a restart.
    pub(super) fn keep(&mut self, probe: &str, began_at: Timestamp, documents: Vec<Document>) {
        if let Some(folder) = &self.folder {
            let text = |document: &Document| String::from_utf8_lossy(document.bytes()).into_owned();
            let form = Form {
                began_at,
                agent: self.agent,
                documents: documents.iter().map(text).collect(),
            };
            let written = serde_json::to_vec(&form)
                .map_err(|error| error.to_string())
                .and_then(|bytes| {
                    let written = folder.write(&file_name(probe), &bytes, Durability::Eventual);
                    written.map_err(|error| error.to_string())
                });
            if let Err(error) = written {
                tracing::warn!(probe, error, "not kept on the disk: a restart runs the probe again");
            }
        }
        self.kept.insert(probe.to_owned(), Kept { began_at, documents });
    }
}

fn file_name(probe: &str) -> String {
    format!("{probe}.json")
}

fn read(folder: &Folder, name: &str, agent: Digest) -> Option<(String, Kept)> {
    let probe = name.strip_suffix(".json")?;
    let bytes = folder.read(name, MAX_FILE).ok()??;
    let form: Form = serde_json::from_slice(&bytes).ok()?;
    if form.agent != agent {
        return None;
    }
    let document = |text: &String| Document::new(FactsDocument::from_bytes(text.as_bytes()).ok()?);
    let documents = form.documents.iter().map(document).collect::<Option<Vec<_>>>()?;
    let kept = Kept {
        began_at: form.began_at,
        documents,
    };
    Some((probe.to_owned(), kept))
}

#[cfg(test)]
mod tests {
    use evidence::facts::{Outcome, ProbeId};

    use super::*;

    fn document(detail: &str) -> Document {
        Document::new(FactsDocument {
            probe: ProbeId::new("walk").unwrap(),
            version: 1,
            outcome: Outcome::Absent,
            detail: detail.to_owned(),
            sources: vec![],
            facts: None,
        })
        .unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::EPOCH.plus(1_000_000_000 + seconds)
    }

    #[test]
    fn due_after_a_day_after_a_step_back_and_for_another_build() {
        let temp = tempfile::tempdir().unwrap();
        let open = |agent: &[u8]| Daily::open(Some(Folder::create(temp.path()).unwrap()), Digest::of(agent));
        let mut daily = open(b"one");
        assert!(daily.is_due("walk", at(0)));
        daily.keep("walk", at(0), vec![document("\u{e9} \"x\"")]);

        let again = open(b"one");
        assert!(!again.is_due("walk", at(0)) && !again.is_due("walk", at(DAY - 1)));
        assert!(again.is_due("walk", at(DAY)) && again.is_due("walk", at(-1)));
        let digests = |daily: &Daily| daily.documents("walk").map(|documents| documents[0].digest());
        assert_eq!(digests(&again), Some(document("\u{e9} \"x\"").digest()));

        let other = open(b"two");
        assert!(other.is_due("walk", at(1)));
        assert_eq!(digests(&other), None);

        for damaged in ["", "{}", "{\"began_at\":\"2026-01-01T00:00:00Z\"}"] {
            std::fs::write(temp.path().join("walk.json"), damaged).unwrap();
            assert!(open(b"one").is_due("walk", at(1)), "{damaged}");
        }
    }
}
