//! Processes that run without what the policy has for them.

use std::collections::BTreeSet;

use super::attachment;
use super::facts::NotApplied;
use super::profiles::Files;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};
use crate::software::processes;

const POLICY: &str = "/sys/kernel/security/apparmor/policy/profiles";
const MAX_PROFILES: usize = 5_000;
/// More processes than a host has.
const MAX_PROCESSES: usize = 20_000;
/// Of programs for which the policy has no domain: those that init starts, today and before systemd.
const WITHOUT_DOMAIN: [&str; 2] = ["unconfined_service_t", "initrc_t"];

/// Loaded profiles whose program a process runs without them. Processes in containers run other files.
pub(super) fn without_profile(reading: &Reading<'_>, files: &Known<Files>) -> Known<NotApplied> {
    let look = || -> Result<Option<NotApplied>, Unread> {
        let Some(attachments) = attachments(reading, files)? else {
            return Ok(None);
        };
        let programs = programs(reading, |label| label == "unconfined")?.unwrap_or_default();
        let mut found = NotApplied::default();
        for (name, pattern) in attachments {
            let is_for = |program: &String| attachment::is_for(pattern.as_deref()?, program);
            let answers: Option<Vec<bool>> = programs.iter().map(is_for).collect();
            match answers.filter(|_| pattern.is_some()) {
                Some(answers) if answers.contains(&true) => found.profiles.push(name),
                Some(_) => {}
                None => found.not_looked_for.push(name),
            }
        }
        found.profiles.order();
        found.not_looked_for.order();
        Ok(Some(found))
    };
    Known::of(look(), POLICY)
}

/// Programs of services for which the policy has no domain, sorted.
pub(super) fn without_domain(reading: &Reading<'_>) -> Known<Vec<String>> {
    let is_one = |label: &str| {
        label
            .split(':')
            .nth(2)
            .is_some_and(|kind| WITHOUT_DOMAIN.contains(&kind))
    };
    Known::of(
        programs(reading, is_one).map(|programs| programs.map(|programs| programs.into_iter().collect())),
        "/proc/PID",
    )
}

/// A profile's name, and the pattern of its programs if it is known.
type Attachment = (String, Option<String>);

/// Names of the profiles at the top, since others are entered only from those, with the patterns of their programs; without one
/// if that is not known. Those that are for no program are left out.
fn attachments(reading: &Reading<'_>, files: &Known<Files>) -> Result<Option<Vec<Attachment>>, Unread> {
    let Some(entries) = reading.list(POLICY)? else {
        return Ok(None);
    };
    let mut found = vec![];
    for entry in entries.into_iter().take(MAX_PROFILES) {
        let attribute = |name: &str| reading.attribute(&format!("{POLICY}/{}/{name}", entry.name));
        // A profile may be taken away meanwhile.
        let (Some(name), Some(attach)) = (attribute("name")?, attribute("attach")?) else {
            continue;
        };
        let pattern = if attach == "<unknown>" {
            let of_file = files
                .value()
                .and_then(|files| files.attachment(&name))
                .map(str::to_owned);
            let pattern = of_file.or_else(|| name.starts_with('/').then(|| name.clone()));
            pattern.filter(|pattern| !pattern.contains("@{"))
        } else if attach.starts_with('/') {
            Some(attach)
        } else {
            continue;
        };
        found.push((name, pattern));
    }
    Ok(Some(found))
}

/// Programs of the host's processes whose label `is_one`.
fn programs(reading: &Reading<'_>, is_one: impl Fn(&str) -> bool) -> Result<Option<BTreeSet<String>>, Unread> {
    let Some(processes) = processes::all(reading)? else {
        return Ok(None);
    };
    if processes.len() > MAX_PROCESSES {
        return Err(Unread::TooLarge {
            place: "/proc".to_owned(),
            limit: MAX_PROCESSES as u64,
        });
    }
    let mut found = BTreeSet::new();
    for process in &processes {
        let label = processes::file(reading, process, "attr/current")?.unwrap_or_default();
        let label = String::from_utf8_lossy(&label);
        if !is_one(label.trim_end_matches(['\0', '\n'])) {
            continue;
        }
        let Some(program) = processes::program(reading, process)? else {
            continue;
        };
        let group = processes::file(reading, process, "cgroup")?.unwrap_or_default();
        if !processes::in_container(&String::from_utf8_lossy(&group)) {
            // Replaced by an update, it is the same program.
            found.insert(program.trim_end_matches(" (deleted)").to_owned());
        }
    }
    Ok(Some(found))
}
