//! Software whose files are plain lines: CFEngine, Rudder, Chef, Landscape, and what Red Hat's hosts have.

use super::{Told, host_of, run_by_file};
use crate::formats::systemd::syntax;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

/// The first line that is not empty, of the first of several files.
fn policy_server(reading: &Reading<'_>, files: &[&str]) -> Result<Vec<String>, Unread> {
    for file in files {
        if let Some(text) = reading.text(file)? {
            let line = text
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty() && !line.starts_with('#'));
            return Ok(line.map(host_of).into_iter().collect());
        }
    }
    Ok(vec![])
}

pub(super) fn cfengine(reading: &Reading<'_>) -> Result<Told, Unread> {
    Ok(Told {
        servers: Known::Observed(policy_server(reading, &["/var/cfengine/policy_server.dat"])?),
        last_run: run_by_file(
            reading,
            &[
                "/var/cfengine/promise_summary.log",
                "/var/cfengine/state/promise_summary.log",
            ],
        ),
        ..Told::default()
    })
}

pub(super) fn rudder(reading: &Reading<'_>) -> Result<Told, Unread> {
    let files = [
        "/opt/rudder/etc/policy_server.dat",
        "/var/rudder/cfengine-community/policy_server.dat",
    ];
    Ok(Told {
        servers: Known::Observed(policy_server(reading, &files)?),
        switched_off: Known::Observed(reading.stat("/opt/rudder/etc/disable-agent")?.is_some()),
        last_run: run_by_file(
            reading,
            &["/var/rudder/cfengine-community/last_successful_inputs_update"],
        ),
    })
}

/// `chef_server_url "https://…"`: Ruby, of which nothing but that line is understood.
pub(super) fn chef(reading: &Reading<'_>) -> Result<Told, Unread> {
    let mut servers = vec![];
    for file in ["/etc/chef/client.rb", "/etc/cinc/client.rb"] {
        let text = reading.text(file)?.unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("chef_server_url"));
        servers.extend(lines.map(|rest| rest.trim().trim_matches(['(', ')'])).map(host_of));
    }
    servers.sort();
    Ok(Told {
        servers: Known::Observed(servers),
        last_run: run_by_file(
            reading,
            &[
                "/var/chef/cache/chef-client-running.pid",
                "/var/cinc/cache/cinc-client-running.pid",
                "/var/cache/chef/chef-client-running.pid",
            ],
        ),
        ..Told::default()
    })
}

fn setting(reading: &Reading<'_>, file: &str, section: &str, name: &str) -> Result<Vec<String>, Unread> {
    // It may hold a registration key: no digest.
    let bytes = reading.private(file, file)?.unwrap_or_default();
    let assignments = syntax::lenient(&String::from_utf8_lossy(&bytes));
    let mut found = assignments.iter().rev();
    let found = found.find(|one| one.section == section && one.name == name && !one.value.is_empty());
    Ok(found.map(|one| host_of(&one.value)).into_iter().collect())
}

pub(super) fn landscape(reading: &Reading<'_>) -> Result<Told, Unread> {
    Ok(Told {
        servers: Known::Observed(setting(reading, "/etc/landscape/client.conf", "client", "url")?),
        ..Told::default()
    })
}

pub(super) fn subscription_manager(reading: &Reading<'_>) -> Result<Told, Unread> {
    Ok(Told {
        servers: Known::Observed(setting(reading, "/etc/rhsm/rhsm.conf", "server", "hostname")?),
        ..Told::default()
    })
}

pub(super) fn insights(reading: &Reading<'_>) -> Result<Told, Unread> {
    Ok(Told {
        switched_off: Known::Observed(reading.stat("/etc/insights-client/.unregistered")?.is_some()),
        last_run: run_by_file(reading, &["/etc/insights-client/.lastupload"]),
        ..Told::default()
    })
}
