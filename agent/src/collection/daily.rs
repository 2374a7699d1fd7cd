//! What probes that run once a day brought home last.
//!
//! Kept on disk too, one file for each probe, so that a restart of the agent does not run them again.

use std::collections::BTreeMap;

use evidence::{Digest, Timestamp};

use super::Document;
use super::kept::Kept;
use crate::folder::Folder;

/// The documents of probes that run once a day.
#[derive(Debug)]
pub struct Daily {
    /// `None` keeps them in memory alone.
    folder: Option<Folder>,
    agent: Digest,
    kept: BTreeMap<String, Kept>,
}

impl Daily {
    /// What the agent with this digest left in `folder`. What is not readable there is left out: the probe runs again.
    pub fn open(folder: Option<Folder>, agent: Digest) -> Self {
        let kept = folder.as_ref().map(|folder| Kept::read_all(folder, agent));
        let kept = kept.transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, "probes that run once a day run again");
            None
        });
        Self {
            folder,
            agent,
            kept: kept.unwrap_or_default(),
        }
    }

    /// Whether the probe should run: it never did, a day has passed, an hour if it failed, or the clock was set back.
    pub(super) fn is_due(&self, probe: &str, now: Timestamp) -> bool {
        self.kept.get(probe).is_none_or(|kept| !kept.stands(now))
    }

    /// What it said last.
    pub(super) fn documents(&self, probe: &str) -> Option<&[Document]> {
        self.kept.get(probe).map(|kept| kept.documents.as_slice())
    }

    /// Keeps what a run that began at `began_at` brought home. A disk that does not take it costs a run after a restart.
    pub(super) fn keep(&mut self, probe: &str, began_at: Timestamp, documents: Vec<Document>) {
        let kept = Kept {
            began_at,
            answered: vec![],
            documents,
        };
        if let Some(folder) = &self.folder
            && let Err(error) = kept.write(folder, probe, self.agent)
        {
            tracing::warn!(probe, error, "not kept on the disk: a restart runs the probe again");
        }
        self.kept.insert(probe.to_owned(), kept);
    }
}

#[cfg(test)]
mod tests {
    use evidence::facts::{FactsDocument, Outcome, ProbeId};

    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    fn document(detail: &str) -> Document {
        ended(Outcome::Absent, detail)
    }

    fn ended(outcome: Outcome, detail: &str) -> Document {
        Document::new(FactsDocument {
            probe: ProbeId::new("walk").unwrap(),
            version: 1,
            outcome,
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
    fn due_after_a_day_or_a_failure_or_a_step_back_and_for_another_build() {
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

        daily.keep("walk", at(0), vec![ended(Outcome::Failed, "ended by signal 9")]);
        let again = open(b"one");
        assert!(!again.is_due("walk", at(60 * 60 - 1)) && again.is_due("walk", at(60 * 60)));

        let other = open(b"two");
        assert!(other.is_due("walk", at(1)));
        assert_eq!(digests(&other), None);

        for damaged in ["", "{}", "{\"began_at\":\"2026-01-01T00:00:00Z\"}"] {
            std::fs::write(temp.path().join("walk.json"), damaged).unwrap();
            assert!(open(b"one").is_due("walk", at(1)), "{damaged}");
        }
    }
}
