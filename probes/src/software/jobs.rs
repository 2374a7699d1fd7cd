//! What starts by the clock: cron's tables and folders (crontab(5), cron(8)) and systemd's timers (systemd.timer(5)).
//!
//! For probes that ask *what starts this program, and when*: commands stay in here, since they may hold secrets.

mod crontab;

use std::collections::BTreeSet;

use evidence::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{LazyUnits, day};
use crate::formats::systemd::{AtBoot, UnitState, Units};
use crate::order::Order as _;
use crate::probe::Known;
use crate::reading::{Kind, Reading, Unread};

/// Folders of crontabs with a user in each line, but for the last two, whose files are named for the user.
const SYSTEM_TABLE: &str = "/etc/crontab";
const SYSTEM_TABLES: &str = "/etc/cron.d";
/// Debian's, SUSE's, and everybody else's, where those have only folders.
const OWN_TABLES: [&str; 3] = ["/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron"];
/// Where there is none, files with a dot in their names are read too.
const DEBIAN: &str = "/etc/debian_version";
const FOLDERS: [(&str, &str); 4] = [
    ("/etc/cron.hourly", "@hourly"),
    ("/etc/cron.daily", "@daily"),
    ("/etc/cron.weekly", "@weekly"),
    ("/etc/cron.monthly", "@monthly"),
];
const STAMPS: &str = "/var/lib/systemd/timers";
/// Who reads the tables.
const DAEMONS: [&str; 6] = [
    "cron.service",
    "crond.service",
    "cronie.service",
    "anacron.timer",
    "systemd-cron.target",
    "cron.target",
];
/// Scripts that a job starts are looked into if they lie here.
const SCRIPTS: [&str; 4] = ["/usr/local/", "/opt/", "/etc/", "/root/"];
/// Longest script that is looked into, bytes.
const MAX_SCRIPT: u64 = 64 * 1024;
/// More jobs are not looked at: users can make crontabs.
const MAX_JOBS: usize = 5_000;
/// More reasons are not told.
const MAX_UNREAD: usize = 20;

/// Something that the clock starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Job {
    /// By whom it is started.
    pub kind: JobKind,
    /// The crontab, the script in a folder of cron's, or the timer. A user's own crontab is named by its folder.
    pub place: String,
    /// When, as it is written: the five fields or the `@` word of crontab(5), `@daily` and the like for scripts in folders of
    /// cron's, the values of a timer's `On…=` settings joined by `, `.
    pub schedule: String,
    /// Of timers: whether the timer starts with the machine.
    pub at_boot: Option<AtBoot>,
    /// Of timers with `Persistent=`: the day on which it last elapsed.
    pub last_elapsed: Option<Timestamp>,
}

/// By whom a job is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// cron or anacron.
    Cron,
    /// A timer of systemd.
    Timer,
}

/// All jobs of a host.
#[derive(Debug, Clone)]
pub struct Jobs {
    all: Vec<(Job, BTreeSet<String>)>,
    /// The cron daemons that there are; `absent` without systemd.
    pub cron: Known<Vec<UnitState>>,
    /// Places that could not be read, with the reason: jobs may be missing then. At most 20, sorted.
    pub unread: Vec<String>,
}

impl Jobs {
    /// Reads tables, folders and timers.
    pub fn read(units: &LazyUnits<'_, '_>) -> Self {
        let mut jobs = Self {
            all: vec![],
            cron: units.states(&DAEMONS),
            unread: vec![],
        };
        let reading = units.reading;
        jobs.tables(reading);
        jobs.folders(reading);
        match units.get() {
            Ok(Some(units)) => jobs.timers(reading, units),
            Ok(None) => {}
            Err(unread) => jobs.doubt(&unread.to_string()),
        }
        jobs.unread.order();
        jobs.unread.dedup();
        jobs.unread.truncate(MAX_UNREAD);
        jobs
    }

    /// The jobs that start one of `programs` (names without folder), sorted.
    pub fn of(&self, programs: &[&str]) -> Vec<Job> {
        let starts = |words: &BTreeSet<String>| programs.iter().any(|program| words.contains(*program));
        let found = self.all.iter().filter(|(_, words)| starts(words));
        let mut found: Vec<Job> = found.map(|(job, _)| job.clone()).collect();
        found.order();
        found.dedup();
        found
    }

    fn doubt(&mut self, reason: &str) {
        self.unread.push(reason.to_owned());
    }

    fn add(&mut self, reading: &Reading<'_>, job: Job, command: &str) {
        if self.all.len() >= MAX_JOBS {
            self.doubt(&format!("more than {MAX_JOBS} jobs"));
            return;
        }
        let mut words = BTreeSet::new();
        programs(command, &mut words);
        for script in paths(command) {
            match script_text(reading, script) {
                Ok(text) => programs(&text, &mut words),
                Err(unread) => self.doubt(&unread.to_string()),
            }
        }
        self.all.push((job, words));
    }

    fn tables(&mut self, reading: &Reading<'_>) {
        self.table(reading, SYSTEM_TABLE, SYSTEM_TABLE, true);
        for name in self.names(reading, SYSTEM_TABLES, &[Kind::File, Kind::Link]) {
            let path = format!("{SYSTEM_TABLES}/{name}");
            self.table(reading, &path, &path, true);
        }
        for folder in OWN_TABLES {
            for name in self.entries(reading, folder, &[Kind::File]) {
                // crontab(1) writes to such a file before it takes the place of the other.
                if !name.starts_with("tmp.") {
                    self.table(reading, &format!("{folder}/{name}"), folder, false);
                }
            }
        }
    }

    fn table(&mut self, reading: &Reading<'_>, path: &str, shown: &str, with_user: bool) {
        match reading.private(path, shown) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
                for (schedule, command) in crontab::entries(&text, with_user) {
                    self.add(reading, cron_job(shown, schedule), command);
                }
            }
            Err(unread) => self.doubt(&unread.to_string()),
        }
    }

    fn folders(&mut self, reading: &Reading<'_>) {
        for (folder, schedule) in FOLDERS {
            for name in self.names(reading, folder, &[Kind::File, Kind::Link]) {
                let path = format!("{folder}/{name}");
                // run-parts(8) leaves out what nobody may execute.
                match reading.stat(&path) {
                    Ok(Some(stat)) if stat.mode & 0o111 != 0 => {
                        self.add(reading, cron_job(&path, schedule), &path);
                    }
                    Ok(_) => {}
                    Err(unread) => self.doubt(&unread.to_string()),
                }
            }
        }
    }

    /// What cron and run-parts(8) take: with a dot in the name they pass a file over in Debian, and elsewhere those that
    /// packages leave behind.
    fn names(&mut self, reading: &Reading<'_>, folder: &str, kinds: &[Kind]) -> Vec<String> {
        let debian = match reading.stat(DEBIAN) {
            Ok(stat) => stat.is_some(),
            Err(unread) => {
                self.doubt(&unread.to_string());
                true
            }
        };
        let left = [".rpmsave", ".rpmnew", ".rpmorig", ".cfsaved", ".swp", ",v", "~"];
        let mut names = self.entries(reading, folder, kinds);
        names.retain(|name| {
            !if debian {
                name.contains(['.', '~'])
            } else {
                left.iter().any(|end| name.ends_with(end))
            }
        });
        names
    }

    fn entries(&mut self, reading: &Reading<'_>, folder: &str, kinds: &[Kind]) -> Vec<String> {
        match reading.list(folder) {
            Ok(entries) => {
                let entries = entries.unwrap_or_default().into_iter();
                let taken = entries.filter(|entry| kinds.contains(&entry.kind) && !entry.name.starts_with('.'));
                taken.map(|entry| entry.name).take(MAX_JOBS).collect()
            }
            Err(unread) => {
                self.doubt(&unread.to_string());
                vec![]
            }
        }
    }

    fn timers(&mut self, reading: &Reading<'_>, units: &Units) {
        let timers = units
            .names()
            .into_iter()
            .filter(|name| name.strip_suffix(".timer").is_some());
        for timer in timers.filter(|name| !name.ends_with("@.timer")) {
            if let Err(unread) = self.timer(reading, units, timer) {
                self.doubt(&unread.to_string());
            }
        }
    }

    fn timer(&mut self, reading: &Reading<'_>, units: &Units, timer: &str) -> Result<(), Unread> {
        let Some(own) = units.assignments(reading, timer)? else {
            return Ok(());
        };
        let mut times: Vec<&str> = vec![];
        let mut service = timer.replace(".timer", ".service");
        for one in own.iter().filter(|one| one.section == "Timer") {
            match one.name.as_str() {
                "Unit" => one.value.clone_into(&mut service),
                // An empty value sets all of them back (systemd.timer(5)).
                name if name.starts_with("On") && one.value.is_empty() => times.clear(),
                name if name.starts_with("On") => times.push(&one.value),
                _ => {}
            }
        }
        let Some(runs) = units.assignments(reading, &service)? else {
            return Ok(());
        };
        let commands = runs
            .iter()
            .filter(|one| one.section == "Service" && one.name.starts_with("Exec"));
        let command: Vec<&str> = commands.map(|one| one.value.as_str()).collect();
        let stamp = reading.stat(&format!("{STAMPS}/stamp-{timer}"))?;
        let job = Job {
            kind: JobKind::Timer,
            place: timer.to_owned(),
            schedule: times.join(", "),
            at_boot: units.state(timer).map(|state| state.at_boot),
            last_elapsed: stamp.and_then(|stat| day(stat.mtime)),
        };
        self.add(reading, job, &command.join("\n"));
        Ok(())
    }
}

fn cron_job(place: &str, schedule: &str) -> Job {
    Job {
        kind: JobKind::Cron,
        place: place.to_owned(),
        schedule: schedule.to_owned(),
        at_boot: None,
        last_elapsed: None,
    }
}

/// The words of a command or script that can be a program, without folder. Lines that are comments are left out.
fn programs(text: &str, words: &mut BTreeSet<String>) {
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        for word in line.split(separates) {
            let name = word.rsplit('/').next().unwrap_or(word);
            if !name.is_empty() && name.len() <= 64 {
                words.insert(name.to_owned());
            }
        }
    }
}

/// What ends a word of a shell.
fn separates(character: char) -> bool {
    character.is_whitespace() || ";|&()<>\"'`${}=!@".contains(character)
}

/// The scripts that a command names and that may be looked into.
fn paths(command: &str) -> impl Iterator<Item = &str> {
    // Prefixes of systemd.service(5) may stand before a program.
    let words = command
        .split(separates)
        .map(|word| word.trim_start_matches(['-', '+', ':']));
    words.filter(|word| SCRIPTS.iter().any(|folder| word.starts_with(folder)) && !word.contains("/../"))
}

/// The text of a script; empty for what is no script.
fn script_text(reading: &Reading<'_>, path: &str) -> Result<String, Unread> {
    match reading.stat(path)? {
        Some(stat) if stat.kind == Kind::File && stat.size <= MAX_SCRIPT => {
            let bytes = reading.volatile_bytes(path)?.unwrap_or_default();
            let script = bytes.starts_with(b"#!");
            Ok(if script {
                String::from_utf8_lossy(&bytes).into_owned()
            } else {
                String::new()
            })
        }
        _ => Ok(String::new()),
    }
}

#[cfg(test)]
mod tests;
