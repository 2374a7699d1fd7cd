//! What runs now.
//!
//! systemd keeps a link `/run/systemd/units/invocation:UNIT` for each unit that it runs a program for, from its start
//! until it is inactive or failed. That tells of services exactly (those that are waiting to be started again are
//! inactive here), and of no other kind: timers, sockets, paths and targets run no program. Only systemd itself knows
//! those, so that `systemctl` is asked where the probe declares it.

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::SYSTEMCTL;
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Command, Output, Reading, Unread};

const FOLDER: &str = "/run/systemd/units";
const ARGS: [&str; 6] = [
    "list-units",
    "--state=active,failed",
    "--plain",
    "--no-legend",
    "--full",
    "--no-pager",
];

#[derive(Debug, Clone)]
pub(super) struct Active {
    /// Services that run, from files.
    services: Known<BTreeSet<String>>,
    /// All units that are active, by systemctl.
    told: Known<BTreeSet<String>>,
    /// Units that failed, by systemctl.
    pub(super) failed: Known<BTreeSet<String>>,
}

impl Active {
    pub(super) fn read(reading: &Reading<'_>) -> Self {
        let services = match reading.list(FOLDER) {
            Ok(Some(entries)) => {
                let names = entries
                    .iter()
                    .filter_map(|entry| entry.name.strip_prefix("invocation:"));
                Known::Observed(names.map(str::to_owned).collect())
            }
            Ok(None) => not(
                Outcome::Absent,
                format!("{FOLDER} is not there: systemd does not run, or is older than version 236"),
            ),
            Err(unread) => Known::unread(&unread),
        };
        let told = if reading.declares(SYSTEMCTL) {
            Known::clone(&reading.shared("systemctl list-units", told))
        } else {
            not(
                Outcome::Unsupported,
                format!("{FOLDER} tells of services alone, and {SYSTEMCTL} is not asked"),
            )
        };
        let (told, failed) = match told {
            Known::Observed((active, failed)) => (Known::Observed(active), Known::Observed(failed)),
            Known::Not(why) => (Known::Not(why.clone()), Known::Not(why)),
        };
        Self { services, told, failed }
    }

    /// Whether `unit`, by its canonical name, is active. `without_program`: it is a service that runs no program.
    pub(super) fn of(&self, unit: &str, without_program: bool) -> Known<bool> {
        let seen = matches!(&self.services, Known::Observed(services) if services.contains(unit));
        let from_files = unit.ends_with(".service") && (seen || !without_program);
        let known = match (&self.told, &self.services) {
            (told @ Known::Observed(_), _) => told,
            (_, services) if from_files => services,
            // Why systemctl told nothing is worth less than that nothing runs at all.
            (_, services @ Known::Not(_)) => services,
            (told, _) => told,
        };
        match known {
            Known::Observed(active) => Known::Observed(active.contains(unit)),
            Known::Not(why) => Known::Not(why.clone()),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let known = self.told.value().into_iter().chain(self.services.value());
        known.flatten().map(String::as_str)
    }
}

/// Which of `files` were changed since `unit`, by its canonical name, was started, sorted; links and what they lead to. Absent
/// if it does not run, or nothing tells since when. What lies in `/run` is written anew for the same reasons for which
/// services are started, and is left out.
pub(super) fn changed_since_start<'a>(
    reading: &Reading<'_>,
    unit: &str,
    files: impl IntoIterator<Item = &'a String>,
) -> Known<Vec<String>> {
    let link = format!("{FOLDER}/invocation:{unit}");
    let started = match reading.stat_link(&link) {
        Ok(Some(stat)) => stat.mtime,
        Ok(None) => return Known::absent(format!("{link} is not there: {unit} does not run")),
        Err(unread) => return Known::unread(&unread),
    };
    let mut changed = vec![];
    for path in files.into_iter().filter(|path| !path.starts_with("/run/")) {
        match (reading.stat_link(path), reading.stat(path)) {
            (Ok(own), Ok(target)) => {
                if own.into_iter().chain(target).any(|stat| stat.ctime > started) {
                    changed.push(path.clone());
                }
            }
            (Err(unread), _) | (_, Err(unread)) => return Known::unread(&unread),
        }
    }
    changed.order();
    changed.dedup();
    Known::Observed(changed)
}

/// Those that are active, and those that failed.
fn told(reading: &Reading<'_>) -> Known<(BTreeSet<String>, BTreeSet<String>)> {
    let command = Command {
        program: SYSTEMCTL,
        args: &ARGS,
    };
    match reading.run(&command) {
        Ok(Some(Output { status: 0, stdout, .. })) => {
            let text = String::from_utf8_lossy(&stdout);
            let (mut active, mut failed) = (BTreeSet::new(), BTreeSet::new());
            // NAME LOAD ACTIVE SUB DESCRIPTION
            for line in text.lines() {
                let mut words = line.split_ascii_whitespace();
                if let (Some(name), state) = (words.next(), words.nth(1)) {
                    let set = if state == Some("failed") {
                        &mut failed
                    } else {
                        &mut active
                    };
                    set.insert(name.to_owned());
                }
            }
            Known::Observed((active, failed))
        }
        Ok(Some(output)) => Known::unread(&Unread::Failed {
            place: command.to_string(),
            reason: format!(
                "status {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
                    .trim()
                    .chars()
                    .take(200)
                    .collect::<String>()
            ),
        }),
        Ok(None) => not(Outcome::Absent, format!("{SYSTEMCTL} is not there")),
        Err(unread) => Known::unread(&unread),
    }
}

fn not<T>(outcome: Outcome, detail: String) -> Known<T> {
    Known::Not(NotKnown { outcome, detail })
}
