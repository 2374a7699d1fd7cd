//! # What
//! Where log messages are kept and sent, for how long, and who can read the files: the journal, rsyslog, syslog-ng,
//! shippers, logrotate.
//!
//! # Source
//! journald.conf(5), journal-upload.conf(5), rsyslog.conf(5) and what it includes, `syslog-ng.conf`, logrotate.conf(5), unit
//! files, stat(2) of the usual log files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` where configuration or `/var/log/journal` is closed to others.
//!
//! # Bears on
//! A.8.15 (logging), A.8.16 (monitoring activities), A.5.28 (collection of evidence), A.5.33 (protection of records).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;
mod logrotate;
mod rsyslog;
mod syslog_ng;

use std::collections::BTreeMap;

use evidence::facts::Outcome;

pub use facts::*;

use crate::formats::systemd::{Settings, Units};
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};

const JOURNAL: &str = "/var/log/journal";
const RUNTIME: &str = "/run/log/journal";
/// journald.conf(5); another word counts for nothing, and so does one of them in capitals.
const STORAGES: [&str; 4] = ["auto", "none", "persistent", "volatile"];

/// The probe.
pub struct LoggingProbe;

impl Probe for LoggingProbe {
    const SPEC: Spec = Spec {
        id: "logging",
        version: 3,
        title: "Where log messages are kept and sent, for how long, and who can read them",
        reads: &[
            "/etc/systemd/journald.conf and journal-upload.conf with their drop-ins",
            "/var/log/journal/, /run/log/journal/",
            "/etc/rsyslog.conf and what it includes",
            "/etc/syslog-ng/syslog-ng.conf and what it includes",
            "/etc/logrotate.conf and what it includes",
            "modes and owners of the usual files in /var/log",
            "unit files",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/rsyslog.d/",
            "/etc/systemd/",
            "/etc/logrotate.d/",
            "/etc/syslog-ng/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether messages arrive where they are sent, and whether anybody reads them.",
            "What conditions and rule sets of rsyslog let through.",
            "The configuration of shippers other than rsyslog, syslog-ng and systemd-journal-upload.",
            "Logs that applications write by themselves.",
        ],
    };

    type Facts = Logging;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Logging, NoNames>, ProbeError> {
        let units = Units::read(reading);
        let (journald, services) = match &units {
            Ok(Some(found)) => (journald(reading, &units), Known::Observed(services(found))),
            Ok(None) => {
                const WHY: &str = "this host has no systemd";
                (Known::not(Outcome::Absent, WHY), Known::not(Outcome::Absent, WHY))
            }
            Err(unread) => (journald(reading, &units), Known::unread(unread)),
        };
        let facts = Logging {
            journald,
            services,
            rsyslog: Known::of(rsyslog::read(reading, &units), "/etc/rsyslog.conf"),
            syslog_ng: Known::of(syslog_ng::read(reading), "/etc/syslog-ng/syslog-ng.conf"),
            journal_upload: journal_upload(reading),
            rotation: Known::of(logrotate::read(reading), "/etc/logrotate.conf"),
            files: Known::of(log_files(reading).map(Some), "/var/log"),
        };
        Ok(Collected::facts(facts))
    }
}

/// Names of units by what they are.
const SERVICES: [(&str, &str); 30] = [
    ("alloy", "alloy.service"),
    ("amazon-cloudwatch-agent", "amazon-cloudwatch-agent.service"),
    ("auditbeat", "auditbeat.service"),
    ("azure-monitor-agent", "azuremonitoragent.service"),
    ("crowdsec", "crowdsec.service"),
    ("datadog-agent", "datadog-agent.service"),
    ("elastic-agent", "elastic-agent.service"),
    ("filebeat", "filebeat.service"),
    ("fluent-bit", "fluent-bit.service"),
    ("fluentd", "fluentd.service"),
    ("fluentd", "td-agent.service"),
    ("google-cloud-ops-agent", "google-cloud-ops-agent.service"),
    ("graylog-sidecar", "graylog-sidecar.service"),
    ("journalbeat", "journalbeat.service"),
    ("logstash", "logstash.service"),
    ("logwatch", "logwatch.timer"),
    ("nxlog", "nxlog.service"),
    ("opentelemetry-collector", "otelcol.service"),
    ("opentelemetry-collector", "otelcol-contrib.service"),
    ("osqueryd", "osqueryd.service"),
    ("promtail", "promtail.service"),
    ("rsyslog", "rsyslog.service"),
    ("splunk-forwarder", "SplunkForwarder.service"),
    ("splunk-forwarder", "splunk.service"),
    ("syslog-ng", "syslog-ng.service"),
    ("systemd-journal-remote", "systemd-journal-remote.service"),
    ("systemd-journal-upload", "systemd-journal-upload.service"),
    ("systemd-journald", "systemd-journald.service"),
    ("vector", "vector.service"),
    ("wazuh-agent", "wazuh-agent.service"),
];

fn services(units: &Units) -> Vec<LogService> {
    let there = SERVICES.iter().filter_map(|(name, unit)| {
        Some(LogService {
            name: (*name).to_owned(),
            state: units.state(unit)?,
        })
    });
    there.collect()
}

fn journald(reading: &Reading<'_>, units: &Result<Option<Units>, Unread>) -> Known<Journald> {
    const NAMES: [&str; 11] = [
        "Audit",
        "Compress",
        "ForwardToSyslog",
        "MaxFileSec",
        "MaxLevelStore",
        "MaxRetentionSec",
        "RateLimitBurst",
        "RateLimitIntervalSec",
        "Seal",
        "SystemKeepFree",
        "SystemMaxUse",
    ];
    let settings = match Settings::read(reading, "journald") {
        Ok(settings) => settings,
        Err(unread) => return Known::unread(&unread),
    };
    let folder = match reading.list(JOURNAL) {
        Ok(folder) => folder,
        Err(unread) => return Known::unread(&unread),
    };
    let storage = settings.last("Journal", "Storage", |value| STORAGES.contains(&value));
    let storage = storage.unwrap_or("auto").to_owned();
    let mut values = BTreeMap::new();
    for name in NAMES {
        if let Some(value) = settings.get("Journal", name) {
            values.insert(name.to_owned(), value.to_owned());
        }
    }
    Known::Observed(Journald {
        kept_over_reboot: storage == "persistent" || (storage == "auto" && folder.is_some()),
        storage,
        changed_since_start: Units::changed_since_start(units, reading, "systemd-journald.service", &settings.files),
        written_last: written_last(reading),
        settings: values,
        sealing_key: sealing_key(
            reading,
            folder.unwrap_or_default().iter().map(|entry| entry.name.as_str()),
        ),
        files: settings.files,
    })
}

/// By which of the two files that journald writes now was written last: where it starts to write to the other, it leaves the
/// one behind.
fn written_last(reading: &Reading<'_>) -> Known<JournalPlace> {
    let newest = |folder: &str| -> Result<Option<i64>, Unread> {
        let mut newest = None;
        for machine in reading.list(folder)?.unwrap_or_default().into_iter().take(100) {
            let stat = reading.stat(&format!("{folder}/{}/system.journal", machine.name))?;
            newest = newest.max(stat.map(|stat| stat.mtime));
        }
        Ok(newest)
    };
    match (newest(JOURNAL), newest(RUNTIME)) {
        (Ok(None), Ok(None)) => Known::not(Outcome::Absent, "there is no journal file"),
        (Ok(kept), Ok(lost)) if kept > lost => Known::Observed(JournalPlace::Persistent),
        (Ok(_), Ok(_)) => Known::Observed(JournalPlace::Volatile),
        (Err(unread), _) | (_, Err(unread)) => Known::unread(&unread),
    }
}

/// `fss` beside the journal files of any machine id.
fn sealing_key<'a>(reading: &Reading<'_>, machines: impl Iterator<Item = &'a str>) -> Known<bool> {
    for machine in machines.filter(|name| !name.contains('.')).take(100) {
        match reading.stat(&format!("{JOURNAL}/{machine}/fss")) {
            Ok(Some(_)) => return Known::Observed(true),
            Ok(None) => {}
            Err(unread) => return Known::unread(&unread),
        }
    }
    Known::Observed(false)
}

fn journal_upload(reading: &Reading<'_>) -> Known<String> {
    match Settings::read(reading, "journal-upload") {
        Ok(settings) => match settings.get("Upload", "URL") {
            Some(url) => Known::Observed(rsyslog::without_credentials(url)),
            None => Known::not(Outcome::Absent, "journal-upload.conf sets no URL"),
        },
        Err(unread) => Known::unread(&unread),
    }
}

const FILES: [&str; 25] = [
    "/var/lib/lastlog/lastlog2.db",
    "/var/lib/wtmpdb/wtmp.db",
    "/var/log",
    "/var/log/audit",
    "/var/log/audit/audit.log",
    "/var/log/auth.log",
    "/var/log/boot.log",
    "/var/log/btmp",
    "/var/log/cloud-init.log",
    "/var/log/cron",
    "/var/log/cron.log",
    "/var/log/daemon.log",
    "/var/log/dpkg.log",
    "/var/log/faillog",
    "/var/log/journal",
    "/var/log/kern.log",
    "/var/log/lastlog",
    "/var/log/mail.log",
    "/var/log/maillog",
    "/var/log/messages",
    "/var/log/secure",
    "/var/log/sudo.log",
    "/var/log/syslog",
    "/var/log/wtmp",
    "/var/log/wtmp.db",
];

fn log_files(reading: &Reading<'_>) -> Result<Vec<LogFile>, Unread> {
    let mut files = vec![];
    for path in FILES {
        if let Some(stat) = reading.stat(path)? {
            files.push(LogFile {
                path: path.to_owned(),
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
            });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
