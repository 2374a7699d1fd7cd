//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// The kernel's audit system and its daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Audit {
    /// Whether auditd is installed.
    pub installed: bool,
    /// The units `auditd.service` and, in newer versions, `audit-rules.service`; absent without systemd.
    pub units: Known<Vec<UnitState>>,
    /// What `auditd.conf` says; absent if auditd is not installed.
    pub daemon: Known<Daemon>,
    /// The state of the kernel's audit system now.
    pub kernel: Known<KernelState>,
    /// What the running kernel was told on its command line.
    pub command_line: Known<CommandLine>,
    /// What loads rules when auditd starts; absent without systemd, where augenrules is taken to.
    pub loader: Known<Loader>,
    /// The rules that it then loads; absent if nothing loads rules.
    pub configured: Known<RuleSet>,
    /// The rules that the kernel has loaded.
    pub loaded: Known<RuleSet>,
    /// Configured rules that the kernel has not loaded, in canonical form, sorted.
    pub configured_not_loaded: Known<Vec<String>>,
    /// Loaded rules that are not configured, in canonical form, sorted; they are gone after the next boot.
    pub loaded_not_configured: Known<Vec<String>>,
    /// Plugins that auditd hands events to; absent if auditd is not installed.
    pub plugins: Known<Vec<Plugin>>,
    /// Where the plugin `au-remote` sends events; absent if there is no configuration of it.
    pub remote_server: Known<String>,
}

/// Settings of auditd (auditd.conf(5)); where the file says nothing, the default that the manual names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Daemon {
    /// Whether events are written to disk (`write_logs`).
    pub write_logs: bool,
    /// Where the log lies.
    pub log_file: String,
    /// Mode of the log file, octal; absent if there is none yet.
    pub log_file_mode: Known<String>,
    /// Owner of the log file, uid.
    pub log_file_uid: Known<u32>,
    /// Mode of the log's folder, octal.
    pub log_folder_mode: Known<String>,
    /// Who gets mail when space runs out (`action_mail_acct`).
    pub mail: MailTo,
    /// The settings as they are written, lower case, by name: `max_log_file_action`, `space_left_action`,
    /// `admin_space_left_action`, `disk_full_action`, `disk_error_action`, `max_log_file`, `num_logs`, `flush`, `freq`,
    /// `log_group`, `log_format`, `name_format`, `space_left`, `admin_space_left`, `overflow_action`, `local_events`,
    /// `tcp_listen_port`, `distribute_network`; those not written are left out.
    pub settings: BTreeMap<String, String>,
}

/// Who gets mail from auditd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailTo {
    /// root, which is also the default.
    Root,
    /// Somebody else, whose name is not told.
    Other,
    /// Nobody: the value is empty.
    Nobody,
}

/// `auditctl -s`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KernelState {
    /// Whether events are made, and whether rules can be changed before the next boot.
    pub enabled: Enabled,
    /// What the kernel does when it cannot hand events over.
    pub failure: Failure,
    /// Whether a daemon has registered for events.
    pub daemon_registered: bool,
    /// Events that may wait for the daemon.
    pub backlog_limit: u64,
    /// Events per second that are not dropped; 0 is any number.
    pub rate_limit: u64,
    /// Whether events were lost since the kernel started.
    pub lost_events: bool,
    /// Whether a login's user id can be set once alone; absent in old kernels.
    pub loginuid_immutable: Known<bool>,
}

/// State of the audit system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enabled {
    /// No events are made (`-e 0`).
    Off,
    /// Events are made (`-e 1`).
    On,
    /// Events are made, and the rules cannot be changed until the next boot (`-e 2`).
    Locked,
}

/// What the kernel does when it cannot hand events over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Nothing (`-f 0`).
    Silent,
    /// Writes to its own log (`-f 1`).
    Printk,
    /// Halts the host (`-f 2`).
    Panic,
}

/// Options of the kernel's command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CommandLine {
    /// `audit=`: `1` audits processes that start before auditd does. Left out if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<String>,
    /// `audit_backlog_limit=`. Left out if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_backlog_limit: Option<u64>,
}

/// What loads rules when auditd starts, as `auditd.service` and `audit-rules.service` say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Loader {
    /// `augenrules --load`: the files of `/etc/audit/rules.d`, and `/etc/audit/audit.rules` only without that folder.
    Augenrules,
    /// `auditctl -R`: a file alone, whatever lies in `/etc/audit/rules.d`.
    Auditctl {
        /// The file.
        file: String,
    },
    /// Nothing.
    Nothing,
}

/// A set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleSet {
    /// The files that they are from, in the order in which they were read; empty for the kernel's own.
    pub files: Vec<String>,
    /// `-e`, if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Enabled>,
    /// `-f`, if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// `-b`, if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_limit: Option<u64>,
    /// Whether `--loginuid-immutable` is given.
    pub loginuid_immutable: bool,
    /// The rules in canonical form, in the order in which they are asked (`-A` puts one before all): fields and system
    /// calls sorted, keys left out.
    pub rules: Vec<String>,
    /// Paths that are watched, with the permissions `r`, `w`, `x`, `a`, that make an event.
    pub watched: BTreeMap<String, String>,
    /// What is audited and what is not, by area: `time_change`, `identity`, `administrators`, `privileged_actions`,
    /// `network_configuration`, `mandatory_access`, `sessions`, `logins`, `permission_changes`, `denied_access`, `mounts`,
    /// `deletions`, `modules`, `audit_configuration`. A rule without conditions that keeps events from being made takes away
    /// what it stands before, and one of the list `task` takes away all.
    pub coverage: BTreeMap<String, Coverage>,
    /// Rules that keep events from being made (`never`, and the list `exclude`).
    pub exclusions: u64,
    /// How many rules have each key (`-k`), by which ausearch(8) finds their events.
    pub keys: BTreeMap<String, u64>,
    /// How many have none.
    pub without_key: u64,
    /// Lines that could not be understood, or that stand after `-e 2` where no more is taken, as `path:line`; at most 100.
    pub unparsed: Vec<String>,
}

/// How far an area is audited. System calls stand as `NAME (b64)`, files as paths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Coverage {
    /// What a rule asks for, at least under some condition.
    pub audited: Vec<String>,
    /// What no rule asks for.
    pub not_audited: Vec<String>,
}

/// A plugin of auditd.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Plugin {
    /// Name of its file without `.conf`, for instance `au-remote` or `syslog`.
    pub name: String,
    /// Whether it is switched on.
    pub active: bool,
}
