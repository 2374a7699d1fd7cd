//! What the index keeps of one host between its statements.

use std::sync::{Arc, LazyLock};

use controls::timeline::{Observation, Timeline, Told};
use evidence::Timestamp;
use evidence::manifest::Manifest;
use rusqlite::Row;

use super::IndexError;
use super::database::{Rows, signed, timestamp, unsigned};
use super::told::{statement_after, statement_at};

/// Timelines here only tell times apart; which manifest it is, is kept beside them.
static NO_MANIFEST: LazyLock<Arc<Manifest>> = LazyLock::new(Arc::default);

/// A statement that has been taken in, as far as the next one needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) index: u64,
    pub(super) began: Timestamp,
    pub(super) manifest: i64,
}

/// An interval over which a host stated one manifest without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Begin, included.
    pub(crate) began: Timestamp,
    /// End, excluded.
    pub(crate) until: Timestamp,
    /// The statement that speaks from `began` on.
    pub(crate) first_index: u64,
    /// The one that speaks until `until`,
    pub(crate) last_index: u64,
    /// and from when on.
    pub(crate) last_began: Timestamp,
    /// The manifest (id).
    pub(crate) manifest: i64,
}

/// The newest statement that is not after an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// It speaks from here,
    pub(crate) began: Timestamp,
    /// and not any more here.
    pub(crate) until: Timestamp,
    /// Its manifest (id).
    pub(crate) manifest: i64,
}

/// What is kept of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) last: Option<Last>,
    /// Of all statements before the last one, the stretch that the newest belong to.
    pub(super) stretch: Option<Stretch>,
    /// As of the state at present.
    pub(super) seen: Option<Seen>,
    pub(super) part: i64,
    pub(super) due: Option<Timestamp>,
}

/// A statement, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) index: u64,
    pub(super) sequence: u64,
    pub(super) observed_at: Timestamp,
    pub(super) held_until: Option<Timestamp>,
    pub(super) lost: bool,
    pub(super) manifest: i64,
}

/// What became certain when a statement was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// From when on it speaks.
    pub(super) began: Timestamp,
    /// The stretch before the one that now is the newest, if a new one began.
    pub(super) ended: Option<Stretch>,
    /// Whether a new stretch began.
    pub(super) new_stretch: bool,
    /// What was told about instants before this one is as it was.
    pub(super) reach: Timestamp,
}

impl Statement {
    pub(super) fn observation(&self) -> Observation {
        Observation {
            index: self.index,
            observed_at: self.observed_at,
            held_until: self.held_until,
            lost: self.lost,
            manifest: Arc::clone(&NO_MANIFEST),
        }
    }
}

impl Last {
    pub(super) fn told(&self, freshness: u64) -> Told {
        Told {
            index: self.index,
            from: self.began,
            until: self.began.plus(i64::try_from(freshness).unwrap_or(i64::MAX)),
            in_order: true,
            manifest: Arc::clone(&NO_MANIFEST),
        }
    }
}

impl State {
    /// Takes in the next statement of the host. The timeline of `controls` says what that makes of the one before it.
    pub(super) fn append(&mut self, statement: &Statement, freshness: u64) -> Result<Taken, IndexError> {
        let mut timeline = match &self.last {
            Some(last) => Timeline::resume(freshness, last.told(freshness)),
            None => Timeline::new(freshness),
        };
        let began = timeline
            .append(statement.observation())
            .map_err(IndexError::damaged)?
            .from;
        let before = self.last.replace(Last {
            index: statement.index,
            began,
            manifest: statement.manifest,
        });
        let mut taken = Taken {
            began,
            ended: None,
            new_stretch: false,
            reach: began,
        };
        let until = timeline.told().first().map(|told| told.until);
        let (Some(before), Some(until)) = (before, until) else {
            return Ok(taken);
        };
        let spoke_until = before.told(freshness).until;
        if until != spoke_until {
            taken.reach = began.min(until).min(spoke_until);
        }
        if until <= before.began {
            return Ok(taken);
        }
        if let Some(stretch) = &mut self.stretch
            && stretch.manifest == before.manifest
            && stretch.until == before.began
        {
            stretch.until = until;
            stretch.last_index = before.index;
            stretch.last_began = before.began;
            return Ok(taken);
        }
        taken.new_stretch = true;
        taken.ended = self.stretch.replace(Stretch {
            began: before.began,
            until,
            first_index: before.index,
            last_index: before.index,
            last_began: before.began,
            manifest: before.manifest,
        });
        Ok(taken)
    }

    /// The last statement as a stretch of its own, and whether it goes on with the one before.
    pub(super) fn last_stretch(&self, freshness: u64) -> Option<Stretch> {
        let last = self.last?;
        Some(Stretch {
            began: last.began,
            until: last.told(freshness).until,
            first_index: last.index,
            last_index: last.index,
            last_began: last.began,
            manifest: last.manifest,
        })
    }

    /// The newest statement that is not after `at`.
    pub(super) fn seen_at(
        &self,
        host: i64,
        at: Timestamp,
        freshness: u64,
        rows: Rows<'_>,
    ) -> Result<Option<Seen>, IndexError> {
        let last = self.last_stretch(freshness);
        for stretch in [last, self.stretch].into_iter().flatten() {
            if stretch.last_began <= at {
                return Ok(Some(Seen {
                    began: stretch.last_began,
                    until: stretch.until,
                    manifest: stretch.manifest,
                }));
            }
        }
        if last.is_none() {
            return Ok(None);
        }
        // Clocks that run ahead of the collector's: some statements are not to be believed yet.
        let Some(statement) = statement_at(rows, host, at)? else {
            return Ok(None);
        };
        let mut timeline = Timeline::resume(freshness, statement.last().told(freshness));
        if let Some(next) = statement_after(rows, host, &statement)? {
            timeline.append(next.observation()).map_err(IndexError::damaged)?;
        }
        let told = timeline.told().first();
        Ok(told.map(|told| Seen {
            began: told.from,
            until: told.until,
            manifest: statement.manifest,
        }))
    }

    /// The first instant after `at` at which time alone changes what is seen of the host.
    pub(super) fn next_change(
        &self,
        host: i64,
        at: Timestamp,
        rows: Rows<'_>,
    ) -> Result<Option<Timestamp>, IndexError> {
        let silence = self.seen.map(|seen| seen.until).filter(|until| *until > at);
        let ahead = if self.last.is_some_and(|last| last.began > at) {
            let sql = "SELECT MIN(began) FROM statement WHERE host = ?1 AND began > ?2";
            let found = rows.one("reading statements", sql, (host, at.unix()), |row| {
                row.get::<_, Option<i64>>(0)
            })?;
            found.flatten().map(timestamp).transpose()?
        } else {
            None
        };
        Ok([silence, ahead].into_iter().flatten().min())
    }

    /// Whether the last statement goes on with the stretch before it.
    fn goes_on(&self) -> bool {
        let (Some(last), Some(stretch)) = (self.last, self.stretch) else {
            return false;
        };
        stretch.manifest == last.manifest && stretch.until == last.began
    }

    /// When the host last began to state something else, or fell silent.
    fn turned(&self, now: Timestamp) -> Option<Timestamp> {
        if let Some(seen) = self.seen.filter(|seen| seen.until <= now) {
            return Some(seen.until);
        }
        match self.stretch.filter(|_| self.goes_on()) {
            Some(stretch) => Some(stretch.began),
            None => self.last.map(|last| last.began),
        }
    }

    /// Whether the newest statement says something else than the stretch before it.
    fn turning(&self) -> bool {
        let after = |stretch: Stretch| self.seen.is_some_and(|seen| seen.began >= stretch.until);
        self.stretch.is_some_and(after) && !self.goes_on()
    }

    pub(super) fn write(&self, host: i64, now: Timestamp, rows: Rows<'_>) -> Result<(), IndexError> {
        let sql =
            "INSERT OR REPLACE INTO state (host, last_idx, last_began, last_manifest, stretch_began, stretch_until,
            stretch_first_idx, stretch_last_idx, stretch_last_began, stretch_manifest, seen, seen_until, seen_manifest,
            part, due, turned, turning) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
        let (last, stretch, seen) = (self.last, self.stretch, self.seen);
        rows.run(
            "writing the state of a host",
            sql,
            rusqlite::params![
                host,
                last.map(|last| signed(last.index)),
                last.map(|last| last.began.unix()),
                last.map(|last| last.manifest),
                stretch.map(|stretch| stretch.began.unix()),
                stretch.map(|stretch| stretch.until.unix()),
                stretch.map(|stretch| signed(stretch.first_index)),
                stretch.map(|stretch| signed(stretch.last_index)),
                stretch.map(|stretch| stretch.last_began.unix()),
                stretch.map(|stretch| stretch.manifest),
                seen.map(|seen| seen.began.unix()),
                seen.map(|seen| seen.until.unix()),
                seen.map(|seen| seen.manifest),
                self.part,
                self.due.map(Timestamp::unix),
                self.turned(now).map(Timestamp::unix),
                self.turning().then_some(1),
            ],
        )?;
        Ok(())
    }

    /// Columns in the order that [`Self::read`] takes them.
    pub(super) const COLUMNS: &'static str = "last_idx, last_began, last_manifest, stretch_began, stretch_until, \
        stretch_first_idx, stretch_last_idx, stretch_last_began, stretch_manifest, seen, seen_until, seen_manifest, part, due";

    pub(super) fn read(row: &Row<'_>) -> Result<Result<Self, IndexError>, rusqlite::Error> {
        let numbers: [Option<i64>; 14] = {
            let mut numbers = [None; 14];
            for (place, number) in numbers.iter_mut().enumerate() {
                *number = row.get(place)?;
            }
            numbers
        };
        Ok(Self::of(numbers))
    }

    fn of(numbers: [Option<i64>; 14]) -> Result<Self, IndexError> {
        let [
            li,
            lb,
            lm,
            sb,
            su,
            sf,
            sl,
            slb,
            sm,
            seen,
            seen_until,
            seen_manifest,
            part,
            due,
        ] = numbers;
        let last = match (li, lb, lm) {
            (Some(index), Some(began), Some(manifest)) => Some(Last {
                index: unsigned(index)?,
                began: timestamp(began)?,
                manifest,
            }),
            _ => None,
        };
        let stretch = match (sb, su, sf, sl, slb, sm) {
            (Some(began), Some(until), Some(first), Some(last), Some(last_began), Some(manifest)) => Some(Stretch {
                began: timestamp(began)?,
                until: timestamp(until)?,
                first_index: unsigned(first)?,
                last_index: unsigned(last)?,
                last_began: timestamp(last_began)?,
                manifest,
            }),
            _ => None,
        };
        let seen = match (seen, seen_until, seen_manifest) {
            (Some(began), Some(until), Some(manifest)) => Some(Seen {
                began: timestamp(began)?,
                until: timestamp(until)?,
                manifest,
            }),
            _ => None,
        };
        Ok(Self {
            last,
            stretch,
            seen,
            part: part.unwrap_or(2),
            due: due.map(timestamp).transpose()?,
        })
    }
}
