//! Puppet: `puppet.conf` and the summary of the last run.
//!
//! Source: Puppet's documentation, *Config files: The main config file (puppet.conf)*, and what `puppet config print` says.

use evidence::facts::Outcome;

use super::none;
use crate::probe::Known;
use crate::reading::Reading;

/// Of Puppet's own packages and of Debian's, today's first.
pub(super) const SUMMARIES: [&str; 5] = [
    "/opt/puppetlabs/puppet/public/last_run_summary.yaml",
    "/opt/puppetlabs/puppet/cache/state/last_run_summary.yaml",
    "/var/cache/puppet/public/last_run_summary.yaml",
    "/var/cache/puppet/state/last_run_summary.yaml",
    "/var/lib/puppet/state/last_run_summary.yaml",
];
const CONF: [&str; 2] = ["/etc/puppetlabs/puppet/puppet.conf", "/etc/puppet/puppet.conf"];
/// With another section Puppet refuses the file.
const SECTIONS: [&str; 5] = ["agent", "main", "master", "server", "user"];

/// Written by `puppet agent --disable`, and taken away by `--enable`.
const SWITCHED_OFF: [&str; 3] = [
    "/opt/puppetlabs/puppet/cache/state/agent_disabled.lock",
    "/var/cache/puppet/state/agent_disabled.lock",
    "/var/lib/puppet/state/agent_disabled.lock",
];

/// Whether runs are switched off.
pub(super) fn switched_off(reading: &Reading<'_>) -> Known<bool> {
    for path in SWITCHED_OFF {
        match reading.stat(path) {
            Ok(Some(_)) => return Known::Observed(true),
            Ok(None) => {}
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(false)
}

/// The server, and `noop`, as an agent takes them.
pub(super) fn conf(reading: &Reading<'_>) -> (Known<String>, Known<bool>) {
    for path in CONF {
        let text = match reading.text(path) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(unread) => return (Known::unread(&unread), Known::unread(&unread)),
        };
        let settings = match parse(&text) {
            Ok(settings) => settings,
            Err(line) => {
                let why = format!("{path}: line {line} is none of Puppet's: it refuses the file");
                return (
                    Known::not(Outcome::Malformed, why.clone()),
                    Known::not(Outcome::Malformed, why),
                );
            }
        };
        let value = |name: &str| {
            let in_section = |section: &&str| {
                let mut found = settings.iter();
                found.find(|one| one.section == *section && one.name == name)
            };
            ["agent", "main"].iter().find_map(in_section).map(|one| one.value)
        };
        // Those of `server_list` are asked before that of `server`.
        let server = value("server_list")
            .filter(|list| !list.is_empty())
            .or_else(|| value("server"));
        let server = server.map_or_else(
            || Known::not(Outcome::Absent, format!("{path} sets no server")),
            |server| Known::Observed(server.to_owned()),
        );
        let only_reports = match value("noop").map(str::to_ascii_lowercase).as_deref() {
            Some("true") => Known::Observed(true),
            Some("false") | None => Known::Observed(false),
            Some(_) => Known::not(Outcome::Malformed, format!("{path}: noop is neither true nor false")),
        };
        return (server, only_reports);
    }
    (none("the server"), none("noop"))
}

struct Setting<'t> {
    section: &'t str,
    name: &'t str,
    value: &'t str,
}

/// The settings, in order: the first of a name counts, and what stands before any section is in `main`. `Err`: the number
/// of the line for which Puppet refuses the file.
fn parse(text: &str) -> Result<Vec<Setting<'_>>, usize> {
    let mut settings = vec![];
    let mut section = "main";
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = SECTIONS.iter().find(|known| **known == name).ok_or(number)?;
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(number)?;
        let name = name.trim_end();
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(number);
        }
        // A quote at either end is left out, with or without the other.
        let value = value.trim();
        let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
        let value = value.strip_suffix(['"', '\'']).unwrap_or(value);
        settings.push(Setting { section, name, value });
    }
    Ok(settings)
}

/// `failed` of `resources` in the summary, a YAML file of two levels. A catalogue that could not be had leaves no `resources`.
pub(super) fn failed(reading: &Reading<'_>) -> Known<u64> {
    for path in SUMMARIES {
        let text = match reading.volatile(path) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(unread) => return Known::unread(&unread),
        };
        let resources = text.lines().skip_while(|line| line.trim() != "resources:").skip(1);
        let mut resources = resources.take_while(|line| line.starts_with(' '));
        let failed = resources.find_map(|line| line.trim().strip_prefix("failed:")?.trim().parse().ok());
        return failed.map_or_else(
            || Known::not(Outcome::Malformed, format!("{path}: no number of failed resources")),
            Known::Observed,
        );
    }
    none("failures")
}
