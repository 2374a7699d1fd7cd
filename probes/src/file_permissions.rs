//! # What
//! Owner, permissions, ACLs and attributes of the files and folders on which a host's security rests; how filesystems for
//! temporary files, logs and homes are mounted; whether the boot loader asks for a password.
//!
//! # Source
//! inode(7), acl(5), chattr(1); proc_pid_mountinfo(5), fstab(5), systemd.mount(5); GRUB's `grub.cfg` and `user.cfg`,
//! systemd-boot's loader.conf(5).
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH` for what lies in folders that are closed, and for `grub.cfg`.
//!
//! # Bears on
//! A.8.3 (information access restriction), A.8.4 (access to source code), A.8.9 (configuration management), A.8.15
//! (logging), A.8.2 (privileged access rights).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

pub mod acl;
mod boot;
mod contents;
mod facts;
pub mod fstab;
mod mounts;
mod places;

pub use facts::*;

use crate::probe::{Budget, Cadence, Collected, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;

/// The probe.
pub struct FilePermissionsProbe;

impl Probe for FilePermissionsProbe {
    const SPEC: Spec = Spec {
        id: "file-permissions",
        version: 2,
        title: "Permissions of sensitive files, options of mounts, password of the boot loader",
        reads: &[
            "mode, owner, ACL and attributes of accounts, sudoers, ssh, cron, PAM, boot and log files and their folders",
            "/proc/1/mountinfo, else /proc/self/mountinfo",
            "/etc/fstab",
            "units of kind .mount",
            "/boot/grub/grub.cfg, /boot/grub2/grub.cfg, user.cfg and custom.cfg beside it",
            "/boot/loader/loader.conf",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/",
            "/etc/ssh/",
            "/etc/pam.d/",
            "/etc/sudoers.d/",
            "/etc/cron.d/",
            "/boot/grub/",
            "/boot/grub2/",
            "/var/log/",
            "/proc/self/mountinfo",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Files that are not listed; what everybody may write anywhere is told by `setuid-files`.",
            "Rights that a security module (SELinux, AppArmor) gives or takes.",
            "Whether the firmware lets somebody start another system past the boot loader.",
            "Passwords that GRUB reads from elsewhere than its own folder.",
        ],
    };

    type Facts = FilePermissions;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<FilePermissions, NoNames>, ProbeError> {
        let mounts = mounts::Mounts::read(reading);
        Ok(Collected::facts(FilePermissions {
            files: places::files(reading),
            folders: places::folders(reading),
            mounts: mounts.places(reading),
            removable: mounts.removable(),
            network: mounts.network(),
            network_configured: mounts.network_configured(),
            grub: boot::grub(reading),
            systemd_boot: boot::systemd_boot(reading),
        }))
    }
}

#[cfg(test)]
mod tests;
