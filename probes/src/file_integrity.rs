//! # What
//! What watches files for change: which software is installed, whether it has a database to compare with, what it covers,
//! and what starts it; and what the dynamic linker loads into every program.
//!
//! # Source
//! aide.conf(5); `ossec.conf` of Wazuh and OSSEC (*syscheck*); osquery's configuration and flags; samhainrc(5);
//! twadmin(8); the kernel's command line and `/sys/kernel/security/ima` (kernel `Documentation/ABI/testing/ima_policy`);
//! crontab(5), systemd.timer(5), unit files; ld.so(8).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: configurations and databases are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration), A.8.16 (monitoring), A.8.7 (malware), A.8.15 (logging).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod aide;
mod facts;
mod ima;
mod osquery;
mod others;
mod preload;
mod syscheck;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};
use crate::software::LazyUnits;
use crate::software::jobs::Jobs;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct FileIntegrityProbe;

impl Probe for FileIntegrityProbe {
    const SPEC: Spec = Spec {
        id: "file-integrity",
        version: 3,
        title: "What watches files for change, whether it has something to compare with, and what starts it",
        reads: &[
            "programs and folders of known software",
            "/etc/aide/aide.conf or /etc/aide.conf and what it includes, and its databases' times",
            "/etc/default/aide",
            "/etc/ld.so.preload and the files that it names",
            "/proc/sys/kernel/hostname",
            "/var/ossec/etc/ossec.conf",
            "/etc/osquery/",
            "/etc/samhain/samhainrc, /etc/tripwire/ and their databases' times",
            "/proc/cmdline",
            "/sys/kernel/security/ima/",
            "unit files, timers and their stamps",
            "crontabs, cron's folders and the scripts that they start",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/aide/",
            "/etc/aide.conf",
            "/etc/ld.so.preload",
            "/var/lib/aide/",
            "/var/ossec/etc/ossec.conf",
            "/etc/osquery/",
            "/etc/cron.d/",
            "/etc/crontab",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "What the software found, and whether anybody reads its reports.",
            "Whether a database was made while the host was sound, and whether it was changed since.",
            "What a server of Wazuh, OSSEC or osquery orders beyond the files on the host.",
            "Jobs that start a script in another place than /usr/local, /opt, /etc and /root which then starts the check.",
            "Which hashes and extended attributes AIDE was built with, and to whom a job mails what AIDE prints, but for Debian's own.",
            "Parts of AIDE's configuration that scripts print, and what depends on them.",
        ],
    };

    type Facts = FileIntegrity;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<FileIntegrity, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let table: Vec<Product> = SOFTWARE.iter().map(|(product, _)| *product).collect();
        let survey = Survey::of(&table, &units);
        // What is not installed is started by nothing.
        let jobs = (!survey.installed.is_empty()).then(|| Jobs::read(&units));
        let has = |product: &str| survey.has(&[product]);
        let facts = FileIntegrity {
            aide: part(has("aide"), || aide::read(reading)),
            syscheck: part(has("wazuh_or_ossec"), || syscheck::read(reading)),
            osquery: part(has("osquery"), || osquery::read(reading)),
            samhain: part(has("samhain"), || others::samhain(reading)),
            tripwire: part(has("tripwire"), || others::tripwire(reading)),
            ima: ima::read(reading),
            preload: preload::read(reading),
            jobs_unread: jobs.as_ref().map(|jobs| jobs.unread.clone()).unwrap_or_default(),
            cron: jobs.as_ref().map(|jobs| jobs.cron.clone()),
            software: survey
                .installed
                .iter()
                .map(|installed| {
                    let programs = SOFTWARE.iter().find(|(product, _)| product.id == installed.product);
                    IntegritySoftware {
                        product: installed.product.clone(),
                        shown_by: installed.shown_by.clone(),
                        units: installed.units.clone(),
                        jobs: jobs
                            .as_ref()
                            .zip(programs)
                            .map(|(jobs, (_, programs))| jobs.of(programs))
                            .unwrap_or_default(),
                    }
                })
                .collect(),
            undetermined: survey.undetermined,
        };
        Ok(Collected::facts(facts))
    }
}

const fn software(
    id: &'static str,
    programs: &'static [&'static str],
    files: &'static [&'static str],
    units: &'static [&'static str],
) -> (Product, &'static [&'static str]) {
    (Product { id, files, units }, programs)
}

/// Software and the programs by which jobs start it. Sorted; another one is a line more.
#[rustfmt::skip]
const SOFTWARE: [(Product, &[&str]); 14] = [
    software("afick", &["afick", "afick.pl"], &["/usr/bin/afick.pl", "/usr/sbin/afick"], &[]),
    software("aide", &["aide", "aide.wrapper", "dailyaidecheck"], &["/usr/bin/aide", "/usr/sbin/aide"], &["dailyaidecheck.timer", "dailyaidecheck.service", "aidecheck.timer", "aidecheck.service", "aide-check.timer"]),
    software("auditbeat", &[], &["/usr/share/auditbeat/bin/auditbeat", "/opt/Elastic/Agent/elastic-agent"], &["auditbeat.service", "elastic-agent.service"]),
    software("chkrootkit", &["chkrootkit", "chkrootkit-daily"], &["/usr/sbin/chkrootkit"], &["chkrootkit.timer", "chkrootkit.service"]),
    software("debsums", &["debsums"], &["/usr/bin/debsums"], &[]),
    software("falco", &[], &["/usr/bin/falco"], &["falco.service", "falco-modern-bpf.service", "falco-kmod.service", "falco-bpf.service"]),
    software("fapolicyd", &[], &["/usr/sbin/fapolicyd"], &["fapolicyd.service"]),
    software("integrit", &["integrit", "integrit-check"], &["/usr/sbin/integrit"], &[]),
    software("osquery", &[], &["/usr/bin/osqueryd", "/opt/osquery/bin/osqueryd"], &["osqueryd.service", "orbit.service"]),
    software("qualys_fim", &[], &["/usr/local/qualys/cloud-agent"], &["qualys-cloud-agent.service"]),
    software("rkhunter", &["rkhunter"], &["/usr/bin/rkhunter"], &["rkhunter.timer", "rkhunter-propupd.timer"]),
    software("samhain", &["samhain"], &["/usr/sbin/samhain", "/usr/local/sbin/samhain"], &["samhain.service"]),
    software("tripwire", &["tripwire"], &["/usr/sbin/tripwire", "/usr/local/sbin/tripwire"], &[]),
    software("wazuh_or_ossec", &[], &["/var/ossec/etc/ossec.conf", "/var/ossec/bin/wazuh-syscheckd", "/var/ossec/bin/ossec-syscheckd"], &["wazuh-agent.service", "wazuh-manager.service", "ossec.service", "ossec-hids.service"]),
];

/// What a product's own files say; `absent` if it is not installed.
fn part<T>(installed: bool, read: impl FnOnce() -> Result<Option<T>, Unread>) -> Known<T> {
    if installed {
        Known::of(read(), "its configuration")
    } else {
        Known::not(evidence::facts::Outcome::Absent, "it is not installed")
    }
}

#[cfg(test)]
mod tests;
