//! Samba's configuration: sections, includes, copies and defaults, as Samba's loader applies them (smb.conf(5), and
//! `source3/param/loadparm.c`, compared in `probes/tests/file_shares_authority.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Samba, Share, UserShares};
use super::shown;
use super::smb_parameters::{self as parameters, Class};
use super::tini::{self, Line, folded};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

const FILE: &str = "/etc/samba/smb.conf";
/// Where usershares lie unless another place is set.
const USERSHARES: &str = "/var/lib/samba/usershares";
const MAX_DEPTH: usize = 20;
const MAX_FILES: usize = 200;
const MAX_SHARES: usize = 5_000;

/// Values by Samba's name.
type Values = BTreeMap<&'static str, String>;

/// A share while it is read.
#[derive(Default)]
struct Service {
    name: String,
    values: Values,
    /// What it says itself, which a copy leaves alone.
    own: BTreeSet<&'static str>,
}

struct Loader<'r, 'h> {
    reading: &'r Reading<'h>,
    files: Vec<String>,
    not_followed: Vec<String>,
    globals: Values,
    /// Of parameters of shares in `[global]`: what a share that begins later has from the start.
    defaults: Values,
    services: Vec<Service>,
    /// The share that lines belong to; `None` in `[global]`.
    in_global: bool,
    current: Option<usize>,
    registry: bool,
}

pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Samba>, Unread> {
    let mut loader = Loader {
        reading,
        files: vec![],
        not_followed: vec![],
        globals: Values::new(),
        defaults: Values::new(),
        services: vec![],
        in_global: true,
        current: None,
        registry: false,
    };
    if !loader.file(FILE, MAX_DEPTH)? {
        return Ok(None);
    }
    loader.tidy();
    Ok(Some(loader.told()))
}

fn is_on(values: &Values, name: &str, otherwise: bool) -> bool {
    values.get(name).map_or(otherwise, |value| value == "yes")
}

fn is_set(values: &Values, name: &str) -> bool {
    values.get(name).is_some_and(|value| !value.is_empty())
}

impl Loader<'_, '_> {
    /// `Ok(false)`: it is not there.
    fn file(&mut self, path: &str, depth: usize) -> Result<bool, Unread> {
        let Some(left) = depth.checked_sub(1).filter(|_| self.files.len() < MAX_FILES) else {
            return Err(Unread::Failed {
                place: path.to_owned(),
                reason: "too many files include each other".to_owned(),
            });
        };
        // It can name people: its digest stays here.
        let Some(bytes) = self.reading.private(path, path)? else {
            return Ok(false);
        };
        self.files.push(path.to_owned());
        let (lines, refused) = tini::lines(&bytes);
        for (number, line) in lines {
            let done = match line {
                Line::Section(name) => self.section(&name),
                Line::Parameter(name, value) => self.parameter(&name, &value, left)?,
            };
            if let Err(reason) = done {
                return Err(self
                    .reading
                    .malformed(path.to_owned(), format!("line {number}: {reason}")));
            }
        }
        match refused {
            None => Ok(true),
            Some(refused) => {
                let reason = format!("line {}: {}", refused.line, refused.reason);
                Err(self.reading.malformed(path.to_owned(), reason))
            }
        }
    }

    fn section(&mut self, name: &str) -> Result<(), &'static str> {
        self.in_global = matches!(folded(name).as_str(), "global" | "globals");
        if self.in_global {
            return Ok(());
        }
        self.tidy();
        if name.is_empty() {
            return Err("a share without a name");
        }
        let same = |service: &Service| service.name.to_lowercase() == name.to_lowercase();
        self.current = self.services.iter().position(same);
        if self.current.is_none() {
            if self.services.len() >= MAX_SHARES {
                return Err("more than 5,000 shares");
            }
            self.current = Some(self.services.len());
            self.services.push(Service {
                name: name.to_owned(),
                values: self.defaults.clone(),
                own: BTreeSet::new(),
            });
        }
        Ok(())
    }

    /// What Samba does with a share before it goes on to the next.
    fn tidy(&mut self) {
        let Some(service) = self.current.and_then(|at| self.services.get_mut(at)) else {
            return;
        };
        let name = folded(&service.name);
        if name == "printers" {
            service.values.insert("printable", "yes".to_owned());
            service.values.insert("browseable", "no".to_owned());
        }
        if name != "homes" && !is_set(&service.values, "path") && !is_set(&service.values, "msdfs proxy") {
            service.values.insert("available", "no".to_owned());
        }
    }

    fn parameter(&mut self, name: &str, value: &str, left: usize) -> Result<Result<(), &'static str>, Unread> {
        match name {
            "include" => return self.include(value, left),
            "copy" => return Ok(self.copy(value)),
            _ => {}
        }
        let Some(parameter) = parameters::named(name) else {
            return Ok(Ok(()));
        };
        if parameter.class == Class::Global && !self.in_global {
            return Ok(Ok(()));
        }
        let Some(value) = parameters::value(parameter.form, value) else {
            return Ok(Err("a value that Samba does not take"));
        };
        let service = self.current.and_then(|at| self.services.get_mut(at));
        match service {
            _ if parameter.class == Class::Global => {
                self.globals.insert(parameter.name, value);
            }
            Some(service) if !self.in_global => {
                service.values.insert(parameter.name, value);
                service.own.insert(parameter.name);
            }
            _ => {
                self.defaults.insert(parameter.name, value);
            }
        }
        Ok(Ok(()))
    }

    fn include(&mut self, value: &str, left: usize) -> Result<Result<(), &'static str>, Unread> {
        if folded(value) == "registry" {
            if !self.in_global {
                return Ok(Err("the registry included in a share"));
            }
            self.registry = true;
            return Ok(Ok(()));
        }
        let followed = value.starts_with('/') && !value.contains('%') && self.file(value, left)?;
        if !followed && !value.is_empty() && self.not_followed.len() < MAX_FILES {
            self.not_followed.push(shown(value));
        }
        Ok(Ok(()))
    }

    fn copy(&mut self, source: &str) -> Result<(), &'static str> {
        let Some(at) = self.current.filter(|_| !self.in_global) else {
            return Err("a copy outside a share");
        };
        let same = |service: &Service| service.name.to_lowercase() == source.to_lowercase();
        let Some(from) = self.services.iter().position(same) else {
            return Err("a copy of a share that is not there yet");
        };
        if from == at {
            return Err("a copy of itself");
        }
        let values = self.services.get(from).map(|service| service.values.clone());
        if let Some((service, values)) = self.services.get_mut(at).zip(values) {
            service.values.retain(|name, _| service.own.contains(name));
            for (name, value) in values {
                service.values.entry(name).or_insert(value);
            }
        }
        Ok(())
    }

    fn told(mut self) -> Samba {
        let globals = &self.globals;
        self.registry |= globals
            .get("config backend")
            .is_some_and(|backend| backend == "registry");
        self.registry |= is_on(globals, "registry shares", false);
        // Samba then reads that file instead.
        if let Some(file) = globals.get("config file").filter(|file| !file.is_empty()) {
            self.not_followed.push(shown(file));
        }
        let folder = globals.get("usershare path").map_or(USERSHARES, String::as_str);
        let usershares = Known::of(usershares(self.reading, folder), folder);
        let settings = globals.iter().chain(&self.defaults);
        let settings = settings.filter(|(name, _)| parameters::told(name));
        let mut shares: Vec<Share> = self.services.iter().map(share).collect();
        shares.order_by(|a, b| a.name.cmp(&b.name));
        Samba {
            settings: settings
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            hosts_allow: is_set(&self.defaults, "hosts allow"),
            hosts_deny: is_set(&self.defaults, "hosts deny"),
            interfaces: is_set(globals, "interfaces"),
            files: self.files,
            not_followed: self.not_followed,
            registry: self.registry,
            shares,
            usershares,
        }
    }
}

fn share(service: &Service) -> Share {
    let values = &service.values;
    let set = |name| is_set(values, name);
    let on = |name, otherwise| is_on(values, name, otherwise);
    Share {
        name: service.name.chars().take(100).collect(),
        path: values
            .get("path")
            .filter(|path| !path.is_empty())
            .map(|path| shown(path)),
        available: on("available", true),
        browseable: on("browseable", true),
        read_only: on("read only", true),
        guest_ok: on("guest ok", false),
        guest_only: on("guest only", false),
        printable: on("printable", false),
        wide_links: on("wide links", false),
        encryption: values
            .get("server smb encrypt")
            .map_or("default", String::as_str)
            .to_owned(),
        hosts_allow: set("hosts allow"),
        hosts_deny: set("hosts deny"),
        valid_users: set("valid users"),
        admin_users: set("admin users"),
        force_user: set("force user"),
    }
}

/// Files that `net usershare` wrote; their names are chosen by users.
fn usershares(reading: &Reading<'_>, folder: &str) -> Result<Option<UserShares>, Unread> {
    let Some(entries) = reading.private_list(folder, folder)? else {
        return Ok(None);
    };
    let mut found = UserShares { count: 0, guest_ok: 0 };
    for entry in entries.iter().filter(|entry| entry.kind == Kind::File).take(MAX_SHARES) {
        let text = reading.private_head(&format!("{folder}/{}", entry.name), folder, 10_000)?;
        let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
        if text.starts_with("#VERSION") {
            found.count += 1;
            found.guest_ok += u64::from(text.lines().any(|line| line.trim_end() == "guest_ok=y"));
        }
    }
    Ok(Some(found))
}
