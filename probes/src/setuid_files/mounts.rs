//! Which mounts to walk.
//!
//! Walked is what the agent's own mount namespace has, since that is where it can walk: a sandbox shows one filesystem as
//! several mounts (`ProtectHome=`), and each of them is walked. The options are those of process 1, since the same sandbox
//! mounts all of it `nosuid` (`NoNewPrivileges=`).

use std::collections::BTreeSet;

use evidence::facts::Outcome;

use super::facts::Filesystem;
use crate::disk_encryption::mountinfo::{Mount, MountTable};
use crate::order::Order as _;
use crate::probe::ProbeError;
use crate::reading::Reading;

/// Kinds that hold setuid files of their own.
const WALKED: [&str; 14] = [
    "bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "nilfs2", "reiserfs", "squashfs", "ufs",
    "xfs", "zfs",
];
/// Walked at `/` alone: elsewhere they are what containers see of folders that are walked anyway.
const AT_ROOT: [&str; 4] = ["aufs", "overlay", "ramfs", "tmpfs"];
/// Of tmpfs those where everybody puts files.
const TEMPORARY: [&str; 3] = ["/dev/shm", "/tmp", "/var/tmp"];
/// The kernel's own: nothing in them is a file that somebody made.
const KERNEL: [&str; 23] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.lxcfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];
/// Mounts that are walked. A host that mounts a thousand images has its facts `skipped` for the rest.
const MAX_WALKED: usize = 200;

/// What to walk.
pub(super) struct Plan {
    /// Where to begin, with the filesystem that the host has there; sorted.
    pub(super) walked: Vec<(String, Filesystem)>,
    /// Kinds that are not walked.
    pub(super) others: Vec<String>,
    /// Why not all that ought to be walked is.
    pub(super) gap: Option<String>,
}

/// Reads the mount tables. Where there is none (a folder is probed), everything is one filesystem.
pub(super) fn plan(reading: &Reading<'_>) -> Result<Plan, ProbeError> {
    let Some(own) = table(reading, "/proc/self/mountinfo")? else {
        let filesystem = Filesystem {
            mount_point: "/".to_owned(),
            kind: String::new(),
            nosuid: false,
            noexec: false,
            nodev: false,
        };
        return Ok(Plan {
            walked: vec![("/".to_owned(), filesystem)],
            others: vec![],
            gap: None,
        });
    };
    // A container's process 1 may be hidden: then what the agent sees is all that is known.
    let init = table(reading, "/proc/1/mountinfo").ok().flatten();
    let mut plan = of(&own, init.as_ref().unwrap_or(&own));
    if !own.malformed.is_empty() {
        plan.gap = Some("/proc/self/mountinfo: there are lines that could not be understood".to_owned());
    }
    Ok(plan)
}

fn table(reading: &Reading<'_>, path: &str) -> Result<Option<MountTable>, ProbeError> {
    let Some(bytes) = reading.volatile_bytes(path)? else {
        return Ok(None);
    };
    let table = MountTable::parse(&bytes).map_err(|error| ProbeError {
        outcome: Outcome::Failed,
        detail: format!("{path}: {error}"),
    })?;
    Ok(Some(table))
}

fn of(own: &MountTable, init: &MountTable) -> Plan {
    let (mut walked, mut others) = (Vec::new(), BTreeSet::new());
    let mut candidates = Vec::new();
    for mount in &own.mounts {
        let kind = mount.filesystem.as_str();
        let reached = own.of(&mount.mount_point).is_some_and(|top| top.id == mount.id);
        if !reached {
            continue;
        }
        let root = mount.mount_point == "/" && AT_ROOT.contains(&kind);
        let temporary = kind == "tmpfs" && TEMPORARY.contains(&mount.mount_point.as_str());
        if WALKED.contains(&kind) || root || temporary {
            candidates.push(mount);
        } else if !KERNEL.contains(&kind) && !AT_ROOT.contains(&kind) {
            others.insert(mount.filesystem.clone());
        }
    }
    let nosuid = |mount: &Mount| init.of(&mount.mount_point).unwrap_or(mount).has("nosuid");
    for mount in &candidates {
        let elsewhere = candidates.iter().any(|other| {
            other.id != mount.id
                && other.device == mount.device
                && shows(own, other, mount)
                && (nosuid(mount) || !nosuid(other))
        });
        if elsewhere {
            continue;
        }
        let told = init.of(&mount.mount_point).unwrap_or(mount);
        let filesystem = Filesystem {
            mount_point: told.mount_point.clone(),
            kind: mount.filesystem.clone(),
            nosuid: told.has("nosuid"),
            noexec: told.has("noexec"),
            nodev: told.has("nodev"),
        };
        walked.push((mount.mount_point.clone(), filesystem));
    }
    walked.order();
    walked.dedup_by(|left, right| left.0 == right.0);
    let gap = (walked.len() > MAX_WALKED).then(|| format!("more than {MAX_WALKED} filesystems are mounted"));
    walked.truncate(MAX_WALKED);
    Plan {
        walked,
        others: others.into_iter().collect(),
        gap,
    }
}

/// Whether what `mount` shows of a filesystem is reached through `other` too (a bind mount of a folder of it). Of two that
/// show the same the one that was mounted first counts.
fn shows(table: &MountTable, other: &Mount, mount: &Mount) -> bool {
    let Some(rest) = below(&mount.root, &other.root) else {
        return false;
    };
    if rest.is_empty() && other.id > mount.id {
        return false;
    }
    let point = other.mount_point.trim_end_matches('/');
    let place = if rest.is_empty() && point.is_empty() {
        "/".to_owned()
    } else {
        format!("{point}{rest}")
    };
    table.of(&place).is_some_and(|top| top.id == other.id)
}

/// What of `path` follows `folder`: empty or beginning with a slash.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    match rest {
        "/" => Some(""),
        _ => (rest.is_empty() || rest.starts_with('/')).then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(own: &str, init: &str) -> Vec<String> {
        let table = |text: &str| MountTable::parse(text.as_bytes()).unwrap();
        let plan = of(&table(own), &table(init));
        let shown = |(start, one): &(String, Filesystem)| format!("{start}{}", if one.nosuid { " nosuid" } else { "" });
        plan.walked.iter().map(shown).collect()
    }

    #[test]
    fn a_sandbox_that_splits_a_filesystem_is_walked_in_parts() {
        let init = "1 0 8:1 / / rw - ext4 a rw\n2 1 0:5 / /proc rw - proc p rw\n3 1 8:2 / /srv rw,nosuid - xfs b rw\n";
        let own = "10 0 8:1 / / ro,nosuid - ext4 a rw\n12 10 8:1 /home /home ro,nosuid - ext4 a rw\n\
                   13 10 8:2 / /srv rw,nosuid - xfs b rw\n14 10 8:1 /var/lib/x /var/lib/x rw,nosuid - ext4 a rw\n\
                   15 10 0:9 / /run rw - tmpfs t rw\n16 15 8:1 /usr/bin /run/seen rw,nosuid - ext4 a rw\n";
        assert_eq!(points(own, init), ["/", "/home", "/srv nosuid", "/var/lib/x"]);
    }

    #[test]
    fn a_bind_mount_is_walked_if_its_folder_is_covered_or_it_alone_allows_setuid() {
        let same = "1 0 8:1 / / rw - ext4 a rw\n2 1 8:1 /srv /chroot rw - ext4 a rw\n3 1 8:1 / /again rw - ext4 a rw\n";
        assert_eq!(points(same, same), ["/"]);
        let covered = "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /srv rw - ext4 b rw\n3 1 8:1 /srv /old rw - ext4 a rw\n";
        assert_eq!(points(covered, covered), ["/", "/old", "/srv"]);
        let allows =
            "1 0 8:1 / / rw - ext4 a rw\n2 1 8:2 / /data rw,nosuid - ext4 b rw\n3 1 8:2 /bin /x rw - ext4 b rw\n";
        assert_eq!(points(allows, allows), ["/", "/data nosuid", "/x"]);
    }

    #[test]
    fn containers_the_kernel_and_other_machines_are_not_walked() {
        let text = "1 0 0:20 / / rw - overlay o rw\n2 1 0:21 / /var/lib/docker/overlay2/a/merged rw - overlay o rw\n\
                    3 1 0:22 / /tmp rw,nosuid - tmpfs t rw\n4 1 0:23 / /run rw - tmpfs t rw\n\
                    5 1 0:24 / /mnt rw - nfs4 s:/x rw\n6 1 0:25 / /sys rw - sysfs s rw\n7 1 8:9 / /boot/efi rw - vfat e rw\n";
        let table = MountTable::parse(text.as_bytes()).unwrap();
        let plan = of(&table, &table);
        assert_eq!(points(text, text), ["/", "/tmp nosuid"]);
        assert_eq!(plan.others, ["nfs4", "vfat"]);
    }
}
