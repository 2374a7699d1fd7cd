//! Reading: used by readers and, inside a transaction, by the writer.

use evidence::facts::{self, ProbeId};
use evidence::key::{KeyId, PublicKey};
use evidence::statement::HostId;
use evidence::{Digest, Timestamp, manifest};
use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use super::database::failure;
use crate::store::{
    CloneSuspicion, Contact, Head, Last, Member, StoreError, StoredFacts, TILE_WIDTH, TokenRecord, TokenUse, bundle,
};

/// A connection that reads.
pub(super) struct Reading<'a>(pub(super) &'a Connection);

const MEMBER: &str =
    "SELECT host, name, spki, enrolled, revoked, last_idx, last_epoch, last_sequence, last_digest FROM member";

/// SQLite's integers are signed; an index or sequence number is below 2^53.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Misuse {
        what: format!("the number {number}"),
    })
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::damaged(format_args!("the number {number} is stored")))
}

fn timestamp(seconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix(seconds).map_err(StoreError::damaged)
}

fn host(id: String) -> Result<HostId, StoreError> {
    HostId::new(id).map_err(StoreError::damaged)
}

/// The tail of a query with a limit: SQLite has no limit above 2^63.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Reading<'_> {
    fn one<T>(
        &self,
        doing: &'static str,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failure(doing, error))?;
        let row = statement.query_row(parameters, read).optional();
        row.map_err(|error| failure(doing, error))
    }

    fn many<T>(
        &self,
        doing: &'static str,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(|error| failure(doing, error))?;
        let rows = statement.query_map(parameters, read).and_then(Iterator::collect);
        rows.map_err(|error| failure(doing, error))
    }

    pub(super) fn head(&self) -> Result<Option<Head>, StoreError> {
        let sql = "SELECT size, checkpoint FROM head";
        let row = self.one("reading the tree head", sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let head = |(size, checkpoint)| {
            Ok(Head {
                size: unsigned(size)?,
                checkpoint,
            })
        };
        row.map(head).transpose()
    }

    /// Sealing moves entries between two tables: both are read in one transaction.
    pub(super) fn entries_at_once(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let snapshot = self.0.unchecked_transaction();
        let _snapshot = snapshot.map_err(|error| failure("reading entries", error))?;
        self.entries(from, limit)
    }

    pub(super) fn entries(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        const DOING: &str = "reading entries";
        let mut found: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut next = from;
        while found.len() < limit {
            let sql = "SELECT bytes FROM bundle WHERE idx = ?1";
            let sealed: Option<Vec<u8>> = self.one(DOING, sql, [signed(next / TILE_WIDTH)?], |row| row.get(0))?;
            let Some(sealed) = sealed else { break };
            let skip = usize::try_from(next % TILE_WIDTH).unwrap_or_default();
            for entry in bundle::open(&sealed)?.into_iter().skip(skip).take(limit - found.len()) {
                found.push((next, entry));
                next += 1;
            }
        }
        let sql = "SELECT idx, bytes FROM entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
        let left = rows(limit - found.len());
        let recent = self.many(DOING, sql, (signed(next)?, left), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (index, bytes) in recent {
            let index = unsigned(index)?;
            if index != next {
                return Err(StoreError::damaged(format_args!(
                    "entry {next} is not there, entry {index} is"
                )));
            }
            found.push((index, bytes));
            next += 1;
        }
        Ok(found)
    }

    pub(super) fn unsealed(&self) -> Result<u64, StoreError> {
        let sql = "SELECT MAX(idx) FROM bundle";
        let last: Option<i64> = self.one("reading bundles", sql, [], |row| row.get(0))?.flatten();
        last.map_or(Ok(0), |last| Ok((unsigned(last)? + 1) * TILE_WIDTH))
    }

    pub(super) fn hashes(&self, level: u8, index: u64) -> Result<Option<Vec<Digest>>, StoreError> {
        let sql = "SELECT bytes FROM hashes WHERE level = ?1 AND idx = ?2";
        let bytes: Option<Vec<u8>> = self.one("reading tree hashes", sql, (level, signed(index)?), |row| row.get(0))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let (hashes, rest) = bytes.as_chunks();
        if !rest.is_empty() || hashes.len() as u64 > TILE_WIDTH {
            return Err(StoreError::damaged(format_args!(
                "tile {index} of level {level} has {} bytes",
                bytes.len()
            )));
        }
        Ok(Some(hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect()))
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM manifest WHERE digest = ?1";
        let bytes: Option<Vec<u8>> = self.one("reading a manifest", sql, [digest.as_bytes()], |row| row.get(0))?;
        bytes
            .map(|bytes| decompress(&bytes, manifest::MAX_BYTES, digest))
            .transpose()
    }

    pub(super) fn facts(&self, digest: &Digest) -> Result<Option<StoredFacts>, StoreError> {
        let sql = "SELECT probe, bytes FROM facts WHERE digest = ?1";
        let row: Option<(String, Vec<u8>)> = self.one("reading a facts document", sql, [digest.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let stored = |(probe, bytes): (String, Vec<u8>)| {
            Ok(StoredFacts {
                probe: ProbeId::new(probe).map_err(StoreError::damaged)?,
                bytes: decompress(&bytes, facts::MAX_BYTES, digest)?,
            })
        };
        row.map(stored).transpose()
    }

    pub(super) fn facts_probe(&self, digest: &Digest) -> Result<Option<ProbeId>, StoreError> {
        let sql = "SELECT probe FROM facts WHERE digest = ?1";
        let probe: Option<String> = self.one("looking for facts", sql, [digest.as_bytes()], |row| row.get(0))?;
        probe
            .map(|probe| ProbeId::new(probe).map_err(StoreError::damaged))
            .transpose()
    }

    /// `table` is one of two words of this module, never a client's.
    pub(super) fn digests(
        &self,
        table: &'static str,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Digest>, StoreError> {
        let sql = format!("SELECT digest FROM {table} WHERE digest > ?1 ORDER BY digest LIMIT ?2");
        let after = after.map_or(&[][..], |digest| digest.as_bytes());
        let found: Vec<[u8; 32]> = self.many("listing digests", &sql, (after, rows(limit)), |row| row.get(0))?;
        Ok(found.into_iter().map(Digest::from_bytes).collect())
    }

    pub(super) fn member(&self, key: &KeyId) -> Result<Option<Member>, StoreError> {
        let sql = format!("{MEMBER} WHERE keyid = ?1");
        let row = self.one("reading a member", &sql, [key.0.as_bytes()], MemberRow::read)?;
        row.map(MemberRow::member).transpose()
    }

    pub(super) fn member_of(&self, host: &HostId) -> Result<Option<Member>, StoreError> {
        let sql = format!("{MEMBER} WHERE host = ?1");
        let row = self.one("reading a member", &sql, [host.as_str()], MemberRow::read)?;
        row.map(MemberRow::member).transpose()
    }

    pub(super) fn members(&self, after: Option<&HostId>, limit: usize) -> Result<Vec<Member>, StoreError> {
        let sql = format!("{MEMBER} WHERE host > ?1 ORDER BY host LIMIT ?2");
        let after = after.map_or("", HostId::as_str);
        let found = self.many("listing members", &sql, (after, rows(limit)), MemberRow::read)?;
        found.into_iter().map(MemberRow::member).collect()
    }

    pub(super) fn position(&self, key: &KeyId, sequence: u64) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT position.idx FROM position JOIN member ON member.id = position.member \
                   WHERE member.keyid = ?1 AND position.sequence = ?2";
        let parameters = (key.0.as_bytes(), signed(sequence)?);
        let index: Option<i64> = self.one("looking for a statement", sql, parameters, |row| row.get(0))?;
        index.map(unsigned).transpose()
    }

    pub(super) fn own(&self, kind: Option<&str>, from: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        const DOING: &str = "listing the collector's entries";
        let (from, limit) = (signed(from)?, rows(limit));
        let found: Vec<i64> = if let Some(kind) = kind {
            let sql = "SELECT idx FROM own WHERE kind = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3";
            self.many(DOING, sql, (kind, from, limit), |row| row.get(0))?
        } else {
            let sql = "SELECT idx FROM own WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
            self.many(DOING, sql, (from, limit), |row| row.get(0))?
        };
        found.into_iter().map(unsigned).collect()
    }

    pub(super) fn last_own(&self, kind: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT MAX(idx) FROM own WHERE kind = ?1";
        let index: Option<Option<i64>> = self.one("looking for an entry", sql, [kind], |row| row.get(0))?;
        index.flatten().map(unsigned).transpose()
    }

    pub(super) fn last_own_digest(&self) -> Result<Option<Digest>, StoreError> {
        let sql = "SELECT digest FROM own ORDER BY idx DESC LIMIT 1";
        let digest: Option<[u8; 32]> = self.one("looking for an entry", sql, [], |row| row.get(0))?;
        Ok(digest.map(Digest::from_bytes))
    }

    pub(super) fn file(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM file WHERE digest = ?1";
        let bytes: Option<Vec<u8>> = self.one("reading a file", sql, [digest.as_bytes()], |row| row.get(0))?;
        bytes
            .map(|bytes| decompress(&bytes, facts::MAX_BYTES, digest))
            .transpose()
    }

    pub(super) fn token(&self, id: [u8; 8]) -> Result<Option<TokenRecord>, StoreError> {
        let sql = "SELECT id, secret, created, expires, used_at, used_by FROM token WHERE id = ?1";
        let row = self.one("reading a token", sql, [id], TokenRow::read)?;
        row.map(TokenRow::record).transpose()
    }

    pub(super) fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        let sql = "SELECT id, secret, created, expires, used_at, used_by FROM token ORDER BY created DESC, id";
        let found = self.many("listing tokens", sql, [], TokenRow::read)?;
        found.into_iter().map(TokenRow::record).collect()
    }

    pub(super) fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        let sql = "SELECT host, at, agent_version, spooled, clock_ahead FROM contact ORDER BY host";
        let found: Vec<(String, i64, String, i64, i64)> = self.many("listing contacts", sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
        let contact = |(id, at, agent_version, spooled, clock_ahead)| {
            Ok(Contact {
                host: host(id)?,
                at: timestamp(at)?,
                agent_version,
                spooled: unsigned(spooled)?,
                clock_ahead,
            })
        };
        found.into_iter().map(contact).collect()
    }

    pub(super) fn clones(&self) -> Result<Vec<CloneSuspicion>, StoreError> {
        let sql = "SELECT host, sequence, refused, at FROM clone ORDER BY host, sequence, refused";
        let found: Vec<(String, i64, [u8; 32], i64)> = self.many("listing suspected clones", sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        let suspicion = |(id, sequence, refused, at)| {
            Ok(CloneSuspicion {
                host: host(id)?,
                sequence: unsigned(sequence)?,
                refused: Digest::from_bytes(refused),
                at: timestamp(at)?,
            })
        };
        found.into_iter().map(suspicion).collect()
    }

    pub(super) fn self_check(&self) -> Result<Vec<String>, StoreError> {
        let lines: Vec<String> = self.many("checking the file", "PRAGMA integrity_check", [], |row| row.get(0))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

fn decompress(bytes: &[u8], limit: usize, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::decompress(bytes, limit)
        .map_err(|_| StoreError::damaged(format_args!("what is stored as {digest} does not decompress")))
}

/// A row of `member` before it is understood.
struct MemberRow {
    host: String,
    name: String,
    spki: Vec<u8>,
    enrolled: i64,
    revoked: Option<i64>,
    last: (Option<i64>, Option<String>, Option<i64>, Option<[u8; 32]>),
}

impl MemberRow {
    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            host: row.get(0)?,
            name: row.get(1)?,
            spki: row.get(2)?,
            enrolled: row.get(3)?,
            revoked: row.get(4)?,
            last: (row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?),
        })
    }

    fn member(self) -> Result<Member, StoreError> {
        let last = match self.last {
            (Some(index), Some(epoch), Some(sequence), Some(digest)) => Some(Last {
                index: unsigned(index)?,
                epoch,
                sequence: unsigned(sequence)?,
                digest: Digest::from_bytes(digest),
            }),
            (None, None, None, None) => None,
            _ => {
                return Err(StoreError::damaged(format_args!(
                    "half a last statement of {}",
                    self.host
                )));
            }
        };
        Ok(Member {
            host: host(self.host)?,
            name: self.name,
            key: PublicKey::from_spki(&self.spki).map_err(StoreError::damaged)?,
            enrolled: unsigned(self.enrolled)?,
            revoked: self.revoked.map(unsigned).transpose()?,
            last,
        })
    }
}

/// A row of `token` before it is understood.
struct TokenRow {
    id: [u8; 8],
    secret: [u8; 32],
    created: i64,
    expires: i64,
    used: (Option<i64>, Option<String>),
}

impl TokenRow {
    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            id: row.get(0)?,
            secret: row.get(1)?,
            created: row.get(2)?,
            expires: row.get(3)?,
            used: (row.get(4)?, row.get(5)?),
        })
    }

    fn record(self) -> Result<TokenRecord, StoreError> {
        let used = match self.used {
            (Some(at), Some(id)) => Some(TokenUse {
                at: timestamp(at)?,
                host: host(id)?,
            }),
            _ => None,
        };
        Ok(TokenRecord {
            id: self.id,
            secret: Digest::from_bytes(self.secret),
            created: timestamp(self.created)?,
            expires: timestamp(self.expires)?,
            used,
        })
    }
}
