//! What a type of filesystem says about where its data lies.

use std::collections::BTreeSet;

use super::facts::Class;

/// Where a filesystem without a block device of its own keeps its data (filesystems(5); `/proc/filesystems` calls them
/// `nodev`). Types that are not known here are never taken for harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Nowhere: an interface of the kernel or of a program.
    Virtual,
    /// In memory.
    Memory,
    /// On another machine, or with the hypervisor.
    Remote,
    /// On one or more block devices that sysfs names.
    Btrfs,
    /// In the folders that are its layers.
    Overlay,
    /// In a pool, of which zfs(8) tells more.
    Zfs,
    /// Encrypted, in the folder above which it is mounted.
    Ecryptfs,
    /// Somewhere that the probe does not follow, for this reason.
    Untraced(&'static str),
}

impl Nature {
    pub(super) fn of(filesystem: &str) -> Self {
        match filesystem {
            "proc" | "sysfs" | "devtmpfs" | "devpts" | "cgroup" | "cgroup2" | "cpuset" | "securityfs" | "debugfs"
            | "tracefs" | "configfs" | "pstore" | "efivarfs" | "bpf" | "mqueue" | "autofs" | "binfmt_misc"
            | "fusectl" | "nsfs" | "rpc_pipefs" | "nfsd" | "selinuxfs" | "smackfs" | "functionfs" | "resctrl"
            | "sysv_sem" | "pipefs" | "sockfs" | "bdev" | "anon_inodefs" | "xenfs" | "openpromfs" | "usbfs"
            | "fuse.lxcfs" | "fuse.gvfsd-fuse" | "fuse.portal" | "fuse.snapfuse" => Self::Virtual,
            "tmpfs" | "ramfs" | "rootfs" | "hugetlbfs" => Self::Memory,
            "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "ceph" | "fuse.ceph" | "9p" | "virtiofs" | "afs" | "coda"
            | "ncpfs" | "lustre" | "gpfs" | "beegfs" | "orangefs" | "pvfs2" | "vboxsf" | "vmhgfs" | "prl_fs"
            | "fuse.sshfs" | "fuse.glusterfs" | "fuse.vmhgfs-fuse" | "fuse.s3fs" | "fuse.rclone" | "fuse.gcsfuse"
            | "davfs" | "fuse.davfs" => Self::Remote,
            "btrfs" => Self::Btrfs,
            "overlay" => Self::Overlay,
            "zfs" => Self::Zfs,
            "bcachefs" => Self::Untraced("bcachefs is not traced: neither its disks nor its native encryption"),
            "ecryptfs" => Self::Ecryptfs,
            "ubifs" => Self::Untraced("UBI volumes are not traced to their flash"),
            "aufs" | "unionfs" | "mergerfs" | "fuse.mergerfs" | "fuse.fuse-overlayfs" => {
                Self::Untraced("the layers of this union filesystem are not traced")
            }
            _ => Self::Untraced("this type of filesystem has no block device and is not known to the probe"),
        }
    }
}

/// The class of a filesystem on a block device, with the reason.
pub(super) fn class(filesystem: &str, read_only: bool, mount_points: &BTreeSet<String>) -> (Class, String) {
    if matches!(filesystem, "squashfs" | "iso9660" | "erofs" | "cramfs" | "romfs") {
        return (Class::ReadOnlyMedia, format!("{filesystem} cannot be written"));
    }
    if filesystem == "udf" && read_only {
        return (Class::ReadOnlyMedia, "UDF, mounted read-only".to_owned());
    }
    let all = |inside: fn(&str) -> bool| !mount_points.is_empty() && mount_points.iter().all(|point| inside(point));
    let fat = matches!(filesystem, "vfat" | "msdos");
    if fat && all(|point| matches!(point, "/boot/efi" | "/efi" | "/boot")) {
        return (Class::Efi, "FAT, mounted for the firmware".to_owned());
    }
    if all(|point| point == "/boot" || point.starts_with("/boot/")) {
        return (Class::Boot, "mounted at /boot only".to_owned());
    }
    (Class::Data, "local filesystem".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(filesystem: &str, read_only: bool, points: &[&str]) -> Class {
        class(filesystem, read_only, &points.iter().map(ToString::to_string).collect()).0
    }

    #[test]
    fn classes() {
        assert_eq!(class_of("ext4", false, &["/boot"]), Class::Boot);
        assert_eq!(class_of("ext4", false, &["/boot", "/mnt"]), Class::Data);
        assert_eq!(class_of("ext4", false, &["/bootleg"]), Class::Data);
        assert_eq!(class_of("vfat", false, &["/boot/efi"]), Class::Efi);
        assert_eq!(class_of("vfat", false, &["/media/stick"]), Class::Data);
        assert_eq!(class_of("ext4", false, &["/efi"]), Class::Data);
        assert_eq!(class_of("squashfs", true, &["/snap/core/1"]), Class::ReadOnlyMedia);
        assert_eq!(class_of("udf", false, &["/mnt"]), Class::Data);
        assert_eq!(class_of("udf", true, &["/mnt"]), Class::ReadOnlyMedia);
        assert_eq!(
            class_of("ext4", true, &["/"]),
            Class::Data,
            "read-only today does not make it empty"
        );
    }

    #[test]
    fn a_type_that_is_not_known_is_not_harmless() {
        assert!(matches!(Nature::of("newfs"), Nature::Untraced(_)));
        assert!(matches!(Nature::of("fuse.anything"), Nature::Untraced(_)));
    }
}
