//! Findings: hosts and rules.

use controls::finding::Finding;
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::statement::HostId;
use serde::Serialize;

use super::AsOf;

/// Which findings. Conditions that are `None` hold for every finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingFilter {
    /// Of this host only.
    pub host: Option<HostId>,
    /// By this rule (id) only.
    pub rule: Option<String>,
    /// With one of these verdicts only; with any if empty.
    pub verdicts: Vec<Verdict>,
}

/// A finding in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedFinding {
    /// The host's name.
    pub name: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Since when the host has had the facts that were judged, or has been silent, if the list is about an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// All about one rule on one host. The rule's texts are in `controls::rule`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// The host's name.
    pub name: String,
    /// What the rule finds.
    pub title: String,
    /// At the end of the period.
    pub last: ListedFinding,
    /// Over the period, without holes, the oldest first.
    pub history: Vec<Finding>,
}
