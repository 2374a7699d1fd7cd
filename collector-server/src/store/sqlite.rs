//! The embedded engine: one SQLite file, WAL, `synchronous=FULL`.
//!
//! One connection writes, several read; a reader never waits for the writer. `commit` begins with `BEGIN IMMEDIATE`, so
//! that another process (the command line) and this one take turns instead of failing in the middle.

mod database;
mod reading;
mod schema;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use evidence::Digest;
use evidence::facts::ProbeId;
use evidence::key::KeyId;
use evidence::statement::HostId;
use rusqlite::{Connection, TransactionBehavior};

pub use database::{Migration, migrate, open_database, open_reader};

use self::reading::Reading;
use self::writing::Writing;
use super::{CloneSuspicion, Contact, Head, Member, Store, StoreError, StoredFacts, TokenRecord, Transaction};

/// The name of the file in the data directory.
pub const FILE: &str = "log.sqlite";
/// Idle reading connections kept; more are opened when more read at once.
const IDLE_READERS: usize = 8;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    // Closed before the writer: only a connection that may write can tidy up when it is the last to go.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
}

/// A panic while the lock was held leaves a connection whose transaction rusqlite has rolled back: still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sqlite {
    /// Opens the file, or makes it, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = open_database(path, schema::MIGRATIONS)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
        })
    }

    fn read<T>(&self, work: impl FnOnce(Reading<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => database::open_reader(&self.path)?,
        };
        let result = work(Reading(&connection));
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }
}

impl Store for Sqlite {
    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.read(|reading| reading.head())
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.read(|reading| reading.entries_at_once(from, limit))
    }

    fn hashes(&self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError> {
        self.read(|reading| reading.hashes(level, index))
    }

    fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|reading| reading.manifest(digest))
    }

    fn facts(&self, digest: &Digest) -> Result<Option<StoredFacts>, StoreError> {
        self.read(|reading| reading.facts(digest))
    }

    fn facts_probe(&self, digest: &Digest) -> Result<Option<ProbeId>, StoreError> {
        self.read(|reading| reading.facts_probe(digest))
    }

    fn manifest_digests(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        self.read(|reading| reading.digests("manifest", after, limit))
    }

    fn facts_digests(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        self.read(|reading| reading.digests("facts", after, limit))
    }

    fn member(&self, key: &KeyId) -> Result<Option<Member>, StoreError> {
        self.read(|reading| reading.member(key))
    }

    fn member_of(&self, host: &HostId) -> Result<Option<Member>, StoreError> {
        self.read(|reading| reading.member_of(host))
    }

    fn members(&self, after: Option<&HostId>, limit: usize) -> Result<Vec<Member>, StoreError> {
        self.read(|reading| reading.members(after, limit))
    }

    fn position(&self, key: &KeyId, sequence: u64) -> Result<Option<u64>, StoreError> {
        self.read(|reading| reading.position(key, sequence))
    }

    fn own(&self, kind: Option<&str>, from: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.read(|reading| reading.own(kind, from, limit))
    }

    fn last_own(&self, kind: &str) -> Result<Option<u64>, StoreError> {
        self.read(|reading| reading.last_own(kind))
    }

    fn file(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|reading| reading.file(digest))
    }

    fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.read(|reading| reading.tokens())
    }

    fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.read(|reading| reading.contacts())
    }

    fn clones(&self) -> Result<Vec<CloneSuspicion>, StoreError> {
        self.read(|reading| reading.clones())
    }

    fn commit(&self, work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut connection = lock(&self.writer);
        let failed = |error| database::failure("beginning a transaction", error);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        // Dropped without commit, a transaction rolls back.
        work(&mut Writing(&transaction))?;
        transaction
            .commit()
            .map_err(|error| match database::failure("committing a transaction", error) {
                StoreError::Engine { source, .. } => StoreError::Uncertain { source },
                known => known,
            })
    }

    fn copy_to(&self, to: &Path) -> Result<(), StoreError> {
        const DOING: &str = "copying the store";
        let target = to.to_str().ok_or_else(|| StoreError::Misuse {
            what: format!("copying to a path that is not UTF-8: {}", to.display()),
        })?;
        // A copy out of one read transaction: complete, compact, and no writer waits for it. SQLite refuses a target
        // that exists.
        self.read(|reading| {
            reading
                .0
                .execute("VACUUM INTO ?1", [target])
                .map_err(|error| database::failure(DOING, error))?;
            Ok(())
        })?;
        let sync = std::fs::File::open(to).and_then(|file| file.sync_all());
        sync.map_err(|source| StoreError::Engine {
            doing: DOING,
            source: source.into(),
        })
    }

    fn self_check(&self) -> Result<Vec<String>, StoreError> {
        self.read(|reading| reading.self_check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_the_conformance_suite() {
        super::super::conformance::suite(&mut || {
            let folder = tempfile::tempdir().unwrap();
            let store = Sqlite::open(&folder.path().join(FILE)).unwrap();
            (folder, Box::new(store))
        });
    }

    #[test]
    fn what_was_committed_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let head = Head {
            size: 1,
            checkpoint: "c".into(),
        };
        let store = Sqlite::open(&path).unwrap();
        let write = |transaction: &mut dyn Transaction| {
            transaction.append(0, b"zero")?;
            transaction.put_head(&head)
        };
        store.commit(&mut { write }).unwrap();
        drop(store);
        let store = Sqlite::open(&path).unwrap();
        assert_eq!(store.head().unwrap(), Some(head.clone()));
        assert_eq!(store.entry(0).unwrap(), Some(b"zero".to_vec()));
    }

    #[test]
    fn a_copy_holds_the_same_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join(FILE)).unwrap();
        store.commit(&mut |transaction| transaction.append(0, b"zero")).unwrap();
        let copy = folder.path().join("copy.sqlite");
        store.copy_to(&copy).unwrap();
        assert_eq!(Sqlite::open(&copy).unwrap().entry(0).unwrap(), Some(b"zero".to_vec()));
        assert!(store.copy_to(&copy).is_err());
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        drop(Sqlite::open(&path).unwrap());
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        assert!(matches!(Sqlite::open(&path), Err(StoreError::Newer { found: 99, .. })));
    }
}
