//! # What
//! Tools that notice changed files: which there are, whether something runs them, and what `AIDE` compares with.
//!
//! # Source
//! The files and units by which tools are known, aide.conf(5), cron's folders.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: databases and configuration are closed to others.
//!
//! # Bears on
//! A.8.16 (monitoring activities), A.8.9 (configuration management), A.8.7 (protection against malware), A.8.15 (logging).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

use std::collections::BTreeSet;

use evidence::facts::Outcome;

pub use facts::*;

use crate::formats::included;
use crate::formats::installed::{self, Marks};
use crate::formats::systemd::Units;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

const CRON: [&str; 4] = ["/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.weekly"];
const AIDE_CONFIG: [&str; 2] = ["/etc/aide/aide.conf", "/etc/aide.conf"];
const MAX_FILES: usize = 1_000;
const MAX_RULES: usize = 2_000;
/// With the names of the files in cron's folders that run them.
const TOOLS: [(Marks, &[&str]); 7] = [
    (
        Marks {
            name: "aide",
            paths: &["/usr/bin/aide", "/usr/sbin/aide"],
            units: &["dailyaidecheck.timer", "aidecheck.timer", "aide.timer"],
        },
        &["aide", "dailyaidecheck"],
    ),
    (
        Marks {
            name: "debsums",
            paths: &["/usr/bin/debsums"],
            units: &[],
        },
        &["debsums"],
    ),
    (
        Marks {
            name: "osquery",
            paths: &["/usr/bin/osqueryd", "/opt/osquery/bin/osqueryd"],
            units: &["osqueryd.service"],
        },
        &[],
    ),
    (
        Marks {
            name: "ossec",
            paths: &["/var/ossec/bin/ossec-syscheckd"],
            units: &["ossec.service", "ossec-hids.service"],
        },
        &[],
    ),
    (
        Marks {
            name: "samhain",
            paths: &["/usr/sbin/samhain", "/usr/local/sbin/samhain"],
            units: &["samhain.service"],
        },
        &["samhain"],
    ),
    (
        Marks {
            name: "tripwire",
            paths: &["/usr/sbin/tripwire"],
            units: &[],
        },
        &["tripwire", "tripwire-check"],
    ),
    (
        Marks {
            name: "wazuh",
            paths: &["/var/ossec/bin/wazuh-syscheckd"],
            units: &["wazuh-agent.service"],
        },
        &[],
    ),
];

/// The probe.
pub struct FileIntegrityProbe;

impl Probe for FileIntegrityProbe {
    const SPEC: Spec = Spec {
        id: "file-integrity",
        version: 1,
        title: "Which tools notice changed files, whether something runs them, and what AIDE compares with",
        reads: &[
            "files and folders by which tools are known",
            "unit files",
            "names in /etc/cron.d, cron.daily, cron.hourly, cron.weekly",
            "/etc/aide/aide.conf or /etc/aide.conf and what it includes",
            "the time and mode of AIDE's database",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/aide/", "/var/lib/aide/", "/etc/cron.daily/"],
        budget: Budget {
            millis: 1_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "What the tools found, and whether anybody looked.",
            "What others than AIDE watch.",
            "Whether the database was made anew to hide a change.",
        ],
    };

    type Facts = FileIntegrity;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<FileIntegrity, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let mut tools = vec![];
        for (marks, cron) in &TOOLS {
            let Some(found) = installed::find(reading, &units, marks)? else {
                continue;
            };
            let mut by_cron = vec![];
            for folder in CRON {
                for name in *cron {
                    let path = format!("{folder}/{name}");
                    if reading.stat(&path)?.is_some() {
                        by_cron.push(path);
                    }
                }
            }
            tools.push(IntegrityTool {
                name: marks.name.to_owned(),
                found_at: found.found_at,
                units: found.units,
                cron: by_cron,
            });
        }
        let aide = if tools.iter().any(|tool| tool.name == "aide") {
            Known::of(aide(reading), AIDE_CONFIG[0])
        } else {
            Known::not(Outcome::Absent, "AIDE is not installed")
        };
        Ok(Collected::facts(FileIntegrity { tools, aide }))
    }
}

/// `@@include FILE`, `@@include FOLDER REGEX`, `@@define NAME VALUE`, `database_in=URL`, `PATH RULE`, `=PATH RULE`, `!PATH`.
fn aide(reading: &Reading<'_>) -> Result<Option<Aide>, Unread> {
    let mut config = None;
    for path in AIDE_CONFIG {
        if config.is_none() && reading.stat(path)?.is_some() {
            config = Some(path.to_owned());
        }
    }
    let Some(config) = config else { return Ok(None) };
    let mut waiting = vec![config.clone()];
    let (mut selected, mut left_out) = (BTreeSet::new(), BTreeSet::new());
    let mut database = None;
    let mut folder = None;
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        files += 1;
        if files > MAX_FILES {
            return Err(Unread::Failed {
                place: path,
                reason: format!("more than {MAX_FILES} files"),
            });
        }
        // Parts of the configuration that are programs are not run.
        let Some(text) = reading.text(&path)? else { continue };
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("@@include").or(line.strip_prefix("@@x_include")) {
                let mut words = rest.split_ascii_whitespace();
                if let Some(place) = words.next() {
                    match words.next() {
                        Some(_) => waiting.extend(included::files(reading, &format!("{place}/*"))?),
                        None => waiting.push(place.to_owned()),
                    }
                }
            } else if let Some(value) = line.strip_prefix("@@define DBDIR") {
                folder = Some(value.trim().to_owned());
            } else if let Some(value) = line.strip_prefix("database_in=").or(line.strip_prefix("database=")) {
                database = Some(value.trim().to_owned());
            } else if let Some(rest) = line.strip_prefix('!') {
                left_out.extend(rest.split_ascii_whitespace().next().map(str::to_owned));
            } else if line.starts_with('/') || line.starts_with("=/") {
                selected.extend(
                    line.trim_start_matches('=')
                        .split_ascii_whitespace()
                        .next()
                        .map(str::to_owned),
                );
            }
        }
    }
    let database = database.unwrap_or_else(|| "file:/var/lib/aide/aide.db".to_owned());
    let database = database
        .trim_start_matches("file:")
        .replace("@@{DBDIR}", folder.as_deref().unwrap_or("/var/lib/aide"));
    let stat = reading.stat(&database);
    Ok(Some(Aide {
        config,
        database_day: installed::day(reading, &database),
        database_mode: Known::of(
            stat.map(|stat| stat.map(|stat| format!("{:04o}", stat.mode))),
            &database,
        ),
        database,
        selected: selected.into_iter().take(MAX_RULES).collect(),
        left_out: left_out.into_iter().take(MAX_RULES).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::reading::captured::Captured;
    use crate::registry::Registered;

    fn facts(host: &Captured) -> Value {
        let document = Registered::of::<FileIntegrityProbe>().collect(host).remove(0);
        document.facts.unwrap_or_else(|| panic!("{}", document.detail))
    }

    fn host() -> Captured {
        Captured::default()
            .file("/usr/bin/aide", "")
            .file("/etc/cron.daily/aide", "")
            .file("/etc/aide/aide.conf", "# c\n@@define DBDIR /var/lib/own\ndatabase_in=file:@@{DBDIR}/aide.db\n@@include /etc/aide/aide.conf.d ^[a-zA-Z0-9_-]+$\n/etc PERMS\n")
            .file("/etc/aide/aide.conf.d/a", "!/var/log/.*\n=/boot$ R\n")
            .file("/var/lib/own/aide.db", "")
    }

    #[test]
    fn aide_is_set_up() {
        let facts = facts(&host());
        assert_eq!(facts["tools"][0]["cron"], json!(["/etc/cron.daily/aide"]));
        let aide = &facts["aide"]["value"];
        assert_eq!(aide["database"], "/var/lib/own/aide.db");
        assert_eq!(aide["database_day"]["outcome"], "observed");
        assert_eq!(
            (&aide["selected"], &aide["left_out"]),
            (&json!(["/boot$", "/etc"]), &json!(["/var/log/.*"]))
        );
    }

    #[test]
    fn no_database_denied_and_none() {
        let host = Captured::default()
            .file("/usr/bin/aide", "")
            .file("/etc/aide.conf", "/ R\n");
        assert_eq!(facts(&host)["aide"]["value"]["database_day"]["outcome"], "absent");
        let denied = self::host().denied("/etc/aide/aide.conf.d");
        assert_eq!(facts(&denied)["aide"]["outcome"], "denied");
        let none = facts(&Captured::default());
        assert_eq!(
            (&none["tools"], &none["aide"]["outcome"]),
            (&json!([]), &json!("absent"))
        );
        let round = host.file("/etc/aide.conf", "@@include /etc/aide.conf\n");
        assert_eq!(facts(&round)["aide"]["outcome"], "failed");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = facts(&host().file("/etc/aide/aide.conf.d/a", &bytes));
        }
    }
}
