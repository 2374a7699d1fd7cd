//! Rules.

use controls::rule::{Bearing, Severity};
use controls::status::HostCounts;
use evidence::facts::ProbeId;
use evidence::{Digest, Timestamp};
use serde::Serialize;

use super::AsOf;

/// One rule of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleSummary {
    /// Its id.
    pub id: String,
    /// What it finds.
    pub title: String,
    /// How much a `not_met` matters.
    pub severity: Severity,
    /// The facts document that it reads.
    pub reads: ProbeId,
    /// SHA-256 of its file.
    pub digest: Digest,
    /// The controls that it bears on.
    pub controls: Vec<Bearing>,
    /// Where hosts in scope stand.
    pub hosts: HostCounts,
}

/// One rule, with its texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// In short.
    pub summary: RuleSummary,
    /// Why it matters.
    pub rationale: String,
    /// What to do about a `not_met`.
    pub remedy: String,
    /// What it cannot see.
    pub cannot_see: Vec<String>,
    /// Its expressions in the order in which they are evaluated: name and CEL.
    pub expressions: Vec<(String, String)>,
    /// The value of each parameter.
    pub values: serde_json::Value,
}

/// The rules that are in force, by the last entry of the log that says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulesInForce {
    /// Index of the entry.
    pub index: u64,
    /// Since when.
    pub at: Timestamp,
    /// Version of the collector that brought them.
    pub collector_version: String,
    /// Seconds for which a statement speaks at most.
    pub freshness_seconds: u64,
    /// Names the rule files: SHA-256 of their manifest.
    pub digest: Digest,
}
