//! Walks and puts together.

use std::collections::{BTreeMap, BTreeSet};

use evidence::facts::Outcome;

use super::capability;
use super::facts::{
    CapabilityFile, Everywhere, Filesystem, List, NotEntered, SetuidFile, SetuidFileNames, SetuidFiles, Unowned,
    Writable,
};
use super::mounts;
use super::owners::Owners;
use super::packages::Packages;
use super::tally::{Entry, Kept, OF_ROOT, Tally};
use crate::probe::{Collected, Known, NotKnown, ProbeError};
use crate::reading::{Found, Kind, Reading, Unread, Walk};

/// Folders that were not entered and are listed.
const MAX_NOT_ENTERED: usize = 100;

pub(super) fn collect(reading: &Reading<'_>) -> Result<Collected<SetuidFiles, SetuidFileNames>, ProbeError> {
    let owners = Owners::read(reading);
    let plan = mounts::plan(reading)?;
    let mut seen = Seen::default();
    if let Some(gap) = plan.gap {
        seen.gap(Outcome::Skipped, gap);
    }
    let mut filesystems = BTreeSet::new();
    for (start, filesystem) in &plan.walked {
        let (users, groups) = (owners.users.value(), owners.groups.value());
        // A single file can be mounted over another, as containers do; there is nothing to walk.
        if let Ok(Some(stat)) = reading.stat(start)
            && stat.kind != Kind::Folder
        {
            let found = Found {
                path: start.clone(),
                stat,
                capability: reading.extended(start, "security.capability").ok().flatten(),
            };
            seen.tally.take(&found, filesystem, users, groups);
            continue;
        }
        filesystems.insert(Filesystem {
            mount_point: owners
                .masked(&filesystem.mount_point)
                .unwrap_or_else(|| filesystem.mount_point.clone()),
            ..filesystem.clone()
        });
        let walk = Walk {
            start,
            file_bits: 0o6002,
            open_folders: true,
            capabilities: true,
            users,
            groups,
            of_root: &OF_ROOT,
        };
        let walked = reading.walk(&walk, &mut |found| seen.tally.take(&found, filesystem, users, groups));
        match walked {
            Ok(Some(walked)) => {
                seen.refused += walked.unread_count;
                seen.not_entered.extend(walked.unread);
            }
            // Unmounted since the mount table was read.
            Ok(None) => {}
            Err(unread) => seen.gap(unread.outcome(), unread.to_string()),
        }
    }
    let tally = &seen.tally;
    let paths = tally.setuid.entries().chain(tally.capabilities.entries());
    let packages = Packages::read(reading, paths.map(|entry| entry.found.path.as_str()));
    let mut lists = Lists {
        owners: &owners,
        packages: &packages,
        names: BTreeMap::new(),
    };
    let everywhere = seen.everywhere(filesystems.len());
    let detail = match &everywhere {
        Known::Observed(_) => String::new(),
        Known::Not(why) => format!("Not everything was seen: {}", why.detail),
    };
    let facts = SetuidFiles {
        filesystems: filesystems.into_iter().collect(),
        other_filesystems: plan.others,
        everywhere,
        not_entered: not_entered(&seen.not_entered, &owners),
        setuid_files: lists.make("setuid_files", &tally.setuid, Lists::setuid),
        capability_files: lists.make("capability_files", &tally.capabilities, Lists::capability),
        world_writable_files: lists.make("world_writable_files", &tally.writable, Lists::writable),
        system_files_of_others: lists.make("system_files_of_others", &tally.of_others, Lists::writable),
        open_folders: lists.make("open_folders", &tally.open_folders, Lists::writable),
        without_user: known(&owners.users, || {
            lists.make("without_user", &tally.without_user, Lists::without_user)
        }),
        without_group: known(&owners.groups, || {
            lists.make("without_group", &tally.without_group, Lists::without_group)
        }),
        package_database: packages.database.clone(),
    };
    let names = SetuidFileNames { paths: lists.names };
    Ok(Collected { facts, names, detail })
}

/// What the walks brought, and what is missing.
#[derive(Default)]
struct Seen {
    tally: Tally,
    not_entered: Vec<Unread>,
    refused: u64,
    gap: Option<NotKnown>,
}

impl Seen {
    fn gap(&mut self, outcome: Outcome, detail: String) {
        self.gap.get_or_insert(NotKnown { outcome, detail });
    }

    fn everywhere(&self, filesystems: usize) -> Known<Everywhere> {
        if let Some(gap) = &self.gap {
            return Known::Not(gap.clone());
        }
        let not = |outcome, detail| Known::Not(NotKnown { outcome, detail });
        if let Some(first) = self.not_entered.iter().map(Unread::outcome).max() {
            return not(first, format!("{} folders were not entered", self.refused));
        }
        if let Some(list) = self.tally.cut() {
            return not(Outcome::Skipped, format!("{list} is longer than the facts hold"));
        }
        Known::Observed(Everywhere {
            filesystems: u32::try_from(filesystems).unwrap_or(u32::MAX),
        })
    }
}

fn known<T, S>(of: &Known<S>, value: impl FnOnce() -> T) -> Known<T> {
    match of {
        Known::Observed(_) => Known::Observed(value()),
        Known::Not(why) => Known::Not(why.clone()),
    }
}

fn not_entered(unread: &[Unread], owners: &Owners) -> Vec<NotEntered> {
    let entry = |unread: &Unread| {
        let (Unread::Denied { place } | Unread::Failed { place, .. }) = unread else {
            return None;
        };
        Some(NotEntered {
            path: owners.masked(place).unwrap_or_else(|| place.clone()),
            outcome: unread.outcome().as_str().to_owned(),
        })
    };
    let entries: BTreeSet<_> = unread.iter().filter_map(entry).collect();
    entries.into_iter().take(MAX_NOT_ENTERED).collect()
}

struct Lists<'a> {
    owners: &'a Owners,
    packages: &'a Packages,
    names: BTreeMap<String, String>,
}

impl Lists<'_> {
    fn make<T>(&mut self, list: &str, kept: &Kept, entry: impl Fn(&Self, &Entry, String) -> T) -> List<T> {
        let mut entries = Vec::new();
        for (index, one) in kept.entries().enumerate() {
            let path = match self.owners.masked(&one.found.path) {
                Some(masked) => {
                    self.names.insert(format!("{list}/{index}"), one.found.path.clone());
                    masked
                }
                None => one.found.path.clone(),
            };
            entries.push(entry(self, one, path));
        }
        List {
            total: kept.total,
            entries,
        }
    }

    fn setuid(&self, entry: &Entry, path: String) -> SetuidFile {
        let stat = entry.found.stat;
        SetuidFile {
            path,
            mode: octal(stat.mode),
            uid: stat.uid,
            gid: stat.gid,
            setuid: stat.mode & 0o4000 != 0,
            setgid: stat.mode & 0o2000 != 0,
            writable_by_others: stat.mode & 0o022 != 0,
            nosuid: entry.nosuid,
            package: self.packages.of(&entry.found.path),
            override_mode: self.packages.override_of(&entry.found.path),
        }
    }

    fn capability(&self, entry: &Entry, path: String) -> CapabilityFile {
        let stat = entry.found.stat;
        let value = entry.found.capability.as_deref().unwrap_or_default();
        let capabilities = capability::parse(value).map_or_else(
            || {
                Known::Not(NotKnown {
                    outcome: Outcome::Malformed,
                    detail: format!("security.capability of {path} is of a form that the kernel does not take"),
                })
            },
            Known::Observed,
        );
        CapabilityFile {
            path,
            mode: octal(stat.mode),
            uid: stat.uid,
            gid: stat.gid,
            writable_by_others: stat.mode & 0o022 != 0,
            nosuid: entry.nosuid,
            capabilities,
            package: self.packages.of(&entry.found.path),
        }
    }

    #[expect(clippy::unused_self, reason = "one of the functions that make entries")]
    fn writable(&self, entry: &Entry, path: String) -> Writable {
        let stat = entry.found.stat;
        Writable {
            path,
            mode: octal(stat.mode),
            uid: stat.uid,
            gid: stat.gid,
        }
    }

    fn without_user(&self, entry: &Entry, path: String) -> Unowned {
        let stat = entry.found.stat;
        Unowned {
            path,
            uid: stat.uid,
            gid: stat.gid,
            delegated: self.owners.is_delegated_user(stat.uid),
        }
    }

    fn without_group(&self, entry: &Entry, path: String) -> Unowned {
        let stat = entry.found.stat;
        Unowned {
            path,
            uid: stat.uid,
            gid: stat.gid,
            delegated: self.owners.is_delegated_group(stat.gid),
        }
    }
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}
