//! What probes with [`Cadence::OnChange`] said, and what they read for it.
//!
//! If all that such a probe asked the last time is answered the same now, then what it would say is the same too, since a
//! probe knows nothing else. Of large files it is enough that they are the same file with the same times.
//!
//! [`Cadence::OnChange`]: probes::Cadence::OnChange

use evidence::facts;
use evidence::{Digest, Timestamp};
use probes::registry::Registered;
use serde::{Deserialize, Serialize};

use super::Document;
use crate::clock;
use crate::folder::{Durability, Folder};
use crate::machine::{Answered, MachineHost, Noted};

/// Seconds after which a probe reads all of it again, whatever the times of files say.
const DAY: i64 = 24 * 60 * 60;
/// A probe has two documents at most; as JSON strings they need some more bytes. What was asked comes to it.
const MAX_FILE: u64 = 3 * facts::MAX_BYTES as u64;

/// A folder with a file for each such probe.
#[derive(Debug)]
pub struct Unchanged {
    folder: Folder,
    agent: Digest,
}

/// A file of the folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// When the probe began.
    began_at: Timestamp,
    /// SHA-256 of the agent that ran it: another one may read other things.
    agent: Digest,
    /// What it read.
    answered: Vec<Answered>,
    /// The bytes of its documents.
    documents: Vec<String>,
}

impl Unchanged {
    /// What the agent with this digest left in `folder`.
    pub const fn new(folder: Folder, agent: Digest) -> Self {
        Self { folder, agent }
    }

    /// What the probe says of the host now.
    pub(super) fn documents(&self, probe: Registered, host: &MachineHost) -> Vec<Document> {
        let name = format!("{}.json", probe.spec.id);
        let began_at = clock::now();
        if let Some(documents) = self.said(&name, host, began_at) {
            return documents;
        }
        let noted = Noted::new(host);
        let documents: Vec<_> = probe.collect(&noted).into_iter().filter_map(Document::new).collect();
        if let Some(answered) = noted.into_answered() {
            let text = |document: &Document| String::from_utf8_lossy(document.bytes()).into_owned();
            let form = Form {
                began_at,
                agent: self.agent,
                answered,
                documents: documents.iter().map(text).collect(),
            };
            self.keep(&name, &form, None);
        }
        documents
    }

    /// What it said last, if that holds.
    fn said(&self, name: &str, host: &MachineHost, now: Timestamp) -> Option<Vec<Document>> {
        let bytes = self.folder.read(name, MAX_FILE).ok()??;
        let form: Form = serde_json::from_slice(&bytes).ok()?;
        if form.agent != self.agent || !(0..DAY).contains(&now.since(form.began_at)) {
            return None;
        }
        let again = form.answered.into_iter().map(|answered| answered.again(host));
        let form = Form {
            answered: again.collect::<Option<_>>()?,
            ..form
        };
        let document = |text: &String| Document::from_own_bytes(text.as_bytes());
        let documents = form.documents.iter().map(document).collect::<Option<_>>()?;
        self.keep(name, &form, Some(&bytes));
        Some(documents)
    }

    /// Replaces what was kept, if it is another. A disk that does not take it costs a whole reading.
    fn keep(&self, name: &str, form: &Form, before: Option<&[u8]>) {
        let written = serde_json::to_vec(form)
            .map_err(|error| error.to_string())
            .and_then(|bytes| match before {
                Some(before) if before == bytes => Ok(()),
                _ => {
                    let written = self.folder.write(name, &bytes, Durability::Eventual);
                    written.map_err(|error| error.to_string())
                }
            });
        if let Err(error) = written {
            tracing::debug!(name, error, "read whole again next time");
        }
    }
}
