//! Salt: the minion's configuration, YAML; files in `minion.d` take the place of what the main one says.
//!
//! Source: Salt's documentation, *Configuring the Salt Minion* (`master`, `default_include`).

use evidence::facts::Outcome;
use serde_json::Value;

use crate::formats::{included, yaml_outline};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const MAIN: &str = "/etc/salt/minion";
const MORE: &str = "/etc/salt/minion.d/*.conf";

/// The master, or the masters with commas between them.
pub(super) fn master(reading: &Reading<'_>) -> Known<String> {
    match configured(reading) {
        Ok(Some(master)) => Known::Observed(master),
        Ok(None) => Known::not(Outcome::Absent, format!("{MAIN} sets no master")),
        Err(unread) => Known::unread(&unread),
    }
}

fn configured(reading: &Reading<'_>) -> Result<Option<String>, Unread> {
    let mut files = vec![MAIN.to_owned()];
    files.extend(included::files(reading, MORE)?);
    let mut master = None;
    for path in files {
        let Some(settings) = yaml_outline::read(reading, &path)? else {
            continue;
        };
        match settings.get("master") {
            Some(Value::String(name)) => master = Some(without_credentials(name)),
            Some(Value::Array(names)) => {
                let names: Vec<String> = names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(without_credentials)
                    .collect();
                master = Some(names.join(","));
            }
            _ => {}
        }
    }
    Ok(master)
}

fn without_credentials(name: &str) -> String {
    name.rsplit_once('@').map_or(name, |(_, host)| host).to_owned()
}
