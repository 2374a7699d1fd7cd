//! A facts document as its bytes, with what the agent itself needs to know of it.

use evidence::Digest;
use evidence::facts::{FactsDocument, FactsError, Outcome, ProbeId};
use serde::Deserialize;

/// The bytes of a facts document, their digest, and how the probe ended.
#[derive(Debug, Clone)]
pub struct Document {
    head: Head,
    bytes: Vec<u8>,
    digest: Digest,
}

/// The facts and sources stay bytes: as values they would take many times the memory.
#[derive(Debug, Clone, Deserialize)]
struct Head {
    probe: ProbeId,
    outcome: Outcome,
    detail: String,
}

impl Document {
    /// Writes a document. One that cannot be written (too large, a number out of range: a fault of the probe) becomes a
    /// document that says so: a host must not look as if it lacked the probe.
    pub(super) fn new(facts: FactsDocument) -> Option<Self> {
        let facts = match facts.to_bytes() {
            Ok(bytes) => return Some(Self::of(facts, bytes)),
            Err(error) => FactsDocument {
                outcome: Outcome::Failed,
                detail: error.to_string(),
                sources: Vec::new(),
                facts: None,
                ..facts
            },
        };
        let bytes = facts.to_bytes().ok()?;
        Some(Self::of(facts, bytes))
    }

    /// Takes the bytes that [`Self::new`] made in another process of this agent.
    pub(super) fn from_own_bytes(bytes: &[u8]) -> Option<Self> {
        let head = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            head,
            digest: Digest::of(bytes),
            bytes: bytes.to_vec(),
        })
    }

    fn of(facts: FactsDocument, bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        let head = Head {
            probe: facts.probe,
            outcome: facts.outcome,
            detail: facts.detail,
        };
        Self { head, bytes, digest }
    }

    /// The document's id: the probe's, or `PROBE.names`.
    pub const fn id(&self) -> &ProbeId {
        &self.head.probe
    }

    /// How the probe ended.
    pub const fn outcome(&self) -> Outcome {
        self.head.outcome
    }

    /// What the probe says beside its facts.
    pub fn detail(&self) -> &str {
        &self.head.detail
    }

    /// The document as values.
    pub fn facts(&self) -> Result<FactsDocument, FactsError> {
        FactsDocument::from_bytes(&self.bytes)
    }

    /// Its canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their SHA-256: its name.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_written_says_so() {
        let fraction = FactsDocument {
            probe: ProbeId::new("x").unwrap(),
            version: 3,
            outcome: Outcome::Observed,
            detail: String::new(),
            sources: Vec::new(),
            facts: Some(json!({"load": 0.5})),
        };
        let document = Document::new(fraction).unwrap();
        assert_eq!(document.outcome(), Outcome::Failed);
        assert!(document.detail().contains("0.5"), "{}", document.detail());
        assert_eq!(document.facts().unwrap().outcome, Outcome::Failed);

        let again = Document::from_own_bytes(document.bytes()).unwrap();
        assert_eq!((again.id(), again.digest()), (document.id(), document.digest()));
    }
}
