//! What starts with the machine: all that `default.target` pulls in, through links and through the units' own words.

use std::collections::{BTreeMap, BTreeSet};

use super::files::Files;
use crate::formats::systemd::syntax;
use crate::reading::{Reading, Unread};

/// Where booting begins, unless the kernel's command line says otherwise.
const FIRST: &str = "default.target";
/// More units are not followed; a server has about 100.
const MAX_UNITS: usize = 2_000;
/// What makes a unit start others (systemd.unit(5)); `Sockets` is for services (systemd.service(5)).
const PULLS: [&str; 5] = ["Wants", "Requires", "BindsTo", "Upholds", "Sockets"];

/// What was found on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Boot {
    /// Units that start, by their canonical names. There may be names among them that have no file.
    pub(super) pulled: BTreeSet<String>,
    /// Services among them that run no program when they start.
    pub(super) without_program: BTreeSet<String>,
}

impl Boot {
    /// Follows all units from `default.target` on. `default_target` is left unread if there is none.
    pub(super) fn read(reading: &Reading<'_>, files: &Files) -> Result<Self, Unread> {
        let mut boot = Self::default();
        let mut waiting = vec![FIRST.to_owned()];
        while let Some(unit) = waiting.pop() {
            let unit = files.canonical(&unit).to_owned();
            if boot.pulled.contains(&unit) || files.file(&unit).is_some_and(|file| file.masked) {
                continue;
            }
            if boot.pulled.len() >= MAX_UNITS {
                return Err(Unread::Failed {
                    place: FIRST.to_owned(),
                    reason: format!("more than {MAX_UNITS} units start with the machine"),
                });
            }
            waiting.extend(files.wanted(&unit).into_iter().map(str::to_owned));
            let own = own_words(reading, files, &unit)?;
            waiting.extend(PULLS.iter().filter_map(|name| own.get(*name)).flatten().cloned());
            if implied(&unit, &own) {
                waiting.push("sysinit.target".to_owned());
            }
            if unit.ends_with(".service") && files.file(&unit).is_some() && !own.contains_key("ExecStart") {
                boot.without_program.insert(unit.clone());
            }
            boot.pulled.insert(unit);
        }
        Ok(boot)
    }
}

/// `DefaultDependencies`: all but targets, slices and early units require `sysinit.target`.
fn implied(unit: &str, own: &BTreeMap<String, Vec<String>>) -> bool {
    let default = own.get("DefaultDependencies").and_then(|words| words.last());
    let default = default.and_then(|word| syntax::boolean(word)) != Some(false);
    let late = [".service", ".socket", ".timer", ".path"];
    default && late.iter().any(|kind| unit.ends_with(kind))
}

/// The words of the assignments that matter here, from the unit's file and drop-ins.
fn own_words(reading: &Reading<'_>, files: &Files, unit: &str) -> Result<BTreeMap<String, Vec<String>>, Unread> {
    let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some(file) = files.file(unit) else { return Ok(own) };
    let drop_ins = files.drop_ins(reading, unit)?;
    for path in std::iter::once(&file.path).chain(&drop_ins) {
        let Some(bytes) = reading.one_of_many(path)? else {
            continue;
        };
        let (assignments, stop) = syntax::parse(&bytes);
        if stop.is_some() && *path == file.path {
            return Ok(own); // It is not loaded.
        }
        for one in assignments {
            let matters = match one.section.as_str() {
                "Unit" => PULLS.contains(&one.name.as_str()) || one.name == "DefaultDependencies",
                "Service" => one.name == "ExecStart" || one.name == "Sockets",
                _ => false,
            };
            if !matters {
                continue;
            }
            if one.value.is_empty() {
                // An empty list of programs begins anew; dependencies cannot be taken back.
                if one.name == "ExecStart" {
                    own.remove("ExecStart");
                }
                continue;
            }
            let words = one.value.split_ascii_whitespace().map(|word| with_instance(word, unit));
            own.entry(one.name).or_default().extend(words);
        }
    }
    Ok(own)
}

/// The specifiers that stand in dependencies: `%i` and `%I`, the instance.
fn with_instance(word: &str, unit: &str) -> String {
    if !word.contains('%') {
        return word.to_owned();
    }
    let instance = unit
        .split_once('@')
        .and_then(|(_, rest)| rest.rsplit_once('.'))
        .map_or("", |(instance, _)| instance);
    word.replace("%i", instance).replace("%I", instance)
}
