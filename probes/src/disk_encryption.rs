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
//! Mounts, swap and the block stack: none. LUKS headers are read from block devices: `CAP_DAC_READ_SEARCH`.
//!
//! # Bears on
//! A.8.24 (use of cryptography), A.7.14 and A.7.10 (which disks and media, encrypted or not), A.8.1 and A.7.9 (devices).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod facts;

pub use facts::*;

use crate::probe::{Budget, Collected, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

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
        watch: &["/proc/self/mountinfo", "/proc/swaps"],
        budget: Budget {
            millis: 2_000,
            bytes: 64 * 1024 * 1024,
        },
        does_not_show: &[
            "Volumes that are neither mounted nor in use as swap.",
            "Encryption by the disk itself, the hypervisor or the storage behind it: such a volume is `not_encrypted`.",
            "Who holds keys and passphrases, and whether a key lies on the same host.",
            "Encryption above the block layer (fscrypt, eCryptfs, ZFS, bcachefs): ZFS, bcachefs and eCryptfs are `unknown`, directories encrypted by fscrypt do not change their volume's state.",
            "Without root, that a mapping does what its UUID says: then the kernel's table of the mapping is not read.",
        ],
    };

    type Facts = DiskEncryption;
    type Names = DiskEncryptionNames;

    fn collect(_reading: &Reading<'_>) -> Result<Collected<DiskEncryption, DiskEncryptionNames>, ProbeError> {
        Err(ProbeError::unsupported("the block stack is not read yet"))
    }
}
