//! What the probe tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;

/// Groups whose members can do what others cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PrivilegedGroups {
    /// Those that there are, sorted by gid and name.
    pub groups: Vec<PrivilegedGroup>,
    /// Whether `/etc/passwd` and `/etc/group` tell all members: false if `/etc/nsswitch.conf` names another source, or a line
    /// of the two could not be understood. A rule about all members must not be met if it is false.
    pub files_decide: Known<bool>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PrivilegedGroup {
    /// Its name; not there for a group that is known by gid 0 alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its gid.
    pub gid: u32,
    /// What its members can do, as distributions set it up.
    pub power: Power,
    /// Uids of its members, sorted.
    pub members: Vec<u32>,
    /// Those of them whose primary group it is, sorted.
    pub primary_members: Vec<u32>,
    /// Members in `/etc/group` whom no line of `/etc/passwd` names: somebody of a directory, or nobody.
    pub unknown_members: u32,
}

/// What members can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Become root, where sudo, su or polkit let the group (`root`, `sudo`, `wheel`, `admin`).
    Administration,
    /// Start containers, with any folder of the host in them (`docker`, `lxd`, `incus`, `podman`).
    Containers,
    /// Start and change virtual machines (`libvirt`, `kvm`, `vboxusers`).
    VirtualMachines,
    /// Read and write disks past the filesystem (`disk`, `operator`, `tape`).
    Disks,
    /// Read the kernel's memory (`kmem`).
    Memory,
    /// Read the hashes of passwords (`shadow`).
    Passwords,
    /// Read logs (`adm`, `systemd-journal`).
    Logs,
    /// Change the network or read its traffic (`netdev`, `wireshark`).
    Network,
    /// Read or write files of the system (`backup`, `staff`, `crontab`).
    Files,
    /// Use devices such as screen, keyboard and modems without being at the console (`video`, `input`, `dialout`, `cdrom`).
    Devices,
    /// Administer printers (`lpadmin`).
    Printing,
}
