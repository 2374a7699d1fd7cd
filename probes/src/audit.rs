//! # What
//! The kernel's audit system: the daemon and its settings, the rules that are configured and those that are loaded, and
//! whether they can be changed.
//!
//! # Source
//! auditd.conf(5); `/etc/audit/rules.d` as augenrules(8) merges it, or the file that auditd's unit has auditctl(8) load;
//! `auditctl -s` and `auditctl -l` (auditctl(8)), since the kernel tells them over netlink to holders of `CAP_AUDIT_CONTROL` alone; `/proc/cmdline`;
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
mod loader;
mod rules;

use evidence::facts::Outcome;

pub use facts::*;

use crate::formats::systemd::Units;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Command, Output, Reading};

const AUDITCTL: &str = "/usr/sbin/auditctl";
const PROGRAMS: [&str; 2] = ["/usr/sbin/auditd", "/sbin/auditd"];
const UNITS: [&str; 2] = ["auditd.service", "audit-rules.service"];

/// The probe.
pub struct AuditProbe;

impl Probe for AuditProbe {
    const SPEC: Spec = Spec {
        id: "audit",
        version: 3,
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
            millis: 5_000,
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
        let all_units = Units::read(reading);
        let units = match &all_units {
            Ok(Some(units)) => Known::Observed(units.states(UNITS)),
            Ok(None) => Known::not(Outcome::Absent, "this host has no systemd"),
            Err(unread) => Known::unread(unread),
        };
        let loader = loader::loader(reading, &all_units);
        let configured = loader::configured(reading, &loader);
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
            loader,
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
            missing.order();
            missing.dedup();
            Known::Observed(missing)
        }
        (Known::Not(why), _) | (_, Known::Not(why)) => Known::Not(why.clone()),
    }
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
