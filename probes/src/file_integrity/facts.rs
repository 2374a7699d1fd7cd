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
