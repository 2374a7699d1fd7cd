//! Facts documents by digest.

use evidence::facts::FactsDocument;
use evidence::statement::HostId;
use evidence::{Digest, Timestamp};
use serde::Serialize;

use super::asking::Asking;
use super::{AsOf, Page, Paged, Query, QueryError, Span};
use crate::index::{IndexError, StatementRow, database};

/// A facts document and who has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactsDetail {
    /// What it is about.
    pub as_of: AsOf,
    /// Its name: the SHA-256 of its bytes.
    pub digest: Digest,
    /// Bytes.
    pub length: u64,
    /// What it says.
    pub document: FactsDocument,
    /// Its canonical bytes.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// Hosts whose last statement has it, by enrolment.
    pub holders: Paged<Holder>,
    /// Hosts that had it before, the latest first.
    pub former: Paged<Holder>,
}

/// A host that has, or had, a facts document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its id.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when; absent while no later statement says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The first statement in the log that says so.
    pub first_index: u64,
}

impl Query {
    /// A facts document, who has it at present and who had it.
    pub fn facts(&self, digest: &Digest, holders: Page, former: Page) -> Result<FactsDetail, QueryError> {
        self.ask(Span::Now, |asking| {
            let not_found = || QueryError::NotFound {
                what: "facts document",
                name: digest.to_string(),
            };
            let stored = asking.store.facts(digest)?.ok_or_else(not_found)?;
            let document = FactsDocument::from_bytes(&stored.bytes).map_err(IndexError::damaged)?;
            let rows = asking.snapshot.rows();
            let sql = "SELECT id FROM facts WHERE digest = ?1";
            let number = rows.one("reading digests", sql, [digest.as_bytes().as_slice()], |row| row.get(0))?;
            // Facts that no statement names yet have no number, and nobody has them.
            let number: i64 = number.unwrap_or(-1);
            Ok(FactsDetail {
                as_of: asking.as_of,
                digest: *digest,
                length: u64::try_from(stored.bytes.len()).unwrap_or(u64::MAX),
                document,
                bytes: stored.bytes,
                holders: asking.holders(number, digest, holders)?,
                former: asking.former(number, former)?,
            })
        })
    }

    /// A facts document alone.
    pub fn facts_bytes(&self, digest: &Digest) -> Result<Vec<u8>, QueryError> {
        let stored = self.index().store().facts(digest)?;
        stored.map(|stored| stored.bytes).ok_or_else(|| QueryError::NotFound {
            what: "facts document",
            name: digest.to_string(),
        })
    }
}

impl Asking<'_> {
    fn count(&self, sql: &str, number: i64) -> Result<u64, QueryError> {
        let rows = self.snapshot.rows();
        let count = rows.one("counting holders", sql, [number], |row| row.get::<_, i64>(0))?;
        Ok(database::unsigned(count.unwrap_or_default())?)
    }

    fn holders(&self, number: i64, digest: &Digest, page: Page) -> Result<Paged<Holder>, QueryError> {
        let sql = "SELECT h.host FROM holding f JOIN host h ON h.id = f.host WHERE f.facts = ?1 ORDER BY f.host
            LIMIT ?2 OFFSET ?3";
        let limits = (number, database::signed(page.limit), database::signed(page.offset));
        let rows = self.snapshot.rows();
        let mut items = Vec::new();
        for id in rows.many("reading holders", sql, limits, |row| row.get::<_, String>(0))? {
            let host = self.host(&HostId::new(id).map_err(IndexError::damaged)?)?;
            let since = self.snapshot.since(&host, Some(digest), self.as_of.from)?;
            let from = since.unwrap_or(self.as_of.from);
            let first = self.first_at(host.number, from)?;
            items.push(Holder {
                host: host.host,
                name: host.name,
                from,
                to: None,
                first_index: first,
            });
        }
        Ok(Paged {
            total: self.count("SELECT COUNT(*) FROM holding WHERE facts = ?1", number)?,
            offset: page.offset,
            items,
        })
    }

    /// Intervals that have ended: those that are certain, and those that the newest statement has ended.
    fn former(&self, number: i64, page: Page) -> Result<Paged<Holder>, QueryError> {
        const ENDED: &str = "
            SELECT f.host, f.until, f.began, f.first_idx FROM former f WHERE f.facts = ?1
            UNION ALL
            SELECT r.host, t.stretch_until, r.began, r.first_idx FROM state t CROSS JOIN run r
            WHERE t.turning = 1 AND r.facts = ?1 AND r.host = t.host AND (t.seen > t.stretch_until
                OR NOT EXISTS (SELECT 1 FROM holding WHERE holding.facts = r.facts AND holding.host = r.host))";
        let sql = format!(
            "SELECT h.host, h.name, e.until, e.began, e.first_idx FROM ({ENDED}) e JOIN host h ON h.id = e.host
            ORDER BY e.until DESC, e.host LIMIT ?2 OFFSET ?3"
        );
        let limits = (number, database::signed(page.limit), database::signed(page.offset));
        let rows = self.snapshot.rows();
        let found = rows.many("reading former holders", &sql, limits, |row| {
            let times = (row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?);
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, times))
        })?;
        let holder = |(id, name, (until, began, first))| {
            Ok(Holder {
                host: HostId::new(id).map_err(IndexError::damaged)?,
                name,
                from: database::timestamp(began)?,
                to: Some(database::timestamp(until)?),
                first_index: database::unsigned(first)?,
            })
        };
        Ok(Paged {
            total: self.count(&format!("SELECT COUNT(*) FROM ({ENDED})"), number)?,
            offset: page.offset,
            items: found.into_iter().map(holder).collect::<Result<_, IndexError>>()?,
        })
    }

    /// The statement that speaks from `began` on.
    fn first_at(&self, host: i64, began: Timestamp) -> Result<u64, QueryError> {
        let sql = format!(
            "SELECT {} FROM statement WHERE host = ?1 AND began = ?2 ORDER BY idx DESC LIMIT 1",
            StatementRow::COLUMNS
        );
        let rows = self.snapshot.rows();
        let row = rows.one("reading statements", &sql, (host, began.unix()), StatementRow::read)?;
        Ok(row.transpose()?.map_or(0, |row| row.index))
    }
}
