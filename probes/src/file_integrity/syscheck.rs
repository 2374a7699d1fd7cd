//! `ossec.conf` of Wazuh and OSSEC: XML with several roots, read for the settings of *syscheck* alone.

use std::collections::BTreeSet;

use super::facts::Syscheck;
use crate::reading::{Reading, Unread};

const FILE: &str = "/var/ossec/etc/ossec.conf";
const DEFAULT_FREQUENCY: u64 = 43_200;
const MAX_DIRECTORIES: usize = 1_000;

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Syscheck>, Unread> {
    // It may hold passwords of databases and of mail: no digest.
    let bytes = reading.private(FILE, FILE)?;
    Ok(bytes.map(|bytes| parse(&String::from_utf8_lossy(&bytes))))
}

/// Blocks of the same name add up, and the last value counts.
pub(super) fn parse(text: &str) -> Syscheck {
    let text = without_comments(text);
    let mut found = Syscheck {
        disabled: false,
        frequency: DEFAULT_FREQUENCY,
        directories: vec![],
        realtime: vec![],
    };
    let mut directories = BTreeSet::new();
    let mut realtime = BTreeSet::new();
    for (_, block) in elements(&text, "syscheck") {
        for (_, value) in elements(block, "disabled") {
            found.disabled = value.trim() == "yes";
        }
        for (_, value) in elements(block, "frequency") {
            found.frequency = value.trim().parse().unwrap_or(found.frequency);
        }
        for (attributes, value) in elements(block, "directories") {
            let always = ["realtime=\"yes\"", "whodata=\"yes\""]
                .iter()
                .any(|one| attributes.contains(one));
            for path in value.split(',').map(str::trim).filter(|path| !path.is_empty()) {
                if directories.len() < MAX_DIRECTORIES {
                    directories.insert(path.to_owned());
                    if always {
                        realtime.insert(path.to_owned());
                    }
                }
            }
        }
    }
    found.directories = directories.into_iter().collect();
    found.realtime = realtime.into_iter().collect();
    found
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Attributes and content of each element of a name, none of which stand in each other.
fn elements<'a>(text: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut found = vec![];
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(open.as_str()) {
        rest = after;
        if !after.starts_with(['>', ' ', '\t', '\n', '\r']) {
            continue;
        }
        let Some((attributes, content)) = after.split_once('>') else {
            break;
        };
        let Some((content, after)) = content.split_once(close.as_str()) else {
            break;
        };
        found.push((attributes, content));
        rest = after;
    }
    found
}
