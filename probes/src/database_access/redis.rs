//! Redis and Valkey: `redis.conf`, read as the server does.

mod users;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Redis, RedisSettings, RedisUsers};
use super::file::{Files, shown, value};
use crate::formats::included;
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Reading, Unread, globs};
use users::User;

const PATTERNS: [&str; 3] = ["/etc/redis/*.conf", "/etc/redis.conf", "/etc/valkey/*.conf"];
const MAX_FILES: usize = 100;
const MAX_DEPTH: usize = 20;
/// More users than a server has.
const MAX_USERS: usize = 10_000;
/// Settings of yes and no that are told.
const SWITCHES: [&str; 4] = ["cluster-enabled", "protected-mode", "tls-cluster", "tls-replication"];
/// Others that are told, in one word or several: none of them holds a secret.
const TOLD: [&str; 11] = [
    "acl-pubsub-default",
    "bind",
    "enable-debug-command",
    "enable-module-command",
    "enable-protected-configs",
    "port",
    "tls-auth-clients",
    "tls-ciphers",
    "tls-port",
    "tls-protocols",
    "unixsocketperm",
];

/// `Ok(None)`: there is none.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Vec<Redis>>, Unread> {
    let mut configs = vec![];
    for pattern in PATTERNS {
        let mut files = globs::files(reading, pattern, MAX_FILES)?;
        files.retain(|file| !file.contains("/sentinel"));
        configs.extend(files);
    }
    let mut inner = BTreeSet::new();
    let mut found = vec![];
    for config in configs {
        let settings = Loader::read(reading, &config, &mut inner);
        found.push(Redis {
            config,
            settings: Known::of(settings, "the file"),
        });
    }
    // What another one includes is no server of its own.
    found.retain(|one| !inner.contains(&one.config));
    found.order_by(|a, b| a.config.cmp(&b.config));
    Ok((!found.is_empty()).then_some(found))
}

struct Loader<'r, 'h> {
    files: Files<'r, 'h>,
    settings: BTreeMap<String, String>,
    requirepass: Option<String>,
    aclfile: Option<String>,
    renamed: BTreeSet<String>,
    users: BTreeMap<String, User>,
}

impl<'r, 'h> Loader<'r, 'h> {
    fn read(
        reading: &'r Reading<'h>,
        config: &str,
        inner: &mut BTreeSet<String>,
    ) -> Result<Option<RedisSettings>, Unread> {
        let mut loader = Self {
            files: Files::new(reading),
            settings: BTreeMap::new(),
            requirepass: None,
            aclfile: None,
            renamed: BTreeSet::new(),
            users: BTreeMap::new(),
        };
        if !loader.file(config, MAX_DEPTH)? {
            return Ok(None);
        }
        inner.extend(loader.files.read.iter().skip(1).map(|file| file.file.clone()));
        if loader.aclfile.is_some() && !loader.users.is_empty() {
            return Err(loader
                .files
                .malformed(config, "users in it and in a file of users".to_owned()));
        }
        let requirepass = loader.requirepass.is_some();
        Ok(Some(RedisSettings {
            users: Known::read(loader.told_users()),
            files: loader.files.read,
            settings: loader.settings,
            requirepass,
            renamed_commands: loader.renamed.into_iter().collect(),
        }))
    }

    /// `Ok(false)`: it is not there.
    fn file(&mut self, path: &str, depth: usize) -> Result<bool, Unread> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self
                .files
                .malformed(path, "files include each other too deeply".to_owned()));
        };
        let Some(bytes) = self.files.bytes(path)? else {
            return Ok(false);
        };
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let done = match words::split(line) {
                Some(words) => self.statement(&words, depth)?,
                None => Err("a quote that is not closed"),
            };
            if let Err(reason) = done {
                return Err(self.files.malformed(path, format!("line {}: {reason}", index + 1)));
            }
        }
        Ok(true)
    }

    fn statement(&mut self, words: &[String], depth: usize) -> Result<Result<(), &'static str>, Unread> {
        let Some((name, words)) = words.split_first() else {
            return Ok(Ok(()));
        };
        let name = name.to_ascii_lowercase();
        match (name.as_str(), words) {
            ("include", [path]) => return self.include(path, depth),
            ("requirepass", [password]) => self.requirepass = Some(password.clone()).filter(|one| !one.is_empty()),
            ("aclfile", [path]) => self.aclfile = Some(path.clone()).filter(|path| !path.is_empty()),
            ("rename-command", [command, _]) => {
                let is_new = self.renamed.insert(value(&command.to_ascii_uppercase()));
                return Ok(is_new.then_some(()).ok_or("a command that has no longer this name"));
            }
            ("user", [user, rules @ ..]) => {
                let mut state = User::reset();
                if self.users.len() >= MAX_USERS {
                    return Ok(Err("too many users"));
                }
                if rules.iter().any(|rule| !state.apply(rule)) || self.users.insert(user.clone(), state).is_some() {
                    return Ok(Err("a user that the server does not take"));
                }
            }
            ("include" | "requirepass" | "aclfile" | "rename-command" | "user", _) => {
                return Ok(Err("too few or too many words"));
            }
            (name, words) if SWITCHES.contains(&name) => match words {
                [one] if one.eq_ignore_ascii_case("yes") || one.eq_ignore_ascii_case("no") => {
                    self.settings.insert(name.to_owned(), one.to_ascii_lowercase());
                }
                _ => return Ok(Err("neither yes nor no")),
            },
            (name, words) if TOLD.contains(&name) => {
                if name != "bind" && words.len() != 1 {
                    return Ok(Err("too few or too many words"));
                }
                self.settings.insert(name.to_owned(), value(&words.join(" ")));
            }
            _ => {}
        }
        Ok(Ok(()))
    }

    fn include(&mut self, path: &str, depth: usize) -> Result<Result<(), &'static str>, Unread> {
        if !path.starts_with('/') {
            return Ok(Err("it includes a file relative to where the server was started"));
        }
        if !path.contains(['*', '?', '[']) {
            let there = self.file(path, depth)?;
            return Ok(if there {
                Ok(())
            } else {
                Err("it includes a file that is not there")
            });
        }
        for file in included::files(self.files.reading, path)? {
            self.file(&file, depth)?;
        }
        Ok(Ok(()))
    }

    fn told_users(&mut self) -> Result<RedisUsers, Unread> {
        let mut aclfile = None;
        if let Some(path) = self.aclfile.clone() {
            if !path.starts_with('/') {
                let reason = "relative to where the server was started".to_owned();
                return Err(self.files.malformed(&path, reason));
            }
            let mut files = Files::new(self.files.reading);
            let Some(bytes) = files.bytes(&path)? else {
                let reason = "the file of users is not there, and the server does not start".to_owned();
                return Err(Unread::Malformed {
                    place: shown(&path),
                    reason,
                });
            };
            self.users = users::file(&bytes).map_err(|line| {
                let reason = format!("line {line}: the server does not take it");
                files.malformed(&path, reason)
            })?;
            // A password for all does not count beside a file of users.
            self.requirepass = None;
            aclfile = files.read.pop();
        }
        let passwords = self.requirepass.as_deref();
        let default = self
            .users
            .entry("default".to_owned())
            .or_insert_with(|| User::initial(passwords));
        let default_without_password = default.is_open();
        Ok(RedisUsers {
            aclfile,
            count: self.users.len() as u64,
            without_password: self.users.values().filter(|user| user.is_open()).count() as u64,
            default_without_password,
        })
    }
}
