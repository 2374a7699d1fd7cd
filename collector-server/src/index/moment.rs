//! All hosts at one instant, out of rows alone: what they told then, and what the rules in force say about it.

use controls::assessment::Tenure;
use controls::verdict::Verdict;
use evidence::Timestamp;
use evidence::facts::ProbeId;
use evidence::statement::HostId;
use rusqlite::Row;

use super::database::{Rows, signed, timestamp};
use super::{IndexError, Places, Snapshot, verdict_from_letter, verdict_letter};

/// Steps of which it is kept how far back they reach. At a step a second it is the last hour.
const STEPS: i64 = 4096;

/// One host at an instant.
#[derive(Debug)]
pub(crate) struct HostAt {
    /// Its id.
    pub(crate) host: HostId,
    /// Its name.
    pub(crate) name: String,
    /// How long it was a member.
    pub(crate) tenure: Tenure,
    /// Its newest statement that is not after the instant.
    pub(crate) told: Option<ToldAt>,
}

/// A statement, as far as it matters at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToldAt {
    /// It speaks from here.
    pub(crate) began: Timestamp,
    /// From here on neither it nor another one with the same manifest speaks.
    pub(crate) until: Timestamp,
    /// Its manifest (id).
    pub(crate) manifest: i64,
}

/// What the rules say about one manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Said {
    /// One letter per rule, in the order of the places.
    rules: String,
    /// One digit per document that rules read, in order: whether it was observed.
    observed: String,
}

impl Said {
    /// Out of verdicts, in the order of the places.
    pub(crate) fn of(verdicts: &[Verdict], places: &Places, observed: impl Fn(&ProbeId) -> bool) -> Self {
        let digit = |document| if observed(document) { '1' } else { '0' };
        Self {
            rules: verdicts.iter().copied().map(verdict_letter).collect(),
            observed: places.documents.iter().map(digit).collect(),
        }
    }

    /// What is said where nothing is told.
    pub(crate) fn nothing(places: &Places) -> Self {
        Self::of(&vec![Verdict::Unknown; places.rules.len()], places, |_| false)
    }

    /// The verdicts, in the order of the places.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.rules.chars().map(verdict_from_letter).collect()
    }

    /// The documents that rules read and that were not observed.
    pub(crate) fn not_measured(&self, places: &Places) -> Vec<ProbeId> {
        let unseen = places.documents.iter().zip(self.observed.chars());
        unseen
            .filter(|(_, digit)| *digit != '1')
            .map(|(document, _)| document.clone())
            .collect()
    }

    pub(super) fn write(
        &self,
        rows: Rows<'_>,
        manifest: i64,
        (since, until): (Timestamp, Option<Timestamp>),
    ) -> Result<(), IndexError> {
        let sql = "INSERT OR IGNORE INTO said (manifest, since, until, rules, observed) VALUES (?1, ?2, ?3, ?4, ?5)";
        let row = (
            manifest,
            since.unix(),
            until.map(Timestamp::unix),
            &self.rules,
            &self.observed,
        );
        rows.run("writing what rules say", sql, row)?;
        Ok(())
    }
}

/// Notes from which instant on a step changed what is told; `None` if it changed nothing.
pub(super) fn write_reach(rows: Rows<'_>, position: u64, since: Option<Timestamp>) -> Result<(), IndexError> {
    const DOING: &str = "writing how far back a step reaches";
    let since = since.map_or(i64::MAX, Timestamp::unix);
    let sql = "INSERT OR REPLACE INTO reach (position, since) VALUES (?1, ?2)";
    rows.run(DOING, sql, (signed(position), since))?;
    let sql = "DELETE FROM reach WHERE position <=
        (SELECT position FROM reach ORDER BY position DESC LIMIT 1 OFFSET ?1)";
    rows.run(DOING, sql, [STEPS])?;
    Ok(())
}

type HostRow = (
    (i64, String, String, i64, Option<i64>),
    (Option<i64>, Option<i64>),
    [Option<i64>; 4],
);

fn host_row(row: &Row<'_>) -> Result<HostRow, rusqlite::Error> {
    Ok((
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?),
        (row.get(5)?, row.get(6)?),
        [row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?],
    ))
}

impl Snapshot<'_> {
    /// Every host at an instant, by name, then as they enrolled.
    pub(crate) fn hosts_at(&self, at: Timestamp) -> Result<Vec<HostAt>, IndexError> {
        let sql = "SELECT h.id, h.host, h.name, h.enrolled_at, h.revoked_at, t.last_began, t.last_manifest,
            t.stretch_began, t.stretch_until, t.stretch_last_began, t.stretch_manifest
            FROM host h LEFT JOIN state t ON t.host = h.id ORDER BY h.name, h.id";
        let found = self.rows().many("reading hosts", sql, [], host_row)?;
        let host = |((number, id, name, enrolled, revoked), last, stretch): HostRow| {
            Ok(HostAt {
                told: self.told_at(number, at, last, stretch)?,
                host: HostId::new(id).map_err(IndexError::damaged)?,
                name,
                tenure: Tenure {
                    enrolled_at: timestamp(enrolled)?,
                    revoked_at: revoked.map(timestamp).transpose()?,
                },
            })
        };
        found.into_iter().map(host).collect()
    }

    /// The newest statement not after `at`: the last one, or in the stretch before it, or in one that has ended.
    fn told_at(
        &self,
        host: i64,
        at: Timestamp,
        last: (Option<i64>, Option<i64>),
        newest: [Option<i64>; 4],
    ) -> Result<Option<ToldAt>, IndexError> {
        let (Some(last), Some(manifest)) = last else {
            return Ok(None);
        };
        if last <= at.unix() {
            let began = timestamp(last)?;
            return Ok(Some(ToldAt {
                began,
                until: began.plus(signed(self.head().freshness)),
                manifest,
            }));
        }
        let stretch = match newest {
            [Some(began), Some(until), Some(last), Some(manifest)] if began <= at.unix() => {
                Some((until, last, manifest))
            }
            _ => {
                let sql = "SELECT until, last_began, manifest FROM stretch WHERE host = ?1 AND began <= ?2
                    ORDER BY began DESC LIMIT 1";
                let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
                self.rows().one("reading stretches", sql, (host, at.unix()), read)?
            }
        };
        let Some((until, last, manifest)) = stretch else {
            return Ok(None);
        };
        let began = if last <= at.unix() {
            last
        } else {
            let sql = "SELECT MAX(began) FROM statement WHERE host = ?1 AND began <= ?2";
            let began = self.rows().one("reading statements", sql, (host, at.unix()), |row| {
                row.get::<_, Option<i64>>(0)
            })?;
            let missing = || IndexError::damaged(format_args!("host {host} has no statement at {at}"));
            began.flatten().ok_or_else(missing)?
        };
        Ok(Some(ToldAt {
            began: timestamp(began)?,
            until: timestamp(until)?,
            manifest,
        }))
    }

    /// What is kept of what the rules in force say about a manifest at an instant.
    pub(crate) fn said(&self, manifest: i64, at: Timestamp) -> Result<Option<Said>, IndexError> {
        let sql = "SELECT rules, observed FROM said
            WHERE manifest = ?1 AND since <= ?2 AND (until IS NULL OR until > ?2) ORDER BY since DESC LIMIT 1";
        self.rows()
            .one("reading what rules say", sql, (manifest, at.unix()), |row| {
                Ok(Said {
                    rules: row.get(0)?,
                    observed: row.get(1)?,
                })
            })
    }

    /// Whether what was told about an instant at `position`, an earlier state, is still so.
    pub(crate) fn still_told(&self, position: u64, at: Timestamp) -> Result<bool, IndexError> {
        const DOING: &str = "reading how far back steps reach";
        if position == self.head().position {
            return Ok(true);
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM reach WHERE position = ?1)";
        let known = self
            .rows()
            .one(DOING, sql, [signed(position)], |row| row.get::<_, bool>(0))?;
        let sql = "SELECT EXISTS (SELECT 1 FROM reach WHERE position > ?1 AND since <= ?2)";
        let reached = self
            .rows()
            .one(DOING, sql, (signed(position), at.unix()), |row| row.get::<_, bool>(0))?;
        Ok(position < self.head().position && known == Some(true) && reached == Some(false))
    }
}
