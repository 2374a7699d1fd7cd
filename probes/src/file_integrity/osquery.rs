//! osquery: `file_paths` of its configuration, and its flags (one to a line).

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::Osquery;
use crate::formats::included;
use crate::reading::{Reading, Unread};

const FILE: &str = "/etc/osquery/osquery.conf";
const DROP_INS: &str = "/etc/osquery/osquery.conf.d/*.conf";
const FLAGS: &str = "/etc/osquery/osquery.flags";

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Osquery>, Unread> {
    let mut files = vec![FILE.to_owned()];
    files.extend(included::files(reading, DROP_INS)?);
    let flags = reading.text(FLAGS)?;
    let mut any = flags.is_some();
    let mut options = Vec::new();
    let mut categories = BTreeSet::new();
    for file in files {
        let Some(text) = reading.text(&file)? else { continue };
        any = true;
        let value: Value = serde_json::from_str(&text).map_err(|error| Unread::Malformed {
            place: file.clone(),
            reason: error.to_string(),
        })?;
        let paths = value.get("file_paths").and_then(Value::as_object).into_iter().flatten();
        categories.extend(paths.map(|(category, _)| category.clone()));
        options.extend(value.get("options").cloned());
    }
    let flags = flags.unwrap_or_default();
    // Options of the configuration override the flags, as osquery has it.
    let is = |name: &str, default: bool| {
        let option = options.iter().rev().find_map(|options| options.get(name));
        let option = option.map(|value| value == &Value::Bool(true) || value.as_str() == Some("true"));
        let lines = flags.lines().map(str::trim);
        let mut flag = lines.filter_map(|line| {
            let rest = line.strip_prefix("--")?.strip_prefix(name)?;
            match rest {
                "" | "=true" | "=1" => Some(true),
                "=false" | "=0" => Some(false),
                _ => None,
            }
        });
        option.or(flag.next_back()).unwrap_or(default)
    };
    let found = Osquery {
        file_events: is("enable_file_events", false) && !is("disable_events", true),
        categories: categories.into_iter().collect(),
    };
    Ok(any.then_some(found))
}
