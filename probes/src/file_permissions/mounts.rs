//! How filesystems are mounted, now and at the next boot.

use evidence::facts::Outcome;

use super::facts::{ConfiguredMount, MountPoint, MountSource, Mounted, NetworkMount};
use super::fstab::{self, effective};
use crate::accounts::records::masked;
use crate::disk_encryption::mountinfo::{Mount, MountTable};
use crate::formats::systemd::{AtBoot, Units};
use crate::order::Order as _;
use crate::probe::{Known, NotKnown};
use crate::reading::{Reading, Unread};

const FSTAB: &str = "/etc/fstab";
/// Where benchmarks ask for filesystems of their own, or for options.
const PATHS: [&str; 16] = [
    "/",
    "/boot",
    "/boot/efi",
    "/dev",
    "/dev/shm",
    "/home",
    "/opt",
    "/proc",
    "/run",
    "/srv",
    "/tmp",
    "/usr",
    "/var",
    "/var/log",
    "/var/log/audit",
    "/var/tmp",
];
/// Sources of media that people carry.
const REMOVABLE: [&str; 5] = ["/dev/cdrom", "/dev/dvd", "/dev/fd", "/dev/floppy", "/dev/sr"];
/// Entries of one sort that are told.
const MAX_ENTRIES: usize = 50;

/// Kinds of filesystems that other machines hold.
const NETWORK: [&str; 12] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "davfs",
    "fuse.davfs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.sshfs",
    "nfs",
    "nfs4",
    "smb3",
];
const MAX_NETWORK: usize = 500;

/// What is mounted and what is to be.
pub(super) struct Mounts {
    table: Result<Option<MountTable>, Unread>,
    fstab: Result<Option<Vec<fstab::Line>>, Unread>,
}

impl Mounts {
    pub(super) fn read(reading: &Reading<'_>) -> Self {
        Self {
            table: table(reading),
            fstab: fstab(reading),
        }
    }

    /// The mount table, as far as it is known.
    fn table<T>(&self, look: impl FnOnce(&MountTable) -> Known<T>) -> Known<T> {
        match &self.table {
            Ok(Some(table)) => look(table),
            Ok(None) => Known::absent("there is no mount table: no running system"),
            Err(unread) => Known::unread(unread),
        }
    }

    /// Entries of fstab that `are` such.
    fn entries(&self, are: impl Fn(&fstab::Line) -> bool) -> Known<Vec<ConfiguredMount>> {
        match &self.fstab {
            Ok(Some(lines)) => {
                let lines = lines.iter().filter(|line| are(line)).take(MAX_ENTRIES);
                Known::Observed(lines.map(of_line).collect())
            }
            Ok(None) => Known::absent(format!("{FSTAB} is not there")),
            Err(unread) => Known::unread(unread),
        }
    }

    /// For media that people carry.
    pub(super) fn removable(&self) -> Known<Vec<ConfiguredMount>> {
        self.entries(|line| {
            line.path.starts_with("/media/") || REMOVABLE.iter().any(|source| line.source.starts_with(source))
        })
    }

    /// Of other machines.
    pub(super) fn network_configured(&self) -> Known<Vec<ConfiguredMount>> {
        let mut entries = self.entries(|line| is_network(&line.filesystem));
        if let Known::Observed(entries) = &mut entries {
            for entry in entries {
                entry.path = masked(&entry.path);
            }
        }
        entries
    }

    /// Those that are mounted.
    pub(super) fn network(&self) -> Known<Vec<NetworkMount>> {
        self.table(|table| {
            let mounts = table.mounts.iter().filter(|mount| is_network(&mount.filesystem));
            let mut mounts: Vec<_> = mounts.map(of_network).collect();
            mounts.order();
            mounts.truncate(MAX_NETWORK);
            Known::Observed(mounts)
        })
    }

    /// All places.
    pub(super) fn places(&self, reading: &Reading<'_>) -> Vec<MountPoint> {
        let units = Units::read(reading);
        let place = |path: &&str| MountPoint {
            path: (*path).to_owned(),
            now: self.table(|table| now(table, path)),
            configured: configured(reading, path, &self.fstab, &units),
        };
        PATHS.iter().map(place).collect()
    }
}

fn is_network(filesystem: &str) -> bool {
    NETWORK.contains(&filesystem)
}

fn of_network(mount: &Mount) -> NetworkMount {
    let is_smb = matches!(mount.filesystem.as_str(), "cifs" | "smb3");
    NetworkMount {
        path: masked(&mount.mount_point),
        filesystem: mount.filesystem.clone(),
        nodev: mount.has("nodev"),
        nosuid: mount.has("nosuid"),
        noexec: mount.has("noexec"),
        read_only: mount.has("ro") || mount.read_only(),
        security: mount.option("sec"),
        sealed: is_smb.then(|| mount.options.split(',').any(|option| option == "seal")),
    }
}

fn absent<T>(detail: String) -> Known<T> {
    let outcome = Outcome::Absent;
    Known::Not(NotKnown { outcome, detail })
}

/// The table of process 1, since the agent's own sandbox has other options.
fn table(reading: &Reading<'_>) -> Result<Option<MountTable>, Unread> {
    for path in ["/proc/1/mountinfo", "/proc/self/mountinfo"] {
        let bytes = match reading.volatile_bytes(path) {
            Ok(Some(bytes)) => bytes,
            // Hidden by the options of procfs.
            Ok(None) | Err(Unread::Denied { .. }) => continue,
            Err(unread) => return Err(unread),
        };
        return match MountTable::parse(&bytes) {
            Ok(table) if table.malformed.is_empty() => Ok(Some(table)),
            Ok(_) => Err(malformed(path, "there are lines that could not be understood")),
            Err(error) => Err(malformed(path, &error.to_string())),
        };
    }
    Ok(None)
}

fn malformed(place: &str, reason: &str) -> Unread {
    Unread::Malformed {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

fn now(table: &MountTable, path: &str) -> Known<Mounted> {
    match table.of(path) {
        Some(mount) => Known::Observed(Mounted {
            separate: mount.mount_point == path,
            filesystem: mount.filesystem.clone(),
            nodev: mount.has("nodev"),
            nosuid: mount.has("nosuid"),
            noexec: mount.has("noexec"),
            read_only: mount.has("ro") || mount.read_only(),
            hidepid: (mount.filesystem == "proc").then(|| mount.option("hidepid").unwrap_or_else(|| "off".to_owned())),
        }),
        None => Known::unread(&malformed(path, "on none of the mounts")),
    }
}

/// The lines of fstab. It can hold passwords of file servers, so that its digest stays here.
fn fstab(reading: &Reading<'_>) -> Result<Option<Vec<fstab::Line>>, Unread> {
    let Some(bytes) = reading.private(FSTAB, FSTAB)? else {
        return Ok(None);
    };
    match fstab::parse(&bytes) {
        (lines, false) => Ok(Some(lines)),
        (_, true) => Err(malformed(FSTAB, "there are lines that could not be understood")),
    }
}

fn of_line(line: &fstab::Line) -> ConfiguredMount {
    ConfiguredMount {
        path: line.path.clone(),
        by: MountSource::Fstab,
        filesystem: line.filesystem.clone(),
        nodev: line.has("nodev"),
        nosuid: line.has("nosuid"),
        noexec: line.has("noexec"),
        read_only: line.has("ro"),
        at_boot: !line.options.iter().any(|option| option == "noauto"),
        hidepid: hidepid(line.options.iter().map(String::as_str)),
    }
}

fn hidepid<'a>(options: impl DoubleEndedIterator<Item = &'a str>) -> Option<String> {
    let mut last = options.rev().filter_map(|option| option.strip_prefix("hidepid="));
    last.next().map(str::to_owned)
}

fn configured(
    reading: &Reading<'_>,
    path: &str,
    fstab: &Result<Option<Vec<fstab::Line>>, Unread>,
    units: &Result<Option<Units>, Unread>,
) -> Known<ConfiguredMount> {
    // A unit under /etc or /run/systemd/generator: the generator makes one of each line, and one in /etc goes first.
    let unit = unit_of(path);
    let lines = match fstab {
        Ok(lines) => lines.as_deref().unwrap_or_default(),
        Err(unread) => return Known::unread(unread),
    };
    let line = lines.iter().find(|line| line.path == path && line.filesystem != "swap");
    let units = match units {
        Ok(Some(units)) => units,
        Ok(None) => return of_fstab(path, line),
        Err(unread) => return Known::unread(unread),
    };
    let own = units.path(&unit).filter(|file| file.starts_with("/etc/"));
    let state = units.state(&unit);
    let at_boot = state.is_some_and(|state| state.at_boot == AtBoot::Pulled);
    if line.is_some() && own.is_none() {
        return of_fstab(path, line);
    }
    if !at_boot && line.is_none() {
        return of_fstab(path, None);
    }
    match units.assignments(reading, &unit) {
        Ok(Some(assignments)) => {
            // Each assignment of Options= replaces the one before (systemd.mount(5)).
            let last = |name: &str| {
                let of =
                    |one: &&crate::formats::systemd::syntax::Assignment| one.section == "Mount" && one.name == name;
                assignments.iter().rev().find(of).map(|one| one.value.as_str())
            };
            let options = last("Options").unwrap_or_default();
            let has = |option: &str| effective(options.split(','), option);
            Known::Observed(ConfiguredMount {
                path: path.to_owned(),
                by: MountSource::Unit,
                filesystem: last("Type").unwrap_or("auto").to_owned(),
                nodev: has("nodev"),
                nosuid: has("nosuid"),
                noexec: has("noexec"),
                read_only: has("ro"),
                at_boot,
                hidepid: hidepid(options.split(',')),
            })
        }
        Ok(None) => of_fstab(path, None),
        Err(unread) => Known::unread(&unread),
    }
}

fn of_fstab(path: &str, line: Option<&fstab::Line>) -> Known<ConfiguredMount> {
    match line {
        Some(line) => Known::Observed(of_line(line)),
        None => absent(format!("nothing configures a mount at {path}")),
    }
}

/// The name of the unit that mounts at a path (systemd-escape(1) `--path`); the paths above have nothing to escape.
fn unit_of(path: &str) -> String {
    let name = path.trim_matches('/').replace('/', "-");
    format!("{}.mount", if name.is_empty() { "-" } else { &name })
}
