//! Facts documents by digest.

use evidence::facts::FactsDocument;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use serde::Serialize;

use super::{AsOf, Paged};

/// A facts document and who has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactsDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// Its name: the SHA-256 of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub length: u64,
    /// What it says.
    pub document: FactsDocument,
    /// Its canonical bytes.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// Hosts whose last statement has it, by enrolment.
    pub holders: Paged<Holder>,
    /// Hosts that had it before, the latest first.
    pub former: Paged<Holder>,
}

/// A host that has, or had, a facts document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its id.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when; absent while no later statement says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The first statement in the log that says so.
    pub first_index: u64,
}
