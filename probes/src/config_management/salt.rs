//! Salt's minion: `master` of its configuration and the drop-ins beside it.

use serde_json::Value;

use super::{Told, host_of, run_by_file};
use crate::formats::{included, yaml_outline};
use crate::probe::Known;
use crate::reading::{Reading, Unread};

pub(super) fn read(reading: &Reading<'_>) -> Result<Told, Unread> {
    minion(reading, "/etc/salt", "/var/cache/salt/minion")
}

pub(super) fn read_uyuni(reading: &Reading<'_>) -> Result<Told, Unread> {
    minion(reading, "/etc/venv-salt-minion", "/var/cache/venv-salt-minion")
}

fn minion(reading: &Reading<'_>, folder: &str, cache: &str) -> Result<Told, Unread> {
    let mut files = vec![format!("{folder}/minion")];
    files.extend(included::files(reading, &format!("{folder}/minion.d/*.conf"))?);
    let mut servers = vec!["salt".to_owned()];
    for file in files {
        let Some(value) = yaml_outline::read(reading, &file)? else {
            continue;
        };
        let set: Vec<String> = match value.get("master") {
            Some(Value::String(master)) => vec![host_of(master)],
            Some(Value::Array(masters)) => masters.iter().filter_map(Value::as_str).map(host_of).collect(),
            _ => continue,
        };
        servers = set;
    }
    servers.sort();
    Ok(Told {
        servers: Known::Observed(servers),
        last_run: run_by_file(
            reading,
            &[&format!("{cache}/highstate.cache.p"), &format!("{cache}/sls.p")],
        ),
        ..Told::default()
    })
}
