//! Tables of an SQLite database, read without SQLite: from the files themselves, with the write-ahead log beside them.
//!
//! Source: "Database File Format" and "WAL-mode File Format" of SQLite. What is read is what a connection that opens the
//! files now would read: the last committed state. Nothing is locked and nothing is written, so a database may change
//! meanwhile; [`Database::unchanged`] tells.

mod btree;
mod place;
mod record;
mod schema;
mod wal;

pub use place::resolved;
pub use record::{Record, Value};
pub use schema::Table;

use super::windows::Windows;
use crate::reading::{Reading, Unread};

/// Largest row that is read. The header of an rpm package with 200,000 files has under 40 MB.
pub const MAX_ROW: u64 = 64 * 1024 * 1024;

/// Why a database or a row cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqliteError {
    /// The file was not read.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// The file is no such database, or is damaged.
    #[error("{path}: {what}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
}

/// An open database.
pub struct Database<'r, 'h> {
    reading: &'r Reading<'h>,
    file: Windows<'r, 'h>,
    log: Option<wal::Log<'r, 'h>>,
    page_size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
    /// Pages that the database has.
    pages: u32,
    /// Whether a transaction of the older kind may be half written.
    hot_journal: bool,
    stamp: Stamp,
}

/// By what a change of the files is noticed: of the database and its log length, time, and header, which holds a counter of
/// transactions or salts; and whether there is a journal to be played back.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    files: [Option<(u64, i64, Vec<u8>)>; 2],
    hot_journal: bool,
}

const HEADER: usize = 100;

impl<'r, 'h> Database<'r, 'h> {
    /// Opens the database at `path`, or where a link there leads. `Ok(None)`: not there, or empty as before its first table.
    pub fn open(reading: &'r Reading<'h>, path: &str) -> Result<Option<Self>, SqliteError> {
        let path = &resolved(reading, path)?;
        let stamp = Stamp::take(reading, path)?;
        let Some((length, _, _)) = stamp.files[0] else {
            return Ok(None);
        };
        let mut file = Windows::new(reading, path);
        let Some(header) = file.array::<HEADER>(0)? else {
            return if length == 0 {
                Ok(None)
            } else {
                Err(malformed(path, "shorter than the header of a database"))
            };
        };
        if !header.starts_with(b"SQLite format 3\0") {
            return Err(malformed(path, "no SQLite database"));
        }
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            size => return Err(malformed(path, format!("a page size of {size} bytes is none"))),
        };
        let usable = page_size - usize::from(header[20]);
        if usable < 480 {
            return Err(malformed(path, "pages have no room for content"));
        }
        if u32::from_be_bytes([header[56], header[57], header[58], header[59]]) > 1 {
            return Err(malformed(path, "its texts are not in UTF-8"));
        }
        let mut pages = u32::try_from(length / page_size as u64).unwrap_or(u32::MAX);
        // A log that is there counts whatever mode the header tells: SQLite does it so.
        let log = wal::Log::open(reading, &format!("{path}-wal"), page_size)?;
        if let Some(log) = &log {
            pages = log.pages;
        }
        Ok(Some(Self {
            reading,
            file,
            log,
            page_size,
            usable,
            pages,
            hot_journal: stamp.hot_journal,
            stamp,
        }))
    }

    /// Whether another program is writing, or broke off, a transaction without a write-ahead log: what is read may then
    /// be half of it.
    pub fn has_hot_journal(&self) -> bool {
        self.hot_journal
    }

    /// Whether the files are still those that were opened: no transaction ended and none began to write meanwhile.
    pub fn unchanged(&self) -> Result<bool, SqliteError> {
        let log = self.log.as_ref();
        let log = log.map_or(Ok(true), |log| log.ends_as_before(self.reading))?;
        Ok(log && Stamp::take(self.reading, self.file.path())? == self.stamp)
    }

    /// Calls `row` with the record of each row of a table, in order of row ids; a row that cannot be read is an `Err`
    /// that says why, and the next ones follow. Returns `false` if there is no such table.
    pub fn rows(
        &mut self,
        table: &str,
        row: &mut dyn FnMut(Result<Record<'_>, String>) -> bool,
    ) -> Result<bool, SqliteError> {
        let Some(table) = self.table(table)? else {
            return Ok(false);
        };
        self.rows_of(&table, row)?;
        Ok(true)
    }

    /// As [`Self::rows`], of a table that was looked up.
    pub fn rows_of(
        &mut self,
        table: &Table,
        row: &mut dyn FnMut(Result<Record<'_>, String>) -> bool,
    ) -> Result<(), SqliteError> {
        self.walk(table.root, row)
    }

    /// Appends the usable part of a page to `into`.
    fn page(&mut self, number: u32, into: &mut Vec<u8>) -> Result<(), SqliteError> {
        if number == 0 || number > self.pages {
            return Err(malformed(self.file.path(), format!("there is no page {number}")));
        }
        let logged = self.log.as_ref().and_then(|log| log.offset(number));
        let (file, offset) = match (&mut self.log, logged) {
            (Some(log), Some(offset)) => (&mut log.file, offset),
            _ => (&mut self.file, (u64::from(number) - 1) * self.page_size as u64),
        };
        if file.append(offset, self.usable, into)? {
            Ok(())
        } else {
            Err(malformed(file.path(), format!("ends within page {number}")))
        }
    }
}

impl Stamp {
    fn take(reading: &Reading<'_>, path: &str) -> Result<Self, Unread> {
        let of = |path: &str| -> Result<_, Unread> {
            let Some(stat) = reading.stat(path)? else {
                return Ok(None);
            };
            let header = reading.bytes_at(path, 0, HEADER)?.unwrap_or_default();
            Ok(Some((stat.size, stat.mtime, header)))
        };
        // Before the headers for who has read the pages, and after them for who will: a transaction writes its pages,
        // the header among them in any order, while its journal is there.
        let before = has_hot_journal(reading, path)?;
        let files = [of(path)?, of(&format!("{path}-wal"))?];
        let hot_journal = before || has_hot_journal(reading, path)?;
        Ok(Self { files, hot_journal })
    }
}

/// An ended transaction may leave its journal, with zeroes in the place of the header.
fn has_hot_journal(reading: &Reading<'_>, path: &str) -> Result<bool, Unread> {
    let journal = format!("{path}-journal");
    if reading.stat(&journal)?.is_none_or(|stat| stat.size == 0) {
        return Ok(false);
    }
    let first = reading.bytes_at(&journal, 0, 1)?.unwrap_or_default();
    Ok(first.first().is_some_and(|first| *first != 0))
}

fn malformed(path: &str, what: impl Into<String>) -> SqliteError {
    SqliteError::Malformed {
        path: path.to_owned(),
        what: what.into(),
    }
}

#[cfg(test)]
mod tests;
