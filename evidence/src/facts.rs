//! Facts documents: what one probe saw on a host, where it read it, or why it could not.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::digest::Digest;
use crate::json::{self, JsonError};

/// A facts document may have this many bytes at most, so that every reader can bound its memory.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How an attempt to learn something ended. None of the others is a kind of "no": a rule over a document that was not
/// `observed` is `unknown`, unless the rule itself says what absence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was read and understood.
    Observed,
    /// It is not there: no such file, no such program, not installed.
    Absent,
    /// The agent may not read it.
    Denied,
    /// Reading it failed in another way: an I/O error, a program that exited with an error.
    Failed,
    /// It was read and could not be understood.
    Malformed,
    /// This kernel, distribution or version is one that the probe does not know.
    Unsupported,
    /// It did not answer within its time.
    Timeout,
    /// It was not tried: over its budget, or switched off.
    Skipped,
}

impl Outcome {
    /// As it is written in a document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Timeout => "timeout",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that a probe read or tried to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SourceForm", into = "SourceForm")]
pub struct Source {
    /// Which file or which program.
    pub origin: Origin,
    /// How reading it ended.
    pub outcome: Outcome,
    /// SHA-256 of the bytes, where they were read whole and do not change by themselves.
    pub sha256: Option<Digest>,
}

/// Where a probe looked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// An absolute path; bytes that are not UTF-8 are written as `\xNN`.
    Path(String),
    /// A program and its arguments, as one would type them.
    Command(String),
}

/// A source as JSON has it: exactly one of `path` and `command`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
}

impl From<Source> for SourceForm {
    fn from(source: Source) -> Self {
        let (path, command) = match source.origin {
            Origin::Path(path) => (Some(path), None),
            Origin::Command(command) => (None, Some(command)),
        };
        Self {
            path,
            command,
            outcome: source.outcome,
            sha256: source.sha256,
        }
    }
}

impl TryFrom<SourceForm> for Source {
    type Error = &'static str;

    fn try_from(form: SourceForm) -> Result<Self, Self::Error> {
        let origin = match (form.path, form.command) {
            (Some(path), None) => Origin::Path(path),
            (None, Some(command)) => Origin::Command(command),
            _ => return Err("a source has either a path or a command"),
        };
        Ok(Self {
            origin,
            outcome: form.outcome,
            sha256: form.sha256,
        })
    }
}

/// What one probe has to say about a host at one time. The bytes of a document are its canonical JSON
/// ([`Self::to_bytes`]); its name is their SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsDocument {
    /// The probe's id, for instance `sshd` or `accounts.names`.
    pub probe: ProbeId,
    /// Version of the facts' shape; a change of meaning raises it.
    pub version: u32,
    /// How the probe ended.
    pub outcome: Outcome,
    /// What a person needs to know beyond `outcome`: empty, or one or two sentences.
    pub detail: String,
    /// What was read, sorted, each once.
    pub sources: Vec<Source>,
    /// What was seen; only where `outcome` is [`Outcome::Observed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Value>,
}

/// A probe's id: `[a-z0-9-]`, up to 64 characters, with one `.` before the name of a second document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProbeId(String);

impl ProbeId {
    /// Checks the form.
    pub fn new(id: impl Into<String>) -> Result<Self, FactsError> {
        let id = id.into();
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        if id.len() <= 64 && id.split('.').count() <= 2 && id.split('.').all(part) {
            Ok(Self(id))
        } else {
            Err(FactsError::ProbeId {
                id: id.chars().take(80).collect(),
            })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a document of personal data, which may be withheld.
    pub fn is_names(&self) -> bool {
        self.0.split_once('.').is_some_and(|(_, document)| document == "names")
    }

    /// The name of the document's file in a manifest.
    pub fn file_name(&self) -> String {
        format!("{}.json", self.0)
    }
}

impl std::fmt::Display for ProbeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProbeId {
    type Error = FactsError;
    fn try_from(id: String) -> Result<Self, FactsError> {
        Self::new(id)
    }
}

impl From<ProbeId> for String {
    fn from(id: ProbeId) -> Self {
        id.0
    }
}

/// Bytes that are no facts document.
#[derive(Debug, Error)]
pub enum FactsError {
    /// More than [`MAX_BYTES`].
    #[error("the facts document has {length} bytes, at most {MAX_BYTES} are allowed")]
    TooLarge {
        /// Bytes found.
        length: usize,
    },
    /// Not canonical JSON, or not of the shape of a facts document.
    #[error("the facts document is {0}")]
    Json(#[from] JsonError),
    /// Facts together with an outcome other than `observed`, or `observed` without facts.
    #[error("a facts document of {probe} is {outcome} and has {has} facts", outcome = outcome.as_str(), has = if *facts { "some" } else { "no" })]
    Contradiction {
        /// The probe.
        probe: ProbeId,
        /// What it says.
        outcome: Outcome,
        /// Whether it carries facts all the same.
        facts: bool,
    },
    /// Not the name of a probe.
    #[error("{id:?} is not a probe's id: letters a-z, digits and hyphens expected")]
    ProbeId {
        /// The beginning of what was found.
        id: String,
    },
}

/// A document without its facts.
#[derive(Serialize)]
struct Head<'d> {
    probe: &'d ProbeId,
    version: u32,
    outcome: Outcome,
    detail: &'d str,
    sources: &'d [Source],
}

impl FactsDocument {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FactsError> {
        // The facts are nearly all of it, and are written where they are.
        let head = Head {
            probe: &self.probe,
            version: self.version,
            outcome: self.outcome,
            detail: &self.detail,
            sources: &self.sources,
        };
        let bytes = match &self.facts {
            Some(facts) => json::canonical_with(&head, "facts", facts)?,
            None => json::canonical(&head)?,
        };
        Self::check(self, bytes.len())?;
        Ok(bytes)
    }

    /// Reads a document strictly: canonical, of this shape, with facts exactly if observed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FactsError> {
        if bytes.len() > MAX_BYTES {
            return Err(FactsError::TooLarge { length: bytes.len() });
        }
        let document: Self = json::from_canonical(bytes)?;
        document.check(bytes.len())?;
        Ok(document)
    }

    fn check(&self, length: usize) -> Result<(), FactsError> {
        if length > MAX_BYTES {
            return Err(FactsError::TooLarge { length });
        }
        if (self.outcome == Outcome::Observed) == self.facts.is_some() {
            return Ok(());
        }
        let (probe, facts) = (self.probe.clone(), self.facts.is_some());
        Err(FactsError::Contradiction {
            probe,
            outcome: self.outcome,
            facts,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> FactsDocument {
        FactsDocument {
            probe: ProbeId::new("sshd").unwrap(),
            version: 1,
            outcome: Outcome::Observed,
            detail: String::new(),
            sources: vec![
                Source {
                    origin: Origin::Command("sshd -T".into()),
                    outcome: Outcome::Denied,
                    sha256: None,
                },
                Source {
                    origin: Origin::Path("/etc/x".into()),
                    outcome: Outcome::Observed,
                    sha256: Some(Digest::of(b"")),
                },
            ],
            facts: Some(json!({"port": [22]})),
        }
    }

    #[test]
    fn round_trips_in_the_shape_of_the_contract() {
        let bytes = document().to_bytes().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with(
            r#"{"detail":"","facts":{"port":[22]},"outcome":"observed","probe":"sshd","sources":[{"command":"sshd -T","#
        ));
        assert_eq!(FactsDocument::from_bytes(&bytes).unwrap(), document());
        let denied = FactsDocument {
            outcome: Outcome::Denied,
            facts: None,
            ..document()
        };
        for document in [document(), denied] {
            assert_eq!(document.to_bytes().unwrap(), json::canonical(&document).unwrap());
        }
    }

    #[test]
    fn facts_and_outcome_agree() {
        let without = FactsDocument {
            facts: None,
            ..document()
        };
        assert!(matches!(
            without.to_bytes(),
            Err(FactsError::Contradiction { facts: false, .. })
        ));
        let denied = FactsDocument {
            outcome: Outcome::Denied,
            ..document()
        };
        assert!(matches!(
            denied.to_bytes(),
            Err(FactsError::Contradiction { facts: true, .. })
        ));
    }

    #[test]
    fn unknown_members_and_wrong_names_are_refused() {
        let mut value = serde_json::to_value(document()).unwrap();
        value["extra"] = json!(1);
        assert!(FactsDocument::from_bytes(&json::canonical(&value).unwrap()).is_err());
        for id in ["", "Sshd", "a.b.c", "a.", "../a", &"a".repeat(65)] {
            assert!(ProbeId::new(id).is_err(), "{id}");
        }
    }
}
