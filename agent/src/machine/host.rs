//! One probe's view of a machine.

use std::net::SocketAddr;
use std::sync::OnceLock;

use probes::Spec;
use probes::reading::{
    Attributes, Command, Entry, Found, Host, Inventory, Kind, Listener, OldTls, Output, Shelf, Stat, TlsPeer, Unread,
    Walk, Walked,
};
use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::deadline::Deadline;
use super::root::Machine;
use super::{extended, failed, handshake, inventory, listeners, listing, name, old_tls, reason, refused, run, walk};

/// Bytes asked for in one read(2) at most, first and then at least.
const FIRST: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;
/// Bytes asked for first of a file that does not say how long it is: procfs and sysfs answer with a page at most.
const PAGE: usize = 4 * 1024;

/// A machine as one probe may see it: until its deadline, with the programs that it declared.
pub struct MachineHost {
    machine: Machine,
    spec: &'static Spec,
    deadline: Deadline,
}

impl MachineHost {
    pub(super) const fn new(machine: Machine, spec: &'static Spec, deadline: Deadline) -> Self {
        Self {
            machine,
            spec,
            deadline,
        }
    }

    pub(super) const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Opens for reading what `path` leads to, if it is one of `kinds`; with the size that it tells.
    fn open(&self, path: &str, kinds: &[Kind]) -> Result<Option<(OwnedFd, u64)>, Unread> {
        self.deadline.check(path)?;
        let Some(located) = self.machine.locate(path, true)? else {
            return Ok(None);
        };
        let (kind, size) = match rustix::fs::fstat(&located) {
            Ok(stat) => (
                kind_of(FileType::from_raw_mode(stat.st_mode)),
                u64::try_from(stat.st_size).unwrap_or(0),
            ),
            Err(errno) => return refused(path, errno),
        };
        if !kinds.contains(&kind) {
            return Err(failed(path, not_read(kind)));
        }
        match reopen(&located) {
            Ok(descriptor) => Ok(Some((descriptor, size))),
            Err(Errno::NOENT | Errno::NOTDIR) => Err(failed(path, "cannot be opened: /proc is not mounted")),
            Err(errno) => refused(path, errno),
        }
    }

    fn skipped(&self, place: &str) -> Result<(), Unread> {
        self.deadline.check(place)?;
        if self.machine.is_own() {
            return Ok(());
        }
        Err(Unread::Skipped {
            place: place.to_owned(),
            reason: "a root folder is probed, not the running machine".to_owned(),
        })
    }
}

impl Host for MachineHost {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unread> {
        let Some((file, size)) = self.open(path, &[Kind::File])? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(match size.min(limit) {
            0 => PAGE,
            // One more than it has: the end is then found without more room.
            size => usize::try_from(size).map_or(FIRST, |size| FIRST.min(size + 1)),
        });
        loop {
            self.deadline.check(path)?;
            if bytes.len() == bytes.capacity() {
                bytes.reserve(CHUNK);
            }
            match rustix::io::read(&file, spare_capacity(&mut bytes)) {
                Ok(0) => return Ok(Some(bytes)),
                Ok(_) | Err(Errno::INTR) => {}
                // A process that ended between opening and reading its file in procfs.
                Err(Errno::SRCH) => return Ok(None),
                Err(errno) => return refused(path, errno),
            }
            if bytes.len() as u64 > limit {
                return Err(Unread::TooLarge {
                    place: path.to_owned(),
                    limit,
                });
            }
        }
    }

    fn read_at(&self, path: &str, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Unread> {
        let Some((file, _)) = self.open(path, &[Kind::File, Kind::Block])? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(length.min(FIRST));
        while bytes.len() < length {
            self.deadline.check(path)?;
            if bytes.len() == bytes.capacity() {
                bytes.reserve(CHUNK);
            }
            let at = offset.saturating_add(bytes.len() as u64);
            match rustix::io::pread(&file, spare_capacity(&mut bytes), at) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return refused(path, errno),
            }
        }
        bytes.truncate(length);
        Ok(Some(bytes))
    }

    fn list(&self, path: &str) -> Result<Option<Vec<Entry>>, Unread> {
        match self.open(path, &[Kind::Folder])? {
            Some((folder, _)) => listing::entries(folder, path, &self.deadline),
            None => Ok(None),
        }
    }

    fn stat(&self, path: &str, follow: bool) -> Result<Option<Stat>, Unread> {
        self.deadline.check(path)?;
        Ok(self.machine.status(path, follow)?.as_ref().map(stat_of))
    }

    fn read_link(&self, path: &str) -> Result<Option<String>, Unread> {
        self.deadline.check(path)?;
        let Some(located) = self.machine.locate(path, false)? else {
            return Ok(None);
        };
        match rustix::fs::readlinkat(&located, "", Vec::new()) {
            Ok(target) => Ok(Some(name::to_text(target.as_bytes()))),
            // With an empty path the kernel says ENOENT of what is no link, and of links of procfs that lead nowhere
            // (`/proc/PID/exe` of its own threads).
            Err(Errno::NOENT) if is_link(&located) => Ok(None),
            Err(Errno::NOENT | Errno::INVAL) => Err(failed(path, reason(Errno::INVAL))),
            Err(errno) => refused(path, errno),
        }
    }

    fn run(&self, command: &Command<'_>) -> Result<Option<Output>, Unread> {
        let place = command.to_string();
        self.skipped(&place)?;
        if !self.spec.runs.contains(&command.program) {
            return Err(Unread::Skipped {
                place,
                reason: format!("{} does not declare it", self.spec.id),
            });
        }
        match self.stat(command.program, true)? {
            None => Ok(None),
            Some(stat) if run::is_trustworthy(&stat) => run::run(command, &self.deadline, self.spec.budget.bytes),
            Some(_) => Err(failed(
                &place,
                "not run: others than root could have changed this program",
            )),
        }
    }

    fn inventory(&self) -> Result<Inventory, Unread> {
        self.skipped("inventory")?;
        inventory::inventory()
    }

    fn shelf(&self) -> Option<&Shelf> {
        Some(self.machine.shelf())
    }

    fn extended(&self, path: &str, name: &str) -> Result<Option<Vec<u8>>, Unread> {
        self.deadline.check(path)?;
        let Some(located) = self.machine.locate(path, true)? else {
            return Ok(None);
        };
        extended::value(&located, path, name)
    }

    fn walk(&self, walk: &Walk<'_>, found: &mut dyn FnMut(Found)) -> Result<Option<Walked>, Unread> {
        match self.open(walk.start, &[Kind::Folder])? {
            Some((start, _)) => walk::filesystem(start, walk, &self.deadline, found).map(Some),
            None => Ok(None),
        }
    }

    fn listeners(&self) -> Result<Vec<Listener>, Unread> {
        self.skipped("netlink:sock_diag")?;
        listeners::listeners(&self.deadline)
    }

    fn tls_handshake(&self, address: SocketAddr) -> Result<Option<TlsPeer>, Unread> {
        let place = format!("tls://{address}");
        self.skipped(&place)?;
        handshake::handshake(address, &place, &self.deadline)
    }

    fn tls_before_1_2(&self, address: SocketAddr) -> Result<Option<OldTls>, Unread> {
        let place = format!("tls://{address}");
        self.skipped(&place)?;
        old_tls::offer(address, &place, &self.deadline)
    }
}

/// Whether a descriptor stands for a link itself.
fn is_link(located: &OwnedFd) -> bool {
    rustix::fs::fstat(located).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

/// Opens what an `O_PATH` descriptor stands for. `O_NONBLOCK` and `O_NOCTTY` cost nothing and are a second line of
/// defence should a filesystem lie about the kind.
fn reopen(located: &OwnedFd) -> Result<OwnedFd, Errno> {
    // Looked up once: the way there costs more than the rest.
    static DESCRIPTORS: OnceLock<Result<OwnedFd, Errno>> = OnceLock::new();
    let descriptors = DESCRIPTORS.get_or_init(|| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(CWD, "/proc/self/fd", flags, Mode::empty())
    });
    let descriptors = descriptors.as_ref().map_err(|errno| *errno)?;
    let number = rustix::path::DecInt::from_fd(located);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(descriptors, number, flags, Mode::empty())
}

pub(super) fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::BlockDevice => Kind::Block,
        FileType::CharacterDevice => Kind::Character,
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        _ => Kind::File,
    }
}

const fn not_read(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "a regular file, not what was expected there",
        Kind::Folder => "is a directory",
        Kind::Link => "is a symbolic link",
        Kind::Block => "is a block device, which is not read whole",
        Kind::Character => "is a character device, which is never read",
        Kind::Fifo => "is a FIFO, which is never read",
        Kind::Socket => "is a socket, which is never read",
    }
}

/// statx(2) of `name` in `folder`, without waking a network filesystem.
pub(super) fn statx(folder: impl AsFd, name: impl rustix::path::Arg, flags: AtFlags) -> Result<Statx, Errno> {
    let wanted = StatxFlags::BASIC_STATS;
    rustix::fs::statx(folder, name, flags | AtFlags::NO_AUTOMOUNT, wanted)
}

pub(super) fn stat_of(stat: &Statx) -> Stat {
    let kind = kind_of(FileType::from_raw_mode(stat.stx_mode.into()));
    let device = match kind {
        Kind::Block | Kind::Character => (stat.stx_rdev_major, stat.stx_rdev_minor),
        _ => (0, 0),
    };
    let attribute = |flag: StatxAttributes| {
        let told = stat.stx_attributes_mask.contains(flag);
        told.then(|| stat.stx_attributes.contains(flag))
    };
    Stat {
        kind,
        mode: u32::from(stat.stx_mode) & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        size: stat.stx_size,
        mtime: stat.stx_mtime.tv_sec,
        ctime: stat.stx_ctime.tv_sec,
        device,
        inode: stat.stx_ino,
        attributes: Attributes {
            immutable: attribute(StatxAttributes::IMMUTABLE),
            append_only: attribute(StatxAttributes::APPEND),
            encrypted: attribute(StatxAttributes::ENCRYPTED),
        },
    }
}
