//! The file: opened, recognised, removed.

use std::path::{Path, PathBuf};

use evidence::Digest;
use rusqlite::Connection;

use crate::index::database::{Rows, digest, unsigned};
use crate::index::schema::{FORM, MIGRATIONS};
use crate::index::{IndexError, Totals};
use crate::store::{Store, StoreError, sqlite};

/// An opened file.
pub(super) enum Prepared {
    Usable(Connection),
    /// It is damaged, or of another form.
    Unusable(IndexError),
}

/// Opens the file, or makes it.
pub(super) fn prepare(path: &Path) -> Result<Prepared, IndexError> {
    let connection = match sqlite::open_database(path, MIGRATIONS) {
        Ok(connection) => connection,
        Err(error @ (StoreError::Damaged { .. } | StoreError::Newer { .. })) => {
            return Ok(Prepared::Unusable(error.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let rows = Rows(&connection);
    // What a crash of the machine takes away is made again; a kill of the process takes nothing away.
    rows.batch("setting up the file", "PRAGMA synchronous = NORMAL")?;
    let sql = "INSERT OR IGNORE INTO head (id, form, position, as_of, evaluator, freshness, listed, totals)
        VALUES (1, ?1, 0, 0, '', 0, 0, ?2)";
    let totals = serde_json::to_string(&Totals::default()).map_err(IndexError::damaged)?;
    rows.run("writing the head", sql, (FORM, totals))?;
    let form = rows.one("reading the head", "SELECT form FROM head", [], |row| {
        row.get::<_, i64>(0)
    })?;
    if form == Some(FORM) {
        return Ok(Prepared::Usable(connection));
    }
    let why = format!(
        "it has form {}, this program makes form {FORM}",
        form.unwrap_or_default()
    );
    Ok(Prepared::Unusable(IndexError::damaged(why)))
}

/// Whether the last entry that was taken in is in this log.
pub(super) fn follows(connection: &Connection, store: &dyn Store) -> Result<bool, IndexError> {
    let sql = "SELECT position, last_entry FROM head";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
    let Some((position, Some(last_entry))) = Rows(connection).one("reading the head", sql, [], read)? else {
        return Ok(true);
    };
    let last = store.entry(unsigned(position)?.saturating_sub(1))?;
    Ok(last.map(|bytes| Digest::of(&bytes)) == Some(digest(&last_entry)?))
}

/// Removes an index file, with what SQLite keeps beside it.
pub(super) fn remove(path: &Path) -> Result<(), IndexError> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let path = PathBuf::from(name);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(IndexError::Remove { path, source }),
        }
    }
    Ok(())
}
