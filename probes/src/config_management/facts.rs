//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;
pub use crate::software::jobs::{Job, JobKind};
pub use crate::software::products::Undetermined;

/// Software that keeps the host as it is ordered to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigManagement {
    /// What is installed, sorted by product; empty: none of it, if `undetermined` is empty too.
    pub agents: Vec<ConfigAgent>,
    /// Software of which it could not be found out whether it is installed.
    pub undetermined: Vec<Undetermined>,
    /// The cron daemons that there are, sorted; `None` if nothing is installed, `absent` without systemd.
    pub cron: Option<Known<Vec<UnitState>>>,
    /// Places where jobs may be and that could not be read, with the reason, sorted.
    pub jobs_unread: Vec<String>,
}

/// Configuration management that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigAgent {
    /// Which one: `ansible`, `bigfix`, `cfengine`, `chef`, `cloud_init`, `insights`, `landscape`, `puppet`, `rudder`, `salt`,
    /// `subscription_manager`, `uyuni`.
    pub product: String,
    /// The files and folders that show it, sorted.
    pub shown_by: Vec<String>,
    /// Its units, as far as there are any, sorted; `absent` on a host without systemd.
    pub units: Known<Vec<UnitState>>,
    /// What starts it by the clock, sorted.
    pub jobs: Vec<Job>,
    /// Hosts that it takes orders from, sorted; those that it takes if nothing is set, too. Empty: none.
    pub servers: Known<Vec<String>>,
    /// Whether somebody has switched its runs off by the software's own means.
    pub switched_off: Known<bool>,
    /// Its last run; `absent` if none has left a trace.
    pub last_run: Known<LastRun>,
}

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastRun {
    /// The day (UTC) on which it ended.
    pub day: Timestamp,
    /// Whether everything that was ordered could be done; `None` if that is not told.
    pub success: Option<bool>,
}
