//! Coverage at present, for any number of hosts. `controls::Coverage` has it host by host.

use controls::coverage::{CoverageCounts, ScopeSource};
use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::{AsOf, Paged};

/// Coverage at present: totals, and the hosts that are missed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoverageNow {
    /// What it is about.
    pub as_of: AsOf,
    /// Where the scope comes from.
    pub scope: ScopeSource,
    /// Whether every host in scope has a statement that speaks.
    pub complete: bool,
    /// How many hosts in scope have come how far.
    pub counts: CoverageCounts,
    /// Hosts in scope for which no statement speaks, by name.
    pub missing: Paged<MissingHost>,
    /// Names of hosts that enrolled and are not in scope.
    pub outside_scope: Paged<String>,
}

/// A host in scope for which no statement speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingHost {
    /// Its name.
    pub name: String,
    /// Its id; absent if it never enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// The last instant at which it stated something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_statement: Option<Timestamp>,
    /// Since when no statement speaks for it; absent if none ever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Timestamp>,
    /// When its keys were revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}
