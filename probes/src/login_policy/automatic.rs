//! Who lets somebody in without a password, by its own configuration: display managers and terminals. And whether the shells
//! for repairs ask for the password of root.
//!
//! Source: the configuration reference of GDM (`[daemon]`), lightdm.conf of LightDM, sddm.conf(5), agetty(8),
//! `/etc/sysconfig/displaymanager` of SUSE; sulogin(8) and systemd's `ENVIRONMENT.md`.

use std::collections::BTreeMap;

use super::facts::{AutomaticLogin, LoginKind, RescueShell};
use crate::formats::ini::{self, Dialect};
use crate::formats::systemd::Units;
use crate::formats::systemd::syntax::{self, Assignment};
use crate::order::Order as _;
use crate::reading::{Reading, Unread};
use crate::software::command::CommandLine;

/// GDM's files on Debian, Ubuntu and the RPM family: each has one of them.
const GDM: [&str; 4] = [
    "/etc/gdm/custom.conf",
    "/etc/gdm/daemon.conf",
    "/etc/gdm3/custom.conf",
    "/etc/gdm3/daemon.conf",
];
/// Folders of drop-ins in the order of reading, and the file that comes last.
const LIGHTDM: ([&str; 4], &str) = (
    [
        "/usr/share/lightdm/lightdm.conf.d",
        "/usr/local/share/lightdm/lightdm.conf.d",
        "/etc/xdg/lightdm/lightdm.conf.d",
        "/etc/lightdm/lightdm.conf.d",
    ],
    "/etc/lightdm/lightdm.conf",
);
const LIGHTDM_XDMCP: (&str, &str) = ("xdmcpserver", "enabled");
const SDDM: ([&str; 2], &str) = (["/usr/lib/sddm/sddm.conf.d", "/etc/sddm.conf.d"], "/etc/sddm.conf");
const SUSE: &str = "/etc/sysconfig/displaymanager";
/// Units that open a terminal for logins, by the beginning of their names.
const TERMINALS: [&str; 6] = [
    "autovt@",
    "console-getty.",
    "container-getty@",
    "getty@",
    "kmsconvt@",
    "serial-getty@",
];
/// Units that start a shell for repairs.
const RESCUE: [&str; 2] = ["emergency.service", "rescue.service"];
const MAX_FOUND: usize = 100;

/// The value of a setting and the file that it is from, by section and name.
type Values = BTreeMap<(String, String), (String, String)>;

pub(super) fn read(reading: &Reading<'_>, units: Option<&Units>) -> Result<Vec<AutomaticLogin>, Unread> {
    let mut found = vec![];
    for path in GDM {
        let mut values = Values::new();
        take(reading, path, &mut values)?;
        let get = |name: &str| {
            let key = ("daemon".to_owned(), name.to_owned());
            values.get(&key).map_or("", |(value, _)| value.as_str())
        };
        for (enable, user, kind) in [
            ("automaticloginenable", "automaticlogin", LoginKind::Account),
            ("timedloginenable", "timedlogin", LoginKind::AccountAfterDelay),
        ] {
            // As GLib reads a boolean; another word is an error, and then the default holds.
            if matches!(get(enable).to_ascii_lowercase().as_str(), "true" | "1") && !get(user).is_empty() {
                found.push(login("gdm", path, kind));
            }
        }
    }
    for ((section, name), (value, path)) in together(reading, &LIGHTDM.0, LIGHTDM.1)? {
        if !section.starts_with("seat") {
            continue;
        }
        match name.as_str() {
            "autologin-user" if !value.is_empty() => found.push(login("lightdm", &path, LoginKind::Account)),
            "autologin-guest" if value == "true" => found.push(login("lightdm", &path, LoginKind::Guest)),
            // On offer, beside accounts with a password.
            "allow-guest" if value == "true" => found.push(login("lightdm", &path, LoginKind::GuestOffered)),
            _ => {}
        }
    }
    for ((section, name), (value, path)) in together(reading, &SDDM.0, SDDM.1)? {
        if section == "autologin" && name == "user" && !value.is_empty() {
            found.push(login("sddm", &path, LoginKind::Account));
        }
    }
    let suse = reading.text(SUSE)?.unwrap_or_default();
    let last = suse
        .lines()
        .filter_map(|line| line.trim().strip_prefix("DISPLAYMANAGER_AUTOLOGIN="))
        .next_back();
    if last.is_some_and(|user| !user.trim_matches(['"', '\'']).is_empty()) {
        found.push(login("displaymanager", SUSE, LoginKind::Account));
    }
    for unit in terminals(units) {
        let Some(units) = units else { break };
        let command = CommandLine::of_unit(reading, units, unit)?.unwrap_or_default();
        if !command.values("autologin", Some('a')).is_empty() {
            found.push(login("getty", unit, LoginKind::Account));
        }
    }
    found.order();
    found.dedup();
    found.truncate(MAX_FOUND);
    Ok(found)
}

/// Files of display managers that let other machines log in by XDMCP.
pub(super) fn xdmcp(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let mut files = vec![];
    for path in GDM {
        let mut values = Values::new();
        take(reading, path, &mut values)?;
        let value = values.get(&("xdmcp".to_owned(), "enable".to_owned()));
        if value.is_some_and(|(value, _)| matches!(value.to_ascii_lowercase().as_str(), "true" | "1")) {
            files.push(path.to_owned());
        }
    }
    let mut lightdm = together(reading, &LIGHTDM.0, LIGHTDM.1)?;
    let (section, name) = LIGHTDM_XDMCP;
    let value = lightdm.remove(&(section.to_owned(), name.to_owned()));
    files.extend(value.filter(|(value, _)| value == "true").map(|(_, path)| path));
    files.order();
    Ok(files)
}

pub(super) fn rescue(reading: &Reading<'_>, units: &Units) -> Result<Vec<RescueShell>, Unread> {
    let mut shells = vec![];
    for unit in RESCUE {
        let Some(command) = CommandLine::of_unit(reading, units, unit)? else {
            continue;
        };
        let own = units.assignments(reading, unit)?.unwrap_or_default();
        let force = |one: &Assignment| {
            let value = one.value.split_once("SYSTEMD_SULOGIN_FORCE=").map(|(_, value)| value);
            let word = value.map(|value| value.split([' ', '"', '\'']).next().unwrap_or_default());
            word.is_some_and(|word| syntax::boolean(word) != Some(false))
        };
        let asks = command.words.iter().any(|word| word.contains("sulogin"));
        let forced = own.iter().any(|one| one.name == "Environment" && force(one))
            || command
                .words
                .iter()
                .any(|word| matches!(word.as_str(), "-e" | "--force"));
        shells.push(RescueShell {
            unit: unit.to_owned(),
            asks_for_password: asks,
            opens_if_root_is_locked: asks && forced,
        });
    }
    Ok(shells)
}

fn login(program: &str, place: &str, kind: LoginKind) -> AutomaticLogin {
    AutomaticLogin {
        program: program.to_owned(),
        place: place.to_owned(),
        kind,
    }
}

fn terminals(units: Option<&Units>) -> impl Iterator<Item = &str> {
    let names = units.into_iter().flat_map(Units::names);
    names.filter(|name| TERMINALS.iter().any(|terminal| name.starts_with(terminal)))
}

/// Drop-ins by name, folder by folder, then the file; later ones override.
fn together(reading: &Reading<'_>, folders: &[&str], last: &str) -> Result<Values, Unread> {
    let mut values = Values::new();
    for folder in folders {
        for entry in reading.list(folder)?.unwrap_or_default() {
            if entry.name.strip_suffix(".conf").is_some() {
                take(reading, &format!("{folder}/{}", entry.name), &mut values)?;
            }
        }
    }
    take(reading, last, &mut values)?;
    Ok(values)
}

fn take(reading: &Reading<'_>, path: &str, values: &mut Values) -> Result<(), Unread> {
    let Some(text) = reading.text(path)? else {
        return Ok(());
    };
    let assignments = ini::parse(&text, Dialect::Libini).map_err(|error| Unread::Malformed {
        place: path.to_owned(),
        reason: error.to_string(),
    })?;
    for one in assignments {
        values.insert((one.section, one.name), (one.value, path.to_owned()));
    }
    Ok(())
}
