//! # What
//! Services whose processes still run programs or libraries that were replaced on disk, as after an update without a
//! restart.
//!
//! # Source
//! `/proc/PID/maps`, `/proc/PID/exe` and `/proc/PID/cgroup` (proc(5)): the kernel marks a mapped file whose name is gone with
//! ` (deleted)`. `/var/lib/dpkg/info/*.list` for the packages, which are read only if there is something to look up.
//!
//! # Privilege
//! `CAP_SYS_PTRACE`: the maps of the processes of others are closed otherwise; `covered` then says `some` or `none`.
//!
//! # Bears on
//! A.8.8 (management of technical vulnerabilities): an update protects only once nothing runs the old code.
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};
use crate::software::processes;

const DELETED: &str = " (deleted)";
/// More processes are not looked at, and it is said.
const MAX_PROCESSES: usize = 20_000;
const MAX_FILES: usize = 200;
const MAX_LISTS: usize = 20_000;
/// Where programs and libraries lie. Elsewhere (`/tmp`, `/dev/shm`, `/home`) deleting a file that runs is no update.
const FOLDERS: [&str; 6] = ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/", "/snap/"];

/// The probe.
pub struct StaleProcessesProbe;

impl Probe for StaleProcessesProbe {
    const SPEC: Spec = Spec {
        id: "stale-processes",
        version: 1,
        title: "Services that still run programs or libraries which were replaced on disk",
        reads: &[
            "/proc/PID/maps",
            "/proc/PID/exe",
            "/proc/PID/cgroup",
            "/var/lib/dpkg/info/*.list, if a file was replaced",
        ],
        runs: &[],
        privilege: Privilege::SysPtrace,
        // About 0.2 ms for each process; what makes it change is watched.
        cadence: Cadence::Daily,
        watch: &["/var/lib/dpkg/status", "/usr/lib/sysimage/rpm/", "/var/lib/rpm/"],
        budget: Budget {
            millis: 10_000,
            bytes: 256 * 1024 * 1024,
        },
        does_not_show: &[
            "Code that is loaded without being mapped from a file: scripts of interpreters, classes of Java.",
            "Whether the replaced code had a weakness.",
            "Processes in containers, and an old kernel: kernel-and-release tells that.",
        ],
    };

    type Facts = StaleProcesses;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<StaleProcesses, NoNames>, ProbeError> {
        // A folder, or a proc that is not mounted.
        let processes = processes::all(reading)?.ok_or_else(|| ProbeError::absent("/proc/PID"))?;
        let mut survey = Survey::default();
        for (count, process) in processes.iter().enumerate() {
            if count >= MAX_PROCESSES {
                survey.not_read(format!("more than {MAX_PROCESSES} processes"));
                break;
            }
            if let Err(unread) = survey.process(reading, process) {
                survey.not_read(unread.to_string());
            }
        }
        Ok(Collected::facts(survey.into_facts(reading)))
    }
}

#[derive(Default)]
struct Survey {
    units: BTreeMap<String, Stale>,
    read: u64,
    not_read: u64,
    reasons: BTreeSet<String>,
    containers: bool,
}

#[derive(Default)]
struct Stale {
    files: BTreeSet<String>,
    program: bool,
}

impl Survey {
    fn not_read(&mut self, reason: String) {
        self.not_read += 1;
        if self.reasons.len() < 10 {
            self.reasons.insert(reason);
        }
    }

    /// Looks at one process. One that is gone meanwhile is none.
    fn process(&mut self, reading: &Reading<'_>, pid: &str) -> Result<(), Unread> {
        let Some(maps) = processes::file(reading, pid, "maps")? else {
            return Ok(());
        };
        self.read += 1;
        let files = replaced(&maps);
        if files.is_empty() {
            return Ok(());
        }
        let group = processes::file(reading, pid, "cgroup")?;
        let group = String::from_utf8_lossy(&group.unwrap_or_default()).into_owned();
        if processes::in_container(&group) {
            self.containers = true;
            return Ok(());
        }
        let exe = processes::program(reading, pid)
            .ok()
            .flatten()
            .and_then(|target| Some(plain(target.strip_suffix(DELETED)?).to_owned()));
        let stale = self.units.entry(processes::unit(&group)).or_default();
        stale.program |= exe.is_some_and(|exe| files.contains(&exe));
        let room = MAX_FILES.saturating_sub(stale.files.len());
        stale.files.extend(files.into_iter().take(room));
        Ok(())
    }

    fn into_facts(self, reading: &Reading<'_>) -> StaleProcesses {
        let files: BTreeSet<&str> = self
            .units
            .values()
            .flat_map(|stale| &stale.files)
            .map(String::as_str)
            .collect();
        let packages = packages(reading, &files);
        let covered = match (self.read, self.not_read) {
            (_, 0) => Covered::All,
            (0, _) => Covered::None,
            _ => Covered::Some,
        };
        let units = self.units.into_iter().map(|(unit, stale)| StaleUnit {
            unit,
            files: stale.files.into_iter().collect(),
            program: stale.program,
        });
        StaleProcesses {
            units: units.collect(),
            packages,
            covered,
            unread: self.reasons.into_iter().collect(),
            containers: self.containers,
        }
    }
}

/// Files of executable mappings whose name is gone: `FROM-TO r-xp OFFSET DEVICE INODE PATH (deleted)`.
fn replaced(maps: &[u8]) -> BTreeSet<String> {
    let lines = maps.split(|byte| *byte == b'\n');
    let gone = lines.filter(|line| line.ends_with(DELETED.as_bytes()));
    let paths = gone.filter_map(|line| {
        let line = String::from_utf8_lossy(line);
        let permissions = line.split_ascii_whitespace().nth(1)?;
        let path = line.get(line.find('/')?..)?.strip_suffix(DELETED)?;
        let there = FOLDERS.iter().any(|folder| path.starts_with(folder));
        (permissions.contains('x') && there).then(|| plain(path).to_owned())
    });
    paths.take(MAX_FILES).collect()
}

/// Without what rpm and dpkg append to the name of a file that they replace.
fn plain(path: &str) -> &str {
    let path = path.split(';').next().unwrap_or(path);
    path.trim_end_matches(".dpkg-tmp").trim_end_matches(".dpkg-new")
}

/// The packages that `files` belong to.
fn packages(reading: &Reading<'_>, files: &BTreeSet<&str>) -> Known<Vec<String>> {
    const INFO: &str = "/var/lib/dpkg/info";
    const LISTS: &str = "/var/lib/dpkg/info/*.list";
    let entries = match Known::of(reading.list(INFO), INFO) {
        Known::Observed(entries) => entries,
        Known::Not(why) => return Known::Not(why),
    };
    // dpkg knows files by the names before usr-merge.
    let merged = |path: &str| path.strip_prefix("/usr").unwrap_or(path).to_owned();
    let wanted: BTreeSet<String> = files.iter().map(|path| merged(path)).collect();
    let mut packages = BTreeSet::new();
    if !wanted.is_empty() {
        for (count, entry) in entries.into_iter().enumerate() {
            let Some(package) = entry.name.strip_suffix(".list") else {
                continue;
            };
            if count >= MAX_LISTS {
                return Known::not(Outcome::Skipped, format!("{INFO}: more than {MAX_LISTS} entries"));
            }
            match reading.private(&format!("{INFO}/{}", entry.name), LISTS) {
                Ok(list) => {
                    let list = String::from_utf8_lossy(&list.unwrap_or_default()).into_owned();
                    if list.lines().any(|line| wanted.contains(&merged(line))) {
                        let name = package.split(':').next().unwrap_or(package);
                        packages.insert(name.to_owned());
                    }
                }
                Err(unread) => return Known::unread(&unread),
            }
        }
    }
    Known::Observed(packages.into_iter().collect())
}

#[cfg(test)]
mod tests;
