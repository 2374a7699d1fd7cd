//! Puts the parts together.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::display_managers::DisplayManagers;
use super::facts::{Console, LoginLimit, LoginPolicy, Logind};
use super::{automatic, banner, dconf, defaults, kde, root, shell};
use crate::formats::limits::{self, Limit};
use crate::formats::os_release::OsRelease;
use crate::formats::systemd::{Settings, Units};
use crate::probe::{Known, NotKnown, ProbeError};
use crate::reading::{Reading, Unread};

/// Programs that lock a terminal, by folder of a package and name.
const LOCKS: [&str; 4] = [
    "/usr/bin/physlock",
    "/usr/bin/screen",
    "/usr/bin/tmux",
    "/usr/bin/vlock",
];

pub(super) fn collect(reading: &Reading<'_>) -> Result<LoginPolicy, ProbeError> {
    // What the distribution is called is needed for banners alone: without it they name none.
    let release = OsRelease::read(reading).ok().flatten();
    let banner = |path: &str| known(path, banner::read(reading, path, release.as_ref()));
    let nologin = reading.stat("/etc/nologin")?.is_some() || reading.stat("/run/nologin")?.is_some();
    let units = Units::read(reading);
    let scripts = shell::scripts(reading);
    let display_managers = DisplayManagers::read(reading);
    Ok(LoginPolicy {
        login_defs: known("/etc/login.defs", defaults::read(reading)),
        useradd: known("/etc/default/useradd", defaults::useradd(reading)),
        shells: known("", scripts.as_deref().map(shell::read).map(Some).map_err(Clone::clone)),
        securetty: known("/etc/securetty", securetty(reading)),
        nologin,
        issue: banner("/etc/issue"),
        issue_net: banner("/etc/issue.net"),
        motd: banner("/etc/motd"),
        logind: known("", logind(reading).map(Some)),
        console: known(
            "",
            units
                .clone()
                .and_then(|units| console(reading, units.as_ref()))
                .map(Some),
        ),
        automatic_logins: Known::read(
            units.and_then(|units| automatic::read(reading, &display_managers, units.as_ref())),
        ),
        xdmcp: Known::read(display_managers.xdmcp()),
        login_limits: Known::read(login_limits(reading)),
        root_shell: Known::read(
            scripts
                .as_deref()
                .map_err(Clone::clone)
                .and_then(|scripts| root::read(reading, scripts)),
        ),
        gnome: match dconf::read(reading) {
            Ok(None) => absent("no profile of dconf names a database of the system"),
            other => known("", other),
        },
        kde: known(
            "/etc/xdg/kscreenlockerrc",
            reading
                .text("/etc/xdg/kscreenlockerrc")
                .map(|text| text.map(|text| kde::parse(&text))),
        ),
    })
}

fn known<T>(path: &str, read: Result<Option<T>, Unread>) -> Known<T> {
    match read {
        Ok(Some(value)) => Known::Observed(value),
        Ok(None) => absent(&format!("{path} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn absent<T>(detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.to_owned(),
    })
}

fn securetty(reading: &Reading<'_>) -> Result<Option<Vec<String>>, Unread> {
    let Some(text) = reading.text("/etc/securetty")? else {
        return Ok(None);
    };
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let terminals: BTreeSet<&str> = lines.filter(|line| !line.is_empty()).collect();
    Ok(Some(terminals.into_iter().map(str::to_owned).collect()))
}

fn login_limits(reading: &Reading<'_>) -> Result<Vec<LoginLimit>, Unread> {
    /// More than hosts have.
    const MAX_LIMITS: usize = 100;
    let everybody = |limit: &Limit| matches!(limit.domain.as_str(), "*" | "%");
    let limits = limits::of(reading, &["maxlogins", "maxsyslogins"])?.into_iter();
    let limits = limits.filter(everybody).take(MAX_LIMITS).map(|limit| LoginLimit {
        number: limit.value.parse().ok(),
        item: limit.item,
        kind: limit.kind,
    });
    Ok(limits.collect())
}

fn logind(reading: &Reading<'_>) -> Result<Logind, Unread> {
    let settings = Settings::read(reading, "logind")?;
    let span = |name: &str| settings.get("Login", name).and_then(seconds);
    Ok(Logind {
        idle_action: settings.get("Login", "IdleAction").map(str::to_owned),
        idle_action_seconds: span("IdleActionSec"),
        stop_idle_session_seconds: span("StopIdleSessionSec"),
        kill_user_processes: settings.boolean("Login", "KillUserProcesses"),
        files: settings.files,
    })
}

/// A time span (systemd.time(7)) in whole seconds; `infinity` is 0. Parts below a second are cut.
fn seconds(text: &str) -> Option<u64> {
    if text == "infinity" {
        return Some(0);
    }
    let mut total: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        let number: u64 = digits.parse().ok()?;
        let after = after.trim_start();
        let end = after
            .find(|letter: char| !letter.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let milliseconds = match unit {
            "ms" | "msec" => 1,
            "" | "s" | "sec" | "second" | "seconds" => 1_000,
            "m" | "min" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            "w" | "week" | "weeks" => 604_800_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(milliseconds)?)?;
        rest = after.trim_start();
    }
    let seconds = total / 1_000;
    (!text.trim().is_empty() && seconds < 1 << 53).then_some(seconds)
}

fn console(reading: &Reading<'_>, units: Option<&Units>) -> Result<Console, Unread> {
    let state = |unit: &str| units.and_then(|units| units.state(unit));
    let mut lock_programs = vec![];
    for path in LOCKS {
        if reading.stat(path)?.is_some() {
            lock_programs.extend(path.rsplit('/').next().map(str::to_owned));
        }
    }
    Ok(Console {
        ctrl_alt_del: state("ctrl-alt-del.target"),
        debug_shell: state("debug-shell.service"),
        rescue: match units {
            Some(units) => automatic::rescue(reading, units)?,
            None => vec![],
        },
        lock_programs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans() {
        let cases = [
            ("30min", Some(1800)),
            ("900", Some(900)),
            ("1h 30min", Some(5400)),
            ("2 hours", Some(7200)),
            ("1500ms", Some(1)),
            ("infinity", Some(0)),
            ("", None),
            ("x", None),
            ("99999999999999999999", None),
            ("5 fortnights", None),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
