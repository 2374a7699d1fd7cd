//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::formats::systemd::UnitState;
use crate::probe::Known;

/// Updates that the host installs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AutomaticUpdates {
    /// The units that fetch or install updates, as far as they are there; absent without systemd.
    pub units: Known<Vec<UnitState>>,
    /// apt and unattended-upgrades; absent if the host has no apt.
    pub apt: Known<AptUpdates>,
    /// The configuration of dnf-automatic or, before it, yum-cron, the built-in defaults included; absent if neither is
    /// configured.
    pub dnf: Known<DnfUpdates>,
    /// Settings of SUSE's automatic online update (`/etc/sysconfig/automatic_online_update`) and of transactional-update,
    /// by name; absent if neither has a file.
    pub suse: Known<BTreeMap<String, String>>,
    /// When snapd may refresh snaps (`refresh.timer`, `refresh.hold`, `refresh.metered`, `refresh.retain`), those that are set, by
    /// name; absent without snapd.
    pub snap: Known<BTreeMap<String, String>>,
}

/// apt's periodic work (`/usr/lib/apt/apt.systemd.daily`) and unattended-upgrades.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct AptUpdates {
    /// Whether `/usr/bin/unattended-upgrade` is there.
    pub unattended_upgrades_installed: bool,
    /// `APT::Periodic::Enable`: whether apt does anything periodically.
    pub enabled: bool,
    /// `APT::Periodic::Update-Package-Lists`.
    pub update_lists: Period,
    /// `APT::Periodic::Download-Upgradeable-Packages`.
    pub download: Period,
    /// `APT::Periodic::Unattended-Upgrade`.
    pub unattended_upgrade: Period,
    /// `Unattended-Upgrade::Origins-Pattern` and `Unattended-Upgrade::Allowed-Origins`: from where updates are installed, as
    /// written.
    pub origins: Vec<String>,
    /// Those of `origins` that name a security archive.
    pub security_origins: Vec<String>,
    /// `Unattended-Upgrade::Package-Blacklist`: patterns of packages that are never updated.
    pub package_blacklist: Vec<String>,
    /// `Unattended-Upgrade::Package-Whitelist`: if not empty, only these are updated.
    pub package_whitelist: Vec<String>,
    /// `Unattended-Upgrade::Automatic-Reboot`.
    pub automatic_reboot: bool,
    /// `Unattended-Upgrade::Automatic-Reboot-Time`, `now` if not set.
    pub automatic_reboot_time: String,
    /// Whether a report is mailed to somebody (`Unattended-Upgrade::Mail`).
    pub mail_report: bool,
    /// Day on which lists were last fetched by the periodic work.
    pub lists_updated: Known<i64>,
    /// Day on which unattended-upgrades last ran to its end as part of the periodic work (`upgrade-stamp`).
    pub upgraded: Known<i64>,
    /// Day of the last entry in the log of unattended-upgrades. Days are seconds since 1970 at their beginning in UTC.
    pub logged: Known<i64>,
    /// Why other settings may be in force than these; at most 100.
    pub doubts: Vec<String>,
}

/// How often something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Period {
    /// Whether it is done at all.
    pub on: bool,
    /// As written: days, or a number with `s`, `m`, `h`, `d`, or `always`; `0` if not set.
    pub every: String,
}

/// dnf-automatic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DnfUpdates {
    /// The file that was read.
    pub file: String,
    /// Whether updates are downloaded.
    pub download_updates: bool,
    /// Whether updates are installed. The timers `dnf-automatic-install.timer`, `-download` and `-notifyonly` decide instead
    /// of this.
    pub apply_updates: bool,
    /// `default` (all updates) or `security`; yum-cron has more words.
    pub upgrade_type: String,
    /// `never`, `when-changed` or `when-needed`.
    pub reboot: String,
    /// How results are told: `stdio`, `email`, `command`, `motd`.
    pub emit_via: Vec<String>,
}
