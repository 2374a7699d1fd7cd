//! Puppet: `server` of puppet.conf(5), sections `agent` and `main`, and what the last run left (`lib/puppet/configurer.rb`,
//! *save_last_run_summary*).

use evidence::facts::Outcome;
use serde_json::Value;

use super::{LastRun, Told, host_of};
use crate::formats::systemd::syntax;
use crate::formats::yaml_outline;
use crate::probe::Known;
use crate::reading::{Reading, Unread};
use crate::software::day;

/// Puppet's own packages, then Debian's; configuration and state.
const PLACES: [(&str, &str); 3] = [
    (
        "/etc/puppetlabs/puppet/puppet.conf",
        "/opt/puppetlabs/puppet/cache/state",
    ),
    ("/etc/puppet/puppet.conf", "/var/cache/puppet/state"),
    ("/etc/puppet/puppet.conf", "/var/lib/puppet/state"),
];

pub(super) fn read(reading: &Reading<'_>) -> Result<Told, Unread> {
    let mut servers = vec!["puppet".to_owned()];
    for (path, _) in PLACES {
        if let Some(text) = reading.text(path)? {
            let set = servers_of(&text);
            if !set.is_empty() {
                servers = set;
            }
            break;
        }
    }
    let mut told = Told {
        servers: Known::Observed(servers),
        switched_off: Known::Observed(false),
        last_run: Known::not(Outcome::Absent, "no run left a summary"),
    };
    for (_, state) in PLACES {
        let summary = format!("{state}/last_run_summary.yaml");
        match yaml_outline::read(reading, &summary) {
            Ok(Some(summary_of)) => told.last_run = run(&summary_of, &summary),
            Ok(None) => {}
            Err(unread) => told.last_run = Known::unread(&unread),
        }
        match reading.stat(&format!("{state}/agent_disabled.lock")) {
            Ok(Some(_)) => told.switched_off = Known::Observed(true),
            Ok(None) => {}
            Err(unread) => told.switched_off = Known::unread(&unread),
        }
    }
    Ok(told)
}

fn servers_of(text: &str) -> Vec<String> {
    let assignments = syntax::lenient(text);
    let get = |section: &str, name: &str| {
        let mut found = assignments.iter().rev();
        let found = found.find(|one| one.section.trim() == section && one.name == name)?;
        (!found.value.is_empty()).then_some(found.value.as_str())
    };
    let of = |name: &str| get("agent", name).or_else(|| get("main", name));
    let list = of("server_list").or_else(|| of("server")).unwrap_or_default();
    let mut servers: Vec<String> = list.split(',').map(host_of).filter(|host| !host.is_empty()).collect();
    servers.sort();
    servers
}

/// A run that could not compile its catalogue counts no resources.
fn run(summary: &Value, path: &str) -> Known<LastRun> {
    let Some(day) = summary.pointer("/time/last_run").and_then(Value::as_i64).and_then(day) else {
        return Known::not(Outcome::Malformed, format!("{path}: no time of the last run"));
    };
    let count = |pointer: &str| summary.pointer(pointer).and_then(Value::as_i64);
    let failed = [
        count("/resources/failed"),
        count("/resources/failed_to_restart"),
        count("/events/failure"),
    ];
    let success = summary.get("resources").is_some() && failed.iter().all(|count| count.unwrap_or(0) == 0);
    Known::Observed(LastRun {
        day,
        success: Some(success),
    })
}
