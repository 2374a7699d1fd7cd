//! # What
//! Every mounted local filesystem and every swap area, traced through partitions, LVM, software RAID, loop devices and
//! dm-crypt down to the disks. A volume is `encrypted` only if every way from it to a disk crosses encryption.
//!
//! # Source
//! proc_pid_mountinfo(5) of process 1 (else of the agent); proc_swaps(5); sysfs: `/sys/dev/block`, `/sys/class/block`
//! (kernel `Documentation/ABI/stable/sysfs-block`, `Documentation/ABI/testing/sysfs-block-dm`, `-loop`, `-zram`,
//! `Documentation/admin-guide/md.rst`), `/sys/fs/btrfs`; the UUIDs that cryptsetup gives its mappings; LUKS On-Disk
//! Format Specification 1.2.3; LUKS2 On-Disk Format Specification 1.1.
//!
//! # Privilege
//! Mounts, swap and the block stack: none. LUKS headers are read from block devices: `CAP_DAC_READ_SEARCH`. The kernel's
//! tables of mapped devices, from dmsetup(8): root (`CAP_SYS_ADMIN`). Without them `basis` says what a layer is known
//! from.
//!
//! # Bears on
//! A.8.24 (use of cryptography), A.7.14 and A.7.10 (which disks and media, encrypted or not), A.8.1 and A.7.9 (devices).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod device;
mod disks;
mod facts;
mod filesystem;
mod layers;
pub mod luks;
pub mod mountinfo;
mod stack;
mod survey;
pub mod swaps;
pub mod table;
#[cfg(test)]
mod tests;
mod text;
mod volumes;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::{Reading, Unread};
use mountinfo::MountTable;
use stack::Below;
use survey::Survey;
use volumes::{Drafts, judge};

/// The probe.
pub struct DiskEncryptionProbe;

impl Probe for DiskEncryptionProbe {
    const SPEC: Spec = Spec {
        id: "disk-encryption",
        version: 1,
        title: "Which filesystems and swap areas are encrypted, followed down to the disks",
        reads: &[
            "/proc/1/mountinfo",
            "/proc/self/mountinfo",
            "/proc/swaps",
            "/sys/dev/block/",
            "/sys/class/block/",
            "/sys/fs/btrfs/",
            "LUKS headers on the block devices beneath dm-crypt",
        ],
        runs: &["/usr/sbin/dmsetup"],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &["/dev/mapper/", "/proc/self/mountinfo", "/proc/swaps"],
        budget: Budget {
            millis: 2_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Volumes that are neither mounted nor in use as swap.",
            "Encryption by the disk itself, the hypervisor or the storage behind it: such a volume is `not_encrypted`.",
            "Who holds keys and passphrases, and whether a key lies on the same host.",
            "Encryption above the block layer (fscrypt, eCryptfs, ZFS, bcachefs): ZFS, bcachefs and eCryptfs are `unknown`, directories encrypted by fscrypt do not change their volume's state.",
            "What a mapping really does, where the kernel's table of it is not read, which needs root: then LUKS is believed by its header, and a layer without one (plain, BitLocker) by the UUID of its mapping (`basis`).",
        ],
    };

    type Facts = DiskEncryption;
    type Names = DiskEncryptionNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<DiskEncryption, DiskEncryptionNames>, ProbeError> {
        let (path, mounts_seen_by, mounts) = mount_table(reading)?;
        let mut survey = Survey::new(reading, &mounts);
        let mut drafts = Drafts::default();
        drafts.mounts(&mut survey, &mounts);
        if !mounts.malformed.is_empty() {
            drafts.unknown_mounts(path, &mounts.malformed);
        }
        match reading.volatile_bytes(SWAPS) {
            Ok(Some(bytes)) => match swaps::parse(&bytes) {
                Ok(areas) => drafts.swap(&mut survey, &areas),
                Err(error) => drafts.unknown_swap(format!("{SWAPS}: {error}")),
            },
            // A kernel without swap has no such file, and neither has a sandbox with `ProcSubset=pid` (systemd.exec(5)),
            // which hides it with all else that is no process.
            Ok(None) => match reading.stat("/proc/version") {
                Ok(Some(_)) => {}
                _ => drafts.unknown_swap(format!("{SWAPS} is hidden: /proc shows processes only")),
            },
            Err(unread) => drafts.unknown_swap(unread.to_string()),
        }
        survey.read_devices();
        let layers = survey.layers();
        let judged = judge(drafts.volumes, &survey);

        let disks = judged
            .disks
            .iter()
            .filter_map(|name| Some((name, survey.found.get(name)?)));
        let mut disks: Vec<_> = disks.map(|(name, found)| disks::disk(reading, name, found)).collect();
        disks.sort();
        let mut names = judged.names;
        let mut devices: Vec<_> = survey
            .found
            .values()
            .map(|found| {
                if let Some(full) = &found.full_name {
                    let (name, full) = (found.name.clone(), full.clone());
                    names.push(FullName { name, full });
                }
                found.fact(&survey)
            })
            .collect();
        devices.sort();
        names.sort();
        names.dedup();
        let mut encryption_layers: Vec<_> = layers.into_values().collect();
        encryption_layers.sort_by(|a, b| a.name.cmp(&b.name));
        let detail = match judged.unresolved.as_slice() {
            [] => String::new(),
            [one] => format!("{} could not be traced: {}", one.volume, one.detail),
            [one, rest @ ..] => format!(
                "{} and {} more could not be traced: {}",
                one.volume,
                rest.len(),
                one.detail
            ),
        };
        Ok(Collected {
            facts: DiskEncryption {
                mounts_seen_by,
                volumes: judged.volumes,
                unresolved: judged.unresolved,
                encryption_layers,
                devices,
                disks,
                other_filesystems: drafts.others.into_iter().collect(),
            },
            names: DiskEncryptionNames { names },
            detail,
        })
    }
}

const SWAPS: &str = "/proc/swaps";

/// The mounts of process 1: a sandboxed agent has mounts of its own. Else those of the agent.
fn mount_table(reading: &Reading<'_>) -> Result<(&'static str, MountView, MountTable), ProbeError> {
    let views = [
        ("/proc/1/mountinfo", MountView::Init),
        ("/proc/self/mountinfo", MountView::Agent),
    ];
    let mut why: Option<Unread> = None;
    for (path, view) in views {
        match reading.volatile_bytes(path) {
            Ok(Some(bytes)) if !bytes.is_empty() => {
                let table = MountTable::parse(&bytes).map_err(|error| ProbeError::malformed(path, error))?;
                return Ok((path, view, table));
            }
            Ok(_) => {}
            Err(unread) => why = Some(unread),
        }
    }
    Err(why.map_or_else(|| ProbeError::absent("/proc/self/mountinfo"), ProbeError::from))
}

impl survey::Found {
    fn fact(&self, survey: &Survey<'_, '_>) -> Device {
        let mut below: Vec<String> = match &self.node.below {
            Below::Devices(names) => names
                .iter()
                .map(|name| {
                    survey
                        .found
                        .get(name)
                        .map_or_else(|| name.clone(), |found| found.name.clone())
                })
                .collect(),
            _ => vec![],
        };
        below.sort();
        Device {
            name: self.name.clone(),
            kind: self.kind,
            variant: self.variant.clone(),
            size_bytes: self.size_bytes,
            below,
        }
    }
}
