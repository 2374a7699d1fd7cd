//! What the probe tells.

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;
pub use crate::software::jobs::{Job, JobKind};
pub use crate::software::products::Undetermined;

/// What watches files for change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileIntegrity {
    /// Software that is installed, sorted by product.
    pub software: Vec<IntegritySoftware>,
    /// Software of which it could not be found out whether it is installed.
    pub undetermined: Vec<Undetermined>,
    /// AIDE; `absent` if it or its configuration is not there.
    pub aide: Known<Aide>,
    /// Syscheck of Wazuh or OSSEC; `absent` if it is not there.
    pub syscheck: Known<Syscheck>,
    /// osquery's watch over files; `absent` if it or its configuration is not there.
    pub osquery: Known<Osquery>,
    /// samhain; `absent` if it or its configuration is not there.
    pub samhain: Known<Baseline>,
    /// Tripwire; `absent` if it is not there.
    pub tripwire: Known<Tripwire>,
    /// The kernel's own measurement of files.
    pub ima: Ima,
    /// What the dynamic linker loads into every program, sorted by path; `absent` if `/etc/ld.so.preload` is not there.
    pub preload: Known<Vec<PreloadedLibrary>>,
    /// The cron daemons that there are, sorted; `None` if no software is installed, `absent` without systemd.
    pub cron: Option<Known<Vec<UnitState>>>,
    /// Places where jobs may be and that could not be read, with the reason, sorted.
    pub jobs_unread: Vec<String>,
}

/// Software that watches files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IntegritySoftware {
    /// Which one, for instance `aide`, `wazuh_or_ossec`, `rkhunter`.
    pub product: String,
    /// The files and folders that show it, sorted.
    pub shown_by: Vec<String>,
    /// Its units, as far as there are any, sorted; `absent` on a host without systemd.
    pub units: Known<Vec<UnitState>>,
    /// What starts it by the clock, sorted.
    pub jobs: Vec<Job>,
}

/// AIDE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Aide {
    /// The configuration.
    pub file: String,
    /// Files that it includes and that were read; those that it would run were not.
    pub included: u64,
    /// The database that is compared with: a path, or a URL without credentials; `None` if no setting tells of it, so that
    /// Debian's AIDE refuses to work.
    pub database: Option<String>,
    /// The day (UTC) on which the database was last written; `absent` if there is none, so that AIDE compares nothing;
    /// `unsupported` if it is no file.
    pub database_day: Known<Timestamp>,
    /// The day on which a new database was last written (`database_out`, or else `database_new`) which has not (or not yet)
    /// taken the old one's place; `absent` if there is none.
    pub new_database_day: Known<Timestamp>,
    /// Rules that select files, in all files; of conditions those of the part that holds.
    pub selections: u64,
    /// Rules that leave files out, likewise.
    pub exclusions: u64,
    /// What the rules that select files compare, sorted: attributes of aide.conf(5), groups resolved. Which hashes and extended
    /// attributes are in AIDE's own groups depends on how it was built: told are those of AIDE 0.18 of Debian.
    pub attributes: Vec<AideAttribute>,
    /// Names in those rules that are neither attributes nor groups, sorted, at most 20: AIDE refuses to work, or a script
    /// defines them.
    pub undefined_groups: Vec<String>,
    /// Where its own reports go (`report_url`), sorted, at most 20: `stdout` if nothing is set, `stderr`, `syslog:…`, a path, or
    /// a URL without credentials.
    pub reports: Vec<String>,
    /// What Debian's daily check mails; `absent` without `/etc/default/aide`.
    pub mail: Known<AideMail>,
}

/// An attribute that AIDE compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AideAttribute {
    /// For instance `p` (permissions), `u`, `g`, `acl`, `xattrs`, `sha256`.
    pub name: String,
    /// How many of `selections` compare it.
    pub selections: u64,
}

/// What Debian's daily check mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AideMail {
    /// To whom.
    pub to: MailTo,
    /// Whether it mails only what has changed.
    pub only_changes: bool,
    /// Whether it never mails.
    pub never: bool,
}

/// To whom mail goes; the address is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailTo {
    /// Root of this host.
    Root,
    /// Another user of this host, or several.
    LocalUser,
    /// An address of mail, or several.
    Address,
}

/// A library that the dynamic linker loads into every program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreloadedLibrary {
    /// As it is written.
    pub path: String,
    /// The file; `absent` if it is not there, so that the linker goes on without it; `unsupported` if it is named without its
    /// folder.
    pub file: Known<PreloadedFile>,
}

/// The file of a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreloadedFile {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its mode, four octal digits.
    pub mode: String,
    /// Whether its group or everybody may write to it or to its folder.
    pub writable_by_others: bool,
}

/// Syscheck of Wazuh or OSSEC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Syscheck {
    /// Whether it is switched off; without the setting it is on.
    pub disabled: bool,
    /// Seconds between scans; 43,200 if nothing is set.
    pub frequency: u64,
    /// Folders and files that it watches, sorted, at most 1,000.
    pub directories: Vec<String>,
    /// Those of them that are watched all the time (`realtime` or `whodata`), sorted.
    pub realtime: Vec<String>,
}

/// osquery's watch over files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Osquery {
    /// Whether events of files are on (`--enable_file_events` and not `--disable_events`).
    pub file_events: bool,
    /// Categories of paths that are watched, sorted.
    pub categories: Vec<String>,
}

/// Software with a database of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Baseline {
    /// Its database.
    pub database: String,
    /// The day (UTC) on which the database was last written; `absent` if there is none.
    pub database_day: Known<Timestamp>,
}

/// Tripwire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tripwire {
    /// The day (UTC) on which a database was last written; `None` if there is none.
    pub database_day: Option<Timestamp>,
    /// Whether policy and configuration lie there in plain text too (`twpol.txt`, `twcfg.txt`).
    pub plain_text: bool,
}

/// The kernel's integrity measurement architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ima {
    /// Whether the kernel has it, as far as securityfs shows; `absent` where that is not mounted.
    pub available: Known<bool>,
    /// The parameters of the running kernel whose names begin with `ima` or `evm`, sorted, for instance `ima_appraise=fix`.
    pub parameters: Known<Vec<String>>,
    /// Whether a policy lies in `/etc/ima`, which systemd loads at boot.
    pub policy_file: Known<bool>,
}
