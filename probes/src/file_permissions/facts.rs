//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

pub use super::acl::{AclEntry, AclKind};
use crate::probe::Known;

/// Permissions of what a host's security rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FilePermissions {
    /// Files, sorted by path. One that is not there is in the list too, `absent`.
    pub files: Vec<File>,
    /// Folders, sorted by path, likewise.
    pub folders: Vec<Folder>,
    /// Places that often are filesystems of their own, sorted by path.
    pub mounts: Vec<MountPoint>,
    /// Entries of `/etc/fstab` for media that people carry: below `/media`, or of a disc or floppy drive. `absent` if there
    /// is no such file.
    pub removable: Known<Vec<ConfiguredMount>>,
    /// Filesystems of other machines that are mounted now, sorted by path, at most 500; what may name a person in a path is
    /// written `*`.
    pub network: Known<Vec<NetworkMount>>,
    /// Entries of `/etc/fstab` for such. `absent` if there is no such file.
    pub network_configured: Known<Vec<ConfiguredMount>>,
    /// GRUB; `absent` if it has no configuration here.
    pub grub: Known<Grub>,
    /// systemd-boot; `absent` if it has no configuration here.
    pub systemd_boot: Known<SystemdBoot>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct File {
    /// Its path.
    pub path: String,
    /// What it is for.
    pub area: Area,
    /// Who may do what; of the file that a link leads to.
    pub permissions: Known<Permissions>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Folder {
    /// Its path.
    pub path: String,
    /// What is in it.
    pub area: Area,
    /// Who may do what; of the folder that a link leads to.
    pub permissions: Known<Permissions>,
    /// What is directly in it; not there for folders whose contents are not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Known<Contents>>,
}

/// What a file or folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Accounts and their passwords.
    Accounts,
    /// Rights by sudo.
    Sudo,
    /// The SSH server.
    Ssh,
    /// The SSH server's private keys.
    SshKey,
    /// Jobs that run by themselves.
    Cron,
    /// Authentication and limits.
    Pam,
    /// Starting the system.
    Boot,
    /// Services and their order.
    Services,
    /// Logs.
    Logs,
    /// Private keys of services.
    Keys,
    /// Homes of the administrator.
    Home,
    /// Folders in which everybody may put files.
    Temporary,
    /// What greets people before and after they log in.
    Banner,
    /// What makes programs of source text.
    Development,
    /// What else the system is configured by.
    System,
}

/// Who may do what with a file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Permissions {
    /// All bits, four octal digits.
    pub mode: String,
    /// What the owner may: `rwx`, with `-` for what is missing.
    pub owner: String,
    /// What the group may. With an ACL this is the mask: the most that anybody named in it may.
    pub group: String,
    /// What everybody else may.
    pub others: String,
    /// The sticky bit: in a folder only the owner of a file may remove it.
    pub sticky: bool,
    /// Uid of the owner.
    pub uid: u32,
    /// Gid of the group.
    pub gid: u32,
    /// Where the path leads, if it is a link itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Entries of the ACL for others than owner, group and everybody (and the group's own entry); empty without ACL.
    pub acl: Known<Vec<AclEntry>>,
    /// Entries of the ACL that new files in a folder get; empty without.
    pub default_acl: Known<Vec<AclEntry>>,
    /// Cannot be changed, by root neither (chattr `+i`); not there if the filesystem does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
    /// Can only be appended to (chattr `+a`); not there if the filesystem does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append_only: Option<bool>,
}

/// What is directly in a folder, links not followed and not counted in the numbers about permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Contents {
    /// Entries.
    pub entries: u32,
    /// Of another owner than uid 0.
    pub not_root: u32,
    /// That the group may write, with a group other than gid 0.
    pub group_writable: u32,
    /// That everybody may write.
    pub others_writable: u32,
    /// That everybody may read.
    pub others_readable: u32,
    /// Names of those of the first three kinds, at most 100, sorted; none for folders where names can be people's.
    pub remarkable: Vec<String>,
}

/// A place that often is a filesystem of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MountPoint {
    /// The path.
    pub path: String,
    /// How it is mounted now.
    pub now: Known<Mounted>,
    /// How it is to be mounted at the next boot; `absent` if neither `/etc/fstab` nor a unit that is started at boot says
    /// (systemd mounts `/dev/shm` by itself, `nosuid,nodev`).
    pub configured: Known<ConfiguredMount>,
}

/// How something is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that rules ask for"
)]
pub struct Mounted {
    /// It is a mount point itself; if not, the rest is said of the filesystem on which it lies.
    pub separate: bool,
    /// Kind of the filesystem.
    pub filesystem: String,
    /// No devices.
    pub nodev: bool,
    /// No setuid, setgid and capabilities.
    pub nosuid: bool,
    /// No programs.
    pub noexec: bool,
    /// Read-only.
    pub read_only: bool,
    /// `hidepid` of procfs (proc(5)): `off`, `noaccess`, `invisible` or `ptraceable`, or a number in kernels before 5.8; not
    /// there for other filesystems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidepid: Option<String>,
}

/// A filesystem of another machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that rules ask for"
)]
pub struct NetworkMount {
    /// Where it is mounted.
    pub path: String,
    /// Kind of the filesystem, for instance `nfs4`, `cifs`, `fuse.sshfs`.
    pub filesystem: String,
    /// No devices.
    pub nodev: bool,
    /// No setuid, setgid and capabilities.
    pub nosuid: bool,
    /// No programs.
    pub noexec: bool,
    /// Read-only.
    pub read_only: bool,
    /// How users and data are protected: `sec` of nfs(5) and mount.cifs(8), for instance `sys`, `krb5p`, `ntlmssp`; not there
    /// for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<String>,
    /// Whether SMB is encrypted (`seal`); not there for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<bool>,
}

/// How something is to be mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that rules ask for"
)]
pub struct ConfiguredMount {
    /// Where.
    pub path: String,
    /// What says so.
    pub by: MountSource,
    /// Kind of the filesystem, as written; `auto` if that is left open.
    pub filesystem: String,
    /// No devices.
    pub nodev: bool,
    /// No setuid, setgid and capabilities.
    pub nosuid: bool,
    /// No programs.
    pub noexec: bool,
    /// Read-only.
    pub read_only: bool,
    /// At boot; false for `noauto`.
    pub at_boot: bool,
    /// `hidepid` of procfs, as written; not there if it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidepid: Option<String>,
}

/// What configures a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MountSource {
    /// `/etc/fstab`.
    Fstab,
    /// A unit of systemd.
    Unit,
}

/// GRUB's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Grub {
    /// The file that was read.
    pub path: String,
    /// Somebody may change entries and use the command line only after a password: `superusers` is set to a name.
    pub superusers: bool,
    /// How the password is kept; `none` if nobody has one.
    pub password: GrubPassword,
    /// Entries of the menu.
    pub entries: u32,
    /// Those that everybody may start without a password (`--unrestricted`).
    pub unrestricted_entries: u32,
}

/// How GRUB keeps a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrubPassword {
    /// There is none.
    None,
    /// Hashed, in `grub.cfg`.
    Hashed,
    /// Hashed, in `user.cfg` beside it.
    HashedInUserCfg,
    /// In clear.
    Clear,
}

/// systemd-boot's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SystemdBoot {
    /// Whoever sits at the machine may change the kernel's command line (`editor`, on by default).
    pub editor: bool,
}
