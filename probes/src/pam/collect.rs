//! Puts the services together.

use std::collections::{BTreeMap, BTreeSet};

use super::conf;
use super::facts::{AccessRules, Pam, RuleSource, RuleType, Service, Stack};
use super::line::{self, Line};
use super::modules::{DIRECTORIES, FACTORS, Present};
use super::stack::{FOLDERS, Files, RawRule, expand};
use super::summary::{self, Configurations};
use crate::probe::{Known, ProbeError};
use crate::reading::{Kind, Reading, Unread};

const FILE: &str = "/etc/pam.conf";
const ACCESS: &str = "/etc/security/access.conf";
const ACCESS_FOLDER: &str = "/etc/security/access.d";
const TIME: &str = "/etc/security/time.conf";
/// More services than hosts have; the names of those after them are not told.
const MAX_OTHERS: usize = 500;
/// Services whose stack is told, and files that others include.
const THAT_MATTER: [&str; 41] = [
    "chfn",
    "chpasswd",
    "chsh",
    "cockpit",
    "common-account",
    "common-auth",
    "common-password",
    "common-session",
    "common-session-noninteractive",
    "cron",
    "crond",
    "doas",
    "fingerprint-auth",
    "kde",
    "kscreenlocker",
    "lightdm",
    "lightdm-autologin",
    "login",
    "lxdm",
    "newusers",
    "other",
    "passwd",
    "password-auth",
    "polkit-1",
    "postlogin",
    "remote",
    "sddm",
    "sddm-autologin",
    "smartcard-auth",
    "sshd",
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "system-auth",
    "system-login",
    "vlock",
    "vsftpd",
    "xrdp-sesman",
    "xscreensaver",
    "system-local-login",
];
/// Likewise, by the beginning of their names.
const BEGINNINGS: [&str; 3] = ["common-", "gdm", "system-"];

pub(super) fn collect(reading: &Reading<'_>) -> Result<Pam, ProbeError> {
    let mut pam = Pam {
        source: RuleSource::Absent,
        services: vec![],
        other_services: vec![],
        access: access(reading),
        time_rules: time_rules(reading),
    };
    let folders = names_in_folders(reading)?;
    let file = if folders.is_some() { None } else { reading.file(FILE)? };
    let files = Files::new(reading);
    let mut services = Services {
        reading,
        present: Present::read(reading),
        configurations: Configurations::new(reading),
        files: &files,
    };
    if let Some(names) = folders {
        pam.source = RuleSource::Folders;
        for name in names {
            if !matters(&name) {
                if pam.other_services.len() < MAX_OTHERS {
                    pam.other_services.push(name);
                }
                continue;
            }
            let (path, stack) = match files.file(&name) {
                Ok(Some(file)) => (file.0.clone(), services.stack(&file.0, &file.1)),
                Ok(None) => continue,
                Err(unread) => (format!("{}/{name}", FOLDERS[0]), Known::unread(&unread)),
            };
            pam.services.push(Service { name, path, stack });
        }
    } else if let Some(bytes) = file {
        pam.source = RuleSource::File;
        for (name, lines) in of_one_file(line::lines(&bytes)) {
            let stack = services.stack(FILE, &lines);
            let path = FILE.to_owned();
            pam.services.push(Service { name, path, stack });
        }
    }
    Ok(pam)
}

/// Names of the files in the folders, of which the first of a name counts; `None` if there is no folder at all.
fn names_in_folders(reading: &Reading<'_>) -> Result<Option<BTreeSet<String>>, Unread> {
    let mut names = None;
    for folder in FOLDERS {
        let Some(entries) = reading.list(folder)? else { continue };
        let files = entries
            .into_iter()
            .filter(|entry| matches!(entry.kind, Kind::File | Kind::Link));
        let names: &mut BTreeSet<String> = names.get_or_insert_default();
        // libpam asks in lower case: others are never used. What package managers leave behind is not either.
        let used = files.map(|entry| entry.name).filter(|name| {
            !name.contains(char::is_uppercase)
                && !name.contains(".dpkg-")
                && !name.contains(".rpm")
                && !name.ends_with('~')
        });
        names.extend(used);
    }
    Ok(names)
}

fn matters(name: &str) -> bool {
    THAT_MATTER.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// The lines of each service in one file: there each begins with the name of its service.
fn of_one_file(lines: Vec<Line>) -> BTreeMap<String, Vec<Line>> {
    let mut services: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for mut line in lines {
        let name = line.words.remove(0).to_ascii_lowercase();
        if services.len() < MAX_OTHERS || services.contains_key(&name) {
            services.entry(name).or_default().push(line);
        }
    }
    services
}

struct Services<'r, 'h> {
    reading: &'r Reading<'h>,
    present: Present,
    configurations: Configurations<'r, 'h>,
    files: &'r Files<'r, 'h>,
}

impl Services<'_, '_> {
    fn stack(&mut self, path: &str, lines: &[Line]) -> Known<Stack> {
        match self.expanded(path, lines) {
            Ok(stack) => Known::Observed(stack),
            Err(unread) => Known::unread(&unread),
        }
    }

    fn expanded(&mut self, path: &str, lines: &[Line]) -> Result<Stack, Unread> {
        let expanded = expand(self.files, path, lines)?;
        let rules = &expanded.rules;
        let types = [RuleType::Auth, RuleType::Account, RuleType::Password, RuleType::Session];
        let left_to_other = types.into_iter().filter(|kind| !expanded.types.contains(kind));
        let modules: BTreeSet<&str> = rules.iter().map(|rule| rule.rule.module.as_str()).collect();
        Ok(Stack {
            left_to_other: left_to_other.collect(),
            problems: expanded.problems.into_iter().collect(),
            modules: modules.into_iter().map(str::to_owned).collect(),
            missing_modules: self.present.missing(self.reading, rules)?,
            factor_modules: among(&FACTORS, rules, Some(RuleType::Auth)),
            factors: summary::factors(rules),
            directory_modules: among(&DIRECTORIES, rules, None),
            null_passwords: summary::null_passwords(rules),
            lockout: self.configurations.lockout(rules),
            quality: self.configurations.quality(rules),
            history: self.configurations.history(rules),
            password_hash: self.configurations.password_hash(rules),
            wheel: summary::wheel(rules),
            fail_delay_micros: summary::fail_delay(rules),
            rules: expanded.rules.into_iter().map(|rule| rule.rule).collect(),
        })
    }
}

fn among(names: &[&str], rules: &[RawRule], only: Option<RuleType>) -> Vec<String> {
    let rules = rules
        .iter()
        .filter(|rule| only.is_none_or(|only| only == rule.rule.kind));
    let found: BTreeSet<&str> = rules
        .map(|rule| rule.rule.module.as_str())
        .filter(|module| names.contains(module))
        .collect();
    found.into_iter().map(str::to_owned).collect()
}

fn access(reading: &Reading<'_>) -> Known<AccessRules> {
    match access_rules(reading) {
        Ok(Some(rules)) => Known::Observed(rules),
        Ok(None) => summary::absent("there is no access.conf"),
        Err(unread) => Known::unread(&unread),
    }
}

/// The file, then those of the folder.
fn access_rules(reading: &Reading<'_>) -> Result<Option<AccessRules>, Unread> {
    let mut paths = vec![ACCESS.to_owned()];
    for entry in reading.list(ACCESS_FOLDER)?.unwrap_or_default() {
        if entry.name.strip_suffix(".conf").is_some() {
            paths.push(format!("{ACCESS_FOLDER}/{}", entry.name));
        }
    }
    let mut rules = AccessRules {
        files: vec![],
        allowing: 0,
        refusing: 0,
        refuses_others: false,
        malformed: 0,
    };
    for path in paths {
        // Names of people stand in it.
        let Some(bytes) = reading.private(&path, &path)? else {
            continue;
        };
        conf::access(&String::from_utf8_lossy(&bytes), &mut rules);
        rules.files.push(path);
    }
    Ok((!rules.files.is_empty()).then_some(rules))
}

fn time_rules(reading: &Reading<'_>) -> Known<u32> {
    match reading.private(TIME, TIME) {
        Ok(Some(bytes)) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().map(str::trim);
            let rules = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).count();
            Known::Observed(u32::try_from(rules).unwrap_or(u32::MAX))
        }
        Ok(None) => summary::absent("there is no time.conf"),
        Err(unread) => Known::unread(&unread),
    }
}
