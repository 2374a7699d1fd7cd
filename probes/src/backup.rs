//! # What
//! Backup software on the host: which is installed, what it saves and where to, what starts it, and when it last did.
//!
//! # Source
//! Configuration of borgmatic, rsnapshot(1), snapper-configs(5), Timeshift, duply, rclone and Bacula's or Bareos's file
//! daemon; variables for restic and borg; `~root/.config/borg/security` (Borg, `src/borg/cache.py`, *SecurityManager*),
//! `~root/.cache/restic` (restic, `doc/cache.rst`); crontab(5), systemd.timer(5) and unit files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: configuration, crontabs and root's folders are closed to others.
//!
//! # Bears on
//! A.8.13 (information backup), A.5.30 (ICT readiness for business continuity), A.8.24 (use of cryptography).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod bacula;
mod borg;
mod borgmatic;
mod facts;
mod place;
mod plain;
mod restic;
mod snapper;
mod timeshift;

pub use facts::*;

use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Kind, Reading, Unread};
use crate::software::LazyUnits;
use crate::software::jobs::Jobs;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct BackupProbe;

impl Probe for BackupProbe {
    const SPEC: Spec = Spec {
        id: "backup",
        version: 1,
        title: "Which backup software there is, what it saves and where to, what starts it, and when it last did",
        reads: &[
            "programs and folders of known backup software",
            "/etc/borgmatic/, /etc/borgmatic.d/",
            "/etc/rsnapshot.conf",
            "/etc/snapper/configs/",
            "/etc/timeshift/timeshift.json",
            "/etc/duply/",
            "/etc/rclone.conf, /root/.config/rclone/rclone.conf",
            "/etc/bacula/bacula-fd.conf, /etc/bareos/bareos-fd.d/",
            "/etc/restic/, /etc/default/restic, /etc/sysconfig/restic",
            "/root/.config/borg/security/, /root/.cache/restic/",
            "unit files, timers and their stamps",
            "crontabs, cron's folders and the scripts that they start",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/borgmatic/",
            "/etc/borgmatic.d/",
            "/etc/rsnapshot.conf",
            "/etc/snapper/configs/",
            "/etc/timeshift/",
            "/etc/restic/",
            "/etc/cron.d/",
            "/etc/crontab",
            "/root/.config/borg/security/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 32 * 1024 * 1024,
        },
        does_not_show: &[
            "Whether a backup can be restored, and whether it is complete.",
            "Backups that are taken from outside: snapshots of a hypervisor, of storage or of a provider, and agents that are \
             not in the probe's list.",
            "The last success of software that keeps no file about it here; and of restic and borg if another user than \
             root runs them.",
            "Jobs that start a script in another place than /usr/local, /opt, /etc and /root which then starts the backup.",
            "Where a repository is: only whether it is on this host or not, and by which protocol it is reached.",
        ],
    };

    type Facts = Backup;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<Backup, NoNames>, ProbeError> {
        let units = LazyUnits::new(reading);
        let table: Vec<Product> = SOFTWARE.iter().map(|software| software.product).collect();
        let survey = Survey::of(&table, &units);
        let jobs = Jobs::read(&units);
        let mut configurations = vec![];
        let mut unread_configurations = vec![];
        let mut repositories = Known::Observed(vec![]);
        for reader in READERS {
            match reader(reading) {
                Ok(found) => configurations.extend(found),
                Err(unread) => unread_configurations.push(unread.to_string()),
            }
        }
        for seen in [borg::seen(reading), restic::seen(reading)] {
            match (&mut repositories, seen) {
                (Known::Observed(all), Ok(seen)) => all.extend(seen),
                (_, Err(unread)) => repositories = Known::unread(&unread),
                (Known::Not(_), Ok(_)) => {}
            }
        }
        if let Known::Observed(all) = &mut repositories {
            all.order();
        }
        configurations.order_by(|a, b| (&a.product, &a.file).cmp(&(&b.product, &b.file)));
        unread_configurations.order();
        let installed = survey.installed.into_iter().map(|installed| {
            let software = SOFTWARE
                .iter()
                .find(|software| software.product.id == installed.product);
            BackupSoftware {
                jobs: jobs.of(software.map_or(&[], |software| software.programs)),
                product: installed.product,
                shown_by: installed.shown_by,
                units: installed.units,
            }
        });
        let copying = COPYING.iter().flat_map(|program| {
            let jobs = jobs.of(&[program]).into_iter();
            jobs.map(|job| CopyingJob {
                program: (*program).to_owned(),
                job,
            })
        });
        Ok(Collected::facts(Backup {
            software: installed.collect(),
            undetermined: survey.undetermined,
            configurations,
            unread_configurations,
            repositories,
            copying_jobs: copying.collect(),
            cron: jobs.cron.clone(),
            jobs_unread: jobs.unread.clone(),
        }))
    }
}

/// What reads the configurations of one product.
type Reader = fn(&Reading<'_>) -> Result<Vec<Configuration>, Unread>;

const READERS: [Reader; 8] = [
    bacula::read,
    borgmatic::read,
    plain::duply,
    plain::rclone,
    plain::rsnapshot,
    restic::read,
    snapper::read,
    timeshift::read,
];

/// Programs that copy data and are no backup software; sorted.
const COPYING: [&str; 11] = [
    "dump",
    "etcdctl",
    "mariabackup",
    "mariadb-dump",
    "mongodump",
    "mysqldump",
    "pg_basebackup",
    "pg_dump",
    "pg_dumpall",
    "rsync",
    "xtrabackup",
];

/// Backup software, and the programs by which jobs start it.
struct Software {
    product: Product,
    programs: &'static [&'static str],
}

const fn software(
    id: &'static str,
    programs: &'static [&'static str],
    files: &'static [&'static str],
    units: &'static [&'static str],
) -> Software {
    Software {
        product: Product { id, files, units },
        programs,
    }
}

/// Sorted; another one is a line more.
#[rustfmt::skip]
const SOFTWARE: [Software; 33] = [
    software("acronis", &[], &["/usr/lib/Acronis", "/opt/acronis"], &["acronis_mms.service", "acronis_agent.service"]),
    software("amanda", &["amandad", "amdump"], &["/usr/sbin/amandad", "/usr/lib/amanda/amandad", "/usr/lib64/amanda/amandad", "/usr/libexec/amanda/amandad"], &["amanda.socket", "amanda.service"]),
    software("backupninja", &["backupninja"], &["/usr/sbin/backupninja"], &[]),
    software("bacula", &["bacula-fd", "bconsole"], &["/usr/sbin/bacula-fd", "/opt/bacula/bin/bacula-fd"], &["bacula-fd.service"]),
    software("bareos", &["bareos-fd"], &["/usr/sbin/bareos-fd"], &["bareos-fd.service", "bareos-filedaemon.service"]),
    software("barman", &["barman"], &["/usr/bin/barman"], &[]),
    software("borg", &["borg", "borgbackup"], &["/usr/bin/borg", "/usr/local/bin/borg"], &[]),
    software("borgmatic", &["borgmatic"], &["/usr/bin/borgmatic", "/usr/local/bin/borgmatic", "/root/.local/bin/borgmatic"], &["borgmatic.timer", "borgmatic.service"]),
    software("btrbk", &["btrbk"], &["/usr/bin/btrbk", "/usr/sbin/btrbk"], &["btrbk.timer", "btrbk.service"]),
    software("burp", &["burp"], &["/usr/sbin/burp"], &["burp.service", "burp.timer"]),
    software("commvault", &[], &["/opt/commvault"], &["commvault.service"]),
    software("dirvish", &["dirvish", "dirvish-runall", "dirvish-expire"], &["/usr/sbin/dirvish"], &["dirvish.timer"]),
    software("duplicity", &["duplicity"], &["/usr/bin/duplicity", "/usr/local/bin/duplicity", "/snap/bin/duplicity"], &[]),
    software("duply", &["duply"], &["/usr/bin/duply"], &[]),
    software("kopia", &["kopia"], &["/usr/bin/kopia", "/usr/local/bin/kopia"], &["kopia.service"]),
    software("netbackup", &[], &["/usr/openv/netbackup"], &["netbackup.service"]),
    software("networker", &[], &["/usr/sbin/nsrexecd"], &["networker.service"]),
    software("pgbackrest", &["pgbackrest"], &["/usr/bin/pgbackrest"], &[]),
    software("proxmox_backup_client", &["proxmox-backup-client"], &["/usr/bin/proxmox-backup-client"], &[]),
    software("rclone", &["rclone"], &["/usr/bin/rclone", "/usr/local/bin/rclone"], &[]),
    software("rdiff_backup", &["rdiff-backup"], &["/usr/bin/rdiff-backup"], &[]),
    software("rear", &["rear"], &["/usr/sbin/rear"], &["rear-rescue-iso.timer"]),
    software("restic", &["restic", "resticprofile", "autorestic"], &["/usr/bin/restic", "/usr/local/bin/restic"], &[]),
    software("rsnapshot", &["rsnapshot"], &["/usr/bin/rsnapshot"], &[]),
    software("rubrik", &[], &["/usr/bin/rubrik", "/etc/rubrik"], &["rubrikagents.service"]),
    software("sanoid", &["sanoid", "syncoid"], &["/usr/sbin/sanoid"], &["sanoid.timer", "sanoid.service"]),
    software("snapper", &["snapper", "systemd-helper"], &["/usr/bin/snapper"], &["snapper-timeline.timer", "snapper-cleanup.timer", "snapper-boot.timer", "snapperd.service"]),
    software("tarsnap", &["tarsnap"], &["/usr/bin/tarsnap", "/usr/local/bin/tarsnap"], &[]),
    software("timeshift", &["timeshift"], &["/usr/bin/timeshift"], &[]),
    software("tivoli_storage_manager", &["dsmc"], &["/opt/tivoli/tsm/client/ba/bin/dsmc"], &["dsmcad.service"]),
    software("urbackup_client", &["urbackupclientctl"], &["/usr/sbin/urbackupclientbackend", "/usr/local/sbin/urbackupclientbackend"], &["urbackupclientbackend.service"]),
    software("veeam", &["veeamconfig"], &["/usr/sbin/veeamservice", "/usr/bin/veeamconfig"], &["veeamservice.service"]),
    software("wal_g", &["wal-g"], &["/usr/local/bin/wal-g", "/usr/bin/wal-g"], &[]),
];

/// Files in a folder of configuration whose names end in one of `endings`, sorted.
fn files_in(reading: &Reading<'_>, folder: &str, endings: &[&str]) -> Result<Vec<String>, Unread> {
    /// More files than anybody has.
    const MAX: usize = 1_000;
    let entries = reading.list(folder)?.unwrap_or_default().into_iter();
    let files = entries.filter(|entry| {
        matches!(entry.kind, Kind::File | Kind::Link) && endings.iter().any(|ending| entry.name.ends_with(ending))
    });
    Ok(files
        .take(MAX)
        .map(|entry| format!("{folder}/{}", entry.name))
        .collect())
}

/// A configuration, read or not.
fn configuration(product: &str, file: &str, read: Result<Settings, Unread>) -> Configuration {
    Configuration {
        product: product.to_owned(),
        file: file.to_owned(),
        settings: match read {
            Ok(settings) => Known::Observed(settings),
            Err(unread) => Known::unread(&unread),
        },
    }
}

#[cfg(test)]
mod tests;
