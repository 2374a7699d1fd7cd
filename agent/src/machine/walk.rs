//! Walking one filesystem.
//!
//! Memory is bounded by the depth and by the names of folders that are still to be entered, not by the number of
//! entries; a folder is read to its end before one in it is entered, so that one buffer serves all. Nothing but folders
//! is opened. The kernel itself is told to cross no mount and to follow no link (`openat2`), so that whatever is put in
//! the place of a folder meanwhile leads nowhere else.
//!
//! Priority: the thread has the nice value of collections. ioprio_set(2) is not among what rustix offers, so idle I/O
//! priority is given by `IOSchedulingClass=idle` in the unit, to the agent as a whole: what it reads each round is in the
//! page cache, and its own writes are committed by the kernel's journal threads.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;

use probes::reading::{Found, Kind, Unread, Walk, Walked, is_below};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::deadline::Deadline;
use super::host::{kind_of, stat_of, statx};
use super::{failed, name, reason};

/// Folders inside each other: each holds a descriptor open, of which a process has 1,024 unless it asks for more.
const MAX_DEPTH: usize = 256;
/// Bytes of names of folders that are still to be entered: half a million of common length.
const MAX_PENDING: usize = 16 * 1024 * 1024;
/// Places that were not entered and are listed; the rest is counted.
const MAX_UNREAD: usize = 1_000;
/// Bytes for getdents64(2): what glibc takes for large folders.
const BUFFER: usize = 64 * 1024;
/// Entries between two looks at the clock.
const STRIDE: u64 = 1_024;
/// A value of `security.capability` has at most 24 bytes.
const MAX_CAPABILITY: usize = 64;
const CAPABILITY: &str = "security.capability";

/// Walks what is mounted at `start`, calling `found` for what `walk` asks for.
pub(super) fn filesystem(
    start: OwnedFd,
    walk: &Walk<'_>,
    deadline: &Deadline,
    found: &mut dyn FnMut(Found),
) -> Result<Walked, Unread> {
    let path = name::to_bytes(walk.start);
    let path = path.strip_suffix(b"/").unwrap_or(&path).to_vec();
    let look = look_at(&start, b"", AtFlags::EMPTY_PATH).map_err(|errno| failed(walk.start, reason(errno)))?;
    let mut walker = Walker {
        walk,
        deadline,
        found,
        mount: look.mount,
        path,
        pending: Vec::new(),
        folders: Vec::new(),
        walked: Walked::default(),
        unread: BTreeMap::new(),
        resolves: true,
    };
    walker.all(start, &look)?;
    Ok(Walked {
        unread: walker.unread.into_values().collect(),
        ..walker.walked
    })
}

/// What decides whether an entry is asked for.
struct Look {
    kind: Kind,
    mode: u32,
    uid: u32,
    gid: u32,
    mount: Mounted,
}

/// Which mount something lies on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mounted {
    /// Linux 5.8 or later tells.
    Id(u64),
    /// What st_dev tells: not apart what is mounted at several places.
    Device(u32, u32),
}

impl Mounted {
    fn of(stat: &Statx) -> Self {
        if StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID) {
            Self::Id(stat.stx_mnt_id)
        } else {
            Self::Device(stat.stx_dev_major, stat.stx_dev_minor)
        }
    }
}

/// A folder that has been read and whose folders are being entered.
struct Folder {
    descriptor: OwnedFd,
    /// Length of the path of this folder.
    path: usize,
    /// Where in `pending` the names of its folders begin.
    pending: usize,
}

/// How entering a folder ended.
enum Entered {
    Folder(OwnedFd, Look),
    /// Another mount, or not there any more.
    Elsewhere,
    Refused(Errno),
}

struct Walker<'a> {
    walk: &'a Walk<'a>,
    deadline: &'a Deadline,
    found: &'a mut dyn FnMut(Found),
    mount: Mounted,
    /// Of the folder at hand; empty for `/`.
    path: Vec<u8>,
    /// Names of folders that are to be entered, each followed by NUL.
    pending: Vec<u8>,
    folders: Vec<Folder>,
    walked: Walked,
    unread: BTreeMap<String, Unread>,
    /// The kernel has openat2(2): Linux 5.6 or later.
    resolves: bool,
}

impl Walker<'_> {
    fn all(&mut self, start: OwnedFd, look: &Look) -> Result<(), Unread> {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        self.walked.entries = 1;
        self.judge(&start, b"", look);
        self.read(start, &mut buffer)?;
        while let Some(above) = self.folders.last() {
            let (length, begin) = (above.path, above.pending);
            self.path.truncate(length);
            let Some(name) = self.next_pending(begin) else {
                self.folders.pop();
                continue;
            };
            let entered = self.enter(&name);
            match entered {
                Entered::Elsewhere => {}
                Entered::Refused(errno) => {
                    self.judge_by_name(&name);
                    self.refuse(&name, errno);
                }
                Entered::Folder(..) if self.folders.len() >= MAX_DEPTH => {
                    self.judge_by_name(&name);
                    let place = self.place(&name);
                    self.note(failed(&place, format!("deeper than {MAX_DEPTH} folders")));
                }
                Entered::Folder(descriptor, look) => {
                    self.path.push(b'/');
                    self.path.extend_from_slice(&name);
                    self.judge(&descriptor, b"", &look);
                    self.read(descriptor, &mut buffer)?;
                }
            }
        }
        Ok(())
    }

    /// The last name that is to be entered, if it is one of the folder whose names begin at `begin`.
    fn next_pending(&mut self, begin: usize) -> Option<Vec<u8>> {
        let names = self.pending.get(begin..)?.strip_suffix(b"\0")?;
        let at = begin + names.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1);
        let mut name = self.pending.split_off(at);
        name.pop();
        Some(name)
    }

    fn enter(&mut self, name: &[u8]) -> Entered {
        let Some(above) = self.folders.last() else {
            return Entered::Elsewhere;
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let mut opened = Err(Errno::NOSYS);
        if self.resolves {
            opened = rustix::fs::openat2(&above.descriptor, name, flags, Mode::empty(), resolve);
        }
        if matches!(opened, Err(Errno::NOSYS)) {
            self.resolves = false;
            opened = rustix::fs::openat(&above.descriptor, name, flags, Mode::empty());
        }
        let descriptor = match opened {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT | Errno::XDEV | Errno::NOTDIR | Errno::LOOP) => return Entered::Elsewhere,
            Err(errno) => return Entered::Refused(errno),
        };
        match look_at(&descriptor, b"", AtFlags::EMPTY_PATH) {
            Ok(look) if look.mount == self.mount => Entered::Folder(descriptor, look),
            Ok(_) => Entered::Elsewhere,
            Err(errno) => Entered::Refused(errno),
        }
    }

    /// Reads a folder to its end: files are looked at, folders are remembered.
    fn read(&mut self, descriptor: OwnedFd, buffer: &mut [MaybeUninit<u8>]) -> Result<(), Unread> {
        self.check()?;
        let begin = self.pending.len();
        let mut entries = RawDir::new(&descriptor, buffer);
        let mut forgotten = false;
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                // Removed meanwhile.
                Err(Errno::NOENT) => break,
                Err(errno) => {
                    self.refuse(b"", errno);
                    break;
                }
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            self.walked.entries += 1;
            if self.walked.entries.is_multiple_of(STRIDE) {
                self.check()?;
            }
            let kind = entry.file_type();
            let mut is_folder = kind == FileType::Directory;
            let mut look = None;
            if kind == FileType::Unknown || kind == FileType::RegularFile || self.asks_owners(kind) {
                match look_at(&descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(seen) => {
                        is_folder = seen.kind == Kind::Folder;
                        look = Some(seen);
                    }
                    Err(Errno::NOENT) => continue,
                    // Names may be listed there and no more: the same for all of them.
                    Err(errno @ (Errno::ACCESS | Errno::PERM)) => {
                        self.refuse(b"", errno);
                        break;
                    }
                    Err(errno) => {
                        self.refuse(name, errno);
                        continue;
                    }
                }
            }
            if is_folder {
                if self.pending.len() + name.len() < MAX_PENDING {
                    self.pending.extend_from_slice(name);
                    self.pending.push(0);
                } else {
                    self.walked.unread_count += u64::from(forgotten);
                    forgotten = true;
                }
            } else if let Some(look) = look
                && look.mount == self.mount
            {
                self.judge(&descriptor, name, &look);
            }
        }
        if forgotten {
            let place = self.place(b"");
            self.note(failed(
                &place,
                "not all of its folders were entered: there are too many",
            ));
        }
        self.folders.push(Folder {
            descriptor,
            path: self.path.len(),
            pending: begin,
        });
        Ok(())
    }

    const fn asks_owners(&self, kind: FileType) -> bool {
        (self.walk.users.is_some() || self.walk.groups.is_some()) && !matches!(kind, FileType::Directory)
    }

    /// A folder that is not entered can itself be what is looked for.
    fn judge_by_name(&mut self, name: &[u8]) {
        let Some(above) = self.folders.pop() else {
            return;
        };
        if let Ok(look) = look_at(&above.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)
            && look.mount == self.mount
        {
            self.judge(&above.descriptor, name, &look);
        }
        self.folders.push(above);
    }

    /// Passes an entry on if it is asked for; an empty name is the folder itself.
    fn judge(&mut self, folder: &OwnedFd, name: &[u8], look: &Look) {
        let walk = self.walk;
        let mut asked = match look.kind {
            Kind::File => look.mode & walk.file_bits != 0,
            Kind::Folder => walk.open_folders && look.mode & 0o1002 == 0o0002,
            _ => false,
        };
        asked |= walk.users.is_some_and(|users| !users.contains(&look.uid));
        asked |= walk.groups.is_some_and(|groups| !groups.contains(&look.gid));
        let of_others = look.uid != 0 || look.mode & 0o020 != 0;
        asked |= of_others && matches!(look.kind, Kind::File | Kind::Folder) && is_below(&self.path, walk.of_root);
        let mut capability = None;
        if walk.capabilities && look.kind == Kind::File && look.mode & 0o111 != 0 {
            match capability_of(folder, name) {
                Ok(value) => capability = value,
                Err(errno) => self.refuse(name, errno),
            }
        }
        if !asked && capability.is_none() {
            return;
        }
        let flags = if name.is_empty() {
            AtFlags::EMPTY_PATH
        } else {
            AtFlags::SYMLINK_NOFOLLOW
        };
        match statx(folder, name, flags | AtFlags::STATX_DONT_SYNC) {
            Ok(stat) => {
                let path = self.place(name);
                (self.found)(Found {
                    path,
                    stat: stat_of(&stat),
                    capability,
                });
            }
            Err(Errno::NOENT) => {}
            Err(errno) => self.refuse(name, errno),
        }
    }

    /// The path of an entry of the folder at hand, or of the folder itself.
    fn place(&self, name: &[u8]) -> String {
        let mut path = self.path.clone();
        if !name.is_empty() || path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        name::to_text(&path)
    }

    fn check(&self) -> Result<(), Unread> {
        if self.deadline.left().is_zero() {
            return Err(self.deadline.over(self.walk.start));
        }
        Ok(())
    }

    fn refuse(&mut self, name: &[u8], errno: Errno) {
        let place = self.place(name);
        self.note(match errno {
            Errno::ACCESS | Errno::PERM => Unread::Denied { place },
            other => failed(&place, reason(other)),
        });
    }

    /// Keeps the first places in their order, so that the same host gives the same list.
    fn note(&mut self, unread: Unread) {
        let (Unread::Denied { place } | Unread::Failed { place, .. }) = &unread else {
            return;
        };
        self.walked.unread_count += 1;
        self.unread.insert(place.clone(), unread);
        if self.unread.len() > MAX_UNREAD {
            self.unread.pop_last();
        }
    }
}

/// statx(2) of no more than that; the times are left out, since asking for them writes to the inode's memory.
fn look_at(folder: &OwnedFd, name: &[u8], flags: AtFlags) -> Result<Look, Errno> {
    let wanted = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID | StatxFlags::GID | StatxFlags::MNT_ID;
    let flags = flags | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    let stat = rustix::fs::statx(folder, name, flags, wanted)?;
    Ok(Look {
        kind: kind_of(FileType::from_raw_mode(stat.stx_mode.into())),
        mode: stat.stx_mode.into(),
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        mount: Mounted::of(&stat),
    })
}

/// The value of `security.capability` of a file, without opening the file.
fn capability_of(folder: &OwnedFd, name: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    let mut path = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    let mut value = [0; MAX_CAPABILITY];
    match rustix::fs::lgetxattr(path, CAPABILITY, &mut value) {
        Ok(length) => Ok(value.get(..length).map(<[u8]>::to_vec)),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}
