//! borgmatic (its reference of configuration): since 1.8 without the sections that it had before.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::{Configuration, Encryption, Settings};
use super::{configuration, files_in, place};
use crate::formats::yaml_outline;
use crate::order::Order as _;
use crate::reading::{Reading, Unread};

const FILE: &str = "/etc/borgmatic/config.yaml";
const FOLDER: &str = "/etc/borgmatic.d";
/// Sections of the older form.
const SECTIONS: [&str; 3] = ["location", "storage", "retention"];

pub(super) fn read(reading: &Reading<'_>) -> Result<Vec<Configuration>, Unread> {
    let mut found = vec![];
    let mut files = vec![FILE.to_owned()];
    files.extend(files_in(reading, FOLDER, &[".yaml", ".yml"])?);
    for file in files {
        // It may hold passphrases: no digest.
        let text = match reading.private(&file, &file) {
            Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(None) => continue,
            Err(unread) => {
                found.push(configuration("borgmatic", &file, Err(unread)));
                continue;
            }
        };
        let settings = yaml_outline::parse(&text)
            .map(|value| settings(&value))
            .map_err(|error| Unread::Malformed {
                place: file.clone(),
                reason: error.to_string(),
            });
        found.push(configuration("borgmatic", &file, settings));
    }
    Ok(found)
}

fn settings(value: &Value) -> Settings {
    let get = |name: &str| {
        let in_section = || SECTIONS.iter().find_map(|section| value.get(section)?.get(name));
        value
            .get(name)
            .or_else(in_section)
            .filter(|value| **value != Value::Null)
    };
    let list = |name: &str| get(name).and_then(Value::as_array).into_iter().flatten();
    let mut repositories: Vec<_> = list("repositories")
        .filter_map(|one| one.as_str().or_else(|| one.get("path")?.as_str()))
        .map(place::of)
        .collect();
    repositories.order();
    let mut retention = BTreeMap::new();
    for name in [
        "within", "secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly",
    ] {
        let name = format!("keep_{name}");
        match get(&name) {
            Some(Value::Number(number)) => retention.insert(name, number.to_string()),
            Some(Value::String(text)) => retention.insert(name, text.chars().take(20).collect()),
            _ => None,
        };
    }
    let secret = ["encryption_passphrase", "encryption_passcommand"];
    Settings {
        paths: place::paths(list("source_directories").filter_map(Value::as_str)),
        repositories,
        retention,
        encryption: if secret.iter().any(|name| get(name).is_some()) {
            Encryption::Encrypted
        } else {
            Encryption::NotTold
        },
        last_success: None,
    }
}
