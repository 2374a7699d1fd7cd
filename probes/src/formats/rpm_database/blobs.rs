//! The headers of a database as they lie in it, whatever its form.

use super::super::sqlite::{self, SqliteError};
use super::{Backend, Location, berkeley, ndb};
use crate::probe::ProbeError;
use crate::reading::Reading;

/// Takes the number and header of a package, or what could not be understood, path and all; answers whether more is wanted.
pub(super) type Take<'t> = dyn FnMut(Result<(u64, &[u8]), String>) -> bool + 't;

/// Calls `take` with each header, in order of the database. Whether the files stayed the same meanwhile.
pub(super) fn blobs(reading: &Reading<'_>, location: &Location, take: &mut Take<'_>) -> Result<bool, ProbeError> {
    match location.backend {
        Backend::Sqlite => of_sqlite(reading, location, take),
        Backend::Ndb => ndb::read(reading, location, take),
        Backend::Berkeley => berkeley::read(reading, location, take),
    }
}

fn of_sqlite(reading: &Reading<'_>, location: &Location, take: &mut Take<'_>) -> Result<bool, ProbeError> {
    let read = |take: &mut Take<'_>| -> Result<bool, SqliteError> {
        let Some(mut file) = sqlite::Database::open(reading, &location.path)? else {
            return Ok(true);
        };
        if file.has_hot_journal() {
            take(Err(location.says("a transaction is under way or broke off")));
        }
        let there = file.rows("Packages", &mut |row| match row {
            Ok(row) => take(Ok((row.id.cast_unsigned(), row.blob(1).unwrap_or_default()))),
            Err(what) => take(Err(location.says(what))),
        })?;
        if !there {
            take(Err(location.says("it has no table Packages")));
        }
        file.unchanged()
    };
    match read(take) {
        Ok(unchanged) => Ok(unchanged),
        Err(SqliteError::Unread(unread)) => Err(unread.into()),
        Err(error @ SqliteError::Malformed { .. }) => {
            take(Err(error.to_string()));
            Ok(true)
        }
    }
}
