//! Units behind the ids of control groups.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::facts::{Owner, OwnerKind};
use crate::reading::{Kind, Reading, Unread};

/// cgroup v2 alone, and beside v1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// Control groups that are looked at; users can make many below their own.
const MAX_GROUPS: usize = 20_000;
/// The kernel allows any depth; systemd, containers and their nesting need less.
const MAX_DEPTH: usize = 12;

/// The owners of those control groups that were asked for.
#[derive(Debug)]
pub(super) struct Owners {
    by_id: BTreeMap<u64, Owner>,
    mounted: bool,
}

impl Owners {
    /// Looks for `wanted`, level by level, and stops when all are found: services come before what they delegate.
    pub(super) fn find(reading: &Reading<'_>, mut wanted: BTreeSet<u64>) -> Result<Self, Unread> {
        let mut owners = Self {
            by_id: BTreeMap::new(),
            mounted: false,
        };
        let Some(mount) = mount(reading)? else {
            return Ok(owners);
        };
        owners.mounted = true;
        let mut groups = VecDeque::from([(String::new(), 0)]);
        let mut seen = 0;
        if let Some(root) = reading.stat(mount)? {
            owners.take(&mut wanted, root.inode, "");
        }
        while let Some((path, depth)) = groups.pop_front() {
            if wanted.is_empty() || seen > MAX_GROUPS {
                break;
            }
            if is_leaf(reading, &format!("{mount}{path}"))? {
                continue;
            }
            // A group may end while it is looked at.
            let entries = reading.entries(&format!("{mount}{path}"))?.unwrap_or_default();
            for entry in entries.into_iter().filter(|entry| entry.kind == Kind::Folder) {
                let inner = format!("{path}/{}", entry.name);
                seen += 1;
                if let Some(stat) = reading.stat(&format!("{mount}{inner}"))? {
                    owners.take(&mut wanted, stat.inode, &inner);
                }
                if depth < MAX_DEPTH {
                    groups.push_back((inner, depth + 1));
                }
            }
        }
        Ok(owners)
    }

    fn take(&mut self, wanted: &mut BTreeSet<u64>, id: u64, path: &str) {
        if wanted.remove(&id) {
            self.by_id.insert(id, owner(path));
        }
    }

    /// The owner behind an id that was wanted.
    pub(super) fn of(&self, id: Option<u64>) -> Owner {
        let kind = if id.is_some() && self.mounted {
            OwnerKind::Gone
        } else {
            OwnerKind::NotTold
        };
        let unit = String::new();
        let found = id.and_then(|id| self.by_id.get(&id)).cloned();
        found.unwrap_or(Owner { kind, unit })
    }
}

fn mount<'a>(reading: &Reading<'_>) -> Result<Option<&'a str>, Unread> {
    for mount in MOUNTS {
        if reading.stat(&format!("{mount}/cgroup.procs"))?.is_some()
            && reading.stat(&format!("{mount}/tasks"))?.is_none()
        {
            return Ok(Some(mount));
        }
    }
    Ok(None)
}

/// Most units have no groups inside: asking for their number is cheaper than listing the kernel's fifty files of each.
fn is_leaf(reading: &Reading<'_>, path: &str) -> Result<bool, Unread> {
    if !matches!(
        path.rsplit_once('.'),
        Some((_, "service" | "scope" | "mount" | "socket" | "swap"))
    ) {
        return Ok(false);
    }
    let told = reading.attribute(&format!("{path}/cgroup.stat"))?;
    Ok(told.is_some_and(|text| text.lines().any(|line| line == "nr_descendants 0")))
}

/// Marks of container managers in the names of control groups.
const CONTAINERS: [&str; 10] = [
    "docker-",
    "docker/",
    "libpod-",
    "cri-containerd-",
    "crio-",
    "kubepods",
    "lxc.payload",
    "lxc/",
    "machine.slice",
    "nspawn",
];

/// What a path of a control group says: systemd names groups by their units (systemd.slice(5)).
fn owner(path: &str) -> Owner {
    let named = |kind, unit: &str| Owner {
        kind,
        unit: unit.to_owned(),
    };
    let inner = path.trim_start_matches('/');
    if CONTAINERS.iter().any(|mark| inner.contains(mark)) {
        let service = inner.split('/').find(|part| part.strip_suffix(".service").is_some());
        return named(OwnerKind::Container, service.unwrap_or_default());
    }
    let mut units = inner
        .split('/')
        .filter(|part| !part.is_empty() && part.strip_suffix(".slice").is_none());
    let Some(unit) = units.next() else {
        return named(OwnerKind::Root, "");
    };
    if inner.starts_with("user.slice/") {
        if unit.starts_with("session-") {
            return named(OwnerKind::Session, "");
        }
        // The user's own systemd names its units in turn; scopes have the process' number in their name.
        let own = units.find(|part| part.strip_suffix(".service").is_some() && !part.contains(':'));
        return named(OwnerKind::User, own.unwrap_or(unit));
    }
    match unit.rsplit_once('.') {
        _ if unit == "init.scope" => named(OwnerKind::Root, unit),
        Some((_, "socket")) => named(OwnerKind::Socket, unit),
        Some((_, "service" | "mount" | "swap")) => named(OwnerKind::System, unit),
        // `run-r0123….scope` of systemd-run and the like.
        Some((_, "scope")) => named(OwnerKind::System, ""),
        // Not systemd's: OpenRC names groups as its services, Elogind by numbers.
        _ if unit.starts_with("openrc.") => named(OwnerKind::System, unit),
        _ => named(OwnerKind::System, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_units() {
        for (path, kind, unit) in [
            ("", OwnerKind::Root, ""),
            ("/init.scope", OwnerKind::Root, "init.scope"),
            ("/system.slice/ssh.service", OwnerKind::System, "ssh.service"),
            ("/system.slice/cups.socket", OwnerKind::Socket, "cups.socket"),
            (
                "/system.slice/system-postgresql.slice/postgresql@15-main.service",
                OwnerKind::System,
                "postgresql@15-main.service",
            ),
            ("/system.slice/docker.service", OwnerKind::System, "docker.service"),
            ("/system.slice/docker-0123abcd.scope", OwnerKind::Container, ""),
            ("/docker/0123abcd", OwnerKind::Container, ""),
            (
                "/kubepods.slice/kubepods-besteffort.slice/cri-containerd-01.scope",
                OwnerKind::Container,
                "",
            ),
            (
                "/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
                OwnerKind::Container,
                "systemd-nspawn@web.service",
            ),
            ("/user.slice/user-1000.slice/session-3.scope", OwnerKind::Session, ""),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service",
                OwnerKind::User,
                "syncthing.service",
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-4711.scope",
                OwnerKind::User,
                "user@1000.service",
            ),
            ("/system.slice/run-r0123.scope", OwnerKind::System, ""),
        ] {
            let expected = Owner {
                kind,
                unit: unit.to_owned(),
            };
            assert_eq!(owner(path), expected, "{path}");
        }
    }
}
