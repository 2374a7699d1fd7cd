//! # What
//! Groups whose members can do what others cannot: become root, run containers, read disks, logs or hashes of passwords;
//! and who the members are.
//!
//! # Source
//! group(5), passwd(5), nsswitch.conf(5), and the documentation of the programs that give the groups their power.
//!
//! # Privilege
//! None.
//!
//! # Bears on
//! A.5.3 (segregation of duties), A.5.15 (access control), A.5.18 (access rights), A.8.2 (privileged access rights), A.8.18
//! (use of privileged utility programs).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

pub use facts::*;

use crate::accounts::local::LocalAccounts;
use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// Names of groups, and the power of their members.
const GROUPS: [(&str, Power); 29] = [
    ("adm", Power::Logs),
    ("admin", Power::Administration),
    ("backup", Power::Files),
    ("cdrom", Power::Devices),
    ("crontab", Power::Files),
    ("dialout", Power::Devices),
    ("disk", Power::Disks),
    ("docker", Power::Containers),
    ("incus", Power::Containers),
    ("incus-admin", Power::Containers),
    ("input", Power::Devices),
    ("kmem", Power::Memory),
    ("kvm", Power::VirtualMachines),
    ("libvirt", Power::VirtualMachines),
    ("lpadmin", Power::Printing),
    ("lxd", Power::Containers),
    ("netdev", Power::Network),
    ("operator", Power::Disks),
    ("podman", Power::Containers),
    ("root", Power::Administration),
    ("shadow", Power::Passwords),
    ("staff", Power::Files),
    ("sudo", Power::Administration),
    ("systemd-journal", Power::Logs),
    ("tape", Power::Disks),
    ("vboxusers", Power::VirtualMachines),
    ("video", Power::Devices),
    ("wheel", Power::Administration),
    ("wireshark", Power::Network),
];

/// The probe.
pub struct PrivilegedGroupsProbe;

impl Probe for PrivilegedGroupsProbe {
    const SPEC: Spec = Spec {
        id: "privileged-groups",
        version: 1,
        title: "Groups that give power over the host, and their members",
        reads: &[
            "/etc/passwd",
            "/etc/group",
            "/etc/nsswitch.conf, and names of records in /etc/userdb/ and the like",
        ],
        runs: &[],
        privilege: Privilege::None,
        cadence: Cadence::EveryRound,
        watch: &["/etc/"],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Members whom a directory adds: `files_decide` tells whether there may be any.",
            "Whether the program that gives a group its power is installed and asks for the group.",
            "Groups that get power by sudoers alone: that is the probe `sudo`.",
            "Members who joined a group by its password (newgrp(1)).",
        ],
    };

    type Facts = PrivilegedGroups;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<PrivilegedGroups, NoNames>, ProbeError> {
        let accounts = LocalAccounts::read(reading)?.ok_or_else(|| ProbeError::absent("/etc/passwd"))?;
        let directory = accounts.directory();
        let mut groups: Vec<PrivilegedGroup> = accounts
            .groups
            .iter()
            .filter_map(|group| {
                let known = GROUPS.iter().find(|(name, _)| *name == group.name);
                // A second name for the group of root is as good as the first.
                let power = match known {
                    Some((_, power)) => *power,
                    None if group.gid == 0 => Power::Administration,
                    None => return None,
                };
                let uids = |primary: bool| {
                    let users = directory
                        .members(group.gid)
                        .iter()
                        .filter_map(|at| directory.users.get(*at));
                    let mut uids: Vec<u32> = users
                        .filter(|user| !primary || user.gid == group.gid)
                        .map(|user| user.uid)
                        .collect();
                    uids.order();
                    uids.dedup();
                    uids
                };
                let unknown = group
                    .members
                    .iter()
                    .filter(|name| directory.named(name).is_empty())
                    .count();
                Some(PrivilegedGroup {
                    name: known.map(|(name, _)| (*name).to_owned()),
                    gid: group.gid,
                    power,
                    members: uids(false),
                    primary_members: uids(true),
                    unknown_members: u32::try_from(unknown).unwrap_or(u32::MAX),
                })
            })
            .collect();
        groups.order_by(|one, other| (one.gid, &one.name).cmp(&(other.gid, &other.name)));
        let files_decide = match &accounts.services {
            Ok(_) => Known::Observed(!accounts.other_users && !accounts.other_groups),
            Err(unread) => Known::unread(unread),
        };
        Ok(Collected::facts(PrivilegedGroups { groups, files_decide }))
    }
}

#[cfg(test)]
mod tests;
