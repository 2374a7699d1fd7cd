//! auditd.conf(5), auditd-plugins(5) and audisp-remote.conf(5): lines of `name = value`.

use std::collections::BTreeMap;

use evidence::facts::Outcome;

use super::facts::{Daemon, MailTo, Plugin};
use crate::order::{IntoMap as _, Order as _};
use crate::probe::Known;
use crate::reading::{Reading, Stat, Unread};

const CONFIG: &str = "/etc/audit/auditd.conf";
/// Of auditd 3 and before.
const PLUGINS: [&str; 2] = ["/etc/audit/plugins.d", "/etc/audisp/plugins.d"];
const REMOTE: [&str; 2] = ["/etc/audit/audisp-remote.conf", "/etc/audisp/audisp-remote.conf"];
const MAX_PLUGINS: usize = 100;
const SETTINGS: [&str; 18] = [
    "admin_space_left",
    "admin_space_left_action",
    "disk_error_action",
    "disk_full_action",
    "distribute_network",
    "flush",
    "freq",
    "local_events",
    "log_format",
    "log_group",
    "max_log_file",
    "max_log_file_action",
    "name_format",
    "num_logs",
    "overflow_action",
    "space_left",
    "space_left_action",
    "tcp_listen_port",
];

pub(super) fn settings(reading: &Reading<'_>) -> Known<Daemon> {
    let text = match reading.text(CONFIG) {
        Ok(Some(text)) => text,
        Ok(None) => return Known::not(Outcome::Absent, format!("{CONFIG} is not there")),
        Err(unread) => return Known::unread(&unread),
    };
    let mut values = assignments(&text);
    let log_file = values
        .remove("log_file")
        .unwrap_or_else(|| "/var/log/audit/audit.log".to_owned());
    let write_logs = values
        .get("write_logs")
        .is_none_or(|value| !value.eq_ignore_ascii_case("no"));
    let folder = log_file.rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned();
    let of_file = reading.stat(&log_file);
    Known::Observed(Daemon {
        write_logs,
        log_file_mode: known(&of_file, &log_file, mode),
        log_file_uid: known(&of_file, &log_file, |stat| stat.uid),
        mail: match values.get("action_mail_acct").map(String::as_str) {
            None | Some("root") => MailTo::Root,
            Some("") => MailTo::Nobody,
            Some(_) => MailTo::Other,
        },
        log_folder_mode: known(&reading.stat(&folder), &folder, mode),
        log_file,
        settings: values
            .into_iter()
            .filter(|(name, _)| SETTINGS.contains(&name.as_str()))
            .map(|(name, value)| (name, value.to_lowercase()))
            .into_map(),
    })
}

fn mode(stat: &Stat) -> String {
    format!("{:04o}", stat.mode)
}

fn known<T>(stat: &Result<Option<Stat>, Unread>, path: &str, of: impl Fn(&Stat) -> T) -> Known<T> {
    Known::of(stat.clone().map(|stat| stat.as_ref().map(of)), path)
}

/// The last of several counts.
fn assignments(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .into_map()
}

pub(super) fn plugins(reading: &Reading<'_>) -> Known<Vec<Plugin>> {
    let mut plugins = vec![];
    for folder in PLUGINS {
        let entries = match reading.list(folder) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(unread) => return Known::unread(&unread),
        };
        for entry in entries.into_iter().take(MAX_PLUGINS) {
            let Some(name) = entry.name.strip_suffix(".conf") else {
                continue;
            };
            let text = match reading.text(&format!("{folder}/{}", entry.name)) {
                Ok(text) => text.unwrap_or_default(),
                Err(unread) => return Known::unread(&unread),
            };
            let active = assignments(&text)
                .get("active")
                .is_some_and(|value| value.eq_ignore_ascii_case("yes"));
            plugins.push(Plugin {
                name: name.to_owned(),
                active,
            });
        }
    }
    plugins.order();
    Known::Observed(plugins)
}

pub(super) fn remote_server(reading: &Reading<'_>) -> Known<String> {
    for path in REMOTE {
        match reading.text(path) {
            Ok(Some(text)) => {
                let server = assignments(&text).remove("remote_server").unwrap_or_default();
                return Known::Observed(server);
            }
            Ok(None) => {}
            Err(unread) => return Known::unread(&unread),
        }
    }
    let none = REMOTE.join(" nor ");
    Known::not(Outcome::Absent, format!("neither {none} is there"))
}
