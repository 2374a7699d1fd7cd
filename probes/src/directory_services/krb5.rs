//! `/etc/krb5.conf` (krb5.conf(5)): the relations of `[libdefaults]` and the names in `[realms]`.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Kerberos;
use super::{items, malformed, shown};
use crate::reading::{Reading, Unread};

const MAIN: &str = "/etc/krb5.conf";
/// The library's own limit of files that include each other (`prof_parse.c`).
const MAX_DEPTH: u8 = 10;
/// Files that are read.
const MAX_FILES: usize = 200;
const MAX_LINES: usize = 20_000;
const MAX_REALMS: usize = 1_000;

/// What was read so far.
#[derive(Debug, Default)]
struct Profile {
    /// By name; the first one counts.
    defaults: BTreeMap<String, String>,
    realms: BTreeSet<String>,
    files: usize,
    lines: usize,
}

/// The configuration; `None` if there is no such file.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Kerberos>, Unread> {
    let Some(text) = reading.text(MAIN)? else {
        return Ok(None);
    };
    let mut profile = Profile::default();
    profile.take(reading, MAIN, &text, 0)?;
    Ok(Some(profile.facts()))
}

impl Profile {
    fn take(&mut self, reading: &Reading<'_>, path: &str, text: &str, depth: u8) -> Result<(), Unread> {
        self.files += 1;
        if depth > MAX_DEPTH || self.files > MAX_FILES {
            return Err(malformed(path, "too many files include each other"));
        }
        // Each file begins outside of any section.
        let (mut section, mut braces) = (String::new(), 0_u32);
        for line in text.lines() {
            self.lines += 1;
            if self.lines > MAX_LINES {
                return Err(malformed(path, "too many lines"));
            }
            if let Some(included) = directive(line, "includedir") {
                for file in folder(reading, included)? {
                    let text = reading.text(&file)?.unwrap_or_default();
                    self.take(reading, &file, &text, depth + 1)?;
                }
                continue;
            }
            if let Some(included) = directive(line, "include") {
                let text = reading.text(included)?;
                let text =
                    text.ok_or_else(|| malformed(path, format!("{included}, which it includes, is not there")))?;
                self.take(reading, included, &text, depth + 1)?;
                continue;
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[').filter(|_| braces == 0) {
                let name = rest.split_once(']').map(|(name, _)| name);
                name.ok_or_else(|| malformed(path, "a section without its bracket"))?
                    .clone_into(&mut section);
                continue;
            }
            if line.starts_with('}') {
                braces = braces.saturating_sub(1);
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim().trim_end_matches('*'), value.trim());
            if value.starts_with('{') {
                if section == "realms" && braces == 0 && self.realms.len() < MAX_REALMS {
                    self.realms.insert(shown(name));
                }
                braces += 1;
            } else if section == "libdefaults" && braces == 0 {
                let value = value.trim_matches('"').to_owned();
                self.defaults.entry(name.to_owned()).or_insert(value);
            }
        }
        Ok(())
    }

    fn facts(self) -> Kerberos {
        let value = |name: &str| self.defaults.get(name).map(String::as_str);
        let list = |name: &str| items(value(name).unwrap_or_default());
        let on = |name: &str| value(name).is_some_and(is_true);
        let mut requested = list("default_tgs_enctypes");
        for kind in list("default_tkt_enctypes") {
            if !requested.contains(&kind) {
                requested.push(kind);
            }
        }
        Kerberos {
            default_realm: value("default_realm").filter(|realm| !realm.is_empty()).map(shown),
            permitted_enctypes: list("permitted_enctypes"),
            requested_enctypes: requested,
            allow_weak_crypto: on("allow_weak_crypto"),
            allow_des3: on("allow_des3"),
            allow_rc4: on("allow_rc4"),
            dns_lookup_realm: on("dns_lookup_realm"),
            realms: self.realms.into_iter().collect(),
        }
    }
}

/// `include PATH` stands at the beginning of a line.
fn directive<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

/// Files that `includedir` takes: names of letters, digits, hyphens and underscores, or ending in `.conf`.
fn folder(reading: &Reading<'_>, path: &str) -> Result<Vec<String>, Unread> {
    let path = path.trim_end_matches('/');
    let entries = reading.list(path)?.unwrap_or_default();
    let plain = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let taken = |name: &str| !name.starts_with('.') && (plain(name) || name.strip_suffix(".conf").is_some());
    let names = entries.into_iter().map(|entry| entry.name).filter(|name| taken(name));
    Ok(names.map(|name| format!("{path}/{name}")).collect())
}

fn is_true(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "y" | "yes" | "true" | "t" | "1" | "on"
    )
}
