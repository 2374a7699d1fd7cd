//! Asking SQLite, with the error that says what was asked.

use evidence::{Digest, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use super::IndexError;

/// A connection that rows are read from and written to.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a>(pub(crate) &'a Connection);

impl Rows<'_> {
    /// One row, or none.
    pub(crate) fn one<T>(
        self,
        doing: &'static str,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, IndexError> {
        let failed = |source| IndexError::File { doing, source };
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        statement.query_row(parameters, read).optional().map_err(failed)
    }

    /// All rows.
    pub(crate) fn many<T>(
        self,
        doing: &'static str,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, IndexError> {
        let failed = |source| IndexError::File { doing, source };
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(parameters, read).and_then(Iterator::collect);
        rows.map_err(failed)
    }

    /// A change; returns how many rows it changed.
    pub(crate) fn run(self, doing: &'static str, sql: &str, parameters: impl Params) -> Result<usize, IndexError> {
        let failed = |source| IndexError::File { doing, source };
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        statement.execute(parameters).map_err(failed)
    }

    /// A change that makes a row; returns its id.
    pub(crate) fn insert(self, doing: &'static str, sql: &str, parameters: impl Params) -> Result<i64, IndexError> {
        let failed = |source| IndexError::File { doing, source };
        let mut statement = self.0.prepare_cached(sql).map_err(failed)?;
        statement.insert(parameters).map_err(failed)
    }

    /// Several statements without parameters.
    pub(crate) fn batch(self, doing: &'static str, sql: &str) -> Result<(), IndexError> {
        self.0
            .execute_batch(sql)
            .map_err(|source| IndexError::File { doing, source })
    }
}

/// SQLite's integers are signed; an index of the log is below 2^53.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that was written by [`signed`].
pub(crate) fn unsigned(number: i64) -> Result<u64, IndexError> {
    u64::try_from(number).map_err(|_| IndexError::damaged(format_args!("the number {number}")))
}

/// Seconds since 1970.
pub(crate) fn timestamp(seconds: i64) -> Result<Timestamp, IndexError> {
    Timestamp::from_unix(seconds).map_err(IndexError::damaged)
}

/// 32 bytes.
pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, IndexError> {
    let bytes = bytes.try_into();
    bytes
        .map(Digest::from_bytes)
        .map_err(|_| IndexError::damaged("a digest that has not 32 bytes"))
}
