//! Tables of an SQLite database, read without SQLite: from the files themselves, with the write-ahead log beside them.
//!
//! Source: "Database File Format" and "WAL-mode File Format" of SQLite. What is read is what a connection that opens the
//! files now would read: the last committed state. Nothing is locked and nothing is written, so a database may change
//! meanwhile; [`Database::unchanged`] tells.

mod btree;
mod record;
mod wal;

pub use record::{Record, Value};

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

/// By what a change of the files is noticed: length and time of both.
type Stamp = [Option<(u64, i64)>; 2];

impl<'r, 'h> Database<'r, 'h> {
    /// Opens the database at `path`. `Ok(None)`: not there, or empty as before its first table.
    pub fn open(reading: &'r Reading<'h>, path: &str) -> Result<Option<Self>, SqliteError> {
        let stamp = stamp(reading, path)?;
        let Some((length, _)) = stamp[0] else {
            return Ok(None);
        };
        let mut file = Windows::new(reading, path);
        let Some(header) = file.array::<100>(0)? else {
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
        let uses_log = header[19] == 2;
        let log = if uses_log {
            wal::Log::open(reading, &format!("{path}-wal"), page_size)?
        } else {
            None
        };
        if let Some(log) = &log {
            pages = log.pages;
        }
        let journal = reading.stat(&format!("{path}-journal"))?;
        Ok(Some(Self {
            reading,
            file,
            log,
            page_size,
            usable,
            pages,
            hot_journal: !uses_log && journal.is_some_and(|stat| stat.size > 0),
            stamp,
        }))
    }

    /// Whether another program is writing, or broke off, a transaction without a write-ahead log: what is read may then
    /// be half of it.
    pub fn has_hot_journal(&self) -> bool {
        self.hot_journal
    }

    /// Whether the files are still those that were opened, by length and modification time.
    pub fn unchanged(&self) -> Result<bool, SqliteError> {
        Ok(stamp(self.reading, self.file.path())? == self.stamp)
    }

    /// Calls `row` with the record of each row of a table, in order of row ids; a row that cannot be read is an `Err`
    /// that says why, and the next ones follow. Returns `false` if there is no such table.
    pub fn rows(
        &mut self,
        table: &str,
        row: &mut dyn FnMut(Result<Record<'_>, String>) -> bool,
    ) -> Result<bool, SqliteError> {
        let mut root = None;
        self.walk(1, &mut |record| {
            // type, name, tbl_name, rootpage, sql
            let Ok(record) = record else { return true };
            if record.text(0) == Some(b"table") && record.text(1) == Some(table.as_bytes()) {
                root = record.integer(3).and_then(|page| u32::try_from(page).ok());
            }
            root.is_none()
        })?;
        let Some(root) = root else { return Ok(false) };
        self.walk(root, row)?;
        Ok(true)
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

fn stamp(reading: &Reading<'_>, path: &str) -> Result<Stamp, Unread> {
    let of = |path: &str| Ok(reading.stat(path)?.map(|stat| (stat.size, stat.mtime)));
    Ok([of(path)?, of(&format!("{path}-wal"))?])
}

fn malformed(path: &str, what: impl Into<String>) -> SqliteError {
    SqliteError::Malformed {
        path: path.to_owned(),
        what: what.into(),
    }
}

#[cfg(test)]
mod tests;
