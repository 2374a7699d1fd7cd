//! The manifest: the list of a host's current facts documents, in the form that `sha256sum -c` reads.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::digest::{Digest, DigestError};
use crate::facts::{FactsError, ProbeId};

/// A manifest has this many lines at most: ten times the probes that one can imagine.
pub const MAX_LINES: usize = 1024;
/// Longest manifest: digest, two spaces, 64 characters of id, `.json`, line end, per line.
pub const MAX_BYTES: usize = MAX_LINES * 136;

/// The facts documents of a host by the id of their probe. Its bytes are lines `<64 hex digits>  <probe>.json`, sorted
/// by probe; its name is their SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest(BTreeMap<ProbeId, Digest>);

/// Bytes that are no manifest.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Over [`MAX_BYTES`] or [`MAX_LINES`].
    #[error("the manifest has {length} bytes, at most {MAX_BYTES} bytes and {MAX_LINES} lines are allowed")]
    TooLarge {
        /// Bytes found.
        length: usize,
    },
    /// Not UTF-8, or the last line has no end.
    #[error("the manifest is not text of whole lines")]
    Text,
    /// A line not of the form `<64 hex digits>  <probe>.json`.
    #[error("line {line} of the manifest is not \"<sha256>  <probe>.json\"")]
    Line {
        /// Line number, from 1.
        line: usize,
    },
    /// A digest not written as 64 lower-case hexadecimal digits.
    #[error("line {line} of the manifest: {error}")]
    Digest {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        error: DigestError,
    },
    /// A file name that is no probe's.
    #[error("line {line} of the manifest: {error}")]
    Probe {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        error: FactsError,
    },
    /// Lines that are not sorted by file name, or a file named twice.
    #[error("line {line} of the manifest is out of order or repeated")]
    Order {
        /// Line number, from 1.
        line: usize,
    },
}

impl Manifest {
    /// A manifest of these documents; the last of several for one probe counts.
    pub fn new(documents: impl IntoIterator<Item = (ProbeId, Digest)>) -> Self {
        Self(documents.into_iter().collect())
    }

    /// The documents, sorted by probe.
    pub fn documents(&self) -> &BTreeMap<ProbeId, Digest> {
        &self.0
    }

    /// The bytes, as they are stored and hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let line = |(probe, digest): (&ProbeId, &Digest)| format!("{digest}  {}\n", probe.file_name()).into_bytes();
        self.0.iter().flat_map(line).collect()
    }

    /// Its name.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads a manifest strictly: what is accepted is exactly what [`Self::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
        let too_large = ManifestError::TooLarge { length: bytes.len() };
        if bytes.len() > MAX_BYTES {
            return Err(too_large);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::Text)?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(ManifestError::Text);
        }
        let mut documents = BTreeMap::new();
        for (index, entry) in text.split_terminator('\n').enumerate() {
            let line = index + 1;
            if line > MAX_LINES {
                return Err(too_large);
            }
            let (digest, file) = entry.split_once("  ").ok_or(ManifestError::Line { line })?;
            let probe = file.strip_suffix(".json").ok_or(ManifestError::Line { line })?;
            let digest = digest.parse().map_err(|error| ManifestError::Digest { line, error })?;
            let probe = ProbeId::new(probe).map_err(|error| ManifestError::Probe { line, error })?;
            if documents.last_key_value().is_some_and(|(last, _)| *last >= probe) {
                return Err(ManifestError::Order { line });
            }
            documents.insert(probe, digest);
        }
        Ok(Self(documents))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_back_what_it_writes_and_nothing_else() {
        let manifest = Manifest::new(
            ["sshd", "accounts", "accounts.names"].map(|id| (ProbeId::new(id).unwrap(), Digest::of(id.as_bytes()))),
        );
        let bytes = manifest.to_bytes();
        assert_eq!(Manifest::from_bytes(&bytes).unwrap(), manifest);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.lines().next().unwrap().ends_with("  accounts.json"));

        let reversed = text.split_inclusive('\n').rev().collect::<String>();
        assert!(matches!(
            Manifest::from_bytes(reversed.as_bytes()),
            Err(ManifestError::Order { line: 2 })
        ));
        assert!(matches!(
            Manifest::from_bytes(text.trim_end().as_bytes()),
            Err(ManifestError::Text)
        ));
        assert!(matches!(
            Manifest::from_bytes(text.to_uppercase().as_bytes()),
            Err(ManifestError::Line { line: 1 })
        ));
        assert!(matches!(
            Manifest::from_bytes(text.replace("sshd", "../sshd").as_bytes()),
            Err(ManifestError::Probe { line: 3, .. })
        ));
        assert!(matches!(
            Manifest::from_bytes(&vec![b'\n'; MAX_BYTES + 1]),
            Err(ManifestError::TooLarge { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read_back(text in "([0-9a-f]{64}  [a-c.]{1,3}(.json)?\n){0,4}\\PC{0,3}") {
            if let Ok(manifest) = Manifest::from_bytes(text.as_bytes()) {
                prop_assert_eq!(manifest.to_bytes(), text.as_bytes());
            }
        }
    }
}
