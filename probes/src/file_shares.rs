//! # What
//! What this host offers to others as file systems: NFS exports, Samba's shares, FTP without a login, and which programs for
//! that there are.
//!
//! # Source
//! exports(5) and what exportfs(8) left in `/var/lib/nfs/etab`; nfs.conf(5); nfsd(7) for `/proc/fs/nfsd`; smb.conf(5);
//! vsftpd.conf(5); systemd's unit files.
//!
//! # Privilege
//! `CAP_DAC_READ_SEARCH`: some of these files are closed to others on some systems.
//!
//! # Bears on
//! A.8.3 (information access restriction), A.5.14 (information transfer), A.5.15 (access control), A.8.5 (secure
//! authentication), A.8.12 (data leakage prevention), A.8.20 (networks security), A.8.21 (security of network services), A.8.24
//! (use of cryptography).
//!
//! # Does not show
//! See [`SPEC.does_not_show`](crate::Spec::does_not_show).

mod exports;
mod facts;
mod nfs;
mod nfs_conf;
mod smb;
mod smb_parameters;
mod tini;
mod vsftpd;

pub use facts::*;

use crate::disk_encryption::text;
use crate::probe::{Budget, Cadence, Collected, Known, NoNames, Privilege, Probe, ProbeError, Spec};
use crate::reading::Reading;
use crate::software::LazyUnits;
use crate::software::products::{Product, Survey};

/// The probe.
pub struct FileSharesProbe;

impl Probe for FileSharesProbe {
    const SPEC: Spec = Spec {
        id: "file-shares",
        version: 1,
        title: "What this host offers to others as file systems: NFS exports, Samba's shares, FTP without a login",
        reads: &[
            "/etc/exports, /etc/exports.d/",
            "/var/lib/nfs/etab",
            "/etc/nfs.conf, /etc/nfs.conf.d/",
            "/proc/fs/nfsd/versions",
            "/etc/samba/smb.conf and what it includes",
            "/var/lib/samba/usershares/",
            "/etc/vsftpd.conf, /etc/vsftpd/",
            "programs of known file servers, and their unit files",
        ],
        runs: &[],
        privilege: Privilege::DacReadSearch,
        cadence: Cadence::EveryRound,
        watch: &[
            "/etc/exports",
            "/etc/exports.d/",
            "/var/lib/nfs/etab",
            "/etc/nfs.conf",
            "/etc/nfs.conf.d/",
            "/etc/samba/",
            "/var/lib/samba/usershares/",
            "/etc/vsftpd.conf",
            "/etc/vsftpd/",
        ],
        budget: Budget {
            millis: 5_000,
            bytes: 16 * 1024 * 1024,
        },
        does_not_show: &[
            "Who really mounts or opens what is offered, and what the modes of the files then allow.",
            "The addresses and names of clients, users and groups: only of which kind they are, or that there are such.",
            "Which clients the kernel holds right now (/proc/fs/nfsd/exports): that changes with each mount.",
            "Whether a netgroup or a pattern of names lets in more than is meant.",
            "Samba's registry, and files that it includes by a variable.",
            "Options given on the command lines of servers, and configurations in other places than these.",
            "What ProFTPD, Pure-FTPd, NFS-Ganesha, ksmbd, TFTP servers and software in containers offer: only their units.",
        ],
    };

    type Facts = FileShares;
    type Names = NoNames;

    fn collect(reading: &Reading<'_>) -> Result<Collected<FileShares, NoNames>, ProbeError> {
        let survey = Survey::of(&SERVERS, &LazyUnits::new(reading));
        Ok(Collected::facts(FileShares {
            servers: survey.installed,
            undetermined: survey.undetermined,
            nfs: nfs::read(reading),
            samba: Known::of(smb::read(reading), "/etc/samba/smb.conf"),
            vsftpd: Known::of(vsftpd::read(reading), "vsftpd.conf"),
        }))
    }
}

/// Sorted; another one is a line more.
#[rustfmt::skip]
const SERVERS: [Product; 9] = [
    Product { id: "atftpd", files: &["/usr/sbin/atftpd"], units: &["atftpd.service", "atftpd.socket"] },
    Product { id: "ksmbd", files: &["/usr/sbin/ksmbd.mountd"], units: &["ksmbd.service"] },
    Product { id: "nfs_ganesha", files: &["/usr/bin/ganesha.nfsd"], units: &["nfs-ganesha.service"] },
    Product { id: "nfs_server", files: &["/usr/sbin/rpc.nfsd", "/usr/bin/rpc.nfsd"], units: &["nfs-server.service", "nfs-kernel-server.service", "nfs-mountd.service", "rpcbind.service", "rpcbind.socket"] },
    Product { id: "proftpd", files: &["/usr/sbin/proftpd"], units: &["proftpd.service", "proftpd.socket"] },
    Product { id: "pure_ftpd", files: &["/usr/sbin/pure-ftpd*"], units: &["pure-ftpd.service"] },
    Product { id: "samba", files: &["/usr/sbin/smbd", "/usr/bin/smbd", "/usr/sbin/samba"], units: &["smbd.service", "smb.service", "nmbd.service", "nmb.service", "samba-ad-dc.service", "samba.service"] },
    Product { id: "tftpd", files: &["/usr/sbin/in.tftpd"], units: &["tftpd-hpa.service", "tftp.service", "tftp.socket"] },
    Product { id: "vsftpd", files: &["/usr/sbin/vsftpd", "/usr/bin/vsftpd"], units: &["vsftpd.service", "vsftpd@.service", "vsftpd.socket"] },
];

/// A path as the facts show it: without the name of a person, and not longer than a path is.
fn shown(path: &str) -> String {
    text::masked(path).chars().take(1_000).collect()
}

#[cfg(test)]
mod tests;
