//! What the probe tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::probe::Known;
use crate::software::products::{Installed, Undetermined};

/// What the host offers to others as file systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileShares {
    /// Programs that serve files, with the states of their units: NFS, Samba, FTP and TFTP.
    pub servers: Vec<Installed>,
    /// Programs of which it is not known whether they are there.
    pub undetermined: Vec<Undetermined>,
    /// The kernel's NFS server.
    pub nfs: Nfs,
    /// Samba, by `smb.conf` and what it includes; `malformed` where Samba itself refuses to start with it.
    pub samba: Known<Samba>,
    /// The configurations of vsftpd, sorted by file; on Red Hat's systems each file of `/etc/vsftpd` is a server.
    pub vsftpd: Known<Vec<Vsftpd>>,
}

/// The kernel's NFS server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Nfs {
    /// What `/etc/exports` and `/etc/exports.d/*.exports` say; `absent` without such a file.
    pub configured: Known<Configured>,
    /// What is exported since exportfs(8) ran last, by `/var/lib/nfs/etab`, sorted by folder.
    pub exported: Known<Vec<Export>>,
    /// In what the two differ; without files of exports all that is exported does, and `absent` without `etab`.
    pub difference: Known<Difference>,
    /// Versions and transports that are set in `[nfsd]` of `/etc/nfs.conf` and `/etc/nfs.conf.d`, for instance `vers3`; those
    /// that are not set have the default of the kernel.
    pub set: Known<BTreeMap<String, bool>>,
    /// The versions that the running server speaks, for instance `4.2`, by `/proc/fs/nfsd/versions`; `absent` where it does
    /// not run.
    pub versions: Known<Vec<String>>,
}

/// What is to be exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Configured {
    /// The files, in the order in which they are read.
    pub files: Vec<String>,
    /// The exports, sorted by folder.
    pub exports: Vec<Export>,
    /// What exportfs(8) does not take, with the place: a client whose network is none is left out, and with anything else its
    /// reading of that file ends, so that what follows is not exported.
    pub refused: Vec<String>,
}

/// A folder that is exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Export {
    /// The folder, links followed; of one that may be named after a person only where it lies, for instance `/home/*`.
    pub folder: String,
    /// To whom, in the order of the file.
    pub clients: Vec<Client>,
}

/// Who may mount a folder, and how.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Client {
    /// Who.
    pub kind: ClientKind,
    /// For a network the length of its prefix; null where the mask is no prefix.
    pub prefix_length: Option<u8>,
    /// Whether anything may be written, with any of the flavours.
    pub read_write: bool,
    /// Whether root of the client is nobody here, with every flavour.
    pub root_squash: bool,
    /// Whether everybody of the client is nobody here, with every flavour.
    pub all_squash: bool,
    /// Whether requests must come from a port below 1024, which only root can use, with every flavour.
    pub secure: bool,
    /// Whether an answer waits until what was written is on disk.
    pub sync: bool,
    /// Security flavours in order of preference: `sys` (the client says who its user is), `krb5`, `krb5i` (nothing can be
    /// changed on the way), `krb5p` (nothing can be read on the way), `none`.
    pub flavours: Vec<String>,
    /// Transport security that is asked for: `none`, `tls`, `mtls`; empty if nothing is written, and anything is taken.
    pub transport: Vec<String>,
}

/// Whom an export names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// Everybody: `*`, nothing, or a network with a prefix of length 0.
    Everybody,
    /// A network.
    Network,
    /// A pattern of host names, which the name service decides about.
    NamePattern,
    /// One host, by address or name.
    Host,
    /// A netgroup (innetgr(3)).
    Netgroup,
    /// Everybody with the named flavour (`gss/krb5`), as it was written before 2007.
    Gss,
}

/// In what the configuration and what is exported differ. Hosts that are written by name are counted, not compared: exportfs
/// writes the name that the name service gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// Folders that are exported to somebody to whom the configuration does not export them.
    pub exported_not_configured: Vec<String>,
    /// Folders that the configuration exports to somebody to whom they are not exported.
    pub configured_not_exported: Vec<String>,
    /// Folders that are exported to somebody with other options than the configuration has.
    pub other_options: Vec<String>,
}

/// Samba's configuration.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Samba {
    /// The files, in the order in which they are read.
    pub files: Vec<String>,
    /// Files that are named and could not be followed: their name holds a variable of Samba, or they are not there.
    pub not_followed: Vec<String>,
    /// Whether shares stand in Samba's registry too, which this probe does not read.
    pub registry: bool,
    /// Global settings that are set, by the name that testparm(1) prints, with the value that it prints in lower case; for those
    /// that are not set the default of the installed version holds.
    pub settings: BTreeMap<String, String>,
    /// Whether `hosts allow` is set for all shares.
    pub hosts_allow: bool,
    /// Whether `hosts deny` is set for all shares.
    pub hosts_deny: bool,
    /// Whether `interfaces` is set.
    pub interfaces: bool,
    /// The shares, sorted by name.
    pub shares: Vec<Share>,
    /// Shares that users have made themselves (`net usershare`).
    pub usershares: Known<UserShares>,
}

/// A share; what it does not say itself it has from `[global]`, and else from Samba's defaults.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Share {
    /// Its name; `homes` stands for the home of whoever logs in, `printers` for all printers.
    pub name: String,
    /// Its folder as written; of one that may be named after a person only where it lies.
    pub path: Option<String>,
    /// Whether it can be used: `available`, and it has a path.
    pub available: bool,
    /// Whether it is shown in lists.
    pub browseable: bool,
    /// Whether nothing can be written.
    pub read_only: bool,
    /// Whether nobody need log in.
    pub guest_ok: bool,
    /// Whether everybody is a guest.
    pub guest_only: bool,
    /// Whether it is a printer's queue.
    pub printable: bool,
    /// Whether symbolic links may lead out of it.
    pub wide_links: bool,
    /// `server smb encrypt`: `required`, `desired`, `if_required`, `no` or `default`.
    pub encryption: String,
    /// Whether `hosts allow` is set.
    pub hosts_allow: bool,
    /// Whether `hosts deny` is set.
    pub hosts_deny: bool,
    /// Whether `valid users` is set.
    pub valid_users: bool,
    /// Whether `admin users` is set: they do everything as root.
    pub admin_users: bool,
    /// Whether `force user` is set: everybody is that user.
    pub force_user: bool,
}

/// Shares that users have made themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserShares {
    /// How many.
    pub count: u64,
    /// How many of them say that nobody need log in.
    pub guest_ok: u64,
}

/// A configuration of vsftpd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vsftpd {
    /// The file.
    pub file: String,
    /// What it says; `malformed` where vsftpd refuses to start with it.
    pub settings: Known<VsftpdSettings>,
}

/// What a file of vsftpd says.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VsftpdSettings {
    /// Whether anybody may log in as `ftp` or `anonymous`, which is so too if nothing is set.
    pub anonymous: bool,
    /// Whether users of the host may log in (`local_enable`).
    pub local_users: bool,
    /// Whether anything can be changed (`write_enable`).
    pub write: bool,
    /// Whether they that are anonymous can upload: `write_enable` and `anon_upload_enable`.
    pub anonymous_upload: bool,
    /// Whether they that are anonymous can make, rename or remove: `write_enable` and `anon_mkdir_write_enable` or
    /// `anon_other_write_enable`.
    pub anonymous_change: bool,
    /// Whether TLS is spoken (`ssl_enable`).
    pub tls: bool,
    /// Whether users of the host can log in with TLS alone: `ssl_enable` and `force_local_logins_ssl`.
    pub tls_for_logins: bool,
    /// Whether their data goes by TLS alone: `ssl_enable` and `force_local_data_ssl`.
    pub tls_for_data: bool,
    /// Whether users of the host are confined to their homes (`chroot_local_user`).
    pub chroot: bool,
}
