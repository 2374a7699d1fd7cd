//! The data directory: everything that a collector keeps, and the lock that keeps a second one out.
//!
//! ```text
//! lock              held while a collector, or a command that writes the log, runs
//! log.sqlite        entries, facts, members, tokens
//! index.sqlite      what follows from them; may be deleted
//! ca.pem            certificate of the CA
//! keys/             ca.key.pem, log.seed, statement.seed: readable by the owner only
//! run/              agents.addr, people.addr, agents.url, control.sock: of the running server
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A data directory; nothing says yet that a collector lives in it.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "dropping the file releases the lock")] File);

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// A file in it cannot be read, made or written.
    #[error("{doing} {path} failed", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another process holds the lock.
    #[error("another collector is using {path}; stop it first, or give another directory with --data", path = .0.display())]
    Locked(PathBuf),
}

impl DataDir {
    /// A directory that may not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The store's file.
    pub fn store(&self) -> PathBuf {
        self.file(crate::store::sqlite::FILE)
    }

    /// The index's file.
    pub fn index(&self) -> PathBuf {
        self.file(crate::index::FILE)
    }

    /// The CA's certificate.
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Where the running server listens for the command line.
    pub fn control(&self) -> PathBuf {
        self.file("run/control.sock")
    }

    /// Makes the directory and its folders where they are missing, for the owner only.
    pub fn create(&self) -> Result<(), DataDirError> {
        for folder in [self.0.clone(), self.file("keys"), self.file("run")] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|source| DataDirError::Io {
                    doing: "making the folder",
                    path: folder,
                    source,
                })?;
        }
        Ok(())
    }

    /// Takes the lock, or says that another process has it.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        let path = self.file("lock");
        let io = |source| DataDirError::Io {
            doing: "locking",
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(DataDirError::Locked(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// The bytes of a file; `None` if it is not there.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DataDirError> {
        let path = self.file(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(DataDirError::Io {
                doing: "reading",
                path,
                source,
            }),
        }
    }

    /// Writes a file whole or not at all, readable by the owner only, on the disk when this returns.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DataDirError> {
        let path = self.file(name);
        let io = |source| DataDirError::Io {
            doing: "writing",
            path: path.clone(),
            source,
        };
        let new = path.with_extension("new");
        let write = || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            let folder = path.parent().unwrap_or(&self.0);
            File::open(folder)?.sync_all()
        };
        write().map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path().join("deep/data"));
        data.create().unwrap();
        let held = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(DataDirError::Locked(_))));
        drop(held);
        data.lock().unwrap();
    }

    #[test]
    fn files_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        data.create().unwrap();
        assert_eq!(data.read("keys/x.seed").unwrap(), None);
        data.write("keys/x.seed", b"secret").unwrap();
        assert_eq!(data.read("keys/x.seed").unwrap(), Some(b"secret".to_vec()));
        let mode = fs::metadata(data.file("keys/x.seed")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
