//! What the service says about itself, for `status`: a small file that is replaced now and then. Nothing is derived from
//! it.

use evidence::Timestamp;
use evidence::wire::RefusalCode;
use serde::{Deserialize, Serialize};

/// What the service says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Since when it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The last collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected: Option<Collected>,
    /// When the collector last answered anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// This host's clock minus the collector's, seconds, at the last check-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_ahead_seconds: Option<i64>,
    /// Why the collector cannot be reached, while it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<Noted>,
    /// The statement that the collector does not take, while it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<StatementRefused>,
    /// Why statements cannot be spooled, while they cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool: Option<Noted>,
    /// Until when the client certificate is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_until: Option<Timestamp>,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// When it was complete.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub millis: u64,
    /// How many documents it brought.
    pub documents: u64,
    /// Those whose outcome is not `observed`.
    pub not_observed: Vec<String>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Since when.
    pub since: Timestamp,
    /// In a person's words.
    pub detail: String,
}

impl Noted {
    /// Keeps the beginning of a trouble that goes on.
    pub(super) fn going_on(before: Option<Self>, detail: String, now: Timestamp) -> Self {
        Self {
            since: before.map_or(now, |before| before.since),
            detail,
        }
    }
}

/// A statement that the collector does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRefused {
    /// Its number.
    pub sequence: u64,
    /// Since when.
    pub since: Timestamp,
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, for people.
    pub detail: String,
}
