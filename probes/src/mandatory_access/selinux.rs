//! `SELinux`: as it runs, and as it is to be after the next boot.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{SeLinux, SeLinuxConfig};
use super::{map, number, processes};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const SELINUX: &str = "/sys/fs/selinux";
const CONFIG: &str = "/etc/selinux/config";
const MAX_BOOLEANS: usize = 2_000;

pub(super) fn now(reading: &Reading<'_>) -> Known<SeLinux> {
    Known::of(running(reading), SELINUX)
}

/// `now`: switches that are on.
pub(super) fn at_boot(reading: &Reading<'_>, now: &Known<SeLinux>) -> Known<SeLinuxConfig> {
    Known::of(configured(reading, now), CONFIG)
}

fn running(reading: &Reading<'_>) -> Result<Option<SeLinux>, Unread> {
    let path = format!("{SELINUX}/enforce");
    let Some(enforce) = reading.attribute(&path)? else {
        return Ok(None);
    };
    let enforcing = match enforce.trim() {
        "1" => true,
        "0" => false,
        _ => {
            return Err(Unread::Malformed {
                place: path,
                reason: "neither 0 nor 1".to_owned(),
            });
        }
    };
    Ok(Some(SeLinux {
        enforcing,
        policy_version: number(reading, &format!("{SELINUX}/policyvers")),
        deny_unknown: map(number(reading, &format!("{SELINUX}/deny_unknown")), |number| {
            number == 1
        }),
        booleans_on: booleans(reading),
        services_without_domain: processes::without_domain(reading),
    }))
}

/// Files of `CURRENT PENDING`.
fn booleans(reading: &Reading<'_>) -> Known<Vec<String>> {
    let folder = format!("{SELINUX}/booleans");
    let entries = match Known::of(reading.list(&folder), &folder) {
        Known::Observed(entries) => entries,
        Known::Not(why) => return Known::Not(why),
    };
    if entries.len() > MAX_BOOLEANS {
        return Known::not(Outcome::Skipped, format!("{folder}: more than {MAX_BOOLEANS} entries"));
    }
    let mut on = vec![];
    for entry in entries {
        match reading.attribute(&format!("{folder}/{}", entry.name)) {
            Ok(text) => {
                if text.unwrap_or_default().starts_with('1') {
                    on.push(entry.name);
                }
            }
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(on)
}

fn configured(reading: &Reading<'_>, now: &Known<SeLinux>) -> Result<Option<SeLinuxConfig>, Unread> {
    let Some(text) = reading.text(CONFIG)? else {
        return Ok(None);
    };
    let policy = policy(&text).unwrap_or("targeted").to_owned();
    let booleans = set(reading, &policy);
    Ok(Some(SeLinuxConfig {
        // As libselinux loads the policy where no line tells.
        mode: mode(&text).unwrap_or("permissive").to_owned(),
        permissive_domains: permissive(reading, &policy),
        booleans_otherwise_now: otherwise(&booleans, now),
        booleans,
        policy,
    }))
}

/// As `selinux_getenforcemode` reads: the first line that begins with `SELINUX=` and one of three words, whatever follows.
fn mode(text: &str) -> Option<&'static str> {
    let mut values = text.split('\n').filter_map(|line| line.strip_prefix("SELINUX="));
    let words = ["enforcing", "permissive", "disabled"];
    let word = |value: &str| {
        let value = value.trim_ascii_start();
        let begins = |word: &&str| {
            value
                .get(..word.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        };
        words.into_iter().find(begins)
    };
    values.find_map(word)
}

/// As `selinux_getpolicytype` reads: the last line counts, blanks around it do not, case neither.
fn policy(text: &str) -> Option<&str> {
    const TAG: &str = "SELINUXTYPE=";
    let mut values = text.lines().filter_map(|line| {
        let (tag, value) = line.trim_ascii_start().split_at_checked(TAG.len())?;
        tag.eq_ignore_ascii_case(TAG).then(|| value.trim_ascii())
    });
    values.next_back()
}

/// semanage writes a module `permissive_DOMAIN` for each.
fn permissive(reading: &Reading<'_>, policy: &str) -> Known<Vec<String>> {
    let modules = format!("/var/lib/selinux/{policy}/active/modules");
    let mut domains = vec![];
    let priorities = match Known::of(reading.list(&modules), &modules) {
        Known::Observed(entries) => entries,
        Known::Not(why) => return Known::Not(why),
    };
    for priority in priorities {
        if !priority.name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        match reading.list(&format!("{modules}/{}", priority.name)) {
            Ok(entries) => {
                let names = entries.unwrap_or_default().into_iter();
                domains.extend(names.filter_map(|entry| Some(entry.name.strip_prefix("permissive_")?.to_owned())));
            }
            Err(unread) => return Known::unread(&unread),
        }
    }
    domains.order();
    domains.dedup();
    Known::Observed(domains)
}

/// What setsebool(8) keeps with `-P`: lines of `NAME=VALUE`.
fn set(reading: &Reading<'_>, policy: &str) -> Known<BTreeMap<String, bool>> {
    let path = format!("/var/lib/selinux/{policy}/active/booleans.local");
    let text = match Known::of(reading.text(&path), &path) {
        Known::Observed(text) => text,
        Known::Not(why) => return Known::Not(why),
    };
    let mut set = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let value = line.split_once('=').and_then(|(name, value)| match value.trim() {
            "1" => Some((name.trim(), true)),
            "0" => Some((name.trim(), false)),
            _ => None,
        });
        let Some((name, value)) = value.filter(|_| set.len() < MAX_BOOLEANS) else {
            return Known::unread(
                &reading.malformed(path, format!("line {}: not of the form NAME=0 or NAME=1", index + 1)),
            );
        };
        set.insert(name.to_owned(), value);
    }
    Known::Observed(set)
}

/// Those that are otherwise now.
fn otherwise(set: &Known<BTreeMap<String, bool>>, now: &Known<SeLinux>) -> Known<Vec<String>> {
    let on = match now {
        Known::Observed(now) => &now.booleans_on,
        Known::Not(why) => return Known::Not(why.clone()),
    };
    match (set, on) {
        (Known::Observed(set), Known::Observed(on)) => {
            let differ = set.iter().filter(|(name, value)| on.contains(name) != **value);
            Known::Observed(differ.map(|(name, _)| name.clone()).collect())
        }
        (Known::Not(why), _) | (_, Known::Not(why)) => Known::Not(why.clone()),
    }
}
