//! The one door between a probe and a machine.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use evidence::facts::Outcome;
use thiserror::Error;

use super::shelf::Shelf;

/// What a probe can ask of a host. Paths are absolute, as they are on the host; an implementation over a root folder
/// resolves symbolic links inside that folder.
///
/// Everywhere `Ok(None)` means *not there*, and every other way of not knowing is an [`Unread`].
pub trait Host {
    /// The bytes of a regular file (or of a procfs or sysfs file), at most `limit` of them: a larger file is
    /// [`Unread::TooLarge`], never cut. Does not block on a FIFO or device.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread>;

    /// At most `length` bytes at `offset` of a file or block device: for headers. Fewer at the end of the file.
    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread>;

    /// The entries of a folder, without `.` and `..`, sorted by name.
    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread>;

    /// stat(2) or, with `follow` false, lstat(2).
    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread>;

    /// readlink(2): the target as it is written in the link. A path that is no link is [`Unread::Failed`].
    fn read_link(&self, path: &str) -> Result<Option<String>, Unread>;

    /// Runs one program without a shell, with an empty environment but `PATH` and `LC_ALL=C`, and waits for it.
    /// `Ok(None)`: no such program. Over another root than the machine's own: [`Unread::Skipped`].
    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread>;

    /// Hardware and interfaces, which have no single file. Over another root: [`Unread::Skipped`].
    fn inventory(&self) -> Result<Inventory, Unread>;

    /// Where probes of one round keep what others need too; `None`: each reads for itself.
    fn shelf(&self) -> Option<&Shelf> {
        None
    }

    /// The value of an extended attribute (xattr(7)), links followed. `Ok(None)`: no such file, no such attribute,
    /// or a filesystem that has none of that kind.
    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread>;

    /// Walks what is mounted at `walk.start` (links followed on the way there, and never afterwards) and nothing that is
    /// mounted below it, calling `found` for each entry that [`Walk`] asks for. In no particular order: there can be
    /// millions, and whoever keeps some of them chooses which. `Ok(None)`: no such folder. After an error (the time is
    /// over) what was found so far is not all, and must not be taken for it.
    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread>;

    /// Sockets that take connections or datagrams from outside their process, of the agent's network namespace
    /// (sock_diag(7)), sorted. Over another root: [`Unread::Skipped`].
    fn listeners(&self) -> Result<Vec<Listener>, Unread>;

    /// What a TLS server on this host presents. Nothing is verified and nothing is sent after the handshake. `Ok(None)`:
    /// nothing listens there. Over another root: [`Unread::Skipped`].
    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread>;

    /// What a TLS server on this host answers to a client that offers TLS 1.1, 1.0 and SSL 3.0 alone. Nothing is sent after
    /// the offer. `Ok(None)`: nothing listens there. Over another root: [`Unread::Skipped`].
    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread>;
}

/// A program to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    /// Absolute path; must be among the `runs` of the probe's specification.
    pub program: &'a str,
    /// Its arguments.
    pub args: &'a [&'a str],
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

/// What a program left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit status; 128 + n if ended by signal n, as shells write it.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// File name; bytes that are not UTF-8 are written as `\xNN`.
    pub name: String,
    /// What it is, links not followed.
    pub kind: Kind,
}

/// The kind of a file (inode(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Regular file.
    File,
    /// Directory.
    Folder,
    /// Symbolic link.
    Link,
    /// Block device.
    Block,
    /// Character device.
    Character,
    /// FIFO.
    Fifo,
    /// Socket.
    Socket,
}

/// stat(2), as far as probes use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Permission, setuid, setgid and sticky bits (`st_mode & 07777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Last change of content, seconds since 1970.
    pub mtime: i64,
    /// Last change of content, name, mode or owner, seconds since 1970: unlike `mtime` it cannot be set.
    pub ctime: i64,
    /// Major and minor number of the device that it *is*, for devices; else zero.
    pub device: (u32, u32),
    /// Inode number; for a cgroup's folder the cgroup's id.
    pub inode: u64,
    /// Flags of the file, as far as its filesystem tells.
    pub attributes: Attributes,
}

/// Flags of a file (statx(2) `stx_attributes`); `None` where the filesystem does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Cannot be changed, renamed or removed, by root neither.
    pub immutable: Option<bool>,
    /// Can only be appended to.
    pub append_only: Option<bool>,
    /// The filesystem encrypts it (fscrypt).
    pub encrypted: Option<bool>,
}

/// What a walk looks for: an entry that has any of it.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    /// Where to begin.
    pub start: &'a str,
    /// Any of these mode bits on a regular file (`0o7002`: setuid, setgid, sticky, writable by everybody).
    pub file_bits: u32,
    /// Writable by everybody and not sticky: folders.
    pub open_folders: bool,
    /// File capabilities (capabilities(7), `security.capability`) on a regular file that somebody may execute.
    pub capabilities: bool,
    /// Owned by a user who is not among these: entries of every kind, links too.
    pub users: Option<&'a BTreeSet<u32>>,
    /// Of a group that is not among these: entries of every kind, links too.
    pub groups: Option<&'a BTreeSet<u32>>,
    /// Files and folders in these folders or below, and these folders, that somebody else than root owns or whose group may
    /// write them.
    pub of_root: &'a [&'a str],
}

/// Whether `path` is one of `folders` or lies below one.
pub fn is_below(path: &[u8], folders: &[&str]) -> bool {
    folders.iter().any(|folder| {
        let rest = path.strip_prefix(folder.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

/// An entry that a walk was to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute path.
    pub path: String,
    /// lstat(2).
    pub stat: Stat,
    /// The value of `security.capability`, if it was asked for and is there.
    pub capability: Option<Vec<u8>>,
}

/// What a walk covered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Walked {
    /// Entries looked at.
    pub entries: u64,
    /// What was not entered, with the reason: denied, too deep, gone bad. At most 1,000; sorted by place.
    pub unread: Vec<Unread>,
    /// How many were not entered, those beyond the list included.
    pub unread_count: u64,
}

/// Transport protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP, listening.
    Tcp,
    /// UDP, bound and not connected.
    Udp,
}

/// A socket that others can reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Local address; unspecified (`0.0.0.0`, `::`) for all.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Index of the interface that it is bound to; 0 for any.
    pub interface: u32,
    /// Takes IPv6 alone; `None` where the kernel does not tell, and for IPv4.
    pub v6_only: Option<bool>,
    /// Owner.
    pub uid: u32,
    /// Inode number, as in `/proc/PID/fd`.
    pub inode: u64,
    /// Id of the cgroup (inode of its folder) in which it was made; Linux 5.7 or later.
    pub cgroup: Option<u64>,
}

/// What a TLS server presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPeer {
    /// Protocol version agreed upon, as IANA names it: `TLSv1.2`, `TLSv1.3`.
    pub version: String,
    /// Cipher suite agreed upon, as IANA names it.
    pub cipher_suite: String,
    /// Certificates in the order in which they were sent, DER.
    pub chain: Vec<Vec<u8>>,
}

/// The answer to an offer of TLS 1.1 at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldTls {
    /// The server goes on with this version: `TLSv1.1`, `TLSv1.0` or `SSLv3`.
    Agreed(&'static str),
    /// The server refuses with an alert, named as in RFC 8446 section 6 (`protocol_version`), or `alert NUMBER`.
    Refused(String),
}

/// Hardware and interfaces, as sysinfo sees them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// Model name of the first processor.
    pub cpu_model: String,
    /// Logical processors.
    pub cpus: u32,
    /// Physical memory, bytes.
    pub memory_bytes: u64,
    /// Network interfaces, sorted by name.
    pub interfaces: Vec<Interface>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Hardware address, lower case, with colons; empty if it has none.
    pub mac: String,
    /// Addresses with prefix length, sorted.
    pub addresses: Vec<String>,
}

/// Why something that is or may be there was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unread {
    /// EACCES or EPERM.
    #[error("{place}: permission denied")]
    Denied {
        /// Path or command.
        place: String,
    },
    /// Another error of the system or of the program.
    #[error("{place}: {reason}")]
    Failed {
        /// Path or command.
        place: String,
        /// What the system said.
        reason: String,
    },
    /// More bytes than the limit.
    #[error("{place}: larger than {limit} bytes")]
    TooLarge {
        /// Path or command.
        place: String,
        /// The limit, bytes.
        limit: u64,
    },
    /// It did not answer in time.
    #[error("{place}: no answer within {millis} ms")]
    Timeout {
        /// Path or command.
        place: String,
        /// The limit, milliseconds.
        millis: u32,
    },
    /// Not tried.
    #[error("{place}: not tried: {reason}")]
    Skipped {
        /// Path or command.
        place: String,
        /// Why not.
        reason: String,
    },
    /// Read, and not of the form that it must have.
    #[error("{place}: {reason}")]
    Malformed {
        /// Path or command.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Unread {
    /// The same, said of `shown`: for paths that may name a person.
    #[must_use]
    pub fn shown_as(mut self, shown: &str) -> Self {
        let (Self::Denied { place }
        | Self::Failed { place, .. }
        | Self::TooLarge { place, .. }
        | Self::Timeout { place, .. }
        | Self::Skipped { place, .. }
        | Self::Malformed { place, .. }) = &mut self;
        shown.clone_into(place);
        self
    }

    /// As a document records it.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Denied { .. } => Outcome::Denied,
            Self::Failed { .. } | Self::TooLarge { .. } => Outcome::Failed,
            Self::Timeout { .. } => Outcome::Timeout,
            Self::Skipped { .. } => Outcome::Skipped,
            Self::Malformed { .. } => Outcome::Malformed,
        }
    }
}
