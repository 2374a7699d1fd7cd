//! sshguard and `DenyHosts`: files of assignments.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::Sshguard;
use crate::formats::shell;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const SSHGUARD: [&str; 2] = ["/etc/sshguard/sshguard.conf", "/etc/sshguard.conf"];
const DENYHOSTS: [&str; 2] = ["/etc/denyhosts.conf", "/etc/denyhosts/denyhosts.conf"];
/// The settings of `DenyHosts` that are told.
const TOLD: [&str; 7] = [
    "AGE_RESET_VALID",
    "BLOCK_SERVICE",
    "DENY_THRESHOLD_INVALID",
    "DENY_THRESHOLD_RESTRICTED",
    "DENY_THRESHOLD_ROOT",
    "DENY_THRESHOLD_VALID",
    "PURGE_DENY",
];

/// The first of the files that is there.
fn first(reading: &Reading<'_>, paths: &[&str]) -> Result<Option<String>, Unread> {
    for path in paths {
        // It can hold a mail server's password: its digest stays here.
        if let Some(bytes) = reading.private(path, path)? {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(None)
}

pub(super) fn sshguard(reading: &Reading<'_>) -> Result<Option<Sshguard>, Unread> {
    let Some(text) = first(reading, &SSHGUARD)? else {
        return Ok(None);
    };
    let read = shell::assignments(&text);
    let value = |name: &str| shell::last(&read, name).filter(|value| !value.is_empty());
    let number = |name: &str, otherwise: i64| match value(name).map(str::parse) {
        None => Known::Observed(otherwise),
        Some(Ok(number)) => Known::Observed(number),
        Some(Err(_)) => Known::not(Outcome::Malformed, format!("{name} is no number")),
    };
    let whitelist = match value("WHITELIST_FILE") {
        None => Known::absent("no WHITELIST_FILE is set"),
        Some(path) => Known::of(reading.file(path).map(|bytes| bytes.map(|bytes| entries(&bytes))), path),
    };
    let backend = value("BACKEND").map(|path| path.rsplit('/').next().unwrap_or(path));
    Ok(Some(Sshguard {
        backend: backend.map(|name| name.chars().take(100).collect()),
        threshold: number("THRESHOLD", 30),
        block_time: number("BLOCK_TIME", 120),
        detection_time: number("DETECTION_TIME", 1_800),
        blacklist: value("BLACKLIST_FILE").is_some(),
        whitelist,
    }))
}

/// Lines that are neither empty nor begin with `#`.
fn entries(bytes: &[u8]) -> u64 {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
        .count() as u64
}

pub(super) fn denyhosts(reading: &Reading<'_>) -> Result<Option<BTreeMap<String, String>>, Unread> {
    let Some(text) = first(reading, &DENYHOSTS)? else {
        return Ok(None);
    };
    let mut set = BTreeMap::new();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once('=') else {
            continue;
        };
        if let Some(name) = TOLD.iter().find(|told| **told == name.trim()) {
            set.insert((*name).to_owned(), value.trim().chars().take(100).collect());
        }
    }
    Ok(Some(set))
}
