//! What the probe tells.

use std::collections::BTreeMap;

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;
pub use crate::software::jobs::{Job, JobKind};
pub use crate::software::products::Undetermined;

/// Backup software on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Backup {
    /// Backup software that is installed, sorted by product.
    pub software: Vec<BackupSoftware>,
    /// Software of which it could not be found out whether it is installed.
    pub undetermined: Vec<Undetermined>,
    /// Configurations that say what is saved or where to, sorted by product and file.
    pub configurations: Vec<Configuration>,
    /// Folders of configurations that could not be read, with the reason, sorted.
    pub unread_configurations: Vec<String>,
    /// Repositories that root's borg and restic have used from here, sorted.
    pub repositories: Known<Vec<UsedRepository>>,
    /// Jobs that start programs which copy data but are no backup software (rsync, dumps of databases): they may be backups.
    pub copying_jobs: Vec<CopyingJob>,
    /// The cron daemons that there are, sorted; `absent` without systemd.
    pub cron: Known<Vec<UnitState>>,
    /// Places where jobs may be and that could not be read, with the reason, sorted.
    pub jobs_unread: Vec<String>,
}

/// Backup software that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupSoftware {
    /// Which one, for instance `restic`, `borgmatic`, `veeam`.
    pub product: String,
    /// The files and folders that show it, sorted.
    pub shown_by: Vec<String>,
    /// Its own units, as far as there are any, sorted; `absent` on a host without systemd.
    pub units: Known<Vec<UnitState>>,
    /// What starts it by the clock, sorted: the job's command, or a script that it names, has its program in it.
    pub jobs: Vec<Job>,
}

/// A job that copies data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CopyingJob {
    /// The program.
    pub program: String,
    /// The job.
    pub job: Job,
}

/// A configuration of backup software.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Configuration {
    /// Whose it is.
    pub product: String,
    /// Where it stands.
    pub file: String,
    /// What it says.
    pub settings: Known<Settings>,
}

/// What a configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Settings {
    /// What is saved, sorted, at most 1,000; below `/home` the part that names a person is written `*`. Empty where the
    /// configuration does not say it (a server does, or the command that starts it).
    pub paths: Vec<String>,
    /// Where to, sorted.
    pub repositories: Vec<Repository>,
    /// What is kept, by the names that the product has for it.
    pub retention: BTreeMap<String, String>,
    /// Whether what is saved is encrypted before it leaves the host.
    pub encryption: Encryption,
    /// The day (UTC) of the newest backup, where the product leaves a file from which it can be told.
    pub last_success: Option<Timestamp>,
}

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Repository {
    /// Whether it is on this host.
    pub place: Place,
    /// How it is reached: `file`, `ssh`, `sftp`, `s3`, `rest`, `rclone`, or as the product calls it.
    pub scheme: String,
}

/// Whether a repository is on this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a folder of this host; that may be a filesystem of another one.
    Local,
    /// On another host, or at a service.
    Remote,
    /// The configuration does not say.
    NotTold,
}

/// Whether what is saved is encrypted before it leaves the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// It is: the product has no other form, or the configuration orders it.
    Encrypted,
    /// It is not.
    NotEncrypted,
    /// The configuration does not say.
    #[default]
    NotTold,
}

/// A repository that root's borg or restic has used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct UsedRepository {
    /// `borg` or `restic`.
    pub product: String,
    /// Its id, first 16 digits: two hosts with the same one share a repository.
    pub id: String,
    /// Where it was at the last use.
    pub repository: Repository,
    /// Whether it is encrypted.
    pub encryption: Encryption,
    /// The day (UTC) on which its list of archives last changed by this host: of borg the time in its manifest, of restic
    /// when a snapshot was last put into the local cache. `None` if that is not told.
    pub last_change: Option<Timestamp>,
}
