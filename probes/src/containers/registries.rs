//! From where images are taken (containers-registries.conf(5)), and which (containers-policy.json(5)).

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::{ImagePolicy, Registries};
use super::without_user;
use crate::formats::{included, toml};
use crate::reading::{Reading, Unread};

/// The vendor's file counts only without one of the administrator.
const MAIN: [&str; 2] = [
    "/etc/containers/registries.conf",
    "/usr/share/containers/registries.conf",
];
const DROP_INS: &str = "/etc/containers/registries.conf.d/*.conf";
const POLICIES: [&str; 2] = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];

pub(super) fn read(reading: &Reading<'_>) -> Result<Registries, Unread> {
    let mut layers = vec![];
    for main in MAIN {
        if let Some(value) = toml::read(reading, main)? {
            layers.push((main.to_owned(), value));
            break;
        }
    }
    for file in included::files(reading, DROP_INS)? {
        if let Some(value) = toml::read(reading, &file)? {
            layers.push((file, value));
        }
    }
    let last = |pointer: &str| layers.iter().rev().find_map(|(_, value)| value.pointer(pointer));
    let search = last("/unqualified-search-registries").or_else(|| last("/registries/search/registries"));
    let search = search
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let unqualified_search = search.map(without_user).collect();
    let short_name_mode = last("/short-name-mode").and_then(Value::as_str).map(str::to_owned);
    let mut found = Found::default();
    for (file, value) in &layers {
        found.add(value).map_err(|reason| Unread::Malformed {
            place: file.clone(),
            reason: reason.to_owned(),
        })?;
    }
    let (insecure, blocked) = found.told();
    Ok(Registries {
        unqualified_search,
        short_name_mode,
        insecure,
        blocked,
        files: layers.into_iter().map(|(file, _)| file).collect(),
    })
}

/// Registries by prefix: one in a later file replaces one in an earlier.
#[derive(Default)]
struct Found {
    by_prefix: std::collections::BTreeMap<String, (BTreeSet<String>, bool)>,
}

impl Found {
    fn add(&mut self, value: &Value) -> Result<(), &'static str> {
        let tables = match value.get("registry") {
            None => &[][..],
            Some(tables) => tables.as_array().ok_or("registry is no array of tables")?.as_slice(),
        };
        for table in tables {
            let name = |table: &Value| {
                let location = table.get("location").and_then(Value::as_str);
                let prefix = table
                    .get("prefix")
                    .and_then(Value::as_str)
                    .filter(|prefix| !prefix.is_empty());
                prefix.or(location).map(without_user)
            };
            let is = |table: &Value, key: &str| table.get(key) == Some(&Value::Bool(true));
            let prefix = name(table).ok_or("a registry without location and prefix")?;
            let mut insecure = BTreeSet::new();
            if is(table, "insecure") {
                insecure.insert(prefix.clone());
            }
            let mirrors = table.get("mirror").and_then(Value::as_array);
            for mirror in mirrors.into_iter().flatten().filter(|mirror| is(mirror, "insecure")) {
                insecure.extend(name(mirror));
            }
            self.by_prefix.insert(prefix, (insecure, is(table, "blocked")));
        }
        // The form of version 1.
        let of_first = |kind: &str| {
            let list = value
                .pointer(&format!("/registries/{kind}/registries"))
                .and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(without_user)
                .collect::<Vec<_>>()
        };
        for prefix in of_first("insecure") {
            self.by_prefix.entry(prefix.clone()).or_default().0.insert(prefix);
        }
        for prefix in of_first("block") {
            self.by_prefix.entry(prefix).or_default().1 = true;
        }
        Ok(())
    }

    fn told(self) -> (Vec<String>, Vec<String>) {
        let mut insecure = BTreeSet::new();
        let mut blocked = vec![];
        for (prefix, (own, is_blocked)) in self.by_prefix {
            insecure.extend(own);
            if is_blocked {
                blocked.push(prefix);
            }
        }
        (insecure.into_iter().collect(), blocked)
    }
}

pub(super) fn policy(reading: &Reading<'_>) -> Result<ImagePolicy, Unread> {
    for file in POLICIES {
        let Some(text) = reading.text(file)? else { continue };
        let malformed = |reason: String| Unread::Malformed {
            place: file.to_owned(),
            reason,
        };
        let value: Value = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let kinds = |requirements: &Value| {
            let requirements = requirements.as_array().into_iter().flatten();
            let kinds = requirements.filter_map(|one| one.get("type").and_then(Value::as_str));
            kinds.map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let default = value.get("default").ok_or_else(|| malformed("no default".to_owned()))?;
        let transports = value.get("transports").and_then(Value::as_object).into_iter().flatten();
        let scopes = transports.flat_map(|(_, scopes)| scopes.as_object().into_iter().flatten());
        let others: BTreeSet<String> = scopes.flat_map(|(_, requirements)| kinds(requirements)).collect();
        return Ok(ImagePolicy {
            file: file.to_owned(),
            default: kinds(default).into_iter().collect(),
            others: others.into_iter().collect(),
        });
    }
    Err(Unread::Failed {
        place: POLICIES.join(", "),
        reason: "none of them is there".to_owned(),
    })
}
