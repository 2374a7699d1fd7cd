//! # What
//! The kernel's audit system: the daemon and its settings, the rules that are configured and those that are loaded, and
//! whether they can be changed.
//!
//! # Source
//! auditd.conf(5); `/etc/audit/rules.d` as augenrules(8) merges it, else `/etc/audit/audit.rules`; `auditctl -s` and `auditctl
//! -l` (auditctl(8)), since the kernel tells them over netlink to holders of `CAP_AUDIT_CONTROL` alone; `/proc/cmdline`;
//! auditd-plugins(5).
//!
//! # Privilege
//! `CAP_AUDIT_CONTROL` for what is loaded, `CAP_DAC_READ_SEARCH` for what is configured. Without the first, `kernel` and
//! `loaded` are `denied`.
//!
//! # Bears on
//! A.8.15 (logging), A.8.16 (monitoring activities), A.5.28 (collection of evidence), A.8.2 (privileged access), A.8.17.
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod coverage;
mod daemon;
mod facts;
mod rules;

use evidence::facts::Outcome;

pub use facts::*;

use crate::formats::systemd::Units;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Command, Output, Reading, Unread};

const AUDITCTL: &str = "/usr/sbin/auditctl";
const PROGRAMS: [&str; 2] = ["/usr/sbin/auditd", "/sbin/auditd"];
const FOLDER: &str = "/etc/audit/rules.d";
const COMPILED: &str = "/etc/audit/audit.rules";
const UNITS: [&str; 2] = ["auditd.service", "audit-rules.service"];
const MAX_FILES: usize = 500;

/// The probe.
pub struct AuditProbe;

impl Probe for AuditProbe {
    const SPEC: Spec = Spec {
        id: "audit",
        version: 1,
        title: "Whether the kernel's audit system runs, which rules are configured and loaded, and what they cover",
        reads: &[
            "/etc/audit/auditd.conf",
            "/etc/audit/rules.d/",
            "/etc/audit/audit.rules",
            "/etc/audit/plugins.d/",
            "/etc/audisp/plugins.d/",
            "/etc/audit/audisp-remote.conf",
            "/proc/cmdline",
            "unit files",
            "auditctl -s",
            "auditctl -l",
        ],
        runs: &[AUDITCTL],
        privilege: Privilege::AuditControl,
        cadence: Cadence::EveryRound,
        watch: &["/etc/audit/", "/etc/audit/rules.d/", "/etc/audit/plugins.d/"],
        budget: Budget {
            millis: 3_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether anybody reads the log.",
            "How much conditions in rules narrow what is audited: a system call counts if any rule asks for it.",
            "Events that other programs get from the kernel (journald, go-audit, auditbeat).",
        ],
    };

    type Facts = Audit;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Audit, NoNames>, ProbeError> {
        let mut installed = false;
        for program in PROGRAMS {
            installed |= reading.stat(program)?.is_some();
        }
        let units = match Units::read(reading) {
            Ok(Some(units)) => Known::Observed(units.states(UNITS)),
            Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
            Err(unread) => Known::unread(&unread),
        };
        let configured = configured(reading);
        let loaded = match ask(reading, "-l") {
            Known::Observed(text) => Known::Observed(rules::parse(&[(String::new(), text)], false)),
            Known::Not(why) => Known::Not(why),
        };
        let not_installed = || "auditd is not installed";
        let facts = Audit {
            installed,
            units,
            daemon: if installed {
                daemon::settings(reading)
            } else {
                Known::not(Outcome::Absent, not_installed())
            },
            kernel: kernel(reading),
            command_line: command_line(reading),
            configured_not_loaded: difference(&configured, &loaded),
            loaded_not_configured: difference(&loaded, &configured),
            configured,
            loaded,
            plugins: if installed {
                daemon::plugins(reading)
            } else {
                Known::not(Outcome::Absent, not_installed())
            },
            remote_server: daemon::remote_server(reading),
        };
        Ok(Collected::facts(facts))
    }
}

/// The rules of `one` that are not in `other`.
fn difference(one: &Known<RuleSet>, other: &Known<RuleSet>) -> Known<Vec<String>> {
    match (one, other) {
        (Known::Observed(one), Known::Observed(other)) => {
            let missing = one.rules.iter().filter(|rule| !other.rules.contains(rule));
            let mut missing: Vec<String> = missing.cloned().collect();
            missing.sort_unstable();
            missing.dedup();
            Known::Observed(missing)
        }
        (Known::Not(why), _) | (_, Known::Not(why)) => Known::Not(why.clone()),
    }
}

/// As augenrules does: all `*.rules` in natural order. Without any, the file that it would write.
fn configured(reading: &Reading<'_>) -> Known<RuleSet> {
    match files(reading) {
        Ok(files) if files.is_empty() => {
            Known::not(Outcome::Absent, format!("neither {FOLDER} nor {COMPILED} has rules"))
        }
        Ok(files) => {
            let merged = !files.iter().any(|(path, _)| path == COMPILED);
            Known::Observed(rules::parse(&files, merged))
        }
        Err(unread) => Known::unread(&unread),
    }
}

fn files(reading: &Reading<'_>) -> Result<Vec<(String, String)>, Unread> {
    let entries = reading.list(FOLDER)?.unwrap_or_default();
    let mut names: Vec<String> = entries
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| name.strip_suffix(".rules").is_some() && !name.starts_with('.'))
        .collect();
    if names.len() > MAX_FILES {
        return Err(Unread::Failed {
            place: FOLDER.to_owned(),
            reason: format!("more than {MAX_FILES} files"),
        });
    }
    names.sort_by_cached_key(|name| natural(name));
    let mut paths: Vec<String> = names.into_iter().map(|name| format!("{FOLDER}/{name}")).collect();
    if paths.is_empty() {
        paths.push(COMPILED.to_owned());
    }
    let mut files = vec![];
    for path in paths {
        if let Some(text) = reading.text(&path)? {
            files.push((path, text));
        }
    }
    Ok(files)
}

/// A key that sorts as `ls -v` does, for names of digits, letters and dashes: runs of digits by their value.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0_u64)];
    let mut in_number = false;
    for letter in name.chars() {
        let digit = letter.to_digit(10).map(u64::from);
        if digit.is_none() && in_number {
            parts.push((String::new(), 0));
        }
        in_number = digit.is_some();
        if let Some((text, number)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(digit),
                None => text.push(letter),
            }
        }
    }
    parts
}

fn ask(reading: &Reading<'_>, what: &str) -> Known<String> {
    let command = Command {
        program: AUDITCTL,
        args: &[what],
    };
    match reading.run(&command) {
        Ok(Some(Output { status: 0, stdout, .. })) => Known::Observed(String::from_utf8_lossy(&stdout).into_owned()),
        Ok(Some(output)) => {
            let said = [output.stderr, output.stdout].concat();
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            let denied = ["must be root", "not permitted", "Permission denied"];
            let outcome = if denied.iter().any(|word| said.contains(word)) {
                Outcome::Denied
            } else {
                Outcome::Failed
            };
            let said: String = said.chars().take(200).collect();
            Known::not(outcome, format!("{command}: status {}: {said}", output.status))
        }
        Ok(None) => Known::not(
            Outcome::Absent,
            format!("{AUDITCTL} is not there, and nothing else tells"),
        ),
        Err(unread) => Known::unread(&unread),
    }
}

fn kernel(reading: &Reading<'_>) -> Known<KernelState> {
    match ask(reading, "-s") {
        Known::Observed(text) => match state(&text) {
            Some(state) => Known::Observed(state),
            None => Known::not(Outcome::Malformed, format!("{AUDITCTL} -s: not understood")),
        },
        Known::Not(why) => Known::Not(why),
    }
}

/// Lines of `name value`.
fn state(text: &str) -> Option<KernelState> {
    let word = |name: &str| {
        let mut lines = text.lines().map(str::split_ascii_whitespace);
        lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.next())?)
    };
    let number = |name: &str| word(name)?.parse::<u64>().ok();
    Some(KernelState {
        enabled: rules::enabled(word("enabled")?)?,
        failure: rules::failure(word("failure")?)?,
        daemon_registered: number("pid")? != 0,
        backlog_limit: number("backlog_limit")?,
        rate_limit: number("rate_limit")?,
        lost_events: number("lost")? != 0,
        loginuid_immutable: match word("loginuid_immutable") {
            Some(word) => Known::Observed(word == "1"),
            None => Known::not(Outcome::Absent, "the kernel does not tell"),
        },
    })
}

fn command_line(reading: &Reading<'_>) -> Known<CommandLine> {
    let read = Known::of(reading.volatile("/proc/cmdline"), "/proc/cmdline");
    match read {
        Known::Observed(text) => {
            // The last of several counts.
            let value = |name: &str| {
                let mut words = text.split_ascii_whitespace().rev();
                words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            };
            Known::Observed(CommandLine {
                audit: value("audit").map(str::to_owned),
                audit_backlog_limit: value("audit_backlog_limit").and_then(|value| value.parse().ok()),
            })
        }
        Known::Not(why) => Known::Not(why),
    }
}

#[cfg(test)]
mod tests;
