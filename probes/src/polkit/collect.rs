//! Finds the files and puts them together.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{Action, AuthorityEntry, Polkit, RulesFile};
use super::{actions, authority, rules};
use crate::formats::systemd::{UnitState, Units};
use crate::order::Order as _;
use crate::probe::{Known, NotKnown, ProbeError};
use crate::reading::{Kind, Reading, Unread};

/// Where polkitd is: Debian, the RPM family, older ones.
const PROGRAMS: [&str; 4] = [
    "/usr/lib/polkit-1/polkitd",
    "/usr/libexec/polkitd",
    "/usr/libexec/polkit-1/polkitd",
    "/usr/lib/policykit-1/polkitd",
];
/// By precedence: of two files of one name the first counts.
const BASES: [&str; 4] = [
    "/etc/polkit-1",
    "/run/polkit-1",
    "/usr/local/share/polkit-1",
    "/usr/share/polkit-1",
];
const AUTHORITIES: [&str; 2] = ["/var/lib/polkit-1/localauthority", "/etc/polkit-1/localauthority"];
const MAX_RULES: usize = 500;
const MAX_ENTRIES: usize = 1_000;
const MAX_ACTIONS: usize = 5_000;

pub(super) fn collect(reading: &Reading<'_>) -> Result<Polkit, ProbeError> {
    let mut installed = false;
    for program in PROGRAMS {
        installed |= reading.stat(program)?.is_some();
    }
    let mut malformed = vec![];
    Ok(Polkit {
        installed,
        service: match service(reading) {
            Ok(Some(state)) => Known::Observed(state),
            Ok(None) => Known::Not(NotKnown {
                outcome: Outcome::Absent,
                detail: "there is no polkit.service".to_owned(),
            }),
            Err(unread) => Known::unread(&unread),
        },
        rules: known(rules_files(reading)),
        authority: known(authority_entries(reading)),
        actions: known(all_actions(reading, &mut malformed)),
        malformed_actions: malformed,
    })
}

fn known<T>(read: Result<T, Unread>) -> Known<T> {
    read.map_or_else(|unread| Known::unread(&unread), Known::Observed)
}

fn service(reading: &Reading<'_>) -> Result<Option<UnitState>, Unread> {
    Ok(Units::read(reading)?.and_then(|units| units.state("polkit.service")))
}

/// Files of one kind in the folders of one name, by file name.
fn files(reading: &Reading<'_>, folder: &str, ending: &str) -> Result<BTreeMap<String, String>, Unread> {
    let mut found = BTreeMap::new();
    for base in BASES {
        let folder = format!("{base}/{folder}");
        for entry in reading.list(&folder)?.unwrap_or_default() {
            if entry.name.strip_suffix(ending).is_some() && entry.kind != Kind::Folder {
                let path = format!("{folder}/{}", entry.name);
                found.entry(entry.name).or_insert(path);
            }
        }
    }
    Ok(found)
}

/// All of them, also of one name in two folders: polkit sorts them by name, then by folder.
fn rules_files(reading: &Reading<'_>) -> Result<Vec<RulesFile>, Unread> {
    let mut paths = vec![];
    for (rank, base) in BASES.iter().enumerate() {
        let folder = format!("{base}/rules.d");
        for entry in reading.list(&folder)?.unwrap_or_default() {
            if entry.name.strip_suffix(".rules").is_some() && entry.kind != Kind::Folder {
                paths.push((entry.name.clone(), rank, format!("{folder}/{}", entry.name)));
            }
        }
    }
    paths.order();
    let mut found = vec![];
    for (_, _, path) in paths {
        if found.len() >= MAX_RULES {
            let reason = format!("more than {MAX_RULES} files");
            return Err(Unread::Failed { place: path, reason });
        }
        if let Some(bytes) = reading.file(&path)? {
            found.push(rules::read(&path, &bytes));
        }
    }
    Ok(found)
}

fn authority_entries(reading: &Reading<'_>) -> Result<Vec<AuthorityEntry>, Unread> {
    let mut entries = vec![];
    for base in AUTHORITIES {
        for folder in reading.list(base)?.unwrap_or_default() {
            let folder = format!("{base}/{}", folder.name);
            for entry in reading.list(&folder)?.unwrap_or_default() {
                if entry.name.strip_suffix(".pkla").is_none() {
                    continue;
                }
                let path = format!("{folder}/{}", entry.name);
                // Names of people stand in it.
                let bytes = reading.private(&path, &path)?.unwrap_or_default();
                entries.extend(authority::read(&path, &String::from_utf8_lossy(&bytes)));
                if entries.len() > MAX_ENTRIES {
                    let reason = format!("more than {MAX_ENTRIES} entries");
                    return Err(Unread::Failed { place: path, reason });
                }
            }
        }
    }
    Ok(entries)
}

fn all_actions(reading: &Reading<'_>, malformed: &mut Vec<String>) -> Result<Vec<Action>, Unread> {
    let mut found = vec![];
    for path in files(reading, "actions", ".policy")?.into_values() {
        let Some(bytes) = reading.file(&path)? else { continue };
        match actions::read(&path, &bytes) {
            Ok(actions) => found.extend(actions),
            Err(_) => malformed.push(path),
        }
        if found.len() > MAX_ACTIONS {
            let reason = format!("more than {MAX_ACTIONS} actions");
            return Err(Unread::Failed {
                place: "/usr/share/polkit-1/actions".to_owned(),
                reason,
            });
        }
    }
    found.order();
    malformed.order();
    Ok(found)
}
