//! Servers whose configuration is looked into.

use std::collections::BTreeMap;

use super::facts::{Cockpit, Vsftpd, Webmin, X11vnc, Xrdp};
use crate::formats::systemd::syntax::{self, Assignment, boolean};
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::command::CommandLine;

/// cockpit.conf(5), section `WebService` and `Session`; without the file its defaults hold.
pub(super) fn cockpit(reading: &Reading<'_>) -> Result<Option<Cockpit>, Unread> {
    let text = reading.text("/etc/cockpit/cockpit.conf")?.unwrap_or_default();
    let assignments = syntax::lenient(&text);
    let is = |name: &str, default: bool| {
        get(&assignments, "WebService", name)
            .and_then(boolean)
            .unwrap_or(default)
    };
    Ok(Some(Cockpit {
        allow_unencrypted: is("AllowUnencrypted", false),
        login_to: is("LoginTo", true),
        idle_timeout: get(&assignments, "Session", "IdleTimeout")
            .and_then(|minutes| minutes.parse().ok())
            .unwrap_or(0),
    }))
}

fn get<'a>(assignments: &'a [Assignment], section: &str, name: &str) -> Option<&'a str> {
    let mut found = assignments.iter().rev();
    let found = found.find(|one| one.section.eq_ignore_ascii_case(section) && one.name.eq_ignore_ascii_case(name))?;
    Some(found.value.as_str())
}

/// `name=value` lines.
fn plain(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

pub(super) fn webmin(reading: &Reading<'_>) -> Result<Option<Webmin>, Unread> {
    const FILE: &str = "/etc/webmin/miniserv.conf";
    let Some(bytes) = reading.private(FILE, FILE)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let set = plain(&text);
    let value = |name: &str| set.get(name).copied().unwrap_or_default();
    Ok(Some(Webmin {
        port: value("port").parse().unwrap_or(10_000),
        tls: value("ssl") == "1",
        bind: value("bind").to_owned(),
        restricted: !value("allow").is_empty(),
    }))
}

/// xrdp.ini(5), section `Globals`.
pub(super) fn xrdp(reading: &Reading<'_>) -> Result<Option<Xrdp>, Unread> {
    const FILE: &str = "/etc/xrdp/xrdp.ini";
    let Some(bytes) = reading.private(FILE, FILE)? else {
        return Ok(None);
    };
    let assignments = syntax::lenient(&String::from_utf8_lossy(&bytes));
    let text = |name: &str, default: &str| {
        let value = get(&assignments, "Globals", name).filter(|value| !value.is_empty());
        value.unwrap_or(default).to_owned()
    };
    let protocols = text("ssl_protocols", "");
    Ok(Some(Xrdp {
        port: text("port", "3389"),
        security_layer: text("security_layer", "negotiate").to_ascii_lowercase(),
        crypt_level: text("crypt_level", "high").to_ascii_lowercase(),
        tls_protocols: protocols
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect(),
    }))
}

/// vsftpd.conf(5), with its defaults: anonymous logins are on unless the file says otherwise.
pub(super) fn vsftpd(reading: &Reading<'_>) -> Result<Option<Vsftpd>, Unread> {
    for file in ["/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"] {
        let Some(text) = reading.text(file)? else { continue };
        let set = plain(&text);
        let is = |name: &str, default: bool| match set.get(name) {
            Some(value) => ["yes", "true", "1"].iter().any(|yes| value.eq_ignore_ascii_case(yes)),
            None => default,
        };
        return Ok(Some(Vsftpd {
            file: file.to_owned(),
            anonymous: is("anonymous_enable", true),
            local_users: is("local_enable", false),
            write: is("write_enable", false),
            tls: is("ssl_enable", false),
            tls_for_logins: is("force_local_logins_ssl", true),
            chroot: is("chroot_local_user", false),
        }));
    }
    Ok(None)
}

/// x11vnc(1): options with one dash, words of the command line.
pub(super) fn x11vnc(units: &LazyUnits<'_, '_>) -> Result<Option<X11vnc>, Unread> {
    let all = match units.get() {
        Ok(Some(all)) => all,
        Ok(None) => return Ok(None),
        Err(unread) => return Err(unread.clone()),
    };
    let line = CommandLine::of_unit(units.reading, all, "x11vnc.service")?;
    Ok(line.map(|line| {
        let has = |names: &[&str]| {
            let mut words = line
                .words
                .iter()
                .map(|word| word.trim_start_matches("--").trim_start_matches('-'));
            words.any(|word| names.contains(&word))
        };
        X11vnc {
            password: has(&[
                "rfbauth",
                "usepw",
                "passwd",
                "passwdfile",
                "unixpw",
                "unixpw_nis",
                "svc",
            ]),
            localhost: has(&["localhost"]),
            tls: has(&["ssl", "stunnel"]),
            view_only: has(&["viewonly"]),
        }
    }))
}
