//! Opening SQLite files, and bringing their schema up to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::store::StoreError;

/// How long a transaction waits for another process's.
const BUSY: Duration = Duration::from_secs(10);
/// Prepared statements kept per connection: more than there are.
const STATEMENTS: usize = 64;

/// SQL that takes a schema from one version to the next. A released one is never edited.
pub type Migration = &'static str;

/// Opens a file for reading and writing, makes it if it is not there, and runs the migrations that it lacks. Any database
/// of the collector (the index, people and sessions) is opened with this and its own list of migrations.
pub fn open_database(path: &Path, migrations: &[Migration]) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path).map_err(|error| failure("opening the database", error))?;
    tune(&connection).map_err(|error| failure("setting up the database", error))?;
    let file = path.display().to_string();
    migrate(&mut connection, migrations, &file)?;
    Ok(connection)
}

/// Opens a file that is there for reading only.
pub fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    const DOING: &str = "opening the database for reading";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failure(DOING, error))?;
    connection.busy_timeout(BUSY).map_err(|error| failure(DOING, error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn tune(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk before it is answered.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // 32 MiB of pages, so that the leaves of members and positions of an active fleet stay in memory.
    connection.pragma_update(None, "cache_size", -32_768)?;
    // The log file is written back every 4,000 pages (16 MiB) and kept no larger than 64 MiB afterwards.
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)
}

/// Runs the migrations that the file lacks, each in a transaction together with its version number (`user_version`).
pub fn migrate(connection: &mut Connection, migrations: &[Migration], file: &str) -> Result<(), StoreError> {
    const DOING: &str = "bringing the schema up to date";
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    loop {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| failure(DOING, error))?;
        let found: i64 = transaction
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| failure(DOING, error))?;
        let next = match usize::try_from(found).ok().filter(|_| found <= known) {
            Some(position) => migrations.get(position),
            None => {
                return Err(StoreError::Newer {
                    file: file.to_owned(),
                    found,
                    known,
                });
            }
        };
        let Some(migration) = next else { return Ok(()) };
        let run = || {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", found + 1)
        };
        run().map_err(|error| failure(DOING, error))?;
        transaction.commit().map_err(|error| failure(DOING, error))?;
    }
}

/// What an error of SQLite means to the store.
pub(super) fn failure(doing: &'static str, error: rusqlite::Error) -> StoreError {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    if let FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) = error {
        return StoreError::damaged(format_args!("{doing}: {error}"));
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { doing },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { doing },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::damaged(format_args!("{doing}: {error}"))
        }
        _ => StoreError::Engine {
            doing,
            source: error.into(),
        },
    }
}
