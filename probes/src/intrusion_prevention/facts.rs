//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;
use crate::software::products::{Installed, Undetermined};

/// What bars addresses and logins after failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IntrusionPrevention {
    /// Programs for that, with the states of their units.
    pub products: Vec<Installed>,
    /// Programs of which it is not known whether they are there.
    pub undetermined: Vec<Undetermined>,
    /// fail2ban, by its files of jails; `malformed` where it refuses to start with them.
    pub fail2ban: Known<Fail2ban>,
    /// `CrowdSec`, by its configuration.
    pub crowdsec: Known<Crowdsec>,
    /// sshguard, by its configuration.
    pub sshguard: Known<Sshguard>,
    /// `DenyHosts`: the settings of its configuration that are set, among them its thresholds.
    pub denyhosts: Known<BTreeMap<String, String>>,
}

/// The jails of fail2ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fail2ban {
    /// The files, in the order in which the later counts.
    pub files: Vec<String>,
    /// The jails that are enabled, sorted by name.
    pub jails: Vec<Jail>,
    /// How many jails are described and not enabled.
    pub not_enabled: u64,
}

/// A jail that is enabled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Jail {
    /// Its name.
    pub name: String,
    /// The filter that finds failures, without its options.
    pub filter: String,
    /// Whether there are files of its filter and its actions: fail2ban leaves the jail out otherwise.
    pub complete: Known<bool>,
    /// Where it looks for failures.
    pub source: Known<FailureSource>,
    /// After how many failures an address is barred; `absent` if nothing is set, and fail2ban's own default holds.
    pub maxretry: Known<i64>,
    /// Within how many seconds.
    pub findtime: Known<i64>,
    /// For how many seconds; negative: for ever.
    pub bantime: Known<i64>,
    /// Whether each time is longer than the one before (`bantime.increment`).
    pub bantime_increment: bool,
    /// The ports that are barred, as written; most actions bar no others. Null if none are set.
    pub port: Option<String>,
    /// What is done with an address, by the names of actions; none bars nobody.
    pub actions: Vec<String>,
    /// Whether addresses of the host itself are let off.
    pub ignoreself: bool,
    /// How many entries of addresses are let off besides (`ignoreip`).
    pub ignoreip: u64,
    /// Whether a command decides who is let off (`ignorecommand`).
    pub ignorecommand: bool,
}

/// Where a jail looks for failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureSource {
    /// In the journal.
    Journal,
    /// In files of which there is at least one.
    Files,
    /// In files of which there is none: fail2ban does not start with such a jail.
    NoFile,
}

/// `CrowdSec`'s engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Crowdsec {
    /// How many sources of logs are described (`acquis.yaml` and `acquis.d`).
    pub acquisitions: Known<u64>,
    /// Whether decisions are only simulated for all scenarios (`simulation.yaml`).
    pub simulation: Known<bool>,
    /// Whether its interface for decisions is served here.
    pub api_server: bool,
    /// Whether that interface can be reached from this host alone; null if it is not served or the address is not told.
    pub api_loopback: Option<bool>,
    /// What carries decisions out, by the names of configurations in `bouncers`; none bars nobody.
    pub bouncers: Known<Vec<String>>,
}

/// sshguard's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sshguard {
    /// The program that bars addresses, without its folder; null if none is set, and sshguard does not start.
    pub backend: Option<String>,
    /// The score from which an address is barred; most attacks have 10.
    pub threshold: Known<i64>,
    /// For how many seconds the first time.
    pub block_time: Known<i64>,
    /// For how many seconds an attack is remembered.
    pub detection_time: Known<i64>,
    /// Whether some are barred for ever (`BLACKLIST_FILE`).
    pub blacklist: bool,
    /// How many entries of addresses and names are let off (`WHITELIST_FILE`); `absent` without such a file.
    pub whitelist: Known<u64>,
}
