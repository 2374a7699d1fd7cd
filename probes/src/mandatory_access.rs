//! # What
//! Mandatory access control: `AppArmor` and its profiles, `SELinux` now and after the next boot, and other security
//! modules of the kernel.
//!
//! # Source
//! `/sys/kernel/security` (the kernel's documentation, *LSM*, *`AppArmor`*), `/sys/fs/selinux`, selinux_config(5),
//! `/etc/apparmor.d`, `/proc/sys/kernel/yama`, `/proc/cmdline`, `/proc/PID/attr` (proc(5)).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: the list of `AppArmor` profiles is closed to others. Kernels that also ask for `CAP_MAC_ADMIN`
//! there make `profiles` `denied`. `CAP_SYS_PTRACE`: which programs others run is closed otherwise, and `not_applied` and
//! `services_without_domain` are `denied`.
//!
//! # Bears on
//! A.8.3 (information access restriction), A.8.2 (privileged access), A.8.9 (configuration management), A.8.18 (privileged
//! utilities).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod attachment;
mod facts;
mod processes;
mod profiles;
mod selinux;

use std::collections::BTreeMap;

use evidence::facts::Outcome;

pub use facts::*;
use profiles::Files;

use crate::formats::systemd::Units;
use crate::order::{IntoMap as _, Order as _};
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, NotKnown, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Kind, Reading, Unread};

const SECURITY: &str = "/sys/kernel/security";
const MAX_PROFILES: usize = 5_000;

/// The probe.
pub struct MandatoryAccessProbe;

impl Probe for MandatoryAccessProbe {
    const SPEC: Spec = Spec {
        id: "mandatory-access",
        version: 3,
        title: "Whether AppArmor or SELinux runs and enforces, and which other security modules the kernel has",
        reads: &[
            "/sys/kernel/security/lsm",
            "/sys/kernel/security/lockdown",
            "/sys/kernel/security/apparmor/profiles",
            "/sys/kernel/security/apparmor/policy/profiles/",
            "/proc/PID/attr/current, /proc/PID/exe and /proc/PID/cgroup, if AppArmor or SELinux runs",
            "/sys/module/apparmor/parameters/enabled",
            "/sys/fs/selinux/",
            "/etc/selinux/config, the policy's active modules and booleans.local",
            "/etc/apparmor.d/ with disable/ and force-complain/",
            "/proc/sys/kernel/yama/ptrace_scope",
            "/proc/cmdline",
            "unit files",
        ],
        runs: &[],
        privilege: Privilege::SysPtrace,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/apparmor.d/",
            "/etc/apparmor.d/disable/",
            "/etc/apparmor.d/force-complain/",
            "/etc/selinux/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "What the profiles and the policy allow.",
            "Profiles that snapd, Docker, libvirt and LXC keep elsewhere and load themselves, but for what is loaded.",
            "Running processes for which there is no profile, but for services without a domain of SELinux.",
            "Switches of SELinux that are set now alone, where no other value was set to last.",
        ],
    };

    type Facts = MandatoryAccess;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<MandatoryAccess, NoNames>, ProbeError> {
        let disabled = disabled(reading);
        let files = Files::read(reading, &disabled);
        let apparmor = Known::of(apparmor(reading, &files), "/sys/module/apparmor");
        let loaded = match &apparmor {
            Known::Observed(apparmor) => apparmor.profiles.clone(),
            Known::Not(why) => Known::Not(why.clone()),
        };
        let selinux = selinux::now(reading);
        let facts = MandatoryAccess {
            modules: modules(reading),
            apparmor_on_disk: files.map(|files| files.beside(&loaded)),
            apparmor,
            apparmor_at_boot: at_boot(reading),
            apparmor_disabled: disabled,
            selinux_at_boot: selinux::at_boot(reading, &selinux),
            selinux,
            lockdown: lockdown(reading),
            yama_ptrace_scope: number(reading, "/proc/sys/kernel/yama/ptrace_scope"),
            command_line: command_line(reading),
        };
        Ok(Collected::facts(facts))
    }
}

fn modules(reading: &Reading<'_>) -> Known<Vec<String>> {
    let path = format!("{SECURITY}/lsm");
    map(Known::of(reading.attribute(&path), &path), |text| {
        text.trim()
            .split(',')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    })
}

fn map<T, U>(known: Known<T>, change: impl FnOnce(T) -> U) -> Known<U> {
    match known {
        Known::Observed(value) => Known::Observed(change(value)),
        Known::Not(why) => Known::Not(why),
    }
}

fn number(reading: &Reading<'_>, path: &str) -> Known<u64> {
    match Known::of(reading.attribute(path), path) {
        Known::Observed(text) => match text.trim().parse() {
            Ok(number) => Known::Observed(number),
            Err(_) => Known::not(Outcome::Malformed, format!("{path}: no number")),
        },
        Known::Not(why) => Known::Not(why),
    }
}

fn apparmor(reading: &Reading<'_>, files: &Known<Files>) -> Result<Option<AppArmor>, Unread> {
    let Some(enabled) = reading.attribute("/sys/module/apparmor/parameters/enabled")? else {
        return Ok(None);
    };
    let path = format!("{SECURITY}/apparmor/profiles");
    // Profiles come and go with the services that load them, so that there is no digest to note.
    let profiles = match Known::of(reading.volatile(&path), &path) {
        Known::Observed(text) => profiles(&text, &path),
        Known::Not(why) => Known::Not(why),
    };
    let counts = profiles.value().into_iter().flatten();
    let counts = counts
        .map(|(mode, names)| (mode.clone(), names.len() as u64))
        .into_map();
    Ok(Some(AppArmor {
        enabled: enabled.trim() == "Y",
        profiles,
        counts,
        not_applied: processes::without_profile(reading, files),
    }))
}

/// Lines of `NAME (MODE)`; names may hold blanks and brackets.
fn profiles(text: &str, path: &str) -> Known<BTreeMap<String, Vec<String>>> {
    let mut profiles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let parts = line.strip_suffix(')').and_then(|line| line.rsplit_once(" ("));
        let Some((name, mode)) = parts.filter(|_| index < MAX_PROFILES) else {
            return Known::not(
                Outcome::Malformed,
                format!("{path}:{}: not of the form NAME (MODE)", index + 1),
            );
        };
        profiles.entry(mode.to_owned()).or_default().push(name.to_owned());
    }
    for names in profiles.values_mut() {
        names.order();
        names.dedup();
    }
    Known::Observed(profiles)
}

fn at_boot(reading: &Reading<'_>) -> Known<crate::formats::systemd::UnitState> {
    match Units::read(reading) {
        Ok(Some(units)) => match units.state("apparmor.service") {
            Some(state) => Known::Observed(state),
            None => Known::not(Outcome::Absent, "there is no unit apparmor.service"),
        },
        Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
        Err(unread) => Known::unread(&unread),
    }
}

/// apparmor_parser(8) passes over a profile's file if something of that name is in `disable`; a link that leads nowhere is
/// nothing.
fn disabled(reading: &Reading<'_>) -> Known<Vec<String>> {
    const FOLDER: &str = "/etc/apparmor.d/disable";
    let find = || -> Result<Option<Vec<String>>, Unread> {
        let Some(entries) = reading.list(FOLDER)? else {
            return Ok(None);
        };
        let mut found = vec![];
        for entry in entries.into_iter().take(MAX_PROFILES) {
            let is_there = reading.stat(&format!("{FOLDER}/{}", entry.name))?.is_some();
            let profile = reading.stat(&format!("/etc/apparmor.d/{}", entry.name))?;
            if is_there && profile.is_some_and(|stat| stat.kind == Kind::File) {
                found.push(entry.name);
            }
        }
        Ok(Some(found))
    };
    Known::of(find(), FOLDER)
}

/// `none [integrity] confidentiality`: the one in brackets holds.
fn lockdown(reading: &Reading<'_>) -> Known<String> {
    let path = format!("{SECURITY}/lockdown");
    let text = match Known::of(reading.attribute(&path), &path) {
        Known::Observed(text) => text,
        Known::Not(why) => return Known::Not(why),
    };
    let level = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    match level {
        Some((level, _)) => Known::Observed(level.to_owned()),
        None => Known::Not(NotKnown {
            outcome: Outcome::Malformed,
            detail: format!("{path}: no level in brackets"),
        }),
    }
}

fn command_line(reading: &Reading<'_>) -> Known<Vec<String>> {
    const OPTIONS: [&str; 6] = ["security=", "lsm=", "apparmor=", "selinux=", "enforcing=", "lockdown="];
    map(Known::of(reading.volatile("/proc/cmdline"), "/proc/cmdline"), |text| {
        let words = text.split_ascii_whitespace();
        let words = words.filter(|word| OPTIONS.iter().any(|option| word.starts_with(option)));
        words.map(str::to_owned).collect()
    })
}

#[cfg(test)]
mod tests;
