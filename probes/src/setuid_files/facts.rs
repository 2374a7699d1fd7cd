//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::capability::Capabilities;
use crate::probe::Known;

/// What gives rights to many on the local filesystems. Of each list the entries of uid 0 come first, then the rest, each by
/// path; what people named is written `*` and is in the other document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetuidFiles {
    /// Filesystems that were walked, sorted by mount point.
    pub filesystems: Vec<Filesystem>,
    /// Kinds of filesystems that are mounted and were not walked, since they lie on another machine or have no such rights
    /// of their own, sorted; without those of the kernel (proc, sysfs and the like) and tmpfs.
    pub other_filesystems: Vec<String>,
    /// Everything was seen: each filesystem to its end, no folder refused, no list cut. If not, the reason. A rule must not
    /// take an entry that is missing for one that is not there unless this was observed.
    pub everywhere: Known<Everywhere>,
    /// Folders that were not entered, at most 100, sorted.
    pub not_entered: Vec<NotEntered>,
    /// Regular files with the setuid or setgid bit.
    pub setuid_files: List<SetuidFile>,
    /// Executable regular files with capabilities.
    pub capability_files: List<CapabilityFile>,
    /// Regular files that everybody may write.
    pub world_writable_files: List<Writable>,
    /// Folders that everybody may write and that are not sticky: whoever likes can replace what is in them.
    pub open_folders: List<Writable>,
    /// Files and folders below `/usr/bin`, `/usr/sbin`, `/usr/lib`, `/usr/lib32`, `/usr/lib64`, `/usr/libexec`, the same below
    /// `/usr/local`, and below `/bin`, `/sbin`, `/lib` and the like where these are no links, that somebody else than root owns
    /// or whose group may write them. Links are left out. `everywhere` does not speak of this list: `total` tells if it is cut.
    pub system_files_of_others: List<Writable>,
    /// Entries whose uid is not in `/etc/passwd`; `unsupported` where accounts come from elsewhere too.
    pub without_user: Known<List<Unowned>>,
    /// Entries whose gid is not in `/etc/group`; `unsupported` where groups come from elsewhere too.
    pub without_group: Known<List<Unowned>>,
    /// Which database the `package` of an entry is from; if it was not read whole, no entry has a `package`.
    pub package_database: Known<PackageDatabase>,
}

/// A filesystem that was walked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Filesystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// Its kind, for instance `ext4`; empty where no mount table tells.
    pub kind: String,
    /// Mounted `nosuid`: setuid, setgid and capabilities have no effect there.
    pub nosuid: bool,
    /// Mounted `noexec`.
    pub noexec: bool,
    /// Mounted `nodev`.
    pub nodev: bool,
}

/// Everything was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Everywhere {
    /// On how many filesystems.
    pub filesystems: u32,
}

/// A folder that was not entered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct NotEntered {
    /// The folder, with what people named written `*`.
    pub path: String,
    /// How the attempt ended: `denied`, `failed`.
    pub outcome: String,
}

/// A list that is cut where it is long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct List<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them, at most 1,000.
    pub entries: Vec<T>,
}

/// A file that runs as its owner or with its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that rules ask for"
)]
pub struct SetuidFile {
    /// Its path; below a home folder the rest is written `*`.
    pub path: String,
    /// Permissions, four octal digits.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Runs as its owner.
    pub setuid: bool,
    /// Runs with its group.
    pub setgid: bool,
    /// Its group or everybody may write it.
    pub writable_by_others: bool,
    /// Mounted `nosuid`: the bits have no effect.
    pub nosuid: bool,
    /// The package that brought it; not there if none did, see `package_database`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// What dpkg-statoverride(1) orders for it: the mode, four octal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_mode: Option<String>,
}

/// A file with capabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CapabilityFile {
    /// Its path; below a home folder the rest is written `*`.
    pub path: String,
    /// Permissions, four octal digits.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Its group or everybody may write it.
    pub writable_by_others: bool,
    /// Mounted `nosuid`: they have no effect.
    pub nosuid: bool,
    /// What it is given; `malformed` if the attribute is none that the kernel takes.
    pub capabilities: Known<Capabilities>,
    /// The package that brought it; not there if none did, see `package_database`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// Something that everybody may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Writable {
    /// Its path; below a home folder the rest is written `*`.
    pub path: String,
    /// Permissions, four octal digits.
    pub mode: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Something whose owner or group does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unowned {
    /// Its path; below a home folder the rest is written `*`.
    pub path: String,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The number is one that `/etc/subuid` or `/etc/subgid` gives to somebody's containers, or one of those that systemd
    /// gives to services while they run (61184 to 65519).
    pub delegated: bool,
}

/// Where packages were looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageDatabase {
    /// dpkg's lists of files.
    Dpkg,
    /// rpm's database.
    Rpm,
    /// apk's database.
    Apk,
    /// pacman's lists of files.
    Pacman,
}

/// What people named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetuidFileNames {
    /// The paths of entries whose `path` has a `*`, by list and position, for instance `setuid_files/0`.
    pub paths: BTreeMap<String, String>,
}
