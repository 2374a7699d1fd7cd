//! `postgresql.conf`, what it includes, and `postgresql.auto.conf`.

use std::collections::BTreeMap;

use super::lexer;
use crate::database_access::file::{Files, value};
use crate::formats::included;
use crate::reading::{Kind, Unread};

/// As the server has it.
const MAX_DEPTH: usize = 10;
/// Settings of yes and no that are told.
const SWITCHES: [&str; 8] = [
    "db_user_namespace",
    "log_connections",
    "log_disconnections",
    "log_hostname",
    "logging_collector",
    "row_security",
    "ssl",
    "ssl_prefer_server_ciphers",
];
/// Others that are told: none of them holds a secret.
const TOLD: [&str; 19] = [
    "listen_addresses",
    "log_destination",
    "log_error_verbosity",
    "log_file_mode",
    "log_line_prefix",
    "log_min_error_statement",
    "log_min_messages",
    "log_statement",
    "password_encryption",
    "pgaudit.log",
    "port",
    "session_preload_libraries",
    "shared_preload_libraries",
    "ssl_ciphers",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "unix_socket_directories",
    "unix_socket_permissions",
    "wal_level",
];
/// Settings that say where the other files are.
const PLACES: [&str; 2] = ["data_directory", "hba_file"];

/// Values by name; the last counts.
pub(super) type Values = BTreeMap<&'static str, String>;

/// Adds what a file says, and what it includes. `Ok(false)`: it is not there.
pub(super) fn read(files: &mut Files<'_, '_>, path: &str, depth: usize, values: &mut Values) -> Result<bool, Unread> {
    if depth > MAX_DEPTH {
        return Err(files.malformed(path, "files include each other more than 10 deep".to_owned()));
    }
    let Some(bytes) = files.bytes(path)? else {
        return Ok(false);
    };
    let refused =
        |files: &Files<'_, '_>, line: usize, what: &str| files.malformed(path, format!("line {line}: {what}"));
    let assignments = lexer::assignments(&bytes).map_err(|line| refused(files, line, "the server does not take it"))?;
    for one in assignments {
        match one.name.as_str() {
            "include" | "include_if_exists" => {
                let there = read(files, &beside(path, &one.value), depth + 1, values)?;
                if !there && one.name == "include" {
                    return Err(refused(files, one.line, "it includes a file that is not there"));
                }
            }
            "include_dir" => {
                for file in folder(files, &beside(path, &one.value))?
                    .ok_or_else(|| refused(files, one.line, "it includes a folder that is not there"))?
                {
                    read(files, &file, depth + 1, values)?;
                }
            }
            name => {
                let mut known = TOLD.into_iter().chain(PLACES).chain(SWITCHES);
                if let Some(name) = known.find(|told| *told == name) {
                    values.insert(name, one.value);
                }
            }
        }
    }
    Ok(true)
}

/// What the facts show, or the name of a switch whose value is neither on nor off: the server does not start with it.
pub(super) fn told(values: &Values, major: u32) -> Result<BTreeMap<String, String>, &'static str> {
    let mut told = BTreeMap::new();
    for (name, text) in values {
        let text = match boolean(text) {
            _ if PLACES.contains(name) => continue,
            _ if !SWITCHES.contains(name) => text,
            Some(true) => "on",
            Some(false) => "off",
            // Since PostgreSQL 18 this one can be a list of what is logged.
            None if *name == "log_connections" && major >= 18 => text,
            None => return Err(name),
        };
        told.insert((*name).to_owned(), value(text));
    }
    Ok(told)
}

/// A path that is relative to the folder of `file`.
pub(super) fn beside(file: &str, path: &str) -> String {
    included::below(file.rsplit_once('/').map_or("", |(folder, _)| folder), path)
}

/// The files of a folder that is included, in order. `Ok(None)`: it is not there.
pub(super) fn folder(files: &Files<'_, '_>, path: &str) -> Result<Option<Vec<String>>, Unread> {
    let Some(entries) = files.reading.list(path)? else {
        return Ok(None);
    };
    let taken = entries.into_iter().filter(|entry| {
        !entry.name.starts_with('.') && entry.name.strip_suffix(".conf").is_some() && entry.kind != Kind::Folder
    });
    Ok(Some(taken.map(|entry| format!("{path}/{}", entry.name)).collect()))
}

/// On and off in all their spellings, and what begins them.
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0" {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::boolean;

    #[test]
    fn on_and_off() {
        for (text, expected) in [
            ("T", Some(true)),
            ("yes", Some(true)),
            ("o", None),
            ("of", Some(false)),
            ("ON", Some(true)),
            ("", None),
            ("0", Some(false)),
            ("nope", None),
        ] {
            assert_eq!(boolean(text), expected, "{text}");
        }
    }
}
