//! # What
//! Every mounted local filesystem and every swap area, traced through partitions, LVM, software RAID, loop devices and
//! dm-crypt down to the disks. A volume is `encrypted` only if every way from it to a disk crosses encryption.
//!
//! # Source
//! proc_pid_mountinfo(5) of process 1 (else of the agent); proc_swaps(5); sysfs: `/sys/dev/block`, `/sys/class/block`
//! (kernel `Documentation/ABI/stable/sysfs-block`, `Documentation/ABI/testing/sysfs-block-dm`, `-loop`, `-zram`,
//! `Documentation/admin-guide/md.rst`), `/sys/fs/btrfs`; crypttab(5); fstab(5); `/sys/power`
//! (`Documentation/admin-guide/pm/sleep-states.rst`); statx(2) for fscrypt; zfs-get(8); the UUIDs that cryptsetup gives its mappings; LUKS On-Disk
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

mod above;
mod configured;
mod crypttab;
mod device;
mod disks;
mod facts;
mod filesystem;
mod hibernation;
mod layers;
pub mod luks;
pub mod mountinfo;
mod remote;
mod stack;
mod survey;
pub mod swaps;
pub mod table;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod volumes;

pub use facts::*;

use evidence::facts::Outcome;

use crate::order::Order as _;
use crate::probe::{Budget, Cadence, Collected, Known, NotKnown, Privilege, Probe, ProbeError, Spec};
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
        version: 3,
        title: "Which filesystems and swap areas are encrypted, followed down to the disks",
        reads: &[
            "/proc/1/mountinfo",
            "/proc/self/mountinfo",
            "/proc/swaps",
            "/sys/dev/block/",
            "/sys/class/block/",
            "/sys/fs/btrfs/",
            "LUKS headers on the block devices beneath dm-crypt",
            "/etc/crypttab, with mode and place of the key files that it names and of those in /etc/cryptsetup-keys.d/",
            "/etc/fstab",
            "/sys/power/ and resume= in the kernel's command line, in boot settings and in what the boot loader reads",
            "which folders at the top of ext4, f2fs, UBIFS and CephFS are encrypted (fscrypt)",
        ],
        runs: &["/usr/sbin/dmsetup", above::ZFS],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/dev/mapper/",
            "/proc/self/mountinfo",
            "/proc/swaps",
            "/etc/crypttab",
            "/etc/fstab",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Volumes that are neither mounted, nor in use as swap, nor in `/etc/fstab`, such as those of units of systemd that are not started.",
            "Encryption by the disk itself, the hypervisor or the storage behind it: such a volume is `not_encrypted`.",
            "Who holds keys and passphrases, and whether a key that `/etc/crypttab` does not name lies on the same host.",
            "The disks of ZFS pools, so that a dataset without native encryption is `unknown`, and bcachefs, which is `unknown`.",
            "Folders encrypted by fscrypt elsewhere than at the top of their filesystem and in `/home`; they do not change their volume's state.",
            "Whether a drive encrypts and is locked (OPAL, ATA security), beyond what a LUKS2 header says of OPAL: the kernel does not tell.",
            "What a server keeps of remote filesystems, and whether an SMB server demands encryption by itself.",
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
        let mut areas_in_use = None;
        match reading.volatile_bytes(SWAPS) {
            Ok(Some(bytes)) => match swaps::parse(&bytes) {
                Ok(areas) => {
                    drafts.swap(&mut survey, &areas);
                    areas_in_use = Some(areas);
                }
                Err(error) => drafts.unknown_swap(format!("{SWAPS}: {error}")),
            },
            // A kernel without swap has no such file, and neither has a sandbox with `ProcSubset=pid` (systemd.exec(5)),
            // which hides it with all else that is no process.
            Ok(None) => match reading.stat("/proc/version") {
                Ok(Some(_)) => areas_in_use = Some(vec![]),
                _ => drafts.unknown_swap(format!("{SWAPS} is hidden: /proc shows processes only")),
            },
            Err(unread) => drafts.unknown_swap(unread.to_string()),
        }
        let crypttab = crypttab::Draft::read(&mut survey);
        let hibernation = hibernation::Draft::read(&mut survey);
        let configured = configured::Draft::read(&mut survey, areas_in_use.as_deref());
        survey.read_devices();
        let layers = survey.layers();
        let judged = judge(drafts.volumes, &survey);
        let crypttab = match crypttab {
            Ok(Some(draft)) => Known::Observed(draft.judge(&survey)),
            Ok(None) => Known::Not(NotKnown {
                outcome: Outcome::Absent,
                detail: "/etc/crypttab is not there".to_owned(),
            }),
            Err(unread) => Known::unread(&unread),
        };
        let hibernation = hibernation.judge(&survey);
        let configured = configured.map(|draft| draft.map(|draft| draft.judge(&survey)));

        let disks = judged
            .disks
            .iter()
            .filter_map(|name| Some((name, survey.found.get(name)?)));
        let mut disks: Vec<_> = disks.map(|(name, found)| disks::disk(reading, name, found)).collect();
        disks.order();
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
        devices.order();
        names.order();
        names.dedup();
        let mut encryption_layers: Vec<_> = layers.into_values().collect();
        encryption_layers.order_by(|a, b| a.name.cmp(&b.name));
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
                file_encryption: above::file_encryption(reading, &mounts, survey.zfs.as_ref()),
                remote_mounts: remote::mounts(&mounts),
                crypttab,
                configured: Known::of(configured, "/etc/fstab"),
                hibernation,
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
        below.order();
        Device {
            name: self.name.clone(),
            kind: self.kind,
            variant: self.variant.clone(),
            size_bytes: self.size_bytes,
            below,
        }
    }
}
