//! # What
//! Whether the host installs updates by itself: from where, which, when it restarts, and when it last did.
//!
//! # Source
//! apt.conf(5) as apt merges it, `/usr/lib/apt/apt.systemd.daily`, unattended-upgrade(8); `/etc/dnf/automatic.conf`
//! (dnf-automatic(8)), `/etc/yum/yum-cron.conf`; `/etc/sysconfig/automatic_online_update`, transactional-update.conf(5); snapd's
//! `state.json`; unit files, and `systemctl list-units` for timers, of which no file tells whether they run.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for snapd's state and the log of unattended-upgrades.
//!
//! # Bears on
//! A.8.8 (management of technical vulnerabilities), A.8.19 (installation of software), A.8.32 (change management).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

use std::collections::BTreeMap;

use evidence::facts::Outcome;
use serde_json::Value;

pub use facts::*;

use crate::formats::systemd::{SYSTEMCTL, Units, syntax};
use crate::package_updates::apt_conf::AptConf;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

const DAY: i64 = 86_400;
const SNAPD: &str = "/var/lib/snapd/state.json";
const UNITS: [&str; 20] = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "auto-update.timer",
    "dnf-automatic.timer",
    "dnf-automatic-download.timer",
    "dnf-automatic-install.timer",
    "dnf-automatic-notifyonly.timer",
    "dnf5-automatic.timer",
    "flatpak-update.timer",
    "fwupd-refresh.timer",
    "os-update.timer",
    "packagekit-background.timer",
    "rpm-ostreed-automatic.timer",
    "snapd.service",
    "snapd.socket",
    "transactional-update.timer",
    "unattended-upgrades.service",
    "yum-cron.service",
    "yum-updatesd.service",
    "zincati.service",
];

/// The probe.
pub struct AutomaticUpdatesProbe;

impl Probe for AutomaticUpdatesProbe {
    const SPEC: Spec = Spec {
        id: "automatic-updates",
        version: 1,
        title: "Whether the host installs updates by itself, which, and when it last did",
        reads: &[
            "/etc/apt/apt.conf and /etc/apt/apt.conf.d/",
            "/var/lib/apt/periodic/ and /var/log/unattended-upgrades/ (times alone)",
            "/etc/dnf/automatic.conf, /etc/yum/yum-cron.conf",
            "/etc/sysconfig/automatic_online_update, /etc/transactional-update.conf",
            "/var/lib/snapd/state.json",
            "unit files",
            "systemctl list-units",
        ],
        runs: &[SYSTEMCTL],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/apt/apt.conf.d/", "/etc/dnf/", "/var/lib/apt/periodic/"],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Updates that something outside the host installs: configuration management, an image that is built anew.",
            "Whether an automatic update failed: package-updates tells what is still pending.",
            "Live patches of the kernel.",
        ],
    };

    type Facts = AutomaticUpdates;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<AutomaticUpdates, NoNames>, ProbeError> {
        let units = match Units::read(reading) {
            Ok(Some(units)) => Known::Observed(units.states(UNITS)),
            Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
            Err(unread) => Known::unread(&unread),
        };
        Ok(Collected::facts(AutomaticUpdates {
            units,
            apt: Known::of(apt(reading), "/etc/apt"),
            dnf: Known::of(dnf(reading), "/etc/dnf/automatic.conf"),
            suse: Known::of(suse(reading), "/etc/sysconfig/automatic_online_update"),
            snap: Known::of(snap(reading), SNAPD),
        }))
    }
}

fn apt(reading: &Reading<'_>) -> Result<Option<AptUpdates>, Unread> {
    if reading.stat("/etc/apt")?.is_none() {
        return Ok(None);
    }
    let (conf, doubts) = AptConf::with_doubts(reading);
    let list = |name: &str| conf.list(&format!("unattended-upgrade::{name}"));
    let mut origins = list("origins-pattern");
    origins.extend(list("allowed-origins"));
    let names_security = |origin: &&String| origin.to_ascii_lowercase().contains("security");
    let time = conf.get("unattended-upgrade::automatic-reboot-time");
    Ok(Some(AptUpdates {
        unattended_upgrades_installed: reading.stat("/usr/bin/unattended-upgrade")?.is_some(),
        enabled: conf.get("apt::periodic::enable") != "0",
        update_lists: period(&conf, "update-package-lists"),
        download: period(&conf, "download-upgradeable-packages"),
        unattended_upgrade: period(&conf, "unattended-upgrade"),
        security_origins: origins.iter().filter(names_security).cloned().collect(),
        origins,
        package_blacklist: list("package-blacklist"),
        package_whitelist: list("package-whitelist"),
        automatic_reboot: conf.flag("unattended-upgrade::automatic-reboot", false),
        automatic_reboot_time: if time.is_empty() { "now" } else { time }.to_owned(),
        mail_report: !conf.get("unattended-upgrade::mail").is_empty(),
        lists_updated: day(reading, "/var/lib/apt/periodic/update-stamp"),
        upgraded: day(reading, "/var/lib/apt/periodic/upgrade-stamp"),
        logged: day(reading, "/var/log/unattended-upgrades/unattended-upgrades.log"),
        doubts,
    }))
}

/// `0` is never; anything that the script does not understand counts as written.
fn period(conf: &AptConf, name: &str) -> Period {
    let every = match conf.get(&format!("apt::periodic::{name}")) {
        "" => "0",
        every => every,
    };
    Period {
        on: !every
            .trim_end_matches(['s', 'm', 'h', 'd'])
            .trim_start_matches('0')
            .is_empty(),
        every: every.to_owned(),
    }
}

/// The day of a file's last change.
fn day(reading: &Reading<'_>, path: &str) -> Known<i64> {
    let stat = reading.stat(path);
    Known::of(
        stat.map(|stat| stat.map(|stat| stat.mtime - stat.mtime.rem_euclid(DAY))),
        path,
    )
}

fn dnf(reading: &Reading<'_>) -> Result<Option<DnfUpdates>, Unread> {
    // dnf 5 has its defaults in the second.
    for (path, type_name) in [
        ("/etc/dnf/automatic.conf", "upgrade_type"),
        ("/etc/dnf/dnf5-plugins/automatic.conf", "upgrade_type"),
        ("/usr/share/dnf5/dnf5-plugins/automatic.conf", "upgrade_type"),
        ("/etc/yum/yum-cron.conf", "update_cmd"),
    ] {
        let Some(text) = reading.text(path)? else { continue };
        let assignments = syntax::lenient(&text);
        let value = |section: &str, name: &str| {
            let mut found = assignments.iter().rev();
            found
                .find(|one| one.section == section && one.name == name)
                .map(|one| one.value.as_str())
        };
        let flag = |name: &str, default: bool| {
            let value = value("commands", name).and_then(syntax::boolean);
            value.unwrap_or(default)
        };
        let emit = value("emitters", "emit_via").unwrap_or("stdio");
        return Ok(Some(DnfUpdates {
            file: path.to_owned(),
            download_updates: flag("download_updates", path.contains("dnf")),
            apply_updates: flag("apply_updates", false),
            upgrade_type: value("commands", type_name).unwrap_or("default").to_owned(),
            reboot: value("commands", "reboot").unwrap_or("never").to_owned(),
            emit_via: emit
                .split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
        }));
    }
    Ok(None)
}

/// Lines of `NAME="value"`.
fn suse(reading: &Reading<'_>) -> Result<Option<BTreeMap<String, String>>, Unread> {
    const NAMES: [&str; 9] = [
        "AOU_AUTO_AGREE_WITH_LICENSES",
        "AOU_ENABLE_CRONJOB",
        "AOU_INCLUDE_RECOMMENDS",
        "AOU_PATCH_CATEGORIES",
        "AOU_SKIP_INTERACTIVE",
        "AOU_UPDATE_INTERVAL",
        "REBOOT_METHOD",
        "UPDATE_METHOD",
        "ZYPPER_AUTO_IMPORT_GPG",
    ];
    let mut settings = BTreeMap::new();
    let mut any = false;
    for path in [
        "/etc/sysconfig/automatic_online_update",
        "/usr/etc/transactional-update.conf",
        "/etc/transactional-update.conf",
    ] {
        let Some(text) = reading.text(path)? else { continue };
        any = true;
        let lines = text.lines().map(str::trim).filter_map(|line| line.split_once('='));
        for (name, value) in lines.filter(|(name, _)| NAMES.contains(name)) {
            settings.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
        }
    }
    Ok(any.then_some(settings))
}

/// `data.config.core.refresh`. The file holds more, of which nothing is told.
fn snap(reading: &Reading<'_>) -> Result<Option<BTreeMap<String, String>>, Unread> {
    let Some(bytes) = reading.volatile_bytes(SNAPD)? else {
        return Ok(None);
    };
    let state: Value = serde_json::from_slice(&bytes).map_err(|error| Unread::Malformed {
        place: SNAPD.to_owned(),
        reason: error.to_string(),
    })?;
    let refresh = state.pointer("/data/config/core/refresh").and_then(Value::as_object);
    let mut settings = BTreeMap::new();
    for name in ["hold", "metered", "retain", "timer"] {
        if let Some(value) = refresh.and_then(|refresh| refresh.get(name)) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            settings.insert(format!("refresh.{name}"), text);
        }
    }
    Ok(Some(settings))
}

#[cfg(test)]
mod tests;
