//! A facts document together with its bytes.

use evidence::Digest;
use evidence::facts::{FactsDocument, Outcome};

/// A facts document, its bytes and their digest.
#[derive(Debug, Clone)]
pub struct Document {
    facts: FactsDocument,
    bytes: Vec<u8>,
    digest: Digest,
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

    fn of(facts: FactsDocument, bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { facts, bytes, digest }
    }

    /// The document.
    pub const fn facts(&self) -> &FactsDocument {
        &self.facts
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
    use evidence::facts::ProbeId;
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
        assert_eq!(document.facts().outcome, Outcome::Failed);
        assert!(document.facts().detail.contains("0.5"), "{}", document.facts().detail);
        assert_eq!(FactsDocument::from_bytes(document.bytes()).unwrap(), *document.facts());
    }
}
