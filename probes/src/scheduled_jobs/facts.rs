//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

pub use super::debian::LeftOut;
use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// What runs by itself at set times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScheduledJobs {
    /// The units of cron, anacron and at that there are; absent without systemd.
    pub daemons: Known<Vec<UnitState>>,
    /// Jobs of `/etc/crontab` and `/etc/cron.d`, in the order of the files; absent if neither is there.
    pub system_jobs: Known<Vec<SystemJob>>,
    /// Scripts in `/etc/cron.hourly`, `.daily`, `.weekly`, `.monthly`, `.yearly`, sorted.
    pub scripts: Known<Vec<Script>>,
    /// Crontabs of users, by uid; absent if there is no folder of them.
    pub user_crontabs: Known<Vec<UserCrontab>>,
    /// Jobs of anacron, whose commands are shown if `/etc/anacrontab` is root's; absent if it is not there.
    pub anacron_jobs: Known<Vec<AnacronJob>>,
    /// Jobs that wait for at(1); absent if there is no folder of them.
    pub at_jobs: Known<u64>,
    /// Timers of systemd that start with the machine or are active, sorted; absent without systemd.
    pub timers: Known<Vec<UnitState>>,
    /// Who may use cron and at: the files of crontab(1) and at(1).
    pub access: Vec<AccessFile>,
    /// Mode and owner of the files and folders that jobs are read from, sorted by path.
    pub places: Known<Vec<Place>>,
}

/// A job that is run for the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SystemJob {
    /// Where it is written.
    pub file: String,
    /// When it runs: five fields, or a word such as `@daily`.
    pub schedule: String,
    /// As whom it runs; absent if `/etc/passwd` does not have the user.
    pub uid: Known<u32>,
    /// What is run. Left out if others than root may write the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// SHA-256 of the command.
    pub command_sha256: String,
    /// Why Debian's cron leaves out the file with all its jobs; other crons may take it. Not there if it takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_by_debian: Option<LeftOut>,
}

/// A file in a folder whose scripts are run at set times.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Script {
    /// Its path.
    pub path: String,
    /// Whether root may execute it; run-parts(8) leaves out others.
    pub executable: bool,
    /// Whether its name is of letters, digits, dashes and underscores; run-parts(8) of Debian leaves out others.
    pub plain_name: bool,
    /// Mode, octal, of what it is or leads to.
    pub mode: String,
    /// Owner.
    pub uid: u32,
}

/// A user's crontab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserCrontab {
    /// Whose; absent if `/etc/passwd` does not have the user.
    pub uid: Known<u32>,
    /// Its jobs, at most 200.
    pub jobs: Vec<UserJob>,
    /// Whether all its jobs are listed.
    pub complete: bool,
    /// Why Debian's cron leaves it out with all its jobs; other crons may take it. Not there if it takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_by_debian: Option<LeftOut>,
}

/// A user's job. The command is not shown, since it may hold secrets and names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserJob {
    /// When it runs.
    pub schedule: String,
    /// SHA-256 of the command.
    pub command_sha256: String,
}

/// A job of anacron.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AnacronJob {
    /// Days, or a word such as `@monthly`.
    pub period: String,
    /// Its name.
    pub name: String,
    /// What is run. Left out if others than root may write the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// A file that names who may or may not use cron or at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessFile {
    /// Its path.
    pub path: String,
    /// How many users it names; absent if it is not there.
    pub users: Known<u64>,
}

/// A file or folder that jobs are read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Place {
    /// Its path.
    pub path: String,
    /// Mode, octal.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}
