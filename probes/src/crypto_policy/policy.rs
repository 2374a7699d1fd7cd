//! The system-wide policy: crypto-policies(7), update-crypto-policies(8).

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::SystemPolicy;
use crate::order::IntoMap as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Kind, Reading, Unread};

const FOLDER: &str = "/etc/crypto-policies";
/// More names than anybody has policies.
const MAX_NAMES: usize = 200;
/// Settings of a policy number some forty.
const MAX_SETTINGS: usize = 500;

/// Reads it; `None` if the distribution has none.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<SystemPolicy>, Unread> {
    let Some(config) = reading.text(&format!("{FOLDER}/config"))? else {
        return Ok(None);
    };
    let configured = name(&config);
    let mut parts = configured.split(':').map(str::to_owned);
    let applied = match reading.text(&format!("{FOLDER}/state/current")) {
        Ok(Some(text)) => Known::Observed(name(&text)),
        Ok(None) => absent(&format!("{FOLDER}/state/current is not there")),
        Err(unread) => Known::unread(&unread),
    };
    Ok(Some(SystemPolicy {
        is_applied: applied.value().map(|applied| *applied == configured),
        name: parts.next().unwrap_or_default(),
        modules: parts.collect(),
        applied,
        local_policies: names(reading, "policies", ".pol")?,
        local_modules: names(reading, "policies/modules", ".pmod")?,
        local_snippets: names(reading, "local.d", ".config")?,
        settings: match reading.text(&format!("{FOLDER}/state/CURRENT.pol")) {
            Ok(Some(text)) => Known::Observed(settings(&text)),
            Ok(None) => absent(&format!("{FOLDER}/state/CURRENT.pol is not there")),
            Err(unread) => Known::unread(&unread),
        },
        diverted_back_ends: diverted(reading)?,
    }))
}

fn absent<T>(detail: &str) -> Known<T> {
    Known::Not(NotKnown {
        outcome: Outcome::Absent,
        detail: detail.to_owned(),
    })
}

/// The first line that is no comment, upper case as update-crypto-policies takes it; `DEFAULT` if there is none.
fn name(text: &str) -> String {
    let mut lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let first = lines.find(|line| !line.is_empty()).unwrap_or("DEFAULT");
    first.to_ascii_uppercase()
}

fn names(reading: &Reading<'_>, folder: &str, ending: &str) -> Result<Vec<String>, Unread> {
    let entries = reading.list(&format!("{FOLDER}/{folder}"))?.unwrap_or_default();
    let names = entries.iter().filter_map(|entry| entry.name.strip_suffix(ending));
    Ok(names.take(MAX_NAMES).map(str::to_owned).collect())
}

/// `name = value`; of a name that stands twice the last.
fn settings(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let settings = lines.filter_map(|line| line.split_once('='));
    let settings = settings.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    settings.take(MAX_SETTINGS).into_map()
}

/// Back ends are files that update-crypto-policies wrote, or links to the packaged ones.
fn diverted(reading: &Reading<'_>) -> Result<Vec<String>, Unread> {
    let folder = format!("{FOLDER}/back-ends");
    let mut diverted = vec![];
    for entry in reading.list(&folder)?.unwrap_or_default() {
        if entry.kind == Kind::Link {
            let target = reading.link(&format!("{folder}/{}", entry.name))?.unwrap_or_default();
            if !target.starts_with("/usr/share/crypto-policies/") && !target.contains("../usr/share/crypto-policies/") {
                diverted.push(entry.name.trim_end_matches(".config").to_owned());
            }
        }
    }
    diverted.truncate(MAX_NAMES);
    Ok(diverted)
}
