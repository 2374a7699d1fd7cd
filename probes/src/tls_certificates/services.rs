//! Which certificates, keys and ports the configuration of services names.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Role;
use super::statements::{Form, Statement, statements};
use super::table::{SERVICES, Service};
use crate::order::IntoMap as _;
use crate::reading::{Reading, Unread, globs};

/// More files than a service's configuration has.
const MAX_FILES: usize = 500;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) files: Vec<NamedFile>,
    /// Ports on which TLS is configured.
    pub(super) ports: BTreeSet<u16>,
    pub(super) unread: Vec<Unread>,
    /// Some service has more files than are read.
    pub(super) cut: bool,
}

/// A certificate or key by its path in the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub(super) service: &'static str,
    pub(super) config: String,
    pub(super) line: u32,
    pub(super) role: Role,
    /// Absolute, or as it is written if that depends on a variable.
    pub(super) path: String,
    pub(super) resolved: bool,
}

/// Reads the configuration of all services.
pub(super) fn read(reading: &Reading<'_>) -> Named {
    let mut named = Named::default();
    for service in SERVICES {
        let mut source = Source {
            reading,
            service,
            read: BTreeSet::new(),
            named: &mut named,
        };
        for pattern in service.files {
            source.pattern(pattern, 8);
        }
    }
    named
}

struct Source<'a, 'h> {
    reading: &'a Reading<'h>,
    service: &'static Service,
    read: BTreeSet<String>,
    named: &'a mut Named,
}

impl Source<'_, '_> {
    fn pattern(&mut self, pattern: &str, depth: u8) {
        let files = match globs::files(self.reading, pattern, MAX_FILES + 1) {
            Ok(files) => files,
            Err(unread) => {
                self.named.unread.push(unread);
                return;
            }
        };
        for path in files {
            if depth == 0 || self.read.len() >= MAX_FILES {
                self.named.cut = true;
                return;
            }
            if self.read.insert(path.clone()) {
                self.file(&path, depth);
            }
        }
    }

    fn file(&mut self, path: &str, depth: u8) {
        // Without a digest: passwords stand in some of these files.
        let bytes = match self.reading.private(path, path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(unread) => {
                self.named.unread.push(unread);
                return;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let Some(statements) = statements(&text, self.service.form) else {
            self.named.cut = true;
            return;
        };
        let values: BTreeMap<&str, &str> = statements
            .iter()
            .filter_map(|one| Some((one.name.as_str(), one.words.first()?.as_str())))
            .into_map();
        let off = self.service.switch.is_some_and(|(name, default)| {
            let value = values.get(name).copied().unwrap_or(default).to_ascii_lowercase();
            matches!(value.as_str(), "off" | "no" | "false" | "0")
        });
        if !off {
            let base = self.base(path, &values);
            for statement in &statements {
                self.statement(path, statement, &values, &base);
            }
            self.named.ports.extend((self.service.ports)(&statements));
        }
        for statement in &statements {
            if self.service.includes.contains(&statement.name.as_str()) {
                for word in &statement.words {
                    let folder = self.service.folder;
                    let pattern = if word.starts_with('/') {
                        word.clone()
                    } else {
                        format!("{folder}/{word}")
                    };
                    self.pattern(&pattern, depth - 1);
                }
            }
        }
    }

    /// The folder of relative paths.
    fn base(&self, path: &str, values: &BTreeMap<&str, &str>) -> String {
        let by_setting = self.service.base.and_then(|name| values.get(name).copied());
        let own_folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        match (by_setting, self.service.folder) {
            (Some(folder), _) if folder.starts_with('/') => folder.to_owned(),
            (_, "") => own_folder.to_owned(),
            (_, folder) => folder.to_owned(),
        }
    }

    fn statement(&mut self, config: &str, statement: &Statement, values: &BTreeMap<&str, &str>, base: &str) {
        let name = statement.name.as_str();
        let role = match () {
            () if self.service.certificates.contains(&name) => Role::Certificate,
            () if self.service.keys.contains(&name) => Role::Key,
            () => {
                self.after_crt(config, statement, base);
                return;
            }
        };
        let words: Vec<&str> = if self.service.lists {
            let parts = statement.words.iter().flat_map(|word| word.split(','));
            parts.filter(|part| !part.is_empty()).collect()
        } else {
            statement.words.iter().take(1).map(String::as_str).collect()
        };
        for word in words {
            // dovecot: `<` reads the value from the file.
            let mut value = word.trim_start_matches('<');
            if let Some(other) = value.strip_prefix('$').and_then(|name| values.get(name)) {
                value = other;
            }
            self.name(config, statement.line, role, value, base);
        }
    }

    /// HAProxy: `bind … ssl crt PATH`.
    fn after_crt(&mut self, config: &str, statement: &Statement, base: &str) {
        if self.service.name == "haproxy" && matches!(statement.name.as_str(), "bind" | "server" | "default-server") {
            let after = statement.words.iter().zip(statement.words.iter().skip(1));
            for (_, path) in after.filter(|(word, _)| *word == "crt") {
                self.name(config, statement.line, Role::Certificate, path, base);
            }
        }
    }

    fn name(&mut self, config: &str, line: u32, role: Role, value: &str, base: &str) {
        if value.is_empty() || value.eq_ignore_ascii_case("none") {
            return;
        }
        let variable = value.contains(['$', '%']) || value.contains("://") || value.starts_with("data:");
        let path = match value {
            _ if variable || value.starts_with('/') => value.to_owned(),
            _ => format!("{base}/{value}"),
        };
        // What is written in the place of a path may be a key itself.
        let in_place = value.contains("-----") || value.starts_with("data:") || value.len() > 4_096;
        self.named.files.push(NamedFile {
            service: self.service.name,
            config: config.to_owned(),
            line,
            role,
            path: if in_place { "in place".to_owned() } else { path },
            resolved: !variable && !in_place,
        });
    }
}

/// The statements' form for a service of lines.
pub(super) const LINES: Form = Form::Lines { continued: false };
