//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Where log messages go, how long they are kept and who can read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Logging {
    /// The journal of systemd; absent without systemd.
    pub journald: Known<Journald>,
    /// Log daemons and shippers that have a unit, sorted by name; absent without systemd.
    pub services: Known<Vec<LogService>>,
    /// rsyslog's configuration; absent if there is none.
    pub rsyslog: Known<Rsyslog>,
    /// The destinations of syslog-ng in the network; absent if it has no configuration.
    pub syslog_ng: Known<Vec<RemoteTarget>>,
    /// Where systemd-journal-upload sends the journal: without credentials; absent if no URL is configured.
    pub journal_upload: Known<String>,
    /// How logrotate treats logs; absent if it has no configuration.
    pub rotation: Known<Rotation>,
    /// The usual log files that are there, sorted.
    pub files: Known<Vec<LogFile>>,
}

/// journald.conf(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Journald {
    /// The files, in the order in which they were read.
    pub files: Vec<String>,
    /// Where the journal is to be stored: `Storage`, the last that systemd takes, `auto` if there is none.
    pub storage: String,
    /// Whether it is to survive a reboot: `storage` is `persistent`, or it is `auto` and `/var/log/journal` is there. journald
    /// asks for `storage` when it starts.
    pub kept_over_reboot: bool,
    /// Those of `files` that were changed since journald was started, outside of `/run`, sorted; absent if it does not run.
    pub changed_since_start: Known<Vec<String>>,
    /// Where journald wrote last; absent if there is no journal file.
    pub written_last: Known<JournalPlace>,
    /// The settings that are set, as written, by name: `SystemMaxUse`, `SystemKeepFree`, `MaxRetentionSec`, `MaxFileSec`,
    /// `ForwardToSyslog`, `Compress`, `Seal`, `RateLimitIntervalSec`, `RateLimitBurst`, `MaxLevelStore`, `Audit`.
    pub settings: BTreeMap<String, String>,
    /// Whether there is a key for sealing, without which `Seal` does nothing.
    pub sealing_key: Known<bool>,
}

/// Where a journal file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalPlace {
    /// In `/var/log/journal`.
    Persistent,
    /// In `/run/log/journal`, which the next boot empties.
    Volatile,
}

/// A daemon or shipper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogService {
    /// What it is, for instance `rsyslog`, `filebeat`.
    pub name: String,
    /// Its unit.
    #[serde(flatten)]
    pub state: UnitState,
}

/// rsyslog.conf(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rsyslog {
    /// The files, in the order in which they were read.
    pub files: Vec<String>,
    /// Those of `files` that were changed since rsyslogd was started, outside of `/run`, sorted: it reads them then alone.
    /// Absent if systemd does not run it.
    pub changed_since_start: Known<Vec<String>>,
    /// Where messages are sent.
    pub targets: Vec<RemoteTarget>,
    /// Which messages are written to which files.
    pub local: Vec<LocalTarget>,
    /// The mode of new log files, octal as written (`$FileCreateMode`, or that of the module `omfile`), the last that is
    /// set; left out if none is. What holds for each file stands in `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_create_mode: Option<String>,
    /// Inputs that take messages from the network: `imudp`, `imtcp`, `imrelp`.
    pub network_inputs: Vec<String>,
}

/// A destination in the network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RemoteTarget {
    /// Host name or address, without credentials.
    pub host: String,
    /// Port, as written; left out if it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// How messages are carried: `udp`, `tcp`, `relp`, or the name of another output module.
    pub transport: String,
    /// Whether the connection is encrypted; left out for outputs of which this probe cannot tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,
    /// How the server is checked, for instance `x509/name`; left out if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_check: Option<String>,
    /// Which messages are sent, as written, for instance `*.*`; left out if a condition or rule set decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Where it is written.
    pub file: String,
}

/// A file that messages are written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LocalTarget {
    /// Which messages, as written; left out if a condition or rule set decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The file; with `%` in it a template, or the name of one, decides.
    pub path: String,
    /// The mode with which the file is made, octal as written: its own, or the one set before it; left out if none is, which
    /// is 0644.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_mode: Option<String>,
    /// Mode and owner of the file now; absent if it is not there. Left out where a template decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Known<LogFileMode>>,
}

/// Who may do what with a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogFileMode {
    /// Mode, octal.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// logrotate(8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rotation {
    /// The files, in the order in which they were read.
    pub files: Vec<String>,
    /// What each log is kept for.
    pub logs: Vec<Rotated>,
    /// Blocks that were not understood, as `path:line`; at most 100.
    pub unparsed: Vec<String>,
}

/// How some logs are rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rotated {
    /// Paths, patterns among them, as written.
    pub logs: Vec<String>,
    /// `hourly`, `daily`, `weekly`, `monthly`, `yearly`, or `size` if only the size decides; `monthly` is not assumed:
    /// empty if nothing is set.
    pub frequency: String,
    /// How many rotated files are kept; -1 is all. 0 if nothing is set, as logrotate has it.
    pub keep: i64,
    /// Days after which rotated files are removed; left out if not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<u64>,
    /// Whether rotated files are compressed.
    pub compress: bool,
    /// The mode of the file that is made in place of a rotated one, octal as written (`create`); left out if none is made
    /// (`nocreate`, or neither is set), or it is made with the mode of the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_mode: Option<String>,
    /// Whether one is made at all.
    pub creates: bool,
    /// Where it is written.
    pub file: String,
}

/// A log file or folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct LogFile {
    /// Its path.
    pub path: String,
    /// Mode, octal.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}
