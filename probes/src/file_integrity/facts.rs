//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Tools that notice changed files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileIntegrity {
    /// Those that this probe knows and found, sorted by name.
    pub tools: Vec<IntegrityTool>,
    /// How `AIDE` is set up; absent if it is not installed.
    pub aide: Known<Aide>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IntegrityTool {
    /// `aide`, `debsums`, `fs-verity`, `ima`, `osquery`, `ossec`, `samhain`, `tripwire`, `wazuh`.
    pub name: String,
    /// The file or folder that shows that it is installed; left out if only a unit does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_at: Option<String>,
    /// Those of its units that there are; absent without systemd.
    pub units: Known<Vec<UnitState>>,
    /// Files by which cron runs it, those that are there, sorted.
    pub cron: Vec<String>,
}

/// AIDE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Aide {
    /// Its configuration file.
    pub config: String,
    /// The database that it compares with.
    pub database: String,
    /// Day on which that database was made: seconds since 1970 at its beginning in UTC; absent if there is none, and then
    /// nothing is compared.
    pub database_day: Known<i64>,
    /// Mode and owner of the database: octal, and uid.
    pub database_mode: Known<String>,
    /// Paths that rules select, as written, sorted, from the configuration and what it includes; at most 2,000.
    pub selected: Vec<String>,
    /// Paths that rules leave out (`!`), as written, sorted; at most 2,000.
    pub left_out: Vec<String>,
}
