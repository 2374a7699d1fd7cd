//! A folder in which files are replaced as a whole: after a crash at any instant each file has its old or its new
//! bytes. Links in it are never followed, so that whoever may write there cannot lead the agent elsewhere.

use std::fs::{DirEntry, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use thiserror::Error;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

/// Something in a folder that could not be read or written.
#[derive(Debug, Error)]
#[error("cannot {act} {path}: {error}")]
pub struct FolderError {
    /// `read`, `write`, …
    pub act: &'static str,
    /// Which file.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

impl FolderError {
    /// Whether the disk, or the user's share of it, is full.
    pub fn is_full(&self) -> bool {
        matches!(
            self.error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }

    /// Whether the user may not.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        )
    }
}

/// Whether a write has to be on the disk before it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// fsync(2) of the file and of the folder.
    Synced,
    /// Whenever the system likes.
    Eventual,
}

impl Folder {
    /// Opens the folder; it must exist.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|error| FolderError {
            act: "open the folder",
            path: path.to_owned(),
            error: error.into(),
        })?;
        Ok(Self {
            descriptor,
            path: path.to_owned(),
        })
    }

    /// Opens the folder, and makes it first (and those above it) if it is not there; only the owner may enter.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let mut builder = std::fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| FolderError {
                act: "make the folder",
                path: path.to_owned(),
                error,
            })?;
        Self::open(path)
    }

    /// Opens a folder in this one, and makes it first if it is not there. A link is refused.
    pub fn sub(&self, name: &str) -> Result<Self, FolderError> {
        match rustix::fs::mkdirat(&self.descriptor, name, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(self.error("make the folder", name, errno.into())),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())
            .map_err(|errno| self.error("open the folder", name, errno.into()))?;
        Ok(Self {
            descriptor,
            path: self.path.join(name),
        })
    }

    /// Its path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces `name` as a whole; readable by the owner only.
    pub fn write(&self, name: &str, bytes: &[u8], durability: Durability) -> Result<(), FolderError> {
        // One writer at a time owns a folder, so one name for what is not finished is enough, and nothing piles up.
        let unfinished = format!(".{name}.new");
        let _ = rustix::fs::unlinkat(&self.descriptor, &*unfinished, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = rustix::fs::openat(&self.descriptor, &*unfinished, flags, Mode::RUSR | Mode::WUSR)
            .map_err(io::Error::from)
            .and_then(|descriptor| {
                let mut file = File::from(descriptor);
                file.write_all(bytes)?;
                if durability == Durability::Synced {
                    file.sync_all()?;
                }
                rustix::fs::renameat(&self.descriptor, &*unfinished, &self.descriptor, name)?;
                Ok(())
            });
        if let Err(error) = written {
            // Space that an unfinished file takes would be missing for the next attempt.
            let _ = rustix::fs::unlinkat(&self.descriptor, &*unfinished, AtFlags::empty());
            return Err(self.error("write", name, error));
        }
        if durability == Durability::Synced {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes the names in the folder durable.
    pub fn sync(&self) -> Result<(), FolderError> {
        rustix::fs::fsync(&self.descriptor).map_err(|errno| FolderError {
            act: "sync the folder",
            path: self.path.clone(),
            error: errno.into(),
        })
    }

    /// The bytes of `name`, at most `limit`; `None` if it is not there.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, FolderError> {
        let Some(file) = self.open_file(name, OFlags::RDONLY)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| self.error("read", name, error))?;
        if bytes.len() as u64 > limit {
            let error = io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes"));
            return Err(self.error("read", name, error));
        }
        Ok(Some(bytes))
    }

    /// Opens a regular file; `None` if it is not there and `flags` do not create it.
    pub fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<File>, FolderError> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let descriptor = match rustix::fs::openat(&self.descriptor, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.error("open", name, errno.into())),
        };
        let file = File::from(descriptor);
        let metadata = file.metadata().map_err(|error| self.error("open", name, error))?;
        if metadata.is_file() {
            Ok(Some(file))
        } else {
            Err(self.error("open", name, io::Error::other("not a regular file")))
        }
    }

    /// Removes `name`; nothing happens if it is not there.
    pub fn remove(&self, name: &str) -> Result<(), FolderError> {
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.error("remove", name, errno.into())),
        }
    }

    /// The names of the files and their sizes, sorted, without unfinished ones: whoever asks may not be the one who writes.
    pub fn files(&self) -> Result<Vec<(String, u64)>, FolderError> {
        let mut files = Vec::new();
        for (name, entry) in self.entries()? {
            if !name.starts_with('.')
                && let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                files.push((name, metadata.len()));
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    /// Removes what a crash left unfinished. Only for the one who writes here: to another it may be a file that is being
    /// written at this moment.
    pub fn remove_unfinished(&self) -> Result<(), FolderError> {
        for (name, _) in self.entries()? {
            if name.starts_with('.') {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<(String, DirEntry)>, FolderError> {
        let wrong = |error: io::Error| FolderError {
            act: "list",
            path: self.path.clone(),
            error,
        };
        let entries = std::fs::read_dir(&self.path).map_err(wrong)?;
        // Every name that this program gives is UTF-8.
        let named = |entry: DirEntry| Some((entry.file_name().into_string().ok()?, entry));
        let entries: Result<Vec<_>, _> = entries.collect();
        Ok(entries.map_err(wrong)?.into_iter().filter_map(named).collect())
    }

    /// An error about `name` in this folder.
    pub(crate) fn error(&self, act: &'static str, name: &str, error: io::Error) -> FolderError {
        FolderError {
            act,
            path: self.path.join(name),
            error,
        }
    }

    /// For calls on the folder that are made elsewhere (locks, exchanges of names).
    pub(crate) const fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_a_link_instead_of_following_it() {
        let temp = tempfile::tempdir().unwrap();
        let outside = temp.path().join("outside");
        std::fs::write(&outside, "untouched").unwrap();
        let folder = Folder::create(&temp.path().join("in")).unwrap();
        for name in ["file", ".file.new"] {
            std::os::unix::fs::symlink(&outside, folder.path().join(name)).unwrap();
        }
        assert!(folder.read("file", 100).is_err(), "a link is not read either");
        folder.write("file", b"new", Durability::Synced).unwrap();
        assert_eq!(folder.read("file", 100).unwrap().unwrap(), b"new");
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "untouched");
    }

    #[test]
    fn who_only_looks_takes_nothing_from_who_writes() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        std::fs::write(temp.path().join(".b.new"), "half").unwrap();
        folder.write("a", b"whole", Durability::Eventual).unwrap();
        assert_eq!(folder.files().unwrap(), [("a".to_owned(), 5)]);
        assert!(temp.path().join(".b.new").exists());
        folder.remove_unfinished().unwrap();
        assert!(!temp.path().join(".b.new").exists());
        assert_eq!(folder.files().unwrap(), [("a".to_owned(), 5)]);
    }

    #[test]
    fn says_which_file_and_what() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        assert!(folder.read("none", 1).unwrap().is_none());
        folder.write("big", b"12345", Durability::Eventual).unwrap();
        let error = folder.read("big", 4).unwrap_err().to_string();
        assert!(error.contains("/big: larger than 4 bytes"), "{error}");
        folder.remove("big").unwrap();
        folder.remove("big").unwrap();
        assert_eq!(folder.files().unwrap(), []);
    }
}
