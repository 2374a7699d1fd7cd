//! # What
//! Tools for backup: which there are, what starts them, where backups go, and when the last was made as far as a file tells.
//!
//! # Source
//! The files and units by which tools are known; `/etc/borgmatic`, rsnapshot.conf(5), `RESTIC_REPOSITORY` in environment files;
//! the time of rsnapshot's newest snapshot and of `/var/lib/systemd/timers`; cron's files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: configuration of backups is closed to others.
//!
//! # Bears on
//! A.8.13 (information backup), A.8.14 (redundancy), A.5.30 (readiness for business continuity).
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
use crate::reading::{Kind, Reading, Unread};

const CRON: [&str; 5] = [
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
];
const RSNAPSHOT: &str = "/etc/rsnapshot.conf";
/// Tools and the patterns of their configuration files.
const TOOLS: [(Marks, &[&str]); 15] = [
    (
        marks(
            "amanda",
            &["/usr/sbin/amdump", "/usr/libexec/amanda"],
            &["amanda.socket"],
        ),
        &["/etc/amanda/amanda-client.conf"],
    ),
    (
        marks(
            "bacula",
            &["/usr/sbin/bacula-fd", "/opt/bacula/bin/bacula-fd"],
            &["bacula-fd.service", "bacula-dir.service"],
        ),
        &["/etc/bacula/*.conf"],
    ),
    (
        marks(
            "bareos",
            &["/usr/sbin/bareos-fd"],
            &["bareos-fd.service", "bareos-filedaemon.service", "bareos-dir.service"],
        ),
        &["/etc/bareos/*.conf"],
    ),
    (
        marks(
            "borg",
            &["/usr/bin/borg", "/usr/local/bin/borg"],
            &["borg.timer", "borg-backup.timer"],
        ),
        &[],
    ),
    (
        marks(
            "borgmatic",
            &[
                "/usr/bin/borgmatic",
                "/usr/local/bin/borgmatic",
                "/root/.local/bin/borgmatic",
            ],
            &["borgmatic.timer"],
        ),
        &["/etc/borgmatic/*.yaml", "/etc/borgmatic.d/*.yaml"],
    ),
    (
        marks("duplicity", &["/usr/bin/duplicity"], &["duplicity.timer"]),
        &["/etc/duplicity/*.conf"],
    ),
    (
        marks(
            "pgbackrest",
            &["/usr/bin/pgbackrest"],
            &["pgbackrest.service", "pgbackrest.timer"],
        ),
        &["/etc/pgbackrest.conf", "/etc/pgbackrest/*.conf"],
    ),
    (
        marks(
            "proxmox-backup",
            &["/usr/bin/proxmox-backup-client"],
            &["proxmox-backup-proxy.service"],
        ),
        &[],
    ),
    (
        marks("rclone", &["/usr/bin/rclone"], &["rclone.timer"]),
        &["/root/.config/rclone/rclone.conf"],
    ),
    (
        marks(
            "restic",
            &["/usr/bin/restic", "/usr/local/bin/restic"],
            &["restic.timer", "restic-backup.timer"],
        ),
        &[
            "/etc/restic/*.env",
            "/etc/restic/*.conf",
            "/etc/default/restic",
            "/etc/sysconfig/restic",
        ],
    ),
    (
        marks(
            "rsnapshot",
            &["/usr/bin/rsnapshot"],
            &["rsnapshot@daily.timer", "rsnapshot-daily.timer"],
        ),
        &[RSNAPSHOT],
    ),
    (
        marks(
            "snapper",
            &["/usr/bin/snapper"],
            &["snapper-timeline.timer", "snapper-boot.timer"],
        ),
        &["/etc/snapper/configs/*"],
    ),
    (
        marks("timeshift", &["/usr/bin/timeshift"], &[]),
        &["/etc/timeshift/timeshift.json"],
    ),
    (
        marks(
            "urbackup",
            &[
                "/usr/local/sbin/urbackupclientbackend",
                "/usr/sbin/urbackupclientbackend",
            ],
            &["urbackupclientbackend.service"],
        ),
        &["/etc/default/urbackupclient"],
    ),
    (
        marks(
            "veeam",
            &["/usr/sbin/veeamservice", "/usr/bin/veeamconfig"],
            &["veeamservice.service"],
        ),
        &["/etc/veeam/veeam.ini"],
    ),
];

const fn marks(name: &'static str, paths: &'static [&'static str], units: &'static [&'static str]) -> Marks {
    Marks { name, paths, units }
}

/// The probe.
pub struct BackupProbe;

impl Probe for BackupProbe {
    const SPEC: Spec = Spec {
        id: "backup",
        version: 1,
        title: "Which tools for backup there are, what starts them, where backups go, and when the last was made",
        reads: &[
            "files and folders by which tools are known",
            "unit files",
            "/etc/borgmatic/, /etc/rsnapshot.conf, /etc/restic/ and /etc/default/restic",
            "/var/lib/systemd/timers/ and rsnapshot's snapshots (times alone)",
            "/etc/crontab, /etc/cron.d/, cron.daily and the like",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/etc/cron.d/", "/etc/borgmatic/", "/etc/restic/"],
        budget: Budget {
            millis: 1_000,
            bytes: 8 * 1024 * 1024,
        },
        does_not_show: &[
            "Backups that something outside makes: snapshots of a hypervisor or a storage system, a server that fetches.",
            "Whether a backup succeeded, is whole, and can be restored.",
            "What is backed up, and whether that is all that should be.",
        ],
    };

    type Facts = Backup;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Backup, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let mut tools = vec![];
        let mut cron = None;
        for (marks, patterns) in &TOOLS {
            let Some(found) = installed::find(reading, &units, marks)? else {
                continue;
            };
            let cron = cron.get_or_insert_with(|| cron_texts(reading));
            let config_files = Known::of(config_files(reading, patterns).map(Some), "/etc");
            tools.push(BackupTool {
                name: marks.name.to_owned(),
                repositories: repositories(reading, marks.name, &config_files),
                last_day: last_day(reading, marks),
                found_at: found.found_at,
                units: found.units,
                config_files,
                cron: match cron {
                    Ok(texts) => Known::Observed(naming(texts, marks.name)),
                    Err(unread) => Known::unread(unread),
                },
            });
        }
        Ok(Collected::facts(Backup { tools }))
    }
}

fn config_files(reading: &Reading<'_>, patterns: &[&str]) -> Result<Vec<String>, Unread> {
    let mut files = vec![];
    for pattern in patterns {
        for file in included::files(reading, pattern)? {
            if reading.stat(&file)?.is_some() {
                files.push(file);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The files of cron with their text. Programs among them are no text, and name nothing.
fn cron_texts(reading: &Reading<'_>) -> Result<Vec<(String, String)>, Unread> {
    let mut paths = vec!["/etc/crontab".to_owned()];
    for folder in CRON {
        let entries = reading.list(folder)?.unwrap_or_default().into_iter();
        let files = entries.filter(|entry| matches!(entry.kind, Kind::File | Kind::Link));
        paths.extend(files.map(|entry| format!("{folder}/{}", entry.name)));
    }
    let mut texts = vec![];
    for path in paths {
        let bytes = reading.bytes_at(&path, 0, 64 * 1024)?.unwrap_or_default();
        texts.push((path, String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(texts)
}

/// Those that have `program` as a word, outside comments.
fn naming(texts: &[(String, String)], program: &str) -> Vec<String> {
    let is_word = |word: &str| word == program || word.rsplit('/').next() == Some(program);
    let names = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut words = lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || ";&|()\"'".contains(c)));
        words.any(is_word)
    };
    texts
        .iter()
        .filter(|(_, text)| names(text))
        .map(|(path, _)| path.clone())
        .collect()
}

fn repositories(reading: &Reading<'_>, tool: &str, files: &Known<Vec<String>>) -> Known<Vec<Repository>> {
    if !["borgmatic", "restic", "rsnapshot"].contains(&tool) {
        return Known::not(Outcome::Unsupported, format!("the configuration of {tool} is not read"));
    }
    let files = match files {
        Known::Observed(files) => files,
        Known::Not(why) => return Known::Not(why.clone()),
    };
    let mut found = BTreeSet::new();
    for path in files {
        let text = match reading.text(path) {
            Ok(text) => text.unwrap_or_default(),
            Err(unread) => return Known::unread(&unread),
        };
        for line in text.lines().map(str::trim) {
            let place = match tool {
                // `- path: ADDRESS`, or `- ADDRESS` in older versions, below `repositories`.
                "borgmatic" => line.strip_prefix("- path:").or_else(|| {
                    line.strip_prefix("- ")
                        .filter(|rest| rest.contains("://") || rest.contains('@'))
                }),
                "restic" => line.trim_start_matches("export ").strip_prefix("RESTIC_REPOSITORY="),
                _ => line.strip_prefix("snapshot_root"),
            };
            found.extend(place.map(|place| repository(place.trim().trim_matches(['"', '\'']))));
        }
    }
    if files.is_empty() {
        return Known::not(Outcome::Absent, format!("no configuration of {tool} is there"));
    }
    Known::Observed(found.into_iter().collect())
}

/// `ssh://…`, `sftp:user@host:/…`, `s3:…`, `rest:https://…`, `user@host:path` or a path.
fn repository(place: &str) -> Repository {
    let transport = match place {
        _ if place.starts_with('/') || place.starts_with('.') || place.starts_with('~') => "file",
        _ => match place.split_once(':') {
            Some((scheme, _)) if !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                scheme
            }
            Some((scheme, _)) if scheme.contains('@') => "ssh",
            _ => "file",
        },
    };
    Repository {
        remote: transport != "file",
        transport: transport.to_owned(),
    }
}

fn last_day(reading: &Reading<'_>, marks: &Marks) -> Known<i64> {
    let mut stamps: Vec<String> = vec![];
    if marks.name == "rsnapshot" {
        let text = match reading.text(RSNAPSHOT) {
            Ok(text) => text.unwrap_or_default(),
            Err(unread) => return Known::unread(&unread),
        };
        let root = text.lines().find_map(|line| line.strip_prefix("snapshot_root"));
        if let Some(root) = root.map(|root| root.trim().trim_end_matches('/')) {
            stamps.extend(["alpha.0", "hourly.0", "beta.0", "daily.0"].map(|name| format!("{root}/{name}")));
        }
    }
    let timers = marks.units.iter().filter(|unit| unit.strip_suffix(".timer").is_some());
    stamps.extend(timers.map(|timer| format!("/var/lib/systemd/timers/stamp-{timer}")));
    let mut newest: Option<i64> = None;
    for stamp in stamps {
        match installed::day(reading, &stamp) {
            Known::Observed(day) => newest = newest.max(Some(day)),
            Known::Not(why) if why.outcome == Outcome::Absent => {}
            Known::Not(why) => return Known::Not(why),
        }
    }
    newest.map_or_else(
        || Known::not(Outcome::Absent, "no file tells of a backup"),
        Known::Observed,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::reading::captured::Captured;
    use crate::registry::Registered;

    fn facts(host: &Captured) -> Value {
        let document = Registered::of::<BackupProbe>().collect(host).remove(0);
        document.facts.unwrap_or_else(|| panic!("{}", document.detail))
    }

    fn host() -> Captured {
        Captured::default()
            .file("/usr/bin/restic", "")
            .file(
                "/etc/restic/a.env",
                "export RESTIC_REPOSITORY=\"sftp:u@b.example:/srv\"\nRESTIC_PASSWORD=secret\n",
            )
            .file("/etc/cron.d/own", "# borg\n0 3 * * * root /usr/bin/restic backup /\n")
            .file("/usr/bin/rsnapshot", "")
            .file(
                "/etc/rsnapshot.conf",
                "config_version\t1.2\nsnapshot_root\t/srv/snap/\nbackup\t/home/\tlocalhost/\n",
            )
            .file("/srv/snap/daily.0/x", "")
            .file("/usr/bin/borgmatic", "")
            .file(
                "/etc/borgmatic/config.yaml",
                "repositories:\n    - path: ssh://u@c.example/./r\n      label: x\n    - path: /mnt/backup\n",
            )
    }

    #[test]
    fn tools_and_where_backups_go() {
        let facts = facts(&host());
        let tools = facts["tools"].as_array().unwrap();
        assert_eq!(tools.len(), 3);
        assert_eq!(
            tools[0]["repositories"]["value"],
            json!([{"remote": false, "transport": "file"}, {"remote": true, "transport": "ssh"}])
        );
        assert_eq!(
            tools[1]["repositories"]["value"],
            json!([{"remote": true, "transport": "sftp"}])
        );
        assert_eq!(tools[1]["cron"]["value"], json!(["/etc/cron.d/own"]));
        assert_eq!(tools[0]["cron"]["value"], json!([]));
        assert_eq!(tools[2]["last_day"]["outcome"], "observed");
        assert_eq!(tools[1]["last_day"]["outcome"], "absent");
        assert!(!facts.to_string().contains("secret") && !facts.to_string().contains("example"));
    }

    #[test]
    fn denied_and_none() {
        let denied = facts(&host().denied("/etc/restic/a.env").denied("/etc/cron.d"));
        assert_eq!(denied["tools"][1]["cron"]["outcome"], "denied");
        assert_eq!(denied["tools"][1]["repositories"]["outcome"], "denied");
        assert_eq!(facts(&Captured::default()), json!({"tools": []}));
        let borg = facts(&Captured::default().file("/usr/bin/borg", ""));
        assert_eq!(borg["tools"][0]["repositories"]["outcome"], "unsupported");
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let host = host().file("/etc/borgmatic/config.yaml", &bytes).file("/etc/cron.d/own", &bytes);
            let _ = facts(&host);
        }
    }
}
