//! What probes with [`Cadence::OnChange`] said, and what they read for it.
//!
//! If all that such a probe asked the last time is answered the same now, then what it would say is the same too, since a
//! probe knows nothing else. Of large files it is enough that they are the same file with the same times.
//!
//! [`Cadence::OnChange`]: probes::Cadence::OnChange

use evidence::Digest;
use probes::registry::Registered;

use super::Document;
use super::kept::Kept;
use crate::clock;
use crate::folder::Folder;
use crate::machine::{Answered, MachineHost, Noted};

/// A folder with a file for each such probe.
#[derive(Debug)]
pub struct Unchanged {
    folder: Folder,
    agent: Digest,
}

impl Unchanged {
    /// What the agent with this digest left in `folder`.
    pub const fn new(folder: Folder, agent: Digest) -> Self {
        Self { folder, agent }
    }

    /// What the probe says of the host now.
    pub(super) fn documents(&self, probe: Registered, host: &MachineHost) -> Vec<Document> {
        let began_at = clock::now();
        let before = Kept::read(&self.folder, probe.spec.id, self.agent);
        if let Some(mut kept) = before.filter(|kept| kept.stands(began_at)) {
            let again = kept.answered.iter().cloned().map(|answered| answered.again(host));
            if let Some(again) = again.collect::<Option<Vec<Answered>>>() {
                // A file that changed just before is known by its times from now on.
                if again != kept.answered {
                    kept.answered = again;
                    self.keep(probe, &kept);
                }
                return kept.documents;
            }
        }
        let noted = Noted::new(host);
        let documents = probe.collect(&noted).into_iter().filter_map(Document::new).collect();
        let Some(answered) = noted.into_answered() else {
            return documents;
        };
        let kept = Kept {
            began_at,
            answered,
            documents,
        };
        self.keep(probe, &kept);
        kept.documents
    }

    /// A disk that does not take it costs a whole reading.
    fn keep(&self, probe: Registered, kept: &Kept) {
        if let Err(error) = kept.write(&self.folder, probe.spec.id, self.agent) {
            tracing::debug!(probe = probe.spec.id, error, "read whole again next time");
        }
    }
}
