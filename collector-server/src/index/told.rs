//! Rows of `statement` and `stretch`, and digests by number.

use controls::timeline::Observation;
use evidence::Timestamp;
use rusqlite::Row;

use super::IndexError;
use super::database::{Rows, digest, signed, timestamp, unsigned};
use super::host::{Last, Statement, Stretch};

/// A statement as `statement` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatementRow {
    /// From when on it speaks.
    pub(crate) began: Timestamp,
    /// Its place in the log.
    pub(crate) index: u64,
    /// Its sequence number.
    pub(crate) sequence: u64,
    /// Its manifest (id).
    pub(crate) manifest: i64,
    /// Its own time.
    pub(crate) observed_at: Timestamp,
    /// Until when the manifest before it held.
    pub(crate) held_until: Option<Timestamp>,
    /// Whether statements before it were lost.
    pub(crate) lost: bool,
}

impl StatementRow {
    /// Columns in the order that [`Self::read`] takes them.
    pub(crate) const COLUMNS: &'static str = "began, idx, sequence, manifest, observed, held, lost";

    pub(crate) fn read(row: &Row<'_>) -> Result<Result<Self, IndexError>, rusqlite::Error> {
        let (began, index, sequence): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (manifest, observed): (i64, Option<i64>) = (row.get(3)?, row.get(4)?);
        let (held, lost): (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
        let of = || {
            Ok(Self {
                began: timestamp(began)?,
                index: unsigned(index)?,
                sequence: unsigned(sequence)?,
                manifest,
                observed_at: timestamp(observed.unwrap_or(began))?,
                held_until: held.map(timestamp).transpose()?,
                lost: lost.is_some(),
            })
        };
        Ok(of())
    }

    pub(super) fn last(&self) -> Last {
        Last {
            index: self.index,
            began: self.began,
            manifest: self.manifest,
        }
    }

    pub(super) fn observation(&self) -> Observation {
        self.statement().observation()
    }

    pub(super) fn statement(&self) -> Statement {
        Statement {
            index: self.index,
            sequence: self.sequence,
            observed_at: self.observed_at,
            held_until: self.held_until,
            lost: self.lost,
            manifest: self.manifest,
        }
    }
}

impl Statement {
    pub(super) fn write(&self, host: i64, began: Timestamp, rows: Rows<'_>) -> Result<(), IndexError> {
        let sql = "INSERT INTO statement (host, began, idx, sequence, manifest, observed, held, lost)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        rows.run(
            "writing a statement",
            sql,
            rusqlite::params![
                host,
                began.unix(),
                signed(self.index),
                signed(self.sequence),
                self.manifest,
                (self.observed_at != began).then_some(self.observed_at.unix()),
                self.held_until.map(Timestamp::unix),
                self.lost.then_some(1),
            ],
        )?;
        Ok(())
    }
}

impl Stretch {
    pub(super) fn write(&self, host: i64, rows: Rows<'_>) -> Result<(), IndexError> {
        let sql = "INSERT INTO stretch (host, began, until, first_idx, last_idx, last_began, manifest)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        rows.run(
            "writing a stretch",
            sql,
            rusqlite::params![
                host,
                self.began.unix(),
                self.until.unix(),
                signed(self.first_index),
                signed(self.last_index),
                self.last_began.unix(),
                self.manifest,
            ],
        )?;
        Ok(())
    }

    /// Reads `began, until, first_idx, last_idx, last_began, manifest`.
    pub(crate) fn read(row: &Row<'_>) -> Result<Result<Self, IndexError>, rusqlite::Error> {
        let (began, until, first): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (last, last_began, manifest): (i64, i64, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
        let of = || {
            Ok(Self {
                began: timestamp(began)?,
                until: timestamp(until)?,
                first_index: unsigned(first)?,
                last_index: unsigned(last)?,
                last_began: timestamp(last_began)?,
                manifest,
            })
        };
        Ok(of())
    }
}

/// The newest statement that is not after `at`.
pub(crate) fn statement_at(rows: Rows<'_>, host: i64, at: Timestamp) -> Result<Option<StatementRow>, IndexError> {
    let sql = "SELECT began, idx, sequence, manifest, observed, held, lost FROM statement
        WHERE host = ?1 AND began <= ?2 ORDER BY began DESC, idx DESC LIMIT 1";
    rows.one("reading statements", sql, (host, at.unix()), StatementRow::read)?
        .transpose()
}

/// The statement after one.
pub(super) fn statement_after(
    rows: Rows<'_>,
    host: i64,
    row: &StatementRow,
) -> Result<Option<StatementRow>, IndexError> {
    let sql = "SELECT began, idx, sequence, manifest, observed, held, lost FROM statement
        WHERE host = ?1 AND (began, idx) > (?2, ?3) ORDER BY began, idx LIMIT 1";
    let after = (host, row.began.unix(), signed(row.index));
    rows.one("reading statements", sql, after, StatementRow::read)?
        .transpose()
}

/// The digest of a manifest or a facts document (`table`) by its id.
pub(crate) fn digest_of(rows: Rows<'_>, table: Table, id: i64) -> Result<evidence::Digest, IndexError> {
    let sql = match table {
        Table::Manifest => "SELECT digest FROM manifest WHERE id = ?1",
        Table::Facts => "SELECT digest FROM facts WHERE id = ?1",
    };
    let bytes = rows.one("reading digests", sql, [id], |row| row.get::<_, Vec<u8>>(0))?;
    digest(&bytes.ok_or_else(|| IndexError::damaged(format_args!("there is no {table:?} {id}")))?)
}

/// What is numbered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    /// Manifests.
    Manifest,
    /// Facts documents.
    Facts,
}
