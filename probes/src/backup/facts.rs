//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Backup of the host's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Backup {
    /// Tools that this probe knows and found, sorted by name. That one is installed does not mean that anything is backed up.
    pub tools: Vec<BackupTool>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupTool {
    /// For instance `restic`, `borgmatic`, `bareos`.
    pub name: String,
    /// The file or folder that shows that it is installed; left out if only a unit does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_at: Option<String>,
    /// Those of its units that there are; absent without systemd.
    pub units: Known<Vec<UnitState>>,
    /// Its configuration files that are there, sorted.
    pub config_files: Known<Vec<String>>,
    /// Files of cron that name its program, sorted.
    pub cron: Known<Vec<String>>,
    /// Where backups go; absent if the probe does not know the tool's configuration or there is none.
    pub repositories: Known<Vec<Repository>>,
    /// Day of the last backup, as far as the time of a file tells: seconds since 1970 at its beginning in UTC. For tools that
    /// a persistent timer starts it is the day on which that timer last did.
    pub last_day: Known<i64>,
}

/// Where backups go: without address and credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Repository {
    /// Whether it lies elsewhere than on the host's own filesystems. A path may still be a mounted share.
    pub remote: bool,
    /// How it is reached: `file`, or the scheme of its address, for instance `ssh`, `s3`, `sftp`, `rest`.
    pub transport: String,
}
