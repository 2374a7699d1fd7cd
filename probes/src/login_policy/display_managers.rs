//! Display managers: whom they let in without a password, and whether other machines may log in.
//!
//! Source: the configuration reference of GDM (`[daemon]`, `[xdmcp]`), lightdm.conf of LightDM, sddm.conf(5),
//! `/etc/sysconfig/displaymanager` of SUSE.

use std::collections::BTreeMap;

use super::facts::{AutomaticLogin, LoginKind};
use crate::formats::ini::{self, Dialect};
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

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
const SDDM: ([&str; 2], &str) = (["/usr/lib/sddm/sddm.conf.d", "/etc/sddm.conf.d"], "/etc/sddm.conf");
const SUSE: &str = "/etc/sysconfig/displaymanager";

/// The value of a setting and the file that it is from, by section and name.
type Values = BTreeMap<(String, String), (String, String)>;

/// The settings of those that have both: read once, and each may be unreadable.
pub(super) struct DisplayManagers {
    /// Those of each file of GDM's.
    gdm: Result<Vec<(&'static str, Values)>, Unread>,
    lightdm: Result<Values, Unread>,
}

impl DisplayManagers {
    pub(super) fn read(reading: &Reading<'_>) -> Self {
        let gdm = GDM.into_iter().map(|path| Ok((path, together(reading, &[], path)?)));
        Self {
            gdm: gdm.collect(),
            lightdm: together(reading, &LIGHTDM.0, LIGHTDM.1),
        }
    }

    /// Who is logged in, or may log in, without a password.
    pub(super) fn automatic_logins(&self, reading: &Reading<'_>) -> Result<Vec<AutomaticLogin>, Unread> {
        let mut found = vec![];
        for (path, values) in self.gdm.as_ref().map_err(Clone::clone)? {
            for (enable, user, kind) in [
                ("automaticloginenable", "automaticlogin", LoginKind::Account),
                ("timedloginenable", "timedlogin", LoginKind::AccountAfterDelay),
            ] {
                if is_true(value(values, "daemon", enable)) && !value(values, "daemon", user).is_empty() {
                    found.push(login("gdm", path, kind));
                }
            }
        }
        for ((section, name), (value, path)) in self.lightdm.as_ref().map_err(Clone::clone)? {
            if !section.starts_with("seat") {
                continue;
            }
            match name.as_str() {
                "autologin-user" if !value.is_empty() => found.push(login("lightdm", path, LoginKind::Account)),
                "autologin-guest" if value == "true" => found.push(login("lightdm", path, LoginKind::Guest)),
                // On offer, beside accounts with a password.
                "allow-guest" if value == "true" => found.push(login("lightdm", path, LoginKind::GuestOffered)),
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
        Ok(found)
    }

    /// Files that let other machines log in by XDMCP.
    pub(super) fn xdmcp(&self) -> Result<Vec<String>, Unread> {
        let gdm = self.gdm.as_ref().map_err(Clone::clone)?;
        let lightdm = self.lightdm.as_ref().map_err(Clone::clone)?;
        let mut files: Vec<_> = gdm
            .iter()
            .filter(|(_, values)| is_true(value(values, "xdmcp", "enable")))
            .map(|(path, _)| (*path).to_owned())
            .collect();
        let server = lightdm.get(&("xdmcpserver".to_owned(), "enabled".to_owned()));
        files.extend(
            server
                .filter(|(value, _)| value == "true")
                .map(|(_, path)| path.clone()),
        );
        files.order();
        Ok(files)
    }
}

pub(super) fn login(program: &str, place: &str, kind: LoginKind) -> AutomaticLogin {
    AutomaticLogin {
        program: program.to_owned(),
        place: place.to_owned(),
        kind,
    }
}

/// As GLib reads a boolean; another word is an error, and then the default holds.
fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "1")
}

fn value<'v>(values: &'v Values, section: &str, name: &str) -> &'v str {
    let value = values.get(&(section.to_owned(), name.to_owned()));
    value.map_or("", |(value, _)| value.as_str())
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
