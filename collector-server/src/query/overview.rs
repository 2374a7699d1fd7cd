//! The state of everything, in short.

use controls::coverage::{CoverageCounts, ScopeSource};
use controls::status::ControlStatus;
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::AsOf;

/// The state of everything, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    /// What it is about.
    pub as_of: AsOf,
    /// How many controls have which status.
    pub statuses: StatusCounts,
    /// Every control of the catalogue, in its order.
    pub controls: Vec<ControlStatus>,
    /// Where the scope comes from.
    pub scope: ScopeSource,
    /// Whether every host in scope has a statement that speaks.
    pub complete: bool,
    /// How many hosts in scope have come how far.
    pub coverage: CoverageCounts,
    /// Enrolled hosts, in scope or not.
    pub hosts: HostTotals,
    /// The newest statement of any host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
    /// Seconds since the oldest of the last statements of the hosts in scope; absent if one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_age: Option<u64>,
}

/// How many controls have which status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StatusCounts {
    /// Evidence from hosts supports them.
    pub supported: u64,
    /// Evidence from hosts contradicts them.
    pub contradicted: u64,
    /// Something is missing for either.
    pub unknown: u64,
    /// No rule bears on them.
    pub not_evidenced: u64,
}

/// How many enrolled hosts report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HostTotals {
    /// All that ever enrolled.
    pub enrolled: u64,
    /// A statement speaks for them.
    pub fresh: u64,
    /// None does any more.
    pub silent: u64,
    /// They never stated anything.
    pub never_stated: u64,
    /// Their keys were revoked.
    pub revoked: u64,
    /// They are not in scope.
    pub outside_scope: u64,
}

/// A verdict that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Of which host.
    pub host: HostId,
    /// The host's name.
    pub name: String,
    /// By which rule.
    pub rule: String,
    /// What the rule finds.
    pub title: String,
    /// The verdict before.
    pub before: Verdict,
    /// The verdict from then on.
    pub after: Verdict,
    /// Why it is `unknown` or `not_applicable` now; else empty.
    pub reason: String,
}
