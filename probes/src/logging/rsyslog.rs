//! rsyslog.conf(5): the old form (selectors, `$Directives`) and `RainerScript` objects, mixed as they are in practice.
//!
//! Conditions are not evaluated: what stands in them counts, without a selector.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{LocalTarget, LogFileMode, RemoteTarget, Rsyslog};
use crate::formats::included;
use crate::formats::systemd::Units;
use crate::probe::Known;
use crate::reading::{Reading, Unread};

const MAIN: &str = "/etc/rsyslog.conf";
const MAX_FILES: usize = 500;
/// Files that include each other.
const MAX_DEPTH: u8 = 20;
const MAX_TARGETS: usize = 1_000;
/// Drivers that encrypt.
const TLS_DRIVERS: [&str; 3] = ["gtls", "ossl", "mbedtls"];

/// `None` if there is no configuration.
pub(super) fn read(reading: &Reading<'_>, units: &Result<Option<Units>, Unread>) -> Result<Option<Rsyslog>, Unread> {
    let mut state = State::default();
    state.read(reading, MAIN.to_owned(), MAX_DEPTH)?;
    for target in &mut state.local {
        // Of a template there is no one file.
        let is_file = target.path.starts_with('/') && !target.path.contains('%');
        target.now = is_file.then(|| mode(reading, &target.path));
    }
    let changed = Units::changed_since_start(units, reading, "rsyslog.service", &state.files);
    Ok((!state.files.is_empty()).then(|| state.into_facts(changed)))
}

fn mode(reading: &Reading<'_>, path: &str) -> Known<LogFileMode> {
    let stat = reading.stat(path).map(|stat| {
        stat.map(|stat| LogFileMode {
            mode: format!("{:04o}", stat.mode),
            uid: stat.uid,
            gid: stat.gid,
        })
    });
    Known::of(stat, path)
}

#[derive(Default)]
struct State {
    files: Vec<String>,
    targets: Vec<Target>,
    local: Vec<LocalTarget>,
    file_create_mode: Option<String>,
    /// `$FileCreateMode`, for what follows in the old form; and that of the module, for actions.
    legacy_create_mode: Option<String>,
    module_create_mode: Option<String>,
    network_inputs: BTreeSet<String>,
    default_driver: Option<String>,
    /// `$ActionSendStreamDriverMode` and `…AuthMode`, for what follows.
    legacy_mode: Option<String>,
    legacy_auth: Option<String>,
    last_selector: Option<String>,
}

/// TLS is decided at the end, since the default driver may be named later.
struct Target {
    remote: RemoteTarget,
    driver: Option<String>,
    mode: Option<String>,
}

impl State {
    fn into_facts(self, changed_since_start: Known<Vec<String>>) -> Rsyslog {
        let default = self.default_driver.unwrap_or_default();
        let targets = self.targets.into_iter().map(|target| {
            let mut remote = target.remote;
            if remote.transport == "tcp" {
                let driver = target.driver.unwrap_or_else(|| default.clone()).to_ascii_lowercase();
                remote.tls = Some(target.mode.as_deref() == Some("1") && TLS_DRIVERS.contains(&driver.as_str()));
            }
            remote
        });
        Rsyslog {
            files: self.files,
            changed_since_start,
            targets: targets.collect(),
            local: self.local,
            file_create_mode: self.file_create_mode,
            network_inputs: self.network_inputs.into_iter().collect(),
        }
    }

    /// What is included counts where it is included: settings of the old form hold for what follows.
    fn read(&mut self, reading: &Reading<'_>, path: String, depth: u8) -> Result<(), Unread> {
        if depth == 0 || self.files.len() >= MAX_FILES || self.targets.len() + self.local.len() > MAX_TARGETS {
            return Err(Unread::Failed {
                place: path,
                reason: "too many files or targets".to_owned(),
            });
        }
        let Some(text) = reading.text(&path)? else {
            return Ok(());
        };
        self.files.push(path.clone());
        for statement in statements(&text) {
            let mut included = vec![];
            match statement {
                Statement::Object { before, kind, values } => {
                    self.object(&path, &before, &kind, &values, &mut included);
                }
                Statement::Line(line) => self.line(&path, &line, &mut included),
            }
            for pattern in included {
                for file in included::files(reading, &included::below("/etc", &pattern))? {
                    self.read(reading, file, depth - 1)?;
                }
            }
        }
        Ok(())
    }

    fn object(
        &mut self,
        path: &str,
        before: &str,
        kind: &str,
        values: &BTreeMap<String, String>,
        included: &mut Vec<String>,
    ) {
        let value = |name: &str| values.get(name).cloned();
        match kind {
            "include" => included.extend(value("file")),
            "global" => {
                self.default_driver = value("defaultnetstreamdriver").or(self.default_driver.take());
            }
            "module" | "input" => {
                let name = value("load").or(value("type")).unwrap_or_default();
                if kind == "input" && ["imudp", "imtcp", "imrelp"].contains(&name.as_str()) {
                    self.network_inputs.insert(name.clone());
                }
                if name.ends_with("omfile") {
                    self.module_create_mode = value("filecreatemode").or(self.module_create_mode.take());
                    self.file_create_mode = value("filecreatemode").or(self.file_create_mode.take());
                }
            }
            "action" => {
                let selector = selector(before);
                let kind = value("type").unwrap_or_default().to_ascii_lowercase();
                if kind == "omfile" {
                    if let Some(file) = value("file").or(value("dynafile")) {
                        let create_mode = value("filecreatemode").or_else(|| self.module_create_mode.clone());
                        self.local(selector, file, create_mode);
                    }
                    return;
                }
                let (transport, host) = match kind.as_str() {
                    "omfwd" => (value("protocol").unwrap_or_else(|| "udp".to_owned()), value("target")),
                    "omrelp" => ("relp".to_owned(), value("target")),
                    other => {
                        let host = value("server")
                            .or(value("servers"))
                            .or(value("broker"))
                            .or(value("url"));
                        (other.trim_start_matches("om").to_owned(), host)
                    }
                };
                let Some(host) = host else { return };
                self.targets.push(Target {
                    remote: RemoteTarget {
                        host: without_credentials(&host),
                        port: value("port").or(value("serverport")),
                        tls: match kind.as_str() {
                            "omrelp" => Some(value("tls").is_some_and(|on| on.eq_ignore_ascii_case("on"))),
                            "omfwd" if transport.eq_ignore_ascii_case("udp") => Some(false),
                            _ => None,
                        },
                        transport: transport.to_ascii_lowercase(),
                        peer_check: value("streamdriverauthmode").or(value("tls.authmode")),
                        selector,
                        file: path.to_owned(),
                    },
                    driver: value("streamdriver").or(value("streamdriver.name")),
                    mode: value("streamdrivermode").or(value("streamdriver.mode")),
                });
            }
            _ => {}
        }
    }

    fn line(&mut self, path: &str, line: &str, included: &mut Vec<String>) {
        if let Some(directive) = line.strip_prefix('$') {
            let (name, value) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
            let value = value.trim().to_owned();
            match name.to_ascii_lowercase().as_str() {
                "includeconfig" if value.ends_with('/') => included.push(format!("{value}*")),
                "includeconfig" => included.push(value),
                "filecreatemode" => {
                    self.legacy_create_mode = Some(value.clone());
                    self.file_create_mode = Some(value);
                }
                "defaultnetstreamdriver" => self.default_driver = Some(value),
                "actionsendstreamdrivermode" => self.legacy_mode = Some(value),
                "actionsendstreamdriverauthmode" => self.legacy_auth = Some(value),
                "udpserverrun" => drop(self.network_inputs.insert("imudp".to_owned())),
                "inputtcpserverrun" => drop(self.network_inputs.insert("imtcp".to_owned())),
                "inputrelpserverrun" => drop(self.network_inputs.insert("imrelp".to_owned())),
                _ => {}
            }
            return;
        }
        let (selector, action) = if let Some(action) = line.strip_prefix('&') {
            (self.last_selector.clone(), action.trim())
        } else {
            let action = line.split_ascii_whitespace().last().unwrap_or_default();
            let found = selector(line);
            self.last_selector.clone_from(&found);
            (found, action)
        };
        // `;TEMPLATE` may follow.
        let action = action.split(';').next().unwrap_or_default();
        if let Some(target) = action.strip_prefix(":omrelp:") {
            self.legacy(path, target, "relp", selector);
        } else if let Some(target) = action.strip_prefix("@@") {
            self.legacy(path, target, "tcp", selector);
        } else if let Some(target) = action.strip_prefix('@') {
            self.legacy(path, target, "udp", selector);
        } else if let Some(file) = action
            .strip_prefix('-')
            .or(Some(action))
            .filter(|file| file.starts_with('/'))
        {
            self.local(selector, file.to_owned(), self.legacy_create_mode.clone());
        }
    }

    /// What is known of the file now is looked at later.
    fn local(&mut self, selector: Option<String>, path: String, create_mode: Option<String>) {
        self.local.push(LocalTarget {
            selector,
            path,
            create_mode,
            now: None,
        });
    }

    /// `(OPTIONS)HOST:PORT`; IPv6 addresses stand in brackets.
    fn legacy(&mut self, path: &str, target: &str, transport: &str, selector: Option<String>) {
        let target = target.split_once(')').map_or(target, |(_, target)| target);
        let (host, port) = match target.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => target
                .split_once(':')
                .map_or((target, None), |(host, port)| (host, Some(port))),
        };
        self.targets.push(Target {
            remote: RemoteTarget {
                host: host.to_owned(),
                port: port.map(str::to_owned),
                transport: transport.to_owned(),
                tls: Some(false),
                peer_check: self.legacy_auth.clone().filter(|_| transport == "tcp"),
                selector,
                file: path.to_owned(),
            },
            driver: None,
            mode: self.legacy_mode.clone(),
        });
    }
}

/// The selector that a line begins with: `FACILITY.PRIORITY`, several with `;` and `,`.
fn selector(line: &str) -> Option<String> {
    let first = line.split_ascii_whitespace().next()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".*,;=!_-".contains(c);
    (first.contains('.') && first.chars().all(allowed)).then(|| first.to_owned())
}

/// Without what stands before `@` in a URL.
pub(super) fn without_credentials(text: &str) -> String {
    let (scheme, rest) = text
        .split_once("://")
        .map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    // Tokens stand in queries.
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    if scheme.is_empty() {
        rest.to_owned()
    } else {
        format!("{scheme}://{rest}")
    }
}

enum Statement {
    /// `before`: what stands on the same line before it.
    Object {
        before: String,
        kind: String,
        values: BTreeMap<String, String>,
    },
    Line(String),
}

const OBJECTS: [&str; 5] = ["action", "global", "include", "input", "module"];

/// Objects wherever they stand, and the rest of the lines.
fn statements(text: &str) -> Vec<Statement> {
    let mut statements = vec![];
    let mut line = String::new();
    let mut letters = text.chars().peekable();
    let end = |line: &mut String, statements: &mut Vec<Statement>| {
        let whole = line.trim().trim_matches(['{', '}']).trim().to_owned();
        if !whole.is_empty() {
            statements.push(Statement::Line(whole));
        }
        line.clear();
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => end(&mut line, &mut statements),
            // A line goes on after a backslash.
            '\\' if letters.peek() == Some(&'\n') => drop(letters.next()),
            '#' => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
            }
            // Not in `/etc/rsyslog.d/*.conf`.
            '/' if letters.peek() == Some(&'*') && line.chars().next_back().is_none_or(char::is_whitespace) => {
                let mut last = ' ';
                for next in letters.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
            }
            '"' | '\'' => {
                line.push(letter);
                let mut escaped = false;
                // In lines of the old form a sign may stand alone.
                while let Some(next) = letters.next_if(|next| *next != '\n') {
                    line.push(next);
                    if next == letter && !escaped {
                        break;
                    }
                    escaped = next == '\\' && !escaped;
                }
            }
            '(' => {
                let start = line.trim_end().len();
                let name = line.get(..start).unwrap_or_default();
                let name: String = name.chars().rev().take_while(char::is_ascii_alphabetic).collect();
                let name: String = name.chars().rev().collect::<String>().to_ascii_lowercase();
                if OBJECTS.contains(&name.as_str()) {
                    let values = values(&mut letters);
                    let before = line.get(..start.saturating_sub(name.len())).unwrap_or_default();
                    statements.push(Statement::Object {
                        before: before.to_owned(),
                        kind: name,
                        values,
                    });
                    line.clear();
                } else {
                    line.push(letter);
                }
            }
            _ => line.push(letter),
        }
    }
    end(&mut line, &mut statements);
    statements
}

/// `name="value"` up to the closing bracket; names in lower case.
fn values(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut name = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            ')' => break,
            '#' => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
            }
            '"' | '\'' => {
                let mut value = String::new();
                let mut escaped = false;
                for next in letters.by_ref() {
                    if next == letter && !escaped {
                        break;
                    }
                    escaped = next == '\\' && !escaped;
                    if !escaped {
                        value.push(next);
                    }
                }
                // An array's first value counts.
                let name = name
                    .trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '.')
                    .to_ascii_lowercase();
                if !name.is_empty() {
                    values.entry(name).or_insert(value);
                }
            }
            '=' => {
                name = name.split_ascii_whitespace().last().unwrap_or_default().to_owned();
                name.push('=');
            }
            _ if name.ends_with('=') && !letter.is_whitespace() && letter != '[' => {
                name.clear();
                name.push(letter);
            }
            _ => name.push(letter),
        }
    }
    values
}
