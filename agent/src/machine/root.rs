//! Which files: the machine's own, or those below a folder.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use probes::Spec;
use probes::reading::{Shelf, Unread};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx};
use rustix::io::Errno;
use thiserror::Error;

use super::deadline::Deadline;
use super::host::{MachineHost, statx};
use super::{failed, name, refused};

/// A machine that can be probed.
#[derive(Debug, Clone)]
pub struct Machine {
    files: Files,
    /// What probes of one round read for each other.
    shelf: Arc<Shelf>,
}

#[derive(Debug, Clone)]
enum Files {
    /// Those of the machine that the agent runs on.
    Own,
    /// Those of a folder: a container's or a disk image's. Links are resolved inside it.
    Below(Arc<OwnedFd>),
}

/// A root folder that cannot be used.
#[derive(Debug, Error)]
#[error("the root folder {path}: {error}")]
pub struct RootError {
    /// As it was given.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

impl Machine {
    /// The machine that the agent runs on.
    pub fn own() -> Self {
        Self::of(Files::Own)
    }

    fn of(files: Files) -> Self {
        let shelf = Arc::default();
        Self { files, shelf }
    }

    /// The same machine for another round: nothing that was read before is taken for what is so now.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::of(self.files.clone())
    }

    pub(super) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The files below `root`; programs and the inventory are [`Unread::Skipped`]. Needs Linux 5.6 (openat2(2)).
    pub fn below(root: &Path) -> Result<Self, RootError> {
        let wrong = |errno: Errno| RootError {
            path: root.to_owned(),
            error: errno.into(),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(root, flags, Mode::empty()).map_err(wrong)?;
        let machine = Self::of(Files::Below(Arc::new(folder)));
        match machine.locate("/", true) {
            Ok(_) => Ok(machine),
            Err(unread) => Err(RootError {
                path: root.to_owned(),
                error: io::Error::other(unread.to_string()),
            }),
        }
    }

    /// The machine as one probe may see it.
    pub fn host(&self, spec: &'static Spec, deadline: Deadline) -> MachineHost {
        MachineHost::new(self.clone(), spec, deadline)
    }

    pub(super) const fn is_own(&self) -> bool {
        matches!(self.files, Files::Own)
    }

    /// What statx(2) says of `path`; `follow` says whether the last component may be a link.
    pub(super) fn status(&self, path: &str, follow: bool) -> Result<Option<Statx>, Unread> {
        let status = match &self.files {
            Files::Own => {
                let flags = if follow {
                    AtFlags::empty()
                } else {
                    AtFlags::SYMLINK_NOFOLLOW
                };
                statx(CWD, absolute(path)?.as_ref(), flags)
            }
            Files::Below(_) => match self.locate(path, follow)? {
                Some(located) => statx(&located, "", AtFlags::EMPTY_PATH),
                None => return Ok(None),
            },
        };
        status.map_or_else(|errno| refused(path, errno), |status| Ok(Some(status)))
    }

    /// Finds what is at `path` without opening it; `follow` says whether the last component may be a link.
    pub(super) fn locate(&self, path: &str, follow: bool) -> Result<Option<OwnedFd>, Unread> {
        let bytes = absolute(path)?;
        let bytes = bytes.as_ref();
        let mut flags = OFlags::PATH | OFlags::CLOEXEC;
        if !follow {
            flags |= OFlags::NOFOLLOW;
        }
        let located = match &self.files {
            Files::Own => rustix::fs::openat(CWD, bytes, flags, Mode::empty()),
            Files::Below(root) => beneath(root, bytes, flags),
        };
        match located {
            Ok(descriptor) => Ok(Some(descriptor)),
            Err(Errno::NOSYS) => Err(failed(
                path,
                "this kernel has no openat2(2): Linux 5.6 or later is needed",
            )),
            Err(errno) => refused(path, errno),
        }
    }
}

fn absolute(path: &str) -> Result<Cow<'_, [u8]>, Unread> {
    if path.starts_with('/') {
        Ok(name::to_bytes(path))
    } else {
        Err(failed(path, "not an absolute path"))
    }
}

/// A rename elsewhere in the tree while `..` is being resolved makes openat2(2) ask for another try.
fn beneath(root: &OwnedFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut result = Err(Errno::AGAIN);
    for _ in 0..16 {
        result = rustix::fs::openat2(root, path, flags, Mode::empty(), resolve);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    result
}
