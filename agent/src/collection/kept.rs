//! What a probe said last, kept in a file of its own.
//!
//! It counts for the build of the agent that made it alone: another one may see or say things differently.

use std::borrow::Cow;
use std::collections::BTreeMap;

use evidence::facts::{self, Outcome};
use evidence::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::Document;
use crate::folder::{Durability, Folder, FolderError};
use crate::machine::Answered;

/// Seconds for which it stands at most.
const DAY: i64 = 24 * 60 * 60;
/// The same for a probe that failed: something ended it, a fault or the kernel for want of memory, and may not again.
const HOUR: i64 = 60 * 60;
/// A probe has two documents at most; as JSON strings they need some more bytes. What was asked comes to it.
const MAX_FILE: u64 = 3 * facts::MAX_BYTES as u64;
const SUFFIX: &str = ".json";

/// What a probe said.
#[derive(Debug)]
pub(super) struct Kept {
    /// When it began.
    pub(super) began_at: Timestamp,
    /// What it read, if that was noted.
    pub(super) answered: Vec<Answered>,
    pub(super) documents: Vec<Document>,
}

/// A file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    began_at: Timestamp,
    /// SHA-256 of the agent that ran it.
    agent: Digest,
    answered: Vec<Answered>,
    /// The bytes of its documents.
    documents: Vec<String>,
}

/// The same, to write it.
#[derive(Serialize)]
struct FormOf<'k> {
    began_at: Timestamp,
    agent: Digest,
    answered: &'k [Answered],
    documents: Vec<Cow<'k, str>>,
}

impl Kept {
    /// Whether the probe need not run for the time alone: a day has not passed, and the clock was not set back.
    pub(super) fn stands(&self, now: Timestamp) -> bool {
        let failed = self
            .documents
            .iter()
            .any(|document| document.outcome() == Outcome::Failed);
        (0..if failed { HOUR } else { DAY }).contains(&now.since(self.began_at))
    }

    /// What the agent with this digest kept of the probe. What is not readable is nothing: the probe runs again.
    pub(super) fn read(folder: &Folder, probe: &str, agent: Digest) -> Option<Self> {
        let bytes = folder.read(&file_of(probe), MAX_FILE).ok()??;
        let form: Form = serde_json::from_slice(&bytes).ok()?;
        if form.agent != agent {
            return None;
        }
        let document = |text: &String| Document::from_own_bytes(text.as_bytes());
        Some(Self {
            began_at: form.began_at,
            documents: form.documents.iter().map(document).collect::<Option<_>>()?,
            answered: form.answered,
        })
    }

    /// The same for all probes.
    pub(super) fn read_all(folder: &Folder, agent: Digest) -> Result<BTreeMap<String, Self>, FolderError> {
        let files = folder.files()?.into_iter().filter_map(|(name, _)| {
            let probe = name.strip_suffix(SUFFIX)?;
            Some((probe.to_owned(), Self::read(folder, probe, agent)?))
        });
        Ok(files.collect())
    }

    /// Keeps it on disk.
    pub(super) fn write(&self, folder: &Folder, probe: &str, agent: Digest) -> Result<(), String> {
        let form = FormOf {
            began_at: self.began_at,
            agent,
            answered: &self.answered,
            documents: self
                .documents
                .iter()
                .map(|document| String::from_utf8_lossy(document.bytes()))
                .collect(),
        };
        let bytes = serde_json::to_vec(&form).map_err(|error| error.to_string())?;
        let written = folder.write(&file_of(probe), &bytes, Durability::Eventual);
        written.map_err(|error| error.to_string())
    }
}

fn file_of(probe: &str) -> String {
    format!("{probe}{SUFFIX}")
}
