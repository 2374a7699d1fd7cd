//! # What
//! The services, sockets and paths that systemd runs or starts with the machine, as whom, and how they are confined; units
//! that are masked and units that failed.
//!
//! # Source
//! Unit files and drop-ins (systemd.unit(5), systemd.service(5), systemd.exec(5)), `/run/systemd/units`, and `systemctl
//! list-units` for what no file tells.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for unit files that are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration management), A.8.2 (privileged access rights), A.8.19 (installation of software), A.8.20 (networks
//! security).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

use std::collections::BTreeMap;

pub use facts::*;

use crate::formats::systemd::syntax::{self, Assignment};
use crate::formats::systemd::{AtBoot, SYSTEMCTL, Units};
use crate::probe::{Budget, Cadence, Collected, Known, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// More services are not told of; a server has about 60.
const MAX_SERVICES: usize = 2_000;

/// The probe.
pub struct ServicesProbe;

impl Probe for ServicesProbe {
    const SPEC: Spec = Spec {
        id: "services",
        version: 3,
        title: "Which services run or start with the machine, as whom, and how they are confined",
        reads: &["unit files and drop-ins", "/run/systemd/units/", "systemctl list-units"],
        runs: &[SYSTEMCTL],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/systemd/system/", "/etc/systemd/system/multi-user.target.wants/"],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Services of users' own systemd, of other init systems, and programs that were started by hand.",
            "As whom a program goes on after it was started as root.",
        ],
    };

    type Facts = Services;
    type Names = ServicesNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Services, ServicesNames>, ProbeError> {
        let units = Units::read(reading)?.ok_or_else(|| ProbeError::absent("/usr/lib/systemd/system"))?;
        let mut facts = Services {
            services: vec![],
            sockets: vec![],
            masked: vec![],
            failed: match units.failed() {
                Known::Observed(failed) => Known::Observed(failed.into_iter().map(str::to_owned).collect()),
                Known::Not(why) => Known::Not(why),
            },
        };
        let mut users = BTreeMap::new();
        for name in units.names() {
            // An alias is told of under the unit's own name.
            let Some(state) = units.state(name).filter(|_| units.canonical(name) == name) else {
                continue;
            };
            let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
            let of_note = state.at_boot == AtBoot::Pulled || state.active == Known::Observed(true);
            if state.at_boot == AtBoot::Masked {
                facts.masked.push(name.to_owned());
            } else if !of_note || name.contains("@.") {
            } else if matches!(kind, "socket" | "path") {
                facts.sockets.push(state);
            } else if kind == "service" && facts.services.len() < MAX_SERVICES {
                let (settings, user) = settings(reading, &units, name);
                if let Some(user) = user {
                    users.insert(name.to_owned(), user);
                }
                facts.services.push(Service {
                    unit: state.unit,
                    at_boot: state.at_boot,
                    active: state.active,
                    changed_since_start: units.settings_changed_since_start(reading, name),
                    file: units.path(name).map(str::to_owned),
                    settings,
                });
            }
        }
        Ok(Collected {
            facts,
            names: ServicesNames { users },
            detail: String::new(),
        })
    }
}

/// Settings of systemd.exec(5) that take away what a service could do.
const CONFINEMENT: [&str; 33] = [
    "AmbientCapabilities",
    "AppArmorProfile",
    "CapabilityBoundingSet",
    "DevicePolicy",
    "IPAddressDeny",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RootDirectory",
    "SELinuxContext",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "UMask",
];

/// Whether systemd takes the value; one that it does not take leaves what was set before (systemd.exec(5), and the words
/// that versions up to 258 have).
fn is_taken(name: &str, value: &str) -> bool {
    let words: &[&str] = match name {
        "DevicePolicy" => return matches!(value, "auto" | "closed" | "strict"),
        "ProcSubset" => return matches!(value, "all" | "pid"),
        "ProtectProc" => return matches!(value, "noaccess" | "invisible" | "ptraceable" | "default"),
        "ProtectSystem" => &["full", "strict"],
        "ProtectHome" => &["read-only", "tmpfs"],
        "PrivateTmp" => &["disconnected"],
        "PrivateUsers" => &["full", "identity", "managed", "self"],
        "ProtectControlGroups" => &["private", "strict"],
        // With the name that the service sees.
        "ProtectHostname" if value.starts_with("private:") || value.starts_with("yes:") => return true,
        "ProtectHostname" => &["private"],
        "LockPersonality"
        | "MemoryDenyWriteExecute"
        | "NoNewPrivileges"
        | "PrivateDevices"
        | "PrivateIPC"
        | "PrivateMounts"
        | "PrivateNetwork"
        | "ProtectClock"
        | "ProtectKernelLogs"
        | "ProtectKernelModules"
        | "ProtectKernelTunables"
        | "RestrictRealtime"
        | "RestrictSUIDSGID" => &[],
        _ => return true,
    };
    words.contains(&value) || syntax::boolean(value).is_some()
}

/// The program of a command, without prefixes (systemd.service(5), *Command lines*) and quotes.
fn program(command: &str) -> &str {
    const PREFIXES: [char; 6] = ['-', '@', ':', '+', '!', '|'];
    let command = command.trim_start_matches(PREFIXES);
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let (word, _) = command.strip_prefix(quote)?.split_once(quote)?;
        Some(word.trim_start_matches(PREFIXES))
    });
    quoted.unwrap_or_else(|| command.split_ascii_whitespace().next().unwrap_or_default())
}

/// And the user, unless that is root.
fn settings(reading: &Reading<'_>, units: &Units, unit: &str) -> (Known<ServiceSettings>, Option<String>) {
    let assignments = match Known::of(units.assignments(reading, unit), unit) {
        Known::Observed(assignments) => assignments,
        Known::Not(why) => return (Known::Not(why), None),
    };
    let of_service = |name: &str| -> Option<&Assignment> {
        let mut found = assignments.iter().rev();
        found.find(|one| one.section == "Service" && one.name == name)
    };
    let value = |name: &str| {
        of_service(name)
            .map(|one| one.value.as_str())
            .filter(|value| !value.is_empty())
    };
    let user = value("User").filter(|user| !matches!(*user, "root" | "0"));
    let dynamic = value("DynamicUser").and_then(syntax::boolean) == Some(true);
    let runs_as = match user {
        _ if dynamic => RunsAs::DynamicUser,
        Some(_) => RunsAs::User,
        None => RunsAs::Root,
    };
    let confining = |name: &str| {
        let mut found = assignments.iter().rev();
        found.find(|one| one.section == "Service" && one.name == name && is_taken(name, &one.value))
    };
    let confinement = CONFINEMENT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), confining(name)?.value.clone())));
    let settings = ServiceSettings {
        runs_as,
        program: value("ExecStart").map(program).unwrap_or_default().to_owned(),
        confinement: confinement.collect(),
    };
    (Known::Observed(settings), user.map(str::to_owned))
}

#[cfg(test)]
mod tests;
