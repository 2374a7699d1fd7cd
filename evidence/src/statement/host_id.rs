//! The names that a collector gives to hosts.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A host's id, given at enrolment and never given again: 1 to 64 of `a-z`, `0-9` and `-`, beginning with a letter or
/// digit, so that it can be a file's name. `collector` is kept for the collector's own entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostId(String);

/// A text that is no host's id.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{id:?} is not a host's id: 1 to 64 of a-z, 0-9 and '-' expected")]
pub struct HostIdError {
    /// The beginning of what was found.
    pub id: String,
}

impl HostId {
    /// Not a host: where a host's id would stand for the collector's own entries.
    pub const COLLECTOR: &'static str = "collector";

    /// Checks the form.
    pub fn new(id: impl Into<String>) -> Result<Self, HostIdError> {
        let id = id.into();
        let form = id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if form && (1..=64).contains(&id.len()) && !id.starts_with('-') && id != Self::COLLECTOR {
            Ok(Self(id))
        } else {
            Err(HostIdError {
                id: id.chars().take(80).collect(),
            })
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for HostId {
    type Error = HostIdError;
    fn try_from(id: String) -> Result<Self, HostIdError> {
        Self::new(id)
    }
}

impl std::str::FromStr for HostId {
    type Err = HostIdError;
    fn from_str(id: &str) -> Result<Self, HostIdError> {
        Self::new(id)
    }
}

impl From<HostId> for String {
    fn from(id: HostId) -> Self {
        id.0
    }
}
