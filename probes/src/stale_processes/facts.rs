//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Services whose processes still run code that was replaced on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StaleProcesses {
    /// Units with such processes, sorted. None of them says nothing unless `covered` is `all`.
    pub units: Vec<StaleUnit>,
    /// Packages that the replaced files are of, sorted; what dpkg knows. Absent without dpkg.
    pub packages: Known<Vec<String>>,
    /// How many of the host's processes could be looked at, in words, since numbers change all the time.
    pub covered: Covered,
    /// Why processes could not be looked at, each reason once.
    pub unread: Vec<String>,
    /// Whether there are processes in containers, whose files are not those of the host and which are left out.
    pub containers: bool,
}

/// A unit with stale processes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct StaleUnit {
    /// The unit's name; `session-*.scope` for all login sessions together; empty for processes of no unit.
    pub unit: String,
    /// Replaced programs and libraries that its processes run, sorted; at most 200.
    pub files: Vec<String>,
    /// Whether the program itself is among them, and not libraries alone.
    pub program: bool,
}

/// How many processes could be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covered {
    /// All that there were.
    All,
    /// Some; of the others nothing is said.
    Some,
    /// None.
    None,
}
