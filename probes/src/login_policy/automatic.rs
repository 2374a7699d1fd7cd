//! Who lets somebody in without a password, by its own configuration: display managers and terminals. And whether the shells
//! for repairs ask for the password of root.
//!
//! Source: agetty(8), sulogin(8) and systemd's `ENVIRONMENT.md`.

use super::display_managers::{DisplayManagers, login};
use super::facts::{AutomaticLogin, LoginKind, RescueShell};
use crate::formats::systemd::Units;
use crate::formats::systemd::syntax::{self, Assignment};
use crate::order::Order as _;
use crate::reading::{Reading, Unread};
use crate::software::command::CommandLine;

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

pub(super) fn read(
    reading: &Reading<'_>,
    display_managers: &DisplayManagers,
    units: Option<&Units>,
) -> Result<Vec<AutomaticLogin>, Unread> {
    let mut found = display_managers.automatic_logins(reading)?;
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

fn terminals(units: Option<&Units>) -> impl Iterator<Item = &str> {
    let names = units.into_iter().flat_map(Units::names);
    names.filter(|name| TERMINALS.iter().any(|terminal| name.starts_with(terminal)))
}
