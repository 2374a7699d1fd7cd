//! # What
//! What runs by itself at set times: cron's tables and scripts, crontabs of users, anacron, at, timers of systemd; and who
//! may add to it.
//!
//! # Source
//! crontab(5), cron(8), anacrontab(5), run-parts(8), at(1), unit files, and `systemctl list-units` for timers, of which no file
//! tells whether they run.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: the folders of users' crontabs and of at are closed to others.
//!
//! # Bears on
//! A.8.9 (configuration management), A.8.2 (privileged access rights), A.8.16 (monitoring activities), A.8.18 (privileged
//! utility programs).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod crontab;
mod debian;
mod facts;

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

pub use facts::*;

use crate::accounts::passwd;
use crate::formats::systemd::{AtBoot, SYSTEMCTL, Units};
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Kind, Reading, Stat, Unread};

const DAEMONS: [&str; 6] = [
    "anacron.service",
    "anacron.timer",
    "atd.service",
    "cron.service",
    "cronie.service",
    "crond.service",
];
const SCRIPTS: [&str; 5] = [
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/cron.yearly",
];
/// Debian's, SUSE's and that of others, which holds the first two elsewhere.
const CRONTABS: [&str; 3] = ["/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron"];
const AT_JOBS: [&str; 3] = ["/var/spool/cron/atjobs", "/var/spool/atjobs", "/var/spool/at"];
const ACCESS: [&str; 4] = ["/etc/at.allow", "/etc/at.deny", "/etc/cron.allow", "/etc/cron.deny"];
const MAX_CRONTABS: usize = 1_000;
const MAX_USER_JOBS: usize = 200;
const MAX_SCRIPTS: usize = 1_000;

/// The probe.
pub struct ScheduledJobsProbe;

impl Probe for ScheduledJobsProbe {
    const SPEC: Spec = Spec {
        id: "scheduled-jobs",
        version: 2,
        title: "What runs by itself at set times, as whom, and who may add to it",
        reads: &[
            "/etc/crontab, /etc/cron.d/, /etc/anacrontab",
            "/etc/cron.hourly/, .daily/, .weekly/, .monthly/, .yearly/",
            "/var/spool/cron/ and /var/spool/at/",
            "/etc/cron.allow, cron.deny, at.allow, at.deny",
            "/etc/passwd, for the uids of names",
            "unit files",
            "systemctl list-units",
        ],
        runs: &[SYSTEMCTL],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/cron.d/",
            "/etc/cron.daily/",
            "/var/spool/cron/",
            "/var/spool/cron/crontabs/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Commands in crontabs of users, which may hold secrets: only their digests.",
            "What scripts do.",
            "Timers of users' own systemd, and schedulers of applications.",
        ],
    };

    type Facts = ScheduledJobs;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<ScheduledJobs, NoNames>, ProbeError> {
        let uids = uids(reading);
        let (daemons, timers) = match Units::read(reading) {
            Ok(Some(units)) => (Known::Observed(units.states(DAEMONS)), Known::Observed(timers(&units))),
            Ok(None) => {
                const WHY: &str = "this host has no systemd";
                (Known::not(Outcome::Absent, WHY), Known::not(Outcome::Absent, WHY))
            }
            Err(unread) => (Known::unread(&unread), Known::unread(&unread)),
        };
        Ok(Collected::facts(ScheduledJobs {
            daemons,
            system_jobs: Known::of(system_jobs(reading, &uids), "/etc/crontab"),
            scripts: Known::of(scripts(reading).map(Some), "/etc/cron.daily"),
            user_crontabs: Known::of(user_crontabs(reading, &uids), "/var/spool/cron"),
            anacron_jobs: Known::of(anacron_jobs(reading), "/etc/anacrontab"),
            at_jobs: Known::of(at_jobs(reading), "/var/spool/at"),
            timers,
            access: ACCESS.iter().map(|path| access(reading, path)).collect(),
            places: Known::of(places(reading).map(Some), "/etc/crontab"),
        }))
    }
}

type Uids = Result<BTreeMap<String, u32>, Unread>;

fn uids(reading: &Reading<'_>) -> Uids {
    const PASSWD: &str = "/etc/passwd";
    let bytes = reading.private(PASSWD, PASSWD)?.unwrap_or_default();
    let read = passwd::parse(&bytes).map_err(|_| Unread::Failed {
        place: PASSWD.to_owned(),
        reason: "too many lines".to_owned(),
    })?;
    // Of several lines for a name the first counts.
    let entries = read.entries.into_iter().rev();
    Ok(entries.map(|entry| (entry.name, entry.uid)).collect())
}

fn uid(uids: &Uids, name: &str) -> Known<u32> {
    match uids {
        Ok(uids) => match uids.get(name) {
            Some(uid) => Known::Observed(*uid),
            None => Known::not(Outcome::Absent, "the user is not in /etc/passwd"),
        },
        Err(unread) => Known::unread(unread),
    }
}

fn timers(units: &Units) -> Vec<crate::formats::systemd::UnitState> {
    let names = units.names();
    let timers = names
        .into_iter()
        .filter(|name| name.strip_suffix(".timer").is_some_and(|name| !name.ends_with('@')));
    let states = timers.filter_map(|name| units.state(name));
    states
        .filter(|state| state.at_boot == AtBoot::Pulled || state.active == Known::Observed(true))
        .collect()
}

/// Whether root alone may write it.
fn of_root(stat: &Stat) -> bool {
    stat.uid == 0 && stat.mode & 0o022 == 0
}

fn system_jobs(reading: &Reading<'_>, uids: &Uids) -> Result<Option<Vec<SystemJob>>, Unread> {
    let folder = reading.list("/etc/cron.d")?;
    let mut there = folder.is_some();
    let mut paths = vec!["/etc/crontab".to_owned()];
    let entries = folder.unwrap_or_default().into_iter();
    // These no cron reads; Debian's leaves out more.
    let entries = entries.filter(|entry| {
        matches!(entry.kind, Kind::File | Kind::Link)
            && !entry.name.starts_with('.')
            && !entry.name.ends_with('~')
            && !entry.name.contains(".dpkg-")
            && !entry.name.contains(".rpm")
    });
    paths.extend(
        entries
            .take(MAX_CRONTABS)
            .map(|entry| format!("/etc/cron.d/{}", entry.name)),
    );
    let mut jobs = vec![];
    for path in paths {
        let Some(text) = reading.text(&path)? else { continue };
        there = true;
        let stat = reading.stat(&path)?;
        let shown = stat.as_ref().is_some_and(of_root);
        let left_out = debian::system(&path, stat.as_ref(), &text);
        for job in crontab::parse(&text, true).0 {
            jobs.push(SystemJob {
                file: path.clone(),
                schedule: job.schedule,
                uid: uid(uids, &job.user.unwrap_or_default()),
                command_sha256: crontab::digest(&job.command),
                command: shown.then_some(job.command),
                left_out_by_debian: left_out,
            });
        }
    }
    Ok(there.then_some(jobs))
}

fn scripts(reading: &Reading<'_>) -> Result<Vec<Script>, Unread> {
    let mut scripts = vec![];
    for folder in SCRIPTS {
        for entry in reading.list(folder)?.unwrap_or_default() {
            let path = format!("{folder}/{}", entry.name);
            if !matches!(entry.kind, Kind::File | Kind::Link)
                || entry.name.starts_with('.')
                || scripts.len() > MAX_SCRIPTS
            {
                continue;
            }
            if let Some(stat) = reading.stat(&path)?.filter(|stat| stat.kind == Kind::File) {
                scripts.push(Script {
                    path,
                    executable: stat.mode & 0o111 != 0,
                    plain_name: debian::is_plain(&entry.name),
                    mode: format!("{:04o}", stat.mode),
                    uid: stat.uid,
                });
            }
        }
    }
    Ok(scripts)
}

fn user_crontabs(reading: &Reading<'_>, uids: &Uids) -> Result<Option<Vec<UserCrontab>>, Unread> {
    for folder in CRONTABS {
        let shown = format!("{folder}/*");
        let Some(entries) = reading.list(folder)? else { continue };
        let mut crontabs = vec![];
        for entry in entries {
            if entry.kind != Kind::File || entry.name.starts_with('.') || entry.name.contains("tmp.") {
                continue;
            }
            if crontabs.len() >= MAX_CRONTABS {
                return Err(Unread::Failed {
                    place: folder.to_owned(),
                    reason: format!("more than {MAX_CRONTABS} crontabs"),
                });
            }
            let path = format!("{folder}/{}", entry.name);
            let bytes = reading.private(&path, &shown)?;
            let stat = reading.private_stat(&path, &shown)?;
            let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
            let (jobs, more) = crontab::parse(&text, false);
            let uid = uid(uids, &entry.name);
            crontabs.push(UserCrontab {
                left_out_by_debian: debian::of_user(uid.value().copied(), stat.as_ref(), &text),
                uid,
                complete: !more && jobs.len() <= MAX_USER_JOBS,
                jobs: jobs
                    .into_iter()
                    .take(MAX_USER_JOBS)
                    .map(|job| UserJob {
                        command_sha256: crontab::digest(&job.command),
                        schedule: job.schedule,
                    })
                    .collect(),
            });
        }
        crontabs.order_by_key(|crontab| crontab.uid.value().copied());
        return Ok(Some(crontabs));
    }
    Ok(None)
}

fn anacron_jobs(reading: &Reading<'_>) -> Result<Option<Vec<AnacronJob>>, Unread> {
    const PATH: &str = "/etc/anacrontab";
    let Some(text) = reading.text(PATH)? else {
        return Ok(None);
    };
    let shown = reading.stat(PATH)?.is_some_and(|stat| of_root(&stat));
    let jobs = crontab::anacron(&text)
        .into_iter()
        .map(|(period, name, command)| AnacronJob {
            period,
            name,
            command: shown.then_some(command),
        });
    Ok(Some(jobs.collect()))
}

/// Names of jobs are a queue's letter, or `=` while it runs, and two numbers in hexadecimal of five and eight digits; atd(8)
/// asks for no more than one digit of the second.
fn at_jobs(reading: &Reading<'_>) -> Result<Option<u64>, Unread> {
    for folder in AT_JOBS {
        let Some(entries) = reading.list(folder)? else { continue };
        let mut jobs = 0;
        for entry in entries {
            let digits = entry.name.bytes().skip(1).take(6);
            let is_job = entry.name.len() > 6 && digits.into_iter().all(|byte| byte.is_ascii_hexdigit());
            let is_file = match entry.kind {
                Kind::File => true,
                Kind::Link if is_job => {
                    let stat = reading.stat(&format!("{folder}/{}", entry.name))?;
                    stat.is_some_and(|stat| stat.kind == Kind::File)
                }
                _ => false,
            };
            jobs += u64::from(is_job && is_file);
        }
        return Ok(Some(jobs));
    }
    Ok(None)
}

/// Each line is a name as it is, blanks included; there are no comments, but no user is called so.
fn access(reading: &Reading<'_>, path: &str) -> AccessFile {
    let users = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // A last line that does not end is one for at, and none for cron.
        let whole = if path.starts_with("/etc/cron") {
            text.rsplit_once('\n').map_or("", |(whole, _)| whole)
        } else {
            text.as_str()
        };
        let lines = whole.split('\n');
        let named = lines.filter(|line| {
            !line.is_empty() && !line.starts_with('#') && !line.contains(|c: char| c.is_whitespace() || c.is_control())
        });
        named.collect::<BTreeSet<_>>().len() as u64
    };
    AccessFile {
        path: path.to_owned(),
        users: Known::of(reading.private(path, path).map(|bytes| bytes.map(users)), path),
    }
}

fn places(reading: &Reading<'_>) -> Result<Vec<Place>, Unread> {
    let more = ["/etc/anacrontab", "/etc/cron.d", "/etc/crontab"];
    let mut places = vec![];
    for path in more
        .iter()
        .chain(&SCRIPTS)
        .chain(&CRONTABS)
        .chain(&AT_JOBS)
        .chain(&ACCESS)
    {
        if let Some(stat) = reading.stat(path)? {
            places.push(Place {
                path: (*path).to_owned(),
                mode: format!("{:04o}", stat.mode),
                uid: stat.uid,
                gid: stat.gid,
            });
        }
    }
    places.order();
    Ok(places)
}

#[cfg(test)]
mod tests;
